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
    ToolchainError,
)
from p4kernel.kernel import Kernel, kernel
from p4kernel.signature.bodies import asm, c, firmware
from p4kernel.signature.sizes import dim, size
from p4kernel.signature.structs import field, struct
from p4kernel.types import (
    DeviceArray,
    In,
    InOut,
    Out,
    bool_,
    cstr,
    f32,
    f64,
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
)
from p4kernel.urls import connect

__all__ = [
    "ArgumentError",
    "Board",
    "BoardError",
    "BoardInfo",
    "BoardLost",
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
    "LinkError",
    "Out",
    "OutOfMemory",
    "ProtocolError",
    "SignatureError",
    "ToolchainError",
    "asm",
    "bool_",
    "c",
    "connect",
    "cstr",
    "dim",
    "f32",
    "f64",
    "field",
    "firmware",
    "i8",
    "i16",
    "i32",
    "i64",
    "kernel",
    "ptr",
    "size",
    "size_t",
    "struct",
    "u8",
    "u16",
    "u32",
    "u64",
    "use",
]


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version  # slow to import, and rarely asked for

        return version("p4kernel")
    raise AttributeError(f"module 'p4kernel' has no attribute {name!r}")
