"""The C programs of this folder as static RV32 ELF files, by either compiler at any level."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path
from typing import Final, Literal

from tests.sim.machine import BASE
from tests.tools import ZIG, require

__all__ = ["COMPILERS", "LEVELS", "PROGRAMS", "Builder", "Compiler", "Level"]

Compiler = Literal["zig", "gcc"]
Level = Literal["-O0", "-O1", "-O2", "-O3", "-Os"]
COMPILERS: Final[tuple[Compiler, ...]] = ("zig", "gcc")
LEVELS: Final[tuple[Level, ...]] = ("-O0", "-O1", "-O2", "-O3", "-Os")
_HERE: Final = Path(__file__).resolve().parent
PROGRAMS: Final = tuple(sorted(path.stem for path in _HERE.glob("*.c")))

# Without contraction every compiler and level must write the same text; programs that want fused operations say so.
_FLAGS: Final = (
    "-march=rv32imafc_zicsr_zifencei", "-mabi=ilp32f", "-std=gnu11", "-ffreestanding", "-ffp-contract=off",
    "-fno-math-errno", "-fno-strict-aliasing", "-Wall", "-Wextra", "-Werror", f"-I{_HERE / 'runtime'}",
)  # fmt: skip
_SHARED: Final = ("start", "common")
# GCC brings arithmetic on 64-bit integers and doubles in libgcc; for zig there is ours. Both must agree.
_LIBRARY: Final = ("wide", "double")
_SCRIPT: Final = f"""ENTRY(_start)
PHDRS {{ all PT_LOAD FLAGS(7); }}
SECTIONS {{
  . = {BASE:#x};
  .all : {{ *(.text*) *(.rodata* .srodata*) *(.data* .sdata*) *(.bss* .sbss* COMMON) }} :all
  /DISCARD/ : {{ *(.comment) *(.riscv.attributes) *(.note*) *(.eh_frame*) }}
}}
"""


@functools.cache
def _compile_words(compiler: Compiler) -> tuple[str, ...]:
    """Skips the test when there is no such compiler."""
    if compiler == "zig":
        include = ZIG.parent / "lib" / "include"
        target = ("--target=riscv32-unknown-elf", "-nostdinc", "-isystem", str(include))
        return (require(os.fspath(ZIG)), "clang", *target, *_FLAGS)
    # Its int32_t is a long, which clang's is not: clang checks the formats. And loops in memset must not become memset.
    return (require("riscv64-unknown-elf-gcc"), *_FLAGS, "-Wno-format", "-fno-tree-loop-distribute-patterns")


class Builder:
    """Compiles into a folder, each thing once for each compiler and level."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shared: dict[tuple[Compiler, Level], list[Path]] = {}
        (folder / "script.ld").write_text(_SCRIPT)

    def prepare(self, compiler: Compiler, level: Level) -> list[Path]:
        """The shared objects. Not for several threads at once."""
        key = (compiler, level)
        if key not in self._shared:
            names = _SHARED + (_LIBRARY if compiler == "zig" else ())
            self._shared[key] = [self._object(_HERE / "runtime" / f"{name}.c", compiler, level) for name in names]
        return self._shared[key]

    def build(self, program: str, compiler: Compiler, level: Level) -> bytes:
        """The ELF file of one program."""
        elf = self._folder / f"{program}-{compiler}{level}.elf"
        if elf.exists():
            return elf.read_bytes()
        objects = [self._object(_HERE / f"{program}.c", compiler, level), *self.prepare(compiler, level)]
        files = [*map(str, objects), "-o", str(elf)]
        if compiler == "zig":
            _run(_compile_words(compiler)[0], "ld.lld", "-T", str(self._folder / "script.ld"), *files)
        else:
            # With the extensions' names in -march, GCC would not find its library for this machine.
            words = (_compile_words(compiler)[0], "-march=rv32imafc", "-mabi=ilp32f", "-nostdlib")
            _run(*words, "-T", str(self._folder / "script.ld"), *files, "-lgcc")
        return elf.read_bytes()

    def _object(self, source: Path, compiler: Compiler, level: Level) -> Path:
        # A program may be called as a part of the runtime is.
        target = self._folder / f"{source.parent.name}-{source.stem}-{compiler}{level}.o"
        _run(*_compile_words(compiler), level, "-c", str(source), "-o", str(target))
        return target


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stderr}"
