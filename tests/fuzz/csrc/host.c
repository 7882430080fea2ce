/* One case: a host that makes requests, hears answers, sends again what was lost, while the machine has its moods. In
 * the end all is well again, and then every request must have got its answer. */
#include "fuzz.h"

enum { SETTLE = 400, ROUND = 300000 }; /* rounds to settle, microseconds of one */

fuzz_request *fuzz_request_of(fuzz *f, uint32_t seq)
{
    fuzz_request *r = &f->sent[seq % FUZZ_SENT];
    return seq && r->seq == seq ? r : NULL;
}

static void set(fuzz *f, uint32_t knob, uint32_t value) { fake_set(f->board, knob, value); }

static void poll(fuzz *f)
{
    uint32_t allocations = fake_get(f->board, FAKE_ALLOCS);
    bool asked = fake_get(f->board, FAKE_UNREAD) || p4k_oldest(f->core);
    fake_poll(f->board);
    fuzz_check(f);
    if (!asked)
        FUZZ_EXPECT("memory taken for nobody", fake_get(f->board, FAKE_ALLOCS), ==, allocations);
}

static void pass(fuzz *f, uint32_t us) { set(f, FAKE_NOW, f->now += us); }

static void send(fuzz *f, const fuzz_frame *frame)
{
    static uint8_t bytes[FUZZ_FRAME];
    fuzz_transmit(f, bytes, fuzz_encode(frame, bytes));
}

static void control(fuzz *f, uint8_t type, uint32_t seq, uint32_t arg, uint32_t ack)
{
    static fuzz_frame frame;
    frame.len = 0;
    frame.h = (p4kw_header){.magic = P4K_MAGIC, .version = P4K_VERSION, .type = type, .session = f->session, .seq = seq,
                            .ack = ack, .arg = arg};
    send(f, &frame);
}

/* Answers what was asked last, perhaps not for the first time. */
static void answer(fuzz *f)
{
    static fuzz_frame frame;
    frame.len = f->question.size;
    memset(frame.payload, (int)f->question.number, frame.len);
    frame.h = (p4kw_header){.magic = P4K_MAGIC, .version = P4K_VERSION, .type = P4K_CB_REPLY, .session = f->session,
                            .seq = f->question.seq, .ack = f->acked, .arg = f->question.number,
                            .len = (uint16_t)frame.len};
    send(f, &frame);
}

static void hello(fuzz *f)
{
    static fuzz_frame frame;
    p4kw_hello hello = {.min_version = P4K_VERSION, .max_version = P4K_VERSION, .nonce = f->nonce += 2};
    p4kw_put_hello(frame.payload, &hello);
    frame.len = P4KW_HELLO_SIZE;
    frame.h = (p4kw_header){.magic = P4K_MAGIC, .version = P4K_VERSION, .type = P4K_HELLO, .len = P4KW_HELLO_SIZE};
    send(f, &frame);
}

/* Sends what the board asked for again; a number whose frame nobody has becomes a PING. */
static void resend(fuzz *f)
{
    uint32_t seq = f->resend;
    f->resend = 0;
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS && seq < f->next; i++, seq++) {
        if (i && seq > f->acked + P4K_MAX_REQUESTS) /* it would be too many at once */
            return;
        fuzz_request *r = fuzz_request_of(f, seq);
        if (r)
            fuzz_transmit(f, r->bytes, r->size);
        else
            control(f, P4K_PING, seq, 0, 0);
    }
}

/* A frame, perhaps bent, and what to remember of it. */
static void say(fuzz *f)
{
    static fuzz_frame frame;
    static fuzz_request request;

    fuzz_make(f, &frame, &request);
    frame.h.ack = f->acked;
    if (!f->honest && fuzz_chance(f, 30))
        frame.h.ack = f->next - fuzz_below(f, 3);
    if (request.seq) { /* what is sent again is as it should be */
        fuzz_request *r = &f->sent[request.seq % FUZZ_SENT];
        memcpy(r, &request, offsetof(fuzz_request, bytes));
        r->size = fuzz_encode(&frame, r->bytes);
    }
    uint8_t type = frame.h.type;
    if (fuzz_bend(f, &frame))
        for (uint32_t i = 0; i < 2; i++, type = frame.h.type)
            f->clouded |= type != P4K_READ && type != P4K_ACK && type != P4K_PING;
    if ((int32_t)(frame.h.ack - f->acked) > 0 && frame.h.ack > f->lied)
        f->lied = frame.h.ack;
    send(f, &frame);
}

