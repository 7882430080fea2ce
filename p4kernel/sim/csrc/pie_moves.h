/* Instructions of the SIMD unit that move, shift and rearrange, and the scalar ones; see pie_ops.h. */
#ifndef P4S_PIE_MOVES_H
#define P4S_PIE_MOVES_H

#include "pie_math.h"

#include <string.h>

#define LOGIC(name, expression)                                     \
    OPERATION(name)                                                 \
    {                                                               \
        REGISTERS_ONLY;                                             \
        p4s_vector r;                                               \
        for (int i = 0; i < 2; ++i)                                 \
            r.u64[i] = expression;                                  \
        QZ = r;                                                     \
    }
LOGIC(andq, QX.u64[i] & QY.u64[i])
LOGIC(orq, QX.u64[i] | QY.u64[i])
LOGIC(xorq, QX.u64[i] ^ QY.u64[i])
LOGIC(notq, ~QX.u64[i])
LOGIC(zero_q, 0)

/* Shifts of lanes. */

#define SHIFT_LANES(name, type, expression)                         \
    OPERATION(name)                                                 \
    {                                                               \
        REGISTERS_ONLY;                                             \
        p4s_vector r;                                               \
        uint32_t n = unit->sar & 31;                                \
        EACH(type) r.type[i] = expression;                          \
        QU = r;                                                     \
    }
SHIFT_LANES(vsr_u32, u32, (uint32_t)pie_shift_unsigned(unit, QY.u32[i], n, pie_rounding(unit, insn)))
SHIFT_LANES(vsr_s32, s32, (int32_t)pie_shift(unit, QY.s32[i], n, pie_rounding(unit, insn)))
SHIFT_LANES(vsl_32, u32, QY.u32[i] << n)
SHIFT_LANES(vsl_u32, u32, FIT(u32, (int64_t)((uint64_t)QY.u32[i] << n)))
SHIFT_LANES(vsl_s32, s32, FIT(s32, (int64_t)((uint64_t)QY.s32[i] << n)))

/* Left by n, which may be negative. */
static inline int64_t pie_shift_either(p4s_pie_unit *unit, int64_t value, int64_t n, uint32_t rm)
{
    return n < 0 ? pie_shift(unit, value, (uint32_t)-n, rm) : (int64_t)((uint64_t)value << n);
}

