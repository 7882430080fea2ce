/* Reading numbers: integers of any base with their limits, and decimal text to float with correct rounding. */
#include "runtime.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* As strtol of 32 bits: base 0 takes 0x and 0; stays at the limit when too large. */
static int32_t integer(const char *text, const char **end, int base)
{
    const char *p = text;
    while (*p == ' ')
        ++p;
    bool minus = *p == '-';
    p += *p == '-' || *p == '+';
    if ((base == 0 || base == 16) && p[0] == '0' && (p[1] | 0x20) == 'x' && digit(p[2]) < 16) {
        p += 2;
        base = 16;
    } else if (base == 0) {
        base = *p == '0' ? 8 : 10;
    }
    uint32_t limit = (uint32_t)INT32_MAX + minus, value = 0;
    bool any = false, over = false;
    for (int d; (d = digit(*p)) < base; ++p, any = true) {
        if (over || value > (limit - (uint32_t)d) / (uint32_t)base)
            over = true;
        else
            value = value * (uint32_t)base + (uint32_t)d;
    }
    *end = any ? p : text;
    value = over ? limit : value;
    return (int32_t)(minus ? 0 - value : value);
}

enum { DIGITS = 12 };
typedef struct {
    uint32_t digit[DIGITS]; /* little end first, 32 bits each */
} large;

static void scale(large *n, uint32_t factor, uint32_t add)
{
    for (int i = 0; i < DIGITS; ++i) {
        uint64_t x = (uint64_t)n->digit[i] * factor + add;
        n->digit[i] = (uint32_t)x;
        add = (uint32_t)(x >> 32);
    }
}

static void shift_up(large *n, int count)
{
    for (; count >= 16; count -= 16)
        scale(n, 1u << 16, 0);
    scale(n, 1u << count, 0);
}

static int compare(const large *a, const large *b)
{
    for (int i = DIGITS; i-- > 0;)
        if (a->digit[i] != b->digit[i])
            return a->digit[i] < b->digit[i] ? -1 : 1;
    return 0;
}

/* The float nearest to digits * 10^exponent, by comparing with the middle between neighbours. */
static uint32_t nearest(const char *digits, int exponent)
{
    large value = {{0}};
    for (; *digits; ++digits)
        scale(&value, 10, (uint32_t)(*digits - '0'));
    for (int i = 0; i < exponent; ++i)
        scale(&value, 10, 0);
    uint32_t low = 0, high = 0x7F800000u;
    while (low < high) {
        /* The middle above float `middle` is (2m + 1) * 2^(e - 1). */
        uint32_t middle = low + (high - low) / 2, e = middle >> 23, m = middle & 0x7FFFFF;
        m = e ? m | 0x800000 : m;
        int power = (int)(e ? e : 1) - 151;
        large left = value, right = {{0}};
        right.digit[0] = 2 * m + 1;
        for (int i = 0; i < -exponent; ++i)
            scale(&right, 10, 0);
        shift_up(power < 0 ? &left : &right, power < 0 ? -power : power);
        int side = compare(&left, &right);
        if (side < 0 || (side == 0 && !(m & 1)))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int main(void)
{
    static const struct {
        const char *text;
        int base;
    } integers[] = {{"0", 10}, {"-17", 10}, {"  +42x", 10}, {"2147483647", 10}, {"2147483648", 10},
                    {"-2147483648", 10}, {"-99999999999", 10}, {"0x7fFF", 0}, {"0x", 0}, {"0755", 0},
                    {"zZ", 36}, {"1012", 2}, {"", 10}, {"-", 10}, {"8", 8}};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; ++i) {
        const char *end;
        int32_t value = integer(integers[i].text, &end, integers[i].base);
        say("\"%s\" %d: %d, %d characters\n", integers[i].text, integers[i].base, value, (int)(end - integers[i].text));
    }
    static const struct {
        const char *digits;
        int exponent;
        float value;
    } floats[] = {{"1", 0, 1.0f}, {"1", -1, 0.1f}, {"314159265", -8, 3.14159265f}, {"16777217", 0, 16777217.0f},
                  {"16777219", 0, 16777219.0f}, {"34028235", 31, 3.4028235e38f}, {"1", 39, __builtin_inff()},
                  {"1175494351", -47, 1.175494351e-38f}, {"1401298464", -54, 1.401298464e-45f}, {"7", -46, 0.0f},
                  {"8", -46, 1e-45f}};
    for (size_t i = 0; i < sizeof floats / sizeof *floats; ++i) {
        uint32_t bits = nearest(floats[i].digits, floats[i].exponent);
        EXPECT(bits == float_bits(floats[i].value));
        say("%s e%d = %08x\n", floats[i].digits, floats[i].exponent, bits);
    }
    return 0;
}
