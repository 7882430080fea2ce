/* stdio.h: printf and its kin, on the guest's arguments and texts. The host's snprintf makes a double's digits. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "exports.h"

/* Where formatted text goes: to the log, or to guest memory of which limit bytes may be written. */
typedef struct {
    p4x *x;
    bool to_log;
    uint32_t at, limit;
    uint64_t count;   /* bytes of the whole text, written or not */
    uint64_t dropped; /* of the log */
} sink;

/* Where arguments come from: a variadic call, or a va_list, which on this chip is their address. */
typedef struct {
    p4x *x;
    bool is_list;
    uint32_t at;
} arguments;

typedef struct {
    bool left, plus, space, alternate, zero;
    uint32_t width, precision;
    bool has_precision;
    enum { INT, CHAR, SHORT, LONG_LONG } length; /* long, size_t, ptrdiff_t: as int */
    char conversion;
} spec;

#define PRECISION_MOST 1100u /* a double has fewer digits: zeros follow */

static uint32_t log_room(sink *s)
{
    uint64_t so_far = s->count < P4V_TEXT_ONE ? s->count : P4V_TEXT_ONE;
    return P4V_TEXT_ONE - (uint32_t)so_far;
}

/* size bytes of text, or size times one character when text is NULL. */
static void put(sink *s, const char *text, char character, uint64_t size)
{
    uint64_t room = s->to_log ? log_room(s) : s->count < s->limit ? s->limit - s->count : 0;
    uint32_t n = (uint32_t)(size < room ? size : room);
    char *to = NULL;
    if (n && s->to_log) {
        to = s->x->text->bytes + s->x->text->end;
        s->x->text->end += n;
    } else if (n && !s->x->trapped) {
        uint32_t at = s->at + (uint32_t)s->count, can = p4x_room(s->x, at);
        if (can < n)
            p4x_store_fault(s->x, at + can);
        n = can < n ? can : n;
        to = n ? (char *)p4x_store(s->x, at, n) : NULL;
    }
    if (to && text)
        memmove(to, text, n);
    else if (to)
        memset(to, character, n);
    s->count += size;
    if (s->to_log)
        s->dropped += size - n;
}

static void put_text(sink *s, const char *text, uint64_t size) { put(s, text, 0, size); }

static void put_many(sink *s, char character, uint64_t count) { put(s, NULL, character, count); }

static uint32_t next_word(arguments *a)
{
    uint32_t value = 0;
    const uint8_t *p;
    if (!a->is_list)
        return p4x_take_u32(a->x);
    p = p4x_load(a->x, a->at, 4);
    a->at += 4;
    if (p)
        memcpy(&value, p, 4);
    return value;
}

static uint64_t next_pair(arguments *a)
{
    uint64_t low;
    if (a->is_list)
        a->at = (a->at + 7) & ~7u;
    else
        p4x_align_pair(a->x);
    low = next_word(a);
    return low | (uint64_t)next_word(a) << 32;
}

static uint64_t next_unsigned(arguments *a, const spec *f)
{
    if (f->length == LONG_LONG)
        return next_pair(a);
    switch (f->length) {
    case CHAR:
        return (uint8_t)next_word(a);
    case SHORT:
        return (uint16_t)next_word(a);
    default:
        return next_word(a);
    }
}

static int64_t next_signed(arguments *a, const spec *f)
{
    uint64_t value = next_unsigned(a, f);
    switch (f->length) {
    case CHAR:
        return (int8_t)value;
    case SHORT:
        return (int16_t)value;
    case LONG_LONG:
        return (int64_t)value;
    default:
        return (int32_t)value;
    }
}

/* prefix, then zeros, then digits, in the field's width. */
static void put_field(sink *s, const spec *f, const char *prefix, uint64_t zeros, const char *digits, uint64_t size)
{
    uint64_t all = strlen(prefix) + zeros + size, pad = f->width > all ? f->width - all : 0;
    if (!f->left && !f->zero)
        put_many(s, ' ', pad);
    put_text(s, prefix, strlen(prefix));
    put_many(s, '0', zeros + (f->zero && !f->left ? pad : 0));
    put_text(s, digits, size);
    if (f->left)
        put_many(s, ' ', pad);
}

static void put_integer(sink *s, spec *f, uint64_t magnitude, unsigned base, const char *prefix)
{
    const char *set = f->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char digits[24], *p = digits + sizeof digits;
    uint64_t size, zeros;
    for (uint64_t rest = magnitude; rest; rest /= base)
        *--p = set[rest % base];
    size = (uint64_t)(digits + sizeof digits - p);
    if (f->has_precision)
        f->zero = false;
    else
        f->precision = 1;
    zeros = f->precision > size ? f->precision - size : 0;
    if (base == 8 && f->alternate && zeros == 0)
        zeros = 1;
    put_field(s, f, prefix, zeros, p, size);
}

static const char *sign_of(const spec *f, bool negative)
{
    return negative ? "-" : f->plus ? "+" : f->space ? " " : "";
}

