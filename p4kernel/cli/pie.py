"""``p4kernel pie``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from p4kernel.cli._pie_text import Line
    from p4kernel.pie import Instruction

_HINT = "`p4kernel pie --search TEXT` finds instructions by what they do"


@click.command()
@click.argument("what", nargs=-1)
@click.option("--search", "wanted", metavar="TEXT", help='Find instructions by what they do: "saturating add 16".')
@click.option(
    "--revision",
    type=click.FloatRange(min=0),
    metavar="N",
    help="Words of chips of this revision only, such as 1 or 3.",
)
@click.option("--guide", is_flag=True, help="Print the guide that teaches PIE from zero.")
@click.option("--json", "as_json", is_flag=True, help="Print instructions as JSON.")
def pie(what: tuple[str, ...], wanted: str | None, revision: float | None, guide: bool, as_json: bool) -> None:
    """Explain, find, encode and decode instructions of PIE, the chip's SIMD unit.

    WHAT is an instruction's name (esp. may be left out), the name of an intrinsic, a group, a word to decode, or a whole
    instruction to encode. Without it: what there is.

    \b
    Examples:
      p4kernel pie esp.vmulas.s8.xacc.ld.ip
      p4kernel pie --search "saturating add 16"
      p4kernel pie "esp.vld.128.ip q0, a0, 16"
      p4kernel pie 0x0201223b --revision 1
    """
    if sum((bool(what), wanted is not None, guide)) > 1:
        raise click.UsageError("give one of WHAT, --search and --guide")
    from p4kernel.cli import _pie_text

    text = " ".join(what).strip()
    is_word = bool(re.fullmatch(r"0x[0-9a-f]+", text, re.IGNORECASE))
    if as_json and (guide or is_word or " " in text or not (text or wanted)):
        raise click.UsageError("--json goes with the name of an instruction or a group, and with --search")
    if guide:
        _guide()
    elif wanted is not None:
        _list(_search(wanted), as_json)
    elif not text:
        _show(_pie_text.overview())
    elif is_word:
        _decode(text, revision)
    elif " " in text:
        _encode(text, revision)
    else:
        _named(text, revision, as_json)


def _show(lines: Iterable[Line]) -> None:
    from p4kernel.cli._console import console

    target = console()
    for line in list(lines):  # all or nothing: an error comes before the first line
        target.print(line.text, style=line.style or None)


def _list(hits: Sequence[Instruction], as_json: bool) -> None:
    from p4kernel.cli import _pie_text

    if as_json:
        import json

        click.echo(json.dumps([_pie_text.as_json(hit) for hit in hits], indent=2))
    else:
        _show(_pie_text.found(hits))


def _search(wanted: str) -> Sequence[Instruction]:
    from p4kernel.errors import Error
    from p4kernel.pie import search

    hits = search(wanted)
    if not hits:
        raise Error(f"nothing fits all words of {wanted!r}; use fewer, or see the groups with `p4kernel pie`")
    return hits


def _decode(text: str, revision: float | None) -> None:
    from p4kernel.cli import _pie_text
    from p4kernel.errors import Error

    word = int(text, 16)
    if word >> 32:
        raise Error(f"{text} has more than the 32 bits of an instruction")
    _show(_pie_text.decoded(word, revision))


def _encode(text: str, revision: float | None) -> None:
    from p4kernel.cli import _pie_text
    from p4kernel.pie import PieError, find

    try:
        name = find(text.split()[0]).mnemonic
    except PieError as error:
        raise PieError(f"{error}; {_HINT}") from None
    _show(_pie_text.encoded(f"{name} {text.split(None, 1)[1]}", revision))


def _named(text: str, revision: float | None, as_json: bool) -> None:
    """Explains an instruction; lists a group, those whose names begin so, or those that do what a word says."""
    from p4kernel.cli import _pie_text
    from p4kernel.pie import PieError, find, instructions, search

    members = [each for each in instructions() if each.group == text]
    if members and as_json:
        _list(members, as_json)
    elif members:
        _show(_pie_text.group(text))
    if members:
        return
    name = _mnemonic(text).lower().removeprefix("esp.")
    try:
        instruction = find(name)
    except PieError as error:
        hits = [each for each in instructions() if each.mnemonic.startswith(f"esp.{name}.")]
        hits = hits or ([] if "." in name else list(search(name)))
        if not hits:
            raise PieError(f"{error}; {_HINT}") from None
        _list(hits, as_json)
        return
    if as_json:
        _list([instruction], as_json)
    else:
        _show(_pie_text.explanation(instruction, revision))


def _mnemonic(text: str) -> str:
    """An intrinsic's name as that of its instruction."""
    if text.startswith("p4_"):
        from p4kernel.pie import describe, instructions

        for instruction in instructions():
            c = describe.intrinsic(instruction)
            if c is not None and c.name == text:
                return instruction.mnemonic
    return text


def _guide() -> None:
    from importlib.resources import files

    from p4kernel.cli._console import console
    from p4kernel.errors import Error

    try:
        text = files("p4kernel.pie").joinpath("guide.md").read_text(encoding="utf-8")
    except OSError as error:
        raise Error(f"the guide is missing ({error.strerror}); install p4kernel again") from error
    target = console()
    if target.is_terminal:
        from rich.markdown import Markdown

        target.print(Markdown(text), soft_wrap=False)
    else:
        click.echo(text, nl=False)
