"""From what the compiler wrote to the object files of the final link: link-time optimisation, members of libraries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from p4kernel.build import archive
from p4kernel.build._process import Job, run
from p4kernel.build.compiler import Compiled
from p4kernel.build.elf import Elf, ElfError
from p4kernel.build.source import Options, lto_command
from p4kernel.build.toolchain import Toolchain
from p4kernel.errors import LinkError

__all__ = ["Gathered", "gather", "readable"]

_LTO: Final = "p4.lto.o"


class Gathered(NamedTuple):
    """Object files (names in the scratch folder), and what each is called in messages."""

    objects: tuple[str, ...]
    names: tuple[str, ...]


def gather(compiled: Compiled, options: Options, toolchain: Toolchain, folder: Path) -> Gathered:
    """The object files to link. LinkError when the optimiser or a library fails."""
    known = dict(zip(compiled.objects, compiled.units, strict=True))
    if options.lto:
        # One relocatable file: what follows has an object file to look at, whatever the compiler keeps in its own.
        (done,) = run([Job([*lto_command(options, toolchain, folder), "-o", _LTO, *known], folder)])
        if done.code:
            raise LinkError(f"link-time optimisation failed:\n{readable(done.messages, known)}")
        known = {_LTO: "the optimised program"}
    if options.libraries:
        files = [_elf(folder / name, known[name]) for name in known]
        for number, member in enumerate(archive.needed(options.libraries, files)):
            name = f"p4.lib{number}.o"
            (folder / name).write_bytes(member.data)
            # Two members may have one name, and the link tells objects apart by these.
            known[name] = member.name if member.name not in known.values() else f"{member.name} #{number}"
    return Gathered(tuple(known), tuple(known.values()))


def readable(messages: str, names: Mapping[str, str]) -> str:
    """A tool's messages with the names of units for those of our object files."""
    for name in sorted(names, key=len, reverse=True):
        messages = messages.replace(name, names[name])
    return messages.strip()


def _elf(path: Path, name: str) -> Elf:
    try:
        return Elf(path.read_bytes())
    except ElfError as error:
        raise LinkError(f"{name}: the compiler wrote no object file that can be linked: {error}") from None
