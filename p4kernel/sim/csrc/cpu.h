/* What the engine's files share. */
#ifndef P4S_CPU_H
#define P4S_CPU_H

#include "decode.h"
#include "pie.h"
#include "sim.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "guest memory is used in place: the host must be little-endian"
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Guest memory lies in one host reservation, so that a checked address needs only one addition. */
#define P4S_WINDOW 0x30000000u
#define P4S_WINDOW_SIZE 0x20000000u

/* What may be done with the bytes of a granule. Stores to a granule that holds translated code lack WRITE_FAST. */
#define P4S_GRANULE_SHIFT 7
#define P4S_GRANULE (1u << P4S_GRANULE_SHIFT)
enum { P4S_READ = 1, P4S_WRITE_FAST = 2, P4S_WRITE = 4 };

#define P4S_X_SINK 32 /* register slot that takes writes to x0 */

/* Causes of traps (RISC-V privileged architecture, mcause). */
enum {
    P4S_CAUSE_FETCH = 1,
    P4S_CAUSE_ILLEGAL = 2,
    P4S_CAUSE_BREAKPOINT = 3,
    P4S_CAUSE_LOAD_ALIGN = 4,
    P4S_CAUSE_LOAD = 5,
    P4S_CAUSE_STORE_ALIGN = 6,
    P4S_CAUSE_STORE = 7,
    P4S_CAUSE_ECALL_M = 11
};

#define P4S_MSTATUS_MIE 0x8u
#define P4S_MSTATUS_MPIE 0x80u
#define P4S_MSTATUS_MPP 0x1800u
#define P4S_MSTATUS_FS 0x6000u
#define P4S_MSTATUS_SD 0x80000000u
#define P4S_INTERRUPTS 0x888u /* machine software, timer, external */

/* An instruction as the fast engine runs it: which handler, and its operands. */
typedef struct {
    const void *go;
    int32_t imm;
    uint8_t rd, rs1, rs2, rs3;
} p4s_op;

typedef struct p4s_block p4s_block;
typedef struct p4s_link p4s_link;

/* One way out of a block; links into the same block form a list, to be cut when it is dropped. */
struct p4s_link {
    p4s_block *to;
    p4s_link *next;
};

/* Straight code, decoded: ops[] (one an instruction, then perhaps one that only leaves), then the offsets of their
 * addresses from pc, in halfwords. */
struct p4s_block {
    uint32_t pc, end;  /* [pc, end) in the guest */
    int32_t count;     /* instructions; enormous in the one block that stands for "not linked yet" */
    uint32_t taken_pc; /* of out[0]; out[1] goes to end */
    uint32_t slots;
    p4s_link out[2];
    p4s_link *in;
    p4s_block *hash_next;
    uint8_t *offsets;
    uint32_t pie_count;
    const p4s_pie *pie; /* what handlers of the SIMD unit work on, by their imm */
    p4s_op ops[];
};

#define P4S_BLOCK_OPS 64
#define P4S_HASH_BITS 14
#define P4S_ARENA (16u << 20)

/* A hardware loop: from start up to and with the instruction at end, count times more. */
typedef struct {
    uint32_t start, end, count;
} p4s_loop;

struct p4s {
    uint32_t x[33], f[32]; /* x[P4S_X_SINK] is never read */
    uint32_t frm, fflags;  /* during p4s_run, newer flags are in the host's float unit */
    uintptr_t base;        /* host address of guest address 0, if it were mapped */
    p4s_block *hash[1u << P4S_HASH_BITS];

    uint32_t pc, mstatus, mtvec, mscratch, mepc, mcause, mtval, mie, mip;
    uint64_t instret, cycle_offset, instret_offset; /* the guest's counters are instret + offset */
    uint32_t reservation;
    bool reserved;

    p4s_pie_unit pie;
    p4s_loop loops[2];
    uint32_t pie_state, loop_state; /* 0 off, 3 on: "dirty", the one state besides off that this hart tells apart */

    p4s_hostcall *hostcall;
    void *hostcall_context;
    uint32_t host_cause, host_tval;

    p4s_config config;
    p4s_decoder decoder;
    struct {
        uint32_t start, size;
    } regions[4];
    void *window;

    const void *const *labels;
    bool host_has_fma;
    uint8_t *arena;
    uint32_t arena_used, flushes, drops;
    p4s_block *unlinked; /* every unresolved link leads here */
    p4s_block *nothing;  /* every empty hash bucket leads here: its pc is odd */
    uint64_t *loop_ends; /* likewise, for each halfword that was ever a hardware loop's end: a block ends behind it */
    uint64_t *code;      /* a bit for each halfword in the window that was decoded, a word a granule */
    uint8_t *permission; /* a byte for each granule of the address space */
};

