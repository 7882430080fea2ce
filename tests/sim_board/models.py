"""What firmware functions return, from Python's exact integers, NumPy's floats, and the host's libm through ctypes."""

from __future__ import annotations

import ctypes
import ctypes.util
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

Model = Callable[..., Any]


def signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def unsigned(value: int, bits: int) -> int:
    return value & ((1 << bits) - 1)


def _divide(a: int, b: int, bits: int) -> int:
    """Towards zero; as the chip's instruction where C says nothing."""
    if b == 0:
        return -1
    quotient = abs(a) // abs(b)
    return signed(-quotient if (a < 0) != (b < 0) else quotient, bits)


def _remainder(a: int, b: int, bits: int) -> int:
    return a if b == 0 else signed(a - b * _divide(a, b, bits), bits)


def _saturate(value: float, low: int, high: int) -> int:
    if math.isnan(value):
        return low if math.copysign(1, value) < 0 else high
    if math.isinf(value):
        return low if value < 0 else high
    return max(low, min(high, int(value)))


def _powi(a: Any, n: int) -> Any:
    """By repeated squaring in the type of a, as libgcc multiplies."""
    rest, result = abs(n), a if n & 1 else type(a)(1)
    while rest := rest >> 1:
        a = a * a
        if rest & 1:
            result = result * a
    return float(type(a)(1) / result if n < 0 else result)


def narrow(value: float, fraction: int, exponent: int) -> int:
    """Bits of the nearest number (ties to even) of a smaller IEEE 754 format."""
    sign = 1 << (fraction + exponent) if math.copysign(1, value) < 0 else 0
    infinite = ((1 << exponent) - 1) << fraction
    bias = (1 << (exponent - 1)) - 1
    if math.isnan(value):
        return infinite | 1 << (fraction - 1)
    if math.isinf(value):
        return sign | infinite
    exact = abs(Fraction(value))
    power = max(math.frexp(value)[1] - 1, 1 - bias) if value else 1 - bias
    units = round(exact / Fraction(2) ** (power - fraction))
    return sign | min(units + ((power + bias - 1) << fraction), infinite)


def _half(bits: int) -> float:
    return float(np.uint16(bits).view(np.float16))


def _compare(unordered: int) -> Model:
    return lambda a, b: unordered if math.isnan(a) or math.isnan(b) else (a > b) - (a < b)


def _float64(operation: Callable[[Any, Any], Any]) -> Model:
    return lambda a, b: float(operation(np.float64(a), np.float64(b)))


def _leading(a: int, bits: int) -> int:
    return bits - a.bit_length()


def _trailing(a: int, bits: int) -> int:
    return (a & -a).bit_length() - 1 if a else bits


def _find_first(a: int, bits: int) -> int:
    return _trailing(a, bits) + 1 if a else 0


def _redundant(a: int, bits: int) -> int:
    return _leading(~a if a < 0 else a, bits) - 1


