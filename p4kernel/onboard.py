"""A module on one board: its variables, its functions, and what can be done with it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from p4kernel import defaults
from p4kernel.board import Board, refusal
from p4kernel.errors import BoardError, Error
from p4kernel.globals import GlobalArray
from p4kernel.wire._tables import Status, Type, Unload

if TYPE_CHECKING:
    from p4kernel.modules import Module

__all__ = ["Function", "OnBoard"]


class OnBoard:
    """A module on one board: its variables, and what can be done with it there. Made by ``m.on(board)``."""

    __slots__ = ("_board", "_module")

    def __init__(self, module: Module, board: Board) -> None:
        object.__setattr__(self, "_module", module)
        object.__setattr__(self, "_board", board)

    _module: Module
    _board: Board

    def __repr__(self) -> str:
        return f"{self._module!r} on {self._board!r}"

    def load(self) -> None:
        """As Module.load."""
        module, board = self._module, self._board
        with board.session.lock:
            board.session.ready()
            instance = module._instances.get(board)
            if instance is None or not instance.there(board):
                module._load(board)

    def reset(self) -> None:
        """As Module.reset."""
        module, board = self._module, self._board
        module._build(board.generation)
        with board.session.lock:
            instance = module._instance(board)
            module._program.run(module._program.resetting, board, instance)

    def free(self) -> None:
        """As Module.free."""
        module, board = self._module, self._board
        with board.session.lock:
            instance = module._instances.get(board)
            if instance is None:
                raise BoardError(f"the {module._name} is not loaded on {board.url}")
            instance.remains(board, f"the {module._name}")
            reply = board.exchange(Type.UNLOAD, Unload(instance.loaded.image).pack())
            if reply.status is Status.IN_USE:
                raise BoardError(
                    f"the {module._name} is still in use on {board.url}: a timer, a task or the like may call it; end "
                    "that first"
                )
            if reply.status is Status.NO_IMAGE:
                raise instance.lost()
            if reply.status is not Status.OK:
                raise refusal(Type.UNLOAD, reply)
            instance.forget()

    @property
    def loaded(self) -> bool:
        """Whether the board holds it."""
        instance = self._module._instances.get(self._board)
        return instance is not None and instance.there(self._board)

    def address(self, name: str) -> int:
        """Of a function or variable, on this board."""
        module = self._module
        built, _ = module._build(self._board.generation)
        try:
            symbol = built.image.symbol(name)
        except KeyError:
            raise Error(f"the {module._name} has no function or variable {name!r}") from None
        with self._board.session.lock:
            return module._instance(self._board).address + symbol.offset

    def _array(self, name: str) -> GlobalArray:
        variable = self._module._variable(name, self._board.generation)
        assert variable.offset is not None and variable.dtype is not None
        with self._board.session.lock:
            instance = self._module._instance(self._board)
        return GlobalArray.of(instance, self._board, name, variable.offset, variable.dtype, variable.shape)

    def __getitem__(self, name: str) -> Any:
        array = self._array(name)
        return array.item() if not array.shape and array.dtype.fields is None else array

    def __setitem__(self, name: str, value: Any) -> None:
        self._array(name).set(value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class Function:
    """A function of a module, for parameters that are function pointers. It keeps the module loaded."""

    __slots__ = ("_module", "name")

    def __init__(self, module: Module, name: str) -> None:
        self._module = module
        self.name = name

    def p4_address(self, board: Board) -> int:
        """Where it is on ``board``; loads the module at its first use there."""
        return self._module.on(board).address(self.name)

    def __index__(self) -> int:
        return self.p4_address(defaults.current_board())

    def __repr__(self) -> str:
        return f"<function {self.name} of {self._module!r}>"
