"""What a bad link does to frames: loss, damage, repetition, gaps; windows and credit; acknowledgement."""

from __future__ import annotations

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import Direction, Status, Type
from tests.firmware.machine import (
    LOSSY,
    NONE,
    RELIABLE,
    Count,
    Image,
    Knob,
    Machine,
    Wait,
    call,
    encode,
    kinds,
    with_results,
)

START = 1_000_000
IN, OUT = int(Direction.IN), int(Direction.OUT)


# -- bytes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "noise", [b"x", b"\xd7", b"\xd7\x4b", b"\xd7\xd7\x4b\xd7", b"boot: hello\r\n" * 9, bytes(1000)]
)
def test_noise_between_frames_is_skipped(lossy: Machine, noise: bytes) -> None:
    for _ in range(3):
        lossy.write(noise)
        lossy.good(Type.PING)


def test_every_cut_of_a_frame_before_a_whole_one(lossy: Machine) -> None:
    ping = encode(Type.PING, lossy.session, 1)
    for cut in range(t.HEADER_SIZE + 4):
        lossy.write(ping[:cut])
        lossy.good(Type.PING)


@pytest.mark.parametrize("flags", [RELIABLE, LOSSY])
def test_a_flipped_bit_in_a_header_swallows_nothing(flags: int) -> None:
    board = Machine(flags)
    board.hello()
    for bit in range(8 * (t.HEADER_SIZE + 4)):
        bad = bytearray(encode(Type.ALLOC, board.session, board.next, t.Alloc(10, 1, 0).pack()))
        bad[bit // 8] ^= 1 << bit % 8
        board.write(bytes(bad))
        board.good(Type.PING)
    assert board.heap().allocations == 0
    board.close()


def test_a_length_over_the_limit_is_no_header(lossy: Machine) -> None:
    lossy.write(encode(Type.WRITE, lossy.session, 1, bytes(t.MAX_PAYLOAD + 1))[:40])
    lossy.good(Type.PING)


@pytest.mark.parametrize("rx, tx", [(1, 1), (3, 7), (29, 1000)])
def test_short_reads_and_writes(board: Machine, rx: int, tx: int) -> None:
    board.set(Knob.RX_CHUNK, rx)
    board.set(Knob.TX_CHUNK, tx)
    seq, frames = with_results(board, 50_000)
    while sum(len(frame.payload) for frame in frames) < 50_000 + t.CALL_RSP_SIZE:
        more = [frame for frame in board.run() if frame.type != Type.CREDIT]
        frames += more
    out = t.CallRsp.unpack(frames[0].payload).rest + b"".join(frame.payload for frame in frames[1:])
    assert out == bytes(i % 253 + 1 for i in range(50_000)) and {frame.seq for frame in frames} == {seq}


def test_a_full_transmitter_stops_the_receiver_but_loses_nothing(board: Machine) -> None:
    board.set(Knob.TX_ROOM, 0)
    for _ in range(100):
        board.write(encode(Type.PING, 99, 1))  # of another session: each gets an answer
    board.run()
    assert board.get(Count.UNREAD) > 0 and board.poll() == Wait.TX
    board.set(Knob.TX_ROOM, NONE)
    frames = board.run(polls=20)
    assert len(frames) == 100 and {frame.status for frame in frames} == {Status.SESSION}


def test_a_bad_body_on_a_reliable_link_ends_the_session(board: Machine) -> None:
    board.alloc(100)
    bad = bytearray(encode(Type.ALLOC, board.session, board.next, t.Alloc(10, 1, 0).pack()))
    bad[-5] ^= 1
    board.write(bytes(bad))
    (frame,) = board.run()
    assert (frame.status, frame.session, frame.seq) == (Status.FRAME, board.session, board.next)
    assert board.get(Count.LIVE) == 0
    board.send(Type.PING)
    assert [frame.status for frame in board.run()] == [Status.SESSION]


def test_a_bad_body_on_a_lossy_link_asks_for_the_request(lossy: Machine) -> None:
    for payload in (t.Alloc(10, 1, 0).pack(), b""):
        bad = bytearray(encode(Type.ALLOC, lossy.session, lossy.next, payload))
        bad[-1] ^= 0x80
        lossy.write(bytes(bad))
        assert kinds(lossy.run()) == [(Type.NAK, lossy.next, lossy.next, 1)]
    lossy.alloc(10)


def test_a_frame_that_stops_coming(lossy: Machine) -> None:
    ping = encode(Type.WRITE, lossy.session, 1, bytes(100))
    lossy.write(ping[:60])
    assert lossy.run() == [] and lossy.get(Count.WAIT_US) == 250_000
    assert lossy.run(us=START + 249_999) == []
    assert kinds(lossy.run(us=START + 250_000)) == [(Type.NAK, 1, 1, 1)]
    lossy.good(Type.PING)


def test_a_reliable_link_may_take_its_time(board: Machine) -> None:
    ping = encode(Type.PING, board.session, 1, bytes(100))
    board.write(ping[:60])
    assert board.run(us=START + 100_000_000) == []
    board.write(ping[60:])
    assert [frame.status for frame in board.run()] == [Status.OK]


# -- numbers -------------------------------------------------------------------------------------------------------


def test_a_repeated_request_is_answered_again_and_not_done_again(board: Machine) -> None:
    payload = t.Alloc(100, 1, 0).pack()
    seq = board.send(Type.ALLOC, payload)
    (first,) = board.run()
    for kind in (Type.ALLOC, Type.QUERY):
        board.send(kind, payload, seq=seq)
        assert board.run() == [first]
    assert board.get(Count.ALLOCS) == 1


def test_every_kind_of_answer_can_be_repeated(board: Machine) -> None:
    image = board.load(Image(b"f")).image
    board.ack = 0
    address = board.alloc(10)
    for kind, payload in (
        (Type.PING, b""),
        (Type.READ, t.Read(address, 10).pack()),
        (Type.READ, t.Read(0, 10).pack()),
        (Type.HEAP, b""),
        (Type.EXPORTS, t.Exports(0).pack()),
        (Type.LOAD, Image(b"f").load.pack()),
        (Type.CALL, call(image)),
        (Type.CALL, b""),
    ):
        seq = board.send(kind, payload)
        first = board.run()
        assert len(first) == 1
        board.send(Type.QUERY, seq=seq)
        assert board.run() == first


def test_a_call_runs_once_and_its_results_can_be_had_again(lossy: Machine) -> None:
    seq, frames = with_results(lossy, 50_000)
    assert len(frames) == 4
    lossy.send(Type.QUERY, seq=seq)
    assert lossy.run() == frames
    assert lossy.get(Count.STARTS) == 1


def test_only_the_last_eight_are_remembered(board: Machine) -> None:
    for _ in range(t.MAX_REQUESTS + 1):
        board.send(Type.PING)
        board.run()
    for seq, status in ((1, Status.SEQ), (2, Status.OK), (9, Status.OK), (0xFFFFFFF0, Status.SEQ)):
        board.send(Type.PING, seq=seq)
        (frame,) = board.run()
        assert (frame.seq, frame.status) == (seq, status)


def test_what_was_acknowledged_is_forgotten(board: Machine) -> None:
    board.good(Type.PING)
    board.acknowledge()
    board.send(Type.PING, seq=1)
    (frame,) = board.run()
    assert (frame.status, frame.error.extra) == (Status.SEQ, 2)


def test_an_acknowledgement_of_the_future_is_ignored(board: Machine) -> None:
    board.send(Type.PING)
    board.run()
    board.ack = 5
    board.acknowledge()
    board.ack = 0
    board.send(Type.QUERY, seq=1)
    assert [frame.status for frame in board.run()] == [Status.OK]


def test_a_gap_is_reported_once(board: Machine) -> None:
    for seq in (2, 3, 5, 4):
        board.send(Type.PING, seq=seq)
    assert kinds(board.run()) == [(Type.NAK, 2, 1, 1), (Type.NAK, 4, 1, 1)]  # 4 after 5: sent again
    board.send(Type.PING, seq=2)
    assert kinds(board.run()) == [(Type.NAK, 2, 1, 1)]
    board.send(Type.PING, seq=1)
    board.send(Type.PING, seq=3)
    assert kinds(board.run()) == [(Type.RSP, 1, 0, 0), (Type.NAK, 3, 2, 1)]


def test_a_query_for_what_never_came(board: Machine) -> None:
    for seq in (1, 7):
        board.send(Type.QUERY, seq=seq)
        assert kinds(board.run()) == [(Type.NAK, seq, 1, 1)]
    board.send(Type.PING)
    board.run()
    board.ack = 1
    board.acknowledge()
    board.send(Type.QUERY, seq=1)
    assert [frame.status for frame in board.run()] == [Status.SEQ]


def test_more_in_flight_than_allowed(board: Machine) -> None:
    image = board.load(Image(b"l")).image
    first = board.send(Type.CALL, call(image))
    for _ in range(t.MAX_REQUESTS - 1):
        board.send(Type.HEAP)
    assert board.run() == []
    seq = board.send(Type.PING)
    (frame,) = board.run()
    assert (frame.seq, frame.status) == (seq, Status.BUSY)
    board.send(Type.CANCEL, seq=first)
    assert len(board.run()) == t.MAX_REQUESTS
    board.send(Type.PING, seq=seq)
    assert [frame.status for frame in board.run()] == [Status.OK]


def test_a_request_without_room_is_asked_for_when_there_is_some(board: Machine) -> None:
    address = board.alloc(3 * 16_000)
    image = board.load(Image(b"l")).image
    first = board.send(Type.CALL, call(image))
    seqs = [board.send(Type.WRITE, t.Write(address + 16_000 * i, bytes([i]) * 16_000).pack()) for i in range(3)]
    last = board.send(Type.HEAP)
    assert board.run() == []
    board.send(Type.QUERY, seq=seqs[2])
    assert kinds(board.run()) == [(Type.NAK, seqs[2], seqs[2], 1)]
    board.send(Type.CANCEL, seq=first)
    frames = board.run()
    assert (Type.NAK, seqs[2], seqs[2], 1) in kinds(frames)
    assert [frame.seq for frame in frames if frame.type == Type.RSP] == [first, *seqs[:2]]
    board.send(Type.WRITE, t.Write(address + 32_000, b"\x02" * 16_000).pack(), seq=seqs[2])
    board.send(Type.HEAP, seq=last)
    assert [(frame.seq, frame.status) for frame in board.run()] == [(seqs[2], Status.OK), (last, Status.OK)]
    assert board.peek(address, 48_000) == b"\0" * 16_000 + b"\1" * 16_000 + b"\2" * 16_000
