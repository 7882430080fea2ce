"""What random states are filled with: anything, with a bias to the edges of every lane width."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .layout import CODE, MEMORY, MEMORY_SIZE

Integers = NDArray[np.int64]

_ROM: Final = 0x4FC00000
_INDEX_RANGE: Final = 4 << 16  # how far an indexed access can be from its base


def vectors(source: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """Sixteen bytes each: random; edges of lanes of 8 to 64 bits, some lanes random; small numbers; one lane repeated."""
    out = np.frombuffer(source.bytes(16 * count), np.uint8).reshape(count, 16).copy()
    style = source.integers(0, 10, count)
    for number, bits in enumerate((8, 16, 16, 32, 64)):
        at = np.flatnonzero(style == number)
        lanes = out[at].view(f"<u{bits // 8}")
        keep = source.random(lanes.shape) < 0.25
        out[at] = np.where(keep, lanes, _some_edges(source, bits, lanes.shape)).view(np.uint8)
    for number, kind in ((5, "<i1"), (6, "<i2")):
        at = np.flatnonzero(style == number)
        small = source.integers(-20, 21, (len(at), 16 // np.dtype(kind).itemsize))
        out[at] = small.astype(kind).view(np.uint8)
    at = np.flatnonzero(style == 7)
    out[at] = np.tile(out[at, :2], 8)
    return out


def accumulators(source: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """Quarters of QACC: half of them as other vectors, half so close to a limit that a few products go beyond it."""
    out = vectors(source, count)
    style = source.integers(0, 4, count)
    for number, bits in ((0, 32), (1, 64)):
        at = np.flatnonzero(style == number)
        shape = (len(at), 128 // bits)
        noise = _noise(source, bits // 2 + 2, shape).astype(np.uint64)
        near = _some_edges(source, bits, shape).astype(np.uint64) + noise
        out[at] = near.astype(f"<u{bits // 8}").view(np.uint8)
    return out


def near_limits(source: np.random.Generator, limits: Sequence[int], count: int) -> Integers:
    """Numbers at most 40 bits away from a limit, mostly much closer."""
    widest = np.where(source.random(count) < 0.2, 41, 24)
    return np.array(limits)[source.integers(0, len(limits), count)] + _noise(source, widest, (count,))


def cfg(source: np.random.Generator, generation: int, count: int) -> Integers:
    """CFG with each vxrm, those that mean nothing as well, and flags that are mostly clear."""
    pick = source.random(count)
    vxrm = np.select([pick < 0.2, pick < 0.9], [7, source.integers(0, 8, count)], source.integers(8, 16, count))
    flags = source.integers(0, 16, count) & source.integers(0, 16, count)
    enable = source.integers(0, 2, count) if generation == 1 else 0
    filled: Integers = enable << 8 | vxrm << 4 | flags
    return filled


def addresses(source: np.random.Generator, shape: tuple[int, ...]) -> Integers:
    """Mostly inside the memory, often aligned, some across its ends."""
    inside = source.integers(0, MEMORY_SIZE, shape)
    ends = source.integers(-40, 40, shape) + np.where(source.random(shape) < 0.5, 0, MEMORY_SIZE)
    mask = np.array([-1, -2, -4, -8, -16])[source.integers(0, 5, shape)]
    filled: Integers = MEMORY + (np.where(source.random(shape) < 0.9, inside, ends) & mask)
    return filled


def registers(source: np.random.Generator, count: int) -> NDArray[np.uint32]:
    """x0 to x31: addresses, amounts, edges, anything."""
    shape = (count, 32)
    style = source.integers(0, 10, shape)
    choices = [
        addresses(source, shape), source.integers(-70, 71, shape), _some_edges(source, 32, shape).astype(np.int64),
        _some_edges(source, 16, shape).astype(np.int64),
    ]  # fmt: skip
    x = np.select([style < 4, style < 6, style < 8, style < 9], choices, source.integers(0, 1 << 32, shape))
    x &= 0xFFFFFFFF
    x[:, 0] = 0
    for start in (CODE, _ROM):  # where the simulator has memory, and the model has none
        x[(x >= start - _INDEX_RANGE - 64) & (x < start + 0x4000)] = 0
    return x.astype(np.uint32)


def _noise(source: np.random.Generator, width: int | Integers, shape: tuple[int, ...]) -> Integers:
    """Signed numbers of less than `width` bits, of each width equally often."""
    widths = source.integers(0, width, shape)
    filled: Integers = source.integers(-(1 << 62), 1 << 62, shape) >> (62 - widths)
    return filled


def _some_edges(source: np.random.Generator, bits: int, shape: tuple[int, ...]) -> NDArray[Any]:
    table = _edges(bits)
    return table[source.integers(0, len(table), shape)]


@functools.cache
def _edges(bits: int) -> NDArray[Any]:
    """The ends of signed and unsigned lanes, powers of two in the middle, and their neighbours."""
    top, half = 1 << bits - 1, 1 << bits // 2
    values = (0, 1, -1, 2, -2, top, top - 1, top + 1, top - 2, half, half - 1, -half)
    return np.array([value % (1 << bits) for value in values], f"<u{bits // 8}")
