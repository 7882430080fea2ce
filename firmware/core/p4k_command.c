/* What each request does, but for LOAD, COMMIT and CALL, which have files of their own. */
#include "p4k_internal.h"

/* The exact size of a payload, or the least where more may follow; 0 where nothing is looked at. */
static bool good_size(uint8_t type, uint32_t len)
{
    switch (type) {
    case P4K_ALLOC: return len >= P4KW_ALLOC_SIZE && (len - P4KW_ALLOC_SIZE) % 4 == 0;
    case P4K_FREE: return len >= P4KW_FREE_SIZE && len % 4 == 0;
    case P4K_READ: return len == P4KW_READ_SIZE;
    case P4K_WRITE: return len >= P4KW_WRITE_SIZE;
    case P4K_LOAD: return len == P4KW_LOAD_SIZE;
    case P4K_COMMIT: return len >= P4KW_COMMIT_SIZE;
    case P4K_UNLOAD: return len == P4KW_UNLOAD_SIZE;
    case P4K_EXPORTS: return len == P4KW_EXPORTS_SIZE;
    case P4K_CALL: return len >= P4KW_CALL_SIZE;
    default: return true;
    }
}

/* Where frames get lost a READ may be repeated, and is then done again: nothing may change memory until its reply has
 * been acknowledged. One that failed reads nothing; if it was cancelled, what waits may even be older than it. */
bool p4k_reads_open(const p4k *k)
{
    if (k->info.flags & P4K_INFO_RELIABLE)
        return false;
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++)
        if (k->slots[i].live && k->slots[i].type == P4K_READ && p4k_finished(&k->slots[i]) &&
            k->slots[i].status == P4K_ST_OK)
            return true;
    return false;
}

/* Waits until all earlier answers are out: the reply is made at once, before anything changes what was read. */
static bool read_memory(p4k *k, p4k_slot *slot, const p4kw_read *read)
{
    if (!p4k_quiet(k))
        return false;
    slot->word[0] = read->address;
    slot->word[1] = read->size;
    if (read->size > P4K_MAX_PAYLOAD)
        p4k_finish(slot, P4K_ST_LIMIT, P4K_NONE, P4K_MAX_PAYLOAD);
    else if (!p4k_readable(k, read->address, read->size))
        p4k_finish(slot, P4K_ST_RANGE, P4K_NONE, read->address);
    else
        p4k_finish(slot, P4K_ST_OK, 0, 0);
    p4k_send_reply(k, slot);
    return true;
}

static uint8_t write_memory(p4k *k, p4k_addr address, const uint8_t *data, uint32_t len)
{
    if (!p4k_writable(k, address, len))
        return P4K_ST_RANGE;
    if (!len)
        return P4K_ST_OK;
    void *memory = p4k_mem(k->port, address, len);
    if (!memory)
        return P4K_ST_RANGE;
    memcpy(memory, data, len);
    (void)p4k_code_ready(k->port, address, len); /* it may be code; where none can run, that is no error */
    return P4K_ST_OK;
}

static uint8_t unload(p4k *k, uint32_t id)
{
    p4k_image *image = p4k_image_of(k, id);
    if (!image)
        return P4K_ST_NO_IMAGE;
    if (p4k_in_use(k->port, image->address, image->load.size))
        return P4K_ST_IN_USE;
    p4k_image_free(k, image); /* requests run in order: no call uses it */
    return P4K_ST_OK;
}

bool p4k_command(p4k *k, p4k_slot *slot, const uint8_t *payload, uint32_t len)
{
    uint32_t word = len >= 4 ? p4kw_get32(payload) : 0;
    uint8_t status;

    if (!good_size(slot->type, len)) {
        p4k_finish(slot, P4K_ST_ARG, P4K_NONE, len);
        return true;
    }
    switch (slot->type) {
    case P4K_PING:
    case P4K_HEAP:
        p4k_finish(slot, P4K_ST_OK, 0, 0);
        return true;
    case P4K_BYE:
        if (!p4k_quiet(k)) /* what was asked before is still answered */
            return false;
        p4k_note_status(k, k->session, slot->seq, P4K_ST_OK, 0, 0);
        p4k_session_end(k);
        return true;
    case P4K_EXPORTS:
        slot->word[0] = word;
        p4k_finish(slot, P4K_ST_OK, 0, 0);
        return true;
    case P4K_ALLOC: {
        p4kw_alloc alloc;
        if (len > P4KW_ALLOC_SIZE && p4k_reads_open(k))
            return false;
        p4kw_get_alloc(&alloc, payload);
        p4k_discard(k, payload + P4KW_ALLOC_SIZE, (len - P4KW_ALLOC_SIZE) / 4, &word);
        p4k_allocate(k, slot, &alloc);
        return true;
    }
    case P4K_FREE:
        if (p4k_reads_open(k))
            return false;
        status = p4k_discard(k, payload, len / 4, &word) ? P4K_ST_OK : P4K_ST_RANGE;
        p4k_finish(slot, status, P4K_NONE, word);
        return true;
    case P4K_READ: {
        p4kw_read read;
        p4kw_get_read(&read, payload);
        return read_memory(k, slot, &read);
    }
    case P4K_WRITE:
        if (p4k_reads_open(k))
            return false;
        p4k_finish(slot, write_memory(k, word, payload + P4KW_WRITE_SIZE, len - P4KW_WRITE_SIZE), P4K_NONE, word);
        return true;
    case P4K_LOAD:
        p4k_image_load(k, slot, payload);
        return true;
    case P4K_COMMIT:
        p4k_image_commit(k, slot, payload, len);
        return true;
    case P4K_UNLOAD:
        p4k_finish(slot, unload(k, word), P4K_NONE, word);
        return true;
    case P4K_CALL:
        return p4k_call_begin(k, slot, payload, len);
    default:
        p4k_finish(slot, P4K_ST_COMMAND, P4K_NONE, slot->type);
        return true;
    }
}
