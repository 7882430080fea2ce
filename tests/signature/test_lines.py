"""The map from C lines to Python lines."""

from __future__ import annotations

import importlib.util
import textwrap
from pathlib import Path
from typing import Any

import pytest

from p4kernel.signature import Signature, read

_HEAD = "import p4kernel as p4\n"


def load(tmp_path: Path, text: str) -> tuple[Path, Any]:
    file = tmp_path / f"stub_{abs(hash(text))}.py"
    file.write_text(_HEAD + textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return file, module


def where(signature: Signature, line: int, column: int, file: str = "kernel.c") -> tuple[int, int, str]:
    _, at, col, remark = signature.lines.map(file, line, column)
    return at, col, remark


def test_triple_quoted_literal(tmp_path: Path) -> None:
    file, module = load(
        tmp_path,
        '''
        def f() -> p4.i32:
            p4.c(r"""
                int äö = 1; int b;
                return b;
            """)
        ''',
    )
    signature = read(module.f)
    lines = file.read_text().splitlines()
    at, column, remark = where(signature, 3, lines[5].index("return b") + 1)
    assert lines[at - 1][column - 1 :].startswith("return b") and not remark
    # The compiler counts bytes; a column in the Python file counts characters.
    byte_column = lines[4].encode().index(b"int b") + 1
    at, column, _ = where(signature, 2, byte_column)
    assert lines[at - 1][column - 1 :].startswith("int b")


def test_first_line_starts_behind_the_quotes(tmp_path: Path) -> None:
    file, module = load(tmp_path, 'def f() -> p4.i32:\n    p4.c("return 1;")\n')
    at, column, _ = where(read(module.f), 1, 8)
    assert file.read_text().splitlines()[at - 1][column - 1 :] == '1;")'


def test_preamble_has_its_own_lines(tmp_path: Path) -> None:
    file, module = load(
        tmp_path,
        '''
        def f() -> p4.i32:
            p4.c("return g();", preamble="""
        static int g(void) { return 1; }
        """)
        ''',
    )
    at, _, remark = where(read(module.f), 2, 1, "preamble.c")
    assert "static int g" in file.read_text().splitlines()[at - 1] and not remark


@pytest.mark.parametrize("text", ["f'return {1};'", "'return' ' 1;'", "'return\\n1;'", "'return 1;'.strip()"])
def test_computed_text_shows_the_call_and_the_c_line(tmp_path: Path, text: str) -> None:
    file, module = load(tmp_path, f"def f() -> p4.i32:\n    p4.c({text})\n")
    at, column, remark = where(read(module.f), 1, 3)
    assert file.read_text().splitlines()[at - 1][column - 1 :].startswith("p4.c(")
    assert "line 1 of the text" in remark


def test_source_that_is_in_no_file() -> None:
    namespace: dict[str, Any] = {}
    exec(_HEAD + "def f() -> p4.i32:\n    p4.c('return 1;')\n", namespace)
    assert where(read(namespace["f"]), 1, 1)[2]


def test_file_changed_after_import(tmp_path: Path) -> None:
    file, module = load(tmp_path, "def f() -> p4.i32:\n    p4.c('return 1;')\n")
    file.write_text("(")
    assert where(read(module.f), 1, 1)[2]
