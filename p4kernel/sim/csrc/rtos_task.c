/* Tasks as FreeRTOS' functions see them: made, ended, put to sleep, notified. */
#include <stdio.h>
#include <string.h>

#include "rtos.h"

enum { RA = 1, SP = 2, A0 = 10, PRIORITIES = 25, STACK_LEAST = 256 };
enum { FAIL = 0, PASS = 1, NO_MEMORY = -1 };
enum { RUNNING, READY, BLOCKED, SUSPENDED, DELETED }; /* eTaskState */
#define MSTATUS_MPP_FS 0x7800u

p4r_task *p4r_current(p4r *r) { return r->current == P4R_NONE ? NULL : &r->tasks[r->current]; }

p4r_task *p4r_task_of(p4r *r, const char *function, uint32_t handle)
{
    if (handle == 0 && p4r_current(r))
        return p4r_current(r);
    for (uint32_t i = 0; handle && i < r->count; i++)
        if (r->tasks[i].status != P4R_UNUSED && r->tasks[i].handle == handle)
            return &r->tasks[i];
    p4x_fail(r->x, "p4kernel: %s: 0x%08x is no task (any more)\n", function, handle);
    return NULL;
}

uint32_t *p4r_a0(p4r *r, p4r_task *t) { return p4r_current(r) == t ? &r->x->x[A0] : &t->state.x[A0]; }

/* The scheduler looks again after this firmware function when somebody more important is ready. */
static void preempt(p4r *r, const p4r_task *ready)
{
    const p4r_task *now = p4r_current(r);
    if (!now || ready->priority > now->priority)
        r->x->stop = true;
}

void p4r_wake(p4r *r, p4r_task *t, uint32_t result)
{
    *p4r_a0(r, t) = result;
    t->status = P4R_READY;
    t->wake = P4R_NEVER;
    t->attempt = NULL;
    t->turn = ++r->turns;
    preempt(r, t);
}

static p4r_task *next_waiting(p4r *r, const p4r_task *after)
{
    p4r_task *best = NULL;
    for (uint32_t i = 0; i < r->count; i++) {
        p4r_task *t = &r->tasks[i];
        bool later = !after || t->priority < after->priority || (t->priority == after->priority && t->turn > after->turn);
        if (t->status == P4R_WAITS && t->attempt && later &&
            (!best || t->priority > best->priority || (t->priority == best->priority && t->turn < best->turn)))
            best = t;
    }
    return best;
}

/* In the order of their importance, again from the start when one went on: that may have made room for others. */
void p4r_changed(p4r *r)
{
    p4r_task *t = next_waiting(r, NULL);
    while (t) {
        uint32_t result = 0;
        if (t->attempt(r, t, &result)) {
            p4r_wake(r, t, result);
            t = NULL;
        }
        t = next_waiting(r, t);
    }
}

bool p4r_create(p4r *r, uint32_t index, uint32_t stack, uint32_t priority)
{
    uint32_t memory = stack >= STACK_LEAST && stack <= UINT32_MAX - 16 ? p4k_alloc(r->x->port, stack, 16, 0) : 0;
    if (!memory)
        return false;
    priority = priority < PRIORITIES ? priority : PRIORITIES - 1;
    r->count = index < r->count ? r->count : index + 1;
    r->tasks[index] = (p4r_task){.status = P4R_WAITS, .handle = memory, .own_stack = true, .priority = priority,
                                 .base = priority, .wake = P4R_NEVER, .turn = ++r->turns};
    return true;
}

void p4r_begin(p4r *r, p4r_task *t, uint32_t function, uint32_t argument, uint32_t ends)
{
    const p4v_block *stack = p4v_heap_block(r->x->heap, t->handle);
    t->state = (p4s_state){.pc = function, .mstatus = MSTATUS_MPP_FS};
    t->state.x[RA] = P4X_STUB(ends);
    t->state.x[SP] = (stack->start + stack->size) & ~15u;
    t->state.x[A0] = argument;
    t->pie = (p4s_pie_state){.pie_state = 1, .loop_state = 1};
    t->frames.count = 0;
    t->status = P4R_READY;
    t->turn = ++r->turns;
    preempt(r, t);
}

void p4r_delete(p4r *r, p4r_task *t)
{
    if (p4r_current(r) == t) {
        r->current = P4R_NONE; /* its registers are lost, which nobody needs */
        r->x->frames = &r->no_frames;
        r->x->stop = r->x->silent = true;
    }
    if (t->own_stack)
        p4k_free(r->x->port, t->handle);
    t->status = P4R_UNUSED;
}

