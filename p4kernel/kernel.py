"""``@p4.kernel``: a typed stub that is built once and called on the current board."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, TypeVar, overload

from p4kernel import _forks, defaults, faults
from p4kernel.board import Board, refusal
from p4kernel.errors import (
    BoardError,
    BoardLost,
    CompileError,
    Diagnostic,
    Error,
    OutOfMemory,
    SignatureError,
)
from p4kernel.marshal import Marshalled, Marshaller
from p4kernel.marshal.buffers import IN, OUT
from p4kernel.signature import Signature, prototype, read
from p4kernel.signature.scope import caller
from p4kernel.wire._tables import (
    CALL_RSP_SIZE,
    Call,
    CallFlag,
    CallRsp,
    Patch,
    Status,
    Type,
)
from p4kernel.wire._tables import Buffer as BufferEntry
from p4kernel.wire.session import Reply, SessionLost
from p4kernel.wire.streams import EMPTY, Stream

if TYPE_CHECKING:
    from p4kernel.build import Built

P = ParamSpec("P")
R = TypeVar("R")

_STOPPED = frozenset({Status.FAULT, Status.TIMEOUT, Status.CANCELLED, Status.DEAD})


@dataclass(frozen=True, slots=True)
class Options:
    """How a kernel is built and run."""

    opt: str = "O2"
    flags: tuple[str, ...] = ()
    contract: bool = True  # a * b + c may be one fused operation, as ESP-IDF builds
    timeout: float | None = None  # seconds; None: the board's limit
    max_instructions: int | None = None
    stack: int = 0  # bytes; 0: the board's default


class Last(NamedTuple):
    """What the last call of a kernel cost."""

    instructions: int  # retired by the kernel
    cycles: int  # of the chip; the virtual board counts an instruction as one
    firmware_calls: int  # calls of functions that the board's firmware has
    elapsed: float  # seconds on the board, from the start of the kernel to its end
    bytes_up: int  # over the link, frames included
    bytes_down: int
    round_trips: int
    build_seconds: float  # compiling and linking; 0.0 when it was built before
    load_seconds: float  # moving the code to the board; 0.0 when it held it
    built_from: str  # "memory", "disk" (the cache) or "built"


class Kernel(Generic[P, R]):
    """A function that runs on a board. Made by ``@p4.kernel``."""

    __name__: str
    __wrapped__: Callable[P, R]  # the stub

    def __init__(self, function: Callable[P, R], signature: Signature, options: Options) -> None:
        functools.update_wrapper(self, function)
        self.signature = signature
        self.options = options
        self._marshaller = Marshaller(signature)
        self._build_lock = threading.Lock()
        _forks.watch(self)
        self._built: Built | None = None
        self._last = threading.local()
        self._last_head: tuple[tuple[int, ...], bytes] = ((), b"")

    def after_fork(self) -> None:
        """The copy in a child: a thread that was building is not there."""
        self._build_lock = threading.Lock()

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
        arguments = self._marshaller.bind(args, kwargs)
        built, built_now = self._build()
        if board is None:
            board = defaults.current_board()
        with board.session.lock:
            return _Run(self, board, built, built_now, arguments).go()

    # -- building -----------------------------------------------------------------------------------------------

    @property
    def build(self) -> Built:
        """The compiled kernel; compiles it if that was not done yet. Raises CompileError, LinkError."""
        return self._build()[0]

    def _build(self) -> tuple[Built, bool]:
        if self._built is not None:
            return self._built, False
        from p4kernel import build

        with self._build_lock:
            if self._built is not None:
                return self._built, False
            source = build.Source(
                units=tuple(
                    build.Unit(name, text, language) for name, language, text in prototype.units(self.signature)
                ),
                entry=prototype.ENTRY,
            )
            o = self.options
            options = build.Options(opt=o.opt, flags=o.flags, fp_contract="fast" if o.contract else "off")
            validate = functools.partial(prototype.validate, self.signature)
            try:
                built = build.build(source, options, validate=validate)
            except CompileError as error:
                raise self._explain(error) from None
            for warning in built.warnings:
                defaults.notice(str(self._place(warning)))
            self._built = built
            return built, True

    def _place(self, diagnostic: Diagnostic) -> Diagnostic:
        file, line, column, remark = self.signature.lines.map(diagnostic.file, diagnostic.line, diagnostic.column)
        return Diagnostic(file, line, column, diagnostic.severity, diagnostic.message + remark)

    def _explain(self, error: CompileError) -> CompileError:
        diagnostics = [self._place(d) for d in error.diagnostics]
        if not diagnostics:
            return error
        return CompileError(f"{self.signature.name} does not compile\n{faults.excerpt(diagnostics)}", diagnostics)

    def _head(self, image: int, entry: int, buffers: int, patches: int) -> bytes:
        """The fixed part of a CALL; it is the same for each call of a kernel on a board."""
        key = (image, entry, buffers, patches)
        known, head = self._last_head  # read once: other threads call it on other boards
        if known == key:
            return head
        layout, options = self._marshaller.layout, self.options
        head = Call(
            image=image,
            entry=entry,
            flags=CallFlag.RESET,
            limit_us=0 if options.timeout is None else max(int(options.timeout * 1e6), 1),
            limit_instructions=options.max_instructions or 0,
            stack=options.stack,
            blob_size=layout.size,
            ret_offset=layout.ret.offset if layout.ret else 0,
            ret_size=layout.ret.size if layout.ret else 0,
            buffers=buffers,
            patches=patches,
        ).pack()
        self._last_head = key, head
        return head

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

    def disassemble(self) -> str:
        """The machine code, as assembly with the lines of the source in between."""
        from p4kernel.listing import listing

        return listing(self.build, self.signature.lines)

    def __repr__(self) -> str:
        where = self.signature.body.position
        state = f"{self._built.image.text_size} bytes of code" if self._built is not None else "not built yet"
        return f"<p4 kernel {self.signature.prototype}, {state}, {where.file}:{where.line}>"


@functools.lru_cache(maxsize=256)
def _entry(size: int, address: int, align: int, direction: int) -> bytes:
    return BufferEntry(size, address, 0, align, direction).pack()


@functools.lru_cache(maxsize=256)
def _patches(patches: tuple[tuple[int, int], ...]) -> bytes:
    return b"".join(Patch(offset, index, 0).pack() for offset, index in patches)


class _Run:
    """One call on one board, with the board's lock held."""

    def __init__(
        self, kernel: Kernel[Any, Any], board: Board, built: Built, built_now: bool, arguments: Marshalled
    ) -> None:
        self._kernel = kernel
        self._board = board
        self._built = built
        self._built_now = built_now
        self._arguments = arguments
        self._load_seconds = 0.0
        self._address = 0
        self._out_views: list[memoryview] = []
        self._head: CallRsp | None = None
        self._ret = b""

    def go(self) -> Any:
        board, traffic = self._board, self._board.session.traffic
        up, down, trips = traffic.up, traffic.down, traffic.trips
        reply = self._attempt()
        if reply is None or reply.status is Status.NO_IMAGE:  # a board that was restarted, or had to make room
            board.forget(self._built.image)
            reply = self._attempt(again=True)
            assert reply is not None
        if reply.status is not Status.OK:
            raise self._error(reply)
        head = self._head
        assert head is not None
        for buffer in self._arguments.buffers:
            if buffer.write_back is not None:
                buffer.write_back()
        built = self._built
        self._kernel._last.value = Last(
            head.instructions,
            head.cycles,
            head.firmware_calls,
            head.elapsed_us / 1e6,
            traffic.up - up,
            traffic.down - down,
            traffic.trips - trips,
            built.compile_seconds + built.link_seconds if self._built_now else 0.0,
            self._load_seconds,
            built.from_cache if self._built_now else "memory",
        )
        return self._kernel._marshaller.result(self._ret)

    def _attempt(self, again: bool = False) -> Reply | None:
        """The board's reply; None when it was restarted before it ran anything."""
        calling = False
        self._out_views.clear()
        try:
            loaded = self._board.loaded(self._built.image)
            if loaded is None:
                start = time.perf_counter()
                loaded = self._board.load(self._built.image)
                self._load_seconds = time.perf_counter() - start
            self._address = loaded.address
            payload, stream, sent = self._request(loaded.image)
            calling = True
            return self._board.exchange(Type.CALL, payload, stream, sent, self._sink)
        except BaseException as error:
            if isinstance(error, BoardLost) and not calling:
                error.ran = "no"  # it is the loading that may have been done
            if isinstance(error, SessionLost) and error.ran == "no" and not again:
                return None
            if self._head is not None and (names := [b.name for b in self._arguments.buffers if b.direction & OUT]):
                error.add_note(f"the results were on their way: the contents of {', '.join(names)} are undefined")
            raise

    def _request(self, image: int) -> tuple[bytes, Stream, int]:
        kernel, arguments = self._kernel, self._arguments
        parts: list[bytes | memoryview] = [
            kernel._head(image, self._built.image.entry, len(arguments.buffers), len(arguments.patches)),
            arguments.blob,
        ]
        views: list[memoryview] = []
        for b in arguments.buffers:
            parts.append(_entry(b.size, b.address, b.align, b.direction))
            if b.view is not None:
                if b.direction & IN:
                    views.append(b.view)
                if b.direction & OUT:
                    self._out_views.append(b.view)
        if arguments.patches:
            parts.append(_patches(tuple(arguments.patches)))
        room = self._board.session.max_payload - sum(map(len, parts))
        if sum(map(len, views)) <= room:
            return b"".join(parts + views), EMPTY, 0
        stream = Stream(views)
        sent = min(stream.size, room)
        parts.append(stream.read(0, sent))
        return b"".join(parts), stream, sent

    def _sink(self, reply: Reply) -> tuple[int, Stream]:
        layout = self._kernel._marshaller.layout
        head = CallRsp.unpack(reply.payload)
        size = layout.ret.size if layout.ret else 0
        self._ret = head.rest[:size]
        views = self._out_views
        wanted = sum(map(len, views))
        if head.out_size != wanted or len(reply.payload) < CALL_RSP_SIZE + size:
            raise BoardError(f"the board returns {head.out_size} bytes of arrays where {wanted} were asked for")
        self._head = head
        if not views:
            return 0, EMPTY
        inline = memoryview(head.rest)[size:]
        out = Stream(views)
        out.write(0, inline)
        return len(inline), out

    def _error(self, reply: Reply) -> Exception:
        kernel = self._kernel
        if reply.status in _STOPPED:
            options = kernel.options
            limits = (options.timeout or self._board.info.time_limit, options.max_instructions)
            return faults.stopped(reply, kernel.signature, self._built, self._address, limits)
        error = refusal(Type.CALL, reply)
        if isinstance(error, OutOfMemory):
            state = self._board.memory.state()
            wanted = ", ".join(f"{b.name} {b.size:,} bytes" for b in self._arguments.buffers if b.view is not None)
            return OutOfMemory(
                f"{kernel.signature.name}: the board has no memory for this call's arrays ({wanted}); it has\n{state}"
            )
        return error


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
) -> Any:
    """Makes a kernel of a typed stub whose body is one call of ``p4.c``, ``p4.asm`` or ``p4.firmware``.

    Args:
        require: relations that each call must satisfy, such as ``"out.size >= n * m"``.
        opt: the compiler's optimisation level, "O0" to "O3", "Os" or "Oz".
        flags: further options for the compiler, such as ``["-funroll-loops", "-DN=4"]``.
        contract: whether ``a * b + c`` may become one fused operation, rounded once.
        timeout: seconds after which a call is ended with KernelTimeout; None: the board's limit (10 s).
        max_instructions: instructions after which a call is ended, on boards that count them (the virtual one does).
        stack: bytes of stack; 0: the board's default (16 KB).

    Variables with static storage start each call with their initial values: kernels keep no state.

    Raises SignatureError when the stub cannot become a C function. Nothing is compiled before the first call.
    """
    options = Options(_level(opt), _flags(flags), bool(contract), _seconds(timeout), _count(max_instructions), stack)

    def decorate(function: Callable[P, R], depth: int) -> Kernel[P, R]:
        return Kernel(function, read(function, require, caller(depth)), options)

    if function is not None:
        return decorate(function, 2)
    return lambda function: decorate(function, 2)


def _level(opt: str) -> str:
    level = opt.removeprefix("-")
    if level not in ("O0", "O1", "O2", "O3", "Os", "Oz"):
        raise SignatureError(f"opt={opt!r}: levels are O0, O1, O2, O3, Os and Oz")
    return level


def _flags(flags: Sequence[str]) -> tuple[str, ...]:
    if isinstance(flags, str) or not all(isinstance(flag, str) for flag in flags):
        raise SignatureError(f"flags={flags!r}: give a list of options, such as ['-funroll-loops']")
    return tuple(flags)


def _seconds(timeout: float | None) -> float | None:
    if timeout is not None and not 0 < timeout < 4000:
        raise SignatureError(f"timeout={timeout!r}: seconds, more than 0 and less than 4000")
    return timeout


def _count(limit: int | None) -> int | None:
    if limit is not None and limit < 1:
        raise SignatureError(f"max_instructions={limit!r}: at least 1")
    return limit
