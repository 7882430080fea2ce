"""``p4.connect``: from a URL to a connected board."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from p4kernel.board import Board
from p4kernel.errors import BoardError
from p4kernel.wire.links import LINKS, ModelledLink
from p4kernel.wire.transport import Transport

_BAUDRATE = 921_600  # of a UART bridge; USB ports ignore it
_TIMEOUT = 5.0  # seconds for a TCP connection
_named: list[str] = []  # URLs that this process asked for


def someone_named_a_board() -> bool:
    """Whether this process ever called ``connect``."""
    return bool(_named)


def connect(url: str | None = None) -> Board:
    """Connects to a board.

    Args:
        url: a port (``/dev/ttyACM0``, ``COM3``), any pyserial URL (``socket://host:port``, ``rfc2217://...``),
            ``tcp://host:port`` of a ``p4kernel serve``, or ``sim`` for a virtual board in this process, with options:
            ``sim?psram=64M&sram=768K&revision=3&link=usb-hs``. None: what P4KERNEL_BOARD names, else ``sim``.

    Raises:
        BoardError: the port cannot be opened, or an option is wrong.
        ProtocolError: what is there is no p4kernel board, or one of another protocol version.
    """
    board = open_board(url or os.environ.get("P4KERNEL_BOARD") or "sim")
    _named.append(board.url)
    return board


def open_board(url: str) -> Board:
    """As ``connect``, without counting as a board that somebody named."""
    return Board(_transport(url), url, _print)


def _print(text: str, level: int) -> None:
    stream = sys.stdout  # of this moment: it may be redirected, or none (under pythonw)
    if stream is not None:
        stream.write(text)
        stream.flush()


def _transport(url: str) -> Transport:
    if url == "sim" or url.startswith(("sim?", "sim:")):
        return _virtual(url)
    # pyserial can do socket://, too, but reads it in pieces of two bytes.
    if url.startswith(("tcp://", "socket://")):
        from p4kernel.wire.pipes import open_tcp

        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BoardError(f"{url}: {error}") from None
        if not host or not port:
            raise BoardError(f"{url}: write {parts.scheme}://HOST:PORT")
        return open_tcp(host, port, _TIMEOUT)
    from p4kernel.wire.pipes import open_serial

    return open_serial(url, _BAUDRATE)


@dataclass(frozen=True, slots=True)
class SimOptions:
    """The options of ``sim?...``."""

    psram: int = 32 << 20
    sram: int = 768 << 10
    tcm: int = 8 << 10
    revision: int = 100
    link: str | None = None


def sim_options(url: str) -> SimOptions:
    """Reads ``sim?psram=64M&revision=3&link=usb-hs``. Raises BoardError that lists what there is."""
    values: dict[str, int | str] = {}
    for name, text in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if name in ("psram", "sram", "tcm"):
            values[name] = _size(name, text)
        elif name == "revision":
            values[name] = _revision(text)
        elif name == "link":
            if text not in LINKS:
                raise BoardError(f"{url}: links are {', '.join(LINKS)}, not {text!r}")
            values[name] = text
        else:
            raise BoardError(f"{url}: options are psram, sram, tcm, revision and link, not {name!r}")
    return SimOptions(**values)  # type: ignore[arg-type]


def _size(name: str, text: str) -> int:
    unit = {"K": 10, "M": 20}.get(text[-1:].upper())
    digits = text[:-1] if unit else text
    if not digits.isdecimal() or not 0 < int(digits) << (unit or 0) <= 1 << 30:
        raise BoardError(f"sim: {name} is a size such as 64M or 768K, not {text!r}")
    size = int(digits) << (unit or 0)
    if size % 4096:
        raise BoardError(f"sim: {name} must be a multiple of 4K, not {text!r}")
    return size


def _revision(text: str) -> int:
    major, _, minor = text.partition(".")
    if not major.isdecimal() or not (minor or "0").isdecimal():
        raise BoardError(f"sim: revision is the chip's, such as 1 or 3.1, not {text!r}")
    return int(major) * 100 + int(minor or 0)


def _virtual(url: str) -> Transport:
    from p4kernel.sim import VirtualBoard
    from p4kernel.sim.link import SimTransport

    options = sim_options(url)
    board = VirtualBoard(psram=options.psram, sram=options.sram, tcm=options.tcm, revision=options.revision)
    transport: Transport = SimTransport(url, board)
    return ModelledLink(transport, LINKS[options.link]) if options.link else transport
