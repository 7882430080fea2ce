"""A session with a board: numbered requests, each answered once, with streams of array bytes in both directions.

The rules are those of ``stubs/protocol.yaml``: sequence numbers without gaps, ``ack`` on every frame, go-back-N for
DATA. A request is sent again only when the board says that it never saw it, or on a link that loses frames: the board
then answers from its record of the last requests, so nothing runs twice.
"""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from p4kernel.errors import BoardError, BoardLost, ProtocolError
from p4kernel.wire._tables import (
    MAX_PAYLOAD,
    VERSION,
    Hello,
    HelloRsp,
    InfoFlag,
    Status,
    Type,
    VersionRsp,
)
from p4kernel.wire.frames import Frame, FrameReader, encode
from p4kernel.wire.streams import EMPTY, Stream
from p4kernel.wire.transport import Transport

HELLO_TIMEOUT: Final = 3.0  # seconds for the answer to HELLO, all tries together
_SILENCE: Final = 4.9  # a board that says nothing for so long is lost: while it runs it sends PENDING every 0.5 s
_RESEND: Final = 0.3  # on a link that loses frames, seconds without news after which the request is asked for again
_RECOVERY: Final = 3.0  # seconds for the board to end a cancelled request
_BATCH: Final = 8  # DATA frames sent between two looks at what came back


@dataclass(slots=True)
class Traffic:
    """What went over the link: bytes to and from the board, and requests that waited for an answer."""

    up: int = 0
    down: int = 0
    trips: int = 0


@dataclass(slots=True)
class Reply:
    """A board's answer. ``data`` follows the head of a reply that has an out stream."""

    status: Status
    payload: bytes


class SessionLost(BoardLost):
    """The board answers, but no longer knows this session: it was restarted."""


