"""Models of links, for the virtual board: the time that bytes take, so that round trips show up in benchmarks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from p4kernel.wire.transport import Transport


@dataclass(frozen=True, slots=True)
class Link:
    """``latency``: seconds one way, until the first byte arrives; ``rate``: bytes a second."""

    latency: float
    rate: float


# Assumptions of a model, not measurements on a board. High speed USB: a microframe of 125 us, and as much again for
# the host's driver and the board's task switch on the way; 40 MB/s is what bulk transfers are reported to reach on
# this chip, 12 MB/s what CDC-ACM does. USB-Serial-JTAG has frames of 1 ms. UART: 5 Mbaud behind a bridge.
LINKS: Final = {
    "usb-hs": Link(300e-6, 40e6),
    "usb-cdc": Link(300e-6, 12e6),
    "usb-jtag": Link(1e-3, 0.8e6),
    "uart": Link(1e-3, 0.5e6),
}


class ModelledLink:
    """A transport that is as slow as a link."""

    def __init__(self, transport: Transport, link: Link) -> None:
        self.name = transport.name
        self._transport = transport
        self._link = link
        self._free_up = 0.0  # when the link has carried what was written
        self._free_down = 0.0

    def write(self, data: bytes) -> None:
        start = max(time.perf_counter(), self._free_up)
        self._free_up = start + len(data) / self._link.rate
        self._transport.write(data)

    def read(self, timeout: float) -> bytes:
        # The board cannot know of bytes before the link has brought them.
        _sleep_until(self._free_up + self._link.latency)
        data = self._transport.read(timeout)
        if data:
            start = max(time.perf_counter(), self._free_down)
            self._free_down = start + len(data) / self._link.rate
            _sleep_until(self._free_down + self._link.latency)
        return data

    def close(self) -> None:
        self._transport.close()


def _sleep_until(moment: float) -> None:
    """Sleeps, and spins over the last stretch: a sleep is too coarse for 125 us."""
    left = moment - time.perf_counter()
    if left > 2e-3:
        time.sleep(left - 1e-3)
    while time.perf_counter() < moment:
        continue
