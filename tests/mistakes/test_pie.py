"""Mistakes with PIE, through the public API: what is said, and that it is short."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import p4kernel as p4

INCLUDE = "#include <p4_pie.h>"


def test_operand_out_of_range() -> None:
    @p4.kernel
    def wrong(x: p4.In[np.int8]) -> None:
        p4.c("p4_vld_128_ip(q0, x, 24);", preamble=INCLUDE)

    with pytest.raises(p4.CompileError) as caught:
        _ = wrong.build
    (found,) = caught.value.diagnostics
    assert found.message == "esp.vld.128.ip, operand off25616: allowed are constant multiples of 16 from -2048 to 2032"
    assert found.file == __file__


def test_users_own_assertions_keep_their_notes() -> None:
    @p4.kernel
    def wrong() -> None:
        p4.c('SAME(1, 2);\nchar *p = 0;\np4_vld_128_ip(q0, p, 3);', preamble=INCLUDE + '\n#define SAME(a, b) _Static_assert(a == b, "not the same")')  # fmt: skip

    with pytest.raises(p4.CompileError) as caught:
        _ = wrong.build
    text = "\n".join(d.message for d in caught.value.diagnostics)
    assert "not the same" in text and "expanded from macro 'SAME'" in text
    assert "multiples of 16" in text and "P4_PIE" not in text


@pytest.mark.parametrize("name", ["p4_vld_128_ip", "p4_loop", "p4_zero_xacc"])
def test_header_not_included_in_c(name: str) -> None:
    @p4.kernel
    def wrong() -> None:
        p4.c(f"{name}();")

    with pytest.raises(p4.CompileError, match=f"{name}.*it is one of PIE.*#include <p4_pie.h>"):
        _ = wrong.build


@pytest.mark.parametrize("compiler", ["", "riscv64-unknown-elf-gcc"])
def test_header_not_included_in_assembly(compiler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiler:
        from tests.tools import require

        monkeypatch.setenv("P4KERNEL_CC", require(compiler))

    @p4.kernel
    def wrong() -> None:
        p4.asm("\n esp.zero.xacc\n ret")

    with pytest.raises(
        p4.CompileError, match=r"instructions of PIE want a header: give p4.asm\(\.\.\., preamble=.#include <p4_pie.h>"
    ) as caught:
        _ = wrong.build
    assert caught.value.diagnostics[0].file == __file__

    @p4.kernel
    def other() -> None:
        p4.asm("\n nonsense\n ret")

    with pytest.raises(p4.CompileError) as caught:
        _ = other.build
    assert "PIE" not in str(caught.value)


def test_source_tree_without_its_extension(tmp_path: Path) -> None:
    """Started in a clone, with p4kernel installed elsewhere: Python finds the clone first."""
    shutil.copytree(
        Path(p4.__file__).parent, tmp_path / "p4kernel", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    )
    program = "import p4kernel as p4\ntry: p4.connect('sim')\nexcept p4.Error as error: print(error)"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert str(tmp_path) in done.stdout and "pip install --editable ." in done.stdout
