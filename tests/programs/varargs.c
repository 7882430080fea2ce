/* Arguments without names: ints, doubles, 64-bit numbers on even registers, structures, lists handed on and copied. */
#include "runtime.h"

typedef struct {
    short x, y;
} pair;
typedef struct {
    int v[5];
} five;

static int sum(int count, ...)
{
    va_list list;
    int total = 0;
    va_start(list, count);
    while (count--)
        total += va_arg(list, int);
    va_end(list);
    return total;
}

/* By letters: i int, l 64 bits, d double, s text, p pair, v five ints, c char. */
static uint32_t mixed_list(const char *kinds, va_list list)
{
    uint32_t hash = 0;
    for (; *kinds; ++kinds) {
        switch (*kinds) {
        case 'i': hash = fold(hash, (uint32_t)va_arg(list, int)); break;
        case 'c': hash = fold(hash, (uint32_t)(char)va_arg(list, int)); break;
        case 'l': {
            uint64_t value = va_arg(list, uint64_t);
            hash = fold(fold(hash, (uint32_t)value), (uint32_t)(value >> 32));
            break;
        }
        case 'd': hash = fold(hash, (uint32_t)(double_bits(va_arg(list, double)) >> 20)); break;
        case 's': {
            const char *text = va_arg(list, const char *);
            hash = fold_bytes(hash, text, strlen(text));
            break;
        }
        case 'p': {
            pair p = va_arg(list, pair);
            hash = fold(hash, (uint32_t)(p.x * 1000 + p.y));
            break;
        }
        default: {
            five f = va_arg(list, five);
            hash = fold_bytes(hash, &f, sizeof f);
        }
        }
    }
    return hash;
}

static uint32_t mixed(const char *kinds, ...)
{
    va_list list;
    va_start(list, kinds);
    uint32_t hash = mixed_list(kinds, list);
    va_end(list);
    return hash;
}

/* Both go through the same arguments. */
static bool twice(float first, uint64_t second, const char *kinds, ...)
{
    va_list list, again;
    va_start(list, kinds);
    va_copy(again, list);
    uint32_t a = mixed_list(kinds, list), b = mixed_list(kinds, again);
    va_end(list);
    va_end(again);
    say("%08x %llu %08x\n", float_bits(first), (unsigned long long)second, a);
    return a == b;
}

static int least(int first, ...)
{
    va_list list;
    va_start(list, first);
    int best = first;
    for (int next; (next = va_arg(list, int)) >= 0;)
        best = next < best ? next : best;
    va_end(list);
    return best;
}

int main(void)
{
    EXPECT(sum(0) == 0 && sum(3, 1, 2, 3) == 6 && sum(12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) == 78);
    EXPECT(least(5, 9, 3, 7, -1) == 3);
    pair p = {3, -4};
    five f = {{1, 2, 3, 4, 5}};
    say("%08x\n", mixed("il", 1, 0x123456789ABCDEFull));
    say("%08x\n", mixed("iil", 1, 2, 0x123456789ABCDEFull));
    say("%08x\n", mixed("dididi", 1.5, 2, 3.25, 4, -0.0, 5));
    say("%08x\n", mixed("iiiiiil", 1, 2, 3, 4, 5, 6, UINT64_MAX));
    say("%08x\n", mixed("iiiiiiil", 1, 2, 3, 4, 5, 6, 7, UINT64_MAX));
    say("%08x\n", mixed("spvslc", "text", p, f, "", (uint64_t)42, 'q'));
    say("%08x\n", mixed("ivvpd", 7, f, f, p, (double)0.1f));
    EXPECT(mixed("lil", (uint64_t)1, 2, (uint64_t)3) == mixed("lil", (uint64_t)1, 2, (uint64_t)3));
    EXPECT(twice(2.5f, 1ull << 40, "dlisp", 1.0, (uint64_t)9, 8, "seven", p));
    EXPECT(twice(-1, 0, "iiiiiiiiiil", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, (uint64_t)11));
    say("%5d|%05d|%x|%c|%s|%lld|%%\n", -42, -42, 0xBEEFu, 'z', "end", -1234567890123ll);
    return 0;
}
