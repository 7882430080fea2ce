/* One frame at a time goes out; when it is out, the next is chosen: answers to frames, then what requests owe, then
 * log, replies and array data. Frames are made when they are sent, so nothing is queued but a few notes. */
#include "p4k_internal.h"

static void compose(p4k *k, uint8_t type, uint8_t flags, uint32_t session, uint32_t seq, uint32_t arg, uint32_t len)
{
    p4k_tx_state *tx = &k->tx;
    p4kw_header h = {
        .magic = P4K_MAGIC, .version = P4K_VERSION, .type = type, .session = session, .seq = seq, .arg = arg,
        .len = (uint16_t)len, .flags = flags,
    };
    p4kw_put_header(tx->frame, &h);
    p4kw_put32(tx->frame + P4KW_HEADER_SIZE, p4k_crc32(k->port, 0, tx->frame, P4KW_HEADER_SIZE));
    p4kw_put32(tx->frame + P4K_HEAD + len, p4k_crc32(k->port, 0, tx->frame + P4KW_HEADER_SIZE, 4 + len));
    tx->len = P4K_HEAD + len + 4;
    tx->sent = 0;
}

static uint8_t *payload_of(p4k *k) { return k->tx.frame + P4K_HEAD; }

static void note_add(p4k *k, const p4k_note *note)
{
    if (k->notes_used < P4K_NOTES) /* GCOV_EXCL_BR_LINE: there is room by p4k_may_receive; else as a lost frame */
        k->notes[k->notes_used++] = *note;
}

void p4k_note_status(p4k *k, uint32_t session, uint32_t seq, uint8_t status, uint32_t detail, uint32_t extra)
{
    p4k_note note = {.type = P4K_RSP, .session = session, .seq = seq, .arg = status};
    if (status == P4K_ST_VERSION) {
        p4kw_version_rsp range = {.min_version = P4K_VERSION, .max_version = P4K_VERSION};
        p4kw_put_version_rsp(note.payload, &range);
        note.len = P4KW_VERSION_RSP_SIZE;
    } else if (status != P4K_ST_OK) {
        p4kw_error error = {.detail = detail, .extra = extra};
        p4kw_put_error(note.payload, &error);
        note.len = P4KW_ERROR_SIZE;
    }
    note_add(k, &note);
}

void p4k_note_nak(p4k *k, uint32_t seq)
{
    p4k_note note = {.type = P4K_NAK, .flags = 1, .session = k->session, .seq = seq, .arg = k->next};
    note_add(k, &note);
}

void p4k_send_reply(p4k *k, p4k_slot *slot)
{
    uint32_t len = p4k_reply(k, slot, payload_of(k));
    compose(k, P4K_RSP, 0, k->session, slot->seq, slot->status, len);
    slot->owes_rsp = false;
    p4k_settle(k, slot);
}

static bool send_note(p4k *k)
{
    if (k->owes_hello) {
        uint32_t len = p4k_reply_hello(k, payload_of(k));
        compose(k, P4K_RSP, 0, k->session, 0, P4K_ST_OK, len);
        k->owes_hello = false;
        return true;
    }
    if (!k->notes_used)
        return false;
    p4k_note *note = &k->notes[0];
    memcpy(payload_of(k), note->payload, note->len);
    compose(k, note->type, note->flags, note->session, note->seq, note->arg, note->len);
    k->notes_used--;
    for (uint32_t i = 0; i < k->notes_used; i++)
        k->notes[i] = k->notes[i + 1];
    return true;
}

static bool send_control(p4k *k, p4k_slot *slot)
{
    if (slot->owes_nak) {
        slot->owes_nak = false;
        compose(k, P4K_NAK, 0, k->session, slot->seq, slot->fill.have, 0);
    } else if (slot->owes_credit) {
        slot->owes_credit = false;
        compose(k, P4K_CREDIT, 0, k->session, slot->seq, slot->fill.granted, 0);
    } else if (slot->owes_pending) {
        slot->owes_pending = false;
        compose(k, P4K_PENDING, 0, k->session, slot->seq, slot->phase, 0);
    } else {
        return false;
    }
    return true;
}

static bool send_log(p4k *k)
{
    uint32_t dropped;
    uint8_t level;

    if (!k->log.used)
        return false;
    uint32_t len = p4k_log_take(k, payload_of(k), &dropped, &level);
    compose(k, P4K_LOG, level, k->session, k->log.seq, dropped, len);
    return true;
}

/* What the kernel printed before it asked is out by then. */
static bool send_question(p4k *k)
{
    p4k_run *run = &k->run;
    p4kw_callback head = {run->id};

    if (p4k_run_rests(k) && run->call != P4K_NONE && run->owes_question) {
        const void *message = p4k_mem(k->port, run->message, run->message_size);
        run->owes_question = false;
        if (!message) {
            p4k_run_kill(k, P4K_ST_CALLBACK);
            return false;
        }
        p4kw_put_callback(payload_of(k), &head);
        memcpy(payload_of(k) + P4KW_CALLBACK_SIZE, message, run->message_size);
        compose(k, P4K_CALLBACK, 0, k->session, k->slots[run->slot].seq, run->questions,
                P4KW_CALLBACK_SIZE + run->message_size);
        return true;
    }
    return false;
}

/* Of a finished request: the reply, then DATA, status first. All log is out by then. */
static bool send_result(p4k *k, p4k_slot *slot)
{
    if (!p4k_finished(slot) || slot->phase == P4K_PHASE_KEEP)
        return false;
    if (slot->owes_rsp) {
        p4k_send_reply(k, slot);
        return true;
    }
    p4k_call *call = &k->calls[slot->call]; /* only a call has more than its reply */
    uint32_t left = call->out_size - call->out_next;
    uint32_t len = left < P4K_MAX_PAYLOAD ? left : P4K_MAX_PAYLOAD;
    p4k_out_copy(k, call, call->out_next, payload_of(k), len);
    compose(k, P4K_DATA, 0, k->session, slot->seq, call->out_next, len);
    call->out_next += len;
    p4k_settle(k, slot);
    return true;
}

static bool compose_next(p4k *k)
{
    if (send_note(k))
        return true;
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++)
        if (k->slots[i].live && send_control(k, &k->slots[i]))
            return true;
    if (send_log(k) || send_question(k))
        return true;
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++) { /* from the oldest */
        p4k_slot *slot = &k->slots[(k->next + i) % P4K_MAX_REQUESTS];
        if (slot->live && send_result(k, slot))
            return true;
    }
    return false;
}

bool p4k_quiet(const p4k *k)
{
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++)
        if (k->slots[i].live && k->slots[i].phase == P4K_PHASE_DRAIN)
            return false;
    return !k->owes_hello && !k->notes_used && !k->tx.len;
}

bool p4k_send(p4k *k)
{
    p4k_tx_state *tx = &k->tx;

    tx->blocked = false;
    if (!tx->len && !compose_next(k))
        return false;
    while (tx->sent < tx->len) {
        int32_t put = p4k_tx(k->port, tx->frame + tx->sent, tx->len - tx->sent);
        if (put < 0) {
            p4k_link_down(k);
            return false;
        }
        if (put == 0) {
            tx->blocked = true;
            return false;
        }
        tx->sent += (uint32_t)put;
    }
    tx->len = 0;
    return true;
}
