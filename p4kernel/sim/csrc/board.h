/* The inside of a virtual board. */
#ifndef P4V_BOARD_H
#define P4V_BOARD_H

#include <pthread.h>
#include <stdbool.h>

#include "exports.h"
#include "heap.h"
#include "p4k.h"
#include "ring.h"
#include "rtos.h"
#include "text.h"
#include "vboard.h"

/* The kernel that runs, or nothing. */
typedef struct {
    enum { P4V_IDLE, P4V_RUNS, P4V_ASKED, P4V_ENDED } phase; /* ended: `end` is reported when all text has been */
    bool kill;
    uint64_t limit;        /* of its instructions; 0: none */
    uint32_t slice;        /* instructions of the next slice */
    p4k_event end;
} p4v_exec;

/* The core's port is the board. */
struct p4k_port {
    p4v_config config;
    p4s *sim;
    p4k *core;
    p4v_heap heap;
    p4x exports;
    p4r rtos;
    p4v_exec exec;
    uint64_t seen_us;  /* up to when tasks ran between calls */
    bool fault_waits;  /* a task failed between calls: `exec.end` tells the next call */
    p4v_text text; /* that a kernel printed and the core has not fetched */
    uint64_t random;
    uint32_t wait_us;

    p4v_ring *rx, *tx;
    /* The caller's buffers during p4v_exchange, behind and before the rings. */
    const uint8_t *in;
    uint8_t *out;
    uint32_t in_left, out_left;
    bool writing; /* the exchange under way holds write_lock */

    pthread_mutex_t write_lock, read_lock, pump_lock;
    pthread_mutex_t wake_lock;
    pthread_cond_t wake;
    _Atomic bool waiting; /* a thread is in p4k_wait */
    bool woken;           /* guarded by wake_lock */
    _Atomic uint32_t users;
};

/* Lets tasks and timers run between calls, as the host's time passes. True when there are some. */
bool p4v_background(p4k_port *);

/* Ends p4k_wait, if a thread is in it. */
void p4v_notify(p4k_port *);

#endif
