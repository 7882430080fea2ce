"""C programs on the simulator's own interface, built with the sanitizers; and its sources under other compilers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import p4kernel
from tests.tools import ZIG, require

SOURCES = Path(p4kernel.__file__).parent / "sim" / "csrc"
CORE = ("decode", "rvc", "pie", "block", "translate", "exec", "mem", "fp", "csr", "slow", "sim")
HERE = Path(__file__).parent
FLAGS = ("-std=gnu11", "-fno-strict-aliasing", "-fwrapv", "-Wall", "-Wextra", "-Werror", f"-I{SOURCES}")
SANITIZED = ("-O0", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def _build(compiler: list[str], program: str, folder: Path, *flags: str) -> Path:
    binary = folder / program
    files = [os.fspath(SOURCES / f"{name}.c") for name in CORE] + [os.fspath(HERE / f"{program}.c")]
    subprocess.run([*compiler, *FLAGS, *flags, *files, "-o", os.fspath(binary), "-lm"], check=True, timeout=300)
    return binary


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_embedding(tmp_path: Path) -> None:
    binary = _build([require("cc")], "embedding", tmp_path, *SANITIZED)
    _run(os.fspath(binary))


@pytest.mark.parametrize("tiny_after_rounding", [0, 1])
def test_float_paths(tiny_after_rounding: int, tmp_path: Path) -> None:
    """0: the way that hosts take which judge tininess before rounding."""
    binary = _build(
        [require("cc")], "float_paths", tmp_path, "-O2", f"-DHOSTFP_TINY_AFTER_ROUNDING={tiny_after_rounding}"
    )
    _run(os.fspath(binary), os.environ.get("P4KERNEL_TEST_FLOATS", "5000"))


@pytest.mark.parametrize("program", ["embedding", "float_paths"])
def test_on_aarch64(program: str, tmp_path: Path) -> None:
    """Another host's float unit and memory model, through zig's cross compiler and qemu."""
    qemu = require("qemu-aarch64")
    binary = _build([os.fspath(ZIG), "cc", "-target", "aarch64-linux-musl"], program, tmp_path, "-O2")
    _run(qemu, os.fspath(binary), "1000")


_PIE_FLAGS = (*FLAGS, "-Wno-unused-function", os.fspath(HERE / "pie_paths.c"))


def test_pie_paths(tmp_path: Path) -> None:
    binary = os.fspath(tmp_path / "pie_paths")
    subprocess.run([require("cc"), *_PIE_FLAGS, *SANITIZED, "-o", binary], check=True, timeout=300)
    _run(binary, os.environ.get("P4KERNEL_TEST_FLOATS", "5000"))


def test_pie_paths_on_aarch64(tmp_path: Path) -> None:
    qemu, binary = require("qemu-aarch64"), os.fspath(tmp_path / "pie_paths")
    compiler = [os.fspath(ZIG), "cc", "-target", "aarch64-linux-musl", "-O2"]
    subprocess.run([*compiler, *_PIE_FLAGS, "-o", binary], check=True, timeout=300)
    _run(qemu, binary, "5000")
