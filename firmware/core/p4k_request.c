/* Numbered requests: accepted in order, remembered for a repetition, freed when acknowledged. One that must wait for
 * an earlier one lies in the queue. */
#include "p4k_internal.h"

static bool before(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }

bool p4k_finished(const p4k_slot *slot) { return slot->phase >= P4K_PHASE_DRAIN; }

p4k_slot *p4k_slot_of(p4k *k, uint32_t seq)
{
    p4k_slot *slot = &k->slots[seq % P4K_MAX_REQUESTS];
    return slot->live && slot->seq == seq ? slot : NULL;
}

void p4k_finish(p4k_slot *slot, uint8_t status, uint32_t detail, uint32_t extra)
{
    slot->status = status;
    slot->phase = P4K_PHASE_DRAIN;
    slot->owes_rsp = true;
    slot->owes_pending = slot->owes_nak = slot->owes_credit = false;
    if (status != P4K_ST_OK) {
        slot->word[0] = detail;
        slot->word[1] = extra;
    }
}

/* Ends a request whose kernel does not run. */
void p4k_abandon(p4k *k, p4k_slot *slot, uint8_t status)
{
    if (slot->call != P4K_NONE)
        p4k_call_free(k, &k->calls[slot->call]);
    slot->call = P4K_NONE;
    p4k_finish(slot, status, P4K_NONE, 0);
}

void p4k_settle(p4k *k, p4k_slot *slot)
{
    const p4k_call *call = slot->call != P4K_NONE ? &k->calls[slot->call] : NULL;
    bool data = call && slot->status == P4K_ST_OK && call->out_next < call->out_size;
    slot->phase = slot->owes_rsp || data ? P4K_PHASE_DRAIN : P4K_PHASE_KEEP;
    k->frees += slot->phase == P4K_PHASE_KEEP; /* p4k_call_reclaim may take it */
}

static void release(p4k *k, p4k_slot *slot)
{
    if (slot->call != P4K_NONE)
        p4k_call_free(k, &k->calls[slot->call]);
    slot->live = false;
}

void p4k_acknowledge(p4k *k, uint32_t ack)
{
    if (!before(ack, k->next))
        return;
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++) {
        p4k_slot *slot = &k->slots[i];
        if (slot->live && p4k_finished(slot) && !before(ack, slot->seq))
            release(k, slot);
    }
}

void p4k_cancel(p4k *k, uint32_t seq)
{
    p4k_slot *slot = p4k_slot_of(k, seq);

    if (!slot)
        return;
    if (slot->phase == P4K_PHASE_RUN || slot->phase == P4K_PHASE_CALLBACK)
        p4k_run_kill(k, P4K_ST_CANCELLED);
    else if (slot->phase <= P4K_PHASE_READY)
        p4k_abandon(k, slot, P4K_ST_CANCELLED);
}

static void repeat(p4k *k, p4k_slot *slot)
{
    if (slot->phase == P4K_PHASE_CALLBACK) {
        k->run.owes_question = true; /* it, or the answer, was lost */
        return;
    }
    if (!p4k_finished(slot)) {
        slot->owes_pending = true;
        if (slot->phase == P4K_PHASE_FILL && !(k->info.flags & P4K_INFO_RELIABLE))
            slot->owes_nak = slot->owes_credit = true; /* the host asks because one of them was lost */
        return;
    }
    slot->owes_rsp = true;
    if (slot->call != P4K_NONE)
        k->calls[slot->call].out_next = k->calls[slot->call].out_inline;
    p4k_settle(k, slot);
}

/* One NAK for a gap, and one more when what lies behind the gap is sent again. */
static void gap(p4k *k, uint32_t seq)
{
    if (k->refused)
        return;
    if (!k->seq_gap || !before(k->gap_seq, seq))
        p4k_note_nak(k, seq);
    if (!k->seq_gap || before(k->gap_seq, seq))
        k->gap_seq = seq;
    k->seq_gap = true;
}

void p4k_query(p4k *k, uint32_t seq)
{
    p4k_slot *slot = p4k_slot_of(k, seq);

    if (slot)
        repeat(k, slot);
    else if (before(seq, k->next))
        p4k_note_status(k, k->session, seq, P4K_ST_SEQ, P4K_NONE, k->next);
    else
        p4k_note_nak(k, seq);
}

/* Whether nothing that came before stands in the way: calls may get ready behind calls, all else is one by one. */
static bool may_start(p4k *k, const p4k_slot *slot)
{
    if (slot->type == P4K_PING)
        return true;
    if (k->closing || k->resetting)
        return false;
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++) {
        const p4k_slot *other = &k->slots[i];
        if (!other->live || p4k_finished(other) || !before(other->seq, slot->seq))
            continue;
        if (slot->type != P4K_CALL || other->type != P4K_CALL || other->phase == P4K_PHASE_HEADER)
            return false;
    }
    return true;
}

static void accept(p4k *k, const p4kw_header *h, const uint8_t *payload)
{
    p4k_slot *slot = &k->slots[h->seq % P4K_MAX_REQUESTS];

    if (slot->live) {
        if (slot->phase != P4K_PHASE_KEEP) { /* the host has more in flight than it may */
            p4k_note_status(k, k->session, h->seq, P4K_ST_BUSY, P4K_NONE, P4K_MAX_REQUESTS);
            return;
        }
        release(k, slot);
    }
    memset(slot, 0, sizeof *slot);
    slot->live = true;
    slot->type = h->type;
    slot->seq = h->seq;
    slot->call = P4K_NONE;
    k->seq_gap = false;
    k->next++;
    if (may_start(k, slot) && p4k_command(k, slot, payload, h->len))
        return;
    if (h->len > P4K_QUEUE - k->queue_used) {
        slot->live = false;
        k->next--;
        k->refused = true;
        return;
    }
    slot->payload = k->queue_used;
    slot->len = h->len;
    memcpy(k->queue + k->queue_used, payload, h->len);
    k->queue_used += h->len;
}

void p4k_request(p4k *k, const p4kw_header *h, const uint8_t *payload)
{
    p4k_slot *slot = p4k_slot_of(k, h->seq);

    if (slot)
        repeat(k, slot);
    else if (h->seq == k->next)
        accept(k, h, payload);
    else if (before(h->seq, k->next))
        p4k_note_status(k, k->session, h->seq, P4K_ST_SEQ, P4K_NONE, k->next);
    else
        gap(k, h->seq);
}

p4k_slot *p4k_oldest(p4k *k)
{
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++) {
        p4k_slot *slot = &k->slots[(k->next + i) % P4K_MAX_REQUESTS];
        if (slot->live && !p4k_finished(slot))
            return slot;
    }
    return NULL;
}

/* Starts what waited, in order. */
bool p4k_pump(p4k *k)
{
    bool some = false;

    if (!k->queue_used && !p4k_oldest(k))
        return false;
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++) {
        p4k_slot *slot = &k->slots[(k->next + i) % P4K_MAX_REQUESTS];
        if (!slot->live || slot->phase != P4K_PHASE_HEADER)
            continue;
        if (!may_start(k, slot) || !p4k_command(k, slot, k->queue + slot->payload, slot->len))
            return some;
        if (!k->session)
            return true;
        some = true;
    }
    k->queue_used = 0;
    if (k->refused) {
        k->refused = false;
        p4k_note_nak(k, k->next);
    }
    return some;
}
