"""What lives on the board for longer than a call: lists of what the host gives back, and images that keep state."""

from __future__ import annotations

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import CallFlag, Cap, Direction, LoadFlag, Status, Type
from tests.firmware.machine import NONE, Buffer, Count, Image, Knob, Machine, call, words

COUNTER = Image(b"i\x40i\x42r\x00\x40r\x01\x42d", data=b"\x05\x06", bss=2, flags=int(LoadFlag.PIN))
IN, OUT = int(Direction.IN), int(Direction.OUT)


def count(board: Machine, image: int, flags: int = 0) -> bytes:
    """Counts up a byte of .data and one of .bss, and returns both."""
    reply = board.good(Type.CALL, call(image, blob=bytes(4), ret=(0, 2), flags=flags))
    return t.CallRsp.unpack(reply).rest


# -- giving back ------------------------------------------------------------------------------------------------


def test_memory_starts_as_zeros(board: Machine) -> None:
    first = board.alloc(5000)
    board.poke(first, b"\xa5" * 5000)
    board.good(Type.FREE, t.Free(first).pack())
    assert board.peek(board.alloc(5000), 5000) == bytes(5000)


def test_an_allocation_that_the_port_denies_afterwards(board: Machine) -> None:
    board.set(Knob.NO_MEM, 1)
    assert board.ask(Type.ALLOC, t.Alloc(100, 1, 0).pack()).status == Status.NOMEM
    board.set(Knob.NO_MEM, 0)
    assert board.get(Count.LIVE) == board.heap().allocations == 0


def test_a_list_is_freed_at_once(board: Machine) -> None:
    addresses = [board.alloc(100) for _ in range(5)]
    board.good(Type.FREE, words(addresses[:3]))
    assert board.heap().allocations == 2
    frame = board.ask(Type.FREE, words([addresses[3], 77, addresses[4], addresses[0]]))
    assert (frame.status, frame.error) == (Status.RANGE, t.Error(NONE, addresses[0]))  # the last that was not there
    assert board.heap().allocations == board.get(Count.LIVE) == 0


@pytest.mark.parametrize("more", [1, 2, 3])
def test_lists_of_half_addresses(board: Machine, more: int) -> None:
    address = board.alloc(100)
    for kind, payload in ((Type.ALLOC, t.Alloc(8, 1, 0).pack()), (Type.FREE, t.Free(address).pack())):
        assert board.ask(kind, payload + bytes(more)).status == Status.ARG
    assert board.heap().allocations == 1


def test_an_allocation_takes_the_place_of_what_it_frees(board: Machine) -> None:
    old = board.alloc(4 << 20, 1, Cap.PSRAM)
    reply = board.good(Type.ALLOC, t.Alloc(4 << 20, 1, Cap.PSRAM, words([old])).pack())
    assert t.AllocRsp.unpack(reply).address == old
    reply = board.good(Type.ALLOC, t.Alloc(10, 1, Cap.PSRAM, words([77, old, old])).pack())  # the list sent twice
    assert t.AllocRsp.unpack(reply).address == old
    assert board.heap().allocations == 1


def test_a_call_frees_before_it_allocates(board: Machine) -> None:
    image = board.load(Image(b"d", cap=Cap.INTERNAL)).image
    old = board.alloc(4 << 20, 1, Cap.PSRAM)
    buffers = [Buffer(IN, bytes(64), cap=Cap.PSRAM)]
    assert board.ask(Type.CALL, call(image, buffers=buffers)).status == Status.NOMEM
    board.good(Type.CALL, call(image, buffers=buffers, frees=[old, old, 77]))
    assert board.heap().allocations == 0


def test_a_call_cannot_use_what_it_frees(board: Machine) -> None:
    image = board.load(Image(b"d")).image
    old = board.alloc(64)
    frame = board.ask(Type.CALL, call(image, buffers=[Buffer(IN, bytes(64), address=old)], frees=[old]))
    assert (frame.status, frame.error) == (Status.RANGE, t.Error(0, old))


