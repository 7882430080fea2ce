"""Linking: objects to one image, with every symbol that the kernel does not define left to the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from p4kernel.build import elf as _elf
from p4kernel.build import names, relocate
from p4kernel.build._process import Job, run
from p4kernel.build.elf import Elf, ElfError
from p4kernel.build.image import Image
from p4kernel.build.script import LINK_BASE, SCRIPT_SYMBOLS, script
from p4kernel.build.toolchain import Toolchain
from p4kernel.errors import LinkError

__all__ = ["link", "link_at"]

MAX_ALIGN: Final = 4096
# Undefined symbols get addresses, as a linker may turn the auipc of an undefined one into lui. All are within 2 GB of
# LINK_BASE, each with its own low and high bits, so that a patch with the wrong symbol cannot go unnoticed.
_PLACEHOLDER_BASE: Final = 0x10000000
_PLACEHOLDER_STEP: Final = 0x10854

_CONSTRUCTORS: Final = ".init_array"
_RUN: Final = "p4_init_start"  # a program whose entry runs constructors refers to it
_NEVER_RUN: Final = (".fini_array", ".preinit_array", ".ctors", ".dtors")

# Relocations are kept (-q), nothing is padded to pages (-n).
_FLAGS: Final = ("-m", "elf32lriscv", "-q", "--no-relax", "--gc-sections", "-n")


def link(
    objects: Sequence[str],
    entry: str,
    toolchain: Toolchain,
    folder: Path,
    shown: Sequence[str] = (),
    wanted: Sequence[str] = (),
    generation: int = 0,
) -> tuple[Image, bytes]:
    """The image of these object files (names in ``folder``, which is scratch space) and the linked ELF.

    ``shown`` are the names that messages have for the objects; ``wanted`` is what they have to define besides the entry.
    ``generation`` is that of the PIE instructions in them.
    """
    files = {label: (folder / name).read_bytes() for label, name in zip(shown or objects, objects, strict=True)}
    imports, weak = _inspect(files, entry, wanted)
    placeholders = {name: _PLACEHOLDER_BASE + i * _PLACEHOLDER_STEP for i, name in enumerate(imports)}
    data = link_at(objects, entry, toolchain, folder, base=LINK_BASE, symbols=placeholders)
    try:
        file = Elf(data)
        return relocate.make_image(file, LINK_BASE, entry, placeholders, weak, generation), file.without_relocations()
    except ElfError as error:
        raise LinkError(f"{toolchain.linker[0]} wrote a file that cannot be used: {error}") from None


def link_at(
    objects: Sequence[str], entry: str, toolchain: Toolchain, folder: Path, *, base: int, symbols: dict[str, int]
) -> bytes:
    """Links for one address, with ``symbols`` defined from outside."""
    (folder / "p4.ld").write_text(script(entry, base), encoding="ascii")
    defined = [f"--defsym={name}=0x{value:x}" for name, value in symbols.items()]
    command = [*toolchain.linker, *_FLAGS, "-T", "p4.ld", "-o", "image.elf", *defined, *objects]
    (done,) = run([Job(command, folder)])
    if done.code:
        raise LinkError(f"{Path(toolchain.linker[0]).name} failed:\n{done.messages.strip()}")
    return (folder / "image.elf").read_bytes()


def _inspect(objects: Mapping[str, bytes], entry: str, needed: Sequence[str]) -> tuple[list[str], set[str]]:
    """Names that the objects do not define, and which of them are weak. LinkError for what no image can hold."""
    defined: dict[str, str] = {}  # name -> where
    strong: dict[str, str] = {}
    wanted: dict[str, bool] = {}  # name -> every use is weak
    files: dict[str, Elf] = {}
    for where, data in objects.items():
        try:
            file = files[where] = Elf(data)
        except ElfError as error:
            raise LinkError(f"{where}: the compiler wrote no object file that can be linked: {error}") from None
        for symbol in file.symbols:
            if symbol.binding == _elf.STB_LOCAL or not symbol.name:
                continue
            if symbol.section == _elf.SHN_UNDEF:
                wanted[symbol.name] = wanted.get(symbol.name, True) and symbol.binding == _elf.STB_WEAK
                continue
            if symbol.binding != _elf.STB_WEAK and symbol.section != _elf.SHN_COMMON:
                if symbol.name in strong:
                    raise LinkError(
                        f"{names.shown(symbol.name)} is defined twice: in {strong[symbol.name]} and in {where}; make one of "
                        "them static, or give it another name"
                    )
                strong[symbol.name] = where
            defined[symbol.name] = where
    for where, file in files.items():
        _check(file, where, _RUN in wanted)
    for name in (entry, *needed):
        if name not in defined:
            raise LinkError(f"the entry '{name}' is not defined, or not global{names.near(name, defined)}")
    imports = sorted(wanted.keys() - defined.keys() - SCRIPT_SYMBOLS)
    for file in files.values():
        _check_reach(file, imports)
    return imports, {name for name in imports if wanted[name]}


def _check(file: Elf, where: str, constructors: bool) -> None:
    if file.machine != _elf.EM_RISCV:
        raise LinkError(f"{where} is code for another machine (ELF machine {file.machine})")
    if file.flags & _elf.EF_RISCV_FLOAT_ABI != _elf.EF_RISCV_FLOAT_ABI_SINGLE:
        raise LinkError(f"{where} has another ABI than ilp32f; flags must not change -march or -mabi")
    for index, section in enumerate(file.sections):
        if not section.flags & _elf.SHF_ALLOC or not section.size:
            continue
        if section.flags & _elf.SHF_TLS:
            raise LinkError(
                f"section {section.name}: thread-local variables ({_variables(file, index)}) are not supported"
            )
        if section.name.startswith(_NEVER_RUN):
            raise LinkError(
                f"section {section.name} of {where}: constructors and destructors like it are not run on the board"
            )
        if section.name.startswith(_CONSTRUCTORS) and not constructors:
            raise LinkError(
                f"section {section.name} of {where}: constructors are run in kernels of p4.cpp and p4.files, and not in others"
            )
        if section.align > MAX_ALIGN:
            raise LinkError(
                f"section {section.name} ({_variables(file, index)}) wants an alignment of {section.align}; "
                f"the largest is {MAX_ALIGN}"
            )


def _check_reach(file: Elf, imports: Sequence[str]) -> None:
    """Names jumps that no board address can satisfy; the linker would only say that they are out of range."""
    for index, section in enumerate(file.sections):
        if not section.flags & _elf.SHF_ALLOC:
            continue
        for relocation in file.relocations(index):
            symbol = file.symbols[relocation.symbol]
            if relocation.type in relocate.SHORT and symbol.name in imports:
                raise LinkError(
                    f"{relocate.SHORT[relocation.type]} in {section.name} at offset 0x{relocation.offset:x} cannot "
                    f"reach '{symbol.name}', which is not in the image; use call or tail"
                )


def _variables(file: Elf, index: int) -> str:
    found = [
        symbol.name
        for symbol in file.symbols
        if symbol.section == index and symbol.name and not symbol.name.startswith((".L", "$"))
    ]
    return ", ".join(found) or "no names"
