"""p4_pie.h in C: inline assembly, link-time optimization, assembly written out and read again, other assemblers."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from p4kernel.build import Options, Toolchain
from p4kernel.build.source import command, include_folder
from p4kernel.pie import encode
from tests.pie.assemble import compiled, contents, errors, lines, symbols, unit, words

DOT = r"""
#include <stdint.h>
int32_t entry(const int8_t *a, const int8_t *b, int32_t blocks) {
    register const int8_t *x __asm__("a0") = a;
    register const int8_t *y __asm__("a1") = b;
    register int32_t n __asm__("a2") = blocks;
    register int32_t sum __asm__("a3");
    __asm__ volatile(
        "esp.zero.xacc\n"
        "esp.vld.128.ip q0, %0, 16\n"
        "esp.lp.setup 0, %2, 1f\n"
        "esp.vld.128.ip q1, %1, 16\n"
        "1: esp.vmulas.s8.xacc.ld.ip q0, %0, 16, q0, q1\n"
        "esp.movx.r.xacc.l %3\n"
        : "+r"(x), "+r"(y), "+r"(n), "=r"(sum)
        :
        : "memory");
    return sum;
}
"""
DOT_WORDS = [
    encode("esp.zero.xacc"),
    encode("esp.vld.128.ip q0, a0, 16"),
    encode("esp.lp.setup 0, a2, 8"),
    encode("esp.vld.128.ip q1, a1, 16"),
    encode("esp.vmulas.s8.xacc.ld.ip q0, a0, 16, q0, q1"),
    encode("esp.movx.r.xacc.l a3"),
]


def holds(data: bytes, wanted: list[int]) -> bool:
    return b"".join(word.to_bytes(4, "little") for word in wanted) in data


def run(chain: Toolchain, folder: Path, *arguments: str, language: str = "c", includes: bool = True) -> str:
    """Calls the compiler as a build does, with these last arguments."""
    line = command(unit("", language), Options(), chain)[:-2]
    own = (include_folder(), *chain.includes) if includes else chain.includes
    places = [part for name in own for part in ("-isystem", name)]
    done = subprocess.run([*line, *places, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def text_of(path: Path, section: str = ".text") -> bytes:
    return contents(ELFFile(io.BytesIO(path.read_bytes())), section)


@pytest.mark.parametrize("generation", [1, 2])
def test_inline_assembly(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    file = compiled(DOT, chain, tmp_path, generation, language="c")
    data = contents(file, ".text.entry")
    assert holds(data, DOT_WORDS) == (generation == 1)
    assert symbols(file) == {f"p4_pie_generation_{generation}"}


def test_compiler_chooses_the_register(chain: Toolchain, tmp_path: Path) -> None:
    text = """
    void entry(char *p, char *q) {
        __asm__ volatile("esp.vld.128.ip q3, %0, -32" : "+r"(q) : : "memory");
        __asm__ volatile("esp.vst.128.xp q3, %0, %1" : "+r"(p) : "r"(q) : "memory");
    }
    """
    found = words(compiled(text, chain, tmp_path, language="c"), ".text.entry")
    assert found[:2] == [encode("esp.vld.128.ip q3, a1, -32"), encode("esp.vst.128.xp q3, a0, a1")]


def test_errors_have_the_line_of_the_c_text(chain: Toolchain, tmp_path: Path) -> None:
    text = (
        'void entry(char *p) {\n    __asm__ volatile("esp.zero.q q8");\n    __asm__ volatile("nop");\n'
        '    __asm__ volatile("esp.vld.128.ip q0, %0, 8" : "+r"(p));\n    (void)p;\n'
        '    __asm__ volatile("esp.vld.128.ip q0, a7, 16");\n}\n'
    )
    found = errors(text, chain, tmp_path, language="c")
    assert [(item.file, item.line) for item in found] == [("kernel.c", 2), ("kernel.c", 4), ("kernel.c", 6)]
    for item, says in zip(found, ("q0 to q7", "multiples of 16", "a7 cannot be used: PIE takes x8-x15"), strict=True):
        assert says in item.message


def test_lines_of_c(chain: Toolchain, tmp_path: Path) -> None:
    """Each statement has its own line, so that a fault in PIE code is shown where it is."""
    text = 'void entry(void) {\n    __asm__ volatile("esp.zero.q q0");\n\n    __asm__ volatile("esp.zero.q q1");\n}\n'
    found = lines(text, chain, tmp_path, "c")
    assert found[0] in (1, 2) and found[4] == 4


def test_assembly_written_out_and_read_again(chain: Toolchain, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("#include <p4_pie.h>\n" + DOT)
    run(chain, tmp_path, "-c", "a.c", "-o", "a.o")
    run(chain, tmp_path, "-S", "a.c", "-o", "a.s")
    run(chain, tmp_path, "-c", "a.s", "-o", "b.o", language="asm", includes=False)
    assert text_of(tmp_path / "a.o", ".text.entry") == text_of(tmp_path / "b.o", ".text.entry")
    assert holds(text_of(tmp_path / "b.o", ".text.entry"), DOT_WORDS)


def test_link_time_optimization(chain: Toolchain, tmp_path: Path) -> None:
    """Two units that both include the header become one assembly text."""
    (tmp_path / "a.c").write_text("#include <p4_pie.h>\n" + DOT)
    (tmp_path / "b.c").write_text(
        "#include <p4_pie.h>\nint entry(const char *, const char *, int);\n"
        'void _start(void) { __asm__ volatile("esp.zero.q q5"); *(volatile int *)64 = entry(0, 0, 7); }\n'
    )
    for name in ("a", "b"):
        run(chain, tmp_path, "-flto", "-c", f"{name}.c", "-o", f"{name}.o")
    if chain.family == "clang":
        link = [*chain.linker, "-m", "elf32lriscv", "-mllvm", "-mattr=+m,+a,+f,+c,+zicsr,+zifencei"]
    else:
        link = [*chain.compiler, "-march=rv32imafc_zicsr_zifencei", "-mabi=ilp32f", "-mno-relax", "-nostdlib", "-flto", "-O2"]
    done = subprocess.run([*link, "a.o", "b.o", "-o", "c.elf"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    data = text_of(tmp_path / "c.elf")
    assert holds(data, [DOT_WORDS[0]]) and holds(data, [encode("esp.zero.q q5")])
    assert encode("esp.vmulas.s8.xacc.ld.ip q0, a0, 16, q0, q1").to_bytes(4, "little") in data


def test_included_twice(chain: Toolchain, tmp_path: Path) -> None:
    assert words(compiled("#include <p4_pie.h>\nesp.zero.q q0\n", chain, tmp_path)) == [encode("esp.zero.q q0")]
    assert words(compiled('#include "p4_pie.inc"\nesp.zero.q q0\n', chain, tmp_path)) == [encode("esp.zero.q q0")]


def test_two_generations_in_one_text(chain: Toolchain, tmp_path: Path) -> None:
    text = 'nop\n.set .Lp4_pie_generation, 2\n#include "p4_pie.inc"\n'
    (found, *_) = errors(text, chain, tmp_path)
    assert "two generations" in found.message


def test_unknown_generation(chain: Toolchain, tmp_path: Path) -> None:
    (found, *_) = errors("nop\n", chain, tmp_path, 3)
    assert "P4_PIE_GENERATION is 1" in found.message


@pytest.mark.parametrize("generation", [1, 2])
def test_plain_include_directive(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    """For texts that no preprocessor sees: -I, and a symbol in place of the macro."""
    (tmp_path / "a.s").write_text(f'.set .Lp4_pie_generation, {generation}\n.include "p4_pie.inc"\nesp.zero.q q1\n')
    run(chain, tmp_path, "-I", include_folder(), "-c", "a.s", "-o", "a.o", language="asm")
    assert holds(text_of(tmp_path / "a.o"), [encode("esp.zero.q q1", 1 if generation == 1 else 3)])


@pytest.mark.parametrize("macro", ["__riscv_xespv", "__riscv_xespv2p1", "__riscv_xespv2p2", "__riscv_xesppie", "P4_PIE_NATIVE"])
@pytest.mark.parametrize("language", ["c", "asm"])
def test_an_assembler_that_knows_pie_is_left_alone(macro: str, language: str, zig: Toolchain, tmp_path: Path) -> None:
    name = "a.c" if language == "c" else "a.S"
    (tmp_path / name).write_text("#include <p4_pie.h>\nend\n")
    assert "Lp4" in run(zig, tmp_path, "-E", "-P", name, language=language)
    assert run(zig, tmp_path, f"-D{macro}=1", "-E", "-P", name, language=language).split() == ["end"]
