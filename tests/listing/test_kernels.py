"""Listings of kernels: lines of the Python file, whatever was inlined from where."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import p4kernel as p4
from tests.tools import ZIG, require


@pytest.fixture(params=["zig", "gcc"])
def compiler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4KERNEL_CC", f"'{ZIG}'" if request.param == "zig" else require("riscv64-unknown-elf-gcc"))


@pytest.mark.usefixtures("compiler")
def test_functions_of_our_headers_are_shown_as_their_callers_line() -> None:
    @p4.kernel
    def count(text: p4.In[np.uint8], n: p4.i32 = p4.size("text")) -> p4.i32:
        p4.c(
            """
            int found = 0;
            for (int i = 0; i < n; ++i)
                found += isalnum(text[i]); /* two functions deep */
            return found;
        """,
            preamble="#include <ctype.h>",
        )

    text = count.disassemble()
    assert "found += isalnum(text[i]); /* two functions deep */" in text
    assert "ctype.h" not in text
    remarks = [line for line in text.splitlines() if line.startswith("; ")]
    assert all(line.startswith(f"; {__file__}:") for line in remarks)
    assert all(first != second for first, second in itertools.pairwise(remarks))


@pytest.mark.usefixtures("compiler")
def test_a_header_of_the_user_is_shown_as_itself(tmp_path: Path) -> None:
    (tmp_path / "mine.h").write_text("static inline int third(int x)\n{\n    return x / 3; /* in the header */\n}\n")

    @p4.kernel(flags=[f"-I{tmp_path}"])
    def use(x: p4.i32) -> p4.i32:
        p4.c("return third(x);", preamble='#include "mine.h"')

    assert f"; {tmp_path}/mine.h:3  return x / 3; /* in the header */" in use.disassemble()


@pytest.mark.usefixtures("compiler")
def test_names_of_firmware_functions_and_loops() -> None:
    @p4.kernel
    def loop(p: p4.InOut[np.uint8], x: p4.f32) -> p4.f32:
        p4.c(
            """
            __asm__ volatile("esp.lp.setupi 1, 9, 1f\\n esp.vld.128.ip q0, %0, 16\\n1: esp.zero.q q1"
                             : "+r"(p) : : "memory");
            return sinf(x);
        """,
            preamble="#include <math.h>\n#include <p4_pie.h>",
        )

    text = loop.disassemble()
    assert re.search(r"jalr .*# sinf$", text, re.MULTILINE)
    setup = re.search(r"esp\.lp\.setupi 1, 9, 0x([0-9a-f]+)$", text, re.MULTILINE)
    assert setup is not None
    assert re.search(
        rf"^ +{setup[1]}:  [0-9a-f]{{8}}  esp\.zero\.q +q1 +# last of hardware loop 1$", text, re.MULTILINE
    )
