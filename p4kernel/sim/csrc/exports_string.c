/* string.h on guest memory. A function that runs into the end of memory faults there, if C lets it look there. */
#include <string.h>

#include "exports.h"

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* What can be moved is moved, then the first byte that cannot be faults. */
uint32_t p4x_memmove(p4x *x, uint32_t to, uint32_t from, uint32_t size)
{
    uint32_t can_read = least(p4x_room(x, from), size), can_write = least(p4x_room(x, to), size);
    uint32_t n = least(can_read, can_write);
    if (n) {
        const uint8_t *source = p4x_at(x, from);
        memmove(p4x_store(x, to, n), source, n);
    }
    if (n < size && can_read == n)
        p4x_load_fault(x, from + n);
    else if (n < size)
        p4x_store_fault(x, to + n);
    return to;
}

uint32_t p4x_memcpy(p4x *x, uint32_t to, uint32_t from, uint32_t size) { return p4x_memmove(x, to, from, size); }

uint32_t p4x_memset(p4x *x, uint32_t to, int32_t byte, uint32_t size)
{
    uint32_t n = least(p4x_room(x, to), size);
    if (n)
        memset(p4x_store(x, to, n), byte, n);
    if (n < size)
        p4x_store_fault(x, to + n);
    return to;
}

static int32_t sign(int value) { return (value > 0) - (value < 0); }

int32_t p4x_memcmp(p4x *x, uint32_t a, uint32_t b, uint32_t size)
{
    uint32_t can_a = least(p4x_room(x, a), size), can_b = least(p4x_room(x, b), size), n = least(can_a, can_b);
    int32_t result = n ? sign(memcmp(p4x_at(x, a), p4x_at(x, b), n)) : 0;
    if (result == 0 && n < size)
        p4x_load_fault(x, (can_a == n ? a : b) + n);
    return result;
}

int32_t p4x_bcmp(p4x *x, uint32_t a, uint32_t b, uint32_t size) { return p4x_memcmp(x, a, b, size); }

static uint32_t guest(uint32_t base, const void *start, const void *found)
{
    return found ? base + (uint32_t)((const uint8_t *)found - (const uint8_t *)start) : 0;
}

uint32_t p4x_memchr(p4x *x, uint32_t in, int32_t byte, uint32_t size)
{
    uint32_t n = least(p4x_room(x, in), size);
    const uint8_t *start = p4x_at(x, in), *found = n ? memchr(start, byte, n) : NULL;
    if (!found && n < size)
        p4x_load_fault(x, in + n);
    return guest(in, start, found);
}

uint32_t p4x_memrchr(p4x *x, uint32_t in, int32_t byte, uint32_t size)
{
    const uint8_t *start = size ? p4x_load(x, in, size) : NULL;
    for (uint32_t i = start ? size : 0; i > 0; i--)
        if (start[i - 1] == (uint8_t)byte)
            return in + i - 1;
    return 0;
}

uint32_t p4x_strlen(p4x *x, uint32_t text)
{
    uint32_t size = 0;
    p4x_string(x, text, &size);
    return size;
}

uint32_t p4x_strnlen(p4x *x, uint32_t text, uint32_t limit)
{
    uint32_t end = p4x_memchr(x, text, 0, limit);
    return end ? end - text : limit;
}

typedef int comparison(const char *, const char *, size_t);

/* Compares at most limit bytes; both texts may lack an end when a difference comes before. */
static int32_t compare(p4x *x, uint32_t a, uint32_t b, uint32_t limit, comparison *function)
{
    uint32_t can_a = least(p4x_room(x, a), limit), can_b = least(p4x_room(x, b), limit), n = least(can_a, can_b);
    const char *p = (const char *)p4x_at(x, a), *q = (const char *)p4x_at(x, b);
    int32_t result = n ? sign(function(p, q, n)) : 0;
    if (result == 0 && n < limit && !(n && memchr(p, 0, n)))
        p4x_load_fault(x, (can_a == n ? a : b) + n);
    return result;
}

int32_t p4x_strcmp(p4x *x, uint32_t a, uint32_t b) { return compare(x, a, b, UINT32_MAX, strncmp); }

int32_t p4x_strncmp(p4x *x, uint32_t a, uint32_t b, uint32_t limit) { return compare(x, a, b, limit, strncmp); }

/* ASCII, whatever the process' locale is. */
static int compare_ascii(const char *a, const char *b, size_t limit)
{
    for (size_t i = 0; i < limit; i++) {
        int p = (uint8_t)a[i], q = (uint8_t)b[i];
        p += p >= 'A' && p <= 'Z' ? 32 : 0;
        q += q >= 'A' && q <= 'Z' ? 32 : 0;
        if (p != q || p == 0)
            return p - q;
    }
    return 0;
}

int32_t p4x_strcasecmp(p4x *x, uint32_t a, uint32_t b) { return compare(x, a, b, UINT32_MAX, compare_ascii); }

