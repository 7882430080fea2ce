"""The command ``p4kernel``."""

from __future__ import annotations

import importlib
from typing import Any

import click

from p4kernel.cli._console import error

__all__ = ["main"]

# Each is cli/<module>.py with a function <name>. They are imported when they are used: `p4kernel --help` stays quick.
_COMMANDS = {
    "demo": "demo", "doctor": "doctor", "ports": "ports", "serve": "serve", "cache": "cache", "pie": "pie", "objdump": "objdump",
    "stubs": "stubs",
}  # fmt: skip
_INTERRUPTED = 130  # what shells report of a program that Ctrl-C ended


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"p4kernel.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        from p4kernel.errors import Error

        try:
            return super().invoke(ctx)
        except Error as problem:
            error(str(problem))
            ctx.exit(1)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from p4kernel import __version__

        click.echo(f"p4kernel {__version__}")
        ctx.exit()


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nStart here:\n  p4kernel doctor    is everything here that is needed?\n  p4kernel demo      what it can do",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Write C in a typed Python stub, call it, and it runs on an ESP32-P4, real or virtual.

    \b
    In Python:
      import p4kernel as p4
      board = p4.connect("/dev/ttyACM0")         # or "sim": the virtual board
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
