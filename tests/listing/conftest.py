"""Both compilers."""

from tests.build.conftest import chain, gcc, zig

__all__ = ["chain", "gcc", "zig"]
