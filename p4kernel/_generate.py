"""Files that are made of one source and committed: to write them, or to check that they are what it makes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

__all__ = ["ROOT", "write_or_check"]

ROOT: Final = Path(__file__).resolve().parents[1]
_T = TypeVar("_T")


def write_or_check(
    module: str,
    doc: str | None,
    source: Path,
    load: Callable[[Path], _T],
    outputs: Mapping[Path, Callable[[_T], str]],
    argv: list[str] | None,
) -> int:
    """The command line of a generator. Returns 1 when ``--check`` finds a file that is not what ``source`` makes."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=doc)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    check: bool = parser.parse_args(argv).check
    loaded = load(source)
    stale = 0
    for path, emit in outputs.items():
        text = emit(loaded)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            print(f"{path.name} does not match {source.name}: python -m {module} writes it", file=sys.stderr)
            stale = 1
        else:
            path.write_text(text, encoding="utf-8")
    return stale
