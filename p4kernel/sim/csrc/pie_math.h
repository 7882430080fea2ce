/* Rounding and saturation of the SIMD unit, and names of lanes for pie_ops.h. */
#ifndef P4S_PIE_MATH_H
#define P4S_PIE_MATH_H

#include "pie.h"

#define PIE_RM_FLOOR 0u
#define PIE_RM_UNNECESSARY 7u /* of vxrm; as an operand of xespv 2.2, 7 means: as vxrm says */

/* Whether vxsat is set and cleared at all. */
static inline bool pie_records(const p4s_pie_unit *unit)
{
    return unit->generation == 2 || unit->cfg & P4S_CFG_VXSAT_EN;
}

static inline void pie_clipped(p4s_pie_unit *unit)
{
    if (pie_records(unit))
        unit->cfg |= P4S_CFG_VXSAT;
}

static inline uint32_t pie_rounding(const p4s_pie_unit *unit, const p4s_pie *insn)
{
    return insn->rm == 7 ? (unit->cfg & P4S_CFG_VXRM) >> P4S_CFG_VXRM_SHIFT : insn->rm;
}

/* Whether a result, cut down to floor, goes up by one. The rest is what was cut off, half what a tie has. */
static inline bool pie_rounds_up(p4s_pie_unit *unit, uint32_t rm, bool negative, bool odd, uint64_t rest, uint64_t half)
{
    if (rest == 0)
        return false;
    switch (rm) {
    case PIE_RM_FLOOR: return false;
    case 1: return true;
    case 2: return !negative;
    case 3: return negative;
    case 4: return rest > half || (rest == half && !negative);
    case 5: return rest > half || (rest == half && negative);
    case 6: return rest > half || (rest == half && odd);
    case PIE_RM_UNNECESSARY: unit->cfg |= P4S_CFG_RM_EXC; return false;
    default: return false;
    }
}

/* value >> n, n from 0 to 63. */
static inline int64_t pie_shift(p4s_pie_unit *unit, int64_t value, uint32_t n, uint32_t rm)
{
    if (n == 0)
        return value;
    int64_t floor = value >> n;
    uint64_t rest = (uint64_t)value & ((1ull << n) - 1);
    return floor + pie_rounds_up(unit, rm, value < 0, floor & 1, rest, 1ull << (n - 1));
}

static inline uint64_t pie_shift_unsigned(p4s_pie_unit *unit, uint64_t value, uint32_t n, uint32_t rm)
{
    if (n == 0)
        return value;
    uint64_t floor = value >> n, rest = value & ((1ull << n) - 1);
    return floor + pie_rounds_up(unit, rm, false, floor & 1, rest, 1ull << (n - 1));
}

/* A value for a lane with these limits; without saturation the caller's conversion keeps the low bits. */
static inline int64_t pie_fit(p4s_pie_unit *unit, int64_t value, int64_t low, int64_t high, bool saturate)
{
    if (!saturate || (value >= low && value <= high))
        return value;
    pie_clipped(unit);
    return value < low ? low : high;
}

static inline int64_t pie_clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static inline int64_t pie_extend(uint64_t value, uint32_t bits) { return (int64_t)(value << (64 - bits)) >> (64 - bits); }

#define XACC_MASK ((1ull << 40) - 1)

/* Of each type: C's name, lanes, limits, and the unit of QACC that belongs to it. */
#define C_u8 uint8_t
#define C_s8 int8_t
#define C_u16 uint16_t
#define C_s16 int16_t
#define C_u32 uint32_t
#define C_s32 int32_t
#define N_u8 16
#define N_s8 16
#define N_u16 8
#define N_s16 8
#define N_u32 4
#define N_s32 4
#define LOW_u8 0
#define LOW_s8 INT8_MIN
#define LOW_u16 0
#define LOW_s16 INT16_MIN
#define LOW_u32 0
#define LOW_s32 INT32_MIN
#define HIGH_u8 UINT8_MAX
#define HIGH_s8 INT8_MAX
#define HIGH_u16 UINT16_MAX
#define HIGH_s16 INT16_MAX
#define HIGH_u32 UINT32_MAX
#define HIGH_s32 INT32_MAX
#define WIDE_u8 u16
#define WIDE_s8 s16
#define WIDE_u16 u32
#define WIDE_s16 s32
#define ACC_u8 u32
#define ACC_s8 s32
#define ACC_u16 u64
#define ACC_s16 s64
#define AMOUNT_u8 31
#define AMOUNT_s8 31
#define AMOUNT_u16 63
#define AMOUNT_s16 63
#define FIT(type, value) (C_##type) pie_fit(unit, value, LOW_##type, HIGH_##type, insn->sat)

#define CAT(a, b) CAT_(a, b)
#define CAT_(a, b) a##b

#define FOR_8_16(f) f(u8) f(s8) f(u16) f(s16)
#define FOR_ALL(f) FOR_8_16(f) f(u32) f(s32)

#define OPERATION(name) \
    static void pie_##name(p4s_pie_unit *unit, const p4s_pie *insn, uint32_t *x, p4s_vector *memory)
#define QU unit->q[insn->qu]
#define QV unit->q[insn->qv]
#define QW unit->q[insn->qw]
#define QX unit->q[insn->qx]
#define QY unit->q[insn->qy]
#define QZ unit->q[insn->qz]
#define EACH(type) for (int i = 0; i < N_##type; ++i)
#define UNUSED_X (void)x
#define UNUSED_MEMORY (void)memory
#define REGISTERS_ONLY UNUSED_X, UNUSED_MEMORY

#endif
