/* Queues, and the semaphores and mutexes that FreeRTOS makes of them. */
#include <string.h>

#include "rtos.h"

enum { FAIL = 0, PASS = 1 };
enum { BACK, FRONT, OVERWRITE };
enum { MUTEX = 1, COUNTING = 2, BINARY = 3, RECURSIVE = 4 };
enum { QUEUE, ITEM, WHERE, PEEK = 2 }; /* arguments of those that wait */

static bool is_mutex(const p4r_queue *q) { return q->type == MUTEX || q->type == RECURSIVE; }

static p4r_queue *find(p4r *r, uint32_t handle)
{
    for (uint32_t i = 0; handle && i < P4R_QUEUES; i++)
        if (r->queues[i].handle == handle)
            return &r->queues[i];
    return NULL;
}

static p4r_queue *queue_of(p4x *x, const char *function, uint32_t handle)
{
    p4r_queue *q = find(x->rtos, handle);
    if (!q)
        p4x_fail(x, "p4kernel: %s: 0x%08x is no queue or semaphore (any more)\n", function, handle);
    return q;
}

static uint32_t create(p4x *x, uint32_t length, uint32_t item, uint8_t type, uint32_t count)
{
    uint64_t bytes = (uint64_t)length * item;
    p4r_queue *q = x->rtos->queues, *end = q + P4R_QUEUES;
    while (q < end && q->handle)
        q++;
    if (q == end || length == 0 || bytes > INT32_MAX)
        return 0;
    uint32_t memory = p4k_alloc(x->port, bytes ? (uint32_t)bytes : 1, 16, 0);
    if (memory)
        *q = (p4r_queue){.handle = memory, .length = length, .item = item, .type = type, .count = count};
    return memory;
}

uint32_t p4x_xQueueGenericCreate(p4x *x, uint32_t length, uint32_t item, uint8_t type)
{
    return create(x, length, item, type, 0);
}

uint32_t p4x_xQueueCreateMutex(p4x *x, uint8_t type) { return create(x, 1, 0, type, 1); }

uint32_t p4x_xQueueCreateCountingSemaphore(p4x *x, uint32_t most, uint32_t count)
{
    return count <= most ? create(x, most, 0, COUNTING, count) : 0;
}

void p4x_vQueueDelete(p4x *x, uint32_t handle)
{
    p4r_queue *q = queue_of(x, "vQueueDelete", handle);
    if (!q)
        return;
    p4k_free(x->port, handle);
    *q = (p4r_queue){0};
    p4r_changed(x->rtos);
}

static uint8_t *place(p4r *r, const p4r_queue *q, uint32_t i)
{
    return p4x_store(r->x, q->handle + (q->first + i) % q->length * q->item, q->item);
}

static void put(p4r *r, p4r_queue *q, uint32_t item, uint32_t where)
{
    uint32_t at = q->count;
    if (where == FRONT) {
        q->first = (q->first + q->length - 1) % q->length;
        at = 0;
    } else if (where == OVERWRITE && q->count == q->length) {
        at = --q->count;
    }
    if (q->item)
        memcpy(place(r, q, at), p4x_at(r->x, item), q->item);
    q->count++;
}

static bool try_send(p4r *r, p4r_task *t, uint32_t *result)
{
    p4r_queue *q = find(r, t->arguments[QUEUE]);
    *result = q ? PASS : FAIL; /* it was deleted meanwhile */
    if (q && q->count == q->length && t->arguments[WHERE] != OVERWRITE)
        return false;
    if (q)
        put(r, q, t->arguments[ITEM], t->arguments[WHERE]);
    return true;
}

/* What a mutex lent goes back, when the last one is given. */
static void give_mutex(p4r *r, p4r_queue *q, p4r_task *t)
{
    q->holder = 0;
    q->count = 1;
    t->priority = t->base;
    r->x->stop = true;
    p4r_changed(r);
}

int32_t p4x_xQueueGenericSend(p4x *x, uint32_t handle, uint32_t item, uint32_t ticks, int32_t where)
{
    const uint32_t arguments[P4R_ARGUMENTS] = {handle, item, (uint32_t)where};
    p4r_queue *q = queue_of(x, "xQueueSend", handle);
    p4r_task *t = p4r_current(x->rtos);
    if (!q || (q->item && !p4x_load(x, item, q->item)))
        return FAIL;
    if (is_mutex(q)) {
        if (!t || q->holder != t->handle)
            return FAIL;
        give_mutex(x->rtos, q, t);
        return PASS;
    }
    return (int32_t)p4r_wait(x->rtos, try_send, arguments, ticks, FAIL);
}

