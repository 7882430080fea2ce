"""What people get wrong: each mistake is one clear error, and leaves nothing behind on the board."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.build import toolchain
from p4kernel.memory import MemoryState
from p4kernel.wire._tables import Status, Type, VersionRsp
from p4kernel.wire.frames import FrameReader, encode

ROOT = Path(__file__).parents[2]


@p4.kernel
def axpy(
    x: p4.In[np.float32], y: p4.InOut[np.float32], a: p4.f32, n: p4.i32 = p4.size("x", "y"), k: p4.u8 = 0
) -> p4.i32:
    p4.c(r"""
        for (int i = 0; i < n; ++i)
            y[i] += a * x[i] + k;
        return n;
    """)


@p4.kernel
def transpose(
    a: p4.In[np.int16],
    out: p4.Out[np.int16],
    rows: p4.i32 = p4.dim("a", 0),
    cols: p4.i32 = p4.dim("a", 1),
) -> None:
    p4.c(r"""
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < cols; ++j)
                out[j * rows + i] = a[i * cols + j];
    """)


@p4.kernel
def poke(address: p4.u32) -> None:
    p4.c("*(volatile uint32_t *)address = 1;")


@p4.kernel
def illegal(wanted: p4.bool_) -> None:
    p4.c(r"""
        if (wanted)
            __asm__ volatile(".4byte 0xffffffff");
    """)


@p4.kernel
def deep(n: p4.i32) -> p4.i32:
    p4.c(
        "return sum(n);",
        preamble="""
        __attribute__((noinline)) static int sum(int n) {
            volatile char room[256];
            room[n & 255] = 1;
            return n ? sum(n + 1) + room[3] : 0;
        }
        """,
    )


@p4.kernel(max_instructions=1000)
def endless() -> None:
    p4.c("for (volatile int i = 0;; ++i) continue;")


@pytest.fixture(scope="module")
def board() -> Iterator[p4.Board]:
    board = p4.connect("sim?psram=8M")
    with board:
        axpy(np.ones(2, np.float32), np.ones(2, np.float32), 1.0)
        transpose(np.ones((2, 2), np.int16), np.ones((2, 2), np.int16))
        poke(board.memory.allocate(4))
        illegal(False)
        deep(0)
        with pytest.raises(p4.KernelTimeout):
            endless()
    board.session.restart()  # frees the allocation; the images stay
    with board:
        axpy(np.ones(2, np.float32), np.ones(2, np.float32), 1.0)  # the board keeps the stack of the last call
    yield board
    board.close()


@pytest.fixture
def held(board: p4.Board) -> Iterator[MemoryState]:
    """The board is current; what it holds after the test is what it held before, and it still works."""
    before = board.memory.state()
    with board:
        yield before
        after = board.memory.state()
        assert after == before
        y = np.ones(3, np.float32)
        assert axpy(np.ones(3, np.float32), y, 2.0) == 3
        assert y.tolist() == [3.0, 3.0, 3.0]


def says(kind: type[Exception], *parts: str) -> contextlib.AbstractContextManager[pytest.ExceptionInfo[Any]]:
    """Expects an error of exactly this type, whose message has each of the parts."""

    @contextlib.contextmanager
    def check() -> Iterator[pytest.ExceptionInfo[Any]]:
        with pytest.raises(kind) as info:
            yield info
        assert type(info.value) is kind
        text = str(info.value)
        for part in parts:
            assert part in text, f"{part!r} is not in:\n{text}"

    return check()


def floats(n: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.ones(n, np.float32)


def untyped(value: Any) -> Any:
    """What a type checker would refuse as well."""
    return value


# -- arguments --------------------------------------------------------------------------------------------------


def test_wrong_dtype(held: MemoryState) -> None:
    wide = untyped(np.ones(4))
    with says(p4.ArgumentError, "axpy: x must have dtype float32, not float64", "x.astype(np.float32)"):
        axpy(wide, floats(4), 1.0)
    with says(p4.ArgumentError, "axpy: y must have dtype float32, not float64", "dtype=np.float32"):
        axpy(floats(4), wide, 1.0)


def test_wrong_byte_order(held: MemoryState) -> None:
    with says(p4.ArgumentError, "axpy: x", "other order", "x.astype(np.float32)"):
        axpy(floats(4).astype(">f4"), floats(4), 1.0)


def test_no_array(held: MemoryState) -> None:
    with says(p4.ArgumentError, "axpy: x must be an array", "not list", "np.asarray(x, dtype=np.float32)"):
        axpy(untyped([1.0, 2.0]), floats(2), 1.0)


def test_wrong_length(held: MemoryState) -> None:
    with says(p4.ArgumentError, "x and y must agree in size", "4 and 5"):
        axpy(floats(4), floats(5), 1.0)
    with says(p4.ArgumentError, "n = 5 is more than x, y hold (4)", "leave n out"):
        axpy(floats(4), floats(4), 1.0, 5)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: untyped(axpy)(floats(4)), ("axpy is missing y, a",)),
        (lambda: untyped(axpy)(floats(4), floats(4), 1.0, 4, 0, 7), ("axpy takes 5", "6 were given", "x, y, a, n, k")),
        (lambda: untyped(axpy)(floats(4), floats(4), scale=1.0), ("no parameter 'scale'", "it has x, y, a, n, k")),
        (lambda: untyped(axpy)(floats(4), floats(4), 1.0, x=floats(4)), ("axpy got 'x' twice",)),
    ],
)
def test_wrong_number_of_arguments(held: MemoryState, call: Callable[[], object], parts: tuple[str, ...]) -> None:
    with says(p4.ArgumentError, *parts):
        call()


def test_argument_errors_are_type_errors(held: MemoryState) -> None:
    with pytest.raises(TypeError):
        untyped(axpy)()


def test_300_for_a_u8(held: MemoryState) -> None:
    with says(p4.ArgumentError, "axpy: k: 300 does not fit p4.u8, which holds 0 to 255"):
        axpy(floats(4), floats(4), 1.0, k=300)
    with says(p4.ArgumentError, "axpy: k: -1 does not fit p4.u8"):
        axpy(floats(4), floats(4), 1.0, k=-1)


def test_fraction_for_an_integer(held: MemoryState) -> None:
    with says(p4.ArgumentError, "axpy: n: p4.i32 takes an integer, not 3.7", "round(n)", "int(n)"):
        axpy(floats(4), floats(4), 1.0, n=untyped(3.7))


def test_nan_for_an_integer(held: MemoryState) -> None:
    for value in (float("nan"), np.float32("nan"), float("inf")):
        with says(p4.ArgumentError, "axpy: n: p4.i32 takes an integer", repr(value)):
            axpy(floats(4), floats(4), 1.0, n=untyped(value))


def test_read_only_output(held: MemoryState) -> None:
    y = floats(4)
    y.flags.writeable = False
    with says(p4.ArgumentError, "axpy: y is read-only", "pass a copy"):
        axpy(floats(4), y, 1.0)
    assert axpy(y, floats(4), 1.0) == 4  # as an input it is welcome


def test_object_array(held: MemoryState) -> None:
    with says(p4.ArgumentError, "axpy: x must have dtype float32, not object", "no C form"):
        axpy(untyped(np.array([1, None], dtype=object)), floats(2), 1.0)


# -- shapes that are no mistakes --------------------------------------------------------------------------------


def test_empty_array(held: MemoryState) -> None:
    assert axpy(floats(0), floats(0), 1.0) == 0


def test_array_of_length_one(held: MemoryState) -> None:
    y = floats(1)
    assert axpy(floats(1), y, 2.0) == 1
    assert y.tolist() == [3.0]


def test_zero_dimensional_array(held: MemoryState) -> None:
    y = np.array(1.0, np.float32)
    assert axpy(np.array(2.0, np.float32), y, 3.0) == 1
    assert y == 7.0
    with says(p4.ArgumentError, "a has 0 dimensions", "axis 0"):
        transpose(np.array(1, np.int16), np.zeros(1, np.int16))
    with says(p4.ArgumentError, "axpy: a: p4.f32 is one number, not an array of shape (1,)", ".item()"):
        axpy(floats(1), floats(1), untyped(floats(1)))


def test_fortran_ordered_matrix(held: MemoryState) -> None:
    a = np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3))
    out = np.zeros((3, 2), np.int16, order="F")
    transpose(a, out)
    assert np.array_equal(out, a.T)
    assert out.flags.f_contiguous


# -- stubs ------------------------------------------------------------------------------------------------------


def test_no_return_annotation(held: MemoryState) -> None:
    def stub(n: p4.i32):  # type: ignore[no-untyped-def]
        p4.c("")

    with says(p4.SignatureError, "stub", "say what the kernel returns", "-> None"):
        p4.kernel(stub)


def test_no_p4_type(held: MemoryState) -> None:
    def number(n: int) -> None:
        p4.c("")

    def array(x: np.ndarray) -> None:
        p4.c("")

    with says(p4.SignatureError, "parameter 'n'", "int is no type of a kernel parameter", "p4.i32"):
        p4.kernel(number)
    with says(p4.SignatureError, "parameter 'x'", "p4.In[np.float32]"):
        p4.kernel(array)


def test_c_syntax_error(held: MemoryState) -> None:
    @p4.kernel
    def broken(n: p4.i32) -> p4.i32:
        p4.c(r"""
            int twice = 2 * n
            return twice;
        """)

    with says(p4.CompileError, "broken does not compile", "test_mistakes.py", "int twice = 2 * n") as info:
        broken(1)
    place = info.value.diagnostics[0]
    assert "int twice" in Path(place.file).read_text().splitlines()[place.line - 1]


def test_unknown_symbol(held: MemoryState) -> None:
    @p4.kernel
    def calls(x: p4.f32) -> p4.f32:
        p4.c("return sinff(x);", preamble="float sinff(float);")

    with says(p4.LinkError, "sinff", "sinf"):
        calls(1.0)


def test_no_compiler(held: MemoryState, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("P4KERNEL_CC", "no-such-compiler-gcc")
    monkeypatch.setenv("P4KERNEL_CACHE_DIR", str(tmp_path))

    @p4.kernel
    def never_built() -> p4.i32:
        p4.c("return 20240229;")

    with says(p4.ToolchainError, "P4KERNEL_CC", "no-such-compiler-gcc"):
        never_built()
    monkeypatch.delenv("P4KERNEL_CC")
    absent = toolchain.Candidate("ziglang", None, None, None, "not installed")
    monkeypatch.setattr(toolchain, "_zig", lambda: absent)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("IDF_TOOLS_PATH", str(tmp_path))
    with says(p4.ToolchainError, "no compiler", "pip install 'p4kernel[zig]'"):
        never_built()


# -- boards -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def peer(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """Something on a TCP port that is no board: the URL of it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1 << 16):
                connection.sendall(answer(data))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        thread.join()


