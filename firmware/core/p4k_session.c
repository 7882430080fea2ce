/* HELLO, the end of a session, and where a frame goes. AUTH has its number, but no meaning yet: as all unknown types it
 * is a request that gets COMMAND. A second framing (P4-JIT v1) would begin in p4k_receive.c, decided
 * by the first valid frame on a link. */
#include "p4k_internal.h"

/* Everything of a session, once no kernel can use it any more; images stay, unless they keep state or are not whole. */
void p4k_session_free(p4k *k)
{
    p4k_session_over(k->port);
    while (k->allocations_used)
        p4k_free(k->port, k->allocations[--k->allocations_used].address);
    for (uint32_t i = 0; i < P4K_MAX_IMAGES; i++)
        if (k->images[i].id && (!k->images[i].committed || k->images[i].load.flags & P4K_LOAD_PIN))
            p4k_image_free(k, &k->images[i]);
    if (k->stack)
        p4k_free(k->port, k->stack);
    k->stack = k->stack_size = 0;
    k->closing = false;
}

void p4k_session_end(p4k *k)
{
    if (!k->session)
        return;
    k->session = 0;
    k->next = 1;
    k->owes_hello = k->refused = k->seq_gap = false;
    k->queue_used = 0;
    memset(k->slots, 0, sizeof k->slots);
    for (uint32_t i = 0; i < P4K_CALLS; i++)
        if (k->calls[i].used && i != k->run.call)
            p4k_call_free(k, &k->calls[i]);
    p4k_log_clear(k, 0);
    if (k->run.call == P4K_NONE) {
        p4k_session_free(k);
    } else {
        k->closing = true; /* the kernel may still write: its memory stays until it is gone */
        k->run.slot = P4K_NONE;
        p4k_run_kill(k, P4K_ST_SESSION);
    }
}

static void hello(p4k *k, const p4kw_header *h, const uint8_t *payload)
{
    p4kw_hello hello;
    uint32_t session = 0;

    if (h->len != P4KW_HELLO_SIZE) {
        p4k_note_status(k, h->session, h->seq, P4K_ST_ARG, P4K_NONE, P4KW_HELLO_SIZE);
        return;
    }
    p4kw_get_hello(&hello, payload);
    if (hello.min_version > P4K_VERSION || hello.max_version < P4K_VERSION) {
        p4k_note_status(k, h->session, h->seq, P4K_ST_VERSION, 0, 0);
        return;
    }
    if (k->session && k->next == 1 && hello.nonce == k->client_nonce) {
        k->owes_hello = true; /* the answer was lost */
        return;
    }
    uint32_t old = k->session;
    p4k_session_end(k);
    p4k_get_info(k->port, &k->info);
    if ((!k->has_nonce && p4k_random(k->port, &k->nonce, sizeof k->nonce)) ||
        p4k_random(k->port, &session, sizeof session)) {
        p4k_note_status(k, h->session, h->seq, P4K_ST_BUSY, P4K_NONE, 0);
        return;
    }
    k->has_nonce = true;
    while (session == 0 || session == old)
        session++;
    k->session = session;
    k->client_nonce = hello.nonce;
    k->owes_hello = true;
}

void p4k_frame(p4k *k, const p4kw_header *h, const uint8_t *payload)
{
    bool control = h->type == P4K_DATA || h->type == P4K_NAK || h->type == P4K_CANCEL || h->type == P4K_ACK ||
                   h->type == P4K_CB_REPLY;

    if (h->version != P4K_VERSION) {
        p4k_note_status(k, h->session, h->seq, P4K_ST_VERSION, 0, 0);
    } else if (p4kw_board_only(h->type)) {
        return; /* an echo of our own: answering it would never end */
    } else if (h->type == P4K_HELLO) {
        hello(k, h, payload);
    } else if (!k->session || h->session != k->session) {
        if (!control)
            p4k_note_status(k, h->session, h->seq, P4K_ST_SESSION, P4K_NONE, 0);
    } else {
        p4k_acknowledge(k, h->ack);
        if (h->type == P4K_DATA)
            p4k_fill_other(k, h);
        else if (h->type == P4K_NAK && h->flags == 0)
            p4k_out_back(k, h->seq, h->arg);
        else if (h->type == P4K_CANCEL)
            p4k_cancel(k, h->seq);
        else if (h->type == P4K_CB_REPLY)
            p4k_run_answer(k, h, payload);
        else if (h->type == P4K_QUERY)
            p4k_query(k, h->seq);
        else if (!control)
            p4k_request(k, h, payload);
    }
}

/* A good header whose body was damaged or stopped coming. */
void p4k_frame_broken(p4k *k, const p4kw_header *h)
{
    p4k_slot *slot = h->session == k->session ? p4k_slot_of(k, h->seq) : NULL;

    if (k->info.flags & P4K_INFO_RELIABLE) {
        p4k_note_status(k, h->session, h->seq, P4K_ST_FRAME, P4K_NONE, 0);
        p4k_session_end(k);
    } else if (h->type == P4K_DATA && slot && slot->phase == P4K_PHASE_FILL) {
        slot->owes_nak = true;
    } else {
        p4k_note_nak(k, h->seq);
    }
}
