"""Kernels whose text is in files, and what is linked with them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.build.headers import advice

Make = Callable[..., Path]

MIXED = {
    "a.c": '#include "shared.h"\nint32_t go(int32_t x) { return twice(x) * N + add_seven(x) + TABLE[1] + SHARED; }\n',
    "b.cpp": (
        '#include "shared.h"\n#include <algorithm>\nstruct Made { int v; Made(int x) : v(x) {} };\n'
        "static Made made(1 + 1);\nint32_t twice(int32_t x) { return std::max<int32_t>(x * made.v, N); }\n"
    ),
    "c.S": "#define SEVEN 7\n    .globl add_seven\nadd_seven:\n    addi a0, a0, SEVEN + N - N\n    ret\n",
    "shared.h": (
        "#include <stdint.h>\n#define SHARED 1000\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
        "int32_t twice(int32_t x);\nint32_t add_seven(int32_t x);\n#ifdef __cplusplus\n}\n#endif\n"
    ),
}  # fmt: skip


@pytest.fixture
def write(tmp_path: Path) -> Make:
    def make(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return tmp_path

    return make


def kernel_of(folder: Path, *names: str, entry: str | None = "go", constants: Any = None, **options: Any) -> Any:
    @p4.kernel(**options)
    def f(x: p4.i32) -> p4.i32:
        p4.files([folder / name for name in names], entry=entry, **(constants or {}))

    return f


@pytest.mark.parametrize("lto", [False, True])
@pytest.mark.usefixtures("compiler")
def test_three_languages(lto: bool, write: Make) -> None:
    f = kernel_of(write(**MIXED), "a.c", "b.cpp", "c.S", lto=lto, constants={"N": 3, "TABLE": [5, 6]})
    assert f(10) == 20 * 3 + 17 + 6 + 1000
    assert f(1) == 3 * 3 + 8 + 6 + 1000
    names = {symbol.name for symbol in f.build.symbols}
    # The optimiser has put `twice` into `go`, and that into the entry: across two languages.
    assert ("twice" in names) is not lto
    assert "add_seven" in names


@pytest.mark.parametrize("opt", ["O0", "Os", "O3"])
@pytest.mark.usefixtures("compiler")
def test_lto_at_every_level(opt: str, write: Make) -> None:
    f = kernel_of(write(**MIXED), "a.c", "b.cpp", "c.S", lto=True, opt=opt, constants={"N": 3, "TABLE": [5, 6]})
    assert f(10) == 20 * 3 + 17 + 6 + 1000


@pytest.mark.usefixtures("compiler")
def test_lto_with_file_scope_assembly() -> None:
    @p4.kernel(lto=True)
    def f(x: p4.f32) -> p4.f32:
        p4.c(
            "return halve(x) + 1.0f;",
            preamble=r"""
            __asm__(".text\n.globl halve\nhalve:\n  li t0, 0x3f000000\n  fmv.w.x ft0, t0\n  fmul.s fa0, fa0, ft0\n"
                    "  c.jr ra\n");
            float halve(float);
            """,
        )

    assert f(3.0) == 2.5


@pytest.mark.usefixtures("compiler")
def test_lto_with_the_simd_unit() -> None:
    """Two units with the assembler macros, which the optimiser assembles as one."""

    @p4.kernel(lto=True)
    def f(x: p4.InOut[np.int16]) -> None:
        p4.c(
            """
            int16_t *p = x;
            __asm__ volatile("esp.vld.128.ip q0, %0, 0\\n esp.vadd.s16 q0, q0, q0\\n esp.vst.128.ip q0, %0, 0"
                             : "+r"(p) : : "memory");
            """,
            preamble="#include <p4_pie.h>",
        )

    x = np.arange(8, dtype=np.int16)
    f(x)
    assert x.tolist() == [0, 2, 4, 6, 8, 10, 12, 14]


@pytest.mark.usefixtures("compiler")
def test_paths_are_those_of_the_python_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "inc").mkdir(parents=True)
    (tmp_path / "deep" / "work.c").write_text('#include "three.h"\nint go(int x) { return x * THREE * FOUR; }\n')
    (tmp_path / "deep" / "inc" / "three.h").write_text("#define THREE 3\n")
    program = tmp_path / "program.py"
    program.write_text(
        "import p4kernel as p4\n@p4.kernel(include_dirs=['deep/inc'], defines={'FOUR': 4})\n"
        "def go(x: p4.i32) -> p4.i32:\n    p4.files(['deep/work.c'])\n"
    )
    monkeypatch.chdir("/")
    names: dict[str, Any] = {"__name__": "program", "__file__": str(program)}
    exec(compile(program.read_text(), str(program), "exec"), names)
    assert names["go"](2) == 24


@pytest.mark.parametrize("defines", [{"A": 2, "B": None, "C": True}, ["A=2", "B", "C=1"]])
def test_defines(defines: Any) -> None:
    @p4.kernel(defines=defines)
    def f() -> p4.i32:
        p4.c("return A * 100 + B * 10 + C;")

    assert f() == 211


@pytest.mark.usefixtures("compiler")
def test_errors_are_in_the_files(write: Make) -> None:
    folder = write(**{"a.c": '#include "h.h"\nint go(int x) { return x; }\n', "h.h": "\nint bad = nothere;\n"})
    with pytest.raises(p4.CompileError, match="nothere") as caught:
        kernel_of(folder, "a.c")(1)
    place = caught.value.diagnostics[0]
    assert (place.file, place.line) == (os.fspath(folder / "h.h"), 2)
    assert "int bad = nothere;" in str(caught.value)


@pytest.mark.usefixtures("compiler")
def test_faults_are_in_the_files(write: Make) -> None:
    folder = write(**{"a.c": "int go(int x) {\n    *(volatile int *)x = 1;\n    return x;\n}\n"})
    with pytest.raises(p4.KernelFault, match="store access fault") as caught:
        kernel_of(folder, "a.c")(16)
    frame = caught.value.backtrace[0]
    assert (frame.file, frame.line) == (os.fspath(folder / "a.c"), 2)
    assert "*(volatile int *)x = 1;" in kernel_of(folder, "a.c").disassemble()


def test_a_changed_file_is_compiled_anew(write: Make) -> None:
    folder = write(**{"a.c": '#include "h.h"\nint go(int x) { return x + H; }\n', "h.h": "#define H 1\n"})
    old = os.stat(folder / "h.h").st_mtime - 100  # noqa: PTH116

    def built() -> tuple[int, str]:
        for name in ("a.c", "h.h"):
            os.utime(folder / name, (old, old))
        f = kernel_of(folder, "a.c")
        return f(1), f.build.from_cache

    assert built() == (2, "built")
    assert built()[1] != "built"
    (folder / "h.h").write_text("#define H 20\n")
    assert built() == (21, "built")
    (folder / "a.c").write_text('#include "h.h"\nint go(int x) { return x - H; }\n')
    assert built() == (-19, "built")


# -- mistakes ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("lto", [False, True])
def test_a_symbol_defined_twice(lto: bool, write: Make) -> None:
    folder = write(**{"a.c": "int same(void) { return 1; }\nint go(int x) { return same() + x; }\n",
                      "b.cpp": 'extern "C" int same() { return 2; }\n'})  # fmt: skip
    with pytest.raises(p4.LinkError) as caught:
        kernel_of(folder, "a.c", "b.cpp", lto=lto)(1)
    for part in ("same", "a.c", "b.cpp"):
        assert part in str(caught.value)


@pytest.mark.usefixtures("compiler")
def test_a_header_that_includes_itself(write: Make) -> None:
    folder = write(**{"a.c": '#include "h.h"\nint go(int x) { return x; }\n', "h.h": '#include "h.h"\n'})
    with pytest.raises(p4.CompileError, match="h.h.*nested") as caught:
        kernel_of(folder, "a.c")(1)
    assert caught.value.diagnostics[0].file == os.fspath(folder / "h.h")


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize(
    ("text", "entry", "message"),
    [
        ("int goo(int x) { return x; }\n", "go", "the entry 'go' is not defined.*did you mean goo"),
        ("static int go(int x) { return x; }\nint (*keep)(int) = go;\n", "go", "not defined, or not global"),
        ("int go(int x) { return x; }\n", None, "the entry 'f' is not defined"),
    ],
)
def test_no_entry(text: str, entry: str | None, message: str, write: Make) -> None:
    with pytest.raises(p4.LinkError, match=message):
        kernel_of(write(**{"a.c": text}), "a.c", entry=entry)(1)


@pytest.mark.usefixtures("compiler")
def test_an_entry_of_cpp_without_extern(write: Make) -> None:
    with pytest.raises(p4.LinkError, match="the entry 'go' is not defined.*declare it extern \"C\""):
        kernel_of(write(**{"a.cpp": "int go(int x) { return x; }\n"}), "a.cpp")(1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.c",), r"takes a list of files: p4.files\(\['a.c'\]\)"),
        (([],), "is empty"),
        ((["nothere.c"],), "nothere.c: there is no such file"),
        ((["."],), "source files end in .c, .cpp"),
        ((["test_files.py"],), "test_files.py: source files end in"),
        (([3],), "takes paths, not int"),
    ],
)
def test_no_files(arguments: tuple[Any, ...], message: str) -> None:
    def f(x: p4.i32) -> p4.i32:
        p4.files(*arguments)

    with pytest.raises(p4.SignatureError, match=message):
        p4.kernel(f)


def test_the_same_file_twice_and_a_folder(write: Make, tmp_path: Path) -> None:
    write(**{"a.c": "int go(int x) { return x; }\n"})
    (tmp_path / "b.c").mkdir()
    with pytest.raises(p4.SignatureError, match="listed twice"):
        kernel_of(tmp_path, "a.c", "a.c")
    with pytest.raises(p4.SignatureError, match="this is a folder"):
        kernel_of(tmp_path, "b.c")
    with pytest.raises(p4.SignatureError, match="'a b' is no name of a C function"):
        kernel_of(tmp_path, "a.c", entry="a b")


def test_a_file_that_is_gone_when_it_is_built(write: Make, tmp_path: Path) -> None:
    f = kernel_of(write(**{"a.c": "int go(int x) { return x; }\n"}), "a.c")
    (tmp_path / "a.c").unlink()
    with pytest.raises(p4.CompileError, match=r"a\.c: No such file"):
        f(1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"include_dirs": ["nothere"]}, "include_dirs: .*nothere: there is no such folder"),
        ({"include_dirs": ["test_files.py"]}, "test_files.py: this is no folder"),
        ({"include_dirs": "inc"}, "give a list of paths"),
        ({"libraries": ["libnot.a"]}, "libraries: .*libnot.a: there is no such file"),
        ({"libraries": ["."]}, "this is no file"),
        ({"libraries": [3]}, "give a list of paths"),
        ({"defines": "N=1"}, "give a dict"),
        ({"defines": {"1N": 1}}, "'1N' is no name of a macro"),
        ({"defines": ["N 1"]}, "'N 1' is no name of a macro"),
        ({"defines": {"N": [1]}}, "N is a number, a text or None, not list"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    def f() -> p4.i32:
        p4.c("return 1;")

    with pytest.raises(p4.SignatureError, match=message):
        p4.kernel(**options)(f)


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("lto", [False, True])
def test_odd_paths(lto: bool, tmp_path: Path) -> None:
    folder = tmp_path / "my code (1) $x ü#"
    folder.mkdir()
    (folder / "an h.h").write_text("#define H 5\n")
    (folder / "a b.c").write_text('#include "an h.h"\nint go(int x) { return x + H; }\n')
    f = kernel_of(folder, "a b.c", lto=lto)
    assert f(1) == 6
    assert b"/tmp/p4kernel-" not in f.build.elf


def test_gcc_without_cpp() -> None:
    assert "without its compiler of C++" in advice("cannot execute 'cc1plus': execvp: No such file or directory", "")
