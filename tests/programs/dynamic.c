/* Dynamic programming: edit distance, common subsequences, knapsack, coins, matrix chains, partitions. */
#include "runtime.h"

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

static int edits(const char *a, const char *b)
{
    int row[32], n = (int)strlen(b);
    for (int j = 0; j <= n; ++j)
        row[j] = j;
    for (int i = 0; a[i]; ++i) {
        int corner = i;
        row[0] = i + 1;
        for (int j = 0; j < n; ++j) {
            int straight = corner + (a[i] != b[j]);
            corner = row[j + 1];
            row[j + 1] = least(straight, least(corner, row[j]) + 1);
        }
    }
    return row[n];
}

static int edits_by_recursion(const char *a, const char *b)
{
    if (!*a || !*b)
        return (int)(strlen(a) + strlen(b));
    if (*a == *b)
        return edits_by_recursion(a + 1, b + 1);
    return 1 + least(edits_by_recursion(a + 1, b + 1), least(edits_by_recursion(a + 1, b), edits_by_recursion(a, b + 1)));
}

static int common(const char *a, const char *b, char *out)
{
    static uint8_t table[32][32];
    int n = (int)strlen(a), m = (int)strlen(b), length = 0;
    memset(table, 0, sizeof table);
    for (int i = n; i-- > 0;)
        for (int j = m; j-- > 0;)
            table[i][j] = (uint8_t)(a[i] == b[j] ? table[i + 1][j + 1] + 1 : most(table[i + 1][j], table[i][j + 1]));
    for (int i = 0, j = 0; table[i][j];) {
        if (a[i] == b[j]) {
            out[length++] = a[i++];
            ++j;
        } else if (table[i + 1][j] >= table[i][j + 1]) {
            ++i;
        } else {
            ++j;
        }
    }
    out[length] = 0;
    return length;
}

enum { ITEMS = 10, CAPACITY = 60 };

static int knapsack(const int *weights, const int *values)
{
    int table[CAPACITY + 1] = {0};
    for (int i = 0; i < ITEMS; ++i)
        for (int w = CAPACITY; w >= weights[i]; --w)
            table[w] = most(table[w], table[w - weights[i]] + values[i]);
    return table[CAPACITY];
}

static int knapsack_all(const int *weights, const int *values)
{
    int best = 0;
    for (uint32_t chosen = 0; chosen < 1u << ITEMS; ++chosen) {
        int weight = 0, value = 0;
        for (int i = 0; i < ITEMS; ++i)
            if (chosen >> i & 1)
                weight += weights[i], value += values[i];
        best = weight <= CAPACITY ? most(best, value) : best;
    }
    return best;
}

static uint64_t partitions(int n)
{
    uint64_t ways[120] = {1};
    for (int part = 1; part <= n; ++part)
        for (int i = part; i <= n; ++i)
            ways[i] += ways[i - part];
    return ways[n];
}

static int chain(const int *sizes, int count)
{
    int cost[12][12] = {{0}};
    for (int length = 2; length <= count; ++length)
        for (int i = 0; i + length <= count; ++i) {
            int j = i + length - 1;
            cost[i][j] = INT32_MAX;
            for (int k = i; k < j; ++k)
                cost[i][j] = least(cost[i][j], cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1]);
        }
    return cost[0][count - 1];
}

int main(void)
{
    static const char *const words[] = {"", "kitten", "sitting", "saturday", "sunday", "kernel", "colonel"};
    char out[32];
    EXPECT(edits("kitten", "sitting") == 3 && edits("saturday", "sunday") == 3);
    for (int i = 0; i < 7; ++i) {
        for (int k = 0; k < 7; ++k) {
            int distance = edits(words[i], words[k]);
            EXPECT(distance == edits(words[k], words[i]));
            EXPECT(strlen(words[i]) + strlen(words[k]) > 11 || distance == edits_by_recursion(words[i], words[k]));
            common(words[i], words[k], out);
            say("%d%s ", distance, out);
        }
        say("\n");
    }
    for (int round = 0; round < 4; ++round) {
        int weights[ITEMS], values[ITEMS];
        for (int i = 0; i < ITEMS; ++i) {
            weights[i] = (int)random_below(20) + 3;
            values[i] = weights[i] + (int)random_below(15);
        }
        int best = knapsack(weights, values);
        EXPECT(best == knapsack_all(weights, values));
        say("knapsack %d\n", best);
    }
    static const int sizes[] = {30, 35, 15, 5, 10, 20, 25};
    EXPECT(chain(sizes, 6) == 15125);
    EXPECT(partitions(100) == 190569292);
    say("%llu\n", (unsigned long long)partitions(119));
    return 0;
}
