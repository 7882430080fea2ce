"""What loaded functions take, keep and return, beyond the README's programs."""

from __future__ import annotations

import gc
import json
import struct
from pathlib import Path

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.p4jit import MALLOC_CAP_INTERNAL, MALLOC_CAP_TCM, P4JIT
from p4kernel.p4jit.caps import NAMES

STUBS = Path(__file__).parents[2] / "stubs" / "include"


def test_c_text_instead_of_a_file(jit: P4JIT, compiler: str) -> None:
    """As some of P4-JIT's pages show it."""
    add = jit.load(source="\nint add(int a, int b) {\n    return a + b;\n}\n", function_name="add")
    assert add(np.int32(10), np.int32(20)) == 30


@pytest.mark.parametrize(
    ("c", "numpy", "value"),
    [
        ("int8_t", np.int8, -100),
        ("uint8_t", np.uint8, 200),
        ("int16_t", np.int16, -30000),
        ("uint16_t", np.uint16, 60000),
        ("int32_t", np.int32, -(2**31)),
        ("uint32_t", np.uint32, 2**32 - 1),
        ("float", np.float32, 1.5),
        ("int64_t", np.int64, -(2**63)),
        ("double", np.float64, 0.1),
        ("bool", np.bool_, True),
        ("size_t", np.uint32, 7),
        ("unsigned short", np.uint16, 65535),
    ],
)
def test_results_have_the_c_type(c: str, numpy: type[np.generic], value: float, jit: P4JIT) -> None:
    same = jit.load(
        f"#include <stdint.h>\n#include <stdbool.h>\n#include <stddef.h>\n{c} same({c} x) {{ return x; }}", "same"
    )
    result = same(np.dtype(numpy).type(value))
    assert result == np.dtype(numpy).type(value) and type(result) is numpy
    same.free()


def test_pointers_of_all_kinds(jit: P4JIT, compiler: str) -> None:
    function = jit.load(
        """
        #include <stdint.h>
        typedef struct { float x; int y; } Point;
        const int16_t *look(Point *points, const char *text, void *any, const int16_t *numbers, char *out)
        {
            points[1].y += text[0];
            ((uint32_t *)any)[1] = numbers[2];
            out[0] = text[1];
            return numbers;
        }
        """,
        "look",
    )
    points = np.array([(1, 2), (3, 4)], dtype=[("x", "<f4"), ("y", "<i4")])
    text, anything, out = np.frombuffer(b"AB", np.uint8), np.zeros(2, np.float32), np.zeros(1, np.int8)
    address = function(points, text, anything, np.array([5, 6, 7], np.int16), out)
    assert type(address) is np.uint32 and 0x48000000 <= address < 0x4A000000
    assert points["y"].tolist() == [2, 4 + ord("A")] and anything.view(np.uint32)[1] == 7 and out[0] == ord("B")


def test_variables_keep_their_values_until_free(jit: P4JIT) -> None:
    Path("counter.c").write_text("static int n = 10; int next(void) { return n++; }")
    first = jit.load("counter.c", "next")
    assert [int(first()) for _ in range(3)] == [10, 11, 12]
    second = jit.load("counter.c", "next")
    assert (int(second()), int(first())) == (10, 13)
    first.free()
    first.free()  # the second does nothing
    assert int(second()) == 11


def test_functions_that_are_dropped_leave_the_board(jit: P4JIT, board: p4.Board) -> None:
    text = "int f(void) { return 1; }"
    first = jit.load(text, "f")
    assert first() == 1
    first.free()
    before = board.memory.state()
    for _ in range(3):
        jit.load(text, "f")()
    gc.collect()
    assert board.memory.state() == before


def test_one_array_given_twice_is_one(jit: P4JIT) -> None:
    both = jit.load("int both(int *a, int *b) { a[0] = 1; return b[0]; }", "both")
    x = np.zeros(4, np.int32)
    assert both(x, x) == 1 and x[0] == 1
    both.sync_arrays = False
    x[:] = 0
    assert both(x, x) == 1 and x[0] == 0


def test_arrays_on_the_board_and_slices(jit: P4JIT) -> None:
    twice = jit.load("void twice(float *x, int n) { for (int i = 0; i < n; i++) x[i] *= 2; }", "twice")
    resident = p4.array(np.ones(4, np.float32))
    assert twice(resident, np.int32(4)) is None
    assert resident.get().tolist() == [2] * 4
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    twice(matrix[:, ::2], np.int32(6))
    assert matrix.tolist() == [[0, 1, 4, 3], [8, 5, 12, 7], [16, 9, 20, 11]]


def test_many_arguments(jit: P4JIT) -> None:
    names = [f"a{i}" for i in range(40)]
    text = f"int sum({', '.join(f'int {n}' for n in names)}) {{ return {' + '.join(names)}; }}"
    assert jit.load(text, "sum")(*(np.int32(i) for i in range(40))) == sum(range(40))


def test_numbers_as_p4_jit_passes_them(jit: P4JIT) -> None:
    f = jit.load("#include <stdbool.h>\nfloat f(bool b, float x, int n) { return b ? x : n; }", "f")
    assert f(np.int32(1), np.float64(2.5), np.array(3, np.int32)) == 2.5
    assert f(np.bool_(False), np.int32(2), np.uint8(3)) == 3


def test_function_pointers(jit: P4JIT) -> None:
    apply = jit.load("int apply(int (*f)(int), int x) { return f(x) + f(x + 1); }", "apply")
    assert apply(lambda x: x * x, np.int32(3)) == 25


