/* A virtual board: the firmware core on a simulated chip, with a link of two byte rings. This is what Python sees. */
#ifndef P4V_VBOARD_H
#define P4V_VBOARD_H

#include "sim.h"

/* cdef begin */
typedef struct p4v p4v;

typedef struct {
    uint32_t psram_size, sram_size, tcm_size; /* bytes, multiples of 4096 */
    uint32_t revision;                        /* of the chip, major * 100 + minor */
    uint32_t reliable;                        /* 0: the link may lose or change bytes */
    uint32_t slice;                           /* instructions between two looks at the link; 0: the default */
    uint64_t seed;                            /* of nonces; 0: taken from the operating system */
    uint32_t still;                           /* 1: between calls no time passes for tasks and timers */
} p4v_config;

/* What p4v_pump and p4v_exchange return. */
enum {
    P4V_READABLE = 1, /* bytes wait to be read */
    P4V_RUNNING = 2,  /* a kernel runs: pump again */
    P4V_TIMER = 4,    /* the core wants to be pumped in p4v_wait_us, even if nothing comes */
    P4V_BACKLOG = 8   /* bytes from the host wait until the board's can be sent */
};

p4v *p4v_new(const p4v_config *config); /* NULL when memory or randomness is short, or a size is not possible */
void p4v_delete(p4v *board);

/* The two ends of the link: bytes that were taken, or given. Neither waits for the board. */
uint32_t p4v_write(p4v *board, const void *data, uint32_t size);
uint32_t p4v_read(p4v *board, void *buffer, uint32_t size);

/* Lets the board work until there is something to read, nothing to do, or max_us have passed. */
uint32_t p4v_pump(p4v *board, uint32_t max_us);

/* Write, pump and read in one: the board reads from data and writes to buffer without a copy between. moved[0] and
 * moved[1] are the bytes taken and given. Returns when something was given and all was taken, at the latest after
 * max_us. With wait, having nothing to do is no reason to return: another thread may write. */
uint32_t p4v_exchange(p4v *board, const void *data, uint32_t size, void *buffer, uint32_t room, uint32_t max_us,
                      int wait, uint32_t *moved);

void p4v_wake(p4v *board);            /* ends a wait in another thread */
uint32_t p4v_wait_us(p4v *board);     /* how long until the core wants to be pumped again at the latest */
void p4v_link_down(p4v *board);       /* the peer is gone: both rings are emptied, the session ends */
uint32_t p4v_users(p4v *board);       /* threads that are in a call on this board now */
p4s *p4v_sim(p4v *board);             /* the chip, for tests; not while a kernel runs */
uint32_t p4v_heap_errors(p4v *board); /* frees of what was not allocated: a defect of the core */
uint32_t p4v_heap_used(p4v *board);   /* bytes that are allocated now, in all memories */

uint32_t p4v_crc32(uint32_t crc, const void *data, uint32_t size); /* as zlib's */

/* Entry i of the table of firmware functions: its name, NULL when the slot is empty or behind the end. */
const char *p4v_export(uint32_t i);
/* cdef end */

#endif
