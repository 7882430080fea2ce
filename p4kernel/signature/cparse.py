"""Prototypes, structs, unions, enums and constants that are given as C text."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from p4kernel.signature.constexpr import NotConstant, evaluate
from p4kernel.signature.cresolve import POINTER, FunctionPointer, Kind, Pointer, Refused, Types
from p4kernel.signature.ctext import Cleaned, clean
from p4kernel.signature.values import Enumeration, Record, Value


@dataclass(frozen=True, slots=True)
class Prototype:
    """A function, as far as p4kernel can call it."""

    name: str
    parameters: tuple[tuple[str, Kind], ...]
    returns: Value | None
    text: str  # its declaration in C
    place: str  # "file:line"
    local: bool  # static or inline: its body is where it is declared


@dataclass(slots=True)
class Declarations:
    """What a text declares. ``unsupported``: name -> the error that using it raises."""

    functions: dict[str, Prototype]
    types: dict[str, type[Any]]
    constants: dict[str, int | float | str]
    unsupported: dict[str, str]


def parse(text: str, name: str, *, preprocessed: bool = False, only: str | None = None) -> Declarations:
    """Reads C text. ``only``: the file whose declarations are wanted, in preprocessed text. Raises SignatureError."""
    from p4kernel.signature.prototype import import_cffi

    import_cffi()
    cleaned = clean(text, name, preprocessed=preprocessed)
    return _Reader(cleaned, name, preprocessed, only).read()


class _Reader(Types):
    """What a text declares."""

    def __init__(self, cleaned: Cleaned, name: str, preprocessed: bool, only: str | None) -> None:
        super().__init__(cleaned, name, preprocessed)
        self._only = only

    def read(self) -> Declarations:
        result = Declarations({}, {}, self._constants, {})
        self._collect()
        for node in self._tree.ext:
            if not isinstance(node, self._ast.Decl | self._ast.Typedef) or not self._wanted(node):
                self._enumerators_of(node)
                continue
            try:
                self._declare(node, result)
            except Refused as error:
                result.unsupported[self._declared_name(node)] = str(error)
        self._macros(result)
        return result

    def _wanted(self, node: Any) -> bool:
        return self._only is None or (node.coord is not None and node.coord.file == self._only)

    def _declared_name(self, node: Any) -> str:
        inner = node.type
        while not node.name and inner is not None and not getattr(inner, "name", None):
            inner = getattr(inner, "type", None)
        return node.name or getattr(inner, "name", None) or f"(line {node.coord.line})"

    def _declare(self, node: Any, result: Declarations) -> None:
        a = self._ast
        inner = node.type
        if isinstance(node, a.Typedef) or not isinstance(inner, a.FuncDecl):
            self._declare_type(node, result)
            return
        if (attribute := self._cleaned.refused.get((node.coord.file, node.coord.line))) is not None:
            raise self._refused(node, f"{node.name}: __attribute__{attribute} is not supported")
        result.functions[node.name] = self._prototype(node)

    def _declare_type(self, node: Any, result: Declarations) -> None:
        a = self._ast
        inner = node.type
        while isinstance(inner, a.TypeDecl):
            inner = inner.type
        if isinstance(inner, a.Struct | a.Union | a.Enum):
            if isinstance(inner, a.Enum):
                kind: Record | Enumeration = self._enum(inner)
            else:
                if inner.decls is None and f"{type(inner).__name__.lower()} {inner.name}" not in self._tags:
                    return  # only declared
                kind = self._record(inner)
            for name in (inner.name, node.name if isinstance(node, a.Typedef) else None):
                if name:
                    result.types[name] = kind.cls
        elif isinstance(node, a.Decl) and node.name and "typedef" not in node.storage:
            raise self._refused(node, f"{node.name} is a variable; p4kernel takes functions, types and constants")

    def _prototype(self, node: Any) -> Prototype:
        function = node.type
        parameters: list[tuple[str, Kind]] = []
        a = self._ast
        for i, parameter in enumerate(function.args.params if function.args is not None else ()):
            if isinstance(parameter, a.EllipsisParam):
                raise self._refused(node, f"{node.name}: a variable number of arguments (...) is not supported")
            if isinstance(parameter, a.ID):
                raise self._refused(node, f"{node.name}: the parameter {parameter.name!r} has no type")
            where = f"{node.name}, parameter {parameter.name or i + 1}"
            if self._is_void(parameter.type):
                continue
            name = parameter.name or f"a{i}"
            name += "_" if keyword.iskeyword(name) else ""  # in C it may have any name; Python passes it by this one
            parameters.append((name, self._parameter(parameter.type, where)))
        returns: Value | None = None
        if not self._is_void(function.type):
            kind = self._resolve(function.type, f"{node.name}, return value")
            returns = POINTER if isinstance(kind, Pointer | FunctionPointer) else kind
        bare = self._c.visit(a.Decl(node.name, [], [], [], [], node.type, None, None))
        local = "static" in node.storage or "inline" in node.funcspec
        return Prototype(node.name, tuple(parameters), returns, bare, self._place(node), local)

    def _enumerators_of(self, node: Any) -> None:
        """Constants of an enum that is in another file; lengths of arrays may use them."""
        for inner in self._walk(node):
            if isinstance(inner, self._ast.Enum) and inner.values is not None:
                try:
                    self._enumerators(inner)
                except Refused:
                    continue  # its constants stay unknown, and using one is an error that names it

    def _macros(self, result: Declarations) -> None:
        from pycparser import c_parser

        wanted = {
            name: text
            for name, (text, file, _) in self._cleaned.macros.items()
            if self._only is None or file == self._only
        }
        known: Mapping[str, tuple[str, str, int]] = self._cleaned.macros
        for name in wanted:
            text = _expand(name, known)
            try:
                tree: Any = c_parser.CParser().parse(f"int x = {text};")
                self._constants[name] = evaluate(tree.ext[0].init, self._constants, self._size)
            except (NotConstant, Refused) as error:
                result.unsupported[name] = f"the macro {name} ({text}) is no constant: {error}"
            except Exception:  # pycparser's own; a macro may be any text
                result.unsupported[name] = f"the macro {name} ({text}) is no constant"


def _expand(name: str, macros: Mapping[str, tuple[str, str, int]], inside: tuple[str, ...] = ()) -> str:
    """The text of an object-like macro with other such macros replaced."""

    def word(match: re.Match[str]) -> str:
        other = match[0]
        if other not in macros or other in (*inside, name):
            return other
        return f"({_expand(other, macros, (*inside, name))})"

    parts = re.split(r'("(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\')', macros[name][0])
    return "".join(part if i % 2 else re.sub(r"\b[A-Za-z_]\w*", word, part) for i, part in enumerate(parts))
