"""From a line and column of the C text to the Python file in which the text stands as a literal."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from p4kernel.signature import parsing
from p4kernel.signature.bodies import Body, Position

# What the compiler sees instead of paths: they are part of the text, so they may not change with the Python file.
BODY = "kernel"
PREAMBLE = "preamble"


@dataclass(frozen=True, slots=True)
class Literal:
    """A text that stands in a Python file line by line as the compiler gets it."""

    file: str
    line: int  # of its first character
    column: int  # of its first character, in bytes, from 0


@dataclass(frozen=True, slots=True)
class LineMap:
    """Maps the compiler's places to the Python file."""

    position: Position
    body: Literal | None
    preamble: Literal | None

    def map(self, file: str, line: int, column: int) -> tuple[str, int, int, str]:
        """File, line, column (from 1, in characters) and a remark for texts that stand in no file line by line."""
        if Path(file).is_absolute():  # a file of the user's: a header, or one of p4.files
            return file, line, _characters(Literal(file, 1, 0), line, column), ""
        stem = file.rsplit("/", 1)[-1].rsplit(".", 1)[0].strip("<>")
        literal = {BODY: self.body, PREAMBLE: self.preamble}.get(stem)
        if literal is not None:
            column_in_file = column + literal.column if line == 1 else column
            return literal.file, literal.line + line - 1, _characters(literal, line, column_in_file), ""
        place = self.position
        remark = (
            f" (line {line} of the {'text' if stem == BODY else stem})" if stem in (BODY, PREAMBLE) else f" ({file})"
        )
        return place.file, place.line, (place.column or 0) + 1, remark


def _characters(literal: Literal, line: int, column: int) -> int:
    text = linecache.getline(literal.file, literal.line + line - 1)
    return len(text.encode()[: max(column - 1, 0)].decode(errors="replace")) + 1


def line_map(body: Body) -> LineMap:
    """Finds the literals of a body in its Python file; a text that is computed has none."""
    call = _find_call(body.position)
    if call is None:
        return LineMap(body.position, None, None)
    source = "".join(linecache.getlines(body.position.file))
    text = _keyword(call, "source") or (call.args[0] if call.args else None)
    return LineMap(
        body.position,
        _literal(body.position.file, source, text, body.text),
        _literal(body.position.file, source, _keyword(call, "preamble"), body.preamble),
    )


def _find_call(position: Position) -> ast.Call | None:
    lines = linecache.getlines(position.file)
    if not lines or position.column is None:
        return None
    try:
        tree = parsing.module("".join(lines))
    except (SyntaxError, ValueError):  # the file on disk is no longer the one that runs
        return None
    for node in _at(tree, position):
        if isinstance(node, ast.Call) and (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset) == (
            position.line,
            position.column,
            position.end_line,
            position.end_column,
        ):
            return node
    return None


def _at(tree: ast.AST, position: Position) -> Iterator[ast.AST]:
    """The nodes that hold the position, outer ones first."""
    for node in ast.iter_child_nodes(tree):
        first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
        if first is None or last is None or first <= position.line <= last:
            yield node
            yield from _at(node, position)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def _literal(file: str, source: str, node: ast.expr | None, text: str) -> Literal | None:
    if not (isinstance(node, ast.Constant) and node.value == text):
        return None
    segment = ast.get_source_segment(source, node)
    if segment is None:
        return None
    quotes = next((q for q in ('"""', "'''", '"', "'") if segment.endswith(q)), "")
    start = segment.find(quotes) + len(quotes)
    # Escapes and joined literals make lines or columns of their own: then there is no line-by-line map.
    if segment[start : len(segment) - len(quotes)] != text:
        return None
    return Literal(file, node.lineno, node.col_offset + len(segment[:start].encode()))
