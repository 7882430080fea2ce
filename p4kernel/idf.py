"""``p4.idf_project``: include folders and macros of an ESP-IDF project, from its build folder's compile_commands.json.

The file's format is clang's JSON compilation database. ESP-IDF writes one with each build.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from p4kernel.commandline import CommandError, expand, split
from p4kernel.errors import Error
from p4kernel.signature.bodies import folder_of_file
from p4kernel.signature.scope import caller

__all__ = ["Project", "idf_project"]

_DATABASE: Final = "compile_commands.json"
_DESCRIPTION: Final = "project_description.json"  # ESP-IDF's own, beside it
_TARGET: Final = "esp32p4"
_C_ENDINGS: Final = (".c", ".cpp", ".cc", ".cxx")
_COMPONENT: Final = re.compile(r"(?:^|[/\\])esp-idf[/\\]([^/\\]+)[/\\]CMakeFiles[/\\]")
_PLACES: Final = ("-I", "-isystem", "-iquote", "-idirafter")
_FILES: Final = ("-include", "-imacros")
_VALUED: Final = re.compile(r"(-isystem|-iquote|-idirafter|-include|-imacros|-I|-D|-U)(.*)", re.DOTALL)
# What a header sees: layout of structs, signs of characters, the language's reading of overflow and aliasing.
_KEPT: Final = re.compile(
    r"-f(?:no-)?(?:short-enums|(?:un)?signed-char|(?:un)?signed-bitfields|pack-struct(?:=\d+)?|strict-volatile-bitfields|"
    r"wrapv|strict-aliasing|strict-overflow)"
)


@dataclass(frozen=True)
class Project:
    """What of an ESP-IDF project's build a kernel takes over: for ``@p4.kernel(project=...)``."""

    path: Path
    """The compile_commands.json."""
    component: str | None
    """The component whose view of the project it is."""
    include_dirs: tuple[str, ...] = field(repr=False)
    defines: tuple[str, ...] = field(repr=False)
    """As on a command line: "NAME" or "NAME=VALUE"."""
    flags: tuple[str, ...] = field(repr=False)
    """All of it as options for the kernel's compiler."""

    def __repr__(self) -> str:
        return (
            f"<ESP-IDF project {self.path}, component {self.component}: {len(self.include_dirs)} include folders, "
            f"{len(self.defines)} macros>"
        )