def test_cpp_and_assembly(jit: P4JIT, compiler: str) -> None:
    Path("main.cpp").write_text("""
        #include <stdint.h>
        template <typename T> static T largest(T a, T b) { return a > b ? a : b; }
        struct Start { int n; Start() : n(5) {} };
        static Start start;
        extern "C" int asm_add(int a, int b);
        // int best(int wrong) {
        static const char quote = '"';
        extern "C" int asm_or_two(int a) noexcept { return quote == '"' ? asm_add(a, 2) : 0; }
        int best(int a, int32_t b)
        {
            return asm_add(largest<int>(a, b), start.n++);
        }
    """)
    Path("add.S").write_text(".globl asm_add\nasm_add:\n    add a0, a0, a1\n    ret\n")
    assert jit.load("main.cpp", "asm_or_two")(np.int32(3)) == 5
    best = jit.load("main.cpp", "best")
    assert [int(best(np.int32(3), np.int32(x))) for x in (9, 1)] == [14, 9]


def test_other_programs_in_the_folder_do_not_matter(jit: P4JIT) -> None:
    Path("a.c").write_text("int a(void) { return 1; }")
    Path("b.c").write_text("int a(void) { return 2; } this is no C")
    assert jit.load("a.c", "a")() == 1


def test_wrappers_that_p4_jit_left_are_passed_over(jit: P4JIT) -> None:
    Path("main.c").write_text("int other(void); int f(void) { return other(); }")
    Path("other.c").write_text("int other(void) { return 3; }")
    Path("temp.c").write_text('#include "nowhere.h"\nint call_remote(void) { return 0; }')
    assert jit.load("main.c", "f")() == 3
    assert jit.load("main.c", "other")() == 3  # main.c only declares it


def test_slots_stay_between_calls(jit: P4JIT) -> None:
    f = jit.load(
        "#include <stdint.h>\nint16_t f(uint8_t a, float b, int16_t c) { return a + b + c; }", "f", smart_args=False
    )
    device = jit.session.device

    def result() -> int:
        return int.from_bytes(device.read_memory(f.args_addr + 124, 2), "little", signed=True)

    assert f(struct.pack("<Ifi", 250, 2.0, -300)) == 0 and result() == -48
    device.write_memory(f.args_addr + 4, struct.pack("<f", 10))
    assert f(b"") == 0 and result() == -40


def test_memory_of_code_and_arrays(jit: P4JIT) -> None:
    text = "const void *where(char *x) { return x; }"
    where = jit.load(text, "where", code_caps=MALLOC_CAP_INTERNAL, data_caps=MALLOC_CAP_TCM, alignment=256)
    regions = {r.name: r for r in jit.session.device.board.memory.state().regions}

    def kind(address: int) -> str:
        return next(r.name for r in regions.values() if r.base <= address < r.base + r.total)

    assert kind(where.code_addr) == "internal" and where.code_addr % 256 == 0
    assert kind(where.args_addr) == "tcm" and kind(int(where(np.zeros(4, np.uint8)))) == "tcm"


def test_files_of_the_build(jit: P4JIT) -> None:
    f = jit.load("int helper(int x) { return x + 1; }\nint f(int x) { return helper(x); }", "f", output_dir="build/f")
    folder = Path("build/f")
    assert (folder / "f.elf").read_bytes().startswith(b"\x7fELF")
    assert (folder / "f.bin").read_bytes() == f.binary.data == f.binary.get_data()
    told = json.loads((folder / "f.json").read_text())
    assert told["total_size"] == f.binary.total_size == f.stats["code_size"]
    assert told["prototype"] == "int f(int x)" and told["parameters"] == [{"name": "x", "category": "value"}]
    assert told["entry_point"] == "p4_entry_f" and told["entry_address"] == f"0x{f.binary.entry_address:08x}"
    address = f.binary.get_function_address("f")
    assert address is not None and f.code_addr <= address < f.code_addr + f.binary.total_size
    assert {"f", "helper"} <= {function["name"] for function in f.binary.functions}
    assert f.binary.get_function_address("no_such_function") is None


def test_symbols_are_printed(jit: P4JIT, capsys: pytest.CaptureFixture[str]) -> None:
    f = jit.load("int f(int x) { return x; }", "f")
    f.binary.print_symbols()
    assert f"0x{f.binary.get_function_address('f'):08x}" in capsys.readouterr().out
    text = f.binary.disassemble(source_intermix=False)
    assert capsys.readouterr().out.strip() == text.strip() and "f:\n" in text


def test_without_the_firmware(jit: P4JIT) -> None:
    """What compilers call by themselves is there."""
    text = "double f(double x, double y) { return x / y; }"
    assert jit.load(text, "f", use_firmware_elf=False)(np.float64(1), np.float64(3)) == 1 / 3


def test_the_connection(board: p4.Board) -> None:
    jit = P4JIT("sim?psram=16M")
    device = jit.session.device
    assert device.ping() and device.port == "sim?psram=16M"
    assert jit.get_heap_stats()["total_spiram"] == 16 << 20
    own = device.board
    device.disconnect()
    assert own.closed
    jit.session.connect()
    assert device.board is board
    device.allocate(64, 0, 16)
    device.disconnect()
    assert not board.closed


def test_capabilities_are_those_of_esp_idf() -> None:
    told = {}
    for line in (STUBS / "esp_heap_caps.h").read_text().splitlines():
        if line.startswith("#define MALLOC_CAP_"):
            _, name, value = line.split(maxsplit=2)
            told[name] = 1 << int(value.strip("()").removeprefix("1u << "))
    assert len(told) > 5 and told.items() <= NAMES.items()
