"""CALL up to the start of its kernel, and its results: checks, memory, streams, patches."""

from __future__ import annotations

from typing import Any

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import Direction, Status, Type
from tests.firmware.machine import NONE, Buffer, Count, Image, Knob, Machine, call

MOST = 4 << 20  # bytes of the largest memory
IN, OUT, INOUT = int(Direction.IN), int(Direction.OUT), 3
ADD = Image(b"ad")  # out[i] = in[i] + 1; blob: in, out, n


def add(image: int, data: bytes, **more: Any) -> bytes:
    blob = bytes(8) + len(data).to_bytes(4, "little")
    buffers = [Buffer(IN, data), Buffer(OUT, size=len(data))]
    patches = [t.Patch(0, 0, 0), t.Patch(4, 1, 0)]
    return call(image, blob=blob, buffers=buffers, patches=patches, **more)


def plus_one(data: bytes) -> bytes:
    return bytes((b + 1) % 256 for b in data)


def test_one_frame_there_and_one_back_in_one_poll(board: Machine) -> None:
    image = board.load(ADD).image
    board.send(Type.CALL, add(image, b"HAL"))
    (frame,) = board.run(polls=1)
    rsp = t.CallRsp.unpack(frame.payload)
    assert (frame.status, rsp.out_size, rsp.rest) == (Status.OK, 3, b"IBM")
    assert (rsp.instructions, rsp.cycles, rsp.firmware_calls) == (102, 200, 3)
    assert board.heap().allocations == 0


def test_what_comes_back_is_freed_when_acknowledged(board: Machine) -> None:
    image = board.load(ADD).image
    live = board.get(Count.LIVE)
    board.send(Type.CALL, add(image, b"abc"))
    board.run()
    assert board.get(Count.LIVE) == live + 3  # the stack, kept; the blob and the Out buffer
    board.ack = board.next - 1
    board.acknowledge()
    assert board.get(Count.LIVE) == live + 1


def test_returned_part_of_the_blob_comes_before_the_arrays(board: Machine) -> None:
    image = board.load(Image(b"r\x05\x20r\x06\x21d".ljust(32, b"\0") + b"\xab\xcd")).image
    buffers = [Buffer(INOUT, b"xyz")]
    rsp = t.CallRsp.unpack(board.good(Type.CALL, call(image, blob=bytes(8), buffers=buffers, ret=(4, 4))))
    assert rsp.rest == b"\0\xab\xcd\0xyz" and rsp.out_size == 3


@pytest.mark.parametrize("size", [16_352, 16_353, 16_384, 200_000, 1 << 20])
def test_large_arrays_stream_both_ways(board: Machine, size: int) -> None:
    image = board.load(ADD).image
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    first = 10_000
    seq = board.send(Type.CALL, add(image, data, inline=data[:first]))
    for at in range(first, size, t.MAX_PAYLOAD):
        board.send(Type.DATA, data[at : at + t.MAX_PAYLOAD], seq=seq, arg=at)
    got = [frame for frame in board.run() if frame.type != Type.CREDIT]
    assert got[0].type == Type.RSP and {frame.seq for frame in got} == {seq}
    rsp = t.CallRsp.unpack(got[0].payload)
    out = rsp.rest
    assert rsp.out_size == size and len(got[0].payload) == min(t.MAX_PAYLOAD, size + t.CALL_RSP_SIZE)
    for frame in got[1:]:
        assert (frame.type, frame.arg) == (Type.DATA, len(out))
        out += frame.payload
    assert out == plus_one(data)


