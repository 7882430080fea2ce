"""Finding a compiler and linker for the ESP32-P4.

Nothing here runs a program when the facts about a toolchain are already known: what identifies one is the path, size
and time of its binaries.
"""

# Paths are strings in this module, as it runs at every warm start.
# ruff: noqa: PTH100, PTH111, PTH112, PTH113, PTH116, PTH117, PTH118, PTH119, PTH120, PTH208

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from p4kernel.build import cache
from p4kernel.errors import ToolchainError

__all__ = ["Candidate", "Toolchain", "all_found", "find"]

_OLDEST_GCC: Final = 11  # the first that knows zicsr and zifencei
_EXE: Final = ".exe" if os.name == "nt" else ""
HOW_TO_GET_ONE: Final = (
    "pip install 'p4kernel[zig]' gets one; ESP-IDF's riscv32-esp-elf-gcc and riscv64-unknown-elf-gcc (a package of "
    "most Linux distributions) work too; P4KERNEL_CC names one that is elsewhere"
)


class Toolchain(NamedTuple):
    """A compiler and its linker, ready to be called."""

    name: str
    """How it was found: "ziglang", "riscv32-esp-elf-gcc", "riscv64-unknown-elf-gcc" or "P4KERNEL_CC"."""
    family: Literal["clang", "gcc"]
    compiler: tuple[str, ...]
    linker: tuple[str, ...]
    includes: tuple[str, ...]
    """Folders of the compiler's own headers (stdint.h, stddef.h ...)."""
    identity: str
    """Changes when a binary does."""


class Candidate(NamedTuple):
    """A toolchain that may be there, for ``p4kernel doctor``."""

    name: str
    path: str | None
    toolchain: Toolchain | None
    version: str | None
    problem: str | None
    """Why it cannot be used, and what to do about it."""


class _Place(NamedTuple):
    """A compiler's command line, found but not examined. For zig it ends in the program, not in "clang"."""

    name: str
    kind: Literal["zig", "clang", "gcc"]
    words: tuple[str, ...]


def find() -> Toolchain:
    """The first usable toolchain of: P4KERNEL_CC, riscv32-esp-elf-gcc, ziglang, riscv64-unknown-elf-gcc.

    ToolchainError if there is none, or if P4KERNEL_CC names one that is not usable.
    """
    problems = []
    for place in _places():
        if isinstance(place, _Place):
            try:
                return _examine(place)
            except ToolchainError as error:
                if place.name == "P4KERNEL_CC":
                    raise
                problems.append(str(error))
        elif place.name == "P4KERNEL_CC":
            raise ToolchainError(f"P4KERNEL_CC: {place.problem}")
    found = "; ".join(problems)
    raise ToolchainError(f"no compiler for the ESP32-P4 was found{f' ({found})' if found else ''}: {HOW_TO_GET_ONE}")


def all_found() -> list[Candidate]:
    """Every candidate in the order of ``find``, each tried on a small program, with its version or what is wrong."""
    return [_try(place) if isinstance(place, _Place) else place for place in _places()]


def _places() -> Iterator[_Place | Candidate]:
    named = os.environ.get("P4KERNEL_CC", "").strip()
    if named:
        yield _named(named)
    yield _gcc("riscv32-esp-elf-gcc", _which("riscv32-esp-elf-gcc") or _in_idf_tools())
    yield _zig()
    yield _gcc("riscv64-unknown-elf-gcc", _which("riscv64-unknown-elf-gcc"))


def _absent(name: str, problem: str) -> Candidate:
    return Candidate(name, None, None, None, problem)


def _named(text: str) -> _Place | Candidate:
    # A path with spaces in it is one word, if there is such a file.
    words = (text,) if os.path.isfile(text) else tuple(_split(text))
    first = _which(words[0])
    if first is None:
        return _absent("P4KERNEL_CC", f"there is no program {words[0]}")
    words = (first, *words[1:])
    tool = os.path.basename(words[-1])
    if re.fullmatch(r"zig(\.exe)?", tool):
        return _Place("P4KERNEL_CC", "zig", words)
    if "clang" in tool:
        return _Place("P4KERNEL_CC", "clang", words)
    if "gcc" in tool:
        return _Place("P4KERNEL_CC", "gcc", words)
    return _absent("P4KERNEL_CC", f"{tool} is none of gcc, clang and zig, going by its name")


def _split(text: str) -> list[str]:
    import shlex

    return shlex.split(text, posix=os.name != "nt")


def _zig() -> _Place | Candidate:
    # Looked for without importing it: its __init__ may do anything, and only the path is needed.
    for folder in sys.path:
        zig = os.path.join(folder, "ziglang", "zig" + _EXE)
        if os.path.isfile(zig):
            return _Place("ziglang", "zig", (zig,))
    return _absent("ziglang", "not installed: pip install 'p4kernel[zig]'")


def _gcc(name: str, path: str | None) -> _Place | Candidate:
    if path is not None:
        return _Place(name, "gcc", (path,))
    where = " or under ESP-IDF's tools folder" if "esp" in name else ""
    return _absent(name, f"not on PATH{where}")


