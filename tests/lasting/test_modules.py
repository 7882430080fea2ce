"""Modules: kernels that share text and variables, the state on each board, and where it goes."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.globals import GlobalArray
from p4kernel.wire._tables import MAX_IMAGES, CallFlag, Type
from tests.conftest import python_file

pytestmark = pytest.mark.usefixtures("compiler")


class Point(p4.struct):
    x: p4.f32
    k: p4.i16


TEXT = r"""
    int32_t count = 3;
    static int32_t hidden;
    int16_t table[2][4] = {{1, 2, 3, 4}};
    struct Point origin = {1.5f, -7};
    struct { int8_t a; struct Point p[2]; uint64_t wide; } odd;
    _Bool active;
    double big = 1e300;
    const uint8_t limits[3] = {10, 20, 30};
    enum mode { OFF, ON = 5 } mode = ON;
    int32_t *where;
    float gain = 0.5f;

    static int32_t twice(int32_t x) { hidden++; return 2 * x; }
    int32_t sum(const int16_t *x, int32_t n) { int32_t s = 0; while (n--) s += *x++; return s; }
    uint8_t limit(int32_t i) { return limits[i]; }
"""


def make() -> tuple[p4.Module, Any]:
    """A module of its own for a test, and its kernels."""
    m = p4.module(TEXT, structs=[Point])

    class Kernels:
        @staticmethod
        @m.kernel
        def step(by: p4.i32) -> p4.i32:
            p4.c("count += twice(by); where = &count; odd.p[1].k = (int16_t)by; odd.wide += 1ull << 40; return count;")

        @staticmethod
        @m.kernel
        def seen() -> p4.i32:
            p4.c("return hidden;")

        @staticmethod
        @m.kernel
        def weight() -> p4.f64:
            p4.c("return active * gain * (origin.x + origin.k) + mode + (big > 1e299) + table[0][3] + odd.a;")

        @staticmethod
        @m.kernel
        def sum(x: p4.In[np.int16], n: p4.i32 = p4.size("x")) -> p4.i32:
            p4.extern()

        @staticmethod
        @m.kernel
        def limited(i: p4.i32) -> p4.u8:
            p4.extern("limit")

        @staticmethod
        @m.kernel
        def rotate(x: p4.u32, n: p4.u32) -> p4.u32:
            p4.asm("""
                neg  t0, a1
                srl  t0, a0, t0
                sll  a0, a0, a1
                or   a0, a0, t0
                ret
            """)

        @staticmethod
        @m.kernel
        def wild() -> None:
            p4.c("""
                count = 77;
                *(volatile int *)4 = 1;
            """)

    return m, Kernels


def test_state_lasts_from_call_to_call(board: p4.Board) -> None:
    m, k = make()
    assert (k.step(2), k.step(3)) == (7, 13)
    assert m.count == 13 and k.seen() == 2
    m.count = -1
    assert k.step(0) == -1 and m.count == -1
    assert k.step.last.round_trips == 1


def test_variables_of_all_kinds(board: p4.Board) -> None:
    m, k = make()
    k.step(5)
    assert (m.active, m.big, m.gain, m.mode) == (False, 1e300, 0.5, 5)
    assert [type(v) for v in (m.active, m.big, m.count)] == [bool, float, int]
    assert m.where == m.on(board).address("count")
    assert m.table[:].tolist() == [[1, 2, 3, 4], [0, 0, 0, 0]]
    assert m.table[0, 1:3].tolist() == [2, 3] and m.table[0, 1] == 2
    assert m.limits[:].tolist() == [10, 20, 30]
    assert (m.origin["x"], m.origin["k"]) == (1.5, -7)
    assert m.odd["p"]["k"].tolist() == [0, 5] and m.odd["wide"] == 1 << 40
    assert isinstance(m.table, GlobalArray) and m.table.shape == (2, 4) and m.table.dtype == np.int16
    assert m["count"] == m.count and m.on(board)["count"] == m.count


def test_variables_are_written(board: p4.Board) -> None:
    m, k = make()
    m.active = True
    m.gain = 2
    m.origin["x"] = 3
    m.mode = 0
    m.table[0] = [9, 8, 7, 6]
    m.odd["a"] = -4
    assert k.weight() == 2 * (3 - 7) + 0 + 1 + 6 - 4
    m.origin = Point(x=1, k=0)
    m.table[:] = np.ones((2, 4), np.int16)
    m.table[:, 3] = 5
    assert k.weight() == 2 + 1 + 5 - 4
    assert m.table[:].tolist() == [[1, 1, 1, 5], [1, 1, 1, 5]]
    m.table = np.zeros((2, 4), np.int16)
    assert not m.table[:].any()


def test_functions_of_the_text_are_kernels(board: p4.Board) -> None:
    m, k = make()
    assert k.sum(np.array([3, 4, 5], np.int16)) == 12
    assert k.sum(m.table) == 10
    assert k.sum(m.table.view[0, :2]) == 3
    assert [k.limited(i) for i in range(3)] == [10, 20, 30]
    assert k.rotate(0x80000001, 4) == 0x18


def test_reset(board: p4.Board) -> None:
    m, k = make()
    k.step(10)
    m.table[1, 1] = 5
    m.reset()
    assert (m.count, k.seen(), m.table[1, 1], m.odd["wide"]) == (3, 0, 0, 0)


def test_two_boards_have_two_states(board: p4.Board) -> None:
    m, k = make()
    other = p4.connect("sim")
    assert k.step(1) == 5
    assert k.step.on(other)(10) == 23 and k.step.on(other)(1) == 25
    assert (m.count, m.on(board).count, m.on(other).count) == (5, 5, 25)
    m.on(other).count = 0
    with other:
        assert m.count == 0
        m.reset()
        assert m.count == 3
    assert m.count == 5
    other.close()


def test_two_modules_of_one_text_have_two_states(board: p4.Board) -> None:
    (first, a), (second, b) = make(), make()
    a.step(100)
    assert (first.count, second.count, b.step(0)) == (203, 3, 3)
    assert board.memory.state().images == 2


def test_free_and_load(board: p4.Board) -> None:
    m, k = make()
    assert not m.loaded
    k.step(1)
    assert m.loaded and board.memory.state().images == 1
    m.free()
    assert not m.loaded and board.memory.state().images == 0
    for use in (lambda: k.step(1), lambda: m.count, m.reset, m.free):
        with pytest.raises(
            p4.BoardError, match=r"module at test_modules.py:\d+ was freed on sim; load\(\) begins anew"
        ):
            use()
    m.load()
    assert m.loaded and m.count == 3
    m.load()  # it is there already
    assert k.step(0) == 3


def test_other_kernels_never_push_a_module_out(board: p4.Board) -> None:
    m, k = make()
    k.step(1)
    for i in range(MAX_IMAGES + 4):

        @p4.kernel
        def other(n: p4.i32) -> p4.i32:
            p4.c(f"return n + {i};")  # noqa: B023 run at once

        assert other(1) == 1 + i
    assert board.memory.state().images == MAX_IMAGES
    with pytest.raises(p4.OutOfMemory):
        p4.empty(board.info.psram, np.uint8, memory="psram")
    assert m.count == 5 and k.step(0) == 5


def test_dropped_modules_go_with_the_next_request(board: p4.Board) -> None:
    m, k = make()
    k.step(1)
    view = m.table.view[0]
    there = weakref.ref(m)
    del m, k
    gc.collect()
    assert there() is None and board.memory.state().images == 1  # a view of its table is left
    assert view.get().tolist() == [1, 2, 3, 4]
    del view
    assert board.memory.state().images == 0


def test_more_modules_than_a_board_holds(board: p4.Board) -> None:
    def counter(i: int) -> tuple[p4.Module, Any]:
        m = p4.module(f"int32_t n = {i};")

        @m.kernel
        def up() -> p4.i32:
            p4.c("return ++n;")

        return m, up

    pairs = [counter(i % 2) for i in range(MAX_IMAGES)]
    assert [up() for _, up in pairs] == [1, 2] * (MAX_IMAGES // 2)
    _, extra = counter(7)
    with pytest.raises(p4.OutOfMemory, match=f"{MAX_IMAGES} modules"):
        extra()
    pairs[3][0].free()
    assert extra() == 8
    assert [up() for _, up in pairs[4:]] == [2, 3] * (MAX_IMAGES // 2 - 2)


def test_a_fault_leaves_the_state(board: p4.Board, capsys: pytest.CaptureFixture[str]) -> None:
    m, k = make()
    k.step(1)
    with pytest.raises(p4.KernelFault) as info:
        k.wild()
    assert info.value.cause == 7 and info.value.backtrace[0].function == "wild"
    here = Path(__file__).read_text().splitlines()
    line = info.value.backtrace[0].line
    assert line is not None and "*(volatile int *)4 = 1;" in here[line - 1]
    assert m.count == 77 and k.step(0) == 77


def test_a_lost_session_loses_the_state(board: p4.Board) -> None:
    m, k = make()
    k.step(1)
    array = m.table
    board.session.restart()
    assert not m.loaded
    for use in (lambda: k.step(1), lambda: m.count, m.reset, m.free, lambda: array[:], lambda: k.sum(array)):
        with pytest.raises(p4.StateLost, match=r"state of the module at .* is gone: the board sim was restarted"):
            use()
    m.load()
    assert k.step(0) == 3 and m.table[0, 0] == 1


def test_a_module_that_wrote_over_its_code_is_lost(board: p4.Board) -> None:
    m = p4.module("int32_t n;")

    @m.kernel
    def smash(at: p4.u32) -> None:
        p4.c("n++; for (int i = 0; i < 64; ++i) ((volatile uint8_t *)at)[i] = 0; *(volatile int *)0 = 1;")

    m.load()
    base = m.on(board).address("n")
    with pytest.raises(p4.KernelFault):
        smash(base - m.build.image.symbol("n").offset)
    before = m.loaded  # nobody has asked since
    with pytest.raises(p4.StateLost, match="written over"):
        _ = m.n
    assert before and not m.loaded
    uses: tuple[Any, ...] = (lambda: smash(0), m.free, m.reset)
    for use in uses:
        with pytest.raises(p4.StateLost, match="written over"):
            use()
    m.load()
    assert m.n == 0


def test_constructors_run_once_at_load_and_at_reset(board: p4.Board) -> None:
    m = p4.module(
        r"""
        int32_t runs, calls;
        struct Counter { int32_t start; Counter(int32_t s) : start(s + 1) { runs++; } };
        Counter counter(41);
        template <typename T> static T plus(T a, T b) { return a + b; }
        """,
        language="cpp",
    )

    @m.kernel
    def get() -> p4.i32:
        p4.cpp("calls++; return plus(counter.start, calls);")

    assert m.runs == 1  # before any call
    assert [get(), get()] == [43, 44]
    assert (m.runs, m.calls, m.counter["start"]) == (1, 2, 42)
    m.counter["start"] = 0
    m.reset()
    assert (m.runs, m.calls, m.counter["start"]) == (1, 0, 42)
    m.free()
    m.load()
    assert m.runs == 1


def test_c_constructors_run_too(board: p4.Board) -> None:
    m = p4.module("int32_t n = 1; __attribute__((constructor)) static void start(void) { n += 10; }")

    @m.kernel
    def get() -> p4.i32:
        p4.c("return n;")

    assert [get(), get()] == [11, 11]


def test_constants(board: p4.Board) -> None:
    m = p4.module(
        "int32_t taps[N]; static int32_t scaled(int32_t x) { return x * SCALE; }", constants={"N": 5, "SCALE": 3}
    )

    @m.kernel
    def first() -> p4.i32:
        p4.c("return scaled(K) + taps[0];", K=10)

    @m.kernel
    def second() -> p4.i32:
        p4.c("return scaled(K) + N;", K=20)

    assert (first(), second()) == (30, 65)
    assert m.taps.shape == (5,)


def test_kernels_have_preambles_and_options(board: p4.Board) -> None:
    m = p4.module("volatile int32_t spins;", opt="O1", name="spinner")

    @m.kernel(max_instructions=1000)
    def spin() -> None:
        p4.c("for (;;) spins++;")

    @m.kernel
    def helped(x: p4.i32) -> p4.i32:
        p4.c("return helper(x) + spins;", preamble="static int32_t helper(int32_t x) { return x + 1; }")

    with pytest.raises(p4.KernelTimeout):
        spin()
    assert m.spins > 100 and helped(1) == 2 + m.spins
    assert "module spinner" in repr(m) and "spin, helped" in repr(m)


def test_calls_do_not_reset(board: p4.Board, monkeypatch: pytest.MonkeyPatch) -> None:
    m, k = make()
    flags = []
    ask = board.session.request

    def request(kind: Type, payload: bytes, *args: Any) -> Any:
        if kind is Type.CALL:
            flags.append(int.from_bytes(payload[8:12], "little"))
        return ask(kind, payload, *args)

    monkeypatch.setattr(board.session, "request", request)
    k.step(1)
    m.reset()
    assert flags == [0, CallFlag.RESET]


def test_functions_have_addresses(board: p4.Board) -> None:
    m, _ = make()
    other = p4.connect("sim")
    function = m.function("sum")
    for where in (board, other):
        offset = m.build.image.symbol("sum").offset
        assert function.p4_address(where) == m.on(where).address("sum")
        assert (
            m.on(where).address("sum") - m.on(where).address("count") == offset - m.build.image.symbol("count").offset
        )
    assert function.__index__() == function.p4_address(board)
    other.close()


def test_lines_of_errors(tmp_path: Path) -> None:
    file = python_file(
        tmp_path,
        '''import p4kernel as p4
m = p4.module("""
    int32_t good;
    int32_t bad = nothing;
