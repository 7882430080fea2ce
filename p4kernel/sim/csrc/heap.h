/* The allocator of the virtual board: best fit over guest memories, with its books outside of them, so that a kernel
 * which writes at random cannot damage it. Deterministic: the same requests give the same addresses. */
#ifndef P4V_HEAP_H
#define P4V_HEAP_H

#include <stdint.h>

#define P4V_LINE 128u /* no two allocations share a cache line */
#define P4V_REGIONS 3u

typedef struct {
    uint32_t start, span; /* whole lines */
    uint32_t size;        /* bytes asked for */
    uint32_t used; /* P4V_FREE, or by whom */
} p4v_block;

enum { P4V_FREE, P4V_FIRMWARE, P4V_KERNEL };

typedef struct {
    uint32_t base, size, cap;
    uint8_t *bytes; /* of the host */
    p4v_block *blocks; /* by address, without gaps; no two free ones touch */
    uint32_t count, capacity;
} p4v_region;

typedef struct p4v_heap {
    p4v_region regions[P4V_REGIONS];
    uint32_t count;
    uint32_t errors; /* frees of what was not allocated */
} p4v_heap;

typedef struct {
    uint32_t used, free, largest;
} p4v_usage;

int p4v_heap_add(p4v_heap *, uint32_t base, uint32_t size, uint32_t cap, uint8_t *bytes); /* 0: done */
void p4v_heap_close(p4v_heap *);

/* In the first region of the table, of those that have every bit of cap, that has room; 0: none. A size of 0 gets an
 * address of its own too. align is a power of two. */
uint32_t p4v_heap_alloc(p4v_heap *, uint32_t size, uint32_t align, uint32_t cap);
uint32_t p4v_heap_free(p4v_heap *, uint32_t address); /* the bytes of the lines that were freed; 0: not allocated */
p4v_block *p4v_heap_block(const p4v_heap *, uint32_t address); /* that starts there and is used, or NULL */
void *p4v_heap_at(const p4v_heap *, uint32_t address, uint32_t size); /* NULL unless inside one allocation */
p4v_usage p4v_heap_usage(const p4v_region *);

#endif