def test_the_stream_crosses_buffers_and_skips_resident_ones(board: Machine) -> None:
    resident = board.alloc(64)
    board.good(Type.WRITE, t.Write(resident, b"resident").pack())
    image = board.load(Image(b"ld")).image
    buffers = [
        Buffer(IN, b"a" * 7),
        Buffer(IN, b"", size=0),
        Buffer(INOUT, size=8, address=resident),
        Buffer(OUT, size=5),
        Buffer(0, size=9),
        Buffer(INOUT, b"b" * 3),
        Buffer(IN, b"c" * 20, align=256),
    ]
    patches = [t.Patch(4 * i, i, 0) for i in range(7)] + [t.Patch(28, 6, 20)]
    seq = board.send(Type.CALL, call(image, blob=b"\xff" * 33, buffers=buffers, patches=patches, inline=b"aa"))
    board.send(Type.DATA, b"aaaaabb", seq=seq, arg=2)
    board.send(Type.DATA, b"b" + b"c" * 20, seq=seq, arg=9)
    assert board.run() == []
    assert board.get(Count.STARTS) == 1
    blob = board.peek(board.get(Count.BLOB), 33)
    words = [int.from_bytes(blob[i : i + 4], "little") for i in range(0, 32, 4)]
    assert blob[32:] == b"\xff"
    assert words[2] == resident and words[7] == words[6] + 20 and words[6] % 256 == 0
    assert len(set(words)) == 8 and 0 not in words
    assert board.peek(words[0], 7) == b"a" * 7
    assert board.peek(words[3], 5) == bytes(5) and board.peek(words[4], 9) == bytes(9)
    assert board.peek(words[5], 3) == b"bbb" and board.peek(words[6], 20) == b"c" * 20
    assert board.peek(resident, 8) == b"resident"
    board.send(Type.CANCEL, seq=seq)
    assert [frame.status for frame in board.run()] == [Status.CANCELLED]


BAD_HEADS: list[tuple[dict[str, Any], Status, t.Error]] = [
    ({"blob": bytes(4097)}, Status.LIMIT, t.Error(NONE, 4096)),
    ({"buffers": [Buffer(size=1)] * 65}, Status.LIMIT, t.Error(NONE, 64)),
    ({"patches": [t.Patch(0, 0, 0)] * 257}, Status.LIMIT, t.Error(NONE, 256)),
    ({"flags": 2}, Status.ARG, t.Error(NONE, 0)),
    ({"ret": (0, 1)}, Status.RANGE, t.Error(NONE, 0)),
    ({"blob": bytes(8), "ret": (9, 0)}, Status.RANGE, t.Error(NONE, 8)),
    ({"blob": bytes(8), "ret": (4, 5)}, Status.RANGE, t.Error(NONE, 8)),
    ({"entry": 64}, Status.RANGE, t.Error(NONE, 64)),
    ({"entry": 3}, Status.RANGE, t.Error(NONE, 64)),
    ({"buffers": [Buffer(4, size=1)]}, Status.ARG, t.Error(0, 0)),
    ({"buffers": [Buffer(IN, b""), Buffer(IN, b"", align=3)]}, Status.ARG, t.Error(1, 0)),
    ({"buffers": [Buffer(IN, b"", cap=99)]}, Status.ARG, t.Error(0, 0)),
    ({"buffers": [Buffer(IN, b"abc")], "inline": b"abcd"}, Status.ARG, t.Error(NONE, 3)),
    ({"buffers": [Buffer(INOUT, size=16, address=0x48000000)]}, Status.RANGE, t.Error(0, 0x48000000)),
    ({"blob": bytes(4), "patches": [t.Patch(0, 0, 0)]}, Status.RANGE, t.Error(NONE, 0)),
    ({"blob": bytes(4), "buffers": [Buffer(OUT, size=4)], "patches": [t.Patch(1, 0, 0)]}, Status.RANGE, t.Error(0, 0)),
    ({"blob": bytes(3), "buffers": [Buffer(OUT, size=4)], "patches": [t.Patch(0, 0, 0)]}, Status.RANGE, t.Error(0, 0)),
    ({"blob": bytes(4), "buffers": [Buffer(OUT, size=4)], "patches": [t.Patch(0, 0, 5)]}, Status.RANGE, t.Error(0, 0)),
    ({"buffers": [Buffer(OUT, size=1), Buffer(OUT, size=5 << 20)]}, Status.NOMEM, t.Error(1, MOST - 128)),
    ({"buffers": [Buffer(OUT, size=0xFFFFFFFF)] * 2}, Status.NOMEM, t.Error(NONE, MOST)),
    ({"buffers": [Buffer(IN, size=0xFFFFFFFF)] * 64}, Status.NOMEM, t.Error(NONE, MOST)),
    ({"buffers": [Buffer(IN, size=0xFFFFFFFF)]}, Status.NOMEM, t.Error(0, MOST)),
    ({"stack": 0xFFFFFFFF}, Status.NOMEM, t.Error(NONE, MOST)),
    ({"stack": 5 << 20}, Status.NOMEM, t.Error(NONE, MOST)),
]


