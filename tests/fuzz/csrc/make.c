/* Requests and control frames as a host makes them: from what it knows, now and then with what it cannot have. */
#include "fuzz.h"

static const char *const SCRIPTS[] = {"ad", "d", "ad", "nnd", "f", "l", "ad", "g\x02g\x30" "d", "g\x60l", "k", "u", "c\x02" "ad", "c\xff" "d", "C\x01", "c\x01g\x02" "c\x7f" "ad",
                                      "w", "i\x20" "f", "sad", "B", "nad"};
enum { SCRIPT_COUNT = sizeof SCRIPTS / sizeof *SCRIPTS, TEXT = 64, LONG_TEXT = 3000 };

/* -- images: variant n always has the same bytes -- */

static const char *script_of(uint32_t variant) { return SCRIPTS[variant % SCRIPT_COUNT]; }

static void layout_of(uint32_t variant, p4kw_load *load)
{
    uint32_t text = variant % 7 == 6 ? LONG_TEXT : TEXT;
    uint32_t data = variant % 3 == 1 ? 8 : 0, bss = variant % 4 == 1 ? 16 : 0;
    *load = (p4kw_load){
        .size = text + data + bss, .text_size = text, .data_offset = text, .data_size = data, .bss_offset = text + data,
        .bss_size = bss, .align = 16u << variant % 5, .cap = variant % 9 == 2 ? P4K_CAP_INTERNAL : 0,
        .generation = variant % 2, .flags = variant % 6 == 4 ? P4K_LOAD_PIN : 0,
    };
    memset(load->sha, (int)variant + 1, sizeof load->sha);
}

uint32_t fuzz_image_bytes(uint32_t variant, uint8_t *to)
{
    p4kw_load load;
    const char *script = script_of(variant);
    layout_of(variant, &load);
    memset(to, 0, load.text_size);
    memcpy(to, script, strlen(script));
    memset(to + load.data_offset, 0x44, load.data_size);
    return load.data_offset + load.data_size;
}

static fuzz_image *some_image(fuzz *f, bool committed)
{
    uint32_t first = fuzz_below(f, FUZZ_KNOWN);
    for (uint32_t i = 0; i < FUZZ_KNOWN; i++) {
        fuzz_image *image = &f->images[(first + i) % FUZZ_KNOWN];
        if (image->id && image->committed == committed)
            return image;
    }
    return &f->images[first];
}

/* -- numbers -- */

static uint32_t number(fuzz *f)
{
    return FUZZ_PICK(f, 0, 1, fuzz_below(f, 256), fuzz_below(f, 1 << 14), fuzz_below(f, 1 << 23), 1u << 31, UINT32_MAX,
                     fuzz_random(f));
}

static uint32_t length(fuzz *f) { return FUZZ_PICK(f, 0, 1, 3, 60, 100, 300, 300, fuzz_below(f, 900), 5000, 20000); }

static uint32_t address(fuzz *f)
{
    uint32_t a = f->addresses[fuzz_below(f, FUZZ_KNOWN)];
    return fuzz_chance(f, 800) ? a : a + FUZZ_PICK(f, 1, UINT32_MAX, 64, 5000);
}

/* What the host gives back; returns how many. */
static uint32_t put_list(fuzz *f, uint8_t *p)
{
    uint32_t count = FUZZ_PICK(f, 0, 0, 0, 0, 1, 1, 2, 5);
    for (uint32_t i = 0; i < count; i++)
        p4kw_put32(p + (size_t)4 * i, address(f));
    return count;
}

/* -- CALL -- */

static uint32_t put_buffer(uint8_t *p, uint32_t size, uint32_t where, uint8_t direction, uint32_t align)
{
    p4kw_buffer b = {.size = size, .address = where, .align = (uint16_t)align, .direction = direction};
    p4kw_put_buffer(p, &b);
    return P4KW_BUFFER_SIZE;
}

static uint32_t put_patch(uint8_t *p, uint32_t offset, uint32_t buffer, uint32_t addend)
{
    p4kw_patch patch = {.offset = (uint16_t)offset, .buffer = (uint16_t)buffer, .addend = addend};
    p4kw_put_patch(p, &patch);
    return P4KW_PATCH_SIZE;
}

