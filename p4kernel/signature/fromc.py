"""From a C prototype to a signature."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from p4kernel.errors import SignatureError
from p4kernel.signature import Array, Parameter, Signature, assemble
from p4kernel.signature.cparse import Prototype
from p4kernel.signature.cresolve import POINTER, FunctionPointer, Kind, Pointer
from p4kernel.signature.functions import make
from p4kernel.signature.hints import Returned
from p4kernel.signature.results import Form, Ret
from p4kernel.signature.values import c_element
from p4kernel.types import CString, Direction


def signature_of(
    prototype: Prototype, defaults: Mapping[str, Any], given: Mapping[str, Parameter], require: Sequence[str]
) -> Signature:
    """``defaults``: those of a stub; ``given``: parameters whose types are told apart. Its body is still to come."""
    where = prototype.name
    parameters = []
    for name, kind in prototype.parameters:
        default = defaults.get(name, inspect.Parameter.empty)
        parameters.append(
            given[name] if name in given else _parameter(name, kind, default, f"{prototype.place}: {where}")
        )
    # Python wants those with a default behind the others, and results are not passed at all.
    ordered = sorted(parameters, key=lambda p: (p.default is not inspect.Parameter.empty) + p.result)
    python = inspect.Signature(
        [inspect.Parameter(p.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=p.default) for p in ordered]
    )
    returned = [Returned(prototype.returns, "C's return value")] if prototype.returns is not None else []
    returned += [_returned(p) for p in ordered if p.result]
    form: Form = "none" if not returned else "single" if len(returned) == 1 else "tuple"
    signature = assemble(where, tuple(ordered), form, returned, require, python, where)
    order = tuple(p.name for p in parameters)
    return replace(signature, declaration=prototype.text, order=order)


def _returned(parameter: Parameter) -> Returned:
    kind = parameter.type
    if isinstance(kind, Array):
        return Returned(kind.dtype if kind.element is not None else np.dtype(np.void), parameter.name)
    if isinstance(kind, CString):
        return Returned(str, parameter.name)
    assert parameter.by_value is not None
    return Returned(parameter.by_value, parameter.name)


def _parameter(name: str, kind: Kind, default: Any, where: str) -> Parameter:
    at = f"{where}, parameter {name!r}"
    result = isinstance(default, Ret)
    if isinstance(kind, FunctionPointer):
        if POINTER in (*kind.parameters, kind.returns):
            raise SignatureError(
                f"{at}: a pointer to a function that takes or returns pointers is not supported here; declare the kernel "
                "in a stub, with p4.fn"
            )
        return Parameter(name, make(kind.parameters, kind.returns, at), default)
    if not isinstance(kind, Pointer):
        if result:
            raise SignatureError(f"{at} is no pointer, so it cannot be a result ({default})")
        return Parameter(name, kind, default)
    if kind.const and result:
        raise SignatureError(f"{at} is a pointer to const, so it cannot be a result ({default})")
    optional = default is None
    direction = Direction.IN if kind.const else Direction.OUT if result else Direction.INOUT
    word = {Direction.IN: "In", Direction.OUT: "Out", Direction.INOUT: "InOut"}[direction]
    if kind.target == "char":
        if kind.const or result:
            return Parameter(name, CString(optional), default)
        return Parameter(name, Array(np.dtype(np.uint8), direction, word, optional), default)
    if kind.target == "void":
        return Parameter(name, Array(None, direction, word, optional), default)
    if kind.target == "opaque":
        return Parameter(name, POINTER, default)
    if kind.target == "pointer" and result and default.shape is None:
        return Parameter(name, POINTER, default)
    if isinstance(kind.target, str):
        raise SignatureError(f"{at}: a pointer to a pointer is not supported, except as a result: {name!r}: p4.ret()")
    if result and default.shape is None:
        return Parameter(name, kind.target, default)
    dtype = kind.target.dtype
    assert c_element(dtype) is not None
    return Parameter(name, Array(dtype, direction, word, optional), default)
