"""The intrinsics: p4_pie_intrinsics.h, a macro for each instruction, and p4_pie_shapes.h, what those macros share.

Instructions whose operands are of the same kinds have one shape. A shape is three macros: what is checked before
(``P4_PIE_C_...``), the text in a hardware loop, where registers have the names of C variables (``P4_PIE_T_...``), and
the statement or expression itself (``P4_PIE_DO_...``). p4_pie_c.h has the pieces that they are made of.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from p4kernel.pie._expand import Isa, Row, operands_of
from p4kernel.pie.model import Operand

__all__ = ["LOOP_ITEMS", "intrinsics", "shapes"]

LOOP_ITEMS: Final = 64
"""So many instructions p4_loop takes."""

_HEAD = """\
/* Generated from p4kernel/pie/isa.yaml by p4kernel.pie.generate: do not edit.
   {what} */
#ifndef {guard}
#define {guard}
"""
_RESULTS: Final = ("int", "unsigned")
_UPDATED: Final = ("load", "store", "variable")
_INPUTS: Final = ("load_at", "store_at", "value")


class _Slot(NamedTuple):
    """One operand."""

    word: str
    """q; load, store: an address that is moved on; load_at, store_at: one that stays; value, variable: an integer that
    is read, or changed, too; int, unsigned: what the intrinsic returns; or an immediate's name."""
    letter: str
    """The macro's parameter. Results have none."""
    operand: Operand


class _Shape(NamedTuple):
    name: str
    slots: tuple[_Slot, ...]
    more: str
    """Optional operands: MORE; SEL2 where generation 1 has a required one in their place; or empty."""
    access: str
    pure: bool
    """Nothing but general registers, any of them."""

    @property
    def result(self) -> str:
        return next((slot.word for slot in self.slots if slot.word in _RESULTS), "")

    def parameters(self, rest: str = "...") -> str:
        return ", ".join(["m", *(slot.letter for slot in self.slots if slot.letter), *([rest] if self.more else [])])


def intrinsics(isa: Isa) -> str:
    """p4_pie_intrinsics.h."""
    out = [_HEAD.format(guard="P4_PIE_INTRINSICS_H", what="The intrinsics; p4_pie_c.h says how they are used.")]
    rows = sorted(isa.rows, key=lambda row: (row.family, row.mnemonic))
    for group in dict.fromkeys(family.group for family in isa.families):
        if group != "loop":
            out.append(f"/* {group} */")
            for row in rows:
                if isa.families[row.family].group == group:
                    out += _intrinsic(row, isa)
            out.append("")
    return "\n".join([*out, "#endif", ""])


def shapes(isa: Isa) -> str:
    """p4_pie_shapes.h."""
    found = {shape.name: shape for row in isa.rows if (shape := _shape(row, isa)) is not None}
    what = "What intrinsics with the same kinds of operands share, and lists; p4_pie_c.h has the pieces."
    out = [_HEAD.format(guard="P4_PIE_SHAPES_H", what=what)]
    for name in sorted(found):
        out += _macros(found[name])
    return "\n".join([*out, "", *_lists(), "", "#endif", ""])


def _intrinsic(row: Row, isa: Isa) -> list[str]:
    shape = _shape(row, isa)
    assert shape is not None
    name = "p4_" + row.mnemonic.removeprefix("esp.").replace(".", "_")
    names = [slot.operand.name for slot in shape.slots if slot.letter]
    taken = ", ".join([*names, *(["..."] if shape.more else [])])
    passed = ", ".join([shape.name, f'"{row.mnemonic}"', *names, *(["##__VA_ARGS__"] if shape.more else [])])
    line = f"#define {name}({taken}) P4_PIE_DO({passed})"
    if len(row.words) == len(isa.generations):
        return [line]
    ((generation, _),) = row.words.items()
    (other,) = set(isa.generations) - {generation}
    where = f'"{isa.generations[generation]}", "{isa.generations[other]}"'
    missing = f'#define {name}(...) P4_PIE_DO(missing, "{row.mnemonic}", {where})'
    return [f"#if P4_PIE_GENERATION == {generation}", line, "#else", missing, "#endif"]


