"""Line and branch coverage of the core from what gcov says about several programs that were built from it."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FLAGS = ("-O0", "--coverage")  # -O0: branches are those of the source
EXCLUDED = "GCOV_EXCL_BR_LINE"  # in a line whose branches cannot all be reached, with the reason


@dataclass
class Share:
    reached: int = 0
    of: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(self.reached + other.reached, self.of + other.of)

    @property
    def percent(self) -> float:
        return 100 * self.reached / self.of if self.of else 100.0

    def __str__(self) -> str:
        return f"{self.percent:6.1f} % of {self.of:4}"


@dataclass
class Source:
    """How often each line ran, and each way out of each branch of it was taken."""

    path: Path
    line_counts: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    branch_counts: dict[tuple[int, str, int], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, line: dict[str, Any]) -> None:
        number = line["line_number"]
        self.line_counts[number] += line["count"]
        for i, branch in enumerate(line["branches"]):
            self.branch_counts[number, line.get("function_name", ""), i] += branch["count"]

    def excluded(self) -> set[int]:
        return {i for i, text in enumerate(self.path.read_text().splitlines(), 1) if EXCLUDED in text}

    @property
    def lines(self) -> Share:
        return Share(sum(count > 0 for count in self.line_counts.values()), len(self.line_counts))

    @property
    def branches(self) -> Share:
        counts = self._branches()
        return Share(sum(count > 0 for count in counts.values()), len(counts))

    def missed(self) -> list[int]:
        """Lines with a branch that was never taken."""
        return sorted({number for (number, *_), count in self._branches().items() if not count})

    def _branches(self) -> dict[tuple[int, str, int], int]:
        excluded = self.excluded()
        return {key: count for key, count in self.branch_counts.items() if key[0] not in excluded}


def _gcov(gcov: str, folder: Path) -> Iterator[dict[str, Any]]:
    data = sorted(folder.rglob("*.gcda"))
    assert data, f"nothing in {folder} was run"
    command = [gcov, "--json-format", "--stdout", "--branch-probabilities", *map(str, data)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    for text in done.stdout.splitlines():
        yield from json.loads(text)["files"]


def measure(gcov: str, folders: Iterable[Path], core: Path) -> list[Source]:
    """Coverage of the core's files, summed over the programs that ran in these folders."""
    sources: dict[Path, Source] = {}
    for folder in folders:
        for file in _gcov(gcov, folder):
            path = (folder / file["file"]).resolve()
            if path.parent == core:
                source = sources.setdefault(path, Source(path))
                for line in file["lines"]:
                    source.add(line)
    return [sources[path] for path in sorted(sources)]


def table(sources: list[Source]) -> str:
    rows = [(source.path.name, source.lines, source.branches, source.missed()) for source in sources]
    rows.append(("total", sum((r[1] for r in rows), Share()), sum((r[2] for r in rows), Share()), []))
    lines = [f"{'coverage of the firmware core':32}{'lines':^18}{'branches':^18}"]
    for name, ran, taken, missed in rows:
        where = f"  not all of line {', '.join(map(str, missed))}" if missed else ""
        lines.append(f"{name:28}{ran!s:>18}{taken!s:>18}{where}")
    return "\n".join(lines)
