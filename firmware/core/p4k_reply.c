/* The payload of each reply. Made when it is sent, and made again when it is asked for again. */
#include "p4k_internal.h"

static uint32_t put_string(uint8_t *to, const char *text)
{
    uint32_t len = 0;
    while (text && text[len] && len < 255)
        len++;
    to[0] = (uint8_t)len;
    if (len)
        memcpy(to + 1, text, len);
    return 1 + len;
}

uint32_t p4k_reply_hello(const p4k *k, uint8_t *p)
{
    const p4k_info *info = &k->info;
    p4kw_hello_rsp h = {
        .version = P4K_VERSION, .revision = info->revision, .flags = info->flags, .session = k->session,
        .nonce = k->nonce, .client_nonce = k->client_nonce, .payload = P4K_MAX_PAYLOAD, .window = p4k_window(k),
        .blob = P4K_MAX_BLOB, .buffers = P4K_MAX_BUFFERS, .patches = P4K_MAX_PATCHES, .requests = P4K_MAX_REQUESTS,
        .images = P4K_MAX_IMAGES, .allocations = P4K_MAX_ALLOCATIONS, .psram_base = info->psram_base,
        .psram_size = info->psram_size, .sram_base = info->sram_base, .sram_size = info->sram_size,
        .limit_us = info->limit_us, .exports = info->exports, .export_hash = info->export_hash,
    };
    memcpy(h.firmware_sha, info->firmware_sha, sizeof h.firmware_sha);
    p4kw_put_hello_rsp(p, &h);
    uint32_t len = P4KW_HELLO_RSP_SIZE;
    len += put_string(p + len, info->chip);
    len += put_string(p + len, info->isa);
    len += put_string(p + len, info->firmware);
    return len;
}

static uint32_t heap(p4k *k, uint8_t *p)
{
    p4k_region region;
    uint32_t regions = 0, len = P4KW_HEAP_RSP_SIZE;

    while (len <= P4K_MAX_PAYLOAD - P4KW_HEAP_REGION_SIZE && p4k_region_info(k->port, regions, &region) == 0) {
        p4kw_heap_region r = {region.cap, region.base, region.total, region.free, region.largest};
        p4kw_put_heap_region(p + len, &r);
        len += P4KW_HEAP_REGION_SIZE;
        regions++;
    }
    p4kw_heap_rsp h = {(uint16_t)k->allocations_used, (uint16_t)p4k_image_count(k), (uint16_t)regions};
    p4kw_put_heap_rsp(p, &h);
    return len;
}

static uint32_t exports(p4k *k, uint32_t first, uint8_t *p)
{
    p4kw_exports_rsp h = {k->info.exports};
    uint32_t len = P4KW_EXPORTS_RSP_SIZE;
    p4k_addr address = 0;

    for (uint32_t i = first; i < k->info.exports && len + P4KW_EXPORT_ENTRY_SIZE + 256 <= P4K_MAX_PAYLOAD; i++) {
        const char *name = p4k_export(k->port, i, &address);
        if (!name)
            break;
        p4kw_export_entry entry = {address};
        p4kw_put_export_entry(p + len, &entry);
        len += P4KW_EXPORT_ENTRY_SIZE;
        len += put_string(p + len, name);
    }
    p4kw_put_exports_rsp(p, &h);
    return len;
}

static uint32_t results(p4k *k, const p4k_call *call, uint8_t *p)
{
    const p4kw_call *head = &call->head;
    p4kw_call_rsp rsp = {
        .instructions = call->event.instructions, .cycles = call->event.cycles,
        .firmware_calls = call->event.firmware_calls, .elapsed_us = call->elapsed_us, .out_size = call->out_size,
    };
    p4kw_put_call_rsp(p, &rsp);
    uint32_t len = P4KW_CALL_RSP_SIZE;
    const uint8_t *blob = head->ret_size ? p4k_mem(k->port, call->blob, head->blob_size) : NULL;
    if (blob)
        memcpy(p + len, blob + head->ret_offset, head->ret_size);
    else
        memset(p + len, 0, head->ret_size);
    len += head->ret_size;
    p4k_out_copy(k, call, 0, p + len, call->out_inline);
    return len + call->out_inline;
}

static uint32_t fault(const p4k_call *call, uint8_t *p)
{
    if (!call) {
        memset(p, 0, P4KW_FAULT_RSP_SIZE);
        return P4KW_FAULT_RSP_SIZE;
    }
    const p4k_event *event = &call->event;
    p4kw_fault_rsp rsp = {
        .instructions = event->instructions, .cycles = event->cycles, .firmware_calls = event->firmware_calls,
        .elapsed_us = call->elapsed_us, .cause = event->cause, .tval = event->tval, .pc = event->pc,
        .stack_address = call->dump_address, .stack_size = call->dump_size,
    };
    for (uint32_t i = 0; i < 32; i++)
        p4kw_put32(rsp.registers + (size_t)4 * i, event->x[i]);
    p4kw_put_fault_rsp(p, &rsp);
    memcpy(p + P4KW_FAULT_RSP_SIZE, call->dump, call->dump_size);
    return P4KW_FAULT_RSP_SIZE + call->dump_size;
}

static uint32_t error(const p4k_slot *slot, uint8_t *p)
{
    p4kw_error e = {slot->word[0], slot->word[1]};
    p4kw_put_error(p, &e);
    return P4KW_ERROR_SIZE;
}

uint32_t p4k_reply(p4k *k, p4k_slot *slot, uint8_t *p)
{
    const p4k_call *call = slot->call != P4K_NONE ? &k->calls[slot->call] : NULL;

    if (slot->status >= P4K_ST_FAULT && (slot->type == P4K_CALL || slot->type == P4K_COMMIT))
        return fault(call, p);
    if (slot->status != P4K_ST_OK)
        return error(slot, p);
    switch (slot->type) {
    case P4K_ALLOC: {
        p4kw_alloc_rsp rsp = {slot->word[0]};
        p4kw_put_alloc_rsp(p, &rsp);
        return P4KW_ALLOC_RSP_SIZE;
    }
    case P4K_READ: {
        uint32_t size = slot->word[1];
        if (!size)
            return 0;
        const void *memory = p4k_readable(k, slot->word[0], size) ? p4k_mem(k->port, slot->word[0], size) : NULL;
        if (!memory) { /* freed since, and asked for again */
            slot->status = P4K_ST_SEQ;
            return error(slot, p);
        }
        memcpy(p, memory, size);
        return size;
    }
    case P4K_HEAP:
        return heap(k, p);
    case P4K_LOAD: {
        p4kw_load_rsp rsp = {slot->word[0], slot->word[1], slot->word[2]};
        p4kw_put_load_rsp(p, &rsp);
        return P4KW_LOAD_RSP_SIZE;
    }
    case P4K_EXPORTS:
        return exports(k, slot->word[0], p);
    case P4K_CALL:
        return call ? results(k, call, p) : 0; /* GCOV_EXCL_BR_LINE: one that ended well has it until it is forgotten */
    default:
        return 0;
    }
}
