/* Single precision in integers, exact, in every rounding mode: the oracle's arithmetic, and the fast engine's for all
 * that the host's float unit would do differently. Host float state is neither read nor changed. */
#ifndef P4S_FP_H
#define P4S_FP_H

#include <stdbool.h>
#include <stdint.h>

enum { FP_NX = 1, FP_UF = 2, FP_OF = 4, FP_DZ = 8, FP_NV = 16 };
enum { FP_RNE, FP_RTZ, FP_RDN, FP_RUP, FP_RMM, FP_DYN = 7 };
#define FP_NAN 0x7fc00000u

/* One instruction of the F extension by its P4S_OP_ number (all but loads and stores). a, b, c are the raw bits of rs1,
 * rs2, rs3; rm is a resolved mode, 0 to 4. Raised flags are added to *flags. */
uint32_t p4s_fp(uint32_t op, uint32_t rm, uint32_t a, uint32_t b, uint32_t c, uint32_t *flags);

static inline bool p4s_fp_is_nan(uint32_t a) { return (a & 0x7fffffffu) > 0x7f800000u; }

#endif
