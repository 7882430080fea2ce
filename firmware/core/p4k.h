/* The firmware core: frames, commands, tables of allocations and images, the states of a call. Portable C11, no heap
 * of its own, no call but those of p4k_port.h and memcpy, memset, memcmp. */
#ifndef P4K_H
#define P4K_H

#include "p4k_port.h"

typedef struct p4k p4k;

uint32_t p4k_size(void);             /* bytes of a core; aligned as uint64_t */
void p4k_init(p4k *, p4k_port *);    /* of zeroed or unknown memory */

/* Does all work that can be done now: receives, answers, runs. Returns what could bring more work (P4K_WAIT_*), and
 * in *us how long to wait for it at most. P4K_WAIT_EXEC means that a kernel is running: on the virtual board, poll
 * again. */
uint32_t p4k_poll(p4k *, uint32_t *us);

void p4k_link_down(p4k *);           /* the transport was lost: kill, free all but images, wait for HELLO */

#endif
