"""Signatures: which types stand where, and how many there are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from p4kernel.signature.values import Value, spelling
from tests.conformance.pool import ENUMS, NUMBERS, STRUCTS, c_type

Way = Literal["value", "In", "Out", "InOut", "text", "ret", "ret array", "ret text"]


@dataclass(frozen=True, slots=True)
class Item:
    """One parameter. ``length``: elements of an array, which the C text knows too."""

    name: str
    way: Way
    hint: Any  # the annotation of a value, or of an element
    kind: Value | None  # None: a text
    length: int = 0
    optional: bool = False

    @property
    def given(self) -> bool:
        """Whether the caller passes it."""
        return not self.way.startswith("ret")

    @property
    def stub(self) -> str:
        """The parameter in the stub; its types are called t<name> there."""
        match self.way:
            case "value":
                return f"{self.name}: t{self.name}"
            case "text":
                return f"{self.name}: p4.cstr{' | None' if self.optional else ''}"
            case "ret":
                return f"{self.name}: t{self.name} = p4.ret()"
            case "ret array":
                return f"{self.name}: p4.Out[e{self.name}] = p4.ret({self.length})"
            case "ret text":
                return f"{self.name}: p4.cstr = p4.ret(20)"
        return f"{self.name}: p4.{self.way}[e{self.name}]{' | None' if self.optional else ''}"

    def __str__(self) -> str:
        kind = "text" if self.kind is None else spelling(self.kind)
        return kind if self.way == "value" else f"{self.way}[{kind}]"


@dataclass(frozen=True, slots=True)
class Case:
    """One function."""

    name: str
    items: tuple[Item, ...]
    returns: Any  # an annotation, or None

    @property
    def return_kind(self) -> Value | None:
        return None if self.returns is None else c_type(self.returns)


_BY_VALUE = [*NUMBERS.values(), *ENUMS, *STRUCTS]
# What fills the registers around the type under test: ilp32f passes the first eight integers and the first eight floats
# in registers of their own, 64-bit values in pairs, and the rest on the stack.
_FILLERS: dict[str, list[str]] = {
    "integers": ["i32"], "floats": ["f32"], "wide": ["i64"], "doubles": ["f64"], "mixed": ["f32", "u8", "i64", "f64"],
}  # fmt: skip


def systematic() -> Iterator[tuple[list[Any], Any]]:
    """Each type at each of 18 positions among each kind of filler, and each as the return value: (hints, returns)."""
    for hint in _BY_VALUE:
        for names in _FILLERS.values():
            for position in range(18):
                yield [NUMBERS[names[i % len(names)]] for i in range(position)] + [hint, NUMBERS[names[0]]], hint
    for count in range(65):
        for names in _FILLERS.values():
            yield [NUMBERS[names[i % len(names)]] for i in range(count)], NUMBERS["u64"]


def from_hints(name: str, hints: list[Any], returns: Any) -> Case:
    """A function of values only."""
    items = tuple(Item(f"a{i}", "value", hint, c_type(hint)) for i, hint in enumerate(hints))
    return Case(name, items, returns)


_VALUES: list[Way] = ["value"] * 8
_WAYS: list[Way] = [
    *_VALUES, "In", "Out", "InOut", "text", "ret", "ret", "ret array", "ret text",
]  # fmt: skip


def draw(rng: random.Random, name: str, structs: list[Any]) -> Case:
    """A function of random types, ways and counts (0 to 64, mostly few)."""
    count = rng.choice([rng.randint(0, 6), rng.randint(0, 12), rng.randint(8, 24), rng.randint(24, 64)])
    structs = structs + STRUCTS
    items = []
    room = 2000  # bytes of values: a blob holds 4096
    for i in range(count):
        way = rng.choice(_WAYS)
        by_value = rng.choice([rng.choice(list(NUMBERS.values())), rng.choice(structs), rng.choice(ENUMS)])
        if way in ("value", "ret"):
            kind = c_type(by_value)
            if kind.size > room or kind.align > 16:
                by_value = NUMBERS["i32"]
                kind = c_type(by_value)
            room -= kind.size
            items.append(Item(f"a{i}", way, by_value, kind))
        elif way in ("text", "ret text"):
            items.append(Item(f"a{i}", way, None, None, optional=way == "text" and rng.random() < 0.4))
        else:
            hint = rng.choice(structs) if rng.random() < 0.5 else rng.choice([n for n in NUMBERS if n != "size_t"])
            hint = NUMBERS[hint] if isinstance(hint, str) else hint
            optional = way != "ret array" and rng.random() < 0.3
            items.append(Item(f"a{i}", way, hint, c_type(hint), rng.randint(0, 5), optional))
    returns = rng.choice([None, rng.choice(list(NUMBERS.values())), rng.choice(structs), rng.choice(ENUMS)])
    if returns is not None and (c_type(returns).size > 1000 or c_type(returns).align > 16):
        returns = None
    return Case(name, tuple(items), returns)
