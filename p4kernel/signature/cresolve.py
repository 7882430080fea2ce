"""Types of C, from pycparser's tree to what p4kernel passes."""

from __future__ import annotations

import enum
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from p4kernel.errors import SignatureError
from p4kernel.signature.constexpr import NotConstant, evaluate
from p4kernel.signature.ctext import Cleaned
from p4kernel.signature.structs import finish, struct, union
from p4kernel.signature.values import Enumeration, Member, Record, Value, remember
from p4kernel.types import SCALARS, Scalar

POINTER: Final = Scalar("address", "const void *", "I", "u", 4)
"""A pointer that is a number in Python: a handle, one that a function returns, or a member of a struct."""

_PRELUDE: Final = "".join(
    f"typedef {c} {name};\n"
    for name, c in {
        "int8_t": "signed char", "uint8_t": "unsigned char", "int16_t": "short", "uint16_t": "unsigned short",
        "int32_t": "int", "uint32_t": "unsigned int", "int64_t": "long long", "uint64_t": "unsigned long long",
        "size_t": "unsigned int", "ptrdiff_t": "int", "intptr_t": "int", "uintptr_t": "unsigned int",
        "ssize_t": "int", "wchar_t": "int", "bool": "_Bool", "va_list": "struct p4_va_list *",
    }.items()
)  # fmt: skip
_VA_LIST: Final = "typedef struct p4_va_list *__builtin_va_list;\n"

