"""What happens rarely: coincidences of a link, ports that say odd things, and layouts that no compiler makes."""

from __future__ import annotations

from typing import Any

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import Direction, Status, Type
from tests.firmware.machine import LOSSY, NONE, RELIABLE, Buffer, Count, Image, Knob, Machine, Wait, call, encode

OUT = [Buffer(int(Direction.OUT), size=100)]


def commands(board: Machine) -> list[tuple[int, int]]:
    return [(frame.seq, frame.arg) for frame in board.run() if frame.type == Type.RSP]


def test_odd_names_of_a_port() -> None:
    board = Machine()
    board.set(Knob.ODD_NAMES, 1)
    info = board.hello()
    assert (info.chip, info.isa, info.firmware) == ("", "", "x" * 255)
    board.close()


def test_a_heap_of_very_many_regions(board: Machine) -> None:
    board.set(Knob.REGIONS, 1000)
    heap = board.heap()
    assert heap.regions == len(heap.table) // t.HEAP_REGION_SIZE == (t.MAX_PAYLOAD - t.HEAP_RSP_SIZE) // 20


def test_exports_that_end_too_soon(board: Machine) -> None:
    board.set(Knob.EXPORTS, 2)
    rsp = t.ExportsRsp.unpack(board.good(Type.EXPORTS, t.Exports(0).pack()))
    assert rsp.total == 3 and len(rsp.table) == 2 * (t.EXPORT_ENTRY_SIZE + 1 + len("function_with_a_longish_name_0"))


def test_session_ids_are_never_0_and_never_the_last() -> None:
    board = Machine()
    board.set(Knob.FAIL_RANDOM, 2)
    assert [board.hello(nonce).session for nonce in (1, 2, 3)] == [1, 2, 1]
    board.close()


def test_one_poll_does_not_go_on_for_ever(board: Machine) -> None:
    """More frames than one poll takes; it says that it was only interrupted."""
    loop = board.load(Image(b"l")).image
    for image in (0, loop):
        if image:
            board.send(Type.CALL, call(image))
            board.run()
        board.ack = board.next - 1
        for _ in range(300):
            board.send(Type.PING)
            board.ack = board.next - 1
        waits = board.poll()
        assert board.get(Count.WAIT_US) == 0 and waits & Wait.TIME and bool(waits & Wait.EXEC) == bool(image)
        assert board.get(Count.UNREAD) > 0
        board.run()
        assert board.get(Count.UNREAD) == 0


@pytest.mark.parametrize("change", ["size", "text_size", "data_offset", "data_size", "bss_offset", "bss_size"])
def test_a_held_image_has_one_layout(board: Machine, change: str) -> None:
    load = Image(b"d", data=bytes(16), bss=32).load._replace(size=256, bss_offset=128)
    rsp = t.LoadRsp.unpack(board.good(Type.LOAD, load.pack()))
    board.good(Type.COMMIT, t.Commit(rsp.image, 80, b"d".ljust(80, b"\0")).pack())
    smaller: dict[str, Any] = {change: getattr(load, change) - (8 if change != "data_offset" else -8)}
    assert board.ask(Type.LOAD, load._replace(**smaller).pack()).status == Status.ARG
    assert t.LoadRsp.unpack(board.good(Type.LOAD, load.pack())).held


@pytest.mark.parametrize("bss, status", [(64, Status.OK), (72, Status.ARG), (80, Status.ARG), (112, Status.OK)])
def test_bss_before_or_behind_data(board: Machine, bss: int, status: Status) -> None:
    """.data is at 80 to 112, 16 bytes of .bss where they have room."""
    load = Image(b"d").load._replace(size=128, data_offset=80, data_size=32, bss_offset=bss, bss_size=16)
    assert board.ask(Type.LOAD, load.pack()).status == status


def test_a_call_of_an_image_that_has_just_been_damaged(board: Machine) -> None:
    """Another call still holds it; the new one arrives between the fault and that call's end."""
    image = board.load(Image(b"ni\x20f")).image
    seqs = [board.send(Type.CALL, call(image)) for _ in range(2)]
    assert board.run(polls=1) == []
    board.send(Type.ACK, seq=0)
    seqs.append(board.send(Type.CALL, call(image)))
    frames = {frame.seq: frame for frame in board.run()}
    assert [frames[seq].status for seq in seqs] == [Status.FAULT, Status.NO_IMAGE, Status.NO_IMAGE]
    assert board.heap().images == 0


def test_a_failed_call_holds_no_memory_that_others_could_wait_for(lossy: Machine) -> None:
    image, done = lossy.load(Image(b"f")).image, lossy.load(Image(b"d")).image
    first = lossy.send(Type.CALL, call(image, buffers=OUT))
    assert commands(lossy) == [(first, Status.FAULT)]
    second = lossy.send(Type.CALL, call(done, buffers=[Buffer(int(Direction.OUT), size=8 << 20)]))
    assert commands(lossy) == [(second, Status.NOMEM)]


