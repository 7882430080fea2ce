"""Where C puts the members of a struct or union: the rules of RISC-V's ilp32 ABIs, whatever the host is.

Natural alignment up to 8 bytes; a bit-field does not cross a boundary of its declared type's alignment (RISC-V ELF psABI,
"C/C++ type representations"). The compiler asserts what comes out in every build.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Item(NamedTuple):
    """A member to place: bytes it takes, its alignment, and its bits when it is a bit-field (0 bits: a new unit)."""

    size: int
    align: int
    bits: int | None = None


class Layout(NamedTuple):
    """``places``: (byte offset, first bit) of each member. The bit counts from the byte offset, and is 0 for others."""

    places: tuple[tuple[int, int], ...]
    size: int
    align: int


def up(offset: int, align: int) -> int:
    """The next multiple of ``align``."""
    return -(-offset // align) * align


def lay_out(items: Sequence[Item], *, union: bool = False, pack: int | None = None, align: int | None = None) -> Layout:
    """``pack`` is that of ``#pragma pack``, ``align`` that of ``__attribute__((aligned))`` on the type."""
    places: list[tuple[int, int]] = []
    end = largest = 0  # end: in bits
    widest = 1
    for item in items:
        if union:
            end = 0
        own = min(item.align, pack) if pack else item.align
        if item.bits == 0:
            end = up(end, 8 * own)
            places.append((end // 8, 0))
            continue
        widest = max(widest, own)
        if item.bits is None:
            end = up(end, 8 * own)
            places.append((end // 8, 0))
            end += 8 * item.size
        else:
            unit = 8 * item.size
            if end // unit != (end + item.bits - 1) // unit:
                end = up(end, unit)
            places.append((end // unit * item.size, end % unit))
            end += item.bits
        largest = max(largest, end)
    widest = max(widest, align or 1)
    return Layout(tuple(places), up(-(-largest // 8), widest), widest)
