/* Primes: a sieve of bits, one in segments, a test of strong pseudoprimes, and factors by Pollard's method. */
#include "runtime.h"

enum { LIMIT = 10000 };
static uint32_t composite[LIMIT / 64 + 1]; /* odd numbers alone */

static void sieve(void)
{
    for (uint32_t i = 3; i * i < LIMIT; i += 2)
        if (!(composite[i / 64] >> i / 2 % 32 & 1))
            for (uint32_t k = i * i; k < LIMIT; k += 2 * i)
                composite[k / 64] |= 1u << k / 2 % 32;
}

static bool in_sieve(uint32_t n)
{
    return n == 2 || (n > 2 && n % 2 && !(composite[n / 64] >> n / 2 % 32 & 1));
}

static uint32_t count_in_segments(uint32_t low, uint32_t high)
{
    static uint8_t mark[1000];
    uint32_t count = 0;
    for (; low < high; low += sizeof mark) {
        memset(mark, 0, sizeof mark);
        for (uint32_t p = 2; p * p < low + sizeof mark; ++p) {
            if (!in_sieve(p))
                continue;
            uint32_t first = (low + p - 1) / p * p;
            for (uint32_t k = first < p * p ? p * p : first; k < low + sizeof mark; k += p)
                mark[k - low] = 1;
        }
        for (uint32_t i = 0; i < sizeof mark && low + i < high; ++i)
            count += !mark[i];
    }
    return count;
}

static uint32_t power(uint32_t base, uint32_t exponent, uint32_t modulus)
{
    uint64_t result = 1, square = base % modulus;
    for (; exponent; exponent >>= 1, square = square * square % modulus)
        if (exponent & 1)
            result = result * square % modulus;
    return (uint32_t)result;
}

static bool is_prime(uint32_t n)
{
    static const uint32_t bases[] = {2, 7, 61}; /* enough below 4,759,123,141 */
    if (n < 4 || n % 2 == 0)
        return n == 2 || n == 3;
    uint32_t odd = n - 1, twos = 0;
    for (; odd % 2 == 0; odd /= 2)
        ++twos;
    for (int i = 0; i < 3; ++i) {
        if (bases[i] % n == 0)
            continue;
        uint64_t x = power(bases[i], odd, n);
        bool witness = x != 1 && x != n - 1;
        for (uint32_t k = 1; k < twos && witness; ++k) {
            x = x * x % n;
            witness = x != n - 1;
        }
        if (witness)
            return false;
    }
    return true;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t t = a % b;
        a = b, b = t;
    }
    return a;
}

static uint32_t factor(uint32_t n)
{
    for (uint32_t c = 1; n % 2; ++c) {
        uint32_t x = 2, y = 2, d = 1;
        while (d == 1) {
            x = (uint32_t)(((uint64_t)x * x + c) % n);
            y = (uint32_t)(((uint64_t)y * y + c) % n);
            y = (uint32_t)(((uint64_t)y * y + c) % n);
            d = gcd(x > y ? x - y : y - x, n);
        }
        if (d != n)
            return d;
    }
    return 2;
}

int main(void)
{
    uint32_t count = 0, sum = 0;
    sieve();
    for (uint32_t n = 0; n < LIMIT; ++n)
        if (in_sieve(n)) {
            ++count;
            sum += n;
        }
    EXPECT(count == 1229);
    say("%u primes, sum %u\n", count, sum);
    EXPECT(count_in_segments(1000, 9999) == 1229 - 168);
    say("%u between 1000000 and 1005000\n", count_in_segments(1000000, 1005000));
    for (uint32_t n = 0; n < 400; ++n)
        EXPECT(is_prime(n) == in_sieve(n));
    static const uint32_t tried[] = {2147483647, 4294967291, 3215031751, 1000000007, 561, 4294967295};
    for (int i = 0; i < 6; ++i)
        say("%u %s\n", tried[i], is_prime(tried[i]) ? "prime" : "composite");
    static const uint32_t products[] = {3215031751, 8051, 10403, 1000036000, 2491037};
    for (int i = 0; i < 5; ++i) {
        uint32_t d = factor(products[i]);
        EXPECT(d > 1 && d < products[i] && products[i] % d == 0);
        say("%u = %u * %u\n", products[i], d, products[i] / d);
    }
    return 0;
}
