/* 64-bit integers: every operation on edge values, division against its definition, 128-bit products. */
#include "runtime.h"

static volatile uint64_t edges[] = {
    0, 1, 2, 10, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000, 0x123456789ABCDEF, 0x7FFFFFFFFFFFFFFF,
    0x8000000000000000, 0xFFFFFFFF00000000, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF,
};
enum { COUNT = sizeof edges / sizeof *edges };

static uint32_t hash;

static void note(uint64_t x)
{
    hash = fold(fold(hash, (uint32_t)x), (uint32_t)(x >> 32));
}

static uint64_t high_product(uint64_t a, uint64_t b)
{
    uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
    uint64_t middle = al * bh + (al * bl >> 32), other = ah * bl + (uint32_t)middle;
    return ah * bh + (middle >> 32) + (other >> 32);
}

static void divide(uint64_t a, uint64_t b)
{
    uint64_t q = a / b, r = a % b;
    EXPECT(r < b && high_product(q, b) == 0 && q * b + r == a);
    note(q ^ r);
    if (a == 0x8000000000000000ull && b == UINT64_MAX)
        return; /* the quotient would be 2^63 */
    int64_t x = (int64_t)a, y = (int64_t)b, sq = x / y, sr = x % y;
    EXPECT((uint64_t)sq * b + (uint64_t)sr == a && (sr == 0 || (sr < 0) == (x < 0)));
    note((uint64_t)sq ^ (uint64_t)sr << 1);
}

static uint64_t root(uint64_t x)
{
    uint64_t low = 0, high = 0xFFFFFFFF;
    while (low < high) {
        uint64_t middle = (low + high + 1) / 2;
        if (middle * middle <= x)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

int main(void)
{
    for (int i = 0; i < COUNT; ++i)
        for (int k = 0; k < COUNT; ++k) {
            uint64_t a = edges[i], b = edges[k];
            int64_t x = (int64_t)a, y = (int64_t)b;
            note(a + b), note(a - b), note(a * b), note(a & b), note(a | b), note(a ^ b);
            note(high_product(a, b));
            hash = fold(hash, (uint32_t)((a < b) | (a <= b) << 1 | (a == b) << 2 | (x < y) << 3 | (x <= y) << 4));
            if (b)
                divide(a, b);
        }
    say("edges %08x\n", hash);
    for (int shift = 0; shift < 64; ++shift) {
        uint64_t a = 0x9234567890ABCDEFull;
        note(a << shift), note(a >> shift), note((uint64_t)((int64_t)a >> shift));
        EXPECT((a << shift >> shift) == (a & (UINT64_MAX >> shift)));
    }
    say("shifts %08x\n", hash);
    for (int i = 0; i < 60; ++i) {
        uint64_t a = (uint64_t)random_word() << 32 | random_word(), b = a >> random_below(60);
        divide(a, ((uint64_t)random_word() << 32 | random_word()) >> random_below(63) | 1);
        uint64_t r = root(b);
        EXPECT(r * r <= b && (r == 0xFFFFFFFF || (r + 1) * (r + 1) > b));
        note(r);
        uint64_t sum, product;
        bool over = __builtin_add_overflow(a, b, &sum), many = __builtin_mul_overflow(b, (uint64_t)random_word(), &product);
        EXPECT(over == (sum < a));
        note(sum + over), note(product + many);
        int64_t signed_sum;
        over = __builtin_sub_overflow((int64_t)a, (int64_t)~b, &signed_sum);
        note((uint64_t)signed_sum * 2 + over);
    }
    say("random %08x\n", hash);
    return 0;
}
