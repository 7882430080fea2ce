"""Kernels with random signatures, each with a NumPy oracle that predicts every bit that it returns or writes."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import p4kernel as p4

AnyArray = npt.NDArray[Any]
_C: Final = {
    "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "uint16": "uint16_t", "int32": "int32_t",
    "uint32": "uint32_t", "int64": "int64_t", "uint64": "uint64_t", "float32": "float", "float64": "double",
    "bool": "_Bool",
}  # fmt: skip
_SCALARS: Final[tuple[str, ...]] = ("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "bool_")
_RETURNS: Final = (None, "u32", "i64", "f64")
_DIRECTIONS: Final = ("In", "Out", "InOut")
_PREAMBLE: Final = r"""
#include <string.h>
__attribute__((unused)) static uint32_t mix(const void *data, uint32_t size)
{
    const uint8_t *p = data;
    uint32_t h = 0;
    for (uint32_t i = 0; i < size; ++i)
        h += (i + 1) * p[i];
    return h;
}
"""


def mix(data: bytes) -> int:
    """The oracle of the C function of that name."""
    values = np.frombuffer(data, np.uint8).astype(np.uint32)
    places = np.arange(1, len(data) + 1, dtype=np.uint32)
    return int((values * places).sum(dtype=np.uint64) & np.uint64(0xFFFFFFFF))


@dataclass(frozen=True)
class Parameter:
    name: str
    kind: str  # a scalar's name, or the dtype of an array
    direction: str = ""  # "": a scalar


@dataclass(frozen=True)
class Pooled:
    """A kernel, and what is known about it."""

    kernel: Any
    parameters: tuple[Parameter, ...]
    returns: str | None
    factor: int

    def expect(self, values: list[Any]) -> tuple[Any, dict[int, AnyArray]]:
        """What a call with these values returns, and what its output arrays hold then."""
        h = self.factor
        outputs: dict[int, AnyArray] = {}
        for i, (parameter, value) in enumerate(zip(self.parameters, values, strict=True)):
            if not parameter.direction:
                h += mix(_scalar_bytes(parameter.kind, value))
                continue
            if parameter.direction != "Out":
                h += mix(value.tobytes())
            if parameter.direction == "Out":
                outputs[i] = self._fresh(value)
            elif parameter.direction == "InOut":
                outputs[i] = self._changed(value)
        h &= 0xFFFFFFFF
        result = {None: None, "u32": h, "i64": h - (1 << 40), "f64": h * 0.5}[self.returns]
        return result, outputs

    def _fresh(self, array: AnyArray) -> AnyArray:
        index = np.arange(array.size, dtype=np.uint32)
        if array.dtype.kind in "fb":
            flat = (index & 1 if array.dtype.kind == "b" else index & 255).astype(array.dtype)
        else:
            flat = (index * np.uint32(self.factor)).astype(array.dtype)
        return flat.reshape(array.shape)

    def _changed(self, array: AnyArray) -> AnyArray:
        if array.dtype.kind == "b":
            return ~array
        if array.dtype.kind == "f":
            return -array
        with np.errstate(over="ignore"):
            unsigned = array.astype(f"u{array.dtype.itemsize}")
            factor = np.array(self.factor).astype(unsigned.dtype)
            changed: AnyArray = unsigned * factor + unsigned.dtype.type(1)
            return changed.astype(array.dtype)


def _scalar_bytes(kind: str, value: Any) -> bytes:
    return struct.pack("<" + "bBhHiIqQfd?"[_SCALARS.index(kind)], value)


def make(rng: random.Random, name: str) -> Pooled:
    """A kernel with up to six parameters; no two have the same code."""
    factor = rng.randrange(3, 1 << 16) | 1
    parameters = []
    for i in range(rng.randrange(1, 7)):
        if rng.random() < 0.55:
            parameters.append(Parameter(f"a{i}", rng.choice(list(_C)), rng.choice(_DIRECTIONS)))
        else:
            parameters.append(Parameter(f"s{i}", rng.choice(_SCALARS)))
    returns = rng.choice(_RETURNS)
    namespace: dict[str, Any] = {"p4": p4, "np": np, "BODY": _body(parameters, returns, factor), "PREAMBLE": _PREAMBLE}
    texts = []
    for p in parameters:
        dtype = "bool_" if p.kind == "bool" else p.kind
        texts.append(f"{p.name}: p4.{p.direction}[np.{dtype}]" if p.direction else f"{p.name}: p4.{p.kind}")
    sizes = [f"n_{p.name}: p4.i32 = p4.size('{p.name}')" for p in parameters if p.direction]
    result = f"p4.{returns}" if returns else "None"
    exec(f"def {name}({', '.join([*texts, *sizes])}) -> {result}:\n    p4.c(BODY, preamble=PREAMBLE)\n", namespace)
    return Pooled(p4.kernel(namespace[name]), tuple(parameters), returns, factor)


def _body(parameters: list[Parameter], returns: str | None, factor: int) -> str:
    lines = [f"uint32_t h = {factor}u;"]
    for p in parameters:
        if not p.direction:
            lines.append(f"h += mix(&{p.name}, sizeof {p.name});")
        elif p.direction != "Out":
            lines.append(f"h += mix({p.name}, n_{p.name} * sizeof *{p.name});")
    for p in parameters:
        if p.direction not in ("Out", "InOut"):
            continue
        c, fresh = _C[p.kind], p.direction == "Out"
        if p.kind == "bool":
            value = "(i & 1) != 0" if fresh else f"!{p.name}[i]"
        elif p.kind.startswith("float"):
            value = f"({c})(i & 255)" if fresh else f"-{p.name}[i]"
        elif fresh:
            value = f"({c})(i * {factor}u)"
        else:
            unsigned = c if c.startswith("u") else "u" + c
            value = f"({c})(({unsigned})((uint64_t)({unsigned}){p.name}[i] * {factor}u + 1u))"
        lines.append(f"for (uint32_t i = 0; i < (uint32_t)n_{p.name}; ++i) {p.name}[i] = {value};")
    lines.append({None: "(void)h;", "u32": "return h;", "i64": "return (int64_t)h - ((int64_t)1 << 40);",
                  "f64": "return h * 0.5;"}[returns])  # fmt: skip
    return "\n".join(lines)


# -- values -------------------------------------------------------------------------------------------------------------


def scalar(rng: random.Random, kind: str) -> Any:
    if kind == "bool_":
        return rng.random() < 0.5
    if kind in ("f32", "f64"):
        value = rng.choice((0.0, -0.0, 1.5, rng.uniform(-1e30, 1e30), float("inf")))
        return float(np.float32(value)) if kind == "f32" else value
    info = np.iinfo({"i": "int", "u": "uint"}[kind[0]] + kind[1:])
    return rng.choice((0, int(info.min), int(info.max), rng.randint(int(info.min), int(info.max))))


def _filled(rng: random.Random, dtype: np.dtype[Any], size: int) -> AnyArray:
    if dtype.kind == "b":
        return np.greater(np.frombuffer(rng.randbytes(size), np.uint8), 127)
    return np.frombuffer(rng.randbytes(size * dtype.itemsize), dtype).copy()


def array(rng: random.Random, kind: str, limit: int) -> AnyArray:
    """An array of up to about ``limit`` elements and of any layout: order, steps, signs, offsets, odd addresses."""
    dtype = np.dtype(kind)
    size = rng.choice((0, 1, rng.randrange(1, 40), rng.randrange(1, limit + 1)))
    shape = [1] * rng.randrange(5)
    left = size
    for i in range(len(shape)):
        shape[i] = left if i == len(shape) - 1 else rng.randrange(1, max(2, min(left, 8)))
        left = left // shape[i] if shape[i] else 0
    rng.shuffle(shape)
    match rng.randrange(5):
        case 0:
            made = _filled(rng, dtype, int(np.prod(shape))).reshape(shape)
        case 1:
            made = np.asfortranarray(_filled(rng, dtype, int(np.prod(shape))).reshape(shape))
        case 2:
            steps = [rng.choice((1, 2, 3, -1, -2)) for _ in shape]
            wide = [n * abs(step) for n, step in zip(shape, steps, strict=True)]
            made = _filled(rng, dtype, int(np.prod(wide))).reshape(wide)
            index: tuple[Any, ...] = (..., *(slice(None, None, step) for step in steps))
            made = made[index]
        case 3:
            order = list(range(len(shape)))
            rng.shuffle(order)
            made = _filled(rng, dtype, int(np.prod(shape))).reshape(shape).transpose(order)
        case _:
            offset = rng.randrange(1, 64)
            data = bytearray(offset) + _filled(rng, dtype, int(np.prod(shape))).tobytes()
            made = np.frombuffer(data, dtype, int(np.prod(shape)), offset).reshape(shape)
    return made


def values(rng: random.Random, pooled: Pooled, limit: int) -> list[Any]:
    """Arguments for a call, but for the sizes."""
    return [array(rng, p.kind, limit) if p.direction else scalar(rng, p.kind) for p in pooled.parameters]