/* Byte i of the stream of call `seq`; check of results in hear.c. */
static void fill(uint8_t *to, uint32_t seq, uint32_t at, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        to[i] = (uint8_t)(seq * 31 + at + i);
}

/* out[i] = in[i] + 1 */
static uint32_t put_adder(p4kw_call *head, uint8_t *p, uint32_t size)
{
    uint32_t len = 12;
    memset(p, 0, 12);
    p4kw_put32(p + 8, size);
    head->blob_size = 12;
    head->buffers = head->patches = 2;
    len += put_buffer(p + len, size, 0, P4K_DIR_IN, 1);
    len += put_buffer(p + len, size, 0, P4K_DIR_OUT, 4096);
    len += put_patch(p + len, 0, 0, 0);
    return len + put_patch(p + len, 4, 1, 0);
}

static uint32_t put_anything(fuzz *f, p4kw_call *head, uint8_t *p, uint32_t *stream)
{
    uint32_t len = head->blob_size = (uint16_t)FUZZ_PICK(f, 0, 4, 12, 12, 40, 4096);
    memset(p, 0, len);
    head->buffers = (uint16_t)FUZZ_PICK(f, 0, 1, 2, 2, 3, 5, fuzz_chance(f, 100) ? 64 : 1);
    head->patches = (uint16_t)(head->buffers ? FUZZ_PICK(f, 0, 0, 1, 3, fuzz_chance(f, 30) ? 256 : 0) : 0);
    for (uint32_t i = 0; i < head->buffers; i++) {
        bool resident = fuzz_chance(f, 200);
        uint32_t size = length(f) / (1 + head->buffers / 8);
        uint8_t direction = (uint8_t)fuzz_below(f, 4);
        len += put_buffer(p + len, size, resident ? address(f) : 0, direction, FUZZ_PICK(f, 0, 1, 16, 16, 4096));
        *stream += !resident && direction & P4K_DIR_IN ? size : 0;
    }
    for (uint32_t i = 0; i < head->patches; i++) {
        uint32_t offset = f->honest ? FUZZ_PICK(f, 0, 4) : FUZZ_PICK(f, 0, 4, 8, 9);
        f->clouded |= offset >= 8; /* an adder takes it for a length, and writes over what is not its own */
        len += put_patch(p + len, offset, fuzz_below(f, head->buffers), FUZZ_PICK(f, 0, 0, 0, 1));
    }
    if (fuzz_chance(f, 100)) {
        head->ret_offset = (uint16_t)FUZZ_PICK(f, 0, 4, 4095);
        head->ret_size = (uint16_t)FUZZ_PICK(f, 4, 8, 1);
    }
    return len;
}

static void make_call(fuzz *f, fuzz_frame *frame, fuzz_request *request)
{
    const fuzz_image *image = some_image(f, fuzz_chance(f, 970));
    p4kw_call head = {
        .image = image->id, .flags = fuzz_below(f, 2), .limit_us = FUZZ_PICK(f, 0, 1000, 1000000),
        .stack = FUZZ_PICK(f, 0, 0, 0, 0, 100, fuzz_chance(f, 100) ? 30000 : 0), .limit_instructions = fuzz_below(f, 2),
    };
    uint8_t *rest = frame->payload + P4KW_CALL_SIZE;
    uint32_t len;
    const char *script = script_of(image->variant);
    if (image->committed && script[0] != 'i' && strstr(script, "ad") && fuzz_chance(f, 700)) {
        request->stream = request->adds = fuzz_chance(f, 60) ? 40000 : length(f);
        len = put_adder(&head, rest, request->stream);
    } else {
        len = put_anything(f, &head, rest, &request->stream);
    }
    head.frees = (uint16_t)put_list(f, rest + len);
    len += head.frees * (uint32_t)4;
    uint32_t room = P4K_MAX_PAYLOAD - P4KW_CALL_SIZE - len, inlined = FUZZ_PICK(f, 0, 10, 2000, 16000, 16000);
    inlined = inlined < room ? inlined : room;
    inlined = inlined < request->stream ? inlined : request->stream;
    fill(rest + len, frame->h.seq, 0, inlined);
    request->at = inlined;
    p4kw_put_call(frame->payload, &head);
    frame->len = P4KW_CALL_SIZE + len + inlined;
}

