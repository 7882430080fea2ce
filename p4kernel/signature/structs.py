"""C structs as Python classes: layout, C text, and the assertions that the compiler checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, get_args, get_origin, get_type_hints

import numpy as np

from p4kernel.errors import SignatureError
from p4kernel.signature.scope import caller, names_around
from p4kernel.types import C_NAMES, Scalar

if TYPE_CHECKING:
    from typing import Self

    from typing_extensions import dataclass_transform

_CLASS: Final = "p4kernel.struct"  # key of a dtype's metadata; equal layouts of two classes stay two C types


@dataclass(frozen=True, slots=True)
class _Inline:
    shape: tuple[int, ...]


def field(shape: int | tuple[int, ...]) -> Any:
    """Makes a member of a ``p4.struct`` an array: ``taps: npt.NDArray[np.float32] = p4.field(4)``."""
    dims = (shape,) if isinstance(shape, int) else tuple(shape)
    if not dims or any(not isinstance(n, int) or n < 1 for n in dims):
        raise SignatureError(f"p4.field takes array lengths of 1 and more, not {shape!r}")
    return _Inline(dims)


if TYPE_CHECKING:

    @dataclass_transform(field_specifiers=(field,))
    class struct(np.generic):
        """See the run-time class below."""

        dtype: ClassVar[np.dtype[Any]]  # pyright: ignore

        def __new__(cls, *args: Any, **kwargs: Any) -> Self: ...

else:

    class struct:
        """Base of C structs: ``class Point(p4.struct): x: p4.f32; y: p4.i32``.

        The class has a ``dtype`` with the layout that the C compiler uses (each member at its natural alignment).
        ``Point(x=1, y=2)`` makes one NumPy element, ``np.zeros(n, Point.dtype)`` an array of them.
        """

        dtype: np.dtype[Any]

        def __init_subclass__(cls) -> None:
            frame = caller(1)
            cls.dtype = _layout(cls, names_around(frame.f_globals, frame) if frame is not None else {})

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            names = cls.dtype.names or ()
            if len(args) > len(names):
                raise TypeError(f"{cls.__name__} has {len(names)} members, {len(args)} values were given")
            value = np.zeros((), cls.dtype)
            for name, item in zip(names, args, strict=False):
                value[name] = item
            for name, item in kwargs.items():
                if name not in names[len(args) :]:
                    raise TypeError(f"{cls.__name__} has no member {name!r} left to set; it has {', '.join(names)}")
                value[name] = item
            return value[()]


def _layout(cls: type[Any], names: dict[str, Any]) -> np.dtype[Any]:
    try:
        hints = get_type_hints(cls, localns=names, include_extras=True)
    except NameError as error:
        raise SignatureError(f"struct {cls.__name__}: {error.name!r} is not defined where the struct is") from None
    members: list[tuple[str, Any] | tuple[str, Any, tuple[int, ...]]] = []
    for name, hint in hints.items():
        if name == "dtype":
            continue
        element = _member(hint)
        if element is None:
            raise SignatureError(
                f"struct {cls.__name__}: member {name!r} must be a p4 number, another p4.struct, or an NDArray with "
                f"p4.field(length), not {hint!r}"
            )
        inline = cls.__dict__.get(name)
        members.append((name, element, inline.shape) if isinstance(inline, _Inline) else (name, element))
    if not members:
        raise SignatureError(f"struct {cls.__name__} has no members")
    return np.dtype(members, align=True, metadata={_CLASS: cls})


def _member(hint: Any) -> np.dtype[Any] | None:
    if get_origin(hint) is Annotated:
        for word in get_args(hint)[1:]:
            if isinstance(word, Scalar):
                return word.dtype
        return None
    if get_origin(hint) is np.ndarray:
        (element,) = get_args(get_args(hint)[1])
        dtype = np.dtype(element)
        return dtype if dtype in C_NAMES else None
    dtype = getattr(hint, "dtype", None)
    return dtype if isinstance(dtype, np.dtype) else None


def c_element(dtype: np.dtype[Any]) -> str | None:
    """The C type of one element, or None when there is none (complex, float16, text, big-endian, objects)."""
    if dtype.fields is not None:
        cls = dtype.metadata.get(_CLASS) if dtype.metadata is not None else None
        return None if cls is None else f"struct {cls.__name__}"
    return C_NAMES.get(dtype)


def definitions(dtypes: list[np.dtype[Any]]) -> str:
    """C definitions of all structs that the dtypes use, inner ones first, each with its static assertions."""
    done: dict[str, str] = {}
    for dtype in dtypes:
        _define(dtype, done)
    return "".join(done.values())


def _define(dtype: np.dtype[Any], done: dict[str, str]) -> None:
    if dtype.fields is None:
        return
    name = c_element(dtype)
    if name is None or name in done:
        return
    lines = []
    checks = [f'_Static_assert(sizeof({name}) == {dtype.itemsize}, "size of {name}");']
    for member, (kind, offset, *_) in dtype.fields.items():
        base = kind.base
        _define(base, done)
        dims = "".join(f"[{n}]" for n in kind.shape)
        lines.append(f"    {c_element(base)} {member}{dims};")
        checks.append(f'_Static_assert(__builtin_offsetof({name}, {member}) == {offset}, "{name}.{member}");')
    done[name] = "\n".join([f"{name} {{", *lines, "};", *checks]) + "\n"
