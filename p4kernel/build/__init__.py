"""From source text to an image that a board can load.

``build`` compiles, links and remembers. A result is looked up in memory, then on disk; what was found there started no
other program.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from p4kernel import _forks, generations
from p4kernel.build import cache, toolchain
from p4kernel.build._stored import Stored, pack, unpack
from p4kernel.build.fingerprint import build_key, dependencies_now, settled
from p4kernel.build.image import Image, ImageSymbol, Import, Patch
from p4kernel.build.source import Options, Source, Unit
from p4kernel.build.toolchain import Toolchain
from p4kernel.errors import Diagnostic

__all__ = [
    "Built",
    "Image",
    "ImageSymbol",
    "Import",
    "Options",
    "Patch",
    "Source",
    "Toolchain",
    "Unit",
    "build",
    "build_uncached",
    "cache",
    "toolchain",
]

_MEMORY_ENTRIES: Final = 256

_lock = threading.Lock()
_memory: OrderedDict[str, Stored] = OrderedDict()


@_forks.call
def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


@dataclass(frozen=True)
class Built:
    """A compiled and linked kernel."""

    image: Image
    elf: bytes = field(repr=False)
    """The linked file, for DWARF and disassembly: at ``image.link_base``, relocations applied and taken out."""
    portable: bool
    """Whether a build for another generation of PIE would give the same."""
    warnings: tuple[Diagnostic, ...]
    """The compiler's warnings, with their notes, at its (neutral) positions; also those of an earlier, cached build."""
    compile_seconds: float
    link_seconds: float
    """What this call spent: 0 for a result from the cache."""
    from_cache: Literal["memory", "disk", "built"]


def build(
    source: Source,
    options: Options = Options(),
    chain: Toolchain | None = None,
    validate: Callable[[], None] | None = None,
) -> Built:
    """Compiles and links, unless it is known what comes out. ``validate`` is called before the compiler is.

    ToolchainError: no compiler. CompileError: the compiler refused the source; its diagnostics have the positions that
    the compiler saw. LinkError: the code cannot become an image. Symbols that the source leaves undefined are no error
    here: ``image.at`` looks for them on the board.
    """
    source.check()
    chain = chain or toolchain.find()
    options = options.resolved()
    key = build_key(source, options, chain)
    if key is not None:
        if (known := _look_up(key)) is not None:
            return known
        # What a key stands for may not depend on the generation that was asked for.
        for generation in generations.NAMES.keys() - {options.generation}:
            other = build_key(source, options._replace(generation=generation), chain)
            if (
                other is not None
                and other != key
                and (known := _look_up(other, again=True)) is not None
                and known.portable
            ):
                return known
    if validate is not None:
        validate()
    built, files = build_uncached(source, options, chain)
    if key is not None and files is not None:
        stored = Stored(built.image, built.elf, built.portable, built.warnings, files)
        _remember(key, stored)
        cache.put_blob(key, pack(stored))
    return built


def build_uncached(
    source: Source, options: Options, chain: Toolchain
) -> tuple[Built, tuple[tuple[str, str], ...] | None]:
    """Compiles and links. Also the user's headers that were read, with hashes; None if one changed meanwhile."""
    import tempfile
    import time

    from p4kernel.build.compiler import compile_units
    from p4kernel.build.gather import gather
    from p4kernel.build.generation import is_portable, of_objects
    from p4kernel.build.link import link

    options = options.resolved()
    with tempfile.TemporaryDirectory(prefix="p4kernel-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        begin, wall = time.perf_counter(), time.time_ns()
        compiled = compile_units(source, options, chain, scratch)
        middle = time.perf_counter()
        objects, names = gather(compiled, options, chain, scratch)
        generation = of_objects(
            {name: (scratch / file).read_bytes() for file, name in zip(objects, names, strict=True)}
        )
        image, elf = link(objects, source.entry, chain, scratch, names, source.wanted, generation)
        end = time.perf_counter()
    files = settled(compiled.dependencies, wall, options.libraries)
    portable = files is not None and is_portable(generation, source, options, (path for path, _ in files))
    return Built(image, elf, portable, compiled.warnings, middle - begin, end - middle, "built"), files


def forget() -> None:
    """Empties the memory layer; the disk stays."""
    with _lock:
        _memory.clear()


def _look_up(key: str, *, again: bool = False) -> Built | None:
    with _lock:
        stored = _memory.get(key)
    where: Literal["memory", "disk"] = "memory"
    if stored is None or not dependencies_now(stored.files):
        payload = cache.get_blob(key, again=again)
        stored = unpack(payload) if payload is not None else None
        where = "disk"
    if stored is None or not dependencies_now(stored.files):
        return None
    _remember(key, stored)
    return Built(stored.image, stored.elf, stored.portable, stored.warnings, 0.0, 0.0, where)


def _remember(key: str, stored: Stored) -> None:
    with _lock:
        _memory[key] = stored
        _memory.move_to_end(key)
        while len(_memory) > _MEMORY_ENTRIES:
            _memory.popitem(last=False)
