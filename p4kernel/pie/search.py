"""Finding an instruction by what it does."""

from __future__ import annotations

import re

from p4kernel.pie import table
from p4kernel.pie.model import Instruction

__all__ = ["search"]

# What people say, and what the table says.
_SYNONYMS = {
    "multiply": "mul", "product": "mul", "mac": "mulas", "accumulate": "mulas", "dot": "xacc", "saturating": "saturat",
    "saturated": "saturat", "saturate": "saturat", "add": "add", "addition": "add", "sum": "add", "subtract": "sub",
    "subtraction": "sub", "minimum": "min", "maximum": "max", "absolute": "abs", "compare": "cmp", "broadcast": "ldbc",
    "transpose": "zip", "interleave": "zip", "deinterleave": "unzip", "unaligned": "usar", "loop": "lp.", "loops": "lp.", "hardware": "lp.", "bit": "",
    "widen": "ext", "extend": "ext", "clear": "zero", "vector": "",
}  # fmt: skip


def search(text: str, limit: int = 20) -> tuple[Instruction, ...]:
    """Instructions in whose name, group or meaning every word of ``text`` occurs: the best first, plain before fused."""
    words = [_SYNONYMS.get(word, word) for word in re.findall(r"[\w.+-]+", text.lower())]
    words = [word for word in words if word]
    if not words:
        return ()
    found = []
    for instruction in table.instructions():
        scores = [_score(instruction, word) for word in words]
        if all(scores):
            fused = instruction.mem.startswith(("ld", "st"))
            found.append((2 * fused - sum(scores), len(instruction.mnemonic), instruction.mnemonic, instruction))
    return tuple(item[-1] for item in sorted(found)[:limit])


def _score(instruction: Instruction, word: str) -> int:
    parts = instruction.mnemonic.split(".")[1:]
    if word in (part.removeprefix("v") for part in parts) or word in parts or (word.isdigit() and any(part in (f"s{word}", f"u{word}") for part in parts)):
        return 5
    if any(part.removeprefix("v").startswith(word) for part in parts):
        return 4
    if word in instruction.mnemonic:
        return 3
    if word in (instruction.group, instruction.access):
        return 2
    return int(word in instruction.means.lower() or word in instruction.type)