def test_a_call_of_no_image_frees_and_one_of_bad_size_does_not(board: Machine) -> None:
    old = board.alloc(64)
    short = call(0, frees=[old])
    assert board.ask(Type.CALL, short[:-1]).status == Status.ARG
    assert board.heap().allocations == 1
    assert board.ask(Type.CALL, short).status == Status.NO_IMAGE
    assert board.heap().allocations == 0


def test_nothing_is_freed_under_an_earlier_call(board: Machine) -> None:
    """The second call waits as a whole, though calls without a list get ready behind others."""
    endless, image = board.load(Image(b"l")).image, board.load(Image(b"d")).image
    array = board.alloc(64)
    first = board.send(Type.CALL, call(endless, buffers=[Buffer(OUT, size=64, address=array)]))
    second = board.send(Type.CALL, call(image, frees=[array]))
    assert board.run() == []
    assert board.peek(array, 64) == bytes(64)
    board.send(Type.CANCEL, seq=first)
    frames = board.run()
    assert [(f.seq, f.status) for f in frames] == [(first, Status.CANCELLED), (second, Status.OK)]
    assert board.heap().allocations == 0


@pytest.mark.parametrize("kind", [Type.CALL, Type.ALLOC])
def test_nothing_is_freed_that_may_be_read_again(lossy: Machine, kind: Type) -> None:
    image = lossy.load(Image(b"d")).image
    array = lossy.alloc(64)
    read = lossy.send(Type.READ, t.Read(array, 64).pack())
    lossy.run()
    lossy.send(kind, call(image, frees=[array]) if kind == Type.CALL else t.Alloc(8, 1, 0, words([array])).pack())
    assert lossy.run() == []
    lossy.send(Type.READ, t.Read(array, 64).pack(), seq=read)  # the answer was lost
    assert [frame.status for frame in lossy.run()] == [Status.OK]
    lossy.ack = read
    lossy.send(Type.ACK, seq=0)
    lossy.run()
    assert lossy.heard[-1].status == Status.OK
    assert lossy.heap().allocations == (kind == Type.ALLOC)


# -- images that keep state -------------------------------------------------------------------------------------


def test_a_pinned_image_gives_way_to_nothing(board: Machine) -> None:
    pinned = board.load(COUNTER)
    assert count(board, pinned.image) == b"\x06\x01"
    others = [board.load(Image(b"d", text_room=64 + i)) for i in range(t.MAX_IMAGES + 5)]
    assert board.heap().images == t.MAX_IMAGES and others[-1].image
    assert board.ask(Type.ALLOC, t.Alloc(4 << 20, 1, Cap.PSRAM).pack()).status == Status.NOMEM
    assert board.heap().images == 1  # all that could, gave way
    assert count(board, pinned.image) == b"\x07\x02"
    assert count(board, pinned.image, CallFlag.RESET) == b"\x06\x01"


def test_a_table_full_of_pinned_images(board: Machine) -> None:
    loaded = [board.load(Image(b"d", text_room=64 + i, flags=1)) for i in range(t.MAX_IMAGES)]
    frame = board.ask(Type.LOAD, Image(b"d").load.pack())
    assert (frame.status, frame.error.extra) == (Status.LIMIT, t.MAX_IMAGES)
    board.good(Type.UNLOAD, t.Unload(loaded[3].image).pack())
    board.good(Type.CALL, call(board.load(Image(b"d")).image))


def test_a_pinned_image_ends_with_the_session(board: Machine) -> None:
    pinned, plain = board.load(COUNTER), board.load(Image(b"d"))
    board.hello(nonce=2)
    assert board.heap().images == 1
    assert board.ask(Type.CALL, call(pinned.image)).status == Status.NO_IMAGE
    board.good(Type.CALL, call(plain.image))
    assert not board.load(COUNTER).held


def test_a_pinned_image_ends_with_the_session_while_it_runs(board: Machine) -> None:
    image = board.load(Image(b"l", flags=1)).image
    board.send(Type.CALL, call(image))
    assert board.run() == []
    board.hello(nonce=2)
    assert board.heap().images == 0