def _shape(row: Row, isa: Isa) -> _Shape | None:
    """None for the loop instructions: they need a label that no C compiler keeps in its place."""
    group = isa.families[row.family].group
    if group == "loop":
        return None
    layouts = [operands_of(row.layouts[generation]) for generation in sorted(row.layouts)]
    kinds = [[operand._replace(bits=()) for operand in layout if operand.default is None] for layout in layouts]
    newest = layouts[-1]
    more = "MORE" if any(operand.default is not None for operand in newest) else ""
    if kinds[0] != kinds[-1]:
        if kinds[0][:-1] != kinds[-1] or kinds[0][-1].name != "sel2" or not more:
            raise ValueError(f"{row.mnemonic}: its generations differ in a way that intrinsics cannot hide")
        more = "SEL2"
    slots: list[_Slot] = []
    for operand in newest:
        if operand.default is None:
            word = _word(operand, row, group)
            letter = "" if word in _RESULTS else "abcdefghijk"[sum(bool(slot.letter) for slot in slots)]
            slots.append(_Slot(word, letter, operand))
    words = [*(["pure"] if group == "scalar" else []), *([slot.word for slot in slots] or ["none"])]
    name = "_".join([*words, *([more.lower()] if more else [])])
    return _Shape(name, tuple(slots), more, row.access, group == "scalar")


def _word(operand: Operand, row: Row, group: str) -> str:
    if operand.kind == "q":
        return "q"
    if operand.kind not in ("x", "xp"):
        return operand.name
    if operand.role == "w":
        signed = row.type in ("s", "s8", "s16", "s32", "xacc.l") or group == "scalar"
        return "int" if signed else "unsigned"
    if row.access and operand.name == "rs1":
        return row.access if operand.role == "rw" else f"{row.access}_at"
    return "variable" if operand.role == "rw" else "value"


def _macros(shape: _Shape) -> list[str]:
    name, parameters = shape.name, shape.parameters()
    # An expression is evaluated once, and what is checked and passed on is its value. A loop has variables only.
    values = "".join(
        f" P4_PIE_AUTO p4_pie_{slot.letter} = ({slot.letter});" for slot in shape.slots if slot.word == "value"
    )
    if shape.result:
        result = f" {shape.result} p4_pie_result; {_assembly(shape)}; p4_pie_result;"
        return [
            f"#define P4_PIE_C_{name}(...) P4_PIE_NO_RESULT(__VA_ARGS__)",
            f'#define P4_PIE_T_{name}(...) ""',
            f"#define P4_PIE_DO_{name}({parameters}) __extension__({{{values}{_checks(shape, 'p4_pie_')}{result} }})",
        ]
    text = _text(shape, {slot: f'%[" P4_PIE_S({slot.letter}) "]' for slot in shape.slots if _register(slot)})
    arguments = ["m", *(f"p4_pie_{slot.letter}" if slot.word == "value" else slot.letter for slot in shape.slots)]
    check = f" P4_PIE_C_{name}({', '.join([*arguments, *(['##__VA_ARGS__'] if shape.more else [])])})"
    return [
        f"#define P4_PIE_C_{name}({parameters}){_checks(shape)}",
        f"#define P4_PIE_T_{name}({parameters}) {text}",
        f"#define P4_PIE_DO_{name}({parameters}) __extension__({{{values}{check} {_assembly(shape)}; }})",
    ]


def _register(slot: _Slot) -> bool:
    return slot.word in (*_RESULTS, *_UPDATED, *_INPUTS)


def _checks(shape: _Shape, prefix: str = "") -> str:
    out = "".join(_check(slot, prefix) for slot in shape.slots)
    return f"{out} P4_PIE_CHECK_{shape.more}(m, ##__VA_ARGS__)" if shape.more else out


