"""From a linked ELF with its relocations kept (``-q``) to an Image.

Types and formulas are those of the RISC-V psABI, chapter "Relocations".
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from typing import Final, Literal

from p4kernel.build import elf as _elf
from p4kernel.build import image as _image
from p4kernel.build.elf import Elf, Relocation, Section, Symbol
from p4kernel.build.image import Image, ImageSymbol, Import, Patch
from p4kernel.errors import LinkError

__all__ = ["SHORT", "make_image"]

_ABSOLUTE: Final = {1: _image.WORD, 26: _image.HI20, 27: _image.LO12_I, 28: _image.LO12_S}
_PCREL_LO: Final = {24: _image.PCREL_LO12_I, 25: _image.PCREL_LO12_S}
_CALL: Final = frozenset({18, 19})  # CALL and CALL_PLT: no PLT here
_GOT_HI20: Final = 20
_PCREL_HI20: Final = 23
# Applied by the linker, and right at every address as long as both ends move together. Distances: ADD, SUB, SET.
_DISTANCES: Final = frozenset({33, 34, 35, 36, 37, 38, 39, 40, 52, 53, 54, 55, 56, 57, 60, 61})
SHORT: Final = {16: "branch", 17: "jal", 44: "c.beqz or c.bnez", 45: "c.j or c.jal"}
_IGNORED: Final = frozenset({0, 43, 51})  # NONE, ALIGN, RELAX

_KINDS: Final[Mapping[int, Literal["func", "object", "label"]]] = {
    0: "label",
    _elf.STT_OBJECT: "object",
    _elf.STT_FUNC: "func",
}
_WORD = struct.Struct("<I")


def make_image(
    file: Elf, base: int, entry: str, imports: Mapping[str, int], weak: Collection[str], generation: int = 0
) -> Image:
    """The image of a file that was linked for ``base`` with ``imports`` at these placeholder addresses."""
    return _Reader(file, base, imports, weak).image(entry, generation)


class _Reader:
    def __init__(self, file: Elf, base: int, imports: Mapping[str, int], weak: Collection[str]) -> None:
        self.file = file
        self.base = base
        self.placeholders = imports
        self.weak = weak
        self.parts = [
            (index, section)
            for index, section in enumerate(file.sections)
            if section.flags & _elf.SHF_ALLOC and section.size
        ]
        self.parts.sort(key=lambda part: part[1].address)
        self.imports: list[Import] = []
        self.numbers: dict[str, int] = {}
        self.patches: list[Patch] = []
        self.got: dict[int, Patch] = {}

    def image(self, entry: str, generation: int) -> Image:
        text, data, bss = self._ranges()
        self.bytes = self._join(data[1])
        self.end = self.base + max(bss[1], data[1])
        for index, section in self.parts:
            self._read_section(index, section)
        self.patches += self.got.values()
        symbols = self._symbols()
        found = [symbol for symbol in symbols if symbol.name == entry]
        if not found:
            raise LinkError(f"the entry '{entry}' is not in the linked image")
        if found[0].offset >= text[1]:
            raise LinkError(
                "the compiler left no code: whatever the arguments are, the source does what C leaves undefined, such as "
                "a call through NULL"
            )
        image = Image(
            data=bytes(self.bytes),
            link_base=self.base,
            text_size=text[1],
            data_offset=data[0],
            data_size=data[1] - data[0],
            bss_offset=bss[0],
            bss_size=bss[1] - bss[0],
            align=max(128, *(section.align for _, section in self.parts)),
            entry=found[0].offset,
            symbols=tuple(symbols),
            patches=tuple(sorted(self.patches)),
            imports=tuple(self.imports),
            generation=generation,
        )
        if image.at(self.base, self.placeholders) != image.data:
            # The patches must give back what the linker wrote. If not, this linker means something else by them.
            raise LinkError("the relocations that the linker kept do not describe its output")
        return image

    def _ranges(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Start and end of text, data and bss, from the start of the image."""
        ends = [0, 0, 0]
        starts: list[int | None] = [None, None, None]
        last = 0
        for _, section in self.parts:
            writable = bool(section.flags & _elf.SHF_WRITE)
            part = 2 if section.type == _elf.SHT_NOBITS else 1 if writable else 0
            if part < last:
                raise LinkError(f"section {section.name} does not fit into the order text, data, bss of an image")
            last = part
            start = section.address - self.base
            if starts[part] is None:
                starts[part] = start
            ends[part] = start + section.size
        text_end = ends[0]
        data_start = text_end if starts[1] is None else starts[1]
        data_end = max(data_start, ends[1])
        bss_start = data_end if starts[2] is None else starts[2]
        return (0, text_end), (data_start, data_end), (bss_start, max(bss_start, ends[2]))

    def _join(self, size: int) -> bytearray:
        out = bytearray(size)
        for _, section in self.parts:
            content = self.file.content(section)
            start = section.address - self.base
            out[start : start + len(content)] = content
        return out

    def _symbols(self) -> list[ImageSymbol]:
        found = [
            ImageSymbol(symbol.name, symbol.value - self.base, symbol.size, _KINDS[symbol.type])
            for symbol in self.file.symbols
            if symbol.type in _KINDS
            and _elf.SHN_UNDEF < symbol.section < _elf.SHN_ABS
            and self.file.sections[symbol.section].flags & _elf.SHF_ALLOC
            and symbol.name
            and not symbol.name.startswith((".L", "$"))
        ]
        return sorted(found, key=lambda symbol: (symbol.offset, symbol.name))

    def _read_section(self, index: int, section: Section) -> None:
        high: dict[int, tuple[int, int, int]] = {}  # address of an auipc -> symbol, addend, its type
        low: list[tuple[Relocation, int]] = []
        for relocation in self.file.relocations(index):
            offset, kind, number, addend = relocation
            if kind in _IGNORED:
                continue
            symbol = self.file.symbols[number]
            if kind in _PCREL_LO:
                low.append((relocation, symbol.value))
                continue
            to, addend = self._target(symbol, addend)
            place = offset - self.base
            if kind in _ABSOLUTE:
                self.patches.append(Patch(place, _ABSOLUTE[kind], to, addend, 0))
            elif kind in (_PCREL_HI20, _GOT_HI20):
                high[offset] = to, addend, kind
                if kind == _PCREL_HI20 and to != _image.INTERNAL:
                    self.patches.append(Patch(place, _image.PCREL_HI20, to, addend, place))
            elif to == _image.INTERNAL and (kind in _CALL or kind in SHORT or kind in _DISTANCES):
                continue
            elif kind in _CALL:
                self.patches.append(Patch(place, _image.CALL, to, addend, place))
            else:
                raise LinkError(_refusal(kind, symbol, section, place))
        for (offset, kind, _, _), auipc in low:
            if auipc not in high:
                raise LinkError(f"a %pcrel_lo at {section.name}+0x{offset - section.address:x} has no %pcrel_hi")
            to, addend, high_kind = high[auipc]
            place, pc = offset - self.base, auipc - self.base
            if high_kind == _GOT_HI20:
                slot = self._got_slot(pc, place, _PCREL_LO[kind])
                self.got[slot] = Patch(slot, _image.WORD, to, addend, 0)
            elif to != _image.INTERNAL:
                self.patches.append(Patch(place, _PCREL_LO[kind], to, addend, pc))

    def _target(self, symbol: Symbol, addend: int) -> tuple[int, int]:
        """What a relocation refers to, and the addend from there."""
        absolute = symbol.section == _elf.SHN_ABS
        # A static variable of one unit may have the name of what another imports.
        if absolute and symbol.binding != _elf.STB_LOCAL and symbol.name in self.placeholders:
            if symbol.name not in self.numbers:
                self.numbers[symbol.name] = len(self.imports)
                self.imports.append(Import(symbol.name, symbol.name in self.weak))
            return self.numbers[symbol.name], addend
        if absolute or symbol is self.file.symbols[0]:  # symbol 0: a number, no symbol
            return _image.ABSOLUTE, symbol.value + addend
        if symbol.section == _elf.SHN_UNDEF:
            raise LinkError(f"undefined symbol '{symbol.name}'")
        return _image.INTERNAL, symbol.value - self.base + addend

    def _got_slot(self, pc: int, place: int, kind: int) -> int:
        """Offset of the word of .got that an auipc and its load point to; linkers keep no relocation for it."""
        auipc: int = _WORD.unpack_from(self.bytes, pc)[0]
        load: int = _WORD.unpack_from(self.bytes, place)[0]
        if kind != _image.PCREL_LO12_I:
            raise LinkError("a store into the global offset table")
        low = load >> 20
        return (pc + (auipc & 0xFFFFF000) + (low - 0x1000 if low & 0x800 else low)) & 0xFFFFFFFF


def _refusal(kind: int, symbol: Symbol, section: Section, place: int) -> str:
    return f"relocation type {kind} against '{symbol.name}' in {section.name} at offset 0x{place:x} is not supported"
