"""Kernels that do not return, and sources that do not compile: what the author is told, and that the board lives."""

from __future__ import annotations

import _thread
import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import p4kernel as p4

HERE = __file__


def line_of(function: Any, text: str) -> int:
    lines, start = inspect.getsourcelines(function)
    return start + next(i for i, line in enumerate(lines) if text in line)


@contextmanager
def lives(board: p4.Board) -> Iterator[None]:
    """The board works afterwards as before, and has nothing left allocated by the call."""
    probe()
    before = board.memory.state()
    yield
    assert probe() == 42
    after = board.memory.state()
    assert after.allocations == before.allocations


@p4.kernel
def probe() -> p4.i32:
    p4.c("return 42;")


@p4.kernel
def scribble(x: p4.InOut[np.int32], address: p4.u32) -> None:
    p4.c("""
        x[0] = 1;
        volatile uint32_t *p = (volatile uint32_t *)address;
        *p = 5;   /* here */
    """)


def test_write_far_outside_memory(board: p4.Board) -> None:
    x = np.zeros(4, np.int32)
    with lives(board), pytest.raises(p4.KernelFault) as caught:
        scribble(x, 0xDEAD0000)
    fault = caught.value
    assert fault.cause == 7 and fault.address == 0xDEAD0000 and len(fault.registers) == 32
    assert "scribble: store access fault at address 0xdead0000" in str(fault)
    frame = fault.backtrace[0]
    assert frame.file == HERE and frame.line == line_of(scribble.__wrapped__, "/* here */")
    assert f"{HERE}:{frame.line}" in str(fault)
    assert not x.any(), "a failed call leaves the arrays as they were"


def test_null_pointer_says_so(board: p4.Board) -> None:
    with lives(board), pytest.raises(p4.KernelFault, match="NULL"):
        scribble(np.zeros(1, np.int32), 0)


def test_illegal_instruction(board: p4.Board) -> None:
    @p4.kernel
    def bad() -> None:
        p4.asm(".word 0xffffffff\nret")

    with lives(board), pytest.raises(p4.KernelFault, match="illegal instruction 0xffffffff") as caught:
        bad()
    assert caught.value.cause == 2


def test_jump_into_nothing(board: p4.Board) -> None:
    @p4.kernel
    def jump() -> None:
        p4.c("((void (*)(void))0x1000)();")

    with lives(board), pytest.raises(p4.KernelFault, match="instruction access fault at address 0x00001000"):
        jump()


def test_stack_overflow(board: p4.Board) -> None:
    @p4.kernel(opt="O0", timeout=5)
    def deep(n: p4.i32) -> p4.i32:
        p4.c(
            "return down(n);",
            preamble="int down(int n) { volatile char a[4000]; a[0] = n; return n ? down(n - 1) + a[0] : 0; }",
        )

    assert deep(2) == 3
    with lives(board), pytest.raises(p4.KernelFault):
        deep(1_000_000)


def test_backtrace_names_the_callers(board: p4.Board) -> None:
    @p4.kernel(opt="O1")
    def outer(p: p4.u32) -> p4.i32:
        p4.c(
            "return inner((int *)p) + 1;",
            preamble="__attribute__((noinline)) static int inner(int *p) { return *p + 1; }",
        )

    with pytest.raises(p4.KernelFault) as caught:
        outer(16)
    names = [frame.function or "" for frame in caught.value.backtrace]
    assert names[0].startswith("inner") and any(n.startswith(("outer", "p4_entry")) for n in names[1:])


def test_time_limit(board: p4.Board) -> None:
    @p4.kernel(timeout=0.2)
    def forever() -> None:
        p4.c("for (volatile int i = 0;; ++i) { }")

    with lives(board), pytest.raises(p4.KernelTimeout, match=r"forever reached its limit of 0.2 s") as caught:
        forever()
    assert caught.value.instructions > 1000 and caught.value.backtrace[0].file == HERE
    assert isinstance(caught.value, TimeoutError)


def test_instruction_limit_is_exact(board: p4.Board) -> None:
    @p4.kernel(max_instructions=1000)
    def forever() -> None:
        p4.c("for (volatile int i = 0;; ++i) { }")

    with lives(board), pytest.raises(p4.KernelTimeout, match="1,000 instructions") as caught:
        forever()
    assert caught.value.instructions == 1000


def test_ctrl_c_ends_the_kernel(board: p4.Board) -> None:
    @p4.kernel(timeout=60)
    def forever() -> None:
        p4.c("for (volatile int i = 0;; ++i) { }")

    timer = threading.Timer(0.3, _thread.interrupt_main)
    with lives(board), pytest.raises(KeyboardInterrupt):
        timer.start()
        forever()
    timer.join()


def compile_error(kernel: Any, *args: Any) -> p4.CompileError:
    with pytest.raises(p4.CompileError) as caught:
        kernel(*args)
    return caught.value


def test_syntax_error_is_shown_in_the_python_file(board: p4.Board) -> None:
    @p4.kernel
    def broken(x: p4.i32) -> p4.i32:
        p4.c("""
            int a = x +;   /* broken */
            return a;
        """)

    error = compile_error(broken, 1)
    line = line_of(broken.__wrapped__, "/* broken */")
    (first, *_) = error.diagnostics
    assert first.file == HERE and first.line == line and first.severity == "error"
    source = inspect.getsourcelines(broken.__wrapped__)
    column = source[0][line - source[1]].index("+;") + 1
    assert abs(first.column - column) <= 1
    assert f"{HERE}:{line}:{first.column}: error:" in str(error) and "int a = x +;" in str(error) and "^" in str(error)


def test_error_in_computed_text_shows_the_call(board: p4.Board) -> None:
    name = "missing"

    @p4.kernel
    def broken() -> p4.i32:
        p4.c(f"return\n {name};")

    error = compile_error(broken)
    assert error.diagnostics[0].line == line_of(broken.__wrapped__, "p4.c(f")
    assert "line 2 of the text" in str(error) and "missing" in str(error)


def test_undeclared_function_names_the_header(board: p4.Board) -> None:
    @p4.kernel
    def broken(x: p4.f32) -> p4.f32:
        p4.c("return sinf(x);")

    assert "#include <math.h>" in str(compile_error(broken, 1.0))


def test_unknown_symbol_names_near_ones(board: p4.Board) -> None:
    @p4.kernel
    def broken(x: p4.f32) -> p4.f32:
        p4.c("return sinff(x);", preamble="float sinff(float);")

    with lives(board), pytest.raises(p4.LinkError, match="sinff") as caught:
        broken(1.0)
    assert "sinf" in str(caught.value).replace("sinff", "")


def test_warnings_are_shown_once_with_their_place(board: p4.Board, capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel
    def warned(x: p4.i32) -> p4.i32:
        p4.c("""
            int unused_thing = 3;
            return x;
        """)

    warned(1)
    warned(1)
    text = capsys.readouterr().err
    assert text.count("unused_thing") == 1 and f"{HERE}:{line_of(warned.__wrapped__, 'int unused_thing')}" in text


def test_looking_at_a_kernel(board: p4.Board) -> None:
    @p4.kernel
    def seen(x: p4.In[np.float32]) -> p4.f32:
        p4.c("""
            return x[0] * 2.0f;   /* double it */
        """)

    assert "float seen(const float *x)" in seen.source
    assert "not built yet" in repr(seen) and "float seen(const float *x)" in repr(seen)
    text = seen.disassemble()
    assert "fmul.s" in text or "fadd.s" in text
    assert "double it" in text and "ret" in text
    assert "bytes of code" in repr(seen)