static bool try_receive(p4r *r, p4r_task *t, uint32_t *result)
{
    p4r_queue *q = find(r, t->arguments[QUEUE]);
    *result = q ? PASS : FAIL;
    if (q && q->count == 0)
        return false;
    if (q && q->item && p4x_room(r->x, t->arguments[ITEM]) >= q->item)
        memcpy(p4x_store(r->x, t->arguments[ITEM], q->item), place(r, q, 0), q->item);
    if (q && !t->arguments[PEEK]) {
        q->first = (q->first + 1) % q->length;
        q->count--;
    }
    return true;
}

static int32_t receive(p4x *x, const char *function, uint32_t handle, uint32_t to, uint32_t ticks, bool peek)
{
    const uint32_t arguments[P4R_ARGUMENTS] = {handle, to, peek};
    p4r_queue *q = queue_of(x, function, handle);
    if (!q || (q->item && !p4x_store(x, to, q->item)))
        return FAIL;
    return (int32_t)p4r_wait(x->rtos, try_receive, arguments, ticks, FAIL);
}

int32_t p4x_xQueueReceive(p4x *x, uint32_t handle, uint32_t to, uint32_t ticks)
{
    return receive(x, "xQueueReceive", handle, to, ticks, false);
}

int32_t p4x_xQueuePeek(p4x *x, uint32_t handle, uint32_t to, uint32_t ticks)
{
    return receive(x, "xQueuePeek", handle, to, ticks, true);
}

/* A mutex that somebody less important holds lends its holder the importance of who waits. */
static bool try_take(p4r *r, p4r_task *t, uint32_t *result)
{
    p4r_queue *q = find(r, t->arguments[QUEUE]);
    *result = q ? PASS : FAIL;
    if (!q)
        return true;
    if (q->count) {
        q->count--;
        q->holder = is_mutex(q) ? t->handle : 0;
        return true;
    }
    for (uint32_t i = 0; q->holder && i < r->count; i++)
        if (r->tasks[i].status != P4R_UNUSED && r->tasks[i].handle == q->holder && r->tasks[i].priority < t->priority)
            r->tasks[i].priority = t->priority;
    return false;
}

int32_t p4x_xQueueSemaphoreTake(p4x *x, uint32_t handle, uint32_t ticks)
{
    const uint32_t arguments[P4R_ARGUMENTS] = {handle};
    if (!queue_of(x, "xSemaphoreTake", handle))
        return FAIL;
    return (int32_t)p4r_wait(x->rtos, try_take, arguments, ticks, FAIL);
}

int32_t p4x_xQueueTakeMutexRecursive(p4x *x, uint32_t handle, uint32_t ticks)
{
    p4r_queue *q = queue_of(x, "xSemaphoreTakeRecursive", handle);
    p4r_task *t = p4r_current(x->rtos);
    if (q && t && q->holder == t->handle) {
        q->depth++;
        return PASS;
    }
    return q ? p4x_xQueueSemaphoreTake(x, handle, ticks) : FAIL;
}

int32_t p4x_xQueueGiveMutexRecursive(p4x *x, uint32_t handle)
{
    p4r_queue *q = queue_of(x, "xSemaphoreGiveRecursive", handle);
    p4r_task *t = p4r_current(x->rtos);
    if (!q || !t || q->holder != t->handle)
        return FAIL;
    if (q->depth)
        q->depth--;
    else
        give_mutex(x->rtos, q, t);
    return PASS;
}

uint32_t p4x_uxQueueMessagesWaiting(p4x *x, uint32_t handle)
{
    const p4r_queue *q = queue_of(x, "uxQueueMessagesWaiting", handle);
    return q ? q->count : 0;
}

uint32_t p4x_uxQueueSpacesAvailable(p4x *x, uint32_t handle)
{
    const p4r_queue *q = queue_of(x, "uxQueueSpacesAvailable", handle);
    return q ? q->length - q->count : 0;
}

int32_t p4x_xQueueGenericReset(p4x *x, uint32_t handle, int32_t is_new)
{
    p4r_queue *q = queue_of(x, "xQueueReset", handle);
    (void)is_new;
    if (!q)
        return FAIL;
    q->count = 0;
    p4r_changed(x->rtos);
    return PASS;
}