static void trouble(fuzz *f)
{
    switch (fuzz_below(f, 15)) {
    case 0:
        fake_link_down(f->board);
        fuzz_hear(f);
        f->in_size = 0;
        break;
    case 1: set(f, FAKE_FAIL_ALLOC, fuzz_below(f, 6)); break;
    case 2: set(f, FAKE_TX_ROOM, FUZZ_PICK(f, 0, 5, 20000)); break;
    case 3: set(f, FAKE_DEAF, fuzz_below(f, 2)); break;
    case 4:
        if (!f->honest) {
            set(f, FAKE_NO_MEM, 1);
            f->clouded = true;
        }
        break;
    case 5: set(f, FAKE_RX_CHUNK, FUZZ_PICK(f, 1, 17, 4000)); break;
    case 6: set(f, FAKE_TX_CHUNK, FUZZ_PICK(f, 30, 1000)); break;
    case 7: set(f, FAKE_FAIL_START, fuzz_below(f, 30) == 0); break;
    case 8: set(f, FAKE_FAIL_READY, fuzz_below(f, 8) == 0); break;
    case 9: set(f, FAKE_FAIL_RANDOM, 1); break;
    case 10: set(f, FAKE_IN_USE, fuzz_below(f, 2)); break;
    default: pass(f, FUZZ_PICK(f, 1000, 100000, 600000, 3000000));
    }
}

static void heal(fuzz *f)
{
    static const uint8_t well[] = {FAKE_NO_MEM, FAKE_FAIL_ALLOC, FAKE_DEAF, FAKE_FAIL_START, FAKE_FAIL_READY,
                                   FAKE_FAIL_RANDOM, FAKE_IN_USE};
    for (uint32_t i = 0; i < sizeof well; i++)
        set(f, well[i], 0);
    set(f, FAKE_TX_ROOM, UINT32_MAX);
    set(f, FAKE_RX_CHUNK, UINT32_MAX);
    set(f, FAKE_TX_CHUNK, UINT32_MAX);
}

static void listen(fuzz *f)
{
    poll(f);
    fuzz_hear(f);
    if (f->next < f->core->next && f->session == f->core->session)
        f->next = f->core->next; /* a bent frame was taken for a request that the host did not make */
}

/* With nobody asking and no time passing, the board has said all it has to say after a few polls. */
static void quiet(fuzz *f)
{
    for (uint32_t i = 0; i < 200; i++) {
        uint64_t talked = f->talked;
        listen(f);
        if (f->talked == talked && !fake_get(f->board, FAKE_UNREAD))
            return;
    }
    fuzz_fail("it never stops talking", f->talked, 0);
}

static void step(fuzz *f)
{
    if (f->session != f->core->session && fuzz_chance(f, 600))
        hello(f);
    if (f->resend && fuzz_chance(f, 500))
        resend(f);
    if (f->question.seq && fuzz_chance(f, 300))
        answer(f);
    if (f->next - f->core->next < FUZZ_SENT / 2 || f->session != f->core->session)
        say(f);
    else
        control(f, P4K_QUERY, f->next - 1, 0, f->acked);
    pass(f, FUZZ_PICK(f, 10, 100, 5000, 50000));
    if (fuzz_chance(f, 25))
        trouble(f);
    if (fuzz_chance(f, 50))
        heal(f);
    for (uint32_t polls = FUZZ_PICK(f, 0, 1, 1, 2); polls; polls--)
        listen(f);
}

