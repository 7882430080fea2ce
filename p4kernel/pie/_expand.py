"""isa.yaml, checked, and its families expanded to one row for each mnemonic."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from p4kernel.pie.model import Operand

__all__ = ["Family", "Isa", "Note", "Row", "bit_numbers", "load", "operands_of"]

GENERATIONS = (1, 2)
_BASES = ("documented", "corrected", "inferred")
_CERTAINTIES = ("sure", "likely", "open")
_TOKEN = re.compile(r"(?P<key>[a-z][\w.]*)(?::(?P<role>w|rw))?(?:@(?P<bits>[\d,|-]+))?")
_FORM = {"types", "mem", "alias", "operands", "off", "extra", "g1", "g2"}
_WITH = {"op", "types", "operands", "access", "rules"}
_FIELD_WIDTH = {"q": 3, "xp": 4, "x": 5, "label10": 9, "label13": 12, "sat": 1, "rm": 3}


class Note(NamedTuple):
    """A meaning, with what it is taken from."""

    means: str
    basis: str
    certainty: str
    evidence: str


class Family(NamedTuple):
    name: str
    group: str
    note: Note
    rules: tuple[str, ...]


class Row(NamedTuple):
    """One mnemonic. ``words`` and ``layouts`` (name:kind:role:bits for each operand) are by generation."""

    mnemonic: str
    family: int
    op: str
    type: str
    mem: str
    access: str
    words: dict[int, int]
    layouts: dict[int, str]
    alias_of: str | None


class Isa(NamedTuple):
    sources: dict[str, str]
    generations: dict[int, str]
    memory: dict[str, str]
    """What a suffix does."""
    rules: dict[str, Note]
    registers: dict[str, str]
    families: tuple[Family, ...]
    rows: tuple[Row, ...]


def load(path: Path) -> Isa:
    """ValueError when the file says something that the generators do not understand."""
    # Every scalar stays a text: 04000033 is a word, not an octal number.
    raw: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    expander = _Expander(raw)
    families: list[Family] = []
    rows: list[Row] = []
    for group, members in raw["families"].items():
        for name, body in members.items():
            family, own = expander.expand(group, name, body, len(families))
            families.append(family)
            rows += own
    if len({row.mnemonic for row in rows}) != len(rows):
        raise ValueError(f"{path.name}: a mnemonic twice")
    return Isa(
        raw["sources"],
        {int(number): name for number, name in raw["generations"].items()},
        {name: of["means"] for name, of in raw["memory"].items()},
        {name: _note(name, of) for name, of in raw["rules"].items()},
        raw["registers"],
        tuple(families),
        tuple(sorted(rows)),
    )


def _note(name: str, raw: dict[str, str]) -> Note:
    match = re.fullmatch(r"(\w+), (\w+): (.+)", raw["basis"])
    if match is None or match[1] not in _BASES or match[2] not in _CERTAINTIES:
        raise ValueError(f"{name}: basis is one of {_BASES}, one of {_CERTAINTIES}, a colon and the evidence")
    return Note(raw["means"], match[1], match[2], match[3])


class _Expander:
    def __init__(self, raw: dict[str, Any]) -> None:
        self._fields: dict[str, str] = raw["fields"]
        self._kinds: dict[str, str] = raw["kinds"]
        self._memory: dict[str, dict[str, str]] = raw["memory"]
        self._rules = set(raw["rules"])

    def expand(self, group: str, name: str, body: dict[str, Any], index: int) -> tuple[Family, list[Row]]:
        options: dict[str, str] = body.get("with", {})
        if set(body) - {"means", "basis", "with", "forms"} or set(options) - _WITH:
            raise ValueError(f"{name}: a key that has no meaning")
        types = options.get("types", "").split() or [""]
        if (types == [""]) == ("{type}" in name) and "op" not in options:
            raise ValueError(f"{name}: types and {{type}} belong together")
        rules = tuple(options.get("rules", "").split())
        unknown = {rule.replace("{type}", kind) for rule in rules for kind in types} - self._rules
        if unknown:
            raise ValueError(f"{name}: no rule {', '.join(unknown)}")
        op = options.get("op", re.sub(r"\.?\{type\}", "", name).removeprefix("esp.").replace(".", "_"))
        access = options.get("access", group if group in ("load", "store") else "")
        rows = []
        for form in body["forms"]:
            if set(form) - _FORM:
                raise ValueError(f"{name}: a form with {sorted(set(form) - _FORM)}")
            mem = form.get("mem", "")
            tokens = self._tokens(options.get("operands", ""), form)
            own = form.get("types", "").split() or types
            words = {g: form[f"g{g}"].split() for g in GENERATIONS if f"g{g}" in form}
            if not words or any(len(of) != len(own) for of in words.values()):
                raise ValueError(f"{name} {mem}: one word for each type is wanted")
            layouts = {g: self._layout(name, tokens, form.get("extra", ""), g) for g in words}
            for i, kind in enumerate(own):
                mnemonic = name.replace("{type}", kind) + (f".{mem}" if mem else "")
                values = {g: int(of[i], 16) for g, of in words.items()}
                for g, value in values.items():
                    _check_word(mnemonic, value, layouts[g])
                reach = access or self._memory.get(mem, {}).get("access", "")
                rows.append(Row(mnemonic, index, op, kind, mem, reach, values, layouts, form.get("alias")))
        return Family(name, group, _note(name, body), rules), rows

    def _tokens(self, base: str, form: dict[str, str]) -> list[str]:
        """The operands of a form in order, with the offset that it names."""
        memory = self._memory[form["mem"]] if "mem" in form else {}
        if "operands" in form:
            text = form["operands"]
        elif memory.get("fused"):
            text = f"{memory['operands']} {base}"
        else:
            text = f"{base} {memory.get('operands', '')}"
        return [form["off"] if token == "off" else token for token in text.split()]

    def _layout(self, name: str, tokens: list[str], extra: str, generation: int) -> str:
        out = [self._place(name, token, generation) for token in tokens]
        if generation == 2:
            out += [self._place(name, token, generation) for token in extra.split()]
        return " ".join(place for place in out if place)

    def _place(self, name: str, token: str, generation: int) -> str:
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise ValueError(f"{name}: {token!r} is no operand")
        key = match["key"]
        if key in self._fields:
            kind, bits = self._fields[key].split()
            role = match["role"] or "r"
        else:
            names = self._kinds[key]
            kind = key if "=" in names else names
            bits = (match["bits"] or "").split("|")[-1 if generation == 2 else 0]
            role = "imm"
        if bits == "-":
            return ""
        if len(bit_numbers(bits)) != (_FIELD_WIDTH.get(kind) or int(kind[1:].partition("*")[0])):
            raise ValueError(f"{name}: {token!r} has not as many bits as {kind} needs")
        return f"{key.partition('.')[0]}:{kind}:{role}:{bits}"


def bit_numbers(text: str) -> tuple[int, ...]:
    """"19,25-24" is 19, 25, 24."""
    out: list[int] = []
    for piece in text.split(","):
        high, _, low = piece.partition("-")
        out += range(int(high), int(low or high) - 1, -1)
    return tuple(out)


def operands_of(layout: str) -> tuple[Operand, ...]:
    """The operands of a row's layout."""
    places = (place.split(":") for place in layout.split())
    return tuple(Operand(name, kind, role, bit_numbers(bits)) for name, kind, role, bits in places)


def _check_word(mnemonic: str, word: int, layout: str) -> None:
    used: set[int] = set()
    for place in layout.split():
        bits = bit_numbers(place.rpartition(":")[2])
        if used & set(bits) or any(word >> bit & 1 for bit in bits) or word >> 32 or word & 3 != 3:
            raise ValueError(f"{mnemonic}: an operand lies on another one or on the word {word:08x}")
        used.update(bits)
