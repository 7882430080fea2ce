"""Writes the C header and the Python tables of the link from stubs/protocol.yaml.

`python -m p4kernel.wire.generate` writes both; with `--check` it only compares, and exits with 1 when one is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from p4kernel._generate import ROOT, write_or_check
from p4kernel.wire._generate_c import c_header
from p4kernel.wire._generate_python import python_tables
from p4kernel.wire._protocol import Protocol, load

__all__ = ["OUTPUTS", "ROOT", "SOURCE", "main"]

SOURCE = ROOT / "stubs" / "protocol.yaml"
OUTPUTS: dict[Path, Callable[[Protocol], str]] = {
    ROOT / "firmware" / "core" / "p4k_protocol.h": c_header,
    ROOT / "p4kernel" / "wire" / "_tables.py": python_tables,
}


def main(argv: list[str] | None = None) -> int:
    return write_or_check("p4kernel.wire.generate", __doc__, SOURCE, load, OUTPUTS, argv)


if __name__ == "__main__":
    sys.exit(main())
