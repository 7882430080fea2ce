"""What a call costs: one trip against many, without arrays, with large ones."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial

import numpy as np

import p4kernel as p4
from p4kernel.board import Board
from p4kernel.signature.prototype import blob_layout
from p4kernel.wire._tables import Buffer, Call, CallFlag, CallRsp, Type
from tests.benchmarks.measure import Result, in_turn, repeat, result


@p4.kernel
def add(a: p4.i32, b: p4.i32) -> p4.i32:
    p4.c("return a + b;")


@p4.kernel
def mac(
    x: p4.In[np.float32], y: p4.In[np.float32], out: p4.Out[np.float32], n: p4.i32 = p4.size("x", "y", "out")
) -> None:
    p4.c("for (int i = 0; i < n; ++i) out[i] = x[i] * y[i] + 1.0f;")


@p4.kernel
def touch(x: p4.InOut[np.uint8]) -> None:
    p4.c("x[0] ^= 1;")


@p4.kernel
def consume(x: p4.In[np.uint8]) -> p4.i32:
    p4.c("return x[0];")


@p4.kernel
def produce(x: p4.Out[np.uint8]) -> None:
    p4.c("x[0] = 1;")


N = 1024  # float32: 4 KB an array


def _in_many_trips(
    board: Board, x: np.typing.NDArray[np.float32], y: np.typing.NDArray[np.float32], out: np.typing.NDArray[np.float32]
) -> None:
    """The same call as P4-JIT makes it: allocate, write, run, read and free by one request each, 4 N + 3 trips."""
    memory = board.memory
    arrays = (x, y, out)
    addresses = [memory.allocate(a.nbytes) for a in arrays]
    for address, array in zip(addresses, arrays, strict=True):
        memory.write(address, array.data)
    layout = blob_layout(mac.signature)
    slots = memory.allocate(layout.size)
    memory.write(slots, struct.pack("<IIIi", *addresses, N))
    loaded = board.load(mac.build.image)
    call = Call(loaded.image, mac.build.image.entry, CallFlag.RESET, 0, 0, 0, layout.size, 0, 0, 3, 0, 0)
    buffers = [Buffer(a.nbytes, address, 0, 128, 3).pack() for a, address in zip(arrays, addresses, strict=True)]
    reply = board.request(Type.CALL, call.pack() + struct.pack("<IIIi", *addresses, N) + b"".join(buffers))
    assert CallRsp.unpack(reply.payload).instructions > N
    for address, array in zip(addresses, arrays, strict=True):
        array.reshape(-1).view(np.uint8)[:] = np.frombuffer(memory.read(address, array.nbytes), np.uint8)
    for address in addresses:
        memory.free(address)
    # P4-JIT keeps its argument slots, so the trip that frees ours stands for its reading of the return value.
    memory.free(slots)


def one_trip(times: int) -> Iterator[Result]:
    """A call with three 4 KB arrays against the same work in 4 N + 3 requests, over the same link."""
    rng = np.random.default_rng(1)
    x, y = rng.random(N, np.float32), rng.random(N, np.float32)
    out, other = np.zeros_like(x), np.zeros_like(x)
    for link, goal in (("", "at least 5"), ("?link=usb-hs", "at least 10"), ("?link=usb-cdc", "")):
        board = p4.connect(f"sim{link}")
        ours, theirs = in_turn(partial(mac.on(board), x, y, out), partial(_in_many_trips, board, x, y, other), times, 20)
        assert np.array_equal(out, other)
        trips = mac.last.round_trips
        name = link.removeprefix("?link=") or "no latency"
        yield result(f"call with three 4 KB arrays, {trips} trip, {name}", [t * 1e6 for t in ours], "us")
        yield result(f"the same in {4 * 3 + 3} trips, {name}", [t * 1e6 for t in theirs], "us")
        yield result(f"ratio, {name}", [b / a for a, b in zip(ours, theirs, strict=True)], "x", goal)
        board.close()


def call_costs(times: int) -> Iterator[Result]:
    """A call without arrays, and 16 MB each way, on the in-process link."""
    with p4.connect("sim"):
        warm = repeat(lambda: add(1, 2), times, 200)
        yield result("warm call, no arrays", [t * 1e6 for t in warm], "us", "under 40")
        yield result("calls a second", [1 / t for t in warm], "1/s")
        x, y, out = np.ones(N, np.float32), np.ones(N, np.float32), np.zeros(N, np.float32)
        there = partial(mac, p4.array(x), p4.array(y), p4.array(out))
        sent, kept = in_turn(partial(mac, x, y, out), there, times, 100)
        yield result("call with three 4 KB arrays", [t * 1e6 for t in sent], "us")
        yield result("the same with arrays that stay on the board", [t * 1e6 for t in kept], "us")
        big = np.zeros(16 << 20, np.uint8)
        for kernel, what in ((consume, "16 MB up"), (produce, "16 MB down"), (touch, "16 MB up and down")):
            rates = [big.nbytes / t / 1e6 for t in repeat(lambda k=kernel: k(big), max(times // 4, 3))]  # type: ignore[misc]
            yield result(what, rates, "MB/s")
