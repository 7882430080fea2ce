"""``p4.callback``: a Python function that kernels call, with its C prototype."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FrameType
from typing import Generic, ParamSpec, TypeVar

from p4kernel.errors import SignatureError
from p4kernel.signature.functions import Function
from p4kernel.signature.hints import function_of, resolve
from p4kernel.signature.scope import caller

P = ParamSpec("P")
R = TypeVar("R")


class Callback(Generic[P, R]):
    """A Python function with p4 types, to be passed to ``p4.fn`` parameters. Made by ``@p4.callback``."""

    __name__: str
    __wrapped__: Callable[P, R]

    def __init__(self, function: Callable[P, R], type: Function) -> None:
        functools.update_wrapper(self, function)
        self.type = type

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.__wrapped__(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<p4 callback {self.__name__}: {self.type}>"


def callback(function: Callable[P, R], /) -> Callback[P, R]:
    """Declares the C types of a Python function, so that a wrong match is found when it is passed to a kernel.

    A kernel calls it while the call that it was passed to is under way; the kernel stands still until it returns, and
    the time limit with it. An exception ends the kernel and is raised from the call. Plain functions can be passed to
    ``p4.fn`` parameters, too. Raises SignatureError for annotations that are no p4 types.
    """
    return _make(function, caller(1))


def _make(function: Callable[P, R], frame: FrameType | None) -> Callback[P, R]:
    where = getattr(function, "__qualname__", repr(function))
    if (
        not inspect.isfunction(function)
        or inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
    ):
        raise SignatureError(f"@p4.callback decorates a plain function, not {where}: a kernel waits for its result")
    hints = resolve(function, frame)
    parameters = list(inspect.signature(function).parameters.values())
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise SignatureError(f"{where}: {parameter}: C calls functions with a fixed number of arguments")
        if parameter.name not in hints:
            raise SignatureError(f"{where}: parameter {parameter.name!r} has no type; write {parameter.name}: p4.i32")
    if "return" not in hints:
        raise SignatureError(f"{where}: say what it returns, `-> None` or `-> p4.i32` and the like")
    return Callback(function, function_of([hints[p.name] for p in parameters], hints["return"], where))
