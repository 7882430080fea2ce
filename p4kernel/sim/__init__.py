"""The virtual board: firmware core and simulated chip in one, reached through the bytes of a link."""

from __future__ import annotations

import itertools
import weakref
from pathlib import Path
from typing import Any, NamedTuple

from p4kernel import _forks
from p4kernel.errors import BoardError, BoardLost, Error

try:
    from p4kernel._native import ffi, lib
except ModuleNotFoundError as error:
    raise Error(
        f"p4kernel was imported from {Path(__file__).parents[1]}, where its extension is not built; install it there with "
        "`pip install --editable .`, or start Python in another folder"
    ) from error

__all__ = ["State", "VirtualBoard"]

_ROOM = 1 << 18  # bytes that one read gives at most
_MICRO = 1_000_000
_FOREVER = 0xFFFFFFFF

# The C objects stand here and not in VirtualBoard: when the garbage collector ends a cycle of Python objects it runs
# their finalizers in any order, and one of them may still use the board. It then finds that the board is closed.
_boards: dict[int, Any] = {}
_keys = itertools.count()

_allocate = ffi.new_allocator(should_clear_after_alloc=False)
_stuck: set[int] = set()  # in a child: boards that a thread was using which is not there, so that their locks are held


@_forks.call
def _after_fork() -> None:
    for key, board in _boards.items():
        if lib.p4v_users(board):
            _stuck.add(key)
            ffi.gc(board, None)  # freeing it would wait for that thread


class State(NamedTuple):
    """What a board is doing after it was pumped."""

    readable: bool  # there are bytes to read
    running: bool  # a kernel runs: pump again
    backlog: bool  # written bytes wait until the board's were read
    wait: float | None  # seconds until it wants to be pumped again even if nothing comes; None: never


class Space(NamedTuple):
    """Where an exchange puts what came and the two counts: bytes that were taken and given."""

    buffer: Any
    moved: Any


def new_space() -> Space:
    """Room for one exchange."""
    return Space(_allocate("char[]", _ROOM), ffi.new("uint32_t[2]"))


class VirtualBoard:
    """A simulated ESP32-P4 with the p4kernel firmware. Memory sizes are in bytes, multiples of 4096.

    `revision` is the chip's (major * 100 + minor): below 300 it has PIE generation 1, else 2. Without `reliable` the
    firmware guards against a link that loses or changes bytes. `seed` makes its random numbers the same every time.
    Tasks and timers that kernels leave behind run as the host's time passes; with `still` they only run during calls,
    where time is counted in instructions, so that the same calls always do the same.

    The board works only while somebody pumps it. Threads may share it; a process made by fork() gets a copy of its own,
    which it may use unless another thread was using the board at that moment.
    """

    def __init__(
        self,
        *,
        psram: int = 32 << 20,
        sram: int = 768 << 10,
        tcm: int = 8 << 10,
        revision: int = 100,
        reliable: bool = True,
        slice_instructions: int = 0,
        seed: int = 0,
        still: bool = False,
    ) -> None:
        """Raises BoardError when a size does not fit the chip's memory map, or the host's memory does not do."""
        self._what = f"psram={psram}, sram={sram}, tcm={tcm}, revision={revision}, reliable={reliable}"
        try:
            config = ffi.new("p4v_config *", (psram, sram, tcm, revision, reliable, slice_instructions, seed, still))
        except OverflowError as error:
            raise BoardError(f"no virtual board can have {self._what}: {error}") from error
        board = lib.p4v_new(config)
        if board == ffi.NULL:
            raise BoardError(
                f"cannot make a virtual board with {self._what}: sizes are multiples of 4096, PSRAM is at most 124 MB, "
                "internal SRAM 1 MB, and the host must have memory for them"
            )
        key = next(_keys)
        _boards[key] = ffi.gc(board, lib.p4v_delete)
        self._key = key
        weakref.finalize(self, _boards.pop, key, None).atexit = False  # others that end with the process may use it
        self._spare: list[Space] = []  # buffers that no thread uses now

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Host to board: how many bytes were taken. The link holds 512 KB that the board has not read."""
        return int(lib.p4v_write(self._live(), ffi.from_buffer(data), len(data)))

    def read(self, size: int = _ROOM) -> bytes:
        """Board to host: what is there, at most ``size`` bytes."""
        board = self._live()
        space = self._take_space()
        got = bytes(ffi.buffer(space.buffer, lib.p4v_read(board, space.buffer, min(size, _ROOM))))
        self._spare.append(space)
        return got

    def pump(self, seconds: float) -> State:
        """Lets the board work until there is something to read, nothing to do, or the time is over."""
        board = self._live()
        return self._state(lib.p4v_pump(board, int(seconds * _MICRO)))

    def work(self, seconds: float) -> bytes:
        """Pumps and reads, and waits for writes of other threads: what there is to read, b"" when the time is over."""
        return self.exchange(b"", seconds, wait=True)[1]

    def exchange(
        self, data: bytes | bytearray | memoryview, seconds: float, *, wait: bool = False
    ) -> tuple[int, bytes]:
        """Writes, pumps and reads in one: the bytes taken, and those that came.

        Returns as soon as something came and all was taken, at the latest after ``seconds``; and when there is nothing
        to do, unless ``wait`` is set.
        """
        space = self._take_space()
        self.exchange_in(space, data, seconds, wait=wait)
        taken, got = int(space.moved[0]), bytes(ffi.buffer(space.buffer, space.moved[1]))
        self._spare.append(space)
        return taken, got

    def exchange_in(
        self, space: Space, data: bytes | bytearray | memoryview, seconds: float, *, wait: bool = False
    ) -> None:
        """As ``exchange``. The bytes and the counts stay in ``space``, where an interrupt does not lose them."""
        lib.p4v_exchange(
            self._live(),
            ffi.from_buffer(data),
            len(data),
            space.buffer,
            _ROOM,
            int(seconds * _MICRO),
            wait,
            space.moved,
        )

    def link_down(self) -> None:
        """The peer is gone: its session ends, and what is under way on the link is thrown away."""
        lib.p4v_link_down(self._live())

    @property
    def allocated(self) -> int:
        """Bytes of board memory that are allocated now, by whoever."""
        return int(lib.p4v_heap_used(self._live()))

    @property
    def defects(self) -> int:
        """Times that the firmware freed what was not allocated: always 0, or the firmware is wrong."""
        return int(lib.p4v_heap_errors(self._live()))

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._key not in _boards

    def close(self) -> None:
        """Frees the board, when the last call on it in another thread has ended. May be called again."""
        board = _boards.pop(self._key, None)
        if board is not None and self._key not in _stuck:
            lib.p4v_wake(board)

    def __repr__(self) -> str:
        return f"<VirtualBoard {'closed' if self.closed else self._what}>"

    def _take_space(self) -> Space:
        try:
            return self._spare.pop()
        except IndexError:
            return new_space()

    def _state(self, flags: int) -> State:
        wait: int = lib.p4v_wait_us(self._live())
        return State(
            readable=bool(flags & lib.P4V_READABLE),
            running=bool(flags & lib.P4V_RUNNING),
            backlog=bool(flags & lib.P4V_BACKLOG),
            wait=None if wait == _FOREVER else wait / _MICRO,
        )

    def _live(self) -> Any:
        board = _boards.get(self._key)
        if board is None:
            raise BoardLost("this virtual board is closed", ran="no")
        if _stuck and self._key in _stuck:
            raise BoardLost(
                "this virtual board was in use by another thread when the process forked: make a new one here",
                ran="unknown",
            )
        return board
