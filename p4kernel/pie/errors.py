"""What can be wrong with the text of an instruction."""

from __future__ import annotations

from p4kernel.errors import Error

__all__ = ["PieError"]


class PieError(Error):
    """An instruction that PIE, or the chosen revision of it, does not have, or an operand that does not fit."""
