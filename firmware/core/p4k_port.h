/* What the core needs from the machine that it runs on. One implementation for each: the virtual board
 * (p4kernel/sim/csrc/port.c) and ESP-IDF. The core calls it from one task, never casts a board address to a pointer,
 * and never blocks in it except in p4k_wait, which only the main loop calls. */
#ifndef P4K_PORT_H
#define P4K_PORT_H

#include <stdint.h>

typedef struct p4k_port p4k_port;
typedef uint32_t p4k_addr;

enum { P4K_WAIT_RX = 1, P4K_WAIT_TX = 2, P4K_WAIT_EXEC = 4, P4K_WAIT_TIME = 8 };

/* Both return the number of bytes moved, 0 when none can be moved now, -1 when the link is down. */
int32_t p4k_rx(p4k_port *, void *, uint32_t);
int32_t p4k_tx(p4k_port *, const void *, uint32_t);
uint32_t p4k_wait(p4k_port *, uint32_t us);
uint64_t p4k_now_us(p4k_port *);
int p4k_random(p4k_port *, void *, uint32_t); /* 0 when all bytes were filled */
uint32_t p4k_crc32(p4k_port *, uint32_t crc, const void *, uint32_t); /* as zlib's crc32: start with 0 */

typedef struct {
    const char *chip;     /* "ESP32-P4" */
    const char *isa;      /* "rv32imafc_zicsr_zifencei" */
    const char *firmware; /* name and version */
    uint8_t firmware_sha[32];
    uint32_t flags;       /* P4K_INFO_* of the protocol */
    uint16_t revision;    /* of the chip, major * 100 + minor */
    uint32_t psram_base, psram_size, sram_base, sram_size;
    uint32_t generation;  /* of PIE: 1 is xespv 2.1, 2 is xespv 2.2 */
    uint32_t exports;     /* entries of the export table */
    uint64_t export_hash;
    uint32_t window;      /* bytes of DATA that the link can take without credit */
    uint32_t limit_us;    /* a call's default time limit */
} p4k_info;
int p4k_get_info(p4k_port *, p4k_info *);

/* Export i of the table: its name (NULL behind the end) and, in *address, where it is (0: removed from this build). */
const char *p4k_export(p4k_port *, uint32_t i, p4k_addr *address);

typedef struct {
    uint32_t cap, base, total, free, largest;
} p4k_region;
int p4k_region_info(p4k_port *, uint32_t i, p4k_region *); /* 0 when there is a region i */

/* In 128-byte lines of its own; 0: none. The core asks for at least 1 byte and aligns to a power of two. */
p4k_addr p4k_alloc(p4k_port *, uint32_t size, uint32_t align, uint32_t cap);
void p4k_free(p4k_port *, p4k_addr);
void *p4k_mem(p4k_port *, p4k_addr, uint32_t len); /* NULL unless wholly inside memory that was allocated */
int p4k_code_ready(p4k_port *, p4k_addr, uint32_t len); /* after code was written; 0 when it can be run */

typedef struct {
    p4k_addr entry; /* void entry(void *blob) */
    p4k_addr blob;
    p4k_addr stack; /* lowest address */
    uint32_t stack_size;
    uint64_t max_instructions; /* 0: none; kept exactly where the port says COUNTS */
} p4k_exec;

typedef enum {
    P4K_EV_NONE,
    P4K_EV_DONE,
    P4K_EV_FAULT,
    P4K_EV_KILLED,
    P4K_EV_LOG,
    P4K_EV_CALLBACK,
    P4K_EV_DEAD
} p4k_event_kind;

typedef struct {
    p4k_event_kind kind;
    uint64_t instructions, cycles, firmware_calls; /* of the run so far, with DONE, FAULT, KILLED */
    uint32_t cause, tval, pc, x[32];               /* with FAULT and KILLED */
    int limit;                                     /* with KILLED: 1 when max_instructions ended it */
    const char *text;                              /* with LOG: valid until the next poll */
    uint32_t text_size;
    uint8_t level;
    uint32_t id, message, message_size;            /* with CALLBACK: which function, and where its message lies */
} p4k_event;

int p4k_exec_start(p4k_port *, const p4k_exec *); /* 0, and returns at once */
int p4k_exec_poll(p4k_port *, p4k_event *);       /* 0; on the virtual board this runs a slice */
void p4k_exec_resume(p4k_port *);                 /* after CALLBACK: the answer lies in the message */
void p4k_exec_kill(p4k_port *, int why);          /* KILLED or DEAD follows within 50 ms; while it asks, too */
void p4k_reset(p4k_port *, int why);              /* after DEAD */

/* What kernels leave behind: tasks, timers, memory that they allocated. */
int p4k_in_use(p4k_port *, p4k_addr, uint32_t size); /* whether code or data there may still be used by it */
void p4k_session_over(p4k_port *);                   /* ends and frees all of it; no kernel runs, or its core is dead */

#endif
