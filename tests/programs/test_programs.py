"""Every program at every level, by one compiler or the other, on both engines and on qemu-riscv32.

All compilers with all levels: ``python -m tests.programs``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tools import require

from .build import COMPILERS, LEVELS, PROGRAMS, Builder, Compiler, Level
from .compare import agree_by_turns, agree_derailed, agree_everywhere, agree_with_qemu, qemu_instructions
from .execute import whole

SEED = int(os.environ.get("P4KERNEL_TEST_SEED", "0"))


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(tmp_path_factory.mktemp("programs"))


def _compiler(program: str, level: Level) -> Compiler:
    """Changes from program to program and from level to level."""
    return COMPILERS[(PROGRAMS.index(program) + LEVELS.index(level)) % 2]


def test_there_are_programs() -> None:
    assert len(PROGRAMS) >= 40


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_engines_and_qemu_agree(program: str, level: Level, builder: Builder, tmp_path: Path) -> None:
    elf = builder.build(program, _compiler(program, level), level)
    outcome = agree_everywhere(elf, SEED + LEVELS.index(level))
    assert (outcome.ended.code, outcome.ended.output.count(b"does not hold")) == (0, 0), outcome.ended.output.decode()
    assert outcome.ended.output
    agree_with_qemu(elf, require("qemu-riscv32"), tmp_path, outcome)


@pytest.mark.parametrize("program", PROGRAMS)
def test_levels_write_the_same(program: str, builder: Builder) -> None:
    """Whatever arithmetic a compiler makes of it, and whichever library helps."""
    first, other = (whole(builder.build(program, compiler, "-O2"), "fast") for compiler in COMPILERS)
    assert first.ended == other.ended


@pytest.mark.parametrize("program", PROGRAMS)
def test_engines_go_astray_together(program: str, builder: Builder) -> None:
    elf = builder.build(program, _compiler(program, "-O1"), "-O1")
    outcome = whole(elf, "fast")
    for seed in range(SEED, SEED + 5):
        agree_derailed(elf, seed, outcome)


@pytest.mark.parametrize("program", ["atomics", "cordic", "generated", "json", "rounding", "structs", "varargs"])
def test_engines_change_in_the_middle(program: str, builder: Builder) -> None:
    elf = builder.build(program, _compiler(program, "-O2"), "-O2")
    agree_by_turns(elf, SEED, whole(elf, "fast"))


@pytest.mark.parametrize("program", ["atomics", "generated", "structs"])
def test_qemu_counts_the_same(program: str, builder: Builder, tmp_path: Path) -> None:
    elf = builder.build(program, _compiler(program, "-O2"), "-O2")
    outcome = whole(elf, "fast")
    assert qemu_instructions(elf, require("qemu-riscv32"), tmp_path) == outcome.instructions + outcome.calls


def test_a_difference_is_found(builder: Builder, tmp_path: Path) -> None:
    """The comparison itself: another program's result does not pass."""
    elf, other = (builder.build(name, "zig", "-O1") for name in ("structs", "varargs"))
    with pytest.raises(AssertionError, match="other ended, instructions, state, memory"):
        agree_by_turns(elf, SEED, whole(other, "fast"))
    with pytest.raises(AssertionError, match="qemu: code 0"):
        agree_with_qemu(elf, require("qemu-riscv32"), tmp_path, whole(other, "fast"))
