"""Random sessions: frames that are nearly right, on a link and a machine that fail. The core must not crash, must send
nothing but good frames, and must have given everything back in the end. Seeds are fixed, so a failure repeats."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import Status, Type
from tests.firmware.conftest import nothing_is_left
from tests.firmware.machine import LOSSY, NONE, RELIABLE, Buffer, Frame, Image, Knob, Machine, call, encode, words

STEPS = 2500
SCRIPTS = [b"d"] * 3 + [
    b"f",
    b"l",
    b"nnd",
    b"g\x02g\x30d",
    b"g\x60l",
    b"k",
    b"u",
    b"c\x01d",
    b"c\x00c\x7fd",
    b"C\x01",
    b"w",
    b"i\x20f",
    b"sad",
    b"r\x00\x40d",
]
DEADLY = [b"x", b"e"]
OFTEN = [Type.CALL] * 4 + [Type.LOAD, Type.DATA, Type.DATA, Type.COMMIT, Type.COMMIT, Type.CANCEL, Type.QUERY, Type.NAK]
OFTEN += [Type.ALLOC, Type.FREE, Type.READ, Type.WRITE, Type.PING, Type.HEAP, Type.ACK, Type.UNLOAD]


class Fuzzer:
    """A host that knows the protocol and does not keep to it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.board = Machine(self.random.choice((RELIABLE, LOSSY)))
        self.now = 1_000_000
        self.addresses = [0x48000000]
        self.images = [0]
        self.loaded = Image(b"d")
        self.question: Frame | None = None
        self.board.hello()

    def number(self) -> int:
        r = self.random
        return r.choice(
            (0, 1, r.randrange(256), r.randrange(1 << 14), r.randrange(1 << 23), 1 << 31, NONE, r.getrandbits(32))
        )

    def small(self) -> int:
        return self.random.choice((0, 1, 3, 100, 5000, 16_384, 40_000))

    def address(self) -> int:
        return self.random.choice(self.addresses) + self.random.choice((0, 0, 0, 1, -1, 64, 5000))

    def align(self) -> int:
        return self.random.choice((0, 1, 16, 128, 4096, 4096, 3))

    def image(self) -> Image:
        r = self.random
        script = r.choice(SCRIPTS) if r.random() < 0.995 else r.choice(DEADLY)
        return Image(
            script,
            bytes(r.choice((0, 0, 8))),
            r.choice((0, 0, 16)),
            cap=r.choice((0, 0, 2)),
            text_room=r.choice((64, 64, 3000)),
            flags=r.choice((0, 0, 0, 1)),
        )

    def buffers(self) -> list[Buffer]:
        r = self.random
        buffers = []
        for _ in range(r.choice((0, 1, 2, 2, 5, 64))):
            direction = r.choice((0, 1, 2, 3))
            if r.random() < 0.2:
                buffers.append(Buffer(direction, size=self.small(), address=self.address() & NONE))
            elif r.random() < 0.05:
                buffers.append(Buffer(r.randrange(8), size=self.number(), align=self.align()))
            else:
                size = min(self.small(), 40_000 // (1 + len(buffers)))
                buffers.append(
                    Buffer(direction, bytes(size) if direction & 1 else b"", size, align=r.choice((0, 16, 4096)))
                )
        return buffers

    def call(self) -> bytes:
        r = self.random
        buffers, blob = self.buffers(), bytes(r.choice((0, 4, 12, 4096)))
        patches = [
            t.Patch(r.choice((0, 4, 8, 9)), r.randrange(len(buffers) + 1), 0) for _ in range(r.choice((0, 0, 1, 3)))
        ]
        inline = b"".join(b.data for b in buffers if not b.address)[: r.choice((0, 10, 16_000, 16_000, 16_000))]
        return call(
            r.choice(self.images),
            blob=blob,
            buffers=buffers,
            patches=patches if r.random() < 0.9 else [t.Patch(0, 0, 9)] * 257,
            inline=inline,
            entry=r.choice((0,) * 9 + (2, 64, 1)),
            flags=r.choice((0, 1) * 9 + (2,)),
            limit_us=r.choice((0, 1000, 10**6)),
            stack=r.choice((0, 0, 100, 30_000) * 5 + (NONE,)),
            ret=r.choice(((0, 0),) * 9 + ((0, 4), (4, 8), (4095, 2))),
            frees=self.given_back(),
        )[: t.MAX_PAYLOAD]

    def given_back(self) -> list[int]:
        """What the host gives back."""
        return [self.address() & NONE for _ in range(self.random.choice((0, 0, 0, 1, 3)))]

    def payload(self, kind: int) -> bytes:
        r = self.random
        if kind == Type.ALLOC:
            return t.Alloc(
                r.choice((self.small(), self.number())),
                self.align(),
                r.choice((0, 0, 1, 2, 4, 8, 16)),
                words(self.given_back()),
            ).pack()
        if kind in (Type.FREE, Type.READ):
            return t.Free(self.address() & NONE).pack() + (
                self.small().to_bytes(4, "little") if kind == Type.READ else words(self.given_back())
            )
        if kind == Type.WRITE:
            return t.Write(self.address() & NONE, bytes(min(self.small(), 16_000))).pack()
        if kind == Type.LOAD:
            self.loaded = self.image()
            load = self.loaded.load
            if r.random() < 0.1:
                change: dict[str, Any] = {r.choice(load._fields[1:]): self.number()}
                load = load._replace(**change)
            return load.pack()
        if kind == Type.COMMIT:
            image = self.loaded.bytes if r.random() < 0.9 else self.image().bytes
            return t.Commit(self.images[0], len(image), image[: r.choice((10, 5000, 5000))]).pack()
        if kind == Type.UNLOAD:
            return t.Unload(r.choice(self.images)).pack()
        if kind == Type.EXPORTS:
            return t.Exports(self.number()).pack()
        if kind == Type.CALL:
            return self.call()
        return r.randbytes(r.choice((0, 0, 0, 1, 8, 100)))

    def frame(self) -> bytes:
        r, board = self.random, self.board
        kind = int(r.choice(OFTEN) if r.random() < 0.97 else r.choice(list(Type)))
        seq, arg = board.next, 0
        if kind in (Type.DATA, Type.NAK, Type.CANCEL, Type.QUERY, Type.ACK):
            seq, arg = max(board.next - r.randrange(1, 4), 0), r.choice((0, 10, 5000, 10_000, self.number()))
        elif kind != Type.HELLO:
            board.next += 1
        if r.random() < 0.05:
            seq = r.choice((seq - 1, seq + 1, seq + 9, self.number())) & NONE
        payload = self.payload(kind) if kind != Type.DATA else bytes(self.small())[: t.MAX_PAYLOAD]
        if kind == Type.HELLO:
            payload = t.Hello(r.randrange(4), r.randrange(1, 5), 0, r.randrange(3)).pack()
        session = board.session if r.random() < 0.98 else r.getrandbits(32)
        ack = max(board.next - r.choice((1, 2, 3, 12, 12, 12)), 0)
        return encode(kind, session, seq, payload, ack=ack, arg=arg, flags=r.choice((0, 0, 0, 1)))

    def damaged(self, data: bytes) -> bytes:
        r = self.random
        bad = bytearray(data)
        what = r.randrange(4)
        if what == 0:
            bad[r.randrange(len(bad))] ^= 1 << r.randrange(8)
        elif what == 1:
            del bad[r.randrange(len(bad)) :]
        elif what == 2:
            bad *= 2
        else:
            return r.randbytes(r.randrange(40)) + data
        return bytes(bad)

    def trouble(self) -> None:
        """Something about the machine changes."""
        r, board = self.random, self.board
        what = r.randrange(10)
        if what == 0:
            board.link_down()
            board.lose()
        elif what == 1:
            board.set(Knob.FAIL_ALLOC, r.randrange(6))
        elif what == 2:
            board.set(Knob.TX_ROOM, r.choice((0, 5, 20_000, NONE)))
        elif what == 3:
            board.set(Knob.DEAF, r.randrange(2))
        elif what == 4:
            board.set(Knob.NO_MEM, r.randrange(2))
        elif what == 5:
            board.set(Knob.RX_CHUNK, r.choice((1, 17, 4000, NONE)))
        elif what == 6:
            board.set(Knob.TX_CHUNK, r.choice((1000, NONE)))
        else:
            self.now += r.choice((1000, 100_000, 600_000, 3_000_000))
            board.set(Knob.NOW, self.now)

    def heal(self) -> None:
        for knob in (Knob.NO_MEM, Knob.FAIL_ALLOC, Knob.DEAF):
            self.board.set(knob, 0)
        for knob in (Knob.TX_ROOM, Knob.RX_CHUNK, Knob.TX_CHUNK):
            self.board.set(knob, NONE)

    def nothing_hangs(self) -> None:
        """With a good machine and time, every request comes to its end, and the session goes on."""
        board = self.board
        self.heal()
        board.write(bytes(t.MAX_PAYLOAD + 64))  # the rest of a frame that was cut off
        for _ in range(200):
            self.now += 300_000
            board.set(Knob.NOW, self.now)
            board.ack = board.next - 1
            board.send(Type.ACK, seq=0)
            if self.question is not None:
                board.send(Type.CANCEL, seq=self.question.seq)
            self.listen(4)
        board.send(Type.QUERY, seq=board.next + 100)
        self.listen(4)
        board.good(Type.HEAP)

    def listen(self, polls: int) -> None:
        """Learns from what the board says."""
        for frame in self.board.run(polls=polls):
            if frame.type == Type.CALLBACK:
                self.question = frame
                if self.random.random() < 0.7:
                    size = len(frame.payload) - t.CALLBACK_SIZE
                    self.board.send(Type.CB_REPLY, bytes(size), seq=frame.seq, arg=frame.arg)
            if frame.type == Type.NAK and frame.flags == 1:
                self.board.next = frame.arg
            if frame.type == Type.RSP and frame.arg == Status.BUSY:
                self.board.next = frame.seq
            if frame.type == Type.RSP and frame.arg in (Status.SESSION, Status.FRAME):
                self.board.write(encode(Type.HELLO, 0, 0, t.Hello(1, 3, 0, self.random.getrandbits(9)).pack()))
            if frame.type != Type.RSP or frame.arg != 0:
                continue
            if frame.seq == 0 and len(frame.payload) >= t.HELLO_RSP_SIZE:
                self.board.session, self.board.next = frame.session, 1
            elif len(frame.payload) == t.ALLOC_RSP_SIZE:
                self.addresses = [t.AllocRsp.unpack(frame.payload).address, *self.addresses[:7]]
            elif len(frame.payload) == t.LOAD_RSP_SIZE:
                self.images = [t.LoadRsp.unpack(frame.payload).image, *self.images[:3]]

    def load(self) -> None:
        """An image the right way, when nothing goes wrong."""
        image, board = self.image(), self.board
        board.send(Type.LOAD, image.load.pack())
        self.listen(3)
        board.send(Type.COMMIT, t.Commit(self.images[0], len(image.bytes), image.bytes).pack())
        self.now += 50_000
        board.set(Knob.NOW, self.now)

    def run(self, steps: int) -> None:
        r = self.random
        for _ in range(steps):
            data = self.frame()
            self.board.write(self.damaged(data) if r.random() < 0.02 else data)
            if r.random() < 0.03:
                self.trouble()
            if r.random() < 0.05:  # things get better again
                self.heal()
            if r.random() < 0.05:
                self.load()
            self.listen(r.choice((0, 1, 1, 2)))


@pytest.mark.parametrize("seed", range(8))
def test_random_sessions(seed: int) -> None:
    fuzzer = Fuzzer(seed)
    fuzzer.run(STEPS)
    kinds = {(frame.type, frame.arg if frame.type == Type.RSP else 0) for frame in fuzzer.board.heard}
    assert len(kinds) > 8, kinds
    fuzzer.nothing_hangs()
    nothing_is_left(fuzzer.board)
    fuzzer.board.close()
