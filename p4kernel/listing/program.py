"""An ELF file for the ESP32-P4 as a listing needs it: code, names, what relocations say."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final, NamedTuple

from p4kernel.build import elf as _elf
from p4kernel.build.elf import Elf, ElfError, Section, Symbol
from p4kernel.build.generation import marked
from p4kernel.errors import Error
from p4kernel.listing.lines import LineTable, read_lines
from p4kernel.listing.relocatable import Reference, place, references, with_debug_information

__all__ = ["Code", "Name", "Program"]

_RELOCATABLE: Final = 1
_KINDS: Final = {_RELOCATABLE: "object file", 2: "executable", 3: "shared object"}
_SMALLEST_ADDRESS: Final = 0x1000  # an absolute symbol below is a number: a size, a flag
_CODE_OR_DATA: Final = {"$x": True, "$d": False}  # the psABI's mapping symbols; "$xrv32i..." also begins code


class Name(NamedTuple):
    """A symbol that code can be at or go to."""

    address: int
    name: str
    size: int
    function: bool


class Code(NamedTuple):
    """A section of instructions."""

    name: str
    start: int
    data: bytes
    origin: int
    """What its addresses are shown relative to: the start in an object file, else 0."""
    names: tuple[Name, ...]
    """By address."""
    data_ranges: tuple[tuple[int, int], ...]
    """Where the assembler says that there are no instructions."""


class Program:
    """A file that was read and checked. Sections of object files have addresses of their own, one after the other."""

    def __init__(self, data: bytes, label: str) -> None:
        """Raises Error, with ``label`` in it, for what is no 32-bit RISC-V code."""
        self.label = label
        _check_kind(data, label)
        try:
            elf = Elf(data)
            if elf.machine != _elf.EM_RISCV:
                raise Error(f"{label} is for another machine (ELF machine {elf.machine}), not for RISC-V")
            if elf.type not in _KINDS:
                raise Error(f"{label} is no code: its ELF type is {elf.type}")
            self.references: dict[int, Reference] = {}
            if elf.type == _RELOCATABLE:
                data = place(elf)
                elf = Elf(data)
                self.references = references(elf)
            self._elf = elf
            self.relocatable = elf.type == _RELOCATABLE
            self.kind = f"RISC-V {_KINDS[elf.type]}"
            self.generations = marked(elf)
            self.codes = [
                self._code(elf, index, section)
                for index, section in enumerate(elf.sections)
                if section.flags & _elf.SHF_EXECINSTR and section.type == 1 and section.size
            ]
        except ElfError as error:
            raise Error(f"{label} cannot be read: {error}") from None
        if not self.codes:
            raise Error(f"{label} has no code in it")
        self.named = any(code.names for code in self.codes)
        self._names = sorted(_all_names(elf))
        self._addresses = [name.address for name in self._names]

    def line_table(self) -> LineTable:
        """Raises Error when the debug information is broken."""
        try:
            elf = Elf(with_debug_information(self._elf)) if self.relocatable else self._elf
            return read_lines(elf.without_relocations())
        except Exception as error:  # pyelftools raises what its parser meets: KeyError, struct.error, its own and more
            raise Error(
                f"{self.label}: its debug information cannot be read ({type(error).__name__}: {error}); --no-source lists "
                "the code without it"
            ) from error

    def check_function(self, name: str) -> None:
        """Raises Error when there is no function of this name."""
        functions = {item.name for code in self.codes for item in code.names if item.function}
        functions = functions or {item.name for code in self.codes for item in code.names}
        if name in functions:
            return
        if not functions:
            raise Error(f"{self.label} was stripped: without symbols there is no way to find the function {name}")
        near = get_close_matches(name, functions, 3, 0.6)
        raise Error(f"{self.label} has no function {name}{'; did you mean ' + ' or '.join(near) + '?' if near else ''}")

    def describe(self, address: int) -> str:
        """``name`` or ``name+0x10`` for an address in, or at the start of, something that has a name; else ""."""
        at = bisect_right(self._addresses, address)
        for found in reversed(self._names[max(at - 8, 0) : at]):
            away = address - found.address
            if not away:
                return found.name
            if away < found.size:
                return f"{found.name}+0x{away:x}"
        return ""

    def _code(self, elf: Elf, index: int, section: Section) -> Code:
        start, data = section.address, elf.content(section)
        own = [symbol for symbol in elf.symbols if symbol.section == index]
        names = sorted(_name(symbol) for symbol in own if _is_name(symbol))
        ranges = []
        begin = None
        for symbol in sorted((s for s in own if s.name[:2] in _CODE_OR_DATA), key=lambda s: s.value):
            if not _CODE_OR_DATA[symbol.name[:2]]:
                begin = symbol.value if begin is None else begin
            elif begin is not None:
                ranges.append((begin, symbol.value))
                begin = None
        if begin is not None:
            ranges.append((begin, start + len(data)))
        return Code(section.name, start, data, start if self.relocatable else 0, tuple(names), tuple(ranges))


def _check_kind(data: bytes, label: str) -> None:
    if data.startswith(b"!<arch>\n"):
        raise Error(f"{label} is an archive: take the object files out of it (`ar x {label}`) and list them one by one")
    if not data.startswith(b"\x7fELF"):
        raise Error(f"{label} is no ELF file")
    if data[4:6] != b"\x01\x01":
        bits, order = {2: "64-bit"}.get(data[4], "32-bit"), {2: "big-endian"}.get(data[5], "little-endian")
        raise Error(f"{label} is a {bits} {order} ELF file; the ESP32-P4 is 32-bit little-endian RISC-V")


def _is_name(symbol: Symbol) -> bool:
    """Whether it names a place in code."""
    return symbol.type in (0, _elf.STT_FUNC) and _is_shown(symbol)


def _is_shown(symbol: Symbol) -> bool:
    return bool(symbol.name) and not symbol.name.startswith((".L", "$"))


def _name(symbol: Symbol) -> Name:
    return Name(symbol.value, symbol.name, symbol.size, symbol.type == _elf.STT_FUNC)


def _all_names(elf: Elf) -> Iterator[Name]:
    """Of everything that has an address in memory, and of absolute symbols that can be one."""
    for symbol in elf.symbols:
        if symbol.section == _elf.SHN_ABS:
            is_place = symbol.binding != _elf.STB_LOCAL and symbol.value >= _SMALLEST_ADDRESS
        else:
            inside = _elf.SHN_UNDEF < symbol.section < len(elf.sections)
            is_place = inside and bool(elf.sections[symbol.section].flags & _elf.SHF_ALLOC)
        if is_place and _is_shown(symbol) and symbol.type in (0, _elf.STT_FUNC, _elf.STT_OBJECT):
            yield _name(symbol)
