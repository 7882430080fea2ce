"""The choice of the C compiler, and what a user is told when there is none."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.packaging.conftest import ROOT, run
from tests.tools import require

HOOKS = "import sys; sys.path.insert(0, 'p4kernel/_packaging'); import backend, compiler;"


@pytest.fixture
def compiler() -> ModuleType:
    spec = importlib.util.spec_from_file_location("p4kernel_compiler", ROOT / "p4kernel" / "_packaging" / "compiler.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


def test_the_machines_compiler_is_found(compiler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    require("cc")
    monkeypatch.delenv("CC", raising=False)
    found = compiler.installed()
    assert found is not None
    assert not found.is_zig


def test_cc_is_taken_as_it_is(compiler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "some-cc -m64")
    found = compiler.installed()
    assert (found.command, found.default) == (("some-cc", "-m64"), True)


def test_zig_cc_is_told_what_other_compilers_do_by_themselves(
    compiler: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "/opt/zig/zig cc")
    monkeypatch.setenv("CFLAGS", "-DA='b c'")
    found = compiler.installed()
    assert found.is_zig
    assert not found.default
    assert {"-mcpu=baseline", "-fno-sanitize=undefined", "-fPIC", "-DA=b c"} <= set(found.compile_command())


def test_ziglang_is_found_where_it_is_installed(compiler: ModuleType) -> None:
    found = compiler.zig()
    assert found is not None
    assert Path(found.command[0]).is_file()
    assert found.is_zig


def test_a_compiler_that_cannot_link_is_no_compiler(compiler: ModuleType, tmp_path: Path) -> None:
    broken = tmp_path / "broken-cc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert not compiler.Compiler((str(broken),), default=False).works()
    assert not compiler.Compiler((str(tmp_path / "absent"),), default=False).works()


def test_without_a_compiler_the_build_asks_for_zig(tree: Path, tmp_path: Path) -> None:
    """PATH is an empty folder."""
    ask = HOOKS + "print(*backend.get_requires_for_build_wheel(), *backend.get_requires_for_build_editable())"
    done = run("-c", ask, folder=tree, PATH=str(tmp_path), CC="")
    assert done.stdout.splitlines()[-1].split().count("ziglang>=0.13") == 2, done.stderr


def test_with_a_compiler_it_does_not(tree: Path) -> None:
    require("cc")
    done = run("-c", HOOKS + "print(*backend.get_requires_for_build_wheel(), 'end')", folder=tree)
    assert "ziglang" not in done.stdout.splitlines()[-1], done.stderr


@pytest.mark.parametrize(("missing", "told"), [
    ("compiler.installed = compiler.zig = lambda: None", "There is no C compiler."),
    ("compiler.has_python_headers = lambda: False", "Python.h is not in"),
    ("compiler.installed = lambda: compiler.Compiler((sys.executable, '-c', 'raise SystemExit(1)'), False)", "could not build"),
])  # fmt: skip
def test_what_is_missing_is_named_with_the_way_to_get_it(tree: Path, tmp_path: Path, missing: str, told: str) -> None:
    done = run("-c", f"{HOOKS} {missing}; backend.build_wheel({str(tmp_path)!r})", folder=tree)
    assert done.returncode
    for text in (told, "apt install gcc libc6-dev python3-dev", "xcode-select --install", "pip install ziglang"):
        assert text in done.stdout + done.stderr
