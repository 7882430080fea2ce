"""Each mistake is one clear error, of the kind that P4-JIT's programs catch, and leaves nothing on the board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from p4kernel import p4jit
from p4kernel.p4jit import MALLOC_CAP_INTERNAL, MALLOC_CAP_RTCRAM, MALLOC_CAP_SPIRAM, P4JIT

TEXT = "#include <stdint.h>\nint f(int32_t *x, uint8_t n, float y) { return x[0] + n + (int)y; }"
GOOD: tuple[Any, ...] = (np.zeros(2, np.int32), np.uint8(2), np.float32(1))
WRONG: list[tuple[tuple[Any, ...], type[Exception], str]] = [
    ((*GOOD[:1], 2, GOOD[2]), TypeError, r"f: n: Expected NumPy scalar, got int; pass np.uint8\(n\)"),
    ((*GOOD[:2], 1.0), TypeError, r"f: y: Expected NumPy scalar, got float; pass np.float32\(y\)"),
    (([1, 2], *GOOD[1:]), TypeError, "f: x: Expected NumPy array, got list"),
    ((None, *GOOD[1:]), TypeError, "f: x: Expected NumPy array, got NoneType"),
    ((GOOD[0].astype(np.float32), *GOOD[1:]), TypeError, "x must have dtype int32, not float32"),
    ((GOOD[0].astype(np.uint32), *GOOD[1:]), TypeError, "x must have dtype int32, not uint32"),
    ((GOOD[0], np.int32(300), GOOD[2]), TypeError, "n: 300 does not fit p4.u8"),
    ((GOOD[0], np.float32(3.7), GOOD[2]), TypeError, "n: p4.u8 takes an integer"),
    ((GOOD[0], np.zeros(3, np.uint8), GOOD[2]), TypeError, "n: Expected NumPy scalar, got ndarray"),
    (GOOD[:2], ValueError, r"f: Expected 3 arguments \(x, n, y\), got 2"),
    ((*GOOD, np.int32(1)), ValueError, "Expected 3 arguments .*, got 4"),
]


@pytest.mark.parametrize(("arguments", "kind", "text"), WRONG, ids=[text[:30] for *_, text in WRONG])
def test_arguments(arguments: tuple[Any, ...], kind: type[Exception], text: str, jit: P4JIT) -> None:
    f = jit.load(TEXT, "f")
    with pytest.raises(kind, match=text) as caught:
        f(*arguments)
    assert isinstance(caught.value, p4.ArgumentError)
    assert f(*GOOD) == 3


def test_text_pointers_want_bytes(jit: P4JIT) -> None:
    f = jit.load("int f(const char *s) { return s[0]; }", "f")
    with pytest.raises(TypeError, match=r"f: s: elements of one byte are wanted, .* not dtype int32"):
        f(np.zeros(4, np.int32))


def test_read_only_arrays(jit: P4JIT) -> None:
    f = jit.load(TEXT, "f")
    x = np.zeros(2, np.int32)
    x.flags.writeable = False
    with pytest.raises(TypeError, match="x is read-only"):
        f(x, *GOOD[1:])
    f.sync_arrays = False
    assert f(x, *GOOD[1:]) == 3


def test_a_freed_function(jit: P4JIT) -> None:
    f = jit.load("int f(void) { return 1; }", "f")
    f.free()
    with pytest.raises(RuntimeError, match="f has been freed and is no longer valid"):
        f()
    assert repr(f) == "<p4jit function int f(void), freed>"


def test_what_goes_wrong_on_the_board(jit: P4JIT) -> None:
    Path("crash.c").write_text("int f(int *x)\n{\n    return *(volatile int *)0 + x[0];\n}\n")
    crash = jit.load("crash.c", "f")
    with pytest.raises(p4.KernelFault, match="load access fault at address 0x00000000") as caught:
        crash(np.zeros(1, np.int32))
    assert (caught.value.backtrace[0].file, caught.value.backtrace[0].line) == (str(Path("crash.c").absolute()), 3)
    loop = jit.load("void f(void) { for (volatile int i = 0;; ++i) continue; }", "f", timeout=0.2)
    with pytest.raises(p4.KernelTimeout):
        loop()
    assert jit.load("int f(void) { return 1; }", "f")() == 1


def test_a_board_that_was_closed(board: p4.Board) -> None:
    p4jit.set_log_level("ERROR")
    jit = P4JIT("sim")
    f = jit.load("int f(void) { return 1; }", "f")
    jit.session.device.disconnect()
    with pytest.raises(RuntimeError, match="the device is not connected"):
        jit.load("int f(void) { return 1; }", "f")
    with pytest.raises(p4.BoardError, match="closed"):
        f()


@pytest.mark.parametrize(
    ("load", "kind", "text"),
    [
        (lambda jit: jit.load("none.c", "f"), FileNotFoundError, r"none\.c: there is no such file"),
        (lambda jit: jit.load(".", "f"), FileNotFoundError, "this is a folder"),
        (lambda jit: jit.load(b"int f(void);", "f"), TypeError, "the path of a C or C.. file, or C text, not bytes"),
        (lambda jit: jit.load(TEXT, "g"), ValueError, "Function 'g' not found in the text; it has f"),
        (lambda jit: jit.load("static int f(void) { return 1; }", "f"), ValueError, "f is static or inline"),
        (lambda jit: jit.load("int f(int n, ...) { return n; }", "f"), ValueError, r"variable number of arguments"),
        (lambda jit: jit.load("int f(void) { return nothing; }", "f"), RuntimeError, "Compilation failed.*\n?.*nothing"),
        (lambda jit: jit.load('#include "none.h"\nint f(void) { return 1; }', "f"), RuntimeError, "none.h"),
        (lambda jit: jit.load("int f(void);\n", "f"), RuntimeError, "Linking failed: .*f"),
        (lambda jit: jit.load("int g(void); int f(void) { return g(); }", "f"), RuntimeError, "undefined symbol .g."),
        (
            lambda jit: jit.load("#include <stdio.h>\nint f(void) { return puts(\"x\"); }", "f", use_firmware_elf=False),
            RuntimeError, "Linking failed: puts: not defined in the text .* use_firmware_elf=True",
        ),
        (lambda jit: jit.load("double f(double x) { return x; }", "f", smart_args=False), p4.SignatureError, "slot of 4 bytes"),
        (lambda jit: jit.load(TEXT, "f", optimization="O9"), p4.SignatureError, "levels are O0"),
        (lambda jit: jit.load(TEXT, "f", alignment=24), p4.SignatureError, "a power of 2"),
        (lambda jit: jit.load(TEXT, "f", code_caps=MALLOC_CAP_RTCRAM), ValueError, "code_caps: MALLOC_CAP_RTCRAM"),
        (lambda jit: jit.load(TEXT, "f", data_caps=MALLOC_CAP_INTERNAL | MALLOC_CAP_SPIRAM), ValueError, "psram and internal"),
        (lambda jit: jit.load(TEXT, "f", data_caps=1 << 31), ValueError, "0x80000000 is no capability"),
        (lambda jit: jit.load(TEXT, "f", data_caps="psram"), TypeError, "MALLOC_CAP_... values"),
    ],
)  # fmt: skip
def test_loading(load: Callable[[P4JIT], Any], kind: type[Exception], text: str, jit: P4JIT) -> None:
    with pytest.raises(kind, match=text):
        load(jit)


def test_places_of_compile_errors(jit: P4JIT) -> None:
    Path("bad.c").write_text("int f(void)\n{\n    return missing;\n}\n")
    with pytest.raises(p4jit.CompilationFailed) as caught:
        jit.load("bad.c", "f")
    (found,) = [d for d in caught.value.diagnostics if d.severity == "error"]
    assert (found.file, found.line) == (str(Path("bad.c").absolute()), 3)


def test_assembly_has_no_prototype(jit: P4JIT) -> None:
    Path("f.S").write_text(".globl f\nf: ret\n")
    with pytest.raises(ValueError, match=r"assembly has no prototype; .* p4\.cdef"):
        jit.load("f.S", "f")
    Path("f.txt").write_text("int f(void) { return 1; }")
    with pytest.raises(ValueError, match="source files end in"):
        jit.load("f.txt", "f")
    Path("f.cpp").write_text("int g() { return 1; }")
    with pytest.raises(ValueError, match=r"Function 'f' not found in f\.cpp"):
        jit.load("f.cpp", "f")


def test_slots(jit: P4JIT) -> None:
    f = jit.load("int f(int a, int b) { return a + b; }", "f", smart_args=False)
    for arguments in ((), (b"", b""), (np.int32(1), np.int32(2)), (bytes(129),)):
        with pytest.raises(ValueError, match="f: "):
            f(*arguments)
    names = ", ".join(f"int a{i}" for i in range(32))
    with pytest.raises(p4.SignatureError, match="32 parameters do not fit the 31 slots"):
        jit.load(f"int g({names}) {{ return a0; }}", "g", smart_args=False)


def test_memory(jit: P4JIT) -> None:
    device = jit.session.device
    address = device.allocate(64, MALLOC_CAP_SPIRAM, 16)
    for bad in (
        lambda: device.write_memory(0xDEADBEEF, b"1234"),
        lambda: device.write_memory(address + 62, b"1234"),
        lambda: device.read_memory(address, 65),
        lambda: device.read_memory(0x40000000, 4),
    ):
        with pytest.raises(PermissionError, match=r"Segmentation Fault: \w+ of \d+ bytes at 0x"):
            bad()
    with pytest.raises(ValueError, match="was not allocated with device.allocate"):
        device.free(address + 16)
    device.free(address)
    with pytest.raises(ValueError, match="or was freed before"):
        device.free(address)
    with pytest.raises(MemoryError, match="no memory for this ALLOC"):
        device.allocate(1 << 30, MALLOC_CAP_SPIRAM, 16)
    with pytest.raises(p4.BoardError, match="alignments are powers of 2"):
        device.allocate(64, 0, 24)


def test_no_such_port() -> None:
    with pytest.raises(RuntimeError, match="no-such-port") as caught:
        P4JIT(port="/dev/no-such-port")
    assert isinstance(caught.value, p4.BoardError)


def test_the_virtual_board_is_no_fallback() -> None:
    """As for kernels: a process that named a board once gets no other one without a word."""
    jit = P4JIT("sim")
    with pytest.raises(RuntimeError, match="this process has named one elsewhere") as caught:
        P4JIT()
    assert isinstance(caught.value, p4.BoardError)
    jit.session.device.disconnect()


def test_what_does_not_exist_says_what_to_use(jit: P4JIT) -> None:
    f = jit.load("int f(void) { return 1; }", "f")
    for owner, name, advice in (
        (jit, "builder", "kernel.build"),
        (jit.session, "load_function", r"jit\.load"),
        (jit.session.device, "_send_packet", "another wire protocol"),
        (jit.session.device, "serial", r"board\.session"),
        (jit.session.device, "execute", r"jit\.load returns"),
        (f, "remote_func", "called directly"),
    ):
        with pytest.raises(AttributeError, match=rf"\.{name} of P4-JIT does not exist here: .*{advice}"):
            getattr(owner, name)
        assert not hasattr(owner, "no_such_name")
    with pytest.raises(ImportError, match=r"p4jit\.Builder of P4-JIT does not exist here"):
        from p4kernel.p4jit import Builder  # type: ignore[attr-defined]  # noqa: F401  # pyright: ignore
    with pytest.raises(AttributeError, match="'no_such_name'"):
        getattr(p4jit, "no_such" + "_name")


def test_log_levels_and_settings(board: p4.Board, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="there is no log level 'LOUD'; levels are DEBUG, INFO_VERBOSE"):
        p4jit.set_log_level("LOUD")
    P4JIT(config_path="my/toolchain.yaml")
    assert capsys.readouterr().out.startswith("WARNING: my/toolchain.yaml is not read: ")
