"""What must be equal: our engines with each other at every stop, and with qemu-riscv32 at the end."""

from __future__ import annotations

import functools
import random
import subprocess
from pathlib import Path
from typing import Final

from p4kernel._native import ffi
from tests.sim.linux import Ended, run_qemu
from tests.sim.machine import ENGINES

from .execute import Outcome, Run, budgets, whole

__all__ = ["agree_by_turns", "agree_derailed", "agree_everywhere", "agree_with_qemu", "qemu_instructions"]

_FAST, _SLOW = ENGINES
_AFTER_DERAILING: Final = 20_000
_STRANGE: Final = (0, 1, 3, 0x1000, 0x47FFFFFE, 0x48000001, 0x483FFFFD, 0x484FFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def _names(a: Run, b: Run) -> str:
    """Where two states differ."""
    fields = [name for name, _ in ffi.typeof("p4s_state").fields]
    texts = []
    for name in fields:
        x, y = getattr(a.machine.state, name), getattr(b.machine.state, name)
        if name in ("x", "f"):
            texts += [f"{name}{i}: {u:#x} {v:#x}" for i, (u, v) in enumerate(zip(x, y, strict=True)) if u != v]
        elif x != y:
            texts.append(f"{name}: {x:#x} {y:#x}")
    return "; ".join(texts)


def agree_everywhere(elf: bytes, seed: int) -> Outcome:
    """The fast engine in one piece, and both stopped at the same random places: the same state at every stop."""
    expected = whole(elf, _FAST)
    source = random.Random(seed)
    fast, slow = Run(elf, _FAST), Run(elf, _SLOW)
    for budget in budgets(source):
        stands = fast.advance(budget), slow.advance(budget)
        if fast.state() != slow.state() or stands[0] != stands[1]:
            raise AssertionError(f"fast {stands[0]}, slow {stands[1]}; {_names(fast, slow)}")
        if stands[0] != "running":
            break
    _same(expected, fast.outcome(), "fast in pieces")
    _same(expected, slow.outcome(), "slow in pieces")
    return expected


def agree_by_turns(elf: bytes, seed: int, expected: Outcome) -> None:
    """The slow engine in one piece, and one core that changes engines at random."""
    source = random.Random(seed)
    run = Run(elf, _FAST)
    for budget in budgets(source, 1 << 14):
        if run.advance(budget, source.choice(ENGINES)) != "running":
            break
    _same(expected, run.outcome(), "by turns")
    _same(expected, whole(elf, _SLOW), "slow")


def agree_derailed(elf: bytes, seed: int, expected: Outcome) -> str:
    """Stopped somewhere, with a register or the pc made wrong, both engines go astray in the same way.

    What became of it: "running", "exited" or "trapped".
    """
    source = random.Random(seed)
    fast, slow = Run(elf, _FAST), Run(elf, _SLOW)
    place = source.randrange(expected.instructions)
    value = source.choice(_STRANGE) if source.random() < 0.7 else source.getrandbits(32)
    index = source.choice((0, 1, 2, *range(8, 18)))
    for run in (fast, slow):
        while place > run.machine.state.instret:
            run.advance(place - run.machine.state.instret)
        if index:
            run.machine.state.x[index] = value
        else:
            run.machine.state.pc = value & ~1
        run.machine.push()
    last = place + _AFTER_DERAILING
    stand = "running"
    while stand == "running" and fast.machine.state.instret < last:
        budget = min(source.randrange(1, 5000), last - fast.machine.state.instret)
        stands = fast.advance(budget), slow.advance(budget)
        stand = stands[0]
        if fast.state() != slow.state() or stands[0] != stands[1]:
            raise AssertionError(f"derailed: fast {stands[0]}, slow {stands[1]}; {_names(fast, slow)}")
    _same(fast.outcome(), slow.outcome(), "derailed")
    return stand


def agree_with_qemu(elf: bytes, qemu: str, folder: Path, expected: Outcome) -> None:
    ended = run_qemu(qemu, elf, folder)
    assert ended == expected.ended, f"qemu: {_show(ended)}\nhere: {_show(expected.ended)}"


def _show(ended: Ended) -> str:
    return f"code {ended.code}, {ended.output[-300:].decode(errors='replace')!r}"


def _same(expected: Outcome, found: Outcome, what: str) -> None:
    if found != expected:
        names = [name for name in vars(expected) if getattr(expected, name) != getattr(found, name)]
        raise AssertionError(f"{what}: other {', '.join(names)}")


@functools.cache
def _single_step(qemu: str) -> str:
    text = subprocess.run([qemu, "-h"], capture_output=True, text=True, timeout=60, check=False).stdout
    return "-one-insn-per-tb" if "one-insn-per-tb" in text else "-singlestep"


def qemu_instructions(elf: bytes, qemu: str, folder: Path) -> int:
    """How many instructions QEMU executes, system calls included: the lines of its log. About 3 µs for each."""
    path, log = folder / "counted.elf", folder / "counted.log"
    path.write_bytes(elf)
    path.chmod(0o755)
    words = [qemu, _single_step(qemu), "-d", "exec,nochain", "-D", str(log), str(path)]
    subprocess.run(words, stdout=subprocess.DEVNULL, timeout=600, check=True)
    try:
        with log.open("rb") as lines:
            return sum(line.startswith(b"Trace ") for line in lines)
    finally:
        log.unlink()
