"""``p4kernel stubs``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE.py...", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", default="p4_stubs", show_default=True, metavar="DIR", type=click.Path(path_type=Path),
    help="Where to write; replaced if it was written by this command before.",
)  # fmt: skip
def stubs(files: tuple[Path, ...], output: Path) -> None:
    """Write the C of kernels to files, for editors.

    Runs each Python file as an import would, and writes the text of its kernels with a compile_commands.json, so that
    clangd completes and checks it. Lines are marked as those of the Python file.

    \b
    Examples:
      p4kernel stubs filters.py
      clangd --compile-commands-dir=p4_stubs
    """
    from p4kernel.editor import kernels_of, write
    from p4kernel.errors import Error

    kernels = []
    for file in files:
        found = kernels_of(file)
        if not found:
            raise Error(f"{file} declares no kernels where it is imported")
        kernels += found
    written = write(kernels, output.absolute())
    for source in written.sources:
        click.echo(source)
    click.echo(f"{written.database}: {len(written.sources)} files of {len(kernels)} kernels")
