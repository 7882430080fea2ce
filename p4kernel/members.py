"""The kernels of a module: built with it, and run without a reset of its variables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from p4kernel import defaults
from p4kernel.board import Board
from p4kernel.call import Plan, Run
from p4kernel.globals import ModuleStorage
from p4kernel.kernel import Kernel
from p4kernel.options import Options
from p4kernel.signature import Signature, bodies, prototype, read, together
from p4kernel.wire._tables import CallFlag

if TYPE_CHECKING:
    from p4kernel.build import Built, Source
    from p4kernel.build import Options as BuildOptions
    from p4kernel.modules import Module

__all__ = ["ModuleKernel", "Program", "start_signatures"]

P = ParamSpec("P")
R = TypeVar("R")

START: Final = "p4_start"
"""Name of the kernel that runs the constructors of globals."""
_STATELESS: Final = CallFlag(0)  # variables stay as they are


class ModuleKernel(Kernel[P, R]):
    """A kernel of a module. Made by ``@m.kernel``."""

    def __init__(self, function: Callable[P, R], signature: Signature, options: Options, owner: Module) -> None:
        super().__init__(function, signature, options)
        self._owner = owner
        self._plan.flags = _STATELESS
        self._entry = together.entry_name(signature.name)
        self._builds = owner._program._builds  # one for all

    def inputs(self) -> tuple[Source, BuildOptions]:
        return self._owner._source(), self._build_options()

    def _build(self, generation: int) -> tuple[Built, bool]:
        return self._owner._build(generation)

    def _run(self, board: Board | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments = self._plan.marshaller.bind(args, kwargs)
        if board is None:
            board = defaults.current_board()
        self._generation = generation = board.generation
        built, built_now = self._build(generation)
        with board.session.lock:
            place = self._owner._instance(board).place(self._entry)
            result, self._last.value = Run(self._plan, board, built, built_now, arguments, place).go()
        return result

    @property
    def source(self) -> str:
        """The text that the compiler gets, of the whole module."""
        return self._owner.source


class Program(Kernel[[], None]):
    """The module as a whole: it is built as this kernel, which runs the constructors of globals."""

    def __init__(self, owner: Module, signature: Signature, options: Options) -> None:
        super().__init__(lambda: None, signature, options)
        self._owner = owner
        self.resetting = self._plan
        self.starting = Plan(signature, options, self._plan.marshaller, _STATELESS)

    def inputs(self) -> tuple[Source, BuildOptions]:
        return self._owner._source(), self._build_options()

    @property
    def source(self) -> str:
        """The text that the compiler gets, of the whole module."""
        return self._owner.source

    def _validate(self) -> None:
        for kernel in self._owner._kernels.values():
            prototype.validate(kernel.signature)

    def forget(self) -> None:
        with self._build_lock:
            self._builds.clear()

    @property
    def is_built(self) -> bool:
        return bool(self._builds)

    def all(self, generation: int | None = None) -> tuple[Built, bool]:
        return self._build(self._wanted() if generation is None else generation)

    def run(self, plan: Plan, board: Board, instance: ModuleStorage) -> None:
        built, built_now = self._build(board.generation)
        place = instance.place(together.entry_name(START))
        Run(plan, board, built, built_now, plan.marshaller.bind((), {}), place).go()


def start_signatures(lines: together.ModuleLines, position: bodies.Position, what: str) -> tuple[Signature, Signature]:
    """Of the function that runs constructors: for the program's text, and for messages."""

    def start() -> None:
        bodies.extern(together.CONSTRUCTS)

    signature = read(start)
    body = replace(signature.body, position=position)
    return replace(signature, name=START, body=body), replace(signature, name=what, body=body, lines=lines)
