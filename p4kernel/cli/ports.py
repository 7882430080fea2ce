"""``p4kernel ports``."""

from __future__ import annotations

import click


@click.command()
def ports() -> None:
    """List the serial ports of this machine, USB ones first.

    \b
    Examples:
      p4kernel ports
      P4KERNEL_BOARD=/dev/ttyACM0 python my_program.py    # use one of them
    """
    from p4kernel.cli._console import note
    from p4kernel.wire.pipes import ports as found

    names = found()
    width = max((len(name) for name, _ in names), default=0)
    for name, description in names:
        click.echo(f"{name:<{width}}  {description}".removesuffix("n/a").rstrip())
    if not names:
        note(
            "No serial port is connected. Plug the board's USB port in (and on Linux be in the group dialout), or go on\n"
            "without one: kernels run on the virtual board, p4.connect('sim')."
        )
