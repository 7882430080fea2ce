"""What ``@p4.kernel`` can be told about building and running, checked where it is said."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from p4kernel.errors import SignatureError
from p4kernel.memory import KINDS

if TYPE_CHECKING:
    from p4kernel.idf import Project

__all__ = ["Defines", "Options", "Paths", "checked", "located"]

Defines = Mapping[str, "int | float | str | None"] | Sequence[str]
Paths = Sequence[str | os.PathLike[str]]

_LEVELS: Final = ("O0", "O1", "O2", "O3", "Os", "Oz")
_LARGEST_ALIGN: Final = 4096  # of an image; a buffer's travels in 16 bits


@dataclass(frozen=True, slots=True)
class Options:
    """How a kernel is built and run."""

    opt: str = "O2"
    flags: tuple[str, ...] = ()  # with those that include_dirs, defines and project stand for
    contract: bool = True  # a * b + c may be one fused operation, as ESP-IDF builds
    timeout: float | None = None  # seconds; None: the board's limit
    max_instructions: int | None = None
    stack: int = 0  # bytes; 0: the board's default
    lto: bool = False
    libraries: tuple[str, ...] = ()  # absolute paths
    place: str = "any"  # kind of memory for code and static variables
    arrays: str = "any"  # kind of memory for arrays during a call
    align: int = 0  # bytes that code and arrays start at a multiple of; 0: a cache line
    folder: str | None = None  # what relative paths in flags are taken from


def located(
    options: Options, folder: Path, *, include_dirs: Paths, defines: Defines, libraries: Paths, project: Project | None
) -> Options:
    """The options with all paths resolved from ``folder``. SignatureError for what is not there or makes no sense."""
    flags = list(project.flags) if project is not None else []
    for path in _paths("include_dirs", include_dirs, folder):
        if not path.is_dir():
            raise SignatureError(
                f"include_dirs: {path}: {'this is no folder' if path.exists() else 'there is no such folder'}"
            )
        flags.append(f"-I{path}")
    flags += _defines(defines)
    found = _paths("libraries", libraries, folder)
    for path in found:
        if not path.is_file():
            raise SignatureError(
                f"libraries: {path}: {'this is no file' if path.exists() else 'there is no such file'}"
            )
    return replace(
        options, flags=(*flags, *options.flags), libraries=tuple(os.fspath(path) for path in found), folder=str(folder)
    )


def checked(options: Options) -> Options:
    """The options, if each has a value that makes sense; SignatureError if not."""
    if options.opt not in _LEVELS:
        raise SignatureError(f"opt={options.opt!r}: levels are O0, O1, O2, O3, Os and Oz")
    if not all(isinstance(flag, str) for flag in options.flags):
        raise SignatureError(f"flags={list(options.flags)!r}: give a list of options, such as ['-funroll-loops']")
    if options.timeout is not None and not 0 < options.timeout < 4000:
        raise SignatureError(f"timeout={options.timeout!r}: seconds, more than 0 and less than 4000")
    if options.max_instructions is not None and options.max_instructions < 1:
        raise SignatureError(f"max_instructions={options.max_instructions!r}: at least 1")
    for name, kind in (("place", options.place), ("arrays", options.arrays)):
        if kind not in KINDS:
            raise SignatureError(f"{name}={kind!r}: kinds of memory are {', '.join(KINDS)}")
    align = options.align
    if not isinstance(align, int) or not 0 <= align <= _LARGEST_ALIGN or align & (align - 1):
        raise SignatureError(f"align={align!r}: bytes, a power of 2 of at most {_LARGEST_ALIGN}")
    return options


def _paths(name: str, values: Paths, folder: Path) -> list[Path]:
    if isinstance(values, str | os.PathLike) or not all(isinstance(value, str | os.PathLike) for value in values):
        raise SignatureError(f"{name}={values!r}: give a list of paths, such as ['include']")
    return [Path(os.path.normpath(folder / value)) for value in values]


def _defines(defines: Defines) -> list[str]:
    """-D options. A text stands as it is, as on a command line: '"quoted"' is a C string."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(defines, Mapping):
        pairs = list(defines.items())
    elif isinstance(defines, str) or not all(isinstance(item, str) for item in defines):
        raise SignatureError(f"defines={defines!r}: give a dict such as {{'N': 4}}, or a list such as ['DEBUG', 'N=4']")
    else:
        pairs = [(name, value if given else None) for name, given, value in (item.partition("=") for item in defines)]
    out = []
    for name, value in pairs:
        if not (isinstance(name, str) and name.isidentifier() and name.isascii()):
            raise SignatureError(f"defines: {name!r} is no name of a macro")
        if isinstance(value, bool):
            value = int(value)
        if value is not None and not isinstance(value, int | float | str):
            raise SignatureError(f"defines: {name} is a number, a text or None, not {type(value).__name__}")
        out.append(f"-D{name}" if value is None else f"-D{name}={value}")
    return out
