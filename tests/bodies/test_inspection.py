"""What a kernel tells of itself."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.wire._tables import Cap


@p4.kernel
def table(i: p4.i32) -> p4.i32:
    p4.c(
        'printf("%d\\n", i); return counts[i & 3]++ + start[i & 3] + primes[i & 3];',
        preamble="""
        #include <stdio.h>
        static int counts[16];
        static volatile int start[4] = {1, 2, 3, 4};
        static const int primes[4] = {2, 3, 5, 7};
        """,
    )


def test_sections_and_sizes() -> None:
    build = table.build
    kinds = {section.kind: section for section in build.sections}
    assert list(kinds) == ["code", "constants", "data", "bss"]
    assert (build.size.data, build.size.bss) == (16, 64)
    assert build.size.code == kinds["code"].size
    assert build.size.total == build.image.size == kinds["bss"].offset + 64
    assert "16 data, 64 bss" in str(build.size)
    assert build.elf.startswith(b"\x7fELF")
    by_name = {symbol.name: symbol for symbol in build.symbols}
    assert (by_name["counts"].size, by_name["start"].size) == (64, 16)
    assert by_name["counts"].offset >= kinds["bss"].offset


def test_map() -> None:
    text = table.build.map()
    rows = [line.split() for line in text.splitlines()]
    order = [row[2] for row in rows if len(row) > 2 and row[2].startswith(".")]
    assert order == [".text", ".rodata", ".data", ".bss"]
    assert re.search(r"^ +[0-9a-f]+ +64 +counts$", text, re.MULTILINE)
    assert re.search(r"^firmware +printf$", text, re.MULTILINE)


@pytest.mark.parametrize("body", [p4.c, p4.cpp])
def test_what_the_compiler_made(body: Callable[[str], NoReturn], compiler: str) -> None:
    @p4.kernel
    def f(x: p4.f32) -> p4.f32:
        body("return x * 3.0f + 1.0f;")

    ir, assembly = f.build.ir, f.build.assembly
    assert "fmadd.s" in assembly
    assert "/tmp" not in assembly + ir
    if compiler == "zig":
        assert re.search(r"call .*float @llvm\.fmuladd\.f32|fmul|@llvm.fma", ir)
        assert "source_filename" in ir
    else:
        assert ";; Function f" in ir


@pytest.mark.usefixtures("compiler")
def test_assembly_of_assembly() -> None:
    @p4.kernel
    def f(x: p4.i32) -> p4.i32:
        p4.asm("    addi a0, a0, 1   # one more\n    ret")

    assert "addi a0, a0, 1   # one more" in f.build.assembly
    assert "# ---- kernel.S" in f.build.assembly


def test_disassembly_with_and_without_source() -> None:
    @p4.kernel
    def f(x: p4.i32) -> p4.i32:
        p4.c("return x * 77 + 5;")

    assert "return x * 77 + 5;" in f.disassemble()
    assert "return x * 77 + 5;" in f.build.disassemble(source=True)
    bare = f.build.disassemble(source=False)
    assert "return" not in bare
    assert bare.splitlines() == [line for line in f.disassemble().splitlines() if not line.startswith(";")]


# -- p4.explain -------------------------------------------------------------------------------------------------


class Inner(p4.struct):
    a: p4.i8
    b: p4.f64


class Outer(p4.struct):
    tag: p4.u8
    inner: Inner
    last: p4.i16


def explained(kernel: Any) -> str:
    out = io.StringIO()
    p4.explain(kernel, out)
    return out.getvalue()


def test_explain(shared: p4.Board) -> None:
    @p4.kernel(place="internal")
    def f(x: p4.In[np.float32], many: p4.InOut[Outer], k: p4.i64, n: p4.i32 = p4.size("x")) -> p4.f32:
        p4.c("return x[0] * many[0].inner.b + k + n;")

    text = explained(f)
    assert text.startswith("float f(const float *x, struct Outer *many, int64_t k, int32_t n);\n")
    assert "test_inspection.py" in text
    rows = {line.split()[0]: line for line in text.splitlines() if line}
    assert re.search(r"p4\.In\[np\.float32\] +const float \*x +a0 +0 +4$", rows["x"])
    assert re.search(r"p4\.i64 +int64_t k +a2:a3 +8 +8$", rows["k"])
    assert re.search(r"p4\.f32 +fa0 ", rows["(result)"])
    outer = text[text.index("struct Outer: 32 bytes, aligned to 8") :].splitlines()[:7]
    assert [line.split() for line in outer[2:]] == [
        ["0", "1", "uint8_t", "tag"], ["1", "7", "(padding)"], ["8", "16", "struct", "Inner", "inner"],
        ["24", "2", "int16_t", "last"], ["26", "6", "(padding)"],
    ]  # fmt: skip
    assert text.index("struct Inner: 16 bytes") < text.index("struct Outer: ")
    assert "code and variables: internal; arrays during a call: where the board has room" in text
    assert "not loaded" in text
    f(np.ones(1, np.float32), np.zeros(1, Outer.dtype), 1)
    assert re.search(rf"on {re.escape(shared.url)}: 0x4f[0-9a-f]{{6}} to 0x4f", explained(f))


def test_explain_prints(capsys: pytest.CaptureFixture[str]) -> None:
    p4.explain(table)
    assert "int32_t table(int32_t i);" in capsys.readouterr().out


def test_explain_a_kernel_of_a_module() -> None:
    m = p4.module("static int state;")

    @m.kernel
    def bump(x: p4.i32) -> p4.i32:
        p4.c("return state += x;")

    assert "int32_t bump(int32_t x);" in explained(bump)
    assert re.search(r"^ +[0-9a-f]+ +4 +state$", m.build.map(), re.MULTILINE)


def test_explain_a_generic_kernel() -> None:
    @p4.kernel
    def g(x: p4.In[p4.T]) -> p4.f32:
        p4.c("return x[0];")

    with pytest.raises(p4.Error, match=r"generic over T: name the type, as in g\[np.float32\]"):
        p4.explain(g)
    assert "p4.In[np.int16]" in explained(g[np.int16])


KINDS: dict[Any, tuple[str, int]] = {
    p4.i8: ("b", 1),
    p4.i32: ("i", 1),
    p4.i64: ("q", 2),
    p4.f32: ("f", 1),
    p4.f64: ("d", 2),
}


def read_place(place: str) -> str:
    """Assembly that puts the words of a place, low first, into a0 and a1."""
    lines = []
    for target, name in zip(("t0", "t1"), re.split(r":", place), strict=False):
        if name.startswith("sp+"):
            lines.append(f"lw {target}, {name[3:]}(sp)")
        elif name.startswith("fa"):
            lines.append(f"fmv.x.w {target}, {name}")
        else:
            lines.append(f"mv {target}, {name}")
    return "\n".join([*lines, "mv a0, t0", "mv a1, t1", "ret"])


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("seed", range(4))
def test_arguments_are_where_it_says(seed: int) -> None:
    """Assembly that takes one argument from the place that explain names gets what was passed."""
    dice = random.Random(seed)
    kinds = [dice.choice(list(KINDS)) for _ in range(dice.randint(9, 14))]
    values: list[Any] = [
        dice.uniform(-9, 9)
        if kind in (p4.f32, p4.f64)
        else dice.getrandbits(31 if kind == p4.i32 else 62 if kind == p4.i64 else 7)
        for kind in kinds
    ]
    values = [float(np.float32(v)) if kind == p4.f32 else v for v, kind in zip(values, kinds, strict=True)]

    def kernel(body: str) -> Any:
        def f(*args: Any) -> None:
            raise AssertionError("replaced below")

        names = [f"v{i}" for i in range(len(kinds))]
        scope: dict[str, Any] = {"p4": p4, "body": body}
        scope.update({f"k{i}": kind for i, kind in enumerate(kinds)})
        text = f"def f({', '.join(f'{name}: k{i}' for i, name in enumerate(names))}) -> p4.i64:\n    p4.asm(body)\n"
        exec(text, scope)
        return p4.kernel(scope["f"])

    lines = {line.split()[0]: line for line in explained(kernel("ret")).splitlines() if line}
    for index in dice.sample(range(len(kinds)), 4):
        place = lines[f"v{index}"].split()[4]
        code, words = KINDS[kinds[index]]
        raw = kernel(read_place(place))(*values)
        got = np.array([raw], np.int64).view(
            np.dtype("<" + {"b": "i1", "i": "i4", "q": "i8", "f": "f4", "d": "f8"}[code])
        )[0]
        assert got == values[index], (place, words)


class Pair(p4.struct):
    x: p4.f32
    y: p4.f32


class Mixed(p4.struct):
    n: p4.i16
    x: p4.f32


class Two(p4.struct):
    a: p4.i32
    b: p4.i32


class Three(p4.struct):
    a: p4.i32
    b: p4.i32
    c: p4.i32


@pytest.mark.usefixtures("compiler")
def test_structs_are_where_it_says() -> None:
    def kernel(body: str) -> Any:
        @p4.kernel
        def f(a: Pair, b: Mixed, c: Two, d: Three, e: Pair) -> p4.i64:
            p4.asm(body)

        return f

    rows = {line.split()[0]: line for line in explained(kernel("ret")).splitlines() if line}
    assert "fa0, fa1 " in rows["a"] and "a0, fa2 " in rows["b"] and "a1:a2 " in rows["c"]
    assert "address in a3 " in rows["d"] and "fa3, fa4 " in rows["e"]
    arguments = (Pair(1, 2), Mixed(3, 4), Two(5, 6), Three(7, 8, 9), Pair(10, 11))
    text = "fcvt.w.s t0, fa4\n add a0, a0, t0\n add a0, a0, a2\n lw t0, 8(a3)\n add a0, a0, t0\n li a1, 0\n ret"
    assert kernel(text)(*arguments) == 3 + 11 + 6 + 9


# -- where code and arrays lie ----------------------------------------------------------------------------------

RANGES = {"psram": (0x48000000, 0x50000000), "internal": (0x4FF00000, 0x50000000), "tcm": (0x30100000, 0x30102000)}


@pytest.mark.parametrize("place", ["psram", "internal", "sram", "tcm"])
def test_place_of_code(place: str, shared: p4.Board) -> None:
    @p4.kernel(place=place)
    def f(x: p4.In[np.int32]) -> p4.u32:
        p4.c("static int kept = 3; return x[0] == 7 ? (uint32_t)&kept : (uint32_t)f;")

    low, high = RANGES["internal" if place == "sram" else place]
    assert low <= f(np.array([7], np.int32)) < high
    assert low <= f(np.array([8], np.int32)) < high
    assert f.build.image.cap == {"psram": Cap.PSRAM, "tcm": Cap.TCM}.get(place, Cap.INTERNAL)


def test_the_same_code_in_two_places() -> None:
    def make(place: str) -> Any:
        @p4.kernel(place=place)
        def f() -> p4.u32:
            p4.c("return (uint32_t)f;")

        return f

    one, two = make("tcm"), make("internal")
    assert one() < 0x40000000 <= two()
    assert two.build.from_cache == "memory"
    assert one.build.image.sha256 != two.build.image.sha256


@pytest.mark.parametrize("kind", ["psram", "internal", "tcm"])
def test_place_of_arrays(kind: str) -> None:
    @p4.kernel(arrays=kind, align=1024)
    def f(x: p4.In[np.int32], y: p4.Out[np.uint32]) -> p4.u32:
        p4.c("y[0] = (uint32_t)y; return (uint32_t)x;")

    y = np.zeros(1, np.uint32)
    low, high = RANGES[kind]
    x_at = f(np.zeros(1, np.int32), y)
    for address in (x_at, int(y[0])):
        assert low <= address < high
        assert address % 1024 == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"place": "flash"}, "place='flash': kinds of memory are any, psram, internal"),
        ({"arrays": "ram"}, "arrays='ram'"),
        ({"align": 3}, "align=3: bytes, a power of 2"),
        ({"align": 8192}, "at most 4096"),
        ({"align": -1}, "align=-1"),
    ],
)
def test_no_place(options: dict[str, Any], message: str) -> None:
    with pytest.raises(p4.SignatureError, match=message):
        p4.kernel(**options)


def test_code_that_does_not_fit_its_place() -> None:
    @p4.kernel(place="tcm")
    def f(i: p4.i32) -> p4.i32:
        p4.c("static volatile char big[9000]; return big[i];")

    with pytest.raises(p4.OutOfMemory, match="LOAD"):
        f(1)
