"""``@p4.kernel``: a typed stub that is built once and called on the current board."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from p4kernel import _forks, defaults, faults, generations
from p4kernel.board import Board, current
from p4kernel.call import Last, Plan, Run
from p4kernel.errors import CompileError, Diagnostic, Error, SignatureError
from p4kernel.marshal import Marshaller
from p4kernel.memory import KINDS
from p4kernel.options import Defines, Options, Paths, checked, located
from p4kernel.signature import Signature, prototype, read
from p4kernel.signature.bodies import folder_of
from p4kernel.signature.scope import caller

if TYPE_CHECKING:
    from p4kernel.build import Built, Image, Source
    from p4kernel.build import Options as BuildOptions
    from p4kernel.idf import Project
    from p4kernel.inspection import KernelBuild

P = ParamSpec("P")
R = TypeVar("R")


class Kernel(Generic[P, R]):
    """A function that runs on a board. Made by ``@p4.kernel``."""

    __name__: str
    __qualname__: str
    __wrapped__: Callable[P, R]  # the stub

    def __init__(self, function: Callable[P, R], signature: Signature, options: Options) -> None:
        functools.update_wrapper(self, function)
        self.signature = signature
        self.options = options
        self._plan = Plan(signature, options, Marshaller(signature))
        self._build_lock = threading.Lock()
        _forks.watch(self)
        self._builds: dict[int, Built] = {}  # by the generation of PIE that they are for
        self._warned: set[Diagnostic] = set()
        self._generation = 1  # of the board that was called last
        self._last = threading.local()

    def after_fork(self) -> None:
        """The copy in a child: a thread that was building is not there."""
        self._build_lock = threading.Lock()

    def __reduce__(self) -> str:
        return self.__qualname__  # pickled by name, as functions are

    # -- calling ------------------------------------------------------------------------------------------------

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        result: R = self._run(None, args, kwargs)
        return result

    def on(self, board: Board) -> Callable[P, R]:
        """The same kernel, bound to one board whatever the current one is."""

        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            result: R = self._run(board, args, kwargs)
            return result

        return call

    def _run(self, board: Board | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments = self._plan.marshaller.bind(args, kwargs)
        if board is None:
            board = defaults.known_board()
        generation = board.generation if board is not None else 1
        built, built_now = self._build(generation)
        self._generation = generation
        if board is None:
            board = defaults.current_board()
        with board.session.lock:
            result, self._last.value = Run(self._plan, board, built, built_now, arguments).go()
        return result

    def __getitem__(self, types: Any) -> Kernel[P, R]:
        """Of a kernel on ``p4.T``: the one for this type, ``kernel[np.float32]``. Raises SignatureError for others."""
        raise SignatureError(f"{self.signature.name} is for one set of types already: no parameter uses p4.T")

    # -- building -----------------------------------------------------------------------------------------------

    @property
    def build(self) -> KernelBuild:
        """The compiled kernel; compiles it if that was not done yet. Raises CompileError, LinkError.

        A kernel with PIE is compiled for the generation of the current board; else of the board that it was called on
        last; else for chip revisions below 3.
        """
        from p4kernel.inspection import KernelBuild

        generation = self._wanted()
        return KernelBuild.of(self._build(generation)[0], self, generation)

    def inputs(self) -> tuple[Source, BuildOptions]:
        """What is compiled, and how: for the first generation of PIE."""
        from p4kernel import build

        units = tuple(build.Unit(name, text, language) for name, language, text in prototype.units(self.signature))
        body = self.signature.body
        files = body.language == "files"
        # A constant is no macro in C++, and #if would take its name for 0 without a word.
        undefined = ("-Wundef",) if body.names and any(unit.language == "cpp" for unit in units) else ()
        return (
            build.Source(
                units,
                prototype.ENTRY,
                wanted=(prototype.callee_of(self.signature),) if files else (),
                header=body.constants if files else "",
            ),
            self._build_options(undefined),
        )

    def _build_options(self, more: tuple[str, ...] = ()) -> BuildOptions:
        from p4kernel import build

        o = self.options
        return build.Options(
            opt=o.opt,
            flags=(*more, *o.flags),
            fp_contract="fast" if o.contract else "off",
            lto=o.lto,
            libraries=o.libraries,
            folder=o.folder,
        )

    def _validate(self) -> None:
        prototype.validate(self.signature)

    def _wanted(self) -> int:
        board = current()
        return board.generation if board is not None else self._generation

    def _build(self, generation: int) -> tuple[Built, bool]:
        built = self._builds.get(generation)
        if built is not None:
            return built, False
        from p4kernel import build

        with self._build_lock:
            built = self._builds.get(generation)
            if built is not None:
                return built, False
            source, options = self.inputs()
            options = options._replace(generation=generation)
            try:
                built = build.build(source, options, validate=self._validate)
            except CompileError as error:
                raise self._explain(error) from None
            for warning in (*built.warnings, *_unreliable_loops(built)):
                if warning not in self._warned:  # it says the same of the build for another generation
                    self._warned.add(warning)
                    defaults.notice(str(self._place(warning)))
            built = dataclasses.replace(built, image=_placed(built.image, self.options))
            for each in generations.NAMES if built.portable else (generation,):
                self._builds[each] = built
            return built, True

    def _place(self, diagnostic: Diagnostic) -> Diagnostic:
        from p4kernel.build.headers import advice

        file, line, column, remark = self.signature.lines.map(diagnostic.file, diagnostic.line, diagnostic.column)
        hint = advice(diagnostic.message, self.source, in_file=file == diagnostic.file)
        return Diagnostic(file, line, column, diagnostic.severity, diagnostic.message + hint + remark)

    def _explain(self, error: CompileError) -> CompileError:
        diagnostics = [self._place(d) for d in error.diagnostics]
        if not diagnostics:
            return error
        return CompileError(f"{self.signature.name} does not compile\n{faults.excerpt(diagnostics)}", diagnostics)

    # -- looking ------------------------------------------------------------------------------------------------

    @property
    def last(self) -> Last:
        """What the last call in this thread cost. Raises p4.Error when there was none."""
        last: Last | None = getattr(self._last, "value", None)
        if last is None:
            raise Error(f"{self.signature.name} has not been called in this thread yet")
        return last

    @property
    def source(self) -> str:
        """The C (or assembly) text that the compiler gets."""
        return "\n".join(text for _, _, text in prototype.units(self.signature))

    def disassemble(self, source: bool = True) -> str:
        """The machine code, as assembly; with the lines of the source in between, unless ``source`` is False."""
        return self.build.disassemble(source)

    def __repr__(self) -> str:
        where = self.signature.body.position
        sizes = {built.image.text_size for built in self._builds.values()}
        state = f"{' or '.join(map(str, sorted(sizes)))} bytes of code" if sizes else "not built yet"
        return f"<p4 kernel {self.signature.prototype}, {state}, {where.file}:{where.line}>"


@overload
def kernel(function: Callable[P, R], /) -> Kernel[P, R]: ...


@overload
def kernel(
    *,
    require: str | Sequence[str] = ...,
    opt: str = ...,
    flags: Sequence[str] = ...,
    contract: bool = ...,
    timeout: float | None = ...,
    max_instructions: int | None = ...,
    stack: int = ...,
    lto: bool = ...,
    include_dirs: Paths = ...,
    defines: Defines = ...,
    libraries: Paths = ...,
    project: Project | None = ...,
    place: str = ...,
    arrays: str = ...,
    align: int = ...,
) -> Callable[[Callable[P, R]], Kernel[P, R]]: ...


def kernel(
    function: Callable[..., Any] | None = None,
    /,
    *,
    require: str | Sequence[str] = (),
    opt: str = "O2",
    flags: Sequence[str] = (),
    contract: bool = True,
    timeout: float | None = None,
    max_instructions: int | None = None,
    stack: int = 0,
    lto: bool = False,
    include_dirs: Paths = (),
    defines: Defines = (),
    libraries: Paths = (),
    project: Project | None = None,
    place: str = "any",
    arrays: str = "any",
    align: int = 0,
) -> Any:
    """Makes a kernel of a typed stub whose body is one call of ``p4.c``, ``p4.cpp``, ``p4.asm``, ``p4.files`` or
    ``p4.firmware``.

    Args:
        require: relations that each call must satisfy, such as ``"out.size >= n * m"``.
        opt: the compiler's optimisation level, "O0" to "O3", "Os" or "Oz".
        flags: further options for the compiler, such as ``["-funroll-loops", "-DN=4"]``.
        contract: whether ``a * b + c`` may become one fused operation, rounded once.
        timeout: seconds after which a call is ended with KernelTimeout; None: the board's limit (10 s).
        max_instructions: instructions after which a call is ended, on boards that count them (the virtual one does).
        stack: bytes of stack; 0: the board's default (16 KB).
        lto: whether all units are optimised together, across C and C++.
        include_dirs: folders for #include, taken from the Python file's folder.
        defines: macros, as a dict such as ``{"N": 4, "DEBUG": None}`` or a list such as ``["N=4", "DEBUG"]``.
        libraries: static archives, of which only needed members are linked, and object files.
        project: include folders and macros of an ESP-IDF project: ``p4.idf_project("path")``.
        place: memory for code and static variables: "any", "psram", "internal" (or "sram") or "tcm".
        arrays: memory for arrays while a call runs, by the same words.
        align: bytes that code and arrays start at a multiple of, if more than a cache line (128).

    Variables with static storage start each call with their initial values: kernels keep no state.

    Raises SignatureError when the stub cannot become a C function. Nothing is compiled before the first call.
    """
    if isinstance(flags, str):
        raise SignatureError(f"flags={flags!r}: give a list of options, such as ['-funroll-loops']")
    options = checked(Options(
        opt.removeprefix("-"), tuple(flags), bool(contract), timeout, max_instructions, stack, bool(lto),
        place=place, arrays=arrays, align=align,
    ))  # fmt: skip

    def decorate(function: Callable[P, R], depth: int) -> Kernel[P, R]:
        signature = read(function, require, caller(depth))
        if signature.body.language == "extern":
            raise SignatureError(
                f"{signature.name}: p4.extern() is for kernels of a module: decorate it with @module.kernel"
            )
        folder = folder_of(signature.body.position)
        more = located(
            options, folder, include_dirs=include_dirs, defines=defines, libraries=libraries, project=project
        )
        if signature.variables:
            from p4kernel.generic import GenericKernel

            return GenericKernel(function, signature, more)
        return Kernel(function, signature, more)

    if function is not None:
        return decorate(function, 2)
    return lambda function: decorate(function, 2)


def _placed(image: Image, options: Options) -> Image:
    """The image with where it shall lie: a part of its identity, as the board keeps images by that."""
    if options.place == "any" and options.align <= image.align:
        return image
    return dataclasses.replace(image, cap=int(KINDS[options.place]), align=max(image.align, options.align))


def _unreliable_loops(built: Built) -> list[Diagnostic]:
    from p4kernel.build.loops import unreliable

    found = list(unreliable(built.image))
    if not found:
        return []
    from p4kernel.listing.lines import line_table

    lines, base = line_table(built), built.image.link_base
    places = [(lines.find(base + offset), text) for offset, text in found]
    return [Diagnostic(p.file if p else "kernel.S", p.line if p else 0, 0, "warning", text) for p, text in places]
