"""How the extension p4kernel._native is made: cffi's API mode over the simulator, the virtual board and the firmware
core. setuptools runs `ffibuilder` from here, in the project's folder, with neither p4kernel nor NumPy importable."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from cffi import FFI

VERSION = re.search(r'^version = "(.+)"$', Path("pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
CSRC = Path("p4kernel/sim/csrc")
CORE = Path("firmware/core")
HEADERS = (CSRC / "sim.h", CSRC / "vboard.h")  # in the order in which their declarations depend on each other

# -fwrapv, -fno-strict-aliasing: guest words are read and written in the host's memory. -ffp-contract=off: a fused
# multiply-add would round once where the chip rounds twice.
COMPILE_ARGS = [
    "-O3", "-std=gnu11", "-fno-strict-aliasing", "-fwrapv", "-fvisibility=hidden", "-ffp-contract=off",
]  # fmt: skip


def declarations(header: Path) -> str:
    """What a header shows to Python."""
    match = re.search(r"/\* cdef begin \*/(.*)/\* cdef end \*/", header.read_text(encoding="utf-8"), re.DOTALL)
    if not match:
        raise ValueError(f"{header} has no text between cdef begin and cdef end")
    return match[1]


def sources() -> list[Path]:
    """C files, in an order that does not depend on the file system."""
    return sorted(CSRC.glob("*.c")) + sorted(CORE.glob("*.c"))


def dependencies() -> list[Path]:
    """What the C files include."""
    return sorted(p for folder in (CSRC, CORE) for p in folder.glob("*") if p.suffix in (".h", ".def"))


def firmware_sha() -> bytes:
    """SHA-256 over all that decides how the virtual board behaves: its firmware's identity in HELLO."""
    total = hashlib.sha256()
    for path in [*sources(), *dependencies()]:
        data = path.read_bytes()
        total.update(f"{path.as_posix()} {len(data)}\n".encode() + data)
    return total.digest()


def ffibuilder() -> FFI:
    """The extension, for cffi_modules."""
    assert VERSION, "pyproject.toml names no version"
    builder = FFI()
    for header in HEADERS:
        builder.cdef(declarations(header))
    sha = ",".join(map(str, firmware_sha()))
    builder.set_source(
        "p4kernel._native",
        "".join(f'#include "{h.name}"\n' for h in HEADERS),
        sources=[p.as_posix() for p in sources()],
        depends=[p.as_posix() for p in dependencies()],
        include_dirs=[CSRC.as_posix(), CORE.as_posix()],
        define_macros=[("P4V_VERSION", f'"{VERSION[1]}"'), ("P4V_FIRMWARE_SHA", f"{{{sha}}}")],
        extra_compile_args=COMPILE_ARGS,
        libraries=["m"],
    )
    return builder
