/* The board's clock: cycles since it started, of instructions and of waiting. */
#include "rtos.h"

uint64_t p4r_cycles(const p4r *r) { return p4s_instret(r->x->sim) + r->skipped; }

uint64_t p4r_us(const p4r *r) { return p4r_cycles(r) / r->mhz; }

uint32_t p4r_mhz(const p4r *r) { return r->mhz; }

uint64_t p4r_tick(const p4r *r) { return (uint64_t)P4R_TICK_US * r->mhz; }

uint64_t p4r_after(const p4r *r, uint32_t ticks)
{
    return ticks == P4R_FOREVER ? P4R_NEVER : (p4r_cycles(r) / p4r_tick(r) + ticks) * p4r_tick(r);
}

void p4r_sleep_us(p4r *r, uint64_t us) { p4r_wait_until(r, NULL, p4r_cycles(r) + us * r->mhz, 0); }

/* The task keeps the core: for others the time has passed when they look again. */
void p4r_spin_us(p4r *r, uint32_t us)
{
    r->skipped += (uint64_t)us * r->mhz;
    r->x->stop = true;
}
