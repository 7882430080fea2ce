"""The streams of calls: gaps, damage, windows and credit, cancelling, going back; results until acknowledged."""

from __future__ import annotations

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import Direction, Phase, Status, Type
from tests.firmware.machine import NONE, Buffer, Count, Image, Knob, Machine, call, encode, filling, kinds, with_results

START = 1_000_000
IN, OUT = int(Direction.IN), int(Direction.OUT)


# -- streams to the board ------------------------------------------------------------------------------------------


def test_a_gap_in_a_stream(board: Machine) -> None:
    seq = filling(board, 1000)
    for at in (100, 200, 300):
        board.send(Type.DATA, bytes(100), seq=seq, arg=at)
    assert kinds(board.run()) == [(Type.NAK, seq, 0, 0)]
    board.send(Type.DATA, bytes(100), seq=seq, arg=200)  # sent again, and the first lost again
    assert kinds(board.run()) == [(Type.NAK, seq, 0, 0)]
    board.send(Type.DATA, bytes(100), seq=seq, arg=0)
    board.send(Type.DATA, bytes(100), seq=seq, arg=0)  # twice
    board.send(Type.DATA, b"", seq=seq, arg=100)
    assert board.run() == []
    board.send(Type.DATA, bytes(100), seq=seq, arg=900)
    assert kinds(board.run()) == [(Type.NAK, seq, 100, 0)]
    board.send(Type.DATA, bytes(900), seq=seq, arg=100)
    assert kinds(board.run()) == [(Type.RSP, seq, 0, 0)]
    board.send(Type.DATA, bytes(900), seq=seq, arg=100)
    assert board.run() == []


@pytest.mark.parametrize("at, size", [(0, 1001), (1000, 1), (500, 501), (0xFFFFFFFF, 1)])
def test_more_data_than_the_stream_has(board: Machine, at: int, size: int) -> None:
    seq = filling(board, 1000)
    board.send(Type.DATA, bytes(size), seq=seq, arg=at)
    assert [(frame.seq, frame.status) for frame in board.run()] == [(seq, Status.RANGE)]
    board.send(Type.DATA, bytes(10), seq=seq)
    assert board.run() == []


def test_damaged_data_is_asked_for_again(lossy: Machine) -> None:
    seq = filling(lossy, 1000)
    bad = bytearray(encode(Type.DATA, lossy.session, seq, bytes(1000)))
    bad[500] ^= 4
    lossy.write(bytes(bad))
    assert kinds(lossy.run()) == [(Type.NAK, seq, 0, 0)]
    assert lossy.get(Count.STARTS) == 0
    lossy.send(Type.DATA, bytes(1000), seq=seq)
    assert kinds(lossy.run()) == [(Type.RSP, seq, 0, 0)]


def test_data_of_a_call_that_ends_meanwhile(board: Machine) -> None:
    """The receiver writes into the buffer as bytes come; it must not when the buffer is gone."""
    seq = filling(board, 10_000)
    data = encode(Type.DATA, board.session, seq, b"\xee" * 10_000)
    board.write(data[:5000])
    assert board.run() == []
    assert [frame.status for frame in board.run(us=START + 2_000_000)] == [Status.TIMEOUT]
    board.write(data[5000:])
    address = board.alloc(10_000)  # where the buffer was
    assert board.peek(address, 10_000) == bytes(10_000)


def test_credit(board: Machine) -> None:
    board.set(Knob.WINDOW, 40_000)
    board.hello(nonce=2)
    size = 200_000
    seq = filling(board, size, inline=bytes(1000))
    sent, allowed = 1000, 41_000
    while sent < size:
        step = min(t.MAX_PAYLOAD, allowed - sent, size - sent)
        assert step > 0
        board.send(Type.DATA, bytes(step), seq=seq, arg=sent)
        sent += step
        for frame in board.run():
            if frame.type == Type.CREDIT:
                assert allowed < frame.arg <= min(sent + 40_000, size) and frame.seq == seq
                allowed = frame.arg
            else:
                assert (frame.type, frame.arg, sent) == (Type.RSP, 0, size)
    assert sent == size


