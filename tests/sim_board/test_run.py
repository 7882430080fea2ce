"""How the port runs kernels: the state at the start, faults, kills, and limits of instructions; machine code by CALL."""

from __future__ import annotations

import hashlib
import struct
import threading
import time

import pytest

from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from p4kernel.wire._tables import Call, CallRsp, Commit, FaultRsp, Load, LoadRsp, Status, Type
from p4kernel.wire.frames import encode
from p4kernel.wire.session import Reply, Session
from tests.sim.rv32 import code, word

A0, A1, SP, RA = 10, 11, 2, 1
RET = word("jalr", 0, RA, 0)
PSRAM = 0x48000000


class Runner:
    """A session on a virtual board, which runs machine code with a blob."""

    def __init__(self, **options: int) -> None:
        self.board = VirtualBoard(**options)  # type: ignore[arg-type]
        self.session = Session(SimTransport("sim", self.board), lambda text, level: None)

    def call(self, text: bytes, blob: bytes = bytes(8), *, limit: int = 0, stack: int = 0, limit_us: int = 0) -> Reply:
        sha = hashlib.sha256(text).digest()
        n = len(text)
        load = Load(sha, n, n, n, 0, n, 0, 128, 0, 0, 0)
        image = LoadRsp.unpack(self._ok(Type.LOAD, load.pack()))
        if not image.held:
            self._ok(Type.COMMIT, Commit(image.image, n, text).pack())
        call = Call(image.image, 0, 0, limit_us, limit, stack, len(blob), 0, len(blob), 0, 0, 0, blob)
        return self.session.request(Type.CALL, call.pack())

    def result(self, text: bytes, blob: bytes = bytes(8), **options: int) -> CallRsp:
        reply = self.call(text, blob, **options)
        assert reply.status is Status.OK
        return CallRsp.unpack(reply.payload)

    def fault(self, text: bytes) -> FaultRsp:
        reply = self.call(text)
        assert reply.status is Status.FAULT
        return FaultRsp.unpack(reply.payload)

    def _ok(self, kind: Type, payload: bytes) -> bytes:
        reply = self.session.request(kind, payload)
        assert reply.status is Status.OK, reply
        return reply.payload


def countdown(n: int) -> bytes:
    """2 n + 2 instructions."""
    return code(word("addi", A1, 0, n), word("addi", A1, A1, -1), word("bne", A1, 0, -4), RET)


@pytest.mark.parametrize("size", [0, 1, 5, 1000])
def test_a_limit_ends_a_kernel_at_exactly_that_instruction(size: int) -> None:
    runner = Runner(slice_instructions=size)
    need = 2 * 20 + 2
    assert runner.result(countdown(20)).instructions == need
    assert runner.result(countdown(20), limit=need).instructions == need
    for limit in (need - 1, need - 2, 7, 1):
        reply = runner.call(countdown(20), limit=limit)
        assert reply.status is Status.TIMEOUT
        end = FaultRsp.unpack(reply.payload)
        assert end.instructions == limit
        x = struct.unpack("<32I", end.registers)
        steps = limit - 1  # after the first: addi, bne, addi, bne ...
        assert x[A1] == 20 - (steps + 1) // 2


def test_the_state_at_the_start() -> None:
    """Stores all integer registers, fcsr and mstatus to the blob."""
    stores = [word("sw", r, A0, 4 * r) for r in range(1, 32)]
    more = [word("csrrs", A1, 0x003, 0), word("sw", A1, A0, 128), word("csrrs", A1, 0x300, 0), word("sw", A1, A0, 132),
            word("csrrs", A1, 0x305, 0), word("sw", A1, A0, 136)]  # fmt: skip
    runner = Runner()
    end = runner.result(code(*stores, *more, RET), bytes(144), stack=1000)
    *x, fcsr, mstatus, mtvec, _ = struct.unpack("<36I", end.rest[:144])
    assert x[RA] == 0x4FC00000  # the exit stub
    assert x[SP] % 16 == 0
    assert (fcsr, mtvec) == (0, 0)
    assert mstatus >> 13 & 3, "the float unit is on"
    assert [r for r in range(32) if x[r] and r not in (RA, SP, A0)] == []


