"""The architectural state that PIE instructions and hardware loops read and write.

Everything is held as the documents count it: q registers as 16 bytes in memory order, QACC as 64 bytes in the
memory order L.L, L.H, H.L, H.H (so its lanes are a plain little-endian view), XACC as the 40 bits it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

MASK16 = 0xFFFF
MASK32 = 0xFFFFFFFF
MASK40 = 0xFF_FFFFFFFF

CFG_VXSAT_EN = 1 << 8
CFG_VXRM_SHIFT = 4
CFG_RM_EXC = 1 << 3
CFG_VXSAT = 1 << 2
CFG_MIS_LD = 1 << 1
CFG_MIS_ST = 1 << 0

XESPV_2P2_REVISION = 3  # the first chip revision that has xespv 2.2


class AccessFault(Exception):
    """A load or store outside the memory of the state; raised before anything has changed."""

    def __init__(self, size: int, address: int, first: int) -> None:
        super().__init__(f"{size} bytes at {address:#010x}")
        self.first = first
        """The first address that is outside."""


@dataclass
class State:
    """One hart as PIE sees it. Addresses and x registers are Python integers of 32 bits, unsigned."""

    memory: bytearray = field(default_factory=lambda: bytearray(256))
    base: int = 0
    q: Bytes = field(default_factory=lambda: np.zeros((8, 16), np.uint8))
    x: list[int] = field(default_factory=lambda: [0] * 32)
    qacc: Bytes = field(default_factory=lambda: np.zeros(64, np.uint8))
    xacc: int = 0
    sar: int = 0
    sar_byte: int = 0
    ua_state: Bytes = field(default_factory=lambda: np.zeros(16, np.uint8))
    fft_bit_width: int = 0
    cfg: int = 0
    perf: int = 0
    pc: int = 0
    lp_start: list[int] = field(default_factory=lambda: [0, 0])
    lp_end: list[int] = field(default_factory=lambda: [0, 0])
    lp_count: list[int] = field(default_factory=lambda: [0, 0])

    def copy(self) -> State:
        """A state that shares nothing with this one."""
        return State(
            memory=bytearray(self.memory), base=self.base, q=self.q.copy(), x=list(self.x), qacc=self.qacc.copy(),
            xacc=self.xacc, sar=self.sar, sar_byte=self.sar_byte, ua_state=self.ua_state.copy(),
            fft_bit_width=self.fft_bit_width, cfg=self.cfg, perf=self.perf, pc=self.pc,
            lp_start=list(self.lp_start), lp_end=list(self.lp_end), lp_count=list(self.lp_count),
        )  # fmt: skip

    def differences(self, other: State) -> list[str]:
        """Names of the fields in which two states differ (empty when they are equal)."""
        return [
            name for name in self.__dataclass_fields__ if not np.array_equal(getattr(self, name), getattr(other, name))
        ]

    def set_x(self, register: int, value: int) -> None:
        """Write an x register; x0 stays zero."""
        if register:
            self.x[register] = value & MASK32

    def load(self, address: int, size: int, *, masked: bool = False) -> Bytes:
        """`size` bytes; the low address bits are dropped unless CFG lets loads be misaligned and not `masked`."""
        start = self._offset(address, size, align=masked or not self.cfg & CFG_MIS_LD)
        return np.frombuffer(bytes(self.memory[start : start + size]), np.uint8)

    def store(self, address: int, size: int, produce: Callable[[], Bytes], *, masked: bool = False) -> None:
        """The counterpart of load. The bytes are asked for only when they can be stored: making them may set flags."""
        start = self._offset(address, size, align=masked or not self.cfg & CFG_MIS_ST)
        self.memory[start : start + size] = produce().tobytes()

    def _offset(self, address: int, size: int, *, align: bool) -> int:
        address &= MASK32
        if align:
            address &= -size
        offset = address - self.base
        if offset < 0 or offset + size > len(self.memory):
            outside = offset < 0 or offset >= len(self.memory)
            raise AccessFault(size, address, address if outside else self.base + len(self.memory))
        return offset
