/* SHA-256 (FIPS 180-4), its constants computed from the primes. */
#include "runtime.h"

typedef struct {
    uint32_t state[8];
    uint8_t block[64];
    uint32_t filled;
    uint64_t length;
} context;

static uint32_t k[64], initial[8];

/* The first 32 bits behind the point of the root of a prime: integer search, as no double is at hand. */
static uint32_t root_bits(uint32_t prime, int degree)
{
    uint32_t low = 1, whole, fraction = 0;
    while ((degree == 2 ? (low + 1) * (low + 1) : (low + 1) * (low + 1) * (low + 1)) <= prime)
        ++low;
    whole = low;
    for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
        /* x = whole.fraction with 32 bits behind the point; x^degree compared with prime in 32-bit digits. */
        uint32_t try = fraction | bit;
        uint32_t x[2] = {try, whole}, product[6] = {1, 0, 0, 0, 0, 0};
        for (int times = 0; times < degree; ++times) {
            uint32_t next[6] = {0};
            for (int i = 0; i < 4; ++i) {
                uint32_t carry = 0;
                for (int j = 0; j < 2; ++j) {
                    uint64_t sum = (uint64_t)product[i] * x[j] + next[i + j] + carry;
                    next[i + j] = (uint32_t)sum;
                    carry = (uint32_t)(sum >> 32);
                }
                next[i + 2] += carry;
            }
            memcpy(product, next, sizeof product);
        }
        if (product[degree] < prime)
            fraction = try;
    }
    return fraction;
}

static void make_constants(void)
{
    int count = 0;
    for (uint32_t n = 2; count < 64; ++n) {
        bool prime = true;
        for (uint32_t d = 2; d * d <= n; ++d)
            prime = prime && n % d;
        if (!prime)
            continue;
        if (count < 8)
            initial[count] = root_bits(n, 2);
        k[count++] = root_bits(n, 3);
    }
}

static uint32_t turn(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void compress(uint32_t *state, const uint8_t *block)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; ++i)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    for (int i = 16; i < 64; ++i) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; ++i) {
        uint32_t t1 = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) +
                      k[i] + w[i];
        uint32_t t2 = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) +
                      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; ++i)
        state[i] += s[i];
}

static void update(context *c, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    c->length += size;
    while (size--) {
        c->block[c->filled++] = *bytes++;
        if (c->filled == 64) {
            compress(c->state, c->block);
            c->filled = 0;
        }
    }
}

static void digest(const void *data, size_t size, size_t times, uint8_t *out)
{
    context c = {.filled = 0};
    memcpy(c.state, initial, sizeof initial);
    for (size_t i = 0; i < times; ++i)
        update(&c, data, size);
    uint64_t bits = c.length * 8;
    update(&c, "\x80", 1);
    while (c.filled != 56)
        update(&c, "", 1);
    for (int i = 7; i >= 0; --i) {
        uint8_t byte = (uint8_t)(bits >> 8 * i);
        update(&c, &byte, 1);
    }
    for (int i = 0; i < 32; ++i)
        out[i] = (uint8_t)(c.state[i / 4] >> (24 - 8 * (i % 4)));
}

int main(void)
{
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint8_t out[32];
    make_constants();
    EXPECT(k[0] == 0x428a2f98 && k[63] == 0xc67178f2 && initial[0] == 0x6a09e667);
    digest("", 0, 1, out);
    say_bytes(out, 32);
    digest("abc", 3, 1, out);
    EXPECT(memcmp(out, abc, 32) == 0);
    say_bytes(out, 32);
    for (size_t size = 0; size < 60; size += 17) {
        digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopqrstuv", size, 3, out);
        say_bytes(out, 8);
    }
    return 0;
}
