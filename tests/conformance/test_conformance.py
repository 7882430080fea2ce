"""A part of the comparison that fits the suite: two hundred functions with each compiler."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from p4kernel.build.toolchain import Toolchain
from tests.build.conftest import toolchain_named
from tests.conformance import host
from tests.conformance.cases import Case, draw, from_hints, systematic
from tests.conformance.compare import run_batch
from tests.conformance.pool import random_struct
from tests.tools import ZIG, require


@pytest.fixture(params=["zig", "gcc"])
def chain(request: pytest.FixtureRequest) -> Toolchain:
    return toolchain_named(f"'{ZIG if request.param == 'zig' else require('riscv64-unknown-elf-gcc')}'")


def batch(seed: int, sampled: int, drawn: int) -> list[Case]:
    rng = random.Random(seed)
    signatures = rng.sample(list(systematic()), sampled)
    structs = [random_struct(rng, f"S{i}") for i in range(12)]
    cases = [from_hints(f"f{i}", hints, returns) for i, (hints, returns) in enumerate(signatures)]
    return cases + [draw(rng, f"g{i}", structs) for i in range(drawn)]


def test_same_results_as_on_the_host(chain: Toolchain, tmp_path: Path) -> None:
    seed = 5 if chain.family == "clang" else 6
    assert run_batch(batch(seed, 80, 60), chain, "O2", require("cc"), tmp_path, random.Random(seed), 3) == 420


def test_a_difference_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host is given other values in one leaf of one call: the comparison must say so."""
    call = host.Host.call

    def bent(self: host.Host, case: Case, leaves: list[int], texts: list[bytes | None], count: int) -> object:
        return call(self, case, [leaves[0] ^ 1, *leaves[1:]], texts, count)

    monkeypatch.setattr(host.Host, "call", bent)
    hints, returns = next(iter(systematic()))
    case = from_hints("f", [*hints, *hints], returns)
    with pytest.raises(AssertionError, match="on the host"):
        run_batch([case], toolchain_named(f"'{ZIG}'"), "O2", require("cc"), tmp_path, random.Random(1), 8)
