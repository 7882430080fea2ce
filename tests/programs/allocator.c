/* A memory allocator with splitting and joining of free blocks, under random use. */
#include "runtime.h"

enum { HEAP = 4096, LEAST = 16, SLOTS = 60 };

/* Before each block: its size with the header, and whether it is in use; blocks lie side by side. */
typedef struct header {
    uint32_t size : 31, used : 1;
    uint32_t before; /* size of the block below it */
} header;

static _Alignas(8) uint8_t heap[HEAP];

static header *after(header *h)
{
    return (header *)((uint8_t *)h + h->size);
}

static bool is_last(const header *h)
{
    return (const uint8_t *)h + h->size == heap + HEAP;
}

static void reset(void)
{
    *(header *)heap = (header){.size = HEAP, .used = 0, .before = 0};
}

static void set_size(header *h, uint32_t size)
{
    h->size = size & 0x7FFFFFFF;
    if (!is_last(h))
        after(h)->before = size;
}

static void *allocate(uint32_t size)
{
    header *best = NULL;
    size = (size + (uint32_t)sizeof(header) + 7) & ~7u;
    size = size < LEAST ? LEAST : size;
    for (header *h = (header *)heap;; h = after(h)) {
        if (!h->used && h->size >= size && (!best || h->size < best->size))
            best = h;
        if (is_last(h))
            break;
    }
    if (!best)
        return NULL;
    if (best->size - size >= LEAST) {
        uint32_t rest = best->size - size;
        best->size = size & 0x7FFFFFFF;
        *after(best) = (header){.size = rest & 0x7FFFFFFF, .used = 0, .before = size};
        set_size(after(best), rest);
    }
    best->used = 1;
    return best + 1;
}

static void release(void *block)
{
    header *h = (header *)block - 1;
    h->used = 0;
    if (!is_last(h) && !after(h)->used)
        set_size(h, h->size + after(h)->size);
    if ((uint8_t *)h != heap) {
        header *below = (header *)((uint8_t *)h - h->before);
        if (!below->used)
            set_size(below, below->size + h->size);
    }
}

static bool sound(uint32_t *free_bytes)
{
    uint32_t before = 0;
    bool was_free = false;
    *free_bytes = 0;
    for (header *h = (header *)heap;; h = after(h)) {
        if (h->before != before || h->size < LEAST || h->size % 8 || (was_free && !h->used))
            return false;
        was_free = !h->used;
        before = h->size;
        *free_bytes += was_free ? h->size : 0;
        if (is_last(h))
            return true;
        if ((uint8_t *)after(h) > heap + HEAP)
            return false;
    }
}

int main(void)
{
    static uint8_t *blocks[SLOTS];
    static uint32_t sizes[SLOTS];
    uint32_t failures = 0, free_bytes = 0, hash = 0;
    reset();
    for (int step = 0; step < 350; ++step) {
        uint32_t slot = random_below(SLOTS);
        if (blocks[slot]) {
            for (uint32_t i = 0; i < sizes[slot]; ++i)
                if (blocks[slot][i] != (uint8_t)(slot + i))
                    EXPECT(false);
            release(blocks[slot]);
            blocks[slot] = NULL;
        } else {
            sizes[slot] = random_below(8) ? random_below(120) : random_below(1500);
            blocks[slot] = allocate(sizes[slot]);
            EXPECT((uintptr_t)blocks[slot] % 8 == 0);
            for (uint32_t i = 0; blocks[slot] && i < sizes[slot]; ++i)
                blocks[slot][i] = (uint8_t)(slot + i);
            failures += !blocks[slot];
        }
        if (step % 20 == 0) {
            EXPECT(sound(&free_bytes));
            hash = fold(hash, free_bytes);
        }
    }
    say("%u failures, %u free, %08x\n", failures, free_bytes, hash);
    for (int i = 0; i < SLOTS; ++i)
        if (blocks[i])
            release(blocks[i]);
    EXPECT(sound(&free_bytes) && free_bytes == HEAP && ((header *)heap)->size == HEAP);
    EXPECT(!allocate(HEAP) && allocate(HEAP - 8));
    return 0;
}
