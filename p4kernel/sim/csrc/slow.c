/* The one-step interpreter: exact, plain, and the oracle for the fast engine, which also leaves to it whatever is rare
 * (traps, CSRs, atomics, the end of a budget). */
#include "cpu.h"
#include "fp.h"

/* A trap costs a unit of budget but retires nothing. With no handler set the run ends, and only the trap's registers
 * change, so that a debugger or the host sees the state as it was. */
p4s_step_result p4s_trap(p4s *sim, uint32_t cause, uint32_t tval)
{
    sim->mepc = sim->pc;
    sim->mcause = cause;
    sim->mtval = tval;
    sim->reserved = false;
    if (sim->mtvec == 0)
        return P4S_STEP_ENDS_TRAP;
    bool enabled = sim->mstatus & P4S_MSTATUS_MIE;
    sim->mstatus &= ~(P4S_MSTATUS_MIE | P4S_MSTATUS_MPIE);
    sim->mstatus |= P4S_MSTATUS_MPP | (enabled ? P4S_MSTATUS_MPIE : 0);
    bool vectored = sim->mtvec & 1 && cause >> 31;
    sim->pc = (sim->mtvec & ~3u) + (vectored ? 4 * (cause & 31) : 0);
    return P4S_STEP_TRAPPED;
}

/* External before software before timer, as the architecture orders them. */
static p4s_step_result _interrupt(p4s *sim)
{
    uint32_t pending = sim->mie & sim->mip;
    uint32_t number = pending & 1u << 11 ? 11 : pending & 1u << 3 ? 3 : 7;
    return p4s_trap(sim, 0x80000000u | number, 0);
}

static p4s_step_result _illegal(p4s *sim, const p4s_insn *insn) { return p4s_trap(sim, P4S_CAUSE_ILLEGAL, insn->word); }

static p4s_step_result _retire(p4s *sim, uint32_t next)
{
    sim->x[0] = 0;
    sim->pc = p4s_loop_next(sim, sim->pc, next);
    ++sim->instret;
    return P4S_STEP_OK;
}

static p4s_step_result _jump(p4s *sim, uint32_t target)
{
    sim->x[0] = 0;
    sim->pc = target;
    ++sim->instret;
    return P4S_STEP_OK;
}

static uint32_t _divide(uint32_t op, uint32_t a, uint32_t b)
{
    bool is_signed = op == P4S_OP_DIV || op == P4S_OP_REM, quotient = op == P4S_OP_DIV || op == P4S_OP_DIVU;
    if (b == 0)
        return quotient ? 0xffffffffu : a;
    if (!is_signed)
        return quotient ? a / b : a % b;
    /* 64 bits: the one overflow, -2^31 / -1, then wraps as it should. */
    int64_t x = (int32_t)a, y = (int32_t)b;
    return (uint32_t)(quotient ? x / y : x % y);
}

static uint32_t _alu(uint32_t op, uint32_t a, uint32_t b)
{
    switch (op) {
    case P4S_OP_ADD: case P4S_OP_ADDI: return a + b;
    case P4S_OP_SUB: return a - b;
    case P4S_OP_SLL: case P4S_OP_SLLI: return a << (b & 31);
    case P4S_OP_SRL: case P4S_OP_SRLI: return a >> (b & 31);
    case P4S_OP_SRA: case P4S_OP_SRAI: return (uint32_t)((int32_t)a >> (b & 31));
    case P4S_OP_SLT: case P4S_OP_SLTI: return (int32_t)a < (int32_t)b;
    case P4S_OP_SLTU: case P4S_OP_SLTIU: return a < b;
    case P4S_OP_XOR: case P4S_OP_XORI: return a ^ b;
    case P4S_OP_OR: case P4S_OP_ORI: return a | b;
    case P4S_OP_AND: case P4S_OP_ANDI: return a & b;
    case P4S_OP_MUL: return a * b;
    case P4S_OP_MULH: return (uint32_t)((uint64_t)((int64_t)(int32_t)a * (int32_t)b) >> 32);
    case P4S_OP_MULHSU: return (uint32_t)((uint64_t)((int64_t)(int32_t)a * (int64_t)b) >> 32);
    case P4S_OP_MULHU: return (uint32_t)((uint64_t)a * b >> 32);
    default: return _divide(op, a, b);
    }
}

