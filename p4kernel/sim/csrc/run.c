/* Kernels on the simulated chip: a slice of instructions at each poll. */
#include <stdio.h>
#include <string.h>

#include "board.h"

#define SLICE 1000000u
#define SLICE_LEAST 10000u
#define SLICE_US 4000u /* of the host's time: the link is looked at this often, however slow the host */

#define BACKGROUND_SLICE 100000u

#define MSTATUS_MPP_FS 0x7800u

enum { A0 = 10, RA = 1, SP = 2 };

int p4k_exec_start(p4k_port *board, const p4k_exec *exec)
{
    p4s_state state = {.pc = exec->entry, .mstatus = MSTATUS_MPP_FS};
    if (board->exec.phase != P4V_IDLE || exec->stack_size > UINT32_MAX - exec->stack)
        return -1;
    board->exports.calls = 0;
    if (board->fault_waits) { /* the kernel is not begun */
        board->fault_waits = false;
        board->exec.phase = P4V_ENDED;
        return 0;
    }
    state.x[RA] = P4S_ROM + 8 * P4S_EXIT_STUB;
    state.x[SP] = (exec->stack + exec->stack_size) & ~15u;
    state.x[A0] = exec->blob;
    board->exports.in_call = true;
    p4r_start(&board->rtos, &state, exec->stack);
    board->exec = (p4v_exec){.phase = P4V_RUNS,
                             .limit = exec->max_instructions,
                             .slice = board->config.slice ? board->config.slice : SLICE};
    return 0;
}

/* What is known of a task at its end. */
static void describe(p4k_port *board, p4k_event_kind kind, uint32_t task)
{
    p4k_event *end = &board->exec.end;
    p4s_state state;
    p4r_get(&board->rtos, task, &state);
    *end = (p4k_event){.kind = kind, .firmware_calls = board->exports.calls, .pc = state.pc};
    end->instructions = end->cycles = board->rtos.tasks[P4R_KERNEL].instructions;
    memcpy(end->x, state.x, sizeof end->x);
    if (kind == P4K_EV_FAULT) {
        end->cause = state.mcause;
        end->tval = state.mtval;
        end->pc = state.mepc;
    }
}

static void finish(p4k_port *board, p4k_event_kind kind, uint32_t task)
{
    describe(board, kind, task);
    board->exec.phase = P4V_ENDED;
    board->exports.in_call = false;
    board->exports.question.open = false;
    p4r_end_kernel(&board->rtos);
    board->seen_us = p4k_now_us(board);
}

/* A failure of a task's is one of the firmware's: whatever tasks shared may be half done, so all end. */
static void task_failed(p4k_port *board)
{
    p4v_text *text = &board->text;
    uint32_t room = sizeof text->bytes - text->end;
    int size = snprintf(text->bytes + text->end, room, "p4kernel: the task '%s' failed; all tasks and timers were ended\n",
                        board->rtos.tasks[board->rtos.current].name);
    text->end += (uint32_t)size < room ? (uint32_t)size : room;
}

static void fault(p4k_port *board)
{
    uint32_t task = board->rtos.current;
    if (task != P4R_KERNEL)
        task_failed(board);
    finish(board, P4K_EV_FAULT, task);
    if (task != P4R_KERNEL)
        p4r_clear(&board->rtos);
}

static bool at_exit(p4k_port *board)
{
    p4s_state state;
    p4r_get(&board->rtos, P4R_KERNEL, &state);
    return state.pc == P4S_ROM + 8 * P4S_EXIT_STUB;
}

/* The next slice is made to fit the host's time; only its borders change, never what the kernel computes. */
static void adapt(p4k_port *board, uint64_t us)
{
    uint32_t most = board->config.slice ? board->config.slice : SLICE;
    if (us > SLICE_US && board->exec.slice / 2 >= SLICE_LEAST)
        board->exec.slice /= 2;
    else if (us < SLICE_US / 4)
        board->exec.slice = board->exec.slice < most / 2 ? board->exec.slice * 2 : most;
}

