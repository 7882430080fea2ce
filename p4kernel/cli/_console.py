"""Where commands print: with colours on a terminal, plain text elsewhere and under NO_COLOR."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "error", "mark", "note", "size"]


def console(stderr: bool = False) -> Console:
    """For text that is printed as it is: no markup, and lines are not cut or wrapped."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def error(message: str) -> None:
    """What went wrong, on stderr."""
    from rich.text import Text

    console(stderr=True).print(Text.assemble(("error: ", "bold red"), message))


def note(message: str) -> None:
    """News while a command runs, on stderr."""
    console(stderr=True).print(message)


def mark(good: bool | None) -> tuple[str, str]:
    """The mark of a line, ok, -- (not there, not needed) or !! (a problem), with its style, for Text.assemble."""
    match good:
        case True:
            return "  ok  ", "bold green"
        case False:
            return "  !!  ", "bold red"
    return "  --  ", "dim"


def size(count: int) -> str:
    """Bytes, for people."""
    if count < 1 << 10:
        return f"{count} bytes"
    unit, name = (1 << 20, "MB") if count >= 1 << 20 else (1 << 10, "KB")
    return f"{count / unit:.1f}".removesuffix(".0") + f" {name}"
