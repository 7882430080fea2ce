"""What Python has dropped and the board still holds: given back along with the next request that has room for it."""

from __future__ import annotations

import struct
from collections import deque

from p4kernel.wire._tables import Status

# Answers of a board that has not looked at the list.
_UNREAD = frozenset({
    Status.FRAME, Status.VERSION, Status.SESSION, Status.AUTH, Status.SEQ, Status.BUSY, Status.COMMAND, Status.ARG,
    Status.LIMIT, Status.CANCELLED,
})  # fmt: skip


class Garbage:
    """Addresses of one board's allocations and modules that nobody can reach any more.

    The methods are called with the session's lock held. An address stays in the list until the board has answered: one that is sent
    again, after an interrupt, is passed over, and nothing new can be where it was, as all allocations carry the list.
    """

    __slots__ = ("_pending", "_sent", "_session", "dropped")

    def __init__(self) -> None:
        self.dropped: deque[list[int]] = deque()
        """Session and address of each. Finalizers append to it, in any thread, also twice: an entry is emptied when it is
        taken. What an older session had is gone already."""
        self._pending: list[int] = []
        self._sent = b""
        self._session = 0

    def __bool__(self) -> bool:
        return bool(self.dropped or self._pending)

    def owed(self, session: int) -> bytes:
        """The addresses to give back, as they travel."""
        if session != self._session:
            self._pending.clear()
            self._session = session
        while self.dropped:
            entry = self.dropped[0]
            if entry and entry[0] == session:
                self._pending.append(entry[1])
            entry.clear()
            self.dropped.popleft()
        self._sent = struct.pack(f"<{len(self._pending)}I", *self._pending)
        return self._sent

    def answered(self, sent: bytes, status: Status) -> None:
        """The board has answered a request that carried ``sent``. May be said twice."""
        if sent and sent is self._sent and status not in _UNREAD:
            rest = self._pending[len(sent) // 4 :]
            self._pending, self._sent = rest, b""
