/* IEEE double arithmetic in integers, round to nearest even, under the names that compilers call. */
#include <stdint.h>

enum { DOUBLE_BITS = 52, DOUBLE_BIAS = 1023, FLOAT_BITS = 23, FLOAT_BIAS = 127, TOP = 62 };

static const uint64_t INFINITE = 0x7FFull << 52, NOT_A_NUMBER = 0xFFFull << 51;

/* A finite number is mantissa * 2^exponent; special says that it is infinite or no number. */
typedef struct {
    uint64_t bits, mantissa;
    int32_t exponent;
    uint32_t sign, special, nan;
} number;

double __adddf3(double a, double b);
double __subdf3(double a, double b);
double __muldf3(double a, double b);
double __divdf3(double a, double b);
double __negdf2(double a);
int __eqdf2(double a, double b);
int __nedf2(double a, double b);
int __ltdf2(double a, double b);
int __ledf2(double a, double b);
int __gtdf2(double a, double b);
int __gedf2(double a, double b);
int __unorddf2(double a, double b);
double __floatsidf(int32_t value);
double __floatunsidf(uint32_t value);
double __floatdidf(int64_t value);
double __floatundidf(uint64_t value);
float __floatdisf(int64_t value);
float __floatundisf(uint64_t value);
int32_t __fixdfsi(double a);
uint32_t __fixunsdfsi(double a);
int64_t __fixdfdi(double a);
uint64_t __fixunsdfdi(double a);
int64_t __fixsfdi(float a);
uint64_t __fixunssfdi(float a);
double __extendsfdf2(float a);
float __truncdfsf2(double a);

static double from_bits(uint64_t bits)
{
    union {
        uint64_t bits;
        double value;
    } u = {bits};
    return u.value;
}

static float float_from_bits(uint64_t bits)
{
    union {
        uint32_t bits;
        float value;
    } u = {(uint32_t)bits};
    return u.value;
}

/* Shifts right and keeps in the lowest bit whether anything was lost. */
static uint64_t jam(uint64_t mantissa, int32_t count)
{
    if (count > 63)
        return mantissa != 0;
    return count ? mantissa >> count | (mantissa << (64 - count) != 0) : mantissa;
}

/* Mantissa with its highest bit at TOP. */
static void normalise(uint64_t *mantissa, int32_t *exponent)
{
    if (*mantissa >> 63) {
        *mantissa = jam(*mantissa, 1);
        ++*exponent;
    }
    for (int32_t step = 32; step; step >>= 1)
        while (!(*mantissa >> (63 - step))) {
            *mantissa <<= step;
            *exponent -= step;
        }
}

/* The nearest number of a format, as its bits. */
static uint64_t pack(uint32_t sign, int32_t exponent, uint64_t mantissa, int fraction, int32_t bias)
{
    uint64_t result = 0;
    if (mantissa) {
        normalise(&mantissa, &exponent);
        int32_t biased = exponent + TOP + bias;
        if (biased > 2 * bias) {
            result = (uint64_t)(2 * bias + 1) << fraction;
        } else {
            if (biased <= 0)
                mantissa = jam(mantissa, 1 - biased);
            uint64_t half = 1ull << (TOP - fraction - 1), rest = mantissa & (2 * half - 1);
            mantissa >>= TOP - fraction;
            mantissa += rest > half || (rest == half && mantissa & 1);
            result = mantissa + (biased > 0 ? (uint64_t)(biased - 1) << fraction : 0);
        }
    }
    return result | (uint64_t)sign << (fraction == DOUBLE_BITS ? 63 : 31);
}

static double make(uint32_t sign, int32_t exponent, uint64_t mantissa)
{
    return from_bits(pack(sign, exponent, mantissa, DOUBLE_BITS, DOUBLE_BIAS));
}

