"""stubs/protocol.yaml, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}


@dataclass(frozen=True)
class Field:
    """One field of a payload; `size` is 0 for `str8` and `rest`, whose length is in the data."""

    name: str
    kind: str
    size: int

    @property
    def fixed(self) -> bool:
        return self.size > 0

    @property
    def pad(self) -> bool:
        return self.name == "pad"

    @property
    def integer(self) -> bool:
        return self.kind in _SIZES


@dataclass(frozen=True)
class Payload:
    name: str
    fields: tuple[Field, ...]

    @property
    def fixed(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.fixed)

    @property
    def strings(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.kind == "str8")

    @property
    def rest(self) -> Field | None:
        return next((field for field in self.fields if field.kind == "rest"), None)

    @property
    def size(self) -> int:
        """Bytes of the fixed fields, which come first."""
        return sum(field.size for field in self.fields)


@dataclass(frozen=True)
class Type:
    name: str
    code: int
    sender: str
    kind: str


@dataclass(frozen=True)
class Protocol:
    version: int
    magic: int
    header: Payload
    types: tuple[Type, ...]
    numbers: dict[str, dict[str, int]]
    payloads: tuple[Payload, ...]


_NUMBERS = ("limits", "defaults", "times", "status", "phases", "caps", "directions", "info_flags", "call_flags", "load_flags")
_SENDERS = ("host", "board", "both")


def load(path: Path) -> Protocol:
    """Raises ValueError when the file says something that the generators do not understand."""
    with path.open(encoding="utf-8") as file:
        raw: dict[str, Any] = yaml.safe_load(file)
    known = {"version", "magic", "header", "types", "payloads", *_NUMBERS}
    if set(raw) != known:
        raise ValueError(f"{path.name}: unknown or missing keys: {sorted(set(raw) ^ known)}")
    types = tuple(Type(name, int(of["code"]), of["from"], of["kind"]) for name, of in raw["types"].items())
    if len({of.code for of in types}) != len(types) or any(of.sender not in _SENDERS for of in types):
        raise ValueError(f"{path.name}: two types with one code, or a sender that is none of {_SENDERS}")
    return Protocol(
        version=int(raw["version"]),
        magic=int(raw["magic"]),
        header=_payload("header", raw["header"]),
        types=types,
        numbers={table: {str(name): int(value) for name, value in raw[table].items()} for table in _NUMBERS},
        payloads=tuple(_payload(name, fields) for name, fields in raw["payloads"].items()),
    )


def _payload(name: str, raw: list[list[str]]) -> Payload:
    fields = tuple(_field(name, *pair) for pair in raw)
    tail = [field.kind for field in fields if not field.fixed]
    if any(field.fixed for field in fields[len(fields) - len(tail) :]) or "rest" in tail[:-1]:
        raise ValueError(f"payload {name}: fields of varying length come last, and rest at the end")
    return Payload(name, fields)


def _field(payload: str, name: str, kind: str) -> Field:
    if kind in _SIZES:
        return Field(name, kind, _SIZES[kind])
    if kind in ("str8", "rest"):
        return Field(name, kind, 0)
    if kind.startswith("bytes:") and int(kind[6:]) > 0:
        return Field(name, "bytes", int(kind[6:]))
    raise ValueError(f"payload {payload}: field {name} has the unknown type {kind}")
