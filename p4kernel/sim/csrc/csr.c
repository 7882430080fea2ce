/* Control and status registers of machine mode (RISC-V privileged architecture, volume II). */
#include "cpu.h"

enum {
    CSR_FFLAGS = 0x001,
    CSR_FRM = 0x002,
    CSR_FCSR = 0x003,
    CSR_MSTATUS = 0x300,
    CSR_MISA = 0x301,
    CSR_MIE = 0x304,
    CSR_MTVEC = 0x305,
    CSR_MSCRATCH = 0x340,
    CSR_MEPC = 0x341,
    CSR_MCAUSE = 0x342,
    CSR_MTVAL = 0x343,
    CSR_MIP = 0x344,
    /* Hardware loops and SIMD unit (ESP-IDF: riscv/csr_hwlp.h, riscv/csr_pie.h) */
    CSR_LOOP0_START = 0x7c6,
    CSR_LOOP0_END = 0x7c7,
    CSR_LOOP0_COUNT = 0x7c8,
    CSR_LOOP1_START = 0x7c9,
    CSR_LOOP1_END = 0x7ca,
    CSR_LOOP1_COUNT = 0x7cb,
    CSR_LOOP_STATE = 0x7f1,
    CSR_PIE_STATE = 0x7f2,
    CSR_MCYCLE = 0xb00,
    CSR_MINSTRET = 0xb02,
    CSR_MCYCLEH = 0xb80,
    CSR_MINSTRETH = 0xb82,
    CSR_CYCLE = 0xc00,
    CSR_TIME = 0xc01,
    CSR_INSTRET = 0xc02,
    CSR_CYCLEH = 0xc80,
    CSR_TIMEH = 0xc81,
    CSR_INSTRETH = 0xc82,
    CSR_MVENDORID = 0xf11,
    CSR_MARCHID = 0xf12,
    CSR_MIMPID = 0xf13,
    CSR_MHARTID = 0xf14
};

#define LETTER(c) (1u << ((c) - 'A'))
#define MISA (1u << 30 | LETTER('A') | LETTER('C') | LETTER('F') | LETTER('I') | LETTER('M'))

/* Fields that this hart has: one privilege mode, and a float state that is off or dirty (an allowed coarse form). */
void p4s_mstatus_write(p4s *sim, uint32_t value)
{
    bool was_off = p4s_fs_off(sim);
    sim->mstatus = (value & (P4S_MSTATUS_MIE | P4S_MSTATUS_MPIE)) | P4S_MSTATUS_MPP;
    if (value & P4S_MSTATUS_FS)
        sim->mstatus |= P4S_MSTATUS_FS | P4S_MSTATUS_SD;
    if (was_off != p4s_fs_off(sim)) /* float instructions are decoded as traps while it is off */
        p4s_blocks_flush(sim);
}

/* Start, end and count of loop 0, then of loop 1. */
static uint32_t _loop_read(const p4s *sim, uint32_t index)
{
    const p4s_loop *loop = &sim->loops[index / 3];
    return index % 3 == 0 ? loop->start : index % 3 == 1 ? loop->end : loop->count;
}

static void _loop_write(p4s *sim, uint32_t index, uint32_t value)
{
    p4s_loop *loop = &sim->loops[index / 3];
    if (index % 3 == 0)
        loop->start = value & ~1u;
    else if (index % 3 == 1)
        p4s_loop_set_end(sim, index / 3, value & ~1u);
    else
        loop->count = value;
}

