"""From an address to a source line: DWARF's line tables, through pyelftools."""

from __future__ import annotations

import io
import posixpath
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from p4kernel.build import Built

__all__ = ["LineTable", "Place", "line_table", "read_lines"]


class Place(NamedTuple):
    """A line of a file, which is named as the compiler named it, joined with its folders."""

    file: str
    line: int


class LineTable:
    """Where each line's code begins; None: code without a line begins."""

    def __init__(self, rows: Mapping[int, Place | None]) -> None:
        self._addresses = sorted(rows)
        self._places = [rows[address] for address in self._addresses]

    def find(self, address: int) -> Place | None:
        """The line that the instruction at ``address`` belongs to."""
        i = bisect_right(self._addresses, address) - 1
        return self._places[i] if i >= 0 else None


def read_lines(elf: bytes) -> LineTable:
    """The line tables of all units. Raises whatever pyelftools stumbles over when they are broken."""
    from elftools.elf.elffile import ELFFile

    rows: dict[int, Place | None] = {}
    for address, place in _rows(ELFFile(io.BytesIO(elf))):
        if place is None:
            rows.setdefault(address, None)  # where a sequence ends, another one may have begun
        else:
            rows[address] = place if place.line else None
    return LineTable(rows)


@lru_cache(maxsize=32)
def _lines_of(elf: bytes) -> LineTable:
    return read_lines(elf)


def line_table(built: Built) -> LineTable:
    """The line table of a build, by addresses as linked."""
    return _lines_of(built.elf)


def _rows(elf: Any) -> Iterator[tuple[int, Place | None]]:
    if not elf.has_dwarf_info():
        return
    dwarf = elf.get_dwarf_info()
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        first, names = _names(unit, program)
        rows: list[tuple[int, Place | None]] = []
        for entry in program.get_entries():
            state = entry.state
            if state is None:
                continue
            if state.end_sequence:
                rows.append((state.address, None))
            elif 0 <= state.file - first < len(names):
                rows.append((state.address, Place(names[state.file - first], state.line)))
        yield from _as_called(rows, unit, dwarf, dict(enumerate(names, first)))


def _as_called(
    rows: list[tuple[int, Place | None]], unit: Any, dwarf: Any, names: dict[int, str]
) -> Iterator[tuple[int, Place | None]]:
    """Lines of our headers' functions, which nobody has before his eyes, as the lines that called them."""
    own = sorted(address for address, place in rows if place is not None and _is_own(place.file))
    if not own:
        yield from rows
        return
    from p4kernel.listing.inlined import calls

    def holds_own(start: int, end: int) -> bool:
        return bisect_right(own, end - 1) > bisect_right(own, start - 1)

    found = [call for call in calls(unit, dwarf, holds_own) if call.file in names and not _is_own(names[call.file])]
    for address, place in rows:
        if place is not None and _is_own(place.file):
            call = next((call for call in found if call.start <= address < call.end), None)
            place = Place(names[call.file], call.line) if call is not None else place
        yield address, place


def _is_own(file: str) -> bool:
    """Whether it is one of our headers; in a kernel they are in a folder of this name, whatever the machine."""
    return file.startswith("p4kernel/") or posixpath.basename(file).startswith("p4_pie")


def _names(unit: Any, program: Any) -> tuple[int, list[str]]:
    """The number of the first file, and the paths of all."""
    attribute = unit.get_top_DIE().attributes.get("DW_AT_comp_dir")
    base = attribute.value.decode(errors="replace") if attribute is not None else ""
    folders = [folder.decode(errors="replace") for folder in program["include_directory"]]
    new = program["version"] >= 5
    if not new:
        folders.insert(0, "")
    names = []
    for entry in program["file_entry"]:
        folder = folders[entry.dir_index] if entry.dir_index < len(folders) else ""
        names.append(posixpath.normpath(posixpath.join(base, folder, entry.name.decode(errors="replace"))))
    return 0 if new else 1, names
