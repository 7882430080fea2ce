/* A printf of its own into a buffer: flags, width, precision, integers of all sizes, and doubles digit by digit. */
#include "runtime.h"

typedef struct {
    char *at, *end;
    int written;
} sink;

typedef struct {
    bool left, plus, space, zero, other;
    int width, precision;
} style;

static void put(sink *s, char c)
{
    if (s->at < s->end)
        *s->at++ = c;
    ++s->written;
}

static void padded(sink *s, const style *st, const char *sign, const char *digits, int count, int zeros)
{
    int length = (int)strlen(sign) + zeros + count, fill = st->width > length ? st->width - length : 0;
    bool zero = st->zero && !st->left;
    for (int i = 0; !st->left && !zero && i < fill; ++i)
        put(s, ' ');
    while (*sign)
        put(s, *sign++);
    for (int i = zero ? -fill : 0; i < zeros; ++i)
        put(s, '0');
    for (int i = 0; i < count; ++i)
        put(s, digits[i]);
    for (int i = 0; st->left && i < fill; ++i)
        put(s, ' ');
}

static const char *sign_of(const style *st, bool minus)
{
    return minus ? "-" : st->plus ? "+" : st->space ? " " : "";
}

static void integer(sink *s, style *st, uint64_t value, unsigned base, bool upper, const char *sign)
{
    char digits[24];
    int n = sizeof digits;
    if (base == 16 && st->other && value)
        sign = upper ? "0X" : "0x";
    for (; value; value /= base)
        digits[--n] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[value % base];
    int count = (int)sizeof digits - n, wanted = st->precision < 0 ? 1 : st->precision;
    st->zero = st->zero && st->precision < 0;
    padded(s, st, sign, digits + n, count, wanted > count ? wanted - count : 0);
}

/* All decimal digits of |value| in units of 1e9, exactly: 36 units before the point, 120 behind. */
enum { BEFORE = 36, BEHIND = 120, UNIT = 1000000000 };

