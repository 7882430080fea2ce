"""The header, assembled by zig's clang and by GNU as: the table's words, and errors where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from p4kernel.build import Toolchain
from p4kernel.pie import decode, encode
from p4kernel.pie.names import ABI, NUMBERS
from tests.pie.assemble import compiled, errors, lines, symbols, words
from tests.pie.samples import REVISIONS, samples


@pytest.mark.parametrize("generation", REVISIONS)
def test_every_instruction(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    wanted = list(samples(generation, 3, seed=2))
    text = "\n".join(sample.text for sample in wanted)
    found = words(compiled(text, chain, tmp_path, generation))
    wrong = [f"{s.text}: {s.word:08x}, not {word:08x}" for s, word in zip(wanted, found, strict=True) if s.word != word]
    assert not wrong, wrong[:10]


@pytest.mark.parametrize("generation", REVISIONS)
def test_what_is_decoded_assembles(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    wanted = [sample.word for sample in samples(generation, 0, seed=3)]
    text = "\n".join(decode(word, REVISIONS[generation]) or "" for word in wanted)
    assert words(compiled(text, chain, tmp_path, generation)) == wanted


def test_capitals(chain: Toolchain, tmp_path: Path) -> None:
    text = "ESP.VLD.128.IP q0, a1, 16\nESP.ZERO.XACC\nesp.zero.xacc\nESP.LP.SETUP 0, a0, 1f\n1: nop\n"
    wanted = [encode(line) for line in ("esp.vld.128.ip q0, a1, 16", "esp.zero.xacc", "esp.zero.xacc", "esp.lp.setup 0, a0, 4")]
    assert words(compiled(text, chain, tmp_path))[:4] == wanted
    (found, *_) = errors("nop\nESP.VLD.128.IP q0, a6, 16\n", chain, tmp_path)
    assert found.line == 2 and "a6 cannot be used" in found.message


def test_expressions(chain: Toolchain, tmp_path: Path) -> None:
    text = """
        .set step, 32
        esp.vld.128.ip q0, a0, step
        esp.vld.128.ip q0, a0, step - 16
        esp.vld.128.ip q0, a0, (2 * step)
        esp.vld.128.ip q0 , a0 , -step
        esp.vld.128.ip q0, a0, step*2+16   /* a comment */
        esp.zero.qacc
    """
    offsets = (32, 16, 64, -32, 80)
    wanted = [encode(f"esp.vld.128.ip q0, a0, {offset}") for offset in offsets]
    assert words(compiled(text, chain, tmp_path)) == [*wanted, encode("esp.zero.qacc")]


def test_labels(chain: Toolchain, tmp_path: Path) -> None:
    """Ends that come later, behind branches that the assembler makes longer and code that it aligns."""
    text = """
        .option norvc
        esp.lp.setup 0, a0, 1f
        esp.lp.setupi 1, 100, named
        esp.lp.starti 0, . + 8
        esp.lp.endi 1, named + 4
        beq a0, a1, far
        .balign 32
1:      nop
named:  esp.lp.setup 0, a6, 1f
1:      nop
        .skip 8192 - 12
