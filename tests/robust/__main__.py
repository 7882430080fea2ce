"""Campaigns with fresh seeds, for as long as one likes: ``python -m tests.robust --minutes 30 [--seed N]``.

Each round prints its seed and what it did; a failure is a traceback, and the same seed repeats it, but for what depends
on the timing of threads and signals. Exits with the number of failures.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable

_RATES = ((0.02, 0.0, 150), (0.1, 0.0, 60), (0.3, 0.0, 15), (0.05, 0.03, 120))


def _sequences(seed: int) -> object:
    from tests.robust import pool, test_sequences

    rng = random.Random(seed)
    kernels = [pool.make(rng, f"pooled_{i}") for i in range(test_sequences.KERNELS)]
    return dict(test_sequences.campaign(seed, kernels, rng.randrange(1, 4), rng.randrange(1, 6), 300, 3000))


def _links(seed: int) -> object:
    from tests.robust import test_lossy_links

    rate, interrupts, steps = _RATES[seed % len(_RATES)]
    done, damage = test_lossy_links.campaign(seed, 6, steps, rate, interrupts)
    return dict(done), damage.total()


def _codec(seed: int) -> object:
    from tests.robust import test_codec

    return test_codec.compare_damaged(random.Random(seed), 300)


def _signals(seed: int) -> object:
    import p4kernel as p4
    from tests.robust import test_interrupts
    from tests.robust.common import check_scale, nothing_left, spin

    with p4.connect("sim?psram=8M") as board:
        check_scale(board, 10, 1)
        spin(1)
        with nothing_left(board):
            hits = test_interrupts.strike(board, random.Random(seed), 500)
        board.close()
    return hits


def main() -> int:
    parser = argparse.ArgumentParser(description="Random and hostile use of p4kernel, with fresh seeds.")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=None, help="of the first round; default: taken from the clock")
    options = parser.parse_args()
    work: list[Callable[[int], object]] = [_sequences, _links, _codec, _signals]
    seed = options.seed if options.seed is not None else int(time.time())
    end = time.monotonic() + options.minutes * 60
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["P4KERNEL_CACHE_DIR"] = folder
        while True:
            for what in work:
                try:
                    print(f"seed {seed} {what.__name__[1:]}: {what(seed)}", flush=True)
                except (Exception, KeyboardInterrupt):
                    failures += 1
                    print(f"seed {seed} {what.__name__[1:]} FAILED", flush=True)
                    traceback.print_exc()
            seed += 1
            if time.monotonic() > end:
                return failures


if __name__ == "__main__":
    sys.exit(main())