#define SHIFT_BY_LANES(bits, amount)                                                                            \
    OPERATION(vsld_##bits)                                                                                      \
    {                                                                                                           \
        REGISTERS_ONLY;                                                                                         \
        p4s_vector r;                                                                                           \
        uint32_t rm = pie_rounding(unit, insn);                                                                 \
        EACH(s##bits) r.s##bits[i] = FIT(                                                                       \
            s##bits, pie_shift_either(unit, QY.s##bits[i], pie_extend((uint64_t)QW.s##bits[i], amount), rm));   \
        QU = r;                                                                                                 \
    }                                                                                                           \
    OPERATION(vsrd_##bits)                                                                                      \
    {                                                                                                           \
        REGISTERS_ONLY;                                                                                         \
        p4s_vector r;                                                                                           \
        uint32_t rm = pie_rounding(unit, insn);                                                                 \
        EACH(s##bits) r.s##bits[i] = FIT(                                                                       \
            s##bits, pie_shift_either(unit, QY.s##bits[i], -pie_extend((uint64_t)QW.s##bits[i], amount), rm));  \
        QU = r;                                                                                                 \
    }
SHIFT_BY_LANES(8, 4)
SHIFT_BY_LANES(16, 5)
SHIFT_BY_LANES(32, 6)

/* 32 bytes, low half first, moved by bytes; what comes in is 0. */

static inline p4s_vector pie_low_after(p4s_vector low, p4s_vector high, uint32_t bytes)
{
    const uint64_t words[5] = {low.u64[0], low.u64[1], high.u64[0], high.u64[1], 0};
    uint32_t first = bytes / 8, bits = bytes % 8 * 8;
    p4s_vector r;
    for (uint32_t i = 0; i < 2; ++i) /* twice, because a shift by 64 is none */
        r.u64[i] = words[first + i] >> bits | words[first + i + 1] << (63 - bits) << 1;
    return r;
}

static inline void pie_move_right(p4s_vector *low, p4s_vector *high, uint32_t bytes)
{
    p4s_vector zero = {.u64 = {0}}, r = pie_low_after(*low, *high, bytes);
    *high = pie_low_after(*high, zero, bytes);
    *low = r;
}

static inline void pie_move_left(p4s_vector *low, p4s_vector *high, uint32_t bytes)
{
    p4s_vector zero = {.u64 = {0}}, r = pie_low_after(*low, *high, 16 - bytes);
    *low = pie_low_after(zero, *low, 16 - bytes);
    *high = r;
}

#define SRC pie_low_after(QW, QY, unit->sar_byte)
OPERATION(src_q)
{
    REGISTERS_ONLY;
    QZ = SRC;
}

OPERATION(src_q_qup)
{
    REGISTERS_ONLY;
    p4s_vector y = QY;
    QZ = SRC;
    QW = y;
}

OPERATION(src_q_ld)
{
    UNUSED_X;
    QW = SRC;
    QU = *memory;
}

OPERATION(srcq_128_st)
{
    UNUSED_X;
    *memory = SRC;
}

#define MOVE_2Q(name, move, bytes, after)               \
    OPERATION(name)                                     \
    {                                                   \
        UNUSED_MEMORY, UNUSED_X;                        \
        p4s_vector low = QW, high = QY;                 \
        move(&low, &high, bytes);                       \
        QY = high;                                      \
        QW = low;                                       \
        after;                                          \
    }
#define NOTHING ((void)0)
#define ADVANCE x[insn->rs1] += x[insn->rs2]
MOVE_2Q(slci_2q, pie_move_left, insn->sel + 1u, NOTHING)
MOVE_2Q(srci_2q, pie_move_right, insn->sel + 1u, NOTHING)
MOVE_2Q(slcxxp_2q, pie_move_left, (x[insn->rs1] & 15) + 1, ADVANCE)
MOVE_2Q(srcxxp_2q, pie_move_right, (x[insn->rs1] & 15) + 1, ADVANCE)

/* Lanes rearranged. */

#define ZIP(bits, lanes)                                                \
    OPERATION(vzip_##bits)                                              \
    {                                                                   \
        REGISTERS_ONLY;                                                 \
        p4s_vector a = QX, b = QY, r[2];                                \
        for (int i = 0; i < lanes / 2; ++i) {                           \
            r[0].u##bits[2 * i] = a.u##bits[i];                         \
            r[0].u##bits[2 * i + 1] = b.u##bits[i];                     \
            r[1].u##bits[2 * i] = a.u##bits[lanes / 2 + i];             \
            r[1].u##bits[2 * i + 1] = b.u##bits[lanes / 2 + i];         \
        }                                                               \
        QX = r[0];                                                      \
        QY = r[1];                                                      \
    }                                                                   \
    OPERATION(vunzip_##bits)                                            \
    {                                                                   \
        REGISTERS_ONLY;                                                 \
        p4s_vector a = QX, b = QY, r[2];                                \
        for (int i = 0; i < lanes / 2; ++i) {                           \
            r[0].u##bits[i] = a.u##bits[2 * i];                         \
            r[1].u##bits[i] = a.u##bits[2 * i + 1];                     \
            r[0].u##bits[lanes / 2 + i] = b.u##bits[2 * i];             \
            r[1].u##bits[lanes / 2 + i] = b.u##bits[2 * i + 1];         \
        }                                                               \
        QX = r[0];                                                      \
        QY = r[1];                                                      \
    }
ZIP(8, 16)
ZIP(16, 8)
ZIP(32, 4)

#define ZIP3(bits, lanes)                                               \
    OPERATION(vzipt_##bits)                                             \
    {                                                                   \
        REGISTERS_ONLY;                                                 \
        p4s_vector s[3] = {QX, QY, QW}, r[3];                           \
        for (int i = 0; i < 3 * lanes; ++i)                             \
            r[i / lanes].u##bits[i % lanes] = s[i % 3].u##bits[i / 3];  \
        QX = r[0];                                                      \
        QY = r[1];                                                      \
        QW = r[2];                                                      \
    }                                                                   \
    OPERATION(vunzipt_##bits)                                           \
    {                                                                   \
        REGISTERS_ONLY;                                                 \
        p4s_vector s[3] = {QX, QY, QW}, r[3];                           \
        for (int i = 0; i < 3 * lanes; ++i)                             \
            r[i % 3].u##bits[i / 3] = s[i / lanes].u##bits[i % lanes];  \
        QX = r[0];                                                      \
        QY = r[1];                                                      \
        QW = r[2];                                                      \
    }
ZIP3(8, 16)
ZIP3(16, 8)

#define EXTEND(type, wide)                                                                              \
    static inline void pie_extend_##type(p4s_vector s, p4s_vector *low, p4s_vector *high)               \
    {                                                                                                   \
        p4s_vector r[2];                                                                                \
        EACH(type) r[i / N_##wide].wide[i % N_##wide] = s.type[i];                                      \
        *low = r[0];                                                                                    \
        *high = r[1];                                                                                   \
    }                                                                                                   \
    OPERATION(vext_##type)                                                                              \
    {                                                                                                   \
        REGISTERS_ONLY;                                                                                 \
        pie_extend_##type(QW, &QZ, &QV);                                                                \
    }                                                                                                   \
    OPERATION(vldext_##type)                                                                            \
    {                                                                                                   \
        UNUSED_X;                                                                                       \
        pie_extend_##type(*memory, &QU, &QZ);                                                           \
    }
EXTEND(u8, u16)
EXTEND(s8, s16)
EXTEND(u16, u32)
EXTEND(s16, s32)

/* Between lanes, integer registers and special registers. */

#define MOVE_LANE(bits, lanes)                                          \
    OPERATION(movi_a_##bits)                                            \
    {                                                                   \
        UNUSED_MEMORY;                                                  \
        x[insn->rd] = QY.u##bits[insn->sel & (lanes - 1)];              \
    }                                                                   \
    OPERATION(movi_q_##bits)                                            \
    {                                                                   \
        UNUSED_MEMORY;                                                  \
        QY.u##bits[insn->sel & (lanes - 1)] = (uint##bits##_t)x[insn->rs1]; \
    }
MOVE_LANE(8, 16)
MOVE_LANE(16, 8)
MOVE_LANE(32, 4)

#define SPECIAL(name, read, write)                      \
    OPERATION(movx_r_##name)                            \
    {                                                   \
        UNUSED_MEMORY;                                  \
        x[insn->rd] = (uint32_t)(read);                 \
    }                                                   \
    OPERATION(movx_w_##name)                            \
    {                                                   \
        UNUSED_MEMORY;                                  \
        uint32_t value = x[insn->rs1];                  \
        write;                                          \
    }
SPECIAL(sar, unit->sar, unit->sar = value & 63)
SPECIAL(sar_bytes, unit->sar_byte, unit->sar_byte = value & 15)
SPECIAL(fft_bit_width, unit->fft_bit_width, unit->fft_bit_width = value & 15)
SPECIAL(perf, unit->perf, unit->perf = value)
SPECIAL(xacc_l, unit->xacc, unit->xacc = (unit->xacc & ~0xffffffffull) | value)
SPECIAL(xacc_h, unit->xacc >> 32, unit->xacc = (unit->xacc & 0xffffffffull) | (uint64_t)(value & 0xff) << 32)

static inline uint32_t pie_cfg_writable(uint32_t generation)
{
    return P4S_CFG_VXRM | P4S_CFG_MIS_LD | P4S_CFG_MIS_ST | (generation == 1 ? P4S_CFG_VXSAT_EN : 0);
}

OPERATION(movx_r_cfg)
{
    UNUSED_MEMORY;
    x[insn->rd] = unit->cfg;
    if (pie_records(unit))
        unit->cfg &= ~P4S_CFG_VXSAT;
}

OPERATION(movx_w_cfg)
{
    UNUSED_MEMORY;
    uint32_t writable = pie_cfg_writable(unit->generation);
    unit->cfg = (unit->cfg & ~writable) | (x[insn->rs1] & writable);
}

/* Plain loads and stores. */

#define LOADED(name, statement)     \
    OPERATION(name)                 \
    {                               \
        UNUSED_X, (void)insn;       \
        statement;                  \
    }
LOADED(vld_128, QU = *memory)
LOADED(vld_l_64, QU.u64[0] = memory->u64[0])
LOADED(vld_h_64, QU.u64[1] = memory->u64[0])
LOADED(vst_128, *memory = QU)
LOADED(vst_l_64, memory->u64[0] = QU.u64[0])
LOADED(vst_h_64, memory->u64[0] = QU.u64[1])
LOADED(ldxq_32, QU.u32[insn->sel4] = memory->u32[0])
LOADED(stxq_32, memory->u32[0] = QU.u32[insn->sel4])
LOADED(ld_ua_state, unit->ua_state = *memory)
LOADED(st_ua_state, *memory = unit->ua_state)
LOADED(ld_xacc, unit->xacc = memory->u64[0] & XACC_MASK)
LOADED(st_xacc_u, memory->u64[0] = unit->xacc)
LOADED(st_xacc_s, memory->u64[0] = (uint64_t)pie_extend(unit->xacc, 40))
LOADED(ld_qacc_l_l, unit->qacc.quarter[0] = *memory)
LOADED(ld_qacc_l_h, unit->qacc.quarter[1] = *memory)
LOADED(ld_qacc_h_l, unit->qacc.quarter[2] = *memory)
LOADED(ld_qacc_h_h, unit->qacc.quarter[3] = *memory)
LOADED(st_qacc_l_l, *memory = unit->qacc.quarter[0])
LOADED(st_qacc_l_h, *memory = unit->qacc.quarter[1])
LOADED(st_qacc_h_l, *memory = unit->qacc.quarter[2])
LOADED(st_qacc_h_h, *memory = unit->qacc.quarter[3])

static inline p4s_vector pie_broadcast(const p4s_vector *memory, uint32_t size)
{
    p4s_vector r;
    for (uint32_t i = 0; i < 16; i += size)
        memcpy(&r.u8[i], memory, size);
    return r;
}
LOADED(vldbc_8, QU = pie_broadcast(memory, 1))
LOADED(vldbc_16, QU = pie_broadcast(memory, 2))
LOADED(vldbc_32, QU = pie_broadcast(memory, 4))

OPERATION(vldhbc_16)
{
    UNUSED_X;
    p4s_vector r[2];
    for (int i = 0; i < 16; ++i)
        r[i / 8].u16[i % 8] = memory->u16[i / 2];
    QU = r[0];
    QZ = r[1];
}

OPERATION(ld_128_usar)
{
    unit->sar_byte = x[insn->rs1] & 15;
    QU = *memory;
}

/* Scalar. */

#define ARITHMETIC(name, expression)        \
    OPERATION(name)                         \
    {                                       \
        UNUSED_MEMORY, (void)unit;          \
        x[insn->rd] = expression;           \
    }
ARITHMETIC(addx2, x[insn->rs1] + (x[insn->rs2] << 1))
ARITHMETIC(addx4, x[insn->rs1] + (x[insn->rs2] << 2))
ARITHMETIC(subx2, x[insn->rs1] - (x[insn->rs2] << 1))
ARITHMETIC(subx4, x[insn->rs1] - (x[insn->rs2] << 2))

OPERATION(sat)
{
    UNUSED_MEMORY, (void)unit;
    int32_t a = (int32_t)x[insn->rs1], b = (int32_t)x[insn->rs2];
    int32_t value = insn->rd == 32 ? 0 : (int32_t)x[insn->rd];
    x[insn->rd] = (uint32_t)pie_clamp(value, a < b ? a : b, a < b ? b : a);
}

#endif
