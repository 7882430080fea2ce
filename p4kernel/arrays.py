"""Arrays that stay on a board: made, read and written by Python, passed to kernels by their address."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn, SupportsIndex, TypeVar, overload

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from p4kernel import defaults
from p4kernel.board import Board
from p4kernel.errors import ArgumentError, BoardError, StateLost
from p4kernel.types import DeviceArray

__all__ = ["BoardArray", "Storage", "array", "empty", "full", "zeros"]

T = TypeVar("T", bound=np.generic)
_T_co = TypeVar("_T_co", bound=np.generic, covariant=True)
Shape = SupportsIndex | Sequence[SupportsIndex]


class Storage:
    """A piece of a board's memory that arrays share. It is given back when the last of them is dropped."""

    _owned: list[int] | None = None  # session and address; emptied when it was given back
    _freed = False

    def __init__(self, board: Board) -> None:
        self._drop = board.garbage.dropped.append
        self._board_session = board.session
        self.session = self.address = 0

    def claim(self, address: int) -> None:
        """It lies at ``address``. May be said twice, when an interrupt came between."""
        self.session, self.address = self._board_session.id, address
        if self._owned is None:
            self._owned = [self.session, address]

    def give_back(self) -> bool:
        """Frees it with the board's next request. False when that was done before."""
        if self._owned is None or self.freed:
            return False
        self._drop(self._owned)
        self._freed = True
        return True

    def __del__(self) -> None:
        # In any thread, at any time: it takes no lock and sends nothing. No function of Python's own is called, in which
        # an interrupt would be swallowed, and what it is about forgotten.
        if self._owned:
            self._drop(self._owned)

    @property
    def freed(self) -> bool:
        return self._freed or (self._owned is not None and not self._owned)

    def there(self, board: Board) -> bool:
        """Whether the board has it, as far as is known here."""
        return not self.freed and not board.closed and board.session.id == self.session

    def remains(self, board: Board, what: str) -> None:
        """Raises BoardError when ``what`` was freed or its board closed, StateLost when the board no longer has it."""
        if self.freed:
            raise BoardError(f"{what} was freed")
        if board.closed:
            raise BoardError(f"{what} is gone: its board {board.url} was closed")
        board.session.ready()
        if board.session.id != self.session:
            raise StateLost(
                f"{what} is gone: the board {board.url} was restarted, or its connection begun anew, and keeps nothing "
                "of what was there before; make it again"
            )


