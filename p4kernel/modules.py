"""``p4.module``: kernels that share a text, global variables and what is in them, from one call to the next."""

from __future__ import annotations

import hashlib
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, ParamSpec, TypeVar, overload

from p4kernel import _forks, defaults
from p4kernel.board import Board
from p4kernel.errors import SignatureError
from p4kernel.globals import ModuleStorage
from p4kernel.members import ModuleKernel, Program, start_signatures
from p4kernel.onboard import Function, OnBoard
from p4kernel.options import Defines, Options, Paths, checked, located
from p4kernel.signature import Signature, bodies, prototype, read, together
from p4kernel.signature.bodies import Body, folder_of
from p4kernel.signature.lines import line_map
from p4kernel.signature.scope import caller
from p4kernel.signature.values import Value, record
from p4kernel.variables import Variable, only, variables

if TYPE_CHECKING:
    from p4kernel.build import Built, Source
    from p4kernel.idf import Project
    from p4kernel.inspection import KernelBuild

__all__ = ["Function", "Module", "ModuleKernel", "OnBoard", "module"]

P = ParamSpec("P")
R = TypeVar("R")

# What no kernel uses stays, too: Python may read and write it, or hand its address to the board.
WHOLE: Final = ("-fno-data-sections", "-fno-function-sections")


