"""Where the ilp32f calling convention passes arguments: RISC-V psABI, chapter "Procedure Calling Convention".

XLEN and FLEN are 32 bits: a double is passed as an integer of 8 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from p4kernel.signature.values import Record
from p4kernel.types import Scalar

__all__ = ["Passed", "arguments", "of", "result"]

_WORD: Final = 4
_REGISTERS: Final = 8  # a0 to a7, and fa0 to fa7


@dataclass(frozen=True, slots=True)
class Passed:
    """What the convention has to know of a type. ``fields`` are those of a struct, flattened: (is a float, bytes); None
    for what is never taken apart."""

    size: int
    align: int
    real: bool = False  # a float
    fields: tuple[tuple[bool, int], ...] | None = None


def of(kind: Any) -> Passed:
    """Of the type of a parameter or result; all that is no value is a pointer."""
    if isinstance(kind, Scalar):
        return Passed(kind.size, kind.size, kind.kind == "f" and kind.size == _WORD)
    if isinstance(kind, Record):
        return Passed(kind.size, kind.align, fields=_flat(kind))
    size = getattr(kind, "size", _WORD)
    return Passed(size if isinstance(size, int) else _WORD, _WORD)


def _flat(kind: Record) -> tuple[tuple[bool, int], ...] | None:
    """The members of a struct, also those of inner structs and arrays; None for a union, or when there are too many."""
    found: list[tuple[bool, int]] = []
    end = 0
    for member in kind.members:
        if member.bits is not None or member.offset < end:  # overlapping members: a union
            return None
        end = member.offset + 1
        count = 1
        for n in member.shape:
            count *= n
        if isinstance(member.type, Record):
            inner = _flat(member.type)
            if inner is None:
                return None
        else:
            inner = ((isinstance(member.type, Scalar) and member.type.kind == "f", member.type.size),)
        if count * len(inner) + len(found) > 2:
            return None
        found += inner * count
    return tuple(found)


@dataclass(slots=True)
class _State:
    """Registers given out, and bytes of stack."""

    integers: int = 0
    reals: int = 0
    stack: int = 0
    places: list[str] = field(default_factory=list)


def arguments(kinds: Sequence[Passed], returns: Passed | None = None) -> list[str]:
    """Where each argument is, such as "a0", "a0:a1", "fa0, a0", "sp+4" or "address in a1". Stack: at the call."""
    state = _State(integers=1 if returns is not None and returns.size > 2 * _WORD else 0)
    return [_place(kind, state) for kind in kinds]


def result(kind: Passed) -> str:
    """Where a result is when the function has returned."""
    if kind.size > 2 * _WORD:
        return "memory, address in a0"
    return _place(kind, _State())


def _place(kind: Passed, state: _State) -> str:
    names = _in_real_registers(kind, state)
    if names is not None:
        return names
    if kind.size > 2 * _WORD:
        return f"address in {', '.join(_words(1, _WORD, state))}"
    count = -(-kind.size // _WORD)
    return ":".join(_words(count, kind.align, state)) or "nothing"


def _in_real_registers(kind: Passed, state: _State) -> str | None:
    """Floats, structs of one or two of them, and structs of a float and an integer; None: the integer convention."""
    fields = ((True, kind.size),) if kind.real else kind.fields
    if not fields or not any(real for real, _ in fields) or any(size > _WORD for _, size in fields):
        return None
    reals = sum(real for real, _ in fields)
    integers = len(fields) - reals
    if state.reals + reals > _REGISTERS or state.integers + integers > _REGISTERS:
        return None
    names = []
    for real, _ in fields:
        if real:
            names.append(f"fa{state.reals}")
            state.reals += 1
        else:
            names.append(f"a{state.integers}")
            state.integers += 1
    return ", ".join(names)


def _words(count: int, align: int, state: _State) -> Iterator[str]:
    """Integer registers, and the stack when they are used up."""
    for index in range(count):
        if state.integers < _REGISTERS:
            yield f"a{state.integers}"
            state.integers += 1
            continue
        if index == 0:
            step = max(align, _WORD)
            state.stack = -(-state.stack // step) * step
        yield f"sp+{state.stack}"
        state.stack += _WORD
