"""Firmware functions with a second result in memory, and the atomic ones: called from compiled C."""

from __future__ import annotations

import math
import struct

import pytest

from p4kernel.build.toolchain import Toolchain
from tests.sim_board.calls import EXPORTS
from tests.sim_board.chip import DATA, LOAD_FAULT, PSRAM_END, STORE_FAULT, Chip, End

SIZES = {1: ("uint8_t", "B"), 2: ("uint16_t", "H"), 4: ("uint32_t", "I"), 8: ("uint64_t", "Q")}
OPERATIONS = ("add", "sub", "and", "or", "xor", "nand")

DIVISIONS = {
    "__divmodsi4": ("int32_t", "i"),
    "__udivmodsi4": ("uint32_t", "I"),
    "__divmoddi4": ("int64_t", "q"),
    "__udivmoddi4": ("uint64_t", "Q"),
}


@pytest.mark.parametrize("name", DIVISIONS)
def test_division_with_remainder(chip: Chip, chain: Toolchain, name: str) -> None:
    c_type, code = DIVISIONS[name]
    divisor = 7 if "u" in name else -7
    chip.write(DATA, struct.pack(f"<{code}{code}", 1_000_003, divisor))
    text = f"""extern {c_type} {name}({c_type}, {c_type}, {c_type} *);
        void entry({c_type} *d) {{ d[2] = {name}(d[0], d[1], &d[3]); d[4] = {name}(d[0], d[1], 0); }}"""
    assert chip.run(text, chain) == End("exit")
    quotient = 1_000_003 // 7 * (1 if "u" in name else -1)
    wanted = (quotient, 1_000_003 - quotient * divisor, quotient)
    assert struct.unpack(f"<3{code}", chip.read(DATA, 5 * struct.calcsize(code))[2 * struct.calcsize(code) :]) == wanted


@pytest.mark.parametrize(("name", "c_type", "code"), [("__mulosi4", "int32_t", "i"), ("__mulodi4", "int64_t", "q")])
def test_multiplication_tells_of_overflow(chip: Chip, chain: Toolchain, name: str, c_type: str, code: str) -> None:
    size = struct.calcsize(code)
    big = 1 << (8 * size - 2)
    chip.write(DATA, struct.pack(f"<{code}{code}", big, 5))
    text = f"""extern {c_type} {name}({c_type}, {c_type}, int *);
        void entry({c_type} *d) {{ int over; d[2] = {name}(d[0], d[1], &over); d[3] = over;
                                   d[4] = {name}(d[1], -d[1], &over); d[5] = over; }}"""
    assert chip.run(text, chain) == End("exit")
    values = struct.unpack(f"<4{code}", chip.read(DATA, 6 * size)[2 * size :])
    assert values == (big, 1, -25, 0)  # 5 * 2^(n-2) is 2^(n-2) modulo 2^n


MATH = """
    double frexp(double, int *), modf(double, double *), remquo(double, double, int *), nan(const char *);
    float frexpf(float, int *), modff(float, float *), remquof(float, float, int *), nanf(const char *);
    void sincos(double, double *, double *), sincosf(float, float *, float *);
    struct out { double d[9]; float f[9]; int i[5]; };
    void entry(struct out *o) {
        o->d[0] = frexp(-40.0, &o->i[0]);    o->f[0] = frexpf(0.3f, &o->i[1]);
        o->d[1] = modf(-3.75, &o->d[2]);     o->f[1] = modff(1e9f, &o->f[2]);
        o->d[3] = remquo(29.0, 3.0, &o->i[2]);  o->f[3] = remquof(-29.0f, 3.0f, &o->i[3]);
        sincos(1.25, &o->d[4], &o->d[5]);    sincosf(1.25f, &o->f[4], &o->f[5]);
        o->d[6] = nan("");                   o->f[6] = nanf("7");
        o->d[7] = frexp(1e-320, &o->i[4]);   o->d[8] = modf(-1.0 / 0.0, &o->d[7 + 0]);
    }"""


