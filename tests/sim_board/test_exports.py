"""stubs/exports.yaml: the one list, what is generated from it, and the headers that declare the same functions."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest

from p4kernel._native import ffi, lib
from p4kernel._resources import stubs
from p4kernel.build import Options, Source, Unit, build
from p4kernel.build.toolchain import Toolchain
from p4kernel.sim import VirtualBoard, generate_exports
from p4kernel.wire._tables import VERSION, Hello, HelloRsp, Type
from p4kernel.wire.frames import FrameReader, encode
from tests.sim_board.calls import EXPORTS
from tests.sim_board.chip import DATA, PRELUDE, Chip, End

ROWS = generate_exports.load(stubs() / "exports.yaml")
OF_COMPILERS = {"runtime", "softfloat", "atomic", "removed"}  # groups that are no headers


def test_the_generated_table_is_up_to_date() -> None:
    committed = Path(generate_exports.OUTPUT)
    assert committed.read_text(encoding="utf-8") == generate_exports.text(ROWS)


def test_the_board_has_the_functions_in_the_order_of_the_list() -> None:
    slots = [lib.p4v_export(i) for i in range(len(ROWS))]
    names = [ffi.string(name) if name else b"" for name in slots]
    assert names == [e.name.encode() if e.virtual else b"" for e in ROWS]
    assert lib.p4v_export(len(ROWS)) == ffi.NULL


def test_the_board_announces_the_lists_hash() -> None:
    hello = encode(Type.HELLO, 0, 0, payload=Hello(VERSION, VERSION, 0, 1).pack())
    (frame,) = FrameReader().feed(VirtualBoard().exchange(hello, 1.0)[1])
    assert HelloRsp.unpack(frame.payload).export_hash == generate_exports.table_hash(ROWS)


def test_a_function_that_is_removed_leaves_its_slot(tmp_path: Path) -> None:
    file = tmp_path / "exports.yaml"
    file.write_text(
        'exports:\n  - [a, "int (int)", runtime]\n  - [b, null, removed]\n  - [c, "void (char *)", stdlib]\n'
    )
    rows = generate_exports.load(file)
    assert [line for line in generate_exports.text(rows).splitlines() if line.startswith("P4X")] == [
        "P4X(PURE, 1, a, i32, i32)", "P4X(GONE, 0, b, void)", "P4X(CALL, 1, c, void, u32)",
    ]  # fmt: skip
    assert [r.slot for r in rows] == [0, 1, 2]
    assert generate_exports.table_hash(rows) != generate_exports.table_hash(rows[::-1])


def test_a_function_of_the_chip_leaves_the_virtual_boards_slot_empty(tmp_path: Path) -> None:
    file = tmp_path / "exports.yaml"
    file.write_text('exports:\n  - [a, "int (int)", driver/gpio, chip]\n')
    (row,) = generate_exports.load(file)
    assert not row.virtual and row.line() == "P4X(GONE, 0, a, void)"
    file.write_text('exports:\n  - [a, "int (int)", driver/gpio, chp]\n')
    with pytest.raises(ValueError, match="fourth word"):
        generate_exports.load(file)


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "exports.yaml"
    file.write_text('exports:\n  - [a, "int (int)", runtime]\n  - [a, "int (int)", runtime]\n')
    with pytest.raises(ValueError, match="'a'"):
        generate_exports.load(file)


def _declaration(name: str, c_type: str) -> str:
    result, _, parameters = c_type.partition("(")
    return f"extern {result} ({name})({parameters};"


def test_headers_declare_what_the_list_says(chain: Toolchain) -> None:
    """A header and the list that disagree about a type do not compile together."""
    lines = [_declaration(e.name, e.type) for e in ROWS if e.group not in OF_COMPILERS and e.type]
    includes = "".join(f"#include <{header}.h>\n" for header in sorted({e.group for e in ROWS} - OF_COMPILERS))
    text = includes + "\n".join(lines) + "\nvoid entry(void *p) {}\n"
    assert build(Source((Unit("test.c", PRELUDE + text),), "entry"), Options(), chain).image.size < 16


_FUNCTION = re.compile(r"\s*(?!.*\b(?:static|typedef)\b)\w[\w\s]*?[\s*]+(\w+)\s*\(", re.DOTALL)


def _top_level(text: str) -> list[str]:
    """Statements outside of function bodies, without attributes."""
    text = re.sub(r"__attribute__\s*\(\(.*?\)\)|^#.*$", "", text, flags=re.MULTILINE)
    while "{" in text:
        text = re.sub(r"\{[^{}]*\}", ";", text)
    return text.split(";")


def test_headers_declare_what_the_list_has_and_nothing_else(chain: Toolchain) -> None:
    """Everything that a header declares without defining it: taken from the compiler's own list of declarations."""
    folder = stubs() / "include"
    headers = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.h") if "c++" not in p.parts)
    text = "".join(f"#include <{h}>\n" for h in headers)
    options = ("--target=riscv32-unknown-elf",) if chain.family == "clang" else ()
    includes = [w for i in (str(stubs() / "include"), *chain.includes) for w in ("-isystem", i)]
    words = [
        *chain.compiler,
        *options,
        "-ffreestanding",
        "-march=rv32imafc_zicsr",
        "-mabi=ilp32f",
        "-nostdinc",
        *includes,
        "-E",
        "-P",
        "-xc",
        "-",
    ]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=True)
    declared = {match[1] for statement in _top_level(done.stdout) if (match := _FUNCTION.match(statement))}
    assert {"memcpy", "printf", "llabs", "sinf", "pow", "xQueueReceive", "gpio_set_level"} <= declared
    assert declared == {e.name for e in ROWS if e.type and e.group not in OF_COMPILERS}


