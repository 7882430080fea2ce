"""What no image can hold is refused, by name."""

from __future__ import annotations

import pytest

from p4kernel.build import Source, Toolchain, Unit
from p4kernel.build import elf as e
from p4kernel.build.relocate import make_image
from p4kernel.errors import CompileError, LinkError
from tests.build.make import asm, built, c

CODE = "    .text\n    .globl entry\nentry:\n    ret\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (c("__thread int per_thread = 3;\nint entry(void) { return per_thread; }"), "thread-local.*per_thread"),
        (c("static __thread int zero;\nint entry(int x) { return zero += x; }"), "thread-local.*zero"),
        (
            c("volatile int n; __attribute__((constructor)) void f(void) { n = 7; }\nint entry(void) { return n; }"),
            r"\.init_array of kernel\.c: constructors are run in kernels of p4\.cpp and p4\.files",
        ),
        (
            c("volatile int n; __attribute__((destructor)) void f(void) { n = 7; }\nint entry(void) { return n; }"),
            r"_array.*destructors",
        ),
        (asm(CODE + '    .section .ctors, "aw"\n    .word entry\n'), r"section \.ctors"),
        (
            c("char page[9] __attribute__((aligned(8192)));\nint entry(int i) { return page[i]++; }"),
            "page.* 8192.* 4096",
        ),
        (c("int start(void) { return 0; }\n", "entry"), "the entry 'entry' is not defined"),
        (c("int entri(void) { return 0; }\n", "entry"), "did you mean entri?"),
        (c("static int entry(void) { return 0; }\nint (*keep)(void) = entry;", "entry"), "not defined, or not global"),
        (asm(CODE + "    jal printf\n"), "jal in .text at offset 0x2 cannot reach 'printf'.*use call"),
        (asm(CODE + "    j printf\n"), "cannot reach 'printf'"),
        (asm(CODE + "    beq a0, a1, printf\n"), "cannot reach 'printf'"),
        (asm(CODE + "    .word outside - .\n"), "'outside' in .text.* not supported"),
    ],
)
def test_refused(source: Source, message: str, chain: Toolchain) -> None:
    with pytest.raises(LinkError, match=message):
        built(source, chain)


def test_two_definitions(chain: Toolchain) -> None:
    text = "int same(void) { return 1; }\n"
    source = Source((Unit("a.c", text), Unit("b.c", text + "int entry(void) { return same(); }\n")), "entry")
    with pytest.raises(LinkError, match=r"'same' is defined twice: in a\.c and in b\.c"):
        built(source, chain)


FLAGS = """
    -o -ox -c -S -E -MD -x -march=rv32imac -mabi=ilp32 -fPIC -fpie -flto -flto=thin -save-temps @file -Wl,-q -Tx.ld -lm
    -L/ -static -fsanitize=address --target=x86_64 -B/
"""


@pytest.mark.parametrize("flag", FLAGS.split())
def test_flags_that_are_ours(flag: str, zig: Toolchain) -> None:
    with pytest.raises(CompileError, match="not for kernels"):
        built(c("int entry(void) { return 0; }"), zig, flag)


@pytest.mark.parametrize("flags", [("file.c",), ("-I",), ("-DX=1", "-include")])
def test_flags_that_are_none(flags: tuple[str, ...], zig: Toolchain) -> None:
    with pytest.raises(CompileError, match=r"is not a flag|needs a path"):
        built(c("int entry(void) { return 0; }"), zig, *flags)


def test_wrong_optimisation(zig: Toolchain) -> None:
    with pytest.raises(CompileError, match="opt='O9' is none of O0"):
        built(c("int entry(void) { return 0; }"), zig, opt="O9")


@pytest.mark.parametrize("name", ["", "a/b.c", "../x.c", "-o.c", "p4.ld", "p4.0.o", "a b.c"])
def test_unit_names(name: str, zig: Toolchain) -> None:
    with pytest.raises(CompileError, match="cannot be the name of a unit"):
        built(Source((Unit(name, "int entry(void) { return 0; }"),), "entry"), zig)


def test_units_with_one_name(zig: Toolchain) -> None:
    units = Unit("a.c", "int entry(void) { return 0; }"), Unit("a.c", "int other;")
    with pytest.raises(CompileError, match="that of two"):
        built(Source(units, "entry"), zig)


def test_text_that_is_no_text(zig: Toolchain) -> None:
    with pytest.raises(CompileError, match="UTF-8"):
        built(c("int entry(void) { return '\ud800'; }"), zig)


def test_a_linker_that_means_something_else(zig: Toolchain) -> None:
    """The patches are checked against the linker's own output."""
    built_ = built(c("extern int outside;\nint entry(void) { return outside; }"), zig)
    file = e.Elf(_with_relocations(built_.elf))
    placeholder = built_.image.imports[0].name
    with pytest.raises(LinkError, match="do not describe"):
        make_image(file, built_.image.link_base, "entry", {placeholder: 0x12345678}, ())


def _with_relocations(data: bytes) -> bytes:
    """Undoes Elf.without_relocations."""
    out = bytearray(data)
    table = int.from_bytes(data[32:36], "little")
    for index, section in enumerate(e.Elf(data).sections):
        if section.name.startswith(".rela"):
            out[table + 40 * index + 4] = e.SHT_RELA
    return bytes(out)