/* -- the others -- */

static void make_load(fuzz *f, fuzz_frame *frame, fuzz_request *request)
{
    p4kw_load load;
    request->variant = fuzz_below(f, fuzz_chance(f, 900) ? 12 : FUZZ_VARIANTS);
    layout_of(request->variant, &load);
    p4kw_put_load(frame->payload, &load);
    frame->len = P4KW_LOAD_SIZE;
}

static void make_commit(fuzz *f, fuzz_frame *frame, fuzz_request *request)
{
    const fuzz_image *image = some_image(f, false);
    static uint8_t bytes[LONG_TEXT + 64];
    uint32_t size = fuzz_image_bytes(image->variant, bytes), inlined = fuzz_chance(f, 700) ? size : fuzz_below(f, size);
    p4kw_commit commit = {.image = image->id, .size = size};
    p4kw_put_commit(frame->payload, &commit);
    memcpy(frame->payload + P4KW_COMMIT_SIZE, bytes, inlined);
    request->image = image->id;
    request->variant = image->variant;
    request->stream = size;
    request->at = inlined;
    frame->len = P4KW_COMMIT_SIZE + inlined;
}

/* The next piece of the stream of a request that waits for it. */
static bool make_data(fuzz *f, fuzz_frame *frame)
{
    uint32_t first = fuzz_below(f, FUZZ_SENT);
    for (uint32_t i = 0; i < FUZZ_SENT; i++) {
        fuzz_request *r = &f->sent[(first + i) % FUZZ_SENT];
        if (!r->seq || r->at >= r->stream || f->replies[r->seq % FUZZ_SEQS].times)
            continue;
        uint32_t left = r->stream - r->at, most = FUZZ_PICK(f, 100, 2000, 2000, P4K_MAX_PAYLOAD);
        frame->len = left < most ? left : most;
        frame->h.seq = r->seq;
        frame->h.arg = r->at;
        if (r->type == P4K_CALL) {
            fill(frame->payload, r->seq, r->at, frame->len);
        } else {
            static uint8_t bytes[LONG_TEXT + 64];
            fuzz_image_bytes(r->variant, bytes);
            memcpy(frame->payload, bytes + r->at, frame->len);
        }
        r->at += frame->len;
        return true;
    }
    return false;
}

static void make_payload(fuzz *f, fuzz_frame *frame, fuzz_request *request)
{
    uint8_t *p = frame->payload;

    switch (frame->h.type) {
    case P4K_ALLOC: {
        p4kw_alloc alloc = {fuzz_chance(f, 40) ? number(f) : length(f), FUZZ_PICK(f, 0, 1, 16, 128, 4096, 3),
                            FUZZ_PICK(f, 0, 0, 0, 1, 2, 4, fuzz_chance(f, 100) ? 16 : 0)};
        p4kw_put_alloc(p, &alloc);
        frame->len = P4KW_ALLOC_SIZE + 4 * put_list(f, p + P4KW_ALLOC_SIZE);
        break;
    }
    case P4K_READ: {
        p4kw_read read = {address(f), length(f)};
        p4kw_put_read(p, &read);
        frame->len = P4KW_READ_SIZE;
        break;
    }
    case P4K_WRITE:
        p4kw_put32(p, address(f));
        frame->len = P4KW_WRITE_SIZE + length(f) % 6000;
        memset(p + P4KW_WRITE_SIZE, 0x57, frame->len - P4KW_WRITE_SIZE);
        break;
    case P4K_FREE: p4kw_put32(p, address(f)), frame->len = P4KW_FREE_SIZE + 4 * put_list(f, p + 4); break;
    case P4K_UNLOAD: p4kw_put32(p, some_image(f, true)->id), frame->len = P4KW_UNLOAD_SIZE; break;
    case P4K_EXPORTS: p4kw_put32(p, number(f)), frame->len = P4KW_EXPORTS_SIZE; break;
    case P4K_LOAD: make_load(f, frame, request); break;
    case P4K_COMMIT: make_commit(f, frame, request); break;
    case P4K_CALL: make_call(f, frame, request); break;
    default: break;
    }
}

