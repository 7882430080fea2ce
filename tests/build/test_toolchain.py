"""Which compiler is found, in which order, and what is said when there is none."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from p4kernel.build import Toolchain, _process
from p4kernel.build.toolchain import Candidate, all_found, find
from p4kernel.errors import ToolchainError
from tests.build.conftest import toolchain_named
from tests.build.make import built, c
from tests.tools import ZIG, require

SOURCE = c("extern int outside;\nint entry(int x) { return x * 3 + outside; }")


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def forward(path: Path, program: str) -> Path:
    return script(path, f'exec "{program}" "$@"')


@pytest.fixture
def real_gcc() -> str:
    return require("riscv64-unknown-elf-gcc")


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any compiler; a folder that is all of PATH."""
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("IDF_TOOLS_PATH", str(tmp_path / "idf"))
    monkeypatch.delenv("P4KERNEL_CC", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    return path


def put_zig(folder: Path) -> None:
    (folder / "site").mkdir()
    (folder / "site" / "ziglang").symlink_to(ZIG.parent)


def test_none(nothing: Path) -> None:
    with pytest.raises(ToolchainError, match=r"pip install 'p4kernel\[zig\]'.*riscv32-esp-elf-gcc.*P4KERNEL_CC"):
        find()
    assert [(item.name, item.toolchain, item.version) for item in all_found()] == [
        (name, None, None) for name in ("riscv32-esp-elf-gcc", "ziglang", "riscv64-unknown-elf-gcc")
    ]
    assert "p4kernel[zig]" in str(all_found()[1].problem)
    assert "ESP-IDF" in str(all_found()[0].problem)


def test_order(real_gcc: str, nothing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = []
    forward(nothing / "riscv64-unknown-elf-gcc", real_gcc)
    order.append(find().name)
    put_zig(tmp_path)
    order.append(find().name)
    idf = tmp_path / "idf" / "tools" / "riscv32-esp-elf"
    for version in ("esp-13.2.0_20240530", "esp-8.4.0", "esp-14.2.0_20241119"):
        forward(idf / version / "riscv32-esp-elf" / "bin" / "riscv32-esp-elf-gcc", real_gcc)
    order.append(find().name)
    assert "esp-14.2.0_20241119" in find().compiler[0]
    forward(nothing / "riscv32-esp-elf-gcc", real_gcc)
    order.append(find().name)
    assert find().compiler == (str(nothing / "riscv32-esp-elf-gcc"),)
    monkeypatch.setenv("P4KERNEL_CC", "riscv64-unknown-elf-gcc")
    order.append(find().name)
    assert order == ["riscv64-unknown-elf-gcc", "ziglang", "riscv32-esp-elf-gcc", "riscv32-esp-elf-gcc", "P4KERNEL_CC"]


def test_espressifs_compiler(real_gcc: str, nothing: Path, own_cache: Path) -> None:
    """The code path of riscv32-esp-elf-gcc, with another GCC under its name."""
    forward(nothing / "riscv32-esp-elf-gcc", real_gcc)
    result = built(SOURCE, find())
    assert result.image == built(SOURCE, toolchain_named(real_gcc)).image


def test_plain_clang(nothing: Path, zig: Toolchain) -> None:
    """A clang with its ld.lld, which are zig's here."""
    resource = ZIG.parent / "lib"
    clang = script(
        nothing / "clang-19",
        f'case "$1" in -print-resource-dir) echo "{resource}";; -print-prog-name=*) echo "{nothing}/ld.lld";; '
        f'*) exec "{ZIG}" clang "$@";; esac',
    )
    with pytest.raises(ToolchainError, match=r"clang-19 has no ld\.lld"):
        toolchain_named(str(clang))
    script(nothing / "ld.lld", f'exec "{ZIG}" ld.lld "$@"')
    found = toolchain_named("clang-19")
    assert found.family == "clang"
    assert found.linker == (str(nothing / "ld.lld"),)
    assert built(SOURCE, found).image == built(SOURCE, zig).image


def test_several_words(nothing: Path, zig: Toolchain) -> None:
    """A launcher before the compiler, as ccache is."""
    log = nothing / "log"
    script(nothing / "launcher", f'echo "$2" >> "{log}"\nexec "$@"')
    found = toolchain_named(f"launcher '{ZIG}'")
    assert found.compiler == (str(nothing / "launcher"), str(ZIG), "clang")
    assert built(SOURCE, found).image == built(SOURCE, zig).image
    assert log.read_text().split() == ["clang", "ld.lld"]


def test_a_path_with_spaces(tmp_path: Path, zig: Toolchain) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "zig").symlink_to(ZIG)
    assert built(SOURCE, toolchain_named(f"{folder}/zig")).image == built(SOURCE, zig).image


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("nothere-gcc", "P4KERNEL_CC: there is no program nothere-gcc"),
        ("/nothere/zig", "there is no program /nothere/zig"),
        ("/bin/sh", "sh is none of gcc, clang and zig"),
    ],
)
def test_a_bad_name(words: str, message: str) -> None:
    """Never replaced by another compiler in silence."""
    with pytest.raises(ToolchainError, match=message):
        toolchain_named(words)


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("exit 3", "-dumpversion failed"),
        ("echo 10.2.0", "GCC 10.2.0; 11 is the oldest"),
        ('case "$1" in -dumpversion) echo 12;; -print-prog-name=*) echo cc1;; esac', "has no cc1"),
    ],
)
def test_broken_compilers(behaviour: str, message: str, nothing: Path, tmp_path: Path) -> None:
    broken = script(nothing / "riscv32-esp-elf-gcc", behaviour)
    with pytest.raises(ToolchainError, match=f"no compiler.*{message}"):
        find()
    put_zig(tmp_path)
    assert find().name == "ziglang"
    (candidate, *_) = all_found()
    assert (candidate.path, candidate.toolchain) == (str(broken), None)
    assert candidate.problem is not None


