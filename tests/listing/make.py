"""ELF files of several kinds, made from the hand-written assembly in golden/."""

from __future__ import annotations

import subprocess
from pathlib import Path

from p4kernel.build import Options, Toolchain, Unit
from p4kernel.build.source import command, include_folder

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
SOURCE = GOLDEN / "dot.S"


def assemble(chain: Toolchain, folder: Path, generation: int, *flags: str) -> Path:
    """dot.o in ``folder``. Paths in its debug information are relative to the root of the tree."""
    own = [part for name in (include_folder(), *chain.includes) for part in ("-isystem", name)]
    line = command(Unit("unused", "", "asm"), Options(generation=generation), chain)[:-1]
    line.remove("-g")  # the file says itself which lines it has
    run(*line, *own, f"-ffile-prefix-map={ROOT}=.", *flags, str(SOURCE), "-o", str(folder / "dot.o"))
    return folder / "dot.o"


def compile_c(chain: Toolchain, folder: Path, name: str, text: str, *flags: str) -> Path:
    """An object file of a C text, with debug information."""
    (folder / f"{name}.c").write_text(text)
    own = [part for where in (include_folder(), *chain.includes) for part in ("-isystem", where)]
    line = command(Unit("unused", ""), Options(), chain)[:-1]
    run(*line, *own, *flags, str(folder / f"{name}.c"), "-o", str(folder / f"{name}.o"))
    return folder / f"{name}.o"


def link(chain: Toolchain, folder: Path, *objects: Path, flags: tuple[str, ...] = ()) -> Path:
    """app.elf at addresses of the chip's PSRAM and internal memory."""
    places = ("-Ttext=0x48000000", "-Tdata=0x4ff40000")
    run(*chain.linker, "-m", "elf32lriscv", "--no-relax", "-e", "dot", *places, *flags, "-o", str(folder / "app.elf"),
        *map(str, objects))  # fmt: skip
    return folder / "app.elf"


def run(*line: str) -> None:
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
