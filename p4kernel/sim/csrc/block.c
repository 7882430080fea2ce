/* Basic blocks as a set: finding them by address, links between them, and their end when their code changes. */
#include "cpu.h"
#include "hostfp.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES (4 * P4S_BLOCK_OPS)
#define MAX_SIZE \
    (sizeof(p4s_block) + (P4S_BLOCK_OPS + 1) * (sizeof(p4s_op) + 1) + P4S_BLOCK_OPS * sizeof(p4s_pie) + 2 * 16)

static p4s_block *_allocate(p4s *sim)
{
    p4s_block *block = (p4s_block *)(void *)(sim->arena + sim->arena_used);
    memset(block, 0, sizeof *block);
    return block;
}

static void _keep(p4s *sim, const uint8_t *end) { sim->arena_used = (uint32_t)((end - sim->arena + 15) & ~15); }

static void _empty(p4s *sim)
{
    sim->arena_used = 0;
    sim->unlinked = _allocate(sim);
    sim->unlinked->count = INT32_MAX; /* exceeds every budget, so that leaving to it needs no test of its own */
    _keep(sim, (uint8_t *)(sim->unlinked + 1));
    sim->nothing = _allocate(sim);
    sim->nothing->pc = 1;
    _keep(sim, (uint8_t *)(sim->nothing + 1));
    for (size_t i = 0; i < sizeof sim->hash / sizeof *sim->hash; ++i)
        sim->hash[i] = sim->nothing;
}

bool p4s_blocks_init(p4s *sim)
{
    sim->labels = p4s_labels();
    sim->host_has_fma = hostfp_has_fma();
    sim->arena = malloc(P4S_ARENA);
    if (!sim->arena)
        return false;
    _empty(sim);
    return true;
}

void p4s_blocks_free(p4s *sim) { free(sim->arena); }

static uint64_t *_code(const p4s *sim, uint32_t address)
{
    return &sim->code[(address - P4S_WINDOW) >> P4S_GRANULE_SHIFT];
}

static void _code_mark(p4s *sim, const p4s_block *block)
{
    for (uint32_t pc = block->pc; pc != block->end; pc += 2) {
        *_code(sim, pc) |= 1ull << ((pc & (P4S_GRANULE - 1)) >> 1);
        sim->permission[pc >> P4S_GRANULE_SHIFT] &= (uint8_t)~P4S_WRITE_FAST;
    }
}

static void _code_clear(p4s *sim, uint32_t address)
{
    *_code(sim, address) = 0;
    uint8_t *permission = &sim->permission[address >> P4S_GRANULE_SHIFT];
    if (*permission & P4S_WRITE)
        *permission |= P4S_WRITE_FAST;
}

void p4s_blocks_flush(p4s *sim)
{
    for (size_t i = 0; i < sizeof sim->hash / sizeof *sim->hash; ++i)
        for (const p4s_block *block = sim->hash[i]; block != sim->nothing; block = block->hash_next)
            for (uint32_t a = block->pc & ~(P4S_GRANULE - 1); a < block->end; a += P4S_GRANULE)
                _code_clear(sim, a);
    _empty(sim);
    ++sim->flushes;
}

void p4s_block_link(p4s_block *from, int way, p4s_block *to)
{
    from->out[way].to = to;
    from->out[way].next = to->in;
    to->in = &from->out[way];
}

p4s_block *p4s_block_at(p4s *sim, uint32_t pc)
{
    p4s_block **head = &sim->hash[p4s_block_hash(pc)];
    for (p4s_block **at = head; *at != sim->nothing; at = &(*at)->hash_next) {
        p4s_block *block = *at;
        if (block->pc != pc)
            continue;
        *at = block->hash_next; /* to the front, where indirect jumps look */
        block->hash_next = *head;
        return *head = block;
    }
    if (sim->arena_used > P4S_ARENA - MAX_SIZE)
        p4s_blocks_flush(sim);
    p4s_block *block = p4s_block_build(sim, _allocate(sim), pc);
    if (!block)
        return NULL;
    _keep(sim, (const uint8_t *)(block->pie + block->pie_count));
    _code_mark(sim, block);
    block->hash_next = *head;
    return *head = block;
}

/* The block itself stays in memory until the next flush: the engine may be in it. */
static void _drop(p4s *sim, p4s_block **at)
{
    ++sim->drops;
    p4s_block *block = *at;
    *at = block->hash_next;
    for (p4s_link *link = block->in; link; link = link->next)
        link->to = sim->unlinked;
}

static bool _drop_granule(p4s *sim, uint32_t start)
{
    bool dropped = false;
    for (uint32_t pc = start - MAX_BYTES + 2; pc != start + P4S_GRANULE; pc += 2)
        for (p4s_block **at = &sim->hash[p4s_block_hash(pc)]; *at != sim->nothing; at = &(*at)->hash_next)
            if ((*at)->pc == pc) {
                if (pc >= start || (*at)->end > start) {
                    _drop(sim, at);
                    dropped = true;
                }
                break;
            }
    _code_clear(sim, start);
    return dropped;
}

/* Whether decoded halfwords lie among those of [first, last], both in the granule at start. */
static bool _holds_code(const p4s *sim, uint32_t start, uint32_t first, uint32_t last)
{
    uint32_t low = (first - start) >> 1, high = (last - start) >> 1;
    return *_code(sim, start) & (~0ull << low) & (~0ull >> (63 - high));
}

bool p4s_blocks_drop(p4s *sim, uint32_t address, uint32_t size)
{
    bool dropped = false;
    uint32_t last = address + size - 1;
    for (uint32_t start = address & ~(P4S_GRANULE - 1); start <= last; start += P4S_GRANULE) {
        if (p4s_permission(sim, start) & P4S_WRITE_FAST)
            continue;
        uint32_t from = start > address ? start : address, end = start + P4S_GRANULE - 1;
        if (_holds_code(sim, start, from, end < last ? end : last))
            dropped |= _drop_granule(sim, start);
    }
    return dropped;
}
