"""What people get wrong with arrays on the board and with modules: each mistake is one clear error."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from tests.mistakes.test_mistakes import says, untyped

# -- arrays -----------------------------------------------------------------------------------------------------


@p4.kernel
def scale(x: p4.InOut[np.float32], k: p4.f32, n: p4.i32 = p4.size("x")) -> None:
    p4.c("for (int i = 0; i < n; ++i) x[i] *= k;")


def floats() -> p4.DeviceArray[np.float32]:
    return p4.array(np.ones((4, 3), np.float32))


def test_a_freed_array(board: p4.Board) -> None:
    x = floats()
    view = x[1]
    x.free()
    for array in (x, view):
        with says(p4.ArgumentError, "scale: x was freed, and has no elements any more"):
            scale(array, 2.0)
        with says(p4.BoardError, "this array was freed"):
            array.get()
        with says(p4.BoardError, "this array was freed"):
            array.set(1)
        with says(p4.BoardError, "this array was freed before"):
            array.free()


def test_an_array_of_another_board(board: p4.Board) -> None:
    with p4.connect("sim?psram=4M") as other:
        x = floats()
    with says(
        p4.ArgumentError,
        "scale: x is an array on another board (sim?psram=4M), and the kernel runs on sim",
        "x.to(board)",
    ):
        scale(x, 2.0)
    scale.on(other)(x, 2.0)
    other.close()
    with says(p4.BoardError, "this array is gone: its board sim?psram=4M was closed"):
        x.get()


def test_an_array_of_a_session_that_ended(board: p4.Board) -> None:
    x = floats()
    board.session.restart()
    with says(
        p4.StateLost, "scale: x is gone: the board sim was restarted, or its connection begun anew", "make it again"
    ):
        scale(x, 2.0)
    y = floats()  # it may lie where x did
    for use in (x.get, lambda: x.set(1), lambda: x[1:].item(), lambda: np.asarray(x)):
        with says(p4.StateLost, "this array is gone"):
            use()
    x.free()
    assert board.memory.state().allocations == 1
    scale(y, 2.0)
    assert (y.get() == 2).all()


@pytest.mark.parametrize("key", [np.s_[:, 1], np.s_[::2], np.s_[::-1], np.s_[1:, :2]], ids=str)
def test_a_part_that_is_not_in_one_piece(board: p4.Board, key: Any) -> None:
    with says(
        p4.ArgumentError, "scale: x is a part of an array on the board that is not in one piece", "p4.array(x.get())"
    ):
        scale(floats()[key], 2.0)


def test_elements_of_another_type(board: p4.Board) -> None:
    wrong = untyped(p4.zeros(3, np.float64))
    with says(
        p4.ArgumentError, "scale: x must have dtype float32, not float64", "p4.array(x.get().astype(np.float32))"
    ):
        scale(wrong, 2.0)


@pytest.mark.parametrize(
    "value, parts",
    [
        (np.ones(3), ["has dtype int16", "float64", ".astype(np.int16)"]),
        (np.ones(3, ">i2"), ["has dtype int16", ">i2"]),
        ([1, 2, 40000], ["40000 does not fit int16, which holds -32768 to 32767"]),
        (-40000, ["-40000 does not fit int16"]),
        ([1.5, 2, 3], ["dtype int16 are integers", "say how to round"]),
        (True, ["has dtype int16, the values are bool"]),
        ([1, 2], ["shape (2,) do not fit an array of shape (3,)"]),
        (np.zeros((2, 3), np.int16), ["shape (2, 3) do not fit an array of shape (3,)"]),
        (["a", "b", "c"], ["has dtype int16", "<U1"]),
        (1 << 80, ["has dtype int16", "object"]),
        (None, ["has dtype int16", "object"]),
        (np.ma.masked_array([1, 2, 3]), ["masked"]),
    ],
    ids=str,
)
def test_values_that_do_not_fit(board: p4.Board, value: Any, parts: list[str]) -> None:
    array = p4.array(np.array([7, 8, 9], np.int16))
    for store in (array.set, lambda v: array.__setitem__(slice(None), v)):
        with says(p4.ArgumentError, *parts):
            store(value)
    assert array.get().tolist() == [7, 8, 9]


def test_a_number_for_an_array_of_bools(board: p4.Board) -> None:
    with says(p4.ArgumentError, "has dtype bool, the values are int64"):
        p4.zeros(3, np.bool_).set(1)


@pytest.mark.parametrize("key", [[0, 1], np.array([0]), True, 1.0, "x", (0, [1])], ids=str)
def test_indices_that_make_no_view(board: p4.Board, key: Any) -> None:
    with pytest.raises(IndexError, match="an array on the board takes integers, slices|there is no field 'x'"):
        floats()[key]


@pytest.mark.parametrize("key", [4, -5, (0, 3), (0, 0, 0)], ids=str)
def test_indices_outside(board: p4.Board, key: Any) -> None:
    with pytest.raises(IndexError):
        floats()[key]


def test_shapes_that_cannot_be(board: p4.Board) -> None:
    with says(p4.ArgumentError, "cannot have the shape (3, -1)"):
        p4.zeros((3, -1), np.int8)
    with pytest.raises(ValueError, match="cannot reshape array of size 12"):
        floats().reshape(5, 5)
    with says(p4.ArgumentError, "is not contiguous", "p4.array(x.get())"):
        floats().T.reshape(12)
    with pytest.raises(TypeError, match="no length"):
        len(p4.zeros((), np.int8))
    with pytest.raises(TypeError):
        p4.zeros(untyped(2.5), np.int8)


def test_elements_without_a_form_in_memory(board: p4.Board) -> None:
    several: tuple[Any, ...] = ([object()], [{}], np.zeros(2, np.dtype([])))
    for values in several:
        with says(p4.ArgumentError, "have no form in a board's memory"):
            p4.array(values)
    with says(p4.ArgumentError, "masked"):
        p4.array(np.ma.masked_array([1, 2]))


def test_memory_of_an_unknown_kind(board: p4.Board) -> None:
    with says(p4.BoardError, "memory kinds are any, psram", "not 'flash'"):
        p4.zeros(3, np.int8, memory="flash")


def test_more_than_the_board_has(board: p4.Board) -> None:
    with says(p4.OutOfMemory, "the board has no memory for this ALLOC: its largest free block is"):
        p4.zeros(1 << 30, np.int8)
    with says(p4.OutOfMemory, "largest free block"):
        p4.zeros(1 << 20, np.int8, memory="tcm")


def test_copies_that_share_memory_behind_ones_back(board: p4.Board) -> None:
    x = floats()
    for make in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"cannot be copied or pickled; x.get\(\) can"):
            make(x)


def test_no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    p4.connect("sim").close()  # names a board
    with says(p4.BoardError, "no current board here"):
        p4.zeros(3, np.int8)


# -- modules ----------------------------------------------------------------------------------------------------


def counter() -> tuple[p4.Module, Any]:
    m = p4.module("int32_t count; const int32_t limit[2] = {1, 2}; union { int a; float b; } both;", name="counter")

    @m.kernel
    def up(x: p4.i32) -> p4.i32:
        p4.c("both.a = x; return count += limit[x & 1];")

    return m, up


def test_a_module_that_is_freed_twice(board: p4.Board) -> None:
    m, up = counter()
    with says(p4.BoardError, "the module counter is not loaded on sim"):
        m.free()
    up(1)
    m.free()
    for _ in range(2):
        with says(p4.BoardError, "the module counter was freed on sim", "load() begins anew"):
            m.free()


def test_a_variable_of_a_module_that_was_freed(board: p4.Board) -> None:
    m = p4.module("int16_t table[3];")

    @m.kernel
    def add(x: p4.InOut[np.int16]) -> None:
        p4.c("x[0] += ++table[0];")

    table = m.table
    add(table)
    m.free()
    with says(p4.BoardError, "the variable table was freed on sim"):
        table[:]
    m.load()
    with says(p4.ArgumentError, "add: x was freed"):
        add(table)
    assert m.table[:].tolist() == [0, 0, 0]


def test_a_variable_is_not_freed_alone(board: p4.Board) -> None:
    m, _ = counter()
    with says(p4.BoardError, "limit is a variable of a module, and is freed with it: module.free()"):
        m.limit.free()


def test_names_that_are_not_there(board: p4.Board) -> None:
    m, _ = counter()
    with says(AttributeError, "the module counter has no global variable 'coumt'", "did you mean count?"):
        _ = m.coumt
    with says(AttributeError, "no global variable 'total'"):
        m.total = 1
    with says(AttributeError, "no global variable 'x y'"):
        m["x y"]
    with says(p4.Error, "no function or variable 'down'"):
        m.on(board).address("down")
    with says(p4.Error, "no function or variable 'down'"):
        m.function("down").p4_address(board)
    assert not hasattr(m, "coumt") and not hasattr(m, "_repr_html_")


def test_values_of_variables_that_do_not_fit(board: p4.Board) -> None:
    m, _ = counter()
    for value, part in (
        (1 << 31, "2147483648 does not fit int32"),
        (0.5, "integers"),
        ("one", "dtype int32"),
        ([1, 2], "shape"),
    ):
        with says(p4.ArgumentError, part):
            m.count = value
    assert m.count == 0


def test_constants_are_not_written(board: p4.Board) -> None:
    m = p4.module("const int16_t limit[2] = {1, 2}; static int16_t never[4]; int16_t sometimes[2];")

    @m.kernel
    def look(x: p4.In[np.int16], i: p4.i32) -> p4.i32:
        p4.c("return x[0] + never[i & 3] + limit[i & 1] + sometimes[i & 1];")

    @m.kernel
    def write(x: p4.Out[np.int16]) -> None:
        p4.c("x[0] = 5;")

    assert look(m.limit, 0) == 2
    with says(p4.ArgumentError, "limit is a constant"):
        m.limit[0] = 5
    with says(p4.BoardError, "write: x at 0x", "the kernel writes to it"):
        write(m.limit)
    write(m.sometimes)
    assert m.sometimes[0] == 5
    assert m.limit[:].tolist() == [1, 2]
    with pytest.raises(p4.Error, match="never is a constant|has dropped this variable"):
        m.never[0] = 1


def test_a_static_variable_that_the_compiler_dropped(board: p4.Board) -> None:
    m = p4.module("static int32_t lost; int32_t kept;")

    @m.kernel
    def f() -> None:
        p4.c("lost = 5; kept = 6;")

    f()
    assert m.kept == 6
    with says(p4.Error, "has dropped this variable", "should not be static"):
        _ = m.lost


def test_variables_without_a_dtype(board: p4.Board) -> None:
    m, _ = counter()
    with says(p4.Error, "both of the module counter: a variable of type union", "no form in NumPy"):
        _ = m.both


def test_kernels_after_the_first_call(board: p4.Board) -> None:
    m, up = counter()
    up(1)

    def late() -> None:
        p4.c("")

    with says(
        p4.SignatureError, "late: the module counter is loaded on sim", "declare all kernels before the first call"
    ):
        m.kernel(late)
    m.free()
    m.kernel(late)
    m.load()
    assert up(1) == 2


def test_a_module_without_kernels(board: p4.Board) -> None:
    m = p4.module("int32_t n;", name="empty")
    for use in (lambda: m.n, m.load):
        with says(p4.SignatureError, "the module empty has no kernels yet"):
            use()


def _in(m: p4.Module, body: Callable[[], Any]) -> Any:
    @m.kernel
    def f(x: p4.In[np.int16]) -> p4.i32:
        body()
        raise AssertionError

    return f


def test_bodies_that_do_not_belong(board: p4.Board) -> None:
    for language, body, instead in (
        ("c", lambda: p4.cpp("return 0;"), "p4.c"),
        ("cpp", lambda: p4.c("return 0;"), "p4.cpp"),
        ("c", lambda: p4.firmware("sinf"), "p4.c"),
    ):
        m = p4.module("int32_t n;", language=untyped(language))
        with says(p4.SignatureError, "f: a kernel of this module has a body of", instead):
            _in(m, body)
    with says(p4.SignatureError, "f: p4.extern() is for kernels of a module"):

        @p4.kernel
        def f() -> None:
            p4.extern()


def test_extern_of_what_is_not_there(board: p4.Board) -> None:
    m = p4.module("static int32_t other(const int16_t *x) { return *x; }")
    kernel = _in(m, lambda: p4.extern("nothing_of_the_kind"))
    with pytest.raises(p4.LinkError, match="nothing_of_the_kind"):
        kernel(np.zeros(1, np.int16))


def test_extern_of_another_prototype(board: p4.Board) -> None:
    m = p4.module("int32_t other(const float *x) { return *x; }")
    kernel = _in(m, lambda: p4.extern("other"))
    with says(p4.CompileError, "conflicting types for 'other'"):
        kernel(np.zeros(1, np.int16))


def test_two_functions_of_one_name(board: p4.Board) -> None:
    m = p4.module("int32_t f(const int16_t *x) { return *x; }")
    kernel = _in(m, lambda: p4.c("return 1;"))
    with says(p4.CompileError, "redefinition of 'f'"):
        kernel(np.zeros(1, np.int16))


def test_options_that_make_no_sense() -> None:
    for options, part in (
        ({"language": "fortran"}, "language='fortran'"),
        ({"structs": [int]}, "is no p4.struct"),
        ({"opt": "O9"}, "levels are"),
        ({"flags": "-O3"}, "give a list of options"),
        ({"place": "moon"}, "kinds of memory"),
        ({"constants": {"int": 3}}, "cannot be a name in C"),
        ({"include_dirs": ["no-such-folder"]}, "there is no such folder"),
    ):
        with says(p4.SignatureError, part):
            p4.module("int32_t n;", **untyped(options))
    with says(p4.SignatureError, "the source must be a str, not bytes"):
        p4.module(untyped(b"int n;"))
    with says(p4.SignatureError, "p4.extern takes the name of a C function"):
        _in(p4.module(""), lambda: p4.extern("a b"))


def test_a_generic_kernel(board: p4.Board) -> None:
    m = p4.module("")
    with says(p4.SignatureError, "cannot be generic"):

        @m.kernel
        def f(x: p4.In[p4.T]) -> None:
            p4.c("(void)x;")
