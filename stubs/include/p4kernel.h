/* Included at the top of every kernel. */
#ifndef P4KERNEL_H
#define P4KERNEL_H

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus) && !defined(_Static_assert)
#define _Static_assert static_assert
#endif

#ifdef __cplusplus
extern "C" {
#endif
/* How a function pointer that stands for a Python function calls it: the host takes the message (its arguments) and
 * overwrites it with the answer. The entry that p4kernel generates uses it; kernels call their function pointers. */
void p4k_callback(uint32_t id, void *message, uint32_t size);
#ifdef __cplusplus
}
#endif

#define p4_likely(x) __builtin_expect(!!(x), 1)
#define p4_unlikely(x) __builtin_expect(!!(x), 0)

/* The core's counters. "memory": a measured load or store must not move across the reading. */
#define P4_READ_CSR(number)                                                  \
    __extension__({                                                          \
        uint32_t p4_value;                                                   \
        __asm__ volatile("csrr %0, " #number : "=r"(p4_value) : : "memory"); \
        p4_value;                                                            \
    })

/* Clock cycles, modulo 2^32. On the virtual board: instructions. */
static inline uint32_t p4_cycles(void) {
    return P4_READ_CSR(0xC00);
}

/* Instructions executed by this core, modulo 2^32. */
static inline uint32_t p4_instret(void) {
    return P4_READ_CSR(0xC02);
}

/* All 64 bits. The high half is read twice, as the low half may overflow between the two. */
#define P4_READ_CSR64(low, high)                                \
    __extension__({                                             \
        uint32_t p4_high, p4_low, p4_again;                     \
        do {                                                    \
            p4_high = P4_READ_CSR(high);                        \
            p4_low = P4_READ_CSR(low);                          \
            p4_again = P4_READ_CSR(high);                       \
        } while (p4_high != p4_again);                          \
        (uint64_t)p4_high << 32 | p4_low;                       \
    })

static inline uint64_t p4_cycles64(void) {
    return P4_READ_CSR64(0xC00, 0xC80);
}

static inline uint64_t p4_instret64(void) {
    return P4_READ_CSR64(0xC02, 0xC82);
}

#endif /* __ASSEMBLER__ */
#endif
