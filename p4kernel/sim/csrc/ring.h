/* Bytes from one thread to one other, without a lock. */
#ifndef P4V_RING_H
#define P4V_RING_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define P4V_RING_SIZE (1u << 19) /* two windows of DATA: a power of two */

typedef struct {
    _Atomic uint32_t head, tail; /* written up to, read up to: they run freely and wrap */
    uint8_t bytes[P4V_RING_SIZE];
} p4v_ring;

static inline uint32_t p4v_ring_used(p4v_ring *r)
{
    return atomic_load_explicit(&r->head, memory_order_acquire) - atomic_load_explicit(&r->tail, memory_order_acquire);
}

static inline uint32_t p4v_ring_put(p4v_ring *r, const void *data, uint32_t size)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint32_t room = P4V_RING_SIZE - (head - atomic_load_explicit(&r->tail, memory_order_acquire));
    uint32_t n = size < room ? size : room, at = head % P4V_RING_SIZE;
    uint32_t first = n < P4V_RING_SIZE - at ? n : P4V_RING_SIZE - at;
    if (n == 0)
        return 0;
    memcpy(r->bytes + at, data, first);
    memcpy(r->bytes, (const uint8_t *)data + first, n - first);
    atomic_store_explicit(&r->head, head + n, memory_order_release);
    return n;
}

static inline uint32_t p4v_ring_get(p4v_ring *r, void *data, uint32_t size)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint32_t used = atomic_load_explicit(&r->head, memory_order_acquire) - tail;
    uint32_t n = size < used ? size : used, at = tail % P4V_RING_SIZE;
    uint32_t first = n < P4V_RING_SIZE - at ? n : P4V_RING_SIZE - at;
    if (n == 0)
        return 0;
    memcpy(data, r->bytes + at, first);
    memcpy((uint8_t *)data + first, r->bytes, n - first);
    atomic_store_explicit(&r->tail, tail + n, memory_order_release);
    return n;
}

/* By the reader. */
static inline void p4v_ring_drop(p4v_ring *r)
{
    atomic_store_explicit(&r->tail, atomic_load_explicit(&r->head, memory_order_acquire), memory_order_release);
}

#endif
