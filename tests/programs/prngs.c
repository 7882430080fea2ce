/* Random number generators with known outputs, and what their numbers look like. */
#include "runtime.h"

static uint32_t twister[624];
static int twister_at;

static void twister_seed(uint32_t seed)
{
    for (uint32_t i = 0; i < 624; ++i) {
        twister[i] = seed;
        seed = 1812433253u * (seed ^ seed >> 30) + i + 1;
    }
    twister_at = 624;
}

static uint32_t twister_next(void)
{
    if (twister_at == 624) {
        for (int i = 0; i < 624; ++i) {
            uint32_t y = (twister[i] & 0x80000000u) | (twister[(i + 1) % 624] & 0x7FFFFFFFu);
            twister[i] = twister[(i + 397) % 624] ^ y >> 1 ^ (y & 1 ? 0x9908B0DFu : 0);
        }
        twister_at = 0;
    }
    uint32_t y = twister[twister_at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680u;
    y ^= y << 15 & 0xEFC60000u;
    return y ^ y >> 18;
}

static uint64_t split_state;

static uint64_t split_mix(void)
{
    uint64_t z = split_state += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static uint64_t pcg_state, pcg_step;

static uint32_t pcg(void)
{
    uint64_t old = pcg_state;
    pcg_state = old * 6364136223846793005ull + pcg_step;
    uint32_t mixed = (uint32_t)((old >> 18 ^ old) >> 27);
    int turn = (int)(old >> 59);
    return mixed >> turn | mixed << (-turn & 31);
}

static void pcg_seed(uint64_t state, uint64_t sequence)
{
    pcg_state = 0;
    pcg_step = sequence << 1 | 1;
    pcg();
    pcg_state += state;
    pcg();
}

static uint32_t minimal(void)
{
    static uint32_t state = 1;
    state = (uint32_t)((uint64_t)state * 16807 % 2147483647);
    return state;
}

/* Chi-squared of 16 bins, in 16ths. */
static uint32_t spread(uint32_t (*next)(void), int shift)
{
    uint32_t bins[16] = {0}, sum = 0;
    for (int i = 0; i < 800; ++i)
        ++bins[next() >> shift & 15];
    for (int i = 0; i < 16; ++i)
        sum += (bins[i] - 50) * (bins[i] - 50) * 16 / 50;
    return sum;
}

int main(void)
{
    twister_seed(5489);
    EXPECT(twister_next() == 3499211612u);
    for (int i = 2; i < 10000; ++i)
        twister_next();
    EXPECT(twister_next() == 4123659995u);
    split_state = 1234567;
    EXPECT(split_mix() == 6457827717110365317ull && split_mix() == 3203168211198807973ull);
    pcg_seed(42, 54);
    EXPECT(pcg() == 0xa15c02b7u && pcg() == 0x7b47f409u);
    for (int i = 1; i < 300; ++i)
        minimal();
    say("%u %u %016llx\n", twister_next(), pcg(), (unsigned long long)split_mix());
    say("minimal %u\n", minimal());
    uint32_t (*const generators[])(void) = {twister_next, pcg, minimal, random_word};
    for (int i = 0; i < 4; ++i) {
        uint32_t high = spread(generators[i], 27), low = spread(generators[i], 4);
        EXPECT(high < 16 * 45 && low < 16 * 45);
        say("%d: %u %u\n", i, high, low);
    }
    /* Pi by darts. */
    int inside = 0;
    for (int i = 0; i < 2000; ++i) {
        float x = (float)(pcg() >> 8) * 0x1p-24f, y = (float)(pcg() >> 8) * 0x1p-24f;
        inside += x * x + y * y < 1;
    }
    say("%d of 2000\n", inside);
    return 0;
}
