/* Bit tricks next to plain loops. */
#include "runtime.h"

static int count_loop(uint32_t x)
{
    int n = 0;
    for (int i = 0; i < 32; ++i)
        n += x >> i & 1;
    return n;
}

static uint32_t reverse(uint32_t x)
{
    x = (x & 0x55555555) << 1 | (x >> 1 & 0x55555555);
    x = (x & 0x33333333) << 2 | (x >> 2 & 0x33333333);
    x = (x & 0x0F0F0F0F) << 4 | (x >> 4 & 0x0F0F0F0F);
    return __builtin_bswap32(x);
}

static uint32_t reverse_loop(uint32_t x)
{
    uint32_t out = 0;
    for (int i = 0; i < 32; ++i)
        out |= (x >> i & 1) << (31 - i);
    return out;
}

static uint32_t round_up(uint32_t x)
{
    --x;
    for (int i = 1; i < 32; i *= 2)
        x |= x >> i;
    return x + 1;
}

static uint32_t interleave(uint32_t x)
{
    x &= 0xFFFF;
    x = (x | x << 8) & 0x00FF00FF;
    x = (x | x << 4) & 0x0F0F0F0F;
    x = (x | x << 2) & 0x33333333;
    return (x | x << 1) & 0x55555555;
}

static uint32_t gather(uint32_t x)
{
    uint32_t out = 0;
    for (int i = 0; i < 16; ++i)
        out |= (x >> 2 * i & 1) << i;
    return out;
}

static int log_by_multiply(uint32_t x)
{
    static const uint8_t table[32] = {0, 9, 1, 10, 13, 21, 2, 29, 11, 14, 16, 18, 22, 25, 3, 30,
                                      8, 12, 20, 28, 15, 17, 24, 7, 19, 27, 23, 6, 26, 5, 4, 31};
    for (int i = 1; i < 32; i *= 2)
        x |= x >> i;
    return table[x * 0x07C4ACDDu >> 27];
}

static uint32_t root(uint32_t x)
{
    uint32_t result = 0;
    for (uint32_t bit = 1u << 30; bit; bit >>= 2) {
        if (x >= result + bit) {
            x -= result + bit;
            result = (result >> 1) + bit;
        } else {
            result >>= 1;
        }
    }
    return result;
}

typedef struct {
    unsigned a : 3, b : 7, c : 12;
    int d : 5, e : 5;
} fields;

int main(void)
{
    uint32_t hash = 0;
    for (int i = 0; i < 300; ++i) {
        uint32_t x = random_word() >> i % 31, y = random_word();
        EXPECT(__builtin_popcount(x) == count_loop(x) && __builtin_parity(x) == count_loop(x) % 2);
        EXPECT(reverse(x) == reverse_loop(x) && reverse(reverse(y)) == y);
        EXPECT(gather(interleave(x)) == (x & 0xFFFF));
        if (x) {
            EXPECT(__builtin_ctz(x) == count_loop((x & (0 - x)) - 1));
            EXPECT(31 - __builtin_clz(x) == log_by_multiply(x));
            EXPECT(x > 0x80000000 || (round_up(x) >= x && count_loop(round_up(x)) == 1 && round_up(x) / 2 < x));
        }
        uint64_t wide = (uint64_t)x << 32 | y;
        EXPECT(__builtin_popcountll(wide) == count_loop(x) + count_loop(y));
        EXPECT(!wide || __builtin_ctzll(wide) == (y ? __builtin_ctz(y) : 32 + __builtin_ctz(x)));
        EXPECT(!wide || __builtin_clzll(wide) == (x ? __builtin_clz(x) : 32 + __builtin_clz(y)));
        EXPECT(__builtin_bswap64(wide) == ((uint64_t)__builtin_bswap32(y) << 32 | __builtin_bswap32(x)));
        uint64_t r = root(x);
        EXPECT(r * r <= x && (r + 1) * (r + 1) > x);
        /* Without branches: least, absolute value, average, sign. */
        int32_t a = (int32_t)x, b = (int32_t)y, mask = a >> 31;
        EXPECT((b ^ ((a ^ b) & -(a < b))) == (a < b ? a : b));
        EXPECT((uint32_t)((x ^ (uint32_t)mask) - (uint32_t)mask) == (a < 0 ? 0 - x : x));
        EXPECT((x & y) + ((x ^ y) >> 1) == (uint32_t)(((uint64_t)x + y) / 2));
        fields f = {.a = x, .b = y, .c = x >> 3, .d = (int)(y & 31) - 16, .e = (int)(x & 31) - 16};
        f.b += 3, f.d += f.a, f.c ^= f.b;
        uint32_t image;
        memcpy(&image, &f, 4);
        hash = fold(fold(hash, image), reverse(x) ^ interleave(y) ^ (uint32_t)(f.d * f.e));
    }
    say("%08x\n", hash);
    for (uint32_t gray = 0; gray < 16; ++gray)
        say("%x ", gray ^ gray >> 1);
    say("\n");
    return 0;
}
