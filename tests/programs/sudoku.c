/* Sudoku by masks of candidates: the cell with the fewest first. */
#include "runtime.h"

static uint16_t row_used[9], column_used[9], box_used[9];
static uint8_t cells[81];
static int tries;

static uint16_t candidates(int cell)
{
    int r = cell / 9, c = cell % 9;
    return (uint16_t)(~(row_used[r] | column_used[c] | box_used[r / 3 * 3 + c / 3]) & 0x1FF);
}

static void flip(int cell, uint16_t bit)
{
    int r = cell / 9, c = cell % 9;
    row_used[r] ^= bit;
    column_used[c] ^= bit;
    box_used[r / 3 * 3 + c / 3] ^= bit;
}

static int count_bits(uint16_t mask)
{
    int n = 0;
    for (; mask; mask &= (uint16_t)(mask - 1))
        ++n;
    return n;
}

/* Solutions, at most limit; the cells stay filled with the last one when that is reached. */
static int solve(int limit)
{
    int best = -1, fewest = 10, count = 0;
    for (int cell = 0; cell < 81 && fewest > 1; ++cell)
        if (!cells[cell]) {
            int n = count_bits(candidates(cell));
            if (n < fewest) {
                fewest = n;
                best = cell;
            }
        }
    if (best < 0)
        return 1;
    for (uint16_t mask = candidates(best); mask; mask &= (uint16_t)(mask - 1)) {
        uint16_t bit = (uint16_t)(mask & -mask);
        int digit = 1;
        while (bit >> digit)
            ++digit;
        ++tries;
        cells[best] = (uint8_t)digit;
        flip(best, bit);
        count += solve(limit - count);
        if (count >= limit)
            return count;
        flip(best, bit);
        cells[best] = 0;
    }
    return count;
}

static bool load(const char *text)
{
    memset(row_used, 0, sizeof row_used);
    memset(column_used, 0, sizeof column_used);
    memset(box_used, 0, sizeof box_used);
    for (int cell = 0; cell < 81; ++cell) {
        int digit = text[cell] == '.' ? 0 : text[cell] - '0';
        cells[cell] = (uint8_t)digit;
        if (digit) {
            uint16_t bit = (uint16_t)(1 << (digit - 1));
            if (!(candidates(cell) & bit))
                return false;
            flip(cell, bit);
        }
    }
    tries = 0;
    return true;
}

int main(void)
{
    static const char *const puzzles[] = {
        "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79",
        "1........2........3........4........5........6........7........8........9........",
        "55...............................................................................",
    };
    for (int i = 0; i < 3; ++i) {
        if (!load(puzzles[i])) {
            say("contradiction\n");
            continue;
        }
        int count = solve(1);
        say("%d: %d with %d tries\n", i, count, tries);
        for (int cell = 0; cell < 81; ++cell)
            say("%u%s", cells[cell], cell % 9 == 8 ? "\n" : "");
        for (int k = 0; k < 9; ++k)
            EXPECT(row_used[k] == 0x1FF && column_used[k] == 0x1FF && box_used[k] == 0x1FF);
    }
    load(puzzles[0]);
    EXPECT(solve(2) == 1);
    return 0;
}
