/* The one kernel that runs: started when its call is the oldest that is not finished, asked for news, ended by itself,
 * by a limit or by the host. A kernel that calls a function of the host's stands still until the answer has come; its
 * limit of time does so, too. Questions are numbered, and only the answer to the last one counts. */
#include "p4k_internal.h"

static bool start(p4k *k)
{
    p4k_slot *slot = p4k_oldest(k);

    /* The log belongs to one call; memory must not change under a READ that can be repeated. */
    if (!slot || slot->phase != P4K_PHASE_READY || k->log.used || p4k_reads_open(k))
        return false;
    p4k_call *call = &k->calls[slot->call];
    const p4k_image *image = call->image;
    const p4kw_call *head = &call->head;
    if (image->condemned || (head->flags & P4K_CALL_RESET && !p4k_image_restore(k, image))) {
        p4k_abandon(k, slot, P4K_ST_NO_IMAGE);
        return true;
    }
    p4k_exec exec = {
        .entry = image->address + head->entry, .blob = call->blob, .stack = call->stack,
        .stack_size = call->stack_size, .max_instructions = head->limit_instructions,
    };
    uint32_t limit_us = head->limit_us ? head->limit_us : k->info.limit_us;
    k->run = (p4k_run){
        .slot = (uint32_t)(slot - k->slots), .call = slot->call, .since = k->now,
        .limit = limit_us ? k->now + limit_us : P4K_NEVER, .pending = k->now + p4k_us(P4K_MS_PENDING),
    };
    p4k_log_clear(k, slot->seq);
    slot->phase = P4K_PHASE_RUN;
    k->run.broken = p4k_exec_start(k->port, &exec) != 0;
    return true;
}

/* What lies on the kernel's stack where it stopped. */
static void dump_stack(p4k *k, p4k_call *call)
{
    uint32_t offset = call->event.x[2] - call->stack;

    if (offset >= call->stack_size)
        return;
    uint32_t left = call->stack_size - offset, len = left < P4K_MAX_STACK_DUMP ? left : P4K_MAX_STACK_DUMP;
    const void *memory = p4k_mem(k->port, call->event.x[2], len);
    if (!memory)
        return;
    memcpy(call->dump, memory, len);
    call->dump_address = call->event.x[2];
    call->dump_size = len;
}

static void end(p4k *k, uint8_t status, const p4k_event *event)
{
    p4k_run *run = &k->run;
    p4k_call *call = &k->calls[run->call];
    uint64_t elapsed = p4k_now_us(k->port) - run->since; /* k->now is from before the slice */

    call->event = *event;
    call->elapsed_us = elapsed < UINT32_MAX ? (uint32_t)elapsed : UINT32_MAX;
    p4k_log_drop(k, run->text_size);
    p4k_log_end(k);
    if (status != P4K_ST_OK) {
        dump_stack(k, call);
        p4k_image_check(k, call->image);
    }
    if (status == P4K_ST_DEAD) {
        k->resetting = true;
        k->reset_limit = k->now + p4k_us(P4K_MS_LOG);
    }
    run->call = P4K_NONE;
    run->asking = false;
    if (k->closing) {
        p4k_call_free(k, call);
        p4k_log_clear(k, 0);
        p4k_session_free(k);
        return;
    }
    p4k_call_ended(k, call, status == P4K_ST_OK);
    p4k_finish(&k->slots[run->slot], status, P4K_NONE, 0);
}

void p4k_run_kill(p4k *k, uint8_t why)
{
    p4k_run *run = &k->run;

    if (run->killed)
        return;
    run->killed = true;
    run->why = why;
    /* The port has P4K_MS_KILL; this is for a port that breaks its word. */
    run->kill_limit = k->now + p4k_us(2 * P4K_MS_KILL);
    if (run->slot != P4K_NONE)
        k->slots[run->slot].phase = P4K_PHASE_KILLING;
    p4k_exec_kill(k->port, why);
}

static void logged(p4k *k)
{
    p4k_run *run = &k->run;
    uint32_t put = k->closing ? run->text_size : p4k_log_put(k, run->level, run->text, run->text_size);
    run->text += put;
    run->text_size -= put;
}

