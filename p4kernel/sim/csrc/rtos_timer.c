/* Timers of esp_timer and of FreeRTOS. Each kind has a task that calls their functions one after the other. */
#include <string.h>

#include "rtos.h"

enum { FAIL = 0, PASS = 1 };
enum { ESP_OK = 0, NO_MEM = 0x101, INVALID_ARG = 0x102, INVALID_STATE = 0x103 };
enum { START = 1, RESET, STOP, CHANGE_PERIOD, DELETE };
enum { ESP_PRIORITY = 22, TIMER_PRIORITY = 1, STACK = 8192 };

static uint32_t service_of(bool esp) { return esp ? P4R_ESP_TIMER : P4R_TIMER_TASK; }

static bool is_idle(const p4r_task *t) { return t->status == P4R_WAITS && !t->attempt && t->wake == P4R_NEVER; }

/* The task is made with the first timer, and stays. */
static bool serve(p4x *x, bool esp)
{
    uint32_t index = service_of(esp);
    p4r_task *t = &x->rtos->tasks[index];
    if (t->status != P4R_UNUSED)
        return true;
    if (!p4r_create(x->rtos, index, STACK, esp ? ESP_PRIORITY : TIMER_PRIORITY))
        return false;
    strcpy(t->name, esp ? "esp_timer" : "Tmr Svc");
    return true;
}

static p4r_timer *find(p4r *r, uint32_t handle, bool esp)
{
    for (uint32_t i = 0; handle && i < P4R_TIMERS; i++)
        if (r->timers[i].handle == handle && r->timers[i].esp == esp)
            return &r->timers[i];
    return NULL;
}

static p4r_timer *timer_of(p4x *x, const char *function, uint32_t handle, bool esp)
{
    p4r_timer *t = find(x->rtos, handle, esp);
    if (!t)
        p4x_fail(x, "p4kernel: %s: 0x%08x is no timer (any more)\n", function, handle);
    return t;
}

static p4r_timer *create(p4x *x, bool esp, uint32_t callback, uint32_t argument)
{
    p4r_timer *t = x->rtos->timers, *end = t + P4R_TIMERS;
    while (t < end && t->handle)
        t++;
    uint32_t handle = t < end && serve(x, esp) ? p4k_alloc(x->port, 16, 16, 0) : 0;
    if (!handle)
        return NULL;
    *t = (p4r_timer){.handle = handle, .esp = esp, .callback = callback, .argument = argument, .due = P4R_NEVER};
    return t;
}

static void discard(p4x *x, p4r_timer *t)
{
    p4k_free(x->port, t->handle);
    *t = (p4r_timer){0};
}

static const p4r_timer *soonest(const p4r *r, bool esp)
{
    const p4r_timer *best = NULL;
    for (uint32_t i = 0; i < P4R_TIMERS; i++) {
        const p4r_timer *t = &r->timers[i];
        if (t->handle && t->esp == esp && t->due != P4R_NEVER && (!best || t->due < best->due))
            best = t;
    }
    return best;
}

uint64_t p4r_timer_next(const p4r *r)
{
    uint64_t next = P4R_NEVER;
    for (int esp = 0; esp < 2; esp++) {
        const p4r_timer *t = is_idle(&r->tasks[service_of(esp)]) ? soonest(r, esp) : NULL;
        if (t && t->due < next)
            next = t->due;
    }
    return next;
}

void p4r_timers(p4r *r)
{
    for (int esp = 0; esp < 2; esp++) {
        p4r_task *service = &r->tasks[service_of(esp)];
        p4r_timer *t = is_idle(service) ? (p4r_timer *)soonest(r, esp) : NULL;
        if (!t || t->due > p4r_cycles(r))
            continue;
        t->due = t->repeats ? t->due + t->period : P4R_NEVER;
        /* FreeRTOS hands the timer to its function, esp_timer what the function was registered with. */
        p4r_begin(r, service, t->callback, esp ? t->argument : t->handle, P4X_TIMER_ENDS);
    }
}

void p4r_timer_done(p4r *r)
{
    p4r_task *t = p4r_current(r);
    if (!t || t - r->tasks < P4R_SERVICES || t - r->tasks >= P4R_FIRST) {
        p4x_fail(r->x, "p4kernel: something returned to where only timers' functions return to\n");
        return;
    }
    t->status = P4R_WAITS;
    t->attempt = NULL;
    t->wake = P4R_NEVER;
    r->current = P4R_NONE; /* its registers say nothing any more */
    r->x->frames = &r->no_frames;
    r->x->stop = r->x->silent = true;
}

/* -- esp_timer --------------------------------------------------------------------------------------------------- */

int32_t p4x_esp_timer_create(p4x *x, uint32_t args, uint32_t handle)
{
    uint32_t words[2]; /* callback, arg; the rest says nothing that a program could observe */
    const uint8_t *p = args ? p4x_load(x, args, 20) : NULL;
    if (!args || !handle || x->trapped || !p4x_store(x, handle, 4))
        return INVALID_ARG;
    memcpy(words, p, sizeof words);
    if (!words[0])
        return INVALID_ARG;
    const p4r_timer *t = create(x, true, words[0], words[1]);
    if (t)
        p4x_put(x, handle, &t->handle, sizeof t->handle);
    return t ? ESP_OK : NO_MEM;
}

