"""A whole session again and again, in which each allocation, or each look at memory, fails in turn: every request gets
its answer, nothing is leaked, and the next session is as if nothing had been."""

from __future__ import annotations

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import CallFlag, Direction, Status, Type
from tests.firmware.conftest import nothing_is_left
from tests.firmware.machine import LOSSY, NONE, RELIABLE, Buffer, Count, Frame, Image, Knob, Machine, call

IN, OUT = int(Direction.IN), int(Direction.OUT)
ADD = Image(b"nad", data=b"initial!", bss=16)
SLOW = Image(b"nnnd", data=b"12")
DATA = bytes(range(200)) * 90


class Session:
    """What a host may do in one, each request whatever came of those before."""

    def __init__(self, board: Machine) -> None:
        self.board = board
        self.answers: dict[int, Frame] = {}
        self.out: dict[int, bytes] = {}
        self.streams: dict[int, bytes] = {}

    def pour(self, seq: int, at: int) -> None:
        data = self.streams[seq]
        for i in range(at, len(data), 5000):
            self.board.send(Type.DATA, data[i : i + 5000], seq=seq, arg=i)

    def listen(self) -> None:
        for frame in self.board.run(polls=8):
            if frame.type == Type.RSP:
                assert frame.seq not in self.answers
                self.answers[frame.seq] = frame
            elif frame.type == Type.DATA:
                self.out[frame.seq] = self.out.get(frame.seq, b"") + frame.payload
            elif frame.type == Type.NAK:
                assert frame.flags == 0
                self.pour(frame.seq, frame.arg)
                self.listen()
        self.board.ack = self.board.next - 1

    def ask(self, kind: Type, payload: bytes, stream: bytes = b"") -> Frame:
        seq = self.board.send(kind, payload)
        self.streams[seq] = stream
        self.pour(seq, 0)
        self.listen()
        return self.answers[seq]

    def alloc(self, size: int) -> int:
        frame = self.ask(Type.ALLOC, t.Alloc(size, 4096, 0).pack())
        return t.AllocRsp.unpack(frame.payload).address if frame.status == Status.OK else 0

    def load(self, image: Image) -> int:
        frame = self.ask(Type.LOAD, image.load.pack())
        if frame.status != Status.OK:
            return 0
        rsp = t.LoadRsp.unpack(frame.payload)
        if not rsp.held:
            self.ask(Type.COMMIT, t.Commit(rsp.image, len(image.bytes), b"").pack(), image.bytes)
        return rsp.image

    def add(self, image: int) -> None:
        size = len(DATA)
        buffers = [Buffer(IN, DATA), Buffer(OUT, size=size)]
        patches = [t.Patch(0, 0, 0), t.Patch(4, 1, 0)]
        blob = bytes(8) + size.to_bytes(4, "little")
        payload = call(image, blob=blob, buffers=buffers, patches=patches, inline=b"", flags=CallFlag.RESET)
        frame = self.ask(Type.CALL, payload, DATA)
        if frame.status == Status.OK:
            result = t.CallRsp.unpack(frame.payload).rest + self.out.get(frame.seq, b"")
            assert result == bytes(x + 1 for x in DATA) or result.count(0) >= 200  # zeros: memory was denied

    def play(self) -> list[Frame]:
        address = self.alloc(100)
        image = self.load(ADD)
        self.ask(Type.WRITE, t.Write(address, b"resident").pack())
        self.add(image)
        slow = self.load(SLOW)
        self.board.send(Type.CALL, call(slow, buffers=[Buffer(OUT, size=10), Buffer(IN | OUT, b"abc")], ret=(0, 0)))
        buffers = [Buffer(IN | OUT, size=100, address=address)] if address else []
        self.board.send(Type.CALL, call(slow, buffers=buffers, stack=100_000, blob=bytes(8), ret=(4, 4), flags=1))
        self.listen()
        self.add(image)
        self.alloc(70_000)
        self.ask(Type.READ, t.Read(address, 8).pack())
        self.ask(Type.FREE, t.Free(address).pack())
        self.ask(Type.HEAP, b"")
        assert sorted(self.answers) == list(range(1, self.board.next))
        return [self.answers[seq] for seq in sorted(self.answers)]


def _statuses(frames: list[Frame]) -> set[Status]:
    return {frame.status for frame in frames}


def _all_is_well_again(board: Machine) -> None:
    for knob in (Knob.FAIL_ALLOC, Knob.FAIL_MORE, Knob.NO_MEM):
        board.set(knob, 0)
    board.hello(nonce=50)
    live = board.heap().images
    assert live <= board.get(Count.LIVE) <= 2 * live  # of each its .data, and nothing else
    board.hello(nonce=51)
    assert _statuses(Session(board).play()) == {Status.OK}
    assert board.get(Count.BAD_FREES) == 0
    nothing_is_left(board)
    board.close()


def _board(flags: int) -> Machine:
    board = Machine(flags)
    board.hello()
    return board


def _count(flags: int, counter: Count) -> int:
    board = _board(flags)
    before = board.get(counter)
    assert _statuses(Session(board).play()) == {Status.OK}
    number = board.get(counter) - before
    _all_is_well_again(board)
    return number


@pytest.mark.parametrize("flags", [RELIABLE, LOSSY])
@pytest.mark.parametrize("more", [0, 1], ids=["one", "all from there"])
def test_each_allocation_fails_in_turn(flags: int, more: int) -> None:
    failed = 0
    number = _count(flags, Count.ALLOCS)
    assert number > 15
    for step in range(1, number + 1):
        board = _board(flags)
        board.set(Knob.FAIL_ALLOC, step)
        board.set(Knob.FAIL_MORE, more)
        frames = Session(board).play()
        bad = [frame for frame in frames if frame.status != Status.OK]
        # What had no memory says so; what stands on it finds no image, no memory at 0. Or an image gave way: otherwise
        # there are two, with their .data, and a stack.
        assert _statuses(bad) <= {Status.NOMEM, Status.NO_IMAGE, Status.RANGE}
        assert not bad or bad[0].status == Status.NOMEM or board.get(Count.LIVE) < 5
        for frame in bad:
            if frame.status == Status.NOMEM:
                assert frame.error.detail in (NONE, 0, 1) and frame.error.extra > 1 << 20
        failed += bool(bad)
        _all_is_well_again(board)
    assert failed >= number // 2  # the others: something gave way, and it went well


@pytest.mark.parametrize("flags", [RELIABLE, LOSSY])
def test_each_look_at_memory_fails_in_turn(flags: int) -> None:
    number = _count(flags, Count.MEMS)
    assert number > 30
    seen: set[Status] = set()
    for step in range(number):
        board = _board(flags)
        board.set(Knob.NO_MEM, step + 2)
        seen |= _statuses(Session(board).play())
        _all_is_well_again(board)
    # RANGE for arrays and memory of the host's, ABI for an image, NOMEM for a call's own memory.
    assert seen == {Status.OK, Status.RANGE, Status.ABI, Status.NO_IMAGE, Status.NOMEM, Status.SEQ}
