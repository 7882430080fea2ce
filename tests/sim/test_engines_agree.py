"""The fast engine against the one-step interpreter, on random code, in one run and in pieces.

P4KERNEL_TEST_SEQUENCES sets how many sequences, P4KERNEL_TEST_SEED which.
"""

from __future__ import annotations

import os
import random

import pytest

from p4kernel._native import lib

from .machine import BASE, EBREAK, MSTATUS_FS, Machine
from .random_code import REACH, Generator
from .rv32 import code, word

COUNT = int(os.environ.get("P4KERNEL_TEST_SEQUENCES", "400"))
SEED = int(os.environ.get("P4KERNEL_TEST_SEED", "0"))
CHUNKS = 8
BUFFER = BASE + 0x10000
SKIP_TRAP = code(
    word("csrrs", 31, 0x341, 0), word("addi", 31, 31, 4), word("csrrw", 0, 0x341, 31), word("csrrs", 30, 0x342, 0),
    word("mret"),
)  # fmt: skip
HANDLER = BASE + 0x8000


def _everything(machine: Machine) -> tuple[object, ...]:
    state = machine.state
    return (
        *machine.registers(), state.pc, state.instret, state.fcsr, state.mstatus, state.mepc, state.mcause, state.mtval,
        machine.read(BUFFER - REACH, 2 * REACH), machine.read(BASE, 0x4000),
    )  # fmt: skip


def _prepare(machine: Machine, seed: int, generator: Generator, instructions: bytes) -> None:
    machine.write(BUFFER - REACH, random.Random(seed).randbytes(2 * REACH))
    machine.write(BASE, instructions + code(EBREAK))
    x, f = generator.registers(BUFFER)
    machine.state.fcsr = 0
    machine.state.mstatus = MSTATUS_FS
    machine.state.mtvec = 0
    machine.start(BASE, x, f)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_code(chunk: int) -> None:
    fast, pieces, slow = Machine("fast"), Machine("fast"), Machine("slow")
    for seed in range(SEED + chunk, SEED + COUNT, CHUNKS):
        instructions = Generator(seed).sequence(60)
        for machine in (fast, pieces, slow):
            generator = Generator(seed + 1_000_000)
            _prepare(machine, seed, generator, instructions)
        source = random.Random(seed)
        while pieces.run(source.randrange(1, 40)) == lib.P4S_BUDGET:
            pass
        reasons = (fast.run(100_000), slow.run(100_000))
        assert reasons == (lib.P4S_TRAP, lib.P4S_TRAP), seed
        expected = _everything(slow)
        assert _everything(fast) == expected, seed
        assert _everything(pieces) == expected, seed


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_budgets(chunk: int) -> None:
    """Stopped somewhere, both engines stand at the same place in the same state; then they change roles."""
    fast, slow = Machine("fast"), Machine("slow")
    for seed in range(SEED + chunk, SEED + COUNT // 2, CHUNKS):
        instructions = Generator(seed + 2_000_000).sequence(60)
        for machine in (fast, slow):
            _prepare(machine, seed, Generator(seed + 3_000_000), instructions)
        source = random.Random(seed)
        for _ in range(30):
            budget = source.randrange(1, 60)
            reasons = (fast.run(budget), slow.run(budget))
            assert reasons[0] == reasons[1], seed
            assert _everything(fast) == _everything(slow), seed
            fast, slow = slow, fast


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_words(chunk: int) -> None:
    """Any bits at all as code, stores into the code included, with a handler that skips what traps."""
    fast, slow = Machine("fast"), Machine("slow")
    for seed in range(SEED + chunk, SEED + COUNT, CHUNKS):
        source = random.Random(seed + 4_000_000)
        instructions = b"".join(
            Generator(source.getrandbits(32)).sequence(1) if source.random() < 0.5 else source.randbytes(4)
            for _ in range(60)
        )
        pointers = (BASE, BASE + 64, BUFFER, BASE + 0x3E)
        x = {i: source.choice(pointers) if source.random() < 0.5 else source.getrandbits(32) for i in range(1, 32)}
        for machine in (fast, slow):
            _prepare(machine, seed, Generator(seed), instructions)
            machine.write(HANDLER, SKIP_TRAP)
            machine.state.mtvec = HANDLER
            machine.start(BASE, x)
        for _ in range(20):
            budget = source.randrange(1, 300)
            reasons = (fast.run(budget), slow.run(budget))
            assert reasons[0] == reasons[1], seed
            assert _everything(fast) == _everything(slow), seed
            if reasons[0] != lib.P4S_BUDGET:
                break
