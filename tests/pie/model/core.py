"""What all families share: lane types, the instruction table, rounding and saturation, and fused memory accesses.

Decisions where the documents are silent or contradict each other (sources as in the families: DOC is Espressif's
PIE reference in esp-dl, DL its kernels, S3 the ESP32-S3 manual, HW published board experiments, 2.2 the operands
that xespv 2.2 added):

| point | decision | evidence |
|---|---|---|
| which instructions set vxsat | those that have a `sat` operand in 2.2, when a lane really was clipped | open; 2.2 marks with `sat` what has a saturating stage; VCLAMP, VSAT, SAT and VABS have none |
| vxsat_en | gates vxsat in 2.1; in 2.2 vxsat is always recorded | DOC; 2.2 has no vxsat_en |
| vxrm = 7 (unnecessary) | rounds like floor, an inexact result sets rm_exc | DOC names the flag, not the result |
| vxrm 8 to 15 | floor | no document |
| 2.2 `rm` | 0 to 6 as vxrm, 7 takes vxrm from CFG; instructions without `rm` take vxrm | README of the encodings |
| 2.2 `sat` = trunc | the low bits of the rounded result are kept | HW for SRCMB with sel2 = 0; S3 |
| two results for one register | written in operand order, so the later operand wins; a load comes last | open |
| XP with rs1 = rs2 | the address is the old value, then it is doubled | compute on old values |
| AMS.ST with rs1 = rs2 | the pointer, which is the later operand, wins, and moves on from its old value | as for q registers |
| a fault | changes nothing | a trapping instruction can be restarted |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .state import (
    CFG_RM_EXC,
    CFG_VXRM_SHIFT,
    CFG_VXSAT,
    CFG_VXSAT_EN,
    XESPV_2P2_REVISION,
    Bytes,
    State,
)

FLOOR, CEILING, UP, DOWN, HALF_UP, HALF_DOWN, HALF_EVEN, UNNECESSARY = range(8)
DYNAMIC = 7  # of the 2.2 operand `rm`: as CFG says
SAT_DEFAULT = 1


class Lane(NamedTuple):
    """A lane type: its name in mnemonics, NumPy dtype, width in bits, and limits."""

    name: str
    dtype: str
    bits: int
    low: int
    high: int

    @property
    def size(self) -> int:
        return self.bits // 8

    @property
    def signed(self) -> bool:
        return self.low < 0


def _lane(name: str) -> Lane:
    bits = int(name[1:])
    signed = name[0] == "s"
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return Lane(name, f"<{'i' if signed else 'u'}{bits // 8}", bits, low, high)


S8, U8, S16, U16, S32, U32, S64, U64 = (_lane(name) for name in "s8 u8 s16 u16 s32 u32 s64 u64".split())
LANES_8_16 = (S8, U8, S16, U16)
LANES = (*LANES_8_16, S32, U32)


def view(data: Bytes, lane: Lane) -> NDArray[np.int64]:
    """Lanes of a register widened to 64 bits, so that sums and products of 32-bit lanes are exact."""
    return data.view(lane.dtype).astype(np.int64)


def integers(data: Bytes, lane: Lane) -> list[int]:
    """Lanes as Python integers, which never overflow."""
    values: list[int] = data.view(lane.dtype).tolist()
    return values


def wrap(value: int, lane: Lane) -> int:
    """The low bits of value, read as the lane reads them."""
    value &= (1 << lane.bits) - 1
    return value - (1 << lane.bits) if value > lane.high else value


def pack(values: Iterable[int], lane: Lane) -> Bytes:
    """Integers that fit their lanes, as register bytes."""
    packed: Bytes = np.array(list(values), lane.dtype).view(np.uint8)
    return packed


@dataclass(slots=True)
class Context:
    """One instruction being executed: its operands, and how it saturates and rounds."""

    state: State
    operands: Mapping[str, int]
    saturating: bool
    rounding: int
    xespv_2p2: bool

    def __getitem__(self, name: str) -> int:
        return self.operands[name]

    def q(self, name: str) -> Bytes:
        register: Bytes = self.state.q[self.operands[name]]
        return register

    def lanes(self, name: str, lane: Lane) -> list[int]:
        return integers(self.q(name), lane)

    def x(self, name: str) -> int:
        return self.state.x[self.operands[name]]

    def set_q(self, name: str, data: Bytes) -> None:
        self.state.q[self.operands[name]] = data

    def set_lanes(self, name: str, values: Iterable[int], lane: Lane) -> None:
        self.set_q(name, pack(values, lane))

    def set_x(self, name: str, value: int) -> None:
        self.state.set_x(self.operands[name], value)

    def clip(self, value: int, lane: Lane) -> int:
        """Fit value into a lane: clipped when the instruction saturates, else its low bits."""
        if lane.low <= value <= lane.high:
            return value
        if not self.saturating:
            return wrap(value, lane)
        self.note_saturation()
        return lane.high if value > lane.high else lane.low

    def clip_array(self, values: NDArray[np.int64], lane: Lane) -> Bytes:
        """clip for every element of an array of exact results."""
        if self.saturating:
            clipped = np.clip(values, lane.low, lane.high)
            if not np.array_equal(clipped, values):
                self.note_saturation()
            values = clipped
        fitted: Bytes = values.astype(lane.dtype).view(np.uint8)
        return fitted

    def note_saturation(self) -> None:
        if self.xespv_2p2 or self.state.cfg & CFG_VXSAT_EN:
            self.state.cfg |= CFG_VXSAT

    def shift(self, value: int, amount: int) -> int:
        """value / 2^amount, rounded in the instruction's mode."""
        quotient, inexact = shift_round(value, amount, self.rounding)
        if inexact and self.rounding == UNNECESSARY:
            self.state.cfg |= CFG_RM_EXC
        return quotient


