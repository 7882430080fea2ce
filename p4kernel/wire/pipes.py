"""The connections that a URL can name: pyserial's (ports, socket://, rfc2217://) and plain TCP."""

from __future__ import annotations

import socket
from typing import Any

from p4kernel.errors import BoardError
from p4kernel.wire.transport import ThreadedTransport

_POLL = 0.2  # seconds a receive waits, so that a closed pipe's thread ends soon
_CHUNK = 1 << 16


class _SerialPipe:
    def __init__(self, port: Any) -> None:
        self._port = port

    def receive(self) -> bytes:
        data: bytes = self._port.read(1)
        waiting = self._port.in_waiting if data else 0
        return data + self._port.read(waiting) if waiting else data

    def send(self, data: bytes) -> None:
        self._port.write(data)

    def fileno(self) -> int:
        try:
            return int(self._port.fileno())
        except AttributeError as error:  # a connection that pyserial keeps to itself
            raise OSError(str(error)) from error

    def close(self) -> None:
        self._port.close()


class _SocketPipe:
    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(None)

    def receive(self) -> bytes:
        data = self._socket.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("closed by the other side")
        return data

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # the other side was faster
            self._socket.close()
            return
        self._socket.close()


def open_tcp(host: str, port: int, timeout: float) -> ThreadedTransport:
    """Connects to ``p4kernel serve --tcp``. Raises BoardError."""
    try:
        connection = socket.create_connection((host, port), timeout)
    except OSError as error:
        raise BoardError(
            f"tcp://{host}:{port}: {error.strerror or error}; is `p4kernel serve --tcp {host}:{port}` running?"
        ) from error
    return ThreadedTransport(_SocketPipe(connection), f"tcp://{host}:{port}")


def open_serial(url: str, baudrate: int) -> ThreadedTransport:
    """Opens any pyserial URL or port name. Raises BoardError that lists the ports that are there."""
    import serial

    try:
        port = serial.serial_for_url(url, baudrate=baudrate, timeout=_POLL, exclusive=_exclusive(url))
    except (OSError, ValueError) as error:
        raise BoardError(f"{url}: {_reason(error)}; {_known_ports()}") from error
    return ThreadedTransport(_SerialPipe(port), url)


def _exclusive(url: str) -> bool | None:
    """Two hosts on one port would eat each other's replies; only POSIX ports can be locked."""
    return True if url.startswith("/dev/") else None


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == 2:
        return "there is no such port"
    if number == 13:
        return "no permission to open it (on Linux, join the group dialout: sudo usermod -aG dialout $USER)"
    if number in (11, 16):
        return "another program has it open"
    return str(error)


def ports() -> list[tuple[str, str]]:
    """Serial ports of this machine: (name, description), USB ones first."""
    from serial.tools import list_ports

    found = sorted(list_ports.comports(), key=lambda p: (p.vid is None, p.device))
    return [(p.device, p.description if p.vid is None else f"{p.description} [{p.vid:04x}:{p.pid:04x}]") for p in found]


def _known_ports() -> str:
    names = [name for name, _ in ports()]
    return f"ports here: {', '.join(names)}" if names else "no serial port is connected; `p4kernel ports` lists them"
