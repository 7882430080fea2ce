"""The C extension. Its declarations are those between the cdef marks of sim.h and vboard.h."""

from typing import Any

from cffi import FFI

ffi: FFI
lib: Any
