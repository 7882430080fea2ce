"""The board's side: one image with all functions of a batch, each with an entry of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import p4kernel as p4
from p4kernel import build
from p4kernel.build.toolchain import Toolchain
from p4kernel.call import Plan, Run
from p4kernel.marshal import Marshaller
from p4kernel.options import Options
from p4kernel.signature import prototype
from p4kernel.signature.structs import definitions
from tests.conformance.cases import Case
from tests.conformance.functions import body, kinds, signature
from tests.conformance.functions import prototype as c_prototype
from tests.conformance.text import COMMON, helpers


class OnBoard:
    """Functions of a batch, compiled for the board."""

    def __init__(self, cases: Sequence[Case], chain: Toolchain, opt: str, board: p4.Board) -> None:
        self._board = board
        signatures = {case.name: signature(case) for case in cases}
        parts = ["#include <p4kernel.h>\n", definitions(kinds(cases)), COMMON, helpers(kinds(cases), host=False)]
        for case in cases:
            stub = signatures[case.name]
            text = c_prototype(case, case.name)
            parts.append(f"{stub.prototype};\nNOINLINE {text}\n{{\n{body(case)}}}\n")  # the compiler compares both
            parts.append(prototype.entry(stub, case.name, f"p4_entry_{case.name}"))
        table = ", ".join(f"(void *)p4_entry_{case.name}" for case in cases)
        parts.append(
            f"void *const p4_all[] = {{ {table} }};\nvoid *p4_start(int i);\nvoid *p4_start(int i) {{ return p4_all[i]; }}\n"
        )
        source = build.Source((build.Unit("kernel.c", "".join(parts)),), "p4_start")
        # A float becomes an int in here only where it is exact, and nothing is contracted.
        self._built, _ = build.build_uncached(source, build.Options(opt=opt), chain)
        self._plans = {name: Plan(stub, Options(), Marshaller(stub)) for name, stub in signatures.items()}

    def call(self, case: Case, args: list[Any]) -> Any:
        """The results as p4kernel returns them. The path is that of a kernel's call."""
        plan, image = self._plans[case.name], self._built.image
        entry = dataclasses.replace(image, entry=image.symbol(f"p4_entry_{case.name}").offset)
        entry.__dict__["sha256"] = image.sha256  # the board holds one image, whichever entry is called
        built = dataclasses.replace(self._built, image=entry)
        arguments = plan.marshaller.bind(tuple(args), {})
        with self._board.session.lock:
            result, _ = Run(plan, self._board, built, False, arguments).go()
        return result