static bool _branches(uint32_t op, uint32_t a, uint32_t b)
{
    switch (op) {
    case P4S_OP_BEQ: return a == b;
    case P4S_OP_BNE: return a != b;
    case P4S_OP_BLT: return (int32_t)a < (int32_t)b;
    case P4S_OP_BGE: return (int32_t)a >= (int32_t)b;
    case P4S_OP_BLTU: return a < b;
    default: return a >= b;
    }
}

/* Misaligned plain accesses work: the chip's HP cores do them in hardware at a small cost, on which ESP-IDF's C library
 * relies (esp_libc/Kconfig, LIBC_OPTIMIZED_MISALIGNED_ACCESS, default y for chips whose esp_rom_caps.h declares
 * ESP_ROM_HAS_SUBOPTIMAL_NEWLIB_ON_MISALIGNED_MEMORY, the ESP32-P4 among them). */
static p4s_step_result _load(p4s *sim, const p4s_insn *insn, uint32_t *rd, uint32_t size, bool is_signed)
{
    uint32_t value, fault;
    if (!p4s_load(sim, sim->x[insn->rs1] + (uint32_t)insn->imm, size, &value, &fault))
        return p4s_trap(sim, P4S_CAUSE_LOAD, fault);
    if (is_signed)
        value = (uint32_t)((int32_t)(value << (32 - 8 * size)) >> (32 - 8 * size));
    *rd = value;
    return _retire(sim, sim->pc + insn->size);
}

static p4s_step_result _store(p4s *sim, const p4s_insn *insn, uint32_t value, uint32_t size)
{
    uint32_t fault;
    if (!p4s_store(sim, sim->x[insn->rs1] + (uint32_t)insn->imm, size, value, &fault))
        return p4s_trap(sim, P4S_CAUSE_STORE, fault);
    return _retire(sim, sim->pc + insn->size);
}

static p4s_step_result _load_reserved(p4s *sim, const p4s_insn *insn)
{
    uint32_t address = sim->x[insn->rs1], value, fault;
    if (address & 3)
        return p4s_trap(sim, P4S_CAUSE_LOAD_ALIGN, address);
    if (!p4s_load(sim, address, 4, &value, &fault))
        return p4s_trap(sim, P4S_CAUSE_LOAD, fault);
    sim->reserved = true;
    sim->reservation = address;
    sim->x[insn->rd] = value;
    return _retire(sim, sim->pc + insn->size);
}

/* Succeeds when the last LR was to the same word and neither a trap, nor mret, nor a write by the host, nor another SC
 * came between. */
static p4s_step_result _store_conditional(p4s *sim, const p4s_insn *insn)
{
    uint32_t address = sim->x[insn->rs1], fault;
    if (address & 3)
        return p4s_trap(sim, P4S_CAUSE_STORE_ALIGN, address);
    if (!(p4s_permission(sim, address) & P4S_WRITE))
        return p4s_trap(sim, P4S_CAUSE_STORE, address);
    bool succeeds = sim->reserved && sim->reservation == address;
    sim->reserved = false;
    if (succeeds && !p4s_store(sim, address, 4, sim->x[insn->rs2], &fault))
        return p4s_trap(sim, P4S_CAUSE_STORE, fault);
    sim->x[insn->rd] = !succeeds;
    return _retire(sim, sim->pc + insn->size);
}

static uint32_t _amo_result(uint32_t op, uint32_t old, uint32_t value)
{
    switch (op) {
    case P4S_OP_AMOSWAP_W: return value;
    case P4S_OP_AMOADD_W: return old + value;
    case P4S_OP_AMOXOR_W: return old ^ value;
    case P4S_OP_AMOAND_W: return old & value;
    case P4S_OP_AMOOR_W: return old | value;
    case P4S_OP_AMOMIN_W: return (int32_t)old < (int32_t)value ? old : value;
    case P4S_OP_AMOMAX_W: return (int32_t)old > (int32_t)value ? old : value;
    case P4S_OP_AMOMINU_W: return old < value ? old : value;
    default: return old > value ? old : value;
    }
}

static p4s_step_result _amo(p4s *sim, const p4s_insn *insn)
{
    uint32_t address = sim->x[insn->rs1], old, fault;
    if (address & 3)
        return p4s_trap(sim, P4S_CAUSE_STORE_ALIGN, address);
    if (!p4s_load(sim, address, 4, &old, &fault) ||
        !p4s_store(sim, address, 4, _amo_result(insn->op, old, sim->x[insn->rs2]), &fault))
        return p4s_trap(sim, P4S_CAUSE_STORE, fault);
    sim->x[insn->rd] = old;
    return _retire(sim, sim->pc + insn->size);
}

