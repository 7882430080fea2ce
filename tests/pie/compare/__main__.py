"""A long campaign: `python -m tests.pie.compare --states 5000000 --seed 1`."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from p4kernel.pie.table import GENERATIONS

from .draw import Source
from .loops import LoopTwin, Writer
from .twin import MOST, Difference, Twin

_SHOWN = 10


@dataclass
class _Totals:
    """Of one generation."""

    states: int = 0
    mnemonics: int = 0
    faults: int = 0
    programs: int = 0
    instructions: int = 0
    differences: list[str] = field(default_factory=list)

    def found(self, differences: list[Difference], where: str) -> None:
        self.differences += [f"{where}: {difference}" for difference in differences]

    def __str__(self) -> str:
        return (
            f"{self.states:,} states of {self.mnemonics} mnemonics ({self.faults:,} faults), "
            f"{self.programs:,} loop programs ({self.instructions:,} instructions)"
        )


def _instructions(generation: int, states: int, seed: int, totals: _Totals, progress: Progress) -> None:
    source, twin = Source(generation, seed), Twin(generation)
    task = progress.add_task(f"{GENERATIONS[generation]} states", total=states)
    while totals.states < states:
        count = min(MOST, states - totals.states)
        totals.found(twin.run(source.batch(count)), f"seed {seed}, from state {totals.states} on")
        totals.states += count
        progress.update(task, completed=totals.states)
    totals.mnemonics = len({*twin.tally.ran, *twin.tally.faulted})
    totals.faults = twin.tally.faulted.total()


def _loops(generation: int, programs: int, seed: int, totals: _Totals, progress: Progress) -> None:
    writer, twin = Writer(generation, seed), LoopTwin(generation)
    task = progress.add_task(f"{GENERATIONS[generation]} loops", total=programs)
    while totals.programs < programs:
        count, differences = twin.random_run(writer)
        totals.found(differences, f"seed {seed}, program {totals.programs}")
        totals.programs += 1
        totals.instructions += count
        progress.update(task, completed=totals.programs)


@click.command()
@click.option("--states", default=200_000, show_default=True, help="Of each generation.")
@click.option("--programs", default=5_000, show_default=True, help="Of hardware loops, of each generation.")
@click.option("--seed", default=0, show_default=True)
@click.option("--generation", "generations", multiple=True, type=click.Choice(["1", "2"]), help="This alone.")
def main(states: int, programs: int, seed: int, generations: tuple[str, ...]) -> None:
    """Runs the model and both engines on random states and loop programs; ends with 1 when something differs.

    About 10,000 states and 900 programs a second on one core.
    """
    console = Console(stderr=True)
    began = time.monotonic()
    totals: dict[int, _Totals] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        for generation in map(int, generations) if generations else GENERATIONS:
            one = totals[generation] = _Totals()
            _instructions(generation, states, seed, one, progress)
            _loops(generation, programs, seed, one, progress)
    differences = [text for one in totals.values() for text in one.differences]
    for text in differences[:_SHOWN]:
        console.print(text, highlight=False, markup=False)
    counts = "; ".join(f"{GENERATIONS[generation]}: {one}" for generation, one in totals.items())
    print(f"{counts}; both engines; {len(differences)} differences; seed {seed}, {time.monotonic() - began:.0f} s")
    sys.exit(bool(differences))


if __name__ == "__main__":
    main()
