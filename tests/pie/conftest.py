"""Both assemblers, as the build layer finds them."""

from __future__ import annotations

from tests.build.conftest import chain, gcc, zig

__all__ = ["chain", "gcc", "zig"]
