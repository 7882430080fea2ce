"""Random instructions on both engines and on QEMU until enough of them agreed: ``python -m tests.sim``."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.tools import require

from .batch import make
from .linux import run_here, run_qemu

_PER_PROGRAM = 1_000


class _Done(NamedTuple):
    written: int
    executed: int
    problem: str


def _overhead(rounds: int) -> int:
    """Instructions of a program that are not random ones, counted in a program that has no others."""
    return run_here("fast", make(range(_PER_PROGRAM), rounds, length=0).program).instructions


def _check(qemu: str, start: int, rounds: int, overhead: int) -> _Done:
    batch = make(range(start, start + _PER_PROGRAM), rounds)
    with tempfile.TemporaryDirectory() as folder:
        theirs = run_qemu(qemu, batch.program, Path(folder))
    problem = "" if theirs.code == 0 else f"seeds {batch.seeds}: QEMU ended with {theirs.code}"
    executed = 0
    for engine in ("fast", "slow"):
        ours = run_here(engine, batch.program)
        if ours != theirs and not problem:
            problem = f"{engine}: {batch.first_difference(ours.output, theirs.output)}"
        if executed not in (0, ours.instructions):
            problem = problem or f"seeds {batch.seeds}: {executed} instructions, one by one {ours.instructions}"
        executed = ours.instructions
    return _Done(batch.written, executed - overhead, problem)


def _works(pool: ProcessPoolExecutor, qemu: str, seed: int, rounds: int, overhead: int) -> Iterator[Future[_Done]]:
    return (pool.submit(_check, qemu, start, rounds, overhead) for start in itertools.count(seed, _PER_PROGRAM))


@click.command()
@click.option("--instructions", default=1_000_000_000, show_default=True, help="Ends when so many were executed.")
@click.option("--rounds", default=32, show_default=True, help="Sets of registers that each sequence runs with.")
@click.option("--seed", default=1_000_000, show_default=True, help="The first sequence.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True)
def main(instructions: int, rounds: int, seed: int, jobs: int) -> None:
    """Runs random sequences of RV32IMAFC instructions on the fast engine, the one-step engine and qemu-riscv32.

    After each round all registers and fcsr are compared, after each sequence its memory. A thousand million take about
    a quarter of an hour on one core. Ends with 1 when something differs.
    """
    console = Console(stderr=True)
    try:
        qemu = require("qemu-riscv32")
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        raise click.ClickException(str(missing)) from None
    began = time.monotonic()
    sequences = written = executed = failures = 0
    overhead = _overhead(rounds)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress, ProcessPoolExecutor(jobs) as pool:
        task = progress.add_task("instructions", total=instructions)
        works = _works(pool, qemu, seed, rounds, overhead)
        waiting = set(itertools.islice(works, jobs))
        while executed < instructions:
            ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            waiting |= set(itertools.islice(works, len(ended)))
            for future in ended:
                done = future.result()
                sequences += _PER_PROGRAM
                written += done.written
                executed += done.executed
                if done.problem:
                    failures += 1
                    progress.console.print(f"[red]differs[/] {done.problem}", highlight=False)
            progress.update(task, completed=executed)
    print(
        f"{sequences:,} sequences, {written:,} random instructions run with {rounds} sets of registers: "
        f"{executed:,} executed on each engine and on QEMU; {failures} programs differ, "
        f"{time.monotonic() - began:.0f} s"
    )
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
