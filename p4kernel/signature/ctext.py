"""C text as people and preprocessors write it, made into what pycparser reads.

Comments, attributes, assembler names, GNU spellings and bodies of functions go; lines stay where they are. Attributes
and pragmas that change a layout are kept aside for the one who computes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from p4kernel.errors import SignatureError

_TOKEN: Final = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<line>(?m:^)[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*)
    |(?P<name>[A-Za-z_]\w*)|(?P<space>\s+)|(?P<other>\d(?:[\w.]|(?<=[eEpP])[+-])*|.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT: Final = re.compile(r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|/\*.*?\*/|//[^\n]*""", re.DOTALL)
_SPELLINGS: Final = {
    "__extension__": "", "__inline": "inline", "__inline__": "inline", "__restrict": "restrict",
    "__restrict__": "restrict", "__const": "const", "__volatile": "volatile", "__volatile__": "volatile",
    "__signed": "signed", "__signed__": "signed", "__alignof__": "_Alignof", "__complex__": "_Complex",
}  # fmt: skip
_LAYOUT: Final = re.compile(
    r"\b_*(packed|aligned|mode|vector_size|ms_struct|scalar_storage_order|transparent_union)_*\b"
)


@dataclass(slots=True)
class Cleaned:
    """Text for pycparser, and what was taken out of it."""

    text: str
    attributes: dict[int, list[str]] = field(default_factory=dict)
    """Of structs and unions, by the order of their opening braces in the text."""
    refused: dict[tuple[str, int], str] = field(default_factory=dict)
    """Layout attributes that stand on a declaration: (file, line) -> attribute."""
    macros: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """Object-like macros: name -> (text, file, line)."""


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    line: int
    file: str


def clean(text: str, name: str, *, preprocessed: bool) -> Cleaned:
    """``name`` is that of the text in errors. Raises SignatureError."""
    tokens = _tokens(text, name)
    result = Cleaned("")
    out: list[str] = []
    braces: list[int | None] = []  # open ones: the number of the struct, or None
    structs = 0
    pending: list[str] | None = None  # attributes between `struct` and its brace
    closed: int | None = None
    previous = ""  # the last token that stays
    i = 0
    while i < len(tokens):
        token = tokens[i]
        i += 1
        if token.kind == "comment":
            out.append("\n" * token.text.count("\n") or " ")
        elif token.kind == "space" or token.kind == "text":
            out.append(token.text)
            if token.kind == "text":
                previous = token.text
        elif token.kind == "line":
            out.append(_directive(token, result, preprocessed))
        elif token.text in ("__attribute__", "__attribute", "__asm__", "__asm", "asm"):
            i, inner, newlines = _parenthesis(tokens, i)
            out.append("\n" * newlines or " ")
            if token.text.startswith("__attribute"):
                if previous in ("struct", "union"):
                    pending = [*(pending or []), inner]
                elif previous == "}" and closed is not None:
                    result.attributes.setdefault(closed, []).append(inner)
                elif _LAYOUT.search(inner):
                    result.refused[token.file, token.line] = inner
        elif token.text == "{" and not braces and previous == ")":  # the body of a function
            depth, newlines = 1, 0
            while depth and i < len(tokens):
                depth += {"{": 1, "}": -1}.get(tokens[i].text, 0)
                newlines += tokens[i].text.count("\n")
                i += 1
            out.append(";" + "\n" * newlines)
            previous = ";"
        else:
            word = _SPELLINGS.get(token.text, token.text) if token.kind == "name" else token.text
            out.append(word)
            if word == "{":
                before = re.search(r"\b(struct|union)\b(\s+\w+)?\s*$", "".join(out[-8:-1]))
                braces.append(structs if before else None)
                if before:
                    if pending:
                        result.attributes[structs] = pending
                    structs += 1
                pending = None
            elif word == "}":
                closed = braces.pop() if braces else None
            elif word == ";":
                pending = None
            previous = word or previous
    result.text = "".join(out)
    return result


def _tokens(text: str, name: str) -> list[_Token]:
    tokens: list[_Token] = []
    file, line = name, 1
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup or "other", match[0]
        tokens.append(_Token(kind, found, line, file))
        marker = re.match(r'\s*#\s*(?:line\s+)?(\d+)(?:\s+"((?:\\.|[^"\\])*)")?', found) if kind == "line" else None
        if marker:
            line, file = int(marker[1]) - 1, marker[2] if marker[2] is not None else file
        else:
            line += found.count("\n")
    return tokens


def _parenthesis(tokens: list[_Token], i: int) -> tuple[int, str, int]:
    """The text in parentheses that begins at or after token i: (the token behind it, text, newlines in it)."""
    depth, parts, newlines = 0, [], 0
    while i < len(tokens):
        token = tokens[i]
        newlines += token.text.count("\n")
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
        elif not depth and token.kind == "name" and token.text not in ("volatile", "__volatile__"):
            return i, "", newlines
        parts.append(token.text)
        i += 1
        if not depth and token.text == ")":
            break
    return i, "".join(parts), newlines


def _directive(token: _Token, result: Cleaned, preprocessed: bool) -> str:
    text = _COMMENT.sub(lambda m: m["text"] or " ", token.text.strip().replace("\\\n", " "))
    keep = "\n" * token.text.count("\n")
    if re.match(r"#\s*(line\s+)?\d", text) or re.match(r"#\s*pragma\s+pack\b", text):
        return token.text
    if macro := re.match(r"#\s*define\s+(\w+)(\(?)\s*(.*)", text):
        if not macro[2] and macro[3].strip():
            result.macros[macro[1]] = (macro[3].strip(), token.file, token.line)
        return keep
    if preprocessed or re.match(r"#\s*(pragma|undef)\b", text) or text == "#":
        return keep
    raise SignatureError(f"{token.file}:{token.line}: {text!r} needs a preprocessor; p4.header(...) takes such text")
