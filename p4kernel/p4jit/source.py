"""From a source file, or a text, to a function's prototype and the program around it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, Literal

from p4kernel.build import Options, Unit, toolchain
from p4kernel.build.preprocess import preprocess
from p4kernel.p4jit.errors import FunctionNotFound
from p4kernel.signature.bodies import SUFFIXES, Position, position_of
from p4kernel.signature.cparse import Declarations, Prototype, parse

__all__ = ["SourceText"]

_MODULE: Final = "module.c"  # what messages about the text of a module name
_NOISE: Final = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\bextern\s+"C"|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""", re.DOTALL
)


@dataclass(frozen=True)
class SourceText:
    """Where the function is: a file, or C text."""

    name: str  # for messages
    path: Path | None
    text: str
    language: Literal["c", "cpp"]
    position: Position

    @classmethod
    def of(cls, source: str | os.PathLike[str], caller: FrameType | None) -> SourceText:
        """Of what ``load`` was given. A str with a line break or a brace is C text. Raises FileNotFoundError."""
        if not isinstance(source, str | os.PathLike):
            raise TypeError(f"source: the path of a C or C++ file, or C text, not {type(source).__name__}")
        if isinstance(source, str) and ("\n" in source or "{" in source):
            return cls("the text", None, source, "c", position_of(caller))
        path = Path(os.path.normpath(Path.cwd() / source))
        if not path.is_file():
            what = "this is a folder" if path.is_dir() else "there is no such file"
            raise FileNotFoundError(f"source: {path}: {what}")
        language = SUFFIXES.get(path.suffix)
        if language is None:
            raise ValueError(f"source: {path}: source files end in {', '.join(SUFFIXES)}")
        if language == "asm":
            raise ValueError(
                f"source: {path}: assembly has no prototype; give a C file that calls the function and lies beside it, or "
                f"use p4.cdef('int f(int x);', files=[{path.name!r}])"
            )
        return cls(path.name, path, _read(path), language, Position(str(path), 1, None))

    @property
    def include(self) -> str:
        """C text that holds the source."""
        if self.path is not None:
            return f'#include "{self.path}"\n'
        return f'#line 1 "{_MODULE}"\n{self.text}\n'

    def prototype(self, name: str, options: Options) -> Prototype:
        """Of the function. Raises FunctionNotFound, SignatureError for types that cannot be passed, CompileError."""
        found = self._in_cpp(name) if self.language == "cpp" else self._in_c(options)
        prototype = found.functions.get(name)
        if prototype is None:
            if name in found.unsupported:
                raise FunctionNotFound(found.unsupported[name])
            raise FunctionNotFound(
                f"Function '{name}' not found in {self.name}; it has {', '.join(found.functions) or 'none'}"
            )
        if prototype.local:
            raise FunctionNotFound(
                f"{prototype.place}: {name} is static or inline; it can be called when it is neither"
            )
        return prototype

    def head(self, prototype: Prototype) -> str:
        """C text that declares the function with the types that it uses."""
        if self.language == "c":
            return self.include
        noexcept = "noexcept" if self._definition(prototype.name)["noexcept"] else ""
        return f'#ifdef __cplusplus\nextern "C" {prototype.text} {noexcept};\n#else\n{prototype.text};\n#endif\n'

    def _in_c(self, options: Options) -> Declarations:
        text = preprocess(f"#include <p4kernel.h>\n{self.include}", options, toolchain.find())
        return parse(text, "source.c", preprocessed=True, only=str(self.path or _MODULE))

    def _in_cpp(self, name: str) -> Declarations:
        return parse(f"{' '.join(self._definition(name)['prototype'].split())};", self.name)

    def _definition(self, name: str) -> re.Match[str]:
        """Of a function in C++, which is not parsed: what stands before its brace."""
        text = _NOISE.sub(lambda match: match["text"] or " ", self.text)
        match = re.search(
            rf"(?:^|[;}}{{\n])(?P<prototype>[\w\s*]*[\s*]{re.escape(name)}\s*\([^(){{}};]*\))\s*(?P<noexcept>noexcept\s*)?\{{",
            text,
        )
        if match is None:
            raise FunctionNotFound(f"Function '{name}' not found in {self.name}")
        return match

    def siblings(self) -> tuple[Unit, ...]:
        """The other source files in its folder, as units of the same program."""
        if self.path is None:
            return ()
        others = sorted(
            p for p in self.path.parent.iterdir() if p != self.path and p.suffix in SUFFIXES and p.is_file()
        )
        units = (Unit(str(p), _read(p), SUFFIXES[p.suffix]) for p in others)
        return tuple(unit for unit in units if not _generated(unit))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def _generated(unit: Unit) -> bool:
    """P4-JIT wrote its wrapper beside the source, and left it there."""
    return Path(unit.name).name == "temp.c" and "call_remote" in unit.text
