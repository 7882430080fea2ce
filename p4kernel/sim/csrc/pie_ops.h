/* What the instructions of the SIMD unit compute, lane by lane: p4s_pie_function of each operation and type.
 *
 * Where documents are silent, this is decided (the table, p4kernel/pie/isa.yaml, has the meaning and its evidence):
 *   vxsat            set when a result that was to be saturated did not fit; not by clamps (vclamp, vsat, sat), max, min
 *   rm_exc           set by vxrm 7 alone, and stays set until the unit is reset; vxrm 7 to 15 cut down to the floor
 *   one register for two results: the one written later in the operand list stays; a loaded value stays always
 *                    and a pointer moves on from its old value
 *   cfg              reading clears vxsat, in xespv 2.1 only with vxsat_en
 *   vsat, low > high limits are exchanged, as by esp.sat
 *   vabs             the minimum is clipped, and leaves vxsat alone
 *   vrelu, vprelu    round by vxrm and clip; slope and shift as on the S3: [7:0] >> [4:0], [15:0] >> [5:0]
 *   vsld, vsrd       a signed amount of 4, 5, 6 bits for lanes of 8, 16, 32 bits; right is arithmetic and rounded; left
 *                    keeps the low bits in xespv 2.1
 *   vsl.32 of 2.1    keeps the low bits; vsr of 2.2 rounds by its operand or vxrm
 *   srcmb.q          the amount's low 5 (8-bit data) or 6 bits (16-bit data) of each lane
 *   srcmb, truncating  rounds before it keeps the low bits
 *   cmul, unsigned   with unsigned products; a negative real part clips to 0
 *   fft              sums and products clip, in xespv 2.2 unless the sat operand says trunc; all shifts round
 *   fft.cmul.st      upd4 = 3 is as 0; the product stands in the last lane whatever sel8 is; sel4 shifts lanes of qy only
 *   fft.ams.st       stores each half >> 1 for sel2 = 0, as it is for sel2 = 1 (esp-dl's real FFT and its C twin)
 *   fft.ams.uaup     aligns as other loads do
 *   perf             keeps what was written, and counts nothing
 */
#ifndef P4S_PIE_OPS_H
#define P4S_PIE_OPS_H

#include "pie_math.h"
#include "pie_simd.h"

#include <string.h>

/* Sums, products. */

