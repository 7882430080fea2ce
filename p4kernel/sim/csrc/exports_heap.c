/* malloc and its kin, on the board's memory. What kernels take stays until they free it or the session ends. */
#include <string.h>

#include "exports.h"
#include "heap.h"
#include "p4k_protocol.h"

/* esp_heap_caps.h */
enum { CAP_EXEC = 1 << 0, CAP_SPIRAM = 1 << 10, CAP_INTERNAL = 1 << 11, CAP_TCM = 1 << 16 };

static uint32_t places(uint32_t caps)
{
    return (caps & CAP_EXEC ? P4K_CAP_EXEC : 0u) | (caps & CAP_SPIRAM ? P4K_CAP_PSRAM : 0u) |
           (caps & CAP_INTERNAL ? P4K_CAP_INTERNAL : 0u) | (caps & CAP_TCM ? P4K_CAP_TCM : 0u);
}

static uint32_t allocate(p4x *x, uint32_t size, uint32_t align, uint32_t caps)
{
    uint32_t address = align & (align - 1) ? 0 : p4v_heap_alloc(x->heap, size, align, places(caps));
    p4v_block *b = address ? p4v_heap_block(x->heap, address) : NULL;
    if (b)
        b->used = P4V_KERNEL;
    return address;
}

static p4v_block *block_of(p4x *x, const char *function, uint32_t address)
{
    p4v_block *b = p4v_heap_block(x->heap, address);
    if (b && b->used == P4V_KERNEL)
        return b;
    p4x_fail(x, "p4kernel: %s(0x%08x): no kernel has allocated that, or it was freed\n", function, address);
    return NULL;
}

static void release(p4x *x, const char *function, uint32_t address)
{
    if (address && block_of(x, function, address))
        p4k_free(x->port, address);
}

static uint32_t cleared(p4x *x, uint32_t count, uint32_t size, uint32_t caps)
{
    uint64_t bytes = (uint64_t)count * size;
    uint32_t address = bytes <= UINT32_MAX ? allocate(x, (uint32_t)bytes, 1, caps) : 0;
    if (address && bytes)
        memset(p4x_store(x, address, (uint32_t)bytes), 0, (size_t)bytes);
    return address;
}

static uint32_t resized(p4x *x, const char *function, uint32_t old, uint32_t size, uint32_t caps)
{
    const p4v_block *b = old ? block_of(x, function, old) : NULL;
    uint32_t had = b ? b->size : 0, address;
    if (x->trapped)
        return 0;
    if (b && size == 0) {
        release(x, function, old);
        return 0;
    }
    address = allocate(x, size, 1, caps);
    if (address && b) {
        uint32_t keep = had < size ? had : size;
        if (keep)
            memcpy(p4x_store(x, address, keep), p4x_at(x, old), keep);
        release(x, function, old);
    }
    return address;
}

uint32_t p4x_malloc(p4x *x, uint32_t size) { return allocate(x, size, 1, 0); }

uint32_t p4x_calloc(p4x *x, uint32_t count, uint32_t size) { return cleared(x, count, size, 0); }

uint32_t p4x_realloc(p4x *x, uint32_t old, uint32_t size) { return resized(x, "realloc", old, size, 0); }

uint32_t p4x_aligned_alloc(p4x *x, uint32_t align, uint32_t size) { return allocate(x, size, align, 0); }

void p4x_free(p4x *x, uint32_t address) { release(x, "free", address); }

uint32_t p4x_heap_caps_malloc(p4x *x, uint32_t size, uint32_t caps) { return allocate(x, size, 1, caps); }

uint32_t p4x_heap_caps_calloc(p4x *x, uint32_t count, uint32_t size, uint32_t caps)
{
    return cleared(x, count, size, caps);
}

uint32_t p4x_heap_caps_realloc(p4x *x, uint32_t old, uint32_t size, uint32_t caps)
{
    return resized(x, "heap_caps_realloc", old, size, caps);
}

uint32_t p4x_heap_caps_aligned_alloc(p4x *x, uint32_t align, uint32_t size, uint32_t caps)
{
    return allocate(x, size, align, caps);
}

void p4x_heap_caps_free(p4x *x, uint32_t address) { release(x, "heap_caps_free", address); }

uint32_t p4x_heap_caps_get_allocated_size(p4x *x, uint32_t address)
{
    const p4v_block *b = block_of(x, "heap_caps_get_allocated_size", address);
    return b ? b->size : 0;
}

typedef enum { FREE, LARGEST, TOTAL } what;

static uint32_t heap_size(p4x *x, uint32_t caps, what which)
{
    uint32_t sum = 0, largest = 0;
    for (uint32_t i = 0; i < x->heap->count; i++) {
        const p4v_region *region = &x->heap->regions[i];
        p4v_usage usage = p4v_heap_usage(region);
        if ((region->cap & places(caps)) != places(caps))
            continue;
        sum += which == TOTAL ? region->size : usage.free;
        largest = usage.largest > largest ? usage.largest : largest;
    }
    return which == LARGEST ? largest : sum;
}

uint32_t p4x_heap_caps_get_free_size(p4x *x, uint32_t caps) { return heap_size(x, caps, FREE); }

uint32_t p4x_heap_caps_get_largest_free_block(p4x *x, uint32_t caps) { return heap_size(x, caps, LARGEST); }

uint32_t p4x_heap_caps_get_total_size(p4x *x, uint32_t caps) { return heap_size(x, caps, TOTAL); }

uint32_t p4x_esp_get_free_heap_size(p4x *x) { return heap_size(x, 0, FREE); }

uint32_t p4x_strndup(p4x *x, uint32_t text, uint32_t limit)
{
    uint32_t size = p4x_strnlen(x, text, limit), to = x->trapped ? 0 : allocate(x, size + 1, 1, 0);
    if (to) {
        p4x_memmove(x, to, text, size);
        p4x_memset(x, to + size, 0, 1);
    }
    return to;
}

uint32_t p4x_strdup(p4x *x, uint32_t text) { return p4x_strndup(x, text, UINT32_MAX - 1); }
