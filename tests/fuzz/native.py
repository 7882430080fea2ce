"""Builds and runs the C fuzzer: the core, the fake port, a host and its checks in one program."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from p4kernel.wire._tables import Status, Type

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CORE = ROOT / "firmware" / "core"
FAKE = ROOT / "tests" / "firmware"
SOURCES = [*sorted(CORE.glob("*.c")), FAKE / "fake_port.c", *sorted((HERE / "csrc").glob("*.c"))]
SANITIZE = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")


class Failure(Exception):
    """A check failed or a sanitizer found something. `case` runs it again, with the same seed."""

    def __init__(self, report: str, seed: int, case: int | None) -> None:
        super().__init__(report)
        self.seed, self.case = seed, case


@dataclass
class Figures:
    """What a run did. `proved` counts bytes of results that were compared with what they had to be."""

    frames: int = 0
    cases: int = 0
    bent: int = 0
    damaged: int = 0
    sessions: int = 0
    proved: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    types: Counter[Type] = field(default_factory=Counter)

    def take(self, line: str) -> None:
        """A line of the program's output."""
        name, *numbers = line.split()
        if name == "progress":
            self.frames, self.cases = map(int, numbers)
        elif name == "status":
            self.statuses[Status(int(numbers[0]))] = int(numbers[1])
        elif name == "type":
            self.types[Type(int(numbers[0]))] = int(numbers[1])
        else:
            assert name in ("bent", "damaged", "sessions", "proved"), line
            setattr(self, name, int(numbers[0]))


def compile_command(compiler: str, flags: tuple[str, ...]) -> list[str]:
    command = [compiler, "-std=c11", "-D_DEFAULT_SOURCE", "-g", "-Wall", "-Wextra", "-Werror", "-Wshadow", *flags]
    return [*command, f"-I{CORE}", f"-I{FAKE}"]


def build(
    compiler: str, folder: Path, flags: tuple[str, ...] = SANITIZE, sources: Sequence[Path] = tuple(SOURCES)
) -> Path:
    """The program, made in `folder`. Raises CalledProcessError."""
    program = folder / "fuzz"
    command = [*compile_command(compiler, flags), *map(str, sources), "-o", str(program)]
    subprocess.run(command, check=True, cwd=folder)
    return program


def run(
    program: Path,
    *,
    seed: int,
    first: int = 0,
    cases: int = 0,
    frames: int = 0,
    seconds: float = 0,
    progress: Callable[[Figures], None] = lambda _: None,
) -> Figures:
    """Runs cases until a limit is reached; 0 is no limit. Raises Failure."""
    env = dict(os.environ, ASAN_OPTIONS="abort_on_error=1:handle_abort=0", UBSAN_OPTIONS="print_stacktrace=1")
    figures = Figures()
    limits = map(str, (seed, first, cases, frames, seconds))
    with subprocess.Popen(
        [program, *limits], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            figures.take(line)
            progress(figures)
        report = process.stderr.read()
    if process.returncode:
        where = re.search(r"^failed in seed \d+, case (\d+)$", report, re.MULTILINE)
        raise Failure(report, seed, int(where[1]) if where else None)
    return figures
