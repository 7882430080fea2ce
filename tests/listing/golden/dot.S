/* Written by hand, line numbers included, so that every compiler makes the same of it. */
#include <p4_pie.h>
        .file 1 "tests/listing/golden/dot.c"
        .text
        .globl dot
        .type dot, @function
dot:
        .loc 1 4
        esp.zero.xacc
        .loc 1 5
        srli a2, a2, 4
        beqz a2, 2f
        esp.vld.128.ip q0, a0, 16
        esp.vld.128.ip q1, a1, 16
        esp.lp.setup 0, a2, 1f
        .loc 1 6
        esp.vmulas.s8.xacc.ld.ip q0, a0, 16, q0, q1
1:      esp.vld.128.ip q1, a1, 16
        .loc 1 7
2:      esp.movx.r.xacc.l a0
        ret
        .size dot, . - dot

        .balign 16
        .globl twice
        .type twice, @function
twice:
        .loc 1 12
        addi sp, sp, -16
        sw ra, 12(sp)
        call outside
        lui a1, %hi(factor)
        lw a1, %lo(factor)(a1)
        mul a0, a0, a1
again:  lw ra, 12(sp)
        addi sp, sp, 16
        bnez a0, again
        esp.lp.counti 1, 7
        esp.lp.starti 1, 4f
        esp.lp.endi 1, 5f
4:      nop
        c.nop
5:      c.j again
        .word 0xffffff57
        .size twice, . - twice

        .globl outside
        .type outside, @function
outside:
        ret
        .size outside, . - outside
        .balign 16
        .data
        .type factor, @object
factor: .word 3
        .size factor, 4

/* The least that says where the file of the lines is. */
        .section .debug_abbrev, "", @progbits
.Labbreviations:
        .byte 1, 0x11, 0
        .byte 0x1b, 0x08
        .byte 0x10, 0x17
        .byte 0, 0, 0
        .section .debug_info, "", @progbits
        .4byte .Lend - .Lbegin
.Lbegin:
        .2byte 4
        .4byte .Labbreviations
        .byte 4
        .byte 1
        .asciz "."
        .4byte .Llines
.Lend:
        .section .debug_line, "", @progbits
.Llines:
