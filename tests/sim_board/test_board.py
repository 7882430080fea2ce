"""VirtualBoard: the link's bytes, life and death, threads, fork, and what the port does for the core."""

from __future__ import annotations

import gc
import os
import resource
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

import p4kernel as p4
from p4kernel._native import ffi, lib
from p4kernel._resources import stubs
from p4kernel.errors import BoardError, BoardLost
from p4kernel.sim import VirtualBoard
from p4kernel.sim.generate_exports import load
from p4kernel.sim.link import SimTransport
from p4kernel.wire._tables import VERSION, Hello, HelloRsp, InfoFlag, Type
from p4kernel.wire.frames import Frame, FrameReader, encode
from p4kernel.wire.session import Session
from tests.tools import needs

HELLO = encode(Type.HELLO, 0, 0, payload=Hello(VERSION, VERSION, 0, 1).pack())


def answer(board: VirtualBoard, frame: bytes) -> Frame:
    taken, got = board.exchange(frame, 1.0)
    assert taken == len(frame)
    (reply,) = FrameReader().feed(got)
    return reply


def test_hello_tells_what_the_board_is() -> None:
    board = VirtualBoard(psram=8 << 20, sram=512 << 10, tcm=0, revision=301)
    info = HelloRsp.unpack(answer(board, HELLO).payload)
    assert (info.chip, info.revision, info.psram_size, info.sram_size) == ("ESP32-P4", 301, 8 << 20, 512 << 10)
    assert info.flags == InfoFlag.VIRTUAL | InfoFlag.COUNTS | InfoFlag.RELIABLE
    assert info.exports == len(load(stubs() / "exports.yaml"))
    assert len(set(info.firmware_sha)) > 8
    assert "virtual" in info.firmware


def test_a_link_that_is_not_reliable_is_announced() -> None:
    info = HelloRsp.unpack(answer(VirtualBoard(reliable=False), HELLO).payload)
    assert not info.flags & InfoFlag.RELIABLE


def test_a_seed_makes_nonces_repeatable() -> None:
    def nonce(seed: int) -> int:
        return HelloRsp.unpack(answer(VirtualBoard(seed=seed), HELLO).payload).nonce

    assert nonce(5) == nonce(5)
    assert len({nonce(0), nonce(0), nonce(5), nonce(6)}) == 4


def test_bytes_go_through_in_any_pieces() -> None:
    board = VirtualBoard(seed=3)
    for i in range(len(HELLO)):
        assert board.write(HELLO[i : i + 1]) == 1
        state = board.pump(0.0)
        assert state.readable == (i + 1 == len(HELLO))
    pieces = iter(lambda: board.read(7), b"")
    assert b"".join(pieces) == VirtualBoard(seed=3).exchange(HELLO, 1.0)[1]
    assert board.read() == b""


def test_the_ring_takes_what_it_can_hold() -> None:
    board = VirtualBoard()
    assert board.write(bytes(600_000)) == 1 << 19
    assert board.write(b"x") == 0
    board.pump(0.0)  # noise: thrown away by the core
    assert board.write(b"x") == 1


def test_sizes_that_are_not_possible() -> None:
    for sizes in ({"psram": 1 << 30}, {"sram": 1000}, {"psram": -4096}, {"sram": 1 << 40}):
        with pytest.raises(BoardError, match="virtual board"):
            VirtualBoard(**sizes)  # type: ignore[arg-type]


def test_a_closed_board_says_so() -> None:
    board = VirtualBoard()
    assert "psram=33554432" in repr(board)
    board.close()
    board.close()
    assert board.closed
    assert "closed" in repr(board)
    for use in (board.read, board.link_down, lambda: board.write(b""), lambda: board.pump(0), lambda: board.work(0)):
        with pytest.raises(BoardLost, match="closed"):
            use()


