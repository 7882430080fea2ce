/* Instructions of the SIMD unit for Fourier transforms: complex 16-bit lanes, real part first; see pie_ops.h. */
#ifndef P4S_PIE_FFT_H
#define P4S_PIE_FFT_H

#include "pie_math.h"

/* qz from qx, qv from qy: sums of its two pairs of complex lanes in the low half, differences in the high. */
static inline p4s_vector pie_butterfly(p4s_pie_unit *unit, const p4s_pie *insn, p4s_vector a)
{
    p4s_vector r;
    int stride = insn->sel ? 1 : 2; /* complex lanes from one of a pair to the other */
    for (int pair = 0; pair < 2; ++pair)
        for (int part = 0; part < 2; ++part) {
            int first = 2 * (insn->sel ? 2 * pair : pair) + part, second = first + 2 * stride;
            r.s16[2 * pair + part] = FIT(s16, (int64_t)a.s16[first] + a.s16[second]);
            r.s16[4 + 2 * pair + part] = FIT(s16, (int64_t)a.s16[first] - a.s16[second]);
        }
    return r;
}

OPERATION(fft_r2bf_s16)
{
    REGISTERS_ONLY;
    p4s_vector z = pie_butterfly(unit, insn, QX), v = pie_butterfly(unit, insn, QY);
    QZ = z;
    QV = v;
}

OPERATION(fft_r2bf_st_s16)
{
    UNUSED_X;
    p4s_vector r;
    uint32_t rm = pie_rounding(unit, insn);
    EACH(s16) {
        memory->s16[i] = FIT(s16, pie_shift(unit, (int64_t)QX.s16[i] + QY.s16[i], insn->sel, rm));
        r.s16[i] = FIT(s16, (int64_t)QX.s16[i] - QY.s16[i]);
    }
    QZ = r;
}

typedef struct {
    int64_t re, im;
} pie_complex;

static inline pie_complex pie_twiddle(pie_complex d, pie_complex w, bool conjugate)
{
    return conjugate ? (pie_complex){d.re * w.re + d.im * w.im, d.im * w.re - d.re * w.im}
                     : (pie_complex){d.re * w.re - d.im * w.im, d.im * w.re + d.re * w.im};
}

static inline pie_complex pie_lane(p4s_vector a, int lane) { return (pie_complex){a.s16[2 * lane], a.s16[2 * lane + 1]}; }

static inline void pie_set_lane(p4s_vector *a, int lane, int16_t re, int16_t im)
{
    a->s16[2 * lane] = re;
    a->s16[2 * lane + 1] = im;
}

/* Lane sel / 2 of qy, the data, times that of qx, the factors. */
static inline p4s_vector pie_fft_product(p4s_pie_unit *unit, const p4s_pie *insn, p4s_vector into, int at)
{
    int lane = insn->sel >> 1;
    uint32_t rm = pie_rounding(unit, insn);
    pie_complex p = pie_twiddle(pie_lane(QY, lane), pie_lane(QX, lane), !(insn->sel & 1));
    pie_set_lane(&into, at, FIT(s16, pie_shift(unit, p.re, unit->sar, rm)),
                 FIT(s16, pie_shift(unit, p.im, unit->sar, rm)));
    return into;
}

OPERATION(fft_cmul_s16)
{
    REGISTERS_ONLY;
    QZ = pie_fft_product(unit, insn, QZ, insn->sel >> 1);
}

OPERATION(fft_cmul_st_s16)
{
    UNUSED_X;
    p4s_vector u = QU, r = u, sums;
    uint32_t rm = pie_rounding(unit, insn);
    if (insn->upd == 1 || insn->upd == 2) { /* the last two stages; qu has a product in lane 2, and qy the sums below */
        for (int i = 0; i < 4; ++i)
            sums.s16[i] = (int16_t)pie_shift(unit, QY.s16[i], insn->sel4, rm);
        r.u32[0] = sums.u32[0];
        r.u32[1] = insn->upd == 1 ? sums.u32[1] : u.u32[2];
        r.u32[2] = insn->upd == 1 ? u.u32[2] : sums.u32[1];
    }
    *memory = pie_fft_product(unit, insn, r, 3);
}

/* Of one lane of a spectrum (qx), its mirror (qw) and the factors (qy): the lane and its mirror of the real spectrum.
 * Twiddled products keep all bits until they are added. */
static inline void pie_untangle(p4s_pie_unit *unit, const p4s_pie *insn, int lane, int16_t out[2], int16_t mirror[2])
{
    uint32_t rm = pie_rounding(unit, insn);
    pie_complex a = pie_lane(QX, lane), b = pie_lane(QW, lane), w = pie_lane(QY, lane);
    pie_complex p = pie_twiddle((pie_complex){a.re - b.re, a.im + b.im}, w, insn->sel);
    p.re = pie_shift(unit, p.re, unit->sar, rm);
    p.im = pie_shift(unit, p.im, unit->sar, rm);
    out[0] = FIT(s16, a.re + b.re + p.re);
    out[1] = FIT(s16, a.im - b.im + p.im);
    mirror[0] = FIT(s16, a.re + b.re - p.re);
    mirror[1] = FIT(s16, p.im - (a.im - b.im));
}

OPERATION(fft_ams_s16)
{
    REGISTERS_ONLY;
    int lane = insn->tail == P4S_TAIL_UNALIGNED ? 0 : insn->tail == P4S_TAIL_LOAD ? 1 : 2;
    int16_t out[2], mirror[2];
    pie_untangle(unit, insn, lane, out, mirror);
    pie_set_lane(&QZ, lane, out[0], out[1]);
    pie_set_lane(&QV, lane, mirror[0], mirror[1]);
}

/* The lane computed before the ones in qu, which rs2 kept, is stored in front of them. */
OPERATION(fft_ams_st_s16)
{
    uint32_t rm = pie_rounding(unit, insn);
    int16_t out[2], mirror[2];
    p4s_vector r = {.u32 = {x[insn->rs2], QU.u32[0], QU.u32[1], QU.u32[2]}};
    EACH(s16) memory->s16[i] = (int16_t)pie_shift(unit, r.s16[i], insn->sel ? 0 : 1, rm);
    pie_untangle(unit, insn, 3, out, mirror);
    pie_set_lane(&QZ, 3, mirror[0], mirror[1]);
    x[insn->rs2] = (uint16_t)out[0] | (uint32_t)(uint16_t)out[1] << 16;
}

OPERATION(fft_vst_r32)
{
    UNUSED_X;
    uint32_t rm = pie_rounding(unit, insn);
    EACH(s16) memory->s16[i] = (int16_t)pie_shift(unit, QU.s16[(i & 1) + 6 - (i & 6)], insn->sel, rm);
}

OPERATION(fft_bitrev)
{
    UNUSED_MEMORY;
    uint32_t width = unit->fft_bit_width;
    EACH(u16) {
        uint32_t value = (x[insn->rs1] + (uint32_t)i) & ((1u << width) - 1), reversed = 0;
        for (uint32_t bit = 0; bit < width; ++bit)
            reversed |= (value >> bit & 1) << (width - 1 - bit);
        QV.u16[i] = (uint16_t)(value > reversed ? value : reversed);
    }
    x[insn->rs1] += 8;
}

#endif
