"""The tree as the checkers see it: ruff, mypy --strict and pyright find nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_MODULES = {
    "ruff": ["ruff", "check", "--no-cache"],
    "mypy": ["mypy"],
    "pyright": ["pyright", "--pythonpath", sys.executable],
}


@pytest.mark.parametrize("checker", _MODULES)
def test_checker_finds_nothing(checker: str) -> None:
    done = subprocess.run([sys.executable, "-m", *_MODULES[checker]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-8000:]}{done.stderr[-2000:]}"


def test_files_are_of_a_size_that_is_read_in_one_sitting() -> None:
    files = [f for kind in ("*.py", "*.c", "*.h") for f in ROOT.rglob(kind) if ".venv" not in f.parts]
    sources = [
        f for f in files if f.relative_to(ROOT).parts[0] in ("p4kernel", "firmware", "stubs", "examples", "tests")
    ]
    assert len(sources) > 100
    # _native.c is made by the build and in no commit.
    long = {
        f.relative_to(ROOT).as_posix(): n
        for f in sources
        if f.name != "_native.c" and (n := len(f.read_text().splitlines())) > 500
    }
    # Generated from protocol.yaml and isa.yaml: a row for each instruction, a class for each payload. They are
    # looked up, not read; who reads has the YAML files. In parts, each start of a program would open more files.
    assert set(long) <= {"p4kernel/pie/_tables.py", "p4kernel/wire/_tables.py"}, long


def test_the_top_level_is_what_the_design_says() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")  # the sdist has the tests, too
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    top = {line.split("/", 1)[0] for line in done.stdout.splitlines()}
    assert top <= {
        "p4kernel", "firmware", "stubs", "examples", "tests", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE",
        ".gitignore", ".ci",
    }  # fmt: skip


def test_the_changelog_names_the_version_or_unreleased() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## \[(Unreleased|\d+\.\d+\.\d+)\]", text, re.MULTILINE)