def _resident() -> int:
    """Bytes of this process' memory that are used now."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


@needs(sys.platform.startswith("linux"), "reads /proc")
def test_memory_costs_only_what_is_touched_and_is_freed() -> None:
    VirtualBoard().exchange(HELLO, 1.0)
    gc.collect()
    before = _resident()
    boards = [VirtualBoard() for _ in range(8)]
    for hello in [board.exchange(HELLO, 1.0) for board in boards]:
        assert hello[1]
    assert _resident() - before < 8 * (6 << 20)  # of 32 MB and more each
    dead = weakref.ref(boards[0])
    boards.clear()
    gc.collect()
    assert dead() is None
    for _ in range(200):  # 200 boards that were not freed would take gigabytes of address space and much memory
        VirtualBoard().exchange(HELLO, 1.0)
    assert _resident() - before < 40 << 20


def test_one_thread_may_write_while_another_waits_for_work() -> None:
    board = VirtualBoard()
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(board.work(30.0)))
    reader.start()
    assert board.write(HELLO) == len(HELLO)
    reader.join(20)
    assert not reader.is_alive()
    assert FrameReader().feed(got[0])


def test_closing_ends_a_wait_in_another_thread() -> None:
    board = VirtualBoard()
    reader = threading.Thread(target=board.work, args=(60.0,))
    reader.start()
    while lib.p4v_users(_cdata(board)) == 0:
        time.sleep(0.001)
    time.sleep(0.02)
    board.close()
    reader.join(20)
    assert not reader.is_alive()


def _cdata(board: VirtualBoard) -> object:
    return board._live()


@needs(hasattr(os, "fork"), "needs fork")
def test_a_forked_process_has_a_copy_of_its_own() -> None:
    board = VirtualBoard(seed=9)
    first = board.exchange(HELLO, 1.0)[1]
    child = os.fork()
    if child == 0:
        # A second HELLO of the same client, before any request, gets the same session: the state came along.
        os._exit(0 if board.exchange(HELLO, 1.0)[1] == first else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert board.exchange(HELLO, 1.0)[1] == first


@needs(hasattr(os, "fork"), "needs fork")
def test_a_board_in_use_by_another_thread_is_refused_after_fork() -> None:
    board = VirtualBoard()
    reader = threading.Thread(target=board.work, args=(60.0,))
    reader.start()
    while lib.p4v_users(_cdata(board)) == 0:
        time.sleep(0.001)
    child = os.fork()
    if child == 0:
        try:
            board.read()
        except BoardLost as error:
            os._exit(0 if "forked" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    board.close()
    reader.join(20)


def test_link_down_ends_the_session_and_empties_the_link() -> None:
    board = VirtualBoard()
    session = HelloRsp.unpack(answer(board, HELLO).payload).session
    board.write(encode(Type.PING, session, 1) + b"half a fra")
    board.link_down()
    assert board.pump(0.0).readable is False
    assert answer(board, encode(Type.PING, session, 1)).arg == 3  # SESSION
    assert HelloRsp.unpack(answer(board, HELLO).payload).session != session


@pytest.mark.parametrize("data", [b"", b"123456789", bytes(range(256)) * 97])
def test_crc32_is_zlibs(data: bytes) -> None:
    import zlib

    for start in (0, 0xDEADBEEF):
        for cut in (0, 1, 15, 63, 64, 65, 200):
            view = memoryview(data)[cut:]
            assert lib.p4v_crc32(start, ffi.from_buffer(view), len(view)) == zlib.crc32(view, start)


# -- memory ---------------------------------------------------------------------------------------------------------


def test_allocations_have_lines_of_their_own_and_regions_by_capability(board: p4.Board) -> None:
    memory = board.memory
    a, b = memory.allocate(1), memory.allocate(1)
    assert (a % 128, b % 128, abs(a - b) >= 128) == (0, 0, True)
    places = {where: memory.allocate(100, where=where) for where in ("psram", "internal", "tcm")}
    assert {w: p >> 20 for w, p in places.items()} == {"psram": 0x480, "internal": 0x4FF, "tcm": 0x301}
    page = memory.allocate(10, align=4096)
    assert page % 4096 == 0
    memory.free(a)
    assert memory.allocate(64) == a  # best fit: the hole
    for address in (a, b, page, *places.values()):
        memory.free(address)
    with pytest.raises(p4.BoardError):
        memory.free(a)


def test_allocating_at_random_never_overlaps_and_leaves_nothing(board: p4.Board) -> None:
    rng = np.random.default_rng(4)
    start = board.memory.state()
    held: dict[int, int] = {}
    for _ in range(600):
        if held and rng.random() < 0.5:
            address = list(held)[int(rng.integers(len(held)))]
            del held[address]
            board.memory.free(address)
        elif len(held) < 200:
            size, align = int(rng.integers(1, 100_000)), 1 << int(rng.integers(0, 13))
            address = board.memory.allocate(size, align, "psram")
            assert address % align == 0
            assert all(address + size <= a or a + s <= address for a, s in held.items())
            held[address] = size
    for address in held:
        board.memory.free(address)
    assert board.memory.state().regions == start.regions


def test_all_of_a_region_can_be_had(board: p4.Board) -> None:
    region = next(r for r in board.memory.state().regions if r.name == "tcm")
    address = board.memory.allocate(region.largest, where="tcm")
    with pytest.raises(p4.OutOfMemory):
        board.memory.allocate(1, where="tcm")
    board.memory.free(address)


def test_one_large_array_travels_up_and_down() -> None:
    """16 MB both ways, unchanged, through windows of DATA."""
    transport = SimTransport("sim", VirtualBoard(psram=64 << 20))
    with p4.Board(transport, "sim", lambda text, level: None):

        @p4.kernel
        def invert(x: p4.InOut[np.uint32], n: p4.i32 = p4.size("x")) -> None:
            p4.c("for (int i = 0; i < n; i += 1024) x[i] = ~x[i];")

        x = np.random.default_rng(1).integers(0, 1 << 32, 4 << 20, dtype=np.uint32)
        wanted = x.copy()
        wanted[::1024] = ~wanted[::1024]
        invert(x)
        assert np.array_equal(x, wanted)
        assert transport.board.defects == 0
    assert transport.board.closed


# -- kernels --------------------------------------------------------------------------------------------------------


@p4.kernel
def work(n: p4.u32) -> p4.u32:
    p4.c("uint32_t s = n; for (uint32_t i = 0; i < n; ++i) s = s * 1664525u + i; return s;")


@p4.kernel
def divide(a: p4.i64, b: p4.i64) -> p4.i64:
    p4.c("return a / b + b / a;")


def test_the_length_of_slices_changes_nothing() -> None:
    seen = set()
    for size in (0, 1, 7, 1000):
        transport = SimTransport("sim", VirtualBoard(slice_instructions=size))
        with p4.Board(transport, "sim", lambda text, level: None):
            seen.add((work(3000), work.last.instructions if work.last else None))
        transport.close()
    assert len(seen) == 1


def test_calls_of_firmware_functions_are_counted(board: p4.Board) -> None:
    assert divide(10**15, 7) == 10**15 // 7
    assert divide.last is not None
    assert divide.last.firmware_calls == 2


def test_text_arrives_complete_and_in_order() -> None:
    """More than the log of the core and the text of the port can hold at once, in lines, pieces and one huge call."""
    texts: list[str] = []
    transport = SimTransport("sim", VirtualBoard())
    with p4.Board(transport, "sim", lambda text, level: texts.append(text)):

        @p4.kernel
        def chatter(lines: p4.i32) -> None:
            p4.c(
                """
                for (int i = 0; i < lines; ++i) {
                    printf("line %d ", i);
                    puts("ends");
                }
                printf("%5000d|%s", 1, "");
                for (int i = 0; i < 70000; ++i)
                    putchar('a' + i % 26);
                """,
                preamble="#include <stdio.h>",
            )

        chatter(20_000)
    wanted = "".join(f"line {i} ends\n" for i in range(20_000)) + f"{1:5000d}|"
    wanted += "".join(chr(ord("a") + i % 26) for i in range(70_000))
    assert "".join(texts) == wanted


def test_text_that_is_too_long_is_cut_audibly() -> None:
    texts: list[str] = []
    transport = SimTransport("sim", VirtualBoard())
    with p4.Board(transport, "sim", lambda text, level: texts.append(text)):

        @p4.kernel
        def shout() -> p4.i32:
            p4.c('return printf("%100000d", 1);', preamble="#include <stdio.h>")

        assert shout() == 100_000
    assert "".join(texts) == " " * 65536 + "\n[34464 more characters were not kept]\n"


def test_sessions_end_leaves_nothing_allocated() -> None:
    virtual = VirtualBoard()
    session = Session(SimTransport("sim", virtual), lambda text, level: None)
    before = virtual.allocated
    from p4kernel.memory import Memory

    memory = Memory(lambda kind, payload, claim=None: session.request(kind, payload), lambda: None)
    memory.allocate(5000)
    assert virtual.allocated - before == 5120
    virtual.link_down()
    assert virtual.allocated == before
    assert virtual.defects == 0
