"""The cache: found again when nothing changed, and never believed when something did."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from p4kernel import _resources
from p4kernel import build as b
from p4kernel.build import Built, Options, Source, Toolchain, Unit, cache
from p4kernel.build._stored import pack, unpack
from p4kernel.errors import CompileError, Error
from tests.build.make import PRELUDE, built, c

ROOT = Path(__file__).parents[2]
SOURCE = c("extern int outside;\nint entry(int x) { int unused; return x + outside; }")


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("??/*.p4k"))


def again(source: Source, chain: Toolchain, *flags: str, opt: str = "O2", fp_contract: str = "fast") -> Built:
    """As a new process would."""
    b.forget()
    return b.build(source, Options(opt, flags, fp_contract), chain)


def test_layers(chain: Toolchain, own_cache: Path) -> None:
    first = built(SOURCE, chain)
    assert first.from_cache == "built"
    assert first.compile_seconds > 0
    assert first.link_seconds > 0
    second = built(SOURCE, chain)
    third = again(SOURCE, chain)
    assert (second.from_cache, third.from_cache) == ("memory", "disk")
    assert third.compile_seconds == third.link_seconds == 0
    for other in (second, third):
        assert (other.image, other.elf, other.warnings) == (first.image, first.elf, first.warnings)
        assert other.image.sha256 == first.image.sha256
    assert len(first.warnings) == 1
    assert again(c("int entry(void) { return 3; }"), chain).from_cache == "built"


def test_what_changes_the_key(zig: Toolchain) -> None:
    again(SOURCE, zig)
    (unit,) = SOURCE.units
    assert again(SOURCE, zig).from_cache == "disk"
    assert again(SOURCE, zig, opt="O1").from_cache == "built"
    assert again(SOURCE, zig, fp_contract="off").from_cache == "built"
    assert again(SOURCE, zig, "-DX=1").from_cache == "built"
    assert again(Source((Unit("other.c", unit.text),), "entry"), zig).from_cache == "built"
    assert again(Source((unit, Unit("more.c", "int more;")), "entry"), zig).from_cache == "built"
    assert again(c("int f(int x) { return x; } int entry(int x) { return x; }", "f"), zig).from_cache == "built"
    assert again(c("int f(int x) { return x; } int entry(int x) { return x; }"), zig).from_cache == "built"


def test_compilers_do_not_mix(zig: Toolchain, gcc: Toolchain) -> None:
    one, other = again(SOURCE, zig), again(SOURCE, gcc)
    assert (one.from_cache, other.from_cache) == ("built", "built")
    assert again(SOURCE, zig).elf == one.elf != other.elf == again(SOURCE, gcc).elf


def test_validation_only_before_a_build(zig: Toolchain) -> None:
    calls: list[int] = []
    for wanted in (1, 1, 1):
        b.build(SOURCE, chain=zig, validate=lambda: calls.append(1))
        assert len(calls) == wanted
    b.forget()
    b.build(SOURCE, chain=zig, validate=lambda: calls.append(1))
    assert len(calls) == 1
    uncached = Source((Unit("k.S", '    .globl entry\nentry: ret\n    .incbin "/dev/null"\n', "asm"),), "entry")
    for _ in range(2):
        b.build(uncached, chain=zig, validate=lambda: calls.append(1))
    assert len(calls) == 3


def _age(path: Path) -> None:
    """A file that was written a moment before a build is not trusted: it may change in the same tick of the clock."""
    os.utime(path, (time.time() - 60, time.time() - 60))


def test_a_header_of_the_user(chain: Toolchain, tmp_path: Path) -> None:
    folder = tmp_path / "my headers $1#"
    folder.mkdir()
    header = folder / "value.h"
    inner = folder / "inner.h"
    source = c('#include "value.h"\nint entry(void) { return VALUE; }')
    images = []
    for value in (1, 2):
        inner.write_text(f"#define VALUE {value}\n")
        header.write_text('#include "inner.h"\n')
        _age(inner)
        _age(header)
        result = again(source, chain, f"-I{folder}")
        assert result.from_cache == "built"
        images.append(result.image.data)
        assert built(source, chain, f"-I{folder}").from_cache == "memory"
        os.utime(header)
        assert again(source, chain, f"-I{folder}").from_cache == "disk"
    assert images[0] != images[1]
    inner.write_text("#define VALUE 1\n")
    assert built(source, chain, f"-I{folder}").image.data == images[0]
    inner.unlink()
    with pytest.raises(CompileError, match=r"inner\.h"):
        built(source, chain, f"-I{folder}")


def test_a_header_that_is_being_edited(zig: Toolchain, tmp_path: Path, own_cache: Path) -> None:
    header = tmp_path / "value.h"
    header.write_text("#define VALUE 1\n")
    future = time.time() + 60
    os.utime(header, (future, future))
    source = c('#include "value.h"\nint entry(void) { return VALUE; }')
    assert [again(source, zig, f"-I{tmp_path}").from_cache for _ in range(2)] == ["built", "built"]
    assert entries(own_cache) == []


def test_our_own_headers(zig: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    include = tmp_path / "stubs" / "include"
    shutil.copytree(_resources.stubs() / "include", include)
    monkeypatch.setattr(_resources, "stubs", lambda: tmp_path / "stubs")
    assert again(SOURCE, zig).from_cache == "built"
    assert again(SOURCE, zig).from_cache == "disk"
    (include / "string.h").write_text((include / "string.h").read_text() + "/* changed */\n")
    assert again(SOURCE, zig).from_cache == "built"
    (include / "new.h").write_text("")
    assert again(SOURCE, zig).from_cache == "built"


@pytest.mark.parametrize("directive", ['.incbin "{}"', '.include "{}"', ".include FILE"])
def test_files_that_only_the_assembler_sees(directive: str, zig: Toolchain, tmp_path: Path) -> None:
    data = tmp_path / "data.inc"
    text = f'#define FILE "{data}"\n    .globl entry\nentry:\n    {directive.format(data)}\n    ret\n'
    source = Source((Unit("kernel.S", text, "asm"),), "entry")
    for content in ("    ", "\t\t\t\t"):
        data.write_text(content)
        assert again(source, zig).from_cache == "built"
    header = tmp_path / "hidden.h"
    header.write_text(f'__asm__(".include \\"{data}\\"");\n')
    _age(header)
    hidden = c('#include "hidden.h"\nint entry(void) { return 0; }')
    assert [again(hidden, zig, f"-I{tmp_path}").from_cache for _ in range(2)] == ["built", "built"]


def _truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def _future(data: bytes) -> bytes:
    return data[:8] + (99).to_bytes(4, "little") + data[12:]


def _other_content(data: bytes) -> bytes:
    payload = b"\0" * 100
    return data[:12] + hashlib.sha256(payload).digest() + payload


@pytest.mark.parametrize(
    "damage", [_truncated, _flipped, _future, _other_content, lambda data: b"", lambda data: os.urandom(5000)]
)
def test_damaged_entries(damage: Callable[[bytes], bytes], zig: Toolchain, own_cache: Path) -> None:
    image = again(SOURCE, zig).image
    (entry,) = entries(own_cache)
    good = entry.read_bytes()
    entry.write_bytes(damage(good))
    result = again(SOURCE, zig)
    assert (result.from_cache, result.image) == ("built", image)
    assert entry.read_bytes() == good
    assert again(SOURCE, zig).from_cache == "disk"


def test_every_cut_is_a_miss(zig: Toolchain, own_cache: Path) -> None:
    built(SOURCE, zig)
    (entry,) = entries(own_cache)
    payload = cache.get_blob(entry.parent.name + entry.stem)
    assert payload is not None
    stored = unpack(payload)
    assert stored is not None
    assert pack(stored) == payload
    for size in [*range(64), *range(64, len(payload), 97)]:
        assert unpack(payload[:size]) is None
    for place in range(12, 400):
        unpack(payload[:place] + b"\xff" + payload[place + 1 :])


SCRIPT = """
    import sys
    from p4kernel.build import Options, Source, Unit, build
    for number in range(3):
        unit = Unit("kernel.c", f"int entry(int x) {{ return x + {number}; }}")
        result = build(Source((unit,), "entry"))
        print(result.from_cache, result.image.sha256.hex())
