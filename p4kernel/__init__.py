"""Write C in a typed Python stub, call it, and it runs on an ESP32-P4, real or virtual.

import numpy as np
import p4kernel as p4

@p4.kernel
def axpy(x: p4.In[np.float32], y: p4.InOut[np.float32], a: p4.f32, n: p4.i32 = p4.size("x", "y")) -> None:
    p4.c(\"\"\"
        for (int i = 0; i < n; ++i)
            y[i] += a * x[i];
    \"\"\")

axpy(x, y, 2.0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from p4kernel.arrays import array, empty, full, zeros
from p4kernel.board import Board, BoardInfo, use
from p4kernel.call import Last
from p4kernel.errors import (
    ArgumentError,
    BoardError,
    BoardLost,
    Cancelled,
    CompileError,
    Diagnostic,
    Error,
    KernelFault,
    KernelTimeout,
    LinkError,
    OutOfMemory,
    ProtocolError,
    SignatureError,
    StateLost,
    ToolchainError,
)
from p4kernel.kernel import Kernel, kernel
from p4kernel.modules import Module, module
from p4kernel.signature.bodies import asm, c, cpp, extern, files, firmware
from p4kernel.signature.callbacks import Callback, callback
from p4kernel.signature.results import ret
from p4kernel.signature.sizes import dim, size
from p4kernel.signature.structs import field, struct, union
from p4kernel.types import (
    DeviceArray,
    In,
    InOut,
    Out,
    T,
    bool_,
    cstr,
    f32,
    f64,
    fn,
    i8,
    i16,
    i32,
    i64,
    ptr,
    size_t,
    u8,
    u16,
    u32,
    u64,
    value,
)
from p4kernel.urls import connect

if TYPE_CHECKING:
    from p4kernel.declared import Library, cdef, header
    from p4kernel.explanation import explain
    from p4kernel.firmwares import firmware_elf
    from p4kernel.idf import idf_project

__all__ = [
    "ArgumentError",
    "Board",
    "BoardError",
    "BoardInfo",
    "BoardLost",
    "Callback",
    "Cancelled",
    "CompileError",
    "DeviceArray",
    "Diagnostic",
    "Error",
    "In",
    "InOut",
    "Kernel",
    "KernelFault",
    "KernelTimeout",
    "Last",
    "Library",
    "LinkError",
    "Module",
    "Out",
    "OutOfMemory",
    "ProtocolError",
    "SignatureError",
    "StateLost",
    "T",
    "ToolchainError",
    "array",
    "asm",
    "bool_",
    "c",
    "callback",
    "cdef",
    "connect",
    "cpp",
    "cstr",
    "dim",
    "empty",
    "explain",
    "extern",
    "f32",
    "f64",
    "field",
    "files",
    "firmware",
    "firmware_elf",
    "fn",
    "full",
    "header",
    "i8",
    "i16",
    "i32",
    "i64",
    "idf_project",
    "kernel",
    "module",
    "ptr",
    "ret",
    "size",
    "size_t",
    "struct",
    "u8",
    "u16",
    "u32",
    "u64",
    "union",
    "use",
    "value",
    "zeros",
]


# Rarely used, and not worth the time of importing p4kernel.
_LATER = {
    "Library": "p4kernel.declared",
    "cdef": "p4kernel.declared",
    "explain": "p4kernel.explanation",
    "firmware_elf": "p4kernel.firmwares",
    "header": "p4kernel.declared",
    "idf_project": "p4kernel.idf",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(_LATER[name]), name)
    if name == "__version__":
        from importlib.metadata import version  # slow to import, and rarely asked for

        return version("p4kernel")
    raise AttributeError(f"module 'p4kernel' has no attribute {name!r}")
