/* C intrinsics for PIE, the SIMD unit of the ESP32-P4, and its hardware loops: included by p4_pie.h in C and C++.

   An intrinsic is p4_ and the instruction's name with _ for each dot; its operands are those of the assembler, in the
   same order:

       p4_vld_128_ip(q0, a, 16);                        q0 = 16 bytes at a, a += 16 bytes
       p4_vmulas_s8_xacc(q0, q1);                       XACC += the sum of q0[i] * q1[i]
       p4_vmulas_s8_xacc_ld_ip(q0, a, 16, q0, q1);      the same, and then the load
       int32_t sum = p4_movx_r_xacc_l();                what an instruction leaves in a general register is returned

   - q0 to q7 are names, not variables: no compiler keeps PIE's registers for you. A call may change any of them.
   - An address is a variable of any pointer type; the instruction moves it on, in bytes. A store through a pointer to
     const is an error. A stride, a shift or a scalar is any expression of an integer type of at most 4 bytes.
   - Offsets and selectors are constants; what is out of range is an error that says what is allowed.
   - Chip revisions from 3 on take sat or trunc, and a rounding, at the end of some: p4_vadd_s8(q2, q0, q1, trunc). What
     leaves them out is for all chips, and means the same on all, except that what does not fit is cut by the vsld, vsrd
     and fft instructions of older chips, and clipped by those of newer ones.

   A hardware loop needs no branch and no counter in a register. p4_loop runs up to 64 intrinsics count times, or not at all when
   count is 0 or negative; in front of them it wants the variables that they use, at most seven:

       p4_loop(blocks, (a, b),
               p4_vld_128_ip(q1, b, 16),
               p4_vmulas_s8_xacc_ld_ip(q0, a, 16, q0, q1));

   Its body is one piece of assembly, as a compiler is free to put code of its own between two statements, or a block
   somewhere else, and the loop hardware only knows where the body begins and ends. So it takes no C statements, its
   offsets and selectors are numbers (or macros that are), its scalars and strides are variables of 4 bytes; another
   assembly instruction is p4_code("addi %[n], %[n], -1") with n among the variables. It uses loop 0. A nop ends the
   body: on the chip, the setup and the last instruction of a loop have to be at multiples of 4, and the last one may
   not be of a coprocessor, as PIE is (espressif/esp-idf, issue 19025). Around it, and for everything else, for and
   while work as ever.

   The order in which intrinsics stand is the order in which they run. Those that load or store are barriers for all
   memory ("memory"), because an address is rounded down to what is accessed, and moves by what the compiler does not
   see: no narrower description is true. The others are none. */
#ifndef P4_PIE_C_H
#define P4_PIE_C_H

/* So that what is wrong with an operand is reported where the intrinsic is used, and pedantry stays out of the macros. */
#pragma GCC system_header

/* PIE takes addresses and scalars from x8 to x15 and x24 to x31 only, so the compiler has to choose one of these, with
   whatever moves that needs: P4_PIE_X is a constraint, and P4_PIE_OTHERS lists what it must not choose, for there to be
   nothing but good registers left. "cr" is exact: x8 to x15. "j" is any register that calls may change; of them, those
   that are excluded cost nothing to exclude. Old clangs know neither: a function then saves ra and s2 to s7 once. */
#if defined(__clang__) ? __clang_major__ >= 20 : __GNUC__ >= 15
#define P4_PIE_X "cr"
#define P4_PIE_OTHERS
#define P4_PIE_OTHERS_AND_MEMORY "memory"
#else
#ifdef __clang__
#define P4_PIE_X "r"
#define P4_PIE_LIST "ra", "t0", "t1", "t2", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7"
#else
#define P4_PIE_X "j"
#define P4_PIE_LIST "t0", "t1", "t2", "a6", "a7"
#endif
#define P4_PIE_OTHERS : P4_PIE_LIST
#define P4_PIE_OTHERS_AND_MEMORY P4_PIE_LIST, "memory"
#endif

#define P4_PIE_S(...) P4_PIE_S_(__VA_ARGS__)
#define P4_PIE_S_(...) #__VA_ARGS__
#define P4_PIE_PASTE(a, ...) P4_PIE_PASTE_(a, __VA_ARGS__)
#define P4_PIE_PASTE_(a, ...) a##__VA_ARGS__

