"""Global variables of a module on a board, as arrays whose elements are read and written by index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from p4kernel.arrays import BoardArray, Storage, steps
from p4kernel.board import Board, Loaded, Unreachable
from p4kernel.errors import ArgumentError, BoardError, StateLost

if TYPE_CHECKING:
    from p4kernel.build import Image

__all__ = ["GlobalArray", "ModuleStorage"]


class _Place(NamedTuple):
    """What a call has to know of a module: see call.Place."""

    entry: int
    loaded: Loaded
    storage: ModuleStorage

    def lost(self) -> StateLost:
        return self.storage.lost()


class ModuleStorage(Storage):
    """The image of a module on a board. It is given back when the module and all views of its variables are dropped."""

    def __init__(self, board: Board, image: Image, name: str) -> None:
        super().__init__(board)
        self.loaded = Loaded(0, 0)  # until it is
        self._image = image
        self._name = name
        self._url = board.url
        self._lost = False
        self._entries: dict[str, int] = {}

    @property
    def constructs(self) -> bool:
        """Whether there are constructors of globals to run."""
        symbol = self._image.symbol
        try:
            return symbol("p4_init_start").offset != symbol("p4_init_end").offset
        except KeyError:
            return False

    def place(self, entry: str) -> _Place:
        """For a call of the kernel with this entry."""
        offset = self._entries.get(entry)
        if offset is None:
            offset = self._entries[entry] = self._image.symbol(entry).offset
        return _Place(offset, self.loaded, self)

    def there(self, board: Board) -> bool:
        return not self._lost and super().there(board)

    def remains(self, board: Board, what: str) -> None:
        if self._lost:
            raise self.lost()
        if self.freed:
            raise BoardError(f"{what} was freed on {self._url}; load() begins anew, with the initial values")
        if board.closed:
            raise BoardError(f"{what} is gone: the board {self._url} was closed")
        board.session.ready()
        if board.session.id != self.session:
            raise self.lost()

    def lost(self) -> StateLost:
        """The error when the board no longer has it."""
        self._lost = True
        self.forget()
        return StateLost(
            f"the state of the {self._name} is gone: the board {self._url} was restarted, its connection begun anew, or a "
            "kernel has written over the module's code; load() begins anew, with the initial values"
        )

    def forget(self) -> None:
        """The board has dropped it."""
        self._freed = True
        if self._owned is not None:
            self._owned.clear()

    def variable(self, address: int, size: int) -> bool:
        """Whether these bytes are of variables, and not of code and constants."""
        image, offset = self._image, address - self.address
        return offset >= image.data_offset and offset + size <= image.size


class GlobalArray(BoardArray[Any]):
    """An array or a struct among the global variables of a module.

    Its elements are read and written by index: ``m.table[:]`` is a NumPy array, ``m.table[2] = 5`` stores one. ``view``
    is a DeviceArray, whose slices can be passed to kernels, as the whole variable can.
    """

    _variable = ""

    @classmethod
    def of(
        cls, storage: ModuleStorage, board: Board, name: str, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> GlobalArray:
        """The variable ``name``, at ``offset`` in its image."""
        array = cls(storage, board, storage.address + offset, dtype, shape, steps(shape, dtype.itemsize))
        array._variable = name
        return array

    @property
    def view(self) -> BoardArray[Any]:
        """The same memory, with slices that are not fetched."""
        return BoardArray(self._storage, self.board, self.address, self.dtype, self.shape, self.strides)

    def __getitem__(self, key: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._select(key).get()[()]

    def __repr__(self) -> str:
        return f"<p4 variable {self._variable}: {self.dtype}, shape {self.shape}, on {self.board.url}>"

    def _remains(self) -> None:
        self._storage.remains(self.board, f"the variable {self._variable}")

    def _view(self, model: npt.NDArray[Any], moved: int) -> BoardArray[Any]:
        part = super()._view(model, moved)
        assert isinstance(part, GlobalArray)
        part._variable = self._variable
        return part

    def get(self) -> npt.NDArray[Any]:
        try:
            return super().get()
        except Unreachable:
            raise self._module.lost() from None

    @property
    def _module(self) -> ModuleStorage:
        assert isinstance(self._storage, ModuleStorage)
        return self._storage

    def set(self, value: Any) -> None:
        if not self._module.variable(self.address, 1 if self.size else 0):
            raise ArgumentError(
                f"{self._variable} is a constant: it is declared const, or static and never written by the C text, so that "
                "the compiler may have used its value already"
            )
        try:
            super().set(value)
        except Unreachable:
            raise self._module.lost() from None

    def free(self) -> NoReturn:
        raise BoardError(f"{self._variable} is a variable of a module, and is freed with it: module.free()")
