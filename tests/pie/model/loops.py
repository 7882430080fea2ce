"""The two hardware loops.

| point | decision | evidence |
|---|---|---|
| loop end | the label stands on the last instruction of the body, not behind it | esp-dsp's kernels and their comments |
| loop start | SETUP, SETUPI: the instruction behind them; STARTI: its label | esp-dsp; the names |
| count | passes through the body; 0 and 1 both give one pass (the body is entered by falling through) | esp-dsp skips the loop itself when the count is 0 |
| at the end | the count drops by one unless it is 0; still not 0: back to the start | CORE-V's loops, whose register and mnemonic names these are |
| both loops end together | loop 0 first; when it runs out, loop 1 is asked | CORE-V: loop 0 is the inner one |
| a jump or taken branch as last instruction | goes there, be it the next instruction, and the count stays | open |
| a loop that ends on its own set-up instruction | that instruction is its last one | follows: the end is looked at after the instruction |
| silicon | esp-dsp's tests say a count of 1 fails, issue reports name alignment rules below revision 3; not modelled | behaviour of a fault, not of the instruction |
"""

from __future__ import annotations

from .core import Compute, Context, define
from .state import MASK32, State

_LOOP_LENGTH = 4  # bytes of every loop instruction


def next_pc(state: State, size: int) -> int:
    """Let the instruction of `size` bytes at state.pc fall through: count loops, set pc, and return it."""
    following = state.pc + size
    for i in range(2):
        if state.pc == state.lp_end[i] and state.lp_count[i]:
            state.lp_count[i] -= 1
            if state.lp_count[i]:
                following = state.lp_start[i]
                break
    state.pc = following & MASK32
    return state.pc


def _target(c: Context) -> int:
    return (c.state.pc + c["offset"]) & MASK32


def _start(c: Context) -> None:
    c.state.lp_start[c["id"]] = _target(c)


def _end(c: Context) -> None:
    c.state.lp_end[c["id"]] = _target(c)


def _count(c: Context) -> None:
    c.state.lp_count[c["id"]] = c.x("rs1")


def _count_immediate(c: Context) -> None:
    c.state.lp_count[c["id"]] = c["count"]


def _setup(count: Compute) -> Compute:
    def run(c: Context) -> None:
        c.state.lp_start[c["id"]] = (c.state.pc + _LOOP_LENGTH) & MASK32
        _end(c)
        count(c)

    return run


define("esp.lp.starti", _start)
define("esp.lp.endi", _end)
define("esp.lp.count", _count)
define("esp.lp.counti", _count_immediate)
define("esp.lp.setup", _setup(_count))
define("esp.lp.setupi", _setup(_count_immediate))