def shift_round(value: int, amount: int, mode: int) -> tuple[int, bool]:
    """(value / 2^amount rounded in a vxrm mode, whether that was inexact)."""
    quotient = value >> amount
    rest = value - (quotient << amount)
    if rest == 0:
        return quotient, False
    half = 1 << amount - 1
    away_is_up = value > 0
    if mode in (HALF_UP, HALF_DOWN, HALF_EVEN) and rest != half:
        up = rest > half
    elif mode == HALF_UP:
        up = away_is_up
    elif mode == HALF_DOWN:
        up = not away_is_up
    elif mode == HALF_EVEN:
        up = bool(quotient & 1)
    else:
        up = mode == CEILING or (mode == UP and away_is_up) or (mode == DOWN and not away_is_up)
    return quotient + up, True


Compute = Callable[[Context], None]
Finish = Callable[[], None]
Access = Callable[[Context], Finish]


class Instruction(NamedTuple):
    """How one mnemonic runs. `saturates` and `rounds` say what 2.1 does; 2.2 does it by the operands in `extras`."""

    run: Compute
    extras: tuple[str, ...]
    saturates: bool
    rounds: bool
    revisions: tuple[bool, bool]  # exists in 2.1, in 2.2


INSTRUCTIONS: dict[str, Instruction] = {}


def define(
    mnemonic: str,
    run: Compute,
    *,
    extras: tuple[str, ...] = (),
    saturates: bool = True,
    rounds: bool = True,
    only_2p2: bool = False,
) -> None:
    """Enter one instruction in the table."""
    if mnemonic in INSTRUCTIONS:
        raise ValueError(f"{mnemonic} is defined twice")
    INSTRUCTIONS[mnemonic] = Instruction(run, extras, saturates, rounds, (not only_2p2, True))


def define_fused(
    mnemonic: str, compute: Compute, accesses: Mapping[str, Access], *, extras: tuple[str, ...] = ()
) -> None:
    """A computation, alone and with each of the memory accesses that mnemonics append to it."""
    define(mnemonic, compute, extras=extras)
    for suffix, access in accesses.items():
        define(f"{mnemonic}.{suffix}", fused(compute, access), extras=extras)


def fused(compute: Compute, access: Access) -> Compute:
    """Access memory with the old values, compute with the old values, then write what was loaded and the pointer."""

    def run(c: Context) -> None:
        finish = access(c)
        compute(c)
        finish()

    return run


def execute(
    state: State,
    mnemonic: str,
    operands: Mapping[str, int],
    generation: int,
    extras: Mapping[str, int] | None = None,
) -> State:
    """Run one instruction on the state, in place, and return the state.

    operands: register numbers and scaled immediates by their names in the encoding table (label operands: bytes from
    the instruction at state.pc). generation: chip revision, below 3 is xespv 2.1. extras: `sat` and `rm` of 2.2;
    what is absent has its default. LookupError when that generation has no such instruction or extra; AccessFault.
    """
    instruction = INSTRUCTIONS[mnemonic]
    is_2p2 = generation >= XESPV_2P2_REVISION
    if not instruction.revisions[is_2p2]:
        raise LookupError(f"{mnemonic} needs xespv 2.2")
    given = dict(extras or {})
    allowed = instruction.extras if is_2p2 else ()
    if unknown := given.keys() - set(allowed):
        raise LookupError(f"{mnemonic} has no {', '.join(sorted(unknown))}")
    saturating, rounding = instruction.saturates, (state.cfg >> CFG_VXRM_SHIFT) & 0xF
    if "sat" in allowed:
        saturating = bool(given.get("sat", SAT_DEFAULT))
    if "rm" in allowed:
        mode = given.get("rm", DYNAMIC)
        rounding = rounding if mode == DYNAMIC else mode
    elif not instruction.rounds:
        rounding = FLOOR
    instruction.run(Context(state, operands, saturating, rounding, is_2p2))
    return state
