"""What analysers say about the core: nothing. And how deep its stack is on the chip."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.firmware.callgraph import Graph
from tests.firmware.machine import CORE
from tests.firmware.test_build import CHIP, SOURCES, STRICT
from tests.tools import require

TIDY = [
    "-*",
    "bugprone-*",
    "cert-*",
    "clang-analyzer-core*",
    "clang-analyzer-unix*",
    "misc-*",
    "performance-*",
    "portability-*",
    "readability-misleading-indentation",
    "readability-non-const-parameter",
    "-bugprone-easily-swappable-parameters",  # address, size: their order is the same everywhere
]
MOST_STACK = 1024  # bytes of p4k_poll and all that it calls, without the port
ROOTS = ("p4k_poll", "p4k_link_down", "p4k_init")


def test_gcc_analyzer(tmp_path: Path) -> None:
    gcc = require("gcc")
    flags = ["-std=c11", "-O1", "-fanalyzer", "-Wall", "-Wextra", "-Werror"]
    done = subprocess.run([gcc, *flags, "-c", *map(str, SOURCES)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.o"))) == len(SOURCES)


def test_gcc_analyzer_would_find_something(tmp_path: Path) -> None:
    gcc = require("gcc")
    text = (CORE / "p4k_reply.c").read_text()
    right = "return call ? results(k, call, p) : 0;"
    assert right in text
    (tmp_path / "p4k_reply.c").write_text(text.replace(right, "return results(k, call, p);"))
    command = [gcc, "-std=c11", "-O1", "-fanalyzer", f"-I{CORE}", "-c", "p4k_reply.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "dereference of NULL" in done.stderr


def test_clang_tidy() -> None:
    tidy = require("clang-tidy-14")
    command = [tidy, "--quiet", "--warnings-as-errors=*", f"--checks={','.join(TIDY)}", *map(str, SOURCES)]
    done = subprocess.run([*command, "--", "-std=c11"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gcc = require("riscv64-unknown-elf-gcc")
    command = [gcc, *STRICT, *CHIP, "-fcallgraph-info=su", "-c", *map(str, SOURCES)]
    subprocess.run(command, check=True, cwd=tmp_path)
    graph = Graph.read(tmp_path.glob("*.ci"))
    # Nothing is called that the walk does not know: all else are functions of the port and the three of libc.
    assert not {name for name in graph.leaves if not name.startswith("p4k_")} - {"memcpy", "memset", "memcmp"}
    with capsys.disabled():
        print()
        for root in ROOTS:
            depth, path = graph.deepest(root)
            steps = " > ".join(f"{name.rsplit(':', 1)[-1]} {graph.frames[name]}" for name in path)
            print(f"stack of {root} for riscv32, gcc -Os: {depth} bytes and the port's; deepest: {steps}")
            assert 0 < depth <= MOST_STACK


def test_stack_of_a_recursion_is_refused() -> None:
    graph = Graph({"a": 16, "b": 32, "c": 8}, {"a": {"b"}, "b": {"c", "memcpy"}})
    assert graph.deepest("a") == (56, ["a", "b", "c"]) and graph.leaves == {"memcpy"}
    graph.calls["c"] = {"a"}
    with pytest.raises(ValueError, match="recursion: a > b > c > a"):
        graph.deepest("a")
