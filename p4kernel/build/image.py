"""What a board loads: bytes, their layout, and the places that depend on addresses."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, NamedTuple

from p4kernel.errors import LinkError

__all__ = ["Image", "ImageSymbol", "Import", "Patch", "Resolve"]

Resolve = Mapping[str, int] | Callable[[str], int]
"""Addresses of the functions that a board offers. A callable raises KeyError for a name that it does not know."""

# Kinds of patches. A kind >= PCREL_HI20 is relative to the pc; the values are part of the cache's format.
WORD: Final = 0
HI20: Final = 1
LO12_I: Final = 2
LO12_S: Final = 3
PCREL_HI20: Final = 4
PCREL_LO12_I: Final = 5
PCREL_LO12_S: Final = 6
CALL: Final = 7

# What a patch refers to, when it is no import.
INTERNAL: Final = -1
ABSOLUTE: Final = -2

_MASK: Final = 0xFFFFFFFF
_WORD = struct.Struct("<I")
_PAIR = struct.Struct("<II")


class Patch(NamedTuple):
    """One place that depends on an address: target = (import, image base or 0) + addend."""

    offset: int  # of the bytes to change, from the start of the image
    kind: int
    symbol: int  # index of an import, INTERNAL or ABSOLUTE
    addend: int
    pc: int  # for the kinds relative to the pc: offset of the auipc


class Import(NamedTuple):
    """A symbol that the board has to provide. A weak one that it lacks becomes 0."""

    name: str
    weak: bool


class ImageSymbol(NamedTuple):
    """A function or variable of the image; ``offset`` is from its start."""

    name: str
    offset: int
    size: int
    kind: Literal["func", "object", "label"]


@dataclass(frozen=True)
class Image:
    """A linked kernel that can be moved to any address that is a multiple of ``align``.

    In memory: text and constants, then data (both in ``data``), then bss, which is zeros.
    """

    data: bytes = field(repr=False)
    """Text, constants and initial values of variables, as linked for ``link_base`` with placeholders for imports."""
    link_base: int
    text_size: int
    data_offset: int
    data_size: int
    bss_offset: int
    bss_size: int
    align: int
    entry: int
    """Offset of the entry."""
    symbols: tuple[ImageSymbol, ...] = field(repr=False)
    patches: tuple[Patch, ...] = field(repr=False)
    imports: tuple[Import, ...]
    generation: int = 0
    """PIE generation that the code needs; 0: none."""
    cap: int = 0
    """Kind of memory to lie in, of protocol.yaml's caps; 0: the board chooses."""

    @property
    def size(self) -> int:
        """Bytes of memory that the image takes, bss included."""
        return self.bss_offset + self.bss_size

    @cached_property
    def sha256(self) -> bytes:
        """Identity: a hash of the unrelocated form, 32 bytes."""
        layout = struct.pack(
            "<11I", self.link_base, self.text_size, self.data_offset, self.data_size, self.bss_offset,
            self.bss_size, self.align, self.entry, self.generation, self.cap, len(self.data),
        )  # fmt: skip
        digest = hashlib.sha256(layout + self.data)
        digest.update(repr([tuple(item) for item in (*self.patches, *self.imports)]).encode())
        return digest.digest()

    def symbol(self, name: str) -> ImageSymbol:
        """The function or variable with this name. KeyError if there is none."""
        for symbol in self.symbols:
            if symbol.name == name:
                return symbol
        raise KeyError(name)

    def at(self, base: int, resolve: Resolve) -> bytes:
        """The bytes for the address ``base`` on a board that offers ``resolve``.

        LinkError if the board lacks an import, or if the address is not aligned.
        """
        if base % self.align:
            raise LinkError(f"address 0x{base:08x} is not a multiple of {self.align}, which this image needs")
        targets = self._targets(resolve)
        out = bytearray(self.data)
        for offset, kind, symbol, addend, pc in self.patches:
            target = addend if symbol == ABSOLUTE else (base if symbol == INTERNAL else targets[symbol]) + addend
            if kind == WORD:
                _WORD.pack_into(out, offset, target & _MASK)
                continue
            if kind >= PCREL_HI20:
                target -= base + pc
            if kind == CALL:
                high, low = _PAIR.unpack_from(out, offset)
                _PAIR.pack_into(out, offset, _with_hi20(high, target), _with_lo12_i(low, target))
                continue
            (word,) = _WORD.unpack_from(out, offset)
            if kind in (HI20, PCREL_HI20):
                word = _with_hi20(word, target)
            elif kind in (LO12_I, PCREL_LO12_I):
                word = _with_lo12_i(word, target)
            else:
                word = _with_lo12_s(word, target)
            _WORD.pack_into(out, offset, word)
        return bytes(out)

    def _targets(self, resolve: Resolve) -> list[int]:
        find = resolve.__getitem__ if isinstance(resolve, Mapping) else resolve
        targets = []
        for name, weak in self.imports:
            try:
                targets.append(find(name))
            except KeyError:
                if not weak:
                    raise LinkError(_missing(name, resolve if isinstance(resolve, Mapping) else ())) from None
                targets.append(0)
        return targets


def _with_hi20(word: int, value: int) -> int:
    # The low 12 bits are added as a signed number, hence the rounding.
    return (word & 0xFFF) | ((value + 0x800) & 0xFFFFF000)


def _with_lo12_i(word: int, value: int) -> int:
    return (word & 0xFFFFF) | (value & 0xFFF) << 20


def _with_lo12_s(word: int, value: int) -> int:
    return (word & 0x01FFF07F) | (value & 0xFE0) << 20 | (value & 0x1F) << 7


def _missing(name: str, exported: Iterable[str]) -> str:
    from p4kernel.build.names import near, of_cpp, plain, shown

    own = plain(name)
    hint = of_cpp(name)
    if not hint and own is not None and own in exported:
        hint = '; the firmware has a function of C with this name: declare it extern "C"'
    if not hint and own is None:
        hint = near(name, exported)
    return f"undefined symbol {shown(name)}: neither the kernel nor the board's firmware defines it{hint}"
