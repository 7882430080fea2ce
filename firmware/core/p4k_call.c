/* CALL: everything is checked, then everything is allocated or nothing, then its stream fills the In buffers. */
#include "p4k_internal.h"

typedef struct {
    uint8_t status;
    uint32_t detail, extra;
} verdict;

static const verdict good = {P4K_ST_OK, P4K_NONE, 0};

static verdict bad(uint8_t status, uint32_t detail, uint32_t extra) { return (verdict){status, detail, extra}; }

/* Frees the call's own buffers of these directions. */
static void free_buffers(p4k *k, p4k_call *call, bool keep_out)
{
    for (uint32_t i = 0; i < call->head.buffers; i++) {
        p4k_buffer *buffer = &call->buffers[i];
        if (!buffer->owned || (keep_out && buffer->direction & P4K_DIR_OUT))
            continue;
        p4k_free(k->port, buffer->address);
        buffer->owned = false;
    }
}

/* The kernel is done with it, or will never run. Results are kept when there are some. */
void p4k_call_ended(p4k *k, p4k_call *call, bool keep)
{
    free_buffers(k, call, keep);
    if (call->blob && !keep) {
        p4k_free(k->port, call->blob);
        call->blob = 0;
    }
    p4k_stack_leave(k, call);
    p4k_image_leave(k, call);
    k->frees++;
}

void p4k_call_free(p4k *k, p4k_call *call)
{
    p4k_call_ended(k, call, false);
    call->used = false;
}

static p4k_call *free_call(p4k *k)
{
    do {
        for (uint32_t i = 0; i < P4K_CALLS; i++)
            if (!k->calls[i].used)
                return &k->calls[i];
    } while (p4k_call_reclaim(k));
    return NULL;
}

/* On a link that loses nothing, results that were sent need not wait to be acknowledged when their place is needed. */
bool p4k_call_reclaim(p4k *k)
{
    if (!(k->info.flags & P4K_INFO_RELIABLE))
        return false;
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++) {
        p4k_slot *slot = &k->slots[(k->next + i) % P4K_MAX_REQUESTS];
        if (slot->live && slot->phase == P4K_PHASE_KEEP && slot->call != P4K_NONE) {
            p4k_call_free(k, &k->calls[slot->call]);
            slot->live = false;
            return true;
        }
    }
    return false;
}

/* Whether an earlier call holds memory that will come back: then a call without memory waits instead of failing. */
static bool others_hold(const p4k *k)
{
    for (uint32_t i = 0; i < P4K_CALLS; i++)
        if (k->calls[i].used && k->calls[i].blob)
            return true;
    return false;
}

/* Bytes between the head and the stream. */
static uint32_t fixed_size(const p4kw_call *head)
{
    return head->blob_size + head->buffers * (uint32_t)P4KW_BUFFER_SIZE + head->patches * (uint32_t)P4KW_PATCH_SIZE +
           head->frees * (uint32_t)4;
}

static verdict check_sizes(const p4kw_call *head, uint32_t len)
{
    if (head->blob_size > P4K_MAX_BLOB)
        return bad(P4K_ST_LIMIT, P4K_NONE, P4K_MAX_BLOB);
    if (head->buffers > P4K_MAX_BUFFERS)
        return bad(P4K_ST_LIMIT, P4K_NONE, P4K_MAX_BUFFERS);
    if (head->patches > P4K_MAX_PATCHES)
        return bad(P4K_ST_LIMIT, P4K_NONE, P4K_MAX_PATCHES);
    if (fixed_size(head) > len || head->flags & ~(uint32_t)P4K_CALL_RESET)
        return bad(P4K_ST_ARG, P4K_NONE, fixed_size(head));
    return good;
}

static verdict check_head(p4k *k, const p4kw_call *head)
{
    if (head->ret_offset > head->blob_size || head->ret_size > head->blob_size - head->ret_offset)
        return bad(P4K_ST_RANGE, P4K_NONE, head->blob_size);
    const p4k_image *image = p4k_image_of(k, head->image);
    if (!image || !image->committed)
        return bad(P4K_ST_NO_IMAGE, P4K_NONE, head->image);
    if (head->entry >= image->load.text_size || head->entry & 1)
        return bad(P4K_ST_RANGE, P4K_NONE, image->load.text_size);
    return good;
}

static bool usable(const p4k *k, const p4kw_buffer *b)
{
    if (b->direction & P4K_DIR_OUT)
        return p4k_writable(k, b->address, b->size);
    return p4k_readable(k, b->address, b->size);
}

/* Reads the table of buffers; adds up the two streams. */
static verdict check_buffers(p4k *k, p4k_call *call, const uint8_t *p, uint32_t inline_len)
{
    uint64_t in = 0, out = 0;

    for (uint32_t i = 0; i < call->head.buffers; i++, p += P4KW_BUFFER_SIZE) {
        p4kw_buffer b;
        p4kw_get_buffer(&b, p);
        if (!p4k_request_ok(b.align, b.cap) || b.direction & ~(P4K_DIR_IN | P4K_DIR_OUT))
            return bad(P4K_ST_ARG, i, 0);
        if (b.address && !usable(k, &b))
            return bad(P4K_ST_RANGE, i, b.address);
        call->buffers[i] = (p4k_buffer){.address = b.address, .size = b.size, .direction = b.direction};
        if (!b.address) {
            in += b.direction & P4K_DIR_IN ? b.size : 0;
            out += b.direction & P4K_DIR_OUT ? b.size : 0;
        }
    }
    if (in > UINT32_MAX || out > UINT32_MAX)
        return bad(P4K_ST_NOMEM, P4K_NONE, p4k_largest(k, 0));
    if (inline_len > in)
        return bad(P4K_ST_ARG, P4K_NONE, (uint32_t)in);
    call->in_size = (uint32_t)in;
    call->out_size = (uint32_t)out;
    return good;
}