class BoardArray(DeviceArray[_T_co]):
    """See DeviceArray, which is what a program sees of it."""

    def __init__(
        self, storage: Storage, board: Board, address: int, dtype: np.dtype[Any], shape: tuple[int, ...],
        strides: tuple[int, ...],
    ) -> None:  # fmt: skip
        self._storage = storage
        self.board = board
        self.address = address
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.ndim = len(shape)
        self.size = math.prod(shape)
        self.nbytes = self.size * dtype.itemsize
        self.contiguous = not self.size or _in_one_piece(shape, strides, dtype.itemsize)

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def _model(self) -> npt.NDArray[Any]:
        """A NumPy array of this shape and these strides, for arithmetic of indices: it has no elements to look at."""
        return as_strided(np.empty(1, self.dtype), self.shape, self.strides)

    def _view(self, model: npt.NDArray[Any], moved: int) -> BoardArray[Any]:
        # One without elements may begin anywhere, also outside.
        address = self.address + moved if model.size else self.address
        return type(self)(self._storage, self.board, address, model.dtype, model.shape, model.strides)

    def __repr__(self) -> str:
        what = f"p4 array of {self.dtype}, shape {self.shape}"
        if self._storage.freed:
            return f"<{what}, freed>"
        strides = "" if self.contiguous else f", strides {self.strides}"
        return f"<{what}{strides}, at 0x{self.address:08x} of {self.board.url}>"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("an array without dimensions has no length")
        return self.shape[0]

    # -- views --------------------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> DeviceArray[_T_co]:
        return self._select(key)

    def _select(self, key: Any) -> BoardArray[Any]:
        model = self._model
        if isinstance(key, str):
            part = model[key] if self.dtype.fields is not None else self._no_field(key)
        else:
            keys = key if isinstance(key, tuple) else (key,)
            for item in keys:
                if not (item is None or item is ... or isinstance(item, slice) or _is_index(item)):
                    raise IndexError(
                        f"an array on the board takes integers, slices, ... and None as index, not {item!r}; "
                        "for others, index what .get() returns"
                    )
            # With an ellipsis the result is always a view, and no element of the model is looked at.
            part = model[keys if any(item is ... for item in keys) else (*keys, ...)]
        return self._view(part, _start(part) - _start(model))

    def _no_field(self, name: str) -> NoReturn:
        raise IndexError(f"there is no field {name!r}: the elements are {self.dtype}")

    def __iter__(self) -> Iterator[DeviceArray[_T_co]]:
        return (self[i] for i in range(len(self)))

    @property
    def T(self) -> DeviceArray[_T_co]:
        return self._view(self._model.T, 0)

    def reshape(self, *shape: Any) -> DeviceArray[_T_co]:
        if not self.contiguous:
            raise ArgumentError(
                f"{self!r} is not contiguous, so that a reshape would need a copy; p4.array(x.get()) makes one"
            )
        return self._view(self._model.reshape(*shape), 0)

    # -- elements -----------------------------------------------------------------------------------------------

    def _remains(self) -> None:
        self._storage.remains(self.board, "this array")

    def _span(self) -> tuple[int, int]:
        """Bytes from the first to behind the last element, relative to ``address``."""
        reach = [(n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True)]
        return sum(r for r in reach if r < 0), sum(r for r in reach if r > 0) + self.dtype.itemsize

    def _fetch(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]:
        """The bytes of the span, and the array as a view of them."""
        low, high = self._span()
        raw = np.empty(high - low, np.uint8)
        self.board.memory.read_into(self.address + low, raw.data)
        return raw, np.ndarray(self.shape, self.dtype, raw.data, -low, self.strides)

    def get(self) -> npt.NDArray[_T_co]:
        with self.board.session.lock:
            self._remains()
            if not self.size:
                return np.empty(self.shape, self.dtype)
            _, view = self._fetch()
        return view if self.contiguous else view.copy()

    def set(self, value: Any) -> None:
        source = _values(value, self.dtype, self.shape)
        with self.board.session.lock:
            self._remains()
            if not self.size:
                return
            if self.contiguous:
                data = np.ascontiguousarray(source).reshape(-1).view(np.uint8).data
                self.board.memory.write(self.address, data)
                return
            raw, view = self._fetch()
            view[...] = source
            self.board.memory.write(self.address + self._span()[0], raw.data)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._select(key).set(value)

    def item(self) -> Any:
        return self.get().item()

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("the elements are on the board, so that an array of NumPy is always a copy")
        values = self.get()
        return values if dtype is None else values.astype(dtype, copy=False)

    # -- life ---------------------------------------------------------------------------------------------------

    def free(self) -> None:
        if not self._storage.give_back():
            raise BoardError("this array was freed before")

    def to(self, board: Any) -> DeviceArray[_T_co]:
        return array(self.get(), board=board)

    def remains_on(self, board: Any, name: str) -> None:
        if self.board is board and self._storage.there(board):
            return
        if self._storage.freed:
            raise ArgumentError(f"{name} was freed, and has no elements any more")
        if self.board is not board:
            raise ArgumentError(
                f"{name} is an array on another board ({self.board.url}), and the kernel runs on {board.url}; "
                "pass x.to(board), or x.get() each time"
            )
        self._storage.remains(board, name)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an array on a board cannot be copied or pickled; x.get() can, and p4.array(x.get()) is a copy")


def _is_index(item: Any) -> bool:
    return isinstance(item, int | np.integer) and not isinstance(item, bool)


def _start(model: npt.NDArray[Any]) -> int:
    address: int = model.__array_interface__["data"][0]
    return address


