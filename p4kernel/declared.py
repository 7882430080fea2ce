"""Kernels whose signatures are C text: ``p4.cdef`` and ``p4.header``."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TypedDict

from typing_extensions import Unpack

from p4kernel.errors import SignatureError
from p4kernel.kernel import Kernel
from p4kernel.options import Defines, Options, Paths, checked, located
from p4kernel.signature import Signature, bodies, parameter_of
from p4kernel.signature.bodies import Body, Position, folder_of
from p4kernel.signature.cparse import Declarations, Prototype, parse
from p4kernel.signature.fromc import signature_of
from p4kernel.signature.hints import parse as parse_hint
from p4kernel.signature.lines import line_map
from p4kernel.signature.scope import caller

__all__ = ["Library", "Settings", "cdef", "header"]


class Settings(TypedDict, total=False):
    """Options of ``@p4.kernel`` that functions declared in C take too."""

    require: str | Sequence[str]
    opt: str
    flags: Sequence[str]
    contract: bool
    timeout: float | None
    max_instructions: int | None
    stack: int
    lto: bool
    include_dirs: Paths
    defines: Defines
    libraries: Paths
    place: str
    arrays: str
    align: int


class Library:
    """What a header declares: its functions are kernels, its structs, unions and enums classes, its constants numbers."""

    def __init__(self, name: str, declarations: Declarations, maker: _Maker) -> None:
        self._name = name
        self._declarations = declarations
        self._maker = maker
        self._kernels: dict[str, Kernel[..., Any]] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_name", "_declarations", "_maker", "_kernels"):
            raise AttributeError(name)  # asked for by copy and pickle, before there is anything
        found = self._declarations
        if name in self._kernels:
            return self._kernels[name]
        if name in found.functions:
            self._kernels[name] = kernel = self._maker.kernel(found.functions[name])
            return kernel
        for table in (found.types, found.constants):
            if name in table:
                return table[name]
        if name in found.unsupported:
            raise SignatureError(found.unsupported[name])
        raise AttributeError(f"{self._name} declares no {name!r}; it has {', '.join(dir(self)) or 'nothing'}")

    def __dir__(self) -> list[str]:
        found = self._declarations
        return sorted({*found.functions, *found.types, *found.constants})

    def __repr__(self) -> str:
        return f"<p4 library {self._name}: {', '.join(dir(self))}>"


class _Maker:
    """Makes kernels of prototypes: where the bodies are, and the options, are the same for all of one text."""

    def __init__(
        self, module: str, body: Body, head: str, settings: Settings, defaults: Mapping[str, Any],
        types: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self._module, self._body, self._head = module, body, head
        self._require = settings.get("require", ())
        self._defaults, self._types = defaults, types
        self.options = _options(settings, folder_of(body.position))

    def signature(self, prototype: Prototype) -> Signature:
        """Raises SignatureError for what cannot be called."""
        where = prototype.name
        kinds = dict(prototype.parameters)
        defaults = self._defaults_of(prototype)
        for table, what in ((defaults, "defaults"), (self._types, "types")):
            for name in table:
                if name not in kinds:
                    raise SignatureError(
                        f"{where}: {what}: {name!r} is no parameter ({', '.join(kinds) or 'there are none'})"
                    )
        given = {}
        for name, hint in self._types.items():
            kind, optional = parse_hint(hint, f"{where}, types, {name!r}")
            given[name] = parameter_of(name, kind, optional, defaults.get(name, inspect.Parameter.empty))
        texts = (self._require,) if isinstance(self._require, str) else tuple(self._require)
        return signature_of(prototype, defaults, given, texts)

    def kernel(self, prototype: Prototype) -> Kernel[..., Any]:
        """The function as a kernel."""
        signature = self.signature(prototype)
        body, head = self._body_of(prototype)
        if body.language == "firmware":
            body = replace(body, text=prototype.name)
        elif body.language == "files":
            body = replace(body, entry=prototype.name)
        signature = replace(signature, body=body, lines=line_map(body), head=head)
        return Kernel(_stub(signature.python, prototype, self._module), signature, self.options)

    def _defaults_of(self, prototype: Prototype) -> Mapping[str, Any]:
        return self._defaults

    def _body_of(self, prototype: Prototype) -> tuple[Body, str]:
        """Where the function is, and the C text that declares it."""
        return self._body, self._head


def cdef(
    prototype: str, *, source: str | None = None, files: Paths | None = None,
    defaults: Mapping[str, Any] | None = None, types: Mapping[str, Any] | None = None, **settings: Unpack[Settings],
) -> Kernel[..., Any]:  # fmt: skip
    """A kernel from a C prototype: ``p4.cdef("int foo(const int16_t *x, size_t n);", source="...")``.

    ``source`` is C text that defines the function (and the structs that the prototype names); ``files`` are source files
    that do. With neither, it is a function of the board's firmware. Structs, enums and typedefs may stand before the
    prototype.

    ``const T *`` is an array that is sent, ``T *`` one that is sent and fetched, ``const char *`` a text. ``defaults``
    gives parameters the defaults of a stub, ``{"n": p4.size("x"), "lo": p4.ret()}``; ``types`` replaces types,
    ``{"out": p4.Out[np.float32]}``. The options are those of ``@p4.kernel``.

    Raises SignatureError for what is no prototype of one function, or cannot be called: it names the construct and line.
    """
    if not isinstance(prototype, str):
        raise SignatureError(f"p4.cdef takes C text, not {type(prototype).__name__}")
    frame = caller(1)
    module = str(frame.f_globals.get("__name__", "")) if frame is not None else ""
    declarations = parse(prototype, "cdef")
    for reason in declarations.unsupported.values():
        raise SignatureError(reason)
    if len(declarations.functions) != 1:
        found = ", ".join(declarations.functions) or "none"
        raise SignatureError(f"p4.cdef takes the prototype of one function; in the text there are: {found}")
    if source is not None and files is not None:
        raise SignatureError("p4.cdef: source and files: give one of them")
    position = bodies.position_of(frame)
    head = f'#line 1 "cdef"\n{prototype}\n#line 1 "entry.c"\n'
    if source is not None:
        if not isinstance(source, str):
            raise SignatureError(f"p4.cdef: source is C text, not {type(source).__name__}")
        body, head = Body("source", source, "", position), ""
    else:
        body = _body(files, position)
    (function,) = declarations.functions.values()
    return _Maker(module, body, head, settings, defaults or {}, types or {}).kernel(function)


def header(
    path: str | os.PathLike[str], *, source: str | None = None, files: Paths | None = None,
    defaults: Mapping[str, Any] | None = None, **settings: Unpack[Settings],
) -> Library:  # fmt: skip
    """What a C header declares: ``lib = p4.header("filter.h", files=["filter.c"])``, then ``lib.smooth(x)``,
    ``lib.State(...)``, ``lib.TAPS``.

    The header goes through the preprocessor of the compiler for kernels, with ``include_dirs`` and ``defines``. Functions,
    structs, unions, enums and simple constants of the file itself are taken, not those of files that it includes. What
    is not supported raises SignatureError when it is used: the error names the construct and line.

    ``source`` and ``files`` are as in ``p4.cdef``; with neither, functions are the firmware's, or ``static inline`` ones
    of the header. ``defaults`` is by function: ``{"smooth": {"n": p4.size("x")}}``.
    """
    from p4kernel.build import Options as BuildOptions
    from p4kernel.build import toolchain
    from p4kernel.build.preprocess import preprocess

    frame = caller(1)
    module = str(frame.f_globals.get("__name__", "")) if frame is not None else ""
    position = bodies.position_of(frame)
    if not isinstance(path, str | os.PathLike):
        raise SignatureError(f"p4.header takes the path of a header, not {type(path).__name__}")
    place = Path(os.path.normpath(folder_of(position) / path))
    if not place.is_file():
        raise SignatureError(f"p4.header: {place}: {'this is a folder' if place.is_dir() else 'there is no such file'}")
    if source is not None and files is not None:
        raise SignatureError("p4.header: source and files: give one of them")
    include = f'#include "{place}"\n'
    body = Body("source", f"{include}{source or ''}", "", position) if files is None else _body(files, position)
    maker = _HeaderMaker(module, body, include, settings, defaults or {})
    options = maker.options
    text = preprocess(
        f"#include <p4kernel.h>\n{include}",
        BuildOptions(opt=options.opt, flags=options.flags, folder=options.folder),
        toolchain.find(),
    )
    declarations = parse(text, "header.c", preprocessed=True, only=str(place))
    for name in defaults or {}:
        if name not in declarations.functions:
            raise SignatureError(
                f"p4.header: defaults: {place.name} declares no function {name!r} "
                f"({', '.join(declarations.functions) or 'it declares none'})"
            )
    for name, prototype in list(declarations.functions.items()):
        try:
            maker.signature(prototype)
        except SignatureError as error:
            if defaults and name in defaults:
                raise
            declarations.unsupported[name] = str(error)
            del declarations.functions[name]
    return Library(place.name, declarations, maker)


class _HeaderMaker(_Maker):
    def __init__(
        self, module: str, body: Body, head: str, settings: Settings, defaults: Mapping[str, Mapping[str, Any]]
    ) -> None:
        super().__init__(module, body, head if body.language == "files" else "", settings, {}, {})
        self._inline = Body("source", head, "", body.position)
        self._by_function = defaults

    def _defaults_of(self, prototype: Prototype) -> Mapping[str, Any]:
        return self._by_function.get(prototype.name, {})

    def _body_of(self, prototype: Prototype) -> tuple[Body, str]:
        return (self._inline, "") if prototype.local else super()._body_of(prototype)


def _body(files: Paths | None, position: Position) -> Body:
    if files is None:
        return Body("firmware", "", "", position)
    return Body("files", "", "", position, files=bodies.source_files(files, position))


def _options(settings: Settings, folder: Path) -> Options:
    given = dict(settings)
    given.pop("require", None)
    paths: dict[str, Any] = {name: given.pop(name, ()) for name in ("include_dirs", "defines", "libraries")}
    flags = given.pop("flags", ())
    if isinstance(flags, str):
        raise SignatureError(f"flags={flags!r}: give a list of options, such as ['-funroll-loops']")
    unknown = set(given) - (Settings.__optional_keys__ - {"require", "include_dirs", "defines", "libraries", "flags"})
    if unknown:
        raise SignatureError(f"{', '.join(sorted(unknown))}: there is no such option")
    if "opt" in given:
        given["opt"] = str(given["opt"]).removeprefix("-")
    made: dict[str, Any] = {**given, "flags": tuple(flags)}  # type: ignore[arg-type]  # TypedDict's values are objects
    return located(checked(Options(**made)), folder, **paths, project=None)


def _stub(python: inspect.Signature, prototype: Prototype, module: str) -> Any:
    def stub(*args: Any, **kwargs: Any) -> NoReturn:
        raise SignatureError(f"{prototype.name} is declared in C and has no Python text")

    stub.__name__ = stub.__qualname__ = prototype.name
    stub.__module__ = module
    stub.__doc__ = prototype.text + ";"
    stub.__signature__ = python  # type: ignore[attr-defined]
    return stub
