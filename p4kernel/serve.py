"""Serves a virtual board to other programs: over TCP, or as a pseudo-terminal that opens as a serial port.

One thread moves the bytes and lets the board work. Nothing is buffered beyond one piece in each direction: when the
board is busy the client is not read, and when the client does not read the board stops.
"""

from __future__ import annotations

import ipaddress
import os
import select
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from p4kernel.errors import BoardError
from p4kernel.sim import VirtualBoard
from p4kernel.wire._tables import Status, Type
from p4kernel.wire.frames import encode

__all__ = ["Door", "Pty", "Server", "TcpListener"]

_CHUNK: Final = 1 << 16
_SLICE: Final = 0.005  # seconds that the board works between two looks at the client
_PTY_LOOK: Final = 0.05  # seconds between two looks whether somebody has opened a pseudo-terminal
_LEAVING: Final = 8  # refused connections that are kept until their peers have read why
# Says at once that a client is gone, even while its last bytes are not read. Only Linux has it; elsewhere the end of a
# connection is seen when it is read up to there.
_HANGUP: Final = getattr(select, "POLLRDHUP", 0)


@dataclass(slots=True)
class Client:
    """A connection: a descriptor that does not block."""

    fd: int
    name: str


class Door(Protocol):
    """Where clients come in."""

    url: str

    def enter(self, stop: int) -> Client | None:
        """Waits for a client; None when the descriptor ``stop`` can be read."""

    def waiting(self) -> int | None:
        """A descriptor that can be read when another client is there; None if that cannot be."""

    def refuse(self) -> str | None:
        """Sends that other client away; its name, or None when it had gone already."""

    def leave(self, client: Client) -> None:
        """Ends a connection."""

    def close(self) -> None:
        """No more clients."""


class TcpListener:
    """Listens on a TCP port. Only this machine can connect, unless ``allow_remote`` is set."""

    def __init__(self, host: str, port: int, allow_remote: bool = False) -> None:
        """Raises BoardError when the address is not of this machine, in use, or open to others without leave."""
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
                0
            ]
        except OSError as error:
            raise BoardError(f"{host}: {error.strerror or error}") from error
        self.loopback: Final = ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
        if not self.loopback and not allow_remote:
            raise BoardError(
                f"{host} can be reached from other machines, and whoever connects can run code on the board; "
                "use 127.0.0.1, or allow it with --allow-remote"
            )
        try:
            self._listener = socket.create_server(address[:2], family=family, backlog=4)
        except OSError as error:
            raise BoardError(f"{host}:{port}: {error.strerror or error}") from error
        self._listener.setblocking(False)
        bound = self._listener.getsockname()
        shown = f"[{bound[0]}]" if family == socket.AF_INET6 else bound[0]
        self.url = f"tcp://{shown}:{bound[1]}"
        self._leaving: deque[socket.socket] = deque()

    def enter(self, stop: int) -> Client | None:
        while True:
            ready = _poll({stop: select.POLLIN, self._listener.fileno(): select.POLLIN}, None)
            if stop in ready:
                return None
            accepted = self._accept()
            if accepted is not None:
                connection, name = accepted
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                return Client(connection.detach(), name)

    def waiting(self) -> int | None:
        return self._listener.fileno()

    def refuse(self) -> str | None:
        accepted = self._accept()
        if accepted is None:
            return None
        connection, name = accepted
        try:
            connection.send(encode(Type.RSP, 0, 0, arg=Status.BUSY))
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            connection.close()  # it went before it was told
            return name
        # Closing now would discard the answer, if the peer's HELLO is still on its way.
        self._leaving.append(connection)
        if len(self._leaving) > _LEAVING:
            self._leaving.popleft().close()
        return name

    def _accept(self) -> tuple[socket.socket, str] | None:
        try:
            connection, peer = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        connection.setblocking(False)
        return connection, f"{peer[0]}:{peer[1]}"

    def leave(self, client: Client) -> None:
        os.close(client.fd)

    def close(self) -> None:
        self._listener.close()
        while self._leaving:
            self._leaving.popleft().close()


class Pty:
    """A pseudo-terminal; ``url`` is the device that clients open. POSIX only."""

    def __init__(self) -> None:
        """Raises BoardError where there is no such thing."""
        try:
            import tty
        except ImportError as error:
            raise BoardError("this system has no pseudo-terminals; serve on TCP instead") from error
        self._master, slave = os.openpty()
        try:
            self.url = os.ttyname(slave)
            tty.setraw(slave)  # stays so while the master is open
            os.set_blocking(self._master, False)
        finally:
            # Kept open here, it would hide when the client closes it.
            os.close(slave)

    def enter(self, stop: int) -> Client | None:
        # Nothing becomes ready when the device is opened, so this looks now and then.
        while select.POLLHUP & _poll({self._master: 0}, 0.0).get(self._master, 0):
            if _poll({stop: select.POLLIN}, _PTY_LOOK):
                return None
        return Client(self._master, self.url)

    def waiting(self) -> int | None:
        return None

    def refuse(self) -> str | None:
        return None

    def leave(self, client: Client) -> None:
        import termios

        termios.tcflush(self._master, termios.TCIOFLUSH)  # what the next client should not read

    def close(self) -> None:
        os.close(self._master)


class Server:
    """Lets clients of ``door``, one after the other, use ``board``."""

    def __init__(self, board: VirtualBoard, door: Door, log: Callable[[str], None]) -> None:
        self._board = board
        self._door = door
        self._log = log
        self._stop, self._stopper = os.pipe()
        self._closed = False

    def run(self) -> None:
        """Serves until ``stop``."""
        while (client := self._door.enter(self._stop)) is not None:
            self._log(f"{client.name} connected")
            try:
                stopped, why = self._serve(client)
            finally:
                self._board.link_down()
                self._door.leave(client)
            self._log(f"{client.name} {why}")
            if stopped:
                return

    def _serve(self, client: Client) -> tuple[bool, str]:
        """Moves bytes until the client goes or the server is stopped: (whether it is stopped, what happened)."""
        board, fd, door = self._board, client.fd, self._door.waiting()
        up, down = b"", memoryview(b"")  # one piece on its way to the board, and one to the client
        while True:
            up = up[board.write(up) :]
            state = board.pump(_SLICE)
            freed = False  # room that the board waited for
            if not down:
                down = memoryview(board.read())
                freed = state.backlog and bool(down)
            taken = board.write(up)
            up = up[taken:]
            wanted = {fd: _HANGUP, self._stop: select.POLLIN}
            if not up:
                wanted[fd] |= select.POLLIN
            if down:
                wanted[fd] |= select.POLLOUT
            if door is not None:
                wanted[door] = select.POLLIN
            busy = state.running or freed or taken > 0
            ready = _poll(wanted, 0.0 if busy else state.wait)
            if self._stop in ready:
                return True, "was disconnected: the server ends"
            if door in ready or ready.get(fd, 0) & ~(select.POLLIN | select.POLLOUT):
                if _gone(fd):  # before another one is refused for its sake
                    return False, "has gone"
                self._refuse()
            try:
                if ready.get(fd, 0) & select.POLLIN:
                    up = os.read(fd, _CHUNK)
                    if not up:
                        return False, "has gone"
                if ready.get(fd, 0) & select.POLLOUT:
                    down = down[os.write(fd, down) :]
            except BlockingIOError:
                continue
            except OSError as error:
                return False, f"was lost: {error.strerror or error}"

    def _refuse(self) -> None:
        name = self._door.refuse()
        if name is not None:
            self._log(f"{name} was refused: another program has this board")

    def stop(self) -> None:
        """Makes ``run`` return soon. For any thread, and for signal handlers."""
        if not self._closed:
            os.write(self._stopper, b"\0")

    def close(self) -> None:
        """Frees the board and the address. Not while ``run`` is running."""
        if not self._closed:
            self._closed = True
            self._door.close()
            self._board.close()
            os.close(self._stop)
            os.close(self._stopper)


def _poll(wanted: dict[int, int], timeout: float | None) -> dict[int, int]:
    """Descriptors on which something happened within ``timeout`` seconds (None: for ever), and what."""
    poller = select.poll()
    for fd, events in wanted.items():
        poller.register(fd, events)
    return dict(poller.poll(None if timeout is None else max(timeout * 1000, 0)))


def _gone(fd: int) -> bool:
    """Whether the peer has closed its side."""
    return bool(_poll({fd: _HANGUP}, 0.0).get(fd, 0))
