/* What compilers call by themselves for integers, single precision and halves: libgcc and compiler-rt. Where C leaves a
 * result open, it is what the chip's own instructions give for the narrow type. */
#include <float.h>

#include "exports.h"

enum { CAUSE_BREAKPOINT = 3 };

int32_t p4x___mulsi3(int32_t a, int32_t b) { return (int32_t)((uint32_t)a * (uint32_t)b); }

int64_t p4x___muldi3(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

uint64_t p4x___udivdi3(uint64_t a, uint64_t b) { return b ? a / b : UINT64_MAX; }

uint64_t p4x___umoddi3(uint64_t a, uint64_t b) { return b ? a % b : a; }

int64_t p4x___divdi3(int64_t a, int64_t b)
{
    if (b == 0)
        return -1;
    return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

int64_t p4x___moddi3(int64_t a, int64_t b)
{
    if (b == 0)
        return a;
    return b == -1 ? 0 : a % b;
}

int32_t p4x___divsi3(int32_t a, int32_t b) { return (int32_t)p4x___divdi3(a, b); }

int32_t p4x___modsi3(int32_t a, int32_t b) { return (int32_t)p4x___moddi3(a, b); }

uint32_t p4x___udivsi3(uint32_t a, uint32_t b) { return (uint32_t)p4x___udivdi3(a, b); }

uint32_t p4x___umodsi3(uint32_t a, uint32_t b) { return (uint32_t)p4x___umoddi3(a, b); }

#define DIVMOD(name, type, div, mod)                           \
    type p4x_##name(p4x *x, type a, type b, uint32_t rest)     \
    {                                                          \
        type remainder = mod(a, b);                            \
        if (rest)                                              \
            p4x_put(x, rest, &remainder, sizeof remainder);    \
        return div(a, b);                                      \
    }
DIVMOD(__divmodsi4, int32_t, p4x___divsi3, p4x___modsi3)
DIVMOD(__udivmodsi4, uint32_t, p4x___udivsi3, p4x___umodsi3)
DIVMOD(__divmoddi4, int64_t, p4x___divdi3, p4x___moddi3)
DIVMOD(__udivmoddi4, uint64_t, p4x___udivdi3, p4x___umoddi3)

int64_t p4x___ashldi3(int64_t a, int32_t n) { return (int64_t)((uint64_t)a << (n & 63)); }

int64_t p4x___ashrdi3(int64_t a, int32_t n) { return a >> (n & 63); }

uint64_t p4x___lshrdi3(uint64_t a, int32_t n) { return a >> (n & 63); }

int64_t p4x___negdi2(int64_t a) { return (int64_t)(0 - (uint64_t)a); }

int32_t p4x___cmpdi2(int64_t a, int64_t b) { return a < b ? 0 : a > b ? 2 : 1; }

int32_t p4x___ucmpdi2(uint64_t a, uint64_t b) { return a < b ? 0 : a > b ? 2 : 1; }

int32_t p4x___clzdi2(uint64_t a) { return a ? __builtin_clzll(a) : 64; }

int32_t p4x___clzsi2(uint32_t a) { return p4x___clzdi2(a) - 32; }

int32_t p4x___ctzdi2(uint64_t a) { return a ? __builtin_ctzll(a) : 64; }

int32_t p4x___ctzsi2(uint32_t a) { return a ? __builtin_ctz(a) : 32; }

int32_t p4x___ffsdi2(int64_t a) { return a ? __builtin_ctzll((uint64_t)a) + 1 : 0; }

int32_t p4x___ffssi2(int32_t a) { return p4x___ffsdi2((uint32_t)a); }

int32_t p4x___popcountdi2(uint64_t a) { return __builtin_popcountll(a); }

int32_t p4x___popcountsi2(uint32_t a) { return __builtin_popcountll(a); }

int32_t p4x___paritydi2(uint64_t a) { return __builtin_popcountll(a) & 1; }

int32_t p4x___paritysi2(uint32_t a) { return p4x___paritydi2(a); }

int32_t p4x___clrsbdi2(int64_t a) { return p4x___clzdi2((uint64_t)(a < 0 ? ~a : a)) - 1; }

int32_t p4x___clrsbsi2(int32_t a) { return p4x___clrsbdi2(a) - 32; }

uint32_t p4x___bswapsi2(uint32_t a) { return __builtin_bswap32(a); }

uint64_t p4x___bswapdi2(uint64_t a) { return __builtin_bswap64(a); }

void p4x_abort(p4x *x) { p4x_trap(x, CAUSE_BREAKPOINT, 0); }

/* -ftrapv ends in abort(). */
#define CHECKED(name, type, builtin)             \
    type p4x_##name(p4x *x, type a, type b)      \
    {                                            \
        type result;                             \
        if (builtin(a, b, &result))              \
            p4x_abort(x);                        \
        return result;                           \
    }
CHECKED(__addvsi3, int32_t, __builtin_add_overflow)
CHECKED(__subvsi3, int32_t, __builtin_sub_overflow)
CHECKED(__mulvsi3, int32_t, __builtin_mul_overflow)
CHECKED(__addvdi3, int64_t, __builtin_add_overflow)
CHECKED(__subvdi3, int64_t, __builtin_sub_overflow)
CHECKED(__mulvdi3, int64_t, __builtin_mul_overflow)

int32_t p4x___negvsi2(p4x *x, int32_t a) { return p4x___subvsi3(x, 0, a); }

int64_t p4x___negvdi2(p4x *x, int64_t a) { return p4x___subvdi3(x, 0, a); }

int32_t p4x___absvsi2(p4x *x, int32_t a) { return a < 0 ? p4x___negvsi2(x, a) : a; }

int64_t p4x___absvdi2(p4x *x, int64_t a) { return a < 0 ? p4x___negvdi2(x, a) : a; }

#define OVERFLOWS(name, type)                                       \
    type p4x_##name(p4x *x, type a, type b, uint32_t overflow)      \
    {                                                               \
        type result;                                                \
        int32_t over = __builtin_mul_overflow(a, b, &result);       \
        p4x_put(x, overflow, &over, sizeof over);                   \
        return result;                                              \
    }
OVERFLOWS(__mulosi4, int32_t)
OVERFLOWS(__mulodi4, int64_t)

int64_t p4x___fixsfdi(float a) { return p4x___fixdfdi(a); }

uint64_t p4x___fixunssfdi(float a) { return p4x___fixunsdfdi(a); }

float p4x___floatdisf(int64_t a) { return (float)a; }

float p4x___floatundisf(uint64_t a) { return (float)a; }

float p4x___powisf2(float a, int32_t n)
{
    uint32_t rest = n < 0 ? 0u - (uint32_t)n : (uint32_t)n;
    float result = rest & 1 ? a : 1.0f;
    while (rest >>= 1) {
        a *= a;
        if (rest & 1)
            result *= a;
    }
    return n < 0 ? 1.0f / result : result;
}

/* Single precision fits twice into double, so the plain formulas cannot overflow or lose there; infinities follow
 * C11 annex G, as the double versions do. */
p4x_c32 p4x___mulsc3(float a, float b, float c, float d)
{
    double result[2];
    p4x_complex_multiply(result, a, b, c, d, FLT_MAX);
    return (p4x_c32){(float)result[0], (float)result[1]};
}

p4x_c32 p4x___divsc3(float a, float b, float c, float d)
{
    double result[2];
    p4x_complex_divide(result, a, b, c, d);
    return (p4x_c32){(float)result[0], (float)result[1]};
}

float p4x___extendhfsf2(uint16_t bits) { return (float)p4x___extendhfdf2(bits); }

uint16_t p4x___truncsfhf2(float a) { return p4x___truncdfhf2(a); }

float p4x___gnu_h2f_ieee(uint16_t bits) { return (float)p4x___extendhfdf2(bits); }

uint16_t p4x___gnu_f2h_ieee(float a) { return p4x___truncdfhf2(a); }

uint16_t p4x___truncsfbf2(float a) { return p4x___truncdfbf2(a); }
