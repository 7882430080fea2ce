/* The fast engine: threaded code over decoded blocks. */
#include "bodies.h"
#include "cpu.h"
#include "handlers.h"
#include "hostfp.h"

#include <string.h>

/* Slices keep the budget in 32 bits; its sum with an unlinked block's count must not wrap. */
#define SLICE (1 << 30)

static inline float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t to_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* A float instruction in integers; false when its rounding mode, from frm, is none. */
static __attribute__((noinline)) bool soft(p4s *sim, const p4s_op *op)
{
    uint32_t number = (uint32_t)op->imm >> 3, rm = (uint32_t)op->imm & 7;
    const char *registers = p4s_specs[number].registers;
    if (registers[4] == 'r' && rm == FP_DYN)
        rm = sim->frm;
    if (rm > FP_RMM)
        return false;
    uint32_t a = registers[1] == 'x' ? sim->x[op->rs1] : sim->f[op->rs1];
    uint32_t result = p4s_fp(number, rm, a, sim->f[op->rs2], sim->f[op->rs3], &sim->fflags);
    *(registers[0] == 'x' ? &sim->x[op->rd] : &sim->f[op->rd]) = result;
    return true;
}

static const void *const *_labels; /* the same on every call, so that two threads may set it at once */

/* gcc would merge the handlers' ends, and with them the jumps that the host's predictor tells apart. Neither compiler
 * may make one fused operation of two guest instructions. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#define ENGINE __attribute__((noinline))
#else
#define ENGINE __attribute__((noinline, noclone, optimize("no-gcse", "no-crossjumping", "fp-contract=off")))
#endif

/* Runs *left instructions at most and says why it stopped, as p4s_run does; *left is what remains. It returns at its
 * end only, where pc and instret are exact. With sim NULL it makes its labels known. */
