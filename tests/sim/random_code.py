"""Random instruction sequences that end, for comparing engines with each other and with other simulators."""

from __future__ import annotations

import random

from .rv32 import AMOS, BRANCHES, FUSED, LOADS, STORES, code, half, word

POINTER, LIMIT = 8, 9
"""x8 points into the middle of a buffer and is never written; x9 counts loop rounds."""
REACH = 1024
"""Bytes on either side of x8 that sequences access."""
_FREE = tuple(r for r in range(32) if r not in (POINTER, LIMIT))
_SHORT = (10, 11, 12, 13, 14, 15)
_REGISTER = ("add", "sub", "sll", "slt", "sltu", "xor", "srl", "sra", "or", "and",
             "mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu")  # fmt: skip
_IMMEDIATE = ("addi", "slti", "sltiu", "xori", "ori", "andi")
_FLOAT2 = ("fadd.s", "fsub.s", "fmul.s", "fdiv.s", "fmin.s", "fmax.s", "fsgnj.s", "fsgnjn.s", "fsgnjx.s")
_ROUNDED = ("fadd.s", "fsub.s", "fmul.s", "fdiv.s")


class Generator:
    """Sequences from one seed. Registers repeat often, so that results are used soon and fusing is met."""

    def __init__(self, seed: int, *, floats: bool = True) -> None:
        self.random = random.Random(seed)
        self._floats = floats
        self._recent = [10, 11, 12]

    def _rd(self) -> int:
        rd = self.random.choice(self._recent if self.random.random() < 0.6 else _FREE)
        self._recent = [*self._recent[-2:], rd]
        return rd

    def _rs(self) -> int:
        return self.random.choice(self._recent if self.random.random() < 0.7 else _FREE)

    def _f(self) -> int:
        return self.random.randrange(6 if self.random.random() < 0.8 else 32)

    def _rm(self) -> int:
        return self.random.choice((7, 7, 7, 0, 1, 2, 3, 4))

    def _integer(self) -> int:
        pick = self.random.random()
        if pick < 0.35:
            return word(self.random.choice(_REGISTER), self._rd(), self._rs(), self._rs())
        if pick < 0.6:
            return word(self.random.choice(_IMMEDIATE), self._rd(), self._rs(), self.random.randrange(-2048, 2048))
        if pick < 0.75:
            return word(self.random.choice(("slli", "srli", "srai")), self._rd(), self._rs(), self.random.randrange(32))
        if pick < 0.8:
            return word("lui", self._rd(), self.random.getrandbits(20))
        a, b = self.random.choice(_SHORT), self.random.choice(_SHORT)
        return self.random.choice(
            (half("c.addi", self._rd(), self.random.randrange(-32, 32)), half("c.li", self._rd(), 5), half("c.sub", a, b),
             half("c.xor", a, b), half("c.and", a, b), half("c.srai", a, self.random.randrange(1, 32)),
             half("c.mv", self._rd(), self.random.randrange(1, 32)), half("c.add", self._rd(), self.random.randrange(1, 32)),
             half("c.slli", a, self.random.randrange(1, 32)), half("c.andi", a, self.random.randrange(-32, 32)))
        )  # fmt: skip

    def _memory(self) -> bytes:
        offset = self.random.randrange(-REACH, REACH - 8)
        if self.random.random() < 0.8:
            offset &= ~3
        pick = self.random.random()
        if pick < 0.4:
            return code(word(self.random.choice(LOADS), self._rd(), POINTER, offset))
        if pick < 0.7:
            return code(word(self.random.choice(STORES), self._rs(), POINTER, offset))
        if pick < 0.8 and self._floats:
            return code(word(self.random.choice(("flw", "fsw")), self._f(), POINTER, offset))
        if pick < 0.9:
            index = self._rd() or 10
            scaled = (
                word("andi", index, self._rs(), 127),
                word("slli", index, index, 2),
                word("add", index, index, POINTER),
            )
            access = word("lw", self._rd(), index, 0) if pick < 0.85 else word("sw", self._rs(), index, -4)
            return code(*scaled, access)
        pointer = 10
        return code(
            word("addi", pointer, POINTER, offset & ~3), word(self.random.choice(AMOS), self._rd(), pointer, self._rs())
        )

    def _float(self) -> int:
        pick = self.random.random()
        if pick < 0.35:
            name = self.random.choice(_FLOAT2)
            return word(name, self._f(), self._f(), self._f(), *((self._rm(),) if name in _ROUNDED else ()))
        if pick < 0.55:
            return word(self.random.choice(FUSED), self._f(), self._f(), self._f(), self._f(), self._rm())
        if pick < 0.6:
            return word("fsqrt.s", self._f(), self._f(), self._rm())
        if pick < 0.7:
            return word(self.random.choice(("feq.s", "flt.s", "fle.s")), self._rd(), self._f(), self._f())
        if pick < 0.8:
            return word(self.random.choice(("fcvt.w.s", "fcvt.wu.s")), self._rd(), self._f(), self._rm())
        if pick < 0.9:
            return word(self.random.choice(("fcvt.s.w", "fcvt.s.wu")), self._f(), self._rs(), self._rm())
        if pick < 0.93:
            return word("fmv.w.x", self._f(), self._rs())
        if pick < 0.96:
            return word(self.random.choice(("fmv.x.w", "fclass.s")), self._rd(), self._f())
        if pick < 0.98:
            return word("csrrwi", self._rd(), 2, self.random.randrange(5))
        return word("csrrs", self._rd(), 1, 0)

    def _one(self) -> bytes:
        pick = self.random.random()
        if pick < 0.25:
            return self._memory()
        if pick < 0.5 and self._floats:
            return code(self._float())
        return code(self._integer())

    def sequence(self, length: int) -> bytes:
        """About `length` instructions: straight code, skips forward, loops of a few rounds."""
        parts: list[bytes] = []
        while length > 0:
            body = b"".join(self._one() for _ in range(self.random.randrange(1, 6)))
            pick = self.random.random()
            if pick < 0.2:
                branch = word(self.random.choice(BRANCHES), self._rs(), self._rs(), 4 + len(body))
                body = code(branch) + body
            elif pick < 0.35:
                rounds = self.random.randrange(1, 12)
                back = -len(body) - 4
                body = code(word("addi", LIMIT, 0, rounds)) + body + code(
                    word("addi", LIMIT, LIMIT, -1), word("bne", LIMIT, 0, back)
                )  # fmt: skip
            elif pick < 0.4:
                body = code(word("jal", self._rd(), 4 + len(body))) + body
            parts.append(body)
            length -= 4
        return b"".join(parts)

    def registers(self, pointer: int) -> tuple[dict[int, int], dict[int, int]]:
        """Start values of the integer and float registers."""
        floats = (
            0x3F800000,
            0xBF800000,
            0x00000001,
            0x00800000,
            0x7F800000,
            0x7FC00000,
            0x7F800001,
            0x80000000,
            0x7F7FFFFF,
        )
        small = (0, 1, 2, 31, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
        x = {i: self.random.choice(small) if i % 3 else self.random.getrandbits(32) for i in range(1, 32)}
        f = {
            i: self.random.choice(floats) if i % 2 else self.random.getrandbits(32) & 0x87FFFFFF | 0x3C000000
            for i in range(32)
        }
        return x | {POINTER: pointer}, f