/* Checks. m is the mnemonic. Types are told by their class, which GCC and clang number alike: integers 1 to 4, pointers
   5. In C++, g++ wants it of a type, as it takes a variable's name for its value, which is no constant. */
#ifdef __cplusplus
#define P4_PIE_ASSERT(...) static_assert(__VA_ARGS__);
#define P4_PIE_AUTO auto
extern "C++" {
template <class T> struct p4_pie_type {
    static constexpr int number = __builtin_classify_type(T());
    static constexpr bool writable = true;
};
template <class T> struct p4_pie_type<const T *> {
    static constexpr int number = 5;
    static constexpr bool writable = false;
};
template <class T> struct p4_pie_type<const T *const> : p4_pie_type<const T *> {};
template <class T> struct p4_pie_type<T &> : p4_pie_type<T> {};
}
#define P4_PIE_CLASS(x) p4_pie_type<decltype(x)>::number
#define P4_PIE_CONSTANT(x) __builtin_constant_p(x)
#define P4_PIE_WRITABLE(p) p4_pie_type<decltype(p)>::writable
#else
#define P4_PIE_ASSERT(...) _Static_assert(__VA_ARGS__);
#define P4_PIE_AUTO __auto_type
#define P4_PIE_CLASS(x) __builtin_classify_type(x)
/* 0 times a constant is a null pointer, and the other's type wins. GCC decides __builtin_constant_p too late. */
#define P4_PIE_CONSTANT(x) (sizeof(*(1 ? (void *)((int)(x) * 0) : (int *)1)) == sizeof(int))
#define P4_PIE_WRITABLE(p) _Generic(1 ? (p) : (void *)1, const void *: 0, const volatile void *: 0, default: 1)
#endif
#define P4_PIE_IS_POINTER(p) (P4_PIE_CLASS(p) == 5)
#define P4_PIE_IS_INTEGER(x) (P4_PIE_CLASS(x) >= 1 && P4_PIE_CLASS(x) <= 4)

#define P4_PIE_LOADS(m, p) P4_PIE_ASSERT(P4_PIE_IS_POINTER(p), m ": the address has to be a pointer")
#define P4_PIE_STORES(m, p) \
    P4_PIE_LOADS(m, p) \
    P4_PIE_ASSERT(P4_PIE_WRITABLE(p), m ": it stores, and the address is a pointer to const")
#define P4_PIE_INTEGER(m, name, x) \
    P4_PIE_ASSERT(P4_PIE_IS_INTEGER(x) && sizeof(x) <= 4, \
                  m ", operand " name ": an integer of at most 4 bytes is wanted")
#define P4_PIE_WORD(m, name, x) \
    P4_PIE_ASSERT(P4_PIE_IS_INTEGER(x) && sizeof(x) == 4, \
                  m ", operand " name ": an integer variable of 4 bytes is wanted")
/* + 0LL gives a sign to a sizeof, and keeps floating point out. */
#define P4_PIE_ALLOWED(x, low, high, step) \
    (P4_PIE_CONSTANT(x) && (x) + 0LL >= low && (x) + 0LL <= high && ((x) + 0LL) % step == 0)
