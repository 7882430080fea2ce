"""``p4kernel serve``."""

from __future__ import annotations

import click


@click.command()
@click.option("--tcp", metavar="HOST:PORT", help="Where to listen; port 0 picks a free one. Default: 127.0.0.1:4404.")
@click.option("--pty", is_flag=True, help="Serve a pseudo-terminal, which opens as a serial port, instead of TCP.")
@click.option("--allow-remote", is_flag=True, help="Listen on an address that other machines can reach.")
@click.option("--psram", metavar="SIZE", help="PSRAM, such as 64M.")
@click.option("--sram", metavar="SIZE", help="Internal memory, such as 768K.")
@click.option("--revision", metavar="N.M", help="Revision of the chip, such as 1.0 or 3.1.")
def serve(tcp: str | None, pty: bool, allow_remote: bool, **options: str | None) -> None:
    """Serve a virtual board to other programs, until Ctrl-C.

    One program at a time: a second one is told that the board is taken. When it goes, what it had allocated on the
    board is freed; kernels that it loaded stay. The first line of output says what to connect to.

    \b
    Examples:
      p4kernel serve                            # then p4.connect("tcp://127.0.0.1:4404")
      p4kernel serve --tcp 127.0.0.1:0          # a free port, which is printed
      p4kernel serve --pty --psram 64M          # then p4.connect("/dev/pts/3"), as printed
    """
    import signal
    import sys

    from p4kernel.cli._console import note
    from p4kernel.serve import Pty, Server, TcpListener
    from p4kernel.sim import VirtualBoard
    from p4kernel.urls import sim_options

    if pty and tcp:
        raise click.UsageError("--tcp and --pty exclude each other")
    if pty and allow_remote:
        raise click.UsageError("--allow-remote is about --tcp")
    query = "&".join(f"{name}={value}" for name, value in options.items() if value is not None)
    wanted = sim_options(f"sim?{query}")
    door = Pty() if pty else TcpListener(*_address(tcp or "127.0.0.1:4404"), allow_remote=allow_remote)
    board = VirtualBoard(psram=wanted.psram, sram=wanted.sram, tcm=wanted.tcm, revision=wanted.revision)
    server = Server(board, door, note)
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: server.stop())
        click.echo(f"serving a virtual ESP32-P4 at {door.url}")
        sys.stdout.flush()
        if isinstance(door, TcpListener) and not door.loopback:
            note("warning: every machine that reaches this address can run code on this virtual board")
        server.run()
    finally:
        server.close()


def _address(text: str) -> tuple[str, int]:
    """Reads HOST:PORT, [IPV6]:PORT."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{text!r} is no HOST:PORT, such as 127.0.0.1:4404", param_hint="--tcp")
    return host, int(port)
