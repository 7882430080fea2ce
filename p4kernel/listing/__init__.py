"""Machine code as text: of a kernel, or of any ELF file for the ESP32-P4."""

from __future__ import annotations

import linecache
from pathlib import Path
from typing import TYPE_CHECKING

from p4kernel import generations
from p4kernel.errors import Error
from p4kernel.listing.lines import LineTable, Place, line_table
from p4kernel.listing.program import Program
from p4kernel.listing.render import render
from p4kernel.pie import generation_of
from p4kernel.signature.lines import LineMap

if TYPE_CHECKING:
    from p4kernel.build import Built

__all__ = ["LineTable", "Place", "line_table", "of_file", "of_kernel", "where"]


def of_kernel(built: Built, lines: LineMap | None, generation: int) -> str:
    """Listing of a kernel, with lines of its Python file where ``lines`` maps them. Addresses are offsets in the image.

    ``generation`` is that of the PIE instructions in code that does not say which it has.
    """
    program = Program(built.elf, "this kernel")
    text = "\n".join(
        render(
            program,
            built.image.generation or generation,
            line_table(built) if lines is not None else LineTable({}),
            lambda place: "{}:{}{}  {}".format(*where(lines, place)).rstrip() if lines is not None else "",
            origin=built.image.link_base,
        )
    )
    return text.lstrip("\n") + "\n"


def of_file(path: Path, revision: float | None = None, function: str | None = None, source: bool = True) -> str:
    """Listing of an executable or object file, with the lines of its source where they can be found.

    ``revision`` is the chip's; None: as the file's mark of PIE code says, else 1. Raises Error for a file that is no code
    for the ESP32-P4, and for a function that it does not have.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Error(f"{path}: {error.strerror or error}") from error
    program = Program(data, str(path))
    marks = sorted(program.generations)
    if revision is None and len(marks) > 1:
        raise Error(
            f"{path} has PIE instructions of {' and of '.join(generations.NAMES[mark] for mark in marks)}: say with "
            "--revision as which chip's they shall be read"
        )
    generation = generation_of(revision) if revision is not None else marks[0] if marks else 1
    if function is not None:
        program.check_function(function)
    how = "as asked for" if revision is not None else "as the file says" if marks else "which it does not say"
    head = [f"{path}: {program.kind}, PIE as {generations.NAMES[generation]} ({generations.CHIPS[generation]}), {how}"]
    if not program.named:
        head.append("It was stripped of its symbols: there are no names of functions.")
    table = program.line_table() if source else LineTable({})
    return "\n".join((*head, *render(program, generation, table, _source_line, function=function))) + "\n"


def _source_line(place: Place) -> str:
    text = linecache.getline(place.file, place.line).strip()
    return f"{place.file}:{place.line}  {text}".rstrip()


def where(lines: LineMap, place: Place) -> tuple[str, int, str, str]:
    """File, line, remark and text of a place in a kernel's units, as its author knows them."""
    if Path(place.file).is_absolute():  # a header of the author's
        return place.file, place.line, "", linecache.getline(place.file, place.line).strip()
    file, line, _, remark = lines.map(place.file, place.line, 1)
    return file, line, remark, "" if remark else linecache.getline(file, line).strip()