def _swapped(a: int, bits: int) -> int:
    return int.from_bytes(a.to_bytes(bits // 8, "little"), "big")


def _integers(bits: int, mode: str) -> dict[str, Model]:
    return {
        f"__mul{mode}3": lambda a, b: signed(a * b, bits),
        f"__div{mode}3": lambda a, b: _divide(a, b, bits),
        f"__mod{mode}3": lambda a, b: _remainder(a, b, bits),
        f"__udiv{mode}3": lambda a, b: a // b if b else (1 << bits) - 1,
        f"__umod{mode}3": lambda a, b: a % b if b else a,
        f"__clz{mode}2": lambda a: _leading(a, bits),
        f"__ctz{mode}2": lambda a: _trailing(a, bits),
        f"__ffs{mode}2": lambda a: _find_first(a, bits),
        f"__popcount{mode}2": lambda a: a.bit_count(),
        f"__parity{mode}2": lambda a: a.bit_count() & 1,
        f"__clrsb{mode}2": lambda a: _redundant(a, bits),
        f"__bswap{mode}2": lambda a: _swapped(a, bits),
    }


def _libm() -> dict[str, Model]:
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    from tests.sim_board.calls import EXPORTS, is_plain, prototype

    types = {"double": ctypes.c_double, "float": ctypes.c_float, "int": ctypes.c_int, "long": ctypes.c_long}
    models: dict[str, Model] = {}
    for name, export in EXPORTS.items():
        if export.group == "math" and is_plain(export) and prototype(export).result in ("float", "double"):
            function = getattr(library, name)
            function.restype = types[prototype(export).result]
            function.argtypes = [types[p] for p in prototype(export).parameters]
            models[name] = function
    return models


def _ilogb(a: float) -> int:
    if a == 0:
        return -0x7FFFFFFF
    return math.frexp(a)[1] - 1 if math.isfinite(a) else 0x7FFFFFFF


def _to_integer(bits: int, away: bool) -> Model:
    def model(a: float) -> int:
        if math.isfinite(a):
            exact = Fraction(a)
            rounded = math.floor(abs(exact) + Fraction(1, 2)) * (1 if exact > 0 else -1) if away else round(exact)
            a = float(max(-(2**70), min(2**70, rounded)))
        return _saturate(a, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)

    return model


def _rounding() -> dict[str, Model]:
    models: dict[str, Model] = {"ilogb": _ilogb, "ilogbf": _ilogb}
    for suffix in ("", "f"):
        models |= {
            f"lrint{suffix}": _to_integer(32, False), f"lround{suffix}": _to_integer(32, True),
            f"llrint{suffix}": _to_integer(64, False), f"llround{suffix}": _to_integer(64, True),
        }  # fmt: skip
    return models


_I32, _U32 = (-(1 << 31), (1 << 31) - 1), (0, (1 << 32) - 1)
_I64, _U64 = (-(1 << 63), (1 << 63) - 1), (0, (1 << 64) - 1)

PLAIN: dict[str, Model] = {
    **_integers(32, "si"), **_integers(64, "di"), **_libm(), **_rounding(),
    "abs": lambda a: signed(abs(a), 32), "labs": lambda a: signed(abs(a), 32), "llabs": lambda a: signed(abs(a), 64),
    "__ashldi3": lambda a, n: signed(a << n, 64),
    "__ashrdi3": lambda a, n: a >> n,
    "__lshrdi3": lambda a, n: a >> n,
    "__negdi2": lambda a: signed(-a, 64),
    "__cmpdi2": lambda a, b: (a > b) - (a < b) + 1,
    "__ucmpdi2": lambda a, b: (a > b) - (a < b) + 1,
    "__fixsfdi": lambda a: _saturate(a, *_I64), "__fixunssfdi": lambda a: _saturate(a, *_U64),
    "__fixdfsi": lambda a: _saturate(a, *_I32), "__fixunsdfsi": lambda a: _saturate(a, *_U32),
    "__fixdfdi": lambda a: _saturate(a, *_I64), "__fixunsdfdi": lambda a: _saturate(a, *_U64),
    "__floatdisf": lambda a: float(np.int64(a).astype(np.float32)),
    "__floatundisf": lambda a: float(np.uint64(a).astype(np.float32)),
    "__floatsidf": float, "__floatunsidf": float, "__floatdidf": float, "__floatundidf": float,
    "__extendsfdf2": float, "__truncdfsf2": lambda a: float(np.float64(a).astype(np.float32)),
    "__powisf2": lambda a, n: _powi(np.float32(a), n), "__powidf2": lambda a, n: _powi(np.float64(a), n),
    "__extendhfsf2": _half, "__extendhfdf2": _half, "__gnu_h2f_ieee": _half,
    "__truncsfhf2": lambda a: narrow(a, 10, 5), "__truncdfhf2": lambda a: narrow(a, 10, 5),
    "__gnu_f2h_ieee": lambda a: narrow(a, 10, 5),
    "__truncsfbf2": lambda a: narrow(a, 7, 8), "__truncdfbf2": lambda a: narrow(a, 7, 8),
    "__adddf3": _float64(lambda a, b: a + b), "__subdf3": _float64(lambda a, b: a - b),
    "__muldf3": _float64(lambda a, b: a * b), "__divdf3": _float64(lambda a, b: a / b),
    "__negdf2": lambda a: -a,
    "__eqdf2": lambda a, b: int(a != b), "__nedf2": lambda a, b: int(a != b),
    "__ltdf2": _compare(2), "__ledf2": _compare(2), "__gtdf2": _compare(-2), "__gedf2": _compare(-2),
    "__unorddf2": lambda a, b: int(math.isnan(a) or math.isnan(b)),
}  # fmt: skip
