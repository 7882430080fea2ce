"""The F extension on exact rationals: what each instruction gives, and which flags it raises.

Written from the RISC-V ISA manual and IEEE 754, without the host's float unit.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from .rv32 import RDN, RMM, RNE, RTZ, RUP

NX, UF, OF, DZ, NV = 1, 2, 4, 8, 16
NAN, SNAN, INF, SIGN = 0x7FC00000, 0x7F800001, 0x7F800000, 0x80000000
MODES = (RNE, RTZ, RDN, RUP, RMM)
LEAST_NORMAL, LIMIT = Fraction(1, 1 << 126), Fraction(1 << 128)

Result = tuple[int, int]
"""Bits and flags."""


def is_nan(bits: int) -> bool:
    return bits & 0x7FFFFFFF > INF


def is_signalling(bits: int) -> bool:
    return is_nan(bits) and not bits & 0x400000


def is_infinite(bits: int) -> bool:
    return bits & 0x7FFFFFFF == INF


def is_zero(bits: int) -> bool:
    return bits & 0x7FFFFFFF == 0


def value(bits: int) -> Fraction:
    """Of a finite float."""
    exponent, fraction = bits >> 23 & 255, bits & 0x7FFFFF
    magnitude = Fraction(fraction if exponent == 0 else fraction | 1 << 23) * Fraction(2) ** (max(exponent, 1) - 150)
    return -magnitude if bits & SIGN else magnitude


def to_integer(number: Fraction, rm: int) -> int:
    """The integer that a rounding mode takes for a number."""
    floor = number.numerator // number.denominator
    rest = number - floor
    if rest == 0 or rm == RDN:
        return floor
    if rm == RUP:
        return floor + 1
    if rm == RTZ:
        return floor + (number < 0)
    if rest != Fraction(1, 2):
        return floor + (rest > Fraction(1, 2))
    if rm == RMM:
        return floor + (number > 0)
    return floor + floor % 2


def _exponent(number: Fraction) -> int:
    """e with 2^e <= |number| < 2^(e+1)."""
    number = abs(number)
    e = number.numerator.bit_length() - number.denominator.bit_length()
    return e if Fraction(2) ** e <= number else e - 1


def rounded(number: Fraction, rm: int, zero_sign: int = 0) -> Result:
    """A real number as a float; zero_sign is the sign bit of an exact zero."""
    if number == 0:
        return zero_sign, 0
    sign, exponent = (SIGN if number < 0 else 0), _exponent(number)
    quantum = Fraction(2) ** (max(exponent, -126) - 23)
    result = to_integer(number / quantum, rm) * quantum
    unbounded_quantum = Fraction(2) ** (exponent - 23)
    tiny = abs(to_integer(number / unbounded_quantum, rm) * unbounded_quantum) < LEAST_NORMAL
    if abs(result) >= LIMIT:
        to_largest = rm == RTZ or rm == (RUP if sign else RDN)
        return sign | (INF - 1 if to_largest else INF), OF | NX
    flags = 0 if result == number else NX | (UF if tiny else 0)
    if result == 0:
        return sign, flags
    magnitude = abs(result)
    if magnitude < LEAST_NORMAL:
        return sign | int(magnitude * (1 << 149)), flags
    e = _exponent(magnitude)
    return sign | (e + 127) << 23 | int(magnitude / Fraction(2) ** (e - 23)) - (1 << 23), flags


def _nan_result(*operands: int) -> Result:
    return NAN, NV if any(is_signalling(a) for a in operands) else 0


def add(a: int, b: int, rm: int) -> Result:
    if is_nan(a) or is_nan(b):
        return _nan_result(a, b)
    if is_infinite(a) and is_infinite(b):
        return (a, 0) if a == b else (NAN, NV)
    if is_infinite(a) or is_infinite(b):
        return (a if is_infinite(a) else b), 0
    return rounded(value(a) + value(b), rm, _sum_zero(a & SIGN, b & SIGN, is_zero(a) and is_zero(b), rm))


def _sum_zero(sign_a: int, sign_b: int, both_zero: bool, rm: int) -> int:
    if both_zero and sign_a == sign_b:
        return sign_a
    return SIGN if rm == RDN else 0


def sub(a: int, b: int, rm: int) -> Result:
    return add(a, b if is_nan(b) else b ^ SIGN, rm)


def mul(a: int, b: int, rm: int) -> Result:
    sign = (a ^ b) & SIGN
    if is_nan(a) or is_nan(b):
        return _nan_result(a, b)
    if is_infinite(a) or is_infinite(b):
        return (NAN, NV) if is_zero(a) or is_zero(b) else (sign | INF, 0)
    return rounded(value(a) * value(b), rm, sign)


def div(a: int, b: int, rm: int) -> Result:
    sign = (a ^ b) & SIGN
    if is_nan(a) or is_nan(b):
        return _nan_result(a, b)
    if is_infinite(a):
        return (NAN, NV) if is_infinite(b) else (sign | INF, 0)
    if is_infinite(b):
        return sign, 0
    if is_zero(b):
        return (NAN, NV) if is_zero(a) else (sign | INF, DZ)
    return rounded(value(a) / value(b), rm, sign)


def sqrt(a: int, rm: int) -> Result:
    if is_nan(a):
        return _nan_result(a)
    if is_zero(a) or a == INF:
        return a, 0
    if a & SIGN:
        return NAN, NV
    scaled = value(a) * (1 << 300)
    root = isqrt(scaled.numerator // scaled.denominator)
    exact = Fraction(root, 1 << 150)
    # Any number between two neighbours on so fine a grid rounds alike.
    return rounded(exact if exact * exact == value(a) else exact + Fraction(1, 1 << 151), rm)


def fused(name: str, a: int, b: int, c: int, rm: int) -> Result:
    """fmadd.s a*b+c, fmsub.s a*b-c, fnmsub.s -a*b+c, fnmadd.s -a*b-c."""
    if (is_infinite(a) and is_zero(b)) or (is_zero(a) and is_infinite(b)):
        return NAN, NV
    if is_nan(a) or is_nan(b) or is_nan(c):
        return _nan_result(a, b, c)
    sign = (a ^ b) & SIGN ^ (SIGN if name in ("fnmsub.s", "fnmadd.s") else 0)
    c ^= SIGN if name in ("fmsub.s", "fnmadd.s") else 0
    if is_infinite(a) or is_infinite(b):
        return (NAN, NV) if is_infinite(c) and c & SIGN != sign else (sign | INF, 0)
    if is_infinite(c):
        return c, 0
    product = abs(value(a) * value(b))
    zero_sign = _sum_zero(sign, c & SIGN, product == 0 and is_zero(c), rm)
    return rounded((-product if sign else product) + value(c), rm, zero_sign)


def _order(bits: int) -> Fraction:
    if is_infinite(bits):
        return -LIMIT if bits & SIGN else LIMIT
    return value(bits)


def minmax(a: int, b: int, largest: bool) -> Result:
    flags = NV if is_signalling(a) or is_signalling(b) else 0
    if is_nan(a) and is_nan(b):
        return NAN, flags
    if is_nan(a) or is_nan(b):
        return (b if is_nan(a) else a), flags
    if is_zero(a) and is_zero(b):
        return (a & b if largest else a | b), flags
    a_less = _order(a) < _order(b)
    return (b if a_less == largest else a), flags


def compare(name: str, a: int, b: int) -> Result:
    if is_nan(a) or is_nan(b):
        return 0, NV if name != "feq.s" or is_signalling(a) or is_signalling(b) else 0
    x, y = _order(a), _order(b)
    return int({"feq.s": x == y, "flt.s": x < y, "fle.s": x <= y}[name]), 0


def to_int(a: int, signed: bool, rm: int) -> Result:
    low, high = (-(1 << 31), (1 << 31) - 1) if signed else (0, (1 << 32) - 1)
    if is_nan(a):
        return high, NV
    if is_infinite(a):
        return (low if a & SIGN else high) & 0xFFFFFFFF, NV
    result = to_integer(value(a), rm)
    if not low <= result <= high:
        return (low if result < low else high) & 0xFFFFFFFF, NV
    return result & 0xFFFFFFFF, 0 if result == value(a) else NX


def from_int(a: int, signed: bool, rm: int) -> Result:
    return rounded(Fraction(a - (1 << 32) if signed and a >> 31 else a), rm)


def classify(a: int) -> int:
    negative = bool(a & SIGN)
    if is_nan(a):
        return 1 << (8 if is_signalling(a) else 9)
    if is_infinite(a):
        return 1 << (0 if negative else 7)
    if is_zero(a):
        return 1 << (3 if negative else 4)
    if a & INF == 0:
        return 1 << (2 if negative else 5)
    return 1 << (1 if negative else 6)
