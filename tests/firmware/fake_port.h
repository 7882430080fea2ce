/* A machine for the firmware core whose memory, link, clock and executor do what a test tells them. Each allocation is
 * a block of the host's heap, so that a sanitizer sees a byte that is touched outside. */
#ifndef FAKE_PORT_H
#define FAKE_PORT_H

#include <stdint.h>

typedef struct p4k_port fake;

/* What a test can set; all are 0 at first but for NOW, which is 1000000, and the limits, which are very large. */
enum {
    FAKE_NOW,          /* microseconds */
    FAKE_FLAGS,        /* P4K_INFO_* */
    FAKE_WINDOW,
    FAKE_LIMIT_US,
    FAKE_EXPORTS,      /* entries of the export table */
    FAKE_RX_CHUNK,     /* most bytes of one p4k_rx */
    FAKE_TX_CHUNK,     /* most bytes of one p4k_tx */
    FAKE_TX_ROOM,      /* bytes that the link still takes */
    FAKE_RX_DOWN,      /* p4k_rx says that the link is down */
    FAKE_TX_DOWN,
    FAKE_FAIL_ALLOC,   /* so many allocations succeed, then one fails; 0: none fails */
    FAKE_FAIL_RANDOM,  /* 1: no random bytes; 2: they are all 0 */
    FAKE_FAIL_READY,   /* code cannot run */
    FAKE_FAIL_START,   /* the executor does not start */
    FAKE_DEAF,         /* a kill has no effect for as long */
    FAKE_NO_MEM,       /* 1: p4k_mem knows no memory; n > 1: the (n-1)th of its calls fails */
    FAKE_TICK,         /* microseconds that pass at each p4k_poll */
    FAKE_FAIL_MORE,    /* after the allocation that fails, all others fail, too */
    FAKE_ODD_NAMES,    /* of the chip none, of the ISA an empty one, of the firmware one of 300 letters */
    FAKE_REGIONS,      /* so many regions are told, which repeat */
    FAKE_IN_USE,       /* tasks and timers use all code */
    FAKE_KNOBS
};

/* What a test can ask for. */
enum {
    FAKE_LIVE,      /* allocations that are not freed */
    FAKE_ALLOCS,    /* calls of p4k_alloc */
    FAKE_BAD_FREES, /* of what was not allocated */
    FAKE_STARTS,
    FAKE_KILLS,
    FAKE_WHY,       /* of the last kill or reset */
    FAKE_RESETS,
    FAKE_POLLS,     /* of the executor */
    FAKE_UNREAD,    /* bytes sent that the core has not taken */
    FAKE_WAIT_US,   /* what the last poll said */
    FAKE_STACK,     /* of the last start */
    FAKE_STACK_SIZE,
    FAKE_BLOB,
    FAKE_INSTRUCTIONS, /* limit of the last start, low 32 bits */
    FAKE_CORE_SIZE,
    FAKE_MEMS,      /* calls of p4k_mem */
    FAKE_RESUMES,
    FAKE_OVERS,     /* sessions that ended */
    FAKE_COUNTERS
};

fake *fake_new(void);
void fake_delete(fake *);
struct p4k *fake_core(fake *);
void fake_set(fake *, uint32_t knob, uint32_t value);
uint32_t fake_get(fake *, uint32_t counter);
void fake_write(fake *, const void *, uint32_t);       /* to the board */
uint32_t fake_read(fake *, void *, uint32_t);          /* from the board */
uint32_t fake_poll(fake *);                            /* one p4k_poll; its P4K_WAIT_* */
void fake_link_down(fake *);
int fake_peek(fake *, uint32_t address, void *, uint32_t);
int fake_poke(fake *, uint32_t address, const void *, uint32_t);

#endif
