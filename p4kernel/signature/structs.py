"""C structs and unions as Python classes: members, layout, C text, and the assertions that the compiler checks."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_args, get_origin, get_type_hints

import numpy as np

from p4kernel.errors import ArgumentError, SignatureError
from p4kernel.signature.layout import Item, lay_out
from p4kernel.signature.scope import caller, names_around
from p4kernel.signature.values import Enumeration, Member, Record, Value, enumeration, packed, python, record
from p4kernel.signature.words import C_WORDS
from p4kernel.types import C_NAMES, SCALARS, Scalar

if TYPE_CHECKING:
    from typing import Self

    from typing_extensions import dataclass_transform

_BITS = "p4_bits_"  # dtype fields that hold bit-fields, which NumPy has no type for


@dataclass(frozen=True, slots=True)
class Inline:
    """What ``p4.field`` says of a member."""

    shape: tuple[int, ...]
    bits: int | None = None


def field(shape: int | tuple[int, ...] = (), *, bits: int | None = None) -> Any:
    """Makes a member of a ``p4.struct`` an array, ``taps: npt.NDArray[np.float32] = p4.field(4)``, or a bit-field,
    ``mode: p4.u32 = p4.field(bits=3)``."""
    dims = (shape,) if isinstance(shape, int) else tuple(shape)
    if bits is not None:
        if dims or not isinstance(bits, int) or not 1 <= bits <= 64:
            raise SignatureError(f"p4.field(bits=...) takes a number of bits from 1 to 64 and no lengths, not {bits!r}")
        return Inline((), bits)
    if not dims or any(not isinstance(n, int) or n < 1 for n in dims):
        raise SignatureError(f"p4.field takes array lengths of 1 and more, not {shape!r}")
    return Inline(dims)


if TYPE_CHECKING:

    @dataclass_transform(field_specifiers=(field,))
    class struct(np.generic):
        """See the run-time class below."""

        dtype: ClassVar[np.dtype[Any]]  # pyright: ignore

        def __new__(cls, *args: Any, **kwargs: Any) -> Self: ...
        def __getitem__(self, member: str) -> Any: ...
        def __setitem__(self, member: str, value: Any) -> None: ...
        def __init_subclass__(cls, *, pack: int | None = ..., align: int | None = ...) -> None: ...

    class union(np.generic):
        """See the run-time class below."""

        dtype: ClassVar[np.dtype[Any]]  # pyright: ignore

        def __new__(cls, **member: Any) -> Self: ...
        def __getitem__(self, member: str) -> Any: ...
        def __setitem__(self, member: str, value: Any) -> None: ...
        def __init_subclass__(cls, *, pack: int | None = ..., align: int | None = ...) -> None: ...

else:

    class _Aggregate(np.void):
        __slots__ = ()

        def __repr__(self) -> str:
            kind = record(type(self))
            return f"{kind.name}({', '.join(f'{m.name}={getattr(self, m.name)!r}' for m in kind.members)})"

        __str__ = __repr__

        def _set(self, values: dict[str, Any]) -> None:
            kind = record(type(self))
            names = [m.name for m in kind.members]
            for name, value in values.items():
                if name not in names:
                    raise TypeError(f"{kind.name} has no member {name!r}; it has {', '.join(names)}")
                setattr(self, name, value)

    class struct(_Aggregate):
        """Base of C structs: ``class Point(p4.struct): x: p4.f32; y: p4.i32``.

        The class has a ``dtype`` with the layout that the C compiler uses for the board: each member at its natural
        alignment, or ``class Point(p4.struct, pack=1)`` as ``#pragma pack``, ``align=16`` as ``aligned``.
        ``Point(x=1, y=2)`` makes one element, ``np.zeros(n, Point.dtype)`` an array of them. Members are numbers,
        ``enum.IntEnum`` classes, other structs and unions, and arrays of these (``p4.field``).
        """

        __slots__ = ()
        dtype: np.dtype[Any]

        def __init_subclass__(
            cls, *, pack: int | None = None, align: int | None = None, declared: bool = False
        ) -> None:
            if not declared:  # else it comes from C text, and its members are not annotations
                _define_class(cls, caller(1), union=False, pack=pack, align=align)

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            kind = _kind(cls)
            names = [m.name for m in kind.members]
            if len(args) > len(names):
                raise TypeError(f"{cls.__name__} has {len(names)} members, {len(args)} values were given")
            twice = [name for name in names[: len(args)] if name in kwargs]
            if twice:
                raise TypeError(f"{cls.__name__}: {', '.join(twice)} is given twice, by position and by name")
            value = np.zeros((), cls.dtype)[()]
            value._set({**getattr(cls, "_p4_defaults", {}), **dict(zip(names, args, strict=False)), **kwargs})
            return value

    class union(_Aggregate):
        """Base of C unions: ``class Word(p4.union): f: p4.f32; u: p4.u32``. ``Word(f=1.0)`` sets one member."""

        __slots__ = ()
        dtype: np.dtype[Any]

        def __init_subclass__(
            cls, *, pack: int | None = None, align: int | None = None, declared: bool = False
        ) -> None:
            if not declared:
                _define_class(cls, caller(1), union=True, pack=pack, align=align)

        def __new__(cls, **member: Any) -> Any:
            _kind(cls)
            if len(member) > 1:
                raise TypeError(f"{cls.__name__} is a union: one member can be set, not {', '.join(member)}")
            value = np.zeros((), cls.dtype)[()]
            value._set(member)
            return value


class _Attribute:
    """Reads and writes one member of an element: ``point.x``."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._where = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._where = f"{owner.__name__}: {name}"

    def __get__(self, element: Any, owner: type[Any] | None = None) -> Any:
        if element is None:
            return self
        member = self._member
        if member.bits is not None:
            number = int.from_bytes(element[_BITS + member.name].tobytes(), "little") >> member.shift
            number &= (1 << member.bits) - 1
            if _signed(member.type) and number >> (member.bits - 1):
                number -= 1 << member.bits
            return bool(number) if member.type.kind == "b" else python(number, member.type, self._where)
        value = element[member.name]
        if member.shape or isinstance(member.type, Record):
            return value
        return python(value.item(), member.type, self._where)

    def __set__(self, element: Any, value: Any) -> None:
        member, kind = self._member, self._member.type
        if member.bits is not None:
            self._set_bits(element, packed(value, kind, self._where))
        elif member.shape:
            element[member.name] = _array(value, member, self._where)
        else:
            number = packed(value, kind, self._where)
            element[member.name] = np.frombuffer(number, kind.dtype)[0] if isinstance(kind, Record) else number

    def _set_bits(self, element: Any, number: int) -> None:
        member = self._member
        bits = member.bits
        assert bits is not None
        low = -(1 << (bits - 1)) if _signed(member.type) else 0
        if not low <= number < low + (1 << bits):
            raise ArgumentError(
                f"{self._where}: {number} does not fit {bits} bits, which hold {low} to {low + (1 << bits) - 1}"
            )
        field_name = _BITS + member.name
        mask = ((1 << bits) - 1) << member.shift
        whole = int.from_bytes(element[field_name].tobytes(), "little") & ~mask
        whole |= (int(number) << member.shift) & mask
        size = element.dtype[field_name].itemsize
        element[field_name] = np.frombuffer(whole.to_bytes(size, "little"), np.uint8)