"""


def test_processes_at_once(own_cache: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)
    ]
    finished = [process.communicate() for process in running]
    assert [error for _, error in finished] == [""] * 6
    results = [out.split() for out, _ in finished]
    assert len({tuple(words[1::2]) for words in results}) == 1
    assert len(set(results[0][1::2])) == 3
    last = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert last.stdout.split()[::2] == ["disk"] * 3
    assert list(own_cache.rglob("*.tmp")) == []


def test_threads_at_once(zig: Toolchain) -> None:
    sources = [c(f"int entry(int x) {{ return x + {number % 3}; }}") for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        images = [result.image for result in pool.map(lambda source: built(source, zig), sources)]
    assert images[:3] * 4 == images
    assert len({image.sha256 for image in images}) == 3


def test_a_warm_start_is_light(own_cache: Path) -> None:
    """Found on disk: no program is started, nothing heavy is imported."""
    script = """
        import sys
        import p4kernel.build as b
        before = set(sys.modules)
        result = b.build(b.Source((b.Unit("kernel.c", "int entry(void) { return 5; }"),), "entry"))
        print(result.from_cache, *sorted(set(sys.modules) - before))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    cold, warm = (
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split() for _ in range(2)
    )
    assert cold[0] == "built"
    assert "subprocess" in cold
    assert warm == ["disk"]


