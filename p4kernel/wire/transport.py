"""What carries bytes to a board: the interface, and the one for files and sockets, where threads move the bytes."""

from __future__ import annotations

import os
import queue
import threading
from typing import Protocol

from p4kernel import _forks
from p4kernel.errors import BoardLost


class Transport(Protocol):
    """Moves bytes. Not thread-safe: the session's lock is held around each call but ``close``."""

    name: str

    def write(self, data: bytes) -> None:
        """Takes all of ``data``. An interrupt during the call loses none and sends none twice. Raises BoardLost."""
        ...

    def read(self, timeout: float) -> bytes:
        """Bytes that arrived, waiting up to ``timeout`` seconds for the first; b"" when none did. Raises BoardLost."""
        ...

    def close(self) -> None:
        """Ends the connection. May be called more than once."""
        ...


class Pipe(Protocol):
    """A blocking connection, as pyserial and sockets have it."""

    def receive(self) -> bytes:
        """Waits a while for bytes; b"" when none came. Raises OSError when the connection ended."""
        ...

    def send(self, data: bytes) -> None:
        """Sends all. Raises OSError."""
        ...

    def fileno(self) -> int:
        """Its descriptor. Raises OSError when it has none."""
        ...

    def close(self) -> None:
        """Ends the connection; a blocked receive returns or raises soon."""
        ...


class ThreadedTransport:
    """Reads and writes a Pipe in two threads, so that Ctrl-C in a caller never cuts a frame or drops a byte."""

    def __init__(self, pipe: Pipe, name: str) -> None:
        self.name = name
        self._pipe = pipe
        self._in: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()  # None: look why it ended
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lost: BaseException | None = None
        self._ended = False  # it was lost, and all that came before was read
        self._closed = False
        self._forked = False
        _forks.watch(self)
        for work in (self._receive, self._send):
            threading.Thread(target=work, name=f"p4kernel {work.__name__} {name}", daemon=True).start()

    def after_fork(self) -> None:
        """The copy in a child has no threads, and must not touch the parent's connection, not even to close it."""
        self._forked = True
        if self._closed:
            return
        try:
            here = self._pipe.fileno()
        except OSError:  # nothing to let go of: closing it might tell the other side
            self._closed = True
            return
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nothing, here, inheritable=False)
        os.close(nothing)

    def write(self, data: bytes) -> None:
        self._check()
        self._out.put(data)

    def read(self, timeout: float) -> bytes:
        if self._forked:
            self._check()
        try:
            item = self._in.get(timeout=timeout) if timeout > 0 and self._lost is None else self._in.get_nowait()
        except queue.Empty:
            item = None
        if item is None:
            self._ended = self._lost is not None
            self._check()
        return item or b""

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._out.put(None)
            self._in.put(None)
            self._pipe.close()

    def _check(self) -> None:
        if self._forked:
            raise BoardLost(
                f"the connection to {self.name} belongs to the process that forked this one: connect again here",
                ran="no",
            )
        if self._closed:
            raise BoardLost(f"the connection to {self.name} is closed")
        if self._ended:
            raise BoardLost(f"the connection to {self.name} ended: {self._lost}") from self._lost

    def _receive(self) -> None:
        try:
            while not self._closed:
                data = self._pipe.receive()
                if data:
                    self._in.put(data)
        except Exception as error:  # whatever a driver raises: the caller learns it as BoardLost
            self._end(error)

    def _send(self) -> None:
        try:
            while (data := self._out.get()) is not None:
                self._pipe.send(data)
        except Exception as error:
            self._end(error)

    def _end(self, error: Exception) -> None:
        self._lost = self._lost or error
        self._in.put(None)  # behind what came before: wakes the reader