static void expand(double value, uint32_t *units)
{
    uint64_t bits = double_bits(value), mantissa = bits & ((1ull << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7FF);
    mantissa |= exponent ? 1ull << 52 : 0;
    exponent = (exponent ? exponent : 1) - 1075;
    memset(units, 0, (BEFORE + BEHIND) * sizeof *units);
    units[BEFORE - 1] = (uint32_t)(mantissa % UNIT);
    units[BEFORE - 2] = (uint32_t)(mantissa / UNIT);
    /* Two bits at a time, as far as there are digits. */
    int first = BEFORE - 2, last = BEFORE - 1;
    for (int step; mantissa && exponent > 0; exponent -= step) {
        uint32_t carry = 0;
        step = exponent > 1 ? 2 : 1;
        for (int i = BEFORE; i-- > first;) {
            uint32_t x = (units[i] << step) + carry;
            carry = x / UNIT;
            units[i] = x % UNIT;
        }
        if (carry)
            units[--first] = carry;
    }
    for (int step; mantissa && exponent < 0; exponent += step) {
        uint32_t carry = 0;
        step = exponent < -1 ? 2 : 1;
        for (int i = first; i <= last; ++i) {
            uint32_t x = units[i] + carry * UNIT;
            carry = x & ((1u << step) - 1);
            units[i] = x >> step;
        }
        if (carry)
            units[++last] = carry * UNIT >> step;
        if (!units[first])
            ++first;
    }
}

static int digit_at(const uint32_t *units, int position)
{
    static const uint32_t tens[] = {100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    return (int)(units[position / 9] / tens[position % 9] % 10);
}

static void real(sink *s, style *st, double value, char kind)
{
    static uint32_t units[BEFORE + BEHIND];
    enum { POINT = BEFORE * 9, TOTAL = (BEFORE + BEHIND) * 9 };
    char digits[80], text[80];
    const char *sign = sign_of(st, double_bits(value) >> 63);
    if (value - value != 0) {
        st->zero = false;
        padded(s, st, sign, value != value ? "nan" : "inf", 3, 0);
        return;
    }
    expand(value, units);
    int precision = st->precision < 0 ? 6 : st->precision, first = 0, count = 0, n = 0;
    while (first < TOTAL && !digit_at(units, first))
        ++first;
    if (first == TOTAL)
        first = POINT - 1;
    /* Kept are the digits from start to cut. */
    bool e = kind == 'e';
    int power = POINT - 1 - first, start = e || first < POINT ? first : POINT - 1;
    int cut = e ? start + 1 + precision : POINT + precision;
    digits[count++] = 0;
    for (int i = start; i < cut; ++i)
        digits[count++] = (char)digit_at(units, i);
    bool rest = false;
    for (int i = cut + 1; i < TOTAL && !rest; ++i)
        rest = digit_at(units, i);
    int next = digit_at(units, cut);
    if (next > 5 || (next == 5 && (rest || digits[count - 1] & 1))) {
        int i = count - 1;
        for (; digits[i] == 9; --i)
            digits[i] = 0;
        ++digits[i];
    }
    int begin = !digits[0], whole = e ? 1 : POINT - start + !begin;
    if (e && !begin) {
        ++power;
        --count;
    }
    for (int i = begin; i < count; ++i) {
        if (i == begin + whole)
            text[n++] = '.';
        text[n++] = (char)('0' + digits[i]);
    }
    if (e) {
        text[n++] = 'e';
        text[n++] = power < 0 ? '-' : '+';
        power = power < 0 ? -power : power;
        if (power >= 100)
            text[n++] = (char)('0' + power / 100);
        text[n++] = (char)('0' + power / 10 % 10);
        text[n++] = (char)('0' + power % 10);
    }
    padded(s, st, sign, text, n, 0);
}

static int number(const char **format, va_list *list)
{
    int value = 0;
    if (**format == '*') {
        ++*format;
        return va_arg(*list, int);
    }
    for (; **format >= '0' && **format <= '9'; ++*format)
        value = value * 10 + (**format - '0');
    return value;
}

static int print(char *out, size_t size, const char *format, ...)
{
    va_list list;
    sink s = {out, out + size - 1, 0};
    va_start(list, format);
    for (; *format; ++format) {
        if (*format != '%') {
            put(&s, *format);
            continue;
        }
        style st = {.precision = -1};
        for (bool more = true; more;) {
            switch (*++format) {
            case '-': st.left = true; break;
            case '+': st.plus = true; break;
            case ' ': st.space = true; break;
            case '0': st.zero = true; break;
            case '#': st.other = true; break;
            default: more = false;
            }
        }
        st.width = number(&format, &list);
        if (*format == '.') {
            ++format;
            st.precision = number(&format, &list);
        }
        int longs = 0;
        for (; *format == 'l'; ++format)
            ++longs;
        switch (*format) {
        case 'd': {
            int64_t value = longs > 1 ? va_arg(list, int64_t) : va_arg(list, int);
            integer(&s, &st, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, false, sign_of(&st, value < 0));
            break;
        }
        case 'u': case 'x': case 'X': case 'o': {
            uint64_t value = longs > 1 ? va_arg(list, uint64_t) : va_arg(list, unsigned);
            integer(&s, &st, value, *format == 'u' ? 10 : *format == 'o' ? 8 : 16, *format == 'X', "");
            break;
        }
        case 'e': case 'f': real(&s, &st, va_arg(list, double), *format); break;
        case 's': {
            const char *text = va_arg(list, const char *);
            int length = (int)strlen(text);
            padded(&s, &st, "", text, st.precision >= 0 && st.precision < length ? st.precision : length, 0);
            break;
        }
        case 'c': put(&s, (char)va_arg(list, int)); break;
        default: put(&s, *format);
        }
    }
    va_end(list);
    *s.at = 0;
    return s.written;
}

#define SHOW(wanted, ...)                               \
    do {                                                \
        int length = print(out, sizeof out, __VA_ARGS__); \
        EXPECT(length == (int)strlen(out));             \
        EXPECT(strcmp(out, wanted) == 0);               \
        say("[%s]\n", out);                             \
    } while (0)

int main(void)
{
    char out[100];
    volatile double zero = 0, one = 1;
    SHOW("42|  -42|42   |00042|+42", "%d|%5d|%-5d|%05d|%+d", 42, -42, 42, 42, 42);
    SHOW("ff FF 0xff 0X00FF 377 |", "%x %X %#x %#.4X %o %.0d|", 255, 255, 255, 255, 255, 0);
    SHOW("-9223372036854775808 18446744073709551615", "%lld %llu", INT64_MIN, UINT64_MAX);
    SHOW("abc|  ab|ab  |x%", "%s|%4.2s|%-*.2s|%c%%", "abc", "abc", 4, "abc", 'x');
    SHOW("3.141593 3.1 3 -0.50 0.000000", "%f %.1f %.0f %.2f %f", 3.14159265, 3.14159265, 3.14159265, -0.5, zero);
    SHOW("0 2 2 4 1.0 10.00", "%.0f %.0f %.0f %.0f %.1f %.2f", 0.5, 1.5, 2.5, 3.5, 0.96, 9.999);
    SHOW("1.000000e+00 1.5e-05 9.9999e+99 1e+01 0.00e+00", "%e %.1e %.4e %.0e %.2e", 1.0, 1.5e-5, 9.9999e99, 9.9, zero);
    SHOW("4.940656e-324 1.797693e+308 2.225074e-308", "%e %e %e", 4.9406564584124654e-324, 1.7976931348623157e308,
         2.2250738585072014e-308);
    SHOW("inf  -inf nan |-0.0|+1.5", "%f %5f %-4f|%.1f|%+.1f", one / zero, -one / zero, __builtin_nan(""), -zero, 1.5);
    SHOW("0.1000000000000000055511151231257827 00001.50", "%.34f %08.2f", 0.1, 1.5);
    EXPECT(print(out, 5, "%d", 123456) == 6 && strcmp(out, "1234") == 0);
    return 0;
}
