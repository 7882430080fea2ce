"""What a build result depends on, as a key, and whether it still holds."""

# Paths are strings in this module, as it runs at every warm start.
# ruff: noqa: PTH116, PTH118, PTH123

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from typing import Final

from p4kernel.build.script import script
from p4kernel.build.source import Options, Source, command, include_folder
from p4kernel.build.toolchain import Toolchain

__all__ = ["build_key", "dependencies_now", "settled"]

ABI: Final = 4
"""Raise it when the same inputs give another result: another linker script, another meaning of a stored field."""

# The assembler reads these without telling the compiler, so -MD does not list them.
_UNSEEN: Final = r'\.(?:include|incbin)\s*(?:\\?"([^"\\]*))?'
# File systems keep time in steps of up to a few milliseconds.
_CLOCK_STEP_NS: Final = 10_000_000

_hashes: dict[str, tuple[tuple[int, int, int], str]] = {}


def build_key(source: Source, options: Options, toolchain: Toolchain) -> str | None:
    """Hash of all that decides what ``build`` returns, but the user's headers. None: this must not be cached."""
    if any(_reads_unseen(text) for text in (source.header, *(unit.text for unit in source.units))):
        return None
    digest = hashlib.sha256()
    parts = [f"p4kernel build {ABI}", toolchain.identity, _headers(), script(source.entry), source.header]
    parts += [*source.wanted, *options.libraries]
    for unit in source.units:
        parts += [*command(unit, options, toolchain), "", unit.text]
    for part in parts:
        data = part.encode("utf-8", "surrogateescape")
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()


def dependencies_now(files: Iterable[tuple[str, str]]) -> bool:
    """Whether files still have the content whose hash was kept."""
    try:
        return all(_hash(path) == digest for path, digest in files)
    except OSError:
        return False


def settled(paths: Iterable[str], start_ns: int, binaries: Iterable[str] = ()) -> tuple[tuple[str, str], ...] | None:
    """Files with hashes, or None if it is not known what was compiled: one may have changed since ``start_ns``.

    ``binaries`` are files that are not text.
    """
    out = []
    texts = set(paths)
    try:
        for path in sorted({*texts, *binaries}):
            if os.stat(path).st_mtime_ns >= start_ns - _CLOCK_STEP_NS:
                return None
            if path in texts:
                with open(path, encoding="utf-8", errors="replace") as file:
                    if _reads_unseen(file.read()):
                        return None
            out.append((path, _hash(path)))
    except OSError:
        return None
    return tuple(out)


def _reads_unseen(text: str) -> bool:
    """Whether the assembler reads a file through ``text`` that is none of our own headers."""
    # Most texts have none: no pattern is compiled for them.
    return ".inc" in text and any(match[1] not in _own_names() for match in re.finditer(_UNSEEN, text))


def _own_names() -> list[str]:
    """Our own headers, as they are named in an include."""
    top = include_folder()
    return sorted(
        os.path.relpath(os.path.join(folder, name), top).replace(os.sep, "/")
        for folder, _, names in os.walk(top)
        for name in names
    )


def _headers() -> str:
    """Hash of the names and contents of our own headers."""
    digest = hashlib.sha256()
    for name in _own_names():
        digest.update(f"{name}\0{_hash(os.path.join(include_folder(), name))}\0".encode())
    return digest.hexdigest()


def _hash(path: str) -> str:
    status = os.stat(path)
    stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
    known = _hashes.get(path)
    if known is not None and known[0] == stamp:
        return known[1]
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    _hashes[path] = stamp, digest
    return digest
