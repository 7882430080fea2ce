"""All programs by all compilers at all levels, on both engines and on QEMU: ``python -m tests.programs``."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import click
import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.tools import require

from .build import COMPILERS, LEVELS, PROGRAMS, Builder, Compiler, Level
from .compare import agree_by_turns, agree_derailed, agree_everywhere, agree_with_qemu, qemu_instructions
from .execute import Outcome


class _Work(NamedTuple):
    program: str
    compiler: Compiler
    level: Level

    def __str__(self) -> str:
        return f"{self.program} {self.compiler} {self.level}"


@dataclass
class _Totals:
    files: int = 0
    instructions: int = 0
    derailed: int = 0
    trapped: int = 0
    counted: int = 0
    failures: int = 0


@dataclass(frozen=True)
class _Plan:
    """What is done with each ELF file."""

    qemu: str
    rounds: int
    count_below: int


class _Done(NamedTuple):
    outcome: Outcome
    stands: list[str]
    counted: bool


def _check(work: _Work, builder: Builder, plan: _Plan, seed: int) -> _Done:
    elf = builder.build(*work)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outcome = agree_everywhere(elf, seed)
        assert outcome.ended.code == 0, outcome.ended.output.decode()
        agree_with_qemu(elf, plan.qemu, folder, outcome)
        for turn in range(1, plan.rounds):
            assert agree_everywhere(elf, seed + turn) == outcome
        agree_by_turns(elf, seed, outcome)
        stands = [agree_derailed(elf, seed + turn, outcome) for turn in range(10 * plan.rounds)]
        counted = outcome.instructions < plan.count_below
        if counted:
            count = qemu_instructions(elf, plan.qemu, folder)
            assert count == outcome.instructions + outcome.calls, f"qemu: {count}, here: {outcome.instructions}"
    return _Done(outcome, stands, counted)


def _all(works: list[_Work], plan: _Plan, seed: int, jobs: int, console: Console) -> _Totals:
    totals = _Totals()
    texts: dict[str, bytes] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    source = random.Random(seed)
    with tempfile.TemporaryDirectory() as name, Progress(*columns, console=console) as progress:
        builder = Builder(Path(name))
        for work in works:
            builder.prepare(work.compiler, work.level)  # once for each pair
        task = progress.add_task("programs", total=len(works))
        with ThreadPoolExecutor(jobs) as pool:
            futures = {pool.submit(_check, work, builder, plan, source.getrandbits(32)): work for work in works}
            for future in as_completed(futures):
                work = futures[future]
                progress.update(task, advance=1, description=str(work))
                totals.files += 1
                try:
                    done = future.result()
                    text = done.outcome.ended.output
                    assert texts.setdefault(work.program, text) == text, "writes other text than before"
                except AssertionError as error:
                    totals.failures += 1
                    progress.console.print(f"[red]{work}[/]: {error}", highlight=False)
                    continue
                totals.instructions += done.outcome.instructions
                totals.derailed += len(done.stands)
                totals.trapped += done.stands.count("trapped")
                totals.counted += done.counted
    return totals


@click.command()
@click.argument("programs", nargs=-1, type=click.Choice(PROGRAMS))
@click.option("--compiler", "compilers", multiple=True, type=click.Choice(COMPILERS), help="These alone.")
@click.option("--level", "levels", multiple=True, type=click.Choice(LEVELS), help="These alone.")
@click.option("--rounds", default=2, show_default=True, help="Random sets of budgets for each file.")
@click.option(
    "--count-below", default=100_000, show_default=True, help="Instructions counted by QEMU, too, below this."
)
@click.option("--seed", default=0, show_default=True)
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True)
def main(
    programs: tuple[str, ...],
    compilers: tuple[str, ...],
    levels: tuple[str, ...],
    rounds: int,
    count_below: int,
    seed: int,
    jobs: int,
) -> None:
    """Checks PROGRAMS, or all: output, exit code and state equal on both engines at random budgets and on QEMU.

    About three minutes on two cores. Ends with 1 when something differs.
    """
    console = Console(stderr=True)
    usable: list[Compiler] = []
    try:
        plan = _Plan(require("qemu-riscv32"), rounds, count_below)
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        raise click.ClickException(str(missing)) from None
    with tempfile.TemporaryDirectory() as name:
        for compiler in cast(tuple[Compiler, ...], compilers) or COMPILERS:
            try:
                Builder(Path(name)).prepare(compiler, "-O0")
                usable.append(compiler)
            except pytest.skip.Exception as missing:
                console.print(f"without {compiler}: {missing}")
    works = [
        _Work(program, compiler, level)
        for program in programs or PROGRAMS
        for compiler in usable
        for level in cast(tuple[Level, ...], levels) or LEVELS
    ]
    began = time.monotonic()
    totals = _all(works, plan, seed, jobs, console)
    print(
        f"{totals.files} files of {len(programs or PROGRAMS)} programs by {' and '.join(usable)}: "
        f"{totals.failures} differ; {totals.instructions:,} instructions, {totals.counted} files counted by QEMU, "
        f"{totals.derailed} derailed runs ({totals.trapped} trapped), {time.monotonic() - began:.0f} s"
    )
    sys.exit(totals.failures > 0)


if __name__ == "__main__":
    main()
