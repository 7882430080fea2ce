/* Bytes to frames. A header is believed only with its CRC; what does not fit is skipped up to the next magic. The
 * payload of wanted DATA goes straight into its buffer, and counts only when the frame's CRC was right. */
#include "p4k_internal.h"

static bool like_header(const p4k_rx_state *rx)
{
    return (rx->have < 1 || rx->head[0] == (P4K_MAGIC & 0xFF)) && (rx->have < 2 || rx->head[1] == P4K_MAGIC >> 8);
}

static void drop_first(p4k_rx_state *rx)
{
    rx->have--;
    for (uint32_t i = 0; i < rx->have; i++)
        rx->head[i] = rx->head[i + 1];
}

/* Reads up to a whole header; what p4k_rx says about the bytes. */
static int32_t read_head(p4k *k)
{
    p4k_rx_state *rx = &k->rx;
    int32_t got = p4k_rx(k->port, rx->head + rx->have, P4K_HEAD - rx->have);
    if (got <= 0)
        return got;
    rx->have += (uint32_t)got;
    while (!like_header(rx))
        drop_first(rx);
    if (rx->have < P4K_HEAD)
        return got;
    p4kw_get_header(&rx->h, rx->head);
    if (rx->h.len > P4K_MAX_PAYLOAD ||
        p4k_crc32(k->port, 0, rx->head, P4KW_HEADER_SIZE) != p4kw_get32(rx->head + P4KW_HEADER_SIZE)) {
        do
            drop_first(rx);
        while (!like_header(rx));
        return got;
    }
    rx->in_body = true;
    rx->direct = p4k_fill_wants(k, &rx->h);
    rx->have = 0;
    rx->crc = p4k_crc32(k->port, 0, rx->head + P4KW_HEADER_SIZE, 4);
    return got;
}

static int32_t read_body(p4k *k)
{
    p4k_rx_state *rx = &k->rx;
    uint8_t *place = rx->body + rx->have;
    uint32_t left = rx->have < rx->h.len ? rx->h.len - rx->have : 0; /* of the payload */
    uint32_t want = rx->h.len + 4u - rx->have;

    /* The request may have ended since the last piece. */
    rx->direct = rx->direct && p4k_fill_wants(k, &rx->h);
    if (rx->direct && left) {
        uint32_t piece;
        void *memory = p4k_fill_place(k, p4k_slot_of(k, rx->h.seq), rx->h.arg + rx->have, &piece);
        rx->direct = memory != NULL;
        if (memory) {
            place = memory;
            want = piece < left ? piece : left;
        }
    }
    int32_t got = p4k_rx(k->port, place, want);
    if (got <= 0)
        return got;
    rx->have += (uint32_t)got;
    rx->crc = p4k_crc32(k->port, rx->crc, place, (uint32_t)got < left ? (uint32_t)got : left);
    return got;
}

static void body_done(p4k *k)
{
    p4k_rx_state *rx = &k->rx;
    bool direct = rx->direct; /* read_body has just asked again */
    p4kw_header h = rx->h;

    rx->in_body = false;
    rx->have = 0;
    if (p4kw_get32(rx->body + h.len) != rx->crc) {
        p4k_frame_broken(k, &h);
    } else if (direct) {
        p4k_acknowledge(k, h.ack);
        p4k_fill_advance(k, p4k_slot_of(k, h.seq), h.len);
    } else {
        p4k_frame(k, &h, rx->body);
    }
}

void p4k_receive_reset(p4k *k)
{
    k->rx.in_body = false;
    k->rx.have = 0;
}

bool p4k_receive(p4k *k)
{
    p4k_rx_state *rx = &k->rx;
    bool some = false;

    while (p4k_may_receive(k)) {
        int32_t got = rx->in_body ? read_body(k) : read_head(k);
        if (got < 0) {
            p4k_link_down(k);
            return false;
        }
        if (got == 0)
            return some;
        some = true;
        rx->last = k->now;
        if (rx->in_body && rx->have == rx->h.len + 4u) {
            body_done(k);
            return true;
        }
    }
    return some;
}

void p4k_receive_timeouts(p4k *k, uint64_t *next)
{
    uint64_t limit = k->rx.last + p4k_us(P4K_MS_FRAME);

    if (!k->rx.in_body || k->info.flags & P4K_INFO_RELIABLE)
        return;
    p4k_soonest(next, limit);
    if (k->now < limit)
        return;
    p4k_receive_reset(k);
    p4k_frame_broken(k, &k->rx.h);
}
