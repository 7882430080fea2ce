#include "heap.h"

#include <stdlib.h>
#include <string.h>

int p4v_heap_add(p4v_heap *heap, uint32_t base, uint32_t size, uint32_t cap, uint8_t *bytes)
{
    p4v_region *region = &heap->regions[heap->count];
    if (heap->count == P4V_REGIONS || size < P4V_LINE || base % P4V_LINE)
        return -1;
    *region = (p4v_region){.base = base, .size = size - size % P4V_LINE, .cap = cap, .bytes = bytes, .capacity = 64};
    region->blocks = malloc(region->capacity * sizeof *region->blocks);
    if (region->blocks == NULL)
        return -1;
    region->blocks[0] = (p4v_block){.start = base, .span = region->size};
    region->count = 1;
    heap->count++;
    return 0;
}

void p4v_heap_close(p4v_heap *heap)
{
    for (uint32_t i = 0; i < heap->count; i++)
        free(heap->regions[i].blocks);
    heap->count = 0;
}

/* The block that address lies in; the caller has checked that it lies in the region. */
static uint32_t find(const p4v_region *region, uint32_t address)
{
    uint32_t low = 0, high = region->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (region->blocks[middle].start <= address)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static p4v_region *region_of(const p4v_heap *heap, uint32_t address)
{
    for (uint32_t i = 0; i < heap->count; i++)
        if (address - heap->regions[i].base < heap->regions[i].size)
            return (p4v_region *)&heap->regions[i];
    return NULL;
}

/* Makes room for count blocks at index. */
static void open_gap(p4v_region *region, uint32_t index, uint32_t count)
{
    memmove(region->blocks + index + count, region->blocks + index, (region->count - index) * sizeof *region->blocks);
    region->count += count;
}

static void close_gap(p4v_region *region, uint32_t index)
{
    region->count--;
    memmove(region->blocks + index, region->blocks + index + 1, (region->count - index) * sizeof *region->blocks);
}

static int reserve(p4v_region *region)
{
    p4v_block *more;
    if (region->count + 2 <= region->capacity)
        return 0;
    more = realloc(region->blocks, 2 * (size_t)region->capacity * sizeof *more);
    if (more == NULL)
        return -1;
    region->blocks = more;
    region->capacity *= 2;
    return 0;
}

static uint32_t alloc_in(p4v_region *region, uint32_t size, uint32_t span, uint32_t align)
{
    uint32_t best = UINT32_MAX, best_span = UINT32_MAX, lead = 0;
    p4v_block whole;
    if (reserve(region))
        return 0;
    for (uint32_t i = 0; i < region->count; i++) {
        const p4v_block *b = &region->blocks[i];
        uint32_t gap = (0u - b->start) & (align - 1);
        if (!b->used && b->span >= gap && b->span - gap >= span && b->span < best_span) {
            best = i;
            best_span = b->span;
            lead = gap;
        }
    }
    if (best == UINT32_MAX)
        return 0;
    whole = region->blocks[best];
    if (lead) {
        open_gap(region, best, 1);
        region->blocks[best] = (p4v_block){.start = whole.start, .span = lead};
        best++;
    }
    region->blocks[best] = (p4v_block){.start = whole.start + lead, .span = span, .size = size, .used = P4V_FIRMWARE};
    if (whole.span - lead > span) {
        open_gap(region, best + 1, 1);
        region->blocks[best + 1] = (p4v_block){.start = whole.start + lead + span, .span = whole.span - lead - span};
    }
    return whole.start + lead;
}

uint32_t p4v_heap_alloc(p4v_heap *heap, uint32_t size, uint32_t align, uint32_t cap)
{
    uint32_t span = size ? size : 1;
    if (align & (align - 1) || size > UINT32_MAX - P4V_LINE)
        return 0;
    if (align < P4V_LINE)
        align = P4V_LINE;
    span = (span + P4V_LINE - 1) / P4V_LINE * P4V_LINE;
    for (uint32_t i = 0; i < heap->count; i++) {
        uint32_t address = 0;
        if ((heap->regions[i].cap & cap) == cap)
            address = alloc_in(&heap->regions[i], size, span, align);
        if (address)
            return address;
    }
    return 0;
}

p4v_block *p4v_heap_block(const p4v_heap *heap, uint32_t address)
{
    p4v_region *region = region_of(heap, address);
    p4v_block *b = region ? &region->blocks[find(region, address)] : NULL;
    return b && b->used && b->start == address ? b : NULL;
}

uint32_t p4v_heap_free(p4v_heap *heap, uint32_t address)
{
    p4v_region *region = region_of(heap, address);
    uint32_t i = region ? find(region, address) : 0, span;
    if (!region || !region->blocks[i].used || region->blocks[i].start != address) {
        heap->errors++;
        return 0;
    }
    span = region->blocks[i].span;
    region->blocks[i].used = 0;
    if (i + 1 < region->count && !region->blocks[i + 1].used) {
        region->blocks[i].span += region->blocks[i + 1].span;
        close_gap(region, i + 1);
    }
    if (i > 0 && !region->blocks[i - 1].used) {
        region->blocks[i - 1].span += region->blocks[i].span;
        close_gap(region, i);
    }
    return span;
}

void *p4v_heap_at(const p4v_heap *heap, uint32_t address, uint32_t size)
{
    p4v_region *region = region_of(heap, address);
    const p4v_block *b;
    if (!region)
        return NULL;
    b = &region->blocks[find(region, address)];
    if (!b->used || address - b->start > b->size || size > b->size - (address - b->start))
        return NULL;
    return region->bytes + (address - region->base);
}

p4v_usage p4v_heap_usage(const p4v_region *region)
{
    p4v_usage usage = {0, 0, 0};
    for (uint32_t i = 0; i < region->count; i++) {
        const p4v_block *b = &region->blocks[i];
        if (b->used) {
            usage.used += b->span;
        } else {
            usage.free += b->span;
            if (b->span > usage.largest)
                usage.largest = b->span;
        }
    }
    return usage;
}
