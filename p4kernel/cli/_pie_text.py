"""What ``p4kernel pie`` prints, as lines with a style."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from p4kernel import generations
from p4kernel.pie import Instruction, PieError, decode, encode, generation_of, instructions
from p4kernel.pie import describe as d
from p4kernel.pie.encode import encoding_of

__all__ = ["Line", "as_json", "decoded", "encoded", "explanation", "found", "group", "overview"]

_WIDTH = 100
_BASIS = {
    "documented": "documented by Espressif",
    "corrected": "documented by Espressif, but wrong or incomplete",
    "inferred": "not documented: inferred",
}
_GROUPS = {
    "load": "16, 8 or fewer bytes of memory into q, QACC, XACC; broadcast; unaligned",
    "store": "the same the other way",
    "mac": "multiply and accumulate: dot products (XACC), lanes of sums (QACC)",
    "accumulator": "QACC and XACC to results: shift, round, saturate; and clear",
    "arithmetic": "add, subtract, multiply, absolute value, clamp, ReLU, in each lane",
    "compare": "maximum, minimum, comparisons, in each lane and across the lanes",
    "logic": "and, or, xor, not of 128 bits",
    "shift": "in each lane, and of 128 or 256 bits by bytes",
    "move": "between q and general registers; zip and unzip; extend; special registers",
    "fft": "steps of the fast Fourier transform",
    "scalar": "on general registers",
    "loop": "hardware loops: no instruction per round",
}


class Line(NamedTuple):
    """One line of output."""

    text: str
    style: str = ""


def overview() -> Iterator[Line]:
    """What PIE is, its registers, its groups, and how to go on."""
    counts: dict[str, int] = {}
    for instruction in instructions():
        counts[instruction.group] = counts.get(instruction.group, 0) + 1
    yield Line("PIE, the SIMD unit of the ESP32-P4, and its hardware loops", "bold")
    yield Line("")
    yield Line("Registers", "bold")
    for name, what in (
        ("q0 to q7", "16 bytes each: 16 lanes of 8 bits, 8 of 16 or 4 of 32"),
        ("XACC", "40 bits: one sum of all products, as in a dot product"),
        ("QACC", "512 bits: a sum for each lane, 16 of 32 bits or 8 of 64"),
        ("SAR, SAR_BYTE", "how far multiplications and shifts go; where unaligned data begins"),
        ("CFG", "rounding, saturation seen, misaligned accesses"),
    ):
        yield Line(f"  {name:<14} {what}")
    yield Line("")
    yield Line("How a name is read", "bold")
    yield Line("  esp.vmulas.s8.xacc.ld.ip q0, a0, 16, q1, q2")
    for part, what in (
        ("vmulas", "multiply vectors, add to a sum"),
        ("s8", "lanes are signed, 8 bits; u is unsigned, a bare number is both"),
        ("xacc", "where the sum is"),
        (
            "ld.ip",
            "in the same instruction: q0 = 16 bytes at a0, a0 += 16 (.st: store; .xp: += a register, .incp: += 16)",
        ),
    ):
        yield Line(f"  {part:<14} {what}")
    yield Line("")
    yield Line("Groups (p4kernel pie GROUP lists one)", "bold")
    for name, what in _GROUPS.items():
        yield Line(f"  {name:<12} {counts[name]:>3}  {what}")
    yield Line("")
    yield Line("To know before you begin", "bold")
    for text in (
        "Addresses are rounded down to the size of the access, without an error: align arrays, or load by "
        "esp.ld.128.usar.ip and put together by esp.src.q.",
        "Address operands are s0, s1, a0-a5, s8-s11, t3-t6; in C the compiler chooses.",
        f"Chips below revision 3 ({generations.NAMES[1]}) and from it on ({generations.NAMES[2]}) have other words for the "
        "same instructions; a kernel is compiled for the board it runs on.",
    ):
        yield from _wrapped(text, "  ")
    yield Line("")
    yield Line("Go on with", "bold")
    for command, what in (
        ("p4kernel pie esp.vmulas.s8.xacc", "explains an instruction"),
        ('p4kernel pie --search "saturating add 16"', "finds one"),
        ('p4kernel pie "esp.vld.128.ip q0, a0, 16"', "its words; --revision 3 for one kind of chip"),
        ("p4kernel pie 0x0201223b", "the instruction of a word"),
        ("p4kernel pie --guide", "PIE from zero, with examples"),
    ):
        yield Line(f"  {command:<44} {what}")


def group(name: str) -> Iterator[Line]:
    """The instructions of a group, without those that also load or store."""
    members = [i for i in instructions() if i.group == name]
    plain = [i for i in members if not i.mem.startswith(("ld", "st"))] or members
    yield Line(f"{name}: {_GROUPS[name]}", "bold")
    yield from _table(plain)
    if len(plain) < len(members):
        yield Line(f"and {len(members) - len(plain)} forms of these that also load or store")


def found(hits: Sequence[Instruction]) -> Iterator[Line]:
    """Hits of a search."""
    yield from _table(hits)


def _table(members: Sequence[Instruction]) -> Iterator[Line]:
    width = max(len(i.mnemonic) for i in members)
    for i in members:
        first, *rest = textwrap.wrap(i.means, max(_WIDTH - width - 4, 40))
        yield Line(f"  {i.mnemonic:<{width}}  {first}")
        for text in rest:
            yield Line(f"  {'':<{width}}  {text}")


def explanation(instruction: Instruction, revision: float | None = None) -> Iterator[Line]:
    """All that is known of one instruction. PieError when chips of this revision lack it."""
    chips = [number for number, _ in _chips(revision)]
    if revision is not None:
        encoding_of(instruction, chips[0])
        instruction = instruction._replace(encodings={chips[0]: instruction.encodings[chips[0]]})
    encodings = instruction.encodings
    newest = encodings[max(encodings)]
    yield Line(instruction.syntax, "bold")
    yield Line("")
    yield from _wrapped(instruction.means, "  ")
    alias = next((e.alias_of for e in encodings.values() if e.alias_of), None)
    if alias:
        yield from _wrapped(f"In {generations.NAMES[2]} this is another spelling of {alias}.", "  ")
    yield Line("")
    yield Line(f"  group      {instruction.group}")
    yield Line(f"  assembly   {d.example(instruction, newest)}")
    c = d.intrinsic(instruction)
    if c is not None:
        optional = "".join(f"[, {o.name}]" for o in newest.operands if o.default is not None) if c.more else ""
        yield Line(f"  C          {c.name}({', '.join(c.parameters)}{optional})")
        yield Line(f"             {c.example}    with #include <p4_pie.h>")
    elif instruction.group == "loop":
        yield Line("  C          p4_loop(count, (variables), intrinsics...) of p4_pie.h")
    yield from _operands(instruction)
    yield from _words(instruction, chips)
    yield from _evidence(instruction)
    types, forms = d.family(instruction)
    for title, names in (("Other types", types), ("Other forms", forms)):
        if names:
            yield Line("")
            yield Line(title, "bold")
            yield from _wrapped(", ".join(names), "  ")


def _operands(instruction: Instruction) -> Iterator[Line]:
    where: dict[tuple[str, str, str], list[int]] = {}
    for generation in sorted(instruction.encodings, reverse=True):
        for operand in instruction.encodings[generation].operands:
            where.setdefault((operand.name, d.role(operand), d.allowed(operand)), []).append(generation)
    if not where:
        return
    yield Line("")
    yield Line("Operands", "bold")
    width, roles = (max(len(key[i]) for key in where) for i in (0, 1))
    for (name, role, allowed), present in where.items():
        only = f"; {generations.NAMES[present[0]]} only" if len(present) < len(instruction.encodings) else ""
        yield Line(f"  {name:<{width}}  {role:<{roles}}  {allowed}{only}")


def _words(instruction: Instruction, chips: Sequence[int]) -> Iterator[Line]:
    yield Line("")
    yield Line("Words", "bold")
    for generation in chips:
        name = generations.NAMES[generation]
        encoding = instruction.encodings.get(generation)
        if encoding is None:
            yield Line(f"  {name} ({generations.CHIPS[generation]}) does not have it")
            continue
        yield Line(
            f"  {name} ({generations.CHIPS[generation]}): match 0x{encoding.match:08x}, mask 0x{encoding.mask:08x}"
        )
        bits, contents = [], []
        for field in d.fields(encoding):
            place = str(field.high) if field.high == field.low else f"{field.high}-{field.low}"
            width = max(len(place), len(field.content))
            bits.append(f"{place:<{width}}")
            contents.append(f"{field.content:<{width}}")
        yield Line(f"    bits  {'  '.join(bits)}".rstrip(), "dim")
        yield Line(f"          {'  '.join(contents)}".rstrip())
        text = d.example(instruction, encoding)
        if "1f" not in text.split(", "):
            yield Line(f"    0x{encode(text, generations.REVISIONS[generation]):08x}  {text}")


def _evidence(instruction: Instruction) -> Iterator[Line]:
    yield Line("")
    yield Line("Where this is from", "bold")
    yield from _wrapped(_basis(instruction.basis, instruction.certainty, instruction.evidence), "  ")
    if instruction.rules:
        yield Line("")
        yield Line("Rules", "bold")
    for rule in instruction.rules:
        yield from _wrapped(f"{rule.name}: {rule.means}", "  ")
        yield from _wrapped(_basis(rule.basis, rule.certainty, rule.evidence), "      ")
    named = d.sources(instruction.evidence, *(rule.evidence for rule in instruction.rules))
    if named:
        yield Line("")
        for name, what in named.items():
            yield from _wrapped(f"{name}: {what}", "  ", "dim")


def _basis(basis: str, certainty: str, evidence: str) -> str:
    sure = {"sure": "sure", "likely": "likely", "open": "open (a decision)"}[certainty]
    return f"{_BASIS[basis]}; {sure}: {evidence}"


def decoded(word: int, revision: float | None) -> Iterator[Line]:
    """The instruction of a word, on one chip or on both kinds."""
    for number, at in _chips(revision):
        text = decode(word, at)
        yield Line(f"{generations.NAMES[number]}  0x{word:08x}  {text or 'no instruction of PIE'}")


def encoded(text: str, revision: float | None) -> Iterator[Line]:
    """The words of an instruction. PieError when it has none on any of the chips that were asked for."""
    problems = []
    for number, at in _chips(revision):
        try:
            word = encode(text, at)
        except PieError as error:
            problems.append(error)
            yield Line(f"{generations.NAMES[number]}  {error}")
        else:
            yield Line(f"{generations.NAMES[number]}  0x{word:08x}  {decode(word, at)}")
    if len(problems) == len(_chips(revision)):
        raise problems[0]


def _chips(revision: float | None) -> list[tuple[int, float]]:
    if revision is None:
        return [(number, float(at)) for number, at in generations.REVISIONS.items()]
    return [(generation_of(revision), revision)]


def as_json(instruction: Instruction) -> dict[str, Any]:
    """An instruction as JSON has it."""
    c = d.intrinsic(instruction)
    return {
        "mnemonic": instruction.mnemonic,
        "syntax": instruction.syntax,
        "group": instruction.group,
        "means": instruction.means,
        "basis": instruction.basis,
        "certainty": instruction.certainty,
        "evidence": instruction.evidence,
        "rules": [rule._asdict() for rule in instruction.rules],
        "intrinsic": c.name if c is not None else None,
        "encodings": [
            {
                "generation": generations.NAMES[generation],
                "match": encoding.match,
                "mask": encoding.mask,
                "alias_of": encoding.alias_of,
                "operands": [
                    {"name": o.name, "kind": o.kind, "role": o.role, "bits": o.bits, "default": o.default,
                     "allowed": d.allowed(o)}
                    for o in encoding.operands
                ],
                "example": d.example(instruction, encoding),
            }
            for generation, encoding in instruction.encodings.items()
        ],
    }  # fmt: skip


def _wrapped(text: str, indent: str, style: str = "") -> Iterator[Line]:
    for line in textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  "):
        yield Line(line, style)
