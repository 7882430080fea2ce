#include "decode.h"

#include <string.h>

const p4s_spec p4s_specs[P4S_OP_COUNT] = {
    [P4S_OP_ILLEGAL] = {"illegal", 1, 0, FMT_NONE, KIND_STEP, "-----"},
    [P4S_OP_PIE] = {"pie", 1, 0, FMT_NONE, KIND_PIE, "-----"},
#define OP(name, mnemonic, match, mask, format, registers, kind) \
    [P4S_OP_##name] = {mnemonic, match, mask, FMT_##format, KIND_##kind, registers},
#include "rv32.def"
#undef OP
};

static uint32_t _major(uint32_t word) { return word >> 2 & 31; }

void p4s_decoder_init(p4s_decoder *decoder, uint32_t revision)
{
    uint32_t used = 0, words, row = 0;
    decoder->pie = p4s_pie_words(p4s_pie_generation(revision), &words);
    for (uint32_t major = 0; major < 32; ++major) {
        decoder->start[major] = (uint16_t)used;
        for (uint32_t op = P4S_OP_ILLEGAL + 1; op < P4S_OP_PIE; ++op)
            if (_major(p4s_specs[op].match) == major)
                decoder->list[used++] = (uint16_t)op;
        decoder->pie_start[major] = (uint16_t)row;
        while (row < words && _major(decoder->pie[row].match) == major)
            ++row;
    }
    decoder->start[32] = (uint16_t)used;
    decoder->pie_start[32] = (uint16_t)row;
}

static int32_t _immediate(uint32_t w, uint8_t format)
{
    int32_t s = (int32_t)w;
    switch (format) {
    case FMT_I: return s >> 20;
    case FMT_S: return (int32_t)((uint32_t)(s >> 25) << 5 | (w >> 7 & 31));
    case FMT_B:
        return (int32_t)((uint32_t)(s >> 31) << 12 | (w >> 7 & 1) << 11 | (w >> 25 & 63) << 5 | (w >> 8 & 15) << 1);
    case FMT_U: return (int32_t)(w & 0xfffff000u);
    case FMT_J:
        return (int32_t)((uint32_t)(s >> 31) << 20 | (w & 0xff000u) | (w >> 20 & 1) << 11 | (w >> 21 & 0x3ff) << 1);
    case FMT_SHAMT: return (int32_t)(w >> 20 & 31);
    case FMT_CSR: return (int32_t)(w >> 20);
    default: return 0;
    }
}

p4s_insn p4s_decode(const p4s_decoder *decoder, uint32_t bits)
{
    /* The low two bits alone tell the length: PIE's 32-bit words use patterns that RISC-V reserves for longer forms. */
    bool compressed = (bits & 3) != 3;
    p4s_insn insn = {.word = compressed ? bits & 0xffff : bits, .size = compressed ? 2 : 4};
    uint32_t w = compressed ? p4s_rvc(insn.word) : bits;
    if (w == 0)
        return insn;
    for (uint32_t i = decoder->start[_major(w)]; i < decoder->start[_major(w) + 1]; ++i) {
        const p4s_spec *spec = &p4s_specs[decoder->list[i]];
        if ((w & spec->mask) != spec->match)
            continue;
        insn.op = decoder->list[i];
        insn.rd = w >> 7 & 31;
        insn.rs1 = w >> 15 & 31;
        insn.rs2 = w >> 20 & 31;
        insn.rs3 = (uint8_t)(w >> 27);
        insn.rm = w >> 12 & 7;
        insn.imm = _immediate(w, spec->format);
        return insn;
    }
    for (uint32_t i = decoder->pie_start[_major(w)]; !compressed && i < decoder->pie_start[_major(w) + 1]; ++i)
        if ((w & decoder->pie[i].mask) == decoder->pie[i].match) {
            insn.op = P4S_OP_PIE;
            insn.pie = &decoder->pie[i];
            break;
        }
    return insn;
}