#define P4_PIE_NUMBER(m, name, x, low, high) \
    P4_PIE_ASSERT(P4_PIE_ALLOWED(x, low, high, 1), \
                  m ", operand " name ": allowed are constants from " #low " to " #high)
#define P4_PIE_MULTIPLE(m, name, x, low, high, step) \
    P4_PIE_ASSERT(P4_PIE_ALLOWED(x, low, high, step), \
                  m ", operand " name ": allowed are constant multiples of " #step " from " #low " to " #high)

/* Optional operands at the end. Where xespv 2.1 has a number for sat and trunc, it takes these names, too. */
#define P4_PIE_MORE(...) __VA_OPT__(", " P4_PIE_S(__VA_ARGS__))
#if P4_PIE_GENERATION == 1
#define P4_PIE_CHECK_MORE(m, ...) \
    P4_PIE_ASSERT(sizeof(#__VA_ARGS__) == 1, \
                  m ": " #__VA_ARGS__ " is in xespv 2.2 only (chip revisions from 3 on), and this is compiled for 2.1")
#define P4_PIE_CHECK_SEL2(m, ...) P4_PIE_CHECK_SEL2_(m, __VA_ARGS__, )
#define P4_PIE_CHECK_SEL2_(m, sel2, ...) P4_PIE_CHECK_MORE(m, __VA_ARGS__)
#define P4_PIE_SEL2(...) ", " P4_PIE_S(P4_PIE_SEL2_OF(__VA_ARGS__))
#define P4_PIE_SEL2_OF(...) P4_PIE_SEL2_##__VA_ARGS__
#define P4_PIE_SEL2_ 1
#define P4_PIE_SEL2_sat 1
#define P4_PIE_SEL2_trunc 0
#define P4_PIE_SEL2_1 1
#define P4_PIE_SEL2_0 0
#else
#define P4_PIE_CHECK_MORE(m, ...)
#define P4_PIE_CHECK_SEL2(m, ...)
#define P4_PIE_SEL2 P4_PIE_MORE
#endif

/* Each intrinsic is a P4_PIE_DO. ## keeps its arguments as they are; they were expanded before, but for those of a loop.
   A P4_PIE_DO inside of another one's expansion stays a plain word: so p4_loop finds the intrinsics of its body unmade,
   and makes the macros that check them, or give their text, of the word and a prefix. */
#define P4_PIE_DO(shape, m, ...) P4_PIE_DO_##shape(m, ##__VA_ARGS__)
#define P4_PIE_DO_missing(m, where, here) \
    __extension__({ P4_PIE_ASSERT(0, m " is in " where " only, and this is compiled for " here) })
#define P4_PIE_NO_RESULT(m, ...) \
    P4_PIE_ASSERT(0, m " returns a value, for which p4_loop has no place: p4_code takes it as assembly")

#define p4_loop(count, variables, ...) P4_PIE_DO(loop, count, variables, ##__VA_ARGS__)

#define P4_PIE_DO_loop(count, variables, ...) \
    __extension__({ \
        P4_PIE_AUTO p4_pie_count = (count); \
        P4_PIE_INTEGER("p4_loop", "count", p4_pie_count) \
        P4_PIE_EACH(P4_PIE_VARIABLE, P4_PIE_VARIABLE, P4_PIE_BARE variables) \
        P4_PIE_EACH(P4_PIE_CHECK, P4_PIE_CHECK, __VA_ARGS__) \
        if (p4_pie_count > 0) \
            __asm__ volatile(".balign 4; .option push; .option norvc; " \
                             "esp.lp.setup 0, %[p4_pie_count], .Lp4_last%=; " \
                             P4_PIE_EACH(P4_PIE_TEXT, P4_PIE_TEXT, __VA_ARGS__) \
                             ".Lp4_last%=: nop; .option pop" \
                             : P4_PIE_EACH(P4_PIE_BOUND, P4_PIE_BOUND_LAST, P4_PIE_BARE variables) \
                             : [p4_pie_count] "r"((int)p4_pie_count) \
                             : P4_PIE_OTHERS_AND_MEMORY); \
    })
#define P4_PIE_BARE(...) __VA_ARGS__
#define P4_PIE_VARIABLE(x) \
    P4_PIE_ASSERT((P4_PIE_IS_POINTER(x) || P4_PIE_IS_INTEGER(x)) && sizeof(x) == 4, \
                  "p4_loop: its variables are pointers, and integers of 4 bytes")
#define P4_PIE_BOUND(x) P4_PIE_BOUND_LAST(x),
#define P4_PIE_BOUND_LAST(x) [x] "+" P4_PIE_X(x)
#define P4_PIE_CHECK(item) P4_PIE_PASTE(p4_loop_takes_intrinsics_and_not_, item)
#define P4_PIE_TEXT(item) P4_PIE_PASTE(P4_PIE_TEXT_, item) "; "
#define p4_loop_takes_intrinsics_and_not_P4_PIE_DO(shape, ...) P4_PIE_C_##shape(__VA_ARGS__)
#define P4_PIE_TEXT_P4_PIE_DO(shape, ...) P4_PIE_T_##shape(__VA_ARGS__)
#define p4_loop_takes_intrinsics_and_not_p4_code(text)
#define P4_PIE_TEXT_p4_code(text) text

#include "p4_pie_intrinsics.h"
#include "p4_pie_shapes.h"

#endif
