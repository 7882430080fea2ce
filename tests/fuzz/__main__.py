"""Fuzzes the firmware core: ``python -m tests.fuzz [--minutes N] [--frames N] [--seed S] [--case K]``."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from secrets import randbits
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.fuzz.native import Failure, Figures, build, run


def _fuzz(program: Path, seconds: float, frames: int, seed: int) -> Figures:
    columns = (BarColumn(), TextColumn("{task.fields[frames]:,} frames"), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        start = time.monotonic()
        task = bar.add_task("", total=frames or seconds, frames=0)

        def progress(figures: Figures) -> None:
            done = figures.frames if frames else time.monotonic() - start
            bar.update(task, completed=done, frames=figures.frames)

        return run(program, seed=seed, frames=frames, seconds=seconds, progress=progress)


def _summary(figures: Figures, seconds: float, seed: int) -> str:
    answers = ", ".join(f"{status.name} {count:,}" for status, count in figures.statuses.most_common())
    return (
        f"seed {seed}: {figures.frames:,} frames in {figures.cases:,} cases and {figures.sessions:,} sessions, "
        f"{figures.bent:,} bent, {figures.damaged:,} damaged on the link; {figures.proved:,} bytes of results proved; "
        f"{seconds:.0f} s, {figures.frames / seconds:,.0f} frames a second. No failure.\nanswers: {answers}"
    )


@click.command()
@click.option("--minutes", type=float, help="Stops after so long (default: 1, unless --frames is given).")
@click.option("--frames", default=0, help="Stops after so many frames.")
@click.option("--seed", type=int, help="Of all chance (default: a new one).")
@click.option("--case", type=int, help="Runs this case of the seed alone.")
@click.option("--compiler", default=shutil.which("gcc") or shutil.which("clang") or "cc", show_default=True)
def main(minutes: float | None, frames: int, seed: int | None, case: int | None, compiler: str) -> None:
    """Sends random sessions to the firmware core, built with AddressSanitizer and UndefinedBehaviorSanitizer, and
    checks what it answers and what it keeps. A failure names its case."""
    seed = randbits(32) if seed is None else seed
    seconds = 60 * minutes if minutes is not None else 0.0 if frames else 60.0
    with TemporaryDirectory(prefix="p4kernel-fuzz-") as folder:
        program = build(compiler, Path(folder))
        start = time.monotonic()
        try:
            if case is not None:
                figures = run(program, seed=seed, first=case, cases=1)
            else:
                figures = _fuzz(program, seconds, frames, seed)
        except Failure as failure:
            click.echo(str(failure), err=True)
            if failure.case is not None:
                click.echo(f"again: python -m tests.fuzz --seed {failure.seed} --case {failure.case}", err=True)
            raise SystemExit(1) from None
    click.echo(_summary(figures, time.monotonic() - start, seed))


if __name__ == "__main__":
    main()
