"""Kernels built by many processes at once, killed, interrupted, with a compiler and headers that change."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

import p4kernel as p4
from p4kernel.build import cache
from tests.robust.common import PATIENCE, alarm
from tests.tools import needs, require

ROOT = Path(__file__).parents[2]

_PROGRAM = """
import sys
import numpy as np
import p4kernel as p4

kernels = []
for i in range(int(sys.argv[1])):
    @p4.kernel(flags=[*sys.argv[2:], f"-DPLACE={i}"])
    def at(x: p4.In[np.int32], n: p4.i32 = p4.size("x")) -> p4.i32:
        p4.c("int s = PLACE; for (int i = 0; i < n; ++i) s += x[i]; return s * TIMES;",
             preamble='''
#ifdef HEADER
#include "times.h"
#endif
#ifndef TIMES
#define TIMES 1
#endif
''')
    kernels.append(at)

x = np.arange(1000, dtype=np.int32)
for i, kernel in enumerate(kernels):
    print(kernel(x) - 0, kernel.last.built_from, flush=True)
"""


def start(environment: dict[str, str], count: int, *flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(count), *flags],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def results(process: subprocess.Popen[str]) -> tuple[list[int], set[str]]:
    """What its kernels returned, and where they came from."""
    out, error = process.communicate(timeout=PATIENCE * 2)
    assert process.returncode == 0, error
    words = out.split()
    return [int(word) for word in words[::2]], set(words[1::2])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return dict(os.environ) | {"P4KERNEL_CACHE_DIR": str(tmp_path / "cache")}


def expected(count: int, times: int = 1) -> list[int]:
    return [(499_500 + i) * times for i in range(count)]


def temporary(environment: dict[str, str]) -> list[Path]:
    return list(Path(environment["P4KERNEL_CACHE_DIR"]).rglob("*.tmp"))


def test_eight_processes_on_an_empty_cache(environment: dict[str, str]) -> None:
    for process in [start(environment, 3) for _ in range(8)]:
        assert results(process)[0] == expected(3)
    assert temporary(environment) == []
    assert results(start(environment, 3)) == (expected(3), {"disk"})


def test_processes_that_are_killed_while_they_build(environment: dict[str, str]) -> None:
    rng = random.Random(40)
    for _ in range(6):
        process = start(environment, 40)
        assert process.stdout is not None
        process.stdout.readline()  # it builds
        time.sleep(rng.random() * 0.1)
        process.kill()
        process.communicate()
    values, _ = results(start(environment, 40))
    assert values == expected(40)
    assert results(start(environment, 40)) == (expected(40), {"disk"})


def test_a_header_that_changes(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "include"
    folder.mkdir()
    flags = ("-DHEADER", f"-I{folder}")
    for times in (2, 3, 2):
        (folder / "times.h").write_text(f"#define TIMES {times}\n")
        assert results(start(environment, 2, *flags))[0] == expected(2, times)
    assert results(start(environment, 2, *flags)) == (expected(2, 2), {"disk"})


def test_a_compiler_that_is_replaced_in_place(environment: dict[str, str], tmp_path: Path) -> None:
    real = require("riscv64-unknown-elf-gcc")
    wrapper = tmp_path / "riscv64-unknown-elf-gcc"
    environment["P4KERNEL_CC"] = str(wrapper)
    for times in (5, 6):
        new = tmp_path / "new"
        new.write_text(f'#!/bin/sh\nexec "{real}" -DTIMES={times} "$@"\n')
        new.chmod(0o755)
        new.replace(wrapper)  # as an installer does it
        assert results(start(environment, 2)) == (expected(2, times), {"built"})
        assert results(start(environment, 2)) == (expected(2, times), {"disk"})


def test_a_write_that_stops_half_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource: Any = pytest.importorskip("resource")
    monkeypatch.setenv("P4KERNEL_CACHE_DIR", str(tmp_path / "cache"))
    key = "0123456789abcdef" * 4
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limit[1]))
    try:
        with pytest.warns(RuntimeWarning, match="cannot be written"):
            cache.put_blob(key, bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert cache.get_blob(key) is None
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
    cache.put_blob(key, bytes(20_000))
    assert cache.get_blob(key) == bytes(20_000)


@needs(hasattr(signal, "setitimer"), "needs interval timers")
def test_ctrl_c_while_a_kernel_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4KERNEL_CACHE_DIR", str(tmp_path / "cache"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    rng = random.Random(41)
    hits = 0
    with p4.connect("sim?psram=4M") as board:
        for i in range(25):

            @p4.kernel(flags=[f"-DNUMBER={i}"])
            def built() -> p4.i32:
                p4.c("return NUMBER;")

            try:
                with alarm(rng.random() * 0.1):
                    assert built() == i
            except KeyboardInterrupt:
                hits += 1
            assert built() == i
        board.close()
    assert hits > 3
    # An interrupt between the making of a folder and the first line that knows of it is rare, but possible.
    assert len(list(scratch.iterdir())) <= 1 and list((tmp_path / "cache").rglob("*.tmp")) == []
