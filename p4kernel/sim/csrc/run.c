/* Kernels on the simulated chip: a slice of instructions at each poll. */
#include <string.h>

#include "board.h"

#define SLICE 1000000u
#define SLICE_LEAST 10000u
#define SLICE_US 4000u /* of the host's time: the link is looked at this often, however slow the host */

#define MSTATUS_MPP_FS 0x7800u

enum { A0 = 10, RA = 1, SP = 2 };

int p4k_exec_start(p4k_port *board, const p4k_exec *exec)
{
    p4s_state state = {.pc = exec->entry, .mstatus = MSTATUS_MPP_FS, .instret = p4s_instret(board->sim)};
    if (board->exec.phase != P4V_IDLE || exec->stack_size > UINT32_MAX - exec->stack)
        return -1;
    state.x[RA] = P4S_ROM + 8 * P4S_EXIT_STUB;
    state.x[SP] = (exec->stack + exec->stack_size) & ~15u;
    state.x[A0] = exec->blob;
    p4s_set(board->sim, &state);
    /* On, as after the first instruction that ESP-IDF's trap handler enables the unit for. */
    p4s_pie_set(board->sim, &(p4s_pie_state){.pie_state = 1, .loop_state = 1});
    board->exec = (p4v_exec){.phase = P4V_RUNS,
                             .start = state.instret,
                             .limit = exec->max_instructions,
                             .slice = board->config.slice ? board->config.slice : SLICE};
    board->exports.calls = 0;
    return 0;
}

static void finish(p4k_port *board, p4k_event_kind kind)
{
    p4k_event *end = &board->exec.end;
    p4s_state state;
    p4s_get(board->sim, &state);
    *end = (p4k_event){.kind = kind, .firmware_calls = board->exports.calls, .pc = state.pc};
    end->instructions = end->cycles = state.instret - board->exec.start;
    memcpy(end->x, state.x, sizeof end->x);
    if (kind == P4K_EV_FAULT) {
        end->cause = state.mcause;
        end->tval = state.mtval;
        end->pc = state.mepc;
    }
    board->exec.phase = P4V_ENDED;
}

static bool at_exit(p4k_port *board)
{
    p4s_state state;
    p4s_get(board->sim, &state);
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
    p4v_exec *exec = &board->exec;
    uint64_t done = p4s_instret(board->sim) - exec->start, budget = exec->slice, began = p4k_now_us(board);
    if (exec->limit && exec->limit - done < budget)
        budget = exec->limit - done;
    switch (p4s_run(board->sim, budget)) {
    case P4S_EXIT:
        finish(board, P4K_EV_DONE);
        return;
    case P4S_TRAP:
        finish(board, P4K_EV_FAULT);
        return;
    case P4S_STOP: /* there is too much text */
    case P4S_BUDGET:
        break;
    }
    if (!exec->limit || p4s_instret(board->sim) - exec->start < exec->limit) {
        adapt(board, p4k_now_us(board) - began);
    } else if (at_exit(board)) { /* the very last instruction was the return */
        finish(board, P4K_EV_DONE);
    } else {
        finish(board, P4K_EV_KILLED);
        exec->end.limit = 1;
    }
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
    *event = (p4k_event){.kind = P4K_EV_NONE};
    if (fetch_text(&board->text, event))
        return 0;
    if (board->exec.phase == P4V_RUNS) {
        if (board->exec.kill)
            finish(board, P4K_EV_KILLED);
        else
            run_slice(board);
        if (fetch_text(&board->text, event))
            return 0;
    }
    if (board->exec.phase == P4V_ENDED) {
        *event = board->exec.end;
        board->exec.phase = P4V_IDLE;
    }
    return 0;
}

/* The chip calls no function of the host's: there is nothing to answer. */
void p4k_exec_resume(p4k_port *board, uint64_t value)
{
    (void)board;
    (void)value;
}

void p4k_exec_kill(p4k_port *board, int why)
{
    (void)why;
    board->exec.kill = board->exec.phase == P4V_RUNS;
}

void p4k_reset(p4k_port *board, int why)
{
    (void)why;
    board->exec = (p4v_exec){.phase = P4V_IDLE};
    board->text.start = board->text.end = 0;
}
