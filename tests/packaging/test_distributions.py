"""What the sdist and the wheel contain, and that an installed wheel works by itself."""

from __future__ import annotations

import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, run

PROGRAM = """
import numpy as np, p4kernel as p4, p4kernel._native as native
from pathlib import Path
from p4kernel import _resources
home = Path(p4.__file__).parent
assert home.parent == Path({target!r}), home
assert Path(native.__file__).parent == home
assert _resources.stubs() == home / "_stubs" and _resources.firmware() == home / "_firmware"

exec(compile('''
@p4.kernel
def total(x: p4.In[np.float64], n: p4.i32 = p4.size("x")) -> p4.f64:
    p4.c("double s = 0; for (int i = 0; i < n; ++i) s += x[i]; return s;")
''', "program.py", "exec"))
print(total(np.arange(10.0)))
"""


def test_the_sdist_has_all_sources(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    tracked = (
        "p4kernel/**/*.py",
        "p4kernel/sim/csrc/*",
        "p4kernel/py.typed",
        "firmware/**/*.[ch]",
        "stubs/**/*.*",
        "examples/*.py",
    )
    wanted = {
        p.relative_to(ROOT).as_posix()
        for pattern in tracked
        for p in ROOT.glob(pattern)
        if "__pycache__" not in p.parts
    }
    assert len(wanted) > 100
    assert wanted | {"pyproject.toml", "LICENSE", "README.md"} <= names
    assert not [n for n in names if n.endswith((".so", ".pyc", ".o"))]


def test_the_wheel_has_what_is_needed_at_run_time_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    stubs = {
        "p4kernel/_stubs/" + p.relative_to(ROOT / "stubs").as_posix()
        for p in (ROOT / "stubs").rglob("*")
        if p.is_file()
    }
    core = {"p4kernel/_firmware/core/" + p.name for p in (ROOT / "firmware" / "core").glob("*.[ch]")}
    guides = {p.relative_to(ROOT).as_posix() for p in (ROOT / "p4kernel").rglob("*.md")}
    assert len(guides) >= 4 and guides <= names
    assert stubs | core | {"p4kernel/py.typed", "p4kernel/_native.pyi", "p4kernel/sim/__init__.py"} <= names
    assert [n for n in names if n.startswith("p4kernel/_native") and n.endswith(".so")]
    assert not [n for n in names if "_packaging" in n or "csrc" in n or n.startswith(("tests", "stubs", "firmware"))]


def test_one_wheel_is_for_all_newer_pythons(wheel: Path) -> None:
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("a free-threaded Python has no stable ABI")
    assert "-cp311-abi3-" in wheel.name


def test_an_installed_wheel_runs_a_kernel(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    done = run("-m", "pip", "install", "--no-deps", "--target", str(target), str(wheel), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    done = run("-c", PROGRAM.format(target=str(target)), folder=tmp_path, PYTHONPATH=str(target))
    assert done.stdout.strip() == "45.0", done.stderr