@pytest.mark.parametrize("change, status, error", BAD_HEADS)
def test_a_call_that_cannot_be(board: Machine, change: dict[str, Any], status: Status, error: t.Error) -> None:
    image = board.load(ADD).image
    live = board.get(Count.LIVE)
    frame = board.ask(Type.CALL, call(image, **change))
    assert (frame.status, frame.error.detail) == (status, error.detail)
    if status == Status.NOMEM:
        assert MOST - (64 << 10) < frame.error.extra <= MOST
    else:
        assert frame.error.extra == error.extra
    assert board.get(Count.STARTS) == 0
    assert board.get(Count.LIVE) <= live + 1  # the stack stays
    board.good(Type.CALL, add(image, b"still works"))


@pytest.mark.parametrize("table", [b"", bytes(t.BUFFER_SIZE - 1)])
def test_tables_that_are_cut_off(board: Machine, table: bytes) -> None:
    image = board.load(ADD).image
    frame = board.ask(Type.CALL, t.Call(image, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, table).pack())
    assert (frame.status, frame.error.extra) == (Status.ARG, t.BUFFER_SIZE)


def test_a_resident_buffer_must_lie_in_one_live_allocation(board: Machine) -> None:
    image = board.load(Image(b"d")).image
    address = board.alloc(100)
    for offset, size, status in ((0, 100, 0), (50, 50, 0), (100, 0, 0), (0, 101, 18), (100, 1, 18), (-1, 1, 18)):
        buffers = [Buffer(INOUT, size=size, address=address + offset)]
        assert board.ask(Type.CALL, call(image, buffers=buffers)).status == status
    board.good(Type.FREE, t.Free(address).pack())
    assert board.ask(Type.CALL, call(image, buffers=[Buffer(size=100, address=address)])).status == Status.RANGE


def test_each_allocation_failing_in_turn_leaves_nothing_behind(board: Machine) -> None:
    image = board.load(ADD).image
    live = board.get(Count.LIVE)
    details = []
    for step in range(1, 9):
        board.hello(nonce=100 + step)  # frees the stack
        board.set(Knob.FAIL_ALLOC, step)
        frame = board.ask(Type.CALL, add(image, b"abc"))
        board.set(Knob.FAIL_ALLOC, 0)
        board.acknowledge()
        if frame.status == Status.OK:
            break
        assert frame.status == Status.NOMEM
        details.append(frame.error.detail)
        assert board.get(Count.LIVE) == live + (step > 1)  # the stack stays
    assert details == [NONE, NONE, 0, 1]  # stack, blob, In, Out


def test_a_failure_where_something_gives_way_is_none(board: Machine) -> None:
    board.load(Image(b"ld"))
    image = board.load(ADD).image
    board.set(Knob.FAIL_ALLOC, 4)
    board.good(Type.CALL, add(image, b"abc"))
    assert board.heap().images == 1


def test_memory_that_the_port_denies(board: Machine) -> None:
    image = board.load(ADD).image
    board.set(Knob.NO_MEM, 1)
    assert board.ask(Type.CALL, add(image, b"abc")).status == Status.NOMEM
    assert board.ask(Type.CALL, call(image)).status == Status.NOMEM
    board.set(Knob.NO_MEM, 0)
    board.good(Type.CALL, add(image, b"abc"))


