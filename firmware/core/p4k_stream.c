/* The streams of a request: bytes that come for a CALL's In arrays or a COMMIT's image, and a CALL's Out arrays. Both
 * go back to an offset when something was lost. */
#include "p4k_internal.h"

/* Byte `offset` of the buffers of one direction, laid end to end, and how many follow it in one piece. */
static void *place_in(p4k *k, const p4k_call *call, uint8_t direction, uint32_t offset, uint32_t *len)
{
    for (uint32_t i = 0; i < call->head.buffers; i++) { /* GCOV_EXCL_BR_LINE: offsets were checked */
        const p4k_buffer *buffer = &call->buffers[i];
        if (!buffer->owned || !(buffer->direction & direction))
            continue;
        if (offset < buffer->size) {
            *len = buffer->size - offset;
            return p4k_mem(k->port, buffer->address + offset, *len);
        }
        offset -= buffer->size;
    }
    return NULL;
}

void *p4k_fill_place(p4k *k, const p4k_slot *slot, uint32_t offset, uint32_t *len)
{
    if (slot->type == P4K_CALL)
        return place_in(k, &k->calls[slot->call], P4K_DIR_IN, offset, len);
    const p4k_image *image = p4k_image_of(k, slot->word[0]);
    if (!image || offset >= slot->fill.size) /* GCOV_EXCL_BR_LINE: it stays while it is filled, offsets were checked */
        return NULL;
    *len = slot->fill.size - offset;
    return p4k_mem(k->port, image->address + offset, *len);
}

/* Bytes that may be under way without credit; never 0, or no stream could begin. */
uint32_t p4k_window(const p4k *k)
{
    uint32_t window = k->info.window ? k->info.window : P4K_MAX_PAYLOAD;
    return window < P4K_MAX_WINDOW ? window : P4K_MAX_WINDOW;
}

/* `first` came with the request itself and was checked to be no more than size. */
void p4k_fill_begin(p4k *k, p4k_slot *slot, uint32_t size, const uint8_t *first, uint32_t len)
{
    slot->phase = P4K_PHASE_FILL;
    slot->fill.size = size;
    slot->fill.granted = len + p4k_window(k);
    for (uint32_t done = 0; done < len;) {
        uint32_t piece;
        void *place = p4k_fill_place(k, slot, done, &piece);
        if (!place) {
            p4k_abandon(k, slot, P4K_ST_RANGE);
            return;
        }
        piece = piece < len - done ? piece : len - done;
        memcpy(place, first + done, piece);
        done += piece;
    }
    p4k_fill_advance(k, slot, len);
    slot->owes_nak = slot->missed && slot->phase == P4K_PHASE_FILL;
}

bool p4k_fill_wants(p4k *k, const p4kw_header *h)
{
    if (h->type != P4K_DATA || h->version != P4K_VERSION || !k->session || h->session != k->session)
        return false;
    const p4k_slot *slot = p4k_slot_of(k, h->seq);
    return slot && slot->phase == P4K_PHASE_FILL && h->arg == slot->fill.have && h->len &&
           h->len <= slot->fill.size - slot->fill.have;
}

/* len more bytes are in place. */
void p4k_fill_advance(p4k *k, p4k_slot *slot, uint32_t len)
{
    p4k_fill *fill = &slot->fill;

    fill->have += len;
    fill->progress = k->now;
    fill->gap = false;
    if (fill->have == fill->size) {
        slot->owes_nak = slot->owes_credit = false;
        if (slot->type == P4K_CALL)
            slot->phase = P4K_PHASE_READY;
        else
            p4k_image_committed(k, slot);
        return;
    }
    uint32_t left = fill->size - fill->have, allowed = fill->have + (left < p4k_window(k) ? left : p4k_window(k));
    /* A quarter of the window at a time; the rest of the stream always, or its end could never be sent. */
    if (fill->granted < allowed && (allowed == fill->size || allowed - fill->granted >= p4k_window(k) / 4)) {
        fill->granted = allowed;
        slot->owes_credit = true;
    }
}

/* DATA that could not be taken as it came. */
void p4k_fill_other(p4k *k, const p4kw_header *h)
{
    p4k_slot *slot = p4k_slot_of(k, h->seq);

    if (!slot || slot->phase > P4K_PHASE_FILL)
        return;
    if (slot->phase == P4K_PHASE_HEADER) {
        slot->missed = true;
        return;
    }
    p4k_fill *fill = &slot->fill;
    if (h->arg < fill->have || !h->len)
        return;
    if (h->arg >= fill->size || h->len > fill->size - h->arg) {
        p4k_abandon(k, slot, P4K_ST_RANGE);
        return;
    }
    /* One NAK for a gap, and one more when what lies behind the gap is sent again. */
    if (!fill->gap || h->arg <= fill->gap_high)
        slot->owes_nak = true;
    if (!fill->gap || h->arg > fill->gap_high)
        fill->gap_high = h->arg;
    fill->gap = true;
}

void p4k_fill_timeouts(p4k *k, uint64_t *next)
{
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++) {
        p4k_slot *slot = &k->slots[i];
        if (!slot->live || slot->phase != P4K_PHASE_FILL)
            continue;
        uint64_t limit = slot->fill.progress + p4k_us(P4K_MS_FILL);
        if (k->now >= limit)
            p4k_abandon(k, slot, P4K_ST_TIMEOUT);
        p4k_soonest(next, limit);
    }
}

void p4k_out_copy(p4k *k, const p4k_call *call, uint32_t offset, uint8_t *to, uint32_t len)
{
    while (len) {
        uint32_t piece = len;
        const void *place = place_in(k, call, P4K_DIR_OUT, offset, &piece);
        piece = piece < len ? piece : len;
        if (place)
            memcpy(to, place, piece);
        else
            memset(to, 0, piece);
        to += piece;
        offset += piece;
        len -= piece;
    }
}

void p4k_out_back(p4k *k, uint32_t seq, uint32_t offset)
{
    p4k_slot *slot = p4k_slot_of(k, seq);

    if (!slot || !p4k_finished(slot) || slot->status != P4K_ST_OK || slot->call == P4K_NONE)
        return;
    p4k_call *call = &k->calls[slot->call];
    if (offset > call->out_size)
        return;
    slot->owes_rsp = slot->owes_rsp || offset < call->out_inline;
    call->out_next = offset > call->out_inline ? offset : call->out_inline;
    p4k_settle(k, slot);
}
