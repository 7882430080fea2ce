"""``p4kernel doctor``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from p4kernel.board import Board


@click.command()
@click.option("--board", "url", metavar="URL", help="A board to check, such as /dev/ttyACM0. Default: $P4KERNEL_BOARD.")
@click.option("--exports", is_flag=True, help="List the functions that kernels can call on the board, and end.")
@click.pass_context
def doctor(ctx: click.Context, url: str | None, exports: bool) -> None:
    """Check that kernels can be built and run here, and say what is missing and how to get it.

    Tries every compiler, looks at the cache, and runs a kernel on the virtual board and on the board that --board or
    P4KERNEL_BOARD names. Other ports are listed only: nothing is sent to them. Exits with 1 when kernels cannot be
    built or run.

    \b
    Examples:
      p4kernel doctor
      p4kernel doctor --board /dev/ttyACM0
      p4kernel doctor --exports | grep float
    """
    import os

    url = url or os.environ.get("P4KERNEL_BOARD")
    if exports:
        _exports(url or "sim")
        return
    checks = _Checks()
    checks.host()
    checks.toolchains()
    checks.cache()
    checks.boards(url)
    checks.conclude()
    if checks.problems:
        ctx.exit(1)


class _Checks:
    """Prints what it finds; remembers what must be done."""

    def __init__(self) -> None:
        from p4kernel.cli._console import console

        self._console = console()
        self.problems: list[str] = []
        self._can_build = False

    def _heading(self, text: str) -> None:
        self._console.print(f"\n{text}", style="bold")

    def _row(self, good: bool | None, name: str, text: str) -> None:
        from rich.text import Text

        from p4kernel.cli._console import mark

        lines = text.splitlines() or [""]
        self._console.print(Text.assemble(mark(good), (f"{name:<24}", ""), " ", lines[0]))
        for line in lines[1:]:
            self._console.print(f"{'':31}{line}")

    def host(self) -> None:
        import importlib.util
        import platform

        import numpy

        from p4kernel import __version__

        self._heading("This machine")
        self._row(True, "p4kernel", __version__)
        self._row(True, "Python", f"{platform.python_version()}, {platform.system()} {platform.machine()}")
        self._row(True, "NumPy", numpy.__version__)
        extension = importlib.util.find_spec("p4kernel._native")
        if extension is None or extension.origin is None:
            self._row(False, "native extension", "not built; the virtual board needs it")
            self.problems.append(
                "the native extension is missing: install p4kernel again (pip install --force-reinstall p4kernel), or "
                "in a source tree `pip install -e .`"
            )
        else:
            self._row(True, "native extension", extension.origin)

    def toolchains(self) -> None:
        from p4kernel.build import toolchain
        from p4kernel.errors import ToolchainError

        self._heading("Compilers (the first that works is used; P4KERNEL_CC names another)")
        used = None
        try:
            used = toolchain.find().name
        except ToolchainError as error:
            self.problems.append(str(error))
        for found in toolchain.all_found():
            about = "\n".join(text for text in (found.version, found.path) if text)
            if found.toolchain is None:
                needed = found.name == "P4KERNEL_CC" or found.name == used or None
                self._row(
                    False if needed or found.path else None, found.name, "\n".join(filter(None, (found.problem, about)))
                )
                if found.name == used:
                    self.problems.append(f"{found.name}, which would be used, does not work: {found.problem}")
            else:
                self._can_build = self._can_build or found.name == used
                use = "used" if found.name == used else f"works; not used, as {used} comes first"
                self._row(True, found.name, f"{use}\n{about}")

    def cache(self) -> None:
        from p4kernel.build import cache
        from p4kernel.cli._console import size

        self._heading("Cache of compiled kernels")
        state = cache.show()
        self._row(
            state.problem is None,
            f"{state.entries} entries",
            f"{size(state.size)} of at most {size(state.limit)}\n{state.folder}"
            + (f"\n{state.problem}" if state.problem else ""),
        )

    def boards(self, url: str | None) -> None:
        from p4kernel.wire.pipes import ports

        self._heading("Boards")
        for name in dict.fromkeys(filter(None, ("sim", url))):
            self._board(name)
        names = ports()
        for name, description in names:
            self._row(None, name, f"serial port, {description}".removesuffix(", n/a"))
        if not names:
            self._row(None, "serial ports", "none is connected")
        if url is None:
            self._row(None, "a real board", "not checked: name one with --board PORT or P4KERNEL_BOARD=PORT")

    def _board(self, url: str) -> None:
        from p4kernel.errors import Error
        from p4kernel.selfcheck import self_check
        from p4kernel.urls import connect

        try:
            board = connect(url)
        except (Error, ImportError) as error:  # ImportError: the native extension
            self._row(False, url, str(error))
            self.problems.append(f"{url}: {error}")
            return
        try:
            about = _about(board)
            if not self._can_build:
                self._row(None, url, f"{about}\nanswers; without a compiler no kernel was run")
                return
            last = self_check(board)
            self._row(
                True, url, f"{about}\na kernel was built and ran: {last.instructions} instructions, results right"
            )
        except Error as error:
            self._row(False, url, str(error))
            self.problems.append(f"{url}: {error}")
        finally:
            board.close()

    def conclude(self) -> None:
        if not self.problems:
            self._console.print("\nKernels can be built and run here.", style="bold green")
            return
        self._console.print("\nTo do:", style="bold red")
        for problem in dict.fromkeys(self.problems):
            self._console.print(f"  - {problem}")


def _about(board: Board) -> str:
    from p4kernel.cli._console import size

    info = board.info
    kind = "virtual " if info.virtual else ""
    return (
        f"{kind}{info.chip} revision {info.revision // 100}.{info.revision % 100}, {size(info.psram)} PSRAM, "
        f"{size(info.sram)} SRAM, {info.isa}, firmware {info.firmware}"
    )


def _exports(url: str) -> None:
    from p4kernel.urls import connect

    declarations = _declarations()
    board = connect(url)
    try:
        for name in sorted({*board.exports, *board.absent}):
            lacks = "" if name in board.exports else "  /* not on this board */"
            click.echo(declarations.get(name, name) + lacks)
    finally:
        board.close()


def _declarations() -> dict[str, str]:
    """Name to C declaration, from the list that boards are built with."""
    import yaml

    from p4kernel import _resources

    entries = yaml.safe_load((_resources.stubs() / "exports.yaml").read_text())["exports"]
    found = ((name, re.match(r"([^(]*?)\s*(\(.*)", kind or "")) for name, kind, *_ in entries)
    return {name: f"{m[1]}{'' if m[1].endswith('*') else ' '}{name}{m[2]}" for name, m in found if m}