static p4s_step_result _csr(p4s *sim, const p4s_insn *insn)
{
    uint32_t csr = (uint32_t)insn->imm, old = 0;
    bool immediate = insn->op >= P4S_OP_CSRRWI;
    uint32_t operand = immediate ? insn->rs1 : sim->x[insn->rs1];
    bool swap = insn->op == P4S_OP_CSRRW || insn->op == P4S_OP_CSRRWI;
    bool writes = swap || insn->rs1 != 0, reads = !swap || insn->rd != 0;
    bool read_only = csr >> 10 == 3;
    if (writes && read_only)
        return _illegal(sim, insn);
    if (reads && !p4s_csr_read(sim, csr, &old))
        return _illegal(sim, insn);
    bool clear = insn->op == P4S_OP_CSRRC || insn->op == P4S_OP_CSRRCI;
    uint32_t value = swap ? operand : clear ? old & ~operand : old | operand;
    if (writes && !p4s_csr_write(sim, csr, value))
        return _illegal(sim, insn);
    sim->x[insn->rd] = old;
    return _retire(sim, sim->pc + insn->size);
}

static p4s_step_result _pie(p4s *sim, const p4s_insn *insn)
{
    uint32_t fault;
    p4s_pie pie = p4s_pie_decode(insn->pie, insn->word, sim->pc);
    if (p4s_pie_off(sim, pie.unit))
        return _illegal(sim, insn);
    if (!pie.run(sim, &pie, &fault))
        return p4s_trap(sim, pie.access == P4S_ACCESS_LOAD ? P4S_CAUSE_LOAD : P4S_CAUSE_STORE, fault);
    return _retire(sim, sim->pc + insn->size);
}

static p4s_step_result _mret(p4s *sim)
{
    bool enable = sim->mstatus & P4S_MSTATUS_MPIE;
    sim->mstatus &= ~P4S_MSTATUS_MIE;
    sim->mstatus |= P4S_MSTATUS_MPIE | (enable ? P4S_MSTATUS_MIE : 0);
    sim->reserved = false;
    return _jump(sim, sim->mepc);
}

static p4s_step_result _host(p4s *sim, const p4s_insn *insn)
{
    uint32_t index = (sim->pc - P4S_ROM) / 8;
    if (sim->pc - P4S_ROM >= P4S_ROM_STUBS * 8 || (uint32_t)insn->imm != index)
        return _illegal(sim, insn);
    if (index == P4S_EXIT_STUB) /* pc stays: running on ends at once again */
        return P4S_STEP_ENDS_EXIT;
    if (!sim->hostcall)
        return _illegal(sim, insn);
    int result = sim->hostcall(sim->hostcall_context, sim, index);
    sim->x[0] = 0;
    if (result == 2)
        return p4s_trap(sim, sim->host_cause, sim->host_tval);
    _retire(sim, sim->pc + insn->size);
    return result ? P4S_STEP_ENDS_STOP : P4S_STEP_OK;
}

static p4s_step_result _float(p4s *sim, const p4s_insn *insn)
{
    const char *registers = p4s_specs[insn->op].registers;
    uint32_t rm = insn->rm;
    if (registers[4] == 'r') {
        if (rm == FP_DYN)
            rm = sim->frm;
        if (rm > FP_RMM)
            return _illegal(sim, insn);
    }
    uint32_t a = registers[1] == 'x' ? sim->x[insn->rs1] : sim->f[insn->rs1];
    uint32_t result = p4s_fp(insn->op, rm, a, sim->f[insn->rs2], sim->f[insn->rs3], &sim->fflags);
    *(registers[0] == 'x' ? &sim->x[insn->rd] : &sim->f[insn->rd]) = result;
    return _retire(sim, sim->pc + insn->size);
}

static bool _uses_float(uint32_t op) { return op >= P4S_OP_FLW && op <= P4S_OP_FMV_W_X; }