void p4r_wait_until(p4r *r, p4r_attempt *attempt, uint64_t cycles, uint32_t late)
{
    p4r_task *t = p4r_current(r);
    if (!t || r->locks) {
        p4x_fail(r->x, "p4kernel: a task cannot wait in a critical section or while the scheduler is suspended\n");
        return;
    }
    t->status = P4R_WAITS;
    t->wake = cycles;
    t->attempt = attempt;
    t->late = late;
    t->turn = ++r->turns;
    r->x->stop = r->x->silent = true;
}

uint32_t p4r_wait(p4r *r, p4r_attempt *attempt, const uint32_t arguments[P4R_ARGUMENTS], uint32_t ticks, uint32_t late)
{
    p4r_task *t = p4r_current(r);
    uint32_t result = late;
    if (!t) {
        p4x_fail(r->x, "p4kernel: this function is for tasks\n");
        return late;
    }
    memcpy(t->arguments, arguments, sizeof t->arguments);
    if (attempt(r, t, &result)) {
        p4r_changed(r);
        return result;
    }
    if (ticks)
        p4r_wait_until(r, attempt, p4r_after(r, ticks), late);
    return late;
}

int32_t p4x_xTaskCreatePinnedToCore(p4x *x, uint32_t function, uint32_t name, uint32_t stack, uint32_t argument,
                                    uint32_t priority, uint32_t handle, int32_t core)
{
    p4r *r = x->rtos;
    uint32_t index = P4R_FIRST, size = 0;
    const char *text = name ? p4x_string(x, name, &size) : "";
    (void)core; /* one core runs kernels */
    while (index < P4R_TASKS && r->tasks[index].status != P4R_UNUSED)
        index++;
    if (x->trapped || (handle && !p4x_store(x, handle, 4)))
        return FAIL;
    if (index == P4R_TASKS || !p4r_create(r, index, stack, priority))
        return NO_MEMORY;
    p4r_task *t = &r->tasks[index];
    snprintf(t->name, sizeof t->name, "%.*s", P4R_NAME - 1, text);
    if (handle)
        p4x_put(x, handle, &t->handle, sizeof t->handle);
    p4r_begin(r, t, function, argument, P4X_TASK_ENDS);
    return PASS;
}

void p4x_vTaskDelete(p4x *x, uint32_t handle)
{
    p4r_task *t = p4r_task_of(x->rtos, "vTaskDelete", handle);
    if (t && t - x->rtos->tasks < P4R_FIRST)
        p4x_fail(x, "p4kernel: vTaskDelete: the kernel itself ends by returning, and timers with their functions\n");
    else if (t)
        p4r_delete(x->rtos, t);
}

void p4x_vTaskDelay(p4x *x, uint32_t ticks)
{
    if (ticks)
        p4r_wait_until(x->rtos, NULL, p4r_after(x->rtos, ticks), 0);
    else
        p4x_vPortYield(x);
}

int32_t p4x_xTaskDelayUntil(p4x *x, uint32_t last, uint32_t period)
{
    uint32_t now = p4x_xTaskGetTickCount(x), then;
    const uint8_t *p = p4x_load(x, last, sizeof then);
    if (!p)
        return FAIL;
    memcpy(&then, p, sizeof then);
    then += period;
    p4x_put(x, last, &then, sizeof then);
    if ((int32_t)(then - now) <= 0)
        return FAIL; /* too late already */
    p4r_wait_until(x->rtos, NULL, p4r_after(x->rtos, then - now), PASS);
    return PASS;
}

void p4x_vTaskSuspend(p4x *x, uint32_t handle)
{
    p4r_task *t = p4r_task_of(x->rtos, "vTaskSuspend", handle);
    if (!t)
        return;
    t->status = P4R_SUSPENDED;
    t->attempt = NULL;
    t->wake = P4R_NEVER;
    x->stop = x->stop || t == p4r_current(x->rtos);
}

void p4x_vTaskResume(p4x *x, uint32_t handle)
{
    p4r_task *t = p4r_task_of(x->rtos, "vTaskResume", handle);
    if (t && t->status == P4R_SUSPENDED)
        p4r_wake(x->rtos, t, *p4r_a0(x->rtos, t));
}

void p4x_vTaskPrioritySet(p4x *x, uint32_t handle, uint32_t priority)
{
    p4r_task *t = p4r_task_of(x->rtos, "vTaskPrioritySet", handle);
    if (!t)
        return;
    t->priority = t->base = priority < PRIORITIES ? priority : PRIORITIES - 1;
    x->stop = true;
}

uint32_t p4x_uxTaskPriorityGet(p4x *x, uint32_t handle)
{
    const p4r_task *t = p4r_task_of(x->rtos, "uxTaskPriorityGet", handle);
    return t ? t->priority : 0;
}

