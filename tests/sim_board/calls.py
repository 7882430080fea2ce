"""A C program that calls firmware functions by name on rows of arguments, and what it returned."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from p4kernel._resources import stubs
from p4kernel.build.toolchain import Toolchain
from p4kernel.sim.generate_exports import OWN_STATE, PURE_GROUPS, Export, load
from tests.sim_board.chip import DATA, Chip

Value = int | float
Row = tuple[Value, ...]

EXPORTS = {e.name: e for e in load(stubs() / "exports.yaml") if e.virtual}

# struct codes by C type; halves travel as their bits
_CODES = {
    "int": "i", "long": "i", "int32_t": "i", "unsigned long": "I", "uint32_t": "I", "size_t": "I", "bool": "?",
    "long long": "q", "int64_t": "q", "unsigned long long": "Q", "uint64_t": "Q", "uint8_t": "B", "uint16_t": "H",
    "float": "f", "double": "d", "_Float16": "H", "__bf16": "H", "float _Complex": "ff", "double _Complex": "dd",
}  # fmt: skip
_HALVES = {"_Float16", "__bf16"}


@dataclass(frozen=True)
class Prototype:
    """Result and parameters of a function without pointers."""

    result: str
    parameters: tuple[str, ...]


def prototype(export: Export) -> Prototype:
    assert export.type
    result, _, inside = export.type.partition("(")
    return Prototype(result.strip(), tuple(p.strip() for p in inside.rstrip(")").split(",")))


def is_plain(export: Export) -> bool:
    """Takes and returns values only, and does nothing else."""
    values = all(p in _CODES for p in (prototype(export).result, *prototype(export).parameters))
    return values and export.group in PURE_GROUPS and export.name not in OWN_STATE


def needs_halves(export: Export) -> bool:
    p = prototype(export)
    return bool({p.result, *p.parameters} & _HALVES)


def _program(names: Sequence[str], rows: int) -> str:
    text, body = [], []
    for name in names:
        p = prototype(EXPORTS[name])
        fields = "".join(f"_Alignas(8) {c_type} a{i}; " for i, c_type in enumerate(p.parameters))
        arguments = ", ".join(f"p->a{i}" for i in range(len(p.parameters)))
        text.append(f"extern {p.result} {name}({', '.join(p.parameters)});")
        text.append(f"struct s_{name} {{ {fields}_Alignas(16) {p.result} r; }};")
        body.append(f"for (struct s_{name} *p = d, *end = p + {rows}; ; p->r = {name}({arguments}), ++p) "
                    "if (p == end) { d = end; break; }")  # fmt: skip
    return "\n".join([*text, "void entry(void *d) {", *body, "}"])


def call_all(chip: Chip, chain: Toolchain, inputs: dict[str, list[Row]], *, fcsr: int = 0) -> dict[str, list[Row]]:
    """Results of each function for its rows (all have the same number): tuples, of two values for a complex one."""
    (rows,) = {len(r) for r in inputs.values()}
    memory, places = bytearray(), {}
    for name, list_of_arguments in inputs.items():
        p = prototype(EXPORTS[name])
        places[name] = len(memory)
        for arguments in list_of_arguments:
            row = b"".join(
                struct.pack("<" + _CODES[t], a).ljust(8, b"\0") for t, a in zip(p.parameters, arguments, strict=True)
            )
            memory += row.ljust(-len(row) % 16 + len(row), b"\0") + bytes(16)
    chip.write(DATA, bytes(memory))
    end = chip.run(_program(list(inputs), rows), chain, fcsr=fcsr)
    assert end.how == "exit", end
    memory = bytearray(chip.read(DATA, len(memory)))
    results: dict[str, list[Row]] = {}
    for name in inputs:
        p = prototype(EXPORTS[name])
        front = (8 * len(p.parameters) + 15) // 16 * 16
        code = "<" + _CODES[p.result]
        results[name] = [struct.unpack_from(code, memory, places[name] + i * (front + 16) + front) for i in range(rows)]
    return results