/* mem.c: exact access of 1, 2 or 4 bytes, wherever it lies. False: not possible, *fault is the first address that is
 * not. A store drops the blocks that hold what it changes. */
bool p4s_memory_init(p4s *sim);
void p4s_memory_free(p4s *sim);
bool p4s_load(p4s *sim, uint32_t address, uint32_t size, uint32_t *value, uint32_t *fault);
bool p4s_store(p4s *sim, uint32_t address, uint32_t size, uint32_t value, uint32_t *fault);
static inline uint32_t p4s_permission(const p4s *sim, uint32_t address)
{
    return sim->permission[address >> P4S_GRANULE_SHIFT];
}
static inline void *p4s_host(const p4s *sim, uint32_t address) { return (void *)(sim->base + address); }

/* Instruction bits at pc (even). False: *fault is the address that cannot be fetched. */
bool p4s_fetch(p4s *sim, uint32_t pc, uint32_t *bits, uint32_t *fault);

/* block.c, translate.c */
bool p4s_blocks_init(p4s *sim);
void p4s_blocks_free(p4s *sim);
p4s_block *p4s_block_at(p4s *sim, uint32_t pc); /* decodes when needed; NULL when pc cannot be fetched */
void p4s_block_link(p4s_block *from, int way, p4s_block *to);
p4s_block *p4s_block_build(p4s *sim, p4s_block *block, uint32_t pc); /* into zeroed memory; NULL as above */
bool p4s_blocks_drop(p4s *sim, uint32_t address, uint32_t size); /* true when there was one */
void p4s_blocks_flush(p4s *sim);
static inline uint32_t p4s_block_hash(uint32_t pc) { return pc >> 1 & ((1u << P4S_HASH_BITS) - 1); }

/* exec.c: its handlers' addresses, by number (handlers.h) */
const void *const *p4s_labels(void);

/* csr.c: false when the access is illegal. */
bool p4s_csr_read(p4s *sim, uint32_t csr, uint32_t *value);
bool p4s_csr_write(p4s *sim, uint32_t csr, uint32_t value);
void p4s_mstatus_write(p4s *sim, uint32_t value);

/* slow.c */
typedef enum {
    P4S_STEP_OK,
    P4S_STEP_TRAPPED, /* the guest's handler is next */
    P4S_STEP_ENDS_TRAP,
    P4S_STEP_ENDS_STOP,
    P4S_STEP_ENDS_EXIT
} p4s_step_result;

p4s_step_result p4s_step(p4s *sim);
p4s_step_result p4s_trap(p4s *sim, uint32_t cause, uint32_t tval);
static inline bool p4s_interrupt_pending(const p4s *sim)
{
    return sim->mstatus & P4S_MSTATUS_MIE && sim->mie & sim->mip;
}

/* pie.c */
void p4s_pie_enable(p4s *sim, uint32_t pie, uint32_t loops);
void p4s_loop_setup(p4s *sim, const p4s_pie *insn);
void p4s_loop_set_end(p4s *sim, uint32_t index, uint32_t end);
static inline bool p4s_pie_off(const p4s *sim, uint32_t unit)
{
    return unit == P4S_UNIT_PIE ? !sim->pie_state : unit == P4S_UNIT_LOOP && !sim->loop_state;
}
static inline uint64_t p4s_loop_end_bit(uint32_t pc) { return 1ull << ((pc & (P4S_GRANULE - 1)) >> 1); }
static inline bool p4s_loop_may_end(const p4s *sim, uint32_t pc)
{
    return pc - P4S_WINDOW < P4S_WINDOW_SIZE &&
           sim->loop_ends[(pc - P4S_WINDOW) >> P4S_GRANULE_SHIFT] & p4s_loop_end_bit(pc);
}

/* Where an instruction at pc leads that does not jump; next is the one behind it. The last instruction of a body starts
 * the next round: a jump out of it leaves the loop as it is, wherever it goes. With count 1 or 0 the round is the last;
 * count is 0 after it. Loop 0 comes first where both end. */
static inline uint32_t p4s_loop_next(p4s *sim, uint32_t pc, uint32_t next)
{
    for (int i = 0; i < 2; ++i) {
        p4s_loop *loop = &sim->loops[i];
        if (loop->end != pc || loop->count == 0)
            continue;
        if (--loop->count)
            return loop->start;
    }
    return next;
}
static inline bool p4s_fs_off(const p4s *sim) { return !(sim->mstatus & P4S_MSTATUS_FS); }

#endif
