"""Random values as plain trees (numbers, lists, dicts), what p4kernel takes for them, and the list of their leaves."""

from __future__ import annotations

import random
import struct
from typing import Any

import numpy as np

from p4kernel.signature.values import Enumeration, Member, Record, Value
from tests.conformance.pool import leaves

_MASK = 2**64 - 1
_FLOATS = (0.0, -0.0, 1.0, -1.5, 2.0**-149, -(2.0**-126), 3.0e38, float("inf"), float("-inf"))


def make(rng: random.Random, kind: Value, bits: int | None = None) -> Any:
    """A random tree of one value."""
    if isinstance(kind, Record):
        return {m.name: _shaped(rng, m, m.shape) for m in leaves(kind)}
    if isinstance(kind, Enumeration):
        return rng.choice([member.value for member in kind.cls.__members__.values()])
    if kind.kind == "b":
        return rng.random() < 0.5
    if kind.kind == "f":
        exact = float(np.float32(rng.uniform(-1e6, 1e6)))
        return rng.choice([*_FLOATS, exact, exact])
    size = bits or 8 * kind.size
    low = -(2 ** (size - 1)) if kind.kind == "i" else 0
    high = low + 2**size - 1
    return rng.choice([low, high, rng.randint(low, high), max(low, min(high, rng.randint(-3, 3)))])


def _shaped(rng: random.Random, member: Member, shape: tuple[int, ...]) -> Any:
    if not shape:
        return make(rng, member.type, member.bits)
    return [_shaped(rng, member, shape[1:]) for _ in range(shape[0])]


def to_python(tree: Any, kind: Value) -> Any:
    """What a caller of p4kernel passes for it."""
    if isinstance(kind, Enumeration):
        return kind.cls(tree)
    if not isinstance(kind, Record):
        return tree
    return kind.cls(**{m.name: _member(tree[m.name], m) for m in leaves(kind)})


def _member(tree: Any, member: Member) -> Any:
    if not member.shape:
        return to_python(tree, member.type)
    if not isinstance(member.type, Record):
        return np.array(tree, member.type.dtype)
    array = np.zeros(member.shape, member.type.dtype)
    for index in np.ndindex(member.shape):
        item = tree
        for i in index:
            item = item[i]
        array[index] = to_python(item, member.type)
    return array


def to_array(trees: list[Any], kind: Value) -> Any:
    """An array of them."""
    array = np.zeros(len(trees), kind.dtype)
    for i, tree in enumerate(trees):
        array[i] = to_python(tree, kind)
    return array


def flatten(value: Any, kind: Value) -> list[int]:
    """The leaves, as 64 bits each, of a tree or of what p4kernel returned."""
    if not isinstance(kind, Record):
        if kind.kind == "f":
            assert not isinstance(kind, Enumeration)
            return [int.from_bytes(struct.pack("<" + kind.code, value), "little")]
        return [int(value) & _MASK]
    out: list[int] = []
    for m in leaves(kind):
        item = value[m.name] if isinstance(value, dict) else getattr(value, m.name)
        if not m.shape:
            out += flatten(item, m.type)
            continue
        for index in np.ndindex(m.shape):
            element = item
            for i in index:
                element = element[i]
            out += flatten(element, m.type)
    return out