/* Every answer that is kept can be had again. */
static void replay(fuzz *f)
{
    quiet(f);
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS && f->session == f->core->session && !f->core->rx.in_body; i++) {
        const p4k_slot *slot = &f->core->slots[i];
        if (!slot->live || !p4k_finished(slot))
            continue;
        uint32_t seq = slot->seq, times = f->replies[seq % FUZZ_SEQS].times;
        if (seq > f->lied)
            FUZZ_EXPECT("finished, but not answered", times, >, 0);
        static fuzz_frame query;
        static uint8_t bytes[64];
        query.h = (p4kw_header){.magic = P4K_MAGIC, .version = P4K_VERSION, .type = P4K_QUERY, .session = f->session,
                                .seq = seq};
        fake_write(f->board, bytes, fuzz_encode(&query, bytes)); /* on a link without trouble */
        quiet(f);
        if (slot->live && slot->seq == seq)
            FUZZ_EXPECT("an answer that is kept", f->replies[seq % FUZZ_SEQS].times, >, times);
    }
}

static bool all_answered(fuzz *f)
{
    if (f->session != f->core->session || f->next != f->core->next || p4k_oldest(f->core))
        return false;
    for (uint32_t seq = 1; seq < f->next; seq++)
        if (seq > f->lied && !f->replies[seq % FUZZ_SEQS].times)
            return false;
    return true;
}

/* A kernel without a limit, or with one far away. */
static bool runs_for_long(const fuzz *f)
{
    const p4k_run *run = &f->core->run;
    return run->call != P4K_NONE && run->slot != P4K_NONE && run->limit > f->now + 5000000u;
}

/* The machine is well, and the host does what a good one does, on a link that still loses frames. */
static void settle(fuzz *f)
{
    static const uint8_t zeros[P4K_MAX_PAYLOAD + 64];

    heal(f);
    if (f->core->rx.in_body) /* the rest of a frame that was cut off */
        fake_write(f->board, zeros, sizeof zeros);
    listen(f);
    replay(f);
    for (uint32_t round = 0; round < SETTLE; round++) {
        pass(f, ROUND);
        if (f->session != f->core->session || !f->session) {
            hello(f);
        } else if (all_answered(f)) {
            quiet(f);
            return;
        } else {
            if (f->lied > f->acked) /* then it may wait in vain for what it said to have */
                f->lied = f->acked = f->next - 1;
            control(f, P4K_QUERY, f->next - 1, 0, f->acked);
            if (f->resend)
                resend(f);
            if (f->core->run.asking && f->core->run.slot != P4K_NONE) {
                control(f, P4K_QUERY, f->core->slots[f->core->run.slot].seq, 0, 0);
                answer(f);
            } else if (runs_for_long(f)) {
                control(f, P4K_CANCEL, f->core->slots[f->core->run.slot].seq, 0, 0);
            }
            for (uint32_t seq = f->acked + 1; seq < f->next; seq++)
                if (f->replies[seq % FUZZ_SEQS].got < f->replies[seq % FUZZ_SEQS].out_size)
                    control(f, P4K_NAK, seq, f->replies[seq % FUZZ_SEQS].got, 0);
        }
        listen(f);
        if (f->core->rx.in_body && f->core->info.flags & P4K_INFO_RELIABLE)
            fake_write(f->board, zeros, sizeof zeros);
    }
    fuzz_fail("a request never ends", f->next, f->core->next);
}

void fuzz_case(fuzz *f, uint32_t frames)
{
    uint64_t until = f->figures->frames + frames;

    f->honest = fuzz_chance(f, 400);
    set(f, FAKE_FLAGS, fuzz_chance(f, 500) ? P4K_INFO_RELIABLE : 0);
    set(f, FAKE_WINDOW, FUZZ_PICK(f, UINT32_MAX, UINT32_MAX, 0, 1000, 20000));
    set(f, FAKE_EXPORTS, fuzz_chance(f, 100) ? 600 : 3);
    set(f, FAKE_LIMIT_US, fuzz_chance(f, 100) ? 0 : 3000000);
    for (uint32_t i = 0; i < FUZZ_KNOWN; i++)
        f->addresses[i] = 0x48000000;
    hello(f);
    listen(f);
    while (f->figures->frames < until)
        step(f);
    settle(f);
    fake_link_down(f->board);
    for (uint32_t i = 0; i < 3; i++)
        poll(f);
    f->in_size = 0;
    uint8_t rest[64]; /* of a frame that was under way */
    while (fake_read(f->board, rest, sizeof rest))
        ;
    fuzz_check_idle(f);
    FUZZ_EXPECT("idle, but it talks", fake_read(f->board, rest, sizeof rest), ==, 0);
    f->figures->cases++;
}
