"""Finding an instruction by what it does."""

from __future__ import annotations

import functools
import re
from fnmatch import fnmatchcase
from typing import Final

from p4kernel.pie import table
from p4kernel.pie.model import Instruction

__all__ = ["search"]

# What people say, and the operations that do it, the likeliest first. "op/type" narrows one to a type.
_CONCEPTS: Final = {
    "dot product inner": "vmulas_xacc vmulas_qacc",
    "multiply multiplication mul product": "vmul vmul_wide cmul vmulas_* vsmulas_* vcmulas_*",
    "mac multiply-accumulate mulas accumulate accumulating": "vmulas_qacc vmulas_xacc vsmulas_* vcmulas_*",
    "fir convolution convolve matmul matrix filter": "vsmulas_* vmulas_xacc vmulas_qacc",
    "correlation": "vmulas_xacc vmulas_qacc",
    "scale": "vmul vmul_wide vsmulas_*",
    "complex": "cmul vcmulas_* fft_cmul* fft_r2bf* fft_ams*",
    "conjugate": "cmul fft_cmul* fft_ams*",
    "add addition plus sum": "vadd vsadds addx*",
    "subtract subtraction minus difference": "vsub vssubs subx*",
    "scalar": "vsadds vssubs vsmulas_*",
    "accumulator acc": "zero_?acc srcmb* srs_xacc movx_?/xacc* mov_qacc ld_?acc ldqa st_?acc",
    "requantize quantize narrow narrowing": "srcmb srcmb_q srs_xacc",
    "clear reset zero zeroing": "zero_q zero_qacc zero_xacc",
    "maximum max larger largest": "vmax max_a",
    "minimum min smaller smallest": "vmin min_a",
    "horizontal reduce reduction across": "max_a min_a vmulas_xacc",
    "clamp clip limit": "vclamp vsat sat",
    "relu leaky prelu activation": "vrelu vprelu",
    "absolute abs magnitude": "vabs",
    "compare comparison cmp mask": "vcmp_*",
    "equal eq": "vcmp_eq",
    "less lt below": "vcmp_lt",
    "greater gt above": "vcmp_gt",
    "and": "andq",
    "or": "orq",
    "xor exclusive": "xorq",
    "not invert complement": "notq",
    "bitwise logic logical": "andq orq xorq notq",
    "shift": "vsr vsl vsrd vsld src* sl*_2q sr*_2q",
    "right": "vsr vsrd src_q* sr*_2q",
    "left": "vsl vsld sl*_2q",
    "unaligned misaligned alignment align": "ld_128_usar srcq_128_st src_q_ld src_q src_q_qup ld_ua_state st_ua_state",
    "transpose interleave shuffle permute": "vzip vunzip vzipt vunzipt",
    "deinterleave": "vunzip vunzipt",
    "rgb rgb888": "vunzipt vzipt",
    "even odd": "vunzip",
    "widen widening extend extension unpack": "vext vldext mov_qacc ldqa",
    "broadcast splat replicate duplicate dup": "vldbc vldhbc vsmulas_*",
    "gather indexed lookup": "ldxq stxq",
    "scatter": "stxq",
    "extract": "movi_a",
    "insert set": "movi_q movx_w",
    "move transfer": "movi_a movi_q movx_* mov_qacc vld_128 vst_128",
    "copy memcpy": "vld_128 vst_128 ld_128_usar src_q src_q_qup srcq_128_st src_q_ld",
    "read get": "movx_r srs_xacc srcmb* movi_a",
    "write": "movx_w movi_q",
    "configuration config cfg mode": "movx_?/cfg",
    "sar": "movx_?/sar*",
    "load": "vld_* ld_* ldqa vldbc vldhbc vldext ldxq src_q_ld",
    "store save": "vst_* st_* stxq srcq_128_st fft_vst_r32",
    "hardware loop loops repeat zero-overhead": "lp_setup lp_setupi lp_starti lp_endi lp_counti lp_count",
    "counter": "movx_?/perf lp_count*",
    "fft butterfly radix": "fft_r2bf* fft_cmul* fft_ams* fft_bitrev fft_vst_r32",
    "bitrev reverse reversal reversed": "fft_bitrev fft_vst_r32",
}  # fmt: skip
# Words that say nothing, or nothing that tells one instruction from another.
_EMPTY: Final = frozenset(
    "a an the of to from into in on at by with for and/or two each all every one between value values vector vectors simd "
    "pie register registers lane lanes element elements instruction instructions integer number numbers bit bits byte "
    "bytes memory aligned scaled than".split()
)
_TYPE: Final = re.compile(r"(?:(?P<sign>[su])(?:igned)?|u?int|i)?-?(?P<bits>8|16|32)(?:-?bits?|_t)?")
_LEVELS: Final = 8


