/* math.h where the host's function does not do: an int or a long of 32 bits as result, or a second result in memory. */
#include <math.h>
#include <string.h>

#include "exports.h"

/* newlib's FP_ILOGB0 and FP_ILOGBNAN */
int32_t p4x_ilogb(double a) { return a == 0 ? -INT32_MAX : isfinite(a) ? ilogb(a) : INT32_MAX; }

int32_t p4x_ilogbf(float a) { return p4x_ilogb(a); }

int32_t p4x_lrint(double a) { return p4x___fixdfsi(rint(a)); }

int32_t p4x_lrintf(float a) { return p4x_lrint(a); }

int32_t p4x_lround(double a) { return p4x___fixdfsi(round(a)); }

int32_t p4x_lroundf(float a) { return p4x_lround(a); }

int64_t p4x_llrint(double a) { return p4x___fixdfdi(rint(a)); }

int64_t p4x_llrintf(float a) { return p4x_llrint(a); }

int64_t p4x_llround(double a) { return p4x___fixdfdi(round(a)); }

int64_t p4x_llroundf(float a) { return p4x_llround(a); }

double p4x_frexp(p4x *x, double a, uint32_t to)
{
    int exponent = 0;
    double result = frexp(a, &exponent);
    int32_t word = isfinite(a) ? exponent : 0;
    p4x_put(x, to, &word, sizeof word);
    return result;
}

float p4x_frexpf(p4x *x, float a, uint32_t to) { return (float)p4x_frexp(x, a, to); }

double p4x_modf(p4x *x, double a, uint32_t to)
{
    double whole, result = modf(a, &whole);
    p4x_put(x, to, &whole, sizeof whole);
    return result;
}

float p4x_modff(p4x *x, float a, uint32_t to)
{
    float whole, result = modff(a, &whole);
    p4x_put(x, to, &whole, sizeof whole);
    return result;
}

/* The sign of the quotient and its lowest three bits are what C promises. */
double p4x_remquo(p4x *x, double a, double b, uint32_t to)
{
    int quotient = 0;
    double result = remquo(a, b, &quotient);
    int32_t word = isnan(result) ? 0 : quotient < 0 ? -(-quotient & 7) : quotient & 7;
    p4x_put(x, to, &word, sizeof word);
    return result;
}

float p4x_remquof(p4x *x, float a, float b, uint32_t to) { return (float)p4x_remquo(x, a, b, to); }

void p4x_sincos(p4x *x, double a, uint32_t to_sin, uint32_t to_cos)
{
    double s = sin(a), c = cos(a);
    p4x_put(x, to_sin, &s, sizeof s);
    p4x_put(x, to_cos, &c, sizeof c);
}

void p4x_sincosf(p4x *x, float a, uint32_t to_sin, uint32_t to_cos)
{
    float s = sinf(a), c = cosf(a);
    p4x_put(x, to_sin, &s, sizeof s);
    p4x_put(x, to_cos, &c, sizeof c);
}

/* The payload that the text names is not kept: the chip's arithmetic would not keep it either. */
double p4x_nan(p4x *x, uint32_t text)
{
    uint64_t bits = 0x7ff8000000000000u;
    uint32_t size;
    double result;
    p4x_string(x, text, &size);
    memcpy(&result, &bits, sizeof result);
    return result;
}

float p4x_nanf(p4x *x, uint32_t text) { return (float)p4x_nan(x, text); }