def _signed(kind: Value) -> bool:
    return kind.kind == "i" or (isinstance(kind, Enumeration) and kind.code == "i")


def _array(value: Any, member: Member, where: str) -> Any:
    array = np.asarray(value)
    if array.shape != member.shape:
        raise ArgumentError(f"{where} has the shape {member.shape}, not {array.shape}")
    dtype = member.type.dtype
    if array.dtype == dtype:
        return array
    fits = dtype.fields is None and array.dtype.kind in "biuf" and np.can_cast(array.dtype, dtype, "same_kind")
    if fits or (dtype.kind == "u" and array.dtype.kind == "i"):
        with np.errstate(all="ignore"):
            converted = array.astype(dtype)
        if dtype.kind not in "iu" or (converted == array).all():
            return converted
    raise ArgumentError(f"{where} holds {dtype}, and what was given (dtype {array.dtype}) does not fit")


def _kind(cls: type[Any]) -> Record:
    kind = record(cls)
    if kind is None:
        raise TypeError(f"p4.{cls.__name__} is a base class: derive one with members from it")
    return kind


def _define_class(cls: type[Any], frame: Any, *, union: bool, pack: int | None, align: int | None) -> None:
    what = "union" if union else "struct"
    where = f"{what} {cls.__name__}"
    for name, value, top in (("pack", pack, 16), ("align", align, 4096)):
        if value is not None and (not isinstance(value, int) or not 1 <= value <= top or value & (value - 1)):
            raise SignatureError(f"{where}: {name}={value!r}: a power of two from 1 to {top}")
    hints = _hints(cls, names_around(frame.f_globals, frame) if frame is not None else {}, where)
    members: list[Member] = []
    defaults: dict[str, Any] = {}
    for name, hint in hints.items():
        if get_origin(hint) is ClassVar or name == "dtype":
            continue
        inline = getattr(cls, name, None)
        members.append(_member(name, hint, inline if isinstance(inline, Inline) else Inline(()), where))
        if name in cls.__dict__ and not isinstance(inline, Inline | _Attribute):
            defaults[name] = inline
    finish(cls, f"{what} {cls.__name__}", members, union=union, pack=pack, aligned=align)
    cls._p4_defaults = {**getattr(cls, "_p4_defaults", {}), **defaults}
    if defaults:  # wrong ones are an error where they stand
        cls()


