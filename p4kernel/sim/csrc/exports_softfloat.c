/* Double precision for a chip that has none: the host's doubles, with libgcc's results where C or IEEE 754 leave them
 * open (comparison of NaN; conversions saturate, a NaN by its sign). */
#include <float.h>
#include <math.h>
#include <string.h>

#include "exports.h"

double p4x___adddf3(double a, double b) { return a + b; }

double p4x___subdf3(double a, double b) { return a - b; }

double p4x___muldf3(double a, double b) { return a * b; }

double p4x___divdf3(double a, double b) { return a / b; }

double p4x___negdf2(double a) { return -a; }

int32_t p4x___eqdf2(double a, double b) { return !(a == b); }

int32_t p4x___nedf2(double a, double b) { return !(a == b); }

static int32_t compare(double a, double b, int32_t unordered)
{
    return a < b ? -1 : a > b ? 1 : a == b ? 0 : unordered;
}

int32_t p4x___ltdf2(double a, double b) { return compare(a, b, 2); }

int32_t p4x___ledf2(double a, double b) { return compare(a, b, 2); }

int32_t p4x___gtdf2(double a, double b) { return compare(a, b, -2); }

int32_t p4x___gedf2(double a, double b) { return compare(a, b, -2); }

int32_t p4x___unorddf2(double a, double b) { return isunordered(a, b); }

int64_t p4x___fixdfdi(double a)
{
    if (isnan(a))
        return signbit(a) ? INT64_MIN : INT64_MAX;
    return a >= 0x1p63 ? INT64_MAX : a < -0x1p63 ? INT64_MIN : (int64_t)a;
}

uint64_t p4x___fixunsdfdi(double a)
{
    if (isnan(a))
        return signbit(a) ? 0 : UINT64_MAX;
    return a >= 0x1p64 ? UINT64_MAX : a <= 0 ? 0 : (uint64_t)a;
}

int32_t p4x___fixdfsi(double a)
{
    int64_t wide = p4x___fixdfdi(a);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

uint32_t p4x___fixunsdfsi(double a)
{
    uint64_t wide = p4x___fixunsdfdi(a);
    return wide > UINT32_MAX ? UINT32_MAX : (uint32_t)wide;
}

double p4x___floatsidf(int32_t a) { return a; }

double p4x___floatunsidf(uint32_t a) { return a; }

double p4x___floatdidf(int64_t a) { return (double)a; }

double p4x___floatundidf(uint64_t a) { return (double)a; }

double p4x___extendsfdf2(float a) { return a; }

float p4x___truncdfsf2(double a) { return (float)a; }

double p4x___extendhfdf2(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value;
    if (exponent == 31)
        value = fraction ? NAN : INFINITY;
    else
        value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return bits >> 15 ? -value : value;
}

/* To a format with this many bits of fraction and of exponent, rounded once. */
static uint16_t narrow(double a, int fraction, int exponent)
{
    uint32_t sign = signbit(a) ? 0x8000 : 0, infinite = ((1u << exponent) - 1) << fraction, bits;
    int bias = (1 << (exponent - 1)) - 1, e;
    if (isnan(a))
        return (uint16_t)(infinite | 1u << (fraction - 1));
    if (isinf(a) || a == 0)
        return (uint16_t)(a == 0 ? sign : sign | infinite);
    (void)frexp(a, &e);
    e = e - 1 < 1 - bias ? 1 - bias : e - 1;
    if (e > bias)
        return (uint16_t)(sign | infinite);
    /* Rounding up to the next power of two carries into the exponent, as it should. */
    bits = (uint32_t)fabs(rint(ldexp(a, fraction - e))) + ((uint32_t)(e + bias - 1) << fraction);
    return (uint16_t)(sign | (bits < infinite ? bits : infinite));
}

uint16_t p4x___truncdfhf2(double a) { return narrow(a, 10, 5); }

uint16_t p4x___truncdfbf2(double a) { return narrow(a, 7, 8); }

double p4x___powidf2(double a, int32_t n)
{
    uint32_t rest = n < 0 ? 0u - (uint32_t)n : (uint32_t)n;
    double result = rest & 1 ? a : 1.0;
    while (rest >>= 1) {
        a *= a;
        if (rest & 1)
            result *= a;
    }
    return n < 0 ? 1.0 / result : result;
}

/* 1 or 0 with the sign, for what annex G calls boxing an infinity. */
static double box(double a) { return copysign(isinf(a) ? 1.0 : 0.0, a); }

static double zero_for_nan(double a) { return isnan(a) ? copysign(0.0, a) : a; }

void p4x_complex_multiply(double result[2], double a, double b, double c, double d, double largest)
{
    double ac = a * c, bd = b * d, ad = a * d, bc = b * c;
    bool infinite = false;
    result[0] = ac - bd;
    result[1] = ad + bc;
    if (!isnan(result[0]) || !isnan(result[1]))
        return;
    if (isinf(a) || isinf(b)) {
        a = box(a), b = box(b), c = zero_for_nan(c), d = zero_for_nan(d);
        infinite = true;
    }
    if (isinf(c) || isinf(d)) {
        c = box(c), d = box(d), a = zero_for_nan(a), b = zero_for_nan(b);
        infinite = true;
    }
    if (!infinite && (fabs(ac) > largest || fabs(bd) > largest || fabs(ad) > largest || fabs(bc) > largest)) {
        a = zero_for_nan(a), b = zero_for_nan(b), c = zero_for_nan(c), d = zero_for_nan(d);
        infinite = true;
    }
    if (infinite) {
        result[0] = INFINITY * (a * c - b * d);
        result[1] = INFINITY * (a * d + b * c);
    }
}

void p4x_complex_divide(double result[2], double a, double b, double c, double d)
{
    double scale = logb(fmax(fabs(c), fabs(d))), divisor;
    int shift = 0;
    if (isfinite(scale)) {
        shift = (int)scale;
        c = scalbn(c, -shift), d = scalbn(d, -shift);
    }
    divisor = c * c + d * d;
    result[0] = scalbn((a * c + b * d) / divisor, -shift);
    result[1] = scalbn((b * c - a * d) / divisor, -shift);
    if (!isnan(result[0]) || !isnan(result[1]))
        return;
    if (divisor == 0 && (!isnan(a) || !isnan(b))) {
        result[0] = copysign(INFINITY, c) * a;
        result[1] = copysign(INFINITY, c) * b;
    } else if ((isinf(a) || isinf(b)) && isfinite(c) && isfinite(d)) {
        result[0] = INFINITY * (box(a) * c + box(b) * d);
        result[1] = INFINITY * (box(b) * c - box(a) * d);
    } else if (isinf(scale) && scale > 0 && isfinite(a) && isfinite(b)) {
        result[0] = 0.0 * (a * box(c) + b * box(d));
        result[1] = 0.0 * (b * box(c) - a * box(d));
    }
}

static void put_complex(p4x *x, uint32_t to, double result[2])
{
    uint8_t *p = p4x_store(x, to, 16);
    for (int i = 0; i < 2; i++)
        if (isnan(result[i]))
            result[i] = NAN;
    if (p)
        memcpy(p, result, 16);
}

void p4x___muldc3(p4x *x, uint32_t to, double a, double b, double c, double d)
{
    double result[2];
    p4x_complex_multiply(result, a, b, c, d, DBL_MAX);
    put_complex(x, to, result);
}

void p4x___divdc3(p4x *x, uint32_t to, double a, double b, double c, double d)
{
    double result[2];
    p4x_complex_divide(result, a, b, c, d);
    put_complex(x, to, result);
}
