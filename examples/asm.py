"""A kernel in assembly: the CRC-32 of a photograph, equal to zlib's.

Run it: ``python examples/asm.py``. No board is needed.

Arguments arrive as in any RISC-V function: here ``data`` in a0 and ``n`` in a1; the result is left in a0.
"""

import zlib
from typing import NamedTuple

import numpy as np
import skimage.data

import p4kernel as p4

POLYNOMIAL = 0xEDB88320  # of zlib, PNG and Ethernet, lowest bit first


@p4.kernel
def crc32(data: p4.In[np.uint8], n: p4.u32 = p4.size("data")) -> p4.u32:
    """CRC-32, bit by bit: no table, no branch on the data."""
    p4.asm(f"""
        add   a1, a0, a1            # where the data ends
        li    t0, -1                # the remainder
        li    t1, {POLYNOMIAL:#x}
    1:  beq   a0, a1, 3f
        lbu   t2, 0(a0)
        addi  a0, a0, 1
        xor   t0, t0, t2
        li    t3, 8
    2:  andi  t4, t0, 1             # the bit that falls out ...
        neg   t4, t4                # ... as a mask of 32
        and   t4, t4, t1
        srli  t0, t0, 1
        xor   t0, t0, t4
        addi  t3, t3, -1
        bnez  t3, 2b
        j     1b
    3:  not   a0, t0
        ret
    """)


class Checksum(NamedTuple):
    """A CRC-32 of ``size`` bytes, and zlib's."""

    size: int
    crc: int
    expected: int

    @property
    def equal(self) -> bool:
        return self.crc == self.expected


def run() -> Checksum:
    """Runs the kernel on the current board."""
    photo = skimage.data.coins()
    return Checksum(photo.nbytes, crc32(photo), zlib.crc32(photo.tobytes()))


def main() -> Checksum:
    result = run()
    print(f"CRC-32 of {result.size:,} bytes: {result.crc:08x}, ", end="")
    print(f"{crc32.last.instructions / result.size:.1f} instructions for each byte.")
    if not result.equal:
        raise SystemExit(f"MISMATCH: zlib finds {result.expected:08x}")
    print("Equal to zlib.crc32.")
    return result


if __name__ == "__main__":
    main()
