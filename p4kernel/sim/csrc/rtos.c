/* Who runs: the ready task with the highest priority, among equals in turns of one tick. */
#include "rtos.h"

#include <string.h>

#include "p4k_port.h"

void p4r_open(p4r *r, p4x *x, uint32_t mhz)
{
    r->x = x;
    r->mhz = mhz;
    r->current = P4R_NONE;
    r->count = P4R_KERNEL + 1;
    x->rtos = r;
    x->frames = &r->no_frames;
}

/* Takes the registers of the task that runs out of the core. */
static void park(p4r *r)
{
    if (r->current == P4R_NONE)
        return;
    p4r_task *t = &r->tasks[r->current];
    p4s_get(r->x->sim, &t->state);
    p4s_pie_get(r->x->sim, &t->pie);
    r->current = P4R_NONE;
    r->x->frames = &r->no_frames;
}

static void switch_to(p4r *r, uint32_t index)
{
    p4r_task *t = &r->tasks[index];
    if (r->current == index)
        return;
    park(r);
    t->state.instret = p4s_instret(r->x->sim);
    p4s_set(r->x->sim, &t->state);
    p4s_pie_set(r->x->sim, &t->pie);
    r->current = index;
    r->x->frames = &t->frames;
    r->slice_end = (p4r_cycles(r) / p4r_tick(r) + 1) * p4r_tick(r);
}

void p4r_get(p4r *r, uint32_t task, p4s_state *state)
{
    if (r->current == task)
        p4s_get(r->x->sim, state);
    else
        *state = r->tasks[task].state;
}

void p4r_start(p4r *r, const p4s_state *state, uint32_t stack)
{
    p4r_task *t = &r->tasks[P4R_KERNEL];
    park(r);
    *t = (p4r_task){.status = P4R_READY, .handle = stack, .name = "kernel", .priority = 1, .base = 1,
                    .turn = ++r->turns, .wake = P4R_NEVER, .state = *state};
    /* On, as after the first instruction that ESP-IDF's trap handler enables the unit for. */
    t->pie = (p4s_pie_state){.pie_state = 1, .loop_state = 1};
    switch_to(r, P4R_KERNEL);
}

/* What it has locked is free again: nobody would ever give it back. */
void p4r_end_kernel(p4r *r)
{
    p4r_task *t = &r->tasks[P4R_KERNEL];
    for (uint32_t i = 0; i < P4R_QUEUES; i++)
        if (r->queues[i].handle && r->queues[i].holder == t->handle) {
            r->queues[i].holder = r->queues[i].depth = 0;
            r->queues[i].count = 1;
        }
    if (r->current == P4R_KERNEL) {
        r->current = P4R_NONE;
        r->x->frames = &r->no_frames;
        r->locks = 0;
    }
    t->status = P4R_UNUSED;
    p4r_changed(r);
}

static bool before(const p4r_task *a, const p4r_task *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->turn < b->turn;
}

static uint32_t pick(const p4r *r)
{
    uint32_t best = P4R_NONE;
    if (r->locks && r->current != P4R_NONE && r->tasks[r->current].status == P4R_READY)
        return r->current;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->tasks[i].status == P4R_READY && (best == P4R_NONE || before(&r->tasks[i], &r->tasks[best])))
            best = i;
    return best;
}

static uint64_t next_event(const p4r *r)
{
    uint64_t next = p4r_timer_next(r);
    for (uint32_t i = 0; i < r->count; i++)
        if (r->tasks[i].status == P4R_WAITS && r->tasks[i].wake < next)
            next = r->tasks[i].wake;
    return next;
}

/* Events whose time has come, and the end of a task's turn. */
static void look_at_the_clock(p4r *r)
{
    uint64_t now = p4r_cycles(r);
    for (uint32_t i = 0; i < r->count; i++)
        if (r->tasks[i].status == P4R_WAITS && r->tasks[i].wake <= now)
            p4r_wake(r, &r->tasks[i], r->tasks[i].late);
    p4r_timers(r);
    if (r->current != P4R_NONE && now >= r->slice_end) {
        r->tasks[r->current].turn = ++r->turns;
        r->slice_end = (now / p4r_tick(r) + 1) * p4r_tick(r);
    }
}

