/* Six ways of sorting, which must agree. */
#include "runtime.h"

enum { COUNT = 256 };
typedef void sorter(int32_t *v, int n);

static void swap(int32_t *a, int32_t *b)
{
    int32_t t = *a;
    *a = *b;
    *b = t;
}

static void insertion(int32_t *v, int n)
{
    for (int i = 1; i < n; ++i) {
        int32_t x = v[i];
        int j = i;
        for (; j > 0 && v[j - 1] > x; --j)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

static void shell(int32_t *v, int n)
{
    for (int gap = n / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11)
        for (int i = gap; i < n; ++i)
            for (int j = i; j >= gap && v[j - gap] > v[j]; j -= gap)
                swap(&v[j], &v[j - gap]);
}

static void sink(int32_t *v, int root, int n)
{
    for (int child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && v[child + 1] > v[child])
            ++child;
        if (v[root] >= v[child])
            return;
        swap(&v[root], &v[child]);
    }
}

static void heap(int32_t *v, int n)
{
    for (int i = n / 2; i-- > 0;)
        sink(v, i, n);
    while (--n > 0) {
        swap(&v[0], &v[n]);
        sink(v, 0, n);
    }
}

static void quick(int32_t *v, int n)
{
    while (n > 12) {
        int32_t pivot = v[n / 2];
        int i = 0, j = n - 1;
        while (i <= j) {
            while (v[i] < pivot)
                ++i;
            while (v[j] > pivot)
                --j;
            if (i <= j)
                swap(&v[i++], &v[j--]);
        }
        quick(v, j + 1);
        v += i;
        n -= i;
    }
    insertion(v, n);
}

static void merge(int32_t *v, int n)
{
    static int32_t spare[COUNT];
    if (n < 2)
        return;
    int half = n / 2;
    merge(v, half);
    merge(v + half, n - half);
    memcpy(spare, v, (size_t)half * sizeof *v);
    for (int i = 0, j = half, k = 0; i < half; ++k)
        v[k] = j < n && v[j] < spare[i] ? v[j++] : spare[i++];
}

static void radix(int32_t *v, int n)
{
    static int32_t spare[COUNT];
    for (int shift = 0; shift < 32; shift += 8) {
        int start[257] = {0};
        uint32_t flip = shift == 24 ? 0x80 : 0;
        for (int i = 0; i < n; ++i)
            ++start[(((uint32_t)v[i] >> shift & 255) ^ flip) + 1];
        for (int i = 0; i < 256; ++i)
            start[i + 1] += start[i];
        for (int i = 0; i < n; ++i)
            spare[start[((uint32_t)v[i] >> shift & 255) ^ flip]++] = v[i];
        memcpy(v, spare, (size_t)n * sizeof *v);
    }
}

static int32_t value(int kind, int i)
{
    switch (kind) {
    case 0: return (int32_t)random_word();
    case 1: return i - 50;
    case 2: return 50 - i;
    default: return (int32_t)random_below(7) - 3;
    }
}

int main(void)
{
    static const struct {
        const char *name;
        sorter *sort;
    } ways[] = {{"insertion", insertion}, {"shell", shell}, {"heap", heap},
                {"quick", quick}, {"merge", merge}, {"radix", radix}};
    static int32_t data[COUNT], first[COUNT], v[COUNT];
    for (int kind = 0; kind < 4; ++kind) {
        int n = kind == 0 ? COUNT : 100;
        for (int i = 0; i < n; ++i)
            data[i] = value(kind, i);
        for (size_t way = 0; way < sizeof ways / sizeof *ways; ++way) {
            memcpy(v, data, sizeof v);
            ways[way].sort(v, n);
            if (way == 0)
                memcpy(first, v, sizeof v);
            EXPECT(memcmp(v, first, sizeof v) == 0);
            for (int i = 1; i < n; ++i)
                EXPECT(v[i - 1] <= v[i]);
            say("%9s %08x\n", ways[way].name, fold_bytes(0, v, sizeof v));
        }
    }
    return 0;
}