/* True when the kernel need not be held up (any longer) for room in the log. */
static bool log_flows(p4k *k)
{
    p4k_run *run = &k->run;

    if (run->text_size)
        logged(k);
    if (run->text_size && !run->killed && k->now < run->log_limit)
        return false;
    p4k_log_drop(k, run->text_size);
    run->text_size = 0;
    return true;
}

bool p4k_run_rests(const p4k *k) { return k->run.call == P4K_NONE || (k->run.asking && !k->run.killed); }

static void ask(p4k *k, const p4k_event *event)
{
    p4k_run *run = &k->run;

    if (run->killed)
        return;
    if (event->message_size > P4K_MAX_MESSAGE || !p4k_mem(k->port, event->message, event->message_size)) {
        p4k_run_kill(k, P4K_ST_CALLBACK);
        return;
    }
    run->id = event->id;
    run->message = event->message;
    run->message_size = event->message_size;
    run->questions++;
    run->asking = run->owes_question = true;
    run->asked = p4k_now_us(k->port);
    k->slots[run->slot].phase = P4K_PHASE_CALLBACK;
}

void p4k_run_answer(p4k *k, const p4kw_header *h, const uint8_t *message)
{
    p4k_run *run = &k->run;

    if (p4k_run_rests(k) && run->call != P4K_NONE && k->slots[run->slot].seq == h->seq && run->questions == h->arg) {
        void *memory = h->len == run->message_size ? p4k_mem(k->port, run->message, h->len) : NULL;
        uint64_t rest = k->now - run->asked;
        if (!memory) {
            p4k_run_kill(k, P4K_ST_CALLBACK);
            return;
        }
        memcpy(memory, message, h->len);
        run->asking = run->owes_question = false;
        run->since += rest;
        run->limit = run->limit < P4K_NEVER - rest ? run->limit + rest : P4K_NEVER;
        run->pending = k->now + p4k_us(P4K_MS_PENDING);
        k->slots[run->slot].phase = P4K_PHASE_RUN;
        p4k_exec_resume(k->port);
    }
}

static bool news(p4k *k)
{
    p4k_run *run = &k->run;
    p4k_event event;

    memset(&event, 0, sizeof event);
    if (run->broken || p4k_exec_poll(k->port, &event))
        event.kind = P4K_EV_DEAD;
    switch (event.kind) {
    case P4K_EV_NONE:
        if (!run->killed || k->now < run->kill_limit)
            return false;
        end(k, P4K_ST_DEAD, &event);
        break;
    case P4K_EV_DONE:
        end(k, P4K_ST_OK, &event);
        break;
    case P4K_EV_FAULT:
        end(k, P4K_ST_FAULT, &event);
        break;
    case P4K_EV_KILLED:
        end(k, run->killed ? run->why : event.limit ? P4K_ST_TIMEOUT : P4K_ST_FAULT, &event);
        break;
    case P4K_EV_LOG:
        run->text = event.text;
        run->text_size = event.text_size;
        run->level = event.level;
        run->log_limit = k->now + p4k_us(P4K_MS_LOG);
        logged(k);
        break;
    case P4K_EV_CALLBACK:
        ask(k, &event);
        break;
    case P4K_EV_DEAD:
    default:
        end(k, P4K_ST_DEAD, &event);
        break;
    }
    return true;
}

bool p4k_run_step(p4k *k, bool *idle)
{
    p4k_run *run = &k->run;

    if (run->call == P4K_NONE)
        return !k->resetting && start(k);
    if (p4k_run_rests(k))
        return false;
    if (k->now >= run->limit)
        p4k_run_kill(k, P4K_ST_TIMEOUT);
    if (k->now >= run->pending) {
        run->pending = k->now + p4k_us(P4K_MS_PENDING);
        if (run->slot != P4K_NONE)
            k->slots[run->slot].owes_pending = true;
    }
    if (*idle || !log_flows(k))
        return false;
    *idle = !news(k);
    return !*idle;
}

void p4k_run_timeouts(const p4k *k, uint64_t *next)
{
    const p4k_run *run = &k->run;

    if (p4k_run_rests(k))
        return;
    p4k_soonest(next, run->pending);
    if (run->killed)
        p4k_soonest(next, run->kill_limit);
    else
        p4k_soonest(next, run->limit);
    if (run->text_size)
        p4k_soonest(next, run->log_limit);
}
