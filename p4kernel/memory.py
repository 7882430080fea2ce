"""The memory of a board, as its firmware manages it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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

_WHERE = {"any": Cap(0), "psram": Cap.PSRAM, "internal": Cap.INTERNAL, "tcm": Cap.TCM}


def _name(cap: Cap) -> str:
    """TCM is internal, too: the more special kind is the name."""
    return next((name for name in ("tcm", "internal", "psram") if cap & _WHERE[name]), f"0x{cap:x}")


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


class Memory:
    """``board.memory``: what is free, and allocations by hand. Kernels and arrays need none of it."""

    def __init__(self, request: Callable[[Type, bytes], Reply]) -> None:
        self._request = request

    def state(self) -> MemoryState:
        """What is free now."""
        reply = HeapRsp.unpack(self._request(Type.HEAP, b"").payload)
        regions = []
        for i in range(reply.regions):
            r = HeapRegion.unpack(reply.table[i * HEAP_REGION_SIZE : (i + 1) * HEAP_REGION_SIZE])
            regions.append(Region(_name(Cap(r.cap)), r.base, r.total, r.free, r.largest))
        return MemoryState(tuple(regions), reply.allocations, reply.images)

    def allocate(self, size: int, align: int = 128, where: str = "any") -> int:
        """Reserves ``size`` bytes on the board and returns their address. Raises OutOfMemory, BoardError."""
        if where not in _WHERE:
            raise BoardError(f"memory kinds are {', '.join(_WHERE)}, not {where!r}")
        if size < 1 or align < 1 or align & (align - 1):
            raise BoardError(
                f"cannot allocate {size} bytes aligned to {align}: sizes start at 1, alignments are powers of 2"
            )
        return AllocRsp.unpack(self._request(Type.ALLOC, Alloc(size, align, _WHERE[where]).pack()).payload).address

    def free(self, address: int) -> None:
        """Gives an allocation back. Raises BoardError when there is none at ``address``."""
        self._request(Type.FREE, Free(address).pack())

    def read(self, address: int, size: int) -> bytes:
        """Bytes of an allocation. Raises BoardError when they are not wholly inside one."""
        pieces = [
            self._request(Type.READ, Read(address + at, min(size - at, MAX_PAYLOAD)).pack()).payload
            for at in range(0, size, MAX_PAYLOAD)
        ]
        return b"".join(pieces)

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Stores bytes in an allocation. Raises BoardError when they do not fit wholly inside one."""
        view = memoryview(data).cast("B")
        step = MAX_PAYLOAD - WRITE_SIZE
        for at in range(0, len(view), step):
            self._request(Type.WRITE, Write(address + at, bytes(view[at : at + step])).pack())

    def __repr__(self) -> str:
        return f"<memory of a board>\n{self.state()}"
