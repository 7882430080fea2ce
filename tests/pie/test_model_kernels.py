"""Short kernels on the model: what Espressif's P4 kernels compute, said in NumPy.

The instruction sequences are the shortest that need the same facts (lane layouts, order of stages, roundings).
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from .model import State, next_pc
from .registers import BASE, POINTER, SCALAR, STEP, fresh, lanes, run

HALF_EVEN = 6 << 4
OUT, BACK, FORTH, CARRY = 13, 14, 15, 24


def _with_memory(data: NDArray[np.generic], **fields: int) -> State:
    state = fresh(dtype="<i2", **fields)
    state.memory = bytearray(data.tobytes())
    return state


def _complex(halves: NDArray[np.int16]) -> NDArray[np.complex128]:
    pairs = halves.astype(np.float64).reshape(-1, 2)
    return pairs[:, 0] + 1j * pairs[:, 1]


def _halves(values: NDArray[np.complex128]) -> NDArray[np.int16]:
    return np.stack((values.real, values.imag), axis=1).ravel().astype(np.int16)


@pytest.mark.parametrize("offset", range(16))
def test_misaligned_copy(offset: int) -> None:
    state = fresh()
    state.x[POINTER] += offset
    state.x[OUT] = BASE + 128
    run(state, "ld.128.usar.ip", qu=0, rs1=POINTER, off25616=16)
    run(state, "vld.128.ip", qu=1, rs1=POINTER, off25616=16)
    for block in range(2):
        run(state, "src.q.ld.ip", qu=2, rs1=POINTER, off25616=16, qw=0, qy=1)
        run(state, "vst.128.ip", qu=0, rs1=OUT, off25616=16)
        state.q[[0, 1]] = state.q[[1, 2]]
        assert state.x[POINTER] == BASE + offset + 48 + 16 * block
    assert state.memory[128:160] == bytes(range(offset, offset + 32))


def test_splice_with_update() -> None:
    state = fresh(range(16), range(16, 32), dtype="<u1", sar_byte=5)
    run(state, "src.q.qup", qz=2, qw=0, qy=1)
    assert lanes(state, 2, "<u1") == [*range(5, 21)]
    assert lanes(state, 0, "<u1") == [*range(16, 32)]


def test_pointwise_convolution_equals_a_matrix_product_rounded_half_even() -> None:
    rng = np.random.default_rng(5)
    pixel, weights = rng.integers(-128, 128, 16), rng.integers(-128, 128, (16, 16))
    shift = 7
    state = _with_memory(weights.astype(np.int8), cfg=HALF_EVEN)
    state.q[0] = pixel.astype(np.int8).view(np.uint8)
    state.x[SCALAR] = shift
    run(state, "vld.128.ip", qu=1, rs1=POINTER, off25616=16)
    for channel in range(15):
        run(state, "vsmulas.s8.qacc.ld.incp", qu=1, rs1=POINTER, qx=1, qy=0, sel16=channel)
    run(state, "vsmulas.s8.qacc", qx=1, qy=0, sel16=15)
    run(state, "srcmb.s8.qacc", qu=2, rs1=SCALAR, sel2=1)
    expected = np.clip(np.rint(pixel @ weights / 2**shift), -128, 127)
    assert lanes(state, 2, "<i1") == expected.tolist()


def test_dot_product_in_a_hardware_loop() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.integers(-128, 128, (2, 64))
    state = _with_memory(np.concatenate((a, b)).astype(np.int8))
    state.x[OUT], state.pc = BASE + 64, 0x1000
    body = (
        ("vld.128.ip", {"qu": 0, "rs1": POINTER, "off25616": 16}),
        ("vld.128.ip", {"qu": 1, "rs1": OUT, "off25616": 16}),
        ("vmulas.s8.xacc", {"qx": 0, "qy": 1}),
    )
    run(state, "lp.setupi", id=0, count=4, offset=4 * len(body))  # the label stands on the last instruction
    next_pc(state, 4)
    executed = 0
    while state.pc < 0x1000 + 4 + 4 * len(body):
        mnemonic, operands = body[(state.pc - 0x1004) // 4]
        run(state, mnemonic, **operands)
        next_pc(state, 4)
        executed += 1
    run(state, "movx.r.xacc.l", rd=SCALAR)
    assert executed == 4 * len(body)
    assert state.x[SCALAR] == int(a @ b) & 0xFFFFFFFF
    assert state.lp_count == [0, 0]


def test_nested_loops_that_end_together() -> None:
    state = fresh(pc=0x100)
    run(state, "lp.counti", id=1, count=3)
    run(state, "lp.starti", id=1, offset=4)
    run(state, "lp.endi", id=1, offset=12)
    visits = []
    next_pc(state, 4)
    while state.pc != 0x110:
        visits.append(state.pc)
        if state.pc == 0x104:
            run(state, "lp.setupi", id=0, count=2, offset=8)
        next_pc(state, 4)
    assert visits == [0x104, 0x108, 0x10C, 0x108, 0x10C] * 3


@pytest.mark.parametrize("count", [0, 1])
def test_a_body_is_entered_by_falling_through(count: int) -> None:
    state = fresh(pc=0x100)
    state.x[SCALAR] = count
    run(state, "lp.setup", id=1, rs1=SCALAR, offset=4)
    assert [next_pc(state, 4), next_pc(state, 2)] == [0x104, 0x106]
    assert state.lp_count == [0, 0]


def test_rgb_planes_zip_into_pixels_and_back() -> None:
    red, green, blue = np.random.default_rng(7).integers(0, 256, (3, 16)).astype(np.uint8)
    state = fresh(red, green, blue, dtype="<u1")
    run(state, "vzipt.8", qx=0, qy=1, qw=2)
    assert np.array_equal(state.q[:3].ravel(), np.stack((red, green, blue), axis=1).ravel())
    run(state, "vunzipt.8", qx=0, qy=1, qw=2)
    assert np.array_equal(state.q[:3], (red, green, blue))


@pytest.mark.parametrize("width", [3, 4, 5])
def test_bit_reversal_in_place(width: int) -> None:
    count = 1 << width
    state = _with_memory(np.arange(count, dtype=np.uint32), fft_bit_width=width)
    state.x[OUT], state.x[SCALAR] = BASE, 0
    state.x[BACK] = BASE
    for _ in range(count // 8):
        run(state, "fft.bitrev", qv=2, rs1=SCALAR)
        for half in range(2):
            run(state, "vld.128.ip", qu=0, rs1=POINTER, off25616=16)
            for name in ("ldxq.32", "stxq.32"):
                for lane in range(4):
                    register = 1 if name == "ldxq.32" else 0
                    run(state, name, qu=register, qw=2, rs1=OUT, sel4=lane, sel8=4 * half + lane)
            run(state, "vst.128.ip", qu=1, rs1=BACK, off25616=16)
    expected = [int(f"{i:0{width}b}"[::-1], 2) for i in range(count)]
    assert np.frombuffer(state.memory, "<u4").tolist() == expected


@pytest.mark.parametrize("inverse", [False, True])
def test_last_three_stages_of_a_transform(inverse: bool) -> None:
    """Eight points, decimation in frequency: the three layouts of CMUL.ST (upd4 = 0, 1, 2) together give an FFT."""
    rng = np.random.default_rng(8)
    x = rng.integers(-1000, 1000, 16).astype(np.int16)
    bits, odd = 14, int(inverse)
    angle = 2 * np.pi * np.arange(4) / 8
    twiddles = np.rint((np.cos(angle) + 1j * np.sin(angle)) * 2**bits)
    state = _with_memory(x, cfg=HALF_EVEN, sar=bits)
    state.x[BACK], state.x[STEP] = BASE, 16
    w8, w4, w2 = 5, 6, 7
    state.q[w8] = _halves(twiddles).view(np.uint8)
    state.q[w4] = _halves(twiddles[[0, 2, 0, 2]]).view(np.uint8)
    state.q[w2] = _halves(twiddles[[0, 0, 0, 0]]).view(np.uint8)

    def load_both() -> None:
        state.x[POINTER] = state.x[BACK] = BASE
        run(state, "vld.128.ip", qu=0, rs1=POINTER, off25616=16)
        run(state, "vld.128.ip", qu=1, rs1=POINTER, off25616=-16)

    load_both()
    run(state, "fft.r2bf.s16.st.incp", qz=2, qx=0, qy=1, rs1=BACK, sel4=0)
    for lane in range(3):
        run(state, "fft.cmul.s16.ld.xp", qu=0, rs1=POINTER, rs2=9, qz=4, qy=2, qx=w8, sel8=2 * lane + odd)
    run(state, "fft.cmul.s16.st.xp", qy=2, qx=w8, qu=4, rs1=BACK, rs2=STEP, sel8=6 + odd, upd4=0, sel4=0)
    for upd4, w in ((1, w4), (2, w2)):
        load_both()
        run(state, "fft.r2bf.s16", qz=2, qv=3, qx=0, qy=1, sel2=upd4 - 1)
        for data in (2, 3):
            run(state, "fft.cmul.s16.ld.xp", qu=0, rs1=POINTER, rs2=9, qz=4, qy=data, qx=w, sel8=4 + odd)
            run(state, "fft.cmul.s16.st.xp", qy=data, qx=w, qu=4, rs1=BACK, rs2=STEP, sel8=6 + odd, upd4=upd4, sel4=0)
    result = _complex(np.frombuffer(state.memory, np.int16))[[0, 4, 2, 6, 1, 5, 3, 7]]
    expected = np.fft.ifft(_complex(x)) * 8 if inverse else np.fft.fft(_complex(x))
    assert np.abs(result - expected).max() < 2.5  # three roundings of half a unit, in both parts


def test_sums_are_halved_from_seventeen_bits() -> None:
    state = fresh([32767, -32768, 3, 5] * 2, [32767, -32768, 0, 0] * 2, cfg=HALF_EVEN)
    run(state, "fft.r2bf.s16.st.incp", qz=2, qx=0, qy=1, rs1=POINTER, sel4=1)
    assert np.frombuffer(state.memory, "<i2", 8).tolist() == [32767, -32768, 2, 2] * 2
    assert lanes(state, 2) == [0, 0, 3, 5] * 2
    run(state, "fft.r2bf.s16.st.incp", qz=2, qx=0, qy=1, rs1=POINTER, sel4=0)
    assert np.frombuffer(state.memory, "<i2", 8, 16).tolist() == [32767, -32768, 3, 5] * 2
    run(state, "fft.r2bf.s16.st.incp", 3, sat=0, qz=2, qx=0, qy=1, rs1=POINTER, sel4=0)
    assert np.frombuffer(state.memory, "<i2", 8, 32).tolist() == [-2, 0, 3, 5] * 2


@pytest.mark.parametrize("inverse", [False, True])
def test_real_spectrum_from_a_half_size_transform(inverse: bool) -> None:
    """The AMS chain: forward lanes from the front of the data, conjugate ones from its back, results in place."""
    points, bits = 32, 14
    rng = np.random.default_rng(9)
    x = rng.integers(-4000, 4000, 2 * points).astype(np.int16)
    w = rng.integers(-16384, 16385, points).astype(np.int16)
    state = _with_memory(np.concatenate((x, w, np.zeros(8, np.int16))), sar=bits)  # one block is loaded ahead
    code = int(inverse)
    forward, backward = {"qx": 0, "qw": 1, "qy": 2}, {"qx": 3, "qw": 4, "qy": 5}
    x_registers = {FORTH: BASE + 32, BACK: BASE + 4 * points - 16, OUT: BASE, SCALAR: BASE + 4 * points}
    for register, value in x_registers.items():
        state.x[register] = value
    state.x[STEP] = BASE + 4 * points - 16
    results = {"qz": 6, "qv": 7, "sel2": code}

    state.q[0] = np.frombuffer(state.memory[4:20], np.uint8)  # complex points 1 to 4
    state.ua_state = np.frombuffer(state.memory[16:32], np.uint8)
    state.sar_byte = 4
    run(state, "vld.128.ip", qu=2, rs1=SCALAR, off25616=16)
    run(state, "fft.ams.s16.ld.r32.decp", qu=1, rs1=BACK, **results, **backward)
    for _ in range(points // 16):
        for now, following in ((forward, backward), (backward, forward)):
            run(state, "fft.ams.s16.ld.incp.uaup", qu=following["qx"], rs1=FORTH, **results, **now)
            run(state, "fft.ams.s16.ld.incp", qu=following["qy"], rs1=SCALAR, **results, **now)
            run(state, "fft.ams.s16.ld.r32.decp", qu=following["qw"], rs1=BACK, **results, **now)
            run(state, "fft.ams.s16.st.incp", qu=6, qz=7, rs2=CARRY, rs1=OUT, sel2=code, **now)
            run(state, "fft.vst.r32.decp", qu=7, rs1=STEP, sel2=1 - code)

    front = x.reshape(-1, 2)[1 : points // 2 + 1].astype(np.int64)
    back = x.reshape(-1, 2)[: points // 2 - 1 : -1].astype(np.int64)
    wr, wi = w.reshape(-1, 2)[: points // 2].astype(np.int64).T
    wi = -wi if inverse else wi
    (sr, di), (dr, si) = (front + back).T, (front - back).T
    tr, ti = (dr * wr - di * wi) >> bits, (di * wr + dr * wi) >> bits
    expected_front = np.stack((sr + tr, si + ti), axis=1) >> 1 - code
    expected_back = np.stack((sr - tr, ti - si), axis=1) >> 1 - code
    result = np.frombuffer(state.memory, np.int16, 2 * points).reshape(-1, 2)
    assert np.array_equal(result[1 : points // 2], expected_front[:-1])
    assert np.array_equal(result[: points // 2 - 1 : -1], expected_back)
    middle = [state.x[CARRY] & 0xFFFF, state.x[CARRY] >> 16]
    assert np.array(middle, np.uint16).astype(np.int16).tolist() == np.stack((sr + tr, si + ti), axis=1)[-1].tolist()
