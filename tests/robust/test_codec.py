"""The firmware's frames (C, through a virtual board) and ours (Python) are the same bytes, damaged or not."""

from __future__ import annotations

import random

from p4kernel.sim import VirtualBoard
from p4kernel.wire._tables import MAX_PAYLOAD, VERSION, Hello, HelloRsp, Read, Status, Type, VersionRsp, Write
from p4kernel.wire.frames import OVERHEAD, Frame, FrameReader, encode
from p4kernel.wire.session import Session
from tests.robust.common import on_transport


def talk(board: VirtualBoard, data: bytes) -> bytes:
    """All that the board answers."""
    pieces = []
    while True:
        taken, got = board.exchange(data, 1.0)
        data = data[taken:]
        pieces.append(got)
        if not data and not got:
            return b"".join(pieces)


def answers(board: VirtualBoard, data: bytes) -> list[Frame]:
    reader = FrameReader()
    frames = list(reader.feed(talk(board, data)))
    assert (reader.damage.skipped, reader.damage.bad_bodies) == (0, 0), "the board sent bytes that are no frame"
    return frames


# A frame of a version that does not exist is answered by RSP VERSION with its session and number: so the board tells
# what it has read of any frame at all.
FOREIGN = VERSION + 7


def foreign(rng: random.Random, seq: int, size: int | None = None) -> bytes:
    size = rng.choice((0, 1, 3, 100, rng.randrange(MAX_PAYLOAD + 1), MAX_PAYLOAD)) if size is None else size
    u32 = rng.getrandbits(32)
    return encode(
        rng.randrange(256), u32, seq, rng.getrandbits(32), rng.getrandbits(32), rng.randbytes(size),
        rng.randrange(256), rng.randrange(256), FOREIGN,
    )  # fmt: skip


def test_golden_bytes() -> None:
    """Written down, with CRCs computed bit by bit by another program, so that both codecs cannot be wrong together."""
    # A PING of version 9, session 0x01020304, seq 5, ack 6, arg 7, flags 8, stream 9, no payload.
    frame = bytes.fromhex("d74b090404030201050000000600000007000000000008099626be08325032f1")
    # RSP, status VERSION, payload 03 03: from version 3 to version 3.
    answer = bytes.fromhex("d74b03400403020105000000000000000200000002000000ffd164c50303006a9770")
    assert encode(Type.PING, 0x01020304, 5, 6, 7, b"", 8, 9, version=9) == frame
    assert talk(VirtualBoard(), frame) == answer
    assert encode(Type.RSP, 0x01020304, 5, arg=Status.VERSION, payload=b"\x03\x03") == answer


def test_any_frame_is_read_the_same() -> None:
    rng = random.Random(5)
    board, reader = VirtualBoard(), FrameReader()
    for round_ in range(60):
        data = b"".join(foreign(rng, round_ * 10 + i) for i in range(8))
        ours = list(reader.feed(data))
        theirs = answers(board, data)
        assert [(f.session, f.seq) for f in ours] == [(f.session, f.seq) for f in theirs]
        assert all(f.type == Type.RSP and f.arg == Status.VERSION for f in theirs)
        assert all(VersionRsp.unpack(f.payload) == VersionRsp(VERSION, VERSION) for f in theirs)
    assert board.defects == 0


def damage(rng: random.Random, data: bytes) -> bytes:
    """Flips, cuts, doubles and inserts bytes."""
    piece = bytearray(data)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(piece) + 1)
        match rng.randrange(5):
            case 0 if at < len(piece):
                piece[at] ^= 1 << rng.randrange(8)
            case 1:
                del piece[at : at + rng.randrange(1, 60)]
            case 2:
                piece[at:at] = piece[at : at + rng.randrange(1, 60)]
            case 3:
                piece[at:at] = rng.randbytes(rng.randrange(1, 40))
            case _:
                piece[at:at] = b"\xd7\x4b" * rng.randrange(1, 20)
    return bytes(piece)


def compare_damaged(rng: random.Random, rounds: int) -> int:
    """Both readers find the same good frames and the same bad bodies in damaged streams; how many were good."""
    board, reader = VirtualBoard(), FrameReader()
    good = 0
    for round_ in range(rounds):
        frames = [foreign(rng, round_ * 100 + i, rng.choice((0, 1, 20, 300))) for i in range(40)]
        data = b"".join(damage(rng, f) if rng.random() < 0.4 else f for f in frames)
        before = reader.damage.bad_bodies
        ours = []
        for at in range(0, len(data), 977):
            ours += [f.seq for f in reader.feed(data[at : at + 977])]
        theirs = answers(board, data)
        assert ours == [f.seq for f in theirs if f.arg == Status.VERSION]
        assert reader.damage.bad_bodies - before == sum(f.arg == Status.FRAME for f in theirs)
        good += len(ours)
    assert board.defects == 0
    return good


def test_damaged_streams_are_cut_the_same() -> None:
    assert compare_damaged(random.Random(6), 60) > 1000


def test_noise_is_no_frame() -> None:
    rng = random.Random(7)
    board = VirtualBoard()
    assert talk(board, rng.randbytes(300_000)) == b""
    talk(board, bytes(OVERHEAD + MAX_PAYLOAD))
    assert answers(board, foreign(rng, 1))[0].seq == 1


def test_every_flipped_bit_is_seen() -> None:
    data = encode(Type.PING, 1, 2, 3, 4, b"payload", 5, 6, version=FOREIGN)
    board = VirtualBoard()
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        reader = FrameReader()
        assert list(reader.feed(bytes(flipped) + bytes(MAX_PAYLOAD + OVERHEAD))) == []
        theirs = answers(board, bytes(flipped) + bytes(MAX_PAYLOAD + OVERHEAD))
        assert [f.arg for f in theirs] == [Status.FRAME] * reader.damage.bad_bodies


def test_payloads_of_all_sizes_arrive_as_they_were() -> None:
    from p4kernel.sim.link import SimTransport

    board = on_transport(SimTransport("sim", VirtualBoard(psram=8 << 20)))
    session: Session = board.session
    address = board.memory.allocate(MAX_PAYLOAD)
    rng = random.Random(8)
    for size in [*range(70), *(rng.randrange(MAX_PAYLOAD - 4) for _ in range(60)), MAX_PAYLOAD - 4]:
        data = rng.randbytes(size)
        assert session.request(Type.WRITE, Write(address, data).pack()).status is Status.OK
        assert session.request(Type.READ, Read(address, size).pack()).payload == data
    board.close()


def test_the_tables_of_both_sides_lay_out_hello_alike() -> None:
    nonce = 0x0102030405060708
    hello = Hello(VERSION, VERSION, 0, nonce).pack()
    (frame,) = answers(
        VirtualBoard(psram=16 << 20, sram=512 << 10, revision=301), encode(Type.HELLO, 0, 0, payload=hello)
    )
    info = HelloRsp.unpack(frame.payload)
    assert (info.client_nonce, info.version, info.revision) == (nonce, VERSION, 301)
    assert (info.psram_size, info.sram_size, info.payload) == (16 << 20, 512 << 10, MAX_PAYLOAD)
    assert info.session == frame.session != 0
    assert info.pack() == frame.payload
