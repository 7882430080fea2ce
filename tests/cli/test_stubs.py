"""``p4kernel stubs``: what clang makes of the files that it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

PROGRAM = '''\
import numpy as np
import p4kernel as p4

class Point(p4.struct):
    x: p4.f32

@p4.kernel(defines={"D": 2})
def scale(p: p4.InOut[Point], n: p4.i32 = p4.size("p")) -> None:
    p4.c("""
        for (int i = 0; i < n; ++i)
            p[i].x *= FACTOR * D;
    """, FACTOR=3)

def make(k):
    @p4.kernel
    def made(x: p4.i32) -> p4.i32:
        p4.cpp(f"return std::max(x, {k});", preamble="#include <algorithm>")
    return made

many = [make(k) for k in (1, 2)]

@p4.kernel
def from_file(x: p4.i32) -> p4.i32:
    p4.files(["work.c", "part.S"], entry="work", N=4)

@p4.kernel
def bare(x: p4.i32) -> p4.i32:
    p4.asm("ret")
'''
ZIG = Path(sysconfig.get_path("purelib")) / "ziglang" / "zig"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "work.c").write_text("int work(int x) { return x + N; }\n")
    (tmp_path / "part.S").write_text("    .globl part\npart:\n    li a0, N\n    ret\n")
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    return file


def stubs(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "p4kernel", "stubs", *(os.fspath(word) for word in arguments)]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True)


def database(folder: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((folder / "compile_commands.json").read_text())
    return entries


def check(entry: dict[str, Any]) -> str:
    """What clang says of one entry; zig brings one."""
    words = [os.fspath(ZIG), *entry["arguments"], "-o", os.devnull, "-Werror"]
    done = subprocess.run(words, cwd=entry["directory"], capture_output=True, text=True)
    return done.stdout + done.stderr


def test_clang_understands_all_of_it(program: Path, tmp_path: Path) -> None:
    done = stubs("program.py", "-o", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    entries = database(tmp_path / "out")
    names = [os.path.relpath(entry["file"], tmp_path) for entry in entries]
    assert names == [
        "out/scale/kernel.c", "out/made/kernel.cpp", "out/made/entry.c", "out/made_2/kernel.cpp", "out/made_2/entry.c",
        "work.c", "part.S", "out/from_file/entry.c", "out/bare/kernel.S", "out/bare/entry.c",
    ]  # fmt: skip
    for entry in entries:
        assert check(entry) == "", entry["file"]
    assert "10 files of 5 kernels" in done.stdout


def test_mistakes_are_shown_in_the_python_file(program: Path, tmp_path: Path) -> None:
    program.write_text(PROGRAM.replace("p[i].x *=", "p[i].y *="))
    assert stubs("program.py", folder=tmp_path).returncode == 0
    entries = database(tmp_path / "p4_stubs")
    line = program.read_text().splitlines().index("            p[i].y *= FACTOR * D;") + 1
    assert f"{program}:{line}:18: error: no member named 'y'" in check(entries[0])


def test_written_again(program: Path, tmp_path: Path) -> None:
    assert stubs("program.py", folder=tmp_path).returncode == 0
    (tmp_path / "p4_stubs" / "old.c").write_text("")
    assert stubs("program.py", folder=tmp_path).returncode == 0
    assert not (tmp_path / "p4_stubs" / "old.c").exists()


def test_a_folder_of_the_users_is_left_alone(program: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    done = stubs("program.py", "-o", "mine", folder=tmp_path)
    assert done.returncode == 1
    assert "not from p4kernel" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1 / 0\n", "bad.py, line 1: ZeroDivisionError"),
        ("def f(:\n", "bad.py, line 1: SyntaxError"),
        ("raise SystemExit(3)\n", "ended itself"),
        ("x = 1\n", "declares no kernels"),
        (
            "import p4kernel as p4\n@p4.kernel\ndef f(x) -> None:\n    p4.c('')\n",
            "bad.py, line 2: SignatureError: f: parameter 'x'",
        ),
    ],
)
def test_programs_that_cannot_be_read(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(text)
    done = stubs("bad.py", folder=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert not (tmp_path / "p4_stubs").exists()


def test_no_such_file(tmp_path: Path) -> None:
    done = stubs("nothere.py", folder=tmp_path)
    assert done.returncode == 1
    assert "there is no such file" in done.stderr
