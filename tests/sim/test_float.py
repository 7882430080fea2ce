"""RV32F: every instruction over edge values in every rounding mode, results and flags, against exact rationals."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest

from . import float_model as model
from .float_model import INF, MODES, NAN, SIGN, SNAN, Result
from .machine import BASE, EBREAK, Machine
from .rv32 import DYN, FUSED, RNE, RTZ, code, word

POSITIVE = (
    0x00000000, 0x00000001, 0x00000002, 0x003FFFFF, 0x007FFFFF, 0x00800000, 0x00800001, 0x00FFFFFF, 0x01000000,
    0x1A000000, 0x1FFFFFFF, 0x20000000, 0x33800000, 0x34000001, 0x3E99999A, 0x3EFFFFFF, 0x3F000000, 0x3F7FFFFF,
    0x3F800000, 0x3F800001, 0x3FC00000, 0x40000000, 0x40200000, 0x40490FDB, 0x4B7FFFFF, 0x4B800001, 0x4EFFFFFF,
    0x4F000000, 0x4F7FFFFF, 0x4F800000, 0x5F000000, 0x7F000000, 0x7F7FFFFF, INF,
)  # fmt: skip
NANS = (NAN, SNAN, 0x7FFFFFFF, 0xFFC00001, 0xFF812345)
EDGES = (*POSITIVE, *(a | SIGN for a in POSITIVE), *NANS)
INTEGERS = (
    0, 1, 2, 0xFFFFFF, 0x1000000, 0x1000001, 0x1000002, 0x1000003, 0x2000001, 0x2000006, 0x7FFFFF7F, 0x7FFFFFBF,
    0x7FFFFFC0, 0x7FFFFFFF, 0x80000000, 0x80000001, 0x80000040, 0x80000080, 0xC0000041, 0xFFFFFF7F, 0xFFFFFFFE,
    0xFFFFFFFF, 0xFEFFFFFF,
)  # fmt: skip
TWO: dict[str, Callable[[int, int, int], Result]] = {
    "fadd.s": model.add, "fsub.s": model.sub, "fmul.s": model.mul, "fdiv.s": model.div,
}  # fmt: skip
PRELOADED = (0, 31)
"""Flags that stand before: a flag is only ever added."""


class Bench:
    """Runs one instruction many times, with operands in x5, f5, f6, f7 and results in x10, f10."""

    def __init__(self, engine: str) -> None:
        self.machine = Machine(engine)

    def load(self, name: str, *operands: int) -> None:
        self.machine.write(BASE, code(word(name, *operands), EBREAK))

    def run(self, operands: Iterable[int], frm: int = 0, flags: int = 0, x: int = 0) -> None:
        state = self.machine.state
        for register, bits in enumerate(operands, 5):
            state.f[register] = bits
        state.x[5] = x
        state.fcsr = frm << 5 | flags
        state.pc = BASE
        self.machine.push()
        assert self.machine.run_to_trap().cause == 3

    def float_result(self) -> Result:
        return self.machine.state.f[10], self.machine.state.fcsr & 31

    def integer_result(self) -> Result:
        return self.machine.state.x[10], self.machine.state.fcsr & 31


@pytest.fixture
def bench(engine: str) -> Bench:
    return Bench(engine)


def _pairs(seed: int, count: int) -> list[tuple[int, int]]:
    """All edges with each other, thinned, and random bits whose results are often close to a limit."""
    source = random.Random(seed)
    pairs = [(a, b) for a in EDGES for b in EDGES]
    pairs = source.sample(pairs, count)
    for _ in range(count // 2):
        a, b = source.getrandbits(32), source.getrandbits(32)
        pairs += [(a, b), (a, a ^ source.getrandbits(3)), (a & 0x80FFFFFF | 0x20000000, b & 0x80FFFFFF | 0x1F000000)]
    return pairs


@pytest.mark.parametrize("rm", MODES)
@pytest.mark.parametrize("name", TWO)
def test_arithmetic(bench: Bench, name: str, rm: int) -> None:
    bench.load(name, 10, 5, 6, DYN)
    for a, b in _pairs(rm, 600):
        bench.run((a, b), frm=rm)
        assert bench.float_result() == TWO[name](a, b, rm), (hex(a), hex(b))


@pytest.mark.parametrize("name", TWO)
def test_arithmetic_over_all_edges(bench: Bench, name: str) -> None:
    bench.load(name, 10, 5, 6, DYN)
    for a in EDGES:
        for b in EDGES:
            bench.run((a, b))
            assert bench.float_result() == TWO[name](a, b, RNE), (hex(a), hex(b))


@pytest.mark.parametrize("rm", MODES)
@pytest.mark.parametrize("name", TWO)
def test_static_mode_wins_over_frm(bench: Bench, name: str, rm: int) -> None:
    bench.load(name, 10, 5, 6, rm)
    for frm in (0, 1, 2, 3, 4, 5, 7):
        for a, b in _pairs(frm, 20):
            bench.run((a, b), frm=frm)
            assert bench.float_result() == TWO[name](a, b, rm), (hex(a), hex(b), frm)


@pytest.mark.parametrize("rm", MODES)
def test_square_root(bench: Bench, rm: int) -> None:
    bench.load("fsqrt.s", 10, 5, DYN)
    source = random.Random(rm)
    for a in (*EDGES, *(source.getrandbits(31) for _ in range(500))):
        bench.run((a,), frm=rm)
        assert bench.float_result() == model.sqrt(a, rm), hex(a)


def _triples(seed: int, count: int) -> list[tuple[int, int, int]]:
    source = random.Random(seed)
    triples = [(source.choice(EDGES), source.choice(EDGES), source.choice(EDGES)) for _ in range(count)]
    for _ in range(count // 2):
        a, b = source.getrandbits(32), source.getrandbits(32)
        product = model.mul(a, b, RNE)[0]
        triples.append((a, b, source.getrandbits(32)))
        # Cancellation, exact and nearly, is where one rounding and two differ.
        triples.append((a, b, product ^ SIGN ^ source.getrandbits(2)))
        triples.append((a & 0x80FFFFFF | 0x1F800000, b & 0x80FFFFFF | 0x1F800000, source.getrandbits(24)))
    return triples


@pytest.mark.parametrize("rm", MODES)
@pytest.mark.parametrize("name", FUSED)
def test_fused(bench: Bench, name: str, rm: int) -> None:
    bench.load(name, 10, 5, 6, 7, DYN)
    for a, b, c in _triples(rm, 500 if rm else 1500):
        bench.run((a, b, c), frm=rm)
        assert bench.float_result() == model.fused(name, a, b, c, rm), (hex(a), hex(b), hex(c))


def test_infinity_times_zero_plus_quiet_nan(bench: Bench) -> None:
    for name in FUSED:
        bench.load(name, 10, 5, 6, 7, DYN)
        for a, b in ((INF, 0), (0, INF | SIGN)):
            bench.run((a, b, NAN))
            assert bench.float_result() == (NAN, model.NV)


@pytest.mark.parametrize("name", ["fsgnj.s", "fsgnjn.s", "fsgnjx.s"])
def test_sign_injection(bench: Bench, name: str) -> None:
    bench.load(name, 10, 5, 6)
    signs = {"fsgnj.s": lambda a, b: b, "fsgnjn.s": lambda a, b: ~b, "fsgnjx.s": lambda a, b: a ^ b}
    for a in EDGES:
        for b in (0, SIGN, SNAN, SNAN | SIGN):
            bench.run((a, b), flags=9)
            assert bench.float_result() == (a & ~SIGN | signs[name](a, b) & SIGN, 9)


@pytest.mark.parametrize("name", ["fmin.s", "fmax.s"])
def test_minimum_and_maximum(bench: Bench, name: str) -> None:
    bench.load(name, 10, 5, 6)
    for a in EDGES:
        for b in EDGES:
            bench.run((a, b), frm=2)
            assert bench.float_result() == model.minmax(a, b, name == "fmax.s"), (hex(a), hex(b))


@pytest.mark.parametrize("name", ["feq.s", "flt.s", "fle.s"])
def test_comparisons(bench: Bench, name: str) -> None:
    bench.load(name, 10, 5, 6)
    for a in EDGES:
        for b in EDGES:
            bench.run((a, b), frm=5)
            assert bench.integer_result() == model.compare(name, a, b), (hex(a), hex(b))


def test_comparison_used_at_once(machine: Machine) -> None:
    for a, b in ((0x3F800000, 0x40000000), (NAN, 0), (0x40000000, 0x3F800000)):
        expected, _ = model.compare("flt.s", a, b)
        instructions = code(word("flt.s", 5, 5, 6), word("beq", 5, 0, 8), word("addi", 6, 5, 10))
        state = machine.execute(instructions, {6: 0}, {5: a, 6: b})
        assert state.x[6] == (11 if expected else 0)


@pytest.mark.parametrize("rm", [*MODES, DYN])
@pytest.mark.parametrize("name", ["fcvt.w.s", "fcvt.wu.s"])
def test_to_integer(bench: Bench, name: str, rm: int) -> None:
    bench.load(name, 10, 5, rm)
    source = random.Random(rm)
    near = [(0x4E800000 + source.getrandbits(25)) | source.getrandbits(1) << 31 for _ in range(100)]
    halves = [0x3F000000 + (i << 22) | s for i in range(12) for s in (0, SIGN)]
    for frm in range(5) if rm == DYN else (0, 3):
        for a in (*EDGES, *near, *halves):
            bench.run((a,), frm=frm)
            expected = model.to_int(a, name == "fcvt.w.s", frm if rm == DYN else rm)
            assert bench.integer_result() == expected, hex(a)


@pytest.mark.parametrize("rm", MODES)
@pytest.mark.parametrize("name", ["fcvt.s.w", "fcvt.s.wu"])
def test_from_integer(bench: Bench, name: str, rm: int) -> None:
    bench.load(name, 10, 5, DYN)
    source = random.Random(rm)
    for x in (*INTEGERS, *(source.getrandbits(32) for _ in range(200))):
        bench.run((), frm=rm, x=x)
        assert bench.float_result() == model.from_int(x, name == "fcvt.s.w", rm), hex(x)


def test_classes_and_moves(bench: Bench) -> None:
    for a in EDGES:
        bench.load("fclass.s", 10, 5)
        bench.run((a,), flags=3)
        assert bench.integer_result() == (model.classify(a), 3)
        bench.load("fmv.x.w", 10, 5)
        bench.run((a,), flags=3)
        assert bench.integer_result() == (a, 3)
        bench.load("fmv.w.x", 10, 5)
        bench.run((), flags=3, x=a)
        assert bench.float_result() == (a, 3)


@pytest.mark.parametrize("before", PRELOADED)
def test_flags_add_up(machine: Machine, before: int) -> None:
    program = code(
        word("fdiv.s", 10, 5, 0), word("csrrs", 10, 1, 0),
        word("fadd.s", 10, 5, 6), word("csrrs", 11, 1, 0),
        word("fsqrt.s", 10, 7), word("csrrs", 12, 3, 0),
        word("csrrwi", 13, 1, 0), word("csrrs", 14, 1, 0),
        word("fmul.s", 10, 8, 8), word("csrrs", 15, 1, 0),
    )  # fmt: skip
    machine.state.fcsr = before
    state = machine.execute(program, f={0: 0, 5: 0x3F800000, 6: 0x20000000, 7: 0xBF800000, 8: 0x7F000000})
    assert [state.x[i] for i in range(10, 16)] == [8 | before, 9 | before, 25 | before, 25 | before, 0, 5]
    assert state.fcsr == 5


def test_flags_survive_between_runs(machine: Machine) -> None:
    program = code(word("fadd.s", 10, 5, 6), word("addi", 5, 0, 1), word("csrrs", 10, 1, 0), EBREAK)
    machine.write(BASE, program)
    machine.start(f={5: 0x3F800000, 6: 0x20000000})
    for _ in range(2):
        machine.run(1)
    assert machine.state.fcsr == 1
    machine.run_to_trap()
    assert machine.state.x[10] == 1


@pytest.mark.parametrize("frm", [5, 6, 7])
def test_invalid_dynamic_mode(machine: Machine, frm: int) -> None:
    for instruction in (word("fadd.s", 1, 2, 3), word("fcvt.w.s", 5, 1), word("fmadd.s", 1, 2, 3, 4)):
        machine.state.fcsr = frm << 5
        trap = machine.trap_of(code(word("addi", 5, 0, 1), instruction))
        assert (trap.cause, trap.tval, trap.pc) == (2, instruction, BASE + 4)


@pytest.mark.parametrize("rm", [5, 6])
def test_invalid_static_mode(machine: Machine, rm: int) -> None:
    for instruction in (word("fadd.s", 1, 2, 3, rm), word("fcvt.s.w", 5, 1, rm), word("fmadd.s", 1, 2, 3, 4, rm)):
        trap = machine.trap_of(code(instruction))
        assert (trap.cause, trap.tval) == (2, instruction)


def test_mode_set_by_the_program(machine: Machine) -> None:
    """1 + 2^-24, in each mode, set by csrrwi frm."""
    machine.state.fcsr = 0
    for rm, expected in zip(MODES, (0x3F800000, 0x3F800000, 0x3F800000, 0x3F800001, 0x3F800001), strict=True):
        instructions = code(word("csrrwi", 0, 2, rm), word("fadd.s", 10, 5, 6), word("csrrwi", 0, 2, 0))
        assert machine.execute(instructions, f={5: 0x3F800000, 6: 0x33800000}).f[10] == expected


def test_truncation_is_what_c_asks_for(machine: Machine) -> None:
    assert machine.execute(code(word("fcvt.w.s", 5, 5, RTZ)), f={5: 0xC0200000}).x[5] == 0xFFFFFFFE