def test_ilogb_returns_what_the_header_says(chip: Chip, chain: Toolchain) -> None:
    text = """#include <math.h>
        volatile double zero, two = 2.0;
        void entry(int *d) {
            d[0] = ilogb(zero) == FP_ILOGB0; d[1] = ilogbf(zero) == FP_ILOGB0; d[2] = ilogb(zero / zero) == FP_ILOGBNAN;
            d[3] = ilogb(two / zero) == 0x7fffffff; d[4] = ilogb(two) == 1;
        }"""
    assert chip.run(text, chain) == End("exit")
    assert chip.read(DATA, 20) == struct.pack("<5i", 1, 1, 1, 1, 1)


SOFT = """
    typedef unsigned long long u64;
    volatile double d = 3; volatile float f = 2; volatile long long i = 5; volatile u64 u = 7; volatile int n = 3;
    volatile unsigned char c; volatile unsigned short s;
    void entry(char *p) {
        d = d + d * d - d / d; d = -d; n = d < d || d >= d || d == d || d != d; f = d; d = f; i = d; u = d; n = d; d = n;
        d = (unsigned)n; n = (unsigned)d; d = i; d = u; f = i; f = u; i = f; u = f; i = i * i / i % i; u = u / u % u;
        i = i << n; i = i >> n; u = u >> n; n = __builtin_popcountll(u) + __builtin_clzll(u) + __builtin_ctzll(u);
        n = __builtin_ffsll(i) + __builtin_parityll(u) + __builtin_clrsbll(i) + __builtin_popcount(n) + __builtin_clz(n);
        u = __builtin_bswap64(u); d = __builtin_powi(d, n); f = __builtin_powif(f, n); i = i < 0 ? -i : i;
        n = __builtin_mul_overflow(i, i, &i) + __builtin_mul_overflow(n, n, &n) + __builtin_mul_overflow(u, u, &u);
        __atomic_fetch_add(&u, 1, 5); __atomic_fetch_or(&c, 1, 5); __atomic_fetch_nand(&s, 1, 5); u = __atomic_load_n(&u, 5);
        __atomic_compare_exchange_n(&s, &s, 3, 0, 5, 5); __atomic_exchange_n(&c, 4, 5); __sync_fetch_and_add(&c, 1);
        float _Complex a = f + f * 1i, b = a * a / a; double _Complex x = d + d * 1i, y = x * x / x;
        f = __real__ b; d = __imag__ y;
        struct { char bytes[300]; } big = *(__typeof__(big) *)p; *(__typeof__(big) *)(p + 300) = big;
        for (int k = 0; k < n; ++k) p[k] = 0;
    }"""


@pytest.mark.parametrize("opt", ["O0", "O1", "O2", "O3", "Os"])
@pytest.mark.parametrize("trapping", [False, True])
def test_what_compilers_call_by_themselves_is_on_the_board(chain: Toolchain, opt: str, trapping: bool) -> None:
    flags = ("-ftrapv",) if trapping else ()
    source = Source((Unit("test.c", SOFT),), "entry")
    image = build(
        source, Options(opt=opt, flags=(*flags, "-Wno-everything") if chain.family == "clang" else flags), chain
    ).image
    imports = {i.name for i in image.imports}
    assert len(imports) > 25
    assert imports - set(EXPORTS) == set()
