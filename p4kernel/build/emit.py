"""What a compiler makes of the units on its way to machine code: assembly, and its intermediate form."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

from p4kernel.build import diagnostics
from p4kernel.build._process import Job, run
from p4kernel.build.compiler import prepare
from p4kernel.build.source import Options, Source
from p4kernel.build.toolchain import Toolchain
from p4kernel.errors import CompileError

__all__ = ["emit"]


def emit(source: Source, options: Options, chain: Toolchain, kind: Literal["ir", "assembly"]) -> dict[str, str]:
    """Text by unit. "ir" is clang's LLVM IR, optimised; GCC has no such text, and gives GIMPLE as its last pass left it.

    Without debug information. Units in assembly are as they are. CompileError, as in a build.
    """
    options = options.resolved()._replace(lto=False)
    texts = {unit.name: unit.text for unit in source.units if unit.language == "asm"}
    units = [unit for unit in source.units if unit.name not in texts]
    ir = kind == "ir"
    with tempfile.TemporaryDirectory(prefix="p4kernel-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        jobs = []
        for index, command in enumerate(prepare(units, source, options, chain, folder)):
            output = ["-S", "-g0", "-o", f"p4.{index}.s"]
            if ir:
                output += ["-emit-llvm"] if chain.family == "clang" else [f"-fdump-tree-optimized=p4.{index}.gimple"]
            jobs.append(Job([*command, *output], folder))
        for done in run(jobs):
            if done.code:
                raise CompileError(f"the compiler failed:\n{done.messages.strip()}", diagnostics.parse(done.messages))
        ending = "gimple" if ir and chain.family == "gcc" else "s"
        for index, unit in enumerate(units):
            text = (folder / f"p4.{index}.{ending}").read_text(encoding="utf-8", errors="replace")
            texts[unit.name] = text.replace(f"{folder.resolve()}/", "")
    return {unit.name: texts[unit.name] for unit in source.units}
