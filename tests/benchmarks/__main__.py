"""Prints all figures of one run: ``python -m tests.benchmarks [--json] [--times N] [PART ...]``."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.benchmarks.calls import call_costs, one_trip
from tests.benchmarks.measure import Result
from tests.benchmarks.pie import pie
from tests.benchmarks.simulator import mips
from tests.benchmarks.startup import startup

_PARTS: dict[str, Callable[[int], Iterator[Result]]] = {
    "trips": one_trip,
    "calls": call_costs,
    "startup": startup,
    "mips": mips,
    "pie": pie,
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(_PARTS)))
@click.option("--times", default=9, show_default=True, help="Measurements of each figure.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for machines.")
def main(parts: tuple[str, ...], times: int, as_json: bool) -> None:
    """Measures p4kernel on this machine. PART is one of trips, calls, startup, mips, pie; all when none is named."""
    results: list[Result] = []
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        for part in progress.track(parts or tuple(_PARTS), description="measuring"):
            results += _PARTS[part](times)
    if as_json:
        for r in results:
            print(json.dumps(dataclasses.asdict(r)))
        return
    table = Table("figure", "median", "quartiles", "unit", "goal")
    for r in results:
        table.add_row(r.name, f"{r.median:,.1f}", f"{r.low:,.1f} – {r.high:,.1f}", r.unit, r.goal)
    Console(width=None if sys.stdout.isatty() else 130).print(table)


if __name__ == "__main__":
    main()