uint32_t p4x_eTaskGetState(p4x *x, uint32_t handle)
{
    static const uint32_t states[] = {[P4R_UNUSED] = DELETED, [P4R_READY] = READY, [P4R_WAITS] = BLOCKED,
                                      [P4R_SUSPENDED] = SUSPENDED};
    const p4r_task *t = p4r_task_of(x->rtos, "eTaskGetState", handle);
    if (!t)
        return DELETED;
    return t == p4r_current(x->rtos) ? RUNNING : states[t->status];
}

uint32_t p4x_xTaskGetTickCount(p4x *x) { return (uint32_t)(p4r_cycles(x->rtos) / p4r_tick(x->rtos)); }

uint32_t p4x_xTaskGetCurrentTaskHandle(p4x *x)
{
    const p4r_task *t = p4r_task_of(x->rtos, "xTaskGetCurrentTaskHandle", 0);
    return t ? t->handle : 0;
}

uint32_t p4x_uxTaskGetNumberOfTasks(p4x *x)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < x->rtos->count; i++)
        count += x->rtos->tasks[i].status != P4R_UNUSED;
    return count;
}

void p4x_vTaskSuspendAll(p4x *x) { x->rtos->locks++; }

int32_t p4x_xTaskResumeAll(p4x *x)
{
    x->rtos->locks -= x->rtos->locks > 0;
    x->stop = true;
    return FAIL; /* no switch was done in here */
}

void p4x_vPortYield(p4x *x)
{
    p4r_task *t = p4r_current(x->rtos);
    if (t)
        t->turn = ++x->rtos->turns;
    x->stop = true;
}

int32_t p4x_xPortEnterCriticalTimeout(p4x *x, uint32_t lock, int32_t timeout)
{
    (void)timeout; /* one core: nobody else can hold it */
    if (p4x_load(x, lock, 8))
        x->rtos->locks++;
    return PASS;
}

void p4x_vPortExitCriticalMultiCore(p4x *x, uint32_t lock)
{
    if (p4x_load(x, lock, 8))
        p4x_xTaskResumeAll(x);
}

enum { NO_ACTION, SET_BITS, INCREMENT, OVERWRITE, KEEP };

int32_t p4x_xTaskGenericNotify(p4x *x, uint32_t handle, uint32_t index, uint32_t value, uint32_t action, uint32_t old)
{
    p4r_task *t = p4r_task_of(x->rtos, "xTaskNotify", handle);
    int32_t result = PASS;
    if (!t)
        return FAIL;
    if (index) {
        p4x_fail(x, "p4kernel: xTaskNotify: tasks have one notification, of index 0\n");
        return FAIL;
    }
    if (old)
        p4x_put(x, old, &t->value, sizeof t->value);
    switch (action) {
    case SET_BITS: t->value |= value; break;
    case INCREMENT: t->value++; break;
    case OVERWRITE: t->value = value; break;
    case KEEP:
        if (t->notified)
            result = FAIL;
        else
            t->value = value;
        break;
    default: break;
    }
    t->notified = true;
    p4r_changed(x->rtos);
    return result;
}

static bool take_notification(p4r *r, p4r_task *t, uint32_t *result)
{
    (void)r;
    if (!t->value)
        return false;
    *result = t->value;
    t->value = t->arguments[0] ? 0 : t->value - 1;
    t->notified = false;
    return true;
}

uint32_t p4x_ulTaskGenericNotifyTake(p4x *x, uint32_t index, int32_t clear, uint32_t ticks)
{
    const uint32_t arguments[P4R_ARGUMENTS] = {clear != 0};
    (void)index;
    return p4r_wait(x->rtos, take_notification, arguments, ticks, 0);
}

static bool await_notification(p4r *r, p4r_task *t, uint32_t *result)
{
    if (!t->notified)
        return false;
    if (t->arguments[1])
        p4x_put(r->x, t->arguments[1], &t->value, sizeof t->value);
    t->value &= ~t->arguments[0];
    t->notified = false;
    *result = PASS;
    return true;
}

int32_t p4x_xTaskGenericNotifyWait(p4x *x, uint32_t index, uint32_t before, uint32_t after, uint32_t value,
                                   uint32_t ticks)
{
    const uint32_t arguments[P4R_ARGUMENTS] = {after, value};
    p4r_task *t = p4r_current(x->rtos);
    (void)index;
    if (value && !p4x_store(x, value, 4))
        return FAIL;
    if (t && !t->notified)
        t->value &= ~before;
    return (int32_t)p4r_wait(x->rtos, await_notification, arguments, ticks, FAIL);
}
