/* setjmp.h: ra, s0 to s11, sp and fs0 to fs11, in newlib's place for them. */
#ifndef _SETJMP_H
#define _SETJMP_H

#ifdef __cplusplus
extern "C" {
#endif

typedef long jmp_buf[38];

int setjmp(jmp_buf place) __attribute__((__returns_twice__));
void longjmp(jmp_buf place, int value) __attribute__((__noreturn__));

#ifdef __cplusplus
}
#endif

#endif
