"""Frames and streams: round trips, damage, bounds."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p4kernel.wire._tables import MAX_PAYLOAD, VERSION, Type
from p4kernel.wire.frames import OVERHEAD, Frame, FrameReader, encode
from p4kernel.wire.streams import Stream

u32 = st.integers(0, 2**32 - 1)
u8 = st.integers(0, 255)
frames = st.builds(
    Frame, st.just(VERSION), u8, u32, u32, u32, u32, u8, u8, st.binary(max_size=300)
)  # fmt: skip


def to_bytes(f: Frame) -> bytes:
    return encode(f.type, f.session, f.seq, f.ack, f.arg, f.payload, f.flags, f.stream)


def test_golden_frame() -> None:
    """Bytes worked out by hand from the layout in protocol.yaml."""
    head = bytes.fromhex("d74b 03 20 04030201 05000000 04000000 78563412 0300 00 00")
    head_crc = zlib.crc32(head).to_bytes(4, "little")
    body_crc = zlib.crc32(head_crc + b"abc").to_bytes(4, "little")
    got = encode(Type.CALL, 0x01020304, 5, 4, 0x12345678, b"abc")
    assert got == head + head_crc + b"abc" + body_crc
    assert len(got) == OVERHEAD + 3


@given(st.lists(frames, max_size=5), st.integers(1, 50))
def test_any_cutting_gives_the_same_frames(sent: list[Frame], step: int) -> None:
    data = b"".join(map(to_bytes, sent))
    reader = FrameReader()
    got = [f for at in range(0, len(data), step) for f in reader.feed(data[at : at + step])]
    assert got == sent
    assert reader.damage.skipped == reader.damage.bad_bodies == 0


@given(st.lists(frames, min_size=2, max_size=4), st.data())
def test_a_flipped_bit_costs_at_most_its_frame(sent: list[Frame], data: st.DataObject) -> None:
    pieces = [bytearray(to_bytes(f)) for f in sent]
    victim = data.draw(st.integers(0, len(sent) - 1))
    bit = data.draw(st.integers(0, 8 * len(pieces[victim]) - 1))
    pieces[victim][bit // 8] ^= 1 << bit % 8
    reader = FrameReader()
    got = list(reader.feed(b"".join(pieces)))
    assert got == sent[:victim] + sent[victim + 1 :]
    assert reader.damage.skipped + reader.damage.bad_bodies > 0


@given(st.binary(max_size=200), frames)
def test_garbage_before_a_frame_is_skipped(garbage: bytes, frame: Frame) -> None:
    reader = FrameReader()
    assert list(reader.feed(garbage + to_bytes(frame)))[-1:] == [frame]


@given(frames, st.integers(1, 40))
def test_a_cut_frame_is_not_delivered(frame: Frame, cut: int) -> None:
    reader = FrameReader()
    assert list(reader.feed(to_bytes(frame)[:-cut])) == []


def test_payload_limit() -> None:
    assert len(encode(Type.DATA, 1, 1, payload=bytes(MAX_PAYLOAD))) == MAX_PAYLOAD + OVERHEAD
    with pytest.raises(ValueError, match="16384"):
        encode(Type.DATA, 1, 1, payload=bytes(MAX_PAYLOAD + 1))


def test_a_header_with_too_large_a_length_is_no_frame() -> None:
    good = encode(Type.PING, 1, 1)
    head = bytearray(good[:24])
    head[20:22] = (MAX_PAYLOAD + 1).to_bytes(2, "little")
    bad = bytes(head) + zlib.crc32(head).to_bytes(4, "little")
    assert len(list(FrameReader().feed(bad + good))) == 1


@given(st.lists(st.binary(max_size=20), max_size=6), st.data())
def test_streams_read_as_the_whole(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    stream = Stream([memoryview(p) for p in pieces])
    start = data.draw(st.integers(0, len(whole)))
    size = data.draw(st.integers(0, len(whole) - start))
    assert stream.size == len(whole)
    assert bytes(stream.read(start, size)) == whole[start : start + size]


@given(st.lists(st.integers(0, 20), max_size=6), st.data())
def test_streams_write_as_the_whole(sizes: list[int], data: st.DataObject) -> None:
    arrays = [bytearray(n) for n in sizes]
    stream = Stream([memoryview(a) for a in arrays])
    total = sum(sizes)
    start = data.draw(st.integers(0, total))
    piece = data.draw(st.binary(max_size=total - start))
    stream.write(start, piece)
    assert b"".join(map(bytes, arrays)) == bytes(start) + piece + bytes(total - start - len(piece))


def test_streams_refuse_what_reaches_past_the_end() -> None:
    target = bytearray(4)
    stream = Stream([memoryview(target)])
    for offset, size in ((-1, 1), (0, 5), (5, 0), (4, 1)):
        with pytest.raises(ValueError):
            stream.read(offset, size)
        with pytest.raises(ValueError):
            stream.write(offset, b"x" * size)
    assert target == bytes(4)