static void run_slice(p4k_port *board)
{
    static const char stuck[] = "p4kernel: every task waits for another one, for ever\n";
    p4v_exec *exec = &board->exec;
    uint64_t began = p4k_now_us(board);
    switch (p4r_run(&board->rtos, exec->slice, exec->limit, P4R_NEVER)) {
    case P4R_EXIT:
        if (board->rtos.current == P4R_KERNEL)
            finish(board, P4K_EV_DONE, P4R_KERNEL);
        else
            fault(board); /* a task that jumps there */
        return;
    case P4R_TRAP:
        fault(board);
        return;
    case P4R_STUCK:
        memcpy(board->text.bytes + board->text.end, stuck, sizeof stuck - 1);
        board->text.end += sizeof stuck - 1;
        break;
    case P4R_LIMIT:
        if (at_exit(board)) { /* the very last instruction was the return */
            finish(board, P4K_EV_DONE, P4R_KERNEL);
            return;
        }
        break;
    case P4R_STOPPED: /* there is too much text, or a question */
    case P4R_SPENT:
        if (board->exports.question.open)
            exec->phase = P4V_ASKED;
        adapt(board, p4k_now_us(board) - began);
        return;
    }
    finish(board, P4K_EV_KILLED, P4R_KERNEL);
    exec->end.limit = 1;
}

static bool fetch_text(p4v_text *text, p4k_event *event)
{
    uint32_t size = text->end - text->start;
    if (size == 0) {
        text->start = text->end = 0;
        return false;
    }
    event->kind = P4K_EV_LOG;
    event->text = text->bytes + text->start;
    event->text_size = size < P4V_TEXT_PIECE ? size : P4V_TEXT_PIECE;
    text->start += event->text_size;
    return true;
}

/* Text comes before the end of the run that printed it, and a kernel that prints much waits for its text to go. */
int p4k_exec_poll(p4k_port *board, p4k_event *event)
{
    p4v_exec *exec = &board->exec;
    p4x_question *question = &board->exports.question;
    *event = (p4k_event){.kind = P4K_EV_NONE};
    if (fetch_text(&board->text, event))
        return 0;
    if (exec->kill && (exec->phase == P4V_RUNS || exec->phase == P4V_ASKED))
        finish(board, P4K_EV_KILLED, P4R_KERNEL);
    else if (exec->phase == P4V_RUNS)
        run_slice(board);
    if (fetch_text(&board->text, event))
        return 0;
    if (exec->phase == P4V_ASKED && question->open) { /* once: then the core has it */
        question->open = false;
        event->kind = P4K_EV_CALLBACK;
        event->id = question->id;
        event->message = question->address;
        event->message_size = question->size;
    } else if (exec->phase == P4V_ENDED) {
        *event = exec->end;
        exec->phase = P4V_IDLE;
    }
    return 0;
}

void p4k_exec_resume(p4k_port *board)
{
    if (board->exec.phase == P4V_ASKED)
        board->exec.phase = P4V_RUNS;
}

void p4k_exec_kill(p4k_port *board, int why)
{
    (void)why;
    board->exec.kill = board->exec.phase == P4V_RUNS || board->exec.phase == P4V_ASKED;
}

/* The host's time that passed since the last look, and no more than can be done in a moment: what is too much for this
 * host is left out. */
bool p4v_background(p4k_port *board)
{
    uint64_t now, end;
    if (board->exec.phase != P4V_IDLE || board->config.still || board->fault_waits || p4v_text_full(&board->text) ||
        !p4r_active(&board->rtos))
        return false;
    now = p4k_now_us(board);
    end = p4r_cycles(&board->rtos) + (now - board->seen_us) * board->rtos.mhz;
    board->seen_us = now;
    for (;;) {
        switch (p4r_run(&board->rtos, BACKGROUND_SLICE, 0, end)) {
        case P4R_TRAP:
        case P4R_EXIT:
            task_failed(board);
            describe(board, P4K_EV_FAULT, board->rtos.current);
            p4r_clear(&board->rtos);
            board->fault_waits = true;
            return false;
        case P4R_SPENT:
            if (p4r_cycles(&board->rtos) < end && p4k_now_us(board) - now < SLICE_US)
                continue;
            return true;
        default:
            return true;
        }
    }
}

int p4k_in_use(p4k_port *board, p4k_addr base, uint32_t size) { return p4r_refers(&board->rtos, base, size); }

void p4k_session_over(p4k_port *board)
{
    p4r_clear(&board->rtos);
    board->fault_waits = false;
    for (uint32_t i = 0; i < board->heap.count; i++) {
        const p4v_region *region = &board->heap.regions[i];
        for (uint32_t b = region->count; b > 0; b--) /* freeing joins blocks behind and before: from the end */
            if (b <= region->count && region->blocks[b - 1].used == P4V_KERNEL)
                p4k_free(board, region->blocks[b - 1].start);
    }
}

void p4k_reset(p4k_port *board, int why)
{
    (void)why;
    p4k_session_over(board);
    board->exec = (p4v_exec){.phase = P4V_IDLE};
    board->exports.in_call = board->exports.question.open = false;
    board->text.start = board->text.end = 0;
}
