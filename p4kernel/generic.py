"""Kernels on arrays of any dtype: ``p4.In[p4.T]``. The arrays of a call select which instance runs."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, get_origin

import numpy as np

from p4kernel.board import Board
from p4kernel.call import Last
from p4kernel.errors import ArgumentError, Error, SignatureError
from p4kernel.kernel import Kernel
from p4kernel.options import Options
from p4kernel.signature import Array, Parameter, Signature
from p4kernel.signature.values import Generic, Value, c_element, record
from p4kernel.types import SCALARS, DeviceArray

if TYPE_CHECKING:
    from p4kernel.inspection import KernelBuild

P = ParamSpec("P")
R = TypeVar("R")

_Dtypes = tuple[np.dtype[Any], ...]


class GenericKernel(Kernel[P, R]):
    """A kernel for each combination of dtypes that it is called with. ``kernel[np.float32]`` is one of them."""

    def __init__(self, function: Callable[P, R], signature: Signature, options: Options) -> None:
        functools.update_wrapper(self, function)
        self.signature = signature
        self.options = options
        self._function = function
        self._variables = signature.variables
        self._instances: dict[_Dtypes, Kernel[P, R]] = {}
        self._used = threading.local()
        self._selectors = [_selectors(signature, variable) for variable in self._variables]
        self._numpy = [_is_generic(signature, i) for i in range(len(signature.outputs))]

    def after_fork(self) -> None:
        """Nothing of its own is to be mended; each instance does that for itself."""

    def _run(self, board: Board | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        dtypes = tuple([self._select(i, args, kwargs) for i in range(len(self._variables))])
        instance = self._instance(dtypes)
        result = instance._run(board, args, kwargs)
        self._used.instance = instance
        if not any(self._numpy):
            return result
        if self.signature.form == "single":
            return self._as_numpy(0, result, dtypes)
        return tuple([self._as_numpy(i, item, dtypes) for i, item in enumerate(result)])

    def _as_numpy(self, index: int, item: Any, dtypes: _Dtypes) -> Any:
        """A number whose type is a variable is a NumPy number of that type, as the annotation says."""
        kind = _output(self.signature, index)
        if not isinstance(kind, Generic) or isinstance(item, np.void):
            return item
        return dtypes[self._variables.index(kind.variable)].type(item)

    def _select(self, index: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> np.dtype[Any]:
        variable = self._variables[index]
        name = self.signature.name
        for i, parameter in self._selectors[index]:
            value = args[i] if i < len(args) else kwargs.get(parameter.name)
            if isinstance(value, np.ndarray | DeviceArray):
                try:
                    _check(variable, value.dtype)
                except SignatureError as error:
                    raise ArgumentError(f"{name}: {parameter.name}: {error}") from None
                return value.dtype
            if value is not None:
                raise ArgumentError(
                    f"{name}: {parameter.name} must be an array ({parameter.type}), not {type(value).__name__}"
                )
        wanted = ", ".join(p.name for _, p in self._selectors[index])
        raise ArgumentError(f"{name}: no array was given that says what {variable.__name__} is; it is missing {wanted}")

    def _instance(self, dtypes: _Dtypes) -> Kernel[P, R]:
        found = self._instances.get(dtypes)
        if found is None:
            signature = _specialise(self.signature, dict(zip(self._variables, dtypes, strict=True)))
            found = self._instances.setdefault(dtypes, Kernel(self._function, signature, self.options))
        return found

    def __getitem__(self, types: Any) -> Kernel[P, R]:
        """The instance for these NumPy types or structs, one for each type variable."""
        given = types if isinstance(types, tuple) else (types,)
        if len(given) != len(self._variables):
            names = ", ".join(v.__name__ for v in self._variables)
            raise SignatureError(f"{self.signature.name}[...] takes a type for each of {names}, not {len(given)}")
        dtypes = []
        for variable, each in zip(self._variables, given, strict=True):
            kind = record(each)
            if kind is None and not (isinstance(each, type) and issubclass(each, np.generic)):
                raise SignatureError(f"{self.signature.name}[...] takes NumPy types such as np.float32, not {each!r}")
            dtype = kind.dtype if kind is not None else np.dtype(each)
            _check(variable, dtype)
            dtypes.append(dtype)
        return self._instance(tuple(dtypes))

    @property
    def build(self) -> KernelBuild:
        """Of an instance only: ``kernel[np.float32].build``. Raises p4.Error."""
        raise self._no_instance("build")

    @property
    def last(self) -> Last:
        """What the last call in this thread cost. Raises p4.Error when there was none."""
        instance: Kernel[P, R] | None = getattr(self._used, "instance", None)
        if instance is None:
            raise Error(f"{self.signature.name} has not been called in this thread yet")
        return instance.last

    @property
    def source(self) -> str:
        """Of an instance only. Raises p4.Error."""
        raise self._no_instance("source")

    def disassemble(self, *args: Any, **kwargs: Any) -> str:
        """Of an instance only. Raises p4.Error."""
        raise self._no_instance("disassemble")

    def _no_instance(self, what: str) -> Error:
        name, variables = self.signature.name, ", ".join(v.__name__ for v in self._variables)
        return Error(f"{name} is generic over {variables}: name the type, as in {name}[np.float32].{what}")

    def __repr__(self) -> str:
        where = self.signature.body.position
        return f"<p4 kernel {self.signature.prototype}, {len(self._instances)} instances, {where.file}:{where.line}>"


def _selectors(signature: Signature, variable: TypeVar) -> list[tuple[int, Parameter]]:
    found = [(i, p) for i, p in enumerate(signature.parameters) if isinstance(p.type, Array) and not p.result]
    return [(i, p) for i, p in found if isinstance(p.type, Array) and p.type.element is variable]


def _output(signature: Signature, index: int) -> Any:
    parameter = signature.outputs[index].parameter
    return signature.returns if parameter is None else signature.parameters[parameter].type


def _is_generic(signature: Signature, index: int) -> bool:
    return isinstance(_output(signature, index), Generic)


def _check(variable: TypeVar, dtype: np.dtype[Any]) -> None:
    """Raises SignatureError when the variable does not stand for this dtype."""
    name = variable.__name__
    if c_element(dtype) is None:
        raise SignatureError(f"{name} is {dtype}, and there is no C type for that")
    allowed = variable.__constraints__
    if allowed and not any(np.dtype(each) == dtype for each in allowed):
        names = ", ".join(f"np.{each.__name__}" for each in allowed)
        raise SignatureError(f"{name} is one of {names}, not {dtype}")
    bound = get_origin(variable.__bound__) or variable.__bound__
    if isinstance(bound, type) and not issubclass(dtype.type, bound):
        raise SignatureError(f"{name} is a kind of np.{bound.__name__}, not {dtype}")


def _value(dtype: np.dtype[Any]) -> Value:
    kind = record(dtype.type)
    return kind if kind is not None else next(s for s in SCALARS.values() if s.dtype == dtype)


def _specialise(signature: Signature, types: dict[TypeVar, np.dtype[Any]]) -> Signature:
    def parameter(p: Parameter) -> Parameter:
        kind = p.type
        if isinstance(kind, Generic):
            return replace(p, type=_value(types[kind.variable]))
        if isinstance(kind, Array) and isinstance(kind.element, TypeVar):
            return replace(p, type=replace(kind, element=types[kind.element]))
        return p

    returns = signature.returns
    return replace(
        signature,
        parameters=tuple(parameter(p) for p in signature.parameters),
        returns=_value(types[returns.variable]) if isinstance(returns, Generic) else returns,
        types=tuple(types.items()),
    )
