"""What was built and loaded: ``func.binary``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from p4kernel.p4jit.arguments import SLOTS
from p4kernel.signature.cparse import Prototype
from p4kernel.signature.cresolve import FunctionPointer, Pointer
from p4kernel.signature.together import entry_name

if TYPE_CHECKING:
    from p4kernel.inspection import KernelBuild

__all__ = ["Binary", "FunctionInfo", "SectionInfo"]


class SectionInfo(TypedDict):
    address: int
    size: int  # bytes
    type: str  # "code", "constants", "data" or "bss"


class FunctionInfo(TypedDict):
    name: str
    address: int
    size: int  # bytes
    type: str


class Binary:
    """The machine code of a loaded function, where it lies, and what it consists of."""

    def __init__(self, build: KernelBuild, data: bytes, base: int, prototype: Prototype) -> None:
        self.build = build
        """The same as p4kernel shows it: ``binary.build.map()``, ``.symbols``, ``.elf`` ..."""
        self.data = data
        """The bytes on the board, with zeros for .bss."""
        self.base_address = base
        self.entry_point = entry_name(prototype.name)
        """What the board calls: it takes the arguments apart and calls the function, which may be a part of it."""
        self.entry_address = base + build.image.symbol(self.entry_point).offset
        self.metadata = {
            "name": prototype.name,
            "prototype": prototype.text,
            "parameters": [
                {"name": name, "category": "pointer" if isinstance(kind, Pointer | FunctionPointer) else "value"}
                for name, kind in prototype.parameters
            ],
            "addresses": {"code_base": f"0x{base:08x}", "args_array_size": SLOTS, "args_array_bytes": 4 * SLOTS},
        }

    @property
    def total_size(self) -> int:
        """Bytes that it takes on the board."""
        return len(self.data)

    @property
    def sections(self) -> dict[str, SectionInfo]:
        """By name, in the order of their addresses."""
        return {
            s.name: SectionInfo(address=self.base_address + s.offset, size=s.size, type=s.kind)
            for s in self.build.sections
        }

    @property
    def functions(self) -> list[FunctionInfo]:
        """By address; without those that p4kernel adds."""
        return [
            FunctionInfo(name=s.name, address=self.base_address + s.offset, size=s.size, type="FUNC")
            for s in self.build.symbols
            if s.kind == "func" and not s.name.startswith("p4_")
        ]

    def get_function_address(self, name: str) -> int | None:
        """None when there is no such function: it may have been inlined."""
        return next((f["address"] for f in self.functions if f["name"] == name), None)

    def get_data(self) -> bytes:
        """As ``data``."""
        return self.data

    def get_metadata_dict(self) -> dict[str, Any]:
        """What ``save_metadata`` writes."""
        return {
            **self.metadata,
            "entry_point": self.entry_point,
            "entry_address": f"0x{self.entry_address:08x}",
            "base_address": f"0x{self.base_address:08x}",
            "total_size": self.total_size,
            "sections": {n: {**s, "address": f"0x{s['address']:08x}"} for n, s in self.sections.items()},
            "functions": [{**f, "address": f"0x{f['address']:08x}"} for f in self.functions],
        }

    # -- printing -----------------------------------------------------------------------------------------------

    def print_sections(self) -> None:
        """Prints each section with its address and size."""
        print("Sections:")
        for name, section in self.sections.items():
            print(f"  {name:<20} 0x{section['address']:08x}  {section['size']:>6} bytes")

    def print_symbols(self) -> None:
        """Prints each function with its address and size."""
        print("Functions:")
        for function in self.functions:
            print(f"  {function['name']:<30} 0x{function['address']:08x}  {function['size']:>6} bytes")

    def print_memory_map(self) -> None:
        """Prints the sections by offset, with the gaps between them."""
        print(f"Memory map (base 0x{self.base_address:08x}):")
        at = 0
        for name, section in self.sections.items():
            offset = section["address"] - self.base_address
            if offset > at:
                print(f"  {at:>6}  {'(padding)':<20} {offset - at:>6} bytes")
            print(f"  {offset:>6}  {name:<20} {section['size']:>6} bytes  {section['type']}")
            at = offset + section["size"]
        print(f"  Total: {self.total_size} bytes")

    def disassemble(self, output: str | os.PathLike[str] | None = None, source_intermix: bool = True) -> str:
        """The machine code as assembly, with lines of the source; written to the file ``output``, or printed."""
        text = self.build.disassemble(source_intermix)
        if output is None:
            print(text)
        else:
            _writable(output).write_text(text, encoding="utf-8")
        return text

    # -- files --------------------------------------------------------------------------------------------------

    def save_bin(self, path: str | os.PathLike[str]) -> None:
        """Writes ``data``."""
        _writable(path).write_bytes(self.data)

    def save_elf(self, path: str | os.PathLike[str]) -> None:
        """Writes the linked file, with debug information; it is linked for another address."""
        _writable(path).write_bytes(self.build.elf)

    def save_metadata(self, path: str | os.PathLike[str]) -> None:
        """Writes addresses, sections and functions as JSON."""
        _writable(path).write_text(json.dumps(self.get_metadata_dict(), indent=2) + "\n", encoding="utf-8")


def _writable(path: str | os.PathLike[str]) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
