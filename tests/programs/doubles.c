/* Double arithmetic, which the core does not have: by library, against known bits; series and roots. */
#include "runtime.h"

static volatile double values[] = {
    0.0, -0.0, 1.0, -1.0, 1.5, 3.0, 0.1, 1e-300, 1e300, 4.9406564584124654e-324, 2.2250738585072014e-308,
    1.7976931348623157e308, 9007199254740993.0, -123456.789, __builtin_inf(), -__builtin_inf(),
};
enum { COUNT = sizeof values / sizeof *values };

static double root(double x)
{
    double guess = x > 1 ? x : 1;
    for (int i = 0; i < 200; ++i) {
        double better = (guess + x / guess) / 2;
        if (better >= guess)
            break;
        guess = better;
    }
    return guess;
}

static double exponential(double x)
{
    double term = 1, sum = 1;
    for (int n = 1; n < 30; ++n) {
        term = term * x / n;
        sum += term;
    }
    return sum;
}

static uint32_t hash;

static void note(double x)
{
    uint64_t bits = double_bits(x);
    /* Of a result that is no number, the sign is nobody's business. */
    bits = x != x ? 0x7FF8000000000000ull : bits;
    hash = fold(fold(hash, (uint32_t)bits), (uint32_t)(bits >> 32));
}

static void known(double value, uint64_t bits)
{
    EXPECT(double_bits(value) == bits);
    say("%016llx\n", (unsigned long long)double_bits(value));
}

int main(void)
{
    known(values[6] + 0.2, 0x3FD3333333333334ull);
    known(values[2] / values[5], 0x3FD5555555555555ull);
    known(values[6] * values[5], 0x3FD3333333333334ull);
    known(values[11] * 2, 0x7FF0000000000000ull);
    known(values[9] / 2, 0);
    known(values[10] / 2, 0x0008000000000000ull);
    known(values[10] - values[9], 0x000FFFFFFFFFFFFFull);
    known(values[12] + 1.0, 0x4340000000000000ull);
    known(values[0] + values[1], 0);
    known(values[1] - values[0], 0x8000000000000000ull);
    known(values[2] / values[1], 0xFFF0000000000000ull);
    for (int i = 0; i < COUNT; ++i)
        for (int k = 0; k < COUNT; ++k) {
            double a = values[i], b = values[k];
            note(a + b);
            note(a - b);
            note(a * b);
            note(a / b);
            hash = fold(hash, (uint32_t)((a < b) | (a <= b) << 1 | (a == b) << 2 | (a != b) << 3 | (a > b) << 4 |
                                         (a >= b) << 5));
        }
    say("table %08x\n", hash);
    for (int i = 0; i < 300; ++i) {
        /* Any exponent, any mantissa: infinities and subnormals come, too. */
        uint64_t bits = (uint64_t)random_word() << 32 | random_word();
        double a, b;
        memcpy(&a, &bits, 8);
        bits = (bits & 0x800FFFFFFFFFFFFFull) + ((bits >> 52 & 0x7F0) << 52) + random_word();
        memcpy(&b, &bits, 8);
        note(a + b);
        note(a - b);
        note(a * b);
        note(b / a);
        note((float)a);
        note((double)(float)b);
    }
    say("random %08x\n", hash);
    static volatile double whole[] = {0, 0.99, -0.99, 1.5, -2.5, 4294967295.0, -2147483648.0, 1e15, -1e15, 2147483647.9};
    for (int i = 0; i < 10; ++i) {
        double x = whole[i];
        say("%lld", (long long)x);
        if (x > -1)
            say(" %llu", (unsigned long long)x);
        if (x > -2147483649.0 && x < 2147483648.0)
            say(" %d", (int)x);
        if (x > -1 && x < 4294967296.0)
            say(" %u", (unsigned)x);
        note((double)(long long)x);
        say("\n");
    }
    static volatile uint64_t integers[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0x20000000000001, 0x7FFFFFFFFFFFFFFF,
                                           0x8000000000000400, 0x8000000000000C00, 0xFFFFFFFFFFFFFFFF};
    for (int i = 0; i < 9; ++i) {
        note((double)integers[i]);
        note((double)(int64_t)integers[i]);
        note((double)(int32_t)integers[i]);
        note((double)(uint32_t)integers[i]);
        note((float)integers[i]);
        note((float)(int64_t)integers[i]);
    }
    double two = root(2) * root(2);
    EXPECT(two > 1.999999999999999 && two < 2.000000000000001);
    note(two);
    double e = exponential(1), pi = 0;
    for (int n = 0; n < 12; ++n) /* Machin: arctangents of 1/5 and 1/239. */
        for (int k = 0; k < 2; ++k) {
            double x = k ? 1.0 / 239 : 1.0 / 5, term = x;
            for (int i = 0; i < n; ++i)
                term *= -x * x;
            pi += (k ? -4 : 16) * term / (2 * n + 1);
        }
    EXPECT(e > 2.71828182845904 && e < 2.71828182845905 && pi > 3.14159265358979 && pi < 3.14159265358980);
    say("e %016llx pi %016llx all %08x\n", (unsigned long long)double_bits(e), (unsigned long long)double_bits(pi), hash);
    return 0;
}
