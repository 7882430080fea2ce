"""Object files: sections are given addresses, the debug information is relocated, and code keeps what is left open.

pyelftools knows no RISC-V relocations; the types and formulas are those of the psABI.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from p4kernel.build import elf as _elf
from p4kernel.build.elf import Elf, ElfError

__all__ = ["Reference", "place", "references", "with_debug_information"]

_SIZES: Final = {1: 4, 2: 8, 33: 1, 34: 2, 35: 4, 36: 8, 37: 1, 38: 2, 39: 4, 40: 8, 52: 1, 53: 1, 54: 1, 55: 2, 56: 4}
_ADD: Final = frozenset({33, 34, 35, 36})
_SUBTRACT: Final = frozenset({37, 38, 39, 40, 52})
_LOW_SIX: Final = frozenset({52, 53})  # SUB6, SET6: the two bits above stay
_ULEB: Final = {60: 1, 61: -1}  # SET_ULEB128, SUB_ULEB128
_NOTHING: Final = frozenset({0, 43, 51})  # NONE, ALIGN, RELAX
_JUMPS: Final = frozenset({16, 17, 44, 45})
_OPERATORS: Final = {
    16: "", 17: "", 18: "", 19: "", 44: "", 45: "", 1: "", 20: "%got_pcrel_hi", 23: "%pcrel_hi", 24: "%pcrel_lo",
    25: "%pcrel_lo", 26: "%hi", 27: "%lo", 28: "%lo",
}  # fmt: skip
_COMPRESSED: Final = 0x800  # SHF_COMPRESSED
_ADDRESS: Final = 12  # offset of sh_addr in a section header
_SYMBOL_SIZE: Final = 16


class Reference(NamedTuple):
    """What a linker is going to put into an instruction."""

    text: str
    target: int | None
    """Where a jump goes, if that is in this file."""


def place(elf: Elf) -> bytes:
    """The object file with its sections one behind the other in memory."""
    data = bytearray(elf.data)
    bases: dict[int, int] = {}
    end = 0x1000  # apart from 0, where DWARF puts what does not exist
    for index, section in enumerate(elf.sections):
        if section.flags & _elf.SHF_ALLOC:
            align = max(section.align, 1)
            end = (end + align - 1) // align * align
            bases[index] = end
            end += section.size
            struct.pack_into("<I", data, elf.header_of(index) + _ADDRESS, bases[index])
    table = next((section for section in elf.sections if section.type == _elf.SHT_SYMTAB), None)
    if table is not None:
        for number, symbol in enumerate(elf.symbols):
            value = symbol.value + bases.get(symbol.section, 0)
            struct.pack_into("<I", data, table.offset + number * _SYMBOL_SIZE + 4, value & 0xFFFFFFFF)
    return bytes(data)


def with_debug_information(elf: Elf) -> bytes:
    """A placed object file with its debug information relocated. ElfError if that cannot be done."""
    data = bytearray(elf.data)
    for index, section in enumerate(elf.sections):
        if section.name.startswith(".debug_"):
            if section.flags & _COMPRESSED:
                raise ElfError(f"{section.name} is compressed")
            content = bytearray(elf.content(section))
            _relocate(content, elf, index)
            data[section.offset : section.offset + section.size] = content
    return bytes(data)


def references(elf: Elf) -> dict[int, Reference]:
    """By address, what the relocations of the code in a placed object file say."""
    out = {}
    for index, section in enumerate(elf.sections):
        if not section.flags & _elf.SHF_ALLOC:
            continue
        for offset, kind, number, addend in elf.relocations(index):
            if kind in _NOTHING:
                continue
            symbol = elf.symbols[number]
            name = symbol.name or (elf.sections[symbol.section].name if 0 < symbol.section < len(elf.sections) else "0")
            text = name + (f"{'+' if addend > 0 else '-'}0x{abs(addend):x}" if addend else "")
            operator = _OPERATORS.get(kind, f"relocation {kind} ")
            here = kind in _JUMPS and 0 < symbol.section < len(elf.sections)
            target = symbol.value + addend if here else None
            out[section.address + offset] = Reference(f"{operator}({text})" if operator else text, target)
    return out


def _relocate(data: bytearray, elf: Elf, index: int) -> None:
    for at, kind, number, addend in elf.relocations(index):
        if kind in _NOTHING:
            continue
        value, end = elf.symbols[number].value + addend, at + _SIZES.get(kind, 1)
        if end > len(data):
            raise ElfError("a relocation lies outside its section")
        if kind in _ULEB:
            _put_uleb(data, at, value, _ULEB[kind])
            continue
        if kind not in _SIZES:
            raise ElfError(f"the debug information has a relocation of type {kind}")
        old = int.from_bytes(data[at:end], "little")
        if kind in _LOW_SIX:
            value = (old & 0xC0) | ((old - value if kind in _SUBTRACT else value) & 0x3F)
        elif kind in _ADD or kind in _SUBTRACT:
            value = old - value if kind in _SUBTRACT else old + value
        data[at:end] = (value & ((1 << 8 * (end - at)) - 1)).to_bytes(end - at, "little")


def _put_uleb(data: bytearray, at: int, value: int, sign: int) -> None:
    """Writes a number of as many bytes as there are: SET takes the place of the old one, SUB is taken from it."""
    end = at
    old = 0
    while data[end] & 0x80 and end + 1 < len(data):
        old |= (data[end] & 0x7F) << 7 * (end - at)
        end += 1
    old |= data[end] << 7 * (end - at)
    number = (value if sign > 0 else old - value) & 0xFFFFFFFFFFFFFFFF
    for i in range(at, end + 1):
        data[i] = (data[i] & 0x80) | (number & 0x7F)
        number >>= 7
