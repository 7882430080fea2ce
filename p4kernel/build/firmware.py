"""The ELF file of a firmware: who it is, and where its functions and variables are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from p4kernel.build import elf as _elf
from p4kernel.build.elf import Elf, ElfError
from p4kernel.errors import LinkError

_ET_EXEC: Final = 2
_STT_NOTYPE: Final = 0


class FirmwareElf:
    """The firmware's ELF file as its build wrote it. A board names its firmware by the SHA-256 of this very file
    (``app_elf_sha256`` in ESP-IDF's app descriptor), so a stripped copy is another one."""

    path: Path
    sha256: bytes
    symbols: Mapping[str, int]
    """Addresses of global functions and variables."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Reads it. Raises LinkError when it is no linked RISC-V program with symbols."""
        self.path = Path(path)
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise LinkError(
                f"{self.path}: the firmware's ELF file cannot be read: {error.strerror or error}"
            ) from error
        try:
            file = Elf(data)
        except ElfError as error:
            raise LinkError(f"{self.path}: {error}") from None
        if file.machine != _elf.EM_RISCV:
            raise LinkError(f"{self.path}: a program for another machine (ELF machine {file.machine})")
        if file.type != _ET_EXEC:
            raise LinkError(
                f"{self.path}: not a linked program; give the firmware's .elf, which idf.py build writes to build/"
            )
        self.sha256 = hashlib.sha256(data).digest()
        kinds = (_elf.STT_FUNC, _elf.STT_OBJECT, _STT_NOTYPE)
        self.symbols = {
            s.name: s.value
            for s in file.symbols
            if s.name and s.value and s.binding != _elf.STB_LOCAL and s.type in kinds and s.section != _elf.SHN_UNDEF
        }
        if not self.symbols:
            raise LinkError(f"{self.path}: it has no symbols; give the firmware's .elf as it was built, not stripped")

    def __repr__(self) -> str:
        return f"<firmware {self.path}, {len(self.symbols)} symbols>"
