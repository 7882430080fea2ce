/* CRC-32 (IEEE 802.3, reflected), the check of frames: sixteen bytes a step by tables, or by carry-less multiplication
 * where the processor has it ("Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", Intel, 2009). */
#include "crc32.h"

#include <string.h>

#define POLYNOMIAL 0xEDB88320u
#define STEP 16

static uint32_t table[STEP][256];

__attribute__((constructor)) static void fill_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? POLYNOMIAL : 0);
        table[0][i] = c;
    }
    for (int k = 1; k < STEP; k++)
        for (uint32_t i = 0; i < 256; i++)
            table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
}

static uint32_t by_table(uint32_t c, const uint8_t *p, size_t size)
{
    while (size >= STEP) {
        uint32_t next = 0;
        for (int i = 0; i < 4; i++)
            next ^= table[STEP - 1 - i][p[i] ^ (c >> 8 * i & 255)];
        for (int i = 4; i < STEP; i++)
            next ^= table[STEP - 1 - i][p[i]];
        c = next;
        p += STEP;
        size -= STEP;
    }
    while (size--)
        c = c >> 8 ^ table[0][(c ^ *p++) & 255];
    return c;
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define PCLMUL __attribute__((target("pclmul,sse4.1")))

/* x^n mod P, bit-reflected, for the distances that the folds bridge; the last two reduce 64 bits (Barrett). */
static const uint64_t fold_64[2] = {0x0154442bd4, 0x01c6e41596};
static const uint64_t fold_16[2] = {0x01751997d0, 0x00ccaa009e};
static const uint64_t fold_8[2] = {0x0163cd6124, 0};
static const uint64_t barrett[2] = {0x01db710641, 0x01f7011641};

static inline __m128i load(const void *p)
{
    return _mm_loadu_si128(p);
}

PCLMUL static inline __m128i fold(__m128i x, __m128i k, __m128i next)
{
    __m128i low = _mm_clmulepi64_si128(x, k, 0x00), high = _mm_clmulepi64_si128(x, k, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* size: at least 64, a multiple of 16. */
PCLMUL static uint32_t by_pclmul(uint32_t c, const uint8_t *p, size_t size)
{
    const __m128i mask = _mm_setr_epi32(-1, 0, -1, 0);
    __m128i k = load(fold_64), x[4], t;
    for (int i = 0; i < 4; i++)
        x[i] = load(p + 16 * i);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int)c));
    for (p += 64, size -= 64; size >= 64; p += 64, size -= 64)
        for (int i = 0; i < 4; i++)
            x[i] = fold(x[i], k, load(p + 16 * i));
    k = load(fold_16);
    for (int i = 1; i < 4; i++)
        x[0] = fold(x[0], k, x[i]);
    for (; size >= 16; p += 16, size -= 16)
        x[0] = fold(x[0], k, load(p));
    t = _mm_xor_si128(_mm_srli_si128(x[0], 8), _mm_clmulepi64_si128(x[0], k, 0x10)); /* 128 bits to 96 */
    k = load(fold_8);
    t = _mm_xor_si128(_mm_srli_si128(t, 4), _mm_clmulepi64_si128(_mm_and_si128(t, mask), k, 0x00)); /* to 64 */
    k = load(barrett);
    x[0] = _mm_clmulepi64_si128(_mm_and_si128(t, mask), k, 0x10);
    x[0] = _mm_clmulepi64_si128(_mm_and_si128(x[0], mask), k, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(t, x[0]), 1);
}

static int has_pclmul;

__attribute__((constructor)) static void look_at_processor(void)
{
    unsigned a, b, c = 0, d; /* not __builtin_cpu_supports: zig's runtime library lacks it */
    if (__get_cpuid(1, &a, &b, &c, &d))
        has_pclmul = (c & bit_PCLMUL) && (c & bit_SSE4_1);
}

#endif

uint32_t p4v_crc(uint32_t crc, const uint8_t *data, size_t size)
{
    uint32_t c = ~crc;
#if defined(__x86_64__)
    if (has_pclmul && size >= 64) {
        size_t whole = size & ~(size_t)15;
        c = by_pclmul(c, data, whole);
        data += whole;
        size -= whole;
    }
#endif
    return ~by_table(c, data, size);
}
