"""Static archives: those of their members that a program needs, as a linker would take them.

The format is that of GNU ar and of BSD's, as ar(5) describes it. Which names a member defines is read from the member
itself, so an archive without an index, or with one that is out of date, is as good.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from p4kernel.build import elf as _elf
from p4kernel.build.elf import Elf, ElfError
from p4kernel.errors import LinkError

__all__ = ["Member", "names", "needed"]

_MAGIC: Final = b"!<arch>\n"
_THIN: Final = b"!<thin>\n"
_HEAD: Final = 60
_INDEXES: Final = ("/", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED", "__.SYMDEF_64")
_BITCODE: Final = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")
_SLIM: Final = "__gnu_lto_slim"  # GCC's mark in an object file that has no machine code


class Member(NamedTuple):
    """An object file of a library."""

    name: str
    """For messages: ``libx.a(y.o)``, or the path of an object file that was given as one."""
    data: bytes
    file: Elf


class Names(NamedTuple):
    """Global names of an object file."""

    defined: frozenset[str]
    wanted: frozenset[str]  # undefined, with at least one use that is not weak


def names(file: Elf) -> Names:
    """What a file defines, and what it wants from others."""
    defined, wanted = set(), set()
    for symbol in file.symbols:
        if symbol.binding == _elf.STB_LOCAL or not symbol.name:
            continue
        if symbol.section != _elf.SHN_UNDEF:
            defined.add(symbol.name)
        elif symbol.binding != _elf.STB_WEAK:
            wanted.add(symbol.name)
    return Names(frozenset(defined), frozenset(wanted))


def needed(libraries: Sequence[str], objects: Iterable[Elf]) -> list[Member]:
    """Object files among ``libraries``, and the members of archives that define what is wanted and not defined yet.

    Archives may need each other in any order; where two define a name, the first counts. LinkError for files that
    cannot be read, or are none of the two.
    """
    chosen: list[Member] = []
    archives: list[list[tuple[Member, Names]]] = []
    known = [names(file) for file in objects]
    for path in libraries:
        data = _read(path)
        if data.startswith(b"\x7fELF"):
            chosen.append(_member(path, data))
            known.append(names(chosen[-1].file))
        else:
            archives.append([(member, names(member.file)) for member in _members(path, data)])
    defined: set[str] = set().union(*(each.defined for each in known))
    wanted: set[str] = set().union(*(each.wanted for each in known)) - defined
    providers: dict[str, tuple[Member, Names]] = {}
    for archive in archives:
        for entry in archive:
            for name in entry[1].defined:
                providers.setdefault(name, entry)
    while found := sorted(wanted & providers.keys()):
        member, has = providers[found[0]]
        chosen.append(member)
        defined |= has.defined
        wanted = (wanted | has.wanted) - defined
    return chosen


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise LinkError(f"library {path}: {error.strerror or error}") from None


def _member(name: str, data: bytes) -> Member:
    if data.startswith(_BITCODE):
        raise LinkError(f"{name} is LLVM bitcode; a library is built without -flto")
    try:
        file = Elf(data)
    except ElfError as error:
        raise LinkError(f"{name}: {error}; a library is built for the ESP32-P4 (rv32imafc, ilp32f)") from None
    if any(symbol.name == _SLIM for symbol in file.symbols):
        raise LinkError(f"{name} has GCC's intermediate code and no machine code; a library is built without -flto")
    return Member(name, data, file)


def _members(path: str, data: bytes) -> Iterator[Member]:
    if data.startswith(_THIN):
        raise LinkError(f"library {path} is a thin archive, which holds no code; make one with `ar rcs`")
    if not data.startswith(_MAGIC):
        raise LinkError(f"library {path} is no static archive and no object file")
    at, long_names = len(_MAGIC), b""
    while at < len(data):
        head = data[at : at + _HEAD]
        size_text = head[48:58].strip()
        if (
            len(head) < _HEAD
            or head[58:] != b"`\n"
            or not size_text.isdigit()
            or at + _HEAD + int(size_text) > len(data)
        ):
            raise LinkError(f"library {path} is damaged at byte {at}")
        content = data[at + _HEAD : at + _HEAD + int(size_text)]
        at += _HEAD + len(content) + len(content) % 2
        name = head[:16].decode("utf-8", "replace").rstrip()
        if name.startswith("#1/") and name[3:].isdigit():
            length = int(name[3:])
            name, content = content[:length].rstrip(b"\0").decode("utf-8", "replace"), content[length:]
        elif name == "//":
            long_names = content
            continue
        elif name.startswith("/") and name[1:].isdigit():
            name = long_names[int(name[1:]) :].partition(b"\n")[0].decode("utf-8", "replace")
        if name not in _INDEXES:
            yield _member(f"{Path(path).name}({name.removesuffix('/')})", content)
