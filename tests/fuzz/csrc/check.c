/* What must be true of the core's tables whenever it rests. */
#include "fuzz.h"

static void check_slot(const p4k *k, uint32_t i, const p4k_slot *slot)
{
    FUZZ_EXPECT("place of a request", slot->seq % P4K_MAX_REQUESTS, ==, i);
    FUZZ_EXPECT("request of the last eight", k->next - slot->seq - 1, <, P4K_MAX_REQUESTS);
    FUZZ_EXPECT("phase", slot->phase, <=, P4K_PHASE_KEEP);
    FUZZ_EXPECT("a question", slot->phase == P4K_PHASE_CALLBACK, ==,
                k->run.slot == i && k->run.call != P4K_NONE && k->run.asking && !k->run.killed);
    FUZZ_EXPECT("a finished request says its end", slot->phase == P4K_PHASE_KEEP && slot->owes_rsp, ==, 0);
    FUZZ_EXPECT("NAK, CREDIT without a stream", slot->owes_nak || slot->owes_credit, <=, slot->phase == P4K_PHASE_FILL);
    FUZZ_EXPECT("stream", slot->fill.have, <=, slot->fill.size);
    if (slot->phase == P4K_PHASE_HEADER)
        FUZZ_EXPECT("queue", slot->payload + slot->len, <=, k->queue_used);
    bool runs = slot->phase == P4K_PHASE_RUN || slot->phase == P4K_PHASE_CALLBACK || slot->phase == P4K_PHASE_KILLING;
    FUZZ_EXPECT("the running request", runs, ==, k->run.slot == i && k->run.call != P4K_NONE);
    if (runs)
        FUZZ_EXPECT("the running call", slot->call, ==, k->run.call);
    if (slot->call != P4K_NONE) {
        FUZZ_EXPECT("call", slot->call, <, P4K_CALLS);
        FUZZ_EXPECT("call of a request", k->calls[slot->call].used, ==, 1);
        FUZZ_EXPECT("kind of a call", slot->type, ==, P4K_CALL);
    } else {
        bool begun = slot->phase >= P4K_PHASE_FILL && !p4k_finished(slot);
        FUZZ_EXPECT("a CALL that holds nothing", slot->type == P4K_CALL && begun, ==, 0);
    }
}

static uint32_t check_call(const p4k *k, uint32_t i)
{
    const p4k_call *call = &k->calls[i];
    uint32_t owners = k->run.call == i && k->run.slot == P4K_NONE, live = call->blob != 0;
    bool other_stack = call->stack && call->stack != k->stack;

    for (uint32_t s = 0; s < P4K_MAX_REQUESTS; s++)
        owners += k->slots[s].live && k->slots[s].call == i;
    FUZZ_EXPECT("requests of a call", owners, ==, 1);
    for (uint32_t b = 0; b < call->head.buffers; b++)
        live += call->buffers[b].owned;
    for (uint32_t j = 0; j < i; j++)
        other_stack = other_stack && !(k->calls[j].used && k->calls[j].stack == call->stack);
    return live + other_stack;
}

static uint32_t check_images(const p4k *k)
{
    uint32_t live = 0;
    for (uint32_t i = 0; i < P4K_MAX_IMAGES; i++) {
        const p4k_image *image = &k->images[i];
        uint32_t users = 0;
        for (uint32_t c = 0; c < P4K_CALLS; c++)
            users += k->calls[c].used && k->calls[c].image == image;
        FUZZ_EXPECT("users of an image", image->users, ==, users);
        if (image->id == 0)
            continue;
        FUZZ_EXPECT("place of an image", image->id % P4K_MAX_IMAGES, ==, i);
        FUZZ_EXPECT("an image that nobody will free", image->condemned && !users, ==, 0);
        live += 1 + (image->pristine != 0);
    }
    return live;
}

void fuzz_check(fuzz *f)
{
    const p4k *k = f->core;
    uint32_t live = k->allocations_used + (k->stack != 0) + check_images(k);

    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++)
        if (k->slots[i].live)
            check_slot(k, i, &k->slots[i]);
    for (uint32_t i = 0; i < P4K_CALLS; i++)
        if (k->calls[i].used)
            live += check_call(k, i);
    FUZZ_EXPECT("memory that no table knows", fake_get(f->board, FAKE_LIVE), ==, live);
    FUZZ_EXPECT("memory was freed twice", fake_get(f->board, FAKE_BAD_FREES), ==, 0);
    FUZZ_EXPECT("notes", k->notes_used, <=, P4K_NOTES);
    FUZZ_EXPECT("queue", k->queue_used, <=, P4K_QUEUE);
    FUZZ_EXPECT("log", k->log.used, <=, P4K_MAX_LOG);
    FUZZ_EXPECT("sent", k->tx.len ? k->tx.sent : 0, <=, k->tx.len);
    FUZZ_EXPECT("received", k->rx.have, <=, k->rx.in_body ? k->rx.h.len + 4u : P4K_HEAD);
    if (!k->session) {
        FUZZ_EXPECT("numbers of no session", k->next, ==, 1);
        FUZZ_EXPECT("memory of no session", k->allocations_used, <=, k->closing ? P4K_MAX_ALLOCATIONS : 0);
        for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++)
            FUZZ_EXPECT("request of no session", k->slots[i].live, ==, 0);
    }
    if (k->closing)
        FUZZ_EXPECT("closing without a kernel", k->run.call, !=, P4K_NONE);
}

/* Without a link nothing is left but images, and the core waits for the link alone. */
void fuzz_check_idle(fuzz *f)
{
    const p4k *k = f->core;

    fuzz_check(f);
    FUZZ_EXPECT("idle", k->session, ==, 0);
    FUZZ_EXPECT("idle", k->closing || k->resetting, ==, 0);
    FUZZ_EXPECT("idle", k->run.call, ==, P4K_NONE);
    FUZZ_EXPECT("idle", k->allocations_used, ==, 0);
    FUZZ_EXPECT("idle", k->stack, ==, 0);
    FUZZ_EXPECT("idle", fake_get(f->board, FAKE_LIVE), ==, check_images(k));
    for (uint32_t i = 0; i < P4K_MAX_IMAGES; i++)
        FUZZ_EXPECT("an image of no session", k->images[i].id && (!k->images[i].committed || k->images[i].load.flags), ==, 0);
    FUZZ_EXPECT("idle", fake_poll(f->board), ==, P4K_WAIT_RX);
}
