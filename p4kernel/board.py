"""A connected board: what it is, its memory, the images it holds, and calls of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from p4kernel import generations
from p4kernel.errors import BoardError, BoardLost, OutOfMemory
from p4kernel.memory import Memory
from p4kernel.wire._tables import (
    COMMIT_SIZE,
    EXPORT_ENTRY_SIZE,
    Commit,
    ExportEntry,
    Exports,
    ExportsRsp,
    InfoFlag,
    Load,
    LoadRsp,
    Status,
    Type,
)
from p4kernel.wire._tables import Error as ErrorReply
from p4kernel.wire.session import Reply, Session, SessionLost
from p4kernel.wire.streams import EMPTY, Stream
from p4kernel.wire.transport import Transport

if TYPE_CHECKING:
    from types import TracebackType

    from p4kernel.build.image import Image

_current: ContextVar[Board | None] = ContextVar("p4kernel.board", default=None)
# What `with board:` goes back to. Not kept in the board: threads and tasks may have entered the same one.
_before: ContextVar[tuple[Board | None, ...]] = ContextVar("p4kernel.before", default=())


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """What a board said of itself when it was connected."""

    chip: str
    revision: int  # major * 100 + minor
    isa: str
    firmware: str
    firmware_sha: str
    virtual: bool
    protocol: int
    psram: int  # bytes
    sram: int  # bytes
    exports: int  # functions that kernels can call
    counts_instructions: bool
    time_limit: float  # seconds, of a call that names none


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image that the board holds."""

    image: int
    address: int


