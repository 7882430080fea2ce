"""The table: complete, free of contradictions, and what was generated from it is up to date."""

from __future__ import annotations

import hashlib
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from p4kernel.pie import GENERATIONS, Instruction, generate, generation_of, instructions, search
from p4kernel.pie._expand import load
from p4kernel.pie.table import get

ALL = instructions()
# Of every row that flat() gives, when they were compared with binutils' and LLVM's tables, field by field.
DIGESTS = {
    1: "adfabfed48d070c617c68b52c2ab6b3b33228a1f9ccf54de118a915d842c7306",
    2: "3d6a1084c10bc7d3bd9f7cf5a84ce165c7e4938c851dbf1d66c5669822fb6c71",
}
COUNTS = {1: 360, 2: 362}


def flat(instruction: Instruction, generation: int) -> str:
    """One line that holds all that decides a word."""
    encoding = instruction.encodings[generation]
    operands = " ".join(f"{o.name}:{o.kind}:{o.role}:{','.join(map(str, o.bits))}" for o in encoding.operands)
    return (
        f"{instruction.mnemonic} {encoding.match:08x} {encoding.mask:08x} {instruction.access or '-'} "
        f"{encoding.alias_of or '-'} {operands}"
    )


def of(generation: int) -> list[Instruction]:
    return [instruction for instruction in ALL if generation in instruction.encodings]


def test_generated_files_are_up_to_date() -> None:
    assert generate.main(["--check"]) == 0


def test_a_stale_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = generate.ROOT / "stubs" / "include" / "stale"
    monkeypatch.setattr(generate, "OUTPUTS", {path: lambda isa: "text"})
    assert generate.main(["--check"]) == 1
    assert not path.exists()


@pytest.mark.parametrize("generation", GENERATIONS)
def test_encodings_are_those_that_were_compared(generation: int) -> None:
    rows = [flat(instruction, generation) for instruction in of(generation)]
    assert len(rows) == COUNTS[generation]
    assert hashlib.sha256("\n".join(rows).encode()).hexdigest() == DIGESTS[generation]


def test_spot_samples() -> None:
    assert flat(get("esp.vld.128.ip"), 1) == (
        "esp.vld.128.ip 0200203b 8f0861ff load - qu:q:w:12,11,10 rs1:xp:rw:18,17,16,15 off25616:s8*16:imm:30,29,28,23,22,21,20,9"
    )
    assert flat(get("esp.vmul.s8"), 2) == (
        "esp.vmul.s8 03c2001f 03fe647f - - qz:q:w:9,8,7 qx:q:r:31,30,29 qy:q:r:28,27,26 sat:sat:imm:16 rm:rm:imm:15,12,11"
    )
    assert flat(get("esp.lp.setupi"), 2) == (
        "esp.lp.setupi 0000502b 0000707f - - id:u1:imm:7 count:u12:imm:31,30,29,28,27,26,25,24,23,22,21,20 "
        "offset:label10:imm:11,10,9,8,19,18,17,16,15"
    )


@pytest.mark.parametrize("generation", GENERATIONS)
def test_no_word_is_two_instructions(generation: int) -> None:
    encodings = [(i.mnemonic, i.encodings[generation]) for i in of(generation)]
    for (one, a), (other, b) in combinations(encodings, 2):
        if not (a.match ^ b.match) & a.mask & b.mask:
            assert other == a.alias_of or one == b.alias_of, (one, other)


@pytest.mark.parametrize("instruction", ALL, ids=lambda i: i.mnemonic)
def test_row(instruction: Instruction) -> None:
    assert instruction.op and instruction.group
    assert "{" not in instruction.means and instruction.means
    assert instruction.basis in ("documented", "corrected", "inferred")
    assert instruction.certainty in ("sure", "likely", "open")
    assert instruction.evidence
    assert {rule.name for rule in instruction.rules} >= ({"alignment"} if instruction.access else set())
    for generation, encoding in instruction.encodings.items():
        assert encoding.match & ~encoding.mask == 0
        assert encoding.match & 3 == 3, "32 bits"
        used = [bit for operand in encoding.operands for bit in operand.bits]
        assert len(used) == len(set(used)) and sum(1 << bit for bit in used) == ~encoding.mask & 0xFFFFFFFF
        defaults = [operand.default is not None for operand in encoding.operands]
        assert defaults == sorted(defaults), "what may be left out comes last"
        assert generation == 2 or not any(defaults)