def finish(
    cls: type[Any], c: str, members: list[Member], *, union: bool, pack: int | None, aligned: int | None,
    external: bool = False,
) -> Record:  # fmt: skip
    """Lays the members out (their offsets are not known yet) and gives the class its dtype and attributes."""
    where = f"{'union' if union else 'struct'} {cls.__name__}"
    if not members:
        raise SignatureError(f"{where} has no members")
    if pack is not None and any(m.bits is not None for m in members):
        raise SignatureError(f"{where}: bit-fields in packed structs are laid out differently by compilers; use masks")
    counts = [int(np.prod(m.shape, dtype=np.int64)) for m in members]
    layout = lay_out(
        [Item(m.type.size * n, m.type.align, m.bits) for m, n in zip(members, counts, strict=True)],
        union=union,
        pack=pack,
        align=aligned,
    )
    placed = tuple(
        Member(m.name, m.type, m.shape, offset, m.bits, shift)
        for m, (offset, shift) in zip(members, layout.places, strict=True)
    )
    fields: list[tuple[str, Any, int]] = []
    for m in placed:
        if m.bits is None:
            fields.append((m.name, (m.type.dtype, m.shape) if m.shape else m.type.dtype, m.offset))
        else:
            size = min(m.type.size, layout.size - m.offset)
            fields.append((_BITS + m.name, (np.uint8, (size,)), m.offset))
    names, formats, offsets = zip(*fields, strict=True)
    raw: Any = {"names": names, "formats": formats, "offsets": offsets, "itemsize": layout.size}
    # An aligned dtype keeps its padding when NumPy joins arrays; others are packed then.
    aligns = [np.dtype(form).alignment for form in formats]
    natural = all(offset % align == 0 for offset, align in zip(offsets, aligns, strict=True))
    dtype = np.dtype(raw, align=natural and layout.size % max(aligns) == 0)
    cls.dtype = np.dtype((cls, dtype))  # a void type of our own
    for m in placed:
        attribute = _Attribute(m)
        attribute.__set_name__(cls, m.name)
        setattr(cls, m.name, attribute)
    kind = Record(cls, c, cls.dtype, layout.align, placed, pack, aligned, external)
    cls.__p4__ = kind
    return kind


def _hints(cls: type[Any], names: dict[str, Any], where: str) -> dict[str, Any]:
    try:
        return get_type_hints(cls, localns=names, include_extras=True)
    except NameError as error:
        raise SignatureError(f"{where}: {error.name!r} is not defined where the {where.split()[0]} is") from None


