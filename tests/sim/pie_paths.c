/* The SIMD unit's products on the host's vector instructions against loops over lanes. */
#include "pie_ops.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef PIE_HAS_SIMD
static uint32_t seed = 1;

static uint32_t next(void) { return (seed = seed * 1664525u + 1013904223u) >> 8; }

/* Random bytes; or extremes, which are what overflows. */
static void fill(void *data, uint32_t size)
{
    static const uint16_t edges[] = {0x8000, 0x7fff, 0xffff, 0, 0x8080, 0x7f7f};
    uint32_t extremes = next() % 3;
    for (uint32_t i = 0; i < size / 2; ++i) {
        uint16_t value = extremes ? edges[next() % (extremes == 1 ? 1 : 6)] : (uint16_t)next();
        memcpy((char *)data + 2 * i, &value, 2);
    }
}

#define CHECK(type)                                                                                     \
    static void check_##type(p4s_pie_unit *unit, const p4s_pie *insn)                                   \
    {                                                                                                   \
        int64_t sum = 0;                                                                                \
        EACH(type) sum += (int64_t)QX.type[i] * QY.type[i];                                             \
        p4s_pie_unit same = *unit;                                                                      \
        EACH(type) ACCUMULATE(type, i, (int64_t)QX.type[i] * QY.type[i]);                               \
        pie_vmulas_qacc_##type(&same, insn, NULL, NULL);                                                \
        if (sum != simd_dot_##type(&QX, &QY) || memcmp(&same.qacc, &unit->qacc, 64) || same.cfg != unit->cfg) { \
            printf(#type " differs\n");                                                                 \
            exit(1);                                                                                    \
        }                                                                                               \
    }
FOR_8_16(CHECK)

int main(int count, char **arguments)
{
    for (long left = count > 1 ? atol(arguments[1]) : 10000; left--;) {
        p4s_pie_unit unit = {.generation = 2};
        p4s_pie insn = {.qx = 0, .qy = 1, .sat = next() & 1};
        fill(unit.q, sizeof unit.q);
#define TRY(type)                               \
    fill(&unit.qacc, sizeof unit.qacc);         \
    check_##type(&unit, &insn);
        FOR_8_16(TRY)
    }
    return 0;
}
#else
int main(void)
{
    printf("no vector instructions for this host\n");
    return 0;
}
#endif
