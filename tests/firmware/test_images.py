"""LOAD, COMMIT, UNLOAD; what is held, evicted, dropped; .data and .bss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import CallFlag, Cap, Status, Type
from tests.firmware.machine import NONE, Count, Image, Knob, Machine, call

DONE = Image(b"d")


def commit(board: Machine, image: int, data: bytes, inline: int | None = None) -> Status:
    return board.ask(Type.COMMIT, t.Commit(image, len(data), data[:inline]).pack()).status


def test_load_commit_call_unload(board: Machine) -> None:
    rsp = board.load(Image(b"d", align=4096))
    assert not rsp.held and rsp.address % 4096 == 0
    assert board.peek(rsp.address, 64) == b"d".ljust(64, b"\0")
    board.good(Type.CALL, call(rsp.image))
    board.good(Type.UNLOAD, t.Unload(rsp.image).pack())
    for kind, payload in ((Type.UNLOAD, t.Unload(rsp.image).pack()), (Type.CALL, call(rsp.image))):
        frame = board.ask(kind, payload)
        assert (frame.status, frame.error) == (Status.NO_IMAGE, t.Error(NONE, rsp.image))


def test_a_held_image_is_not_sent_again(board: Machine) -> None:
    first = board.load(DONE)
    second = t.LoadRsp.unpack(board.good(Type.LOAD, DONE.load.pack()))
    assert second == first._replace(held=1)
    board.hello(nonce=2)
    assert t.LoadRsp.unpack(board.good(Type.LOAD, DONE.load.pack())) == second
    board.good(Type.CALL, call(first.image))


def test_an_unfinished_image_is_continued_and_ends_with_the_session(board: Machine) -> None:
    first = t.LoadRsp.unpack(board.good(Type.LOAD, DONE.load.pack()))
    assert t.LoadRsp.unpack(board.good(Type.LOAD, DONE.load.pack())) == first
    assert board.ask(Type.CALL, call(first.image)).status == Status.NO_IMAGE
    assert board.get(Count.LIVE) == 1
    board.hello(nonce=2)
    assert board.get(Count.LIVE) == 0
    assert board.ask(Type.COMMIT, t.Commit(first.image, 64, DONE.bytes).pack()).status == Status.NO_IMAGE


def test_the_same_hash_with_another_layout(board: Machine) -> None:
    load = DONE.load
    first = t.LoadRsp.unpack(board.good(Type.LOAD, load.pack()))
    other = load._replace(size=128)
    second = t.LoadRsp.unpack(board.good(Type.LOAD, other.pack()))
    assert second.image != first.image and not second.held  # what was not committed begins again
    assert commit(board, second.image, DONE.bytes) == Status.OK
    assert board.ask(Type.LOAD, load.pack()).status == Status.ARG  # what was is another image


def test_id_zero_is_no_image(board: Machine) -> None:
    assert board.ask(Type.UNLOAD, t.Unload(0).pack()).status == Status.NO_IMAGE


@pytest.mark.parametrize(
    "change",
    [
        {"text_size": 0},
        {"text_size": 113},
        {"data_offset": 113},
        {"data_size": 49},
        {"data_size": 0xFFFFFFFF},
        {"bss_offset": 113, "bss_size": 0},
        {"bss_size": 33},
        {"bss_offset": 0xFFFFFFF0, "bss_size": 0x20},
        {"data_offset": 60},
        {"bss_offset": 63},
        {"bss_offset": 70},
        {"align": 24},
        {"align": 8192},
        {"cap": 32},
    ],
)
def test_a_layout_that_cannot_be(board: Machine, change: dict[str, Any]) -> None:
    load = Image(b"d", data=bytes(16), bss=32).load
    assert load.size == 112
    assert board.ask(Type.LOAD, load._replace(**change).pack()).status == Status.ARG
    board.good(Type.LOAD, load.pack())


@pytest.mark.parametrize("size", [63, 79, 113])
def test_a_commit_that_does_not_fit_the_layout(board: Machine, size: int) -> None:
    rsp = t.LoadRsp.unpack(board.good(Type.LOAD, Image(b"d", data=bytes(16), bss=32).load.pack()))
    assert commit(board, rsp.image, bytes(size)) == Status.ARG
    assert board.ask(Type.COMMIT, t.Commit(rsp.image, 80, bytes(81)).pack()).status == Status.ARG
    assert commit(board, rsp.image, bytes(112)) == Status.OK
    assert commit(board, rsp.image, bytes(112)) == Status.ARG


def test_commit_streams(board: Machine) -> None:
    image = Image(b"d", text_room=50_000)
    rsp = t.LoadRsp.unpack(board.good(Type.LOAD, image.load.pack()))
    data = bytes(i * 7 % 251 for i in range(50_000))
    seq = board.send(Type.COMMIT, t.Commit(rsp.image, 50_000, data[:100]).pack())
    for at in range(100, 50_000, 10_000):
        assert board.run() == []
        board.send(Type.DATA, data[at : at + 10_000], seq=seq, arg=at)
    (frame,) = board.run()
    assert (frame.seq, frame.status) == (seq, Status.OK)
    assert board.peek(rsp.address, 50_000) == data


def test_another_generation_of_the_vector_unit(board: Machine) -> None:
    board.load(replace(DONE, generation=1))
    frame = board.ask(Type.LOAD, replace(DONE, generation=2).load.pack())
    assert (frame.status, frame.error.extra) == (Status.ABI, 1)


def test_code_that_cannot_run_where_it_is(board: Machine) -> None:
    board.set(Knob.FAIL_READY, 1)
    rsp = t.LoadRsp.unpack(board.good(Type.LOAD, Image(b"d", data=b"x").load.pack()))
    assert commit(board, rsp.image, Image(b"d", data=b"x").bytes) == Status.ABI
    assert board.get(Count.LIVE) == 0
    assert commit(board, rsp.image, DONE.bytes) == Status.NO_IMAGE


def test_commit_where_the_port_denies_memory(board: Machine) -> None:
    rsp = t.LoadRsp.unpack(board.good(Type.LOAD, DONE.load.pack()))
    board.set(Knob.NO_MEM, 1)
    assert commit(board, rsp.image, DONE.bytes) == Status.RANGE
    board.set(Knob.NO_MEM, 0)
    assert commit(board, rsp.image, DONE.bytes) == Status.OK


def test_data_and_bss_are_reset_when_asked(board: Machine) -> None:
    """The kernel counts up byte 64 (.data) and byte 66 (.bss), and returns both."""
    image = Image(b"i\x40i\x42r\x00\x40r\x01\x42d", data=b"\x05\x06", bss=2)
    rsp = board.load(image)
    assert board.peek(rsp.address + 64, 4) == b"\x05\x06\0\0"

    def run(flags: int) -> bytes:
        return t.CallRsp.unpack(board.good(Type.CALL, call(rsp.image, blob=bytes(4), ret=(0, 2), flags=flags))).rest

    assert run(0) == b"\x06\x01"
    assert run(0) == b"\x07\x02"
    assert run(CallFlag.RESET) == b"\x06\x01"
    assert run(CallFlag.RESET) == b"\x06\x01"
    assert run(0) == b"\x07\x02"


def test_the_least_recently_used_image_gives_way(board: Machine) -> None:
    loaded = [board.load(Image(b"d", text_room=64 + i)) for i in range(t.MAX_IMAGES)]
    board.good(Type.CALL, call(loaded[0].image))  # now 1 is the oldest
    extra = board.load(Image(b"dd"))
    assert board.heap().images == t.MAX_IMAGES
    assert board.ask(Type.CALL, call(loaded[1].image)).status == Status.NO_IMAGE
    assert extra.image != loaded[1].image and extra.image % t.MAX_IMAGES == loaded[1].image % t.MAX_IMAGES
    for rsp in (extra, loaded[0], *loaded[2:]):
        board.good(Type.CALL, call(rsp.image))


def test_a_full_table_of_unfinished_images(board: Machine) -> None:
    for i in range(t.MAX_IMAGES):
        board.good(Type.LOAD, Image(b"d", text_room=64 + i).load.pack())
    frame = board.ask(Type.LOAD, DONE.load._replace(sha=b"x" * 32).pack())
    assert (frame.status, frame.error.extra) == (Status.LIMIT, t.MAX_IMAGES)


def test_images_give_way_to_allocations_of_their_kind_of_memory(board: Machine) -> None:
    inside = board.load(Image(b"d", cap=Cap.INTERNAL))
    outside = board.load(Image(b"dd", cap=Cap.PSRAM))
    assert inside.address >= 0x4FF00000 > outside.address
    board.alloc(256 << 10, 1, Cap.INTERNAL)
    assert board.ask(Type.CALL, call(inside.image)).status == Status.NO_IMAGE
    board.good(Type.CALL, call(outside.image))
    assert board.ask(Type.ALLOC, t.Alloc(5 << 20, 1, 0).pack()).status == Status.NOMEM
    board.good(Type.CALL, call(outside.image))  # what can never fit evicts nothing


def test_a_copy_of_data_gives_way_with_its_image(board: Machine) -> None:
    """The image lies in internal memory, the copy of its .data in PSRAM."""
    rsp = board.load(Image(b"d", data=b"x", cap=Cap.INTERNAL))
    board.alloc(4 << 20, 1, Cap.PSRAM)
    assert board.ask(Type.CALL, call(rsp.image)).status == Status.NO_IMAGE


def test_no_memory_for_an_image(board: Machine) -> None:
    board.alloc((4 << 20) - 1024, 1, Cap.PSRAM)
    frame = board.ask(Type.LOAD, Image(b"d", text_room=2048, cap=Cap.PSRAM).load.pack())
    assert (frame.status, frame.error) == (Status.NOMEM, t.Error(NONE, 1024))
    live = board.get(Count.LIVE)
    for step in (1, 2):  # the image, and the copy of its .data
        board.set(Knob.FAIL_ALLOC, step)
        assert board.ask(Type.LOAD, Image(b"d", data=bytes(16)).load.pack()).status == Status.NOMEM
        assert board.get(Count.LIVE) == live
    board.load(Image(b"d", data=bytes(16)))


def test_code_that_was_written_over_is_dropped_after_a_fault(board: Machine) -> None:
    safe, wild = board.load(Image(b"f")), board.load(Image(b"i\x20f"))
    assert board.ask(Type.CALL, call(safe.image)).status == Status.FAULT
    assert board.ask(Type.CALL, call(safe.image)).status == Status.FAULT
    assert board.ask(Type.CALL, call(wild.image)).status == Status.FAULT
    assert board.ask(Type.CALL, call(wild.image)).status == Status.NO_IMAGE
    assert board.heap().images == 1
