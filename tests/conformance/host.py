"""The host's side: one shared library with all functions of a batch, called through cffi."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cffi

from p4kernel.signature.structs import definitions
from tests.conformance.cases import Case
from tests.conformance.functions import body, kinds, prototype, wrapper
from tests.conformance.text import COMMON, helpers

_FLAGS = ["-std=gnu11", "-O1", "-w", "-fPIC", "-shared", "-ffp-contract=off"]


class Host:
    """Functions of a batch, compiled by the host's compiler."""

    def __init__(self, cases: Sequence[Case], compiler: str, folder: Path) -> None:
        # The assertions state the board's layout, which the host's need not be.
        types = [line for line in definitions(kinds(cases)).splitlines() if not line.startswith("_Static_assert")]
        parts = [
            "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n", COMMON, "\n".join(types), "\n",
            helpers(kinds(cases), host=True),
        ]  # fmt: skip
        for case in cases:
            parts.append(f"static NOINLINE {prototype(case, case.name)}\n{{\n{body(case)}}}\n{wrapper(case)}")
        source, library = folder / "host.c", folder / "host.so"
        source.write_text("".join(parts))
        subprocess.run([compiler, *_FLAGS, "-o", library, source], check=True)
        self._ffi = cffi.FFI()
        for case in cases:
            self._ffi.cdef(f"void w_{case.name}(const uint64_t *, const char **, uint64_t *);")
        self._library: Any = self._ffi.dlopen(str(library))

    def call(
        self, case: Case, leaves: list[int], texts: list[bytes | None], count: int
    ) -> tuple[list[int], list[bytes]]:
        """The leaves of the results, and the texts that the function wrote. None among the texts: one to write."""
        ffi = self._ffi
        buffers = [ffi.new("char[]", 20 if text is None else text + b"\0") for text in texts]
        out = ffi.new("uint64_t[]", count + 1)
        pointers = ffi.new("const char *[]", buffers or [ffi.NULL])
        getattr(self._library, f"w_{case.name}")(ffi.new("uint64_t[]", leaves or [0]), pointers, out)
        written = [bytes(ffi.buffer(b)).partition(b"\0")[0] for b, t in zip(buffers, texts, strict=True) if t is None]
        return list(out[0:count]), written
