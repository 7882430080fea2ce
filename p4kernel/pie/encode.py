"""Text of an instruction to its word."""

from __future__ import annotations

import re
from typing import NoReturn

from p4kernel.generations import CHIPS, NAMES
from p4kernel.pie import table
from p4kernel.pie.errors import PieError
from p4kernel.pie.model import ROUNDING, SATURATION, Encoding, Instruction, Operand, generation_of
from p4kernel.pie.names import ABI, NUMBERS, PIE_REGISTERS

__all__ = ["encode", "encoding_of", "find"]


def encode(text: str, revision: float = 1) -> int:
    """The word of one instruction, such as ``esp.vld.128.ip q0, a0, 16``, for a chip of this revision.

    A loop's label is the bytes from the instruction to it: ``16`` or ``.+16``. PieError says what is wrong and what is
    allowed.
    """
    mnemonic, *rest = text.split(None, 1) or [""]
    instruction = _named(mnemonic.lower(), mnemonic)
    encoding = encoding_of(instruction, generation_of(revision))
    given = [part.strip() for part in rest[0].split(",")] if rest else []
    return encoding.match | _pack(instruction, encoding, given)


def find(mnemonic: str) -> Instruction:
    """The instruction of this name, in any case of letters and with or without ``esp.``. PieError names near ones."""
    name = mnemonic.strip().lower()
    return _named(name if name.startswith("esp.") else f"esp.{name}", mnemonic.strip())


def _named(name: str, given: str) -> Instruction:
    try:
        return table.get(name)
    except KeyError:
        pass
    import difflib

    near = difflib.get_close_matches(name if name.startswith("esp.") else f"esp.{name}", table.mnemonics(), 3, 0.7)
    hint = f": near names are {', '.join(near)}" if near else ""
    raise PieError(f"PIE has no instruction {given!r}{hint}")


def encoding_of(instruction: Instruction, generation: int) -> Encoding:
    """An instruction's encoding; PieError if this generation lacks it."""
    encoding = instruction.encodings.get(generation)
    if encoding is None:
        (other,) = instruction.encodings
        raise PieError(
            f"{instruction.mnemonic} is not in {NAMES[generation]} ({CHIPS[generation]}), "
            f"only in {NAMES[other]} ({CHIPS[other]})"
        )
    return encoding


def _pack(instruction: Instruction, encoding: Encoding, given: list[str]) -> int:
    required = [operand for operand in encoding.operands if operand.default is None]
    optional = [operand for operand in encoding.operands if operand.default is not None]
    if not len(required) <= len(given) <= len(encoding.operands):
        names = ", ".join(operand.name for operand in required)
        more = "".join(f"[, {operand.name}]" for operand in optional)
        raise PieError(f"{instruction.mnemonic} takes {names or 'no operands'}{more}: {len(given)} were given")
    word = 0
    for operand, text in zip(required, given, strict=False):
        word |= operand.put(_value(instruction.mnemonic, operand, text))
    rest = given[len(required) :]
    for index, operand in enumerate(optional):
        # rm may stand alone: it has names of its own.
        if rest and (len(rest) == len(optional) - index or _is_for(operand, rest[0])):
            value = _value(instruction.mnemonic, operand, rest.pop(0))
        else:
            value = operand.default or 0
        word |= operand.put(value)
    if rest:
        raise PieError(f"{instruction.mnemonic}: {rest[0]!r} is no {' and no '.join(o.name for o in optional)} operand")
    return word


def _is_for(operand: Operand, text: str) -> bool:
    if text.lower() in (*SATURATION, *ROUNDING):
        return text.lower() in (SATURATION if operand.kind == "sat" else ROUNDING)
    return True


def _value(mnemonic: str, operand: Operand, text: str) -> int:
    if operand.kind == "q":
        match = re.fullmatch(r"q([0-7])", text, re.IGNORECASE)
        return int(match[1]) if match else _refuse(mnemonic, operand, text, "is no PIE register: there are q0 to q7")
    if operand.kind in ("x", "xp"):
        number = NUMBERS.get(text.lower())
        if number is None:
            allowed = PIE_REGISTERS if operand.kind == "xp" else "x0-x31 and their ABI names"
            _refuse(mnemonic, operand, text, f"is no general register; allowed are {allowed}")
        if not operand.fits(number):
            other = ABI[number] if text.lower().startswith("x") else f"x{number}"
            _refuse(mnemonic, operand, f"{text} ({other})", f"cannot be used: PIE takes {PIE_REGISTERS}")
        return number
    names = {"sat": SATURATION, "rm": ROUNDING}.get(operand.kind, ())
    if text.lower() in names:
        return names.index(text.lower())
    if operand.kind.startswith("label"):
        text = re.sub(r"^\.\s*\+\s*", "", text)
    try:
        value = int(text, 0)
    except ValueError:
        return _refuse(mnemonic, operand, text, f"is {'none of ' + ', '.join(names) if names else 'no number'}")
    if not operand.fits(value):
        multiple = f"multiples of {operand.step} " if operand.step > 1 else ""
        _refuse(mnemonic, operand, text, f"is not allowed: {multiple}from {operand.minimum} to {operand.maximum} are")
    return value


def _refuse(mnemonic: str, operand: Operand, text: str, why: str) -> NoReturn:
    raise PieError(f"{mnemonic}, operand {operand.name}: {text} {why}")
