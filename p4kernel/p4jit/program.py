"""The module that a loaded function is, so that its variables keep their values from call to call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from p4kernel.board import Board
from p4kernel.build import Built, Source, Unit
from p4kernel.errors import CompileError, LinkError
from p4kernel.inspection import KernelBuild
from p4kernel.modules import WHOLE, Module, ModuleKernel
from p4kernel.options import Options
from p4kernel.p4jit.errors import CompilationFailed, LinkingFailed
from p4kernel.p4jit.source import SourceText
from p4kernel.signature import Parameter
from p4kernel.signature.bodies import Body
from p4kernel.signature.cparse import Prototype
from p4kernel.signature.fromc import signature_of

__all__ = ["WHOLE", "Program", "failures"]

# What compilers call by themselves: arithmetic that the chip lacks, and copies.
_COMPILERS = frozenset({"memcpy", "memset", "memmove", "memcmp"})


class Program(Module):
    """One function, with all that it needs."""

    def __init__(
        self, source: SourceText, prototype: Prototype, given: dict[str, Parameter], options: Options,
        more: tuple[Unit, ...] = (),
    ) -> None:  # fmt: skip
        text = source.include if source.language == "cpp" else ""
        super().__init__(Body(source.language, text, "", source.position), f"function {prototype.name}", (), options)
        signature = replace(
            signature_of(prototype, {}, given, ()),
            body=Body("extern", "", "", source.position, entry=prototype.name),
            head=source.head(prototype),
        )
        self.__dict__["_more"] = more
        self.__dict__["_made"] = self._add(_stub(prototype), signature, options)

    _more: tuple[Unit, ...]
    _made: ModuleKernel[..., Any]

    def _source(self) -> Source:
        source = super()._source()
        return source._replace(units=(*source.units, *self._more))

    def built(self, board: Board) -> Built:
        """Compiled and linked for ``board``."""
        return self._build(board.generation)[0]

    def inspected(self, board: Board) -> KernelBuild:
        """The same, with what can be asked about it."""
        return KernelBuild.of(self.built(board), self._program, board.generation)

    def base(self, board: Board) -> int:
        """Where its code begins on ``board``."""
        with board.session.lock:
            return self._instance(board).address

    def missing(self, board: Board, firmware: bool) -> list[str]:
        """Symbols that neither the units nor, if it may be used, the firmware define."""
        exports = board.exports
        wanted = [name for name, weak in self.built(board).image.imports if not weak]
        if not firmware:
            return [name for name in wanted if not name.startswith("__") and name not in _COMPILERS]
        return [name for name in wanted if name not in exports]


def _stub(prototype: Prototype) -> Callable[..., NoReturn]:
    def stub(*args: Any) -> NoReturn:
        raise AssertionError("the kernel runs on the board")

    stub.__name__ = stub.__qualname__ = prototype.name
    stub.__doc__ = prototype.text
    return stub


@contextmanager
def failures() -> Iterator[None]:
    """Around a build: its errors become those that are RuntimeErrors, too."""
    try:
        yield
    except CompileError as error:
        raise CompilationFailed(f"Compilation failed: {error}", error.diagnostics) from error
    except LinkError as error:
        raise LinkingFailed(f"Linking failed: {error}") from error
