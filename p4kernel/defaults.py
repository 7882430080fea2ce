"""Which board a call runs on when it names none, and where notices go."""

from __future__ import annotations

import os
import sys
import threading

from p4kernel import _forks
from p4kernel import board as boards
from p4kernel.board import Board
from p4kernel.errors import BoardError
from p4kernel.urls import open_board, someone_named_a_board

_lock = threading.Lock()
_default: Board | None = None
_announced = False


@_forks.call
def _after_fork() -> None:
    """A child makes a default board of its own: the parent's may have been in the middle of a call."""
    global _lock, _default
    _lock = threading.Lock()
    _default = None


def current_board() -> Board:
    """The board of ``with board:`` or ``p4.use``; else of P4KERNEL_BOARD; else the default virtual board.

    The virtual board serves only processes that never named a board: raises BoardError elsewhere.
    """
    board = boards.current()
    if board is not None:
        return board
    return _default_board()


def known_board() -> Board | None:
    """The board that a call here would run on. None when that is a virtual board of the usual kind, not made yet."""
    board = boards.current()
    if board is not None:
        return board
    if os.environ.get("P4KERNEL_BOARD") or (_default is not None and not someone_named_a_board()):
        return _default_board()
    return None


def _default_board() -> Board:
    global _default, _announced
    with _lock:
        url = os.environ.get("P4KERNEL_BOARD")
        if not url and someone_named_a_board():
            raise BoardError(
                "no current board here, and this process has named one elsewhere: call inside `with board:`, make it "
                "current with p4.use(board) in this thread, or call kernel.on(board)(...)"
            )
        if _default is not None and not _default.closed:
            return _default
        _default = open_board(url or "sim")
        if not url and not _announced:
            _announced = True
            notice("running on the virtual ESP32-P4; p4.connect(port) or P4KERNEL_BOARD=port names a real one")
        return _default


def notice(text: str) -> None:
    """One line for the person at the terminal."""
    print(f"p4kernel: {text}", file=sys.stderr)
