"""Hardware loops that real chips do not run reliably, found in machine code.

An interrupt at the boundary of a loop upsets its count unless the setup and the last instruction are at multiples of 4,
and the last one is of 4 bytes and of no coprocessor (Espressif in espressif/esp-idf, issue 19025). The virtual board has
no such interrupts: only here can a user learn of it without a board.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from p4kernel.build.image import Image

__all__ = ["unreliable"]

_CUSTOM_1: Final = 0x2B  # the opcode of the loop instructions
_FLOAT: Final = frozenset({0x07, 0x27, 0x43, 0x47, 0x4B, 0x4F, 0x53})


def unreliable(image: Image) -> Iterator[tuple[int, str]]:
    """The offset of each instruction that sets the end of such a loop, and what is wrong with it."""
    for function in image.symbols:
        if function.kind == "func":
            for at in _loop_ends(image.data, function.offset, function.offset + function.size):
                problem = _problem(image, at)
                if problem:
                    yield at, f"{problem}: on a real chip, an interrupt may upset this loop's count"


def _loop_ends(data: bytes, at: int, end: int) -> Iterator[int]:
    while at + 4 <= end:
        if data[at] & 0x7F == _CUSTOM_1:
            yield at
        at += 4 if data[at] & 3 == 3 else 2


def _problem(image: Image, at: int) -> str:
    from p4kernel.pie.decode import recognize

    found = recognize(_word(image, at), 1)  # loops have the same words in both generations
    if (
        found is None
        or found.encoding.operands[-1].kind[:5] != "label"
        or found.instruction.mnemonic == "esp.lp.starti"
    ):
        return ""
    last = at + found.values[-1]
    if at % 4 or last % 4:
        which = "this instruction" if at % 4 else "the last instruction of the loop"
        return f"{which} is not at a multiple of 4 (.balign 4 in front of the loop, and .option norvc, bring it there)"
    if last + 4 > len(image.data) or image.data[last] & 3 != 3:
        return "the last instruction of the loop has 2 bytes (.option norvc makes it one of 4)"
    word = _word(image, last)
    pie = recognize(word, 3 if image.generation == 2 else 1)
    if pie is not None and pie.instruction.group not in ("scalar", "loop"):
        return f"the last instruction of the loop is one of PIE, {pie.instruction.mnemonic} (put a nop behind it)"
    if word & 0x7F in _FLOAT:
        return "the last instruction of the loop is one of the FPU (put a nop behind it)"
    return ""


def _word(image: Image, at: int) -> int:
    return int.from_bytes(image.data[at : at + 4], "little")