class Session:
    """Speaks the protocol over one transport. One request at a time; ``lock`` serves threads in order."""

    def __init__(self, transport: Transport, on_log: Callable[[str, int], None]) -> None:
        """Does HELLO. Raises ProtocolError when nobody, or something else, answers; BoardLost."""
        self.transport = transport
        self.lock = threading.RLock()
        self.traffic = Traffic()
        self._on_log = on_log
        self._reader = FrameReader()
        self._frames: list[Frame] = []
        self._broken = False
        self.restart()

    # -- connection ---------------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Begins a new session on the same transport; the board frees what the old one had, but for images."""
        with self.lock:
            self._id = self._next = self._acked = 0
            self._frames.clear()
            nonce = int.from_bytes(os.urandom(8), "little")
            hello = encode(Type.HELLO, 0, 0, payload=Hello(VERSION, VERSION, 0, nonce).pack())
            deadline = time.monotonic() + HELLO_TIMEOUT
            resend = 0.0
            while True:
                now = time.monotonic()
                if now >= deadline:
                    raise ProtocolError(self._nobody())
                if now >= resend:
                    self._send(hello)
                    resend = now + HELLO_TIMEOUT / 4
                frame = self._receive(min(resend, deadline) - now)
                if frame is None or frame.type != Type.RSP or frame.seq != 0:
                    continue
                info = self._accept(frame)
                if info.client_nonce == nonce:  # else the answer to an older HELLO
                    break
            self.info = info
            self._id, self._next, self._broken = self.info.session, 1, False
            self._window = self.info.window
            self._reliable = bool(self.info.flags & InfoFlag.RELIABLE)
            self.max_payload = min(self.info.payload, MAX_PAYLOAD)

    def _accept(self, frame: Frame) -> HelloRsp:
        name = self.transport.name
        if frame.arg == Status.VERSION or frame.version != VERSION:
            theirs = f"version {frame.version}"
            if frame.arg == Status.VERSION and len(frame.payload) >= 2:
                range_ = VersionRsp.unpack(frame.payload)
                theirs = f"versions {range_.min_version} to {range_.max_version}"
            raise ProtocolError(
                f"{name}: the board's firmware speaks {theirs} of the p4kernel protocol, this host speaks version "
                f"{VERSION}; flash the firmware that came with this p4kernel, or install the p4kernel that fits it"
            )
        if frame.arg == Status.BUSY:
            raise BoardError(f"{name}: another program is connected to this board; end its connection first")
        if frame.arg != Status.OK:
            raise ProtocolError(f"{name}: the board refused the connection with status {frame.arg}")
        try:
            return HelloRsp.unpack(frame.payload)
        except struct.error as error:
            raise ProtocolError(f"{name}: the board's answer to HELLO cannot be read: {error}") from error

    def _nobody(self) -> str:
        skipped = self._reader.damage.skipped
        heard = f"{skipped} bytes came that are no p4kernel frames" if skipped else "nothing came back"
        return (
            f"{self.transport.name} is not a p4kernel board: no answer to HELLO in {HELLO_TIMEOUT:g} s ({heard}); "
            "is the p4kernel firmware flashed, and is this its port?"
        )

    def close(self) -> None:
        """Says goodbye, as far as the link allows, and closes the transport."""
        if self._id and not self._broken and self.lock.acquire(timeout=0.5):
            try:
                self.transport.write(encode(Type.BYE, self._id, self._next, self._acked))
            except BoardLost:
                self._broken = True  # it is gone already, which is what BYE asks for
            finally:
                self.lock.release()
        self.transport.close()

    # -- requests -----------------------------------------------------------------------------------------------

    def request(
        self,
        kind: Type,
        payload: bytes,
        stream: Stream = EMPTY,
        sent: int = 0,
        sink: Callable[[Reply], tuple[int, Stream]] | None = None,
    ) -> Reply:
        """Sends one request and returns its answer.

        ``stream`` holds the bytes that travel with it, of which the first ``sent`` are already in ``payload``.
        ``sink`` is asked when the status was OK: how many bytes of the out stream the reply's payload carried, and
        where the others belong. Raises BoardLost; SessionLost when the board was restarted.
        """
        with self.lock:
            if self._broken:
                self.restart()
            exchange = _Exchange(self, kind, payload, stream, sent)
            self._next += 1
            self.traffic.trips += 1
            try:
                return exchange.run(sink)
            except BoardLost:
                self._broken = True
                raise
            except BaseException:
                self._recover(exchange.seq)
                raise

    def _recover(self, seq: int) -> None:
        """After an interrupted request: ends it on the board, so that the next request finds a quiet link."""
        self._broken = True  # stays so when this is interrupted, too: the next request then begins a new session
        self._control(Type.CANCEL, seq)
        self._control(Type.QUERY, seq)
        deadline = time.monotonic() + _RECOVERY
        while (left := deadline - time.monotonic()) > 0:
            frame = self._receive(left)
            if frame is None or frame.session != self._id:
                continue
            if frame.type == Type.RSP and frame.seq == seq:
                self.acknowledge(seq)
                self._broken = False
                return
            if frame.type == Type.NAK and frame.flags == 1 and frame.arg == seq:  # it never arrived
                self._next = seq
                self._broken = False
                return

    def acknowledge(self, seq: int) -> None:
        """Lets the board free the results of all requests up to ``seq``."""
        self._acked = seq
        self._control(Type.ACK, seq)

    # -- frames -------------------------------------------------------------------------------------------------

    def _control(self, kind: Type, seq: int, arg: int = 0, flags: int = 0) -> None:
        self._send(encode(kind, self._id, seq, self._acked, arg, flags=flags))

    def _send(self, data: bytes) -> None:
        self.traffic.up += len(data)
        self.transport.write(data)

    def _receive(self, timeout: float) -> Frame | None:
        """The next frame, or None when none came in time."""
        if not self._frames:
            deadline = time.monotonic() + timeout
            while True:
                data = self.transport.read(max(deadline - time.monotonic(), 0.0))
                self.traffic.down += len(data)
                self._frames.extend(self._reader.feed(data))
                if self._frames:
                    self._frames.reverse()  # so that pop() is the oldest
                    break
                if time.monotonic() >= deadline:
                    return None
        return self._frames.pop()


