"""Results of a kernel besides C's return value: ``p4.ret``, and what the stub's return annotation says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from p4kernel.errors import SignatureError
from p4kernel.signature.sizes import Expression, expression

Form = Literal["none", "single", "tuple"]


@dataclass(frozen=True, slots=True)
class Ret:
    """Default of a parameter that is a result: a pointer in C, made by the call, and returned."""

    shape: int | str | tuple[int | str, ...] | None

    def __str__(self) -> str:
        return f"p4.ret({'' if self.shape is None else repr(self.shape)})"


def ret(shape: int | str | tuple[int | str, ...] | None = None) -> Any:
    """Default for a parameter that is a result: C gets a pointer to it, Python leaves it out and gets it returned.

    ``q: p4.i32 = p4.ret()`` is ``int32_t *q`` in C. ``out: p4.Out[np.float32] = p4.ret("x.shape")`` is a new array of
    that shape: a number, an expression of the other parameters, or a tuple of these. ``text: p4.cstr = p4.ret(64)`` is
    a ``char *`` to 64 bytes. The stub's return annotation lists what comes back, C's own return value first:
    ``-> tuple[p4.bool_, p4.i32, npt.NDArray[np.float32]]``.
    """
    parts = shape if isinstance(shape, tuple) else (shape,)
    for part in parts:
        if isinstance(shape, tuple) and part is None:
            raise SignatureError(f"p4.ret({shape!r}): a length is a number or an expression such as 'x.size'")
        if part is not None and (isinstance(part, bool) or not isinstance(part, int | str)):
            raise SignatureError(f"p4.ret({shape!r}): a length is a number or an expression such as 'x.size'")
        if isinstance(part, int) and part < 0:
            raise SignatureError(f"p4.ret({shape!r}): a length cannot be negative")
    return Ret(shape)


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a result that is made for each call."""

    parts: tuple[int | Expression, ...]
    whole: bool  # one expression, which may give a tuple

    def of(self, values: Mapping[str, Any]) -> tuple[int, ...]:
        """Raises whatever an expression raises; lengths are not checked."""
        lengths = [part if isinstance(part, int) else part.value(values) for part in self.parts]
        if self.whole and isinstance(lengths[0], tuple):
            return lengths[0]
        return tuple(lengths)

    def __str__(self) -> str:
        return ", ".join(str(part) if isinstance(part, int) else part.text for part in self.parts)


def shape(ret: Ret, parameters: Mapping[str, bool], results: Sequence[str], where: str) -> Shape:
    """Parses the lengths of a result. ``parameters``: name -> whether it is an array. Raises SignatureError."""
    given = ret.shape
    assert given is not None
    parts = given if isinstance(given, tuple) else (given,)
    parsed: list[int | Expression] = []
    for part in parts:
        if isinstance(part, int):
            parsed.append(part)
            continue
        found = expression(part, parameters, f"{where} = {ret}")
        for name in found.names:
            if name in results:
                raise SignatureError(f"{where} = {ret}: {name!r} is a result itself and has no value before the call")
        parsed.append(found)
    return Shape(tuple(parsed), not isinstance(given, tuple))
