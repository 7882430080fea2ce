/* What the board says: every byte belongs to a good frame, and what frames say fits to what was said before. */
#include "fuzz.h"

static uint32_t hash_of(uint8_t status, const uint8_t *p, uint32_t len) { return p4k_crc32(NULL, status, p, len); }

/* The results of an adder: one more than byte i of what was sent, see fill() in make.c. */
static void prove(fuzz *f, const fuzz_request *r, uint32_t at, const uint8_t *p, uint32_t len)
{
    if (!r || !r->adds || f->clouded)
        return;
    for (uint32_t i = 0; i < len; i++)
        FUZZ_EXPECT("wrong result", p[i], ==, (uint8_t)(r->seq * 31 + at + i + 1));
    f->figures->proved += len;
}

static void received(fuzz *f, fuzz_reply *reply, const fuzz_request *r, uint32_t at, const uint8_t *p, uint32_t len)
{
    FUZZ_EXPECT("out stream", (uint64_t)at + len, <=, reply->out_size);
    prove(f, r, at, p, len);
    if (at == reply->got)
        reply->got += len;
}

static void learn(fuzz *f, const fuzz_request *r, const uint8_t *p)
{
    if (r->type == P4K_ALLOC) {
        f->addresses[fuzz_below(f, FUZZ_KNOWN)] = p4kw_get32(p);
    } else if (r->type == P4K_LOAD) {
        p4kw_load_rsp rsp;
        p4kw_get_load_rsp(&rsp, p);
        uint32_t place = fuzz_below(f, FUZZ_KNOWN);
        for (uint32_t i = 0; i < FUZZ_KNOWN; i++)
            if (f->images[i].id == rsp.image)
                place = i;
        f->images[place] = (fuzz_image){rsp.image, r->variant, rsp.held != 0};
        if (fuzz_chance(f, 200)) /* one that is pinned is memory, too */
            f->addresses[fuzz_below(f, FUZZ_KNOWN)] = rsp.address;
    } else if (r->type == P4K_COMMIT) {
        for (uint32_t i = 0; i < FUZZ_KNOWN; i++)
            f->images[i].committed |= f->images[i].id == r->image;
    }
}

static void results(fuzz *f, fuzz_reply *reply, const fuzz_request *r, const uint8_t *p, uint32_t len)
{
    p4kw_call_rsp rsp;
    p4kw_get_call_rsp(&rsp, p);
    reply->out_size = rsp.out_size;
    p4kw_call head;
    p4kw_get_call(&head, r->bytes + P4K_HEAD);
    if (f->clouded)
        reply->got = rsp.out_size; /* nobody knows how much of the payload is the stream */
    else
        received(f, reply, r, 0, p + P4KW_CALL_RSP_SIZE + head.ret_size, len - P4KW_CALL_RSP_SIZE - head.ret_size);
}

static void answered(fuzz *f, const p4kw_header *h, const uint8_t *p)
{
    fuzz_reply *reply = &f->replies[h->seq % FUZZ_SEQS];
    const fuzz_request *r = fuzz_request_of(f, h->seq);
    uint8_t status = (uint8_t)h->arg;
    uint32_t hash = hash_of(status, p, h->len);
    bool first = reply->times++ == 0;

    if (f->session == f->core->session)
        FUZZ_EXPECT("answer to what was not accepted", h->seq, <, f->core->next);
    if (first) {
        /* What may change is not compared: the heap, and on a link that loses nothing memory that is read again. */
        bool kept = r && r->type != P4K_HEAP && (r->type != P4K_READ || !(f->core->info.flags & P4K_INFO_RELIABLE));
        reply->compare = kept || status != P4K_ST_OK;
        reply->hash = hash;
        reply->status = status;
    } else if (reply->compare && status != P4K_ST_SEQ && !f->clouded) {
        FUZZ_EXPECT("another answer the second time", hash, ==, reply->hash);
    }
    if (!r || status != P4K_ST_OK)
        return;
    if (r->type == P4K_CALL && h->len >= P4KW_CALL_RSP_SIZE)
        results(f, reply, r, p, h->len);
    else if (first && h->len >= 4)
        learn(f, r, p);
    else if (first && r->type == P4K_COMMIT)
        learn(f, r, p);
    if (r->type == P4K_BYE && !f->clouded)
        for (uint32_t seq = f->lied + 1; seq < h->seq; seq++)
            FUZZ_EXPECT("a request before BYE got no answer", f->replies[seq % FUZZ_SEQS].times, >, 0);
}

static void new_session(fuzz *f, uint32_t session)
{
    if (f->session == session)
        return;
    f->session = session;
    f->next = 1;
    f->acked = f->lied = f->resend = 0;
    f->question.seq = 0;
    memset(f->replies, 0, sizeof f->replies);
    for (uint32_t i = 0; i < FUZZ_SENT; i++)
        f->sent[i].seq = 0;
    for (uint32_t i = 0; i < FUZZ_KNOWN; i++)
        if (!f->images[i].committed)
            f->images[i].id = 0;
    f->figures->sessions++;
}

/* A READ whose memory is no longer there, or denied by the machine, is answered by SEQ. */
static bool gone(fuzz *f, const p4kw_header *h)
{
    const fuzz_request *r = fuzz_request_of(f, h->seq);
    const p4k_slot *slot = p4k_slot_of(f->core, h->seq);
    return h->arg == P4K_ST_SEQ && r && r->type == P4K_READ && slot && slot->status == P4K_ST_SEQ;
}

