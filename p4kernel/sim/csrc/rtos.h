/* FreeRTOS and esp_timer on the simulated core: tasks that take turns, decided by counting instructions, so that the
 * same program does the same every time. The kernel of a call is a task, too. Time is what instructions take at one a
 * cycle; when every task waits, it jumps to the next event. */
#ifndef P4R_RTOS_H
#define P4R_RTOS_H

#include "exports.h"
#include "heap.h"

enum { P4R_TASKS = 32, P4R_QUEUES = 128, P4R_TIMERS = 64, P4R_NAME = 16, P4R_ARGUMENTS = 4 };
enum { P4R_KERNEL, P4R_SERVICES, P4R_ESP_TIMER = P4R_SERVICES, P4R_TIMER_TASK, P4R_FIRST }; /* the first tasks */

#define P4R_NONE UINT32_MAX
#define P4R_NEVER UINT64_MAX
#define P4R_FOREVER UINT32_MAX /* ticks: portMAX_DELAY */
#define P4R_TICK_US 1000u      /* configTICK_RATE_HZ in freertos/FreeRTOS.h */

typedef struct p4r p4r;
typedef struct p4r_task p4r_task;

/* What a task waits for: true when it can go on, with *result in its a0. */
typedef bool p4r_attempt(p4r *, p4r_task *, uint32_t *result);

struct p4r_task {
    enum { P4R_UNUSED, P4R_READY, P4R_WAITS, P4R_SUSPENDED } status;
    uint32_t handle; /* its stack's address */
    bool own_stack;  /* else of the call */
    char name[P4R_NAME];
    uint32_t priority, base; /* base: without what a mutex lends it */
    uint64_t turn;           /* among equals the one that has not run for longest is next */
    uint64_t wake;           /* cycles */
    p4r_attempt *attempt;    /* NULL: it only waits for time */
    uint32_t arguments[P4R_ARGUMENTS], late; /* late: a0 when the time is over */
    uint64_t instructions;
    bool notified;
    uint32_t value; /* of its notification */
    p4s_state state; /* while another one runs */
    p4s_pie_state pie;
    p4x_frames frames;
};

typedef struct {
    uint32_t handle; /* the address of its items; 0: unused */
    uint32_t length, item, count, first;
    uint8_t type;
    uint32_t holder, depth; /* of a mutex */
} p4r_queue;

typedef struct {
    uint32_t handle; /* 0: unused */
    bool esp;        /* an esp_timer, else one of FreeRTOS */
    bool repeats;
    uint32_t callback, argument;
    uint64_t period, due; /* cycles; P4R_NEVER: stopped */
} p4r_timer;

/* Why p4r_run came back. */
typedef enum { P4R_SPENT, P4R_STOPPED, P4R_EXIT, P4R_TRAP, P4R_LIMIT, P4R_STUCK } p4r_end;

struct p4r {
    p4x *x;
    uint32_t current;  /* whose registers are in the core, or P4R_NONE */
    uint32_t count;    /* tasks from here on were never used */
    uint32_t locks;    /* no other task runs: vTaskSuspendAll, critical sections */
    uint32_t mhz;
    uint64_t skipped;  /* cycles that nobody ran */
    uint64_t turns, slice_end;
    p4r_task tasks[P4R_TASKS];
    p4r_queue queues[P4R_QUEUES];
    p4r_timer timers[P4R_TIMERS];
    p4x_frames no_frames; /* of code that runs outside of any task */
};

/* rtos.c: who runs */
void p4r_open(p4r *, p4x *, uint32_t mhz);
void p4r_start(p4r *, const p4s_state *, uint32_t stack); /* the kernel of a call */
void p4r_end_kernel(p4r *);
void p4r_get(p4r *, uint32_t task, p4s_state *);
p4r_end p4r_run(p4r *, uint64_t budget, uint64_t limit, uint64_t until); /* limit: of the kernel's instructions */
bool p4r_active(const p4r *);       /* something happens without a kernel: a task, a timer that was started */
bool p4r_refers(p4r *, uint32_t base, uint32_t size); /* a task or timer may come back to code or data there */
void p4r_clear(p4r *);              /* ends all tasks but the kernel, timers and queues */

/* rtos_time.c */
uint64_t p4r_cycles(const p4r *);
uint64_t p4r_us(const p4r *);
uint32_t p4r_mhz(const p4r *);
uint64_t p4r_tick(const p4r *);     /* cycles of one */
uint64_t p4r_after(const p4r *, uint32_t ticks); /* when so many ticks will have passed */
void p4r_sleep_us(p4r *, uint64_t us);
void p4r_spin_us(p4r *, uint32_t us);

/* rtos_task.c: what functions of FreeRTOS do with tasks */
p4r_task *p4r_current(p4r *);       /* NULL outside of tasks */
p4r_task *p4r_task_of(p4r *, const char *function, uint32_t handle); /* 0: the current one. NULL: it is none */
uint32_t *p4r_a0(p4r *, p4r_task *);
void p4r_wake(p4r *, p4r_task *, uint32_t result);
void p4r_changed(p4r *);            /* tasks may be able to go on */
bool p4r_create(p4r *, uint32_t index, uint32_t stack, uint32_t priority);
void p4r_begin(p4r *, p4r_task *, uint32_t function, uint32_t argument, uint32_t ends);
void p4r_delete(p4r *, p4r_task *);
/* Tries at once, then waits. Returns a0 where that is known now. */
uint32_t p4r_wait(p4r *, p4r_attempt *, const uint32_t arguments[P4R_ARGUMENTS], uint32_t ticks, uint32_t late);
void p4r_wait_until(p4r *, p4r_attempt *, uint64_t cycles, uint32_t late);

/* rtos_timer.c */
uint64_t p4r_timer_next(const p4r *); /* when the next timer is due that its service can take; P4R_NEVER */
void p4r_timers(p4r *);               /* gives what is due to the services */
void p4r_timer_done(p4r *);           /* the function of a timer returned */

#endif