def test_port_that_does_not_exist(held: MemoryState) -> None:
    with says(p4.BoardError, "/dev/ttyNOWHERE", "no such port"):
        p4.connect("/dev/ttyNOWHERE")
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    with says(p4.BoardError, f"tcp://127.0.0.1:{number}", "p4kernel serve"):
        p4.connect(f"tcp://127.0.0.1:{number}")


def test_port_that_is_no_board(held: MemoryState) -> None:
    with peer(lambda data: b"login: ") as url, says(p4.ProtocolError, url, "not a p4kernel board", "flashed"):
        p4.connect(url)


def test_firmware_of_another_version(held: MemoryState) -> None:
    reader = FrameReader()

    def answer(data: bytes) -> bytes:
        refusal = VersionRsp(7, 9).pack()
        return b"".join(encode(Type.RSP, 0, 0, arg=Status.VERSION, payload=refusal) for _ in reader.feed(data))

    with peer(answer) as url, says(p4.ProtocolError, url, "versions 7 to 9", "this host speaks version", "flash"):
        p4.connect(url)


def test_array_larger_than_the_memory(held: MemoryState) -> None:
    big = np.ones(3 << 20, np.float32)  # twice 12 MB, of 8
    with says(p4.OutOfMemory, "axpy", "x 12,582,912 bytes", "bytes free"):
        axpy(big, big.copy(), 1.0)
    with pytest.raises(MemoryError):
        axpy(big, big.copy(), 1.0)


