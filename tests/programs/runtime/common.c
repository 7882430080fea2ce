/* Memory, text and numbers that programs share, and that compilers call by themselves. */
#include "runtime.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    uint8_t *d = to;
    const uint8_t *s = from;
    while (size--)
        *d++ = *s++;
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    uint8_t *d = to;
    const uint8_t *s = from;
    if ((uintptr_t)d <= (uintptr_t)s) {
        while (size--)
            *d++ = *s++;
    } else {
        while (size--)
            d[size] = s[size];
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    uint8_t *d = to;
    while (size--)
        *d++ = (uint8_t)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a, *y = b;
    for (; size; --size, ++x, ++y)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *text)
{
    const char *end = text;
    while (*end)
        ++end;
    return (size_t)(end - text);
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        ++a, ++b;
    return (uint8_t)*a - (uint8_t)*b;
}

uint32_t fold(uint32_t hash, uint32_t value)
{
    hash = (hash ^ value) * 0x9E3779B1u;
    return hash ^ hash >> 15;
}

uint32_t fold_bytes(uint32_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    while (size--)
        hash = (hash ^ *bytes++) * 0x01000193u;
    return hash;
}

static uint32_t random_state = 1;

void random_start(uint32_t seed)
{
    random_state = seed ? seed : 1;
}

uint32_t random_word(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

uint32_t random_below(uint32_t limit)
{
    return (uint32_t)((uint64_t)random_word() * limit >> 32);
}

uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