far:    nop
    """
    found = words(compiled(text, chain, tmp_path))
    one = found.index(0x13, 6)  # the branch and its jump are two words, and what aligns is nops, too
    while found[one + 1] == 0x13:
        one += 1
    assert one % 8 == 0
    assert found[0] == encode(f"esp.lp.setup 0, a0, {4 * one}")
    assert found[1] == encode(f"esp.lp.setupi 1, 100, {4 * one}")
    assert found[2] == encode("esp.lp.starti 0, 8")
    assert found[3] == encode(f"esp.lp.endi 1, {4 * one - 4}")
    assert found[one + 1] == encode("esp.lp.setup 0, a6, 4")
    assert found[-1] == 0x13


def test_labels_with_compressed_instructions(chain: Toolchain, tmp_path: Path) -> None:
    text = "esp.lp.setupi 0, 9, end\nc.nop\nend: c.nop\n"
    assert words(compiled(text, chain, tmp_path))[0] == encode("esp.lp.setupi 0, 9, 6")


@pytest.mark.parametrize(
    "label", ["esp.lp.setupi 0, 1, far", "esp.lp.setup 0, a0, farther", "esp.lp.setup 0, a0, nowhere", "esp.lp.setup 0, a0, 16"]
)
def test_label_that_cannot_be(label: str, chain: Toolchain, tmp_path: Path) -> None:
    text = f"nop\n{label}\n.skip 1020\nfar: nop\n.skip 7168\nfarther: nop\n"
    (found, *_) = errors(text, chain, tmp_path)
    assert found.line == (2 if chain.family == "gcc" else 0)
    text = text.replace("1020", "1018").replace("7168", "7166").replace("nowhere", "far").replace(" 16", " .+16")
    compiled(text, chain, tmp_path)


def test_label_behind(chain: Toolchain, tmp_path: Path) -> None:
    (found, *_) = errors("back: nop\n\nesp.lp.starti 0, back\n", chain, tmp_path)
    assert "8190 bytes" in found.message
    assert found.line == (3 if chain.family == "gcc" else 0)


BAD = [
    ("esp.vld.128.ip q8, a0, 16", "operand qu: q8 is no PIE register: there are q0 to q7"),
    ("esp.vld.128.ip q0, a6, 16", "operand rs1: a6 cannot be used: PIE takes x8-x15, x24-x31 (s0, s1, a0-a5, s8-s11, t3-t6)"),
    ("esp.vld.128.ip q0, x16, 16", "operand rs1: x16 cannot be used: PIE takes x8-x15"),
    ("esp.vld.128.xp q0, a0, sp", "operand rs2: sp cannot be used"),
    ("esp.vld.128.ip q0, b3, 16", "operand rs1: b3 is no general register: allowed are x8-x15"),
    ("esp.addx2 a6, a7, q0", "operand rs2: q0 is no general register: allowed are x0-x31"),
    ("esp.vld.128.ip q0, a0, 8", "operand off25616: 8 is not allowed: multiples of 16 from -2048 to 2032 are"),
    ("esp.vld.128.ip q0, a0, 2048", "from -2048 to 2032"),
    ("esp.vld.128.ip q0, a0, -2064", "from -2048 to 2032"),
    ("esp.vld.128.ip q0, a0", "operand off25616 is missing"),
    ("esp.vld.128.ip", "operand qu is missing"),
    ("esp.vld.128.ip q0, a0, 16, 0", "too many operands: it is esp.vld.128.ip qu, rs1, off25616"),
    ("esp.zero.qacc q0", "too many operands: it is esp.zero.qacc"),
    ("esp.movi.8.a q0, a0, 16", "operand sel16: 16 is not allowed: from 0 to 15 are"),
    ("esp.src.q q0, q8, q1", "operand qw: q8 is no PIE register"),
    ("esp.lp.setup 2, a0, .+8", "operand id: 2 is not allowed: from 0 to 1 are"),
    ("esp.lp.setup 0, a0", "operand offset is missing"),
]
BAD_OF = {
    1: [("esp.vsl.s32 q0, q1", "esp.vsl.s32 is in xespv 2.2 only, and this is assembled for xespv 2.1"),
        ("esp.vadd.s8 q0, q1, q2, sat", "too many operands"),
        ("esp.srcmb.s8.qacc q0, a0", "operand sel2 is missing")],
    2: [("esp.vadd.s8 q0, q1, q2, rne", "operand sat: rne is none of trunc, sat"),
        ("esp.vmul.s8 q0, q1, q2, sat, rto", "operand rm: rto is none of rdn, rup, raz, rtz, rhaz, rhtz, rne, dyn"),
        ("esp.vmul.s8 q0, q1, q2, round", "operand sat: round is none of trunc, sat, rdn"),
        ("esp.vmul.s8 q0, q1, q2, sat, rne, 1", "too many operands: it is esp.vmul.s8 qz, qx, qy[, sat][, rm]")],
}  # fmt: skip


@pytest.mark.parametrize("generation", REVISIONS)
def test_wrong_operands(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    """Each on a line of its own between right ones: every wrong line is named once, with what is allowed."""
    bad = BAD + BAD_OF[generation]
    text = "\n".join(f"esp.zero.q q0\n{line}" for line, _ in bad) + "\nesp.zero.q q0\n"
    found = errors(text, chain, tmp_path, generation)
    assert [item.file for item in found] == ["kernel.S"] * len(bad)
    for item, (number, (line, says)) in zip(found, enumerate(bad), strict=True):
        assert item.line == 2 * number + 2, line
        assert says in item.message


def test_every_register(chain: Toolchain, tmp_path: Path) -> None:
    """Exactly the sixteen that PIE takes, by all their names."""
    names = sorted(NUMBERS, key=lambda name: (NUMBERS[name], name))
    text = "\n".join(f"esp.vld.128.ip q0, {name}, 0" for name in names)
    refused = {item.line for item in errors(text, chain, tmp_path)}
    assert refused == {i for i, name in enumerate(names, 1) if not NUMBERS[name] & 8}
    good = [name for name in names if NUMBERS[name] & 8]
    assert len(good) == 33 and {"fp", "s0", "a5", "t6", "x31"} <= set(good) and "a6" not in good
    text = "\n".join(f"esp.vld.128.ip q0, {name}, 0" for name in good)
    assert words(compiled(text, chain, tmp_path)) == [encode(f"esp.vld.128.ip q0, {ABI[NUMBERS[n]]}, 0") for n in good]


@pytest.mark.parametrize("generation", REVISIONS)
def test_the_object_file_says_which_generation_it_needs(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    used = symbols(compiled("esp.zero.q q0", chain, tmp_path, generation))
    assert used == {f"p4_pie_generation_{generation}"}
    assert not symbols(compiled("esp.lp.counti 0, 3\nesp.addx2 a0, a1, a2\nnop", chain, tmp_path, generation))


def test_lines_of_assembly(gcc: Toolchain, tmp_path: Path) -> None:
    """GNU as only: clang gives lines to what it takes for instructions."""
    text = ".globl entry\nentry: nop\nesp.zero.q q0\n\nesp.zero.q q1\nesp.lp.setup 0, a0, 1f\n1: nop\n"
    assert lines(".option norvc\n" + text, gcc, tmp_path) == {0: 3, 4: 4, 8: 6, 12: 7, 16: 8}
