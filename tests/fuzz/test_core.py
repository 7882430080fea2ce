"""A short run of the fuzzer, and that it notices what it is for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from p4kernel.wire._tables import Status, Type
from tests.fuzz import __main__ as command
from tests.fuzz.native import CORE, SOURCES, Failure, build, compile_command, run
from tests.tools import require

# Each is a mistake that one can make in the core: file, what stands there, what would be wrong.
MISTAKES = {
    "a leak": ("p4k_call.c", "    if (call->blob && !keep) {", "    if (call->blob && !keep && call->head.buffers != 3) {"),
    "the wrong bytes": ("p4k_receive.c", "rx->h.arg + rx->have, &piece", "rx->h.arg, &piece"),
    "a bound": ("p4k_command.c", "read->size > P4K_MAX_PAYLOAD)", "read->size > 2 * P4K_MAX_PAYLOAD)"),
    "no answer": ("p4k_command.c", "        if (!p4k_quiet(k)) /*", "        if (0) /*"),
    "a deadlock": ("p4k_command.c", "            k->slots[i].status == P4K_ST_OK)", "            k->next)"),
    "a result lost": ("p4k_request.c", "p4k_finished(slot) && !before(ack, slot->seq)", "p4k_finished(slot)"),
    "run twice": ("p4k_run.c", "    p4k_finish(&k->slots[run->slot], status,", "    p4k_finish(&k->slots[0], status,"),
}  # fmt: skip


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(require("gcc"), tmp_path_factory.mktemp("fuzz"))


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By the name of its source."""
    folder = tmp_path_factory.mktemp("objects")
    subprocess.run([*compile_command(require("gcc"), ("-O1",)), "-c", *map(str, SOURCES)], check=True, cwd=folder)
    return {source.name: folder / f"{source.stem}.o" for source in SOURCES}


def test_random_sessions(sanitized: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = run(sanitized, seed=2024, frames=300_000)
    with capsys.disabled():
        print(f"\nfuzzed the core with {figures.frames} frames in {figures.sessions} sessions under ASan and UBSan")
    rare = {Status.AUTH, Status.DEAD}  # nobody says the one; few kernels cause the other
    assert set(figures.statuses) | rare == set(Status)
    board = {Type.DATA, Type.CREDIT, Type.NAK, Type.RSP, Type.LOG, Type.PENDING, Type.CALLBACK}
    assert set(figures.types) == board
    assert figures.statuses[Status.OK] > figures.frames / 10 and figures.proved > 100_000


@pytest.mark.parametrize("mistake", MISTAKES)
def test_it_finds(mistake: str, objects: dict[str, Path], tmp_path: Path) -> None:
    name, right, wrong = MISTAKES[mistake]
    text = (CORE / name).read_text()
    assert text.count(right) == 1
    (tmp_path / name).write_text(text.replace(right, wrong))
    others = [path for source, path in objects.items() if source != name]
    program = build(require("gcc"), tmp_path, ("-O1",), [tmp_path / name, *others])
    with pytest.raises(Failure) as first:
        run(program, seed=1, frames=400_000)
    assert first.value.case is not None
    with pytest.raises(Failure) as again:
        run(program, seed=1, first=first.value.case, cases=1)
    assert str(again.value) == str(first.value)


def test_command(sanitized: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "build", lambda *_: sanitized)
    done = CliRunner().invoke(command.main, ["--seed", "3", "--frames", "5000"])
    assert done.exit_code == 0 and done.output.startswith("seed 3: 5,") and "No failure" in done.output