@pytest.mark.parametrize("window", [0, 1, 3, 7, 100, 999])
def test_credit_always_reaches_the_end(board: Machine, window: int) -> None:
    """A host that never sends more than it may gets everything across, whatever the sizes."""
    board.set(Knob.WINDOW, window)
    window = board.hello(nonce=2).window
    for size in [*range(window, window + 5), 2 * window - 1, 2 * window + window // 3, 5 * window + 1]:
        seq = filling(board, size)
        sent, allowed, frames = 0, window, []
        for _ in range(100):
            step = min(t.MAX_PAYLOAD, allowed - sent, size - sent)
            if step:
                board.send(Type.DATA, bytes(step), seq=seq, arg=sent)
            sent += step
            frames = board.run(polls=2)
            allowed = max([allowed, *(frame.arg for frame in frames if frame.type == Type.CREDIT)])
            if any(frame.type == Type.RSP for frame in frames):
                break
        assert frames[-1].status == Status.OK and sent == size
        board.ack = seq


def test_lost_credit_and_lost_naks_come_again_when_asked(lossy: Machine) -> None:
    lossy.set(Knob.WINDOW, 8000)
    lossy.hello(nonce=2)
    seq = filling(lossy, 50_000)
    lossy.send(Type.DATA, bytes(8000), seq=seq)
    lossy.run()
    lossy.send(Type.QUERY, seq=seq)
    assert kinds(lossy.run()) == [
        (Type.NAK, seq, 8000, 0),
        (Type.CREDIT, seq, 16_000, 0),
        (Type.PENDING, seq, Phase.FILL, 0),
    ]


def test_a_stream_that_stops(board: Machine) -> None:
    seq = filling(board, 1000)
    live = board.get(Count.LIVE)
    board.send(Type.DATA, bytes(10), seq=seq)
    board.run(us=START + 1_000_000)
    assert board.run(us=START + 2_999_999) == [] and board.get(Count.WAIT_US) == 1
    (frame,) = board.run(us=START + 3_000_000)
    assert (frame.seq, frame.status) == (seq, Status.TIMEOUT)
    assert t.FaultRsp.unpack(frame.payload) == t.FaultRsp(0, 0, 0, 0, 0, 0, 0, bytes(128), 0, 0, b"")
    assert board.get(Count.LIVE) == live - 2  # blob and buffer
    board.send(Type.DATA, bytes(10), seq=seq, arg=10)
    assert board.run() == []


def test_a_commit_that_stops_or_is_cancelled_can_be_done_again(board: Machine) -> None:
    image = Image(b"d")
    rsp = t.LoadRsp.unpack(board.good(Type.LOAD, image.load.pack()))
    for status in (Status.TIMEOUT, Status.CANCELLED):
        seq = board.send(Type.COMMIT, t.Commit(rsp.image, 64, b"d").pack())
        board.run()
        if status == Status.CANCELLED:
            board.send(Type.CANCEL, seq=seq)
            frames = board.run()
        else:
            frames = board.run(us=START + 2_000_000)
        assert [frame.status for frame in frames] == [status] and len(frames[0].payload) == t.FAULT_RSP_SIZE
    assert board.load(image).image == rsp.image
    board.good(Type.CALL, call(rsp.image))


@pytest.mark.parametrize("state", ["fill", "ready", "waiting"])
def test_cancel_before_it_runs(board: Machine, state: str) -> None:
    loop, done = board.load(Image(b"l")).image, board.load(Image(b"d")).image
    first = board.send(Type.CALL, call(loop))
    if state == "waiting":
        board.send(Type.HEAP)
    size = 10 if state == "fill" else 0
    live = board.get(Count.LIVE)
    seq = board.send(Type.CALL, call(done, buffers=[Buffer(IN, size=size)], inline=b""))
    board.run()
    board.send(Type.CANCEL, seq=seq)
    (frame,) = board.run()
    assert (frame.seq, frame.status, len(frame.payload)) == (seq, Status.CANCELLED, t.FAULT_RSP_SIZE)
    assert board.get(Count.LIVE) == live + 2  # the running call's stack and blob
    board.send(Type.CANCEL, seq=seq)
    board.send(Type.CANCEL, seq=999)
    assert board.run() == []
    board.send(Type.CANCEL, seq=first)
    assert first in [frame.seq for frame in board.run()]
    assert board.get(Count.STARTS) == 1


def test_data_for_a_call_that_still_waits_is_asked_for_later(board: Machine) -> None:
    loop, done = board.load(Image(b"l")).image, board.load(Image(b"d")).image
    first = board.send(Type.CALL, call(loop))
    board.send(Type.HEAP)
    seq = board.send(Type.CALL, call(done, buffers=[Buffer(IN, size=100)], inline=b"12"))
    board.send(Type.DATA, bytes(98), seq=seq, arg=2)
    assert board.run() == []
    board.send(Type.CANCEL, seq=first)
    assert (Type.NAK, seq, 2, 0) in kinds(board.run())
    board.send(Type.DATA, bytes(98), seq=seq, arg=2)
    assert [(frame.seq, frame.status) for frame in board.run()] == [(seq, Status.OK)]


# -- streams to the host -------------------------------------------------------------------------------------------


def test_the_host_can_go_back(board: Machine) -> None:
    seq, frames = with_results(board, 60_000)
    assert [frame.type for frame in frames] == [Type.RSP] + [Type.DATA] * 3
    for frame in frames[1:]:
        board.send(Type.NAK, seq=seq, arg=frame.arg)
        assert board.run() == frames[frames.index(frame) :]
    board.send(Type.NAK, seq=seq, arg=0)  # it has not even the reply
    assert board.run() == frames
    for arg, flags, other in ((60_001, 0, seq), (0, 1, seq), (0, 0, seq + 1), (60_000, 0, seq), (0, 0, 1)):
        board.send(Type.NAK, seq=other, arg=arg, flags=flags)
        assert board.run() == []
    board.ack = seq
    board.acknowledge()
    board.send(Type.NAK, seq=seq, arg=0)
    assert board.run() == []


def test_results_stay_on_a_lossy_link_until_acknowledged(lossy: Machine) -> None:
    """Four calls hold results; the fifth waits for a place."""
    image = lossy.load(Image(b"d")).image
    lossy.ack = 0
    seqs = [lossy.send(Type.CALL, call(image, buffers=[Buffer(OUT, size=9)])) for _ in range(5)]
    assert [frame.seq for frame in lossy.run()] == seqs[:4]
    lossy.ack = seqs[0]
    lossy.send(Type.ACK, seq=0)
    assert [frame.seq for frame in lossy.run()] == seqs[4:]
    lossy.send(Type.QUERY, seq=seqs[1])
    assert [frame.status for frame in lossy.run()] == [Status.OK]


def test_results_give_way_on_a_reliable_link(board: Machine) -> None:
    image = board.load(Image(b"d")).image
    seqs = [board.send(Type.CALL, call(image, buffers=[Buffer(OUT, size=9)])) for _ in range(6)]
    assert [(frame.seq, frame.status) for frame in board.run()] == [(seq, Status.OK) for seq in seqs]
    big = [board.send(Type.CALL, call(image, buffers=[Buffer(OUT, size=3 << 20)])) for _ in range(2)]
    replies = [frame for frame in board.run() if frame.type == Type.RSP]
    assert [(frame.seq, frame.status) for frame in replies] == [(seq, Status.OK) for seq in big]


def test_memory_does_not_change_under_a_read_that_may_be_repeated(lossy: Machine) -> None:
    address = lossy.alloc(4)
    image = lossy.load(Image(b"d")).image
    lossy.good(Type.WRITE, t.Write(address, b"old!").pack())
    read = lossy.send(Type.READ, t.Read(address, 4).pack())
    write = lossy.send(Type.WRITE, t.Write(address, b"new!").pack())
    (first,) = lossy.run()
    lossy.send(Type.QUERY, seq=read)
    assert lossy.run() == [first] and first.payload == b"old!"
    lossy.ack = read
    lossy.send(Type.ACK, seq=0)
    assert [frame.seq for frame in lossy.run()] == [write]
    read = lossy.send(Type.READ, t.Read(address, 4).pack())
    seqs = [lossy.send(Type.CALL, call(image)), lossy.send(Type.FREE, t.Free(address).pack())]
    assert [frame.payload for frame in lossy.run()] == [b"new!"]
    assert lossy.get(Count.STARTS) == 0
    lossy.ack = read
    lossy.send(Type.ACK, seq=0)
    assert [frame.seq for frame in lossy.run()] == seqs


def test_reads_and_a_slow_transmitter(board: Machine) -> None:
    address = board.alloc(t.MAX_PAYLOAD)
    board.poke(address, b"\xa5" * t.MAX_PAYLOAD)
    board.set(Knob.TX_ROOM, 100)
    seqs = [board.send(Type.READ, t.Read(address, t.MAX_PAYLOAD).pack()) for _ in range(2)]
    seqs.append(board.send(Type.WRITE, t.Write(address, bytes(t.MAX_PAYLOAD - 4)).pack()))
    seqs.append(board.send(Type.READ, t.Read(address, 4).pack()))
    board.run()
    board.set(Knob.TX_ROOM, NONE)
    frames = board.run()
    assert [frame.seq for frame in frames] == seqs
    assert frames[1].payload == b"\xa5" * t.MAX_PAYLOAD and frames[3].payload == bytes(4)


def test_a_read_whose_memory_is_gone_cannot_be_repeated(board: Machine) -> None:
    address = board.alloc(4)
    read = board.send(Type.READ, t.Read(address, 4).pack())
    board.run()
    board.send(Type.FREE, t.Free(address).pack())
    board.run()
    board.ack = 0
    board.send(Type.QUERY, seq=read)
    assert [frame.status for frame in board.run()] == [Status.SEQ]
