"""P4-JIT's API on top of p4kernel: its programs run with the import changed, on a board or on the virtual one.

from p4kernel.p4jit import P4JIT

jit = P4JIT()
add = jit.load(source="add.c", function_name="add")
add(np.int32(10), np.int32(20))

guide.md beside this file tells how the same is said with p4kernel itself, and where this module differs from P4-JIT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from p4kernel.p4jit import absent as _absent
from p4kernel.p4jit.binary import Binary
from p4kernel.p4jit.caps import (
    MALLOC_CAP_8BIT,
    MALLOC_CAP_32BIT,
    MALLOC_CAP_CACHE_ALIGNED,
    MALLOC_CAP_DEFAULT,
    MALLOC_CAP_DMA,
    MALLOC_CAP_DMA_DESC_AHB,
    MALLOC_CAP_DMA_DESC_AXI,
    MALLOC_CAP_EXEC,
    MALLOC_CAP_INTERNAL,
    MALLOC_CAP_IRAM_8BIT,
    MALLOC_CAP_RETENTION,
    MALLOC_CAP_RTCRAM,
    MALLOC_CAP_SIMD,
    MALLOC_CAP_SPIRAM,
    MALLOC_CAP_TCM,
)
from p4kernel.p4jit.device import Device, HeapStats, JITSession
from p4kernel.p4jit.errors import (
    CompilationFailed,
    Freed,
    FunctionNotFound,
    LinkingFailed,
    NoDevice,
    NotAllocated,
    OutOfBounds,
    WrongCount,
)
from p4kernel.p4jit.function import JITFunction
from p4kernel.p4jit.jit import P4JIT
from p4kernel.p4jit.logs import INFO_VERBOSE, set_log_level

__all__ = [
    "INFO_VERBOSE",
    "MALLOC_CAP_8BIT",
    "MALLOC_CAP_32BIT",
    "MALLOC_CAP_CACHE_ALIGNED",
    "MALLOC_CAP_DEFAULT",
    "MALLOC_CAP_DMA",
    "MALLOC_CAP_DMA_DESC_AHB",
    "MALLOC_CAP_DMA_DESC_AXI",
    "MALLOC_CAP_EXEC",
    "MALLOC_CAP_INTERNAL",
    "MALLOC_CAP_IRAM_8BIT",
    "MALLOC_CAP_RETENTION",
    "MALLOC_CAP_RTCRAM",
    "MALLOC_CAP_SIMD",
    "MALLOC_CAP_SPIRAM",
    "MALLOC_CAP_TCM",
    "P4JIT",
    "Binary",
    "CompilationFailed",
    "Device",
    "Freed",
    "FunctionNotFound",
    "HeapStats",
    "JITFunction",
    "JITSession",
    "LinkingFailed",
    "NoDevice",
    "NotAllocated",
    "OutOfBounds",
    "WrongCount",
    "set_log_level",
]


if not TYPE_CHECKING:  # to a checker these are mistakes

    def __getattr__(name: str) -> NoReturn:
        error = _absent.error("p4jit", name, _absent.MODULE)
        if name in _absent.MODULE:
            raise ImportError(str(error))  # `from p4kernel.p4jit import Builder` would hide an AttributeError's text
        raise error
