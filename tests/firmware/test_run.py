"""The running kernel: its ends, limits, kills, log and stack; the calls that wait behind it."""

from __future__ import annotations

from typing import Any

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import CallFlag, Direction, Phase, Status, Type
from tests.firmware.machine import Buffer, Count, Frame, Image, Knob, Machine, Wait, call

START = 1_000_000  # the fake's clock
OUT = [Buffer(int(Direction.OUT), size=100)]


def begin(board: Machine, script: bytes, **more: Any) -> int:
    """Starts a kernel that does not end by itself; the seq of its call."""
    image = board.load(Image(script)).image
    seq = board.send(Type.CALL, call(image, **more))
    assert board.run() == []
    return seq


def ended(board: Machine, script: bytes) -> Frame:
    image = board.load(Image(script)).image
    return board.ask(Type.CALL, call(image, buffers=OUT))


def statuses(frames: list[Frame]) -> list[tuple[int, Status]]:
    return [(frame.seq, frame.status) for frame in frames if frame.type == Type.RSP]


@pytest.mark.parametrize(
    "script, status",
    [(b"f", Status.FAULT), (b"k", Status.TIMEOUT), (b"u", Status.FAULT), (b"C\x01", Status.CALLBACK)],
)
def test_a_report_of_a_kernel_that_was_ended(board: Machine, script: bytes, status: Status) -> None:
    live = board.get(Count.LIVE)
    frame = ended(board, script)
    assert frame.status == status
    report = t.FaultRsp.unpack(frame.payload)
    assert (report.cause, report.tval, report.instructions) == (5, 0x1234, 100 + len(script))
    assert (report.cycles, report.firmware_calls) == (200, 3)
    registers = [int.from_bytes(report.registers[i : i + 4], "little") for i in range(0, 128, 4)]
    sp = board.get(Count.STACK) + board.get(Count.STACK_SIZE) - 64
    assert registers == [sp if i == 2 else i for i in range(32)]
    assert (report.stack_address, report.stack_size, report.stack) == (sp, 64, board.peek(sp, 64))
    assert board.get(Count.LIVE) == live + 2  # image and stack: what a failed call had is gone at once
    assert ended(board, b"d").status == Status.OK


def test_the_report_shows_at_most_512_bytes_of_stack(board: Machine) -> None:
    report = t.FaultRsp.unpack(ended(board, b"sB").payload)
    assert report.stack_size == t.MAX_STACK_DUMP and report.stack == b"\x5a" * 512


def test_a_wild_stack_pointer_shows_no_stack(board: Machine) -> None:
    report = t.FaultRsp.unpack(ended(board, b"w").payload)
    assert (report.stack_address, report.stack_size, report.stack) == (0, 0, b"")


@pytest.mark.parametrize("script", [b"x", b"e"])
def test_a_dead_executor_resets_the_board_after_the_answer(board: Machine, script: bytes) -> None:
    board.alloc(100)
    before = board.hello(nonce=2).nonce
    frame = ended(board, script)
    assert frame.status == Status.DEAD and len(frame.payload) == t.FAULT_RSP_SIZE
    assert (board.get(Count.RESETS), board.get(Count.WHY), board.get(Count.LIVE)) == (1, Status.DEAD, 0)
    board.send(Type.PING)
    assert statuses(board.run()) == [(board.next - 1, Status.SESSION)]
    assert board.hello(nonce=3).nonce != before
    assert board.heap().images == 0


def test_an_executor_that_does_not_start(board: Machine) -> None:
    board.set(Knob.FAIL_START, 1)
    assert ended(board, b"d").status == Status.DEAD
    assert board.get(Count.RESETS) == 1


def test_a_reset_does_not_wait_for_ever_for_the_link(board: Machine) -> None:
    image = board.load(Image(b"x")).image
    board.set(Knob.TX_ROOM, 0)
    board.send(Type.CALL, call(image))
    board.send(Type.PING)
    board.run()
    assert board.get(Count.RESETS) == 0
    board.run(us=START + 100_000)
    assert board.get(Count.RESETS) == 1
    board.set(Knob.TX_ROOM, 1 << 20)
    board.hello(nonce=2)


def test_limits_reach_the_executor(board: Machine) -> None:
    image = board.load(Image(b"d")).image
    board.good(Type.CALL, call(image, instructions=12345, entry=0))
    assert board.get(Count.INSTRUCTIONS) == 12345


def test_a_time_limit(board: Machine) -> None:
    seq = begin(board, b"l", limit_us=5000)
    assert board.get(Count.WAIT_US) == 5000
    assert board.run(us=START + 4999) == []
    frames = board.run(us=START + 5000)
    assert statuses(frames) == [(seq, Status.TIMEOUT)]
    assert t.FaultRsp.unpack(frames[0].payload).elapsed_us == 5000
    assert board.get(Count.WHY) == Status.TIMEOUT


