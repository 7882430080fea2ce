"""The Python module that the encoder, the decoder and the explanations read: no YAML on the warm path."""

from __future__ import annotations

from collections.abc import Iterable

from p4kernel.pie._expand import GENERATIONS, Isa, Note

__all__ = ["python_tables"]

_HEAD = '''"""Generated from isa.yaml by p4kernel.pie.generate: do not edit."""

from __future__ import annotations

from typing import Final, NamedTuple


class Row(NamedTuple):
    """One mnemonic. Words are -1, and layouts empty, in a generation that lacks it."""

    mnemonic: str
    family: int
    op: str
    type: str
    mem: str
    access: str
    word1: int
    layout1: int
    word2: int
    layout2: int


'''


def python_tables(isa: Isa) -> str:
    layouts = sorted({layout for row in isa.rows for layout in row.layouts.values()} | {""})
    place = {layout: i for i, layout in enumerate(layouts)}
    rows = []
    for row in isa.rows:
        encodings = []
        for generation in GENERATIONS:
            word = row.words.get(generation)
            encodings += ["-1" if word is None else f"0x{word:08x}", str(place[row.layouts.get(generation, "")])]
        texts = [f'"{text}"' for text in (row.op, row.type, row.mem, row.access)]
        rows.append(f'Row("{row.mnemonic}", {row.family}, {", ".join(texts + encodings)})')
    families = [
        f"({_text(of.name)}, {_text(of.group)}, {_note(of.note)}, {_tuple(of.rules)})" for of in isa.families
    ]
    aliases = [f"{_text(row.mnemonic)}: {_text(row.alias_of)}" for row in isa.rows if row.alias_of]
    return _HEAD + "\n\n".join((
        "SOURCES: Final[dict[str, str]] = " + _dict(isa.sources),
        "# What a suffix does.\nMEMORY: Final[dict[str, str]] = " + _dict(isa.memory),
        "REGISTERS: Final[dict[str, str]] = " + _dict(isa.registers),
        "# Meaning, basis, certainty, evidence.\nRULES: Final[dict[str, tuple[str, str, str, str]]] = {\n"
        + "".join(f"    {_text(name)}: {_note(note)},\n" for name, note in isa.rules.items()) + "}",
        "# Name, group, (meaning, basis, certainty, evidence), rules.\n"
        "FAMILIES: Final[tuple[tuple[str, str, tuple[str, str, str, str], tuple[str, ...]], ...]] = " + _lines(families),
        "# Operands as name:kind:role:bits.\nLAYOUTS: Final[tuple[str, ...]] = " + _lines(map(_text, layouts)),
        "ROWS: Final[tuple[Row, ...]] = " + _lines(rows),
        "# Second spellings, in generation 2.\nALIASES: Final[dict[str, str]] = {" + ", ".join(aliases) + "}",
    )) + "\n"  # fmt: skip


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _tuple(texts: Iterable[str]) -> str:
    items = [_text(text) for text in texts]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _note(note: Note) -> str:
    return _tuple(note)


def _dict(of: dict[str, str]) -> str:
    return "{\n" + "".join(f"    {_text(key)}: {_text(value)},\n" for key, value in of.items()) + "}"


def _lines(items: Iterable[str]) -> str:
    return "(\n" + "".join(f"    {item},\n" for item in items) + ")"
