"""Global variables of a build: their places and types, from DWARF (through pyelftools)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from p4kernel.errors import Error

if TYPE_CHECKING:
    from p4kernel.build import Built

__all__ = ["Variable", "variables"]

# DWARF 5, section 7: operations of a location, and the values of DW_AT_encoding that C's types have.
_OP_ADDR: Final = 0x03
_OP_PLUS_UCONST: Final = 0x23
_OP_ADDRX: Final = 0xA1
_KINDS: Final = {0x02: "b", 0x04: "f", 0x05: "i", 0x06: "i", 0x07: "u", 0x08: "u", 0x10: "u"}
_THROUGH: Final = ("const", "volatile", "atomic", "restrict")


@dataclass(frozen=True, slots=True)
class Variable:
    """One global variable. ``offset`` is from the start of the image; None when it is not in the program."""

    name: str
    offset: int | None
    dtype: np.dtype[Any] | None  # of its elements; None: no dtype has this form
    shape: tuple[int, ...]
    type: str  # as C says it, without dimensions
    constant: bool


@lru_cache(maxsize=32)
def _read(elf: bytes, base: int, size: int) -> Mapping[str, tuple[Variable, ...]]:
    from elftools.elf.elffile import ELFFile

    found: dict[str, list[Variable]] = {}
    for unit in ELFFile(io.BytesIO(elf)).get_dwarf_info().iter_CUs():
        for die in _globals(unit.get_top_DIE()):
            variable = _variable(die, base, size)
            if variable is not None:
                found.setdefault(variable.name, []).append(variable)
    return {name: tuple(several) for name, several in found.items()}


def variables(built: Built) -> Mapping[str, tuple[Variable, ...]]:
    """All global variables by name; more than one where units have static variables of the same name."""
    image = built.image
    return _read(built.elf, image.link_base, image.size)


def _globals(die: Any) -> Iterator[Any]:
    for child in die.iter_children():
        if child.tag == "DW_TAG_variable":
            yield child
        elif child.tag == "DW_TAG_namespace":
            yield from _globals(child)


def _variable(die: Any, base: int, size: int) -> Variable | None:
    what = die.get_DIE_from_attribute("DW_AT_specification") if "DW_AT_specification" in die.attributes else die
    if "DW_AT_name" not in what.attributes or "DW_AT_type" not in what.attributes:
        return None
    name = what.attributes["DW_AT_name"].value.decode()
    if "DW_AT_declaration" in die.attributes:
        return None  # of a variable of another unit, or of the board
    address = _address(die)
    # The linker leaves 0 or the like in place of what it dropped.
    offset = address - base if address is not None and 0 <= address - base < size else None
    constant = False
    kind, shape = what.get_DIE_from_attribute("DW_AT_type"), []
    while True:
        tag = kind.tag.removeprefix("DW_TAG_").removesuffix("_type")
        constant |= tag == "const"
        if tag == "array":
            shape += _dimensions(kind)
        elif tag not in (*_THROUGH, "typedef"):
            break
        if "DW_AT_type" not in kind.attributes:
            return None  # const void
        kind = kind.get_DIE_from_attribute("DW_AT_type")
    return Variable(name, offset, _dtype(kind), tuple(shape), _spelling(kind), constant)


def _address(die: Any) -> int | None:
    """Of DW_AT_location: an address, or one of the table in .debug_addr, and a number that is added to it."""
    location = die.attributes.get("DW_AT_location")
    if location is None or not isinstance(location.value, list) or not location.value:
        return None  # it has no place, or several in turn
    code, *rest = location.value
    if code == _OP_ADDR:
        address, rest = int.from_bytes(bytes(rest[:4]), "little"), rest[4:]
    elif code == _OP_ADDRX:
        index, rest = _uleb(rest)
        address = die.dwarfinfo.get_addr(die.cu, index)
    else:
        return None
    if rest[:1] == [_OP_PLUS_UCONST]:
        more, rest = _uleb(rest[1:])
        address += more
    return None if rest else int(address)


def _uleb(data: list[int]) -> tuple[int, list[int]]:
    value = 0
    for i, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, data[i + 1 :]
    return value, []


def _dimensions(array: Any) -> list[int]:
    result = []
    for child in array.iter_children():
        if "DW_AT_count" in child.attributes:
            result.append(int(child.attributes["DW_AT_count"].value))
        elif "DW_AT_upper_bound" in child.attributes:
            result.append(int(child.attributes["DW_AT_upper_bound"].value) + 1)
        else:
            result.append(0)
    return result


def _dtype(kind: Any) -> np.dtype[Any] | None:
    """Of one element. None for what has no dtype: unions, bit-fields, types without a size."""
    tag = kind.tag.removeprefix("DW_TAG_").removesuffix("_type")
    size = kind.attributes["DW_AT_byte_size"].value if "DW_AT_byte_size" in kind.attributes else 0
    if tag == "base":
        code = _KINDS.get(kind.attributes["DW_AT_encoding"].value)
        fits = size in ((4, 8) if code == "f" else (1, 2, 4, 8))
        return np.dtype("?" if code == "b" else f"<{code}{size}") if code is not None and fits else None
    if tag in ("pointer", "reference", "rvalue_reference"):
        return np.dtype("<u4")
    if tag == "enumeration":
        signed = any(
            c.attributes["DW_AT_const_value"].value < 0
            for c in kind.iter_children()
            if "DW_AT_const_value" in c.attributes
        )
        return np.dtype(f"<{'i' if signed else 'u'}{size}") if size else None
    if tag not in ("structure", "class") or not size:
        return None
    names, formats, offsets = [], [], []
    for member in kind.iter_children():
        if member.tag != "DW_TAG_member" or "DW_AT_external" in member.attributes:
            continue
        element = _member(member)
        if element is None or "DW_AT_name" not in member.attributes:
            return None
        names.append(member.attributes["DW_AT_name"].value.decode())
        formats.append(element)
        offsets.append(member.attributes["DW_AT_data_member_location"].value)
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size}) if names else None


def _member(member: Any) -> Any:
    if "DW_AT_bit_size" in member.attributes:
        return None
    kind, shape = member.get_DIE_from_attribute("DW_AT_type"), []
    while kind.tag.removeprefix("DW_TAG_").removesuffix("_type") in (*_THROUGH, "typedef", "array"):
        if kind.tag == "DW_TAG_array_type":
            shape += _dimensions(kind)
        kind = kind.get_DIE_from_attribute("DW_AT_type")
    element = _dtype(kind)
    return (element, tuple(shape)) if element is not None and shape else element


def _spelling(kind: Any) -> str:
    tag = kind.tag.removeprefix("DW_TAG_").removesuffix("_type")
    name = kind.attributes["DW_AT_name"].value.decode() if "DW_AT_name" in kind.attributes else ""
    if tag in ("structure", "union", "enumeration"):
        return f"{ {'structure': 'struct', 'enumeration': 'enum'}.get(tag, tag) } {name or '(without a name)'}"
    return name or tag


def only(found: tuple[Variable, ...], where: str) -> Variable:
    """The one of a name that is in the program. Raises Error, which says what is wrong with it."""
    variable = max(found, key=lambda v: v.offset is not None)
    if sum(v.offset is not None for v in found) > 1:
        raise Error(f"{where}: several units have a static variable of this name")
    if variable.offset is None:
        raise Error(
            f"{where}: the compiler or the linker has dropped this variable, as no kernel needs it in memory; one that "
            "Python reads or writes should not be static"
        )
    if variable.dtype is None:
        raise Error(f"{where}: a variable of type {variable.type} has no form in NumPy; copy what you need in a kernel")
    return variable