def _member(name: str, hint: Any, inline: Inline, where: str) -> Member:
    if name in C_WORDS or not name.isascii() or name.startswith(("p4_", "__")) or name in ("dtype", "_p4_defaults"):
        raise SignatureError(f"{where}: a member cannot be named {name!r}; choose another name")
    kind, is_array = _member_type(hint)
    if kind is None or is_array != bool(inline.shape):
        raise SignatureError(
            f"{where}: member {name!r} must be a p4 number, an enum.IntEnum, another p4.struct or p4.union, or an "
            f"NDArray with p4.field(length), not {hint!r}{' without p4.field' if is_array else ''}"
        )
    if inline.bits is not None and (isinstance(kind, Record) or kind.kind == "f" or inline.bits > 8 * kind.size):
        raise SignatureError(f"{where}: {name!r}: a {kind.name} cannot be a bit-field of {inline.bits} bits")
    if inline.bits is not None and kind.kind == "b" and inline.bits != 1:
        raise SignatureError(f"{where}: {name!r}: a bool_ bit-field has 1 bit")
    return Member(name, kind, inline.shape, 0, inline.bits)


def _member_type(hint: Any) -> tuple[Value | None, bool]:
    if get_origin(hint) is Annotated:
        return next((word for word in get_args(hint)[1:] if isinstance(word, Scalar)), None), False
    if get_origin(hint) is np.ndarray:
        (element,) = get_args(get_args(hint)[1])
        if (kind := record(element)) is not None:
            return kind, True
        if isinstance(element, type) and issubclass(element, np.generic) and np.dtype(element) in C_NAMES:
            return next(s for s in SCALARS.values() if s.dtype == np.dtype(element)), True
        return None, True
    if isinstance(hint, type) and issubclass(hint, enum.IntEnum | enum.IntFlag):
        return enumeration(hint), False
    return record(hint), False


def definitions(kinds: Iterable[Value], *, bare: bool = False) -> str:
    """C definitions of all structs, unions and enums that the types use, inner ones first, each with its static
    assertions. ``bare``: what cffi's parser reads, without assertions and layout directives."""
    done: dict[str, tuple[Value, str]] = {}
    for kind in kinds:
        _define(kind, done, bare)
    return "".join(text for _, text in done.values())


def _define(kind: Value, done: dict[str, tuple[Value, str]], bare: bool) -> None:
    if isinstance(kind, Scalar):
        return
    known = done.get(kind.c)
    if known is not None:
        if known[0] is not kind:
            raise SignatureError(f"two classes are {kind.c!r} in C; give one of them another name")
        return
    if isinstance(kind, Enumeration):
        done[kind.c] = kind, _enum_text(kind, bare)
        return
    for member in kind.members:
        _define(member.type, done, bare)
    done[kind.c] = kind, _record_text(kind, bare)


def _enum_text(kind: Enumeration, bare: bool) -> str:
    text = ""
    if not kind.external:
        names = ", ".join(f"{kind.name}_{n} = {_constant(int(m))}" for n, m in kind.cls.__members__.items())
        text = f"{kind.c} {{ {names} }};\n"
    if bare:
        return text if not kind.external else ""
    checks = [f'_Static_assert(sizeof({kind.c}) == 4, "size of {kind.c}");']
    if kind.external:
        checks += [f'_Static_assert({n} == {_constant(int(m))}, "{n}");' for n, m in kind.cls.__members__.items()]
    return text + "\n".join(checks) + "\n"


def _constant(number: int) -> str:
    return "(-2147483647 - 1)" if number == -(2**31) else f"{number}{'u' if number >= 2**31 else ''}"


def _record_text(kind: Record, bare: bool) -> str:
    text = ""
    if not kind.external:
        body = "".join(f"    {m.c};\n" for m in kind.members)
        aligned = f" __attribute__((aligned({kind.aligned})))" if kind.aligned and not bare else ""
        text = f"{kind.c} {{\n{body}}}{aligned};\n"
        if kind.pack and not bare:
            text = f"#pragma pack(push, {kind.pack})\n{text}#pragma pack(pop)\n"
    if bare:
        return text
    checks = [
        f'_Static_assert(sizeof({kind.c}) == {kind.size} && __alignof__({kind.c}) == {kind.align}, "size of {kind.c}");'
    ]
    for m in kind.members:
        if m.bits is None:
            checks.append(f'_Static_assert(__builtin_offsetof({kind.c}, {m.name}) == {m.offset}, "{kind.c}.{m.name}");')
    return text + "\n".join(checks) + "\n"
