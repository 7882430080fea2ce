"""Writes the C header and the Python tables of the link from stubs/protocol.yaml.

`python -m p4kernel.wire.generate` writes both; with `--check` it only compares, and exits with 1 when one is stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from p4kernel.wire._generate_c import c_header
from p4kernel.wire._generate_python import python_tables
from p4kernel.wire._protocol import Protocol, load

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "stubs" / "protocol.yaml"
OUTPUTS: dict[Path, Callable[[Protocol], str]] = {
    ROOT / "firmware" / "core" / "p4k_protocol.h": c_header,
    ROOT / "p4kernel" / "wire" / "_tables.py": python_tables,
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m p4kernel.wire.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    check: bool = parser.parse_args(argv).check
    protocol = load(SOURCE)
    stale = 0
    for path, emit in OUTPUTS.items():
        text = emit(protocol)
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
