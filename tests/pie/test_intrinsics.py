"""C intrinsics: each is exactly its instruction, whatever compiles it, and whatever else is in registers."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from p4kernel.build import Options, Source, Toolchain
from p4kernel.build.compiler import compile_units
from p4kernel.build.source import command, include_folder
from p4kernel.pie import Decoded, instructions
from tests.pie.assemble import compiled, contents, unit
from tests.pie.intrinsics import Call, calls, listing, pie
from tests.pie.test_header import run, text_of
from tests.tools import require

RET = 0x8082
OLD_CLANG = ("-U__clang_major__", "-D__clang_major__=19")
"""As zig was before 0.15: without the constraint "cr"."""
DOT = """
int32_t soft(const int8_t *a, const int8_t *b, int32_t blocks) {
    p4_zero_xacc();
    p4_vld_128_ip(q0, a, 16);
    for (int32_t i = 0; i < blocks; i++) {
        p4_vld_128_ip(q1, b, 16);
        p4_vmulas_s8_xacc_ld_ip(q0, a, 16, q0, q1);
    }
    return p4_movx_r_xacc_l();
}
int32_t hard(const int8_t *a, const int8_t *b, int32_t blocks) {
    p4_zero_xacc();
    p4_vld_128_ip(q0, a, 16);
    p4_loop(blocks, (a, b),
            p4_vld_128_ip(q1, b, 16),
            p4_vmulas_s8_xacc_ld_ip(q0, a, 16, q0, q1));
    return p4_movx_r_xacc_l();
}
"""
BEGINNING = ["esp.zero.xacc", "esp.vld.128.ip q0, a0, 16"]
BODY = ["esp.vld.128.ip q1, a1, 16", "esp.vmulas.s8.xacc.ld.ip q0, a0, 16, q0, q1"]
END = ["esp.movx.r.xacc.l a0", "c.jr ra"]
HARD = [*BEGINNING, "blez a2, 0x14", "esp.lp.setup 0, a2, .+12", *BODY, "nop", *END]


def unpadded(lines: list[str]) -> list[str]:
    """Without what GNU as fills an aligned section with."""
    return lines[:-1] if lines[-1] == "c.nop" else lines


def built(text: str, chain: Toolchain, folder: Path, level: str, *flags: str) -> bytes:
    """Code of the function ``entry``."""
    options = Options(opt=level, flags=flags).resolved()
    (name,) = compile_units(Source((unit(text, "c"),), "entry"), options, chain, folder).objects
    return text_of(folder / name, ".text.entry")


def constraints(chain: Toolchain) -> list[tuple[str, ...]]:
    """Flags for each way in which the header asks this compiler for registers."""
    return [(), OLD_CLANG] if chain.family == "clang" else [()]


def fixed(found: Decoded) -> tuple[object, ...]:
    """What a compiler does not choose."""
    operands = zip(found.encoding.operands, found.values, strict=True)
    values = tuple(value for operand, value in operands if operand.kind not in ("x", "xp"))
    return found.instruction.mnemonic, *values


@pytest.mark.parametrize("generation", [1, 2])
def test_every_intrinsic_is_its_word(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    every = list(calls(generation, 1))
    text = "".join(call.function(f"f{index}") for index, call in enumerate(every))
    file = compiled(text, chain, tmp_path, generation, language="c")
    for index, call in enumerate(every):
        data = contents(file, f".text.f{index}")
        assert data == call.word.to_bytes(4, "little") + RET.to_bytes(2, "little"), call
    assert len(every) == 3 * sum(generation in i.encodings and i.group != "loop" for i in instructions())


def compile_as(language: str, text: str, chain: Toolchain, path: Path, generation: int = 1) -> None:
    """To an object file beside it."""
    if chain.family == "gcc" and language == "c++":
        require(chain.compiler[0].removesuffix("gcc") + "g++")
    path.write_text("#include <stdint.h>\n#include <p4_pie.h>\n" + text)
    line = [part for part in command(unit("", "c"), Options(generation=generation), chain) if part != "-std=gnu11"]
    line[line.index("-x") + 1 :] = [
        language,
        "-std=gnu++17" if language == "c++" else "-std=gnu11",
        "-Werror",
        "-Wextra",
    ]
    line += [part for folder in (include_folder(), *chain.includes) for part in ("-isystem", folder)]
    done = subprocess.run(
        [*line, "-c", path.name, "-o", f"{path.name}.o"], cwd=path.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("generation", [1, 2])
def test_every_intrinsic_in_cpp(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    """The same bytes from C++17."""
    every = [call.function(f"f{index}") for index, call in enumerate(calls(generation, 0))]
    text = f'extern "C" {{\n{"".join(every)}{DOT}}}\n'
    compile_as("c++", text, chain, tmp_path / "a.cpp", generation)
    compile_as("c", text.removeprefix('extern "C" {').removesuffix("}\n"), chain, tmp_path / "a.c", generation)
    first, second = (ELFFile(io.BytesIO((tmp_path / f"a.{kind}.o").read_bytes())) for kind in ("cpp", "c"))
    for name in [*(f"f{index}" for index in range(len(every))), "soft", "hard"]:
        assert contents(first, f".text.{name}") == contents(second, f".text.{name}"), name


CPP = """
struct Row { const int8_t *at; int pitch; };
template <class T> void copy(T *&to, T *const from, int &pitch, T scalar) {
    T *at = from;
    p4_vld_128_xp(q0, at, pitch);
    p4_vsadds_s16(q0, q0, scalar);
    p4_vst_128_ip(q0, to, sizeof(T) * 16);
    p4_loop(pitch, (at, to, pitch), p4_vld_128_xp(q1, at, pitch), p4_vst_128_ip(q1, to, 16));
}
int run(const int8_t *data, int pitch) {
    constexpr int step = -16;
    Row row{data, pitch};
    auto local = data;
    short box[64];
    short *to = box;
    p4_vld_128_xp(q2, row.at, row.pitch);
    auto twice = [&] { p4_vld_128_ip(q3, local, step); p4_movx_w_sar(pitch); return 2 * p4_movx_r_sar(); };
    copy(to, box, pitch, (short)3);
    p4_fft_bitrev(q1, pitch);
    return (int)twice() + box[0] + pitch + (int)(row.at - local) + (int)(to - box);
}
"""


def test_cpp_has_references_templates_and_lambdas(chain: Toolchain, tmp_path: Path) -> None:
    compile_as("c++", CPP, chain, tmp_path / "a.cpp")
    found = pie(text_of(tmp_path / "a.cpp.o", ".text._Z3runPKai"))
    assert [one.instruction.mnemonic.removeprefix("esp.") for one in found] == [
        "vld.128.xp", "vld.128.xp", "vsadds.s16", "vst.128.ip", "lp.setup", "vld.128.xp", "vst.128.ip", "fft.bitrev",
        "vld.128.ip", "movx.w.sar", "movx.r.sar",
    ]  # fmt: skip


def test_loops_are_the_instructions_and_nothing_else(chain: Toolchain, tmp_path: Path) -> None:
    file = compiled("#include <stdint.h>\n" + DOT, chain, tmp_path, language="c")
    # Counters go up or down, as the compiler likes; nothing else may differ.
    soft = listing(contents(file, ".text.soft"))
    body = soft.index(BODY[0])
    assert soft[:2] == BEGINNING and soft[body : body + 2] == BODY and soft[body + 4 :] == END
    assert re.fullmatch(r"c\.addi a\d, (-1|1)", soft[body + 2])
    assert re.fullmatch(r"(c\.bnez a\d|bne a\d, a\d), -0xa", soft[body + 3])
    assert unpadded(listing(contents(file, ".text.hard"))) == HARD


def one_of_each_kind() -> list[Call]:
    """Instructions whose operands differ in kind or role."""
    found: dict[object, Call] = {}
    for call in calls(1, 0):
        if call.instruction.group == "scalar":
            continue  # compilers may move them, and make one of two
        operands = call.instruction.encodings[1].operands
        found.setdefault((call.instruction.access, *((o.kind, o.role, o.name[:3] == "sel") for o in operands)), call)
    assert len(found) > 50
    return list(found.values())


def crowded() -> str:
    """A function in which much more is alive than there are registers, and calls of others."""
    lines = []
    for index, call in enumerate(one_of_each_kind()):
        names = [
            f"p{index % 6}" if kind == "char *" else f"v{(index + i) % 24}" for i, kind in enumerate(call.parameters)
        ]
        result = f"v{index % 24} += (int)" if call.result != "void" else ""
        lines.append(
            f"{result}{call.text(*names)};" + (f" v{index % 24} += use(v{index % 23});" if index % 5 == 4 else "")
        )
    pointers = ", ".join(f"char *p{i}" for i in range(6))
    variables = " ".join(f"int v{i} = source[{i}];" for i in range(24))
    result = " + ".join([*(f"v{i}" for i in range(24)), *(f"*p{i}" for i in range(6))])
    return (
        f"extern volatile int source[24]; int use(int);\nint entry({pointers}, int n) {{\n{variables}\n"
        f"for (int i = 0; i < n; i++) {{\n" + "\n".join(lines) + f"\n}}\nreturn {result};\n}}\n"
    )


@pytest.mark.parametrize("level", ["O0", "O1", "O2", "O3", "Os"])
def test_registers_that_pie_takes_are_found_under_pressure(level: str, chain: Toolchain, tmp_path: Path) -> None:
    wanted = [fixed(call_decoded(call)) for call in one_of_each_kind()]
    for flags in constraints(chain):
        data = built(crowded(), chain, tmp_path, level, *flags)
        assert [fixed(found) for found in pie(data)] == wanted


@pytest.mark.parametrize("generation", [1, 2])
def test_every_intrinsic_in_a_loop(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    """Those that return a value have no place there."""
    every = [call for call in calls(generation, 0) if call.result == "void"]
    names = {"char *": "p", "int": "v"}
    loops = []
    for start in range(0, len(every), 64):
        items = [call.text(*(names[kind] for kind in call.parameters)) for call in every[start : start + 64]]
        loops.append(f"p4_loop(n, (p, v),\n{', '.join(items)});")
    text = "void entry(char *p, int v, int n) {\n" + "\n".join(loops) + "\n}\n"
    file = compiled(text, chain, tmp_path, generation, language="c")
    found = [fixed(one) for one in pie(contents(file, ".text.entry"), generation)]
    wanted = [fixed(call_decoded(call, generation)) for call in every]
    assert [one for one in found if one[0] != "esp.lp.setup"] == wanted
    assert len(found) == len(wanted) + len(loops)


def call_decoded(call: Call, generation: int = 1) -> Decoded:
    (found,) = pie(call.word.to_bytes(4, "little"), generation)
    return found


def test_every_intrinsic_without_optimization(chain: Toolchain, tmp_path: Path) -> None:
    every = list(calls(1, 0))
    statements = []
    for call in every:
        result = "v = (int)" if call.result != "void" else ""
        statements.append(f"{result}{call.text(*('p' if kind == 'char *' else 'v' for kind in call.parameters))};")
    text = "void entry(char *p, int v) {\n" + "\n".join(statements) + "\n}\n"
    for flags in constraints(chain):
        data = built(text, chain, tmp_path, "O0", *flags)
        assert [fixed(found) for found in pie(data)] == [fixed(call_decoded(call)) for call in every]


@pytest.mark.parametrize("level", ["O0", "O2", "O3", "Os"])
def test_loop_with_as_many_variables_as_it_takes(level: str, chain: Toolchain, tmp_path: Path) -> None:
    text = (
        "int entry(char *a, char *b, char *c, char *d, char *e, int s, int n, int count) {\n"
        "    p4_loop(count, (a, b, c, d, e, s, n),\n"
        '            p4_vld_128_xp(q0, a, s), p4_vld_128_ip(q1, b, 16), p4_code("addi %[n], %[n], -1"),\n'
        "            p4_vmul_s8_ld_incp(q2, c, q3, q0, q1), p4_vst_128_ip(q3, d, -32), p4_vst_128_xp(q2, e, s));\n"
        "    return *a + *b + *c + *d + *e + s + n;\n}\n"
    )
    for flags in constraints(chain):
        data = built(text, chain, tmp_path, level, *flags)
        setup, *body = pie(data)
        assert setup.instruction.mnemonic == "esp.lp.setup" and setup.values[2] == 4 + 4 * 6
        names = [found.instruction.mnemonic for found in body]
        assert names == ["esp.vld.128.xp", "esp.vld.128.ip", "esp.vmul.s8.ld.incp", "esp.vst.128.ip", "esp.vst.128.xp"]


def test_loop_of_sixty_four(chain: Toolchain, tmp_path: Path) -> None:
    items = [f"p4_vld_128_ip(q{index % 8}, p, {16 * (index - 30)})" for index in range(64)]
    text = f"#define STEP {', '.join(items[:2])}\nvoid entry(char *p, unsigned char n) {{ p4_loop(n, (p), STEP, {', '.join(items[2:])}); }}"
    setup, *body = pie(built(text, chain, tmp_path, "O2"))
    assert setup.values[2] == 4 + 64 * 4
    assert [found.text for found in body] == [f"esp.vld.128.ip q{i % 8}, a0, {16 * (i - 30)}" for i in range(64)]


@pytest.mark.parametrize("standard", ["c99", "c11", "gnu11"])
def test_no_warning_is_provoked(standard: str, chain: Toolchain, tmp_path: Path) -> None:
    """Also where the headers are no system headers."""
    text = (
        "#include <stdint.h>\n#include <p4_pie.h>\n"
        + DOT
        + "int last(unsigned char n) { p4_max_s8_a(q0); return p4_srs_s_xacc(n); }\n"
    )
    (tmp_path / "a.c").write_text(text)
    strict = ("-Werror", "-Wall", "-Wextra", "-pedantic-errors", "-Wconversion", "-Wshadow", "-Wno-missing-prototypes")
    run(chain, tmp_path, "-I", include_folder(), f"-std={standard}", *strict, "-c", "a.c", "-o", "a.o", includes=False)
    assert unpadded(listing(text_of(tmp_path / "a.o", ".text.hard"))) == HARD


def test_link_time_optimization(chain: Toolchain, tmp_path: Path) -> None:
    """Loops of an inline function, more than once in one assembly text."""
    common = "static inline __attribute__((always_inline)) void copy(char *d, const char *s, int n) {\n"
    common += "    p4_loop(n, (d, s), p4_vld_128_ip(q0, s, 16), p4_vst_128_ip(q0, d, 16));\n}\n"
    for name, other in (("a", "b"), ("b", "a")):
        start = (
            "void _start(void) { fb((char *)64, (char *)128, 3); fa((char *)64, (char *)128, 5); }\n"
            if name == "a"
            else ""
        )
        (tmp_path / f"{name}.c").write_text(
            f"#include <p4_pie.h>\n{common}void f{other}(char *d, const char *s, int n);\n"
            f"void f{name}(char *d, const char *s, int n) {{ copy(d, s, n); copy(s ? d : d + 1, s, n); }}\n{start}"
        )
        run(chain, tmp_path, "-flto", "-c", f"{name}.c", "-o", f"{name}.o")
    if chain.family == "clang":
        link = [*chain.linker, "-m", "elf32lriscv", "-mllvm", "-mattr=+m,+a,+f,+c,+zicsr,+zifencei"]
    else:
        link = [
            *chain.compiler,
            "-march=rv32imafc_zicsr_zifencei",
            "-mabi=ilp32f",
            "-mno-relax",
            "-nostdlib",
            "-flto",
            "-O2",
        ]
    done = subprocess.run([*link, "a.o", "b.o", "-o", "c.elf"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = pie(text_of(tmp_path / "c.elf"))
    assert len(found) >= 12 and len(found) % 3 == 0
    for index in range(0, len(found), 3):
        setup, load, store = found[index : index + 3]
        assert (setup.instruction.mnemonic, setup.values[2]) == ("esp.lp.setup", 12)
        assert (load.instruction.mnemonic, store.instruction.mnemonic) == ("esp.vld.128.ip", "esp.vst.128.ip")
