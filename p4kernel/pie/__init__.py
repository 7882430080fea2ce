"""PIE, the SIMD unit of the ESP32-P4, and its hardware loops: every instruction, its words, its meaning.

``revision`` is the chip's: boards below 3 (most of them) have xespv 2.1, the others xespv 2.2, whose words differ.
``guide.md`` beside this file teaches PIE from zero; ``p4kernel pie --guide`` prints it.
"""

from __future__ import annotations

from p4kernel.pie.decode import Decoded, decode, recognize
from p4kernel.pie.encode import encode, find
from p4kernel.pie.errors import PieError
from p4kernel.pie.model import Encoding, Instruction, Operand, Rule, generation_of
from p4kernel.pie.search import search
from p4kernel.pie.table import GENERATIONS, instructions

__all__ = [
    "GENERATIONS",
    "Decoded",
    "Encoding",
    "Instruction",
    "Operand",
    "PieError",
    "Rule",
    "decode",
    "encode",
    "find",
    "generation_of",
    "instructions",
    "recognize",
    "search",
]
