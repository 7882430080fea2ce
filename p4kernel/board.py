"""A connected board: what it is, its memory, the images it holds, and calls of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from p4kernel import generations
from p4kernel.errors import BoardError, BoardLost, LinkError, OutOfMemory
from p4kernel.garbage import Garbage
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
    LoadFlag,
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

    from p4kernel.build.firmware import FirmwareElf
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


class Unreachable(BoardError):
    """An address that is not inside memory of this session."""


class Board:
    """A connected board. Made by ``p4.connect``; ``with board:`` makes it the current one."""

    def __init__(self, transport: Transport, url: str, on_log: Callable[[str, int], None]) -> None:
        self.url = url
        try:
            self._session = Session(transport, on_log)
        except BaseException:
            transport.close()
            raise
        self.garbage = Garbage()
        self._nonce = self._session.info.nonce
        self._images: dict[bytes, Loaded] = {}
        self._exports: dict[str, int] | None = None
        self._absent: frozenset[str] = frozenset()
        self._firmware: FirmwareElf | None = None
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
            absent: set[str] = set()
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
                    else:
                        absent.add(entry.name)
                if seen >= reply.total or not reply.table:
                    break
            self._exports, self._absent = table, frozenset(absent)
        return self._exports

    @property
    def absent(self) -> frozenset[str]:
        """Functions that have a place in the export table, and that this board does not have."""
        _ = self.exports  # asks the board
        return self._absent

    def use_firmware(self, firmware: FirmwareElf) -> None:
        """As ``p4.firmware_elf``, with the file read. Raises BoardError when it is another firmware than the board's."""
        self._check_open()
        self._session.ready()
        self._check_firmware(firmware)
        self._firmware = firmware

    def _check_firmware(self, firmware: FirmwareElf) -> None:
        hello = self._session.info
        if firmware.sha256 != hello.firmware_sha:
            raise BoardError(
                f"{firmware.path} is not the firmware of {self.url}: its SHA-256 is {firmware.sha256.hex()}, and the board "
                f"runs {hello.firmware} of {hello.firmware_sha.hex()}; give the .elf of the very build that was flashed"
            )

    def _resolver(self, image: Image) -> Mapping[str, int]:
        """Addresses of what the image needs. Raises LinkError, before the board reserves anything."""
        if not image.imports:
            return {}
        exports = self.exports
        missing = [i.name for i in image.imports if i.name not in exports]
        if not missing:
            return exports
        found = dict(exports)
        if self._firmware is not None:
            self._check_firmware(self._firmware)
            found |= {name: self._firmware.symbols[name] for name in missing if name in self._firmware.symbols}
        for name, weak in image.imports:
            if not weak and name not in found and name in self._absent:
                kind = "the virtual board" if self.info.virtual else f"the firmware of {self.url}"
                raise LinkError(
                    f"'{name}' is a function that {kind} does not have (p4kernel doctor --exports lists what there is)"
                )
        image.at(image.link_base, found)
        return found

    @property
    def memory(self) -> Memory:
        """Its memory: what is free, and allocations by hand."""
        return Memory(self.request, self.give_back)

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
        claim: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """One request whose refusal is an error. Raises OutOfMemory or BoardError that say what the board said."""
        reply = self.exchange(kind, payload, stream, sent, sink, claim=claim)
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
        answer: Callable[[int, bytes], bytes] | None = None,
        claim: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """One request and the board's answer, whatever it is. Raises BoardLost; SessionLost when the board restarted."""
        self._check_open()
        with self._session.lock:
            if kind is Type.ALLOC:
                frees = self.owed()
                payload += frees
                claim = self._claiming(frees, claim)
            try:
                return self._session.request(kind, payload, stream, sent, sink, answer, claim)
            except SessionLost:
                self._forget_all()
                raise

    def _claiming(self, frees: bytes, claim: Callable[[bytes], None] | None) -> Callable[[bytes], None]:
        """What is to be done with the answer to an ALLOC, which may lie where something was that it has freed."""

        def both(answer: bytes) -> None:
            self.garbage.answered(frees, Status.OK)
            if claim is not None:
                claim(answer)

        return both

    def owed(self) -> bytes:
        """What the next request shall give back. The lock is held."""
        if not self.garbage:
            return b""
        self._session.ready()  # a new session owes nothing to the last one
        return self.garbage.owed(self._session.id)

    def give_back(self) -> None:
        """Frees on the board what Python has dropped, by a request of its own; without one when there is nothing."""
        self._check_open()
        with self._session.lock:
            frees = self.owed()
            if not frees:
                return
            reply = self.exchange(Type.FREE, frees)
            if reply.status not in (Status.OK, Status.RANGE):  # RANGE: an interrupted request had freed some of them
                raise refusal(Type.FREE, reply)
            self.garbage.answered(frees, reply.status)

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
                self._images[image.sha256] = loaded = self._upload(image, image.sha256, LoadFlag(0))
            return loaded

    def load_pinned(self, image: Image, identity: bytes, claim: Callable[[int], None]) -> Loaded:
        """Makes the board hold a copy of ``image`` that keeps state, for this session, under an identity of its own.

        ``claim`` is given its address, as soon as there is one.
        """
        with self._session.lock:
            self._session.ready()
            return self._upload(image, identity, LoadFlag.PIN, lambda answer: claim(LoadRsp.unpack(answer).address))

    def forget(self, image: Image) -> None:
        """Drops what the host believes of an image, after the board said that it does not hold it."""
        self._images.pop(image.sha256, None)

    def _forget_all(self) -> None:
        self._images.clear()
        self._exports = None

    def _upload(
        self, image: Image, identity: bytes, flags: LoadFlag, claim: Callable[[bytes], None] | None = None
    ) -> Loaded:
        self.give_back()
        symbols = self._resolver(image)
        request = Load(
            sha=identity,
            size=image.size,
            text_size=image.text_size,
            data_offset=image.data_offset,
            data_size=image.data_size,
            bss_offset=image.bss_offset,
            bss_size=image.bss_size,
            align=image.align,
            cap=image.cap,
            generation=image.generation,
            flags=flags,
        )
        reply = self.exchange(Type.LOAD, request.pack(), claim=claim)
        if reply.status is Status.ABI:
            raise self._other_generation(image)
        if reply.status is not Status.OK:
            raise refusal(Type.LOAD, reply)
        held = LoadRsp.unpack(reply.payload)
        if held.held:
            return Loaded(held.image, held.address)
        data = image.at(held.address, symbols)
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
            return Unreachable(f"{kind.name}: address 0x{extra:08x} is not inside memory that was allocated")
        case Status.LIMIT if kind is Type.ALLOC:
            return OutOfMemory(f"the board keeps no more than {extra} allocations; free arrays that are not needed")
        case Status.LIMIT if kind is Type.LOAD:
            return OutOfMemory(f"the board holds {extra} modules that keep state, and no more; free one")
        case Status.LIMIT:
            return BoardError(f"{kind.name}: over a limit of the board ({extra})")
        case Status.IN_USE:
            return BoardError(
                f"{kind.name}: a task or a timer on the board still uses this code; end it first (vTaskDelete, "
                "esp_timer_delete, xTimerDelete)"
            )
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