def search(text: str, limit: int = 20) -> tuple[Instruction, ...]:
    """Instructions that fit every word of ``text``, the best first, and plain ones before those that also load or store.

    Words are what an instruction does ("saturating add", "dot product", "unaligned load"), types ("int8", "u16",
    "signed", "32") and parts of names.
    """
    words = [word for word in re.findall(r"[\w.+-]+", text.lower()) if word not in _EMPTY]
    found = []
    for instruction in table.instructions() if words else ():
        scores = [_score(instruction, word) for word in words]
        if _all_fit(words, scores):
            fused = instruction.mem.startswith(("ld", "st")) and not {"load", "store"} & set(words)
            unsigned = instruction.type.startswith("u")
            key = (6 * fused - sum(scores), unsigned, len(instruction.mnemonic), instruction.mnemonic)
            found.append((key, instruction))
    return tuple(instruction for _, instruction in sorted(found, key=lambda item: item[0])[:limit])


def _all_fit(words: list[str], scores: list[int]) -> bool:
    """Of several types, such as the two of a conversion, one is enough."""
    types = [score for word, score in zip(words, scores, strict=True) if _TYPE.fullmatch(word)]
    others = [score for word, score in zip(words, scores, strict=True) if not _TYPE.fullmatch(word)]
    return all(others) and (not types or any(types))


def _score(instruction: Instruction, word: str) -> int:
    kind = _TYPE.fullmatch(word)
    if kind is not None:
        return _type_score(instruction, word, kind["bits"])
    if word in ("signed", "unsigned"):
        return 6 * instruction.type.startswith(word[0])
    if word.startswith(("saturat", "clipp")):
        return 4 * ("saturat" in instruction.means or any(rule.name == "saturation" for rule in instruction.rules))
    if word.startswith("round"):
        return 4 * (any(rule.name == "rounding" for rule in instruction.rules) or "round" in instruction.means)
    return max(_concept_score(instruction, word), _text_score(instruction, word))


def _type_score(instruction: Instruction, word: str, bits: str) -> int:
    wanted = f"{'u' if word.startswith('u') else 's'}{bits}"
    given = any(letter.isalpha() for letter in word.removesuffix("bits").removesuffix("bit").rstrip("-"))
    names = instruction.mnemonic.split(".")
    if instruction.type == wanted:
        return 6
    if instruction.type == bits:
        return 5
    if not given and instruction.type[1:] == bits:
        return 6
    return 3 * (wanted in names or bits in names)


def _concept_score(instruction: Instruction, word: str) -> int:
    for place, pattern in enumerate(_patterns(word)):
        op, _, kind = pattern.partition("/")
        if fnmatchcase(instruction.op, op) and (not kind or fnmatchcase(instruction.type, kind)):
            return max(2 + _LEVELS - place, 3)
    if word in ("load", "store"):  # fused forms
        return 2 * (instruction.access == word)
    return 0


@functools.cache
def _patterns(word: str) -> tuple[str, ...]:
    for form in (word, word.removesuffix("s"), word.removesuffix("ing"), word.removesuffix("ed")):
        if form in _by_word():
            return _by_word()[form]
    return ()


@functools.cache
def _by_word() -> dict[str, tuple[str, ...]]:
    return {word: tuple(patterns.split()) for words, patterns in _CONCEPTS.items() for word in words.split()}


def _text_score(instruction: Instruction, word: str) -> int:
    """Of a word that is part of the name, the group or the meaning."""
    parts = instruction.mnemonic.split(".")[1:]
    bare = [part.removeprefix("v") for part in parts]
    if word == instruction.mnemonic:
        return 20
    if word in parts or word in bare:
        return 5
    if any(part.startswith(word) for part in (*parts, *bare)) or f".{word}." in f"{instruction.mnemonic}.":
        return 4
    if _patterns(word):
        return 0  # such as "or", which is in every other meaning
    if len(word) > 2 and word in instruction.mnemonic:
        return 3
    if word in (instruction.group, instruction.access):
        return 2
    return int(re.search(rf"\b{re.escape(word)}", instruction.means.lower()) is not None)