def _check(slot: _Slot, prefix: str) -> str:
    operand, letter = slot.operand, slot.letter
    match slot.word:
        case "q" | "int" | "unsigned":
            return ""
        case "load" | "load_at":
            return f" P4_PIE_LOADS(m, {letter})"
        case "store" | "store_at":
            return f" P4_PIE_STORES(m, {letter})"
        case "value":
            return f' P4_PIE_INTEGER(m, "{operand.name}", {prefix}{letter})'
        case "variable":
            return f' P4_PIE_WORD(m, "{operand.name}", {letter})'
    limits = f"{operand.minimum}, {operand.maximum}"
    if operand.step > 1:
        return f' P4_PIE_MULTIPLE(m, "{operand.name}", {letter}, {limits}, {operand.step})'
    return f' P4_PIE_NUMBER(m, "{operand.name}", {letter}, {limits})'


def _text(shape: _Shape, places: dict[_Slot, str]) -> str:
    """The instruction as string literals; what has no place is written as it is."""
    text = ", ".join(places.get(slot, f'" P4_PIE_S({slot.letter}) "') for slot in shape.slots)
    literals = f'm " {text}"' if text else "m"
    if shape.more:
        literals += f" P4_PIE_{shape.more}(__VA_ARGS__)"
    return literals.replace(' ""', "")


def _assembly(shape: _Shape) -> str:
    constraint = '"r"' if shape.pure else "P4_PIE_X"
    outputs: list[tuple[_Slot, str]] = []
    inputs: list[tuple[_Slot, str]] = []
    for slot in shape.slots:
        if slot.word in _RESULTS:
            outputs.append((slot, f'"=" {constraint}(p4_pie_result)'))
        elif slot.word in _UPDATED:
            outputs.append((slot, f'"+" {constraint}({slot.letter})'))
        elif slot.word == "value":
            inputs.append((slot, f"{constraint}((int)p4_pie_{slot.letter})"))
        elif slot.word in _INPUTS:
            inputs.append((slot, f"{constraint}({slot.letter})"))
        elif slot.word != "q":
            inputs.append((slot, f'"i"({slot.letter})'))
    numbers = {slot: f"%{number}" for number, (slot, _) in enumerate([*outputs, *inputs])}
    parts = [", ".join(text for _, text in which) for which in (outputs, inputs)]
    clobbers = ""
    if shape.access:
        clobbers = " : P4_PIE_OTHERS_AND_MEMORY"
    elif not shape.pure and any(_register(slot) for slot in shape.slots):
        clobbers = " P4_PIE_OTHERS"
    keyword = "__asm__" if shape.pure else "__asm__ volatile"
    return re.sub(" +", " ", f"{keyword}({_text(shape, numbers)} : {parts[0]} : {parts[1]}{clobbers})")


def _lists() -> list[str]:
    """P4_PIE_EACH(f, g, items...): f(item) for each item but the last, which gets g(item); nothing if there is none."""
    numbers = range(LOOP_ITEMS, 0, -1)
    out = [f"#define P4_PIE_NTH({', '.join(f'_{number}' for number in reversed(numbers))}, n, ...) n"]
    out.append(f"#define P4_PIE_COUNT(...) P4_PIE_NTH(__VA_ARGS__, {', '.join(map(str, numbers))}, 0)")
    out.append("#define P4_PIE_EACH(f, g, ...) P4_PIE_EACH_(f, g, __VA_ARGS__)")
    count = "P4_PIE_PASTE(P4_PIE_EACH_, P4_PIE_COUNT(__VA_ARGS__))"
    out.append(f"#define P4_PIE_EACH_(f, g, ...) __VA_OPT__({count}(f, g, __VA_ARGS__))")
    out.append("#define P4_PIE_EACH_1(f, g, x) g(x)")
    for number in range(2, LOOP_ITEMS + 1):
        out.append(f"#define P4_PIE_EACH_{number}(f, g, x, ...) f(x) P4_PIE_EACH_{number - 1}(f, g, __VA_ARGS__)")
    return out
