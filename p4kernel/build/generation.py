"""Which generation of PIE compiled code is for, and whether another would have been compiled to something else."""

# Paths are strings in this module, as it runs in builds next to fingerprint.
# ruff: noqa: PTH123

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from p4kernel import generations
from p4kernel.build import elf as _elf
from p4kernel.build.elf import Elf, ElfError
from p4kernel.build.source import Options, Source
from p4kernel.errors import LinkError

__all__ = ["MARKS", "is_portable", "marked", "of_objects"]

MARKS: Final = {f"p4_pie_generation_{number}": number for number in generations.NAMES}
"""Absolute symbols that p4_pie.inc leaves in an object file with words of a generation."""
_HINTS: Final = ("p4_pie", "P4_PIE")  # in the names of our headers of PIE, and of the macro that chooses


def marked(file: Elf) -> set[int]:
    """The generations whose words a file says it has: none for code without PIE, and for a stripped file."""
    return {MARKS[symbol.name] for symbol in file.symbols if symbol.section == _elf.SHN_ABS and symbol.name in MARKS}


def of_objects(objects: Mapping[str, bytes]) -> int:
    """The generation that object files, by the names of their units, were compiled for; 0: any. LinkError for two."""
    units: dict[int, list[str]] = {}
    for name, data in objects.items():
        try:
            found = marked(Elf(data))
        except ElfError as error:
            raise LinkError(f"the compiler wrote no object file that can be linked: {error}") from None
        for generation in found:
            units.setdefault(generation, []).append(name)
    if len(units) > 1:
        has = " and ".join(f"{', '.join(units[number])} of {generations.NAMES[number]}" for number in sorted(units))
        raise LinkError(
            f"one program has PIE instructions of two generations, and no chip runs both: those in {has}; let every unit "
            "include p4_pie.h, and set P4_PIE_GENERATION nowhere but in the flags"
        )
    return next(iter(units), 0)


def is_portable(generation: int, source: Source, options: Options, headers: Iterable[str]) -> bool:
    """Whether the image is what every generation gives: it has no PIE, and nothing that was read looks at the choice.

    ``headers`` are the paths of the user's headers that were read.
    """
    if generation or any(_mentions(text) for text in (*options.flags, source.header, *(unit.text for unit in source.units))):
        return False
    try:
        for path in headers:
            with open(path, encoding="utf-8", errors="replace") as file:
                if _mentions(file.read()):
                    return False
    except OSError:  # it was there a moment ago: not known is no
        return False
    return True


def _mentions(text: str) -> bool:
    return any(hint in text for hint in _HINTS)
