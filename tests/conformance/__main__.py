"""``python -m tests.conformance``: all systematic signatures and many random ones, with both compilers."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from p4kernel.build import toolchain
from tests.conformance.cases import Case, draw, from_hints, systematic
from tests.conformance.compare import run_batch
from tests.conformance.pool import random_struct

_BATCH = 200
_OPTS = ("O2", "O0", "Os", "O3", "O1")


def batches(rng: random.Random, count: int) -> Iterator[list[Case]]:
    """Every systematic signature, then ``count`` random ones."""
    cases = [from_hints(f"f{i}", hints, returns) for i, (hints, returns) in enumerate(systematic())]
    for start in range(0, len(cases), _BATCH):
        yield cases[start : start + _BATCH]
    for start in range(0, count, _BATCH):
        structs = [random_struct(rng, f"S{start}_{i}") for i in range(24)]
        yield [draw(rng, f"g{start + i}", structs) for i in range(min(_BATCH, count - start))]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--random", type=int, default=3000, help="random signatures, besides the systematic ones")
    parser.add_argument("--calls", type=int, default=4, help="calls of each function with each compiler")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--host", default="cc", help="the host's C compiler")
    options = parser.parse_args()
    found = {c.toolchain.family: c.toolchain for c in toolchain.all_found() if c.toolchain is not None}
    chains = list(found.values())  # one clang and one GCC
    begin = time.monotonic()
    signatures = calls = failures = 0
    for chain in chains:
        rng = random.Random(options.seed)
        for number, cases in enumerate(batches(rng, options.random)):
            opt = _OPTS[number % len(_OPTS)]
            with tempfile.TemporaryDirectory() as folder:
                try:
                    calls += run_batch(cases, chain, opt, options.host, Path(folder), rng, options.calls)
                except AssertionError as error:
                    failures += 1
                    print(f"{chain.name}: {error}", file=sys.stderr)
            signatures += len(cases)
            print(f"\r{chain.name} {opt}: {signatures} signatures, {calls} calls, {time.monotonic() - begin:.0f} s", end="",
                  file=sys.stderr, flush=True)  # fmt: skip
    print(file=sys.stderr)
    print(
        f"conformance: {signatures} signatures, {calls} calls, {len(chains)} compilers, {failures} batches that differ, "
        f"{time.monotonic() - begin:.0f} s"
    )
    return 1 if failures or len(chains) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
