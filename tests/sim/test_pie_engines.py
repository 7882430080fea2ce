"""The SIMD unit and hardware loops: the fast engine against the one-step interpreter, every instruction, at random.

P4KERNEL_TEST_SEQUENCES sets how many sequences, P4KERNEL_TEST_SEED which.
"""

from __future__ import annotations

import os
import random

import pytest

from p4kernel._native import ffi, lib
from p4kernel.pie.table import instructions

from .machine import BASE, EBREAK
from .pie import PieMachine, available, pie_word, random_word
from .random_code import POINTER, Generator
from .rv32 import code, word

COUNT = int(os.environ.get("P4KERNEL_TEST_SEQUENCES", "400"))
SEED = int(os.environ.get("P4KERNEL_TEST_SEED", "0"))
CHUNKS = 4
BUFFER = BASE + 0x800
HANDLER = BASE + 0x8000
SKIP_TRAP = code(
    word("csrrs", 31, 0x341, 0), word("addi", 31, 31, 4), word("csrrw", 0, 0x341, 31), word("csrrs", 30, 0x342, 0),
    word("mret"),
)  # fmt: skip
_EDGES = (b"\x00", b"\x80", b"\x7f", b"\xff")


def _vector(source: random.Random, size: int = 16) -> bytes:
    """Random, or of extremes, or small numbers."""
    pick = source.random()
    if pick < 0.5:
        return source.randbytes(size)
    if pick < 0.75:
        return b"".join(source.choice((b"\x00\x80", b"\xff\x7f", b"\xff\xff", b"\x00\x00")) for _ in range(size // 2))
    return b"".join(source.choice(_EDGES) for _ in range(size))


def _randomize(machines: tuple[PieMachine, ...], source: random.Random) -> None:
    """The same random state for all."""
    memory = source.randbytes(0x800)
    q = [_vector(source) for _ in range(8)]
    qacc = _vector(source, 64) if source.random() < 0.7 else bytes(64)
    rest = (source.getrandbits(40), source.getrandbits(6), source.getrandbits(4), source.randrange(3, 11))
    cfg = source.randrange(8) << 4 | source.getrandbits(2) | source.getrandbits(1) << 8
    ua_state, perf = source.randbytes(16), source.getrandbits(32)
    x = {
        i: BUFFER + source.randrange(0x100, 0x700) if source.random() < 0.6 else source.getrandbits(32) for i in range(1, 32)
    } | {POINTER: BUFFER + 0x400}  # fmt: skip
    for machine in machines:
        machine.write(BUFFER, memory)
        for number, data in enumerate(q):
            machine.set_q(number, data)
        ffi.memmove(machine.unit.qacc, qacc, 64)
        ffi.memmove(machine.unit.ua_state, ua_state, 16)
        unit = machine.unit
        unit.xacc, unit.sar, unit.sar_byte, unit.fft_bit_width = rest
        unit.cfg, unit.perf = cfg, perf
        unit.pie_state = unit.loop_state = 3
        for loop in range(2):
            unit.loop_start[loop] = unit.loop_end[loop] = unit.loop_count[loop] = 0
        machine.state.mtvec = 0
        machine.start(BASE, x)


def _agree(fast: PieMachine, slow: PieMachine, note: object) -> None:
    assert fast.everything() == slow.everything(), note


@pytest.mark.parametrize("generation", [1, 2])
def test_every_instruction(generation: int) -> None:
    """One after the other, with all operands random; it traps for bad addresses and nothing else."""
    fast, slow = PieMachine("fast", generation), PieMachine("slow", generation)
    source = random.Random(SEED + generation)
    executed = set()
    for insn in available(generation):
        if insn.group == "loop":
            continue
        for _ in range(8):
            bits = random_word(insn, generation, source)
            for machine in (fast, slow):
                machine.write(BASE, code(bits, EBREAK))
            _randomize((fast, slow), source)
            reasons = (fast.run(2), slow.run(2))
            assert reasons == (lib.P4S_TRAP, lib.P4S_TRAP)
            _agree(fast, slow, (insn.mnemonic, hex(bits)))
            if fast.state.mcause == 3:
                executed.add(insn.mnemonic)
            else:
                assert fast.state.mcause == {"load": 5, "store": 7}[insn.access], insn.mnemonic
    loops = {i.mnemonic for i in available(generation) if i.group == "loop"}
    assert executed == {i.mnemonic for i in available(generation)} - loops


def _sequence(source: random.Random, generation: int) -> bytes:
    """PIE and base instructions mixed, in loops of the hardware, nested ones too."""
    table = [i for i in available(generation) if i.group != "loop"]
    base = Generator(source.getrandbits(32), floats=False)

    def some(count: int) -> list[int]:
        return [
            random_word(source.choice(table), generation, source) if source.random() < 0.7 else word(
                "addi", source.choice((10, 11, 12)), source.choice((8, 10, 11)), source.randrange(-64, 64))
            for _ in range(count)
        ]  # fmt: skip

    def loop(index: int, body: list[int]) -> list[int]:
        offset = 4 * len(body)  # from the instruction to the last one of the body
        count = source.randrange(0, 6)
        if offset < 1024 and source.random() < 0.5:
            return [pie_word("esp.lp.setupi", index, count, offset, generation=generation), *body]
        return [word("addi", 5, 0, count), pie_word("esp.lp.setup", index, 5, offset, generation=generation), *body]

    parts: list[bytes] = []
    for _ in range(6):
        pick = source.random()
        if pick < 0.3:
            parts.append(code(*some(source.randrange(1, 8))))
        elif pick < 0.6:
            parts.append(code(*loop(source.randrange(2), some(source.randrange(1, 8)))))
        elif pick < 0.85:
            inner = loop(0, some(source.randrange(1, 4)))
            after = some(source.randrange(0, 3))
            parts.append(code(*loop(1, [*some(source.randrange(0, 3)), *inner, *after])))
        else:
            parts.append(base.sequence(6))
    return b"".join(parts)


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("generation", [1, 2])
def test_random_code(generation: int, chunk: int) -> None:
    """Sequences that skip what traps: in one run, and stopped at random budgets."""
    machines = tuple(PieMachine(engine, generation) for engine in ("fast", "slow", "fast"))
    for seed in range(SEED + chunk, SEED + COUNT // 4, CHUNKS):
        source = random.Random(seed)
        instructions_ = _sequence(source, generation)
        _randomize(machines, source)
        for machine in machines:
            machine.write(HANDLER, SKIP_TRAP)
            machine.write(BASE, instructions_ + code(EBREAK))
            machine.state.mtvec = HANDLER
            machine.push()
        fast, slow, pieces = machines
        for _ in range(12):
            budget = source.randrange(1, 200)
            assert fast.run(budget) == slow.run(budget)
            _agree(fast, slow, seed)
            left = budget
            while left:
                step = min(left, source.randrange(1, 25))
                pieces.run(step)
                left -= step
            _agree(pieces, slow, seed)


def test_every_mnemonic_is_a_word_somewhere() -> None:
    named = {i.mnemonic for generation in (1, 2) for i in available(generation)}
    assert {i.mnemonic for i in instructions()} - named == set()
