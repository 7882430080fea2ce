"""``p4kernel objdump``."""

from __future__ import annotations

import click


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--function", metavar="NAME", help="List this function only.")
@click.option(
    "--revision",
    type=click.FloatRange(min=0),
    metavar="N",
    help="Revision of the chip, which decides how PIE's words are read. Default: what the file says, else 1.",
)
@click.option("--source/--no-source", default=True, help="Whether lines of the source stand in between.")
def objdump(file: str, function: str | None, revision: float | None, source: bool) -> None:
    """List the code of an ELF file (.elf, .o): RISC-V, PIE and hardware loops.

    Lines of C or assembly stand in between when the file has debug information and they are found where it was
    compiled. Addresses of jumps and loops are written out.

    \b
    Examples:
      p4kernel objdump build/app.elf --function dot_product
      p4kernel objdump kernel.o --revision 3
    """
    from pathlib import Path

    from p4kernel.listing import of_file

    click.echo(of_file(Path(file), revision, function, source), nl=False)
