"""Machine code as text, and the way back from a place in it to a source line (DWARF, through pyelftools)."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from p4kernel.signature.lines import LineMap

if TYPE_CHECKING:
    from p4kernel.build import Built


# Instructions whose last operand is a distance, which a reader would have to add up.
_JUMPS = frozenset({"j", "jal"})
_CONDITIONS = frozenset("eq ne lt ge ltu geu eqz nez lez gez ltz gtz gt le gtu leu".split())


class Place(NamedTuple):
    """A line of a translation unit."""

    file: str
    line: int


class LineTable:
    """Offsets in an image to places."""

    def __init__(self, elf: bytes, base: int) -> None:
        from elftools.elf.elffile import ELFFile

        rows: dict[int, Place | None] = {}
        for offset, place in _rows(ELFFile(io.BytesIO(elf))):
            rows[offset - base] = place
        self._offsets = sorted(rows)
        self._places = [rows[offset] for offset in self._offsets]

    def find(self, offset: int) -> Place | None:
        """The line that the instruction at ``offset`` belongs to."""
        i = bisect_right(self._offsets, offset) - 1
        return self._places[i] if i >= 0 else None


def _rows(elf: object) -> Iterator[tuple[int, Place | None]]:
    dwarf = elf.get_dwarf_info()  # type: ignore[attr-defined]
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        first = 0 if program["version"] >= 5 else 1
        names = [entry.name.decode() for entry in program["file_entry"]]
        for entry in program.get_entries():
            state = entry.state
            if state is None:
                continue
            if state.end_sequence:
                yield state.address, None
            elif 0 <= state.file - first < len(names):
                yield state.address, Place(names[state.file - first], state.line)


@lru_cache(maxsize=32)
def _table(elf: bytes, base: int) -> LineTable:
    return LineTable(elf, base)


def line_table(built: Built) -> LineTable:
    """The line table of a build."""
    return _table(built.elf, built.image.link_base)


def listing(built: Built, lines: LineMap) -> str:
    """Disassembly of an image as linked, with function names and source lines in between.

    Addresses are offsets in the image. RISC-V by capstone; what it does not know is shown as ``.word``.
    """
    import capstone

    machine = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC)
    image = built.image
    functions = sorted((s for s in image.symbols if s.kind == "func" and s.size), key=lambda s: s.offset)
    table = line_table(built)
    result: list[str] = []
    for function in functions:
        result.append(f"\n{function.name}:")
        last: Place | None = None
        for offset, size, text in _instructions(machine, image.data, function.offset, function.size):
            place = table.find(offset)
            if place is not None and place != last:
                result.append(f"; {_source(lines, place)}")
                last = place
            raw = image.data[offset : offset + size][::-1].hex()
            result.append(f"{offset:6x}:  {raw:<8}  {text}")
    return "\n".join(result).lstrip("\n") + "\n"


def _instructions(machine: object, data: bytes, start: int, size: int) -> Iterator[tuple[int, int, str]]:
    at, end = start, start + size
    while at < end:
        for address, length, mnemonic, operands in machine.disasm_lite(data[at:end], at):  # type: ignore[attr-defined]
            name = mnemonic.removeprefix("c.")
            if name in _JUMPS or (name[0] == "b" and name[1:] in _CONDITIONS):
                *registers, distance = operands.split(", ")
                operands = ", ".join([*registers, f"0x{address + int(distance, 0):x}"])
            yield address, length, f"{name:<10} {operands}".rstrip()
            at = address + length
        if at < end:
            length = 4 if data[at] & 3 == 3 and at + 4 <= end else min(2, end - at)
            yield at, length, f".word      0x{int.from_bytes(data[at : at + length], 'little'):x}"
            at += length


def _source(lines: LineMap, place: Place) -> str:
    import linecache

    file, line, _, remark = lines.map(place.file, place.line, 1)
    text = "" if remark else linecache.getline(file, line).strip()
    return f"{file}:{line}{remark}  {text}".rstrip()