class Module:
    """Kernels that share global variables and helper functions. Made by ``p4.module``.

    Global variables are attributes: numbers are read and written as such, arrays and structs by index. They keep their
    values from call to call, on each board its own. The module is loaded at its first use on a board; what was freed or
    lost is loaded anew by ``load`` only, as its state is gone.
    """

    def __init__(self, text: Body, name: str, types: Sequence[Value], options: Options) -> None:
        hidden = self.__dict__  # attributes are variables of the program, these are not
        hidden["_text"] = text
        hidden["_name"] = name
        hidden["_types"] = tuple(types)
        hidden["_options"] = options
        hidden["_kernels"] = {}
        own = line_map(text)
        hidden["_lines"] = together.ModuleLines(own.position, own.body, own.preamble, {})
        in_text, shown = start_signatures(self._lines, text.position, name)
        hidden["_start"] = in_text
        hidden["_program"] = Program(self, shown, options)
        hidden["_identity"] = os.urandom(16)
        hidden["_loads"] = 0
        hidden["_instances"] = weakref.WeakKeyDictionary()
        hidden["_lock"] = threading.RLock()
        _forks.watch(self)

    _text: Body
    _name: str
    _types: tuple[Value, ...]
    _options: Options
    _kernels: dict[str, ModuleKernel[..., Any]]
    _lines: together.ModuleLines
    _start: Signature
    _program: Program
    _identity: bytes
    _loads: int
    _instances: weakref.WeakKeyDictionary[Board, ModuleStorage]
    _lock: Any

    def after_fork(self) -> None:
        """The copy in a child: whoever held the lock is not there."""
        self.__dict__["_lock"] = threading.RLock()

    def __repr__(self) -> str:
        kernels = ", ".join(self._kernels) or "no kernels yet"
        return f"<p4 {self._name}: {kernels}>"

    # -- kernels ------------------------------------------------------------------------------------------------

    @overload
    def kernel(self, function: Callable[P, R], /) -> ModuleKernel[P, R]: ...

    @overload
    def kernel(
        self,
        *,
        require: str | Sequence[str] = ...,
        timeout: float | None = ...,
        max_instructions: int | None = ...,
        stack: int = ...,
        arrays: str = ...,
    ) -> Callable[[Callable[P, R]], ModuleKernel[P, R]]: ...

    def kernel(
        self,
        function: Callable[..., Any] | None = None,
        *,
        require: str | Sequence[str] = (),
        timeout: float | None = None,
        max_instructions: int | None = None,
        stack: int = 0,
        arrays: str = "any",
    ) -> Any:
        """Makes a kernel of the module of a stub whose body is ``p4.c`` (or ``p4.cpp``, as the module's text is),
        ``p4.asm``, or ``p4.extern`` for a function that the module's text defines. Options are as in ``p4.kernel``.
        """
        options = checked(
            replace(self._options, timeout=timeout, max_instructions=max_instructions, stack=stack, arrays=arrays)
        )

        def decorate(function: Callable[P, R], depth: int) -> ModuleKernel[P, R]:
            return self._add(function, read(function, require, caller(depth)), options)

        if function is not None:
            return decorate(function, 2)
        return lambda function: decorate(function, 2)

    def _add(self, function: Callable[P, R], signature: Signature, options: Options) -> ModuleKernel[P, R]:
        together.check(self._text, signature, signature.name)
        with self._lock:
            alive = [board.url for board, instance in self._instances.items() if instance.there(board)]
            if alive:
                raise SignatureError(
                    f"{signature.name}: the {self._name} is loaded on {', '.join(alive)}, and its state would be lost with "
                    "another kernel in it; declare all kernels before the first call, or free the module first"
                )
            self._lines.kernels[signature.name] = signature.lines
            made = ModuleKernel(function, replace(signature, lines=self._lines), options, self)
            self._kernels[signature.name] = made
        self._program.forget()  # not with the lock held, which a build takes
        return made

    # -- building -----------------------------------------------------------------------------------------------

    def _source(self) -> Source:
        from p4kernel import build

        with self._lock:
            signatures = [kernel.signature for kernel in self._kernels.values()]
        units = together.units(self._text, [*signatures, self._start], self._types)
        callees = tuple(s.body.entry or s.name for s in signatures if s.body.language == "extern")
        return build.Source(
            tuple(build.Unit(n, text, language) for n, language, text in units), prototype.ENTRY, wanted=callees
        )

    def _build(self, generation: int | None = None) -> tuple[Built, bool]:
        """For a generation of PIE; None: as Kernel.build."""
        if not self._program.is_built and not self._kernels:
            raise SignatureError(f"the {self._name} has no kernels yet; declare some with @module.kernel")
        return self._program.all(generation)

    @property
    def build(self) -> KernelBuild:
        """The compiled module; compiles it if that was not done yet. Raises CompileError, LinkError."""
        self._build()
        return self._program.build

    @property
    def source(self) -> str:
        """The text that the compiler gets."""
        return "\n".join(unit.text for unit in self._source().units)

    def _variable(self, name: str, generation: int) -> Variable:
        known = variables(self._build(generation)[0])
        found = known.get(name)
        if found is None:
            near = get_close_matches(name, known, 3, 0.6)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise AttributeError(f"the {self._name} has no global variable {name!r}{hint}")
        return only(found, f"{name} of the {self._name}")

    # -- on boards ----------------------------------------------------------------------------------------------

    def on(self, board: Board) -> OnBoard:
        """The module on one board, whatever the current one is."""
        return OnBoard(self, board)

    def _here(self) -> OnBoard:
        return OnBoard(self, defaults.current_board())

    def load(self) -> None:
        """Loads the module, with the initial values of its variables, where that is not done yet or its state is gone."""
        self._here().load()

    def reset(self) -> None:
        """Gives all variables their initial values again; constructors run anew."""
        self._here().reset()

    def free(self) -> None:
        """Takes the module off the board, and its state with it. Raises BoardError when it is not there, or when
        something on the board (a timer, a task) may still call it."""
        self._here().free()

    @property
    def loaded(self) -> bool:
        """Whether the current board holds it."""
        return self._here().loaded

    def function(self, name: str) -> Function:
        """A function of the module, to be handed to kernels as a function pointer."""
        return Function(self, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # asked for by tools; a variable of such a name is m["_name"]
            raise AttributeError(name)
        return self._here()[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._here()[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._here()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._here()[name] = value

    def _instance(self, board: Board) -> ModuleStorage:
        """Where it is on ``board``; loads it at its first use there. Raises StateLost, BoardError. The lock is held."""
        with self._lock:
            instance = self._instances.get(board)
        if instance is None:
            return self._load(board)
        instance.remains(board, f"the state of the {self._name}")
        return instance

    def _load(self, board: Board) -> ModuleStorage:
        built, _ = self._build(board.generation)
        # The same after an interrupt, when the board may hold it already; another one for each copy.
        identity = hashlib.sha256(built.image.sha256 + self._identity + self._loads.to_bytes(8, "little")).digest()
        instance = ModuleStorage(board, built.image, self._name)
        instance.loaded = board.load_pinned(built.image, identity, instance.claim)
        self.__dict__["_loads"] = self._loads + 1
        if instance.constructs:
            self._program.run(self._program.starting, board, instance)
        with self._lock:
            self._instances[board] = instance
        return instance


def module(
    source: str,
    *,
    language: Literal["c", "cpp"] = "c",
    name: str | None = None,
    structs: Sequence[type[Any]] = (),
    constants: Mapping[str, Any] | None = None,
    opt: str = "O2",
    flags: Sequence[str] = (),
    contract: bool = True,
    include_dirs: Paths = (),
    defines: Defines = (),
    libraries: Paths = (),
    project: Project | None = None,
    place: str = "any",
    align: int = 0,
) -> Module:
    """A program of several kernels: ``source`` is the C (or C++) text that they share, with variables and functions.

    ``@m.kernel`` declares kernels, all of them before the first call. Variables that Python reads or writes should not be
    ``static``: the compiler drops or folds what only one unit can see.

    Args:
        language: of the source, "c" or "cpp".
        name: for messages; None: the place in the Python file.
        structs: ``p4.struct`` classes that the source uses; those of the kernels' parameters are known.
        constants: Python values that the source uses by name, as in ``p4.c(..., N=64)``.

    The other options are as in ``p4.kernel``.
    """
    if not isinstance(source, str):
        raise SignatureError(f"p4.module: the source must be a str, not {type(source).__name__}")
    if language not in ("c", "cpp"):
        raise SignatureError(f"p4.module: language={language!r}: 'c' or 'cpp'")
    if isinstance(flags, str):
        raise SignatureError(f"flags={flags!r}: give a list of options, such as ['-funroll-loops']")
    text = bodies.text_of_module(source, language, constants or {}, caller(1))
    types: list[Value] = []
    for cls in structs:
        kind = record(cls)
        if kind is None:
            raise SignatureError(f"p4.module: structs: {cls!r} is no p4.struct")
        types.append(kind)
    options = located(
        checked(Options(opt.removeprefix("-"), (*flags, *WHOLE), bool(contract), place=place, align=align)),
        folder_of(text.position), include_dirs=include_dirs, defines=defines, libraries=libraries, project=project,
    )  # fmt: skip
    at = text.position
    return Module(text, f"module {name}" if name else f"module at {Path(at.file).name}:{at.line}", types, options)
