"""Writes what is made of p4kernel/pie/isa.yaml: the Python tables, the assembler header, the intrinsics.

`python -m p4kernel.pie.generate` writes; with `--check` it only compares, and exits with 1 when something is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from p4kernel._generate import ROOT, write_or_check
from p4kernel.pie._expand import Isa, load
from p4kernel.pie._generate_asm import c_header, include_file
from p4kernel.pie._generate_c import intrinsics, shapes
from p4kernel.pie._generate_python import python_tables

__all__ = ["OUTPUTS", "ROOT", "SOURCE", "main"]

SOURCE = Path(__file__).with_name("isa.yaml")
_HEADERS = ROOT / "stubs" / "include"
OUTPUTS: dict[Path, Callable[[Isa], str]] = {
    SOURCE.with_name("_tables.py"): python_tables,
    _HEADERS / "p4_pie.inc": include_file,
    _HEADERS / "p4_pie_asm.h": c_header,
    _HEADERS / "p4_pie_shapes.h": shapes,
    _HEADERS / "p4_pie_intrinsics.h": intrinsics,
}


def main(argv: list[str] | None = None) -> int:
    return write_or_check("p4kernel.pie.generate", __doc__, SOURCE, load, OUTPUTS, argv)


if __name__ == "__main__":
    sys.exit(main())
