/* Texts of the running call, in a ring until they are sent. An entry is its length (u16), its level, a byte of nothing,
 * the number of bytes that were dropped before it (u32), and the text. */
#include "p4k_internal.h"

enum { ENTRY = 8 };

void p4k_log_clear(p4k *k, uint32_t seq)
{
    k->log.seq = seq;
    k->log.used = k->log.dropped = 0;
}

static void push(p4k_log *log, const uint8_t *from, uint32_t len)
{
    uint32_t at = (log->start + log->used) % P4K_MAX_LOG, first = P4K_MAX_LOG - at;
    first = first < len ? first : len;
    memcpy(log->ring + at, from, first);
    memcpy(log->ring, from + first, len - first);
    log->used += len;
}

static void pull(p4k_log *log, uint8_t *to, uint32_t len)
{
    uint32_t first = P4K_MAX_LOG - log->start;
    first = first < len ? first : len;
    memcpy(to, log->ring + log->start, first);
    memcpy(to + first, log->ring, len - first);
    log->start = (log->start + len) % P4K_MAX_LOG;
    log->used -= len;
}

static void add(p4k_log *log, uint8_t level, const char *text, uint32_t len)
{
    uint8_t head[ENTRY] = {0};
    p4kw_put16(head, (uint16_t)len);
    head[2] = level;
    p4kw_put32(head + 4, log->dropped);
    log->dropped = 0;
    push(log, head, ENTRY);
    if (len)
        push(log, (const uint8_t *)text, len);
}

uint32_t p4k_log_put(p4k *k, uint8_t level, const char *text, uint32_t size)
{
    uint32_t free = P4K_MAX_LOG - k->log.used;
    uint32_t room = free > 2 * ENTRY ? free - 2 * ENTRY : 0; /* one more entry must fit for p4k_log_end */
    uint32_t len = size < room ? size : room;
    if (len)
        add(&k->log, level, text, len);
    return len;
}

void p4k_log_drop(p4k *k, uint32_t size)
{
    k->log.dropped = size < UINT32_MAX - k->log.dropped ? k->log.dropped + size : UINT32_MAX;
}

/* What was dropped behind the last text is told by an empty one. */
void p4k_log_end(p4k *k)
{
    if (k->log.dropped)
        add(&k->log, 0, NULL, 0);
}

uint32_t p4k_log_take(p4k *k, uint8_t *payload, uint32_t *dropped, uint8_t *level)
{
    uint8_t head[ENTRY];
    pull(&k->log, head, ENTRY);
    uint32_t len = p4kw_get16(head);
    *level = head[2];
    *dropped = p4kw_get32(head + 4);
    pull(&k->log, payload, len);
    return len;
}
