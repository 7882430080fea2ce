/* Multiplying and accumulating with the host's vector instructions: simd_dot_* are sums of products, simd_qacc_* add
 * products to QACC. Other hosts take the loops of pie_ops.h, by which these are tested. */
#ifndef P4S_PIE_SIMD_H
#define P4S_PIE_SIMD_H

#if defined(__SSE2__) && !defined(P4S_PIE_SCALAR)
#define PIE_HAS_SIMD 1
#include "pie_sse.h"
#elif defined(__aarch64__) && !defined(P4S_PIE_SCALAR)
#define PIE_HAS_SIMD 1
#include "pie_neon.h"
#endif

#endif
