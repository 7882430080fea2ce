"""An instruction in words: operands, bits, an example, and its intrinsic, for people and for JSON."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from p4kernel import _resources
from p4kernel.pie import _tables, table
from p4kernel.pie.model import ROUNDING, Encoding, Instruction, Operand
from p4kernel.pie.names import PIE_REGISTERS

__all__ = ["Field", "allowed", "example", "family", "fields", "intrinsic", "role", "sources"]

_ROLES = {"r": "read", "w": "written", "rw": "read and written", "imm": "constant"}


class Field(NamedTuple):
    """Bits of a word that belong together: fixed ones, or a part of an operand."""

    high: int
    low: int
    content: str


def role(operand: Operand) -> str:
    """What becomes of an operand."""
    return "may be left out" if operand.default is not None else _ROLES[operand.role]


def allowed(operand: Operand) -> str:
    """What can be written for an operand."""
    match operand.kind:
        case "q":
            return "q0 to q7"
        case "xp":
            return PIE_REGISTERS
        case "x":
            return "any general register"
        case "sat":
            return "sat (when left out) or trunc"
        case "rm":
            return f"{', '.join(ROUNDING[:-1])} or {ROUNDING[-1]} (when left out: CFG's)"
        case "label10" | "label13":
            return f"a label {operand.minimum} to {operand.maximum} bytes ahead, or .+BYTES"
        case _:
            multiples = f"multiples of {operand.step} from " if operand.step > 1 else ""
            return f"{multiples}{operand.minimum} to {operand.maximum}"


def fields(encoding: Encoding) -> list[Field]:
    """The 32 bits of a word, the highest first."""
    owner: dict[int, tuple[str, int]] = {}
    for operand in encoding.operands:
        for place, bit in enumerate(reversed(operand.bits)):
            owner[bit] = operand.name, place
    out: list[Field] = []
    bit = 31
    while bit >= 0:
        low = bit
        if bit not in owner:
            while low and low - 1 not in owner:
                low -= 1
            content = f"{encoding.match >> low & ((1 << bit - low + 1) - 1):0{bit - low + 1}b}"
        else:
            name, place = owner[bit]
            while low and owner.get(low - 1) == (name, place - (bit - low) - 1):
                low -= 1
            last = place - (bit - low)
            size = next(len(operand.bits) for operand in encoding.operands if operand.name == name)
            whole = bit - low + 1 == size
            content = name if whole else f"{name}[{place}]" if place == last else f"{name}[{place}:{last}]"
        out.append(Field(bit, low, content))
        bit = low - 1
    return out


def example(instruction: Instruction, encoding: Encoding) -> str:
    """A line of assembly with plausible operands; what may be left out is."""
    values = [value for operand, value in zip(encoding.operands, _values(encoding, instruction), strict=True)
              if operand.default is None]  # fmt: skip
    return f"{instruction.mnemonic} {', '.join(values)}".rstrip()


def _values(encoding: Encoding, instruction: Instruction) -> Iterator[str]:
    qs, xs = (f"q{i}" for i in range(8)), iter(("a0", "a1", "a2", "a3"))
    for operand in encoding.operands:
        match operand.kind:
            case "q":
                yield next(qs)
            case "x" | "xp":
                yield next(xs)
            case "label10" | "label13":
                yield "1f"
            case "sat" | "rm":
                yield ""
            case _ if operand.name == "count":
                yield "8"
            case _ if operand.name == "id":
                yield "0"
            case _ if operand.name.startswith("off"):
                yield str(16 if operand.fits(16) else operand.step)
            case _:
                yield str(min(1, operand.maximum))


class Intrinsic(NamedTuple):
    """The C form of an instruction."""

    name: str
    parameters: tuple[str, ...]
    more: bool
    """Whether those that may be left out can follow."""
    example: str


def intrinsic(instruction: Instruction) -> Intrinsic | None:
    """As the header defines it; None for the instructions of hardware loops, which p4_loop uses."""
    match = re.search(
        rf'^#define (\w+)\((.*?)\) P4_PIE_DO\(\w+, "{re.escape(instruction.mnemonic)}"', _header(), re.MULTILINE
    )
    if match is None:
        return None
    names = match[2].split(", ") if match[2] else []
    more = names[-1:] == ["..."]
    names = names[: len(names) - more]
    encoding = instruction.encodings[max(instruction.encodings)]
    values = dict(zip((o.name for o in encoding.operands), _values(encoding, instruction), strict=True))
    pointer = "rs1" if instruction.access else ""
    by_name = {o.name: o for o in encoding.operands}
    shown = [
        ("p" if name == pointer else "stride" if pointer and name == "rs2" else name)
        if by_name[name].kind in ("x", "xp")
        else values[name]
        for name in names
    ]
    returned = any(o.kind in ("x", "xp") and o.role == "w" and o.name not in names for o in encoding.operands)
    call = f"{match[1]}({', '.join(shown)});"
    return Intrinsic(match[1], tuple(names), more, f"int32_t r = {call}" if returned else call)


@functools.cache
def _header() -> str:
    return (_resources.stubs() / "include" / "p4_pie_intrinsics.h").read_text(encoding="utf-8")


def family(instruction: Instruction) -> tuple[list[str], list[str]]:
    """Other types of the same operation, and its other forms, by mnemonic."""
    same = [each for each in table.instructions() if each.op == instruction.op]
    same = [each for each in same if each.mnemonic != instruction.mnemonic]
    types = [each.mnemonic for each in same if each.mem == instruction.mem]
    forms = [each.mnemonic for each in same if each.type == instruction.type]
    return types, forms


def sources(*evidence: str) -> dict[str, str]:
    """The sources that evidence names by an abbreviation."""
    text = " ".join(evidence)
    return {name: what for name, what in _tables.SOURCES.items() if re.search(rf"\b{name}\b", text)}
