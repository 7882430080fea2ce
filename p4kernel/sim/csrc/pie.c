/* The SIMD unit and the hardware loops: decoding, memory accesses, state. The operations are in pie_ops.h and others. */
#include "cpu.h"
#include "pie_fft.h"
#include "pie_moves.h"
#include "pie_ops.h"

enum {
#define PIE_INSN(ident, ...) N_##ident,
#include "pie.def"
    N_COUNT
};

/* Loops have no function: p4s_loop_setup knows them. */
#define pie_lp_setup NULL
#define pie_lp_setupi NULL
#define pie_lp_starti NULL
#define pie_lp_endi NULL
#define pie_lp_counti NULL
#define pie_lp_count NULL

static const struct {
    p4s_pie_function *function;
    uint8_t unit, access, size, address, tail;
    int16_t step;
} _insns[N_COUNT] = {
#define PIE_INSN(ident, mnemonic, name, unit, access, size, address, tail, step)                                  \
    [N_##ident] = {pie_##name, P4S_UNIT_##unit, P4S_ACCESS_##access, size, P4S_ADDRESS_##address, P4S_TAIL_##tail, step},
#include "pie.def"
};

/* Fields of p4s_pie that come from a word, in the order of SLOT_. */
enum {
    SLOT_END, SLOT_QU, SLOT_QV, SLOT_QW, SLOT_QX, SLOT_QY, SLOT_QZ, SLOT_RD, SLOT_RS1, SLOT_RS2, SLOT_SEL, SLOT_SEL4,
    SLOT_UPD, SLOT_SAT, SLOT_RM, SLOT_COUNT, SLOT_STEP
};
enum { FIELD_UNSIGNED, FIELD_SIGNED, FIELD_XP };

typedef struct {
    uint8_t slot, kind, step, bits[12]; /* the most significant first; 0 ends them, for no operand has bit 0 */
} field;

static const field _layouts[][10] = {
#define FIELD(slot, kind, step, ...) {SLOT_##slot, FIELD_##kind, step, {__VA_ARGS__}}
#define PIE_LAYOUT(number, ...) [number] = {__VA_ARGS__},
#define PIE_NO_OPERANDS {SLOT_END, FIELD_UNSIGNED, 1, {0}}
#include "pie.def"
};

static const p4s_pie_word _words1[] = {
#define WORD_1(...) {__VA_ARGS__},
#define WORD_2(...)
#define PIE_WORD(generation, ident, match, mask, layout, sat, rm) \
    WORD_##generation(match, mask, N_##ident, layout, sat, rm)
#include "pie.def"
};

static const p4s_pie_word _words2[] = {
#undef WORD_1
#undef WORD_2
#define WORD_1(...)
#define WORD_2(...) {__VA_ARGS__},
#define PIE_WORD(generation, ident, match, mask, layout, sat, rm) \
    WORD_##generation(match, mask, N_##ident, layout, sat, rm)
#include "pie.def"
};

const p4s_pie_word *p4s_pie_words(uint32_t generation, uint32_t *count)
{
    *count = generation == 1 ? sizeof _words1 / sizeof *_words1 : sizeof _words2 / sizeof *_words2;
    return generation == 1 ? _words1 : _words2;
}

uint32_t p4s_pie_unit_of(const p4s_pie_word *row) { return _insns[row->number].unit; }

static int32_t _field(const field *f, uint32_t word)
{
    uint32_t value = 0, width = 0;
    for (; width < sizeof f->bits && f->bits[width]; ++width)
        value = value << 1 | (word >> f->bits[width] & 1);
    if (f->kind == FIELD_XP) /* number bit 4 and bits 2 to 0; bit 3 is always 1 */
        return (int32_t)((value & 8) << 1 | 8 | (value & 7));
    if (f->kind == FIELD_SIGNED && value >> (width - 1))
        value -= 1u << width;
    return (int32_t)value * f->step;
}

static void _put(p4s_pie *insn, uint32_t slot, int32_t value)
{
    switch (slot) {
    case SLOT_QU: insn->qu = (uint8_t)value; break;
    case SLOT_QV: insn->qv = (uint8_t)value; break;
    case SLOT_QW: insn->qw = (uint8_t)value; break;
    case SLOT_QX: insn->qx = (uint8_t)value; break;
    case SLOT_QY: insn->qy = (uint8_t)value; break;
    case SLOT_QZ: insn->qz = (uint8_t)value; break;
    case SLOT_RD: insn->rd = value ? (uint8_t)value : P4S_X_SINK; break;
    case SLOT_RS1: insn->rs1 = (uint8_t)value; break;
    case SLOT_RS2: insn->rs2 = (uint8_t)value; break;
    case SLOT_SEL: insn->sel = (uint8_t)value; break;
    case SLOT_SEL4: insn->sel4 = (uint8_t)value; break;
    case SLOT_UPD: insn->upd = (uint8_t)value; break;
    case SLOT_SAT: insn->sat = (uint8_t)value; break;
    case SLOT_RM: insn->rm = (uint8_t)value; break;
    case SLOT_COUNT: insn->count = (uint16_t)value; break;
    default: insn->step = (int16_t)value; break;
    }
}

static bool _allowed(const p4s *sim, uint32_t address, uint32_t size, uint32_t permission, uint32_t *fault)
{
    uint32_t last = address + size - 1;
    *fault = address;
    if (!(p4s_permission(sim, address) & permission))
        return false;
    *fault = last & ~(P4S_GRANULE - 1);
    return p4s_permission(sim, last) & permission;
}

static uint32_t _address(const p4s *sim, const p4s_pie *insn)
{
    uint32_t address = sim->x[insn->rs1], low = insn->size - 1u;
    if (insn->address == P4S_ADDRESS_INDEXED)
        return (address + 4u * sim->pie.q[insn->qw].u16[insn->sel]) & ~low;
    bool as_it_is = insn->address == P4S_ADDRESS_PLAIN &&
                    sim->pie.cfg & (insn->access == P4S_ACCESS_LOAD ? P4S_CFG_MIS_LD : P4S_CFG_MIS_ST);
    return as_it_is ? address : address & ~low;
}

static void _load_tail(p4s_pie_unit *unit, const p4s_pie *insn, const p4s_vector *memory)
{
    p4s_vector *u = &unit->q[insn->qu];
    switch (insn->tail) {
    case P4S_TAIL_LOAD: *u = *memory; break;
    case P4S_TAIL_BROADCAST: *u = pie_broadcast(memory, insn->size); break;
    case P4S_TAIL_UNALIGNED:
        *u = pie_low_after(unit->ua_state, *memory, unit->sar_byte);
        unit->ua_state = *memory;
        break;
    case P4S_TAIL_REVERSED:
        *u = (p4s_vector){.u32 = {memory->u32[3], memory->u32[2], memory->u32[1], memory->u32[0]}};
        break;
    default: break;
    }
}

/* rs1 behind the access. */
static inline uint32_t _behind(const p4s *sim, const p4s_pie *insn)
{
    return sim->x[insn->rs1] + (insn->step == P4S_PIE_BY_RS2 ? sim->x[insn->rs2] : (uint32_t)insn->step);
}

static inline void _advance(p4s *sim, const p4s_pie *insn) { sim->x[insn->rs1] = _behind(sim, insn); }

static bool _access(p4s *sim, const p4s_pie *insn, uint32_t *fault)
{
    p4s_vector memory = {.u64 = {0}};
    uint32_t address = _address(sim, insn), behind = _behind(sim, insn); /* the function may write x[rs1] */
    bool loads = insn->access == P4S_ACCESS_LOAD;
    if (!_allowed(sim, address, insn->size, loads ? P4S_READ : P4S_WRITE, fault))
        return false;
    if (loads)
        memcpy(&memory, p4s_host(sim, address), insn->size);
    else if (insn->tail == P4S_TAIL_STORE)
        memory = sim->pie.q[insn->qu];
    p4s_vector stored = memory;
    insn->function(&sim->pie, insn, sim->x, &memory);
    if (loads) {
        _load_tail(&sim->pie, insn, &memory);
    } else {
        memcpy(p4s_host(sim, address), insn->tail == P4S_TAIL_STORE ? &stored : &memory, insn->size);
        if (!(p4s_permission(sim, address) & p4s_permission(sim, address + insn->size - 1) & P4S_WRITE_FAST))
            p4s_blocks_drop(sim, address, insn->size);
    }
    sim->x[insn->rs1] = behind;
    return true;
}

/* The common case of an access: 16 bytes, aligned, no code about. */
static inline bool _at_once(const p4s *sim, const p4s_pie *insn, uint32_t permission, uint32_t *address)
{
    *address = sim->x[insn->rs1];
    if (*address & 15 && sim->pie.cfg & (P4S_CFG_MIS_LD | P4S_CFG_MIS_ST))
        return false;
    *address &= ~15u;
    return p4s_permission(sim, *address) & permission;
}

static inline bool _load_16(p4s *sim, const p4s_pie *insn, p4s_pie_function *function, uint32_t *fault)
{
    uint32_t address;
    p4s_vector memory;
    if (unlikely(!_at_once(sim, insn, P4S_READ, &address)))
        return _access(sim, insn, fault);
    memcpy(&memory, p4s_host(sim, address), 16);
    if (function)
        function(&sim->pie, insn, sim->x, &memory);
    sim->pie.q[insn->qu] = memory;
    _advance(sim, insn);
    return true;
}

static inline bool _store_16(p4s *sim, const p4s_pie *insn, p4s_pie_function *function, uint32_t *fault)
{
    uint32_t address;
    if (unlikely(!_at_once(sim, insn, P4S_WRITE_FAST, &address)))
        return _access(sim, insn, fault);
    p4s_vector memory = sim->pie.q[insn->qu];
    if (function)
        function(&sim->pie, insn, sim->x, NULL);
    memcpy(p4s_host(sim, address), &memory, 16);
    _advance(sim, insn);
    return true;
}

/* Fused forms whose operation does not look at what is loaded or stored. */
static bool _run_load(p4s *sim, const p4s_pie *insn, uint32_t *fault) { return _load_16(sim, insn, insn->function, fault); }

static bool _run_store(p4s *sim, const p4s_pie *insn, uint32_t *fault)
{
    return _store_16(sim, insn, insn->function, fault);
}

static bool _run_vld_128(p4s *sim, const p4s_pie *insn, uint32_t *fault) { return _load_16(sim, insn, NULL, fault); }

static bool _run_vst_128(p4s *sim, const p4s_pie *insn, uint32_t *fault) { return _store_16(sim, insn, NULL, fault); }

static bool _run_registers(p4s *sim, const p4s_pie *insn, uint32_t *fault)
{
    (void)fault;
    insn->function(&sim->pie, insn, sim->x, NULL);
    return true;
}

static bool _run_loop(p4s *sim, const p4s_pie *insn, uint32_t *fault)
{
    (void)fault;
    p4s_loop_setup(sim, insn);
    return true;
}

/* What kernels do most gets a function with the operation inside. */
#define INSIDE(name)                                                                            \
    static bool _run_load_##name(p4s *sim, const p4s_pie *insn, uint32_t *fault)                \
    {                                                                                           \
        return _load_16(sim, insn, pie_##name, fault);                                          \
    }
#define INSIDE_ALL(f)                                                                                   \
    f(vmulas_xacc_s8) f(vmulas_xacc_u8) f(vmulas_xacc_s16) f(vmulas_xacc_u16) f(vmulas_qacc_s8)         \
        f(vmulas_qacc_u8) f(vmulas_qacc_s16) f(vmulas_qacc_u16)
INSIDE_ALL(INSIDE)

static bool (*_runner(const p4s_pie *insn))(p4s *, const p4s_pie *, uint32_t *)
{
#define FUSED(name)                        \
    if (insn->function == pie_##name)      \
        return _run_load_##name;
    if (insn->unit == P4S_UNIT_LOOP)
        return _run_loop;
    if (insn->access == P4S_ACCESS_NONE)
        return _run_registers;
    if (insn->function == pie_vld_128)
        return _run_vld_128;
    if (insn->function == pie_vst_128)
        return _run_vst_128;
    if (insn->tail == P4S_TAIL_LOAD) {
        INSIDE_ALL(FUSED)
        return _run_load;
    }
    return insn->tail == P4S_TAIL_STORE ? _run_store : _access;
}

p4s_pie p4s_pie_decode(const p4s_pie_word *row, uint32_t word, uint32_t pc)
{
    uint32_t number = row->number;
    p4s_pie insn = {.function = _insns[number].function,
                    .pc = pc,
                    .step = _insns[number].step,
                    .number = row->number,
                    .unit = _insns[number].unit,
                    .access = _insns[number].access,
                    .size = _insns[number].size,
                    .address = _insns[number].address,
                    .tail = _insns[number].tail,
                    .sat = row->sat,
                    .rm = row->rm};
    for (const field *f = _layouts[row->layout]; f->slot != SLOT_END; ++f)
        _put(&insn, f->slot, _field(f, word));
    insn.run = _runner(&insn);
    return insn;
}

void p4s_loop_setup(p4s *sim, const p4s_pie *insn)
{
    p4s_loop *loop = &sim->loops[insn->sel];
    uint32_t place = insn->pc + (uint32_t)insn->step;
    switch (insn->number) {
    case N_LP_SETUP:
    case N_LP_SETUPI:
        loop->start = insn->pc + 4;
        loop->count = insn->number == N_LP_SETUP ? sim->x[insn->rs1] : insn->count;
        p4s_loop_set_end(sim, insn->sel, place);
        break;
    case N_LP_STARTI: loop->start = place; break;
    case N_LP_ENDI: p4s_loop_set_end(sim, insn->sel, place); break;
    case N_LP_COUNTI: loop->count = insn->count; break;
    default: loop->count = sim->x[insn->rs1]; break;
    }
}

void p4s_loop_set_end(p4s *sim, uint32_t index, uint32_t end)
{
    sim->loops[index].end = end;
    if (p4s_loop_may_end(sim, end) || end - P4S_WINDOW >= P4S_WINDOW_SIZE)
        return;
    sim->loop_ends[(end - P4S_WINDOW) >> P4S_GRANULE_SHIFT] |= p4s_loop_end_bit(end);
    p4s_blocks_drop(sim, end, 2);
}

void p4s_pie_enable(p4s *sim, uint32_t pie, uint32_t loops)
{
    pie = pie & 3 ? 3 : 0;
    loops = loops & 3 ? 3 : 0;
    bool changes = pie != sim->pie_state || loops != sim->loop_state;
    sim->pie_state = pie;
    sim->loop_state = loops;
    if (changes) /* what is off is decoded as a trap */
        p4s_blocks_flush(sim);
}

void p4s_pie_get(p4s *sim, p4s_pie_state *state)
{
    const p4s_pie_unit *unit = &sim->pie;
    memset(state, 0, sizeof *state);
    memcpy(state->q, unit->q, sizeof state->q);
    memcpy(state->qacc, &unit->qacc, sizeof state->qacc);
    memcpy(state->ua_state, &unit->ua_state, sizeof state->ua_state);
    state->xacc = unit->xacc;
    state->sar = unit->sar;
    state->sar_byte = unit->sar_byte;
    state->fft_bit_width = unit->fft_bit_width;
    state->cfg = unit->cfg;
    state->perf = unit->perf;
    state->pie_state = sim->pie_state;
    state->loop_state = sim->loop_state;
    for (int i = 0; i < 2; ++i) {
        state->loop_start[i] = sim->loops[i].start;
        state->loop_end[i] = sim->loops[i].end;
        state->loop_count[i] = sim->loops[i].count;
    }
}

void p4s_pie_set(p4s *sim, const p4s_pie_state *state)
{
    p4s_pie_unit *unit = &sim->pie;
    memcpy(unit->q, state->q, sizeof state->q);
    memcpy(&unit->qacc, state->qacc, sizeof state->qacc);
    memcpy(&unit->ua_state, state->ua_state, sizeof state->ua_state);
    unit->xacc = state->xacc & XACC_MASK;
    unit->sar = state->sar & 63;
    unit->sar_byte = state->sar_byte & 15;
    unit->fft_bit_width = state->fft_bit_width & 15;
    unit->cfg = state->cfg & (pie_cfg_writable(unit->generation) | P4S_CFG_VXSAT | P4S_CFG_RM_EXC);
    unit->perf = state->perf;
    p4s_pie_enable(sim, state->pie_state, state->loop_state);
    for (uint32_t i = 0; i < 2; ++i) {
        sim->loops[i].start = state->loop_start[i] & ~1u;
        sim->loops[i].count = state->loop_count[i];
        p4s_loop_set_end(sim, i, state->loop_end[i] & ~1u);
    }
}