static int32_t start(p4x *x, uint32_t handle, uint64_t us, bool repeats)
{
    p4r_timer *t = find(x->rtos, handle, true);
    if (!t)
        return INVALID_ARG;
    if (t->due != P4R_NEVER)
        return INVALID_STATE;
    us = us < INT64_MAX / 1000 ? us : INT64_MAX / 1000;
    if (repeats && us < 1)
        us = 1;
    t->period = us * x->rtos->mhz;
    t->due = p4r_cycles(x->rtos) + t->period;
    t->repeats = repeats;
    x->stop = true; /* the slice may end sooner now */
    return ESP_OK;
}

int32_t p4x_esp_timer_start_once(p4x *x, uint32_t handle, uint64_t us) { return start(x, handle, us, false); }

int32_t p4x_esp_timer_start_periodic(p4x *x, uint32_t handle, uint64_t us) { return start(x, handle, us, true); }

int32_t p4x_esp_timer_restart(p4x *x, uint32_t handle, uint64_t us)
{
    p4r_timer *t = find(x->rtos, handle, true);
    if (!t)
        return INVALID_ARG;
    if (t->due == P4R_NEVER)
        return INVALID_STATE;
    t->due = P4R_NEVER;
    return start(x, handle, us, t->repeats);
}

int32_t p4x_esp_timer_stop(p4x *x, uint32_t handle)
{
    p4r_timer *t = find(x->rtos, handle, true);
    if (!t)
        return INVALID_ARG;
    if (t->due == P4R_NEVER)
        return INVALID_STATE;
    t->due = P4R_NEVER;
    return ESP_OK;
}

int32_t p4x_esp_timer_delete(p4x *x, uint32_t handle)
{
    p4r_timer *t = find(x->rtos, handle, true);
    if (!t)
        return INVALID_ARG;
    if (t->due != P4R_NEVER)
        return INVALID_STATE;
    discard(x, t);
    return ESP_OK;
}

int64_t p4x_esp_timer_get_time(p4x *x) { return (int64_t)p4r_us(x->rtos); }

uint32_t p4x_esp_timer_is_active(p4x *x, uint32_t handle)
{
    const p4r_timer *t = timer_of(x, "esp_timer_is_active", handle, true);
    return t && t->due != P4R_NEVER;
}

/* -- FreeRTOS ---------------------------------------------------------------------------------------------------- */

uint32_t p4x_xTimerCreate(p4x *x, uint32_t name, uint32_t period, int32_t repeats, uint32_t id, uint32_t callback)
{
    p4r_timer *t = period ? create(x, false, callback, id) : NULL;
    (void)name;
    if (!t)
        return 0;
    t->period = period * p4r_tick(x->rtos);
    t->repeats = repeats != 0;
    return t->handle;
}

int32_t p4x_xTimerGenericCommand(p4x *x, uint32_t handle, int32_t command, uint32_t value, uint32_t woken,
                                 uint32_t ticks)
{
    p4r_timer *t = timer_of(x, "xTimerGenericCommand", handle, false);
    uint64_t now = p4r_cycles(x->rtos) / p4r_tick(x->rtos) * p4r_tick(x->rtos);
    (void)woken, (void)ticks; /* commands are done at once */
    if (!t)
        return FAIL;
    x->stop = true;
    switch (command) {
    case CHANGE_PERIOD:
        if (!value)
            return FAIL;
        t->period = value * p4r_tick(x->rtos);
        t->due = now + t->period;
        return PASS;
    case START:
    case RESET:
        t->due = now + t->period;
        return PASS;
    case STOP:
        t->due = P4R_NEVER;
        return PASS;
    case DELETE:
        discard(x, t);
        return PASS;
    default:
        p4x_fail(x, "p4kernel: xTimerGenericCommand has no command %d\n", command);
        return FAIL;
    }
}

int32_t p4x_xTimerIsTimerActive(p4x *x, uint32_t handle)
{
    const p4r_timer *t = timer_of(x, "xTimerIsTimerActive", handle, false);
    return t && t->due != P4R_NEVER;
}

uint32_t p4x_pvTimerGetTimerID(p4x *x, uint32_t handle)
{
    const p4r_timer *t = timer_of(x, "pvTimerGetTimerID", handle, false);
    return t ? t->argument : 0;
}

void p4x_vTimerSetTimerID(p4x *x, uint32_t handle, uint32_t id)
{
    p4r_timer *t = timer_of(x, "vTimerSetTimerID", handle, false);
    if (t)
        t->argument = id;
}

uint32_t p4x_xTimerGetPeriod(p4x *x, uint32_t handle)
{
    const p4r_timer *t = timer_of(x, "xTimerGetPeriod", handle, false);
    return t ? (uint32_t)(t->period / p4r_tick(x->rtos)) : 0;
}
