"""The assembler header: macros that make words of PIE mnemonics, for assemblers that do not know them.

One macro for each mnemonic, one for each layout of operands, and helpers that check an operand and add its bits to
``.Lp4_word``. All names begin with ``.L``, so that they stay out of the object file.
"""

from __future__ import annotations

import re

from p4kernel.pie._expand import GENERATIONS, Isa, Row, operands_of
from p4kernel.pie.model import ROUNDING, SATURATION, Operand
from p4kernel.pie.names import NUMBERS, PIE_REGISTERS

__all__ = ["c_header", "include_file"]

_LINE = 230

_HEAD = """\
/* Generated from p4kernel/pie/isa.yaml by p4kernel.pie.generate: do not edit.
   PIE and hardware loop mnemonics of the ESP32-P4 for GNU as and clang. In C and in .S files that go through the
   preprocessor, include p4_pie.h instead. Set .Lp4_pie_generation to 2 before this file for chip revision 3 and above. */
"""
_C_HEAD = """\
/* Generated from p4kernel/pie/isa.yaml by p4kernel.pie.generate: do not edit.
   p4_pie.inc as C text: an .include would be looked for again when link-time optimization assembles. */
#ifndef P4_PIE_ASM_H
#define P4_PIE_ASM_H
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
"""
_C_TAIL = """\
#pragma GCC diagnostic pop
#endif
"""

# A word is collected in .Lp4_word; .Lp4_bad says that an operand was refused, and nothing is emitted then.
# Where a label's distance does not fit, a division by zero stops the assembler: it is known only when all is placed.
# GNU as gives lines of the source to instructions and to labels, but not to data: hence a label at each word.
# GNU as reads the operand of an .ifdef even in what a second inclusion skips, and stumbles over a backslash there:
# .Lp4_known has it as an argument. p4_pie_generation_N stays in the object file: it says that there are words of that
# generation.
_HELPERS = r"""
.macro .Lp4_begin word
.set .Lp4_word, \word
.set .Lp4_bad, 0
.endm
.macro .Lp4_refuse text:vararg
.if .Lp4_bad == 0
.error \text
.endif
.set .Lp4_bad, 1
.endm
.macro .Lp4_end syntax, late, rest:vararg
.ifnb \rest
.Lp4_refuse "too many operands: it is \syntax"
.endif
.Lp4_emit \late
.endm
.macro .Lp4_emit late
.if .Lp4_bad == 0
.ifdef .gasversion.
.loc_mark_labels 1
.Lp4_at\@:
.loc_mark_labels 0
.endif
.4byte .Lp4_word | (\late)
.endif
.endm
.macro .Lp4_known kind, value, test=ifdef, end=endif
.set .Lp4_found, 0
.\test .Lp4_\kind\()_\value
.set .Lp4_found, 1
.\end
.endm
.macro .Lp4_q name, value, low, high
.ifb \value
.Lp4_refuse "operand \name is missing"
.else
.Lp4_known q, \value
.if .Lp4_found == 0
.Lp4_refuse "operand \name: \value is no PIE register: there are q0 to q7"
.else
.set .Lp4_word, .Lp4_word | ((.Lp4_q_\value & 3) << \low) | ((.Lp4_q_\value >> 2) << \high)
.endif
.endif
.endm
.macro .Lp4_x name, value, shift
.ifb \value
.Lp4_refuse "operand \name is missing"
.else
.Lp4_known x, \value
.if .Lp4_found == 0
.Lp4_refuse "operand \name: \value is no general register: allowed are x0-x31 and their ABI names"
.else
.set .Lp4_word, .Lp4_word | (.Lp4_x_\value << \shift)
.endif
.endif
.endm
.macro .Lp4_xp name, value, shift
.ifb \value
.Lp4_refuse "operand \name is missing"
.else
.Lp4_known x, \value
.if .Lp4_found == 0
.Lp4_refuse "operand \name: \value is no general register: allowed are {registers}"
.else
.if .Lp4_x_\value & 8
.set .Lp4_word, .Lp4_word | ((((.Lp4_x_\value >> 4) << 3) | (.Lp4_x_\value & 7)) << \shift)
.else
.Lp4_refuse "operand \name: \value cannot be used: PIE takes {registers}"
.endif
.endif
.endif
.endm
.macro .Lp4_imm name, value, low, high, step
.ifb \value
.Lp4_refuse "operand \name is missing"
.set .Lp4_field, 0
.else
.set .Lp4_field, \value
.if (.Lp4_field < \low) || (.Lp4_field > \high) || (.Lp4_field & (\step - 1))
.if \step > 1
.Lp4_refuse "operand \name: \value is not allowed: multiples of \step from \low to \high are"
.else
.Lp4_refuse "operand \name: \value is not allowed: from \low to \high are"
.endif
.endif
.set .Lp4_field, (.Lp4_field & 0xffff) / \step
.endif
.endm
.macro .Lp4_named kind, default, value, allowed
.set .Lp4_field, \default
.ifnb \value
.Lp4_known \kind, \value
.if .Lp4_found == 0
.Lp4_refuse "operand \kind: \value is none of \allowed"
.else
.set .Lp4_field, .Lp4_\kind\()_\value
.endif
.endif
.endm
"""