class _Exchange:
    """One request under way."""

    def __init__(self, session: Session, kind: Type, payload: bytes, stream: Stream, sent: int) -> None:
        self._session = session
        self.seq = session._next
        self._request = encode(kind, session._id, self.seq, session._acked, payload=payload)
        self._stream = stream
        self._inline = self._offset = sent
        self._credit = sent + session._window
        self._last_byte_sent = sent == stream.size

    def run(self, sink: Callable[[Reply], tuple[int, Stream]] | None) -> Reply:
        session = self._session
        session._send(self._request)
        reply = self._wait()
        if reply.status is Status.OK and sink is not None:
            have, out = sink(reply)
            self._download(have, out)
        session._acked = self.seq
        return reply

    def _wait(self) -> Reply:
        heard = time.monotonic()
        while True:
            more = self._upload()
            frame = self._session._receive(0.0 if more else self._patience)
            now = time.monotonic()
            if frame is None:
                if not more:
                    self._silence(heard, now, Type.QUERY)
                continue
            if frame.session != self._session._id:
                continue
            heard = now
            reply = self._handle(frame)
            if reply is not None:
                return reply

    def _handle(self, frame: Frame) -> Reply | None:
        session = self._session
        match frame.type:
            case Type.LOG:
                if frame.arg:
                    session._on_log(f"[p4kernel: {frame.arg} bytes of output were dropped]\n", 1)
                session._on_log(frame.payload.decode(errors="replace"), frame.flags)
            case Type.RSP if frame.seq == self.seq:
                if frame.arg == Status.SESSION:
                    raise SessionLost(
                        f"{session.transport.name}: the board was restarted and no longer knows this session",
                        ran="unknown" if self._last_byte_sent and not session._reliable else "no",
                    )
                return Reply(Status(frame.arg), frame.payload)
            case Type.CREDIT if frame.seq == self.seq:
                self._credit = max(self._credit, frame.arg)
            case Type.NAK if frame.flags == 1 and frame.arg == self.seq:
                session._send(self._request)
                self._offset = self._inline
            case Type.NAK if frame.flags == 1 and frame.arg < self.seq:  # a request was numbered and never sent
                raise SessionLost(f"{session.transport.name}: the sequence numbers are out of step", ran="no")
            case Type.NAK if frame.flags == 0 and frame.seq == self.seq:
                self._offset = min(max(frame.arg, self._inline), self._stream.size)
            case _:
                pass  # PENDING, and what belongs to requests that are over
        return None

    def _upload(self) -> bool:
        """Sends some DATA if there is credit. True when there is more to send at once."""
        session, stream = self._session, self._stream
        for _ in range(_BATCH):
            size = min(session.max_payload, stream.size - self._offset, self._credit - self._offset)
            if size <= 0:
                return False
            piece = stream.read(self._offset, size)
            frame = encode(Type.DATA, session._id, self.seq, session._acked, self._offset, piece)
            self._offset += size
            self._last_byte_sent = self._last_byte_sent or self._offset == stream.size
            session._send(frame)
        return True

    def _download(self, have: int, out: Stream) -> None:
        session = self._session
        heard = time.monotonic()
        asked = -1
        while have < out.size:
            frame = session._receive(self._patience)
            now = time.monotonic()
            if frame is None:
                self._silence(heard, now, Type.NAK, have)
                continue
            if frame.session != session._id or frame.type != Type.DATA or frame.seq != self.seq:
                continue
            heard = now
            if frame.arg == have:
                out.write(have, frame.payload)
                have += len(frame.payload)
            elif frame.arg > have and asked != have:  # one question for each gap
                session._control(Type.NAK, self.seq, have)
                asked = have

    @property
    def _patience(self) -> float:
        """Seconds to wait for a frame before something is done about the silence."""
        return _SILENCE if self._session._reliable else _RESEND

    def _silence(self, heard: float, now: float, question: Type, arg: int = 0) -> None:
        """Nothing came. On a link that loses frames, asks again; a board that is silent for long is lost."""
        if now - heard < _SILENCE:
            if not self._session._reliable:
                self._session._control(question, self.seq, arg)
            return
        raise BoardLost(
            f"{self._session.transport.name}: the board has been silent for {_SILENCE:g} s; "
            "check the cable and reset the board",
            ran="unknown" if self._last_byte_sent else "no",
        )
