/* libatomic's functions. A host call cannot be interrupted, so a plain access is atomic. */
#include <string.h>

#include "exports.h"

#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define AND(a, b) ((a) & (b))
#define OR(a, b) ((a) | (b))
#define XOR(a, b) ((a) ^ (b))
#define NAND(a, b) (~((a) & (b)))
#define NEW(a, b) (b)

/* Replaces the value by `operation` of it and another; the old one is the result. */
#define UPDATE(name, type, operation)                   \
    static type name(p4x *x, uint32_t at, type value)   \
    {                                                   \
        uint8_t *p = p4x_store(x, at, sizeof value);    \
        type old = 0;                                   \
        if (p) {                                        \
            memcpy(&old, p, sizeof old);                \
            value = (type)operation(old, value);        \
            memcpy(p, &value, sizeof value);            \
        }                                               \
        return old;                                     \
    }
#define UPDATES(n, type)            \
    UPDATE(add_##n, type, ADD)      \
    UPDATE(sub_##n, type, SUB)      \
    UPDATE(and_##n, type, AND)      \
    UPDATE(or_##n, type, OR)        \
    UPDATE(xor_##n, type, XOR)      \
    UPDATE(nand_##n, type, NAND)    \
    UPDATE(exchange_##n, type, NEW)
UPDATES(1, uint8_t)
UPDATES(2, uint16_t)
UPDATES(4, uint32_t)
UPDATES(8, uint64_t)

#define FETCH(op, n, type)                                                                \
    type p4x___atomic_fetch_##op##_##n(p4x *x, uint32_t at, type value, int32_t order)    \
    {                                                                                     \
        (void)order;                                                                      \
        return op##_##n(x, at, value);                                                    \
    }
#define SIZED(n, type)                                                                                       \
    FETCH(add, n, type)                                                                                      \
    FETCH(sub, n, type)                                                                                      \
    FETCH(and, n, type)                                                                                      \
    FETCH(or, n, type)                                                                                       \
    FETCH(xor, n, type)                                                                                      \
    FETCH(nand, n, type)                                                                                     \
    type p4x___atomic_exchange_##n(p4x *x, uint32_t at, type value, int32_t order)                           \
    {                                                                                                        \
        (void)order;                                                                                         \
        return exchange_##n(x, at, value);                                                                   \
    }                                                                                                        \
    void p4x___atomic_store_##n(p4x *x, uint32_t at, type value, int32_t order)                              \
    {                                                                                                        \
        (void)order;                                                                                         \
        exchange_##n(x, at, value);                                                                          \
    }                                                                                                        \
    type p4x___atomic_load_##n(p4x *x, uint32_t at, int32_t order)                                           \
    {                                                                                                        \
        const uint8_t *p = p4x_load(x, at, sizeof(type));                                                    \
        type value = 0;                                                                                      \
        (void)order;                                                                                         \
        if (p)                                                                                               \
            memcpy(&value, p, sizeof value);                                                                 \
        return value;                                                                                        \
    }                                                                                                        \
    uint32_t p4x___atomic_compare_exchange_##n(p4x *x, uint32_t at, uint32_t expected, type value, int32_t s, \
                                               int32_t f)                                                    \
    {                                                                                                        \
        (void)s;                                                                                             \
        (void)f;                                                                                             \
        return compare_exchange(x, n, at, expected, &value);                                                 \
    }

static uint32_t compare_exchange(p4x *x, uint32_t size, uint32_t at, uint32_t expected, const void *value)
{
    uint8_t *p = p4x_store(x, at, size), *e = p4x_store(x, expected, size);
    if (!p || !e)
        return 0;
    if (memcmp(p, e, size) == 0) {
        memmove(p, value, size);
        return 1;
    }
    memmove(e, p, size);
    return 0;
}

SIZED(1, uint8_t)
SIZED(2, uint16_t)
SIZED(4, uint32_t)
SIZED(8, uint64_t)

#define SYNC_FETCH(op, n, type) \
    type p4x___sync_fetch_and_##op##_##n(p4x *x, uint32_t at, type value) { return op##_##n(x, at, value); }
#define SYNC(n, type)                                                                                   \
    SYNC_FETCH(add, n, type)                                                                            \
    SYNC_FETCH(sub, n, type)                                                                            \
    SYNC_FETCH(and, n, type)                                                                            \
    SYNC_FETCH(or, n, type)                                                                             \
    SYNC_FETCH(xor, n, type)                                                                            \
    SYNC_FETCH(nand, n, type)                                                                           \
    type p4x___sync_lock_test_and_set_##n(p4x *x, uint32_t at, type value)                              \
    {                                                                                                   \
        return exchange_##n(x, at, value);                                                              \
    }                                                                                                   \
    type p4x___sync_val_compare_and_swap_##n(p4x *x, uint32_t at, type expected, type value)            \
    {                                                                                                   \
        uint8_t *p = p4x_store(x, at, sizeof value);                                                    \
        type old = 0;                                                                                   \
        if (p)                                                                                          \
            memcpy(&old, p, sizeof old);                                                                \
        if (p && old == expected)                                                                       \
            memcpy(p, &value, sizeof value);                                                            \
        return old;                                                                                     \
    }                                                                                                   \
    uint32_t p4x___sync_bool_compare_and_swap_##n(p4x *x, uint32_t at, type expected, type value)       \
    {                                                                                                   \
        return p4x___sync_val_compare_and_swap_##n(x, at, expected, value) == expected;                 \
    }
SYNC(1, uint8_t)
SYNC(2, uint16_t)

void p4x___atomic_load(p4x *x, uint32_t size, uint32_t at, uint32_t result, int32_t order)
{
    const uint8_t *from = p4x_load(x, at, size);
    uint8_t *to = p4x_store(x, result, size);
    (void)order;
    if (from && to)
        memmove(to, from, size);
}

void p4x___atomic_store(p4x *x, uint32_t size, uint32_t at, uint32_t value, int32_t order)
{
    p4x___atomic_load(x, size, value, at, order);
}

void p4x___atomic_exchange(p4x *x, uint32_t size, uint32_t at, uint32_t value, uint32_t result, int32_t order)
{
    uint8_t *p = p4x_store(x, at, size), *to = p4x_store(x, result, size);
    const uint8_t *from = p4x_load(x, value, size);
    (void)order;
    for (uint32_t i = 0; p && to && from && i < size; i++) {
        uint8_t new = from[i];
        to[i] = p[i];
        p[i] = new;
    }
}

uint32_t p4x___atomic_compare_exchange(p4x *x, uint32_t size, uint32_t at, uint32_t expected, uint32_t value, int32_t s,
                                       int32_t f)
{
    const uint8_t *from = p4x_load(x, value, size);
    (void)s;
    (void)f;
    return from ? compare_exchange(x, size, at, expected, from) : 0;
}