/* As compiler's vectors: LOST is a mask of the lanes whose result does not fit, LIMIT what they become. */
#define VECTOR(type) C_##type __attribute__((vector_size(16)))
#define LOST_ADD_s(a, b, r) ((~(a ^ b) & (a ^ r)) < 0)
#define LOST_SUB_s(a, b, r) (((a ^ b) & (a ^ r)) < 0)
#define LOST_ADD_u(a, b, r) (r < a)
#define LOST_SUB_u(a, b, r) (r > a)
#define LIMIT_ADD_s(type, a) ((a < 0) ^ HIGH_##type)
#define LIMIT_SUB_s LIMIT_ADD_s
#define LIMIT_ADD_u(type, a) (a | HIGH_##type)
#define LIMIT_SUB_u(type, a) (a & 0)
#define LANEWISE(name, kind, sign, type, operator)                                              \
    OPERATION(name##_##type)                                                                    \
    {                                                                                           \
        REGISTERS_ONLY;                                                                         \
        VECTOR(type) a, b, r;                                                                   \
        p4s_vector lost;                                                                        \
        memcpy(&a, &QX, 16);                                                                    \
        memcpy(&b, &QY, 16);                                                                    \
        r = a operator b;                                                                       \
        VECTOR(type) mask = (VECTOR(type))LOST_##kind##_##sign(a, b, r);                        \
        memcpy(&lost, &mask, 16);                                                               \
        if ((lost.u64[0] | lost.u64[1]) && insn->sat) {                                         \
            r = (r & ~mask) | ((VECTOR(type))LIMIT_##kind##_##sign(type, a) & mask);            \
            pie_clipped(unit);                                                                  \
        }                                                                                       \
        memcpy(&QV, &r, 16);                                                                    \
    }
#define VADD_VSUB(sign, type) LANEWISE(vadd, ADD, sign, type, +) LANEWISE(vsub, SUB, sign, type, -)
VADD_VSUB(u, u8)
VADD_VSUB(s, s8)
VADD_VSUB(u, u16)
VADD_VSUB(s, s16)
VADD_VSUB(u, u32)
VADD_VSUB(s, s32)

#define SCALAR(name, type, sign)                                        \
    OPERATION(name##_##type)                                            \
    {                                                                   \
        UNUSED_MEMORY;                                                  \
        p4s_vector r;                                                   \
        int64_t b = (C_##type)x[insn->rs1];                             \
        EACH(type) r.type[i] = FIT(type, QX.type[i] sign b);            \
        QV = r;                                                         \
    }
#define VSADDS(type) SCALAR(vsadds, type, +)
#define VSSUBS(type) SCALAR(vssubs, type, -)
FOR_8_16(VSADDS)
FOR_8_16(VSSUBS)

#define VMUL(type)                                                                              \
    OPERATION(vmul_##type)                                                                      \
    {                                                                                           \
        REGISTERS_ONLY;                                                                         \
        p4s_vector r;                                                                           \
        uint32_t rm = pie_rounding(unit, insn);                                                 \
        EACH(type) r.type[i] =                                                                  \
            FIT(type, pie_shift(unit, (int64_t)QX.type[i] * QY.type[i], unit->sar, rm));        \
        QZ = r;                                                                                 \
    }
FOR_8_16(VMUL)

#define VMUL_WIDE(type, wide)                                                                                    \
    OPERATION(vmul_wide_##type)                                                                                  \
    {                                                                                                            \
        REGISTERS_ONLY;                                                                                          \
        p4s_vector r[2];                                                                                         \
        uint32_t rm = pie_rounding(unit, insn);                                                                  \
        EACH(type) r[i / N_##wide].wide[i % N_##wide] =                                                          \
            (C_##wide)pie_shift(unit, (int64_t)QX.type[i] * QY.type[i], unit->sar, rm);                          \
        QZ = r[0];                                                                                               \
        QV = r[1];                                                                                               \
    }
VMUL_WIDE(s8, s16)
VMUL_WIDE(s16, s32)

/* Complex lanes of qx and qy: the product in wide numbers, of lane c. */
#define COMPLEX(type, c, conjugate)                                                             \
    int64_t xr = QX.type[2 * (c)], xi = QX.type[2 * (c) + 1];                                   \
    int64_t yr = QY.type[2 * (c)], yi = QY.type[2 * (c) + 1];                                   \
    int64_t re = (conjugate) ? xr * yr + xi * yi : xr * yr - xi * yi;                           \
    int64_t im = (conjugate) ? xr * yi - xi * yr : xr * yi + xi * yr;

#define CMUL(type)                                                              \
    OPERATION(cmul_##type)                                                      \
    {                                                                           \
        REGISTERS_ONLY;                                                         \
        p4s_vector r = QZ;                                                      \
        uint32_t rm = pie_rounding(unit, insn);                                 \
        int first = insn->sel & 1 ? N_##type / 4 : 0;                           \
        for (int c = first; c < first + N_##type / 4; ++c) {                    \
            COMPLEX(type, c, insn->sel & 2)                                     \
            r.type[2 * c] = FIT(type, pie_shift(unit, re, unit->sar, rm));      \
            r.type[2 * c + 1] = FIT(type, pie_shift(unit, im, unit->sar, rm));  \
        }                                                                       \
        QZ = r;                                                                 \
    }
FOR_8_16(CMUL)

/* Accumulators. */

static inline void pie_accumulate_s32(p4s_pie_unit *unit, int32_t *lane, int64_t product, bool saturate)
{
    *lane = (int32_t)pie_fit(unit, *lane + product, INT32_MIN, INT32_MAX, saturate);
}

static inline void pie_accumulate_u32(p4s_pie_unit *unit, uint32_t *lane, int64_t product, bool saturate)
{
    *lane = (uint32_t)pie_fit(unit, *lane + product, 0, UINT32_MAX, saturate);
}

static inline void pie_accumulate_s64(p4s_pie_unit *unit, int64_t *lane, int64_t product, bool saturate)
{
    int64_t sum;
    if (__builtin_add_overflow(*lane, product, &sum) && saturate) {
        pie_clipped(unit);
        sum = product < 0 ? INT64_MIN : INT64_MAX;
    }
    *lane = sum;
}

static inline void pie_accumulate_u64(p4s_pie_unit *unit, uint64_t *lane, int64_t product, bool saturate)
{
    uint64_t sum;
    if (__builtin_add_overflow(*lane, (uint64_t)product, &sum) && saturate) {
        pie_clipped(unit);
        sum = UINT64_MAX;
    }
    *lane = sum;
}

#define ACCUMULATE(type, i, product)                                                                              \
    CAT(pie_accumulate_, ACC_##type)(unit, &unit->qacc.ACC_##type[i], product, insn->sat)
#ifdef PIE_HAS_SIMD
#define QACC_ADDED(type, factors) simd_qacc_##type(&unit->qacc, &QX, factors)
#define DOT(type) simd_dot_##type(&QX, &QY)
#else
#define QACC_ADDED(type, factors) ((void)(factors), false)
#define DOT_LOOP(type)                                                                              \
    static inline int64_t pie_dot_##type(const p4s_vector *a, const p4s_vector *b)                  \
    {                                                                                               \
        int64_t sum = 0;                                                                            \
        EACH(type) sum += (int64_t)a->type[i] * b->type[i];                                         \
        return sum;                                                                                 \
    }
FOR_8_16(DOT_LOOP)
#define DOT(type) pie_dot_##type(&QX, &QY)
#endif
#define VMULAS_QACC(type)                                                                           \
    OPERATION(vmulas_qacc_##type)                                                                   \
    {                                                                                               \
        REGISTERS_ONLY;                                                                             \
        if (QACC_ADDED(type, &QY))                                                                  \
            return;                                                                                 \
        EACH(type) ACCUMULATE(type, i, (int64_t)QX.type[i] * QY.type[i]);                           \
    }                                                                                               \
    OPERATION(vsmulas_qacc_##type)                                                                  \
    {                                                                                               \
        REGISTERS_ONLY;                                                                             \
        int64_t factor = QY.type[insn->sel & (N_##type - 1)];                                       \
        p4s_vector factors;                                                                         \
        EACH(type) factors.type[i] = (C_##type)factor;                                              \
        if (QACC_ADDED(type, &factors))                                                             \
            return;                                                                                 \
        EACH(type) ACCUMULATE(type, i, QX.type[i] * factor);                                        \
    }
FOR_8_16(VMULAS_QACC)

#define VCMULAS_QACC(name, type, first)                         \
    OPERATION(vcmulas_qacc_##name##_##type)                     \
    {                                                           \
        REGISTERS_ONLY;                                         \
        for (int c = first; c < first + N_##type / 4; ++c) {    \
            COMPLEX(type, c, false)                             \
            ACCUMULATE(type, 2 * c, re);                        \
            ACCUMULATE(type, 2 * c + 1, im);                    \
        }                                                       \
    }
VCMULAS_QACC(l, s8, 0)
VCMULAS_QACC(h, s8, 4)
VCMULAS_QACC(l, s16, 0)
VCMULAS_QACC(h, s16, 2)

static inline int64_t pie_xacc_s(const p4s_pie_unit *unit) { return pie_extend(unit->xacc, 40); }

static inline void pie_xacc_add_s(p4s_pie_unit *unit, int64_t sum, bool saturate)
{
    int64_t limit = 1ll << 39;
    unit->xacc = (uint64_t)pie_fit(unit, pie_xacc_s(unit) + sum, -limit, limit - 1, saturate) & XACC_MASK;
}

static inline void pie_xacc_add_u(p4s_pie_unit *unit, int64_t sum, bool saturate)
{
    unit->xacc = (uint64_t)pie_fit(unit, (int64_t)unit->xacc + sum, 0, (int64_t)XACC_MASK, saturate) & XACC_MASK;
}

#define VMULAS_XACC(type, sign)                                     \
    OPERATION(vmulas_xacc_##type)                                   \
    {                                                               \
        REGISTERS_ONLY;                                             \
        pie_xacc_add_##sign(unit, DOT(type), insn->sat);            \
    }
VMULAS_XACC(u8, u)
VMULAS_XACC(s8, s)
VMULAS_XACC(u16, u)
VMULAS_XACC(s16, s)

OPERATION(srs_xacc_s)
{
    UNUSED_MEMORY;
    int64_t value = pie_shift(unit, pie_xacc_s(unit), x[insn->rs1] & 63, pie_rounding(unit, insn));
    unit->xacc = (uint64_t)value & XACC_MASK;
    x[insn->rd] = (uint32_t)FIT(s32, value);
}

OPERATION(srs_xacc_u)
{
    UNUSED_MEMORY;
    uint64_t value = pie_shift_unsigned(unit, unit->xacc, x[insn->rs1] & 63, pie_rounding(unit, insn));
    unit->xacc = value & XACC_MASK;
    x[insn->rd] = FIT(u32, (int64_t)value);
}

/* A 64-bit QACC lane of unsigned data does not fit pie_fit's numbers before it is shifted and clipped from above. */
#define SHIFT_s(type, value, n) pie_shift(unit, value, n, rm)
#define SHIFT_u(type, value, n) pie_unsigned_lane(pie_shift_unsigned(unit, value, n, rm), insn->sat)
static inline int64_t pie_unsigned_lane(uint64_t value, bool saturate)
{
    return saturate && value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

#define SRCMB(type, sign)                                                                               \
    OPERATION(srcmb_##type)                                                                             \
    {                                                                                                   \
        UNUSED_MEMORY;                                                                                  \
        p4s_vector r;                                                                                   \
        uint32_t rm = pie_rounding(unit, insn), n = x[insn->rs1] & AMOUNT_##type;                       \
        EACH(type) r.type[i] = FIT(type, SHIFT_##sign(type, unit->qacc.ACC_##type[i], n));              \
        QU = r;                                                                                         \
    }                                                                                                   \
    OPERATION(srcmb_q_##type)                                                                           \
    {                                                                                                   \
        REGISTERS_ONLY;                                                                                 \
        p4s_vector r;                                                                                   \
        uint32_t rm = pie_rounding(unit, insn);                                                         \
        EACH(type) r.type[i] =                                                                          \
            FIT(type, SHIFT_##sign(type, unit->qacc.ACC_##type[i], QW.type[i] & AMOUNT_##type));        \
        QU = r;                                                                                         \
    }
SRCMB(u8, u)
SRCMB(s8, s)
SRCMB(u16, u)
SRCMB(s16, s)

#define TO_QACC(type)                                                   \
    OPERATION(mov_qacc_##type)                                          \
    {                                                                   \
        REGISTERS_ONLY;                                                 \
        EACH(type) unit->qacc.ACC_##type[i] = QU.type[i];               \
    }                                                                   \
    OPERATION(ldqa_##type)                                              \
    {                                                                   \
        UNUSED_X, (void)insn;                                           \
        EACH(type) unit->qacc.ACC_##type[i] = memory->type[i];          \
    }
FOR_8_16(TO_QACC)

OPERATION(zero_qacc)
{
    REGISTERS_ONLY, (void)insn;
    unit->qacc = (p4s_qacc){.u64 = {0}};
}

OPERATION(zero_xacc)
{
    REGISTERS_ONLY, (void)insn;
    unit->xacc = 0;
}

/* Limits, comparisons, activations. */

#define VABS(bits)                                                                                  \
    OPERATION(vabs_##bits)                                                                          \
    {                                                                                               \
        REGISTERS_ONLY;                                                                             \
        p4s_vector r;                                                                               \
        EACH(s##bits) {                                                                             \
            int64_t value = QY.s##bits[i] < 0 ? -(int64_t)QY.s##bits[i] : QY.s##bits[i];            \
            r.s##bits[i] = (C_s##bits)pie_clamp(value, 0, HIGH_s##bits);                            \
        }                                                                                           \
        QV = r;                                                                                     \
    }
VABS(8)
VABS(16)
VABS(32)

OPERATION(vclamp_s16)
{
    REGISTERS_ONLY;
    p4s_vector r;
    int64_t limit = 1ll << insn->sel;
    EACH(s16) r.s16[i] = (int16_t)pie_clamp(QX.s16[i], -limit, limit - 1);
    QZ = r;
}

#define VSAT(type)                                                                                      \
    OPERATION(vsat_##type)                                                                              \
    {                                                                                                   \
        UNUSED_MEMORY;                                                                                  \
        p4s_vector r;                                                                                   \
        C_##type a = (C_##type)x[insn->rs1], b = (C_##type)x[insn->rs2];                                \
        EACH(type) r.type[i] = (C_##type)pie_clamp(QX.type[i], a < b ? a : b, a < b ? b : a);           \
        QZ = r;                                                                                         \
    }
FOR_ALL(VSAT)

#define RELU(type, value, slope, n) \
    (value) > 0 ? (value) : FIT(type, pie_shift(unit, (int64_t)(value) * (slope), n, rm))
#define VRELU(type)                                                                         \
    OPERATION(vrelu_##type)                                                                 \
    {                                                                                       \
        UNUSED_MEMORY;                                                                      \
        uint32_t rm = pie_rounding(unit, insn), n = x[insn->rs1] & AMOUNT_##type;           \
        C_##type slope = (C_##type)x[insn->rs2];                                            \
        EACH(type) QY.type[i] = RELU(type, QY.type[i], slope, n);                           \
    }                                                                                       \
    OPERATION(vprelu_##type)                                                                \
    {                                                                                       \
        UNUSED_MEMORY;                                                                      \
        p4s_vector r;                                                                       \
        uint32_t rm = pie_rounding(unit, insn), n = x[insn->rs1] & AMOUNT_##type;           \
        EACH(type) r.type[i] = RELU(type, QY.type[i], QX.type[i], n);                       \
        QZ = r;                                                                             \
    }
VRELU(s8)
VRELU(s16)

#define SELECT(name, type, relation)                                                        \
    OPERATION(name##_##type)                                                                \
    {                                                                                       \
        REGISTERS_ONLY;                                                                     \
        p4s_vector a = QX, b = QY, r;                                                       \
        EACH(type) r.type[i] = a.type[i] relation b.type[i] ? a.type[i] : b.type[i];        \
        QZ = r;                                                                             \
    }
#define COMPARE(name, type, relation)                                                       \
    OPERATION(name##_##type)                                                                \
    {                                                                                       \
        REGISTERS_ONLY;                                                                     \
        p4s_vector a = QX, b = QY, r;                                                       \
        EACH(type) r.type[i] = (C_##type)-(a.type[i] relation b.type[i]);                   \
        QZ = r;                                                                             \
    }
#define ACROSS(name, type, relation)                                                        \
    OPERATION(name##_##type)                                                                \
    {                                                                                       \
        UNUSED_MEMORY;                                                                      \
        C_##type r = QW.type[0];                                                            \
        EACH(type) r = QW.type[i] relation r ? QW.type[i] : r;                              \
        x[insn->rd] = (uint32_t)r;                                                          \
    }
#define COMPARISONS(type)                                                                   \
    SELECT(vmax, type, >) SELECT(vmin, type, <)                                             \
    COMPARE(vcmp_eq, type, ==) COMPARE(vcmp_lt, type, <) COMPARE(vcmp_gt, type, >)          \
    ACROSS(max_a, type, >) ACROSS(min_a, type, <)
FOR_ALL(COMPARISONS)

#endif