static number unpack(double value)
{
    union {
        double value;
        uint64_t bits;
    } u = {value};
    /* Otherwise clang sees what the code below finds out about the bits, and calls __unorddf2 for it. */
    __asm__("" : "+r"(u.bits));
    uint64_t fraction = u.bits & ((1ull << 52) - 1);
    int32_t biased = (int32_t)(u.bits >> 52 & 0x7FF);
    number n = {.bits = u.bits, .sign = (uint32_t)(u.bits >> 63)};
    n.special = biased == 0x7FF;
    n.nan = n.special && fraction;
    n.mantissa = (biased ? fraction | 1ull << 52 : fraction) << (TOP - DOUBLE_BITS);
    n.exponent = (biased ? biased : 1) - DOUBLE_BIAS - TOP;
    if (n.mantissa)
        normalise(&n.mantissa, &n.exponent);
    return n;
}

static double add(number a, number b)
{
    if (a.nan || b.nan || (a.special && b.special && a.sign != b.sign))
        return from_bits(NOT_A_NUMBER);
    if (a.special || b.special)
        return from_bits(a.special ? a.bits : INFINITE | (uint64_t)b.sign << 63);
    if (!a.mantissa && !b.mantissa)
        return make(a.sign & b.sign, 0, 0);
    if (!b.mantissa || (a.mantissa && a.exponent < b.exponent)) {
        number t = a;
        a = b;
        b = t;
    }
    /* a is now the one with the greater exponent, or a zero. */
    if (!a.mantissa)
        return make(b.sign, b.exponent, b.mantissa);
    uint64_t small = jam(b.mantissa, a.exponent - b.exponent);
    if (a.sign == b.sign)
        return make(a.sign, a.exponent, a.mantissa + small);
    if (a.mantissa == small)
        return make(0, 0, 0);
    return a.mantissa > small ? make(a.sign, a.exponent, a.mantissa - small)
                              : make(b.sign, a.exponent, small - a.mantissa);
}

double __adddf3(double a, double b)
{
    return add(unpack(a), unpack(b));
}

double __negdf2(double a)
{
    return from_bits(unpack(a).bits ^ 1ull << 63);
}

double __subdf3(double a, double b)
{
    return add(unpack(a), unpack(__negdf2(b)));
}

double __muldf3(double a, double b)
{
    number x = unpack(a), y = unpack(b);
    uint32_t sign = x.sign ^ y.sign;
    if (x.nan || y.nan || (x.special && !y.mantissa) || (y.special && !x.mantissa))
        return from_bits(NOT_A_NUMBER);
    if (x.special || y.special)
        return from_bits(INFINITE | (uint64_t)sign << 63);
    uint64_t xl = (uint32_t)x.mantissa, xh = x.mantissa >> 32, yl = (uint32_t)y.mantissa, yh = y.mantissa >> 32;
    uint64_t low = xl * yl, middle = xl * yh + (low >> 32), other = xh * yl + (uint32_t)middle;
    uint64_t high = xh * yh + (middle >> 32) + (other >> 32);
    uint32_t lost = (uint32_t)low | (uint32_t)other;
    return make(sign, x.exponent + y.exponent + 64, high | (lost != 0));
}

double __divdf3(double a, double b)
{
    number x = unpack(a), y = unpack(b);
    uint32_t sign = x.sign ^ y.sign;
    if (x.nan || y.nan || (x.special && y.special) || (!x.special && !x.mantissa && !y.special && !y.mantissa))
        return from_bits(NOT_A_NUMBER);
    if (x.special || (!y.special && !y.mantissa))
        return from_bits(INFINITE | (uint64_t)sign << 63);
    if (y.special || !x.mantissa)
        return make(sign, 0, 0);
    uint64_t rest = x.mantissa, quotient = 0;
    for (int i = 0; i <= TOP; ++i) {
        quotient <<= 1;
        if (rest >= y.mantissa) {
            rest -= y.mantissa;
            quotient |= 1;
        }
        rest <<= 1;
    }
    return make(sign, x.exponent - y.exponent - TOP, quotient | (rest != 0));
}

