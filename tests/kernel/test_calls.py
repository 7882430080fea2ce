"""Calls of kernels on the virtual board: values, arrays, state, cost."""

from __future__ import annotations

import gc
import math
import struct
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import p4kernel as p4

quick = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@p4.kernel
def axpy(x: p4.In[np.float32], y: p4.InOut[np.float32], a: p4.f32, n: p4.i32 = p4.size("x", "y")) -> None:
    """y += a * x"""
    p4.c("for (int i = 0; i < n; ++i) y[i] += a * x[i];")


@p4.kernel
def add(a: p4.i32, b: p4.i32) -> p4.i32:
    p4.c("return (int32_t)((uint32_t)a + (uint32_t)b);")


@p4.kernel
def mixed(
    a: p4.i8, b: p4.u8, c: p4.i16, d: p4.u16, e: p4.i32, f: p4.u32, g: p4.i64, h: p4.u64, i: p4.f32, j: p4.f64,
    k: p4.bool_, m: p4.size_t, out: p4.Out[np.uint8],
) -> p4.u64:  # fmt: skip
    p4.c("""
        struct __attribute__((packed)) { int8_t a; uint8_t b; int16_t c; uint16_t d; int32_t e; uint32_t f; int64_t g;
            uint64_t h; float i; double j; _Bool k; size_t m; } v = {a, b, c, d, e, f, g, h, i, j, k, m};
        __builtin_memcpy(out, &v, sizeof v);
        return h;
    """)


def test_the_first_example(board: p4.Board) -> None:
    x = np.arange(5, dtype=np.float32)
    y = np.ones(5, np.float32)
    assert axpy(x, y, 2.0) is None
    assert y.tolist() == [1, 3, 5, 7, 9]
    assert axpy.last.round_trips == 3  # LOAD, COMMIT and CALL
    axpy(x, y, 2.0)
    last = axpy.last
    assert last.round_trips == 1 and last.build_seconds == 0 and last.instructions > 10
    assert last.bytes_up > 40 and last.bytes_down > 20
    assert axpy.__doc__ == "y += a * x" and axpy.__name__ == "axpy"


@quick
@given(
    st.tuples(
        st.integers(-128, 127), st.integers(0, 255), st.integers(-(2**15), 2**15 - 1), st.integers(0, 2**16 - 1),
        st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**32 - 1), st.integers(-(2**63), 2**63 - 1),
        st.integers(0, 2**64 - 1), st.floats(width=32), st.floats(), st.booleans(), st.integers(0, 2**32 - 1),
    )
)  # fmt: skip
def test_every_scalar_arrives_as_it_was_given(board: p4.Board, values: tuple[Any, ...]) -> None:
    out = np.zeros(47, np.uint8)
    call: Any = mixed
    assert call(*values, out) == values[7]
    assert out.tobytes() == struct.pack("<bBhHiIqQfd?I", *values)


@pytest.mark.parametrize(
    "kind", ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "bool_", "size_t"]
)
def test_every_scalar_returns(board: p4.Board, kind: str) -> None:
    def same(x: Any) -> Any:
        p4.c("return x;")

    same.__annotations__ = {"x": getattr(p4, kind), "return": getattr(p4, kind)}
    kernel: Any = p4.kernel(same)
    values: list[Any] = [True, False]
    if kind[0] == "f":
        values = [0.0, -1.5, float("inf"), 2.0**-149]
    elif kind != "bool_":
        info = np.iinfo({"i": "int", "u": "uint", "s": "uint32"}[kind[0]] + (kind[1:] if kind != "size_t" else ""))
        values = [int(info.min), int(info.max), 1]
    for value in values:
        result = kernel(value)
        assert result == value and type(result) is type(value)
    if kind[0] == "f":
        assert math.isnan(kernel(math.nan)) and math.copysign(1, kernel(-0.0)) == -1


def test_double_and_64_bit_division_come_from_the_firmware(board: p4.Board) -> None:
    @p4.kernel
    def f(a: p4.i64, b: p4.i64, x: p4.f64) -> p4.f64:
        p4.c("return (double)(a / b) + x * 0.1 - (double)(a % b);")

    assert f(10**15 + 7, 1000, 2.5) == float(10**12) + 2.5 * 0.1 - 7.0
    assert f.last.firmware_calls >= 6
    assert {i.name for i in f.build.image.imports} >= {"__divdi3", "__muldf3"}
    assert f(-7, 2, 0.0) == -3.0 - -1.0