def _in_idf_tools() -> str | None:
    tools = os.environ.get("IDF_TOOLS_PATH") or os.path.join(os.path.expanduser("~"), ".espressif")
    folder = os.path.join(tools, "tools", "riscv32-esp-elf")
    try:
        versions = os.listdir(folder)
    except OSError:
        return None
    for version in sorted(versions, key=_natural, reverse=True):
        path = os.path.join(folder, version, "riscv32-esp-elf", "bin", "riscv32-esp-elf-gcc" + _EXE)
        if os.path.isfile(path):
            return path
    return None


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def _which(name: str) -> str | None:
    """As shutil.which, whose import alone costs more than the whole look-up."""
    if os.path.dirname(name):
        path = os.path.abspath(name)
        return path if os.path.isfile(path) and os.access(path, os.X_OK) else None
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for ending in {"", _EXE}:
            path = os.path.join(folder, name + ending)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def _stat(path: str) -> str:
    """What tells a binary from its successor at the same place."""
    real = os.path.realpath(path)
    status = os.stat(real)
    return f"{real}\0{status.st_size}\0{status.st_mtime_ns}"


def _identity(words: tuple[str, ...], programs: tuple[str, ...]) -> str:
    try:
        text = "\0".join([*words, *map(_stat, programs)])
    except OSError as error:
        raise ToolchainError(f"{error.filename}: {error.strerror}") from None
    return hashlib.sha256(text.encode()).hexdigest()


def _examine(place: _Place) -> Toolchain:
    if place.kind == "zig":
        # Its linker and headers are where they always are, and its identity is that of one file: nothing to ask.
        include = os.path.join(os.path.dirname(os.path.realpath(place.words[-1])), "lib", "include")
        if not os.path.isdir(include):
            raise ToolchainError(f"{place.words[-1]} has no lib/include beside it")
        compiler, linker = (*place.words, "clang"), (*place.words, "ld.lld")
        return Toolchain(place.name, "clang", compiler, linker, (include,), _identity(place.words, place.words))
    facts = _facts(place)
    programs = (place.words[0], *facts.programs)
    return Toolchain(
        place.name, place.kind, place.words, (facts.linker,), facts.includes, _identity(place.words, programs)
    )


class _Facts(NamedTuple):
    """What only the compiler itself knows: kept in the cache, as asking costs several runs of it."""

    linker: str
    programs: tuple[str, ...]
    includes: tuple[str, ...]


def _facts(place: _Place) -> _Facts:
    key = hashlib.sha256(f"facts\0{_identity(place.words, place.words[:1])}".encode()).hexdigest()
    text = cache.get_blob(key)
    if text is not None:
        linker, programs, includes = text.decode().split("\n")
        facts = _Facts(linker, tuple(programs.split("\0")), tuple(includes.split("\0")))
        if all(map(os.path.exists, (*facts.programs, *facts.includes))):
            return facts
    facts = _ask_gcc(place) if place.kind == "gcc" else _ask_clang(place)
    lines = (facts.linker, "\0".join(facts.programs), "\0".join(facts.includes))
    cache.put_blob(key, "\n".join(lines).encode())
    return facts


def _ask_gcc(place: _Place) -> _Facts:
    version = _ask(place, "-dumpversion")
    if version.partition(".")[0].isdigit() and int(version.partition(".")[0]) < _OLDEST_GCC:
        raise ToolchainError(f"{place.words[-1]} is GCC {version}; {_OLDEST_GCC} is the oldest that p4kernel can use")
    programs = []
    for name in ("cc1", "as", "ld"):
        path = _ask(place, f"-print-prog-name={name}")
        # A bare name means that GCC has none of its own, and would take the host's.
        found = _which(path) if os.path.isabs(path) else None
        if found is None:
            raise ToolchainError(f"{place.words[-1]} has no {name}: its installation is not complete")
        programs.append(found)
    folders = [_ask(place, f"-print-file-name={name}") for name in ("include", "include-fixed")]
    return _Facts(programs[-1], tuple(programs), tuple(folder for folder in folders if os.path.isdir(folder)))


def _ask_clang(place: _Place) -> _Facts:
    linker = _which(_ask(place, "-print-prog-name=ld.lld")) or _which("ld.lld")
    if linker is None:
        raise ToolchainError(f"{place.words[-1]} has no ld.lld: install lld beside it")
    return _Facts(linker, (linker,), (os.path.join(_ask(place, "-print-resource-dir"), "include"),))


def _ask(place: _Place, question: str) -> str:
    from p4kernel.build._process import Job, run

    (done,) = run([Job((*place.words, question), os.curdir)])
    if done.code:
        raise ToolchainError(f"{place.words[0]} {question} failed: {done.messages.strip()}")
    return done.messages.strip()


def _try(place: _Place) -> Candidate:
    """Compiles and links a small program, so that doctor says what really works."""
    from p4kernel.build import Options, Source, Unit, build_uncached
    from p4kernel.errors import Error

    candidate = Candidate(place.name, place.words[0], None, None, None)
    try:
        version = _ask(place, "version" if place.kind == "zig" else "--version").partition("\n")[0]
        candidate = candidate._replace(version=version)
        toolchain = _examine(place)
        build_uncached(Source((Unit("probe.c", _PROBE),), "probe"), Options(), toolchain)
    except Error as error:
        return candidate._replace(problem=str(error))
    return candidate._replace(toolchain=toolchain)


_PROBE: Final = "#include <stdint.h>\nfloat probe(float a, int32_t b) { return a * (float)b; }\n"
