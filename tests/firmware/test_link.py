"""What a bad link does to frames: loss, damage, repetition, gaps; windows and credit; acknowledgement."""

from __future__ import annotations

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import Direction, Phase, Status, Type
from tests.firmware.machine import LOSSY, NONE, RELIABLE, Buffer, Count, Frame, Image, Knob, Machine, Wait, call, encode

START = 1_000_000
IN, OUT = int(Direction.IN), int(Direction.OUT)


def kinds(frames: list[Frame]) -> list[tuple[int, int, int, int]]:
    return [(frame.type, frame.seq, frame.arg, frame.flags) for frame in frames]


def filling(board: Machine, size: int, inline: bytes = b"") -> int:
    image = board.load(Image(b"d")).image
    seq = board.send(Type.CALL, call(image, buffers=[Buffer(IN, size=size)], inline=inline))
    assert board.run() == []
    return seq


def with_results(board: Machine, size: int) -> tuple[int, list[Frame]]:
    """A call whose Out array holds the bytes 0xA5 ... + 1 of fresh memory, and what came back."""
    image = board.load(Image(b"ad")).image
    data = bytes(i % 253 for i in range(size))
    buffers = [Buffer(IN, data), Buffer(OUT, size=size)]
    blob = bytes(8) + size.to_bytes(4, "little")
    patches = [t.Patch(0, 0, 0), t.Patch(4, 1, 0)]
    seq = board.send(Type.CALL, call(image, blob=blob, buffers=buffers, patches=patches, inline=b""))
    for at in range(0, size, t.MAX_PAYLOAD):
        board.send(Type.DATA, data[at : at + t.MAX_PAYLOAD], seq=seq, arg=at)
    return seq, [frame for frame in board.run() if frame.type != Type.CREDIT]


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
    assert kinds(frames)[-1] == (Type.RSP, seqs[1], 0, 0) or (Type.NAK, seqs[2], seqs[2], 1) in kinds(frames)
    assert [frame.seq for frame in frames if frame.type == Type.RSP] == [first, *seqs[:2]]
    board.send(Type.WRITE, t.Write(address + 32_000, b"\x02" * 16_000).pack(), seq=seqs[2])
    board.send(Type.HEAP, seq=last)
    assert [(frame.seq, frame.status) for frame in board.run()] == [(seqs[2], Status.OK), (last, Status.OK)]
    assert board.peek(address, 48_000) == b"\0" * 16_000 + b"\1" * 16_000 + b"\2" * 16_000


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


@pytest.mark.parametrize("whole", [True, False])
def test_data_of_a_call_that_ends_meanwhile(board: Machine, whole: bool) -> None:
    """The receiver writes into the buffer as bytes come; it must not when the buffer is gone."""
    seq = filling(board, 10_000)
    data = encode(Type.DATA, board.session, seq, b"\xee" * 10_000)
    board.write(data[:5000])
    assert board.run() == []
    frames = board.run(us=START + 2_000_000)
    assert [frame.status for frame in frames] == [Status.TIMEOUT]
    address = board.get(Count.LIVE)
    board.write(data[5000:] if whole else data[5000:-1] + b"?")
    frames = board.run()
    assert board.get(Count.LIVE) == address if whole else frames[0].status == Status.FRAME


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