def test_firmware_body(board: p4.Board) -> None:
    @p4.kernel
    def root(x: p4.f64) -> p4.f64:
        p4.firmware("sqrt")

    assert root(2.0) == math.sqrt(2.0)


def test_asm_body(board: p4.Board) -> None:
    @p4.kernel
    def rotate(x: p4.u32, n: p4.u32) -> p4.u32:
        p4.asm("""
            neg  t0, a1
            srl  t0, a0, t0
            sll  a0, a0, a1
            or   a0, a0, t0
            ret
        """)

    assert rotate(0x80000001, 4) == 0x00000018


def test_preamble(board: p4.Board) -> None:
    @p4.kernel
    def f(x: p4.i32) -> p4.i32:
        p4.c(
            "return twice(x) + TABLE[1];",
            preamble="#define N 2\nstatic const int TABLE[N] = {3, 4};\nstatic int twice(int x) { return 2 * x; }",
        )

    assert f(5) == 14


def test_static_variables_start_each_call_afresh(board: p4.Board) -> None:
    @p4.kernel
    def count() -> p4.i32:
        p4.c("static int data = 40, bss; static int *p = &data; *p += 1; bss += 1; return data + bss;")

    assert [count() for _ in range(3)] == [42, 42, 42]


def test_out_starts_as_zeros(board: p4.Board) -> None:
    @p4.kernel
    def half(out: p4.Out[np.int32], n: p4.i32 = p4.size("out")) -> None:
        p4.c("for (int i = 0; i < n; i += 2) out[i] = 7;")

    for _ in range(3):
        out = np.full(6, -1, np.int32)
        half(out)
        assert out.tolist() == [7, 0, 7, 0, 7, 0]


def test_same_array_twice_is_one_on_the_board(board: p4.Board) -> None:
    @p4.kernel
    def shift(a: p4.In[np.int32], b: p4.Out[np.int32]) -> p4.bool_:
        p4.c("b[0] = 5; return a == b && a[0] == 5;")

    x = np.zeros(3, np.int32)
    assert shift(x, x) is True and x[0] == 5


@quick
@given(st.data())
def test_any_layout_goes_there_and_back(board: p4.Board, data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(0, 5), max_size=4)))
    order = data.draw(st.permutations(range(len(shape))))
    base = np.arange(math.prod(2 * n for n in shape), dtype=np.int32).reshape([2 * n for n in shape]).transpose(order)
    steps = tuple(slice(None, None, data.draw(st.sampled_from([1, 2, -1]))) for _ in shape)
    index: Any = (*steps, ...)  # the ellipsis keeps a 0-d array an array
    x, y = base[index], np.zeros_like(base)[index]
    increment(x, y)
    assert np.array_equal(y, x + 1)


@p4.kernel
def increment(x: p4.In[np.int32], y: p4.Out[np.int32], n: p4.i32 = p4.size("x", "y")) -> None:
    p4.c("for (int i = 0; i < n; ++i) y[i] = x[i] + 1;")


def test_arrays_of_16_megabytes(board: p4.Board) -> None:
    @p4.kernel
    def invert(x: p4.InOut[np.uint32], n: p4.i32 = p4.size("x")) -> None:
        p4.c("for (int i = 0; i < n; i += 1024) x[i] = ~x[i];")

    x = np.arange(5 << 20, dtype=np.uint32)
    want = x.copy()
    want[::1024] = ~want[::1024]
    invert(x)
    assert np.array_equal(x, want)


def test_many_arrays_in_one_trip(board: p4.Board) -> None:
    count = 40
    parameters = ", ".join(f"x{i}: p4.InOut[np.int16]" for i in range(count))
    namespace: dict[str, Any] = {"p4": p4, "np": np}
    body = " ".join(f"x{i}[0] += {i};" for i in range(count))
    exec(f"def f({parameters}) -> None:\n    p4.c('{body}')\n", namespace)
    kernel: Any = p4.kernel(namespace["f"])
    arrays = [np.full(700, 3, np.int16) for _ in range(count)]
    kernel(*arrays)
    kernel(*arrays)
    assert kernel.last.round_trips == 1
    assert [int(a[0]) for a in arrays] == [3 + 2 * i for i in range(count)]
    assert all(a[1:].min() == a[1:].max() == 3 for a in arrays)


