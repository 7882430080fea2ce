"""Command lines of compilers as text: splitting them into words, on either kind of system, and response files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

__all__ = ["CommandError", "expand", "split"]

_DEEPEST: Final = 10  # response files in response files: more is a circle


class CommandError(Exception):
    """A command line that cannot be read. The message says what is wrong with it."""


def split(text: str) -> list[str]:
    """The words of a command. One that begins with a drive, or has backslashes before what is no quote, is Windows'."""
    return _split_windows(text) if _is_windows(text) else _split_posix(text)


def expand(words: Sequence[str], directory: str, depth: int = 0) -> list[str]:
    """The words with each ``@file`` replaced by what is in it, as GCC and clang do; paths are from ``directory``.

    CommandError for a file that cannot be read, and for one that includes itself.
    """
    out: list[str] = []
    for word in words:
        if not word.startswith("@") or len(word) == 1:
            out.append(word)
            continue
        path = Path(directory) / word[1:]
        if depth == _DEEPEST:
            raise CommandError(f"response file {path} is reached through {depth} others; does one include itself?")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"response file {path} cannot be read: {error}") from None
        out += expand(_split_response(text), directory, depth + 1)
    return out


def _is_windows(text: str) -> bool:
    return re.match(r'\s*"?(?:[A-Za-z]:[\\/]|\\\\)', text) is not None


def _split_posix(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise CommandError(f"the command has {error.args[0][0].lower()}{error.args[0][1:]}: {text[:100]}") from None


def _split_response(text: str) -> list[str]:
    """GCC's rules, which are the same on every system: quotes group, a backslash takes the next character as it is."""
    words = re.findall(r"""(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""", text, re.DOTALL)

    def plain(match: re.Match[str]) -> str:
        piece = match[0]
        if piece[0] in "'\"":
            piece = piece[1:-1]
        return re.sub(r"\\(.)", r"\1", piece, flags=re.DOTALL)

    return [re.sub(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\\.""", plain, word, flags=re.DOTALL) for word in words]


def _split_windows(text: str) -> list[str]:
    """The rules of CommandLineToArgvW: backslashes count only before a double quote, by twos."""
    words: list[str] = []
    word: list[str] = []
    quoted = started = False
    at = 0
    while at < len(text):
        run = re.compile(r"\\*").match(text, at)
        assert run is not None
        slashes, at = len(run[0]), run.end()
        char = text[at : at + 1]
        if char == '"':
            word.append("\\" * (slashes // 2))
            started = True
            if slashes % 2:
                word.append('"')
            elif quoted and text[at + 1 : at + 2] == '"':
                word.append('"')
                at += 1
            else:
                quoted = not quoted
        else:
            word.append("\\" * slashes)
            started = started or slashes > 0
            if char and (quoted or not char.isspace()):
                word.append(char)
                started = True
            elif char and started:
                words.append("".join(word))
                word, started = [], False
        at += 1
    if quoted:
        raise CommandError(f"the command has no closing quotation: {text[:100]}")
    return [*words, "".join(word)] if started else words
