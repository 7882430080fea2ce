"""The arrays of a call as one stream of bytes: read from when it is sent, written to when it arrives."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate


class Stream:
    """Memory views laid end to end. Offsets count over all of them; nothing is copied until a piece is asked for."""

    __slots__ = ("_starts", "_views", "size")

    def __init__(self, views: Sequence[memoryview]) -> None:
        self._views = [view for view in views if len(view)]
        ends = list(accumulate(len(view) for view in self._views))
        self._starts = [0, *ends[:-1]]
        self.size = ends[-1] if ends else 0

    def read(self, offset: int, size: int) -> bytes | memoryview:
        """``size`` bytes from ``offset``: a view when they lie in one array, else a copy."""
        if not 0 <= offset <= offset + size <= self.size:
            raise ValueError(f"bytes {offset} to {offset + size} of a stream of {self.size}")
        if size == 0:
            return b""
        i = bisect_right(self._starts, offset) - 1
        first = self._views[i][offset - self._starts[i] :]
        if len(first) >= size:
            return first[:size]
        pieces = [first]
        have = len(first)
        while have < size:
            i += 1
            pieces.append(self._views[i][: size - have])
            have += len(pieces[-1])
        return b"".join(pieces)

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Stores ``data`` at ``offset``. Raises ValueError, and stores nothing, when it reaches past the end."""
        if not 0 <= offset <= offset + len(data) <= self.size:
            raise ValueError(f"{len(data)} bytes at {offset} of a stream of {self.size}")
        done = 0
        i = bisect_right(self._starts, offset) - 1
        while done < len(data):
            start = offset + done - self._starts[i]
            piece = self._views[i][start : start + len(data) - done]
            piece[:] = data[done : done + len(piece)]
            done += len(piece)
            i += 1


EMPTY = Stream(())
