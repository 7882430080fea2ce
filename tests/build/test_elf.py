"""The ELF reader, and what is kept of the linked file."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from p4kernel.build import Source, Toolchain, Unit
from p4kernel.build.elf import Elf, ElfError
from tests.build import programs
from tests.build.make import built, c


def test_same_as_pyelftools(chain: Toolchain) -> None:
    data = built(programs.SWITCH, chain).elf
    ours, theirs = Elf(data), ELFFile(io.BytesIO(data))
    assert [(s.name, s.address, s.size, s.flags, s.align) for s in ours.sections] == [
        (s.name, s["sh_addr"], s["sh_size"], s["sh_flags"], s["sh_addralign"]) for s in theirs.iter_sections()
    ]
    for section, other in zip(ours.sections, theirs.iter_sections(), strict=True):
        if section.name in (".text", ".data", ".bss"):
            assert ours.content(section) == (b"" if section.name == ".bss" else other.data())
    table: Any = theirs.get_section_by_name(".symtab")
    assert [(s.name, s.value, s.size) for s in ours.symbols if s.type != 3] == [
        (s.name, s["st_value"], s["st_size"]) for s in table.iter_symbols() if s["st_info"]["type"] != "STT_SECTION"
    ]


def test_line_table(chain: Toolchain) -> None:
    """The kept file's DWARF is read right by pyelftools: relocations are not applied twice."""
    source = c("int first(int x) {\n    return x / 3;\n}\n\nint entry(int x) {\n    return first(x) * 5;\n}\n")
    result = built(source, chain, opt="O0")
    dwarf: Any = ELFFile(io.BytesIO(result.elf)).get_dwarf_info()
    (unit,) = dwarf.iter_CUs()
    rows = [entry.state for entry in dwarf.line_program_for_CU(unit).get_entries() if entry.state]
    lines = {row.address - result.image.link_base: row.line for row in rows if not row.end_sequence}
    assert lines[result.image.symbol("first").offset] == 1
    assert lines[result.image.symbol("entry").offset] == 5
    assert {2, 6} < set(lines.values())


def test_nothing_of_this_machine(chain: Toolchain, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Two builds in different folders give the same bytes, and no path is in them."""
    source = c(
        "#include <assert.h>\n#include <math.h>\nint entry(int x) { assert(x); return (int)floorf(1.5f * x); }\n"
    )
    first = built(source, chain)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setenv("P4KERNEL_CACHE_DIR", f"{tmp_path}/another")
    from p4kernel.build import forget

    forget()
    second = built(source, chain)
    assert second.from_cache == "built"
    assert first.elf == second.elf
    for path in (str(tmp_path), "/tmp", chain.includes[0], "stubs"):
        assert path.encode() not in first.elf


def test_damaged_files(zig: Toolchain) -> None:
    """Whatever is cut or flipped, the reader answers or raises ElfError."""
    data = built(Source((Unit("k.c", "int entry(int x) { return x; }"),), "entry"), zig).elf
    dice = random.Random(5)

    def read(damaged: bytes) -> None:
        try:
            file = Elf(damaged)
            for index, section in enumerate(file.sections):
                file.content(section)
                list(file.relocations(index))
        except ElfError:
            pass

    for _ in range(400):
        read(data[: dice.randrange(len(data))])
        damaged = bytearray(data)
        table = int.from_bytes(data[32:36], "little")
        for _ in range(3):
            # Headers are where it hurts: the file header, and the table of sections.
            at = dice.choice([dice.randrange(52), dice.randrange(table, len(data))])
            damaged[at] = dice.randrange(256)
        read(bytes(damaged))
    for cut in (b"", b"\x7fELF", b"\x7fELF\x02\x01", data[:51]):
        with pytest.raises(ElfError):
            Elf(cut)
