"""A moved image equals one that was linked for that address."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from p4kernel.build import Options, Source, Toolchain, Unit
from p4kernel.build.compiler import compile_units
from p4kernel.build.link import link, link_at
from p4kernel.build.script import LINK_BASE
from p4kernel.errors import LinkError
from tests.build import programs
from tests.build.make import asm, built, c, flat


@pytest.mark.parametrize("opt", ["O0", "O2", "Os"])
@pytest.mark.parametrize("name", programs.ALL)
def test_moved_is_linked(name: str, opt: str, chain: Toolchain, tmp_path: Path) -> None:
    source = programs.ALL[name]
    objects = compile_units(source, Options(opt=opt), chain, tmp_path).objects
    image, elf = link(objects, source.entry, chain, tmp_path)
    assert image.data == flat(elf, LINK_BASE)
    dice = random.Random(f"{name} {opt}")
    for _ in range(4):
        base = dice.randrange(0x40000000, 0x50000000, image.align)
        board = {item.name: dice.randrange(0, 1 << 32, 2) for item in image.imports}
        direct = link_at(objects, source.entry, chain, tmp_path, base=base, symbols=board)
        assert image.at(base, board) == flat(direct, base)


def test_the_programs_have_every_kind(chain: Toolchain) -> None:
    kinds = {patch.kind for source in programs.ALL.values() for patch in built(source, chain).image.patches}
    assert kinds == set(range(8))


def _load(code: bytes, at: int, pc: int) -> int:
    """Address that an auipc and the addi after it make, as the processor does."""
    upper = int.from_bytes(code[at : at + 4], "little")
    lower = int.from_bytes(code[at + 4 : at + 8], "little")
    assert upper & 0x7F == 0x17
    signed = (lower >> 20) - ((lower >> 19) & 0x1000)
    return (pc + (upper & 0xFFFFF000) + signed) & 0xFFFFFFFF


@pytest.mark.parametrize("target", [0, 4, 0x7FF, 0x800, 0xFFF, 0x1000, 0x48000000, 0x7FFFF800, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("base", [0, 0x30100000, 0x48000080, 0x4FF00000, 0xFFFFF000])
def test_every_distance(target: int, base: int, zig: Toolchain) -> None:
    image = built(asm("    .globl entry\n    .text\nentry:\n    la a0, far\n    ret\n"), zig).image
    assert _load(image.at(base, {"far": target}), 0, base) == target


def test_a_static_variable_is_no_import(chain: Toolchain) -> None:
    image = built(programs.SAME_NAME, chain, opt="O0").image
    assert [item.name for item in image.imports] == ["shared"]
    assert image.symbol("shared").offset >= image.bss_offset
    assert image.at(0x48000000, {"shared": 0x40000000}) != image.at(0x48000000, {"shared": 0x40000004})


@pytest.mark.parametrize("address", [0, 0x500D0104, 0x7FFFFFFC, 0xE0000800])
def test_a_fixed_address(address: int, chain: Toolchain) -> None:
    """It stays where it is, wherever the image goes."""
    code = "    .globl entry\n    .text\nentry:\n    la a0, fixed\n    ret\n"
    value = f"    .globl fixed\n    .set fixed, 0x{address:x}\n"
    image = built(Source((Unit("a.S", code, "asm"), Unit("b.S", value, "asm")), "entry"), chain).image
    assert image.imports == ()
    for base in (0x30100000, 0x48000080, 0x4FF00000):
        assert _load(image.at(base, {}), 0, base) == address


def test_layout(chain: Toolchain) -> None:
    image = built(
        c("""
        const int constants[3] = {7, 8, 9};
        int initialised[5] = {1, 2, 3, 4, 5};
        int zeros[6];
        __attribute__((aligned(512))) char wide[16];
        int entry(int i) { return constants[i] + initialised[i]++ + zeros[i]++ + wide[i]++; }
        """),
        chain,
    ).image
    assert image.align == 512
    assert 0 < image.text_size <= image.data_offset
    assert image.data_offset % 16 == 0
    assert image.data_size == 20
    assert image.data[image.data_offset :] == b"".join(i.to_bytes(4, "little") for i in (1, 2, 3, 4, 5))
    assert len(image.data) == image.data_offset + image.data_size <= image.bss_offset
    assert image.size == image.bss_offset + image.bss_size
    symbols = {symbol.name: symbol for symbol in image.symbols}
    assert symbols["entry"].offset == image.entry == 0
    assert symbols["entry"].kind == "func"
    assert symbols["entry"].size > 0
    assert symbols["constants"].offset < image.text_size
    assert symbols["constants"].kind == "object"
    assert symbols["initialised"].offset == image.data_offset
    assert symbols["initialised"].size == 20
    assert image.bss_offset <= symbols["zeros"].offset < image.size
    assert symbols["wide"].offset % 512 == 0
    assert image.symbol("wide") == symbols["wide"]
    with pytest.raises(LinkError, match="0x48000080 is not a multiple of 512"):
        image.at(0x48000080, {})


def test_code_alone(chain: Toolchain) -> None:
    image = built(programs.PLAIN, chain).image
    assert (image.align, image.data_size, image.bss_size, image.patches, image.imports) == (128, 0, 0, (), ())
    assert len(image.data) == image.text_size == image.size
    assert image.at(0x48000000, {}) == image.at(0x4FF12380, {}) == image.data


def test_unused_code_is_left_out(chain: Toolchain) -> None:
    image = built(
        c("int lost(int); int unused(int x) { return lost(x); }\nint entry(int x) { return x; }"), chain
    ).image
    assert [symbol.name for symbol in image.symbols] == ["entry"]
    assert image.imports == ()


def test_the_entry_is_first(chain: Toolchain) -> None:
    source = c("__attribute__((noinline)) int before(int x) { return x * 7; }\nint entry(int x) { return before(x); }")
    assert built(source, chain).image.entry == 0


def test_weak_symbols(chain: Toolchain) -> None:
    image = built(programs.WEAK, chain).image
    assert {(item.name, item.weak) for item in image.imports} == {
        ("maybe", True), ("maybe_value", True), ("maybe_more", True),
    }  # fmt: skip
    board = {"maybe": 0x4FF00000, "maybe_value": 0x4FF00010, "maybe_more": 0x4FF00020}
    assert image.at(0x48000000, {}) == image.at(0x48000000, dict.fromkeys(board, 0))
    assert image.at(0x48000000, {}) != image.at(0x48000000, board)


def test_a_strong_use_in_another_unit_makes_it_strong(chain: Toolchain) -> None:
    weak, strong = "extern int f(void) __attribute__((weak));", "extern int f(void);"
    units = (
        Unit("a.c", f"{weak}\nint g(void) {{ return f ? f() : 0; }}"),
        Unit("b.c", f"{strong} int g(void);\nint entry(void) {{ return f() + g(); }}"),
    )
    image = built(Source(units, "entry"), chain).image
    assert [(item.name, item.weak) for item in image.imports] == [("f", False)]


def test_what_the_board_lacks_is_named(chain: Toolchain) -> None:
    image = built(c('int prinft(const char *, ...);\nint entry(void) { return prinft("x"); }'), chain).image
    with pytest.raises(LinkError, match=r"undefined symbol 'prinft'.*did you mean (.* or )?printf"):
        image.at(0x48000000, {"printf": 4, "puts": 8, "snprintf": 12})
    with pytest.raises(LinkError, match=r"undefined symbol 'prinft'[^;]*$"):
        image.at(0x48000000, {"sinf": 4})

    def lookup(name: str) -> int:
        raise KeyError(name)

    with pytest.raises(LinkError, match="undefined symbol 'prinft'"):
        image.at(0x48000000, lookup)
    assert image.at(0x48000000, lambda name: 0x4FF00000) == image.at(0x48000000, {"prinft": 0x4FF00000})


def test_identity(chain: Toolchain) -> None:
    text = "extern int outside;\nint entry(int x) { return x + outside + %s; }"
    one, same, other = (built(c(text % number), chain).image for number in ("1", "1 ", "2"))
    assert one.sha256 == same.sha256
    assert len(one.sha256) == 32
    assert one.sha256 != other.sha256
    renamed = built(c(text.replace("outside", "elsewhere") % "1"), chain).image
    # The bytes are the same, as placeholders go by order; what they stand for is not.
    assert renamed.data == one.data
    assert renamed.sha256 != one.sha256
