"""C of kernels as files, and a compile_commands.json, so that clangd and other tools understand it."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from p4kernel import _forks
from p4kernel.build import Unit, toolchain
from p4kernel.build.compiler import prepare
from p4kernel.errors import Error
from p4kernel.kernel import Kernel
from p4kernel.signature.lines import LineMap

__all__ = ["Written", "kernels_of", "write"]

DATABASE = "compile_commands.json"
_MARK = "p4kernel wrote this folder: it may be deleted"  # what is in .p4kernel-stubs, of folders that we may clear
_LINE = re.compile(r'#line (\d+) "([^"]*)"')


class Written(NamedTuple):
    """What ``write`` made."""

    database: Path
    sources: tuple[Path, ...]  # extracted texts, and the files of p4.files


def kernels_of(file: Path) -> list[Kernel[..., Any]]:
    """Runs a Python file as an import does, and returns the kernels that it declares. Error if it fails."""
    if not file.is_file():
        raise Error(f"{file}: there is no such file")
    path = os.fspath(file.absolute())
    before, arguments = list(sys.path), sys.argv
    sys.path.insert(0, os.fspath(file.absolute().parent))
    sys.argv = [path]
    try:
        names = runpy.run_path(path, run_name="p4kernel_stubs")
    except SystemExit as end:
        raise Error(f"{file} ended itself ({end}) before its kernels could be read") from None
    except Exception as error:
        place = _place(error, path)
        raise Error(f"{file}{place}: {type(error).__name__}: {error}") from error
    finally:
        sys.path[:], sys.argv = before, arguments
    found = [thing for thing in _forks.watched() if isinstance(thing, Kernel)]
    own = [kernel for kernel in found if kernel.signature.body.position.file == path]
    del names  # kept until here: the kernels are its values
    return sorted(own, key=lambda kernel: (kernel.signature.body.position.line, kernel.signature.name))


def write(kernels: Sequence[Kernel[..., Any]], folder: Path) -> Written:
    """Writes the texts of kernels, each kernel's in a folder of its own, and the database beside them.

    A ``folder`` that is there is replaced, if it is empty or of our own making. Error if not.
    """
    _clear(folder)
    chain = toolchain.find()
    # Whatever compiles the kernels: tools that read such databases are clang.
    clang = chain._replace(family="clang", compiler=("clang",))
    entries: list[dict[str, Any]] = []
    seen: set[tuple[Unit, ...]] = set()
    taken: set[str] = set()
    for kernel in kernels:
        source, options = kernel.inputs()
        if source.units in seen:  # kernels of one module
            continue
        seen.add(source.units)
        name = _free_name(kernel.signature.name, taken)
        place = folder / name
        place.mkdir()
        units = [unit if unit.is_file else _for_editor(unit, kernel.signature.lines) for unit in source.units]
        commands = prepare(units, source._replace(units=tuple(units)), options.resolved(), clang, place)
        for unit, command in zip(units, commands, strict=True):
            arguments = [word for word in command if not word.startswith("-ffile-prefix-map=")]
            entries.append(
                {"directory": os.fspath(place), "file": os.fspath(place / unit.name), "arguments": arguments}
            )
    database = folder / DATABASE
    database.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    return Written(database, tuple(Path(entry["file"]) for entry in entries))


def _clear(folder: Path) -> None:
    mark = folder / ".p4kernel-stubs"
    if folder.exists():
        if not folder.is_dir() or (any(folder.iterdir()) and not mark.is_file()):
            raise Error(f"{folder} is there already, and not from p4kernel; name another folder, or remove it")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    mark.write_text(_MARK + "\n", encoding="utf-8")


def _free_name(name: str, taken: set[str]) -> str:
    number = 1
    free = name
    while free.lower() in taken:  # some file systems do not tell cases apart
        number += 1
        free = f"{name}_{number}"
    taken.add(free.lower())
    return free


def _for_editor(unit: Unit, lines: LineMap) -> Unit:
    """The text with its lines marked as those of the Python file, where they stand in it one by one."""
    out = []
    for number, line in enumerate(unit.text.split("\n"), 1):
        match = _LINE.fullmatch(line)
        if match is not None:
            file, place, _, remark = lines.map(match[2], int(match[1]), 1)
            line = f'#line {number + 1} "{unit.name}"' if remark else f"#line {place} {json.dumps(file)}"
        out.append(line)
    return unit._replace(text="\n".join(out))


def _place(error: BaseException, path: str) -> str:
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno
    return f", line {line}" if line else ""