static void response(fuzz *f, const p4kw_header *h, const uint8_t *p)
{
    FUZZ_EXPECT("status", h->arg, <=, P4K_ST_DEAD);
    f->figures->statuses[h->arg]++;
    if (h->seq == 0 && h->arg == P4K_ST_OK && h->len >= P4KW_HELLO_RSP_SIZE)
        new_session(f, h->session);
    else if (h->session == f->session && h->session && (h->arg == P4K_ST_OK || h->arg >= P4K_ST_COMMAND || gone(f, h)))
        answered(f, h, p);
    else if (h->session == f->session && h->arg == P4K_ST_BUSY && h->seq)
        f->resend = h->seq;
}

static void go_back(fuzz *f, const p4kw_header *h)
{
    fuzz_request *r = fuzz_request_of(f, h->seq);
    if (h->flags == 1)
        f->resend = h->arg;
    else if (r && h->arg <= r->stream)
        r->at = h->arg;
}

static void frame(fuzz *f, const p4kw_header *h, const uint8_t *p)
{
    fuzz_reply *reply = &f->replies[h->seq % FUZZ_SEQS];
    bool ours = h->session == f->session && h->session;

    f->figures->types[h->type]++;
    switch (h->type) {
    case P4K_RSP: response(f, h, p); break;
    case P4K_NAK:
        if (ours)
            go_back(f, h);
        break;
    case P4K_LOG:
    case P4K_PENDING:
        if (ours)
            FUZZ_EXPECT("said of a call that was answered", reply->times, ==, 0);
        break;
    case P4K_CALLBACK:
        FUZZ_EXPECT("size of a question", h->len, >=, P4KW_CALLBACK_SIZE);
        FUZZ_EXPECT("size of a question", h->len, <=, P4KW_CALLBACK_SIZE + P4K_MAX_MESSAGE);
        if (ours) {
            FUZZ_EXPECT("asked by a call that was answered", reply->times, ==, 0);
            FUZZ_EXPECT("number of a question", h->arg - reply->question, <=, 1);
            reply->question = h->arg;
            f->question.seq = h->seq;
            f->question.number = h->arg;
            f->question.size = h->len - P4KW_CALLBACK_SIZE;
        }
        break;
    case P4K_CREDIT:
        if (ours) {
            FUZZ_EXPECT("credit is taken back", h->arg, >=, reply->credit);
            reply->credit = h->arg;
        }
        break;
    case P4K_DATA:
        FUZZ_EXPECT("empty DATA", h->len, >, 0);
        if (ours) {
            FUZZ_EXPECT("DATA before its status", reply->times, >, 0);
            FUZZ_EXPECT("DATA of a call that failed", reply->status, ==, P4K_ST_OK);
            received(f, reply, fuzz_request_of(f, h->seq), h->arg, p, h->len);
        }
        break;
    default: fuzz_fail("a frame that no board sends", h->type, h->seq);
    }
}

static bool sound_head(const uint8_t *p)
{
    return p4kw_get32(p + P4KW_HEADER_SIZE) == p4k_crc32(NULL, 0, p, P4KW_HEADER_SIZE);
}

static bool sound_body(const uint8_t *p, uint32_t len)
{
    return p4kw_get32(p + P4K_HEAD + len) == p4k_crc32(NULL, 0, p + P4KW_HEADER_SIZE, 4 + len);
}

/* All whole frames that have come; returns their bytes. */
static uint32_t frames(fuzz *f)
{
    bool torn = fake_get(f->board, FAKE_RESETS); /* a reset cuts off what nobody took for long */
    uint32_t at = 0;

    while (f->in_size - at >= P4K_HEAD) {
        const uint8_t *p = f->in + at;
        p4kw_header h;
        p4kw_get_header(&h, p);
        if (torn && !sound_head(p)) {
            at++;
            continue;
        }
        FUZZ_EXPECT("CRC of a header", sound_head(p), ==, true);
        FUZZ_EXPECT("magic", h.magic, ==, P4K_MAGIC);
        FUZZ_EXPECT("version", h.version, ==, P4K_VERSION);
        FUZZ_EXPECT("length", h.len, <=, P4K_MAX_PAYLOAD);
        if (f->in_size - at < P4K_HEAD + h.len + 4u)
            break;
        if (torn && !sound_body(p, h.len)) {
            at++;
            continue;
        }
        FUZZ_EXPECT("CRC of a body", sound_body(p, h.len), ==, true);
        frame(f, &h, p + P4K_HEAD);
        at += P4K_HEAD + h.len + 4u;
    }
    return at;
}

/* Takes what has come; then, what the host has in full. */
void fuzz_hear(fuzz *f)
{
    uint32_t came = fake_read(f->board, f->in + f->in_size, (uint32_t)sizeof f->in - f->in_size);

    f->in_size += came;
    f->talked += came;
    FUZZ_EXPECT("too much is said in one poll", came, <=, 257 * FUZZ_FRAME); /* a frame in each round of p4k_poll */
    uint32_t taken = frames(f);
    f->in_size -= taken;
    memmove(f->in, f->in + taken, f->in_size);
    for (;;) {
        const fuzz_reply *reply = &f->replies[(f->acked + 1) % FUZZ_SEQS];
        if (!reply->times || reply->got < reply->out_size)
            break;
        f->acked++;
    }
}