def test_a_folder_that_cannot_be_written(zig: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("P4KERNEL_CACHE_DIR", str(blocker / "cache"))
    with pytest.warns(RuntimeWarning, match=r"cache cannot be written.*P4KERNEL_CACHE_DIR"):
        assert again(SOURCE, zig).from_cache == "built"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once
        assert again(SOURCE, zig).from_cache == "built"
    assert built(SOURCE, zig).from_cache == "memory"
    assert str(blocker) in str(cache.show().problem)


def test_a_full_disk(zig: Toolchain, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        assert again(SOURCE, zig).from_cache == "built"
    assert list(own_cache.rglob("*.*")) == []


def test_a_read_only_folder_is_still_read(zig: Toolchain, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions do not bind root, so what they would refuse is refused here."""
    again(SOURCE, zig)
    _age(entries(own_cache)[0])
    monkeypatch.setattr(cache, "_TOUCH_SECONDS", 0.0)

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "utime", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert again(SOURCE, zig).from_cache == "disk"


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def test_the_least_recently_used_goes(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4KERNEL_CACHE_SIZE", "100k")
    for number in range(9):
        cache.put_blob(key(number), bytes(10_000))
        path = own_cache / key(number)[:2] / f"{key(number)[2:]}.p4k"
        stamp = time.time() - 10_000 + 100 * number
        os.utime(path, (stamp, stamp))
    assert cache.get_blob(key(0)) == bytes(10_000)  # used now, so no longer the oldest
    for number in range(9, 12):
        cache.put_blob(key(number), bytes(10_000))
    assert cache.show().size <= 100 << 10
    assert cache.get_blob(key(0)) is not None
    assert cache.get_blob(key(11)) is not None
    assert cache.get_blob(key(1)) is None


def test_size_stays_bounded(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4KERNEL_CACHE_SIZE", "50000")
    for number in range(200):
        cache.put_blob(key(number), bytes(1000))
        assert sum(path.stat().st_size for path in entries(own_cache)) <= 50000


def test_left_over_temporary_files(own_cache: Path) -> None:
    cache.put_blob(key(1), b"x")
    old = own_cache / key(1)[:2] / "something.tmp"
    new = own_cache / key(1)[:2] / "other.tmp"
    for path in (old, new):
        path.write_text("")
    os.utime(old, (0, 0))
    assert cache.show().entries == 1
    assert not old.exists()
    assert new.exists()


def test_show_and_clear(zig: Toolchain, own_cache: Path) -> None:
    assert (cache.show().entries, cache.show().size, cache.clear()) == (0, 0, 0)
    again(SOURCE, zig)
    again(SOURCE, zig)
    shown = cache.show()
    assert shown.folder == str(own_cache)
    assert shown.limit == 256 << 20
    assert shown.problem is None
    assert (shown.entries, shown.hits, shown.misses) == (1, 1, 1)
    assert shown.size == entries(own_cache)[0].stat().st_size
    (own_cache / "notes.txt").write_text("not ours")
    assert cache.clear() == 1
    assert cache.show().entries == 0
    assert (own_cache / "notes.txt").exists()


@pytest.mark.parametrize(
    ("text", "size"), [("12345", 12345), ("64k", 65536), ("3M", 3 << 20), ("1g", 1 << 30), ("0", 0)]
)
def test_sizes(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4KERNEL_CACHE_SIZE", text)
    assert cache.show().limit == size


@pytest.mark.parametrize("text", ["big", "-5", "1.5G", "5T", "m"])
def test_no_size(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4KERNEL_CACHE_SIZE", text)
    with pytest.raises(Error, match="P4KERNEL_CACHE_SIZE"):
        cache.show()


def test_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import platformdirs

    monkeypatch.delenv("P4KERNEL_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == platformdirs.user_cache_dir("p4kernel", appauthor=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == platformdirs.user_cache_dir("p4kernel", appauthor=False)


def test_memory_is_bounded(zig: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(b, "_MEMORY_ENTRIES", 2)
    sources = [Source((Unit("kernel.c", f"{PRELUDE}int entry(void) {{ return {i}; }}"),), "entry") for i in range(3)]
    for source in sources:
        built(source, zig)
    assert [built(source, zig).from_cache for source in (sources[2], sources[1], sources[0])] == [
        "memory", "memory", "disk",
    ]  # fmt: skip
