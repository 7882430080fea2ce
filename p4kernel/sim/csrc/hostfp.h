/* The host's float unit while guest code runs: round to nearest, all traps masked, flags that stick until read. */
#ifndef P4S_HOSTFP_H
#define P4S_HOSTFP_H

#include "fp.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#include <immintrin.h>

/* x86 judges tininess after rounding, as RISC-V does; an Arm core, for one, before. (Tests set it to 0, to try the
 * other way on x86 too.) */
#ifndef HOSTFP_TINY_AFTER_ROUNDING
#define HOSTFP_TINY_AFTER_ROUNDING 1
#endif
#define HOSTFP_DEFAULT 0x1f80u

static inline uint64_t hostfp_enter(void)
{
    uint64_t saved = _mm_getcsr();
    _mm_setcsr(HOSTFP_DEFAULT);
    return saved;
}

static inline void hostfp_leave(uint64_t saved) { _mm_setcsr((uint32_t)saved); }

/* Flags raised since the last call. */
static inline uint32_t hostfp_take(void)
{
    uint32_t csr = _mm_getcsr();
    if (!(csr & 0x3f))
        return 0;
    _mm_setcsr(HOSTFP_DEFAULT);
    return (csr & 1 ? FP_NV : 0) | (csr & 4 ? FP_DZ : 0) | (csr & 8 ? FP_OF : 0) |
           (HOSTFP_TINY_AFTER_ROUNDING && csr & 16 ? FP_UF : 0) | (csr & 32 ? FP_NX : 0);
}

static inline float hostfp_sqrt(float a) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(a))); }

/* Not every x86-64 has it, and the build need not be for one that has: asked at run time. (By hand: what
 * __builtin_cpu_supports reads is not in every compiler's library.) */
static inline bool hostfp_has_fma(void)
{
    const uint32_t fma = 1u << 12, os_saves = 1u << 27, avx = 1u << 28, all = fma | os_saves | avx;
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & all) != all)
        return false;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & 6) == 6; /* the system keeps the SSE and AVX registers */
}

static inline float hostfp_fma(float a, float b, float c)
{
    __asm__("vfmadd213ss %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
    return a;
}

#elif defined(__aarch64__)

#define HOSTFP_TINY_AFTER_ROUNDING 0

static inline void hostfp_set(uint64_t control, uint64_t status)
{
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(control), "r"(status) : "memory");
}

static inline uint64_t hostfp_status(void)
{
    uint64_t status;
    __asm__ volatile("mrs %0, fpsr" : "=r"(status) : : "memory");
    return status;
}

static inline uint64_t hostfp_enter(void)
{
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control) : : "memory");
    uint64_t saved = control << 32 | hostfp_status();
    hostfp_set(0, 0);
    return saved;
}

static inline void hostfp_leave(uint64_t saved) { hostfp_set(saved >> 32, saved & 0xffffffffu); }

static inline uint32_t hostfp_take(void)
{
    uint64_t status = hostfp_status();
    if (!(status & 0x1f))
        return 0;
    hostfp_set(0, 0);
    return (status & 1 ? FP_NV : 0) | (status & 2 ? FP_DZ : 0) | (status & 4 ? FP_OF : 0) | (status & 16 ? FP_NX : 0);
}

static inline float hostfp_sqrt(float a)
{
    __asm__("fsqrt %s0, %s1" : "=w"(a) : "w"(a));
    return a;
}

static inline bool hostfp_has_fma(void) { return true; }

static inline float hostfp_fma(float a, float b, float c)
{
    float result;
    __asm__("fmadd %s0, %s1, %s2, %s3" : "=w"(result) : "w"(a), "w"(b), "w"(c));
    return result;
}

#else
#error "hostfp.h knows x86-64 and aarch64"
#endif

#endif
