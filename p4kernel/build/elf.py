"""A reader of 32-bit little-endian ELF files, as much of it as placing a kernel needs.

Written for speed of import and of use: one ``struct`` pass per table. DWARF is left to pyelftools.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["Elf", "ElfError", "Relocation", "Section", "Symbol"]

SHT_NULL: Final = 0
SHT_SYMTAB: Final = 2
SHT_RELA: Final = 4
SHT_NOBITS: Final = 8
SHF_WRITE: Final = 1
SHF_ALLOC: Final = 2
SHF_EXECINSTR: Final = 4
SHF_TLS: Final = 0x400
SHN_UNDEF: Final = 0
SHN_ABS: Final = 0xFFF1
SHN_COMMON: Final = 0xFFF2
STB_LOCAL: Final = 0
STB_WEAK: Final = 2
STT_OBJECT: Final = 1
STT_FUNC: Final = 2
STT_SECTION: Final = 3
STT_FILE: Final = 4
EM_RISCV: Final = 243
EF_RISCV_FLOAT_ABI: Final = 0x6
EF_RISCV_FLOAT_ABI_SINGLE: Final = 0x2

_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SECTION = struct.Struct("<10I")
_SYMBOL = struct.Struct("<IIIBBH")
_RELA = struct.Struct("<IIi")


class ElfError(Exception):
    """The file is not an ELF file of the kind that this reader knows, or it is cut."""


class Section(NamedTuple):
    """One section header, its name looked up."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry_size: int


class Symbol(NamedTuple):
    """One entry of the symbol table. ``section`` is an index, or one of the SHN constants."""

    name: str
    value: int
    size: int
    binding: int
    type: int
    section: int


class Relocation(NamedTuple):
    """One relocation with addend; ``offset`` is an address in a linked file, and ``symbol`` an index."""

    offset: int
    type: int
    symbol: int
    addend: int


class Elf:
    """Header, sections and symbols of one ELF32 file."""

    def __init__(self, data: bytes) -> None:
        if data[:6] != b"\x7fELF\x01\x01":
            raise ElfError("this is no 32-bit little-endian ELF file")
        self.data = data
        try:
            header = _HEADER.unpack_from(data)
            (_, self.type, self.machine, _, self.entry, _, self._table, self.flags, *_rest) = header
            self._entry_size, count, names = _rest[3], _rest[4], _rest[5]
            raw = [_SECTION.unpack_from(data, self._table + i * self._entry_size) for i in range(count)]
            strings = self._cut(raw[names][4], raw[names][5]) if raw else b""
            self.sections = [Section(_text(strings, fields[0]), *fields[1:]) for fields in raw]
            self.symbols = self._read_symbols()
        except (struct.error, IndexError) as error:
            raise ElfError(f"the ELF file is damaged: {error}") from None

    def content(self, section: Section) -> bytes:
        """The bytes of a section; none for one that takes no room in the file."""
        return b"" if section.type == SHT_NOBITS else self._cut(section.offset, section.size)

    def relocations(self, target: int) -> Iterator[Relocation]:
        """Relocations that apply to the section with index ``target``."""
        for section in self.sections:
            if section.type == SHT_RELA and section.info == target:
                if section.size % _RELA.size:
                    raise ElfError(f"section {section.name} has a broken size")
                for offset, info, addend in _RELA.iter_unpack(self.content(section)):
                    if info >> 8 >= len(self.symbols):
                        raise ElfError(f"section {section.name} names a symbol that is not there")
                    yield Relocation(offset, info & 0xFF, info >> 8, addend)

    def without_relocations(self) -> bytes:
        """The file with its relocation sections taken out of the section table.

        In a linked file they are applied already; DWARF readers that apply them again read garbage.
        """
        data = bytearray(self.data)
        for index, section in enumerate(self.sections):
            if section.type == SHT_RELA:
                struct.pack_into("<I", data, self.header_of(index) + 4, SHT_NULL)
        return bytes(data)

    def header_of(self, index: int) -> int:
        """Where in the file the header of a section is."""
        return int(self._table + index * self._entry_size)

    def _cut(self, offset: int, size: int) -> bytes:
        if offset + size > len(self.data):
            raise ElfError("the ELF file is cut")
        return self.data[offset : offset + size]

    def _read_symbols(self) -> list[Symbol]:
        for section in self.sections:
            if section.type == SHT_SYMTAB:
                strings = self.content(self.sections[section.link])
                if section.size % _SYMBOL.size:
                    raise ElfError("the symbol table has a broken size")
                return [
                    Symbol(_text(strings, name), value, size, info >> 4, info & 15, index)
                    for name, value, size, info, _other, index in _SYMBOL.iter_unpack(self.content(section))
                ]
        return []


def _text(strings: bytes, start: int) -> str:
    return strings[start : strings.find(b"\0", start)].decode("utf-8", "replace") if start else ""
