"""Memory, the heap, the exports, and requests that make no sense."""

from __future__ import annotations

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import Cap, Status, Type
from tests.firmware.machine import NONE, Count, Knob, Machine


def test_ping(board: Machine) -> None:
    assert board.good(Type.PING) == b""


def test_write_then_read(board: Machine) -> None:
    address = board.alloc(1000, 64, Cap.INTERNAL)
    assert address % 128 == 0 and 0x4FF00000 <= address < 0x4FF40000
    board.good(Type.WRITE, t.Write(address + 10, b"hello").pack())
    assert board.peek(address + 9, 7) == b"\0hello\0"
    assert board.good(Type.READ, t.Read(address + 10, 5).pack()) == b"hello"
    assert board.good(Type.READ, t.Read(address + 1000, 0).pack()) == b""
    board.good(Type.WRITE, t.Write(address + 1000, b"").pack())


@pytest.mark.parametrize("offset, size", [(-1, 2), (0, 1001), (1000, 1), (1001, 0), (-128, 0), (-1, 1002)])
def test_memory_outside_the_table_is_not_touched(board: Machine, offset: int, size: int) -> None:
    address = board.alloc(1000)
    board.poke(address, b"\xa5" * 1000)
    frame = board.ask(Type.READ, t.Read(address + offset, size).pack())
    assert (frame.status, frame.error) == (Status.RANGE, t.Error(NONE, address + offset))
    frame = board.ask(Type.WRITE, t.Write(address + offset, bytes(size)).pack())
    assert (frame.status, frame.error) == (Status.RANGE, t.Error(NONE, address + offset))
    assert board.peek(address, 1000) == b"\xa5" * 1000


def test_an_access_does_not_span_two_allocations(board: Machine) -> None:
    first, second = board.alloc(128), board.alloc(128)
    assert second == first + 128
    assert board.ask(Type.READ, t.Read(first + 100, 56).pack()).status == Status.RANGE


def test_most_of_one_read(board: Machine) -> None:
    address = board.alloc(t.MAX_PAYLOAD + 1)
    assert len(board.good(Type.READ, t.Read(address, t.MAX_PAYLOAD).pack())) == t.MAX_PAYLOAD
    frame = board.ask(Type.READ, t.Read(address, t.MAX_PAYLOAD + 1).pack())
    assert (frame.status, frame.error.extra) == (Status.LIMIT, t.MAX_PAYLOAD)
    assert board.ask(Type.READ, t.Read(address, 0xFFFFFFFF).pack()).status == Status.LIMIT


def test_memory_that_the_port_denies(board: Machine) -> None:
    address = board.alloc(16)
    board.set(Knob.NO_MEM, 1)
    assert board.ask(Type.WRITE, t.Write(address, b"x").pack()).status == Status.RANGE
    assert board.ask(Type.READ, t.Read(address, 1).pack()).status == Status.SEQ


def test_free(board: Machine) -> None:
    addresses = [board.alloc(100) for _ in range(3)]
    board.good(Type.FREE, t.Free(addresses[0]).pack())
    assert board.ask(Type.READ, t.Read(addresses[0], 1).pack()).status == Status.RANGE
    for address in (addresses[0], addresses[1] + 4, 0):
        frame = board.ask(Type.FREE, t.Free(address).pack())
        assert (frame.status, frame.error.extra) == (Status.RANGE, address)
    assert board.heap().allocations == 2
    board.good(Type.READ, t.Read(addresses[2], 100).pack())


@pytest.mark.parametrize("size, align, cap", [(0, 1, 0), (1, 3, 0), (1, 8192, 0), (1, 0x80000000, 0), (1, 1, 16)])
def test_allocations_that_are_refused(board: Machine, size: int, align: int, cap: int) -> None:
    assert board.ask(Type.ALLOC, t.Alloc(size, align, cap).pack()).status == Status.ARG


def test_out_of_memory_names_the_largest_block(board: Machine) -> None:
    for cap, total in ((0, 4 << 20), (Cap.INTERNAL, 256 << 10), (Cap.TCM, 8 << 10)):
        frame = board.ask(Type.ALLOC, t.Alloc(total + 1, 1, cap).pack())
        assert (frame.status, frame.error) == (Status.NOMEM, t.Error(NONE, total))
    assert board.ask(Type.ALLOC, t.Alloc(0xFFFFFFFF, 4096, 0).pack()).status == Status.NOMEM
    assert board.get(Count.LIVE) == 0


