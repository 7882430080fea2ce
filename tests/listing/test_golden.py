"""Listings, to the letter. P4KERNEL_TEST_GOLDEN=write writes the files anew, to be looked at and committed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from p4kernel.build import Toolchain
from p4kernel.listing import of_file
from tests.listing.make import GOLDEN, ROOT, assemble, link


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # from where the paths of the sources lead


def check(text: str, file: Path, name: str) -> None:
    text = text.replace(str(file), file.name)
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("P4KERNEL_TEST_GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("generation", [1, 2])
def test_object_file(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    file = assemble(chain, tmp_path, generation)
    check(of_file(file), file, f"object.{generation}")


def test_object_file_that_the_linker_may_relax(gcc: Toolchain, tmp_path: Path) -> None:
    """Distances are relocations, then: of jumps, and in the line table."""
    file = assemble(gcc, tmp_path, 1, "-mrelax")
    check(of_file(file), file, "object.1")


@pytest.mark.parametrize("flags", [(), ("-q",)], ids=["", "relocations kept"])
def test_executable(flags: tuple[str, ...], chain: Toolchain, tmp_path: Path) -> None:
    file = link(chain, tmp_path, assemble(chain, tmp_path, 1), flags=flags)
    check(of_file(file), file, "executable")


def test_stripped(chain: Toolchain, tmp_path: Path) -> None:
    file = link(chain, tmp_path, assemble(chain, tmp_path, 2), flags=("-s",))
    check(of_file(file, revision=3.1), file, "stripped")


def test_one_function(chain: Toolchain, tmp_path: Path) -> None:
    file = assemble(chain, tmp_path, 1)
    check(of_file(file, function="twice", source=False), file, "function")
