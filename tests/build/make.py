"""Short forms for tests: one unit of C or assembly, built or refused."""

from __future__ import annotations

from p4kernel.build import Built, Options, Source, Toolchain, Unit, build
from p4kernel.build import elf as e

PRELUDE = '#include "p4kernel.h"\n'


def c(text: str, entry: str = "entry") -> Source:
    return Source((Unit("kernel.c", PRELUDE + "#line 1\n" + text),), entry)


def asm(text: str, entry: str = "entry") -> Source:
    return Source((Unit("kernel.S", text, "asm"),), entry)


def built(source: Source, chain: Toolchain, *flags: str, opt: str = "O2") -> Built:
    return build(source, Options(opt=opt, flags=flags), chain)


def flat(file: bytes, base: int) -> bytes:
    """Text and data of a linked ELF as they lie in memory."""
    out = bytearray()
    for section in e.Elf(file).sections:
        if section.flags & e.SHF_ALLOC and section.type != e.SHT_NOBITS and section.size:
            start = section.address - base
            out.extend(bytes(max(0, start + section.size - len(out))))
            out[start : start + section.size] = file[section.offset : section.offset + section.size]
    return bytes(out)
