/* One step of everything, repeated while something moves. */
#include "p4k_internal.h"

enum { ROUNDS = 256 }; /* of one p4k_poll: the caller has other work, too */

uint32_t p4k_size(void) { return sizeof(p4k); }

void p4k_init(p4k *k, p4k_port *port)
{
    memset(k, 0, sizeof *k);
    k->port = port;
    k->run.call = k->run.slot = P4K_NONE;
    k->next = 1;
    p4k_get_info(port, &k->info);
}

void p4k_link_down(p4k *k)
{
    k->tx.len = 0;
    k->notes_used = 0;
    p4k_receive_reset(k);
    p4k_session_end(k);
}

/* The kernel's core is dead: when the answer is out, or nobody takes it, the board starts again. */
static bool reset_when_told(p4k *k)
{
    if (!k->resetting || (!p4k_quiet(k) && k->now < k->reset_limit))
        return false;
    p4k_session_end(k);
    for (uint32_t i = 0; i < P4K_MAX_IMAGES; i++)
        if (k->images[i].id)
            p4k_image_free(k, &k->images[i]);
    p4k_reset(k->port, P4K_ST_DEAD);
    k->resetting = k->has_nonce = false;
    k->tx.len = 0;
    p4k_receive_reset(k);
    p4k_get_info(k->port, &k->info);
    return true;
}

static uint32_t wait_for(p4k *k, uint64_t next, uint32_t *us)
{
    uint32_t what = p4k_may_receive(k) ? P4K_WAIT_RX : 0;

    if (k->tx.blocked)
        what |= P4K_WAIT_TX;
    if (!p4k_run_rests(k) && !k->run.text_size)
        what |= P4K_WAIT_EXEC;
    if (next != P4K_NEVER)
        what |= P4K_WAIT_TIME;
    uint64_t left = next > k->now ? next - k->now : 0;
    *us = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
    return what;
}

uint32_t p4k_poll(p4k *k, uint32_t *us)
{
    uint64_t next = P4K_NEVER;
    bool idle = false, some = true;

    for (uint32_t round = 0; some && round < ROUNDS; round++) {
        k->now = p4k_now_us(k->port);
        some = p4k_send(k);
        some |= p4k_receive(k);
        some |= p4k_pump(k);
        some |= p4k_run_step(k, &idle);
        some |= reset_when_told(k);
    }
    if (some) { /* not done, only interrupted */
        *us = 0;
        return P4K_WAIT_RX | P4K_WAIT_TIME | (p4k_run_rests(k) ? 0 : (uint32_t)P4K_WAIT_EXEC);
    }
    p4k_fill_timeouts(k, &next);
    p4k_receive_timeouts(k, &next);
    p4k_run_timeouts(k, &next);
    if (k->resetting)
        p4k_soonest(&next, k->reset_limit);
    return wait_for(k, next, us);
}
