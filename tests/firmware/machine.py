"""The firmware core on the fake port, and a host that speaks raw frames to it."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from zlib import crc32

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import Direction, InfoFlag, Status, Type
from tests.tools import require

HERE = Path(__file__).parent
CORE = HERE.parents[1] / "firmware" / "core"
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
NONE = 0xFFFFFFFF
RELIABLE = int(InfoFlag.RELIABLE)
LOSSY = 0
# They look at the core from outside: it makes no difference to them how the library was built.
OUTSIDE = ("test_analysis.py", "test_build.py", "test_coverage.py")


class Knob(IntEnum):
    """As in fake_port.h."""

    NOW = 0
    FLAGS = 1
    WINDOW = 2
    LIMIT_US = 3
    EXPORTS = 4
    RX_CHUNK = 5
    TX_CHUNK = 6
    TX_ROOM = 7
    RX_DOWN = 8
    TX_DOWN = 9
    FAIL_ALLOC = 10
    FAIL_RANDOM = 11
    FAIL_READY = 12
    FAIL_START = 13
    DEAF = 14
    NO_MEM = 15
    TICK = 16
    FAIL_MORE = 17
    ODD_NAMES = 18
    REGIONS = 19
    IN_USE = 20


class Count(IntEnum):
    """As in fake_port.h."""

    LIVE = 0
    ALLOCS = 1
    BAD_FREES = 2
    STARTS = 3
    KILLS = 4
    WHY = 5
    RESETS = 6
    POLLS = 7
    UNREAD = 8
    WAIT_US = 9
    STACK = 10
    STACK_SIZE = 11
    BLOB = 12
    INSTRUCTIONS = 13
    CORE_SIZE = 14
    MEMS = 15
    RESUMES = 16
    OVERS = 17


class Wait(IntEnum):
    """P4K_WAIT_* of p4k_port.h."""

    RX = 1
    TX = 2
    EXEC = 4
    TIME = 8


@cache
def library() -> ctypes.CDLL:
    """The core and the fake port as a shared library; P4KERNEL_TEST_SANITIZE=1 builds it with ASan and UBSan.

    P4KERNEL_TEST_CFLAGS adds flags, such as --coverage, and keeps the folder of the build.
    """
    flags = SANITIZE if os.environ.get("P4KERNEL_TEST_SANITIZE") == "1" else []
    folder = Path(mkdtemp(prefix="p4kernel-core-"))
    target = folder / "core.so"
    flags += os.environ.get("P4KERNEL_TEST_CFLAGS", "").split()
    sources = [*sorted(CORE.glob("*.c")), HERE / "fake_port.c"]
    command = [require("gcc"), "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", *flags]
    command += ["-fPIC", "-shared", "-Wl,-Bsymbolic", f"-I{CORE}", *map(str, sources), "-o", str(target)]
    subprocess.run(command, check=True, cwd=folder)
    lib = ctypes.CDLL(str(target))
    if not os.environ.get("P4KERNEL_TEST_CFLAGS"):
        shutil.rmtree(folder)
    lib.fake_new.restype = ctypes.c_void_p
    for name in ("delete", "set", "get", "write", "read", "poll", "link_down", "peek", "poke"):
        function = getattr(lib, f"fake_{name}")
        pointers: list[type] = [ctypes.c_void_p]
        if name in ("write", "read"):
            pointers += [ctypes.c_char_p, ctypes.c_uint32]
        elif name in ("peek", "poke"):
            pointers += [ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32]
        elif name in ("set", "get"):
            pointers += [ctypes.c_uint32] * (2 if name == "set" else 1)
        function.argtypes = pointers
    return lib


@dataclass(frozen=True)
class Frame:
    type: int
    session: int
    seq: int
    arg: int
    flags: int
    payload: bytes

    @property
    def status(self) -> Status:
        assert self.type == Type.RSP
        return Status(self.arg)

    @property
    def error(self) -> t.Error:
        return t.Error.unpack(self.payload)


def encode(
    kind: int,
    session: int,
    seq: int,
    payload: bytes = b"",
    *,
    ack: int = 0,
    arg: int = 0,
    flags: int = 0,
    version: int = t.VERSION,
) -> bytes:
    head = t.Header(t.MAGIC, version, kind, session, seq, ack, arg, len(payload), flags, 0).pack()
    head += crc32(head).to_bytes(4, "little")
    return head + payload + crc32(head[-4:] + payload).to_bytes(4, "little")


def decode(data: bytearray) -> Iterator[Frame]:
    """Takes whole frames of a board, which never sends anything else, from the front of data."""
    while len(data) >= t.HEADER_SIZE:
        head = t.Header.unpack(data[: t.HEADER_SIZE])
        end = t.HEADER_SIZE + 4 + head.len
        if len(data) < end + 4:
            return
        assert head.magic == t.MAGIC and head.version == t.VERSION
        assert crc32(data[: t.HEADER_SIZE]) == int.from_bytes(data[t.HEADER_SIZE : t.HEADER_SIZE + 4], "little")
        assert crc32(data[t.HEADER_SIZE : end]) == int.from_bytes(data[end : end + 4], "little")
        yield Frame(head.type, head.session, head.seq, head.arg, head.flags, bytes(data[t.HEADER_SIZE + 4 : end]))
        del data[: end + 4]


@dataclass(frozen=True)
class Image:
    """What LOAD says about an image whose text is a script for the fake executor."""

    text: bytes
    data: bytes = b""
    bss: int = 0
    align: int = 16
    cap: int = 0
    generation: int = 0
    text_room: int = 64
    flags: int = 0

    @property
    def load(self) -> t.Load:
        sha = hashlib.sha256(repr(self).encode()).digest()
        room, data = self.text_room, len(self.data)
        return t.Load(
            sha, room + data + self.bss, room, room, data, room + data, self.bss, self.align, self.cap, self.generation,
            self.flags,
        )  # fmt: skip

    @property
    def bytes(self) -> bytes:
        return self.text.ljust(self.text_room, b"\0") + self.data


@dataclass
class Machine:
    """A core, with a host that counts requests. Nothing is sent or polled behind a test's back but by the helpers."""

    flags: int = RELIABLE
    session: int = 0
    next: int = 1
    ack: int = 0
    heard: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lib = library()
        self._fake = ctypes.c_void_p(self._lib.fake_new())
        self._came = bytearray()
        self.set(Knob.FLAGS, self.flags)

    def close(self) -> None:
        self._lib.fake_delete(self._fake)

    # -- the machine

    def set(self, knob: Knob, value: int) -> None:
        self._lib.fake_set(self._fake, knob, value)

    def get(self, counter: Count) -> int:
        return int(self._lib.fake_get(self._fake, counter))

    def write(self, data: bytes) -> None:
        self._lib.fake_write(self._fake, data, len(data))

    def lose(self) -> None:
        """What the board sent up to now never arrives."""
        self._take()
        self._came.clear()

    def _take(self) -> bytes:
        buffer = ctypes.create_string_buffer(1 << 16)
        data = bytearray()
        while count := self._lib.fake_read(self._fake, buffer, len(buffer)):
            data += buffer.raw[:count]
        return bytes(data)

    def poll(self) -> int:
        return int(self._lib.fake_poll(self._fake))

    def link_down(self) -> None:
        self._lib.fake_link_down(self._fake)

    def peek(self, address: int, size: int) -> bytes:
        buffer = ctypes.create_string_buffer(size)
        assert self._lib.fake_peek(self._fake, address, buffer, size) == 0
        return buffer.raw

    def poke(self, address: int, data: bytes) -> None:
        assert self._lib.fake_poke(self._fake, address, data, len(data)) == 0

    # -- the host

    def run(self, polls: int = 4, us: int = 0) -> list[Frame]:
        """Polls, and returns what came."""
        if us:
            self.set(Knob.NOW, us)
        for _ in range(polls):
            self.poll()
        self._came += self._take()
        frames = list(decode(self._came))
        self.heard += frames
        return frames

    def send(
        self, kind: Type | int, payload: bytes = b"", *, seq: int | None = None, arg: int = 0, flags: int = 0
    ) -> int:
        """Sends a frame of the session; without a seq it is a new request. Returns the seq."""
        if seq is None:
            seq = self.next
            self.next += 1
        self.write(encode(kind, self.session, seq, payload, ack=self.ack, arg=arg, flags=flags))
        return seq

    def ask(self, kind: Type | int, payload: bytes = b"") -> Frame:
        """A request and its only answer, which is acknowledged with the next frame."""
        seq = self.send(kind, payload)
        (frame,) = self.run()
        assert (frame.type, frame.seq, frame.session) == (Type.RSP, seq, self.session)
        self.ack = seq
        return frame

    def good(self, kind: Type | int, payload: bytes = b"") -> bytes:
        frame = self.ask(kind, payload)
        assert frame.status == Status.OK
        return frame.payload

    def hello(self, nonce: int = 1) -> t.HelloRsp:
        self.write(encode(Type.HELLO, 0, 0, t.Hello(t.VERSION, t.VERSION, 0, nonce).pack()))
        frame = [frame for frame in self.run() if frame.seq == 0][-1]
        assert frame.status == Status.OK
        info = t.HelloRsp.unpack(frame.payload)
        assert frame.session == info.session != 0
        self.session, self.next, self.ack = info.session, 1, 0
        return info

    def acknowledge(self) -> None:
        self.send(Type.ACK, seq=0)
        assert self.run() == []

    def alloc(self, size: int, align: int = 1, cap: int = 0) -> int:
        return t.AllocRsp.unpack(self.good(Type.ALLOC, t.Alloc(size, align, cap).pack())).address

    def heap(self) -> t.HeapRsp:
        return t.HeapRsp.unpack(self.good(Type.HEAP))

    def load(self, image: Image) -> t.LoadRsp:
        """LOAD and, unless it is held, COMMIT in one frame."""
        rsp = t.LoadRsp.unpack(self.good(Type.LOAD, image.load.pack()))
        if not rsp.held:
            self.good(Type.COMMIT, t.Commit(rsp.image, len(image.bytes), image.bytes).pack())
        return rsp


