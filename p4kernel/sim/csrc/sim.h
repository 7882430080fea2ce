/* One virtual ESP32-P4 HP core with its memories. Python sees what stands between the cdef marks. */
#ifndef P4S_SIM_H
#define P4S_SIM_H

#include <stdint.h>

/* cdef begin */
typedef struct p4s p4s;

typedef struct {
    uint32_t psram_size, sram_size, tcm_size; /* bytes, multiples of 4096 */
    uint32_t revision;                        /* of the chip, major * 100 + minor */
} p4s_config;

/* Architectural state, for tests, starts and fault reports. */
typedef struct {
    uint32_t pc, x[32], f[32], fcsr;
    uint32_t mstatus, mtvec, mscratch, mepc, mcause, mtval, mie, mip;
    uint64_t instret;
} p4s_state;

typedef enum { P4S_BUDGET, P4S_TRAP, P4S_STOP, P4S_EXIT } p4s_reason;

p4s *p4s_new(const p4s_config *config); /* NULL when memory is short */
void p4s_delete(p4s *sim);
void p4s_get(p4s *sim, p4s_state *state);
void p4s_set(p4s *sim, const p4s_state *state);

/* Copies between guest and host memory, over all memories; -1, and nothing copied, when a byte lies outside.
 * A write drops translated code that it touches. */
int p4s_read(p4s *sim, uint32_t address, void *data, uint32_t size);
int p4s_write(p4s *sim, uint32_t address, const void *data, uint32_t size);

/* Runs at most budget instructions, exactly: the fast engine, and the one-step oracle. With mtvec 0 a trap ends the
 * run (P4S_TRAP; mepc, mcause, mtval are set and pc stays at the instruction); else the guest's handler is entered. */
p4s_reason p4s_run(p4s *sim, uint64_t budget);
p4s_reason p4s_run_slow(p4s *sim, uint64_t budget);

/* The SIMD unit and the hardware loops. The states are CSRs 0x7F2 and 0x7F1: 0 off (their instructions are illegal, as
 * after p4s_new), else on. */
typedef struct {
    uint8_t q[8][16], qacc[64], ua_state[16]; /* qacc: L.L, L.H, H.L, H.H */
    uint64_t xacc;                            /* 40 bits */
    uint32_t sar, sar_byte, fft_bit_width, cfg, perf;
    uint32_t pie_state, loop_state, loop_start[2], loop_end[2], loop_count[2];
} p4s_pie_state;

void p4s_pie_get(p4s *sim, p4s_pie_state *state);
void p4s_pie_set(p4s *sim, const p4s_pie_state *state); /* bits that do not exist are dropped */
/* cdef end */

/* Memory map of the chip (ESP-IDF, soc/esp32p4 ext_mem_defs.h and soc.h); stubs stand in the HP ROM's range. */
#define P4S_PSRAM 0x48000000u
#define P4S_SRAM 0x4FF00000u
#define P4S_TCM 0x30100000u
#define P4S_ROM 0x4FC00000u      /* stub i at P4S_ROM + 8 * i: a host call, then ret */
#define P4S_ROM_STUBS 1024u
#define P4S_CALL (P4S_ROM + 8 * (P4S_ROM_STUBS - 1) - 4) /* calls what t1 points to, which returns to the last stub */
#define P4S_EXIT_STUB 0u         /* stub 0: jumping there ends the run with P4S_EXIT */

/* Direct access for the port: NULL unless wholly inside one memory. Who writes calls p4s_touched afterwards. */
void *p4s_mem(p4s *sim, uint32_t address, uint32_t size);
void p4s_touched(p4s *sim, uint32_t address, uint32_t size);

/* A host call of stub index: registers are read and written in place. 0: go on; 1: end the run with P4S_STOP, pc then
 * stands behind the stub; 2: a trap, whose cause and tval the callee has set with p4s_host_trap. */
typedef int p4s_hostcall(void *context, p4s *sim, uint32_t index);
void p4s_set_hostcall(p4s *sim, p4s_hostcall *function, void *context);
uint32_t *p4s_x(p4s *sim); /* x0 to x31; x0 may be written but reads as zero in the guest */
uint32_t *p4s_f(p4s *sim);
uint32_t p4s_frm(p4s *sim); /* rounding mode, as the guest has set it: 5 to 7 are none */
void p4s_host_trap(p4s *sim, uint32_t cause, uint32_t tval);
uint64_t p4s_instret(p4s *sim); /* exact inside a host call and between runs */

#endif