int32_t p4x_strncasecmp(p4x *x, uint32_t a, uint32_t b, uint32_t limit)
{
    return compare(x, a, b, limit, compare_ascii);
}

/* Copies a text, or its first limit bytes, and ends it. The end's address is the result. */
static uint32_t copy_text(p4x *x, uint32_t to, uint32_t from, uint32_t limit)
{
    uint32_t size = p4x_strnlen(x, from, limit);
    if (x->trapped)
        return to;
    p4x_memmove(x, to, from, size);
    if (!x->trapped)
        p4x_memset(x, to + size, 0, 1);
    return to + size;
}

uint32_t p4x_strcpy(p4x *x, uint32_t to, uint32_t from)
{
    copy_text(x, to, from, UINT32_MAX);
    return to;
}

uint32_t p4x_stpcpy(p4x *x, uint32_t to, uint32_t from) { return copy_text(x, to, from, UINT32_MAX); }

uint32_t p4x_strncpy(p4x *x, uint32_t to, uint32_t from, uint32_t limit)
{
    uint32_t size = p4x_strnlen(x, from, limit);
    if (!x->trapped)
        p4x_memmove(x, to, from, size);
    if (!x->trapped)
        p4x_memset(x, to + size, 0, limit - size);
    return to;
}

uint32_t p4x_strncat(p4x *x, uint32_t to, uint32_t from, uint32_t limit)
{
    uint32_t size = p4x_strlen(x, to);
    if (!x->trapped)
        copy_text(x, to + size, from, limit);
    return to;
}

uint32_t p4x_strcat(p4x *x, uint32_t to, uint32_t from) { return p4x_strncat(x, to, from, UINT32_MAX); }

uint32_t p4x_strchr(p4x *x, uint32_t in, int32_t character)
{
    uint32_t room = p4x_room(x, in);
    const uint8_t *text = p4x_at(x, in);
    for (uint32_t i = 0; i < room; i++) {
        if (text[i] == (uint8_t)character)
            return in + i;
        if (text[i] == 0)
            return 0;
    }
    p4x_load_fault(x, in + room);
    return 0;
}

uint32_t p4x_strrchr(p4x *x, uint32_t in, int32_t character)
{
    uint32_t size;
    const char *text = p4x_string(x, in, &size);
    return text ? p4x_memrchr(x, in, character, size + 1) : 0;
}

/* Two texts, both with an end. */
static bool two(p4x *x, uint32_t a, uint32_t b, const char **p, const char **q)
{
    uint32_t size;
    *p = p4x_string(x, a, &size);
    *q = p4x_string(x, b, &size);
    return *p && *q;
}

uint32_t p4x_strstr(p4x *x, uint32_t in, uint32_t part)
{
    const char *text, *other;
    return two(x, in, part, &text, &other) ? guest(in, text, strstr(text, other)) : 0;
}

uint32_t p4x_strspn(p4x *x, uint32_t in, uint32_t set)
{
    const char *text, *other;
    return two(x, in, set, &text, &other) ? (uint32_t)strspn(text, other) : 0;
}

uint32_t p4x_strcspn(p4x *x, uint32_t in, uint32_t set)
{
    const char *text, *other;
    return two(x, in, set, &text, &other) ? (uint32_t)strcspn(text, other) : 0;
}

uint32_t p4x_strpbrk(p4x *x, uint32_t in, uint32_t set)
{
    const char *text, *other;
    return two(x, in, set, &text, &other) ? guest(in, text, strpbrk(text, other)) : 0;
}

uint32_t p4x_strlcpy(p4x *x, uint32_t to, uint32_t from, uint32_t size)
{
    uint32_t length = p4x_strlen(x, from), n = least(length, size ? size - 1 : 0);
    if (x->trapped || !size)
        return length;
    p4x_memmove(x, to, from, n);
    if (!x->trapped)
        p4x_memset(x, to + n, 0, 1);
    return length;
}

uint32_t p4x_strlcat(p4x *x, uint32_t to, uint32_t from, uint32_t size)
{
    uint32_t have = p4x_strnlen(x, to, size);
    return x->trapped ? 0 : have + p4x_strlcpy(x, to + have, from, size - have);
}

static uint32_t load_word(p4x *x, uint32_t address)
{
    uint32_t value = 0;
    const uint8_t *p = p4x_load(x, address, sizeof value);
    if (p)
        memcpy(&value, p, sizeof value);
    return value;
}

uint32_t p4x_strtok_r(p4x *x, uint32_t text, uint32_t set, uint32_t rest)
{
    uint32_t start = text ? text : load_word(x, rest), end, after;
    if (x->trapped || !start)
        return 0;
    start += p4x_strspn(x, start, set);
    end = x->trapped ? start : start + p4x_strcspn(x, start, set);
    if (x->trapped)
        return 0;
    after = end;
    if (end == start) {
        start = after = 0;
    } else if (*p4x_at(x, end)) {
        p4x_memset(x, end, 0, 1);
        after = end + 1;
    }
    p4x_put(x, rest, &after, sizeof after);
    return start;
}