def test_both_generations_agree_on_what_an_instruction_does() -> None:
    for instruction in ALL:
        required = [
            [(o.name, o.kind, o.role) for o in encoding.operands if o.default is None and o.name != "sel2"]
            for encoding in instruction.encodings.values()
        ]
        assert all(of == required[0] for of in required), instruction.mnemonic
    only = {i.mnemonic for i in ALL if len(i.encodings) == 1}
    assert only == {"esp.vsl.s32", "esp.vsl.u32"}


def test_same_words() -> None:
    same = [i.mnemonic for i in ALL if len({(e.match, e.mask) for e in i.encodings.values()}) == 1 and len(i.encodings) == 2]
    assert sorted(same) == sorted(
        "esp.addx2 esp.addx4 esp.subx2 esp.subx4 esp.sat esp.lp.setup esp.lp.setupi esp.lp.starti esp.lp.endi "
        "esp.lp.count esp.lp.counti".split()
    )


def test_fused_forms_are_the_base_operation_and_a_memory_operation() -> None:
    add, fused = get("esp.vadd.s8"), get("esp.vadd.s8.ld.incp")
    assert (add.op, add.type, add.mem, add.access) == ("vadd", "s8", "", "")
    assert (fused.op, fused.type, fused.mem, fused.access) == ("vadd", "s8", "ld.incp", "load")
    assert fused.means.startswith(add.means) and "rs1 += 16" in fused.means
    assert "fused" in {rule.name for rule in fused.rules}
    for instruction in ALL:
        if instruction.mem.startswith(("ld", "st")) and instruction.op != "fft_cmul" and instruction.op != "fft_ams":
            base = get(instruction.mnemonic.removesuffix(f".{instruction.mem}"))
            assert (base.op, base.type) == (instruction.op, instruction.type)
            names = {o.name for o in base.encodings[1].operands}
            assert names < {o.name for o in instruction.encodings[1].operands}


def test_syntax() -> None:
    assert get("esp.vmul.s8").syntax == "esp.vmul.s8 qz, qx, qy[, sat][, rm]"
    assert get("esp.zero.qacc").syntax == "esp.zero.qacc"


@pytest.mark.parametrize(("revision", "generation"), [(0, 1), (1, 1), (1.3, 1), (2.9, 1), (3, 2), (3.1, 2), (100, 1), (299, 1), (300, 2)])
def test_generation_of_a_chip_revision(revision: float, generation: int) -> None:
    assert generation_of(revision) == generation


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("saturating add 16", "esp.vadd.s16"),
        ("multiply accumulate s8", "esp.vmulas.s8.qacc"),
        ("dot product 8", "esp.vmulas.s8.xacc"),
        ("broadcast 32", "esp.vldbc.32.ip"),
        ("hardware loop setup", "esp.lp.setup"),
        ("unzip 16", "esp.vunzip.16"),
        ("vadd s8 load", "esp.vadd.s8.ld.incp"),
        ("maximum u16", "esp.vmax.u16"),
    ],
)
def test_search(text: str, first: str) -> None:
    assert search(text)[0].mnemonic == first


def test_search_finds_nothing_for_nothing() -> None:
    assert search("") == search("quaternion") == ()
    assert len(search("load", limit=7)) == 7


def test_wrong_tables_are_refused(tmp_path: Path) -> None:
    text = generate.SOURCE.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["generations"] == {int(k): v for k, v in GENERATIONS.items()}
    for good, bad in (
        ("0280045f 0280065f", "0280045f 0280065e"),  # not a 32-bit instruction
        ("0280045f 0280065f", "0280045f e280065f"),  # on an operand
        ("g1: 02c4005f 02c5005f", "g1: 02c5005f"),  # fewer words than types
        ("basis: \"documented, sure", "basis: \"rumoured, sure"),
        ("qu: q 12-10", "qu: q 12-11"),
        ("rules: qacc", "rules: qac"),
        ("with: {types", "wiht: {types"),
    ):
        assert good in text, good
        path = tmp_path / "isa.yaml"
        path.write_text(text.replace(good, bad, 1), encoding="utf-8")
        with pytest.raises(ValueError):
            load(path)