def test_a_fault_tells_where_and_with_which_registers() -> None:
    text = code(word("addi", 5, 0, 77), word("lui", 6, 0x12345), word("lw", 7, 6, 8), RET)
    end = Runner().fault(text)
    x = struct.unpack("<32I", end.registers)
    assert (end.cause, end.tval) == (5, 0x12345008)
    assert (x[5], x[6], end.instructions) == (77, 0x12345000, 2)
    assert end.pc % 128 == 8


def test_an_empty_slot_of_the_table_is_a_fetch_fault() -> None:
    address = 0x4FC00000 + 8 * 1000
    text = code(word("lui", 5, address + 0x800 >> 12), word("jalr", 0, 5, (address & 0xFFF) - (address & 0x800) * 2))
    end = Runner().fault(text)
    assert (end.cause, end.tval, end.pc) == (1, address, address)


def test_jumping_to_the_exit_stub_is_the_end() -> None:
    assert Runner().result(code(word("lui", 5, 0x4FC00), word("jalr", 0, 5, 0))).instructions == 2


def test_registers_do_not_leak_from_one_kernel_to_the_next() -> None:
    runner = Runner()
    runner.result(code(word("addi", 20, 0, 99), word("csrrwi", 0, 0x003, 31), RET))
    end = runner.result(code(word("sw", 20, A0, 0), word("csrrs", A1, 0x003, 0), word("sw", A1, A0, 4), RET))
    assert end.rest[:8] == bytes(8)


def test_a_time_limit_ends_an_endless_kernel() -> None:
    runner = Runner()
    reply = runner.call(code(word("jal", 0, 0)), limit_us=20_000)
    assert reply.status is Status.TIMEOUT
    assert FaultRsp.unpack(reply.payload).pc % 128 == 0
    assert runner.result(countdown(3)).instructions == 8


def test_a_cancel_of_another_thread_ends_a_running_kernel() -> None:
    runner = Runner()
    seq = 3  # LOAD, COMMIT, CALL
    frame = encode(Type.CANCEL, runner.session.info.session, seq)
    replies: list[Reply] = []
    caller = threading.Thread(target=lambda: replies.append(runner.call(code(word("jal", 0, 0)), limit_us=60_000_000)))
    caller.start()
    while not replies and caller.is_alive():
        assert runner.board.write(frame) == len(frame)
        time.sleep(0.02)
    caller.join(20)
    assert [r.status for r in replies] == [Status.CANCELLED]
    assert FaultRsp.unpack(replies[0].payload).instructions > 0


def test_a_trap_handler_of_the_kernels_own_runs() -> None:
    """mtvec set by the kernel: an illegal instruction enters its handler, which skips it."""
    handler = [word("csrrs", 5, 0x341, 0), word("addi", 5, 5, 4), word("csrrw", 0, 0x341, 5), word("mret")]
    setup = [word("auipc", 6, 0), word("addi", 6, 6, 24), word("csrrw", 0, 0x305, 6), 0xFFFFFFFF, word("addi", 7, 0, 5),
             word("jal", 0, 20)]  # fmt: skip
    text = code(*setup, *handler, word("sw", 7, A0, 0), RET)
    end = Runner().result(text)
    assert struct.unpack("<I", end.rest[:4]) == (5,)


def test_endless_traps_do_not_retire_but_end() -> None:
    """A handler that faults itself: no instruction is retired, so only the time limit can end it."""
    text = code(word("auipc", 6, 0), word("csrrw", 0, 0x305, 6), 0xFFFFFFFF)
    # mtvec is the start of the code, which sets it again and faults again: 2 instructions a round.
    reply = Runner().call(text, limit=1001, limit_us=5_000_000)
    assert reply.status is Status.TIMEOUT
    assert FaultRsp.unpack(reply.payload).instructions == 1001