@dataclass
class Buffer:
    """An array of a call. `data` is what goes up, for IN."""

    direction: int = int(Direction.IN)
    data: bytes = b""
    size: int | None = None
    address: int = 0
    align: int = 0
    cap: int = 0

    @property
    def length(self) -> int:
        return len(self.data) if self.size is None else self.size

    def pack(self) -> bytes:
        return t.Buffer(self.length, self.address, self.cap, self.align, self.direction).pack()


def words(numbers: Iterable[int]) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def stream(buffers: list[Buffer]) -> bytes:
    return b"".join(b.data for b in buffers if b.direction & Direction.IN and not b.address)


def call(
    image: int,
    *,
    blob: bytes = b"",
    buffers: list[Buffer] | None = None,
    patches: list[t.Patch] | None = None,
    inline: bytes | None = None,
    entry: int = 0,
    flags: int = 0,
    limit_us: int = 0,
    instructions: int = 0,
    stack: int = 0,
    ret: tuple[int, int] = (0, 0),
    frees: list[int] | None = None,
) -> bytes:
    """The payload of a CALL; its whole stream is in it unless `inline` says otherwise."""
    buffers, patches = buffers or [], patches or []
    rest = blob + b"".join(b.pack() for b in buffers) + b"".join(p.pack() for p in patches)
    rest += words(frees or [])
    rest += stream(buffers) if inline is None else inline
    counts = (len(blob), *ret, len(buffers), len(patches), len(frees or []))
    return t.Call(image, entry, flags, limit_us, instructions, stack, *counts, rest).pack()