def include_file(isa: Isa) -> str:
    """p4_pie.inc."""
    return _HEAD + "\n".join([*_lines(isa)[:-1], *_upper(isa), ".endif"]) + "\n"


def c_header(isa: Isa) -> str:
    """p4_pie_asm.h: the same as a file-scope asm of C, several lines of it in one."""
    packed: list[str] = []
    for line in _lines(isa):
        escaped = line.replace("\\", "\\\\").replace('"', '\\"') + "\\n"
        if packed and len(packed[-1]) + len(escaped) <= _LINE:
            packed[-1] += escaped
        else:
            packed.append(escaped)
    return _C_HEAD + "__asm__(\n" + "\n".join(f'"{line}"' for line in packed) + ");\n" + _C_TAIL


def _lines(isa: Isa) -> list[str]:
    out = [
        ".ifndef .Lp4_pie_generation", ".set .Lp4_pie_generation, 1", ".endif",
        ".ifdef .Lp4_pie", ".if .Lp4_pie != .Lp4_pie_generation",
        '.error "p4_pie.inc is included for two generations of PIE"', ".endif", ".else",
        ".set .Lp4_pie, .Lp4_pie_generation",
    ]  # fmt: skip
    out += _names()
    out += _HELPERS.replace("{registers}", PIE_REGISTERS).strip().splitlines()
    layouts = sorted({layout for row in isa.rows for layout in row.layouts.values()})
    for number, layout in enumerate(layouts):
        out += _layout_macro(number, layout)
    for generation in GENERATIONS:
        out += [f".if .Lp4_pie == {generation}",
                ".macro .Lp4_mark", f".set p4_pie_generation_{generation}, 1", ".endm",
                ".macro .Lp4_define name, word1, layout1, word2, layout2", ".macro \\name operands:vararg",
                f".Lp4_layout\\layout{generation} \\name, \\word{generation}, \\operands", ".endm", ".endm",
                ".endif"]  # fmt: skip
    # One line for each mnemonic makes its macro.
    for row in isa.rows:
        if len(row.words) == len(GENERATIONS):
            parts = [f"0x{row.words[g]:08x}, {layouts.index(row.layouts[g])}" for g in GENERATIONS]
            out.append(f".Lp4_define {row.mnemonic}, {', '.join(parts)}")
        else:
            out += _in_one_generation(isa, row, layouts)
    return [*out, ".endif"]


def _upper(isa: Isa) -> list[str]:
    """Mnemonics in capitals, as some of Espressif's files have them: clang's names of macros have a case."""
    return [
        ".ifndef .gasversion.",
        ".macro .Lp4_also upper, lower", ".macro \\upper operands:vararg", "\\lower \\operands", ".endm", ".endm",
        *(f".Lp4_also {row.mnemonic.upper()}, {row.mnemonic}" for row in isa.rows),
        ".endif",
    ]  # fmt: skip


def _in_one_generation(isa: Isa, row: Row, layouts: list[str]) -> list[str]:
    ((generation, word),) = row.words.items()
    names = isa.generations
    (other,) = set(GENERATIONS) - {generation}
    return [
        f".macro {row.mnemonic} operands:vararg", f".if .Lp4_pie == {generation}",
        f".Lp4_layout{layouts.index(row.layouts[generation])} {row.mnemonic}, 0x{word:08x}, \\operands", ".else",
        f'.error "{row.mnemonic} is in {names[generation]} only, and this is assembled for {names[other]}"',
        ".endif", ".endm",
    ]  # fmt: skip


def _names() -> list[str]:
    """Symbols that stand for registers and for the words of optional operands."""
    out = [".irp n, 0, 1, 2, 3, 4, 5, 6, 7", ".set .Lp4_q_q\\n, \\n", ".endr"]
    numbers = ", ".join(str(i) for i in range(32))
    out += [f".irp n, {numbers}", ".set .Lp4_x_x\\n, \\n", ".endr"]
    out += [f".set .Lp4_x_{name}, {number}" for name, number in NUMBERS.items() if not re.fullmatch(r"x\d+", name)]
    for kind, words in (("sat", SATURATION), ("rm", ROUNDING)):
        for value, word in enumerate(words):
            out += [f".set .Lp4_{kind}_{word}, {value}", f".set .Lp4_{kind}_{value}, {value}"]
    # The names of roundings only, by which one is told from a sat that was left out.
    return [*out, *(f".set .Lp4_round_{word}, 0" for word in ROUNDING)]