def test_results_that_the_port_denies_are_zeros(board: Machine) -> None:
    image = board.load(Image(b"nnd")).image
    blob = Buffer(OUT, size=4)
    board.send(Type.CALL, call(image, blob=b"abcd", buffers=[blob], ret=(0, 4)))
    assert board.run(polls=2) == []
    board.set(Knob.NO_MEM, 1)
    (frame,) = board.run()
    assert t.CallRsp.unpack(frame.payload).rest == bytes(8)


def test_the_stack_is_kept_and_grows(board: Machine) -> None:
    image = board.load(Image(b"sd")).image

    def stack(size: int) -> tuple[int, int]:
        board.good(Type.CALL, call(image, stack=size))
        return board.get(Count.STACK), board.get(Count.STACK_SIZE)

    address, size = stack(0)
    assert size == t.DEFAULT_STACK and address % 16 == 0
    assert stack(100) == (address, size)
    assert stack(size + 1)[1] == size + 16
    assert stack(0)[1] == size + 16
    board.acknowledge()
    assert board.heap().allocations == 0 and board.get(Count.LIVE) == 2  # the image and one stack


def test_a_larger_stack_while_the_old_one_is_in_use(board: Machine) -> None:
    loop, done = board.load(Image(b"ssl")).image, board.load(Image(b"sd")).image
    first = board.send(Type.CALL, call(loop))
    board.run()
    live = board.get(Count.LIVE)
    board.send(Type.CALL, call(done, stack=100_000))
    board.run()
    assert board.get(Count.LIVE) == live + 2  # the new stack and a blob
    board.send(Type.CANCEL, seq=first)
    assert [frame.status for frame in board.run()] == [Status.CANCELLED, Status.OK]
    assert board.get(Count.STACK_SIZE) == 100_000
    board.ack = board.next - 1
    board.acknowledge()
    assert board.get(Count.LIVE) == 3  # two images, one stack


def test_the_next_call_fills_while_one_runs(board: Machine) -> None:
    loop, adder = board.load(Image(b"l")).image, board.load(ADD).image
    first = board.send(Type.CALL, call(loop))
    data = bytes(20_000)
    second = board.send(Type.CALL, add(adder, data, inline=b""))
    board.send(Type.DATA, data[:15_000], seq=second)
    assert board.run() == []
    board.send(Type.DATA, data[15_000:], seq=second, arg=15_000)
    board.send(Type.QUERY, seq=second)
    assert [(frame.type, frame.arg) for frame in board.run()] == [(Type.PENDING, t.Phase.READY)]
    board.send(Type.CANCEL, seq=first)
    frames = board.run()
    assert [(frame.type, frame.seq) for frame in frames] == [(Type.RSP, first), (Type.RSP, second), (Type.DATA, second)]
    assert frames[1].status == Status.OK


def test_a_call_without_memory_waits_for_the_results_before_it(lossy: Machine) -> None:
    """On a link that loses frames, results stay until they are acknowledged; the next call waits for their memory."""
    image, done = lossy.load(ADD).image, lossy.load(Image(b"d")).image
    big = bytes(3 << 19)
    seq = lossy.send(Type.CALL, add(image, big, inline=b""))
    for at in range(0, len(big), t.MAX_PAYLOAD):
        lossy.send(Type.DATA, big[at : at + t.MAX_PAYLOAD], seq=seq, arg=at)
    got = [frame for frame in lossy.run() if frame.type == Type.RSP]
    assert [frame.status for frame in got] == [Status.OK]
    buffers = [Buffer(OUT, size=3 << 20)]
    waits = lossy.send(Type.CALL, call(done, buffers=buffers))
    assert [frame.type for frame in lossy.run()] == []
    polls = lossy.get(Count.ALLOCS)
    assert lossy.run(polls=20) == [] and lossy.get(Count.ALLOCS) == polls  # it does not try again in vain
    lossy.ack = waits - 1
    lossy.send(Type.ACK, seq=0)
    frames = lossy.run()
    assert frames[0].seq == waits and frames[0].status == Status.OK
    assert sum(len(frame.payload) for frame in frames) == (3 << 20) + t.CALL_RSP_SIZE
