"""Code of our own headers that was compiled into a function of the user's: where that function called it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

__all__ = ["Call", "calls"]


class Call(NamedTuple):
    """A stretch of code that was inlined, the number of its callers that were inlined with it, and its call."""

    start: int
    end: int
    depth: int
    file: int
    line: int


def calls(unit: Any, dwarf: Any, is_wanted: Callable[[int, int], bool]) -> list[Call]:
    """All calls whose code was inlined, for which ``is_wanted`` says so of a stretch; the innermost first."""
    base = unit.get_top_DIE().attributes.get("DW_AT_low_pc")
    found = [call for call in _walk(unit.get_top_DIE(), dwarf, base.value if base else 0, 0) if is_wanted(*call[:2])]
    return sorted(found, key=lambda call: -call.depth)


def _walk(die: Any, dwarf: Any, base: int, depth: int) -> Iterator[Call]:
    for child in die.iter_children():
        inlined = child.tag == "DW_TAG_inlined_subroutine"
        if inlined and "DW_AT_call_line" in child.attributes:
            file, line = (child.attributes[f"DW_AT_call_{what}"].value for what in ("file", "line"))
            for start, end in _ranges(child, dwarf, base):
                yield Call(start, end, depth, file, line)
        if inlined or child.tag in ("DW_TAG_subprogram", "DW_TAG_lexical_block"):
            yield from _walk(child, dwarf, base, depth + inlined)


def _ranges(die: Any, dwarf: Any, base: int) -> Iterator[tuple[int, int]]:
    low, high = die.attributes.get("DW_AT_low_pc"), die.attributes.get("DW_AT_high_pc")
    if low is not None and high is not None:
        yield low.value, high.value if high.form == "DW_FORM_addr" else low.value + high.value
    elif "DW_AT_ranges" in die.attributes:
        lists = dwarf.range_lists()
        for entry in lists.get_range_list_at_offset(die.attributes["DW_AT_ranges"].value, die.cu):
            if hasattr(entry, "base_address"):
                base = entry.base_address
            elif entry.is_absolute:
                yield entry.begin_offset, entry.end_offset
            else:
                yield base + entry.begin_offset, base + entry.end_offset
