"""From the annotations of a stub to the words of types.py."""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import numpy as np

from p4kernel.errors import SignatureError
from p4kernel.signature import functions
from p4kernel.signature.functions import Address, Function
from p4kernel.signature.results import Form
from p4kernel.signature.scope import names_around
from p4kernel.signature.values import Enumeration, Generic, Record, Value, c_element, enumeration, record
from p4kernel.types import C_NAMES, CString, DeviceArray, Direction, FunctionTo, PointerTo, Scalar, ValueOf
from p4kernel.types import T_element as T

_HELP = "use p4.i32, p4.f32 and their kind for numbers, p4.In[np.float32], p4.Out[...], p4.InOut[...] for arrays"


def resolve(function: Callable[..., Any], frame: types.FrameType | None) -> dict[str, Any]:
    """The annotations of ``function`` as objects.

    Names in text annotations (``from __future__ import annotations``) are looked up in the function's closure, then
    in the frames that are live around the decoration, then in its module. Raises SignatureError for a name that
    stands nowhere.
    """
    try:
        raw = dict(function.__annotations__)
    except NameError as error:  # Python 3.14 evaluates annotations when they are asked for
        raise _unknown(function, error) from None
    if not any(isinstance(value, str) for value in raw.values()):
        return raw
    names = _names_around(function, frame)
    result: dict[str, Any] = {}
    for name, value in raw.items():
        try:
            result[name] = eval(value, function.__globals__, names) if isinstance(value, str) else value
        except NameError as error:
            raise _unknown(function, error, name) from None
        except Exception as error:
            raise SignatureError(
                f"{function.__qualname__}: the annotation {value!r} of {name!r} cannot be evaluated: {error}"
            ) from error
    return result


def _names_around(function: Callable[..., Any], frame: types.FrameType | None) -> dict[str, Any]:
    names = names_around(function.__globals__, frame)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not assigned yet: the lookup will say so by name
            continue
    return names


def _unknown(function: Callable[..., Any], error: NameError, parameter: str | None = None) -> SignatureError:
    of = f" of {parameter!r}" if parameter else ""
    return SignatureError(
        f"{function.__qualname__}: the annotation{of} uses {error.name!r}, which is not defined where the kernel is"
    )


@dataclass(frozen=True, slots=True)
class Pointer:
    """What an annotation says of an array parameter. ``element``: a dtype, or a TypeVar that each call decides."""

    word: PointerTo
    element: np.dtype[Any] | TypeVar | None  # None: void, any dtype


def parse(annotation: Any, where: str) -> tuple[Value | CString | Pointer | Generic | Function, bool]:
    """What one parameter is, and whether None may stand for it. ``where`` names it in errors."""
    if get_origin(annotation) in (Union, types.UnionType):
        arms = [arm for arm in get_args(annotation) if arm is not type(None)]
        if len(arms) == 1 and len(get_args(annotation)) == 2:
            kind, _ = parse(arms[0], where)
            if not isinstance(kind, CString | Pointer | Function):
                raise SignatureError(f"{where}: {_show(annotation)}: only a pointer can be None (NULL in C)")
            return kind, True
    if get_origin(annotation) is Annotated:
        arms, *metadata = get_args(annotation)
        for word in metadata:
            if isinstance(word, Scalar | CString):
                return word, False
            if isinstance(word, PointerTo):
                return Pointer(word, _element(arms, word, where)), False
            if isinstance(word, ValueOf):
                return _generic(arms, where), False
            if isinstance(word, FunctionTo):
                return _function(arms, where), False
        raise SignatureError(f"{where}: {_show(annotation)} carries no p4 type; {_HELP}")
    if isinstance(annotation, TypeVar):
        return Generic(annotation), False
    by_value = _by_value(annotation)
    if by_value is None:
        raise SignatureError(f"{where}: {_show(annotation)} is no type of a kernel parameter; {_HELP}")
    return by_value, False


def _function(arms: Any, where: str) -> Function:
    for arm in get_args(arms):
        parameters, result = get_args(arm) if len(get_args(arm)) == 2 else (None, None)
        if isinstance(parameters, list):
            return function_of(parameters, result, where)
    raise SignatureError(f"{where}: list the parameters and the result, as in p4.fn[[p4.i32, p4.f32], p4.i32]")


def function_of(parameters: Sequence[Any], result: Any, where: str) -> Function:
    """The type of a function with these annotations. Raises SignatureError."""
    kinds: list[Value | Address] = []
    for i, annotation in enumerate(parameters):
        at = f"{where}, parameter {i} of the function"
        kind, _ = parse(annotation, at)
        if isinstance(kind, CString):
            kinds.append(Address("const char *"))
        elif isinstance(kind, Pointer) and not isinstance(kind.element, TypeVar):
            const = "const " if kind.word.direction is Direction.IN else ""
            kinds.append(Address(f"{const}{'void' if kind.element is None else c_element(kind.element)} *"))
        elif isinstance(kind, Scalar | Enumeration | Record):
            kinds.append(kind)
        else:
            raise SignatureError(f"{at}: {_show(annotation)}: a function takes numbers, structs, enums and pointers")
    returns = None if result is None or result is type(None) else _by_value(result)
    if returns is None and not (result is None or result is type(None)):
        raise SignatureError(f"{where}: {_show(result)}: a function returns a number, a struct, an enum or None")
    return functions.make(kinds, returns, where)


