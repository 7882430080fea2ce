"""The core for the chip: its size, what it needs from outside; and the same tests again under sanitizers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tests.firmware.machine import CORE, OUTSIDE, Count, Machine
from tests.tools import ZIG, lacking, require

ROOT = CORE.parents[1]
SOURCES = sorted(CORE.glob("*.c"))
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion", "-pedantic", "-ffreestanding"]
CHIP = ["-march=rv32imafc_zicsr_zifencei", "-mabi=ilp32f", "-Os", "-isystem", str(ROOT / "stubs" / "include")]
MOST = 24 * 1024  # bytes of text and constants
MOST_STATE = 96 * 1024  # bytes of struct p4k


def _zig() -> list[str]:
    own = ["-nostdinc", "-isystem", str(ZIG.parent / "lib" / "include")]
    return [str(ZIG), "clang", "--target=riscv32-unknown-elf", *own]


def _gcc() -> list[str]:
    return [require("riscv64-unknown-elf-gcc")]


def _objects(compiler: list[str], folder: Path) -> list[Path]:
    objects = []
    for source in SOURCES:
        objects.append(folder / f"{source.stem}.o")
        subprocess.run([*compiler, *STRICT, *CHIP, "-c", str(source), "-o", str(objects[-1])], check=True)
    return objects


def _port() -> set[str]:
    """Functions that p4k_port.h declares."""
    return set(re.findall(r"\b(p4k_\w+)\(p4k_port \*", (CORE / "p4k_port.h").read_text()))


@pytest.mark.parametrize("compiler", [_gcc, _zig], ids=["gcc", "zig"])
def test_size_and_needs_on_the_chip(
    compiler: Callable[[], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read_only = writable = 0
    defined: set[str] = set()
    wanted: set[str] = set()
    for path in _objects(compiler(), tmp_path):
        with path.open("rb") as file:
            elf = ELFFile(file)
            for section in elf.iter_sections():
                flags = section["sh_flags"]
                if flags & SH_FLAGS.SHF_ALLOC and section.name != ".eh_frame":
                    writable += section["sh_size"] if flags & SH_FLAGS.SHF_WRITE else 0
                    read_only += 0 if flags & SH_FLAGS.SHF_WRITE else section["sh_size"]
            symbols = elf.get_section_by_name(".symtab")
            assert isinstance(symbols, SymbolTableSection)
            for symbol in symbols.iter_symbols():
                if symbol.name and symbol["st_info"]["bind"] == "STB_GLOBAL":
                    (wanted if symbol["st_shndx"] == "SHN_UNDEF" else defined).add(symbol.name)
    with capsys.disabled():
        print(f"\nfirmware core for riscv32, {compiler.__name__[1:]} -Os: {read_only} bytes of text and constants")
    assert read_only <= MOST
    assert writable == 0  # all state is in struct p4k
    assert wanted - defined <= _port() | {"memcpy", "memset", "memcmp"}


def test_size_of_the_state(capsys: pytest.CaptureFixture[str]) -> None:
    board = Machine()
    size = board.get(Count.CORE_SIZE)
    board.close()
    with capsys.disabled():
        print(f"\nstruct p4k: {size} bytes")
    assert size <= MOST_STATE


def test_everything_again_under_sanitizers() -> None:
    gcc = require("gcc")
    library = subprocess.run([gcc, "-print-file-name=libasan.so"], check=True, capture_output=True, text=True).stdout
    if not Path(library.strip()).is_absolute():
        lacking("gcc has no AddressSanitizer library")
    env = dict(os.environ, P4KERNEL_TEST_SANITIZE="1", LD_PRELOAD=library.strip())
    env["ASAN_OPTIONS"] = "detect_leaks=0:abort_on_error=1"  # Python itself leaks; the tests count allocations
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/firmware"]
    command += [f"--ignore=tests/firmware/{name}" for name in OUTSIDE]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout
