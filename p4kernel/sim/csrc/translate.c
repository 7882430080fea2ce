/* One basic block from guest memory: decoding, constants known on the way, forwarding, fusion. */
#include "cpu.h"
#include "fp.h"
#include "handlers.h"

#include <stddef.h>
#include <string.h>

enum { VARIANT_M, VARIANT_A, VARIANT_D };

/* An instruction's handlers stand in a row: M, A, D, as many as it has. */
static const struct {
    uint16_t handler, variants;
} _handlers[P4S_OP_COUNT] = {
#define PLAIN(op) [P4S_OP_##op] = {P4S_H_##op##_M, 1},
#define FORWARD(op) [P4S_OP_##op] = {P4S_H_##op##_M, 2},
#define STORE(op) [P4S_OP_##op] = {P4S_H_##op##_M, 3},
#include "handlers.def"
};

/* Handlers that follow each other, and the one that does the work of all; third is P4S_H_COUNT in a pair. */
static const struct {
    uint16_t first, second, third, fused;
} _fusions[] = {
#define TRIPLE(a, b, c, from2, from3)                                                                     \
    {P4S_H_##a##_M, P4S_H_##b##_##from2, P4S_H_##c##_##from3, P4S_H_##a##_M_##b##_##from2##_##c##_##from3}, \
        {P4S_H_##a##_A, P4S_H_##b##_##from2, P4S_H_##c##_##from3, P4S_H_##a##_A_##b##_##from2##_##c##_##from3},
#include "handlers.def"
#define PAIR(a, b, from)                                                             \
    {P4S_H_##a##_M, P4S_H_##b##_##from, P4S_H_COUNT, P4S_H_##a##_M_##b##_##from}, \
        {P4S_H_##a##_A, P4S_H_##b##_##from, P4S_H_COUNT, P4S_H_##a##_A_##b##_##from},
#define PAIR_M(a, b, from) {P4S_H_##a##_M, P4S_H_##b##_##from, P4S_H_COUNT, P4S_H_##a##_M_##b##_##from},
#include "handlers.def"
};

typedef struct {
    p4s *sim;
    p4s_block *block;
    uint32_t pc;                             /* of the instruction in work */
    uint32_t known, value[32];               /* registers whose value is known here: a bit mask, and the values */
    uint32_t written;                        /* register that the last instruction left in a host register, or 0 */
    uint16_t handlers[P4S_BLOCK_OPS + 1];
    p4s_pie pie[P4S_BLOCK_OPS];
    bool ends;
} builder;

static bool _commutes(uint32_t op)
{
    switch (op) {
    case P4S_OP_ADD: case P4S_OP_XOR: case P4S_OP_OR: case P4S_OP_AND:
    case P4S_OP_MUL: case P4S_OP_MULH: case P4S_OP_MULHU: case P4S_OP_BEQ: case P4S_OP_BNE:
        return true;
    default: return false;
    }
}

static uint16_t _variant(const builder *b, p4s_insn *insn)
{
    const char *registers = p4s_specs[insn->op].registers;
    uint32_t variants = _handlers[insn->op].variants;
    if (b->written == 0 || variants < 2)
        return VARIANT_M;
    if (insn->rs1 == b->written)
        return VARIANT_A;
    if (registers[2] != 'x' || insn->rs2 != b->written)
        return VARIANT_M;
    if (_commutes(insn->op)) {
        insn->rs2 = insn->rs1;
        insn->rs1 = (uint8_t)b->written;
        return VARIANT_A;
    }
    return variants == 3 ? VARIANT_D : VARIANT_M;
}

static uint16_t _end_with(builder *b, uint16_t handler)
{
    b->ends = true;
    return handler;
}

static uint16_t _float_handler(const builder *b, const p4s_insn *insn)
{
    bool to_integer = insn->op == P4S_OP_FCVT_W_S || insn->op == P4S_OP_FCVT_WU_S;
    bool fused = insn->op >= P4S_OP_FMADD_S && insn->op <= P4S_OP_FNMADD_S;
    /* Handlers on the host's float unit round to nearest, conversions to integers toward zero, as C does. */
    bool host_rounds = to_integer ? insn->rm == FP_RTZ : insn->rm == FP_RNE || insn->rm == FP_DYN;
    return host_rounds && (!fused || b->sim->host_has_fma) ? _handlers[insn->op].handler : P4S_H_SOFT_M;
}

/* Plain instructions. A result whose value is known becomes LI; known addresses become part of the immediate. */
static uint16_t _plain(builder *b, p4s_insn *insn)
{
    const char *registers = p4s_specs[insn->op].registers;
    bool is_memory =
        (insn->op >= P4S_OP_LB && insn->op <= P4S_OP_SW) || insn->op == P4S_OP_FLW || insn->op == P4S_OP_FSW;
    bool writes_x = registers[0] == 'x';
    if (insn->op == P4S_OP_FENCE || insn->op == P4S_OP_FENCE_I || insn->op == P4S_OP_WFI)
        return P4S_H_NOP_M;
    if (registers[4] == 'r') {
        insn->imm = (int32_t)((uint32_t)insn->op << 3 | insn->rm);
        return _float_handler(b, insn);
    }
    if (insn->op >= P4S_OP_FSGNJ_S && registers[0] != '-') /* float, not rounded: the slow path wants to know which */
        insn->imm = (int32_t)((uint32_t)insn->op << 3);
    if (writes_x && insn->rd == 0 && !is_memory && insn->op < P4S_OP_FLW)
        return P4S_H_NOP_M;
    if (insn->op == P4S_OP_LUI)
        return P4S_H_LI_M;
    if (insn->op == P4S_OP_AUIPC) {
        insn->imm = (int32_t)(b->pc + (uint32_t)insn->imm);
        return P4S_H_LI_M;
    }
    bool known = registers[1] == 'x' && b->known >> insn->rs1 & 1;
    if (known && (insn->op == P4S_OP_ADDI || is_memory)) {
        insn->imm = (int32_t)(b->value[insn->rs1] + (uint32_t)insn->imm);
        insn->rs1 = 0;
        if (insn->op == P4S_OP_ADDI)
            return P4S_H_LI_M;
    }
    return _handlers[insn->op].handler + _variant(b, insn);
}

/* What the SIMD unit reads and writes of the integer registers is in their slots. */
static uint16_t _pie(builder *b, p4s_insn *insn)
{
    p4s_pie *pie = &b->pie[b->block->pie_count];
    *pie = p4s_pie_decode(insn->pie, insn->word, b->pc);
    if (p4s_pie_off(b->sim, pie->unit))
        return _end_with(b, P4S_H_STEP_M);
    insn->imm = (int32_t)(b->block->pie_count++ * sizeof *pie);
    b->known &= ~(1u << (pie->rd & 31) | 1u << pie->rs1 | 1u << pie->rs2) | 1;
    return pie->access == P4S_ACCESS_STORE || pie->unit == P4S_UNIT_LOOP ? P4S_H_PIE_DROPS_M : P4S_H_PIE_M;
}

static uint16_t _select(builder *b, p4s_insn *insn)
{
    const p4s_spec *spec = &p4s_specs[insn->op];
    bool is_float = insn->op >= P4S_OP_FLW && insn->op <= P4S_OP_FMV_W_X;
    bool bad_rounding = spec->registers[4] == 'r' && insn->rm > FP_RMM && insn->rm != FP_DYN;
    if (bad_rounding || (is_float && p4s_fs_off(b->sim)))
        return _end_with(b, P4S_H_STEP_M);
    bool last = p4s_loop_may_end(b->sim, b->pc);
    if (last && spec->kind != KIND_OP && spec->kind != KIND_PIE) /* who leaves a loop's last instruction is rare */
        return _end_with(b, P4S_H_STEP_M);
    switch (spec->kind) {
    case KIND_OP: return _plain(b, insn);
    case KIND_PIE: return _pie(b, insn);
    case KIND_BRANCH:
        b->block->taken_pc = b->pc + (uint32_t)insn->imm;
        return _end_with(b, _handlers[insn->op].handler + _variant(b, insn));
    case KIND_JAL:
        b->block->taken_pc = b->pc + (uint32_t)insn->imm;
        return _end_with(b, P4S_H_JAL_M);
    case KIND_JALR:
        if (!(b->known >> insn->rs1 & 1))
            return _end_with(b, _handlers[insn->op].handler + _variant(b, insn));
        b->block->taken_pc = (b->value[insn->rs1] + (uint32_t)insn->imm) & ~1u;
        return _end_with(b, P4S_H_JAL_M);
    case KIND_HOST:
        if (b->pc - P4S_ROM < P4S_ROM_STUBS * 8 && (uint32_t)insn->imm == (b->pc - P4S_ROM) / 8 &&
            insn->imm != P4S_EXIT_STUB) {
            b->known = 1; /* the host may write any register */
            return P4S_H_HOST_M;
        }
        return _end_with(b, P4S_H_STEP_M);
    default: return _end_with(b, P4S_H_STEP_M);
    }
}

static void _add(builder *b, p4s_insn *insn)
{
    p4s_block *block = b->block;
    bool writes_x = p4s_specs[insn->op].registers[0] == 'x';
    uint16_t handler = _select(b, insn);
    p4s_op *op = &block->ops[block->slots];
    op->imm = insn->imm;
    op->rd = writes_x && insn->rd == 0 ? P4S_X_SINK : insn->rd;
    op->rs1 = insn->rs1;
    op->rs2 = insn->rs2;
    op->rs3 = insn->rs3;
    b->handlers[block->slots++] = handler;
    if (!writes_x || handler == P4S_H_NOP_M) {
        b->written = 0;
        return;
    }
    b->written = handler == P4S_H_SOFT_M ? 0 : insn->rd;
    if (handler == P4S_H_LI_M && insn->rd != 0) {
        b->known |= 1u << insn->rd;
        b->value[insn->rd] = (uint32_t)insn->imm;
    } else if (insn->rd != 0) {
        b->known &= ~(1u << insn->rd);
    }
}

static uint32_t _fuse(const builder *b, uint32_t slot)
{
    uint32_t second = slot + 1 < b->block->slots ? b->handlers[slot + 1] : P4S_H_COUNT;
    uint32_t third = slot + 2 < b->block->slots ? b->handlers[slot + 2] : P4S_H_COUNT;
    for (uint32_t i = 0; i < sizeof _fusions / sizeof *_fusions; ++i)
        if (_fusions[i].first == b->handlers[slot] && _fusions[i].second == second &&
            (_fusions[i].third == third || _fusions[i].third == P4S_H_COUNT))
            return i;
    return UINT32_MAX;
}

static void _install(const builder *b)
{
    for (uint32_t slot = 0; slot < b->block->slots;) {
        uint32_t fusion = _fuse(b, slot), length = 1, handler = b->handlers[slot];
        if (fusion != UINT32_MAX) {
            handler = _fusions[fusion].fused;
            length = _fusions[fusion].third == P4S_H_COUNT ? 2 : 3;
        }
        b->block->ops[slot].go = b->sim->labels[handler];
        for (uint32_t i = 1; i < length; ++i) /* never entered: only its operands are used */
            b->block->ops[slot + i].go = NULL;
        slot += length;
    }
}

/* Behind a block that no jump ends: what may be a loop's start is known from the loop that ends here now. */
static void _leave(builder *b, uint32_t last)
{
    bool loops = p4s_loop_may_end(b->sim, last);
    if (loops) {
        b->block->ops[b->block->slots].imm = (int32_t)last;
        b->block->taken_pc = b->sim->loops[b->sim->loops[0].end == last ? 0 : 1].start;
    }
    b->handlers[b->block->slots++] = loops ? P4S_H_LOOP_M : P4S_H_FALL_M;
}

p4s_block *p4s_block_build(p4s *sim, p4s_block *block, uint32_t pc)
{
    builder b = {.sim = sim, .block = block, .pc = pc, .known = 1};
    uint8_t offsets[P4S_BLOCK_OPS + 1];
    uint32_t bits, fault, last = pc;
    block->pc = pc;
    block->out[0].to = block->out[1].to = sim->unlinked;
    while (!b.ends && block->count < P4S_BLOCK_OPS && p4s_fetch(sim, b.pc, &bits, &fault)) {
        p4s_insn insn = p4s_decode(&sim->decoder, bits);
        offsets[block->slots] = (uint8_t)((b.pc - pc) >> 1);
        ++block->count;
        _add(&b, &insn);
        last = b.pc;
        b.pc += insn.size;
        if (p4s_loop_may_end(sim, last))
            break;
    }
    if (block->count == 0)
        return NULL;
    block->end = b.pc;
    if (!b.ends) {
        offsets[block->slots] = (uint8_t)((b.pc - pc) >> 1);
        _leave(&b, last);
    }
    _install(&b);
    block->offsets = (uint8_t *)&block->ops[block->slots];
    for (uint32_t i = 0; i < block->slots; ++i)
        block->offsets[i] = offsets[i];
    uintptr_t behind = ((uintptr_t)(block->offsets + block->slots) + 15) & ~(uintptr_t)15;
    block->pie = memcpy((void *)behind, b.pie, block->pie_count * sizeof *b.pie);
    return block;
}
