"""The dialect is the same for both compilers, and messages keep their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from p4kernel.build import Options, Source, Toolchain, Unit, build
from p4kernel.build.diagnostics import COMMAND_LINE, parse
from p4kernel.errors import CompileError, Diagnostic
from tests.build.make import asm, built, c


def errors(source: Source, chain: Toolchain, *flags: str) -> list[Diagnostic]:
    with pytest.raises(CompileError) as caught:
        built(source, chain, *flags)
    return [item for item in caught.value.diagnostics if item.severity == "error"]


def test_error(chain: Toolchain) -> None:
    with pytest.raises(CompileError, match=r"kernel\.c:3:12: error: .*nothere") as caught:
        built(c("int entry(int x)\n{\n    return nothere + x;\n}\n"), chain)
    first = caught.value.diagnostics[0]
    assert (first.file, first.line, first.column, first.severity) == ("kernel.c", 3, 12, "error")


def test_columns_count_bytes(chain: Toolchain) -> None:
    (found,) = errors(c('int entry(void) { /* äöü\t */ return "ß", nothere; }'), chain)
    assert found.column == 1 + 'int entry(void) { /* äöü\t */ return "ß", '.encode().__len__()


def test_line_markers(chain: Toolchain) -> None:
    text = '#line 100 "body.c"\nint entry(void) { return nothere; }\n'
    (found,) = errors(Source((Unit("kernel.c", text),), "entry"), chain)
    assert (found.file, found.line) == ("body.c", 100)


def test_several_errors(chain: Toolchain) -> None:
    text = "int entry(void) {\n  first();\n  return a1 +\n  a2; }\nvoid f(void) { struct s; return 1 }\n"
    with pytest.raises(CompileError, match=r"more\)"):
        built(c(text), chain, "-Werror")
    assert {(3, 10), (4, 3)} <= {(item.line, item.column) for item in errors(c(text), chain)}


def test_notes_follow_their_error(chain: Toolchain) -> None:
    with pytest.raises(CompileError) as caught:
        built(c("int value;\nfloat value;\nint entry(void) { return 0; }\n"), chain)
    error, note = caught.value.diagnostics[:2]
    assert (error.severity, error.line) == ("error", 2)
    assert (note.severity, note.line) == ("note", 1)


def test_missing_header(chain: Toolchain) -> None:
    (found,) = errors(c("#include <nothere.h>\nint entry(void) { return 0; }\n"), chain)
    assert found.line == 1
    assert "nothere.h" in found.message


def test_error_in_a_header(chain: Toolchain, tmp_path: Path) -> None:
    header = tmp_path / "broken.h"
    header.write_text("\nint broken = nothere;\n")
    (found,) = errors(c('#include "broken.h"\nint entry(void) { return broken; }'), chain, f"-I{tmp_path}")
    assert (found.file, found.line) == (str(header), 2)


def test_unknown_flag(chain: Toolchain) -> None:
    (found,) = errors(c("int entry(void) { return 0; }"), chain, "-fnothere")
    assert (found.file, found.line) == (COMMAND_LINE, 0)
    assert "-fnothere" in found.message


def test_warnings_are_reported(chain: Toolchain) -> None:
    result = built(c("int entry(int x) {\n    int unused;\n    return x;\n}\n"), chain)
    (found,) = result.warnings
    assert (found.file, found.line, found.column, found.severity) == ("kernel.c", 2, 9, "warning")
    assert "[-Wunused-variable]" in found.message


def test_assembly_errors(chain: Toolchain) -> None:
    text = '#line 7 "body.S"\n    .text\n    bogus a0\n    .globl entry\nentry:\n    add a0\n'
    assert [(item.file, item.line) for item in errors(asm(text), chain)] == [("body.S", 8), ("body.S", 11)]


def test_inline_assembly_errors(chain: Toolchain) -> None:
    text = 'int entry(int x) {\n    __asm__("nop");\n    __asm__("bogus %0" : "+r"(x));\n    return x;\n}\n'
    (found,) = errors(c(text), chain)
    assert (found.file, found.line) == ("kernel.c", 3)


def test_assembly_has_a_preprocessor(chain: Toolchain) -> None:
    text = "#define NAME entry\n#ifdef __riscv\n    .text\n    .globl NAME\nNAME:\n    li a0, VALUE\n    ret\n#endif\n"
    code = built(asm(text), chain, "-DVALUE=21").image.data
    assert code == bytes.fromhex("5545 8280")  # c.li a0, 21; c.jr ra


def test_relative_folders(chain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("here", 1), ("there", 2)):
        (tmp_path / name / "inc").mkdir(parents=True)
        (tmp_path / name / "inc" / "value.h").write_text(f"#define VALUE {value}\n")
    source = c('#include "value.h"\n_Static_assert(VALUE == WANT, "");\nint entry(void) { return VALUE; }')
    monkeypatch.chdir(tmp_path / "here")
    build(source, Options(flags=("-Iinc", "-DWANT=1")), chain)
    build(source, Options(flags=("-I", "inc", "-DWANT=1")), chain)
    build(source, Options(flags=("-Iinc", "-DWANT=2"), folder=str(tmp_path / "there")), chain)
    build(source, Options(flags=("-include", "inc/value.h", "-I.", "-DWANT=2", "-Iinc"), folder="../there"), chain)


@pytest.mark.parametrize(("contract", "fused"), [("fast", True), ("off", False)])
def test_contraction(contract: str, fused: bool, chain: Toolchain) -> None:
    """Both compilers fuse a multiplication and an addition, or neither does."""
    source = c("float entry(float a, float b, float d) { float p = a * b; return p + d; }")
    code = build(source, Options(fp_contract=contract), chain).image.data
    first = int.from_bytes(code[:4], "little") & 0x7F
    assert (first == 0x43) is fused  # fmadd.s


def test_the_environment_does_not_matter(chain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stdint.h").write_text("#error from the environment\n")
    for name in ("CPATH", "C_INCLUDE_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("LANG", "LC_ALL", "LANGUAGE"):
        monkeypatch.setenv(name, "de_DE.UTF-8")
    text = 'int entry(void) { const char *day = __DATE__ " " __TIME__; return day[10]; }'
    one = built(c(text), chain)
    assert "error" in str(errors(c("int entry(void) { return nothere; }"), chain)[0])
    assert one.image.data == built(c(text + " "), chain).image.data


def test_parse_keeps_only_messages() -> None:
    text = """\
In file included from kernel.c:1:
kernel.c: In function 'entry':
C:\\inc\\a.h:3:7: error: bad
kernel.S:12: Warning: shift count out of range
kernel.S: Assembler messages:
kernel.c:1:10: fatal error: x.h: No such file or directory
compilation terminated.
 foo a0
 ^
<inline asm>:1:2: note: instantiated into assembly here
kernel.c:9:1: sorry, unimplemented: nested
cc1: error: unrecognized command-line option '-fnothere'
1 error generated.
"""
    assert parse(text) == [
        Diagnostic("C:\\inc\\a.h", 3, 7, "error", "bad"),
        Diagnostic("kernel.S", 12, 0, "warning", "shift count out of range"),
        Diagnostic("kernel.c", 1, 10, "error", "x.h: No such file or directory"),
        Diagnostic("kernel.c", 9, 1, "error", "nested"),
        Diagnostic(COMMAND_LINE, 0, 0, "error", "unrecognized command-line option '-fnothere'"),
    ]
