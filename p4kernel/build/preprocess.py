"""A header as the compiler's preprocessor sees it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from p4kernel.build import diagnostics
from p4kernel.build._process import Job, run
from p4kernel.build.compiler import prepare
from p4kernel.build.source import Options, Source, Unit
from p4kernel.build.toolchain import Toolchain
from p4kernel.errors import CompileError

__all__ = ["preprocess"]


def preprocess(text: str, options: Options, toolchain: Toolchain) -> str:
    """``text`` with includes and macros resolved, as a kernel would see it; #define lines are kept (-dD).

    Raises CompileError with the preprocessor's messages.
    """
    unit = Unit("header.c", text)
    options = options.resolved()
    with tempfile.TemporaryDirectory(prefix="p4kernel-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (command,) = prepare([unit], Source((unit,), "p4_entry"), options, toolchain, folder)
        command = ["-E" if word == "-c" else word for word in command]
        (done,) = run([Job([*command, "-dD", "-o", "header.i"], folder)])
        if done.code:
            found = [d for d in diagnostics.parse(done.messages) if d.severity == "error"]
            raise CompileError(str(found[0]) if found else f"the preprocessor failed:\n{done.messages.strip()}", found)
        return (folder / "header.i").read_text(encoding="utf-8", errors="replace")