/* Whether another one of the same priority waits for its turn. */
static bool shared(const p4r *r, uint32_t task)
{
    for (uint32_t i = 0; i < r->count; i++)
        if (i != task && r->tasks[i].status == P4R_READY && r->tasks[i].priority == r->tasks[task].priority)
            return !r->locks;
    return false;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* How long this task may run before somebody else may have to. */
static uint64_t span_of(const p4r *r, uint32_t task, uint64_t budget, uint64_t limit, uint64_t until)
{
    uint64_t now = p4r_cycles(r), end = least(until, next_event(r));
    if (shared(r, task))
        end = least(end, r->slice_end);
    if (task == P4R_KERNEL && limit)
        budget = least(budget, limit - r->tasks[task].instructions);
    return least(budget, end > now ? end - now : 0);
}

static bool at_limit(const p4r *r, uint32_t task, uint64_t limit)
{
    return task == P4R_KERNEL && limit && r->tasks[task].instructions >= limit;
}

p4r_end p4r_run(p4r *r, uint64_t budget, uint64_t limit, uint64_t until)
{
    p4x *x = r->x;
    for (;;) {
        look_at_the_clock(r);
        uint64_t now = p4r_cycles(r), event = next_event(r);
        uint32_t task = pick(r);
        if (now >= until || budget == 0)
            return P4R_SPENT;
        if (task == P4R_NONE) {
            if (event == P4R_NEVER && until == P4R_NEVER)
                return P4R_STUCK;
            r->skipped += least(event, until) - now;
            continue;
        }
        if (at_limit(r, task, limit))
            return P4R_LIMIT;
        switch_to(r, task);
        uint64_t span = span_of(r, task, budget, limit, until), began = p4s_instret(x->sim);
        p4s_reason reason = p4s_run(x->sim, span);
        uint64_t done = p4s_instret(x->sim) - began;
        r->tasks[task].instructions += done;
        budget -= least(done, budget);
        if (reason == P4S_TRAP)
            return P4R_TRAP;
        if (reason == P4S_EXIT)
            return P4R_EXIT;
        if (x->question.open || p4v_text_full(x->text))
            return P4R_STOPPED;
    }
}

bool p4r_active(const p4r *r)
{
    for (uint32_t i = P4R_SERVICES; i < r->count; i++)
        if (r->tasks[i].status == P4R_READY || (r->tasks[i].status == P4R_WAITS && r->tasks[i].wake != P4R_NEVER))
            return true;
    return p4r_timer_next(r) != P4R_NEVER;
}

static bool inside(uint32_t address, uint32_t base, uint32_t size) { return address - base < size; }

/* By what lies in its registers and on its stack: more than what it will use, never less. */
static bool task_refers(p4r *r, const p4r_task *t, uint32_t base, uint32_t size)
{
    uint32_t sp = t->state.x[2], room = p4x_room(r->x, sp), top;
    const p4v_block *stack = p4v_heap_block(r->x->heap, t->handle);
    if (inside(t->state.pc, base, size))
        return true;
    for (uint32_t i = 1; i < 32; i++)
        if (inside(t->state.x[i], base, size))
            return true;
    for (uint32_t i = 0; i < t->frames.count; i++)
        if (inside(t->frames.frame[i].function, base, size) || inside(t->frames.frame[i].ra, base, size))
            return true;
    if (!stack || sp - stack->start > stack->size || room < stack->size - (sp - stack->start))
        return true; /* a stack pointer of its own making: nobody knows */
    top = stack->start + stack->size;
    for (sp = (sp + 3) & ~3u; sp + 4 <= top; sp += 4) {
        uint32_t word;
        memcpy(&word, p4x_at(r->x, sp), sizeof word);
        if (inside(word, base, size))
            return true;
    }
    return false;
}

bool p4r_refers(p4r *r, uint32_t base, uint32_t size)
{
    if (r->current != P4R_NONE)
        p4s_get(r->x->sim, &r->tasks[r->current].state);
    for (uint32_t i = P4R_SERVICES; i < r->count; i++) {
        const p4r_task *t = &r->tasks[i];
        bool idle = i < P4R_FIRST && t->status == P4R_WAITS && t->wake == P4R_NEVER && !t->attempt;
        if (t->status != P4R_UNUSED && !idle && task_refers(r, t, base, size))
            return true;
    }
    for (uint32_t i = 0; i < P4R_TIMERS; i++) {
        const p4r_timer *t = &r->timers[i];
        if (t->handle && (inside(t->callback, base, size) || inside(t->argument, base, size)))
            return true;
    }
    return false;
}

void p4r_clear(p4r *r)
{
    for (uint32_t i = P4R_SERVICES; i < r->count; i++)
        if (r->tasks[i].status != P4R_UNUSED)
            p4r_delete(r, &r->tasks[i]);
    for (uint32_t i = 0; i < P4R_TIMERS; i++)
        if (r->timers[i].handle)
            p4k_free(r->x->port, r->timers[i].handle);
    for (uint32_t i = 0; i < P4R_QUEUES; i++)
        if (r->queues[i].handle)
            p4k_free(r->x->port, r->queues[i].handle);
    memset(r->timers, 0, sizeof r->timers);
    memset(r->queues, 0, sizeof r->queues);
    r->locks = 0;
    r->count = P4R_KERNEL + 1;
}
