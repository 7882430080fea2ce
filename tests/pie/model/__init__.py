"""A second model of every PIE instruction and hardware loop, written from the documents alone.

It shares no code and no author's view with the simulator: the two are compared on random states, and a difference
means that one of them misread the documents. Each family's docstring lists what had to be decided, and why.
"""

from __future__ import annotations

from . import accumulate, accumulators, arithmetic, fft, loops, memory, multiply, permute, shifts, special
from .core import INSTRUCTIONS, Instruction, execute
from .loops import next_pc
from .state import AccessFault, State

FAMILIES = (accumulate, accumulators, arithmetic, fft, loops, memory, multiply, permute, shifts, special)

__all__ = ["FAMILIES", "INSTRUCTIONS", "AccessFault", "Instruction", "State", "execute", "next_pc"]
