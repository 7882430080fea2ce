"""One call of a kernel on one board: the request, the reply, and what to do when there is none."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from p4kernel import faults
from p4kernel.board import Board, Loaded, refusal
from p4kernel.errors import BoardError, BoardLost, OutOfMemory, StateLost
from p4kernel.marshal import Marshalled, Marshaller
from p4kernel.marshal.buffers import IN, OUT
from p4kernel.memory import KINDS
from p4kernel.options import Options
from p4kernel.signature import Signature
from p4kernel.wire._tables import CALL_RSP_SIZE, Call, CallFlag, CallRsp, Patch, Status, Type
from p4kernel.wire._tables import Buffer as BufferEntry
from p4kernel.wire._tables import Error as ErrorReply
from p4kernel.wire.session import Reply, SessionLost
from p4kernel.wire.streams import EMPTY, Stream

if TYPE_CHECKING:
    from p4kernel.build import Built

_STOPPED = frozenset({Status.FAULT, Status.TIMEOUT, Status.CANCELLED, Status.CALLBACK, Status.DEAD})


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


@dataclass(slots=True)
class Plan:
    """What all calls of one kernel share."""

    signature: Signature
    options: Options
    marshaller: Marshaller
    flags: CallFlag = CallFlag.RESET
    cap: int = field(init=False)  # of arrays during a call
    align: int = field(init=False)
    _last_head: tuple[tuple[int, ...], bytes] = field(default=((), b""))

    def __post_init__(self) -> None:
        self.cap, self.align = int(KINDS[self.options.arrays]), self.options.align

    def head(self, image: int, entry: int, buffers: int, patches: int, frees: int) -> bytes:
        """The fixed part of a CALL; it is mostly the same for each call of a kernel on a board."""
        key = (image, entry, buffers, patches, frees)
        known, head = self._last_head  # read once: other threads call it on other boards
        if known == key:
            return head
        layout, options = self.marshaller.layout, self.options
        head = Call(
            image=image,
            entry=entry,
            flags=self.flags,
            limit_us=0 if options.timeout is None else max(int(options.timeout * 1e6), 1),
            limit_instructions=options.max_instructions or 0,
            stack=options.stack,
            blob_size=layout.size,
            ret_offset=layout.ret.offset if layout.ret else 0,
            ret_size=layout.ret.size if layout.ret else 0,
            buffers=buffers,
            patches=patches,
            frees=frees,
        ).pack()
        self._last_head = key, head
        return head


@functools.lru_cache(maxsize=256)
def _entry(size: int, address: int, cap: int, align: int, direction: int) -> bytes:
    return BufferEntry(size, address, cap, align, direction).pack()


@functools.lru_cache(maxsize=256)
def _patches(patches: tuple[tuple[int, int], ...]) -> bytes:
    return b"".join(Patch(offset, index, 0).pack() for offset, index in patches)


class Place(Protocol):
    """Where the image of a module is, which is loaded once and keeps its state."""

    @property
    def loaded(self) -> Loaded: ...

    @property
    def entry(self) -> int:
        """Offset of the kernel's entry in it."""
        ...

    def lost(self) -> StateLost:
        """The error when the board no longer has it."""
        ...


