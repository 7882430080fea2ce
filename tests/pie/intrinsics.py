"""Calls of the C intrinsics, made from the table by other means than their generator; what became of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

import capstone

from p4kernel.pie import Decoded, Instruction, Operand, instructions, recognize
from p4kernel.pie.model import ROUNDING, SATURATION
from tests.pie.samples import REVISIONS, allowed, word_of

__all__ = ["Call", "calls", "listing", "pie"]


class Call(NamedTuple):
    """One intrinsic."""

    instruction: Instruction
    template: str
    """With {0}, {1}, ... in place of what is in general registers."""
    parameters: tuple[str, ...]
    """What that is: "char *" or "int"."""
    result: str
    word: int
    """With the general registers that a function has for its arguments and result."""

    def text(self, *names: str) -> str:
        return self.template.format(*names)

    def function(self, name: str) -> str:
        """A function that is this instruction and a return."""
        names = "abc"[: len(self.parameters)]
        taken = ", ".join(f"{kind} {letter}" for kind, letter in zip(self.parameters, names, strict=True)) or "void"
        if self.instruction.mnemonic == "esp.sat":
            # It changes its first argument and nothing else: without a use of that it would go.
            return f"int {name}({taken}) {{ {self.text(*names)}; return a; }}\n"
        what = "return " if self.result != "void" else ""
        return f"{self.result} {name}({taken}) {{ {what}{self.text(*names)}; }}\n"


def calls(generation: int, count: int) -> Iterator[Call]:
    """Every PIE instruction with all operands lowest, all highest, and ``count`` times at random."""
    for instruction in instructions():
        if generation in instruction.encodings and instruction.group != "loop":
            choose = random.Random(f"{generation} {instruction.mnemonic}")
            yield _call(instruction, generation, lambda values: values[0], choose)
            yield _call(instruction, generation, lambda values: values[-1], choose)
            for _ in range(count):
                yield _call(instruction, generation, choose.choice, choose)


def _call(instruction: Instruction, generation: int, pick: Callable[[list[int]], int], choose: random.Random) -> Call:
    encoding = instruction.encodings[generation]
    values: list[int] = []
    parameters: list[str] = []
    written: list[str] = []
    optional: list[tuple[Operand, int]] = []
    result = "void"
    for operand in encoding.operands:
        if operand.kind in ("x", "xp") and operand.role == "w":
            values.append(10)
            result = "unsigned"
        elif operand.kind in ("x", "xp"):
            values.append(10 + len(parameters))
            written.append(f"{{{len(parameters)}}}")
            parameters.append("char *" if instruction.access and operand.name == "rs1" else "int")
        else:
            values.append(pick(allowed(operand)))
            if operand.kind in ("sat", "rm") or (operand.name == "sel2" and instruction.op.startswith("srcmb")):
                optional.append((operand, values[-1]))
            else:
                written.append(f"q{values[-1]}" if operand.kind == "q" else str(values[-1]))
    name = "p4_" + instruction.mnemonic.removeprefix("esp.").replace(".", "_")
    template = f"{name}({', '.join([*written, *_optional(optional, choose)])})"
    return Call(instruction, template, tuple(parameters), result, word_of(encoding, values))


def _optional(values: list[tuple[Operand, int]], choose: random.Random) -> list[str]:
    """One of the ways to write them: those that have their default may be left out."""
    words = [ROUNDING[value] if operand.kind == "rm" else SATURATION[value] for operand, value in values]
    defaults = [value == (7 if operand.kind == "rm" else 1) for operand, value in values]
    while words and defaults[len(words) - 1] and choose.random() < 0.7:
        words.pop()
    if len(words) == 2 and defaults[0] and choose.random() < 0.5:
        del words[0]
    return words


def _words(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place < len(data):
        size = 4 if data[place] & 3 == 3 else 2
        yield place, data[place : place + size]
        place += size


def pie(data: bytes, generation: int = 1) -> list[Decoded]:
    """The PIE and loop instructions of a piece of code, in order."""
    found = (recognize(int.from_bytes(word, "little"), REVISIONS[generation]) for _, word in _words(data))
    return [one for one in found if one is not None]


def listing(data: bytes) -> list[str]:
    """All instructions of a piece of code for generation 1."""
    machine = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC)
    out = []
    for place, word in _words(data):
        found = recognize(int.from_bytes(word, "little"), REVISIONS[1])
        if found is not None:
            out.append(found.text)
        else:
            (other,) = machine.disasm(word, place)
            out.append(f"{other.mnemonic} {other.op_str}".rstrip())
    return out