# RISC-V's ilp32f: char is unsigned, long has 32 bits.
_BASIC: Final = {
    "char": "u8", "signed char": "i8", "unsigned char": "u8", "short": "i16", "unsigned short": "u16", "int": "i32",
    "unsigned int": "u32", "long": "i32", "unsigned long": "u32", "long long": "i64", "unsigned long long": "u64",
    "float": "f32", "double": "f64", "_Bool": "bool_",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pointer:
    """``target`` is a value, "void", "char", "opaque" (a struct without members: a handle) or another "pointer"."""

    target: Value | str
    const: bool


@dataclass(frozen=True, slots=True)
class FunctionPointer:
    parameters: tuple[Value, ...]
    returns: Value | None


Kind = Value | Pointer | FunctionPointer


class Refused(Exception):
    """A construct that is not supported; the message names it and its line."""


class Types:
    """The types that one text declares and uses."""

    def __init__(self, cleaned: Cleaned, name: str, preprocessed: bool) -> None:
        from pycparser import c_ast, c_generator, c_parser

        self._ast: Any = c_ast
        self._c = c_generator.CGenerator()
        self._cleaned = cleaned
        self._name = name
        prelude = _VA_LIST if preprocessed else _VA_LIST + _PRELUDE
        try:
            self._tree: Any = c_parser.CParser().parse(f'{prelude}# 1 "{name}"\n{cleaned.text}', name)
        except Exception as error:  # pycparser's own, whose class has moved between its versions
            raise SignatureError(f"{error}: this is no C declaration that p4kernel can read") from None
        self._typedefs: dict[str, Any] = {}
        self._tags: dict[str, Any] = {}  # "struct name" -> the node with the members
        self._records: dict[int, Record | Refused] = {}
        self._enums: dict[int, Enumeration] = {}
        self._numbers: dict[int, int] = {}  # id of a struct's node -> its place among them
        self._packs: dict[int, int | None] = {}
        self._constants: dict[str, int | float | str] = {}
        self._type_names: dict[int, str] = {}  # nodes without a tag: their typedef

    def _collect(self) -> None:
        a = self._ast
        pack: int | None = None
        stack: list[int | None] = []
        for node in self._walk(self._tree):
            if isinstance(node, a.Pragma):
                pack = self._pragma(node, pack, stack)
            elif isinstance(node, a.Struct | a.Union) and node.decls is not None:
                self._numbers[id(node)] = len(self._numbers)
                self._packs[id(node)] = pack
                if node.name:
                    self._tags[f"{type(node).__name__.lower()} {node.name}"] = node
            elif isinstance(node, a.Enum) and node.values is not None and node.name:
                self._tags[f"enum {node.name}"] = node
            elif isinstance(node, a.Typedef):
                self._typedefs[node.name] = node.type
                inner = getattr(node.type, "type", None)
                if isinstance(inner, a.Struct | a.Union | a.Enum):
                    self._type_names.setdefault(id(inner), node.name)

    def _walk(self, node: Any) -> Iterator[Any]:
        yield node
        for _, child in node.children():
            yield from self._walk(child)

    def _pragma(self, node: Any, pack: int | None, stack: list[int | None]) -> int | None:
        inside = re.sub(r"\s", "", node.string.partition("(")[2].rpartition(")")[0])
        if inside.startswith("pop"):
            return stack.pop() if stack else None
        if inside.startswith("push"):
            stack.append(pack)
            inside = inside.removeprefix("push").removeprefix(",")
            if not inside:
                return pack
        if not inside:
            return None
        if not inside.isdigit():
            raise SignatureError(f"{self._place(node)}: #pragma {node.string} is not understood")
        return int(inside)

    def _place(self, node: Any) -> str:
        coord = node.coord
        return f"{coord.file}:{coord.line}" if coord is not None else self._name

    def _refused(self, node: Any, what: str) -> Refused:
        return Refused(f"{self._place(node)}: {what}")

    def _is_void(self, node: Any) -> bool:
        a = self._ast
        if not isinstance(node, a.TypeDecl) or not isinstance(node.type, a.IdentifierType):
            return False
        if node.type.names == ["void"]:
            return True
        alias = self._typedefs.get(node.type.names[0]) if len(node.type.names) == 1 else None
        return alias is not None and self._is_void(alias)

    def _parameter(self, node: Any, where: str) -> Kind:
        if isinstance(node, self._ast.ArrayDecl):
            return self._pointer_to(node.type, where)
        if isinstance(node, self._ast.FuncDecl):
            return self._function(node, where)
        return self._resolve(node, where)

    def _resolve(self, node: Any, where: str) -> Kind:
        a = self._ast
        if isinstance(node, a.PtrDecl):
            return self._pointer_to(node.type, where)
        if isinstance(node, a.ArrayDecl):
            raise self._refused(node, f"{where}: an array is no value")
        if isinstance(node, a.TypeDecl):
            return self._base(node.type, where)
        raise self._refused(node, f"{where}: {type(node).__name__} is not supported")

    def _base(self, node: Any, where: str) -> Kind:
        a = self._ast
        if isinstance(node, a.Struct | a.Union):
            return self._record(node)
        if isinstance(node, a.Enum):
            return self._enum(node)
        names = list(node.names)
        if len(names) == 1 and names[0] in self._typedefs:
            if names[0] in ("va_list", "__builtin_va_list", "__gnuc_va_list"):
                raise self._refused(node, f"{where}: va_list is not supported")
            if names[0] == "size_t":
                return SCALARS["size_t"]
            return self._resolve(self._typedefs[names[0]], where)
        for word in ("_Complex", "__int128", "_Float128", "_Float16", "_Decimal64"):
            if word in names:
                raise self._refused(node, f"{where}: {word} is not supported")
        if names.count("long") == 1 and "double" in names:
            raise self._refused(node, f"{where}: long double is not supported; double has 64 bits")
        words = sorted(
            (n for n in names if n != "signed" or "char" in names), key=lambda n: n != "unsigned" and n != "signed"
        )
        if "int" in words and len(words) > 1 and words != ["unsigned", "int"]:
            words.remove("int")
        text = " ".join(words) or "int"
        text = {"unsigned": "unsigned int"}.get(text, text)
        if text not in _BASIC:
            raise self._refused(node, f"{where}: {' '.join(names)} is no value")
        return SCALARS[_BASIC[text]]

    def _pointer_to(self, node: Any, where: str) -> Pointer | FunctionPointer:
        a = self._ast
        const = "const" in getattr(node, "quals", ())
        while isinstance(node, a.TypeDecl) and isinstance(node.type, a.IdentifierType):
            alias = self._typedefs.get(node.type.names[0]) if len(node.type.names) == 1 else None
            if alias is None or node.type.names == ["size_t"]:
                break
            node = alias
            const = const or "const" in getattr(node, "quals", ())
        if isinstance(node, a.FuncDecl):
            return self._function(node, where)
        if isinstance(node, a.ArrayDecl):
            while isinstance(node, a.ArrayDecl):
                node = node.type
            return Pointer(self._target(node, where), const or "const" in getattr(node, "quals", ()))
        if isinstance(node, a.PtrDecl):
            return Pointer("pointer", const)
        if self._is_void(node):
            return Pointer("void", const)
        if isinstance(node.type, a.IdentifierType) and node.type.names == ["char"]:
            return Pointer("char", const)
        return Pointer(self._target(node, where), const)

    def _target(self, node: Any, where: str) -> Value | str:
        inner = node.type
        if isinstance(inner, self._ast.Struct | self._ast.Union) and inner.decls is None:
            tag = f"{type(inner).__name__.lower()} {inner.name}"
            if tag not in self._tags:
                return "opaque"
        kind = self._resolve(node, where)
        return kind if isinstance(kind, Scalar | Enumeration | Record) else "pointer"

    def _function(self, node: Any, where: str) -> FunctionPointer:
        kinds: list[Value] = []
        for parameter in node.args.params if node.args is not None else ():
            if isinstance(parameter, self._ast.EllipsisParam):
                raise self._refused(node, f"{where}: a variable number of arguments (...) is not supported")
            if self._is_void(parameter.type):
                continue
            kind = self._parameter(parameter.type, where)
            kinds.append(kind if isinstance(kind, Scalar | Enumeration | Record) else POINTER)
        returns = None if self._is_void(node.type) else self._resolve(node.type, where)
        return FunctionPointer(tuple(kinds), POINTER if isinstance(returns, Pointer | FunctionPointer) else returns)

    def _record(self, node: Any) -> Record:
        what = type(node).__name__.lower()
        if node.decls is None:
            full = self._tags.get(f"{what} {node.name}")
            if full is None:
                raise self._refused(node, f"{what} {node.name}: its members are not known here")
            node = full
        known = self._records.get(id(node))
        if known is None:
            try:
                known = self._make_record(node, what)
            except Refused as error:
                known = error
            except SignatureError as error:
                known = Refused(f"{self._place(node)}: {error}")
            self._records[id(node)] = known
        if isinstance(known, Refused):
            raise Refused(str(known))
        return known

    def _make_record(self, node: Any, what: str) -> Record:
        alias = self._type_names.get(id(node))
        if not node.name and alias is None:
            raise self._refused(node, f"a {what} without a name is not supported; give it a tag")
        c, name = (f"{what} {node.name}", node.name) if node.name else (str(alias), str(alias))
        pack, aligned = self._packs[id(node)], None
        for text in self._cleaned.attributes.get(self._numbers[id(node)], ()):
            if re.search(r"\b_*packed_*\b", text):
                pack = 1
            if found := re.search(r"\b_*aligned_*\b\s*(?:\(\s*(\d+)\s*\))?", text):
                aligned = int(found[1]) if found[1] else 16
            for word in re.findall(r"\b_*(ms_struct|scalar_storage_order|transparent_union)_*\b", text):
                raise self._refused(node, f"{c}: __attribute__(({word})) is not supported")
        members = [
            self._member(m, c) for m in node.decls if not isinstance(m, self._ast.Pragma | self._ast.StaticAssert)
        ]
        base: Any = union if what == "union" else struct

        def body(namespace: dict[str, Any]) -> None:
            namespace["__module__"] = __name__

        cls = types.new_class(name, (base,), {"declared": True}, body)
        return finish(cls, c, members, union=what == "union", pack=pack, aligned=aligned, external=True)

    def _member(self, node: Any, c: str) -> Member:
        where = f"{c}: member {node.name}"
        if not node.name and node.bitsize is None:
            raise self._refused(node, f"{c}: a struct or union without a name inside is not supported; give it one")
        if not node.name:
            raise self._refused(node, f"{c}: a bit-field without a name is not supported; give it one")
        if node.align or (node.coord.file, node.coord.line) in self._cleaned.refused:
            raise self._refused(node, f"{where}: an alignment of its own is not supported")
        shape: list[int] = []
        kind_node = node.type
        while isinstance(kind_node, self._ast.ArrayDecl):
            if kind_node.dim is None:
                raise self._refused(node, f"{where}: an array without a length is not supported")
            shape.append(int(self._number(kind_node.dim, where)))
            kind_node = kind_node.type
        if any(n < 1 for n in shape):
            raise self._refused(node, f"{where}: an array of length 0 is not supported")
        kind = self._resolve(kind_node, where)
        value = POINTER if isinstance(kind, Pointer | FunctionPointer) else kind
        bits = int(self._number(node.bitsize, where)) if node.bitsize is not None else None
        if bits == 0:
            raise self._refused(node, f"{where}: a bit-field of 0 bits is not supported")
        return Member(node.name, value, tuple(shape), 0, bits)

    def _enum(self, node: Any) -> Enumeration:
        if node.values is None:
            full = self._tags.get(f"enum {node.name}")
            if full is None:
                raise self._refused(node, f"enum {node.name}: its members are not known here")
            node = full
        known = self._enums.get(id(node))
        if known is not None:
            return known
        self._enumerators(node)
        names = [e.name for e in node.values.enumerators]
        alias = self._type_names.get(id(node))
        name = node.name or alias or "anonymous"
        make: Any = enum.IntEnum  # by the call that makes a class
        cls = make(name, [(n, self._constants[n]) for n in names])
        low = min(int(m) for m in cls.__members__.values())
        c = f"enum {node.name}" if node.name else (alias or "int")
        kind = remember(cls, Enumeration(cls, c, "i" if low < 0 else "I", external=True))
        self._enums[id(node)] = kind
        return kind

    def _enumerators(self, node: Any) -> None:
        value = -1
        for e in node.values.enumerators:
            value = int(self._number(e.value, f"enumerator {e.name}")) if e.value is not None else value + 1
            self._constants[e.name] = value

    def _number(self, node: Any, where: str) -> int | float:
        try:
            value = evaluate(node, self._constants, self._size)
        except NotConstant as error:
            raise self._refused(node, f"{where}: {error}") from None
        if isinstance(value, str):
            raise self._refused(node, f"{where}: {value!r} is no number")
        return value

    def _size(self, node: Any) -> int:
        kind = self._resolve(node.type if hasattr(node, "type") else node, "sizeof")
        return 4 if isinstance(kind, Pointer | FunctionPointer) else kind.size
