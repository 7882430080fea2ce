"""What is wrong with a use of an intrinsic is said at its line, with what is allowed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from p4kernel.build import Options, Toolchain
from p4kernel.build.source import command, include_folder
from tests.pie.assemble import errors, unit

PARAMETERS = "const int *c, int *p, const void *v, float x, long long wide, short half, int i, int n"

# Statement, and what is said of it.
CHECKED = {
    "p4_vld_128_ip(q0, p, 8);": ["esp.vld.128.ip, operand off25616", "multiples of 16 from -2048 to 2032"],
    "p4_vld_128_ip(q0, p, 2048);": ["multiples of 16 from -2048 to 2032"],
    "p4_vldbc_8_ip(q0, p, 128);": ["esp.vldbc.8.ip, operand off2561", "constants from -128 to 127"],
    "p4_vld_128_ip(q0, p, i);": ["constant multiples of 16"],
    "p4_vmulas_s8_xacc_ld_ip(q0, c, 128, q1, q2);": ["operand off1616", "from -128 to 112"],
    "p4_cmul_s16(q0, q1, q2, -1);": ["esp.cmul.s16, operand sel4", "constants from 0 to 3"],
    "p4_vld_128_ip(q0, i, 16);": ["esp.vld.128.ip: the address has to be a pointer"],
    "p4_vld_128_ip(q0, x, 16);": ["the address has to be a pointer"],
    "p4_vst_128_ip(q0, c, 16);": ["esp.vst.128.ip: it stores, and the address is a pointer to const"],
    "p4_stxq_32(q0, q1, v, 0, 0);": ["esp.stxq.32: it stores, and the address is a pointer to const"],
    "p4_vld_128_xp(q0, p, c);": ["esp.vld.128.xp, operand rs2: an integer of at most 4 bytes"],
    "p4_vld_128_xp(q0, p, x);": ["an integer of at most 4 bytes"],
    "p4_movx_w_sar(wide);": ["esp.movx.w.sar, operand rs1: an integer of at most 4 bytes"],
    "p4_fft_bitrev(q0, half);": ["esp.fft.bitrev, operand rs1: an integer variable of 4 bytes"],
    "p4_vsl_u32(q0, q1);": ["esp.vsl.u32 is in xespv 2.2 only, and this is compiled for xespv 2.1"],
    "p4_vadd_s8(q0, q1, q2, trunc);": ["trunc is in xespv 2.2 only (chip revisions from 3 on)"],
    "p4_srcmb_s8_qacc(q0, i, sat, rne);": ["rne", "is in xespv 2.2 only"],
    "p4_vld_128_ip(q0, p);": ["p4_vld_128_ip"],
    "p4_loop(n, (p), p4_vld_128_ip(q0, p, 24));": ["multiples of 16"],
    "p4_loop(n, (p, c), p4_vld_128_ip(q0, p, 16), p4_vst_128_ip(q0, c, 16));": ["a pointer to const"],
    "p4_loop(n, (p, half), p4_vld_128_ip(q0, p, 16));": ["variables are pointers, and integers of 4 bytes"],
    "p4_loop(x, (p), p4_vld_128_ip(q0, p, 16));": ["p4_loop, operand count: an integer"],
    "p4_loop(n, (p), p4_max_s8_a(q0), p4_vld_128_ip(q0, p, 16));": ["esp.max.s8.a returns a value", "p4_code"],
    "p4_loop(n, (p), i++, p4_vld_128_ip(q0, p, 16));": ["p4_loop_takes_intrinsics_and_not_i"],
}
# What only the assembler can tell, when all else is right.
ASSEMBLED = {
    "p4_vld_128_ip(q8, p, 16);": ["operand qu: q8 is no PIE register: there are q0 to q7"],
    "p4_vadd_s8(q0, i, q2);": ["operand qx: i is no PIE register"],
    "p4_loop(n, (p), p4_zero_q(q9), p4_vld_128_ip(q0, p, 16));": ["q9 is no PIE register"],
}
ASSEMBLED_FOR_2 = {
    "p4_vadd_s8(q0, q1, q2, clip);": ["operand sat: clip is none of trunc, sat"],
    "p4_vmul_s8(q0, q1, q2, sat, up);": ["operand rm: up is none of rdn, rup"],
    "p4_vadd_s8(q0, q1, q2, sat, rne);": ["too many operands: it is esp.vadd.s8 qv, qx, qy[, sat]"],
}


def body(statements: dict[str, list[str]]) -> str:
    """One statement a line, from the second on."""
    return f"void entry({PARAMETERS}) {{\n" + "\n".join(statements) + "\n}\n"


HALF = 13  # clang stops after 20 errors


@pytest.mark.parametrize(
    ("statements", "generation"),
    [
        (dict(list(CHECKED.items())[:HALF]), 1),
        (dict(list(CHECKED.items())[HALF:]), 1),
        (ASSEMBLED, 1),
        (ASSEMBLED_FOR_2, 2),
    ],
    ids=["C1", "C2", "asm1", "asm2"],
)
def test_errors(statements: dict[str, list[str]], generation: int, chain: Toolchain, tmp_path: Path) -> None:
    found = errors(body(statements), chain, tmp_path, generation, language="c")
    assert {(item.file, item.line) for item in found} == {("kernel.c", 2 + i) for i in range(len(statements))}
    for line, (statement, wanted) in enumerate(statements.items(), 2):
        said = "\n".join(item.message for item in found if item.line == line)
        assert all(text in said for text in wanted), (statement, said)


def test_a_variable_that_is_not_named(chain: Toolchain, tmp_path: Path) -> None:
    text = body({"p4_loop(n,": [], "        (c),": [], "        p4_vld_128_ip(q0, p, 16));": []})
    (found,) = errors(text, chain, tmp_path, language="c")
    assert (found.line, "operand" in found.message) == (2, True)


def test_errors_in_cpp(zig: Toolchain, tmp_path: Path) -> None:
    names = [text for text in CHECKED if not text.startswith("p4_loop(n, (p), i++") and text != "p4_vld_128_ip(q0, p);"]
    (tmp_path / "a.cpp").write_text(f"#include <p4_pie.h>\nvoid entry({PARAMETERS}) {{\n" + "\n".join(names) + "\n}\n")
    line = [*command(unit("", "c"), Options(), zig)[:-2], "-x", "c++", "-isystem", include_folder(), "-c", "a.cpp"]
    line = [part for part in line if part != "-std=gnu11"]
    done = subprocess.run([*line, "-ferror-limit=0"], cwd=tmp_path, capture_output=True, text=True)
    said = [text for text in done.stderr.splitlines() if ": error: " in text]
    for number, name in enumerate(names, 3):
        here = "\n".join(text for text in said if text.startswith(f"a.cpp:{number}:"))
        assert all(text in here for text in CHECKED[name]), (name, here)