""")
@m.kernel
def f() -> None:
    p4.c("""
        good = wrong;
    """, preamble="""
        int32_t helper = missing;
    """)
''',
    )
    space: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    with pytest.raises(p4.CompileError) as info:
        space["f"].build  # noqa: B018
    errors = {
        (d.line, d.message.split("'")[1]) for d in info.value.diagnostics if d.severity == "error" and "'" in d.message
    }
    lines = {d.line for d in info.value.diagnostics if d.severity == "error"}
    assert {d.file for d in info.value.diagnostics} == {str(file)}
    assert lines >= {4, 9, 11}, errors


def test_the_state_survives_what_others_do(board: p4.Board) -> None:
    """Arrays, plain kernels and other modules come and go."""
    _, k = make()
    for i in range(20):
        array = p4.full(1000, i, np.int16)
        assert k.sum(array) == 1000 * i
        other, ok = make()
        ok.step(i)
        assert other.count == 3 + 2 * i
        assert k.step(1) == 3 + 2 * (i + 1)
        del array, other, ok
    gc.collect()
    assert board.memory.state().images == 1


def test_a_module_that_a_timer_still_calls(board: p4.Board) -> None:
    m = p4.module("""
        #include <esp_timer.h>
        volatile int32_t ticks;
        static esp_timer_handle_t timer;
        static void tick(void *arg) { (void)arg; ticks++; }
        int32_t cube(int32_t x) { return x * x * x; }
    """)

    @m.kernel
    def start() -> p4.i32:
        p4.c("""
            esp_timer_create_args_t how = {.callback = tick};
            return esp_timer_create(&how, &timer) + esp_timer_start_periodic(timer, 1000);
        """)

    @m.kernel
    def stop() -> p4.i32:
        p4.c("return esp_timer_stop(timer) + esp_timer_delete(timer);")

    @p4.kernel
    def apply(f: p4.fn[[p4.i32], p4.i32], x: p4.i32) -> p4.i32:
        p4.c("for (volatile int i = 0; i < 1000000; ++i) continue; return f(x);")

    assert start() == 0
    assert apply(m.function("cube"), 3) == 27
    assert m.ticks > 0  # while another kernel ran
    with pytest.raises(p4.BoardError, match="end it first|end that first"):
        m.free()
    assert m.loaded and stop() == 0
    m.free()
    assert board.memory.state().images == 1
