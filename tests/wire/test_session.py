"""The session against a scripted peer: what it does when the other side is silent, wrong, or loses frames."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from p4kernel.errors import BoardError, BoardLost, ProtocolError
from p4kernel.wire import session as sessions
from p4kernel.wire._tables import VERSION, Hello, HelloRsp, InfoFlag, Status, Type, VersionRsp
from p4kernel.wire.frames import Frame, FrameReader, encode
from p4kernel.wire.session import Reply, Session, SessionLost
from p4kernel.wire.streams import EMPTY, Stream

SESSION = 7
Answer = Callable[[Frame], list[bytes]]


def hello_rsp(frame: Frame, flags: int = InfoFlag.RELIABLE, window: int = 1 << 16) -> bytes:
    nonce = Hello.unpack(frame.payload).nonce
    info = HelloRsp(
        VERSION, 100, flags, SESSION, 1, nonce, 16384, window, 4096, 64, 256, 8, 32, 256, 0, 0, 0, 0, 0, 0, 0, bytes(32), "c", "i", "f"
    )  # fmt: skip
    return encode(Type.RSP, SESSION, 0, payload=info.pack())


def rsp(seq: int, status: int = 0, payload: bytes = b"") -> bytes:
    return encode(Type.RSP, SESSION, seq, arg=status, payload=payload)


class Peer:
    """A transport whose other side is a function from frames to answers."""

    name = "peer"

    def __init__(self, answer: Answer, flags: int = InfoFlag.RELIABLE, window: int = 1 << 16) -> None:
        self._answer = answer
        self._flags = flags
        self._window = window
        self._reader = FrameReader()
        self._back: list[bytes] = []
        self.seen: list[Frame] = []

    def write(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            self.seen.append(frame)
            if frame.type == Type.HELLO:
                self._back.append(hello_rsp(frame, self._flags, self._window))
            else:
                self._back += self._answer(frame)

    def read(self, timeout: float) -> bytes:
        if self._back:
            return self._back.pop(0)
        Clock.now += timeout
        return b""

    def close(self) -> None:
        self._back.clear()


class Clock:
    """Time that passes only while the session waits, so that no test does."""

    now = 0.0

    @staticmethod
    def monotonic() -> float:
        return Clock.now


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "time", Clock)


def open_session(
    answer: Answer, flags: int = InfoFlag.RELIABLE, window: int = 1 << 16
) -> tuple[Session, Peer, list[str]]:
    log: list[str] = []
    peer = Peer(answer, flags, window)
    return Session(peer, lambda text, level: log.append(text)), peer, log


class _Other(Peer):
    """Answers HELLO with bytes of its own."""

    def __init__(self, answer: Callable[[Frame], bytes]) -> None:
        super().__init__(lambda frame: [])
        self._hello = answer

    def write(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            self._back.append(self._hello(frame))


def test_nobody_answers() -> None:
    with pytest.raises(ProtocolError, match="nothing came back.*flashed"):
        Session(_Other(lambda frame: b""), lambda *a: None)


def test_something_else_answers() -> None:
    with pytest.raises(ProtocolError, match="no p4kernel frames"):
        Session(_Other(lambda frame: b"ESP-ROM:esp32p4-eco2-20240710\r\n" * 4), lambda *a: None)


def test_another_protocol_version_names_both_sides() -> None:
    answer = encode(Type.RSP, 0, 0, arg=Status.VERSION, payload=VersionRsp(7, 9).pack(), version=9)
    with pytest.raises(ProtocolError, match=rf"versions 7 to 9.*version {VERSION}"):
        Session(_Other(lambda frame: answer), lambda *a: None)


def test_an_answer_to_an_older_hello_is_passed_over() -> None:
    stale = encode(Type.HELLO, 0, 0, payload=Hello(2, 2, 0, 99).pack())
    (stale_frame,) = FrameReader().feed(stale)
    peer = _Other(lambda frame: hello_rsp(stale_frame) + hello_rsp(frame))
    assert Session(peer, lambda *a: None).info.session == SESSION


def test_requests_are_numbered_and_acknowledged() -> None:
    session, peer, _ = open_session(lambda frame: [rsp(frame.seq)])
    for _ in range(3):
        session.request(Type.PING, b"")
    assert [(f.seq, f.ack) for f in peer.seen[1:]] == [(1, 0), (2, 1), (3, 2)]


def test_silence_on_a_reliable_link_is_a_lost_board() -> None:
    session, peer, _ = open_session(lambda frame: [])
    with pytest.raises(BoardLost) as caught:
        session.request(Type.PING, b"")
    assert caught.value.ran == "unknown"
    assert [f.type for f in peer.seen[1:]] == [Type.PING]


def test_silence_before_the_last_byte_went_out_ran_nothing() -> None:
    session, _, _ = open_session(lambda frame: [], window=1000)
    with pytest.raises(BoardLost) as caught:
        session.request(Type.CALL, b"", Stream([memoryview(bytes(5000))]))
    assert caught.value.ran == "no"


def test_lost_reply_is_asked_for_again_and_the_request_is_not_repeated() -> None:
    def answer(frame: Frame) -> list[bytes]:
        return [rsp(frame.seq, payload=b"kept")] if frame.type == Type.QUERY else []

    session, peer, _ = open_session(answer, flags=0)
    assert session.request(Type.CALL, b"").payload == b"kept"
    assert [f.type for f in peer.seen[1:]] == [Type.CALL, Type.QUERY]


def test_lost_request_is_sent_again_when_the_board_never_saw_it() -> None:
    lost = True

    def answer(frame: Frame) -> list[bytes]:
        nonlocal lost
        if frame.type == Type.QUERY:
            lost = False
            return [encode(Type.NAK, SESSION, 0, arg=1, flags=1)]
        return [] if lost else [rsp(frame.seq)]

    session, peer, _ = open_session(answer, flags=0)
    session.request(Type.CALL, b"")
    assert [f.type for f in peer.seen[1:]] == [Type.CALL, Type.QUERY, Type.CALL]


def test_streams_wait_for_credit_and_go_back() -> None:
    got = bytearray()
    complained = False

    def answer(frame: Frame) -> list[bytes]:
        nonlocal complained
        if frame.type != Type.DATA:
            return []
        if not complained and len(got) >= 16384:
            complained = True
            return [encode(Type.NAK, SESSION, frame.seq, arg=len(got))]
        if frame.arg != len(got):
            return []
        got.extend(frame.payload)
        credit = encode(Type.CREDIT, SESSION, frame.seq, arg=len(got) + 32768)
        return [credit, rsp(frame.seq)] if len(got) == len(data) else [credit]

    data = bytes(range(256)) * 1000
    session, peer, _ = open_session(answer, window=32768)
    session.request(Type.COMMIT, b"", Stream([memoryview(data)]))
    assert bytes(got) == data and complained
    ahead = max(f.arg + len(f.payload) for f in peer.seen if f.type == Type.DATA)
    assert ahead == len(data)


def out_stream(data: bytes, lose: set[int]) -> Answer:
    """A board that answers with DATA, leaving out those frames once."""

    def frames(seq: int, start: int) -> list[bytes]:
        result = []
        for at in range(start, len(data), 1000):
            if at in lose:
                lose.discard(at)
            else:
                result.append(encode(Type.DATA, SESSION, seq, arg=at, payload=data[at : at + 1000]))
        return result

    def answer(frame: Frame) -> list[bytes]:
        if frame.type == Type.CALL:
            return [rsp(frame.seq), *frames(frame.seq, 0)]
        return frames(frame.seq, frame.arg) if frame.type == Type.NAK else []

    return answer


@pytest.mark.parametrize("lose", [set(), {0}, {3000, 5000}, {9000}])
def test_out_streams_survive_losses(lose: set[int]) -> None:
    data = bytes(i * 7 & 255 for i in range(10_000))
    session, _, _ = open_session(out_stream(data, lose), flags=0)
    target = bytearray(len(data))
    sink = Stream([memoryview(target)])

    def take(reply: Reply) -> tuple[int, Stream]:
        return 0, sink

    session.request(Type.CALL, b"", EMPTY, 0, take)
    assert target == data


def test_logs_come_in_order_and_dropped_text_is_counted() -> None:
    def answer(frame: Frame) -> list[bytes]:
        return [
            encode(Type.LOG, SESSION, frame.seq, payload=b"one\n"),
            encode(Type.LOG, SESSION, frame.seq, arg=17, payload=b"two\n"),
            rsp(frame.seq),
        ]

    session, _, log = open_session(answer)
    session.request(Type.CALL, b"")
    assert log[0] == "one\n" and "17 bytes" in log[1] and log[2] == "two\n"


def test_a_restarted_board_is_told_apart() -> None:
    session, _, _ = open_session(lambda frame: [rsp(frame.seq, Status.SESSION)])
    with pytest.raises(SessionLost) as caught:
        session.request(Type.CALL, b"")
    assert caught.value.ran == "no"
    peer = session.transport
    assert isinstance(peer, Peer)
    peer._answer = lambda frame: [rsp(frame.seq)]
    session.request(Type.PING, b"")  # begins a new session
    assert [f.type for f in peer.seen] == [Type.HELLO, Type.CALL, Type.HELLO, Type.PING]
    assert peer.seen[-1].seq == 1


def test_interrupted_request_is_cancelled_and_the_next_one_works() -> None:
    def answer(frame: Frame) -> list[bytes]:
        if frame.type == Type.CALL:
            raise KeyboardInterrupt
        return [rsp(frame.seq, Status.CANCELLED)] if frame.type == Type.CANCEL else [rsp(frame.seq)]

    session, peer, _ = open_session(answer)
    with pytest.raises(KeyboardInterrupt):
        session.request(Type.CALL, b"")
    assert session.request(Type.PING, b"").status is Status.OK
    assert [f.type for f in peer.seen[1:]] == [Type.CALL, Type.CANCEL, Type.PING, Type.ACK, Type.PING]
    assert peer.seen[-1].seq == 2


def test_interrupt_before_the_board_saw_the_request_uses_its_number_up() -> None:
    """Else a late copy of the request could be taken for the next one."""

    def answer(frame: Frame) -> list[bytes]:
        if frame.type == Type.CALL:
            raise KeyboardInterrupt
        return [rsp(frame.seq)] if frame.type == Type.PING else []

    session, peer, _ = open_session(answer, flags=0)
    with pytest.raises(KeyboardInterrupt):
        session.request(Type.CALL, b"")
    session.request(Type.PING, b"")
    assert [(f.type, f.seq) for f in peer.seen[1:]] == [
        (Type.CALL, 1), (Type.CANCEL, 1), (Type.PING, 1), (Type.ACK, 1), (Type.PING, 2),
    ]  # fmt: skip


def test_lost_recovery_is_asked_for_again() -> None:
    asked = 0

    def answer(frame: Frame) -> list[bytes]:
        nonlocal asked
        if frame.type == Type.CALL:
            raise KeyboardInterrupt
        asked += frame.type == Type.PING
        return [rsp(frame.seq)] if asked >= 3 else []

    session, _, _ = open_session(answer, flags=0)
    with pytest.raises(KeyboardInterrupt):
        session.request(Type.CALL, b"")
    assert asked == 3


def test_second_interrupt_during_recovery_leaves_it_to_the_next_request() -> None:
    interrupts = 2

    def answer(frame: Frame) -> list[bytes]:
        nonlocal interrupts
        if frame.type in (Type.CALL, Type.CANCEL) and interrupts:
            interrupts -= 1
            raise KeyboardInterrupt
        return [rsp(frame.seq)] if frame.type == Type.PING else []

    session, peer, _ = open_session(answer)
    with pytest.raises(KeyboardInterrupt):
        session.request(Type.CALL, b"")
    session.request(Type.PING, b"")
    assert [(f.type, f.seq) for f in peer.seen[1:]] == [
        (Type.CALL, 1), (Type.CANCEL, 1), (Type.CANCEL, 1), (Type.PING, 1), (Type.ACK, 1), (Type.PING, 2),
    ]  # fmt: skip


def test_an_unknown_status_is_a_protocol_error() -> None:
    session, _, _ = open_session(lambda frame: [rsp(frame.seq, 99)])
    with pytest.raises(ProtocolError, match="99"):
        session.request(Type.CALL, b"")


def test_time_in_which_the_process_was_stopped_is_no_silence() -> None:
    waits = 0

    class Stopped(Peer):
        def read(self, timeout: float) -> bytes:
            nonlocal waits
            data = super().read(timeout)
            if not data and timeout:
                waits += 1
                Clock.now += 1000.0
                if waits == 3:
                    return rsp(1)
            return data

    session = Session(Stopped(lambda frame: []), lambda *a: None)
    assert session.request(Type.PING, b"").status is Status.OK


def test_a_request_inside_a_request_of_the_same_thread_is_refused() -> None:
    sessions_: list[Session] = []

    def on_log(text: str, level: int) -> None:
        sessions_[0].request(Type.PING, b"")

    def answer(frame: Frame) -> list[bytes]:
        log = [encode(Type.LOG, SESSION, frame.seq, payload=b"x")] if frame.type == Type.CALL else []
        return [*log, rsp(frame.seq)]

    sessions_.append(Session(Peer(answer), on_log))
    with pytest.raises(BoardError, match="middle of a call"):
        sessions_[0].request(Type.CALL, b"")
    assert sessions_[0].request(Type.PING, b"").status is Status.OK


def test_frames_of_other_sessions_are_ignored() -> None:
    def answer(frame: Frame) -> list[bytes]:
        return [encode(Type.RSP, SESSION + 1, frame.seq, arg=Status.FAULT), rsp(frame.seq)]

    session, _, _ = open_session(answer)
    assert session.request(Type.PING, b"").status is Status.OK
