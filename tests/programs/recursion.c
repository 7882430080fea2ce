/* Recursion of every kind: deep, double, nested, mutual, by pointers; permutations, towers, flood fill, Gray codes. */
#include "runtime.h"

static uint32_t ackermann(uint32_t m, uint32_t n)
{
    return !m ? n + 1 : !n ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static uint32_t fibonacci(uint32_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static int tak(int x, int y, int z)
{
    return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

static bool is_odd(uint32_t n);

static bool is_even(uint32_t n)
{
    return n ? is_odd(n - 1) : true;
}

static bool is_odd(uint32_t n)
{
    return n ? is_even(n - 1) : false;
}

static int female(int n);

static int male(int n)
{
    return n ? n - female(male(n - 1)) : 0;
}

static int female(int n)
{
    return n ? n - male(female(n - 1)) : 1;
}

static uint32_t moves, towers;

static void hanoi(int discs, int from, int to)
{
    if (!discs)
        return;
    hanoi(discs - 1, from, 3 - from - to);
    ++moves;
    towers = fold(towers, (uint32_t)(from * 3 + to));
    hanoi(discs - 1, 3 - from - to, to);
}

static uint32_t permutations(char *text, int at, uint32_t hash)
{
    if (!text[at])
        return fold_bytes(hash, text, strlen(text));
    for (int i = at; text[i]; ++i) {
        char t = text[at];
        text[at] = text[i], text[i] = t;
        hash = permutations(text, at + 1, hash);
        t = text[at];
        text[at] = text[i], text[i] = t;
    }
    return hash;
}

static char field[12][25];

static int flood(int y, int x, char with)
{
    if (y < 0 || x < 0 || y > 11 || x > 23 || field[y][x] != '.')
        return 0;
    field[y][x] = with;
    return 1 + flood(y, x + 1, with) + flood(y + 1, x, with) + flood(y, x - 1, with) + flood(y - 1, x, with);
}

typedef uint32_t step(uint32_t);

static uint32_t half_or_triple(uint32_t n)
{
    return n % 2 ? 3 * n + 1 : n / 2;
}

static uint32_t digits_squared(uint32_t n)
{
    return n ? n % 10 * (n % 10) + digits_squared(n / 10) : 0;
}

static int steps_to_one(step *next, uint32_t n, int limit)
{
    return n == 1 || !limit ? 0 : 1 + steps_to_one(next, next(n), limit - 1);
}

int main(void)
{
    EXPECT(ackermann(2, 9) == 21 && ackermann(3, 3) == 61);
    EXPECT(fibonacci(17) == 1597 && tak(9, 6, 2) == 6);
    EXPECT(is_even(600) && !is_even(601));
    for (int i = 0; i < 12; ++i)
        say("%d/%d ", male(i), female(i));
    hanoi(9, 0, 2);
    EXPECT(moves == 511);
    say("\ntowers %08x\n", towers);
    char letters[] = "abcde";
    say("permutations %08x\n", permutations(letters, 0, 0));
    EXPECT(strcmp(letters, "abcde") == 0);
    for (int i = 0; i < 12 * 24; ++i)
        field[i / 24][i % 24] = random_below(100) < 37 ? '#' : '.';
    int areas = 0, largest = 0;
    for (int i = 0; i < 12 * 24; ++i) {
        int size = flood(i / 24, i % 24, (char)('a' + areas % 26));
        areas += size > 0;
        largest = size > largest ? size : largest;
    }
    say("%d areas, largest %d\n", areas, largest);
    for (int i = 0; i < 12; i += 4)
        say("%s\n", field[i]);
    say("%d %d %d\n", steps_to_one(half_or_triple, 27, 200), steps_to_one(digits_squared, 7, 50),
        steps_to_one(digits_squared, 4, 50));
    return 0;
}
