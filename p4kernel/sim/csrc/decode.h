/* Instruction words to decoded instructions: data that the block builder, the one-step interpreter and tools share. */
#ifndef P4S_DECODE_H
#define P4S_DECODE_H

#include "pie.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    P4S_OP_ILLEGAL,
#define OP(name, mnemonic, match, mask, format, registers, kind) P4S_OP_##name,
#include "rv32.def"
#undef OP
    P4S_OP_PIE, /* of the SIMD unit or the hardware loops: pie.c decodes it further */
    P4S_OP_COUNT
};

enum p4s_format { FMT_NONE, FMT_R, FMT_R4, FMT_I, FMT_S, FMT_B, FMT_U, FMT_J, FMT_SHAMT, FMT_CSR };
enum p4s_kind { KIND_STEP, KIND_OP, KIND_BRANCH, KIND_JAL, KIND_JALR, KIND_HOST, KIND_PIE };

typedef struct {
    const char *mnemonic;
    uint32_t match, mask;
    uint8_t format, kind;
    char registers[6];
} p4s_spec;

extern const p4s_spec p4s_specs[P4S_OP_COUNT]; /* [P4S_OP_ILLEGAL] matches nothing and is a STEP */

typedef struct {
    uint32_t word; /* as in memory: 16 bits for a compressed form */
    int32_t imm;   /* CSR formats: the CSR's number; the 5-bit immediate stands in rs1 */
    const p4s_pie_word *pie; /* of P4S_OP_PIE */
    uint16_t op;
    uint8_t rd, rs1, rs2, rs3, rm, size;
} p4s_insn;

/* Candidates by major opcode (bits 6..2), so that a look-up tests only a handful of masks. The SIMD
 * unit's words depend on the chip's revision. */
typedef struct {
    uint16_t start[33], list[P4S_OP_COUNT];
    const p4s_pie_word *pie;
    uint16_t pie_start[33];
} p4s_decoder;

void p4s_decoder_init(p4s_decoder *decoder, uint32_t revision);

/* Decodes the 32 bits at an address (the upper 16 are ignored by a compressed form). op is P4S_OP_ILLEGAL when there is
 * no such instruction; size and word are right even then. */
p4s_insn p4s_decode(const p4s_decoder *decoder, uint32_t bits);

/* The 32-bit form of a compressed instruction, 0 when there is none. */
uint32_t p4s_rvc(uint32_t half);

#endif
