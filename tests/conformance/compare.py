"""One batch of functions: compiled for both sides, called with the same values, compared."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import p4kernel as p4
from p4kernel.build.toolchain import Toolchain
from p4kernel.signature.values import Record
from tests.conformance.board import OnBoard
from tests.conformance.cases import Case, Item
from tests.conformance.functions import signature
from tests.conformance.host import Host
from tests.conformance.values import flatten, make, to_array, to_python

_ALPHABET = "abc XYZ09_äß✓"


@dataclass(slots=True)
class Arguments:
    """One call: for Python, and for the host."""

    python: list[Any]
    outputs: list[tuple[Item, Any]]  # arrays that the kernel writes to
    leaves: list[int]
    texts: list[bytes | None]


def draw(rng: random.Random, case: Case) -> Arguments:
    """Random values for one call."""
    call = Arguments([], [], [], [])
    for item in case.items:
        kind = item.kind
        there = not item.optional or rng.random() < 0.6
        if item.way == "ret text":
            call.texts.append(None)
        elif item.way == "text":
            text = "".join(rng.choices(_ALPHABET, k=rng.randint(0, 12)))
            call.texts.append(text.encode())
            call.python.append(rng.choice([text, text.encode()]) if there else None)
        elif kind is not None and item.way == "value":
            tree = make(rng, kind)
            call.python.append(to_python(tree, kind))
            call.leaves += flatten(tree, kind)
        elif kind is not None and item.given:
            trees = [make(rng, kind) for _ in range(item.length)]
            array = to_array(trees, kind)
            call.python.append(array if there else None)
            if item.way in ("In", "InOut"):
                call.leaves += [leaf for tree in trees for leaf in flatten(tree, kind)]
            if item.way in ("Out", "InOut"):
                call.outputs.append((item, array if there else None))
        if item.optional:
            call.leaves.append(int(there))
    return call


def compare(case: Case, host: Host, board: OnBoard, rng: random.Random) -> None:
    """One call on both sides. AssertionError where they differ."""
    call = draw(rng, case)
    result = board.call(case, call.python)
    results = list(result) if isinstance(result, tuple) else []
    got: list[int] = []
    texts: list[bytes] = []
    unread = 0  # leaves of outputs that were not passed
    checks: list[tuple[int, int]] = []
    if case.return_kind is not None:
        got += flatten(results.pop(0), case.return_kind)
    arrays = {item.name: array for item, array in call.outputs}
    for item in case.items:
        kind = item.kind
        if item.way == "ret text":
            texts.append(results.pop(0))
        elif kind is None or item.way in ("value", "In"):
            continue
        elif item.way == "ret":
            got += flatten(results.pop(0), kind)
        else:
            array = arrays[item.name] if item.given else results.pop(0)
            if array is None:
                size = item.length * _leaves(kind)
                checks.append((len(got), len(got) + size))
                got += [0] * size
                unread += size
                continue
            assert array.shape == (item.length,), f"{case.name}: {item.name} has shape {array.shape}"
            for i in range(item.length):
                element = array[i] if isinstance(kind, Record) else array[i].item()
                got += flatten(element, kind)
    want, written = host.call(case, call.leaves, call.texts, len(got))
    for first, last in checks:
        want[first:last] = [0] * (last - first)
    assert not results, f"{case.name}: {len(results)} results too many"
    stub = signature(case).prototype
    assert texts == written, f"{stub}\nwith {call.python}: texts {texts}, on the host {written}"
    assert got == want, f"{stub}\nwith {call.python}:\n{[hex(x) for x in got]}, on the host\n{[hex(x) for x in want]}"


def _leaves(kind: Any) -> int:
    return len(flatten(make(random.Random(0), kind), kind))


def run_batch(
    cases: Sequence[Case], chain: Toolchain, opt: str, compiler: str, folder: Path, rng: random.Random, calls: int
) -> int:
    """Compares ``calls`` calls of each function. Returns how many were made."""
    board = p4.connect("sim?psram=8M")
    try:
        host = Host(cases, compiler, folder)
        on_board = OnBoard(cases, chain, opt, board)
        for case in cases:
            for _ in range(calls):
                compare(case, host, on_board, rng)
    finally:
        board.close()
    return calls * len(cases)