static void put_number(sink *s, arguments *a, spec *f)
{
    uint64_t value;
    if (f->conversion == 'd' || f->conversion == 'i') {
        int64_t number = next_signed(a, f);
        put_integer(s, f, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 10, sign_of(f, number < 0));
        return;
    }
    value = next_unsigned(a, f);
    if (f->conversion == 'u')
        put_integer(s, f, value, 10, "");
    else if (f->conversion == 'o')
        put_integer(s, f, value, 8, "");
    else
        put_integer(s, f, value, 16, !f->alternate || !value ? "" : f->conversion == 'X' ? "0X" : "0x");
}

static void put_double(sink *s, arguments *a, spec *f)
{
    static const char upper[] = "FEGA";
    char format[] = {'%', '#', '.', '*', f->conversion, 0}, digits[1600], prefix[4] = "", *tail;
    bool is_hex = f->conversion == 'a' || f->conversion == 'A', is_upper = strchr(upper, f->conversion);
    bool is_general = f->conversion == 'g' || f->conversion == 'G';
    uint64_t bits = next_pair(a), more = 0;
    int precision, size;
    locale_t before;
    double value;
    memcpy(&value, &bits, sizeof value);
    strcpy(prefix, sign_of(f, signbit(value)));
    if (!isfinite(value)) {
        f->zero = false;
        put_field(s, f, prefix, 0, isnan(value) ? (is_upper ? "NAN" : "nan") : is_upper ? "INF" : "inf", 3);
        return;
    }
    /* A negative precision counts as none: %a then has all digits, the others six. */
    precision = is_hex ? -1 : 6;
    if (f->has_precision)
        precision = (int)(f->precision < PRECISION_MOST ? f->precision : PRECISION_MOST);
    if (f->has_precision && f->precision > PRECISION_MOST && (!is_general || f->alternate))
        more = f->precision - PRECISION_MOST;
    if (!f->alternate)
        memmove(format + 1, format + 2, sizeof format - 2);
    before = uselocale(s->x->c_locale);
    size = snprintf(digits, sizeof digits, format, precision, fabs(value));
    uselocale(before);
    if (is_hex) { /* zeros of the field come behind 0x */
        size_t sign = strlen(prefix);
        memcpy(prefix + sign, digits, 2);
        prefix[sign + 2] = 0;
        size -= 2;
        memmove(digits, digits + 2, (size_t)size + 1);
    }
    tail = digits + size;
    if (more && strpbrk(digits, is_hex ? "pP" : "eE"))
        tail = strpbrk(digits, is_hex ? "pP" : "eE");
    if (more == 0) {
        put_field(s, f, prefix, 0, digits, (uint64_t)size);
    } else { /* rare: the field's padding before, the zeros inside */
        spec front = *f;
        uint64_t behind = more + (uint64_t)(digits + size - tail), all = strlen(prefix) + (uint64_t)size + more;
        front.width = !f->left && f->width > behind ? (uint32_t)(f->width - behind) : 0;
        front.left = false;
        put_field(s, &front, prefix, 0, digits, (uint64_t)(tail - digits));
        put_many(s, '0', more);
        put_text(s, tail, (uint64_t)(digits + size - tail));
        put_many(s, ' ', f->left && f->width > all ? f->width - all : 0);
    }
}

static void put_string(sink *s, arguments *a, spec *f)
{
    p4x *x = s->x;
    uint32_t at = next_word(a), room = p4x_room(x, at), most = f->has_precision ? f->precision : UINT32_MAX, n;
    const char *text = at ? (const char *)p4x_at(x, at) : "(null)", *end;
    if (at == 0)
        room = 7;
    n = most < room ? most : room;
    end = n ? memchr(text, 0, n) : NULL;
    if (!end && n < most) {
        p4x_load_fault(x, at + n);
        return;
    }
    f->zero = false;
    put_field(s, f, "", 0, text, end ? (uint64_t)(end - text) : n);
}

static void store_count(sink *s, arguments *a, const spec *f)
{
    static const uint32_t sizes[] = {[INT] = 4, [CHAR] = 1, [SHORT] = 2, [LONG_LONG] = 8};
    p4x_put(s->x, next_word(a), &s->count, sizes[f->length]);
}

/* False: not a conversion that there is. */
static bool convert(sink *s, arguments *a, spec *f)
{
    char character;
    switch (f->conversion) {
    case 'd': case 'i': case 'u': case 'o': case 'x': case 'X':
        put_number(s, a, f);
        return true;
    case 'f': case 'F': case 'e': case 'E': case 'g': case 'G': case 'a': case 'A':
        put_double(s, a, f);
        return true;
    case 's':
        put_string(s, a, f);
        return true;
    case 'c':
        character = (char)next_word(a);
        f->zero = false;
        put_field(s, f, "", 0, &character, 1);
        return true;
    case 'p':
        put_integer(s, f, next_word(a), 16, "0x");
        return true;
    case 'n':
        store_count(s, a, f);
        return true;
    case '%':
        put_text(s, "%", 1);
        return true;
    default:
        return false;
    }
}

/* A number of the format; larger ones than an int holds are as good as that. */
static const char *read_number(const char *p, uint32_t *number)
{
    uint64_t value = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        value = value < INT32_MAX ? value * 10 + (uint64_t)(*p - '0') : value;
    *number = value < INT32_MAX ? (uint32_t)value : INT32_MAX;
    return p;
}

