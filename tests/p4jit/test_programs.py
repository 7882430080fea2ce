"""The programs that P4-JIT's README describes: what they compute, and what they print."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import p4kernel as p4
from p4kernel import p4jit
from p4kernel.p4jit import MALLOC_CAP_8BIT, MALLOC_CAP_SPIRAM, P4JIT

LOADING = [
    "Pass 1: Preliminary Build",
    "Allocating device memory",
    "Pass 2: Re-linking with allocated addresses",
    "Uploading binary to device",
    "Function loaded successfully.",
]


def test_connection(board: p4.Board, capsys: pytest.CaptureFixture[str]) -> None:
    jit = P4JIT()
    stats = jit.get_heap_stats()
    assert stats["total_spiram"] // 1024 // 1024 == 32
    assert stats["free_spiram"] == stats["total_spiram"]
    assert stats["total_internal"] == board.info.sram
    assert capsys.readouterr().out == ""


def test_first_function_in_a_process_that_names_no_board(tmp_path: Path) -> None:
    program = tmp_path / "hello.py"
    program.write_text(
        "import numpy as np\n"
        "from p4kernel.p4jit import P4JIT\n"
        "open('sum.c', 'w').write('int sum(int a, int b) { return a + b; }')\n"
        "jit = P4JIT()\n"
        "print('Loading function...')\n"
        "f = jit.load(source='sum.c', function_name='sum')\n"
        "print(f'10 + 20 = {f(np.int32(10), np.int32(20))}')\n"
        "f.free()\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Loading function...", *LOADING, "10 + 20 = 30"]
    assert done.stderr.count("virtual ESP32-P4") == 1


def test_first_function(board: p4.Board, compiler: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("sum.c").write_text("int sum(int a, int b) { return a + b; }\n")
    jit = P4JIT()
    function = jit.load(source="sum.c", function_name="sum")
    result = function(np.int32(10), np.int32(20))
    assert result == 30 and type(result) is np.int32
    function.free()
    assert capsys.readouterr().out.splitlines() == LOADING
    assert board.memory.state().images == 0


def test_inline_code(jit: P4JIT) -> None:
    Path("norm.c").write_text("float norm2(float x, float y) { return x * x + y * y; }\n")
    result = jit.load(source="norm.c", function_name="norm2")(np.float32(3), np.float32(4))
    assert f"Result: {result}" == "Result: 25.0"


def test_files_of_a_folder(jit: P4JIT, compiler: str) -> None:
    source = Path("source")
    source.mkdir()
    (source / "main.c").write_text(
        "#include <stdint.h>\nextern int32_t sq(int32_t x);\n"
        "int32_t sum_of_squares(int32_t a, int32_t b) { return sq(a) + sq(b); }\n"
    )
    (source / "helper.c").write_text("#include <stdint.h>\nint32_t sq(int32_t x) { return x * x; }\n")
    function = jit.load(source="source/main.c", function_name="sum_of_squares")
    assert function(np.int32(3), np.int32(-4)) == 25


def test_functions_of_the_firmware(jit: P4JIT, capsys: pytest.CaptureFixture[str]) -> None:
    Path("calls.c").write_text(r"""
        #include <stdio.h>
        #include <stdlib.h>
        int calls(void)
        {
            printf("Hello from the board!\n");
            int *numbers = malloc(10 * sizeof *numbers);
            if (numbers) {
                numbers[0] = 42;
                printf("numbers[0] = %d\n", numbers[0]);
                free(numbers);
            }
            return 0;
        }
    """)
    function = jit.load(source="calls.c", function_name="calls", use_firmware_elf=True)
    assert function() == 0
    assert capsys.readouterr().out == "Hello from the board!\nnumbers[0] = 42\n"


def test_whole_workflow(jit: P4JIT, compiler: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("gain.c").write_text("""
        #include <stdint.h>
        float apply_gain(uint8_t *data, int len, float gain)
        {
            for (int i = 0; i < len; i++) {
                float value = (float)data[i] * gain;
                if (value > 255.0f)
                    value = 255.0f;
                data[i] = (uint8_t)value;
            }
            return gain;
        }
    """)
    function = jit.load(source="gain.c", function_name="apply_gain")
    data = np.random.default_rng(1).integers(0, 256, 1024, dtype=np.uint8)
    expected = np.minimum(data * np.float32(1.5), 255).astype(np.uint8)
    assert str(function(data, np.int32(len(data)), np.float32(1.5))) == "1.5"
    assert np.array_equal(data, expected)

    binary = function.binary
    assert binary.total_size == len(binary.data) > 50
    binary.print_sections()
    sections = capsys.readouterr().out.splitlines()
    assert sections[0] == "Sections:"
    text = next(line.split() for line in sections[1:] if ".text" in line)
    assert int(text[1], 16) == binary.base_address == function.code_addr
    binary.print_memory_map()
    memory_map = capsys.readouterr().out.splitlines()
    assert memory_map[0] == f"Memory map (base 0x{binary.base_address:08x}):"
    assert memory_map[-1] == f"  Total: {binary.total_size} bytes"
    binary.disassemble(output="disassembly.txt")
    listing = Path("disassembly.txt").read_text()
    assert "apply_gain:" in listing and "fmul.s" in listing and "value > 255.0f" in listing
    assert jit.session.device.read_memory(binary.base_address, 16) == binary.data[:16]


def test_structs_by_hand(jit: P4JIT, compiler: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("point.c").write_text("""
        #include <stdint.h>
        typedef struct { float x; int y; } Point;
        float total(Point *p, int8_t z, uint16_t *numbers)
        {
            return p->x + (float)p->y + (float)z + (float)numbers[0];
        }
    """)
    function = jit.load(source="point.c", function_name="total", smart_args=False)
    device = jit.session.device
    point = device.allocate(8, MALLOC_CAP_SPIRAM | MALLOC_CAP_8BIT, 16)
    device.write_memory(point, struct.pack("<fi", 10.5, 20))
    numbers = device.allocate(2, MALLOC_CAP_SPIRAM | MALLOC_CAP_8BIT, 16)
    device.write_memory(numbers, struct.pack("<H", 100))
    assert point % 16 == numbers % 16 == 0
    assert function(struct.pack("<IiI", point, -5, numbers)) == 0
    (result,) = struct.unpack("<f", device.read_memory(function.args_addr + 124, 4))
    assert result == 125.5
    device.free(point)
    device.free(numbers)
    function.free()
    assert capsys.readouterr().out == ""


def test_arrays_come_back(jit: P4JIT) -> None:
    Path("double.c").write_text("""
        int twice(int *data, int len)
        {
            for (int i = 0; i < len; i++)
                data[i] = data[i] * 2;
            return data[0];
        }
    """)
    function = jit.load(source="double.c", function_name="twice")
    data = np.array([1, 2, 3, 4], dtype=np.int32)
    assert function(data, np.int32(4)) == 2
    assert str(data) == "[2 4 6 8]"
    function.sync_arrays = False
    data = np.array([10, 20, 30, 40], dtype=np.int32)
    assert function(data, np.int32(4)) == 20
    assert str(data) == "[10 20 30 40]"


def test_memory_of_the_firmware(jit: P4JIT, capsys: pytest.CaptureFixture[str]) -> None:
    Path("heap.c").write_text(r"""
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        int heap(void)
        {
            char *buffer = (char *)malloc(64);
            if (buffer == NULL)
                return -1;
            printf("[JIT] at %p\n", buffer);
            snprintf(buffer, 64, "Magic: 0x%X, %zu bytes", 0xDEADBEEF, strlen("four"));
            printf("[JIT] %s\n", buffer);
            free(buffer);
            return 42;
        }
    """)
    function = jit.load(source="heap.c", function_name="heap", use_firmware_elf=True)
    print("Executing")
    result = function()
    print(f"Function returned: {result}")
    out = capsys.readouterr().out
    assert re.fullmatch(
        r"Executing\n\[JIT\] at 0x4[8-9a-f][0-9a-f]{6}\n\[JIT\] Magic: 0xDEADBEEF, 4 bytes\nFunction returned: 42\n",
        out,
    ), out


def test_heap_statistics(jit: P4JIT, capsys: pytest.CaptureFixture[str]) -> None:
    before = jit.get_heap_stats(print_s=True)
    printed = capsys.readouterr().out
    for name, size in before.items():
        assert re.search(rf"{name} *: +{size} bytes", printed), printed
    address = jit.session.device.allocate(1024 * 1024, MALLOC_CAP_SPIRAM | MALLOC_CAP_8BIT, 16)
    assert f"0x{address:08X}".startswith("0x48")
    during = jit.get_heap_stats(print_s=True)
    assert before["free_spiram"] - during["free_spiram"] == 1024 * 1024
    assert "31744.00 KB" in capsys.readouterr().out
    jit.session.device.free(address)
    assert jit.get_heap_stats() == before
    assert capsys.readouterr().out == ""


def test_levels_of_logging(board: p4.Board, capsys: pytest.CaptureFixture[str]) -> None:
    text = "int one(void) { return 1; }"

    def printed(level: str) -> list[str]:
        p4jit.set_log_level(level)
        function = p4jit.P4JIT().load(text, "one")
        assert function() == 1
        function.free()
        return capsys.readouterr().out.splitlines()

    assert printed("INFO") == LOADING
    lines = printed("INFO_VERBOSE")
    assert [line for line in lines if line in LOADING] == LOADING
    assert "Compiling the text" in lines and "Calling one" in lines
    assert any(line.startswith("Connected to <virtual ESP32-P4") for line in lines)
    lines = printed("DEBUG")
    assert [line for line in lines if re.match(r"DEBUG: one: \d+ instructions, .* 1 round trips$", line)]
    for level in ("WARNING", "ERROR", "CRITICAL"):
        assert printed(level) == []
