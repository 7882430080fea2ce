/* Conway's Life on a torus: cell by cell, and 32 cells at once by adding bits. */
#include "runtime.h"

enum { SIZE = 32 };
static uint8_t grid[SIZE][SIZE], other[SIZE][SIZE];
static uint32_t words[SIZE];

static void step_cells(void)
{
    for (int y = 0; y < SIZE; ++y)
        for (int x = 0; x < SIZE; ++x) {
            int n = -grid[y][x];
            for (int dy = SIZE - 1; dy <= SIZE + 1; ++dy)
                for (int dx = SIZE - 1; dx <= SIZE + 1; ++dx)
                    n += grid[(y + dy) % SIZE][(x + dx) % SIZE];
            other[y][x] = n == 3 || (n == 2 && grid[y][x]);
        }
    memcpy(grid, other, sizeof grid);
}

static uint32_t turn(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

/* Adds a bit to each of 32 counters of three bits; they stay at 4 to 7 when above 3. */
static void count(uint32_t *sum, uint32_t bits)
{
    uint32_t carry = sum[0] & bits;
    sum[0] ^= bits;
    uint32_t high = sum[1] & carry;
    sum[1] ^= carry;
    sum[2] |= high;
}

static void step_words(void)
{
    uint32_t next[SIZE];
    for (int y = 0; y < SIZE; ++y) {
        uint32_t above = words[(y + SIZE - 1) % SIZE], here = words[y], below = words[(y + 1) % SIZE];
        uint32_t sum[3] = {0, 0, 0};
        count(sum, above), count(sum, below);
        count(sum, turn(above, 1)), count(sum, turn(above, 31));
        count(sum, turn(here, 1)), count(sum, turn(here, 31));
        count(sum, turn(below, 1)), count(sum, turn(below, 31));
        next[y] = ~sum[2] & sum[1] & (sum[0] | here);
    }
    memcpy(words, next, sizeof words);
}

static bool equal(void)
{
    for (int y = 0; y < SIZE; ++y)
        for (int x = 0; x < SIZE; ++x)
            if ((words[y] >> x & 1) != grid[y][x])
                return false;
    return true;
}

static void load(const char *rows, int at)
{
    for (int x = at, y = at; *rows; ++rows)
        if (*rows == '/') {
            ++y;
            x = at;
        } else {
            grid[y][x] = *rows == 'o';
            words[y] |= (uint32_t)grid[y][x] << x;
            ++x;
        }
}

int main(void)
{
    static const char *const patterns[] = {".o./..o/ooo", ".oo/oo./.o.", "ooo"};
    for (int i = 0; i < 3; ++i) {
        memset(grid, 0, sizeof grid);
        memset(words, 0, sizeof words);
        load(patterns[i], 14);
        for (int step = 0; step < 3; ++step) {
            step_cells();
            step_words();
        }
        EXPECT(equal());
        for (int step = 0; step < 61; ++step)
            step_words();
        int alive = 0;
        for (int y = 0; y < SIZE; ++y)
            for (int x = 0; x < SIZE; ++x)
                alive += words[y] >> x & 1;
        say("%s: %d alive, %08x\n", patterns[i], alive, fold_bytes(0, words, sizeof words));
        EXPECT(i == 1 || alive == (i == 0 ? 5 : 3));
    }
    return 0;
}