bool p4s_csr_read(p4s *sim, uint32_t csr, uint32_t *value)
{
    uint64_t cycle = sim->instret + sim->cycle_offset, instret = sim->instret + sim->instret_offset;
    switch (csr) {
    case CSR_FFLAGS: *value = sim->fflags; return !p4s_fs_off(sim);
    case CSR_FRM: *value = sim->frm; return !p4s_fs_off(sim);
    case CSR_FCSR: *value = sim->frm << 5 | sim->fflags; return !p4s_fs_off(sim);
    case CSR_MSTATUS: *value = sim->mstatus; return true;
    case CSR_MISA: *value = MISA; return true;
    case CSR_MIE: *value = sim->mie; return true;
    case CSR_MTVEC: *value = sim->mtvec; return true;
    case CSR_MSCRATCH: *value = sim->mscratch; return true;
    case CSR_MEPC: *value = sim->mepc; return true;
    case CSR_MCAUSE: *value = sim->mcause; return true;
    case CSR_MTVAL: *value = sim->mtval; return true;
    case CSR_MIP: *value = sim->mip; return true;
    case CSR_MCYCLE: case CSR_CYCLE: case CSR_TIME: *value = (uint32_t)cycle; return true;
    case CSR_MCYCLEH: case CSR_CYCLEH: case CSR_TIMEH: *value = (uint32_t)(cycle >> 32); return true;
    case CSR_MINSTRET: case CSR_INSTRET: *value = (uint32_t)instret; return true;
    case CSR_MINSTRETH: case CSR_INSTRETH: *value = (uint32_t)(instret >> 32); return true;
    case CSR_LOOP0_START: case CSR_LOOP0_END: case CSR_LOOP0_COUNT:
    case CSR_LOOP1_START: case CSR_LOOP1_END: case CSR_LOOP1_COUNT:
        *value = _loop_read(sim, csr - CSR_LOOP0_START);
        return sim->loop_state != 0;
    case CSR_LOOP_STATE: *value = sim->loop_state; return true;
    case CSR_PIE_STATE: *value = sim->pie_state; return true;
    case CSR_MVENDORID: case CSR_MARCHID: case CSR_MIMPID: case CSR_MHARTID: *value = 0; return true;
    default: return false;
    }
}

/* Sets one half of a counter so that the next instruction reads the value: the writing one is not counted on top. */
static void _counter_write(const p4s *sim, uint64_t *offset, uint32_t value, bool high)
{
    uint64_t now = sim->instret + *offset;
    uint64_t wanted = high ? (uint64_t)value << 32 | (uint32_t)now : (now & ~(uint64_t)0xffffffffu) | value;
    *offset = wanted - sim->instret - 1;
}

bool p4s_csr_write(p4s *sim, uint32_t csr, uint32_t value)
{
    switch (csr) {
    case CSR_FFLAGS:
    case CSR_FRM:
    case CSR_FCSR:
        if (p4s_fs_off(sim))
            return false;
        if (csr != CSR_FRM)
            sim->fflags = value & 31;
        if (csr != CSR_FFLAGS)
            sim->frm = (csr == CSR_FCSR ? value >> 5 : value) & 7;
        return true;
    case CSR_MSTATUS: p4s_mstatus_write(sim, value); return true;
    case CSR_MISA: return true; /* nothing in it can be switched */
    case CSR_MIE: sim->mie = value & P4S_INTERRUPTS; return true;
    case CSR_MTVEC: sim->mtvec = value & ~2u; return true;
    case CSR_MSCRATCH: sim->mscratch = value; return true;
    case CSR_MEPC: sim->mepc = value & ~1u; return true;
    case CSR_MCAUSE: sim->mcause = value; return true;
    case CSR_MTVAL: sim->mtval = value; return true;
    case CSR_MIP: return true; /* all three pending bits belong to devices */
    case CSR_MCYCLE: _counter_write(sim, &sim->cycle_offset, value, false); return true;
    case CSR_MCYCLEH: _counter_write(sim, &sim->cycle_offset, value, true); return true;
    case CSR_MINSTRET: _counter_write(sim, &sim->instret_offset, value, false); return true;
    case CSR_MINSTRETH: _counter_write(sim, &sim->instret_offset, value, true); return true;
    case CSR_LOOP0_START: case CSR_LOOP0_END: case CSR_LOOP0_COUNT:
    case CSR_LOOP1_START: case CSR_LOOP1_END: case CSR_LOOP1_COUNT:
        if (sim->loop_state)
            _loop_write(sim, csr - CSR_LOOP0_START, value);
        return sim->loop_state != 0;
    case CSR_LOOP_STATE: p4s_pie_enable(sim, sim->pie_state, value); return true;
    case CSR_PIE_STATE: p4s_pie_enable(sim, value, sim->loop_state); return true;
    default: return false;
    }
}
