"""Python values that a body captures by name, as text for C, C++ and assembly: ``p4.c(..., N=64, TAPS=[1, 2, 1])``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from p4kernel.errors import SignatureError
from p4kernel.signature.words import C_WORDS
from p4kernel.types import C_NAMES

__all__ = ["text"]

_LARGEST: Final = 1 << 18  # elements of a table: beyond it the compiler needs seconds to read the text
_ALIGN: Final = 16  # bytes: what loads of the SIMD unit take
_ROW: Final = 16  # numbers a line
_UNUSED: Final = "__attribute__((unused))"
_ASM: Final = {1: ".byte", 2: ".2byte", 4: ".4byte", 8: ".8byte"}


def text(where: str, constants: Mapping[str, Any]) -> str:
    """Definitions that C, C++ and assembly can include.

    int and bool as written; float as a double, exactly; np.float32 as a float; str as a literal in UTF-8; sequences of
    numbers, bytes and NumPy arrays as constant tables. Numbers and text are macros in C, which ``#if`` knows, and
    constexpr in C++. Raises SignatureError for what has no such form.
    """
    if not constants:
        return ""
    c, cpp, asm = [], [], []
    for name, value in constants.items():
        what = f"{where}: constant {name!r}"
        _check_name(name, what)
        if isinstance(value, str):
            literal = _string(value, what)
            c.append(f"#define {name} {literal}")
            cpp.append(f"{_UNUSED} static constexpr char {name}[] = {literal};")
            asm.append(f"#define {name} {literal}")
        elif isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim):
            table = _array(value, what)
            for out in (c, cpp):
                out.append(_c_table(name, table, what, "constexpr" if out is cpp else "const"))
            asm.append(_asm_table(name, table))
        else:
            kind, number = _number(value, what)
            c.append(f"#define {name} {number}")
            cpp.append(f"{_UNUSED} static constexpr {kind} {name} = {number};")
            asm.append(f"#define {name} {_asm_number(value)}")
    lines = [
        "#ifdef __ASSEMBLER__", *asm, "#else", "#include <stdint.h>", "#ifdef __cplusplus",
        *cpp, "#else", *c, "#endif", "#endif", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _check_name(name: str, what: str) -> None:
    if not name.isascii() or name in C_WORDS:
        raise SignatureError(f"{what}: this cannot be a name in C")
    if name.startswith(("p4_", "_")):
        raise SignatureError(f"{what}: names that begin with p4_ or an underscore are not yours")


def _number(value: Any, what: str) -> tuple[str, str]:
    """The C type and the constant. Values that C reads as another type get their suffix."""
    if isinstance(value, bool | np.bool_):
        return "bool", str(int(value))
    if isinstance(value, int | np.integer):
        return _integer(int(value), what)
    if isinstance(value, np.floating) and value.dtype == np.float32:
        return "float", _float(float(value), "f")
    if isinstance(value, float):  # np.float64 is one, too
        return "double", _float(value, "")
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return _number(value[()], what)
    raise SignatureError(
        f"{what}: a constant is an int, a float, a bool, a str, or a sequence or NumPy array of numbers, not "
        f"{type(value).__name__}"
    )


def _integer(value: int, what: str) -> tuple[str, str]:
    if not -(1 << 63) <= value < 1 << 64:
        raise SignatureError(f"{what}: {value} does not fit 64 bits")
    if value >= 1 << 63:
        return "unsigned long long", f"{value}ULL"
    kind, suffix = ("int", "") if -(1 << 31) <= value < 1 << 31 else ("long long", "LL")
    if value in (-(1 << 31), -(1 << 63)):  # C has no negative constants, and the positive one does not fit
        return kind, f"({value + 1}{suffix} - 1)"
    return kind, f"({value}{suffix})" if value < 0 else f"{value}{suffix}"


def _float(value: float, suffix: str) -> str:
    if math.isnan(value):
        return f'__builtin_nan{suffix}("")'
    if math.isinf(value):
        return f"({'-' if value < 0 else ''}__builtin_inf{suffix}())"
    literal = value.hex() + suffix
    return f"({literal})" if literal.startswith("-") else literal


def _asm_number(value: Any) -> str:
    # Decimal: assemblers differ in the hexadecimal floats that they read. repr() gives back the same number.
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    return str(int(value)) if isinstance(value, int) else repr(value)


def _string(value: str, what: str) -> str:
    try:
        data = value.encode()
    except UnicodeEncodeError as error:
        raise SignatureError(f"{what}: the text cannot be written as UTF-8: {error.reason}") from None
    # Octal, three digits: a hexadecimal escape would go on into what follows.
    plain = (chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}" for byte in data)
    return f'"{"".join(plain)}"'


def _array(value: Any, what: str) -> np.ndarray[Any, np.dtype[Any]]:
    if isinstance(value, bytes | bytearray):
        array = np.frombuffer(bytes(value), np.uint8)
    elif isinstance(value, np.ndarray):
        array = value
    else:
        array = _from_sequence(value, what)
    if array.dtype not in C_NAMES:
        raise SignatureError(f"{what}: a table of {array.dtype} has no C type; it holds integers, floats or bools")
    if not 0 < array.size <= _LARGEST:
        raise SignatureError(
            f"{what}: it has {array.size:,} elements, and a table in the text has from 1 to {_LARGEST:,}; pass a larger "
            "one as an array"
        )
    return array


def _from_sequence(value: Sequence[Any], what: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Integers become int32_t where they fit, else a 64-bit type; the rest is as NumPy has it."""
    items = np.array(value, dtype=object)
    if any(isinstance(item, Sequence | np.ndarray) for item in items.flat):
        raise SignatureError(f"{what}: its elements must be numbers, in rows of one length")
    if items.size and all(isinstance(item, int | np.integer) and not isinstance(item, bool) for item in items.flat):
        low, high = int(items.min()), int(items.max())
        for kind in (np.int32, np.int64, np.uint64):
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return items.astype(kind)
        raise SignatureError(f"{what}: {low} to {high} fits no 64-bit type")
    return np.asarray(value)


def _c_table(name: str, array: np.ndarray[Any, np.dtype[Any]], what: str, constant: str) -> str:
    dims = "".join(f"[{n}]" for n in array.shape)
    return (
        f"{_UNUSED} __attribute__((aligned({_ALIGN}))) static {constant} {C_NAMES[array.dtype]} {name}{dims} = "
        f"{_initializer(array, what)};"
    )


def _initializer(array: np.ndarray[Any, np.dtype[Any]], what: str) -> str:
    if array.ndim > 1:
        return "{" + ",\n".join(_initializer(row, what) for row in array) + "}"
    numbers = [_number(value, what)[1] for value in array]
    rows = [", ".join(numbers[at : at + _ROW]) for at in range(0, len(numbers), _ROW)]
    return "{" + ",\n".join(rows) + "}"


def _asm_table(name: str, array: np.ndarray[Any, np.dtype[Any]]) -> str:
    """Bits as integers: exact, and read by every assembler."""
    size = array.dtype.itemsize
    bits = np.ascontiguousarray(array).view(f"<u{size}").ravel().tolist()
    rows = [f"    {_ASM[size]} {', '.join(map(str, bits[at : at + _ROW]))}" for at in range(0, len(bits), _ROW)]
    head = f'    .section .rodata.{name}, "a"\n    .balign {_ALIGN}\n    .type {name}, @object\n{name}:'
    return "\n".join([head, *rows, f"    .size {name}, . - {name}", "    .text"])