def test_a_pinned_image_is_given_back_by_its_address(board: Machine) -> None:
    pinned, plain = board.load(COUNTER), board.load(Image(b"d"))
    frame = board.ask(Type.FREE, t.Free(plain.address).pack())
    assert (frame.status, frame.error.extra) == (Status.RANGE, plain.address)
    board.good(Type.CALL, call(plain.image, frees=[plain.address, pinned.address]))
    assert board.heap().images == 1
    board.good(Type.FREE, t.Free(board.load(COUNTER).address).pack())


def test_flags_belong_to_the_identity(board: Machine) -> None:
    board.load(COUNTER)
    assert board.ask(Type.LOAD, COUNTER.load._replace(flags=0).pack()).status == Status.ARG
    assert board.ask(Type.LOAD, Image(b"d").load._replace(flags=2).pack()).status == Status.ARG
    first = t.LoadRsp.unpack(board.good(Type.LOAD, Image(b"d").load.pack()))
    second = t.LoadRsp.unpack(board.good(Type.LOAD, Image(b"d").load._replace(flags=1).pack()))
    assert first.image != second.image  # what was not committed begins again


def test_variables_are_read_and_written(board: Machine) -> None:
    rsp = board.load(COUNTER)
    data, bss, end = rsp.address + 64, rsp.address + 66, rsp.address + 68
    assert board.good(Type.READ, t.Read(rsp.address, 68).pack()) == COUNTER.bytes + bytes(2)
    board.good(Type.WRITE, t.Write(data, b"\x10\x20").pack())
    board.good(Type.WRITE, t.Write(bss + 1, b"\x30").pack())
    board.good(Type.WRITE, t.Write(bss, b"\x40").pack())
    assert count(board, rsp.image) == b"\x11\x41"
    assert board.good(Type.READ, t.Read(data, 4).pack()) == b"\x11\x20\x41\x30"
    for address, size in ((data - 1, 1), (rsp.address, 4), (data + 1, 2), (bss + 1, 2), (end, 1)):
        assert board.ask(Type.WRITE, t.Write(address, bytes(size)).pack()).status == Status.RANGE
    for address, size in ((rsp.address - 1, 2), (end - 1, 2), (end + 1, 0)):
        assert board.ask(Type.READ, t.Read(address, size).pack()).status == Status.RANGE


def test_variables_are_buffers_of_calls(board: Machine) -> None:
    """out[i] = in[i] + 1 from the text of the pinned image to its .data; code is no output."""
    rsp = board.load(COUNTER)
    add = board.load(Image(b"ad")).image
    data = rsp.address + 64

    def args(source: int, target: int) -> bytes:
        buffers = [Buffer(IN, size=2, address=source), Buffer(OUT, size=2, address=target)]
        return call(add, blob=bytes(8) + words([2]), buffers=buffers, patches=[t.Patch(0, 0, 0), t.Patch(4, 1, 0)])

    board.good(Type.CALL, args(rsp.address, data))
    assert board.peek(data, 2) == bytes(b + 1 for b in COUNTER.text[:2])
    frame = board.ask(Type.CALL, args(data, rsp.address))
    assert (frame.status, frame.error) == (Status.RANGE, t.Error(1, rsp.address))


def test_images_that_are_not_pinned_or_not_whole_are_no_memory(board: Machine) -> None:
    plain = board.load(Image(b"d", data=b"xx"))
    half = t.LoadRsp.unpack(board.good(Type.LOAD, COUNTER.load.pack()))
    for rsp in (plain, half):
        assert board.ask(Type.READ, t.Read(rsp.address + 64, 1).pack()).status == Status.RANGE
        assert board.ask(Type.WRITE, t.Write(rsp.address + 64, b"x").pack()).status == Status.RANGE


def test_a_pinned_image_that_wrote_over_its_code_is_dropped(board: Machine) -> None:
    wild = board.load(Image(b"i\x20f", flags=1))
    assert board.ask(Type.CALL, call(wild.image)).status == Status.FAULT
    assert board.ask(Type.CALL, call(wild.image)).status == Status.NO_IMAGE
    assert board.ask(Type.READ, t.Read(wild.address, 1).pack()).status == Status.RANGE
    assert board.heap().images == 0