class Run:
    """One call on one board, with the board's lock held."""

    def __init__(
        self,
        plan: Plan,
        board: Board,
        built: Built,
        built_now: bool,
        arguments: Marshalled,
        place: Place | None = None,  # of a kernel that keeps state
    ) -> None:
        self._place = place
        self._entry = built.image.entry if place is None else place.entry
        self._plan = plan
        self._board = board
        self._built = built
        self._built_now = built_now
        self._arguments = arguments
        self._load_seconds = 0.0
        self._address = 0
        self._out_views: list[memoryview] = []
        self._head: CallRsp | None = None
        self._ret = b""
        self._frees = b""

    def go(self) -> tuple[Any, Last]:
        """The kernel's return value and what the call cost. Raises what the board reports, and BoardLost."""
        board, traffic = self._board, self._board.session.traffic
        up, down, trips = traffic.up, traffic.down, traffic.trips
        reply = self._attempt()
        if reply is None or reply.status is Status.NO_IMAGE:  # a board that was restarted, or had to make room
            if self._place is not None:
                raise self._place.lost()
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
        last = Last(
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
        return self._plan.marshaller.result(self._ret, self._arguments), last

    def _attempt(self, again: bool = False) -> Reply | None:
        """The board's reply; None when it was restarted before it ran anything."""
        calling = False
        self._out_views.clear()
        try:
            loaded = self._board.loaded(self._built.image) if self._place is None else self._place.loaded
            if loaded is None:
                start = time.perf_counter()
                loaded = self._board.load(self._built.image)
                self._load_seconds = time.perf_counter() - start
            self._address = loaded.address
            payload, stream, sent = self._request(loaded.image)
            calling = True
            reply = self._board.exchange(Type.CALL, payload, stream, sent, self._sink, self._answer)
            self._board.garbage.answered(self._frees, reply.status)
            return reply
        except BaseException as error:
            if isinstance(error, BoardLost) and not calling:
                error.ran = "no"  # it is the loading that may have been done
            if isinstance(error, SessionLost) and error.ran == "no" and not again:
                return None
            if self._head is not None and (names := [b.name for b in self._arguments.buffers if b.direction & OUT]):
                error.add_note(f"the results were on their way: the contents of {', '.join(names)} are undefined")
            raise

    def _request(self, image: int) -> tuple[bytes, Stream, int]:
        plan, arguments = self._plan, self._arguments
        frees = self._frees = self._board.owed()
        parts: list[bytes | memoryview] = [
            plan.head(image, self._entry, len(arguments.buffers), len(arguments.patches), len(frees) // 4),
            self._blob(),
        ]
        views: list[memoryview] = []
        for b in arguments.buffers:
            parts.append(_entry(b.size, b.address, plan.cap, max(b.align, plan.align), b.direction))
            if b.view is not None:
                if b.direction & IN:
                    views.append(b.view)
                if b.direction & OUT:
                    self._out_views.append(b.view)
            else:
                b.given.remains_on(self._board, f"{plan.signature.name}: {b.name}")
        if arguments.patches:
            parts.append(_patches(tuple(arguments.patches)))
        parts.append(frees)
        room = self._board.session.max_payload - sum(map(len, parts))
        if sum(map(len, views)) <= room:
            return b"".join((*parts, *views)), EMPTY, 0
        stream = Stream(views)
        sent = min(stream.size, room)
        parts.append(stream.read(0, sent))
        return b"".join(parts), stream, sent

    def _blob(self) -> bytes:
        arguments = self._arguments
        if not arguments.addresses:
            return arguments.blob
        blob = bytearray(arguments.blob)
        for offset, function in arguments.addresses:
            blob[offset : offset + 4] = function.p4_address(self._board).to_bytes(4, "little")
        return bytes(blob)

    def _answer(self, number: int, message: bytes) -> bytes:
        answer = self._arguments.answers.get(number)
        if answer is None:
            raise BoardError(
                f"{self._plan.signature.name} called a Python function that was passed to an earlier call; a kernel can "
                "call it only until the call that it was passed to returns"
            )
        return answer(message)

    def _sink(self, reply: Reply) -> tuple[int, Stream]:
        layout = self._plan.marshaller.layout
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
        if len(inline) == wanted:  # the usual case, without a stream
            at = 0
            for view in views:
                view[:] = inline[at : at + len(view)]
                at += len(view)
            return 0, EMPTY
        out = Stream(views)
        out.write(0, inline)
        return len(inline), out

    def _error(self, reply: Reply) -> Exception:
        signature, options = self._plan.signature, self._plan.options
        if reply.status in _STOPPED:
            limits = (options.timeout or self._board.info.time_limit, options.max_instructions)
            return faults.stopped(reply, signature, self._built, self._address, limits, self._board.generation)
        error = refusal(Type.CALL, reply)
        if reply.status is Status.RANGE:
            index = ErrorReply.unpack(reply.payload).detail
            if index >= len(self._arguments.buffers):
                return error
            b = self._arguments.buffers[index]
            writes = " and the kernel writes to it, which only memory for variables allows" if b.direction & OUT else ""
            return BoardError(
                f"{signature.name}: {b.name} at 0x{b.address:08x} is no memory that the board keeps for this session{writes}"
            )
        if isinstance(error, OutOfMemory):
            state = self._board.memory.state()
            wanted = ", ".join(f"{b.name} {b.size:,} bytes" for b in self._arguments.buffers if b.view is not None)
            return OutOfMemory(
                f"{signature.name}: the board has no memory for this call's arrays ({wanted}); it has\n{state}"
            )
        return error
