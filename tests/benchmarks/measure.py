"""Medians, spreads, and pairs that are measured in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One figure: the median, and the quartiles as its spread."""

    name: str
    median: float
    low: float
    high: float
    unit: str
    goal: str = ""


def result(name: str, values: list[float], unit: str, goal: str = "") -> Result:
    """The median and quartiles of ``values``."""
    if len(values) < 4:
        return Result(name, statistics.median(values), min(values), max(values), unit, goal)
    low, median, high = statistics.quantiles(values, n=4)
    return Result(name, median, low, high, unit, goal)


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def repeat(work: Callable[[], object], times: int, inner: int = 1) -> list[float]:
    """Seconds of one execution, measured ``times`` times over ``inner`` executions each, after one to warm up."""
    work()

    def batch() -> None:
        for _ in range(inner):
            work()

    return [seconds(batch) / inner for _ in range(times)]


def in_turn(
    first: Callable[[], object], second: Callable[[], object], times: int, inner: int = 1
) -> tuple[list[float], list[float]]:
    """Seconds of both, in alternating batches of ``inner``, so that what else the machine does falls on both."""
    ours, theirs = [], []
    for _ in range(times):
        ours += repeat(first, 1, inner)
        theirs += repeat(second, 1, inner)
    return ours, theirs
