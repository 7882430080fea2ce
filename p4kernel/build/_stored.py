"""A build result as bytes and back."""

from __future__ import annotations

import json
import struct
from dataclasses import fields
from typing import Any, NamedTuple

from p4kernel.build.image import Image, ImageSymbol, Import, Patch
from p4kernel.errors import Diagnostic

__all__ = ["Stored", "pack", "unpack"]

_SIZES = struct.Struct("<III")
_NUMBERS = tuple(item.name for item in fields(Image) if item.type == "int")


class Stored(NamedTuple):
    """What is kept of a build. ``files`` are the user's headers that were read, with the hashes of their content."""

    image: Image
    elf: bytes
    portable: bool
    warnings: tuple[Diagnostic, ...]
    files: tuple[tuple[str, str], ...]


def pack(stored: Stored) -> bytes:
    image = stored.image
    facts = {
        "image": {name: getattr(image, name) for name in _NUMBERS},
        "symbols": image.symbols,
        "patches": image.patches,
        "imports": image.imports,
        "portable": stored.portable,
        "warnings": [(w.file, w.line, w.column, w.severity, w.message) for w in stored.warnings],
        "files": stored.files,
    }
    # Paths may hold bytes that are no UTF-8: ASCII escapes carry their surrogates.
    text = json.dumps(facts, separators=(",", ":")).encode("ascii")
    return _SIZES.pack(len(text), len(image.data), len(stored.elf)) + text + image.data + stored.elf


def unpack(payload: bytes) -> Stored | None:
    """None for something that another version wrote."""
    try:
        facts_size, data_size, elf_size = _SIZES.unpack_from(payload)
        start = _SIZES.size + facts_size
        if len(payload) != start + data_size + elf_size:
            return None
        facts: dict[str, Any] = json.loads(payload[_SIZES.size : start])
        image = Image(
            data=payload[start : start + data_size],
            symbols=tuple(ImageSymbol(*fields) for fields in facts["symbols"]),
            patches=tuple(Patch(*fields) for fields in facts["patches"]),
            imports=tuple(Import(*fields) for fields in facts["imports"]),
            **{name: facts["image"][name] for name in _NUMBERS},
        )
        return Stored(
            image,
            payload[start + data_size :],
            bool(facts["portable"]),
            tuple(Diagnostic(*fields) for fields in facts["warnings"]),
            tuple((path, digest) for path, digest in facts["files"]),
        )
    except (struct.error, ValueError, KeyError, TypeError):
        return None
