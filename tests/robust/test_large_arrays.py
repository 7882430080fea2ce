"""Arrays up to 64 MB, of sizes around the frame and the window, there and back."""

from __future__ import annotations

import random

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.wire._tables import MAX_PAYLOAD, MAX_WINDOW
from tests.robust.common import check_scale, nothing_left, spin

MB = 1 << 20


@p4.kernel
def flip(x: p4.InOut[np.uint32], n: p4.u32 = p4.size("x")) -> p4.u32:
    p4.c("uint32_t h = 0; for (uint32_t i = 0; i < n; ++i) { h += x[i]; x[i] = ~x[i]; } return h;")


@p4.kernel
def fill(x: p4.Out[np.uint32], n: p4.u32 = p4.size("x")) -> None:
    p4.c("for (uint32_t i = 0; i < n; i += 4096) x[i] = i;")


@p4.kernel
def three(a: p4.In[np.uint8], b: p4.Out[np.uint8], c: p4.InOut[np.uint8], n: p4.u32 = p4.size("a", "b", "c")) -> None:
    p4.c("for (uint32_t i = 0; i < n; ++i) { b[i] = a[i] ^ c[i]; c[i] += 1; }")


def test_64_megabytes() -> None:
    with p4.connect("sim?psram=120M") as board:
        spin(1)
        flip(np.zeros(1, np.uint32))
        fill(np.zeros(1, np.uint32))
        with nothing_left(board):
            x = np.arange(16 * MB, dtype=np.uint32)
            h = int(x.sum(dtype=np.uint64)) & 0xFFFFFFFF
            assert flip(x) == h
            assert x[0] == 0xFFFFFFFF and np.array_equal(x, ~np.arange(16 * MB, dtype=np.uint32))
            x.fill(7)
            fill(x)
            assert np.array_equal(x[::4096], np.arange(0, 16 * MB, 4096, dtype=np.uint32))
            assert not x.reshape(-1, 4096)[:, 1:].any(), "what a kernel leaves out is 0"
        with pytest.raises(p4.OutOfMemory):
            fill(np.zeros(31 * MB, np.uint32))
        check_scale(board, 10, 3)
        with nothing_left(board):
            check_scale(board, 10, 3)
        board.close()


def test_strided_16_megabytes_go_back_in_place() -> None:
    with p4.connect("sim") as board:
        whole = np.zeros((2048, 4096), np.uint32)
        view = whole[::2, 1::2].T
        view[...] = np.arange(view.size, dtype=np.uint32).reshape(view.shape)
        flip(view)
        assert np.array_equal(view, ~np.arange(view.size, dtype=np.uint32).reshape(view.shape))
        assert not whole[1::2].any() and not whole[:, ::2].any()
        board.close()


def test_sizes_around_frames_and_windows() -> None:
    rng = random.Random(12)
    edges = [MAX_PAYLOAD, MAX_PAYLOAD - 200, 2 * MAX_PAYLOAD, MAX_WINDOW, MAX_WINDOW + MAX_PAYLOAD, 5 * MAX_WINDOW]
    sizes = [edge + step for edge in edges for step in (-129, -1, 0, 1, 77)]
    sizes += [rng.randrange(2 * MAX_WINDOW) for _ in range(20)]
    with p4.connect("sim?psram=16M") as board:
        three(np.zeros(1, np.uint8), np.zeros(1, np.uint8), np.zeros(1, np.uint8))
        with nothing_left(board):
            for size in sizes:
                a, c = (np.frombuffer(rng.randbytes(size), np.uint8).copy() for _ in range(2))
                b, expected = np.empty(size, np.uint8), a ^ c
                after = c + np.uint8(1)
                three(a, b, c)
                assert np.array_equal(b, expected) and np.array_equal(c, after), size
        board.close()
