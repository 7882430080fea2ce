"""From the annotations of a stub to the words of types.py."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

import numpy as np

from p4kernel.errors import SignatureError
from p4kernel.signature.scope import names_around
from p4kernel.signature.structs import c_element
from p4kernel.types import CString, DeviceArray, PointerTo, Scalar

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


def parse(annotation: Any, where: str) -> Scalar | CString | tuple[PointerTo, np.dtype[Any]]:
    """What one parameter is. ``where`` names it in errors."""
    if get_origin(annotation) is not Annotated:
        raise SignatureError(f"{where}: {_show(annotation)} is no type of a kernel parameter; {_HELP}")
    arms, *metadata = get_args(annotation)
    for word in metadata:
        if isinstance(word, Scalar | CString):
            return word
        if isinstance(word, PointerTo):
            return word, _element(arms, word, where)
    raise SignatureError(f"{where}: {_show(annotation)} carries no p4 type; {_HELP}")


def parse_return(annotation: Any, where: str) -> Scalar | None:
    """The return type: a scalar, or None for void."""
    if annotation is None or annotation is type(None):
        return None
    if get_origin(annotation) is Annotated:
        for word in get_args(annotation)[1:]:
            if isinstance(word, Scalar):
                return word
    raise SignatureError(
        f"{where}: a kernel returns None or a number such as p4.i32, not {_show(annotation)}; "
        "results that are arrays go through p4.Out parameters"
    )


def _element(arms: Any, word: PointerTo, where: str) -> np.dtype[Any]:
    for arm in get_args(arms):
        if get_origin(arm) is DeviceArray:
            (element,) = get_args(arm)
            if isinstance(element, typing.TypeVar):
                raise SignatureError(f"{where}: p4.{word.name} needs an element type, as in p4.{word.name}[np.float32]")
            return _element_dtype(element, word, where)
    raise SignatureError(f"{where}: {_show(arms)} is no array type of p4")


def _element_dtype(element: Any, word: PointerTo, where: str) -> np.dtype[Any]:
    shown = f"p4.{word.name}[{_show(element)}]"
    remedy = f"name the exact NumPy type, as in p4.{word.name}[np.float32]"
    own = getattr(element, "dtype", None)
    dtype: np.dtype[Any]
    if isinstance(element, type) and isinstance(own, np.dtype):
        dtype = own  # a p4.struct class
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
            if isinstance(word, PointerTo):
                return f"p4.{word.name}[{', '.join(_show(get_args(arm)[0]) for arm in get_args(arms)[-1:])}]"
    return repr(annotation)