def test_the_boards_own_time_limit(board: Machine) -> None:
    seq = begin(board, b"l")
    assert statuses(board.run(us=START + 9_999_999)) == []
    assert statuses(board.run(us=START + 10_000_000)) == [(seq, Status.TIMEOUT)]


def test_no_time_limit() -> None:
    board = Machine()
    board.set(Knob.LIMIT_US, 0)
    board.hello()
    seq = begin(board, b"l")
    assert statuses(board.run(us=4_000_000_000)) == []
    board.send(Type.CANCEL, seq=seq)
    assert statuses(board.run()) == [(seq, Status.CANCELLED)]
    board.close()


def test_a_slice_at_a_time(board: Machine) -> None:
    """One p4k_poll asks the executor only until it has nothing to say."""
    begin(board, b"l")
    polls = board.get(Count.POLLS)
    assert board.poll() & Wait.EXEC
    assert board.get(Count.POLLS) == polls + 1
    for _ in range(5):
        board.send(Type.PING)
    board.poll()
    assert board.get(Count.POLLS) == polls + 2
    assert [frame.type for frame in board.run(polls=0)] == [Type.RSP] * 5  # PING does not wait for the kernel


def test_pending_every_half_second(board: Machine) -> None:
    seq = begin(board, b"l")
    for i in range(1, 4):
        assert board.run(us=START + 500_000 * i - 1) == []
        frames = board.run(us=START + 500_000 * i)
        assert [(frame.type, frame.seq, frame.arg) for frame in frames] == [(Type.PENDING, seq, Phase.RUN)]


def test_cancel_while_it_runs(board: Machine) -> None:
    seq = begin(board, b"l", buffers=OUT)
    board.send(Type.CANCEL, seq=seq)
    board.send(Type.CANCEL, seq=seq)
    (frame,) = board.run()
    assert frame.status == Status.CANCELLED and t.FaultRsp.unpack(frame.payload).cause == 5
    assert (board.get(Count.KILLS), board.get(Count.WHY)) == (1, Status.CANCELLED)
    board.send(Type.CANCEL, seq=seq)
    assert board.run() == []


def test_a_kernel_that_ends_by_itself_before_the_kill(board: Machine) -> None:
    image = board.load(Image(b"nd")).image
    board.set(Knob.DEAF, 1)
    seq = board.send(Type.CALL, call(image))
    board.run(polls=1)
    board.send(Type.CANCEL, seq=seq)
    assert statuses(board.run()) == [(seq, Status.OK)]


def test_a_kernel_that_cannot_be_killed_is_dead(board: Machine) -> None:
    seq = begin(board, b"l")
    board.set(Knob.DEAF, 1)
    board.send(Type.CANCEL, seq=seq)
    board.send(Type.QUERY, seq=seq)
    assert [(f.type, f.arg) for f in board.run()] == [(Type.PENDING, Phase.KILLING)]
    assert board.run(us=START + 99_999) == []
    assert statuses(board.run(us=START + 100_000)) == [(seq, Status.DEAD)]
    assert board.get(Count.RESETS) == 1


def test_log_comes_before_the_answer(board: Machine) -> None:
    image = board.load(Image(b"g\x01g\x02d")).image
    seq = board.send(Type.CALL, call(image))
    frames = board.run(polls=1)
    assert [(frame.type, frame.seq, frame.arg, frame.flags) for frame in frames[:-1]] == [(Type.LOG, seq, 0, 2)] * 2
    assert [len(frame.payload) for frame in frames[:-1]] == [64, 128]
    assert frames[0].payload.startswith(b"abcdefghijklmnopqrstuvwxyzabc")
    assert statuses(frames) == [(seq, Status.OK)] and frames[-1].type == Type.RSP


def test_empty_log(board: Machine) -> None:
    image = board.load(Image(b"g\x00d")).image
    assert statuses([board.ask(Type.CALL, call(image))]) == [(3, Status.OK)]


def test_long_log_is_cut_into_pieces(board: Machine) -> None:
    image = board.load(Image(b"g\xffg\xffg\xffd")).image
    board.send(Type.CALL, call(image))
    frames = board.run(polls=1)
    text = b"".join(frame.payload for frame in frames if frame.type == Type.LOG)
    assert text == (b"abcdefghijklmnopqrstuvwxyz" * 628)[: 255 * 64] * 3
    assert all(frame.arg == 0 for frame in frames if frame.type == Type.LOG)


