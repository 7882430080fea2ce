"""Firmware functions of values: called from compiled C, and compared bit for bit with models of them."""

from __future__ import annotations

import math
import random
import struct
from fractions import Fraction

import numpy as np
import pytest

from p4kernel.build.toolchain import Toolchain
from tests.sim_board.calls import EXPORTS, Row, Value, call_all, is_plain, needs_halves, prototype
from tests.sim_board.chip import Chip
from tests.sim_board.models import PLAIN

ROWS = 60
RAW_NAN = {"fabs", "fabsf", "copysign", "copysignf", "__negdf2"}
COMPLEX = {"__mulsc3", "__divsc3", "__muldc3", "__divdc3"}
ABORTING = {f"__{o}v{m}i{n}" for o, n in (("add", 3), ("sub", 3), ("mul", 3), ("neg", 2), ("abs", 2)) for m in "sd"}

_FLOATS = [0.0, -0.0, 1.0, -1.5, 0.5, 2.5, -3.5, 1e-310, 2.0**31, -(2.0**31), 2.0**32 - 1, 2.0**63, -(2.0**63), 2.0**64,
           1e300, -1e-300, math.inf, -math.inf, math.nan, -math.nan, 65504.0, 65520.0, 6e-8, 0.1]  # fmt: skip


def _float(rng: random.Random) -> float:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(_FLOATS)
    if kind == 1:
        return float(struct.unpack("<d", rng.randbytes(8))[0])
    return rng.uniform(-1, 1) * 10.0 ** rng.randint(-3, 12 if kind == 2 else 3)


def _integer(rng: random.Random, low: int, high: int) -> int:
    edges = [low, low + 1, high, high - 1, 0, 1, 2, 3, 7, 1 << 16, -1, -2, -(1 << 15)]
    if rng.randrange(2):
        return max(low, min(high, rng.choice(edges)))
    return rng.randint(low, high) >> rng.randrange((high - low).bit_length())


_RANGES = {"uint8_t": (0, 255), "uint16_t": (0, 65535), "_Float16": (0, 65535)} | dict.fromkeys(("int", "long", "int32_t"), (-(1 << 31), (1 << 31) - 1)) | dict.fromkeys(("uint32_t", "size_t", "unsigned long"), (0, (1 << 32) - 1)) | dict.fromkeys(("int64_t", "long long"), (-(1 << 63), (1 << 63) - 1)) | dict.fromkeys(("uint64_t", "unsigned long long"), (0, (1 << 64) - 1))  # fmt: skip
# Where C leaves more open than the type does.
_COUNTS = dict.fromkeys(("__ashldi3", "__ashrdi3", "__lshrdi3"), (0, 63)) | dict.fromkeys(
    ("__powisf2", "__powidf2"), (-40, 40)
)


def _argument(rng: random.Random, name: str, position: int, c_type: str) -> Value:
    if c_type == "double":
        return _float(rng)
    if c_type == "float":
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return float(np.float32(_float(rng)))
    low, high = _COUNTS[name] if name in _COUNTS and position == 1 else _RANGES[c_type]
    return _integer(rng, low, high)


def _rows(name: str) -> list[Row]:
    rng = random.Random(name)
    types = prototype(EXPORTS[name]).parameters
    return [tuple(_argument(rng, name, i, t) for i, t in enumerate(types)) for _ in range(ROWS)]


def _bits(name: str, value: Value) -> bytes:
    """Of a result."""
    codes = {"float": "<f", "double": "<d"}
    c_type = prototype(EXPORTS[name]).result
    return struct.pack(codes[c_type], value) if c_type in codes else b"%d" % value


def _canonical(name: str, value: Value) -> Value:
    """The chip's arithmetic has one NaN; only operations on the sign show others."""
    return math.nan if math.isnan(value) and name not in RAW_NAN else value


def _names(chain: Toolchain) -> list[str]:
    """Those whose types the compiler has: GCC 12 has no halves for this target."""
    plain = [n for n, e in EXPORTS.items() if is_plain(e) and n not in COMPLEX | ABORTING]
    return [n for n in plain if chain.family == "clang" or not needs_halves(EXPORTS[n])]


def test_results_equal_those_of_the_models(chip: Chip, chain: Toolchain) -> None:
    inputs = {name: _rows(name) for name in _names(chain)}
    results = call_all(chip, chain, inputs)
    wrong = []
    with np.errstate(all="ignore"):
        for name, rows in inputs.items():
            for arguments, (got,) in zip(rows, results[name], strict=True):
                wanted = _canonical(name, PLAIN[name](*arguments))
                if _bits(name, got) != _bits(name, wanted):
                    wrong.append(f"{name}{arguments}: {got!r}, not {wanted!r}")
    assert not wrong, f"{len(wrong)} wrong, such as\n" + "\n".join(wrong[:20])
    assert len(inputs) > 150


