"""Text through the header and an assembler to words, or to what it said."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from p4kernel.build import Options, Source, Toolchain, Unit, build_uncached
from p4kernel.build.compiler import compile_units
from p4kernel.errors import CompileError, Diagnostic

HEADER = "#include <p4_pie.h>\n"


def unit(text: str, language: str) -> Unit:
    name = "kernel.S" if language == "asm" else "kernel.c"
    return Unit(name, f'{HEADER}#line 1 "{name}"\n{text}', "asm" if language == "asm" else "c")


def compiled(text: str, chain: Toolchain, folder: Path, generation: int = 1, language: str = "asm") -> ELFFile:
    """The object file of one unit. Lines are counted from ``text``'s first."""
    options = Options(flags=(f"-DP4_PIE_GENERATION={generation}",)).resolved()
    (name,) = compile_units(Source((unit(text, language),), "entry"), options, chain, folder).objects
    return ELFFile(io.BytesIO((folder / name).read_bytes()))


def errors(text: str, chain: Toolchain, folder: Path, generation: int = 1, language: str = "asm") -> list[Diagnostic]:
    with pytest.raises(CompileError) as caught:
        compiled(text, chain, folder, generation, language)
    return [item for item in caught.value.diagnostics if item.severity == "error"]


def contents(file: ELFFile, section: str = ".text") -> bytes:
    found = file.get_section_by_name(section)
    assert found is not None
    return bytes(found.data())


def words(file: ELFFile, section: str = ".text") -> list[int]:
    data = contents(file, section)
    return list(struct.unpack(f"<{len(data) // 4}I", data[: len(data) & ~3]))


def symbols(file: ELFFile) -> set[str]:
    """Names of ours that are no temporary ones."""
    table = file.get_section_by_name(".symtab")
    assert isinstance(table, SymbolTableSection)
    names = {symbol.name for symbol in table.iter_symbols()}
    return {name for name in names if "p4" in name and not name.startswith(".L")}


def lines(text: str, chain: Toolchain, folder: Path, language: str = "asm") -> dict[int, int]:
    """Source line of each address of the linked text at which a line begins, from its first byte."""
    built, _ = build_uncached(Source((unit(text, language),), "entry"), Options(), chain)
    info = ELFFile(io.BytesIO(built.elf)).get_dwarf_info()
    out: dict[int, int] = {}
    for part in info.iter_CUs():
        program = info.line_program_for_CU(part)
        assert program is not None
        for entry in program.get_entries():
            if entry.state is not None and not entry.state.end_sequence:
                out[entry.state.address - built.image.link_base] = entry.state.line
    return out
