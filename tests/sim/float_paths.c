/* Float instructions in the fast engine against the one-step interpreter, with and without the host's fused operation,
 * over random operands near the limits. Usage: float_paths [rounds]. Exits 0, or prints the first difference. */
#include "cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint32_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

/* Bits with exponents where sums cancel and products fall around the least normal number. */
static uint32_t operand(void)
{
    static const uint32_t special[] = {0, 1, 0x7fffff, 0x800000, 0x800001, 0x3f800000, 0x3f7fffff, 0x7f7fffff,
                                       0x7f800000, 0x7fc00000, 0x7f800001, 0x4f000000, 0x4f800000, 0x00ffffff};
    uint32_t bits = next();
    switch (next() % 6) {
    case 0: return special[next() % (sizeof special / sizeof *special)] | (bits & 0x80000000u);
    case 1: return (bits & 0x80ffffffu) | 0x1f000000;
    case 2: return (bits & 0x807fffffu) | (0x3f000000 + (bits >> 8 & 0x1800000));
    case 3: return (bits & 0x83ffffffu) | 0x4c000000;
    case 4: return bits & 0x80ffffffu;
    default: return bits;
    }
}

int main(int count, char **arguments)
{
    long rounds = count > 1 ? strtol(arguments[1], NULL, 10) : 2000;
    p4s_config config = {1 << 20, 4096, 4096, 100};
    p4s *fast = p4s_new(&config), *slow = p4s_new(&config);
    if (!fast || !slow)
        return 2;
    for (int fused = 0; fused < 2; ++fused) {
        if (!fused)
            fast->host_has_fma = false;
        for (uint32_t op = P4S_OP_FMADD_S; op <= P4S_OP_FMV_W_X; ++op) {
            bool rounded = p4s_specs[op].registers[4] == 'r';
            bool to_integer = op == P4S_OP_FCVT_W_S || op == P4S_OP_FCVT_WU_S;
            uint32_t rm = !rounded ? 0 : to_integer ? 1 : 7;
            uint32_t words[2] = {p4s_specs[op].match | 5 << 7 | 6 << 15 | rm << 12, 0x00100073};
            if (p4s_specs[op].registers[2] != '-')
                words[0] |= 7 << 20;
            if (p4s_specs[op].registers[3] != '-')
                words[0] |= 8u << 27;
            p4s_write(fast, P4S_PSRAM, words, 8);
            p4s_write(slow, P4S_PSRAM, words, 8);
            for (long round = 0; round < rounds; ++round) {
                p4s_state a, b;
                p4s_get(fast, &a);
                a.pc = P4S_PSRAM;
                a.fcsr = 0;
                a.x[6] = operand();
                for (int i = 6; i <= 8; ++i)
                    a.f[i] = operand();
                uint32_t operands[3] = {a.f[6], a.f[7], a.f[8]};
                p4s_set(fast, &a);
                p4s_set(slow, &a);
                p4s_run(fast, 10);
                p4s_run_slow(slow, 10);
                p4s_get(fast, &a);
                p4s_get(slow, &b);
                if (memcmp(&a, &b, sizeof a) == 0)
                    continue;
                printf("%s %08x %08x %08x: fast %08x/%08x flags %x, slow %08x/%08x flags %x\n", p4s_specs[op].mnemonic,
                       operands[0], operands[1], operands[2], a.f[5], a.x[5], a.fcsr, b.f[5], b.x[5], b.fcsr);
                return 1;
            }
        }
        fast->host_has_fma = slow->host_has_fma;
        p4s_blocks_flush(fast);
    }
    p4s_delete(fast);
    p4s_delete(slow);
    return 0;
}
