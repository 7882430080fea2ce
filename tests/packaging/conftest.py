"""A copy of the source tree, and what is built from it, once for all tests of this folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("p4kernel", "stubs", "firmware", "examples", "pyproject.toml", "README.md", "LICENSE")


def run(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A Python program in a folder, without the tests' import path; output is kept, and shown when it fails."""
    names = ("PATH", "HOME", "TMPDIR", "CC", "CFLAGS", "LDFLAGS")
    environment = {n: os.environ[n] for n in names if n in os.environ} | variables
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sources alone: nothing that a build has left."""
    folder = tmp_path_factory.mktemp("tree")
    ignored = shutil.ignore_patterns("*.so", "__pycache__", "*.o")
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    return folder


@pytest.fixture(scope="session")
def sdist(tree: Path) -> Path:
    done = run("-m", "build", "--no-isolation", "--sdist", ".", folder=tree)
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = (tree / "dist").glob("*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist, so that what that lacks is noticed."""
    folder = tmp_path_factory.mktemp("wheel")
    done = run("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", ".", str(sdist), folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = folder.glob("*.whl")
    return archive