def test_checked_arithmetic_aborts_exactly_on_overflow(chip: Chip, zig: Toolchain) -> None:
    for name in sorted(ABORTING):
        bits = 32 if "vs" in name else 64
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        pair = {"add": (high, 1, 3), "sub": (low, 1, -9), "mul": (high, 2, 12), "neg": (low, 0, 6), "abs": (low, 0, 6)}
        bad, other, good = pair[name[2:5]]
        unary = len(prototype(EXPORTS[name]).parameters) == 1
        fine = (-6,) if unary else {"add": (1, 2), "sub": (-4, 5), "mul": (-3, -4)}[name[2:5]]
        assert call_all(chip, zig, {name: [fine]}) == {name: [(good,)]}
        with pytest.raises(AssertionError, match="cause=3"):
            call_all(chip, zig, {name: [(bad,) if unary else (bad, other)]})


def _exact(name: str, a: float, b: float, c: float, d: float) -> tuple[Fraction, Fraction]:
    p, q, r, s = map(Fraction, (a, b, c, d))
    if "mul" in name:
        return p * r - q * s, p * s + q * r
    return (p * r + q * s) / (r * r + s * s), (q * r - p * s) / (r * r + s * s)


@pytest.mark.parametrize("name", sorted(COMPLEX))
def test_complex_arithmetic_is_close_to_exact(chip: Chip, chain: Toolchain, name: str) -> None:
    rng = random.Random(name)
    scale = 1e30 if name.endswith("c3") and "s" in name[5:] else 1e150
    rows = [
        tuple(float(np.float32(rng.uniform(-1, 1))) * (scale if "div" in name else 1) for _ in range(4))
        for _ in range(50)
    ]
    rows = [tuple(float(np.float32(v)) if name.endswith("sc3") else v for v in row) for row in rows]
    tolerance = 1e-6 if name.endswith("sc3") else 1e-15
    for arguments, got in zip(rows, call_all(chip, chain, {name: rows})[name], strict=True):
        wanted = _exact(name, *arguments)
        size = max(abs(w) for w in wanted)
        assert all(abs(Fraction(g) - w) <= size * Fraction(tolerance) * 4 for g, w in zip(got, wanted, strict=True))


@pytest.mark.parametrize("kind", ["s", "d"])
def test_complex_infinities_follow_annex_g(chip: Chip, zig: Toolchain, kind: str) -> None:
    inf, nan = math.inf, math.nan
    (product, other) = call_all(chip, zig, {f"__mul{kind}c3": [(inf, nan, 1.0, 0.0), (2.0, 3.0, inf, inf)]})[
        f"__mul{kind}c3"
    ]
    assert math.isinf(product[0]) or math.isinf(product[1])
    assert math.isinf(other[0]) or math.isinf(other[1])
    by_zero, into_infinity, of_infinity = call_all(
        chip, zig, {f"__div{kind}c3": [(1.0, -1.0, 0.0, 0.0), (1.0, 2.0, inf, nan), (inf, 0.0, 1.0, 1.0)]}
    )[f"__div{kind}c3"]
    assert by_zero == (inf, -inf)
    assert into_infinity == (0.0, 0.0)
    assert math.isinf(of_infinity[0])


def test_soft_doubles_follow_the_rounding_mode(chip: Chip, zig: Toolchain) -> None:
    rows: list[Row] = [(1.0, 2.0**-60), (-1.0, -(2.0**-60))]
    above, below = math.nextafter(1.0, 2.0), -math.nextafter(1.0, 2.0)
    wanted = {0: (1.0, -1.0), 1: (1.0, -1.0), 2: (1.0, below), 3: (above, -1.0)}  # nearest, to zero, down, up
    for mode, results in wanted.items():
        got = call_all(chip, zig, {"__adddf3": rows}, fcsr=mode << 5)["__adddf3"]
        assert tuple(r for (r,) in got) == results, mode


def test_every_plain_function_has_a_model_and_every_model_a_function() -> None:
    plain = {n for n, e in EXPORTS.items() if is_plain(e)} - COMPLEX - ABORTING
    assert plain == set(PLAIN)


@pytest.mark.parametrize("kind", ["s", "d"])
def test_a_complex_factor_that_is_infinite_stays_so_next_to_a_nan(chip: Chip, zig: Toolchain, kind: str) -> None:
    inf, nan = math.inf, math.nan
    large = 1e30 if kind == "s" else 1e200
    products: list[Row] = [(1.0, 0.0, inf, inf), (1.0, 2.0, inf, nan), (inf, inf, 0.0, 1.0)]
    results = call_all(chip, zig, {f"__mul{kind}c3": [*products, (large, nan, large, 0.0), (nan, nan, 1.0, 1.0)]})
    *infinite, overflowing, undefined = results[f"__mul{kind}c3"]
    assert all(math.isinf(r[0]) or math.isinf(r[1]) for r in [*infinite, overflowing])
    assert all(math.isnan(v) for v in undefined)
    quotients = call_all(chip, zig, {f"__div{kind}c3": [(inf, nan, 1.0, 1.0), (nan, nan, 1.0, 1.0)]})[f"__div{kind}c3"]
    assert math.isinf(quotients[0][0])
    assert all(math.isnan(v) for v in quotients[1])
