"""Function pointers: Python functions that kernels call, functions of the board's, and what can go wrong with both."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from tests.bridge.conftest import open_board

pytestmark = pytest.mark.usefixtures("compiler", "board")


class Point(p4.struct):
    x: p4.f32
    y: p4.f32


class Color(enum.IntEnum):
    RED = 1
    BLUE = 7


@p4.kernel
def apply(f: p4.fn[[p4.i32], p4.i32], n: p4.i32) -> p4.i32:
    p4.c("int sum = 0; for (int i = 0; i < n; ++i) sum += f(i); return sum;")


def test_a_python_function_is_called_with_its_arguments() -> None:
    seen: list[int] = []

    def double(i: int) -> int:
        seen.append(i)
        return 2 * i

    assert apply(double, 5) == 20
    assert seen == [0, 1, 2, 3, 4]
    assert apply(lambda i: -i, 3) == -3
    assert apply(double, 0) == 0


def test_numbers_of_all_types_both_ways() -> None:
    @p4.kernel
    def call(
        f: p4.fn[[p4.i8, p4.u16, p4.i64, p4.u64, p4.f32, p4.f64, p4.bool_, p4.size_t], p4.f64], out: p4.Out[np.float64]
    ) -> None:
        p4.c("out[0] = f(-5, 60000, INT64_MIN, UINT64_MAX, 1.5f, 0.1, true, 77);")

    def check(*values: object) -> float:
        assert values == (-5, 60000, -(2**63), 2**64 - 1, 1.5, 0.1, True, 77)
        assert [type(v) for v in values] == [int, int, int, int, float, float, bool, int]
        return 2.5e300

    out = np.zeros(1)
    call(check, out)
    assert out[0] == 2.5e300


@pytest.mark.parametrize(
    "result, value",
    [
        (p4.i8, -128), (p4.u8, 255), (p4.i16, -(2**15)), (p4.u16, 65535), (p4.i32, -(2**31)), (p4.u32, 2**32 - 1),
        (p4.i64, -(2**63)), (p4.u64, 2**64 - 1), (p4.f32, 0.5), (p4.f64, 0.1), (p4.bool_, True), (p4.size_t, 9),
    ],
)  # fmt: skip
def test_results_of_all_types(result: Any, value: object) -> None:
    def stub(f: Any) -> Any:
        p4.c("return f();")

    stub.__annotations__ = {"f": p4.fn[[], result], "return": result}  # type: ignore[misc]
    assert p4.kernel(stub)(lambda: value) == value


def test_structs_enums_and_nothing() -> None:
    @p4.kernel
    def call(f: p4.fn[[Point, Color, p4.i32], Point], g: p4.fn[[Color], Color], h: p4.fn[[], None]) -> p4.f32:
        p4.c("""
            struct Point p = {1, 2}, q = f(p, Color_BLUE, -3);
            h();
            return g(Color_RED) == Color_BLUE ? q.x * 10 + q.y : -1;
        """)

    calls: list[object] = []

    def f(point: Point, color: Color, number: int) -> Point:
        calls.append((float(point.x), float(point.y), color, number))
        return Point(x=point.y, y=5)

    assert call(f, lambda color: Color.BLUE, lambda: calls.append("h")) == 25
    assert calls == [(1.0, 2.0, Color.BLUE, -3), "h"]


def test_two_functions_at_once_and_one_twice() -> None:
    @p4.kernel
    def call(f: p4.fn[[p4.i32], p4.i32], g: p4.fn[[p4.i32], p4.i32]) -> p4.i32:
        p4.c("return f(1) * 100 + g(2) * 10 + f(g(3));")

    assert call(lambda i: i + 1, lambda i: i + 2) == 246
    one: Callable[[int], int] = lambda i: i + 1  # noqa: E731
    assert call(one, one) == 235


def test_declared_callbacks_are_compared_with_the_parameter() -> None:
    @p4.callback
    def fits(i: p4.i32) -> p4.i32:
        return i * 3

    @p4.callback
    def other(i: p4.f32) -> p4.i32:
        return 1

    assert fits(2) == 6 and "p4.fn[[p4.i32], p4.i32]" in repr(fits)
    assert apply(fits, 4) == 18
    with pytest.raises(p4.ArgumentError, match=r"other is p4.fn\[\[p4.f32\], p4.i32\]"):
        apply(other, 1)


def test_a_function_of_the_firmware_by_its_address(board: p4.Board) -> None:
    @p4.kernel
    def call(f: p4.fn[[p4.f32], p4.f32], x: p4.f32) -> p4.f32:
        p4.c("return f(x);")

    assert call(board.exports["sqrtf"], 16) == 4
    assert call(lambda x: x / 2, 16) == 8


def test_functions_that_take_pointers_are_the_boards(board: p4.Board) -> None:
    @p4.kernel
    def call(f: p4.fn[[p4.cstr], p4.size_t], text: p4.cstr) -> p4.size_t:
        p4.c("return f(text);")

    assert call(board.exports["strlen"], "five!") == 5
    with pytest.raises(p4.ArgumentError, match="takes a pointer, which a Python function cannot follow"):
        call(len, "text")


def test_a_function_of_a_module(board: p4.Board) -> None:
    m = p4.module("static int calls; int twice(int x) { ++calls; return 2 * x; }")

    @m.kernel
    def count() -> p4.i32:
        p4.c("return calls;")

    assert apply(m.function("twice"), 4) == 12
    assert m.calls == 4 == count()
    with pytest.raises(p4.Error, match="has no function or variable 'thrice'"):
        apply(m.function("thrice"), 1)
    with open_board() as other:  # which has a copy of its own
        assert apply(m.function("twice"), 3) == 6
    other.close()
    assert m.calls == 4


def test_a_module_that_a_timer_uses_is_not_unloaded(board: p4.Board) -> None:
    m = p4.module("""
        #include <esp_timer.h>
        esp_timer_handle_t timer;
        static void fires(void *p) { }
    """)

    @m.kernel
    def start() -> None:
        p4.c("""
            esp_timer_create_args_t args = {.callback = fires};
            esp_timer_create(&args, &timer), esp_timer_start_periodic(timer, 1000);
        """)

    @m.kernel
    def stop() -> None:
        p4.c("esp_timer_stop(timer), esp_timer_delete(timer);")

    start()
    with pytest.raises(p4.BoardError, match="still in use"):
        m.free()
    stop()
    m.free()


def test_null_where_the_parameter_is_optional() -> None:
    @p4.kernel
    def call(f: p4.fn[[p4.i32], p4.i32] | None = None) -> p4.i32:
        p4.c("return f ? f(1) : -1;")

    assert call() == -1 and call(None) == -1 and call(lambda i: i) == 1
    with pytest.raises(p4.ArgumentError, match="must be a function"):
        apply(None, 1)  # type: ignore[arg-type]


def test_text_and_calls_come_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel
    def call(f: p4.fn[[p4.i32], None]) -> None:
        p4.c(
            r'for (int i = 0; i < 3; ++i) { printf("before %d\n", i); f(i); printf("after %d\n", i); }',
            preamble="#include <stdio.h>",
        )

    call(lambda i: print("python", i))
    want = "".join(f"before {i}\npython {i}\nafter {i}\n" for i in range(3))
    assert capsys.readouterr().out == want


def test_callbacks_from_a_task_and_out_of_qsort() -> None:
    @p4.kernel
    def call(x: p4.InOut[np.int32], f: p4.fn[[p4.i32, p4.i32], p4.i32], n: p4.i32 = p4.size("x")) -> None:
        p4.c(
            """
            compare = f;
            qsort(x, n, sizeof *x, by_python);
            xTaskCreate(asks, "asks", 4096, x, 5, NULL);
            vTaskDelay(2);
        """,
            preamble="""
            #include <stdlib.h>
            #include <freertos/FreeRTOS.h>
            #include <freertos/task.h>
            static int32_t (*compare)(int32_t, int32_t);
            static int by_python(const void *a, const void *b) { return compare(*(int32_t *)a, *(int32_t *)b); }
            static void asks(void *x) { *(int32_t *)x = compare(100, 1); vTaskDelete(NULL); }
        """,
        )

    x = np.array([3, 1, 2, 9, 5], np.int32)
    call(x, lambda a, b: b - a)
    assert x.tolist() == [-99, 5, 3, 2, 1]


def test_time_in_python_does_not_count() -> None:
    def waits() -> None:
        threading.Event().wait(0.3)

    @p4.kernel(timeout=0.05)
    def call(f: p4.fn[[], None]) -> p4.i32:
        p4.c("f(); return 7;")

    assert call(waits) == 7
    assert call.last.elapsed < 0.25


def test_an_exception_ends_the_kernel_and_is_raised_from_the_call() -> None:
    out = np.full(3, 5, np.int32)

    @p4.kernel
    def call(f: p4.fn[[p4.i32], p4.i32], out: p4.Out[np.int32]) -> None:
        p4.c("for (int i = 0; ; ++i) out[i % 3] = f(i);")

    def fails(i: int) -> int:
        if i == 2:
            raise KeyError("two")
        return i

    with pytest.raises(KeyError, match="two") as caught:
        call(fails, out)
    assert caught.value.__notes__ == ["call called this Python function and was ended"]
    assert caught.traceback[-1].name == "fails"
    assert out.tolist() == [5, 5, 5]
    assert apply(lambda i: 1, 2) == 2  # the board is well


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_ctrl_c_inside_of_a_callback(kind: type[BaseException]) -> None:
    def stops(i: int) -> int:
        raise kind

    with pytest.raises(kind):
        apply(stops, 3)
    assert apply(lambda i: 1, 2) == 2


@pytest.mark.parametrize(
    "result, said",
    [
        (1.5, "f's result: p4.i32 takes an integer, not 1.5"),
        (2**31, "f's result: 2147483648 does not fit p4.i32"),
        (None, "f's result: p4.i32 takes an integer, not None"),
        ("1", "f's result: p4.i32 takes an integer, not '1'"),
    ],
)
def test_results_that_do_not_fit(result: Any, said: str) -> None:
    with pytest.raises(p4.ArgumentError, match=said):
        apply(lambda i: result, 1)
    assert apply(lambda i: 1, 2) == 2


def test_a_result_where_there_is_none() -> None:
    @p4.kernel
    def call(f: p4.fn[[], None]) -> None:
        p4.c("f();")

    with pytest.raises(p4.ArgumentError, match="returns nothing, and the function returned 5"):
        call(lambda: 5)  # type: ignore[arg-type]


def test_a_number_that_is_no_member_of_the_enum() -> None:
    @p4.kernel
    def call(f: p4.fn[[Color], None], value: p4.i32) -> None:
        p4.c("f((enum Color)value);")

    call(lambda color: None, 7)
    with pytest.raises(p4.Error, match="f: argument 0 is 5, the value of no member"):
        call(lambda color: None, 5)


def test_the_wrong_number_of_parameters() -> None:
    with pytest.raises(TypeError, match="positional argument"):
        apply(lambda: 1, 1)  # type: ignore[arg-type, misc]


async def _coroutine(i: int) -> int:
    return i


@pytest.mark.parametrize(
    "value, said",
    [
        (5, "0x5 is no address"), (0, "0x0 is no address"), (-4, "-0x4 is no address"), (2**32, "no address"),
        (True, "must be a function"), ("sin", "must be a function"), (1.0, "must be a function"),
        (_coroutine, "does not run when it is called"),
    ],
)  # fmt: skip
def test_what_is_no_function(value: Any, said: str) -> None:
    with pytest.raises(p4.ArgumentError, match=said):
        apply(value, 1)


def test_a_callback_that_uses_the_board() -> None:
    with pytest.raises(p4.BoardError, match="cannot be used from a callback"):
        apply(lambda i: apply(lambda j: j, 1), 1)
    with open_board() as other:
        inner = apply.on(other)
    assert apply(lambda i: inner(lambda j: 10 * j, 3), 2) == 60  # another board is free
    other.close()


def test_a_callback_that_is_called_after_its_call() -> None:
    m = p4.module("static int (*kept)(int);")

    @m.kernel
    def keep(f: p4.fn[[p4.i32], p4.i32]) -> p4.i32:
        p4.c("kept = (int (*)(int))f; return kept(1);")

    @m.kernel
    def use() -> p4.i32:
        p4.c("return kept(2);")

    assert keep(lambda i: i + 1) == 2
    with pytest.raises(p4.BoardError, match="use called a Python function that was passed to an earlier call"):
        use()
    assert keep(lambda i: i + 2) == 3


def test_a_callback_that_a_timer_calls_between_calls(capsys: pytest.CaptureFixture[str]) -> None:
    m = p4.module("""
        #include <esp_timer.h>
        static void (*kept)(void);
        static void fires(void *p) { kept(); }
    """)

    @m.kernel
    def start(f: p4.fn[[], None]) -> None:
        p4.c("""
            esp_timer_create_args_t args = {.callback = fires};
            esp_timer_handle_t timer;
            kept = f, esp_timer_create(&args, &timer), esp_timer_start_once(timer, 1);
        """)

    @p4.kernel
    def other() -> p4.i32:
        p4.c("return 5;")

    with p4.connect("sim") as board:
        start(lambda: None)
        with pytest.raises(p4.KernelFault):
            for _ in range(100_000):
                other()
        assert "while no kernel was running" in capsys.readouterr().out
        del start, m
    board.close()


def test_a_message_that_lies_nowhere() -> None:
    @p4.kernel
    def call(f: p4.fn[[p4.i32], None]) -> None:
        p4.c("p4k_callback(1, (void *)16, 8);")

    with pytest.raises(p4.KernelFault, match="arguments that do not lie"):
        call(lambda i: None)


@pytest.mark.parametrize(
    "annotation, said",
    [
        (p4.fn, "list the parameters"),
        (p4.fn[..., p4.i32], "list the parameters"),  # type: ignore[misc]
        (p4.fn[[int], p4.i32], "is no type of a kernel parameter"),  # type: ignore[misc]
        (p4.fn[[p4.i32], p4.cstr], "a function returns a number"),  # type: ignore[misc]
        (p4.fn[[p4.T], p4.i32], "a function takes numbers"),  # type: ignore[misc, valid-type]
        (p4.fn[[p4.fn[[], None]], p4.i32], "a function takes numbers"),  # type: ignore[misc]
    ],
)
def test_annotations_that_are_no_function(annotation: Any, said: str) -> None:
    def stub(f: Any) -> None:
        p4.c("")

    stub.__annotations__ = {"f": annotation, "return": None}
    with pytest.raises(p4.SignatureError, match=said):
        p4.kernel(stub)


def _no_types(i):  # type: ignore[no-untyped-def]
    return i


def _many(*i: p4.i32) -> p4.i32:
    return 1


def _no_result(i: p4.i32):  # type: ignore[no-untyped-def]
    return i


@pytest.mark.parametrize("function", [_no_types, _many, _no_result, _coroutine, 5])
def test_callbacks_that_cannot_be_declared(function: Any) -> None:
    with pytest.raises(p4.SignatureError):
        p4.callback(function)
