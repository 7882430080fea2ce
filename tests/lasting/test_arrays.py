"""Arrays that stay on the board: what they are, what kernels do with them, when they go."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import p4kernel as p4
from p4kernel.wire._tables import MAX_ALLOCATIONS, Cap, Type

FLOATS = np.arange(24, dtype=np.float32)


@p4.kernel
def mac(
    x: p4.In[np.float32], y: p4.In[np.float32], out: p4.Out[np.float32], n: p4.i32 = p4.size("x", "y", "out")
) -> None:
    p4.c("for (int i = 0; i < n; ++i) out[i] = x[i] * y[i] + 1.0f;")


@p4.kernel
def bump(x: p4.InOut[np.int16], n: p4.i32 = p4.size("x")) -> None:
    p4.c("for (int i = 0; i < n; ++i) ++x[i];")


@p4.kernel
def move(source: p4.In[np.int16], target: p4.Out[np.int16], n: p4.i32 = p4.size("source", "target")) -> None:
    p4.c("for (int i = 0; i < n; ++i) target[i] = source[i];")


@p4.kernel
def nothing() -> None:
    p4.c("")


class Sent:
    """The types of the requests that a board gets."""

    def __init__(self, board: p4.Board, patch: pytest.MonkeyPatch) -> None:
        self.kinds: list[Type] = []
        ask = board.session.request

        def request(kind: Type, *args: Any, **more: Any) -> Any:
            self.kinds.append(kind)
            return ask(kind, *args, **more)

        patch.setattr(board.session, "request", request)


def allocations(board: p4.Board) -> int:
    gc.collect()
    return board.memory.state().allocations


@pytest.mark.parametrize("dtype", ["i1", "u2", "i4", "u8", "f4", "f8", "?", "c8", "S5", "<M8[s]", ">i4"])
@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (2, 0, 3), (2, 3, 4)])
def test_there_and_back(board: p4.Board, dtype: str, shape: tuple[int, ...]) -> None:
    kind: np.dtype[Any] = np.dtype(dtype)
    count = int(np.prod(shape)) * kind.itemsize
    raw = np.random.default_rng(1).integers(0, 2 if dtype == "?" else 256, count, np.uint8)
    values = raw.view(kind).reshape(shape)
    array = p4.array(values)
    assert (array.shape, array.dtype, array.ndim, array.size, array.nbytes, array.strides) == (
        values.shape, values.dtype, values.ndim, values.size, values.nbytes, values.strides,
    )  # fmt: skip
    assert array.board is board and array.contiguous
    got = array.get()
    assert got.dtype == values.dtype and got.shape == values.shape and got.tobytes() == values.tobytes()
    got[...] = np.zeros((), kind)  # it is the caller's own
    assert np.asarray(array).tobytes() == values.tobytes()


def test_new_arrays_are_zeros(board: p4.Board) -> None:
    full = p4.full((50, 20), -1, np.int32)
    assert (full.get() == -1).all()
    full.free()
    for make in (p4.empty, p4.zeros):
        array = make((50, 20), np.int32)
        assert (array.get() == 0).all()
        array.set(7)
        array.free()


def test_a_large_array(board: p4.Board) -> None:
    values = np.random.default_rng(2).integers(0, 1 << 30, 300_000, np.int32)
    array = p4.array(values)
    assert np.array_equal(array.get(), values)
    array[1:-1:3].set(5)
    values[1:-1:3] = 5
    assert np.array_equal(np.asarray(array), values)


KEYS: list[Any] = [
    3, -1, slice(None), slice(2, 5), slice(None, None, 2), slice(None, None, -1), slice(5, 1, -2), ..., None, (1, 2),
    (slice(1, 3), 2), (slice(None), slice(None, None, 3)), (..., 1), (0, ...), (None, 1), (slice(0, 0), 1),
    (-1, slice(None, None, -1)), (np.int8(2), slice(1, 4)), (1, 2, ...),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_slices_are_those_of_numpy(board: p4.Board, key: Any) -> None:
    values = FLOATS.reshape(6, 4).copy()
    array = p4.array(values)
    view, wanted = array[key], values[key]
    assert view.shape == np.shape(wanted) and np.array_equal(view.get(), wanted)
    array[key] = -5
    values[key] = -5
    assert np.array_equal(array.get(), values)
    view.set(np.asarray(wanted) * 2)
    values[key] = np.asarray(wanted) * 2
    assert np.array_equal(array.get(), values)


def test_views_of_views(board: p4.Board) -> None:
    values = FLOATS.reshape(2, 3, 4)
    array = p4.array(values)
    assert np.array_equal(array.T.get(), values.T)
    assert np.array_equal(array[1:].reshape(4, 3).get(), values[1:].reshape(4, 3))
    assert np.array_equal(array.reshape(-1).get(), values.reshape(-1))
    assert np.array_equal(array.T[1:, ::2].T[0].get(), values.T[1:, ::2].T[0])
    assert [row.get().tolist() for row in array] == [row.tolist() for row in values]
    assert len(array) == 2 and array[1, 2, 3].item() == 23.0
    assert not array.T.contiguous and array[0].contiguous and array[1:1].contiguous


def test_fields_of_structs(board: p4.Board) -> None:
    class Point(p4.struct):
        x: p4.f32
        k: p4.i16

    points = p4.zeros(3, Point.dtype)
    points["k"] = [1, 2, 3]
    points[1]["x"] = 2.5
    wanted = np.zeros(3, Point.dtype)
    wanted["k"] = [1, 2, 3]
    wanted["x"][1] = 2.5
    assert points.get().tolist() == wanted.tolist()


def test_kernels_send_and_fetch_nothing(board: p4.Board) -> None:
    values = np.arange(5000, dtype=np.float32)
    x, y, out = p4.array(values), p4.full(5000, 2, np.float32), p4.empty(5000, np.float32)
    mac(x, y, out)
    assert mac(x, y, out) is None
    assert mac.last.round_trips == 1 and mac.last.bytes_up < 300 and mac.last.bytes_down < 200
    assert np.array_equal(out.get(), values * 2 + 1)


def test_mixed_with_arrays_of_the_host(board: p4.Board) -> None:
    out = np.zeros(24, np.float32)
    mac(p4.array(FLOATS), FLOATS, out)
    assert np.array_equal(out, FLOATS * FLOATS + 1)


def test_an_out_array_keeps_what_the_kernel_does_not_write(board: p4.Board) -> None:
    @p4.kernel
    def first(out: p4.Out[np.int16]) -> None:
        p4.c("out[0] = 5;")

    array = p4.array(np.arange(4, dtype=np.int16))
    first(array)
    assert array.get().tolist() == [5, 1, 2, 3]


def test_slices_of_one_array_are_parameters(board: p4.Board) -> None:
    array = p4.array(np.arange(10, dtype=np.int16))
    move(array[:4], array[5:9])
    move(array[:4], array[1:5])  # they overlap, as in C
    bump(array)
    bump(array)
    assert array.get().tolist() == [2, 2, 2, 2, 2, 2, 3, 4, 5, 11]


@pytest.mark.parametrize("memory, cap", [("psram", Cap.PSRAM), ("sram", Cap.INTERNAL), ("tcm", Cap.TCM)])
def test_placement(board: p4.Board, memory: str, cap: Cap) -> None:
    region = {"sram": "internal"}.get(memory, memory)
    base, total = next((r.base, r.total) for r in board.memory.state().regions if r.name == region)
    for array in (p4.array([1, 2], np.int16, memory=memory), p4.zeros(2, np.int16, memory=memory)):
        assert base <= array.address < base + total
        bump(array)
    assert cap


def test_a_dropped_array_goes_with_the_next_call(board: p4.Board, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing()
    sent = Sent(board, monkeypatch)
    for _ in range(5):
        array = p4.array(np.arange(10))
        del array
    nothing()
    assert Type.FREE not in sent.kinds
    assert sent.kinds == [Type.ALLOC, Type.WRITE] * 5 + [Type.CALL]
    sent.kinds.clear()
    assert board.memory.state().allocations == 0
    assert sent.kinds == [Type.HEAP]  # the call had taken the last one


def test_an_allocation_takes_what_was_dropped(board: p4.Board, monkeypatch: pytest.MonkeyPatch) -> None:
    big = p4.empty(24 << 20, np.uint8, memory="psram")
    del big
    sent = Sent(board, monkeypatch)
    assert p4.empty(24 << 20, np.uint8, memory="psram").nbytes == 24 << 20
    assert sent.kinds == [Type.ALLOC]


def test_a_view_keeps_the_array(board: p4.Board) -> None:
    array = p4.array(FLOATS)
    view = array[3:6].reshape(3, 1)
    del array
    assert allocations(board) == 1
    assert view.get().ravel().tolist() == [3, 4, 5]
    del view
    assert allocations(board) == 0


def test_arrays_in_a_cycle_go_too(board: p4.Board) -> None:
    for _ in range(3):
        knot: list[Any] = [p4.array(FLOATS)]
        knot.append(knot)
        del knot
    assert allocations(board) == 0


def test_arrays_dropped_by_other_threads(board: p4.Board) -> None:
    def work() -> None:
        for i in range(20):
            x = p4.full(10, i, np.int16, board=board)
            bump.on(board)(x)
            assert x[3].item() == i + 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert allocations(board) == 0


def test_as_many_arrays_as_a_board_holds(board: p4.Board) -> None:
    arrays = [p4.zeros(1, np.int8) for _ in range(MAX_ALLOCATIONS)]
    with pytest.raises(p4.OutOfMemory, match=f"no more than {MAX_ALLOCATIONS} allocations"):
        p4.zeros(1, np.int8)
    del arrays[::2]
    more = [p4.zeros(1, np.int8) for _ in range(MAX_ALLOCATIONS // 2)]
    assert len({a.address for a in (*arrays, *more)}) == MAX_ALLOCATIONS


def test_free(board: p4.Board) -> None:
    array = p4.array(FLOATS)
    view = array[2:]
    array.free()
    assert allocations(board) == 0
    assert "freed" in repr(array) and "freed" in repr(view)
    with pytest.raises(p4.BoardError, match="this array was freed"):
        view.get()
    with pytest.raises(p4.BoardError, match="freed before"):
        view.free()


def test_to_another_board(board: p4.Board) -> None:
    other = p4.connect("sim")
    array = p4.array(np.arange(4, dtype=np.int16))
    copy = array.to(other)
    bump.on(other)(copy)
    assert (array.get().tolist(), copy.get().tolist()) == ([0, 1, 2, 3], [1, 2, 3, 4])
    assert p4.array(array, board=other).get().tolist() == [0, 1, 2, 3]
    del copy
    other.close()


def test_numpy_takes_them(board: p4.Board) -> None:
    array = p4.array(FLOATS)
    assert np.sum(array) == FLOATS.sum()
    assert np.array_equal(np.asarray(array, np.int32), FLOATS.astype(np.int32))
    assert np.array_equal(FLOATS + array, 2 * FLOATS)
    with pytest.raises(ValueError, match="always a copy"):
        np.array(array, copy=False)


def test_a_board_lives_as_long_as_its_arrays(board: p4.Board) -> None:
    def make() -> p4.DeviceArray[np.float32]:
        return p4.array(FLOATS, board=p4.connect("sim"))

    array = make()
    gc.collect()
    assert np.array_equal(array.get(), FLOATS)


def test_set_takes_what_fits(board: p4.Board) -> None:
    array = p4.zeros((2, 3), np.int16)
    array.set([[1, 2, 3], [4, 5, 6]])
    array[0] = p4.array(np.array([7, 8, 9], np.int16))
    array[1, 2] = True + 0
    assert array.get().tolist() == [[7, 8, 9], [4, 5, 1]]
    floats = p4.zeros(2, np.float32)
    floats[0] = 3
    floats[1] = np.float64(0.5)
    assert floats.get().tolist() == [3.0, 0.5]
    flags: npt.NDArray[np.bool_] = np.array([True, False])
    assert p4.array(flags).get().tolist() == [True, False]


def test_the_default_board_is_the_current_one(board: p4.Board) -> None:
    assert p4.zeros(1, np.int8).board is board
    other = p4.connect("sim")
    with other:
        assert p4.zeros(1, np.int8).board is other
    assert p4.zeros(1, np.int8, board=other).board is other
    other.close()


def test_comparisons_and_truth_are_those_of_numpy(board: p4.Board) -> None:
    x = p4.array(np.arange(4, dtype=np.int16))
    assert x[3] == 3 and x[3] != 4
    assert not bool(x[3] == 4) and not bool(x[3] != 3)
    np.testing.assert_array_equal(x == 2, np.arange(4) == 2)
    np.testing.assert_array_equal(x[:2] != p4.array(np.array([0, 7], np.int16)), [False, True])
    assert float(x[1]) == 1.0 and int(x[2]) == 2 and x[1] and not x[0]
    with pytest.raises(ValueError, match="ambiguous"):
        bool(x)
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    with pytest.raises(ValueError):
        float(x)
