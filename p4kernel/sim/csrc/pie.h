/* The SIMD unit (PIE, "xespv") and its instructions, decoded. */
#ifndef P4S_PIE_H
#define P4S_PIE_H

#include <stdbool.h>
#include <stdint.h>

/* One q register, or a quarter of QACC. Lane 0 is the lowest. */
typedef union {
    uint8_t u8[16];
    int8_t s8[16];
    uint16_t u16[8];
    int16_t s16[8];
    uint32_t u32[4];
    int32_t s32[4];
    uint64_t u64[2];
} __attribute__((aligned(16))) p4s_vector;

/* Lane i of 8-bit data stands at bit 32 * i, of 16-bit data at bit 64 * i. */
typedef union {
    p4s_vector quarter[4]; /* L.L, L.H, H.L, H.H */
    int32_t s32[16];
    uint32_t u32[16];
    int64_t s64[8];
    uint64_t u64[8];
} p4s_qacc;

typedef struct {
    p4s_vector q[8];
    p4s_qacc qacc;
    p4s_vector ua_state;
    uint64_t xacc; /* 40 bits, zeros above */
    uint32_t sar, sar_byte, fft_bit_width, cfg, perf;
    uint32_t generation; /* 1: xespv 2.1, 2: xespv 2.2 */
} p4s_pie_unit;

/* Fields of CFG. vxsat_en is in xespv 2.1 only; in 2.2 vxsat is always kept. */
#define P4S_CFG_MIS_ST 0x1u
#define P4S_CFG_MIS_LD 0x2u
#define P4S_CFG_VXSAT 0x4u
#define P4S_CFG_RM_EXC 0x8u
#define P4S_CFG_VXRM_SHIFT 4
#define P4S_CFG_VXRM 0xf0u
#define P4S_CFG_VXSAT_EN 0x100u

enum { P4S_UNIT_NONE, P4S_UNIT_PIE, P4S_UNIT_LOOP }; /* which state must be on: none for scalar instructions */
enum { P4S_ACCESS_NONE, P4S_ACCESS_LOAD, P4S_ACCESS_STORE };
/* PLAIN is aligned when CFG says so, ALIGNED always; INDEXED is rs1 + 4 * a lane of qw, aligned, and rs1 stays. */
enum { P4S_ADDRESS_PLAIN, P4S_ADDRESS_ALIGNED, P4S_ADDRESS_INDEXED };
/* What a fused form does with qu besides its operation: what is loaded goes there as it is, to all lanes, joined with
 * UA_STATE, or with its words in reverse; or its old value is stored. */
enum {
    P4S_TAIL_NONE, P4S_TAIL_LOAD, P4S_TAIL_BROADCAST, P4S_TAIL_UNALIGNED, P4S_TAIL_REVERSED, P4S_TAIL_STORE
};
#define P4S_PIE_BY_RS2 INT16_MIN /* as a step: rs1 += rs2 */

typedef struct p4s_pie p4s_pie;
struct p4s;

/* Computes on registers; memory is what was loaded, or becomes what is stored. x are the integer registers. */
typedef void p4s_pie_function(p4s_pie_unit *unit, const p4s_pie *insn, uint32_t *x, p4s_vector *memory);

/* A decoded instruction. Register numbers are 0 when there is none; rd 32 takes writes to x0. */
struct p4s_pie {
    /* All of it, with its access to memory. False: that is not possible, nothing has changed, *fault is as p4s_load's. */
    bool (*run)(struct p4s *sim, const p4s_pie *insn, uint32_t *fault);
    p4s_pie_function *function;
    uint32_t pc; /* only hardware loops look at it */
    int16_t step;
    uint16_t number, count; /* number: of the mnemonic */
    uint8_t unit, access, size, address, tail;
    uint8_t qu, qv, qw, qx, qy, qz, rd, rs1, rs2;
    uint8_t sel, sel4, upd, sat, rm;
};

typedef struct {
    uint32_t match, mask;
    uint16_t number;
    uint8_t layout, sat, rm;
} p4s_pie_word;

/* A generation's words, by major opcode (bits 6 to 2); *count is how many. */
const p4s_pie_word *p4s_pie_words(uint32_t generation, uint32_t *count);
p4s_pie p4s_pie_decode(const p4s_pie_word *row, uint32_t word, uint32_t pc);
uint32_t p4s_pie_unit_of(const p4s_pie_word *row);

static inline uint32_t p4s_pie_generation(uint32_t revision) { return revision < 300 ? 1 : 2; }

#endif
