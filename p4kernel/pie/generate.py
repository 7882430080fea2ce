"""Writes what is made of p4kernel/pie/isa.yaml: the Python tables and the assembler header.

`python -m p4kernel.pie.generate` writes; with `--check` it only compares, and exits with 1 when something is stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from p4kernel.pie._expand import Isa, load
from p4kernel.pie._generate_asm import c_header, include_file
from p4kernel.pie._generate_python import python_tables

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).with_name("isa.yaml")
OUTPUTS: dict[Path, Callable[[Isa], str]] = {
    SOURCE.with_name("_tables.py"): python_tables,
    ROOT / "stubs" / "include" / "p4_pie.inc": include_file,
    ROOT / "stubs" / "include" / "p4_pie_asm.h": c_header,
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m p4kernel.pie.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    check: bool = parser.parse_args(argv).check
    isa = load(SOURCE)
    stale = 0
    for path, emit in OUTPUTS.items():
        text = emit(isa)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            print(f"{path.relative_to(ROOT)} does not match {SOURCE.relative_to(ROOT)}", file=sys.stderr)
            stale = 1
        else:
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