static p4s_step_result _execute(p4s *sim, const p4s_insn *insn)
{
    uint32_t *x = sim->x, next = sim->pc + insn->size, imm = (uint32_t)insn->imm;
    if (_uses_float(insn->op) && p4s_fs_off(sim))
        return _illegal(sim, insn);
    switch (insn->op) {
    case P4S_OP_ILLEGAL: return _illegal(sim, insn);
    case P4S_OP_LUI: x[insn->rd] = imm; return _retire(sim, next);
    case P4S_OP_AUIPC: x[insn->rd] = sim->pc + imm; return _retire(sim, next);
    case P4S_OP_JAL: x[insn->rd] = next; return _jump(sim, sim->pc + imm);
    case P4S_OP_JALR: {
        uint32_t target = (x[insn->rs1] + imm) & ~1u;
        x[insn->rd] = next;
        return _jump(sim, target);
    }
    case P4S_OP_BEQ: case P4S_OP_BNE: case P4S_OP_BLT: case P4S_OP_BGE: case P4S_OP_BLTU: case P4S_OP_BGEU:
        return _branches(insn->op, x[insn->rs1], x[insn->rs2]) ? _jump(sim, sim->pc + imm) : _retire(sim, next);
    case P4S_OP_LB: return _load(sim, insn, &x[insn->rd], 1, true);
    case P4S_OP_LH: return _load(sim, insn, &x[insn->rd], 2, true);
    case P4S_OP_LW: return _load(sim, insn, &x[insn->rd], 4, false);
    case P4S_OP_LBU: return _load(sim, insn, &x[insn->rd], 1, false);
    case P4S_OP_LHU: return _load(sim, insn, &x[insn->rd], 2, false);
    case P4S_OP_FLW: return _load(sim, insn, &sim->f[insn->rd], 4, false);
    case P4S_OP_SB: return _store(sim, insn, x[insn->rs2], 1);
    case P4S_OP_SH: return _store(sim, insn, x[insn->rs2], 2);
    case P4S_OP_SW: return _store(sim, insn, x[insn->rs2], 4);
    case P4S_OP_FSW: return _store(sim, insn, sim->f[insn->rs2], 4);
    case P4S_OP_ADDI: case P4S_OP_SLTI: case P4S_OP_SLTIU: case P4S_OP_XORI: case P4S_OP_ORI: case P4S_OP_ANDI:
    case P4S_OP_SLLI: case P4S_OP_SRLI: case P4S_OP_SRAI:
        x[insn->rd] = _alu(insn->op, x[insn->rs1], imm);
        return _retire(sim, next);
    case P4S_OP_ADD: case P4S_OP_SUB: case P4S_OP_SLL: case P4S_OP_SLT: case P4S_OP_SLTU: case P4S_OP_XOR:
    case P4S_OP_SRL: case P4S_OP_SRA: case P4S_OP_OR: case P4S_OP_AND: case P4S_OP_MUL: case P4S_OP_MULH:
    case P4S_OP_MULHSU: case P4S_OP_MULHU: case P4S_OP_DIV: case P4S_OP_DIVU: case P4S_OP_REM: case P4S_OP_REMU:
        x[insn->rd] = _alu(insn->op, x[insn->rs1], x[insn->rs2]);
        return _retire(sim, next);
    case P4S_OP_FENCE: case P4S_OP_FENCE_I: case P4S_OP_WFI:
        return _retire(sim, next); /* one hart, and stores drop translated code at once */
    case P4S_OP_ECALL: return p4s_trap(sim, P4S_CAUSE_ECALL_M, 0);
    case P4S_OP_EBREAK: return p4s_trap(sim, P4S_CAUSE_BREAKPOINT, 0);
    case P4S_OP_MRET: return _mret(sim);
    case P4S_OP_CSRRW: case P4S_OP_CSRRS: case P4S_OP_CSRRC: case P4S_OP_CSRRWI: case P4S_OP_CSRRSI:
    case P4S_OP_CSRRCI:
        return _csr(sim, insn);
    case P4S_OP_HOST: return _host(sim, insn);
    case P4S_OP_PIE: return _pie(sim, insn);
    case P4S_OP_LR_W: return _load_reserved(sim, insn);
    case P4S_OP_SC_W: return _store_conditional(sim, insn);
    default: return _uses_float(insn->op) ? _float(sim, insn) : _amo(sim, insn);
    }
}

p4s_step_result p4s_step(p4s *sim)
{
    uint32_t bits, fault;
    if (p4s_interrupt_pending(sim))
        return _interrupt(sim);
    if (!p4s_fetch(sim, sim->pc, &bits, &fault))
        return p4s_trap(sim, P4S_CAUSE_FETCH, fault);
    p4s_insn insn = p4s_decode(&sim->decoder, bits);
    return _execute(sim, &insn);
}