def _values(value: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """``value`` as elements of ``dtype``, broadcast to ``shape``. Raises ArgumentError for what would change on the way."""
    if isinstance(value, np.ma.MaskedArray):
        raise ArgumentError("a masked array cannot be stored on a board; pass x.filled(...)")
    given = np.asarray(value)
    if given.dtype != dtype:
        if isinstance(value, np.ndarray | DeviceArray) or given.dtype.kind not in "biuf" or dtype.kind not in "biuf":
            raise ArgumentError(
                f"the array on the board has dtype {dtype}, the values have {given.dtype}; convert them with "
                f".astype({_name(dtype)}), or make them with that dtype"
            )
        given = _numbers(given, dtype)
    try:
        return np.broadcast_to(given, shape)
    except ValueError:
        raise ArgumentError(f"values of shape {given.shape} do not fit an array of shape {shape}") from None


def _numbers(given: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Python's own numbers as elements of ``dtype``: none may be out of range, no fraction be cut off."""
    if dtype.kind in "iu" and given.dtype.kind in "iu":
        limits = np.iinfo(dtype)
        for number in (int(given.min()), int(given.max())) if given.size else ():
            if not limits.min <= number <= limits.max:
                raise ArgumentError(f"{number} does not fit {dtype}, which holds {limits.min} to {limits.max}")
    elif dtype.kind in "iu" and given.dtype.kind == "f":
        raise ArgumentError(f"elements of dtype {dtype} are integers, and these are floats; say how to round them")
    elif (dtype.kind == "b") != (given.dtype.kind == "b"):
        raise ArgumentError(f"the array on the board has dtype {dtype}, the values are {given.dtype}")
    return given.astype(dtype)


def _name(dtype: np.dtype[Any]) -> str:
    return f"np.{dtype.name}" if dtype.fields is None else "the struct's .dtype"


# -- making them ------------------------------------------------------------------------------------------------


def _dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    result = np.dtype(dtype)
    if result.hasobject or not result.itemsize:
        raise ArgumentError(f"elements of dtype {result} have no form in a board's memory")
    return result


def steps(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Strides of an array in C order."""
    steps = itertools.accumulate(reversed(shape[1:]), lambda step, n: step * max(n, 1), initial=itemsize)
    return tuple(steps)[::-1] if shape else ()


def _in_one_piece(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> bool:
    for n, stride, step in zip(shape, strides, steps(shape, itemsize), strict=True):
        if n != 1 and stride != step:
            return False
    return True


def empty(
    shape: Shape, dtype: type[T] | np.dtype[T], *, memory: str = "any", board: Board | None = None
) -> DeviceArray[T]:
    """An array on the board, of zeros: nothing is sent but its size. See ``array`` for ``memory`` and ``board``."""
    kind = _dtype(dtype)
    dims = tuple(map(operator.index, shape)) if isinstance(shape, Sequence) else (operator.index(shape),)
    if any(n < 0 for n in dims):
        raise ArgumentError(f"an array cannot have the shape {dims}")
    where = board if board is not None else defaults.current_board()
    storage = Storage(where)
    where.memory.allocate(max(math.prod(dims) * kind.itemsize, 1), where=memory, claim=storage.claim)
    return BoardArray(storage, where, storage.address, kind, dims, steps(dims, kind.itemsize))


zeros = empty


def full(
    shape: Shape, value: Any, dtype: type[T] | np.dtype[T], *, memory: str = "any", board: Board | None = None
) -> DeviceArray[T]:
    """An array on the board whose elements are ``value``."""
    result = empty(shape, dtype, memory=memory, board=board)
    result.set(value)
    return result


@overload
def array(
    x: npt.NDArray[T] | DeviceArray[T], dtype: None = None, *, memory: str = "any", board: Board | None = None
) -> DeviceArray[T]: ...


@overload
def array(
    x: npt.ArrayLike, dtype: type[T] | np.dtype[T], *, memory: str = "any", board: Board | None = None
) -> DeviceArray[T]: ...


@overload
def array(
    x: npt.ArrayLike, dtype: None = None, *, memory: str = "any", board: Board | None = None
) -> DeviceArray[Any]: ...


def array(x: Any, dtype: Any = None, *, memory: str = "any", board: Board | None = None) -> DeviceArray[Any]:
    """A copy of ``x`` that stays on the board: calls that take it send and fetch nothing.

    Args:
        x: an array, or what np.asarray makes one of.
        dtype: of its elements; None: that of x.
        memory: "any", "psram", "sram" or "tcm".
        board: where it lives; None: the current board.

    It is freed when Python drops it and its slices, along with the board's next request. Raises OutOfMemory.
    """
    if isinstance(x, np.ma.MaskedArray):
        raise ArgumentError("a masked array cannot be stored on a board; pass x.filled(...)")
    values = np.asarray(x) if dtype is None else np.asarray(x, dtype=dtype)
    result = empty(values.shape, values.dtype, memory=memory, board=board)
    result.set(values)
    return result
