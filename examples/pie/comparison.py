"""One task as scalar C, C with PIE intrinsics, and assembly: the same result, and what each cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import p4kernel as p4

Array = npt.NDArray[Any]
WAYS = ("scalar C", "intrinsics", "assembly")


class Way(NamedTuple):
    """What one way of writing it gave, and its instructions."""

    result: Array
    instructions: int


class Comparison(NamedTuple):
    """A task, NumPy's result, and the three ways in the order of WAYS."""

    title: str
    expected: Array
    ways: tuple[Way, ...]

    @property
    def equal(self) -> bool:
        return all(np.array_equal(way.result, self.expected) for way in self.ways)

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times fewer instructions than scalar C each way takes."""
        return tuple(self.ways[0].instructions / way.instructions for way in self.ways)


def compare(
    title: str, expected: Array, kernels: tuple[p4.Kernel[..., Any], ...], call: Callable[[p4.Kernel[..., Any]], Array]
) -> Comparison:
    """Calls each kernel by ``call``, which returns its result."""
    ways = []
    for kernel in kernels:
        result = call(kernel)
        ways.append(Way(np.asarray(result), kernel.last.instructions))
    return Comparison(title, expected, tuple(ways))


def show(comparisons: Mapping[str, Comparison]) -> None:
    """A table; raises SystemExit when a result is not NumPy's."""
    print(f"{'instructions':<44}{WAYS[0]:>12}" + "".join(f"{way:>20}" for way in WAYS[1:]))
    for comparison in comparisons.values():
        scalar, *others = comparison.ways
        line = f"{comparison.title:<44}{scalar.instructions:>12,}"
        for way, ratio in zip(others, comparison.ratios[1:], strict=True):
            line += f"{way.instructions:>10,} ({ratio:5.1f}x)"
        print(line)
    for name, comparison in comparisons.items():
        for written, (result, _) in zip(WAYS, comparison.ways, strict=True):
            if not np.array_equal(result, comparison.expected):
                raise SystemExit(f"MISMATCH: {name} in {written} differs from NumPy's result")
    print("All equal to NumPy.")
