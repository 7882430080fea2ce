"""Makes csrc/pie.def from the instruction table: `python -m p4kernel.sim.generate_pie`.

PIE_INSN(ident, mnemonic, function, unit, access, size, address, tail, step) is an instruction: which function of
pie_ops.h computes it (pie.h explains the rest); PIE_WORD(generation, ident, match, mask, layout, sat, rm) its word in a
generation, by major opcode, and how it saturates and rounds when no operand says it; PIE_LAYOUT(number, fields) its operands, each as FIELD(slot, kind, step, bits...) with the
most significant bit first.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from p4kernel.pie.model import Encoding, Instruction, Operand
from p4kernel.pie.table import GENERATIONS, instructions

OUTPUT: Final = Path(__file__).resolve().parent / "csrc" / "pie.def"

# The second selector of instructions that have two; otherwise there is one slot for all.
_TWO_SELECTORS: Final = frozenset(("ldxq", "stxq", "fft_cmul_st"))
_SLOTS: Final = {"upd4": "UPD", "count": "COUNT", "id": "SEL", "rsd": "RD", "rs0": "RS2", "offset": "STEP"}
_SIZES: Final = {
    "vld_l_64": 8, "vld_h_64": 8, "vst_l_64": 8, "vst_h_64": 8, "ld_xacc": 8, "st_xacc": 8, "ldxq": 4, "stxq": 4,
}  # fmt: skip
_TAILS: Final = {
    "ld.ip": "LOAD", "ld.xp": "LOAD", "ld.incp": "LOAD", "ldbc.incp": "BROADCAST", "ld.incp.uaup": "UNALIGNED",
    "ld.r32.decp": "REVERSED", "st.ip": "STORE", "st.xp": "STORE", "st.incp": "STORE",
}  # fmt: skip
# In xespv 2.1, whose instructions have no operand for it; all others saturate there.
_KEEPS_LOW_BITS: Final = frozenset(("vsld", "vsrd"))
_GROUPS: Final = {"loop": "LOOP", "scalar": "NONE"}

_Field = tuple[str, str, int, tuple[int, ...]]


def _slot(operand: Operand, op: str) -> str:
    name = operand.name
    if operand.kind in ("sat", "rm"):
        return name.upper()
    if name == "sel4" and op in _TWO_SELECTORS:
        return "SEL4"
    if name.startswith("sel"):
        return "SAT" if op.startswith("srcmb") else "SEL"
    return "STEP" if name.startswith("off") else _SLOTS.get(name, name.upper())


def _field(operand: Operand, op: str) -> _Field:
    kind = "XP" if operand.kind == "xp" else "SIGNED" if operand.minimum < 0 else "UNSIGNED"
    return _slot(operand, op), kind, operand.step, operand.bits


def _layout(encoding: Encoding, op: str) -> tuple[_Field, ...]:
    return tuple(_field(operand, op) for operand in encoding.operands)


def ident(insn: Instruction) -> str:
    """Its name in C."""
    return re.sub(r"\W", "_", insn.mnemonic.removeprefix("esp.")).upper()


def _lane(insn: Instruction) -> int:
    """Bytes of a lane, 0 when the type names something else."""
    bits = insn.type.lstrip("us")
    return int(bits) // 8 if bits.isdigit() else 0


def _step(insn: Instruction) -> str:
    """By how much rs1 moves, when no operand says it."""
    if insn.mem == "ldbc.incp":
        return str(_lane(insn))
    if insn.mem.endswith(("incp", "incp.uaup")):
        return "16"
    if insn.mem.endswith("decp"):
        return "-16"
    return "P4S_PIE_BY_RS2" if insn.mem.endswith("xp") else "0"


def _size(insn: Instruction) -> int:
    if insn.op == "vldbc" or insn.mem == "ldbc.incp":
        return _lane(insn)
    return _SIZES.get(insn.op, 16)


def _defaults(generation: int, insn: Instruction) -> str:
    sat = generation == 2 or insn.op not in _KEEPS_LOW_BITS
    return f"{sat:d}, {0 if generation == 1 and insn.op == 'vsr' else 7}"


def _address(insn: Instruction) -> str:
    if insn.op in ("ldxq", "stxq"):
        return "INDEXED"
    return "ALIGNED" if insn.op == "ld_128_usar" else "PLAIN"


def _insn(insn: Instruction) -> str:
    function = re.sub(r"\W", "_", f"{insn.op}_{insn.type}" if insn.type else insn.op)
    unit = _GROUPS.get(insn.group, "PIE")
    access, tail = insn.access.upper() or "NONE", _TAILS.get(insn.mem, "NONE")
    size = _size(insn)
    memory = f"{access}, {size}, {_address(insn)}, {tail}, {_step(insn)}" if insn.access else "NONE, 0, PLAIN, NONE, 0"
    return f'PIE_INSN({ident(insn)}, "{insn.mnemonic}", {function}, {unit}, {memory})'


def text() -> str:
    """What pie.def is to contain."""
    table = instructions()
    layouts = {
        _layout(encoding, insn.op): None for insn in table for encoding in insn.encodings.values() if not encoding.alias_of
    }  # fmt: skip
    numbers = {layout: number for number, layout in enumerate(layouts)}
    lines = ["/* Generated from p4kernel/pie/isa.yaml by p4kernel/sim/generate_pie.py, which says what it means. */"]
    lines += ["#ifdef PIE_INSN", *map(_insn, table), "#undef PIE_INSN", "#endif", "#ifdef PIE_WORD"]
    for generation in GENERATIONS:
        rows = [
            (insn.encodings[generation], insn) for insn in table
            if generation in insn.encodings and not insn.encodings[generation].alias_of
        ]  # fmt: skip
        rows.sort(key=lambda row: (row[0].match >> 2 & 31, row[0].match))
        lines += [
            f"PIE_WORD({generation}, {ident(insn)}, 0x{encoding.match:08x}, 0x{encoding.mask:08x}, "
            f"{numbers[_layout(encoding, insn.op)]}, {_defaults(generation, insn)})" for encoding, insn in rows
        ]  # fmt: skip
    lines += ["#undef PIE_WORD", "#endif", "#ifdef PIE_LAYOUT"]
    for layout, number in numbers.items():
        fields = [f"FIELD({slot}, {kind}, {step}, {', '.join(map(str, bits))})" for slot, kind, step, bits in layout]
        lines.append(f"PIE_LAYOUT({', '.join([str(number), *(fields or ['PIE_NO_OPERANDS'])])})")
    return "\n".join([*lines, "#undef PIE_LAYOUT", "#endif"]) + "\n"


def main() -> None:
    """Writes the file."""
    OUTPUT.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
