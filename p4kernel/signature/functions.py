"""Function pointers: the C type, and how a call of a Python function travels from the board and back.

The entry passes a function of C in place of the Python function. It puts its arguments into a message, a struct, hands
that to the firmware's ``p4k_callback``, and finds the result there. So it is the compiler that knows the ABI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from p4kernel.errors import SignatureError
from p4kernel.signature.layout import up
from p4kernel.signature.values import Value, spelling

_POINTER_SIZE = 4
_LARGEST = 1024  # bytes of a message, of protocol.yaml


@dataclass(frozen=True, slots=True)
class Address:
    """A pointer that a function takes. Only functions on the board can."""

    c: str
    size: int = _POINTER_SIZE
    align: int = _POINTER_SIZE
    code: str = "I"


@dataclass(frozen=True, slots=True)
class Function:
    """The type of a function pointer."""

    parameters: tuple[Value | Address, ...]
    returns: Value | None
    optional: bool = False  # None is NULL

    def declare(self, name: str) -> str:
        """C declaration of ``name`` as a pointer to such a function."""
        return f"{self._result} (*{name})({self._list()})"

    @property
    def c(self) -> str:
        return self.declare("")

    @property
    def _result(self) -> str:
        return self.returns.c if self.returns is not None else "void"

    def _list(self, name: str = "") -> str:
        return ", ".join(f"{p.c} {name}{i}" if name else p.c for i, p in enumerate(self.parameters)) or "void"

    def __str__(self) -> str:
        kinds = ", ".join(p.c if isinstance(p, Address) else spelling(p) for p in self.parameters)
        result = spelling(self.returns) if self.returns is not None else "None"
        return f"p4.fn[[{kinds}], {result}]{' | None' if self.optional else ''}"

    @property
    def offsets(self) -> tuple[int, ...]:
        """Where each argument, and behind them the result, begins in the message."""
        found, end = [], 0
        for kind in (*self.parameters, *((self.returns,) if self.returns is not None else ())):
            found.append(up(end, kind.align))
            end = found[-1] + kind.size
        return (*found, end)

    def asker(self, symbol: str) -> str:
        """C text of ``symbol``: given the blob's word for the parameter, the function pointer to call with."""
        message = f"struct {symbol}_message"
        members = [f"    {p.c} a{i};" for i, p in enumerate(self.parameters)]
        members += [f"    {self.returns.c} result;"] if self.returns is not None else []
        names = [*(f"a{i}" for i in range(len(self.parameters))), *(["result"] if self.returns is not None else [])]
        checks = [
            f'_Static_assert(__builtin_offsetof({message}, {name}) == {offset}, "message: {name}");'
            for name, offset in zip(names, self.offsets, strict=False)
        ]
        fill = "".join(f"    p4_m.a{i} = a{i};\n" for i in range(len(self.parameters)))
        return "\n".join(
            [
                f"{message} {{",
                *(members or ["    char none;"]),
                "};",
                *checks,
                f"static uint32_t {symbol}_id;",
                f"static {self._result} {symbol}_ask({self._list('a')})\n{{\n    {message} p4_m;",
                "    __builtin_memset(&p4_m, 0, sizeof p4_m);",
                f"{fill}    p4k_callback({symbol}_id, &p4_m, sizeof p4_m);",
                f"{'    return p4_m.result;' if self.returns is not None else ''}\n}}",
                f"typedef {self.declare(f'{symbol}_pointer')};",
                f"static {symbol}_pointer {symbol}({symbol}_pointer p4_f)\n{{",
                "    uintptr_t p4_word = (uintptr_t)p4_f; /* odd: a Python function, by its number */",
                "    if (!(p4_word & 1))\n        return p4_f;",
                f"    {symbol}_id = (uint32_t)(p4_word >> 1);\n    return {symbol}_ask;\n}}\n",
            ]
        )


def make(parameters: Sequence[Value | Address], returns: Value | None, where: str) -> Function:
    """The type of such a function. Raises SignatureError when its arguments are too many."""
    made = Function(tuple(parameters), returns)
    if made.offsets[-1] > _LARGEST:
        raise SignatureError(
            f"{where}: the arguments of the function take {made.offsets[-1]} bytes; {_LARGEST} can be sent"
        )
    return made