/* -1, 0, 1, or `unordered` when there is no order. */
static int compare(double a, double b, int unordered)
{
    number x = unpack(a), y = unpack(b);
    if (x.nan || y.nan)
        return unordered;
    if (!((x.bits | y.bits) << 1) || x.bits == y.bits)
        return 0;
    if (x.sign != y.sign)
        return x.sign ? -1 : 1;
    return (x.bits < y.bits) != (x.sign != 0) ? -1 : 1;
}

int __eqdf2(double a, double b)
{
    return compare(a, b, 1);
}

int __nedf2(double a, double b)
{
    return compare(a, b, 1);
}

int __ltdf2(double a, double b)
{
    return compare(a, b, 1);
}

int __ledf2(double a, double b)
{
    return compare(a, b, 1);
}

int __gtdf2(double a, double b)
{
    return compare(a, b, -1);
}

int __gedf2(double a, double b)
{
    return compare(a, b, -1);
}

int __unorddf2(double a, double b)
{
    return unpack(a).nan || unpack(b).nan;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

double __floatdidf(int64_t value)
{
    return make(value < 0, 0, magnitude(value));
}

double __floatundidf(uint64_t value)
{
    return make(0, 0, value);
}

double __floatsidf(int32_t value)
{
    return __floatdidf(value);
}

double __floatunsidf(uint32_t value)
{
    return __floatundidf(value);
}

float __floatdisf(int64_t value)
{
    return float_from_bits(pack(value < 0, 0, magnitude(value), FLOAT_BITS, FLOAT_BIAS));
}

float __floatundisf(uint64_t value)
{
    return float_from_bits(pack(0, 0, value, FLOAT_BITS, FLOAT_BIAS));
}

/* Toward zero; at most limit. */
static uint64_t truncated(number n, uint64_t limit)
{
    if (n.special || n.exponent > 1)
        return limit;
    uint64_t value = n.exponent > 0 ? n.mantissa << n.exponent : n.exponent < -63 ? 0 : n.mantissa >> -n.exponent;
    return value > limit ? limit : value;
}

uint64_t __fixunsdfdi(double a)
{
    number n = unpack(a);
    return n.sign ? 0 : truncated(n, UINT64_MAX);
}

int64_t __fixdfdi(double a)
{
    number n = unpack(a);
    uint64_t value = truncated(n, (uint64_t)INT64_MAX + n.sign);
    return (int64_t)(n.sign ? 0 - value : value);
}

uint32_t __fixunsdfsi(double a)
{
    number n = unpack(a);
    return n.sign ? 0 : (uint32_t)truncated(n, UINT32_MAX);
}

int32_t __fixdfsi(double a)
{
    number n = unpack(a);
    uint32_t value = (uint32_t)truncated(n, (uint64_t)INT32_MAX + n.sign);
    return (int32_t)(n.sign ? 0 - value : value);
}

double __extendsfdf2(float a)
{
    union {
        float value;
        uint32_t bits;
    } u = {a};
    uint32_t fraction = u.bits & 0x7FFFFF, biased = u.bits >> 23 & 0xFF, sign = u.bits >> 31;
    if (biased == 0xFF)
        return from_bits(fraction ? NOT_A_NUMBER : INFINITE | (uint64_t)sign << 63);
    return biased ? make(sign, (int32_t)biased - 150, fraction | 1u << 23) : make(sign, -149, fraction);
}

float __truncdfsf2(double a)
{
    number n = unpack(a);
    if (n.special)
        return float_from_bits(n.nan ? 0x7FC00000u : 0x7F800000u | n.sign << 31);
    return float_from_bits(pack(n.sign, n.exponent, n.mantissa, FLOAT_BITS, FLOAT_BIAS));
}

int64_t __fixsfdi(float a)
{
    return __fixdfdi(__extendsfdf2(a));
}

uint64_t __fixunssfdi(float a)
{
    return __fixunsdfdi(__extendsfdf2(a));
}
