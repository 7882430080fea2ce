#include "cpu.h"

#include <stdlib.h>
#include <string.h>

p4s *p4s_new(const p4s_config *config)
{
    p4s *sim = calloc(1, sizeof *sim);
    if (!sim)
        return NULL;
    sim->config = *config;
    p4s_decoder_init(&sim->decoder, config->revision);
    sim->pie.generation = p4s_pie_generation(config->revision);
    if (!p4s_memory_init(sim) || !p4s_blocks_init(sim)) {
        p4s_delete(sim);
        return NULL;
    }
    p4s_mstatus_write(sim, P4S_MSTATUS_FS);
    sim->pc = P4S_ROM + 8 * P4S_EXIT_STUB;
    return sim;
}

void p4s_delete(p4s *sim)
{
    if (!sim)
        return;
    p4s_blocks_free(sim);
    p4s_memory_free(sim);
    free(sim);
}

void p4s_get(p4s *sim, p4s_state *state)
{
    *state = (p4s_state){.pc = sim->pc,
                         .fcsr = sim->frm << 5 | sim->fflags,
                         .mstatus = sim->mstatus,
                         .mtvec = sim->mtvec,
                         .mscratch = sim->mscratch,
                         .mepc = sim->mepc,
                         .mcause = sim->mcause,
                         .mtval = sim->mtval,
                         .mie = sim->mie,
                         .mip = sim->mip,
                         .instret = sim->instret};
    memcpy(state->x, sim->x, sizeof state->x);
    memcpy(state->f, sim->f, sizeof state->f);
}

void p4s_set(p4s *sim, const p4s_state *state)
{
    memcpy(sim->x, state->x, sizeof state->x);
    memcpy(sim->f, state->f, sizeof state->f);
    sim->x[0] = 0;
    sim->pc = state->pc & ~1u;
    sim->fflags = state->fcsr & 31;
    sim->frm = state->fcsr >> 5 & 7;
    p4s_mstatus_write(sim, state->mstatus);
    sim->mtvec = state->mtvec & ~2u;
    sim->mscratch = state->mscratch;
    sim->mepc = state->mepc & ~1u;
    sim->mcause = state->mcause;
    sim->mtval = state->mtval;
    sim->mie = state->mie & P4S_INTERRUPTS;
    sim->mip = state->mip & P4S_INTERRUPTS;
    sim->instret = state->instret;
    sim->cycle_offset = sim->instret_offset = 0;
    sim->reserved = false;
}

p4s_reason p4s_run_slow(p4s *sim, uint64_t budget)
{
    for (; budget; --budget) {
        switch (p4s_step(sim)) {
        case P4S_STEP_ENDS_TRAP: return P4S_TRAP;
        case P4S_STEP_ENDS_STOP: return P4S_STOP;
        case P4S_STEP_ENDS_EXIT: return P4S_EXIT;
        default: break;
        }
    }
    return P4S_BUDGET;
}

void p4s_set_hostcall(p4s *sim, p4s_hostcall *function, void *context)
{
    sim->hostcall = function;
    sim->hostcall_context = context;
}

uint32_t *p4s_x(p4s *sim) { return sim->x; }

uint32_t *p4s_f(p4s *sim) { return sim->f; }

uint32_t p4s_frm(p4s *sim) { return sim->frm; }

void p4s_host_trap(p4s *sim, uint32_t cause, uint32_t tval)
{
    sim->host_cause = cause;
    sim->host_tval = tval;
}

uint64_t p4s_instret(p4s *sim) { return sim->instret; }
