"""The board as P4-JIT's programs see it: memory by address, and who is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, TypedDict

import p4kernel as p4
from p4kernel import defaults
from p4kernel.board import Board, Unreachable
from p4kernel.p4jit import absent
from p4kernel.p4jit.caps import kind_of, minimum_alignment
from p4kernel.p4jit.errors import NoDevice, NotAllocated, OutOfBounds
from p4kernel.p4jit.logs import verbose
from p4kernel.wire._tables import Type

__all__ = ["Allocation", "Device", "HeapStats", "JITSession"]


class HeapStats(TypedDict):
    """Bytes."""

    free_spiram: int
    total_spiram: int
    free_internal: int
    total_internal: int


class Allocation(TypedDict):
    """What ``allocate`` was asked for."""

    size: int
    caps: int
    align: int


class Device:
    """``jit.session.device``. Every access is checked on the board."""

    def __init__(self) -> None:
        self._board: Board | None = None
        self._own = False
        self.allocations: dict[int, Allocation] = {}
        """What ``allocate`` returned and ``free`` did not take back yet, by address."""

    @property
    def board(self) -> Board:
        """The connected board, for all that p4kernel can do with it. Raises NoDevice when there is none."""
        if self._board is None or self._board.closed:
            raise NoDevice("the device is not connected: P4JIT(), or P4JIT(port), connects")
        return self._board

    @property
    def port(self) -> str:
        """The board's URL."""
        return self.board.url

    def connect(self, port: str | None = None) -> None:
        """Connects to ``port``, as ``p4.connect`` does. None: the current board, which may be the virtual one.

        Raises NoDevice.
        """
        self.disconnect()
        try:
            self._board = defaults.current_board() if port is None else p4.connect(port)
        except p4.BoardError as error:
            raise NoDevice(str(error)) from error
        self._own = port is not None
        verbose("Connected to %s", self._board)

    def disconnect(self) -> None:
        """Gives back what was allocated, and ends a connection that was made to a named port."""
        board, self._board = self._board, None
        addresses = list(self.allocations)
        self.allocations.clear()
        if board is None or board.closed:
            return
        if self._own:
            board.close()
            return
        for address in addresses:  # the board goes on, with its session
            board.memory.free(address)

    def ping(self) -> bool:
        """True when the board answers. Raises BoardLost when it does not."""
        self.board.request(Type.PING)
        return True

    def allocate(self, size: int, caps: int, alignment: int) -> int:
        """Reserves ``size`` bytes, which are zeros; their address. Raises OutOfMemory, which is a MemoryError."""
        kind = kind_of(caps, "caps")
        verbose("Allocating %d bytes of memory (%s, aligned to %d)", size, kind, alignment)
        address = self.board.memory.allocate(size, max(alignment, minimum_alignment(caps)), kind)
        self.allocations[address] = Allocation(size=size, caps=caps, align=alignment)
        return address

    def free(self, address: int) -> None:
        """Gives an allocation back. Raises NotAllocated, which is a ValueError."""
        if address not in self.allocations:
            raise NotAllocated(f"0x{address:08X} was not allocated with device.allocate, or was freed before")
        del self.allocations[address]  # whatever the board says: it is gone after a restart, too
        self.board.memory.free(address)

    def write_memory(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Stores bytes. Raises OutOfBounds, which is a PermissionError."""
        verbose("Writing %d bytes to 0x%08X", len(data), address)
        try:
            self.board.memory.write(address, data)
        except Unreachable as error:
            raise _outside("write", address, len(data), error) from error

    def read_memory(self, address: int, size: int) -> bytes:
        """Fetches bytes. Raises OutOfBounds, which is a PermissionError."""
        verbose("Reading %d bytes from 0x%08X", size, address)
        try:
            return self.board.memory.read(address, size)
        except Unreachable as error:
            raise _outside("read", address, size, error) from error

    def get_heap_info(self) -> HeapStats:
        """Free and total memory."""
        found = {region.name: region for region in self.board.memory.state().regions}
        psram, internal = found.get("psram"), found.get("internal")
        return HeapStats(
            free_spiram=psram.free if psram is not None else 0,
            total_spiram=psram.total if psram is not None else 0,
            free_internal=internal.free if internal is not None else 0,
            total_internal=internal.total if internal is not None else 0,
        )

    if not TYPE_CHECKING:  # to a checker these are mistakes

        def __getattr__(self, name: str) -> NoReturn:
            raise absent.error("device", name, absent.DEVICE)


def _outside(what: str, address: int, size: int, error: Unreachable) -> OutOfBounds:
    return OutOfBounds(
        f"Segmentation Fault: {what} of {size} bytes at 0x{address:08X} is not wholly inside memory that was allocated in "
        f"this session ({error})"
    )


class JITSession:
    """``jit.session``: the connection."""

    def __init__(self) -> None:
        self.device = Device()

    def connect(self, port: str | None = None) -> None:
        """As Device.connect."""
        self.device.connect(port)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise absent.error("session", name, absent.SESSION)
