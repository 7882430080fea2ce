"""mypy --strict and pyright, each run once over all programs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ACCEPTED = sorted(p.stem for p in (HERE / "accepted").glob("[a-z]*.py"))
REFUSED = sorted(p.stem for p in (HERE / "refused").glob("*.txt"))  # no .py: the checkers of this tree would meet them

Errors = dict[str, dict[int, str]]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("typing")
    for name in ACCEPTED:
        shutil.copy(HERE / "accepted" / f"{name}.py", folder / f"accepted_{name}.py")
    for name in REFUSED:
        shutil.copy(HERE / "refused" / f"{name}.txt", folder / f"refused_{name}.py")
    return folder


@pytest.fixture(scope="module")
def mypy(programs: Path) -> Errors:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--config-file=", "--no-incremental", "."]
    done = subprocess.run(command, cwd=programs, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    errors: Errors = {}
    for file, line, text in re.findall(r"^(\w+)\.py:(\d+): error: (.*)$", done.stdout, re.MULTILINE):
        errors.setdefault(file, {}).setdefault(int(line), text)
    return errors


@pytest.fixture(scope="module")
def pyright(programs: Path) -> Errors:
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "."]
    done = subprocess.run(command, cwd=programs, capture_output=True, text=True)
    errors: Errors = {}
    for found in json.loads(done.stdout)["generalDiagnostics"]:
        if found["severity"] == "error":
            line = found["range"]["start"]["line"] + 1
            errors.setdefault(Path(found["file"]).stem, {}).setdefault(line, found["message"])
    return errors


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str, checker: str, request: pytest.FixtureRequest) -> None:
    errors: Errors = request.getfixturevalue(checker)
    assert f"accepted_{name}" not in errors, errors[f"accepted_{name}"]


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
@pytest.mark.parametrize("name", REFUSED)
def test_refused_at_the_marked_lines(name: str, checker: str, request: pytest.FixtureRequest) -> None:
    errors: Errors = request.getfixturevalue(checker)
    text = (HERE / "refused" / f"{name}.txt").read_text()
    marked = {i for i, line in enumerate(text.splitlines(), 1) if line.endswith("# refused")}
    found = errors.get(f"refused_{name}", {})
    assert len(marked) > 10
    assert set(found) == marked, {
        "not refused": sorted(marked - set(found)),
        "refused without a mark": {line: found[line] for line in sorted(set(found) - marked)},
    }
