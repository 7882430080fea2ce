/* What goes wrong on purpose: fields and sizes of frames whose CRCs are right, and bytes of frames on the link. */
#include "fuzz.h"

static uint32_t interesting(fuzz *f, uint32_t old)
{
    return FUZZ_PICK(f, 0, 1, old - 1, old + 1, old + 8, old * 2, ~old, 255, 256, 4096, P4K_MAX_PAYLOAD, 65535,
                     1u << 31, UINT32_MAX, UINT32_MAX - 15, fuzz_random(f), f->core->next, f->session);
}

static void bend_header(fuzz *f, p4kw_header *h)
{
    switch (fuzz_below(f, 10)) {
    case 0: h->type = (uint8_t)interesting(f, h->type); break;
    case 1: h->version = (uint8_t)interesting(f, h->version); break;
    case 2: h->session = interesting(f, h->session); break;
    case 3: h->ack = interesting(f, h->ack); break;
    case 4: h->arg = interesting(f, h->arg); break;
    case 5: h->flags = (uint8_t)interesting(f, h->flags); break;
    case 6: h->len = (uint16_t)interesting(f, h->len); break;
    case 7:
        h->type = (uint8_t)FUZZ_PICK(f, P4K_CALL, P4K_COMMIT, P4K_LOAD, P4K_DATA, P4K_ALLOC, P4K_WRITE, P4K_RSP);
        break;
    default: h->seq = interesting(f, h->seq); break;
    }
}

/* The payload's fixed part matters most: fields in it are hit more often than what follows. */
static void bend_payload(fuzz *f, fuzz_frame *frame)
{
    uint32_t reach = fuzz_chance(f, 700) && frame->len > 80 ? 80 : frame->len;
    uint32_t at = fuzz_below(f, reach ? reach : 1);
    switch (frame->len ? fuzz_below(f, 6) : 4) {
    case 0:
        frame->payload[at] ^= (uint8_t)(1u << fuzz_below(f, 8));
        break;
    case 1:
    case 2:
        at &= ~3u;
        if (at + 4 <= frame->len)
            p4kw_put32(frame->payload + at, interesting(f, p4kw_get32(frame->payload + at)));
        break;
    case 3:
        at &= ~1u;
        if (at + 2 <= frame->len)
            p4kw_put16(frame->payload + at, interesting(f, p4kw_get16(frame->payload + at)));
        break;
    case 4: {
        uint32_t more = FUZZ_PICK(f, 1, 4, 16, 1000), room = P4K_MAX_PAYLOAD - frame->len;
        more = more < room ? more : room;
        memset(frame->payload + frame->len, (int)fuzz_below(f, 256), more);
        frame->len += more;
        break;
    }
    default: frame->len = at;
    }
    frame->h.len = (uint16_t)frame->len;
}

bool fuzz_bend(fuzz *f, fuzz_frame *frame)
{
    if (f->honest || !fuzz_chance(f, 80))
        return false;
    do {
        if (fuzz_chance(f, 500))
            bend_header(f, &frame->h);
        else
            bend_payload(f, frame);
    } while (fuzz_chance(f, 300));
    if (frame->h.type == P4K_HELLO)
        frame->h.session = 0; /* or its answer could be taken for one to a request of the same number */
    f->figures->bent++;
    return true;
}

uint32_t fuzz_encode(const fuzz_frame *frame, uint8_t *to)
{
    p4kw_put_header(to, &frame->h);
    p4kw_put32(to + P4KW_HEADER_SIZE, p4k_crc32(NULL, 0, to, P4KW_HEADER_SIZE));
    memcpy(to + P4K_HEAD, frame->payload, frame->len);
    p4kw_put32(to + P4K_HEAD + frame->len, p4k_crc32(NULL, 0, to + P4KW_HEADER_SIZE, 4 + frame->len));
    return P4K_HEAD + frame->len + 4;
}

/* Puts a frame on the link, which loses, repeats, delays and damages some. */
void fuzz_transmit(fuzz *f, const uint8_t *bytes, uint32_t size)
{
    uint8_t bad[FUZZ_FRAME];

    f->figures->frames++;
    if (!fuzz_chance(f, f->core->info.flags & P4K_INFO_RELIABLE ? 4 : 40)) {
        fake_write(f->board, bytes, size);
        return;
    }
    f->figures->damaged++;
    memcpy(bad, bytes, size);
    switch (fuzz_below(f, 8)) {
    case 0: /* noise, and the frame */
        fake_write(f->board, bad, fuzz_below(f, 40) % size);
        fake_write(f->board, bytes, size);
        break;
    case 1: /* lost */
        break;
    case 2: /* twice */
        fake_write(f->board, bytes, size);
        fake_write(f->board, bytes, size);
        break;
    case 3: /* cut off */
        fake_write(f->board, bytes, fuzz_below(f, size));
        break;
    case 4: /* a piece is missing */
        fake_write(f->board, bytes, size / 2);
        fake_write(f->board, bytes + size / 2 + 1, size - size / 2 - 1);
        break;
    case 5: /* kept, and sent later in the place of another */
        memcpy(f->kept, bytes, size);
        f->kept_size = size;
        break;
    case 6: /* after it comes one from long ago */
        fake_write(f->board, bytes, size);
        fake_write(f->board, f->kept, f->kept_size);
        break;
    default: /* bits */
        do
            bad[fuzz_below(f, size)] ^= (uint8_t)(1u << fuzz_below(f, 8));
        while (fuzz_chance(f, 300));
        fake_write(f->board, bad, size);
    }
}