def test_a_full_log_holds_the_kernel_up_then_drops(board: Machine) -> None:
    image = board.load(Image(b"g\x30g\x30g\x30g\x01d")).image
    board.set(Knob.TX_ROOM, 0)
    seq = board.send(Type.CALL, call(image))
    assert board.run() == []
    polls = board.get(Count.POLLS)
    assert not board.poll() & Wait.EXEC
    assert board.get(Count.POLLS) == polls and board.get(Count.WAIT_US) == 100_000
    board.run(us=START + 99_999)
    assert board.get(Count.POLLS) == polls
    board.run(us=START + 100_000)
    assert board.get(Count.POLLS) > polls
    board.run(us=START + 200_000)  # the last text has waited, too
    board.set(Knob.TX_ROOM, 1 << 20)
    frames = board.run(us=START + 200_001)
    sent = sum(len(frame.payload) for frame in frames if frame.type == Type.LOG)
    dropped = sum(frame.arg for frame in frames if frame.type == Type.LOG)
    assert dropped > 0 and sent + dropped == (3 * 48 + 1) * 64
    assert statuses(frames) == [(seq, Status.OK)] and frames[-1].type == Type.RSP


def test_a_kill_does_not_wait_for_the_log(board: Machine) -> None:
    image = board.load(Image(b"g\x60l")).image
    board.set(Knob.TX_ROOM, 0)
    seq = board.send(Type.CALL, call(image))
    board.run()
    board.send(Type.CANCEL, seq=seq)
    board.run()
    board.set(Knob.TX_ROOM, 1 << 20)
    frames = board.run()
    assert sum(len(f.payload) + f.arg for f in frames if f.type == Type.LOG) == 96 * 64
    assert statuses(frames) == [(seq, Status.CANCELLED)]


def test_the_next_kernel_waits_until_the_log_is_out(board: Machine) -> None:
    image = board.load(Image(b"g\x01g\x01d")).image
    board.set(Knob.TX_ROOM, 0)
    seqs = [board.send(Type.CALL, call(image)) for _ in range(2)]
    board.run()
    assert board.get(Count.STARTS) == 1
    board.set(Knob.TX_ROOM, 1 << 20)
    frames = board.run()
    assert [(f.type, f.seq) for f in frames] == [(kind, seq) for seq in seqs for kind in (Type.LOG, Type.LOG, Type.RSP)]


def test_a_waiting_call_of_an_image_that_was_damaged(board: Machine) -> None:
    image = board.load(Image(b"ni\x20nf")).image
    seqs = [board.send(Type.CALL, call(image)) for _ in range(2)]
    assert statuses(board.run()) == [(seqs[0], Status.FAULT), (seqs[1], Status.NO_IMAGE)]
    assert board.heap().images == 0


@pytest.mark.parametrize("image", [Image(b"d", data=b"abc"), Image(b"d", bss=3)])
def test_reset_where_the_port_denies_memory(board: Machine, image: Image) -> None:
    wait, then = board.load(Image(b"nd")).image, board.load(image).image
    seqs = [board.send(Type.CALL, call(wait)), board.send(Type.CALL, call(then, flags=CallFlag.RESET))]
    assert board.run(polls=1) == []
    board.set(Knob.NO_MEM, 1)
    frames = board.run()
    assert statuses(frames) == [(seqs[0], Status.OK), (seqs[1], Status.NO_IMAGE)]


def test_a_fault_where_the_port_denies_memory(board: Machine) -> None:
    image = board.load(Image(b"nf")).image
    board.send(Type.CALL, call(image))
    board.run(polls=1)
    board.set(Knob.NO_MEM, 1)
    (frame,) = board.run()
    assert t.FaultRsp.unpack(frame.payload).stack == b""
    board.set(Knob.NO_MEM, 0)
    assert board.heap().images == 0  # its text could not be checked


def test_requests_behind_a_kernel_run_in_order(board: Machine) -> None:
    address = board.alloc(4)
    board.good(Type.WRITE, t.Write(address, b"old!").pack())
    loop = begin(board, b"l")
    seqs = [
        board.send(Type.READ, t.Read(address, 4).pack()),
        board.send(Type.WRITE, t.Write(address, b"new!").pack()),
        board.send(Type.READ, t.Read(address, 4).pack()),
        board.send(Type.FREE, t.Free(address).pack()),
        board.send(Type.READ, t.Read(address, 4).pack()),
    ]
    ping = board.send(Type.PING)
    assert statuses(board.run()) == [(ping, Status.OK)]
    board.send(Type.QUERY, seq=seqs[0])
    board.send(Type.CANCEL, seq=seqs[3])
    frames = board.run()
    assert [(frame.type, frame.seq, frame.arg) for frame in frames] == [
        (Type.PENDING, seqs[0], Phase.HEADER),
        (Type.RSP, seqs[3], Status.CANCELLED),
    ]
    assert frames[1].error.extra == 0
    board.send(Type.CANCEL, seq=loop)
    replies = {frame.seq: frame for frame in board.run()}
    assert [replies[seq].payload for seq in (seqs[0], seqs[2], seqs[4])] == [b"old!", b"new!", b"new!"]
    assert board.peek(address, 4) == b"new!"
