/* pie_simd.h for x86-64 hosts, all of which have SSE2. */
#ifndef P4S_PIE_SSE_H
#define P4S_PIE_SSE_H

#include "pie.h"

#include <emmintrin.h>

#define SIMD(v) _mm_load_si128((const __m128i *)(const void *)(v))
#define SIMD_STORE(v, value) _mm_store_si128((__m128i *)(void *)(v), value)
#define SIGN16(v) _mm_srai_epi16(v, 15)
#define SIGN32(v) _mm_srai_epi32(v, 31)

static inline int64_t simd_sum64(__m128i v)
{
    int64_t halves[2];
    _mm_storeu_si128((__m128i *)(void *)halves, v);
    return halves[0] + halves[1];
}

static inline int64_t simd_sum32(__m128i v)
{
    v = _mm_add_epi32(v, _mm_shuffle_epi32(v, _MM_SHUFFLE(1, 0, 3, 2)));
    v = _mm_add_epi32(v, _mm_shuffle_epi32(v, _MM_SHUFFLE(2, 3, 0, 1)));
    return _mm_cvtsi128_si32(v);
}

/* Sixteen bytes as two vectors of 16-bit lanes. */
#define WIDEN_s8(v, low, high)                                                \
    __m128i low = _mm_srai_epi16(_mm_unpacklo_epi8(v, v), 8), high = _mm_srai_epi16(_mm_unpackhi_epi8(v, v), 8)
#define WIDEN_u8(v, low, high)                                                \
    __m128i low = _mm_unpacklo_epi8(v, _mm_setzero_si128()), high = _mm_unpackhi_epi8(v, _mm_setzero_si128())

#define DOT_BYTES(type)                                                                                 \
    static inline int64_t simd_dot_##type(const p4s_vector *a, const p4s_vector *b)                     \
    {                                                                                                   \
        __m128i x = SIMD(a), y = SIMD(b);                                                               \
        WIDEN_##type(x, x0, x1);                                                                        \
        WIDEN_##type(y, y0, y1);                                                                        \
        return simd_sum32(_mm_add_epi32(_mm_madd_epi16(x0, y0), _mm_madd_epi16(x1, y1)));               \
    }
DOT_BYTES(s8)
DOT_BYTES(u8)

/* A sum of two products has 33 bits in one case only, 2 * (-2^15)^2, which comes out as the otherwise impossible -2^31:
 * it gets the sign of a positive number. */
static inline int64_t simd_dot_s16(const p4s_vector *a, const p4s_vector *b)
{
    __m128i sums = _mm_madd_epi16(SIMD(a), SIMD(b));
    __m128i sign = _mm_andnot_si128(_mm_cmpeq_epi32(sums, _mm_set1_epi32(INT32_MIN)), SIGN32(sums));
    return simd_sum64(_mm_add_epi64(_mm_unpacklo_epi32(sums, sign), _mm_unpackhi_epi32(sums, sign)));
}

static inline int64_t simd_dot_u16(const p4s_vector *a, const p4s_vector *b)
{
    __m128i x = SIMD(a), y = SIMD(b), zero = _mm_setzero_si128();
    __m128i low = _mm_mullo_epi16(x, y), high = _mm_mulhi_epu16(x, y);
    __m128i p0 = _mm_unpacklo_epi16(low, high), p1 = _mm_unpackhi_epi16(low, high);
    __m128i s0 = _mm_add_epi64(_mm_unpacklo_epi32(p0, zero), _mm_unpackhi_epi32(p0, zero));
    __m128i s1 = _mm_add_epi64(_mm_unpacklo_epi32(p1, zero), _mm_unpackhi_epi32(p1, zero));
    return simd_sum64(_mm_add_epi64(s0, s1));
}

/* Adds to a quarter of QACC; the result's highest bit in each lane says that the lane's sum does not fit. */
#define OVERFLOW_s(a, b, sum) _mm_andnot_si128(_mm_xor_si128(a, b), _mm_xor_si128(a, sum))
#define OVERFLOW_u(a, b, sum) _mm_or_si128(_mm_and_si128(a, b), _mm_andnot_si128(sum, _mm_or_si128(a, b)))

