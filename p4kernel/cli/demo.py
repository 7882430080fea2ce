"""``p4kernel demo``: a tour on real input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from p4kernel.kernel import Kernel

_EXTRA = "pip install 'p4kernel[examples]'"


@click.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True),
    default="p4kernel-demo.png",
    show_default=True,
    metavar="FILE",
    help="Where the picture goes.",
)
@click.option(
    "--pie", is_flag=True, help="Instead: six tasks for the SIMD unit, and what each way of writing them costs."
)
@click.option("--board", "url", metavar="URL", help="The board. Default: $P4KERNEL_BOARD, else the virtual board.")
def demo(out: str, pie: bool, url: str | None) -> None:
    """A tour in five steps: C and assembly kernels on real data, and a mistake that is caught.

    Every result is compared with NumPy's or SciPy's. Ends with a picture. Needs the packages of the extra "examples".

    \b
    Examples:
      p4kernel demo
      p4kernel demo --board /dev/ttyACM0 --out /tmp/edges.png
      p4kernel demo --pie
    """
    from pathlib import Path

    from p4kernel.errors import Error
    from p4kernel.urls import connect

    if not Path(out).resolve().parent.is_dir():
        raise Error(f"{out}: there is no such folder; name a file in one with --out")
    board = connect(url)
    try:
        with board:
            if pie:
                _example("pie", "__main__").main()
                return
            tour = _Tour()
            tour.welcome(repr(board))
            photo, edges = tour.edges()
            tour.filter()
            tour.product()
            tour.checksum()
            tour.mistake(photo)
        _picture(photo, edges, Path(out))
        tour.say(f"\nThe photograph and its edges: {Path(out).resolve()}")
    finally:
        board.close()


class _Tour:
    """The steps. Their kernels are those of the example programs."""

    def __init__(self) -> None:
        from p4kernel.cli._console import console

        self._console = console()
        self._step = 0

    def say(self, text: str) -> None:
        self._console.print(text)

    def welcome(self, board: str) -> None:
        self.say(f"{board}\n")
        self.say(
            "A kernel is a typed Python function whose body is C. Calling it compiles the C, moves the machine code"
        )
        self.say("to the board and runs it there; arrays go in and come back.")

    def edges(self) -> tuple[Any, Any]:
        result = self._run("edges", "sobel", "Edges of a photograph")
        self._compare(result.equal, "scipy.ndimage.sobel, in every pixel")
        return result.photo, result.edges

    def filter(self) -> None:
        result = self._run("fir", "fir", "A band-pass over an electrocardiogram")
        self._compare(
            result.equal, f"scipy.signal.lfilter, within float32's rounding (at most {result.error.max():.1e} away)"
        )
        self.say(f"  heart beats at samples {', '.join(map(str, result.beats))}")

    def product(self) -> None:
        result = self._run("matmul", "matmul", "An integer matrix product that reads handwritten digits")
        self._compare(result.equal, "NumPy's product, in every element")
        self.say(f"  {result.accuracy:.1%} of {len(result.scores)} unseen digits are read right")

    def checksum(self) -> None:
        result = self._run("asm", "crc32", "The same in assembly: a CRC-32")
        self._compare(result.equal, f"zlib.crc32: {result.crc:08x}")

    def mistake(self, photo: Any) -> None:
        from p4kernel.cli._mistake import clear_first_above
        from p4kernel.errors import KernelFault

        self._heading("A mistake: a NULL pointer")
        self._show(clear_first_above)
        try:
            clear_first_above(photo.copy(), 300)
        except KernelFault as fault:
            self.say("\n  raises p4.KernelFault, with the line; the board lives on:\n")
            for line in str(fault).splitlines():
                self.say(f"    {line}")
        else:
            raise click.ClickException("the mistake was not caught")
        index = clear_first_above(photo.copy(), 200)
        self.say(f"\n  the next call, with a threshold that some pixel is above, returns its index, {index:,}")

    def _run(self, example: str, kernel: str, title: str) -> Any:
        module = _example(example)
        self._heading(title)
        self._show(getattr(module, kernel))
        result = module.run()
        self._cost(getattr(module, kernel))
        return result

    def _heading(self, title: str) -> None:
        self._step += 1
        self._console.print(f"\n{self._step}. {title}", style="bold cyan")

    def _show(self, kernel: Kernel[..., Any]) -> None:
        """The stub as it stands in its file."""
        import inspect
        import textwrap

        from rich.syntax import Syntax

        body = kernel.signature.body
        self._console.print(f"  {body.position.file}:{body.position.line}\n", style="dim")
        text = textwrap.indent(textwrap.dedent(inspect.getsource(kernel.__wrapped__)), "    ").rstrip()
        if self._console.is_terminal and not self._console.no_color:
            self._console.print(Syntax(text, "python", theme="ansi_light", background_color="default"))
        else:
            self.say(text)

    def _cost(self, kernel: Kernel[..., Any]) -> None:
        last = kernel.last
        more = last.round_trips - 1
        trips = "in one round trip" if not more else f"in one round trip, and {more} before it to load the code"
        self.say(
            f"\n  {last.instructions:,} instructions in {last.elapsed * 1e3:.1f} ms; {last.bytes_up:,} bytes to the board, "
            f"{last.bytes_down:,} back, {trips}"
        )
        built = (
            f"built in {last.build_seconds * 1e3:.0f} ms" if last.built_from == "built" else "found in the build cache"
        )
        self.say(f"  {kernel.build.image.text_size} bytes of code, {built}, loaded in {last.load_seconds * 1e3:.1f} ms")

    def _compare(self, equal: bool, reference: str) -> None:
        if not equal:
            raise click.ClickException(f"the result differs from {reference}")
        self._console.print(f"  equal to {reference}", style="green")


def _example(name: str, module: str = "") -> Any:
    """An example program, or a module of a folder of them. Raises p4.Error when a package that it uses is not installed."""
    import importlib.util
    import sys

    from p4kernel import _resources
    from p4kernel.errors import Error

    path = _resources.examples() / (f"{name}/__init__.py" if module else f"{name}.py")
    inside = [str(path.parent)] if module else None
    spec = importlib.util.spec_from_file_location(f"p4kernel_example_{name}", path, submodule_search_locations=inside)
    if spec is None or spec.loader is None or not path.is_file():
        raise Error(f"{path} is missing; install p4kernel again")
    program = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = program
    try:
        spec.loader.exec_module(program)
        if module:
            return importlib.import_module(f"{spec.name}.{module}")
    except ModuleNotFoundError as error:
        raise Error(f"the demo needs the package {error.name}, which is not installed: {_EXTRA}") from error
    return program


def _picture(before: Any, after: Any, path: Path) -> None:
    import numpy as np

    from p4kernel.errors import Error

    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise Error(f"the demo needs the package pillow, which is not installed: {_EXTRA}") from error
    gap = np.full((before.shape[0], 8), 255, np.uint8)
    try:
        Image.fromarray(np.hstack([before, gap, after])).save(path, format="PNG")
    except OSError as error:
        raise Error(f"{path}: {error.strerror or error}") from error