static uint8_t some_type(fuzz *f)
{
    if (fuzz_chance(f, 8))
        return (uint8_t)FUZZ_PICK(f, P4K_HELLO, P4K_BYE, P4K_AUTH, P4K_CB_REPLY, P4K_EXPORTS, 0x77);
    if (f->next - f->acked > P4K_MAX_REQUESTS && fuzz_chance(f, 950)) /* the window is full */
        return (uint8_t)FUZZ_PICK(f, P4K_DATA, P4K_DATA, P4K_DATA, P4K_DATA, P4K_ACK, P4K_QUERY, P4K_NAK, P4K_NAK,
                                  P4K_CANCEL);
    if (fuzz_chance(f, 500) && some_image(f, false)->id && !some_image(f, false)->committed)
        return P4K_COMMIT;
    if (fuzz_chance(f, 300) && !some_image(f, true)->committed)
        return P4K_LOAD;
    uint32_t rare = fuzz_chance(f, 300) ? P4K_UNLOAD : P4K_ACK;
    return (uint8_t)FUZZ_PICK(f, P4K_CALL, P4K_CALL, P4K_CALL, P4K_CALL, P4K_CALL, P4K_DATA, P4K_DATA, P4K_DATA,
                              P4K_DATA, P4K_DATA, P4K_LOAD, P4K_COMMIT, P4K_ALLOC, P4K_FREE, P4K_READ, P4K_WRITE,
                              P4K_PING, P4K_HEAP, P4K_ACK, P4K_QUERY, P4K_NAK, P4K_CANCEL, rare);
}

/* *request is what to remember about it; its seq is 0 when it is no request. */
void fuzz_make(fuzz *f, fuzz_frame *frame, fuzz_request *request)
{
    uint8_t type = some_type(f);

    memset(&frame->h, 0, sizeof frame->h);
    frame->len = 0;
    memset(request, 0, offsetof(fuzz_request, bytes));
    frame->h.session = f->session;
    if (type == P4K_DATA && !make_data(f, frame))
        type = P4K_PING;
    frame->h.type = request->type = type;
    switch (type) {
    case P4K_DATA: break;
    case P4K_HELLO: {
        p4kw_hello hello = {.min_version = 1, .max_version = (uint8_t)(P4K_VERSION + fuzz_below(f, 2)),
                            .nonce = f->nonce + fuzz_below(f, 2)};
        frame->h.session = 0;
        p4kw_put_hello(frame->payload, &hello);
        frame->len = P4KW_HELLO_SIZE;
        break;
    }
    case P4K_CB_REPLY: /* of a confused host */
        frame->h.arg = 1 + fuzz_below(f, 2);
        frame->len = 8 * fuzz_below(f, 3);
        memset(frame->payload, 0xCB, frame->len);
        /* fallthrough */
    case P4K_CANCEL:
    case P4K_QUERY:
    case P4K_NAK:
    case P4K_ACK:
        frame->h.seq = f->next - 1 - fuzz_below(f, f->next < 4 ? f->next : 4);
        if (fuzz_chance(f, 300)) /* the oldest that is missing something */
            frame->h.seq = f->acked + 1;
        if (type == P4K_NAK) {
            uint32_t got = f->replies[frame->h.seq % FUZZ_SEQS].got;
            frame->h.arg = FUZZ_PICK(f, got, got, got, 0, 10, 5000, fuzz_below(f, 20000));
        }
        break;
    default:
        frame->h.seq = request->seq = f->next++;
        make_payload(f, frame, request);
    }
    frame->h.magic = P4K_MAGIC;
    frame->h.version = P4K_VERSION;
    frame->h.len = (uint16_t)frame->len;
}
