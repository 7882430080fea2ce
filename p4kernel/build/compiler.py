"""Units to object files, with what the compiler said."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from p4kernel.build import diagnostics
from p4kernel.build._process import Job, run
from p4kernel.build.source import ARCH, Options, Source, Unit, command, cpp_folder, include_folder
from p4kernel.build.toolchain import Toolchain
from p4kernel.errors import CompileError, Diagnostic

__all__ = ["Compiled", "compile_units", "prepare", "units_of"]

_RUNTIME = "p4_runtime.cpp"  # operator new and the like


class Compiled(NamedTuple):
    """Object files (names in the scratch folder), what they were made of, warnings, and other files that were read."""

    objects: tuple[str, ...]
    units: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]
    dependencies: tuple[str, ...]


def compile_units(source: Source, options: Options, toolchain: Toolchain, folder: Path) -> Compiled:
    """Compiles every unit in ``folder``, side by side. ``options`` are resolved. CompileError with all messages."""
    own = (include_folder(), *toolchain.includes)
    units = units_of(source)
    commands = prepare(units, source, options, toolchain, folder)
    jobs = [
        Job([*command, "-o", f"p4.{index}.o", "-MD", "-MF", f"p4.{index}.d"], folder)
        for index, command in enumerate(commands)
    ]
    results = run(jobs)
    found = [item for result in results for item in diagnostics.parse(result.messages)]
    if any(result.code for result in results):
        _fail(found, "\n".join(result.messages for result in results if result.code))
    dependencies: set[str] = set()
    for index in range(len(units)):
        rule = (folder / f"p4.{index}.d").read_text(encoding="utf-8", errors="surrogateescape")
        dependencies.update(_read_dependencies(rule))
    covered = tuple(name + os.sep for name in own)  # by the toolchain's identity and our headers' hash
    others = (path for path in dependencies if Path(path).is_absolute() and not path.startswith(covered))
    objects, names = tuple(f"p4.{i}.o" for i in range(len(jobs))), tuple(unit.name for unit in units)
    return Compiled(objects, names, tuple(found), tuple(sorted(others)))


def units_of(source: Source) -> list[Unit]:
    """What is compiled: the source's units, and for C++ what its compilers call by themselves."""
    units = list(source.units)
    if any(unit.language == "cpp" for unit in units):
        units.append(Unit(str(Path(cpp_folder()) / _RUNTIME), "", "cpp"))
    return units


def prepare(
    units: Sequence[Unit], source: Source, options: Options, toolchain: Toolchain, folder: Path
) -> list[list[str]]:
    """Writes texts to ``folder``, and returns the command for each unit, without its output."""
    own = (include_folder(), *toolchain.includes)
    # Paths of this machine stay out of debug information and __FILE__.
    maps = [f"-ffile-prefix-map={name}={neutral}" for name, neutral in (
        (folder.resolve(), "."), (folder, "."), (own[0], "p4kernel"), *((name, "compiler") for name in own[1:])
    )]  # fmt: skip
    arch = options.lto and toolchain.family == "clang"
    for name, text in (("p4.arch.h", ARCH if arch else ""), ("p4.constants.h", source.header)):
        if text:
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    commands = []
    for unit in units:
        before = ["-include", "p4.arch.h"] if arch else []
        if not unit.is_file:
            (folder / unit.name).write_text(unit.text, encoding="utf-8", newline="\n")
        elif source.header and unit in source.units:
            before += ["-include", "p4.constants.h"]
        headers = (cpp_folder(), *own) if unit.language == "cpp" else own
        places = [word for name in headers for word in ("-isystem", name)]
        commands.append([*command(unit, options, toolchain), *before, *places, *maps])
    return commands


def _fail(found: Sequence[Diagnostic], messages: str) -> None:
    errors = [item for item in found if item.severity == "error"]
    if not errors:
        raise CompileError(f"the compiler failed:\n{messages.strip()}", found)
    more = f"\n({len(errors) - 1} more)" if len(errors) > 1 else ""
    raise CompileError(f"{errors[0]}{more}", found)


def _read_dependencies(text: str) -> list[str]:
    """File names of a make rule, as ``-MD`` writes it."""
    _, _, names = text.replace("\\\n", " ").partition(": ")
    words = re.findall(r"(?:\\.|[^\s\\]|\\(?=\S))+", names)
    return [re.sub(r"\\([ #])", r"\1", word).replace("$$", "$") for word in words]