def test_math_with_two_results(chip: Chip, chain: Toolchain) -> None:
    assert chip.run(MATH, chain) == End("exit")
    data = chip.read(DATA, 128)
    d, f, i = struct.unpack_from("<9d", data), struct.unpack_from("<9f", data, 72), struct.unpack_from("<5i", data, 108)
    assert (d[0], i[0]) == (-0.625, 6)
    assert f[0] == pytest.approx(0.6, rel=1e-7)
    assert i[1] == -1
    assert d[1:3] == (-0.75, -3.0)
    assert f[1:3] == (0.0, 1e9)
    assert (d[3], i[2]) == (-1.0, 10 & 7)
    assert (f[3], i[3]) == (1.0, -(10 & 7))
    assert d[4:6] == (math.sin(1.25), math.cos(1.25))
    assert f[4:6] == pytest.approx((math.sin(1.25), math.cos(1.25)), rel=1e-6)
    assert data[48:56] == bytes.fromhex("000000000000f87f")
    assert data[72 + 24 : 72 + 28] == bytes.fromhex("0000c07f")
    assert i[4] == math.frexp(1e-320)[1]
    assert (d[8], d[7]) == (0.0, -math.inf)
    assert math.copysign(1, d[8]) == -1


def test_a_result_outside_memory_is_a_store_fault(chip: Chip, zig: Toolchain) -> None:
    text = f"double frexp(double, int *); void entry(double *d) {{ *d = frexp(1.0, (int *){PSRAM_END - 2}); }}"
    assert chip.run(text, zig).cause == STORE_FAULT


def _model(operation: str, old: int, value: int, bits: int) -> int:
    results = {"add": old + value, "sub": old - value, "and": old & value, "or": old | value, "xor": old ^ value,
               "nand": ~(old & value)}  # fmt: skip
    return results[operation] & ((1 << bits) - 1)


# Called under other names: compilers take calls of these for their own to replace.
@pytest.mark.parametrize("n", SIZES)
def test_atomic_functions_of_a_size(chip: Chip, chain: Toolchain, n: int) -> None:
    c_type, code = SIZES[n]
    old, value = 0xF123456789ABCDEF & ((1 << 8 * n) - 1), 0x8877665544332211 & ((1 << 8 * n) - 1)
    prototypes = [
        f'extern {c_type} {o}_(volatile void *, {c_type}, int) __asm__("__atomic_fetch_{o}_{n}");' for o in OPERATIONS
    ]
    calls = [f"d[{2 * i}] = {o}_(&d[{2 * i + 1}], value, 5);" for i, o in enumerate(OPERATIONS)]
    text = f"""{"".join(prototypes)}
        extern {c_type} load(const volatile void *, int) __asm__("__atomic_load_{n}");
        extern {c_type} exchange(volatile void *, {c_type}, int) __asm__("__atomic_exchange_{n}");
        extern void store(volatile void *, {c_type}, int) __asm__("__atomic_store_{n}");
        extern bool swap(volatile void *, void *, {c_type}, int, int) __asm__("__atomic_compare_exchange_{n}");
        void entry({c_type} *d) {{
            {c_type} value = d[32];
            {"".join(calls)}
            d[12] = exchange(&d[13], value, 5);
            store(&d[14], load(&d[15], 0), 0);
            d[16] = swap(&d[17], &d[18], value, 5, 5);
            d[19] = swap(&d[20], &d[21], value, 5, 5);
        }}"""
    chip.write(DATA, struct.pack(f"<33{code}", *[old] * 21, 1, *[0] * 10, value))
    assert chip.run(text, chain) == End("exit")
    got = struct.unpack_from(f"<22{code}", chip.read(DATA, 33 * n))
    wanted = [v for o in OPERATIONS for v in (old, _model(o, old, value, 8 * n))]
    wanted += [old, value, old, old]
    wanted += [1, value, old]  # equal: replaced
    wanted += [0, old, old]  # not equal: the expected value becomes the real one
    assert list(got) == wanted


