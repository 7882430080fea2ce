"""A session with a board: numbered requests, each answered once, with streams of array bytes in both directions.

The rules are those of ``stubs/protocol.yaml``: sequence numbers without gaps, ``ack`` on every frame, go-back-N for
DATA. A request is sent again only when the board says that it never saw it, or on a link that loses frames: the board
then answers from its record of the last requests, so nothing runs twice.
"""

from __future__ import annotations

import codecs
import os
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from p4kernel import _forks
from p4kernel.errors import BoardError, BoardLost, ProtocolError
from p4kernel.wire._tables import (
    MAX_PAYLOAD,
    VERSION,
    Callback,
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
_LISTEN: Final = 0.7  # seconds of one wait. Waits are added up: time in which this process was stopped is no silence
_RESEND: Final = 0.3  # as _LISTEN, on a link that loses frames: then the request is asked for again
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
        self._busy = False
        self._claim: Callable[[bytes], None] | None = None
        self.restart()
        _forks.watch(self)

    def after_fork(self) -> None:
        """The copy in a child: whoever held the lock is not there, and a request of theirs is ended when need be."""
        self.lock = threading.RLock()
        self._busy = False

    # -- connection ---------------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Begins a new session on the same transport; the board frees what the old one had, but for images."""
        with self.lock:
            self._broken = True  # until it is done
            self._id = self._next = self._acked = self._unsettled = 0
            self._quiet()
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
            self._window = info.window
            self._reliable = bool(info.flags & InfoFlag.RELIABLE)
            self.max_payload = min(info.payload, MAX_PAYLOAD)
            self._id, self._next = info.session, 1
            self._broken = False

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

    @property
    def id(self) -> int:
        """The number of the session: another one means that the board has freed what it held for the last."""
        return self._id

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
        answer: Callable[[int, bytes], bytes] | None = None,
        claim: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """Sends one request and returns its answer.

        ``stream`` holds the bytes that travel with it, of which the first ``sent`` are already in ``payload``.
        ``sink`` is asked when the status was OK: how many bytes of the out stream the reply's payload carried, and
        where the others belong. ``answer`` is asked when the kernel calls a function of the host's: given the
        function's number and the message, it returns the message that goes back; what it raises ends the request.
        ``claim`` is given the payload when the status was OK, also when the request was interrupted and its answer is
        found out later: at least once, so that nothing is left that the board has reserved and nobody knows of.
        Raises BoardLost; SessionLost when the board was restarted.
        """
        with self.lock:
            if self._busy:
                raise BoardError(
                    f"{self.transport.name}: this thread is in the middle of a call on this board, which cannot be "
                    "used from a callback, a signal handler, a finalizer or its own output"
                )
            exchange: _Exchange | None = None
            try:
                self._busy = True
                self.ready()
                self._claim = claim
                exchange = _Exchange(self, kind, payload, stream, sent, answer)
                self._unsettled = exchange.seq
                self.traffic.trips += 1
                reply = exchange.run(sink)
                if claim is not None and reply.status is Status.OK:
                    claim(reply.payload)
                self._settled(exchange.seq)
                return reply
            except BoardLost as lost:
                self._broken = True
                if not isinstance(lost, SessionLost):
                    lost.ran = "no" if exchange is None else exchange.ran
                raise
            except BaseException:
                self._recover()
                raise
            finally:
                self._busy = False

    def ready(self) -> None:
        """Puts right what an earlier request left behind. Raises BoardLost, ProtocolError."""
        with self.lock:
            if self._unsettled and not self._broken:
                self._recover()
            if self._broken:
                self.restart()

    def _recover(self) -> None:
        """Ends an interrupted request on the board, as far as the board answers; else the session is broken.

        This may be interrupted, too: the request stays unsettled then, and the next one comes here again.
        """
        if not self._unsettled or self._broken:
            return
        try:
            if not self._cancel(self._unsettled):
                self._broken = True
        except BoardLost:  # the interrupt is what the caller has to see; the next request raises this one again
            self._broken = True

    def _cancel(self, seq: int) -> bool:
        """Ends request ``seq`` if it arrived, and uses up its number if it did not. Whether the session lives on.

        A PING of the same number does both: the board takes it for a repetition, or, when the request never came, for
        the request itself. A late copy of the request then finds its number taken.
        """
        self._quiet()
        patience = _LISTEN if self._reliable else _RESEND
        waited = 0.0
        while waited < _RECOVERY:
            if not waited or not self._reliable:
                self._control(Type.CANCEL, seq)
                self._control(Type.PING, seq)
            frame = self._receive(patience)
            while frame is not None and not (frame.session == self._id and frame.type == Type.RSP and frame.seq == seq):
                frame = self._receive(patience)
            if frame is not None:
                if frame.arg in (Status.SESSION, Status.FRAME):
                    return False
                if self._claim is not None and frame.arg == Status.OK and frame.payload:  # none is that of the PING
                    self._claim(frame.payload)
                self._settled(seq)
                self._control(Type.ACK, seq)
                return True
            waited += patience
        return False

    def _settled(self, seq: int) -> None:
        self._next, self._acked, self._unsettled = seq + 1, seq, 0
        self._claim = None

    def _quiet(self) -> None:
        """Forgets what came and was not looked at: an interrupt may have lost bytes of it."""
        self._frames.clear()
        self._reader.resync()

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

    def __init__(
        self, session: Session, kind: Type, payload: bytes, stream: Stream, sent: int,
        answer: Callable[[int, bytes], bytes] | None,
    ) -> None:  # fmt: skip
        self._session = session
        self.seq = session._next
        self._request = encode(kind, session._id, self.seq, session._acked, payload=payload)
        self._stream = stream
        self._inline = self._offset = sent
        self._credit = sent + session._window
        self._last_byte_sent = False
        self._silent = 0.0  # seconds
        self._answer = answer
        self._answered = 0  # number of the last question, of which there is one at a time
        self._last_answer = b""
        self._text = codecs.getincrementaldecoder("utf-8")("replace")  # a LOG may end inside of a character

    @property
    def ran(self) -> Literal["no", "unknown"]:
        """Whether the board can have executed the request: not before all of it was sent."""
        return "unknown" if self._last_byte_sent else "no"

    def run(self, sink: Callable[[Reply], tuple[int, Stream]] | None) -> Reply:
        self._session._send(self._request)
        self._last_byte_sent = self._offset == self._stream.size
        reply = self._wait()
        if reply.status is Status.OK and sink is not None:
            have, out = sink(reply)
            self._download(have, out)
        return reply

    def _wait(self) -> Reply:
        while True:
            more = self._upload()
            frame = self._session._receive(0.0 if more else self._patience)
            if frame is None:
                if not more:
                    self._silence(Type.QUERY)
                continue
            if frame.session != self._session._id:
                continue
            self._silent = 0.0
            reply = self._handle(frame)
            if reply is not None:
                return reply

    def _handle(self, frame: Frame) -> Reply | None:
        session = self._session
        match frame.type:
            case Type.LOG:
                if frame.arg:
                    session._on_log(f"[p4kernel: {frame.arg} bytes of output were dropped]\n", 1)
                session._on_log(self._text.decode(frame.payload), frame.flags)
            case Type.CALLBACK if frame.seq == self.seq:
                self._reply(frame)
            case Type.RSP if frame.seq == self.seq:
                if frame.arg == Status.SESSION:
                    raise SessionLost(
                        f"{session.transport.name}: the board was restarted and no longer knows this session",
                        # Where nothing gets lost, this answers the request itself.
                        ran="no" if session._reliable else self.ran,
                    )
                try:
                    return Reply(Status(frame.arg), frame.payload)
                except ValueError as error:
                    raise ProtocolError(f"{session.transport.name}: the board answers with {error}") from None
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

    def _reply(self, frame: Frame) -> None:
        """Answers the kernel's question; one that comes again gets the answer that was given."""
        session = self._session
        if frame.arg == self._answered + 1:
            if self._answer is None:
                raise ProtocolError(f"{session.transport.name}: the board asks for a function that no call offers")
            question = Callback.unpack(frame.payload)
            message = self._answer(question.id, question.message)
            self._last_answer = encode(Type.CB_REPLY, session._id, self.seq, session._acked, frame.arg, message)
            self._answered = frame.arg
        elif frame.arg != self._answered:
            return
        session._send(self._last_answer)

    def _upload(self) -> bool:
        """Sends some DATA if there is credit. True when there is more to send at once."""
        session, stream = self._session, self._stream
        for _ in range(_BATCH):
            size = min(session.max_payload, stream.size - self._offset, self._credit - self._offset)
            if size <= 0:
                return False
            piece = stream.read(self._offset, size)
            session._send(encode(Type.DATA, session._id, self.seq, session._acked, self._offset, piece))
            self._offset += size
            self._last_byte_sent = self._last_byte_sent or self._offset == stream.size
        return True

    def _download(self, have: int, out: Stream) -> None:
        session = self._session
        asked = -1
        while have < out.size:
            frame = session._receive(self._patience)
            if frame is None:
                self._silence(Type.NAK, have)
                continue
            if frame.session != session._id or frame.type != Type.DATA or frame.seq != self.seq:
                continue
            self._silent = 0.0
            if frame.arg == have:
                out.write(have, frame.payload)
                have += len(frame.payload)
            elif frame.arg > have and asked != have:  # one question for each gap
                session._control(Type.NAK, self.seq, have)
                asked = have

    @property
    def _patience(self) -> float:
        """Seconds to wait for a frame before something is done about the silence."""
        return _LISTEN if self._session._reliable else _RESEND

    def _silence(self, question: Type, arg: int = 0) -> None:
        """Nothing came. On a link that loses frames, asks again; a board that is silent for long is lost."""
        self._silent += self._patience
        if self._silent >= _SILENCE:
            raise BoardLost(
                f"{self._session.transport.name}: the board has been silent for {_SILENCE:g} s; "
                "check the cable and reset the board"
            )
        if not self._session._reliable:
            self._session._control(question, self.seq, arg)