static verdict check_patches(const p4k_call *call, const uint8_t *p)
{
    for (uint32_t i = 0; i < call->head.patches; i++, p += P4KW_PATCH_SIZE) {
        p4kw_patch patch;
        p4kw_get_patch(&patch, p);
        if (patch.buffer >= call->head.buffers)
            return bad(P4K_ST_RANGE, P4K_NONE, i);
        if (call->head.blob_size < 4 || patch.offset > call->head.blob_size - 4 ||
            patch.addend > call->buffers[patch.buffer].size)
            return bad(P4K_ST_RANGE, patch.buffer, i);
    }
    return good;
}

static verdict no_memory(p4k *k, uint32_t detail, uint32_t cap)
{
    return bad(P4K_ST_NOMEM, detail, p4k_largest(k, cap));
}

/* What was taken before a failure stays in the call, for p4k_call_free. */
static verdict allocate(p4k *k, p4k_call *call, const uint8_t *p)
{
    uint32_t stack = call->head.stack ? call->head.stack : P4K_DEFAULT_STACK;

    if (stack > UINT32_MAX - 15 || !p4k_stack_take(k, call, (stack + 15) & ~15u))
        return no_memory(k, P4K_NONE, 0);
    call->blob = p4k_take(k, call->head.blob_size, 16, 0);
    if (!call->blob)
        return no_memory(k, P4K_NONE, 0);
    for (uint32_t i = 0; i < call->head.buffers; i++, p += P4KW_BUFFER_SIZE) {
        p4k_buffer *buffer = &call->buffers[i];
        p4kw_buffer b;
        if (buffer->address)
            continue;
        p4kw_get_buffer(&b, p);
        buffer->address = p4k_take(k, b.size, b.align, b.cap);
        buffer->owned = buffer->address != 0;
        void *memory = buffer->owned ? p4k_mem(k->port, buffer->address, b.size) : NULL;
        if (!memory)
            return no_memory(k, i, b.cap);
        if (!(b.direction & P4K_DIR_IN))
            memset(memory, 0, b.size);
    }
    return good;
}

/* The argument blob with the addresses that the host could not know. */
static bool write_blob(p4k *k, const p4k_call *call, const uint8_t *blob, const uint8_t *p)
{
    uint8_t *memory = p4k_mem(k->port, call->blob, call->head.blob_size);

    if (!memory)
        return false;
    memcpy(memory, blob, call->head.blob_size);
    for (uint32_t i = 0; i < call->head.patches; i++, p += P4KW_PATCH_SIZE) {
        p4kw_patch patch;
        p4kw_get_patch(&patch, p);
        p4kw_put32(memory + patch.offset, call->buffers[patch.buffer].address + patch.addend);
    }
    return true;
}

static verdict begin(p4k *k, p4k_call *call, const uint8_t *rest, uint32_t len)
{
    const p4kw_call *head = &call->head;
    const uint8_t *buffers = rest + head->blob_size, *patches = buffers + (size_t)head->buffers * P4KW_BUFFER_SIZE;
    uint32_t unknown;
    verdict v = check_sizes(head, len);
    if (v.status == P4K_ST_OK) {
        p4k_discard(k, patches + (size_t)head->patches * P4KW_PATCH_SIZE, head->frees, &unknown);
        v = check_head(k, head);
    }
    if (v.status != P4K_ST_OK) {
        call->head.buffers = 0; /* none was read */
        return v;
    }
    v = check_buffers(k, call, buffers, len - fixed_size(head));
    if (v.status == P4K_ST_OK)
        v = check_patches(call, patches);
    if (v.status != P4K_ST_OK)
        return v;
    call->image = p4k_image_of(k, head->image);
    call->image->users++;
    call->image->last_use = ++k->use_count;
    v = allocate(k, call, buffers);
    if (v.status == P4K_ST_OK && !write_blob(k, call, rest, patches))
        v = no_memory(k, P4K_NONE, 0);
    uint32_t room = P4K_MAX_PAYLOAD - P4KW_CALL_RSP_SIZE - head->ret_size;
    call->out_inline = call->out_next = call->out_size < room ? call->out_size : room;
    return v;
}

/* False: a place or memory will be free when an earlier call is acknowledged. */
bool p4k_call_begin(p4k *k, p4k_slot *slot, const uint8_t *payload, uint32_t len)
{
    p4kw_call head;

    p4kw_get_call(&head, payload);
    /* What it gives back may be used by an earlier call, or be read again. */
    if (head.frees && (p4k_oldest(k) != slot || p4k_reads_open(k)))
        return false;
    p4k_call *call = slot->tried && slot->stamp == k->frees ? NULL : free_call(k);
    if (!call)
        return false;
    memset(call, 0, sizeof *call);
    call->used = true;
    call->head = head;
    payload += P4KW_CALL_SIZE;
    len -= P4KW_CALL_SIZE;
    verdict v = begin(k, call, payload, len);
    if (v.status != P4K_ST_OK) {
        p4k_call_free(k, call);
        if (v.status == P4K_ST_NOMEM && others_hold(k)) {
            slot->tried = true;
            slot->stamp = k->frees;
            return false;
        }
        p4k_finish(slot, v.status, v.detail, v.extra);
        return true;
    }
    uint32_t fixed = fixed_size(&call->head);
    slot->call = (uint32_t)(call - k->calls);
    p4k_fill_begin(k, slot, call->in_size, payload + fixed, len - fixed);
    return true;
}