def _layout_macro(number: int, layout: str) -> list[str]:
    operands = operands_of(layout)
    names = [operand.name for operand in operands]
    syntax = ", ".join(o.name for o in operands if o.default is None)
    syntax += "".join(f"[, {o.name}]" for o in operands if o.default is not None)
    out = [f".macro .Lp4_layout{number} {', '.join(['mnemonic', 'word', *names, 'rest:vararg'])}", ".Lp4_begin \\word"]
    # General registers and loops are the same in both generations.
    if not any(operand.kind == "x" or operand.name == "id" for operand in operands):
        out.append(".Lp4_mark")
    label = None
    for operand in operands:
        if operand.kind.startswith("label"):
            label = operand
        else:
            out += _operand(operand, names)
    usage = f"\\mnemonic {syntax}".rstrip()
    end = f'.Lp4_end "{usage}", 0, \\rest'
    if label is None:
        return [*out, end, ".endm"]
    late = f'.Lp4_end "{usage}", {_distance(label)}, \\rest'
    missing = f'.Lp4_refuse "operand {label.name} is missing"'
    return [*out, f".ifb \\{label.name}", missing, end, ".else", late, ".endif", ".endm"]


def _operand(operand: Operand, names: list[str]) -> list[str]:
    name, value, bits = operand.name, f"\\{operand.name}", operand.bits
    if operand.kind == "q":
        assert bits[1] == bits[2] + 1
        return [f".Lp4_q {name}, {value}, {bits[2]}, {bits[0]}"]
    if operand.kind in ("x", "xp"):
        return [f".Lp4_{operand.kind} {name}, {value}, {bits[-1]}"]
    if operand.kind == "rm" and "sat" in names:
        # sat took the word if it was a rounding, and left it in .Lp4_field.
        out = [".ifb \\rm", ".ifnb \\sat", ".Lp4_known round, \\sat", ".if .Lp4_found", ".Lp4_named rm, 7, \\sat", ".else",
               ".set .Lp4_field, 7", ".endif", ".else", ".set .Lp4_field, 7", ".endif", ".else",
               f'.Lp4_named rm, 7, \\rm, "{", ".join(ROUNDING)}"', ".endif"]  # fmt: skip
        return [*out, *_scatter(bits)]
    if operand.kind == "sat" and "rm" in names:
        out = [".set .Lp4_field, 1", ".ifnb \\sat", ".ifb \\rm", ".Lp4_known round, \\sat", ".if .Lp4_found == 0",
               f'.Lp4_named sat, 1, \\sat, "{", ".join((*SATURATION, *ROUNDING))}"', ".endif", ".else",
               f'.Lp4_named sat, 1, \\sat, "{", ".join(SATURATION)}"', ".endif", ".endif"]  # fmt: skip
        return [*out, *_scatter(bits)]
    if operand.default is not None:
        words = SATURATION if operand.kind == "sat" else ROUNDING
        return [f'.Lp4_named {operand.kind}, {operand.default}, {value}, "{", ".join(words)}"', *_scatter(bits)]
    limits = f"{operand.minimum}, {operand.maximum}, {operand.step}"
    return [f".Lp4_imm {name}, {value}, {limits}", *_scatter(bits)]


def _scatter(bits: tuple[int, ...]) -> list[str]:
    return [f".set .Lp4_word, .Lp4_word | {_pieces('.Lp4_field', bits)}"]


def _pieces(value: str, bits: tuple[int, ...]) -> str:
    """An expression that puts the low bits of ``value`` in their places."""
    out, rest = [], list(bits)
    while rest:
        run = 1
        while run < len(rest) and rest[run] == rest[run - 1] - 1:
            run += 1
        low, place = rest[run - 1], len(rest) - run
        out.append(f"((({value} >> {place}) & {(1 << run) - 1}) << {low})")
        rest = rest[run:]
    return " | ".join(out)


def _distance(label: Operand) -> str:
    """The label's bits, as an expression of a place in this section that may come later, such as ``1f`` or ``.+16``."""
    place = f"\\{label.name}"
    beyond = f"((({place})-.)&~{label.maximum})"
    fits = f"(0/(1-((({beyond}|(0-{beyond}))>>63)&1)))"
    return f"{_pieces(f'((({place})-.)>>1)', label.bits).replace(' ', '')}|{fits}"