/* QACC += products; false, and QACC as it was, when a lane would overflow. */
#define ACCUMULATE_ALL(type, sign, add, movemask)                                                               \
    static inline bool simd_qacc_##type(p4s_qacc *qacc, const p4s_vector *a, const p4s_vector *b)               \
    {                                                                                                           \
        __m128i products[4], sums[4], overflow = _mm_setzero_si128();                                           \
        simd_products_##type(SIMD(a), SIMD(b), products);                                                       \
        for (int i = 0; i < 4; ++i) {                                                                           \
            __m128i old = SIMD(&qacc->quarter[i]);                                                              \
            sums[i] = add(old, products[i]);                                                                    \
            overflow = _mm_or_si128(overflow, OVERFLOW_##sign(old, products[i], sums[i]));                      \
        }                                                                                                       \
        if (__builtin_expect(movemask(overflow), 0))                                                            \
            return false;                                                                                       \
        for (int i = 0; i < 4; ++i)                                                                             \
            SIMD_STORE(&qacc->quarter[i], sums[i]);                                                             \
        return true;                                                                                            \
    }

static inline void simd_products_s8(__m128i x, __m128i y, __m128i products[4])
{
    WIDEN_s8(x, x0, x1);
    WIDEN_s8(y, y0, y1);
    __m128i p0 = _mm_mullo_epi16(x0, y0), p1 = _mm_mullo_epi16(x1, y1);
    products[0] = _mm_unpacklo_epi16(p0, SIGN16(p0));
    products[1] = _mm_unpackhi_epi16(p0, SIGN16(p0));
    products[2] = _mm_unpacklo_epi16(p1, SIGN16(p1));
    products[3] = _mm_unpackhi_epi16(p1, SIGN16(p1));
}

static inline void simd_products_u8(__m128i x, __m128i y, __m128i products[4])
{
    WIDEN_u8(x, x0, x1);
    WIDEN_u8(y, y0, y1);
    __m128i p0 = _mm_mullo_epi16(x0, y0), p1 = _mm_mullo_epi16(x1, y1), zero = _mm_setzero_si128();
    products[0] = _mm_unpacklo_epi16(p0, zero);
    products[1] = _mm_unpackhi_epi16(p0, zero);
    products[2] = _mm_unpacklo_epi16(p1, zero);
    products[3] = _mm_unpackhi_epi16(p1, zero);
}

#define PRODUCTS_HALVES(type, mulhi, extension)                                                         \
    static inline void simd_products_##type(__m128i x, __m128i y, __m128i products[4])                  \
    {                                                                                                   \
        __m128i low = _mm_mullo_epi16(x, y), high = mulhi(x, y);                                        \
        __m128i p0 = _mm_unpacklo_epi16(low, high), p1 = _mm_unpackhi_epi16(low, high);                 \
        __m128i e0 = extension(p0), e1 = extension(p1);                                                 \
        products[0] = _mm_unpacklo_epi32(p0, e0);                                                       \
        products[1] = _mm_unpackhi_epi32(p0, e0);                                                       \
        products[2] = _mm_unpacklo_epi32(p1, e1);                                                       \
        products[3] = _mm_unpackhi_epi32(p1, e1);                                                       \
    }
#define NO_SIGN(v) _mm_setzero_si128()
PRODUCTS_HALVES(s16, _mm_mulhi_epi16, SIGN32)
PRODUCTS_HALVES(u16, _mm_mulhi_epu16, NO_SIGN)

#define MOVEMASK32(v) _mm_movemask_ps(_mm_castsi128_ps(v))
#define MOVEMASK64(v) _mm_movemask_pd(_mm_castsi128_pd(v))
ACCUMULATE_ALL(s8, s, _mm_add_epi32, MOVEMASK32)
ACCUMULATE_ALL(u8, u, _mm_add_epi32, MOVEMASK32)
ACCUMULATE_ALL(s16, s, _mm_add_epi64, MOVEMASK64)
ACCUMULATE_ALL(u16, u, _mm_add_epi64, MOVEMASK64)

#endif
