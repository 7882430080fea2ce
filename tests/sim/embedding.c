/* The part of sim.h that only C sees: host calls, memory in place. Exits 0, or prints what was wrong. */
#include "sim.h"

#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE P4S_PSRAM
#define STUB(i) (P4S_ROM + 8 * (i))
#define EBREAK 0x00100073u
#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            printf("%s:%d: %s (engine %s)\n", __FILE__, __LINE__, #condition, engine);     \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

typedef p4s_reason run_function(p4s *sim, uint64_t budget);

static const char *engine;
static run_function *run;

static uint32_t i_type(uint32_t opcode, uint32_t funct3, uint32_t rd, uint32_t rs1, uint32_t imm)
{
    return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | imm << 20;
}
static uint32_t addi(uint32_t rd, uint32_t rs1, uint32_t imm) { return i_type(0x13, 0, rd, rs1, imm); }
static uint32_t jalr(uint32_t rd, uint32_t rs1) { return i_type(0x67, 0, rd, rs1, 0); }
static uint32_t fadd(uint32_t rd, uint32_t rs1, uint32_t rs2) { return 0x7053 | rd << 7 | rs1 << 15 | rs2 << 20; }

static p4s *start(const uint32_t *words, uint32_t count, uint32_t stub)
{
    p4s_config config = {1 << 20, 4096, 4096, 100};
    p4s *sim = p4s_new(&config);
    p4s_state state;
    CHECK(sim);
    CHECK(p4s_write(sim, CODE, words, 4 * count) == 0);
    p4s_get(sim, &state);
    state.pc = CODE;
    state.x[6] = STUB(stub);
    p4s_set(sim, &state);
    return sim;
}

static struct {
    uint32_t index, calls;
    p4s_state seen;
    uint64_t instret;
    int result;
} host;

static int record(void *context, p4s *sim, uint32_t index)
{
    CHECK(context == &host);
    host.index = index;
    ++host.calls;
    host.instret = p4s_instret(sim);
    p4s_get(sim, &host.seen);
    p4s_x(sim)[0] = 0xdead;
    p4s_x(sim)[10] += 100;
    p4s_f(sim)[10] = 0x40490fdb;
    if (host.result == 2)
        p4s_host_trap(sim, 5, 0x1234);
    return host.result;
}

static void goes_on(void)
{
    const uint32_t words[] = {addi(10, 0, 7), jalr(1, 6), addi(11, 10, 1), addi(12, 0, 0), EBREAK};
    p4s *sim = start(words, 5, 77);
    p4s_state state;
    memset(&host, 0, sizeof host);
    p4s_set_hostcall(sim, record, &host);
    CHECK(run(sim, 1000) == P4S_TRAP);
    p4s_get(sim, &state);
    CHECK(host.index == 77 && host.calls == 1);
    CHECK(host.seen.pc == STUB(77) && host.seen.x[10] == 7 && host.seen.x[1] == CODE + 8);
    CHECK(host.seen.instret == 2 && host.instret == 2);
    CHECK(state.x[10] == 107 && state.x[11] == 108 && state.x[12] == 0 && state.x[0] == 0);
    CHECK(state.f[10] == 0x40490fdb);
    CHECK(state.instret == 6 && state.pc == CODE + 16);
    p4s_delete(sim);
}

static void stops(void)
{
    const uint32_t words[] = {jalr(1, 6), addi(11, 10, 1), EBREAK};
    p4s *sim = start(words, 3, 1023);
    p4s_state state;
    memset(&host, 0, sizeof host);
    host.result = 1;
    p4s_set_hostcall(sim, record, &host);
    CHECK(run(sim, 1000) == P4S_STOP);
    p4s_get(sim, &state);
    CHECK(state.pc == STUB(1023) + 4 && state.instret == 2 && state.x[10] == 100);
    CHECK(run(sim, 1000) == P4S_TRAP);
    p4s_get(sim, &state);
    CHECK(state.pc == CODE + 8 && state.x[11] == 101 && state.instret == 4 && host.calls == 1);
    p4s_delete(sim);
}

static void traps(void)
{
    const uint32_t words[] = {jalr(1, 6), EBREAK};
    p4s *sim = start(words, 2, 3);
    p4s_state state;
    memset(&host, 0, sizeof host);
    host.result = 2;
    p4s_set_hostcall(sim, record, &host);
    CHECK(run(sim, 1000) == P4S_TRAP);
    p4s_get(sim, &state);
    CHECK(state.mcause == 5 && state.mtval == 0x1234 && state.mepc == STUB(3) && state.pc == STUB(3));
    CHECK(state.instret == 1);
    state.mtvec = CODE + 4; /* with a handler the guest goes on there */
    p4s_set(sim, &state);
    CHECK(run(sim, 1) == P4S_BUDGET);
    p4s_get(sim, &state);
    CHECK(state.pc == CODE + 4 && state.instret == 1 && host.calls == 2);
    p4s_delete(sim);
}