class Board:
    """A connected board. Made by ``p4.connect``; ``with board:`` makes it the current one."""

    def __init__(self, transport: Transport, url: str, on_log: Callable[[str, int], None]) -> None:
        self.url = url
        try:
            self._session = Session(transport, on_log)
        except BaseException:
            transport.close()
            raise
        self._nonce = self._session.info.nonce
        self._images: dict[bytes, Loaded] = {}
        self._exports: dict[str, int] | None = None
        self._closed = False

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def info(self) -> BoardInfo:
        """Chip, firmware, memory sizes, as the board reported them."""
        hello = self._session.info
        return BoardInfo(
            chip=hello.chip,
            revision=hello.revision,
            isa=hello.isa,
            firmware=hello.firmware,
            firmware_sha=hello.firmware_sha.hex(),
            virtual=bool(hello.flags & InfoFlag.VIRTUAL),
            protocol=hello.version,
            psram=hello.psram_size,
            sram=hello.sram_size,
            exports=hello.exports,
            counts_instructions=bool(hello.flags & InfoFlag.COUNTS),
            time_limit=hello.limit_us / 1e6,
        )

    @property
    def generation(self) -> int:
        """Of PIE: 1 is xespv 2.1 (chip revision below 3), 2 is xespv 2.2."""
        return generations.of_revision(self._session.info.revision / 100)

    @property
    def exports(self) -> Mapping[str, int]:
        """Functions of the firmware that kernels can call, with their addresses. Asked for once."""
        if self._exports is None:
            table: dict[str, int] = {}
            seen = 0
            while True:
                reply = ExportsRsp.unpack(self.request(Type.EXPORTS, Exports(seen).pack()).payload)
                rest = reply.table
                while rest:
                    size = EXPORT_ENTRY_SIZE + 1 + rest[EXPORT_ENTRY_SIZE]
                    entry, rest = ExportEntry.unpack(rest[:size]), rest[size:]
                    seen += 1
                    if entry.address:
                        table[entry.name] = entry.address
                if seen >= reply.total or not reply.table:
                    break
            self._exports = table
        return self._exports

    @property
    def memory(self) -> Memory:
        """Its memory: what is free, and allocations by hand."""
        return Memory(self.request)

    @property
    def session(self) -> Session:
        """The link underneath, for tools and tests."""
        return self._session

    @property
    def closed(self) -> bool:
        return self._closed

    def __repr__(self) -> str:
        if self._closed:
            return f"<p4kernel board {self.url}, closed>"
        info = self.info
        kind = "virtual " if info.virtual else ""
        return (
            f"<{kind}{info.chip} rev {info.revision // 100}.{info.revision % 100} at {self.url}, "
            f"{info.psram >> 20} MB PSRAM, {info.firmware}>"
        )

    # -- current board ------------------------------------------------------------------------------------------

    def __enter__(self) -> Board:
        self._check_open()
        _before.set((*_before.get(), _current.get()))
        _current.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        *others, last = _before.get()
        _before.set(tuple(others))
        _current.set(last)

    def close(self) -> None:
        """Ends the connection. The board frees what this session allocated."""
        if not self._closed:
            self._closed = True
            self._session.close()

    def __del__(self, _ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if not _ending() and getattr(self, "_session", None) is not None:
            self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BoardError(f"{self.url}: this board was closed; connect again with p4.connect({self.url!r})")

    # -- requests -----------------------------------------------------------------------------------------------

    def request(
        self,
        kind: Type,
        payload: bytes = b"",
        stream: Stream = EMPTY,
        sent: int = 0,
        sink: Callable[[Reply], tuple[int, Stream]] | None = None,
    ) -> Reply:
        """One request whose refusal is an error. Raises OutOfMemory or BoardError that say what the board said."""
        reply = self.exchange(kind, payload, stream, sent, sink)
        if reply.status is not Status.OK:
            raise refusal(kind, reply)
        return reply

    def exchange(
        self,
        kind: Type,
        payload: bytes = b"",
        stream: Stream = EMPTY,
        sent: int = 0,
        sink: Callable[[Reply], tuple[int, Stream]] | None = None,
    ) -> Reply:
        """One request and the board's answer, whatever it is. Raises BoardLost; SessionLost when the board restarted."""
        self._check_open()
        with self._session.lock:
            try:
                return self._session.request(kind, payload, stream, sent, sink)
            except SessionLost:
                self._forget_all()
                raise

    # -- images -------------------------------------------------------------------------------------------------

    def loaded(self, image: Image) -> Loaded | None:
        """Where the board holds ``image``, as far as this session knows. Raises BoardLost."""
        self._check_open()
        self._session.ready()
        if self._nonce != self._session.info.nonce:  # it was restarted, and gives the same numbers to other images
            self._nonce = self._session.info.nonce
            self._forget_all()
        return self._images.get(image.sha256)

    def load(self, image: Image) -> Loaded:
        """Makes the board hold ``image``. Sends nothing when it does already. Raises LinkError, OutOfMemory."""
        with self._session.lock:
            loaded = self.loaded(image)
            if loaded is None:
                self._images[image.sha256] = loaded = self._upload(image)
            return loaded

    def forget(self, image: Image) -> None:
        """Drops what the host believes of an image, after the board said that it does not hold it."""
        self._images.pop(image.sha256, None)

    def _forget_all(self) -> None:
        self._images.clear()
        self._exports = None

    def _upload(self, image: Image) -> Loaded:
        exports = self.exports if image.imports else {}
        if any(not weak and name not in exports for name, weak in image.imports):
            image.at(image.link_base, exports)  # raises LinkError, before the board reserves anything
        request = Load(
            sha=image.sha256,
            size=image.size,
            text_size=image.text_size,
            data_offset=image.data_offset,
            data_size=image.data_size,
            bss_offset=image.bss_offset,
            bss_size=image.bss_size,
            align=image.align,
            cap=0,
            generation=image.generation,
        )
        reply = self.exchange(Type.LOAD, request.pack())
        if reply.status is Status.ABI:
            raise self._other_generation(image)
        if reply.status is not Status.OK:
            raise refusal(Type.LOAD, reply)
        held = LoadRsp.unpack(reply.payload)
        if held.held:
            return Loaded(held.image, held.address)
        data = image.at(held.address, exports)
        stream = Stream([memoryview(data)])
        first = min(len(data), self._session.max_payload - COMMIT_SIZE)
        self.request(Type.COMMIT, Commit(held.image, len(data), data[:first]).pack(), stream, first)
        return Loaded(held.image, held.address)

    def _other_generation(self, image: Image) -> BoardError:
        needed, info = image.generation, self.info
        return BoardError(
            f"this code has PIE instructions of {generations.NAMES[needed]} ({generations.CHIPS[needed]}), and {self.url} "
            f"is an {info.chip} of revision {info.revision // 100}.{info.revision % 100}, which has "
            f"{generations.NAMES[self.generation]}: compile it for this board (a kernel that includes p4_pie.h is compiled "
            "for each board that it is called on, unless its flags or text set P4_PIE_GENERATION), or run it on a board of "
            f"the other kind, such as sim?revision={generations.REVISIONS[needed]}"
        )


def refusal(kind: Type, reply: Reply) -> BoardError:
    """The exception for a request that the board refused."""
    detail = extra = 0
    if len(reply.payload) >= 8:
        detail, extra = ErrorReply.unpack(reply.payload)
    match reply.status:
        case Status.NOMEM:
            return OutOfMemory(f"the board has no memory for this {kind.name}: its largest free block is {extra} bytes")
        case Status.RANGE:
            return BoardError(f"{kind.name}: address 0x{detail:08x} is not inside memory that was allocated")
        case Status.LIMIT:
            return BoardError(f"{kind.name}: over a limit of the board ({extra})")
        case Status.ABI:
            return BoardError(
                f"{kind.name}: the code was built for another generation of the chip's SIMD unit than this board has"
            )
        case Status.SEQ | Status.FRAME | Status.SESSION:
            return BoardLost(f"{kind.name}: the link to the board is out of step ({reply.status.name})")
    return BoardError(f"{kind.name}: the board answered {reply.status.name} ({detail}, {extra})")


def use(board: Board | None) -> None:
    """Makes ``board`` the current one from here on, in this thread or task; None takes that back."""
    if board is not None:
        board._check_open()
    _current.set(board)


def current() -> Board | None:
    """The board that ``with board:`` or ``p4.use`` named in this thread or task."""
    return _current.get()