ENGINE static p4s_reason _execute(p4s *sim, int32_t *left)
{
    static const void *const labels[P4S_H_COUNT] = {
#define PSEUDO(name) &&name##_M,
#define PLAIN(op) &&op##_M,
#define FORWARD(op) &&op##_M, &&op##_A,
#define STORE(op) &&op##_M, &&op##_A, &&op##_D,
#define PAIR(first, second, from) &&first##_M_##second##_##from, &&first##_A_##second##_##from,
#define PAIR_M(first, second, from) &&first##_M_##second##_##from,
#define TRIPLE(first, second, third, from2, from3) \
    &&first##_M_##second##_##from2##_##third##_##from3, &&first##_A_##second##_##from2##_##third##_##from3,
#include "handlers.def"
    };
    if (!sim) {
        _labels = labels;
        return P4S_BUDGET;
    }

    const uint8_t *const permissions = sim->permission;
    const uintptr_t base = sim->base;
    p4s_block *block;
    const p4s_op *ip;
    int32_t budget = *left;
    uint32_t acc = 0, fault;
    int32_t steps;
    int way;
    uint64_t end = sim->instret + (uint32_t)budget; /* instret when the budget is used up */
    p4s_reason reason = P4S_BUDGET;
    goto find;

/* A: rs1 from its slot or forwarded; D: a store's datum likewise. */
#define OPERANDS_M X1, X2
#define OPERANDS_A acc, X2
#define OPERANDS_D X1, acc
#define APPLY(body, operands) body(operands)
#define RUN(op, from) RUN_(BODY_##op, OPERANDS_##from)
#define RUN_(body, operands) RUN__(body, operands)
#define RUN__(body, ...) body(__VA_ARGS__)
#define NEXT       \
    do {           \
        ++ip;      \
        goto *ip->go; \
    } while (0)

#define ONE(op, from) \
    op##_##from : RUN(op, from) NEXT;
#define TWO(a, from, b, from2) \
    a##_##from##_##b##_##from2 : RUN(a, from) ++ip; RUN(b, from2) NEXT;
#define THREE(a, from, b, from2, c, from3) \
    a##_##from##_##b##_##from2##_##c##_##from3 : RUN(a, from) ++ip; RUN(b, from2) ++ip; RUN(c, from3) NEXT;

#define PLAIN(op) ONE(op, M)
#define FORWARD(op) ONE(op, M) ONE(op, A)
#define STORE(op) ONE(op, M) ONE(op, A) ONE(op, D)
#define PAIR(first, second, from) TWO(first, M, second, from) TWO(first, A, second, from)
#define PAIR_M(first, second, from) TWO(first, M, second, from)
#define TRIPLE(first, second, third, from2, from3) \
    THREE(first, M, second, from2, third, from3) THREE(first, A, second, from2, third, from3)
#define BODY_HOST(A, D) goto host;
#include "handlers.def"
    ONE(LI, M) ONE(NOP, M) ONE(SOFT, M) ONE(PIE, M) ONE(PIE_DROPS, M) ONE(FALL, M) ONE(LOOP, M)

host: { /* the guest's state is in sim, exact, while the host looks at it */
    uint32_t slot = (uint32_t)(ip - block->ops);
    if (!sim->hostcall)
        goto redo;
    sim->pc = block->pc + 2u * block->offsets[slot];
    sim->instret = end - (uint32_t)budget - ((uint32_t)block->count - slot);
    sim->fflags |= hostfp_take();
    int result = sim->hostcall(sim->hostcall_context, sim, IMM);
    hostfp_take(); /* the host's own */
    sim->x[0] = 0;
    if (likely(result == 0))
        NEXT;
    budget += block->count - (int32_t)slot;
    if (result == 2) {
        if (p4s_trap(sim, sim->host_cause, sim->host_tval) == P4S_STEP_ENDS_TRAP) {
            reason = P4S_TRAP;
            goto out;
        }
        --budget; /* a trap retires nothing but uses the budget, so that a handler that traps for ever ends */
        --end;
        goto find;
    }
    --budget;
    sim->pc += 4;
    reason = P4S_STOP;
    goto out;
}

leave_0: way = 0; goto leave;
leave_1: way = 1;
leave: { /* not linked yet, or the budget ends in the block that is next */
    p4s_block *to = block->out[way].to;
    budget += to->count;
    sim->pc = way ? block->end : block->taken_pc;
    if (to != sim->unlinked)
        goto finish;
    uint32_t flushes = sim->flushes;
    to = p4s_block_at(sim, sim->pc);
    if (to && flushes == sim->flushes)
        p4s_block_link(block, way, to);
    goto find;
}

after_drop: { /* a store has changed code, perhaps of this very block */
    uint32_t slot = (uint32_t)(ip - block->ops) + 1;
    if (slot < block->slots && block->ops[slot].go == labels[P4S_H_LOOP_M]) { /* the dropped block is still in memory */
        ip = &block->ops[slot];
        goto *ip->go;
    }
    /* A loop instruction may have made itself the last one of its loop. */
    sim->pc = p4s_loop_next(sim, block->pc + 2u * block->offsets[slot - 1], block->pc + 2u * block->offsets[slot]);
    budget += block->count - (int32_t)slot;
    goto find;
}

STEP_M:
redo: { /* this instruction goes to the one-step interpreter */
    uint32_t slot = (uint32_t)(ip - block->ops);
    sim->pc = block->pc + 2u * block->offsets[slot];
    budget += block->count - (int32_t)slot;
    steps = 1;
    goto step;
}

find: /* go on at sim->pc */
    if (budget == 0)
        goto out;
    steps = 1;
    if (unlikely(p4s_interrupt_pending(sim)))
        goto step;
    block = p4s_block_at(sim, sim->pc);
    if (!block)
        goto step;
    if (block->count <= budget) {
        budget -= block->count;
        ip = block->ops;
        goto *ip->go;
    }
finish: /* fewer instructions are left than the next block has */
    steps = budget;
step:
    sim->instret = end - (uint32_t)budget;
    sim->fflags |= hostfp_take();
    while (steps-- > 0) {
        p4s_step_result result = p4s_step(sim);
        if (result == P4S_STEP_OK || result == P4S_STEP_TRAPPED) {
            --budget;
            end -= result == P4S_STEP_TRAPPED;
            continue;
        }
        budget -= result == P4S_STEP_ENDS_STOP;
        reason = result == P4S_STEP_ENDS_TRAP ? P4S_TRAP : result == P4S_STEP_ENDS_STOP ? P4S_STOP : P4S_EXIT;
        goto out;
    }
    goto find;

out:
    sim->instret = end - (uint32_t)budget;
    *left = budget;
    return reason;
}

const void *const *p4s_labels(void)
{
    int32_t none = 0;
    _execute(NULL, &none);
    return _labels;
}

p4s_reason p4s_run(p4s *sim, uint64_t budget)
{
    p4s_reason reason = P4S_BUDGET;
    uint64_t saved = hostfp_enter();
    while (budget && reason == P4S_BUDGET) {
        int32_t slice = budget < SLICE ? (int32_t)budget : SLICE;
        budget -= (uint32_t)slice;
        reason = _execute(sim, &slice);
    }
    sim->fflags |= hostfp_take();
    hostfp_leave(saved);
    return reason;
}
