"""Instructions in words: bits, examples and intrinsics agree with the table and the headers."""

from __future__ import annotations

import pytest

from p4kernel import generations
from p4kernel.pie import describe, encode, find, instructions

ALL = [(each, generation) for each in instructions() for generation in each.encodings]


def test_fields_are_the_whole_word() -> None:
    for instruction, generation in ALL:
        encoding = instruction.encodings[generation]
        bit = 31
        named: dict[str, int] = {}
        for field in describe.fields(encoding):
            assert field.high == bit and field.low <= bit
            bit = field.low - 1
            if set(field.content) <= {"0", "1"}:
                assert int(field.content, 2) == encoding.match >> field.low & ((1 << len(field.content)) - 1)
                assert len(field.content) == field.high - field.low + 1
            else:
                name = field.content.partition("[")[0]
                named[name] = named.get(name, 0) + field.high - field.low + 1
        assert bit == -1
        assert named == {operand.name: len(operand.bits) for operand in encoding.operands}


def test_fields_say_which_bits_of_an_operand() -> None:
    """Against a value whose bits are set one by one."""
    encoding = find("esp.vmulas.s8.xacc.ld.ip").encodings[1]
    shown = {field.content: (field.high, field.low) for field in describe.fields(encoding)}
    assert shown["off1616[3:1]"] == (21, 19)
    assert shown["off1616[0]"] == (9, 9)
    assert (
        encode("esp.vmulas.s8.xacc.ld.ip q0, a0, 16, q0, q0") ^ encode("esp.vmulas.s8.xacc.ld.ip q0, a0, 0, q0, q0")
        == 1 << 9
    )


def test_examples_are_instructions() -> None:
    for instruction, generation in ALL:
        text = describe.example(instruction, instruction.encodings[generation])
        word = encode(text.replace("1f", ".+16"), generations.REVISIONS[generation])
        encoding = instruction.encodings[generation]
        assert word & encoding.mask == encoding.match


def test_every_instruction_has_its_intrinsic_but_those_of_loops() -> None:
    for instruction in instructions():
        found = describe.intrinsic(instruction)
        if instruction.group == "loop":
            assert found is None
            continue
        assert found is not None
        assert found.name == "p4_" + instruction.mnemonic.removeprefix("esp.").replace(".", "_")
        newest = instruction.encodings[max(instruction.encodings)]
        assert set(found.parameters) <= {operand.name for operand in newest.operands if operand.default is None}
        assert found.more == any(operand.default is not None for operand in newest.operands)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("esp.vld.128.ip", "p4_vld_128_ip(q0, p, 16);"),
        ("esp.vst.128.xp", "p4_vst_128_xp(q0, p, stride);"),
        ("esp.movx.r.xacc.l", "int32_t r = p4_movx_r_xacc_l();"),
        ("esp.vadd.s16", "p4_vadd_s16(q0, q1, q2);"),
        ("esp.vsadds.s8", "p4_vsadds_s8(q0, q1, rs1);"),
    ],
)
def test_examples_of_intrinsics(name: str, example: str) -> None:
    found = describe.intrinsic(find(name))
    assert found is not None and found.example == example


def test_families() -> None:
    types, forms = describe.family(find("esp.vadd.s8"))
    assert types == [f"esp.vadd.{kind}" for kind in ("s16", "s32", "u16", "u32", "u8")]
    assert forms == ["esp.vadd.s8.ld.incp", "esp.vadd.s8.st.incp"]
    assert describe.family(find("esp.zero.xacc")) == ([], [])


def test_what_is_allowed() -> None:
    operands = {operand.name: describe.allowed(operand) for operand in find("vld.128.ip").encodings[1].operands}
    assert operands["qu"] == "q0 to q7"
    assert operands["off25616"] == "multiples of 16 from -2048 to 2032"
    assert "a0-a5" in operands["rs1"] and "a6" not in operands["rs1"]


def test_sources_of_evidence() -> None:
    assert list(describe.sources("DOC; esp-nn's kernel", "DL macro")) == ["DOC", "DL"]
    assert describe.sources("a DOCument") == {}
