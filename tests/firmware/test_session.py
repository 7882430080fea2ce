"""HELLO, versions, sessions, takeover, BYE, and a link that goes down in each state."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import Direction, InfoFlag, Status, Type
from tests.firmware.machine import LOSSY, NONE, RELIABLE, Buffer, Count, Frame, Image, Knob, Machine, call, encode


def hello(low: int = t.VERSION, high: int = t.VERSION, nonce: int = 1) -> bytes:
    return encode(Type.HELLO, 0, 0, t.Hello(low, high, 0, nonce).pack())


def test_what_the_board_says_about_itself() -> None:
    board = Machine()
    info = board.hello(nonce=0x1122334455667788)
    assert (info.version, info.client_nonce, info.flags, info.revision) == (
        t.VERSION,
        0x1122334455667788,
        RELIABLE,
        103,
    )
    assert (info.chip, info.isa, info.firmware) == ("FAKE", "rv32imafc", "fake 1.0")
    assert (info.psram_base, info.psram_size, info.sram_base, info.sram_size) == (
        0x48000000,
        4 << 20,
        0x4FF00000,
        1 << 18,
    )
    limits = (info.payload, info.window, info.blob, info.buffers, info.patches)
    assert limits == (t.MAX_PAYLOAD, t.MAX_WINDOW, t.MAX_BLOB, t.MAX_BUFFERS, t.MAX_PATCHES)
    assert (info.requests, info.images, info.allocations) == (t.MAX_REQUESTS, t.MAX_IMAGES, t.MAX_ALLOCATIONS)
    assert (info.limit_us, info.exports, info.export_hash) == (10_000_000, 3, 0x1122334455667788)
    assert info.firmware_sha == bytes([1, 2, 3]) + bytes(29)
    board.close()


@pytest.mark.parametrize("window, said", [(0, t.MAX_PAYLOAD), (1000, 1000), (1 << 20, t.MAX_WINDOW)])
def test_window(window: int, said: int) -> None:
    board = Machine()
    board.set(Knob.WINDOW, window)
    assert board.hello().window == said
    board.close()


def test_a_session_ends_what_the_last_one_left(board: Machine) -> None:
    board.alloc(100)
    image = board.load(Image(b"d"))
    old = board.session
    info = board.hello(nonce=2)
    assert info.session != old
    assert board.heap() == t.HeapRsp(0, 1, 3, board.heap().table)
    board.good(Type.CALL, call(image.image))


def test_a_repeated_hello_is_the_same_session(board: Machine) -> None:
    info = board.hello(nonce=5)
    assert board.hello(nonce=5) == info
    board.good(Type.PING)
    assert board.hello(nonce=5).session != info.session  # not once it was used
    again = board.hello(nonce=6)
    assert again.session != info.session and again.nonce == info.nonce


@pytest.mark.parametrize(
    "low, high, good",
    [(1, 1, False), (t.VERSION + 1, 9, False), (1, t.VERSION + 1, True), (t.VERSION, t.VERSION, True)],
)
def test_versions_of_a_hello(low: int, high: int, good: bool) -> None:
    board = Machine()
    board.write(hello(low, high))
    (frame,) = board.run()
    if good:
        assert frame.status == Status.OK and t.HelloRsp.unpack(frame.payload).version == t.VERSION
    else:
        assert frame.status == Status.VERSION
        assert t.VersionRsp.unpack(frame.payload) == t.VersionRsp(t.VERSION, t.VERSION)
    board.close()


@pytest.mark.parametrize("kind", [Type.HELLO, Type.PING, Type.DATA, 0xEE])
def test_frames_of_another_version(board: Machine, kind: int) -> None:
    board.write(encode(kind, 77, 5, b"from the future", version=t.VERSION + 1))
    (frame,) = board.run()
    assert (frame.status, frame.session, frame.seq) == (Status.VERSION, 77, 5)
    assert t.VersionRsp.unpack(frame.payload) == t.VersionRsp(t.VERSION, t.VERSION)
    board.good(Type.PING)


def test_a_hello_of_another_size(board: Machine) -> None:
    board.write(encode(Type.HELLO, 0, 0, bytes(11)))
    assert [frame.status for frame in board.run()] == [Status.ARG]
    board.good(Type.PING)


def test_no_randomness_no_session() -> None:
    board = Machine()
    board.set(Knob.FAIL_RANDOM, 1)
    board.write(hello())
    assert [frame.status for frame in board.run()] == [Status.BUSY]
    board.set(Knob.FAIL_RANDOM, 0)
    board.hello()
    board.good(Type.PING)
    board.close()


@pytest.mark.parametrize("session", [0, 12345])
@pytest.mark.parametrize("live", [False, True])
def test_requests_of_no_session(session: int, live: bool) -> None:
    board = Machine()
    if live:
        board.hello()
    for kind in (Type.PING, Type.CALL, Type.QUERY, Type.BYE, 0x66):
        board.write(encode(kind, session, 9, b"x"))
        (frame,) = board.run()
        assert (frame.status, frame.session, frame.seq) == (Status.SESSION, session, 9)
    for kind in (Type.DATA, Type.NAK, Type.CANCEL, Type.ACK):
        board.write(encode(kind, session, 1, b"x"))
        assert board.run() == []
    board.close()


def test_bye(board: Machine) -> None:
    board.alloc(100)
    board.load(Image(b"d"))
    assert board.good(Type.BYE) == b""
    assert board.get(Count.LIVE) == 1
    board.send(Type.PING)
    assert [frame.status for frame in board.run()] == [Status.SESSION]


def test_bye_waits_for_what_was_asked_before(board: Machine) -> None:
    image = board.load(Image(b"nnd")).image
    seqs = [board.send(Type.CALL, call(image)), board.send(Type.BYE), board.send(Type.PING)]
    frames = board.run()
    assert {(frame.seq, frame.status) for frame in frames} == {(seq, Status.OK) for seq in seqs}
    assert board.get(Count.LIVE) == 1


# Each leaves the board in one state.


def _idle(board: Machine) -> None:
    board.alloc(1000)


def _half_a_header(board: Machine) -> None:
    board.write(encode(Type.PING, board.session, board.next)[:20])
    board.run()


def _half_a_body(board: Machine) -> None:
    board.write(encode(Type.WRITE, board.session, board.next, bytes(1000))[:500])
    board.run()


def _commit(board: Machine) -> None:
    rsp = t.LoadRsp.unpack(board.good(Type.LOAD, Image(b"d").load.pack()))
    board.send(Type.COMMIT, t.Commit(rsp.image, 64, b"d").pack())
    board.run()


def _fill(board: Machine) -> None:
    image = board.load(Image(b"d")).image
    board.send(Type.CALL, call(image, buffers=[Buffer(data=bytes(10_000))], inline=b""))
    board.run()


def _half_of_data(board: Machine) -> None:
    _fill(board)
    board.write(encode(Type.DATA, board.session, board.next - 1, bytes(9000))[:5000])
    board.run()


def _run(board: Machine) -> None:
    address = board.alloc(100)
    image = board.load(Image(b"l")).image
    board.send(Type.CALL, call(image, buffers=[Buffer(3, b"abc"), Buffer(3, size=100, address=address)]))
    board.run()


def _ready_behind_a_run(board: Machine) -> None:
    image = board.load(Image(b"ll")).image
    _run(board)
    board.send(Type.CALL, call(image, stack=50_000, buffers=[Buffer(3, b"abc")]))
    board.send(Type.ALLOC, t.Alloc(10, 1, 0).pack())
    board.run()


def _log_waits(board: Machine) -> None:
    image = board.load(Image(b"g\x60l")).image
    board.set(Knob.TX_ROOM, 0)
    board.send(Type.CALL, call(image))
    board.run()


def _killing(board: Machine) -> None:
    _run(board)
    board.set(Knob.DEAF, 1)
    board.send(Type.CANCEL, seq=board.next - 1)
    board.run()


def _drain(board: Machine) -> None:
    image = board.load(Image(b"d")).image
    board.set(Knob.TX_ROOM, 30_000)
    board.send(Type.CALL, call(image, buffers=[Buffer(int(Direction.OUT), size=100_000)]))
    board.run()


def _keep(board: Machine) -> None:
    image = board.load(Image(b"d")).image
    board.send(Type.CALL, call(image, buffers=[Buffer(int(Direction.OUT), size=100)]))
    board.run()


def _fault(board: Machine) -> None:
    board.send(Type.CALL, call(board.load(Image(b"f")).image))
    board.run()


STATES: list[Callable[[Machine], None]] = [
    _idle, _half_a_header, _half_a_body, _commit, _fill, _half_of_data, _run, _ready_behind_a_run, _log_waits, _killing,
    _drain, _keep, _fault,
]  # fmt: skip


def _usable(board: Machine) -> None:
    """The board serves a new session, and what is left are images."""
    board.set(Knob.DEAF, 0)
    board.set(Knob.TX_ROOM, NONE)
    board.run()
    images = board.heap()
    assert images.allocations == 0 and images.images == board.get(Count.LIVE)
    assert board.good(Type.CALL, call(board.load(Image(b"dd")).image))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("flags", [RELIABLE, LOSSY])
def test_the_link_goes_down(state: Callable[[Machine], None], flags: int) -> None:
    board = Machine(flags)
    board.hello()
    state(board)
    board.link_down()
    board.link_down()
    board.set(Knob.DEAF, 0)
    board.set(Knob.TX_ROOM, NONE)
    board.lose()
    board.run()
    board.hello(nonce=2)
    _usable(board)
    board.close()


WHOLE = [state for state in STATES if not state.__name__.startswith("_half")]


@pytest.mark.parametrize(
    "state, knob",
    [
        *((state, Knob.RX_DOWN) for state in STATES),
        *((state, Knob.TX_DOWN) for state in WHOLE),  # inside a frame the board has nothing to send
    ],
)
def test_the_port_says_that_the_link_is_down(board: Machine, state: Callable[[Machine], None], knob: Knob) -> None:
    state(board)
    board.set(knob, 1)
    board.send(Type.PING)
    board.poll()
    board.set(knob, 0)
    board.set(Knob.DEAF, 0)
    board.set(Knob.TX_ROOM, NONE)
    board.lose()
    board.run()
    board.hello(nonce=2)
    _usable(board)


@pytest.mark.parametrize("state", WHOLE)
def test_a_hello_takes_over(board: Machine, state: Callable[[Machine], None]) -> None:
    state(board)
    old = board.session
    board.write(hello(nonce=2))
    board.set(Knob.TX_ROOM, NONE)
    frames = board.run()
    (info,) = (t.HelloRsp.unpack(frame.payload) for frame in frames if frame.seq == 0 and frame.type == Type.RSP)
    assert info.session != old
    board.session, board.next, board.ack = info.session, 1, 0
    _usable(board)


def test_the_next_session_waits_until_the_old_kernel_is_gone(board: Machine) -> None:
    _run(board)
    live = board.get(Count.LIVE)
    board.set(Knob.DEAF, 1)
    board.hello(nonce=2)
    seq = board.send(Type.ALLOC, t.Alloc(100, 1, 0).pack())
    ping = board.send(Type.PING)
    assert [(frame.seq, frame.status) for frame in board.run()] == [(ping, Status.OK)]
    assert board.get(Count.LIVE) == live  # the kernel may still write there
    frames: list[Frame] = board.run(us=1_100_000)
    assert board.get(Count.RESETS) == 1 and frames == []  # it never went: the board starts again
    board.send(Type.QUERY, seq=seq)
    assert [frame.status for frame in board.run()] == [Status.SESSION]


def test_the_kinds_of_link_may_change_with_a_session(board: Machine) -> None:
    board.set(Knob.FLAGS, LOSSY)
    assert not board.hello(nonce=2).flags & InfoFlag.RELIABLE
