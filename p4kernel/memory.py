"""The memory of a board, as its firmware manages it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from p4kernel.errors import BoardError
from p4kernel.wire._tables import (
    HEAP_REGION_SIZE,
    MAX_PAYLOAD,
    WRITE_SIZE,
    Alloc,
    AllocRsp,
    Cap,
    Free,
    HeapRegion,
    HeapRsp,
    Read,
    Type,
    Write,
)
from p4kernel.wire.session import Reply

KINDS = {"any": Cap(0), "psram": Cap.PSRAM, "internal": Cap.INTERNAL, "sram": Cap.INTERNAL, "tcm": Cap.TCM}
"""Kinds of memory by name; "sram" is another word for "internal"."""


def _name(cap: Cap) -> str:
    """TCM is internal, too: the more special kind is the name."""
    return next((name for name in ("tcm", "internal", "psram") if cap & KINDS[name]), f"0x{cap:x}")


@dataclass(frozen=True, slots=True)
class Region:
    """One kind of memory. Sizes in bytes."""

    name: str
    base: int
    total: int
    free: int
    largest: int  # the largest block that can be allocated


@dataclass(frozen=True, slots=True)
class MemoryState:
    """A board's memory at one moment."""

    regions: tuple[Region, ...]
    allocations: int  # of this session, made with ``allocate``
    images: int  # kernels that the board holds

    def __str__(self) -> str:
        rows = (f"{r.name}: {r.free:,} of {r.total:,} bytes free, largest block {r.largest:,}" for r in self.regions)
        return "\n".join([*rows, f"{self.allocations} allocations, {self.images} images"])


class Request(Protocol):
    """As Board.request."""

    def __call__(self, kind: Type, payload: bytes, *, claim: Callable[[bytes], None] | None = None) -> Reply: ...


class Memory:
    """``board.memory``: what is free, and allocations by hand. Kernels and arrays need none of it."""

    def __init__(self, request: Request, tidy: Callable[[], None]) -> None:
        self._request = request
        self._tidy = tidy

    def state(self) -> MemoryState:
        """What is free now."""
        self._tidy()
        reply = HeapRsp.unpack(self._request(Type.HEAP, b"").payload)
        regions = []
        for i in range(reply.regions):
            r = HeapRegion.unpack(reply.table[i * HEAP_REGION_SIZE : (i + 1) * HEAP_REGION_SIZE])
            regions.append(Region(_name(Cap(r.cap)), r.base, r.total, r.free, r.largest))
        return MemoryState(tuple(regions), reply.allocations, reply.images)

    def allocate(
        self, size: int, align: int = 128, where: str = "any", claim: Callable[[int], None] | None = None
    ) -> int:
        """Reserves ``size`` bytes, which are zeros, on the board; their address. Raises OutOfMemory, BoardError.

        ``claim`` is given the address, also when the request was interrupted.
        """
        if where not in KINDS:
            raise BoardError(f"memory kinds are {', '.join(KINDS)}, not {where!r}")
        if size < 1 or align < 1 or align & (align - 1):
            raise BoardError(
                f"cannot allocate {size} bytes aligned to {align}: sizes start at 1, alignments are powers of 2"
            )

        def mine(answer: bytes) -> None:
            if claim is not None:
                claim(AllocRsp.unpack(answer).address)

        reply = self._request(Type.ALLOC, Alloc(size, align, KINDS[where]).pack(), claim=mine)
        return AllocRsp.unpack(reply.payload).address

    def free(self, address: int) -> None:
        """Gives an allocation back. Raises BoardError when there is none at ``address``."""
        self._request(Type.FREE, Free(address).pack())

    def read(self, address: int, size: int) -> bytes:
        """Bytes of an allocation. Raises BoardError when they are not wholly inside one."""
        data = bytearray(size)
        self.read_into(address, memoryview(data))
        return bytes(data)

    def read_into(self, address: int, view: memoryview) -> None:
        """As ``read``, into the bytes of ``view``."""
        for at in range(0, len(view), MAX_PAYLOAD):
            piece = view[at : at + MAX_PAYLOAD]
            piece[:] = self._request(Type.READ, Read(address + at, len(piece)).pack()).payload

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Stores bytes in an allocation. Raises BoardError when they do not fit wholly inside one."""
        view = memoryview(data).cast("B")
        step = MAX_PAYLOAD - WRITE_SIZE
        for at in range(0, len(view), step):
            self._request(Type.WRITE, Write(address + at, bytes(view[at : at + step])).pack())

    def __repr__(self) -> str:
        return f"<memory of a board>\n{self.state()}"