def idf_project(path: str | os.PathLike[str], component: str | None = "main") -> Project:
    """Reads the build of an ESP-IDF project: ``path`` is its folder, its build folder, or a compile_commands.json; it is
    taken from the folder of the Python file that calls.

    A kernel with ``@p4.kernel(project=...)`` then includes what the C files of ``component`` can include, with
    sdkconfig's macros. None takes what all components can include together. Flags that are about code (the target,
    optimisation, warnings) are left out: those are the kernel's own. p4.Error if there is no usable build.
    """
    frame = caller(1)
    base = folder_of_file(frame.f_code.co_filename if frame is not None else "")
    database = _find(Path(os.path.normpath(base / Path(path).expanduser())))
    _check_target(database.parent)
    try:
        entries = json.loads(database.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Error(f"{database} cannot be read: {error}") from None
    if not isinstance(entries, list):
        raise Error(f"{database} is no compilation database: it holds no list")
    commands = [_Command.read(entry, number, database) for number, entry in enumerate(entries)]
    commands = [command for command in commands if command.file.lower().endswith(_C_ENDINGS)]
    chosen = [command for command in commands if component in (None, command.component)]
    if not chosen:
        known = sorted({command.component for command in commands if command.component})
        raise Error(
            f"{database} has no C file of a component {component!r}; it has {', '.join(known) or 'none at all'}; "
            "idf_project(path, component=...) names one"
        )
    return _project(database, component, chosen)


def _find(path: Path) -> Path:
    places = [path, path / _DATABASE, path / "build" / _DATABASE]
    for place in places:
        if place.is_file():
            return place
    if not path.exists():
        raise Error(f"idf_project: there is no {path}")
    raise Error(
        f"idf_project: {path} has no {_DATABASE}, nor has its folder build; build the project once: idf.py build"
    )


def _check_target(folder: Path) -> None:
    description = folder / _DESCRIPTION
    if not description.is_file():
        return
    try:
        facts = json.loads(description.read_text(encoding="utf-8"))
        target = facts.get("target", _TARGET)
    except (OSError, ValueError, AttributeError) as error:
        raise Error(f"{description} cannot be read: {error}") from None
    if target != _TARGET:
        raise Error(f"{folder} was built for {target}, and kernels run on an {_TARGET}: idf.py set-target {_TARGET}")


@dataclass(frozen=True)
class _Command:
    """One entry of the database."""

    directory: str
    file: str
    words: tuple[str, ...]
    component: str | None

    @classmethod
    def read(cls, entry: Any, number: int, database: Path) -> _Command:
        where = f"{database}, entry {number}"
        if (
            not isinstance(entry, dict)
            or not isinstance(entry.get("directory"), str)
            or not isinstance(entry.get("file"), str)
        ):
            raise Error(f"{where}: it must have a directory and a file")
        command, arguments = entry.get("command"), entry.get("arguments")
        if isinstance(arguments, list) and all(isinstance(word, str) for word in arguments):
            words = list(arguments)
        elif isinstance(command, str):
            try:
                words = split(command)
            except CommandError as error:
                raise Error(f"{where}: {error}") from None
        else:
            raise Error(f"{where}: it must have a command (text) or arguments (a list of texts)")
        output = entry.get("output")
        outputs = [output] if isinstance(output, str) else [word for word in words if _COMPONENT.search(word)]
        match = next((m for text in outputs if (m := _COMPONENT.search(text))), None)
        return cls(entry["directory"], entry["file"], tuple(words), match[1] if match else None)


def _project(database: Path, component: str | None, commands: Sequence[_Command]) -> Project:
    places: dict[str, None] = {}
    files: dict[str, None] = {}
    defines: dict[str, None] = {}
    kept: dict[str, None] = {}
    for command in commands:
        try:
            words = expand(command.words[1:], command.directory)
        except CommandError as error:
            raise Error(f"{database}: {command.file}: {error}") from None
        for option, value in _options(words):
            if option in _PLACES:
                places[_absolute(value, command.directory)] = None
            elif option in _FILES:
                files[f"{option}\0{_absolute(value, command.directory)}"] = None
            elif option in ("-D", "-U"):
                defines[option + value] = None
            else:
                kept[option] = None
    places.update(dict.fromkeys(_library(commands[0].words[:1])))
    if places and not any(Path(place).is_dir() for place in places):
        raise Error(
            f"{database}: none of its {len(places)} include folders is there ({next(iter(places))}, ...); was the project "
            "built on another machine?"
        )
    # As system folders: warnings in the project's headers are not the kernel's.
    flags = [
        *kept, *defines, *(word for name in places for word in ("-isystem", name)),
        *(word for text in files for word in text.split("\0")),
    ]  # fmt: skip
    names = tuple(define[2:] for define in defines if define.startswith("-D"))
    return Project(database, component, tuple(places), names, tuple(flags))


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options that a header can notice, with their values: joined to them, or the next word."""
    position = iter(words)
    for word in position:
        match = _VALUED.fullmatch(word)
        if match is None:
            if _KEPT.fullmatch(word):
                yield word, ""
            continue
        option, value = match[1], match[2]
        if len(option) > 2:
            if value.startswith("-"):  # -include-pch and the like
                continue
            value = value.removeprefix("=")
        value = value or next(position, "")
        if value:
            yield option, value


def _absolute(path: str, directory: str) -> str:
    windows = re.match(r"[A-Za-z]:[\\/]|\\\\", path) is not None
    return path if windows else os.path.normpath(os.path.join(directory, path))  # noqa: PTH118


def _library(words: Sequence[str]) -> list[str]:
    """The C library's headers of the project's compiler, which finds them without being told."""
    compiler = Path(words[0]) if words else Path()
    target = compiler.name.removesuffix(".exe").rpartition("-")[0]
    folder = compiler.parent.parent / target / "include"
    return [os.fspath(folder)] if target and compiler.is_absolute() and folder.is_dir() else []
