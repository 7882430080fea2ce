/* Memory of the board. What the host allocated stands in a table, and nothing outside that table is read or written for
 * it. When memory is short, what can be had again is given up first. */
#include "p4k_internal.h"

enum { PLACES = P4K_CAP_PSRAM | P4K_CAP_INTERNAL | P4K_CAP_TCM, CAPS = PLACES | P4K_CAP_EXEC };

bool p4k_request_ok(uint32_t align, uint32_t cap)
{
    return align <= P4K_MAX_ALIGN && !(align & (align - 1)) && !(cap & ~(uint32_t)CAPS);
}

static bool fits_cap(const p4k_region *region, uint32_t cap) { return !(cap & PLACES) || region->cap & cap & PLACES; }

bool p4k_in_region(p4k *k, p4k_addr address, uint32_t cap)
{
    p4k_region region;
    for (uint32_t i = 0; p4k_region_info(k->port, i, &region) == 0; i++)
        if (fits_cap(&region, cap) && address - region.base < region.total)
            return true;
    return false;
}

uint32_t p4k_largest(p4k *k, uint32_t cap)
{
    p4k_region region;
    uint32_t largest = 0;
    for (uint32_t i = 0; p4k_region_info(k->port, i, &region) == 0; i++)
        if (fits_cap(&region, cap) && region.largest > largest)
            largest = region.largest;
    return largest;
}

static bool could_fit(p4k *k, uint32_t size, uint32_t cap)
{
    p4k_region region;
    for (uint32_t i = 0; p4k_region_info(k->port, i, &region) == 0; i++)
        if (fits_cap(&region, cap) && size <= region.total)
            return true;
    return false;
}

static bool stack_used(const p4k *k, p4k_addr stack)
{
    for (uint32_t i = 0; i < P4K_CALLS; i++)
        if (k->calls[i].used && k->calls[i].stack == stack)
            return true;
    return false;
}

static bool stack_drop(p4k *k)
{
    if (!k->stack || stack_used(k, k->stack))
        return false;
    p4k_free(k->port, k->stack);
    k->stack = k->stack_size = 0;
    return true;
}

/* An empty block gets an address of its own, too. 0: no memory, even after all was given up that can be. */
p4k_addr p4k_take(p4k *k, uint32_t size, uint32_t align, uint32_t cap)
{
    size = size ? size : 1;
    align = align ? align : 1;
    for (;;) {
        p4k_addr address = p4k_alloc(k->port, size, align, cap);
        if (address || !could_fit(k, size, cap))
            return address;
        if (!p4k_call_reclaim(k) && !stack_drop(k) && !p4k_image_evict(k, cap))
            return 0;
    }
}

void p4k_allocate(p4k *k, p4k_slot *slot, const p4kw_alloc *want)
{
    if (!p4k_request_ok(want->align, want->cap) || !want->size) {
        p4k_finish(slot, P4K_ST_ARG, P4K_NONE, 0);
        return;
    }
    if (k->allocations_used == P4K_MAX_ALLOCATIONS) {
        p4k_finish(slot, P4K_ST_LIMIT, P4K_NONE, P4K_MAX_ALLOCATIONS);
        return;
    }
    p4k_addr address = p4k_take(k, want->size, want->align, want->cap);
    if (!address) {
        p4k_finish(slot, P4K_ST_NOMEM, P4K_NONE, p4k_largest(k, want->cap));
        return;
    }
    void *memory = p4k_mem(k->port, address, want->size);
    if (!memory) {
        p4k_free(k->port, address);
        p4k_finish(slot, P4K_ST_NOMEM, P4K_NONE, p4k_largest(k, want->cap));
        return;
    }
    memset(memory, 0, want->size);
    k->allocations[k->allocations_used++] = (p4k_allocation){address, want->size};
    slot->word[0] = address;
    p4k_finish(slot, P4K_ST_OK, 0, 0);
}

static bool allocated(const p4k *k, p4k_addr address, uint32_t size)
{
    for (uint32_t i = 0; i < k->allocations_used; i++) {
        uint32_t offset = address - k->allocations[i].address;
        if (offset <= k->allocations[i].size && size <= k->allocations[i].size - offset)
            return true;
    }
    return false;
}

bool p4k_readable(const p4k *k, p4k_addr address, uint32_t size)
{
    return allocated(k, address, size) || p4k_image_holds(k, address, size, false);
}

bool p4k_writable(const p4k *k, p4k_addr address, uint32_t size)
{
    return allocated(k, address, size) || p4k_image_holds(k, address, size, true);
}

static bool release(p4k *k, p4k_addr address)
{
    for (uint32_t i = 0; i < k->allocations_used; i++)
        if (k->allocations[i].address == address) {
            p4k_free(k->port, address);
            k->allocations[i] = k->allocations[--k->allocations_used];
            return true;
        }
    return false;
}

/* Gives back allocations and pinned images. False when one of them was not there; *unknown is the last such. */
bool p4k_discard(p4k *k, const uint8_t *addresses, uint32_t count, uint32_t *unknown)
{
    bool all = true;
    for (uint32_t i = 0; i < count; i++) {
        p4k_addr address = p4kw_get32(addresses + (size_t)4 * i);
        if (release(k, address) || p4k_image_unpin(k, address))
            continue;
        all = false;
        *unknown = address;
    }
    return all;
}

/* Calls run one at a time, so they share one stack, unless one needs a larger one. */
bool p4k_stack_take(p4k *k, p4k_call *call, uint32_t size)
{
    if (!k->stack || k->stack_size < size) {
        stack_drop(k);
        p4k_addr stack = p4k_take(k, size, 16, 0);
        if (!stack)
            return false;
        k->stack = stack; /* the old one goes when its last call leaves it */
        k->stack_size = size;
    }
    call->stack = k->stack;
    call->stack_size = k->stack_size;
    return true;
}

void p4k_stack_leave(p4k *k, p4k_call *call)
{
    p4k_addr stack = call->stack;
    call->stack = 0;
    if (stack && stack != k->stack && !stack_used(k, stack))
        p4k_free(k->port, stack);
}
