/* pie_simd.h for 64-bit ARM hosts. */
#ifndef P4S_PIE_NEON_H
#define P4S_PIE_NEON_H

#include "pie.h"

#include <arm_neon.h>

static inline int64_t simd_dot_s8(const p4s_vector *a, const p4s_vector *b)
{
    int8x16_t x = vld1q_s8(a->s8), y = vld1q_s8(b->s8);
    return vaddlvq_s16(vmull_s8(vget_low_s8(x), vget_low_s8(y))) + vaddlvq_s16(vmull_high_s8(x, y));
}

static inline int64_t simd_dot_u8(const p4s_vector *a, const p4s_vector *b)
{
    uint8x16_t x = vld1q_u8(a->u8), y = vld1q_u8(b->u8);
    return (int64_t)vaddlvq_u16(vmull_u8(vget_low_u8(x), vget_low_u8(y))) + vaddlvq_u16(vmull_high_u8(x, y));
}

static inline int64_t simd_dot_s16(const p4s_vector *a, const p4s_vector *b)
{
    int16x8_t x = vld1q_s16(a->s16), y = vld1q_s16(b->s16);
    return vaddlvq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y))) + vaddlvq_s32(vmull_high_s16(x, y));
}

static inline int64_t simd_dot_u16(const p4s_vector *a, const p4s_vector *b)
{
    uint16x8_t x = vld1q_u16(a->u16), y = vld1q_u16(b->u16);
    return (int64_t)(vaddlvq_u32(vmull_u16(vget_low_u16(x), vget_low_u16(y))) + vaddlvq_u32(vmull_high_u16(x, y)));
}

#define LANES(values) ((int)(16 / sizeof(values)))

/* QACC += products; false, and QACC as it was, when a lane would overflow: then the saturating sum is another. */
#define ACCUMULATE_ALL(type, vectors, values, suffix)                                             \
    static inline bool simd_qacc_##type(p4s_qacc *qacc, const p4s_vector *a, const p4s_vector *b)       \
    {                                                                                                   \
        vectors products[4], sums[4];                                                                   \
        uint64x2_t differs = vdupq_n_u64(0);                                                            \
        simd_products_##type(a, b, products);                                                           \
        for (int i = 0; i < 4; ++i) {                                                                   \
            vectors old = vld1q_##suffix(&qacc->suffix[i * LANES(values)]);                        \
            sums[i] = vqaddq_##suffix(old, products[i]);                                                \
            vectors lost = veorq_##suffix(sums[i], vaddq_##suffix(old, products[i]));                   \
            differs = vorrq_u64(differs, (uint64x2_t)lost);                                             \
        }                                                                                               \
        if (__builtin_expect(vmaxvq_u32((uint32x4_t)differs) != 0, 0))                                  \
            return false;                                                                               \
        for (int i = 0; i < 4; ++i)                                                                     \
            vst1q_##suffix(&qacc->suffix[i * LANES(values)], sums[i]);                                   \
        return true;                                                                                    \
    }

#define PRODUCTS_BYTES(type, kind, sign)                                                                \
    static inline void simd_products_##type(const p4s_vector *a, const p4s_vector *b, kind##32x4_t products[4]) \
    {                                                                                                   \
        kind##8x16_t x = vld1q_##type(a->type), y = vld1q_##type(b->type);                              \
        kind##16x8_t low = vmull_##type(vget_low_##type(x), vget_low_##type(y));                        \
        kind##16x8_t high = vmull_high_##type(x, y);                                                    \
        products[0] = vmovl_##sign##16(vget_low_##sign##16(low));                                       \
        products[1] = vmovl_high_##sign##16(low);                                                       \
        products[2] = vmovl_##sign##16(vget_low_##sign##16(high));                                      \
        products[3] = vmovl_high_##sign##16(high);                                                      \
    }
#define PRODUCTS_HALVES(type, kind, sign)                                                               \
    static inline void simd_products_##type(const p4s_vector *a, const p4s_vector *b, kind##64x2_t products[4]) \
    {                                                                                                   \
        kind##16x8_t x = vld1q_##type(a->type), y = vld1q_##type(b->type);                              \
        kind##32x4_t low = vmull_##type(vget_low_##type(x), vget_low_##type(y));                        \
        kind##32x4_t high = vmull_high_##type(x, y);                                                    \
        products[0] = vmovl_##sign##32(vget_low_##sign##32(low));                                       \
        products[1] = vmovl_high_##sign##32(low);                                                       \
        products[2] = vmovl_##sign##32(vget_low_##sign##32(high));                                      \
        products[3] = vmovl_high_##sign##32(high);                                                      \
    }
PRODUCTS_BYTES(s8, int, s)
PRODUCTS_BYTES(u8, uint, u)
PRODUCTS_HALVES(s16, int, s)
PRODUCTS_HALVES(u16, uint, u)
ACCUMULATE_ALL(s8, int32x4_t, int32_t, s32)
ACCUMULATE_ALL(u8, uint32x4_t, uint32_t, u32)
ACCUMULATE_ALL(s16, int64x2_t, int64_t, s64)
ACCUMULATE_ALL(u16, uint64x2_t, uint64_t, u64)

#endif