def test_a_program_that_cannot_be_started(nothing: Path) -> None:
    broken = nothing / "my-gcc"
    broken.write_bytes(b"\x7fELFnonsense")
    broken.chmod(0o755)
    with pytest.raises(ToolchainError, match=r"cannot run .*my-gcc"):
        toolchain_named("my-gcc")


def test_doctor_tries_them(real_gcc: str, nothing: Path, tmp_path: Path) -> None:
    put_zig(tmp_path)
    forward(nothing / "riscv64-unknown-elf-gcc", real_gcc)
    script(
        nothing / "riscv32-esp-elf-gcc", f'case "$*" in *-c*) echo kernel: oops; exit 1;; esac\nexec {real_gcc} "$@"'
    )
    esp, zig, gcc = all_found()
    assert esp.toolchain is None
    assert "oops" in str(esp.problem)
    assert "12" in str(esp.version)
    assert zig.toolchain is not None
    assert zig.problem is None
    assert str(zig.version).count(".") >= 2
    assert gcc.toolchain is not None
    assert "riscv64-unknown-elf-gcc" in str(gcc.version)
    assert isinstance(gcc, Candidate)


def test_a_compiler_upgraded_in_place(real_gcc: str, nothing: Path) -> None:
    path = forward(nothing / "riscv64-unknown-elf-gcc", real_gcc)
    before = find()
    assert built(SOURCE, before).from_cache == "built"
    assert find() == before
    assert built(SOURCE, find()).from_cache == "memory"
    forward(path, f"{real_gcc}")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    after = find()
    assert after.identity != before.identity
    assert built(SOURCE, after).from_cache == "built"


def test_a_part_upgraded_in_place(real_gcc: str, nothing: Path) -> None:
    """GCC's driver may stay the same file while cc1, as or ld is another."""
    linker = forward(nothing / "my-ld", toolchain_named(real_gcc).linker[0])
    script(
        nothing / "riscv64-unknown-elf-gcc",
        f'case "$1" in -print-prog-name=ld) echo "{linker}";; *) exec "{real_gcc}" "$@";; esac',
    )
    before = find()
    assert before.linker == (str(linker),)
    os.utime(linker, (1_000_000_000, 1_000_000_000))
    assert find().identity != before.identity


def test_facts_are_asked_for_once(real_gcc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = toolchain_named(real_gcc)

    def refuse(jobs: object) -> list[_process.Done]:
        raise AssertionError("a program was run")

    monkeypatch.setattr(_process, "run", refuse)
    assert toolchain_named(real_gcc) == before


def test_facts_that_are_no_more_are_asked_for_again(real_gcc: str, nothing: Path, tmp_path: Path) -> None:
    linker = nothing / "old-ld"
    answer = nothing / "answer"
    real = toolchain_named(real_gcc).linker[0]
    forward(linker, real)
    answer.write_text(str(linker))
    script(
        nothing / "riscv64-unknown-elf-gcc",
        f'case "$1" in -print-prog-name=ld) /bin/cat "{answer}";; *) exec "{real_gcc}" "$@";; esac',
    )
    assert find().linker == (str(linker),)
    linker.rename(nothing / "new-ld")
    answer.write_text(str(nothing / "new-ld"))
    assert find().linker == (str(nothing / "new-ld"),)


def test_zig_without_its_headers(nothing: Path) -> None:
    (nothing / "zig").write_bytes(b"")
    (nothing / "zig").chmod(0o755)
    with pytest.raises(ToolchainError, match="no lib/include beside it"):
        toolchain_named("zig")


def test_messages_of_side_by_side_runs(tmp_path: Path) -> None:
    jobs = [_process.Job(("/bin/sh", "-c", f"echo {n}; echo e{n} >&2; exit {n}"), str(tmp_path)) for n in range(3)]
    assert _process.run(jobs) == [(n, f"{n}\ne{n}\n") for n in range(3)]