def _by_value(annotation: Any) -> Value | None:
    if get_origin(annotation) is Annotated:
        return next((word for word in get_args(annotation)[1:] if isinstance(word, Scalar)), None)
    if isinstance(annotation, type) and issubclass(annotation, enum.IntEnum | enum.IntFlag):
        return enumeration(annotation)
    return record(annotation)


def _generic(arms: Any, where: str) -> Generic:
    for arm in get_args(arms):
        if isinstance(arm, TypeVar) and arm is not T:
            return Generic(arm)
    raise SignatureError(f"{where}: p4.value needs a type variable, as in p4.value[p4.T]")


@dataclass(frozen=True, slots=True)
class Returned:
    """One item of the return annotation."""

    kind: Value | Generic | np.dtype[Any] | TypeVar | type[str] | type[bytes]
    text: str


def parse_return(annotation: Any, where: str) -> tuple[Form, list[Returned]]:
    """What a call gives back: "none", "single" or "tuple", and its items."""
    if annotation is None or annotation is type(None):
        return "none", []
    if get_origin(annotation) is tuple:
        items = get_args(annotation)
        if not items or Ellipsis in items or items == ((),):
            raise SignatureError(f"{where}: {_show(annotation)}: list the results, as in tuple[p4.i32, p4.f32]")
        return "tuple", [_returned(item, where) for item in items]
    return "single", [_returned(annotation, where)]


def _returned(annotation: Any, where: str) -> Returned:
    text = _show(annotation)
    if annotation is str or annotation is bytes:
        return Returned(annotation, text)
    if isinstance(annotation, TypeVar):
        return Returned(Generic(annotation), text)
    if (kind := _by_value(annotation)) is not None:
        return Returned(kind, text)
    if get_origin(annotation) is np.ndarray:
        (element,) = get_args(get_args(annotation)[1])
        if isinstance(element, TypeVar):
            return Returned(element, text)
        own = record(element)
        if own is not None:
            return Returned(own.dtype, text)
        if isinstance(element, type) and issubclass(element, np.generic) and np.dtype(element) in C_NAMES:
            return Returned(np.dtype(element), text)
    raise SignatureError(
        f"{where}: a kernel returns None, a number such as p4.i32, a p4.struct, an enum.IntEnum, or a tuple of results "
        f"(p4.ret), not {text}; arrays that the caller makes go through p4.Out parameters"
    )


def _element(arms: Any, word: PointerTo, where: str) -> np.dtype[Any] | TypeVar | None:
    for arm in get_args(arms):
        if get_origin(arm) is DeviceArray:
            (element,) = get_args(arm)
            if element is Any:
                return None
            if isinstance(element, TypeVar) and element is not T:
                return element
            if element is T:
                raise SignatureError(f"{where}: p4.{word.name} needs an element type, as in p4.{word.name}[np.float32]")
            return _element_dtype(element, word, where)
    raise SignatureError(f"{where}: {_show(arms)} is no array type of p4")


def _element_dtype(element: Any, word: PointerTo, where: str) -> np.dtype[Any]:
    shown = f"p4.{word.name}[{_show(element)}]"
    number = next((item for item in getattr(element, "__metadata__", ()) if isinstance(item, Scalar)), None)
    example = number.dtype.type.__name__ if number is not None else "float32"
    remedy = f"name the exact NumPy type, as in p4.{word.name}[np.{example}]"
    own = record(element)
    dtype: np.dtype[Any]
    if own is not None:
        dtype = own.dtype
    elif isinstance(element, type) and issubclass(element, np.generic):
        dtype = np.dtype(element)
    else:
        raise SignatureError(f"{where}: {shown}: {_show(element)} is no NumPy type; {remedy}")
    if c_element(dtype) is None:
        raise SignatureError(f"{where}: {shown}: there is no C type for elements of dtype {dtype}; {remedy}")
    return dtype


def _show(annotation: Any) -> str:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        module = "" if annotation.__module__ in ("builtins", "__main__") else annotation.__module__ + "."
        return f"{module}{annotation.__qualname__}".replace("numpy.", "np.")
    if get_origin(annotation) is Annotated:
        arms, *metadata = get_args(annotation)
        for word in metadata:
            if isinstance(word, Scalar):
                return f"p4.{word.name}"
            if isinstance(word, PointerTo):
                return f"p4.{word.name}[{', '.join(_show(get_args(arm)[0]) for arm in get_args(arms)[-1:])}]"
    return repr(annotation)
