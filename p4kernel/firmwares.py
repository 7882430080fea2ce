"""``p4.firmware_elf``: what a board's firmware has beyond its export table."""

from __future__ import annotations

import os

from p4kernel import defaults
from p4kernel.board import Board
from p4kernel.build.firmware import FirmwareElf


def firmware_elf(path: str | os.PathLike[str], board: Board | None = None) -> FirmwareElf:
    """Gives a board the ELF file of its firmware: kernels can then use all global functions and variables in it.

    Functions of the board's export table come first. Whether the file is the board's firmware is checked here, and
    again before code is loaded; a board's own word is the SHA-256 of its ELF file. ``board``: None is the current one.

    Raises LinkError for a file that is no firmware's, BoardError when the board runs another firmware.
    """
    firmware = FirmwareElf(path)
    (board or defaults.current_board()).use_firmware(firmware)
    return firmware
