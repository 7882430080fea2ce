/* N queens: by arrays, by bits, and all solutions of a small board told apart by symmetry. */
#include "runtime.h"

static int rows[10];
static uint32_t boards[100];
static int found;

static bool safe(int column, int row)
{
    for (int c = 0; c < column; ++c)
        if (rows[c] == row || rows[c] - row == column - c || row - rows[c] == column - c)
            return false;
    return true;
}

static int place(int column, int n)
{
    int count = 0;
    if (column == n) {
        uint32_t board = 0;
        for (int c = 0; c < n; ++c)
            board |= (uint32_t)rows[c] << 4 * c;
        if (found < 100)
            boards[found++] = board;
        return 1;
    }
    for (int row = 0; row < n; ++row)
        if (safe(column, row)) {
            rows[column] = row;
            count += place(column + 1, n);
        }
    return count;
}

static int place_bits(uint32_t all, uint32_t used, uint32_t up, uint32_t down)
{
    int count = used == all;
    for (uint32_t free = all & ~(used | up | down); free; free &= free - 1) {
        uint32_t bit = free & (0 - free);
        count += place_bits(all, used | bit, (up | bit) << 1, (down | bit) >> 1);
    }
    return count;
}

/* A quarter turn, or a reflection. */
static uint32_t moved(uint32_t board, int n, bool mirror)
{
    uint32_t out = 0;
    for (int c = 0; c < n; ++c) {
        int row = (int)(board >> 4 * c & 15);
        out |= mirror ? (uint32_t)row << 4 * (n - 1 - c) : (uint32_t)(n - 1 - c) << 4 * row;
    }
    return out;
}

static int distinct(int n)
{
    int count = 0;
    for (int i = 0; i < found; ++i) {
        uint32_t least = boards[i], board = boards[i];
        for (int turn = 0; turn < 8; ++turn) {
            board = moved(board, n, turn == 4);
            least = board < least ? board : least;
        }
        count += least == boards[i];
    }
    return count;
}

int main(void)
{
    static const int solutions[] = {1, 0, 0, 2, 10, 4, 40, 92};
    for (int n = 1; n <= 7; ++n) {
        found = 0;
        int count = place(0, n);
        EXPECT(count == solutions[n - 1] && place_bits((1u << n) - 1, 0, 0, 0) == count);
        say("%d: %d, %d without symmetries, %08x\n", n, count, distinct(n), fold_bytes(0, boards, (size_t)found * 4));
    }
    EXPECT(place_bits(255, 0, 0, 0) == 92);
    return 0;
}