def test_structs(board: p4.Board) -> None:
    class Point(p4.struct):
        tag: p4.u8
        x: p4.f64
        taps: np.typing.NDArray[np.int16] = p4.field(3)

    @p4.kernel
    def move(points: p4.InOut[Point], n: p4.i32 = p4.size("points")) -> None:
        p4.c("for (int i = 0; i < n; ++i) { points[i].x *= 2; points[i].taps[2] = points[i].tag; }")

    taps = np.array([1, 2, 3], np.int16)
    points = np.array([Point(tag=7, x=1.5, taps=taps), Point(9, -2.0, taps)], Point.dtype)
    move(points)
    assert points["x"].tolist() == [3.0, -4.0] and points["taps"][:, 2].tolist() == [7, 9]


def test_text_arguments(board: p4.Board) -> None:
    @p4.kernel
    def length(s: p4.cstr) -> p4.i32:
        p4.c("int n = 0; while (s[n]) ++n; return n;")

    assert length("grüße") == 7 and length(b"") == 0


def test_printf_appears_on_stdout_in_order(board: p4.Board, capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel
    def hello(n: p4.i32) -> None:
        p4.c(
            r'for (int i = 0; i < n; ++i) printf("line %d: %.2f %s\n", i, i * 0.5, "ok");',
            preamble="#include <stdio.h>",
        )

    hello(3)
    assert capsys.readouterr().out == "line 0: 0.00 ok\nline 1: 0.50 ok\nline 2: 1.00 ok\n"


def test_options(board: p4.Board) -> None:
    @p4.kernel(opt="Os", flags=["-DK=3"], contract=False)
    def f(x: p4.i32) -> p4.i32:
        p4.c("return x * K;")

    assert f(5) == 15
    wrong: tuple[dict[str, Any], ...] = ({"opt": "O9"}, {"flags": "-DK=3"}, {"timeout": 0}, {"max_instructions": 0})
    for options in wrong:
        with pytest.raises(p4.SignatureError):
            p4.kernel(**options)


def test_current_board() -> None:
    with p4.connect("sim") as one, p4.connect("sim") as two:
        assert add(1, 2) == 3
        assert two.memory.state().images == 1 and one.memory.state().images == 0
        assert add.on(one)(3, 4) == 7
        assert one.memory.state().images == 1
        with one:
            add(1, 1)
    with pytest.raises(p4.BoardError, match="no current board"):
        add(1, 2)
    p4.use(one)
    assert add(1, 2) == 3
    p4.use(None)
    one.close()
    with pytest.raises(p4.BoardError, match="closed"):
        add.on(one)(1, 2)
    with pytest.raises(p4.BoardError, match="closed"):
        one.__enter__()


def test_threads_share_a_board(board: p4.Board) -> None:
    errors: list[BaseException] = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        try:
            for _ in range(30):
                x = rng.integers(-1000, 1000, rng.integers(1, 3000)).astype(np.int32)
                y = np.zeros_like(x)
                increment.on(board)(x, y)
                if not np.array_equal(y, x + 1) or add.on(board)(seed, 1) != seed + 1:
                    raise AssertionError(f"thread {seed} got what is not its own")
                if add.last.round_trips > 3:
                    raise AssertionError("the traffic of another thread was counted")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_last_belongs_to_the_thread(board: p4.Board) -> None:
    @p4.kernel
    def f() -> None:
        p4.c("")

    with pytest.raises(p4.Error, match="not been called"):
        _ = f.last
    f()
    seen: list[BaseException] = []

    def look() -> None:
        try:
            _ = f.last
        except p4.Error as error:
            seen.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert len(seen) == 1 and f.last.instructions > 0


def test_a_board_that_dies_in_a_reference_cycle() -> None:
    """The collector runs finalizers of a cycle in any order: none of them may use memory that another has freed."""

    class Holder:
        pass

    for _ in range(20):
        holder: Any = Holder()
        holder.board = p4.connect("sim")
        holder.transport = holder.board.session.transport
        holder.me = holder
        assert add.on(holder.board)(1, 2) == 3
        del holder
        gc.collect()