def test_a_length_of_log_that_is_not_true(board: Machine) -> None:
    image = board.load(Image(b"G\x01G\x01d")).image
    board.set(Knob.TX_ROOM, 0)
    seq = board.send(Type.CALL, call(image))
    for i in range(1, 5):
        board.run(us=1_000_000 + i * 200_000)
    board.set(Knob.TX_ROOM, NONE)
    frames = board.run()
    logs = [frame for frame in frames if frame.type == Type.LOG]
    assert len(logs[0].payload) > 4000 and logs[-1].arg == NONE  # more was dropped than can be counted
    assert (frames[-1].seq, frames[-1].status) == (seq, Status.OK)


def test_the_log_of_a_kernel_whose_session_is_over_goes_nowhere(board: Machine) -> None:
    image = board.load(Image(b"nnng\x01nnnd")).image
    board.send(Type.CALL, call(image))
    board.run(polls=1)
    board.set(Knob.DEAF, 1)
    board.hello(nonce=2)
    assert board.run(polls=10) == []
    assert board.get(Count.KILLS) == 1 and board.heap().allocations == 0


def test_an_event_that_no_port_sends(board: Machine) -> None:
    seq = board.send(Type.CALL, call(board.load(Image(b"z")).image))
    assert commands(board) == [(seq, Status.DEAD)]


def test_a_very_long_kernel() -> None:
    """More microseconds than its reply can say."""
    board = Machine()
    board.set(Knob.NOW, 0)
    board.set(Knob.LIMIT_US, 0)
    board.hello()
    board.send(Type.CALL, call(board.load(Image(b"nnnd")).image))
    board.run(polls=1)
    board.set(Knob.NOW, NONE)
    (frame,) = [frame for frame in board.run(polls=8) if frame.type == Type.RSP]
    assert t.CallRsp.unpack(frame.payload).elapsed_us == NONE
    board.close()


@pytest.mark.parametrize("flags", [RELIABLE, LOSSY])
def test_a_read_waits_for_what_is_to_be_said_before(flags: int) -> None:
    board = Machine(flags)
    board.hello(nonce=7)
    board.set(Knob.TX_ROOM, 0)
    board.send(Type.QUERY, seq=5)
    board.send(Type.QUERY, seq=6)
    board.write(encode(Type.HELLO, 0, 0, t.Hello(t.VERSION, t.VERSION, 0, 7).pack()))
    board.send(Type.READ, t.Read(0, 0).pack())
    assert board.run() == []
    board.set(Knob.TX_ROOM, NONE)
    frames = board.run()
    assert [(frame.type, frame.seq) for frame in frames] == [
        (Type.NAK, 5),
        (Type.RSP, 0),
        (Type.NAK, 6),
        (Type.RSP, 1),
    ]
    board.close()


def test_bye_waits_until_all_answers_are_out(board: Machine) -> None:
    image = board.load(Image(b"d")).image
    board.set(Knob.TX_ROOM, 0)
    seq = board.send(Type.CALL, call(image, buffers=[Buffer(int(Direction.OUT), size=100_000)]))
    bye = board.send(Type.BYE)
    assert board.run() == []
    board.set(Knob.TX_ROOM, NONE)
    frames = board.run()
    assert (frames[0].seq, frames[-1].seq, frames[-1].status) == (seq, bye, Status.OK)
    assert sum(len(frame.payload) for frame in frames) == 100_000 + t.CALL_RSP_SIZE


def test_a_read_that_was_cancelled_holds_nobody_up(lossy: Machine) -> None:
    """The WRITE before it would wait for its acknowledgement, which comes only after the WRITE's own answer."""
    address = lossy.alloc(8)
    loop = lossy.send(Type.CALL, call(lossy.load(Image(b"l")).image))
    write = lossy.send(Type.WRITE, t.Write(address, b"12345678").pack())
    read = lossy.send(Type.READ, t.Read(address, 8).pack())
    lossy.send(Type.CANCEL, seq=read)
    assert commands(lossy) == [(read, Status.CANCELLED)]
    lossy.send(Type.CANCEL, seq=loop)
    assert commands(lossy) == [(loop, Status.CANCELLED), (write, Status.OK)]


def test_no_pending_for_a_session_that_is_over(board: Machine) -> None:
    board.send(Type.CALL, call(board.load(Image(b"l")).image))
    assert board.run() == [] == board.run(us=1_450_000)
    board.set(Knob.DEAF, 1)
    board.hello(nonce=2)
    assert board.run(us=1_500_000) == [] and board.get(Count.RESETS) == 0
    assert board.run(us=1_550_000) == [] and board.get(Count.RESETS) == 1
