"""Generations of PIE in builds: known from the objects, kept apart in the cache, and no build more than is needed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from p4kernel import build as b
from p4kernel.build import Built, Options, Source, Toolchain, Unit
from p4kernel.build._stored import Stored, pack, unpack
from p4kernel.build.elf import Elf
from p4kernel.build.generation import marked
from p4kernel.errors import LinkError
from p4kernel.pie import encode
from tests.build.make import c

HEADER = "#include <p4_pie.h>\n"
ZERO = 'void entry(void) { __asm__ volatile("esp.zero.q q1"); }'
LOOPS = 'void entry(void) { __asm__ volatile("esp.lp.setup 0, a0, .+8\\n nop\\n nop"); }'
ASM = "    .globl entry\nentry:\n    esp.zero.q q1\n    ret\n"


def again(source: Source, chain: Toolchain, generation: int, *flags: str) -> Built:
    """As a new process would."""
    b.forget()
    return b.build(source, Options(flags=flags, generation=generation), chain)


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize(
    "unit", [Unit("kernel.c", HEADER + ZERO), Unit("kernel.S", HEADER + ASM, "asm")], ids=["c", "asm"]
)
def test_an_image_knows_its_generation(unit: Unit, generation: int, chain: Toolchain) -> None:
    source = Source((unit, Unit("plain.c", "int f(int x) { return x; }")), "entry")
    result = again(source, chain, generation)
    assert (result.image.generation, result.portable) == (generation, False)
    word = encode("esp.zero.q q1", revision=generation * 2 - 1)
    assert word.to_bytes(4, "little") in result.image.data
    assert marked(Elf(result.elf)) == {generation}
    found = again(source, chain, generation)
    assert (found.from_cache, found.image, found.portable) == ("disk", result.image, False)
    other = again(source, chain, 3 - generation)
    assert (other.from_cache, other.image.generation) == ("built", 3 - generation)
    assert other.image.sha256 != result.image.sha256


def test_the_mark_outlives_the_collection_of_sections(chain: Toolchain) -> None:
    """Code that is dropped counts all the same: nobody can say which words of an object are left."""
    source = c(f'{HEADER}void unused(void) {{ __asm__ volatile("esp.zero.q q1"); }}\nvoid entry(void) {{}}')
    result = again(source, chain, 2)
    assert result.image.generation == 2
    assert encode("esp.zero.q q1", 3).to_bytes(4, "little") not in result.image.data


@pytest.mark.parametrize("first", [1, 2])
def test_code_without_pie_is_built_once(first: int, chain: Toolchain) -> None:
    source = c("int entry(int x) { return x + 1; }")
    result = again(source, chain, first)
    assert (result.from_cache, result.image.generation, result.portable) == ("built", 0, True)
    entries = b.cache.show().entries
    for generation in (1, 2):
        found = again(source, chain, generation)
        assert (found.from_cache, found.image, found.portable) == ("disk", result.image, True)
        assert b.build(source, Options(generation=generation), chain).from_cache == "memory"
    assert b.cache.show().entries == entries


@pytest.mark.parametrize(
    "text",
    [
        "int entry(void) { return P4_PIE_GENERATION; }",
        HEADER + LOOPS,  # the same for both, but nobody looks into the assembler to know
    ],
    ids=["macro", "loops"],
)
def test_code_that_may_look_at_the_generation_is_built_for_each(text: str, chain: Toolchain) -> None:
    one, two = again(c(text), chain, 1), again(c(text), chain, 2)
    assert (one.from_cache, two.from_cache) == ("built", "built")
    assert (one.image.generation, two.image.generation) == (0, 0)
    assert (one.image.data == two.image.data) == ("P4_PIE_GENERATION" not in text)


def test_a_header_may_look_at_the_generation(chain: Toolchain, tmp_path: Path) -> None:
    header = tmp_path / "mine.h"
    header.write_text("#if P4_PIE_GENERATION == 2\n#define VALUE 22\n#else\n#define VALUE 11\n#endif\n")
    os.utime(header, (time.time() - 60, time.time() - 60))
    source = c('#include "mine.h"\nint entry(void) { return VALUE; }')
    one = again(source, chain, 1, f"-I{tmp_path}")
    two = again(source, chain, 2, f"-I{tmp_path}")
    assert (one.from_cache, two.from_cache) == ("built", "built")
    assert one.image.data != two.image.data


@pytest.mark.parametrize("flag", ["-DP4_PIE_GENERATION=2", "-DP4_PIE_GENERATION=1"])
def test_flags_may_choose(flag: str, chain: Toolchain) -> None:
    source = c(HEADER + ZERO)
    one = again(source, chain, 1, flag)
    assert (one.from_cache, one.image.generation, one.warnings) == ("built", int(flag[-1]), ())
    two = again(source, chain, 2, flag)
    assert (two.from_cache, two.image) == ("disk", one.image)


def test_a_macro_of_a_longer_name_does_not_choose(zig: Toolchain) -> None:
    assert again(c(HEADER + ZERO), zig, 2, "-DP4_PIE_GENERATION_X=1").image.generation == 2


def test_two_generations_in_one_program(chain: Toolchain) -> None:
    second = '    .set .Lp4_pie_generation, 2\n#include "p4_pie.inc"\n    .globl f\nf:\n    esp.zero.q q1\n    ret\n'
    units = (Unit("kernel.c", HEADER + ZERO), Unit("other.S", second, "asm"), Unit("plain.c", "int g;"))
    with pytest.raises(LinkError) as caught:
        again(Source(units, "entry"), chain, 1)
    text = str(caught.value)
    assert "two generations" in text
    assert "kernel.c of xespv 2.1 and other.S of xespv 2.2" in text
    assert "plain.c" not in text


def test_what_another_version_stored_is_not_taken(zig: Toolchain) -> None:
    result = again(c("int entry(int x) { return x; }"), zig, 1)
    blob = pack(Stored(result.image, result.elf, True, (), ()))
    kept = unpack(blob)
    assert kept is not None and kept.portable
    assert unpack(blob.replace(b'"portable":true', b'"portabel":true')) is None
