/* PIE, the SIMD unit of the ESP32-P4, and its hardware loops: `esp.*` mnemonics for every assembler, and C intrinsics.

   In C, this makes them usable in inline assembly; in a .S file, in its text. Operands are written as Espressif does.
   The intrinsics, p4_vld_128_ip(q0, p, 16) and so on, are explained in p4_pie_c.h.
   P4_PIE_GENERATION is 1 for chip revisions below 3 (xespv 2.1), which is what is taken when nothing is said, and 2 from
   revision 3 on (xespv 2.2). An assembler that was told to know the mnemonics is left alone; P4_PIE_NATIVE says that it
   was where the compiler does not. */
#ifndef P4_PIE_H
#define P4_PIE_H

#if defined(__riscv_xespv) || defined(__riscv_xespv2p1) || defined(__riscv_xespv2p2) || defined(__riscv_xesppie)
#define P4_PIE_NATIVE 1
#endif

#ifndef P4_PIE_GENERATION
#ifdef __riscv_xespv2p2
#define P4_PIE_GENERATION 2
#else
#define P4_PIE_GENERATION 1
#endif
#endif
#if P4_PIE_GENERATION != 1 && P4_PIE_GENERATION != 2
#error "P4_PIE_GENERATION is 1 (chip revisions below 3) or 2 (3 and above)"
#endif

#ifndef P4_PIE_NATIVE
#ifdef __ASSEMBLER__
        .set .Lp4_pie_generation, P4_PIE_GENERATION
#include "p4_pie.inc"
#else
#if P4_PIE_GENERATION == 2
__asm__(".set .Lp4_pie_generation, 2");
#else
__asm__(".set .Lp4_pie_generation, 1");
#endif
#include "p4_pie_asm.h"
#endif
#endif

#ifndef __ASSEMBLER__
#include "p4_pie_c.h"
#endif

#endif
