"""What carries bytes to a board: the interface, and the one for files and sockets, where threads move the bytes."""

from __future__ import annotations

import queue
import threading
from typing import Protocol

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

    def close(self) -> None:
        """Ends the connection; a blocked receive returns or raises soon."""
        ...


class ThreadedTransport:
    """Reads and writes a Pipe in two threads, so that Ctrl-C in a caller never cuts a frame or drops a byte."""

    def __init__(self, pipe: Pipe, name: str) -> None:
        self.name = name
        self._pipe = pipe
        self._in: queue.SimpleQueue[bytes | BaseException] = queue.SimpleQueue()
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lost: BaseException | None = None
        self._closed = False
        for work in (self._receive, self._send):
            threading.Thread(target=work, name=f"p4kernel {work.__name__} {name}", daemon=True).start()

    def write(self, data: bytes) -> None:
        self._check()
        self._out.put(data)

    def read(self, timeout: float) -> bytes:
        try:
            item = self._in.get(timeout=timeout) if timeout > 0 else self._in.get_nowait()
        except queue.Empty:
            self._check()
            return b""
        if isinstance(item, BaseException):
            self._lost = item
            self._check()
        assert isinstance(item, bytes)
        return item

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._out.put(None)
            self._pipe.close()

    def _check(self) -> None:
        if self._closed:
            raise BoardLost(f"the connection to {self.name} is closed", ran="no")
        if self._lost is not None:
            raise BoardLost(f"the connection to {self.name} ended: {self._lost}") from self._lost

    def _receive(self) -> None:
        try:
            while not self._closed:
                data = self._pipe.receive()
                if data:
                    self._in.put(data)
        except Exception as error:  # whatever a driver raises: the caller learns it as BoardLost
            self._in.put(error)

    def _send(self) -> None:
        try:
            while (data := self._out.get()) is not None:
                self._pipe.send(data)
        except Exception as error:
            self._in.put(error)
