"""Many random sequences in one program, each run for several rounds with other registers: for qemu-riscv32 and for us.

A program is three shared routines (registers set, registers saved, results written out) and the sequences that call
them. All of a sequence's registers are results except x8, the pointer, and x9, the link register of the routines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .linux import SYS_EXIT, SYS_WRITE, elf
from .machine import BASE
from .random_code import LIMIT, POINTER, REACH, Generator
from .rv32 import code, load_constant, word

LENGTH = 60
"""Instructions of a sequence that are asked for; the text of a few is longer or shorter."""
AREA = 2 * REACH
RECORD = 4 * (32 + 32 + 1)
"""x, f and fcsr after a round. The places of x0, x8 and x9 stay zero."""
_TABLE = 4 * 64
_DATA = BASE + (1 << 20)
_SIZE = 4 << 20
# Words behind the area that the routines keep, as offsets from x8.
_SCRATCH, _TABLE_AT, _RECORD_AT, _ROUNDS = (REACH + 4 * i for i in range(4))
_TABLES = _DATA + AREA + 64
_LINK = LIMIT
_EDGES = np.array([0, 1, 2, 31, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF8000], np.uint32)
_FLOATS = np.array(
    [0x3F800000, 0xBF800000, 1, 0x00800000, 0x7F800000, 0x7FC00000, 0x7F800001, 0x80000000, 0x7F7FFFFF], np.uint32
)


@dataclass(frozen=True)
class Batch:
    """A program, and what is known of it before it runs."""

    program: bytes
    seeds: range
    rounds: int
    written: int
    """Random instructions in the text."""

    @property
    def result_size(self) -> int:
        """Bytes that each sequence writes out."""
        return AREA + self.rounds * RECORD

    def first_difference(self, ours: bytes, theirs: bytes) -> str:
        """Where two results part, for a message."""
        assert len(ours) == len(theirs) == self.result_size * len(self.seeds), (len(ours), len(theirs))
        at = int(np.flatnonzero(np.frombuffer(ours, np.uint8) != np.frombuffer(theirs, np.uint8))[0])
        index, place = divmod(at, self.result_size)
        where = f"memory at {place}" if place < AREA else self._register(place - AREA)
        return f"seed {self.seeds[index]}: {where}"

    def _register(self, place: int) -> str:
        turn, place = divmod(place // 4, RECORD // 4)
        return f"round {turn}: " + (f"x{place}" if place < 32 else f"f{place - 32}" if place < 64 else "fcsr")


def make(seeds: range, rounds: int, length: int = LENGTH) -> Batch:
    """The program of some seeds; with no length, what all of this takes without random instructions."""
    source = np.random.default_rng(seeds.start)
    load, save, write = _load(), _save(), _write(rounds)
    text = bytearray(_begin(rounds))
    after_routines = len(text) + 4 + len(load) + len(save) + len(write)
    text += code(word("jal", 0, after_routines - len(text)))
    load_at = len(text)
    save_at = load_at + len(load)
    write_at = save_at + len(save)
    text += load + save + write
    written = 0
    for seed in seeds:
        sequence = Generator(seed).sequence(length)
        written += _count(sequence)
        start = len(text)
        text += code(word("jal", _LINK, load_at - start)) + sequence
        text += code(word("jal", _LINK, save_at - len(text)))
        text += code(word("bne", 3, 0, start - len(text)))
        text += code(word("jal", _LINK, write_at - len(text)))
    text += _ecall(SYS_EXIT, 0)
    assert len(text) < _DATA - BASE
    image = bytes(text).ljust(_DATA - BASE, b"\0") + source.bytes(AREA) + bytes(64) + _tables(source, rounds)
    return Batch(elf(image, _SIZE), seeds, rounds, written)


def _tables(source: np.random.Generator, rounds: int) -> bytes:
    """Start values of each round: half of them edges, floats mostly of moderate size."""
    tables = source.integers(0, 1 << 32, (rounds, 64), np.uint32)
    special = source.random(tables.shape) < 0.5
    tables[:, 32:] = tables[:, 32:] & 0x87FFFFFF | 0x3C000000
    tables[:, :32] = np.where(special[:, :32], source.choice(_EDGES, (rounds, 32)), tables[:, :32])
    tables[:, 32:] = np.where(special[:, 32:], source.choice(_FLOATS, (rounds, 32)), tables[:, 32:])
    return tables.tobytes()


def _records(rounds: int) -> int:
    return _TABLES + rounds * _TABLE


def _set(at: int, value: int) -> bytes:
    return load_constant(5, value) + code(word("sw", 5, POINTER, at))


def _rewind(rounds: int) -> bytes:
    return _set(_TABLE_AT, _TABLES) + _set(_RECORD_AT, _records(rounds)) + _set(_ROUNDS, rounds)


def _begin(rounds: int) -> bytes:
    return load_constant(POINTER, _DATA + REACH) + _rewind(rounds)


def _load() -> bytes:
    """All registers from the table of this round; fcsr is 0."""
    last = 31
    floats = [word("flw", i, last, 128 + 4 * i) for i in range(32)]
    integers = [word("lw", i, last, 4 * i) for i in range(1, last) if i not in (POINTER, _LINK)]
    return code(
        word("lw", last, POINTER, _TABLE_AT), word("csrrwi", 0, 3, 0), *floats, *integers,
        word("lw", last, last, 4 * last), word("jalr", 0, _LINK, 0),
    )  # fmt: skip


def _save() -> bytes:
    """All registers to the record of this round; x3 is the number of rounds that are left."""
    floats = [word("fsw", i, 1, 128 + 4 * i) for i in range(32)]
    integers = [word("sw", i, 1, 4 * i) for i in range(2, 32) if i not in (POINTER, _LINK)]
    return code(
        word("sw", 1, POINTER, _SCRATCH), word("lw", 1, POINTER, _RECORD_AT), *integers, *floats,
        word("lw", 2, POINTER, _SCRATCH), word("sw", 2, 1, 4), word("csrrs", 2, 3, 0), word("sw", 2, 1, 256),
        word("addi", 1, 1, RECORD), word("sw", 1, POINTER, _RECORD_AT),
        word("lw", 1, POINTER, _TABLE_AT), word("addi", 1, 1, _TABLE), word("sw", 1, POINTER, _TABLE_AT),
        word("lw", 3, POINTER, _ROUNDS), word("addi", 3, 3, -1), word("sw", 3, POINTER, _ROUNDS),
        word("jalr", 0, _LINK, 0),
    )  # fmt: skip


def _write(rounds: int) -> bytes:
    records = _records(rounds)
    return (
        _ecall(SYS_WRITE, 1, _DATA, AREA) + _ecall(SYS_WRITE, 1, records, rounds * RECORD) + _rewind(rounds)
        + code(word("jalr", 0, _LINK, 0))
    )  # fmt: skip


def _ecall(number: int, *arguments: int) -> bytes:
    loads = b"".join(load_constant(10 + i, a) for i, a in enumerate(arguments))
    return loads + load_constant(17, number) + code(word("ecall"))


def _count(text: bytes) -> int:
    at = count = 0
    while at < len(text):
        at += 4 if text[at] & 3 == 3 else 2
        count += 1
    return count
