"""The generations of PIE, the chip's SIMD unit: what each is called, and which chips have it.

Apart from p4kernel.pie, whose tables a call of a kernel does not need.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CHIPS", "NAMES", "REVISIONS", "of_revision"]

NAMES: Final = {1: "xespv 2.1", 2: "xespv 2.2"}
CHIPS: Final = {1: "chip revisions below 3", 2: "chip revisions 3 and above"}
REVISIONS: Final = {1: 1, 2: 3}
"""A chip revision of each, for what takes one."""


def of_revision(revision: float) -> int:
    """The generation of a chip revision, such as 1.3 or 3: 1 below 3, else 2."""
    return 2 if revision >= 3 else 1