def test_the_table_of_allocations_is_bounded(board: Machine) -> None:
    addresses = [board.alloc(1) for _ in range(t.MAX_ALLOCATIONS)]
    frame = board.ask(Type.ALLOC, t.Alloc(1, 1, 0).pack())
    assert (frame.status, frame.error.extra) == (Status.LIMIT, t.MAX_ALLOCATIONS)
    board.good(Type.FREE, t.Free(addresses[7]).pack())
    assert board.alloc(1) == addresses[7]


def test_heap(board: Machine) -> None:
    board.alloc(1024, 1, Cap.INTERNAL)
    heap = board.heap()
    assert (heap.allocations, heap.images, heap.regions) == (1, 0, 3)
    size = t.HEAP_REGION_SIZE
    regions = [t.HeapRegion.unpack(heap.table[i : i + size]) for i in range(0, len(heap.table), size)]
    assert len(regions) == 3
    internal = regions[1]
    assert internal.cap & Cap.INTERNAL and internal.base == 0x4FF00000
    assert (internal.total, internal.free, internal.largest) == (256 << 10, 255 << 10, 255 << 10)


def test_exports_come_in_pages() -> None:
    board = Machine()
    board.set(Knob.EXPORTS, 2000)
    assert board.hello().exports == 2000
    names: list[tuple[int, str]] = []
    while len(names) < 2000:
        rsp = t.ExportsRsp.unpack(board.good(Type.EXPORTS, t.Exports(len(names)).pack()))
        assert rsp.total == 2000 and rsp.table
        table = rsp.table
        while table:
            size = t.EXPORT_ENTRY_SIZE + 1 + table[t.EXPORT_ENTRY_SIZE]
            entry = t.ExportEntry.unpack(table[:size])
            names.append((entry.address, entry.name))
            table = table[size:]
    assert names == [(0 if i == 1 else 0x4FC00000 + 8 * i, f"function_with_a_longish_name_{i}") for i in range(2000)]
    assert t.ExportsRsp.unpack(board.good(Type.EXPORTS, t.Exports(2000).pack())).table == b""
    assert t.ExportsRsp.unpack(board.good(Type.EXPORTS, t.Exports(0xFFFFFFFF).pack())).table == b""
    board.close()


@pytest.mark.parametrize("kind", [Type.AUTH, 0x7F, 0xFF, 0])
def test_an_unknown_request_takes_a_number(board: Machine, kind: int) -> None:
    frame = board.ask(kind, b"whatever")
    assert (frame.status, frame.error) == (Status.COMMAND, t.Error(NONE, kind))
    board.good(Type.PING)


@pytest.mark.parametrize("kind", [Type.RSP, Type.LOG, Type.PENDING, Type.CREDIT, Type.CALLBACK])
def test_an_echo_of_the_boards_own_frames_is_not_answered(board: Machine, kind: Type) -> None:
    board.send(kind, b"12345678", seq=board.next)
    assert board.run() == []
    board.good(Type.PING)


SIZES = {
    Type.ALLOC: t.ALLOC_SIZE,
    Type.FREE: t.FREE_SIZE,
    Type.READ: t.READ_SIZE,
    Type.LOAD: t.LOAD_SIZE,
    Type.UNLOAD: t.UNLOAD_SIZE,
    Type.EXPORTS: t.EXPORTS_SIZE,
}


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("more", [-1, 1])
def test_payloads_of_another_size(board: Machine, kind: Type, more: int) -> None:
    frame = board.ask(kind, bytes(SIZES[kind] + more))
    assert (frame.status, frame.error) == (Status.ARG, t.Error(NONE, SIZES[kind] + more))


@pytest.mark.parametrize("kind, size", [(Type.WRITE, 3), (Type.COMMIT, 7), (Type.CALL, 39), (Type.CALL, 0)])
def test_payloads_that_are_too_short(board: Machine, kind: Type, size: int) -> None:
    assert board.ask(kind, bytes(size)).status == Status.ARG
