"""What came of a kernel: sections, symbols, sizes, machine code, and what the compiler made on the way."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from p4kernel.build import Built, ImageSymbol, toolchain
from p4kernel.build import elf as _elf
from p4kernel.build.script import SCRIPT_SYMBOLS

if TYPE_CHECKING:
    from p4kernel.kernel import Kernel

__all__ = ["KernelBuild", "Section", "Sizes"]


class Section(NamedTuple):
    """A part of an image. ``offset`` is from its start; bytes."""

    name: str
    offset: int
    size: int
    align: int
    kind: Literal["code", "constants", "data", "bss"]


class Sizes(NamedTuple):
    """Bytes of an image."""

    code: int
    constants: int
    data: int  # variables with initial values; the board keeps a second copy of these
    bss: int  # variables that start as zeros
    total: int  # with the gaps that alignment leaves

    def __str__(self) -> str:
        return f"{self.total:,} bytes: {self.code:,} code, {self.constants:,} constants, {self.data:,} data, {self.bss:,} bss"


@dataclass(frozen=True)
class KernelBuild(Built):
    """``kernel.build``: a compiled and linked kernel."""

    kernel: Kernel[..., Any] = field(repr=False)
    generation: int
    """Of PIE: what it was compiled for."""

    @classmethod
    def of(cls, built: Built, kernel: Kernel[..., Any], generation: int) -> KernelBuild:
        known = {item.name: getattr(built, item.name) for item in fields(Built)}
        return cls(**known, kernel=kernel, generation=generation)

    @property
    def symbols(self) -> tuple[ImageSymbol, ...]:
        """Functions and variables, by address. Offsets are from the image's start."""
        return self.image.symbols

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections that are loaded, by address."""
        found = [
            Section(s.name, s.address - self.image.link_base, s.size, s.align, _kind(s))
            for s in _elf.Elf(self.elf).sections
            if s.flags & _elf.SHF_ALLOC and s.size
        ]
        return tuple(sorted(found, key=lambda section: section.offset))

    @property
    def size(self) -> Sizes:
        """How much memory it takes, by kind."""
        sums = {"code": 0, "constants": 0, "data": 0, "bss": 0}
        for section in self.sections:
            sums[section.kind] += section.size
        return Sizes(**sums, total=self.image.size)

    def map(self) -> str:
        """Sections with their symbols, and what is taken from the board's firmware, as text."""
        lines = ["  offset     size  name"]
        # The linker script's own marks say nothing to anyone.
        symbols = [symbol for symbol in self.symbols if symbol.name not in SCRIPT_SYMBOLS]
        for section in self.sections:
            lines.append(f"{section.offset:8x} {section.size:8}  {section.name} ({section.kind})")
            end = section.offset + section.size
            last = end == self.image.size
            for symbol in symbols:
                # A symbol at a section's very end belongs to it only when nothing follows.
                if section.offset <= symbol.offset < end or (last and symbol.offset == end):
                    lines.append(f"{symbol.offset:8x} {symbol.size:8}    {symbol.name}")
        for imported in self.image.imports:
            lines.append(f"{'firmware':>8} {'':8}  {imported.name}{' (may be missing)' if imported.weak else ''}")
        return "\n".join([*lines, str(self.size)]) + "\n"

    def disassemble(self, source: bool = True) -> str:
        """The machine code as assembly; with the lines of the source in between, unless ``source`` is False."""
        from p4kernel.listing import of_kernel

        return of_kernel(self, self.kernel.signature.lines if source else None, self.generation)

    @property
    def ir(self) -> str:
        """What the optimiser made of C and C++: LLVM IR from clang, GIMPLE from GCC, which has no other text of it.
        Compiles once more. Before link-time optimisation."""
        return self._emit("ir")

    @property
    def assembly(self) -> str:
        """The assembly that the compiler wrote; units in assembly as they are. Compiles once more."""
        return self._emit("assembly")

    def _emit(self, kind: Literal["ir", "assembly"]) -> str:
        from p4kernel.build.emit import emit

        source, options = self.kernel.inputs()
        texts = emit(source, options._replace(generation=self.generation), toolchain.find(), kind)
        if len(texts) == 1:
            return next(iter(texts.values()))
        mark = ";" if kind == "ir" else "#"
        return "\n".join(f"{mark} ---- {name}\n{text}" for name, text in texts.items())


def _kind(section: _elf.Section) -> Literal["code", "constants", "data", "bss"]:
    if section.type == _elf.SHT_NOBITS:
        return "bss"
    if section.flags & _elf.SHF_WRITE:
        return "data"
    return "code" if section.flags & _elf.SHF_EXECINSTR else "constants"
