"""Text to words and back."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p4kernel.errors import Error
from p4kernel.pie import PieError, decode, encode, find, instructions, recognize
from tests.pie.samples import REVISIONS, samples, word_of

# As Espressif's binutils assembles them.
KNOWN = """
esp.vcmulas.s16.qacc.h.ld.ip q0, x13, -48, q5, q5 = b7eae33b
esp.vcmulas.s16.qacc.h.ld.xp q3, x14, x27, q0, q5 = 17b32c7f
esp.lp.counti 0, 2955 = b8b0302b
esp.lp.count 1, x10 = 000520ab
"""


@pytest.mark.parametrize("line", KNOWN.strip().splitlines())
def test_known_words(line: str) -> None:
    text, word = line.split(" = ")
    assert encode(text) == int(word, 16)


@pytest.mark.parametrize("generation", REVISIONS)
def test_every_instruction(generation: int) -> None:
    revision, count = REVISIONS[generation], 0
    for text, word in samples(generation, 6):
        assert encode(text, revision) == word, text
        shown = decode(word, revision)
        assert shown is not None
        assert encode(shown, revision) == word, (text, shown)
        found = recognize(word, revision)
        assert found is not None and word_of(found.encoding, list(found.values)) == word
        name = text.split()[0]
        assert found.instruction.mnemonic == (find(name).encodings[generation].alias_of or name)
        count += 1
    assert count > 4000


@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(REVISIONS.values())))
def test_any_word(word: int, revision: float) -> None:
    shown = decode(word, revision)
    if shown is not None:
        assert encode(shown, revision) == word


def test_many_words() -> None:
    """Random words under the opcodes that PIE uses, as most others are nothing."""
    choose = random.Random(5)
    for generation, revision in REVISIONS.items():
        opcodes = sorted({e.match & 0x7F for i in instructions() if (e := i.encodings.get(generation))})
        hits = 0
        for _ in range(20_000):
            word = choose.getrandbits(25) << 7 | choose.choice(opcodes)
            shown = decode(word, revision)
            if shown is not None:
                hits += 1
                assert encode(shown, revision) == word
        assert hits > 1000


def test_no_pie_instruction() -> None:
    for word in (0x00000013, 0x00A50533, 0, 0x00008082, 1 << 32 | 0x0200203B):
        assert decode(word) is None
        assert decode(word, 3) is None


def test_generations_differ() -> None:
    assert (encode("esp.vadd.s8 q0, q1, q2"), encode("esp.vadd.s8 q0, q1, q2", 3)) == (0x2A80065F, 0x2A83231B)
    assert decode(0x2A80065F, 3) != "esp.vadd.s8 q0, q1, q2, sat" and decode(0x2A83231B, 1) is None


def test_defaults_of_generation_2() -> None:
    assert encode("esp.vadd.s8 q0, q1, q2", 3) == encode("esp.vadd.s8 q0, q1, q2, sat", 3)
    assert encode("esp.vmul.s8 q0, q1, q2", 3) == encode("esp.vmul.s8 q0, q1, q2, sat, dyn", 3)
    assert encode("esp.vmul.s8 q0, q1, q2, rne", 3) == encode("esp.vmul.s8 q0, q1, q2, 1, 6", 3)
    assert decode(encode("esp.vmul.s8 q0, q1, q2, trunc, rtz", 3), 3) == "esp.vmul.s8 q0, q1, q2, trunc, rtz"
    assert decode(encode("esp.vmul.s8 q0, q1, q2", 3), 3) == "esp.vmul.s8 q0, q1, q2, sat"
    assert encode("esp.vsl.32 q0, q1", 3) == encode("esp.vsl.u32 q0, q1, sat", 3)


def test_ways_to_write_it() -> None:
    word = encode("esp.vld.128.ip q1, s0, -0x10")
    for text in ("esp.vld.128.ip q1,fp,-16", "  ESP.VLD.128.IP\tQ1 , X8 , -16 ", "esp.vld.128.ip q1, x8, -16"):
        assert encode(text) == word
    assert encode("esp.lp.setup 1, t0, .+8") == encode("esp.lp.setup 1, x5, 8") == encode("esp.lp.setup 1, t0, . + 8")
    assert find("VLD.128.IP") is find("esp.vld.128.ip")


@pytest.mark.parametrize(
    ("text", "revision", "says"),
    [
        ("esp.vld.128.ip q0, a6, 16", 1, "operand rs1: a6 (x16) cannot be used: PIE takes x8-x15, x24-x31 (s0, s1, a0-a5, s8-s11, t3-t6)"),
        ("esp.vld.128.ip q0, x7, 16", 1, "operand rs1: x7 (t2) cannot be used"),
        ("esp.vld.128.ip q0, b0, 16", 1, "operand rs1: b0 is no general register; allowed are x8-x15"),
        ("esp.addx2 a0, a6, q0", 1, "operand rs2: q0 is no general register; allowed are x0-x31"),
        ("esp.vld.128.ip q8, a0, 16", 1, "operand qu: q8 is no PIE register: there are q0 to q7"),
        ("esp.vld.128.ip a0, a0, 16", 1, "operand qu: a0 is no PIE register"),
        ("esp.vld.128.ip q0, a0, 8", 1, "operand off25616: 8 is not allowed: multiples of 16 from -2048 to 2032 are"),
        ("esp.vld.128.ip q0, a0, 2048", 1, "from -2048 to 2032"),
        ("esp.vld.128.ip q0, a0, -2064", 3, "from -2048 to 2032"),
        ("esp.vld.128.ip q0, a0, x", 1, "operand off25616: x is no number"),
        ("esp.vld.128.ip q0, a0", 1, "esp.vld.128.ip takes qu, rs1, off25616: 2 were given"),
        ("esp.zero.qacc q0", 1, "takes no operands"),
        ("esp.vadd.s8 q0, q1, q2, sat", 1, "4 were given"),
        ("esp.vadd.s8 q0, q1, q2, rne", 3, "rne is none of trunc, sat"),
        ("esp.vmul.s8 q0, q1, q2, sat, 8", 3, "operand rm: 8 is not allowed: from 0 to 7 are"),
        ("esp.vmul.s8 q0, q1, q2, rne, sat", 3, "rne is none of trunc, sat"),
        ("esp.vmul.s8 q0, q1, q2, sat, rne, 1", 3, "6 were given"),
        ("esp.vadd.s9 q0, q1, q2", 1, "no instruction 'esp.vadd.s9': near names are esp.vadd"),
        ("vadd.s8 q0, q1, q2", 1, "near names are esp.vadd.s8"),
        ("addi a0, a0, 1", 1, "PIE has no instruction 'addi'"),
        ("", 1, "PIE has no instruction ''"),
        ("esp.vsl.s32 q0, q1", 1, "not in xespv 2.1 (chip revisions below 3), only in xespv 2.2 (chip revisions 3 and above)"),
        ("esp.srcmb.s8.qacc q0, a0", 1, "takes qu, rs1, sel2"),
        ("esp.lp.setupi 0, 4096, 8", 1, "operand count: 4096 is not allowed: from 0 to 4095 are"),
        ("esp.lp.setupi 0, 4, 1024", 1, "operand offset: 1024 is not allowed: multiples of 2 from 0 to 1022 are"),
        ("esp.lp.setup 0, a0, .+7", 1, "multiples of 2 from 0 to 8190 are"),
        ("esp.lp.setup 2, a0, 8", 1, "operand id: 2 is not allowed: from 0 to 1 are"),
    ],
)  # fmt: skip
def test_refusals(text: str, revision: float, says: str) -> None:
    with pytest.raises(PieError) as caught:
        encode(text, revision)
    assert says in str(caught.value)
    assert isinstance(caught.value, Error)


@given(st.text(max_size=40), st.sampled_from(sorted(REVISIONS.values())))
def test_any_text_is_encoded_or_refused(text: str, revision: float) -> None:
    for line in (text, f"esp.vld.128.ip {text}", f"esp.vmul.s8 q0, q1, q2, {text}"):
        try:
            word = encode(line, revision)
        except PieError:
            continue
        assert decode(word, revision) is not None