@pytest.mark.parametrize("n", [1, 2])
def test_sync_functions_of_a_size(chip: Chip, chain: Toolchain, n: int) -> None:
    c_type, code = SIZES[n]
    old, value = 0xABCD & ((1 << 8 * n) - 1), 0x2211 & ((1 << 8 * n) - 1)
    prototypes = [
        f'extern {c_type} {o}_(volatile void *, {c_type}) __asm__("__sync_fetch_and_{o}_{n}");' for o in OPERATIONS
    ]
    calls = [f"d[{2 * i}] = {o}_(&d[{2 * i + 1}], value);" for i, o in enumerate(OPERATIONS)]
    text = f"""{"".join(prototypes)}
        extern {c_type} swap(volatile void *, {c_type}, {c_type}) __asm__("__sync_val_compare_and_swap_{n}");
        extern bool swaps(volatile void *, {c_type}, {c_type}) __asm__("__sync_bool_compare_and_swap_{n}");
        extern {c_type} set(volatile void *, {c_type}) __asm__("__sync_lock_test_and_set_{n}");
        void entry({c_type} *d) {{
            {c_type} value = d[32];
            {"".join(calls)}
            d[12] = set(&d[13], value);
            d[14] = swap(&d[15], d[15], value);
            d[16] = swaps(&d[17], value, 0);
        }}"""
    chip.write(DATA, struct.pack(f"<33{code}", *[old] * 32, value))
    assert chip.run(text, chain) == End("exit")
    got = struct.unpack_from(f"<18{code}", chip.read(DATA, 33 * n))
    wanted = [v for o in OPERATIONS for v in (old, _model(o, old, value, 8 * n))]
    assert list(got) == [*wanted, old, value, old, value, 0, old]


def test_atomic_functions_of_any_size(chip: Chip, chain: Toolchain) -> None:
    text = """
        extern void load(size_t, const volatile void *, void *, int) __asm__("__atomic_load");
        extern void store(size_t, volatile void *, void *, int) __asm__("__atomic_store");
        extern void exchange(size_t, volatile void *, void *, void *, int) __asm__("__atomic_exchange");
        extern bool swap(size_t, volatile void *, void *, void *, int, int) __asm__("__atomic_compare_exchange");
        void entry(char *d) {
            load(11, d, d + 16, 5);
            store(3, d + 32, d, 5);
            exchange(5, d + 48, d, d + 64, 5);
            d[80] = swap(4, d + 81, d + 85, d, 5, 5);
            d[96] = swap(4, d + 97, d, d + 101, 5, 5);
        }"""
    start = bytes(range(100, 228))
    start = start[:85] + start[81:85] + start[89:]
    chip.write(DATA, start)
    assert chip.run(text, chain) == End("exit")
    data = chip.read(DATA, 128)
    assert data[16:27] == start[0:11]
    assert data[32:35] == start[0:3]
    assert (data[48:53], data[64:69]) == (start[0:5], start[48:53])
    assert (data[80], data[81:85]) == (1, start[0:4])
    assert (data[96], data[0:4]) == (0, start[97:101])


def test_an_atomic_access_outside_memory_faults(chip: Chip, zig: Toolchain) -> None:
    text = f"""extern uint64_t load(const volatile void *, int) __asm__("__atomic_load_8");
        void entry(uint64_t *d) {{ *d = load((void *){PSRAM_END - 4}, 5); }}"""
    end = chip.run(text, zig)
    assert (end.how, end.cause, end.address) == ("trap", LOAD_FAULT, PSRAM_END)


def test_this_file_calls_all_that_has_pointers_and_is_no_text_function() -> None:
    covered = {*DIVISIONS, "__mulosi4", "__mulodi4"}
    covered |= {n + s for n in ("frexp", "modf", "remquo", "sincos", "nan") for s in ("", "f")}
    covered |= {
        f"__atomic_{o}{n}"
        for o in ("load", "store", "exchange", "compare_exchange")
        for n in ("", *(f"_{s}" for s in SIZES))
    }
    covered |= {f"__atomic_fetch_{o}_{n}" for o in OPERATIONS for n in SIZES}
    covered |= {f"__sync_fetch_and_{o}_{n}" for o in OPERATIONS for n in (1, 2)}
    covered |= {
        f"__sync_{o}_{n}"
        for o in ("val_compare_and_swap", "bool_compare_and_swap", "lock_test_and_set")
        for n in (1, 2)
    }
    groups = {"runtime", "softfloat", "atomic", "math"}
    assert covered == {n for n, e in EXPORTS.items() if e.group in groups and e.type and "*" in e.type}
