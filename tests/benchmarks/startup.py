"""What the first calls cost, in fresh processes: importing, compiling, finding a build on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from tests.benchmarks.measure import Result, result

_IMPORT = """
import time
start = time.perf_counter()
import numpy
middle = time.perf_counter()
import p4kernel
print(middle - start, time.perf_counter() - middle)
"""

_CALLS = """
import sys, time
import p4kernel as p4

@p4.kernel
def first(a: p4.i32) -> p4.i32:
    p4.c("return a + 1;")

@p4.kernel
def second(a: p4.i32) -> p4.i32:
    p4.c("return a + 2;")

p4.use(p4.connect("sim"))
times = []
for kernel in (first, second, second):
    start = time.perf_counter()
    kernel(1)
    times.append(time.perf_counter() - start)
print(*times)
"""


_MEMORY = """
import resource
import numpy as np
import p4kernel as p4

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6

@p4.kernel
def add(x: p4.InOut[np.int32]) -> None:
    p4.c("x[0] += 1;")

x = np.zeros(16, np.int32)
add.build
before = resident()
p4.use(p4.connect("sim"))
add(x)
print(resident() / 1e3, (resident() - before) / 1e3)  # the caller counts in thousandths
"""


def _run(code: str, cache: str) -> list[float]:
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(code)
        script.flush()
        env = {**os.environ, "P4KERNEL_CACHE_DIR": cache}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # installed packages have their bytecode
        out = subprocess.run([sys.executable, script.name], env=env, check=True, capture_output=True, text=True).stdout
    return [float(word) * 1e3 for word in out.split()]


def startup(times: int) -> Iterator[Result]:
    """Milliseconds; each run is a process of its own."""
    with tempfile.TemporaryDirectory() as cache:
        rows = [_run(_IMPORT, cache) for _ in range(times)]
        yield result("import numpy and p4kernel", [numpy + own for numpy, own in rows], "ms", "under 150")
        yield result("of which p4kernel", [own for _, own in rows], "ms")
        _run(_CALLS, cache)
        warm = [_run(_CALLS, cache) for _ in range(times)]
    cold = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as empty:
            cold.append(_run(_CALLS, empty))
    if sys.platform == "linux":
        with tempfile.TemporaryDirectory() as cache:
            memory = [_run(_MEMORY, cache) for _ in range(max(times // 3, 2))]
        yield result("memory of a process that made a call on a virtual board", [row[0] for row in memory], "MB")
        yield result("of which the board and the call", [row[1] for row in memory], "MB")
    yield result("cold, first kernel of a process", [row[0] for row in cold], "ms", "under 250")
    yield result("cold, second kernel", [row[1] for row in cold], "ms", "under 150")
    yield result("from disk, first kernel of a process", [row[0] for row in warm], "ms", "under 20")
    yield result("from disk, second kernel", [row[1] for row in warm], "ms", "under 20")
    yield result("in process", [row[2] for row in warm], "ms")