def kinds(frames: list[Frame]) -> list[tuple[int, int, int, int]]:
    """Type, seq, arg and flags of each frame."""
    return [(frame.type, frame.seq, frame.arg, frame.flags) for frame in frames]


def filling(board: Machine, size: int, inline: bytes = b"") -> int:
    """Begins a call that waits for an array of so many bytes; its seq."""
    image = board.load(Image(b"d")).image
    seq = board.send(Type.CALL, call(image, buffers=[Buffer(int(Direction.IN), size=size)], inline=inline))
    assert board.run() == []
    return seq


def with_results(board: Machine, size: int) -> tuple[int, list[Frame]]:
    """A call whose Out array is i % 253 + 1, sent up as DATA; its seq, and what came back but for CREDIT."""
    image = board.load(Image(b"ad")).image
    data = bytes(i % 253 for i in range(size))
    buffers = [Buffer(int(Direction.IN), data), Buffer(int(Direction.OUT), size=size)]
    blob = bytes(8) + size.to_bytes(4, "little")
    patches = [t.Patch(0, 0, 0), t.Patch(4, 1, 0)]
    seq = board.send(Type.CALL, call(image, blob=blob, buffers=buffers, patches=patches, inline=b""))
    for at in range(0, size, t.MAX_PAYLOAD):
        board.send(Type.DATA, data[at : at + t.MAX_PAYLOAD], seq=seq, arg=at)
    return seq, [frame for frame in board.run() if frame.type != Type.CREDIT]