static const char *read_flags(const char *p, spec *f)
{
    for (;; p++) {
        switch (*p) {
        case '-': f->left = true; break;
        case '+': f->plus = true; break;
        case ' ': f->space = true; break;
        case '#': f->alternate = true; break;
        case '0': f->zero = true; break;
        default: return p;
        }
    }
}

static const char *read_width(const char *p, spec *f, arguments *a)
{
    int32_t number;
    if (*p != '*')
        return read_number(p, &f->width);
    number = (int32_t)next_word(a);
    f->left |= number < 0;
    f->width = number < 0 ? 0u - (uint32_t)number : (uint32_t)number;
    return p + 1;
}

static const char *read_precision(const char *p, spec *f, arguments *a)
{
    if (*p != '.')
        return p;
    if (*++p != '*') {
        f->has_precision = true;
        return read_number(p, &f->precision);
    }
    f->precision = next_word(a);
    f->has_precision = (int32_t)f->precision >= 0;
    return p + 1;
}

static const char *read_length(const char *p, spec *f)
{
    if (p[0] == 'h') {
        f->length = p[1] == 'h' ? CHAR : SHORT;
        return p + (p[1] == 'h' ? 2 : 1);
    }
    if ((p[0] == 'l' && p[1] == 'l') || p[0] == 'j') {
        f->length = LONG_LONG;
        return p + (p[0] == 'l' ? 2 : 1);
    }
    return p + (*p == 'l' || *p == 'z' || *p == 't');
}

static void format_all(sink *s, uint32_t format, arguments *a)
{
    uint32_t size = 0;
    const char *p = p4x_string(s->x, format, &size), *percent;
    while (p && *p && !s->x->trapped) {
        spec f = {.length = INT};
        percent = strchr(p, '%');
        if (!percent) {
            put_text(s, p, strlen(p));
            return;
        }
        put_text(s, p, (uint64_t)(percent - p));
        p = read_length(read_precision(read_width(read_flags(percent + 1, &f), &f, a), &f, a), &f);
        f.conversion = *p;
        p += *p != 0;
        if (!convert(s, a, &f)) /* shown as it stands */
            put_text(s, percent, (uint64_t)(p - percent));
    }
}

static int32_t length_of(const sink *s) { return s->count <= INT32_MAX ? (int32_t)s->count : -1; }

/* What one call printed beyond the log's room is not lost in silence. */
static int32_t finish_log(sink *s)
{
    p4v_text *text = s->x->text;
    if (s->dropped)
        text->end += (uint32_t)snprintf(text->bytes + text->end, P4V_TEXT_NOTE,
                                        "\n[%llu more characters were not kept]\n", (unsigned long long)s->dropped);
    return length_of(s);
}

static int32_t to_log(p4x *x, uint32_t format, arguments a)
{
    sink s = {.x = x, .to_log = true};
    format_all(&s, format, &a);
    return finish_log(&s);
}

static int32_t to_memory(p4x *x, uint32_t to, uint32_t size, uint32_t format, arguments a)
{
    sink s = {.x = x, .at = to, .limit = size ? size - 1 : 0};
    format_all(&s, format, &a);
    if (size && !x->trapped)
        p4x_put(x, to + (uint32_t)(s.count < s.limit ? s.count : s.limit), "", 1);
    return length_of(&s);
}

int32_t p4x_print(p4x *x, uint32_t format) { return to_log(x, format, (arguments){.x = x}); }

int32_t p4x_printf(p4x *x, uint32_t format) { return p4x_print(x, format); }

int32_t p4x_vprintf(p4x *x, uint32_t format, uint32_t list)
{
    return to_log(x, format, (arguments){.x = x, .is_list = true, .at = list});
}

int32_t p4x_puts(p4x *x, uint32_t text)
{
    sink s = {.x = x, .to_log = true};
    uint32_t size;
    const char *p = p4x_string(x, text, &size);
    if (!p)
        return -1;
    put_text(&s, p, size);
    put_text(&s, "\n", 1);
    return finish_log(&s);
}

int32_t p4x_putchar(p4x *x, int32_t character)
{
    sink s = {.x = x, .to_log = true};
    put_many(&s, (char)character, 1);
    return (uint8_t)character;
}

int32_t p4x_snprintf(p4x *x, uint32_t to, uint32_t size, uint32_t format)
{
    return to_memory(x, to, size, format, (arguments){.x = x});
}

int32_t p4x_vsnprintf(p4x *x, uint32_t to, uint32_t size, uint32_t format, uint32_t list)
{
    return to_memory(x, to, size, format, (arguments){.x = x, .is_list = true, .at = list});
}

int32_t p4x_sprintf(p4x *x, uint32_t to, uint32_t format) { return p4x_snprintf(x, to, UINT32_MAX, format); }

int32_t p4x_vsprintf(p4x *x, uint32_t to, uint32_t format, uint32_t list)
{
    return p4x_vsnprintf(x, to, UINT32_MAX, format, list);
}