static void counts_against_the_budget(void)
{
    const uint32_t words[] = {jalr(1, 6), 0xffdff06f /* j -4 */};
    p4s *sim = start(words, 2, 9);
    p4s_state state;
    memset(&host, 0, sizeof host);
    p4s_set_hostcall(sim, record, &host);
    for (uint32_t budget = 1; budget < 50; ++budget) {
        CHECK(run(sim, budget) == P4S_BUDGET);
        CHECK(p4s_instret(sim) == budget * (budget + 1) / 2);
    }
    p4s_get(sim, &state);
    CHECK(host.calls == (state.instret + 2) / 4);
    p4s_delete(sim);
}

static volatile float one = 1, small = 0x1p-40f;

/* Sees the guest's flags, raises some of the host's own, changes the code that the guest returns to. */
static int meddle(void *context, p4s *sim, uint32_t index)
{
    uint32_t word = addi(11, 0, 55);
    p4s_state *seen = context;
    p4s_get(sim, seen);
    volatile float sum = one + small, quotient = one / 0.0f;
    (void)sum, (void)quotient, (void)index;
    uint32_t *place = p4s_mem(sim, CODE + 12, 4);
    CHECK(place);
    *place = word;
    p4s_touched(sim, CODE + 12, 4);
    return 0;
}

static void host_may_write_code_and_use_floats(void)
{
    const uint32_t words[] = {addi(11, 0, 1), fadd(1, 2, 3), jalr(1, 6), addi(11, 0, 2), EBREAK};
    p4s *sim = start(words, 5, 4);
    p4s_state state, seen;
    for (int round = 0; round < 2; ++round) {
        CHECK(p4s_write(sim, CODE, words, sizeof words) == 0);
        p4s_get(sim, &state);
        state.pc = CODE;
        state.fcsr = 0;
        state.f[2] = 0x7f7fffff; /* the largest float doubled: overflow, inexact */
        state.f[3] = 0x7f7fffff;
        p4s_set(sim, &state);
        p4s_set_hostcall(sim, meddle, &seen);
        CHECK(run(sim, 1000) == P4S_TRAP);
        p4s_get(sim, &state);
        CHECK(seen.fcsr == 5 && seen.f[1] == 0x7f800000);
        CHECK(state.fcsr == 5 && state.x[11] == 55);
    }
    p4s_delete(sim);
}

static void host_float_state_is_kept(void)
{
    const uint32_t words[] = {fadd(1, 2, 3), EBREAK};
    p4s *sim = start(words, 2, 4);
    p4s_state state;
    p4s_get(sim, &state);
    state.f[2] = 0x3f800000;
    state.f[3] = 0x33800000; /* 1 + 2^-24: a tie, down to even */
    p4s_set(sim, &state);
    fesetround(FE_UPWARD);
    feclearexcept(FE_ALL_EXCEPT);
    feraiseexcept(FE_DIVBYZERO);
    CHECK(run(sim, 10) == P4S_TRAP);
    CHECK(fegetround() == FE_UPWARD && fetestexcept(FE_ALL_EXCEPT) == FE_DIVBYZERO);
    fesetround(FE_TONEAREST);
    p4s_get(sim, &state);
    CHECK(state.f[1] == 0x3f800000 && state.fcsr == 1);
    CHECK(p4s_frm(sim) == 0);
    p4s_delete(sim);
}

static void memory_in_place(void)
{
    p4s *sim = start(NULL, 0, 0);
    CHECK(p4s_mem(sim, P4S_PSRAM, 1 << 20) && !p4s_mem(sim, P4S_PSRAM, (1 << 20) + 1));
    CHECK(!p4s_mem(sim, P4S_PSRAM - 1, 2) && !p4s_mem(sim, 0, 1) && !p4s_mem(sim, P4S_ROM, 8));
    CHECK(p4s_mem(sim, P4S_SRAM, 4096) && !p4s_mem(sim, P4S_SRAM + 4096, 0));
    CHECK(!p4s_mem(sim, P4S_PSRAM + 16, 0xfffffff0u));
    memcpy(p4s_mem(sim, P4S_TCM, 4), "abcd", 4);
    char copy[4];
    CHECK(p4s_read(sim, P4S_TCM, copy, 4) == 0 && memcmp(copy, "abcd", 4) == 0);
    p4s_touched(sim, 0, 0xffffffffu); /* outside: nothing to do */
    p4s_touched(sim, P4S_PSRAM, 1 << 20);
    p4s_delete(sim);
    p4s_delete(NULL);
}

int main(void)
{
    static const struct {
        const char *name;
        run_function *run;
    } engines[] = {{"fast", p4s_run}, {"slow", p4s_run_slow}};
    for (int i = 0; i < 2; ++i) {
        engine = engines[i].name;
        run = engines[i].run;
        goes_on();
        stops();
        traps();
        counts_against_the_budget();
        host_may_write_code_and_use_floats();
        host_float_state_is_kept();
        memory_in_place();
    }
    return 0;
}
