/* Compressed forms (RISC-V ISA manual, volume I, chapter "C"), RV32 with F and without D. */
#include "decode.h"

static uint32_t _bits(uint32_t v, uint32_t high, uint32_t low, uint32_t at)
{
    return (v >> low & ((1u << (high - low + 1)) - 1)) << at;
}

static int32_t _sign(uint32_t v, uint32_t width) { return (int32_t)(v << (32 - width)) >> (32 - width); }

static uint32_t _r(uint32_t match, uint32_t rd, uint32_t rs1, uint32_t rs2)
{
    return match | rd << 7 | rs1 << 15 | rs2 << 20;
}

static uint32_t _i(uint32_t match, uint32_t rd, uint32_t rs1, int32_t imm)
{
    return match | rd << 7 | rs1 << 15 | (uint32_t)imm << 20;
}

static uint32_t _s(uint32_t match, uint32_t rs1, uint32_t rs2, uint32_t imm)
{
    return match | rs1 << 15 | rs2 << 20 | _bits(imm, 4, 0, 7) | _bits(imm, 11, 5, 25);
}

static uint32_t _b(uint32_t match, uint32_t rs1, uint32_t imm)
{
    return match | rs1 << 15 | _bits(imm, 11, 11, 7) | _bits(imm, 4, 1, 8) | _bits(imm, 10, 5, 25) |
           _bits(imm, 12, 12, 31);
}

static uint32_t _j(uint32_t rd, uint32_t imm)
{
    return 0x6f | rd << 7 | (imm & 0xff000) | _bits(imm, 11, 11, 20) | _bits(imm, 10, 1, 21) | _bits(imm, 20, 20, 31);
}

static uint32_t _match(uint32_t op) { return p4s_specs[op].match; }

static uint32_t _quadrant0(uint32_t c)
{
    uint32_t rd = 8 + (c >> 2 & 7), rs1 = 8 + (c >> 7 & 7);
    uint32_t word_offset = _bits(c, 12, 10, 3) | _bits(c, 6, 6, 2) | _bits(c, 5, 5, 6);
    switch (c >> 13) {
    case 0: {
        uint32_t imm = _bits(c, 12, 11, 4) | _bits(c, 10, 7, 6) | _bits(c, 6, 6, 2) | _bits(c, 5, 5, 3);
        return imm ? _i(_match(P4S_OP_ADDI), rd, 2, (int32_t)imm) : 0;
    }
    case 2: return _i(_match(P4S_OP_LW), rd, rs1, (int32_t)word_offset);
    case 3: return _i(_match(P4S_OP_FLW), rd, rs1, (int32_t)word_offset);
    case 6: return _s(_match(P4S_OP_SW), rs1, rd, word_offset);
    case 7: return _s(_match(P4S_OP_FSW), rs1, rd, word_offset);
    default: return 0;
    }
}

static uint32_t _arithmetic(uint32_t c, int32_t imm)
{
    static const uint16_t ops[4] = {P4S_OP_SUB, P4S_OP_XOR, P4S_OP_OR, P4S_OP_AND};
    uint32_t rd = 8 + (c >> 7 & 7), rs2 = 8 + (c >> 2 & 7);
    bool high = c >> 12 & 1;
    switch (c >> 10 & 3) {
    case 0: return high ? 0 : _i(_match(P4S_OP_SRLI), rd, rd, imm & 31);
    case 1: return high ? 0 : _i(_match(P4S_OP_SRAI), rd, rd, imm & 31);
    case 2: return _i(_match(P4S_OP_ANDI), rd, rd, imm);
    default: return high ? 0 : _r(_match(ops[c >> 5 & 3]), rd, rd, rs2);
    }
}

static uint32_t _quadrant1(uint32_t c)
{
    uint32_t rd = c >> 7 & 31, rs1 = 8 + (c >> 7 & 7);
    int32_t imm = _sign(_bits(c, 12, 12, 5) | _bits(c, 6, 2, 0), 6);
    uint32_t jump = (uint32_t)_sign(_bits(c, 12, 12, 11) | _bits(c, 11, 11, 4) | _bits(c, 10, 9, 8) |
                                        _bits(c, 8, 8, 10) | _bits(c, 7, 7, 6) | _bits(c, 6, 6, 7) |
                                        _bits(c, 5, 3, 1) | _bits(c, 2, 2, 5),
                                    12);
    uint32_t branch = (uint32_t)_sign(_bits(c, 12, 12, 8) | _bits(c, 11, 10, 3) | _bits(c, 6, 5, 6) |
                                          _bits(c, 4, 3, 1) | _bits(c, 2, 2, 5),
                                      9);
    switch (c >> 13) {
    case 0: return _i(_match(P4S_OP_ADDI), rd, rd, imm);
    case 1: return _j(1, jump);
    case 2: return _i(_match(P4S_OP_ADDI), rd, 0, imm);
    case 3:
        if (imm == 0)
            return 0;
        if (rd == 2) {
            int32_t step = _sign(_bits(c, 12, 12, 9) | _bits(c, 6, 6, 4) | _bits(c, 5, 5, 6) | _bits(c, 4, 3, 7) |
                                     _bits(c, 2, 2, 5),
                                 10);
            return _i(_match(P4S_OP_ADDI), 2, 2, step);
        }
        return _match(P4S_OP_LUI) | rd << 7 | (uint32_t)imm << 12;
    case 4: return _arithmetic(c, imm);
    case 5: return _j(0, jump);
    case 6: return _b(_match(P4S_OP_BEQ), rs1, branch);
    default: return _b(_match(P4S_OP_BNE), rs1, branch);
    }
}

static uint32_t _register_jump(uint32_t c)
{
    uint32_t rd = c >> 7 & 31, rs2 = c >> 2 & 31;
    bool high = c >> 12 & 1;
    if (rs2 != 0)
        return _r(_match(P4S_OP_ADD), rd, high ? rd : 0, rs2);
    if (rd != 0)
        return _i(_match(P4S_OP_JALR), high, rd, 0);
    return high ? _match(P4S_OP_EBREAK) : 0;
}

static uint32_t _quadrant2(uint32_t c)
{
    uint32_t rd = c >> 7 & 31, rs2 = c >> 2 & 31;
    uint32_t load = _bits(c, 12, 12, 5) | _bits(c, 6, 4, 2) | _bits(c, 3, 2, 6);
    uint32_t store = _bits(c, 12, 9, 2) | _bits(c, 8, 7, 6);
    switch (c >> 13) {
    case 0: return c >> 12 & 1 ? 0 : _i(_match(P4S_OP_SLLI), rd, rd, (int32_t)rs2);
    case 2: return rd ? _i(_match(P4S_OP_LW), rd, 2, (int32_t)load) : 0;
    case 3: return _i(_match(P4S_OP_FLW), rd, 2, (int32_t)load);
    case 4: return _register_jump(c);
    case 6: return _s(_match(P4S_OP_SW), 2, rs2, store);
    case 7: return _s(_match(P4S_OP_FSW), 2, rs2, store);
    default: return 0;
    }
}

uint32_t p4s_rvc(uint32_t half)
{
    switch (half & 3) {
    case 0: return _quadrant0(half);
    case 1: return _quadrant1(half);
    case 2: return _quadrant2(half);
    default: return 0;
    }
}