# -- kernels that go wrong --------------------------------------------------------------------------------------


def test_write_far_outside_memory(held: MemoryState) -> None:
    with says(p4.KernelFault, "poke: store access fault at address 0x00000010", "test_mistakes.py") as info:
        poke(0x10)
    assert (info.value.cause, info.value.address) == (7, 0x10)
    assert info.value.backtrace[0].function == "poke"


def test_stack_overflow(held: MemoryState) -> None:
    with says(p4.KernelFault, "deep: store access fault", "its stack is too small?", "stack="):
        deep(1)


def test_endless_loop(held: MemoryState) -> None:
    with says(p4.KernelTimeout, "endless reached its limit of 1,000 instructions", "max_instructions="):
        endless()


def test_nothing_but_undefined_behaviour(held: MemoryState) -> None:
    @p4.kernel
    def jumps() -> None:
        p4.c("((void (*)(void))0)();")

    with says(p4.LinkError, "the compiler left no code", "NULL"):
        jumps()


_NO_CURRENT_BOARD = """
import p4kernel as p4

@p4.kernel
def answer() -> p4.i32:
    p4.c("return 42;")

assert answer() == 42  # nobody named a board yet: the virtual one serves
board = p4.connect("sim")
try:
    answer()
except p4.BoardError as error:
    print(error)
with board:
    assert answer() == 42
"""


def test_no_current_board() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _NO_CURRENT_BOARD], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("no current board here")
    assert "with board:" in done.stdout
    assert len(done.stderr.splitlines()) == 1  # the notice about the virtual board, and no word at the end


def test_illegal_instruction(held: MemoryState) -> None:
    with says(p4.KernelFault, "illegal: illegal instruction", "test_mistakes.py") as info:
        illegal(True)
    assert info.value.cause == 2
