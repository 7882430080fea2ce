/* Firmware functions that kernels call, run natively on the host. exports.def lists them (see generate_exports.py). */
#ifndef P4X_EXPORTS_H
#define P4X_EXPORTS_H

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include "sim.h"
#include "text.h"

typedef struct {
    uint32_t base, size;
    uint8_t *bytes;
} p4x_memory;

/* One call, and what all calls share. */
typedef struct p4x {
    p4s *sim;
    uint32_t *x, *f; /* the guest's registers */
    p4x_memory memories[3];
    uint32_t memory_count;
    p4v_text *text;
    locale_t c_locale; /* the process may have set one with decimal commas */
    uint64_t calls;    /* since a kernel was started */
    uint32_t ints, floats; /* argument words, and float registers, that were taken */
    bool trapped;
} p4x;

typedef struct {
    const char *name;
    void (*call)(p4x *); /* NULL: the slot is empty */
} p4x_entry;

extern const p4x_entry p4x_table[];
extern const uint32_t p4x_count;
extern const uint64_t p4x_hash;

int p4x_open(p4x *, p4s *, p4v_text *); /* 0; after memories were set */
void p4x_close(p4x *);

/* The first trap of a call counts; its results are then not written. */
void p4x_trap(p4x *, uint32_t cause, uint32_t tval);

/* Guest memory. p4x_load and p4x_store give the host's address of size bytes, or trap at the first address that is
 * not memory and return NULL. p4x_room is the bytes from address to the end of its memory, 0 outside of any. */
uint32_t p4x_room(const p4x *, uint32_t address);
uint8_t *p4x_at(const p4x *, uint32_t address); /* of an address with room */
const uint8_t *p4x_load(p4x *, uint32_t address, uint32_t size);
uint8_t *p4x_store(p4x *, uint32_t address, uint32_t size); /* tells the engine that these bytes change */
void p4x_put(p4x *, uint32_t address, const void *value, uint32_t size);
const char *p4x_string(p4x *, uint32_t address, uint32_t *size); /* a text that ends inside its memory */
void p4x_load_fault(p4x *, uint32_t address);
void p4x_store_fault(p4x *, uint32_t address);

/* Arguments that were not taken yet, as va_arg does: words in registers, then on the stack. */
uint32_t p4x_take_u32(p4x *);
void p4x_align_pair(p4x *); /* a variadic 64-bit argument starts at an even word */

/* result[0] + i result[1] = (a + ib) times, or over, (c + id). C11 annex G; a product above `largest` overflows. */
void p4x_complex_multiply(double result[2], double a, double b, double c, double d, double largest);
void p4x_complex_divide(double result[2], double a, double b, double c, double d);

/* float _Complex */
typedef struct {
    float real, imaginary;
} p4x_c32;

typedef int32_t p4x_i32;
typedef uint32_t p4x_u32;
typedef uint8_t p4x_u8;
typedef uint16_t p4x_u16, p4x_f16; /* a half's bits */
typedef int64_t p4x_i64;
typedef uint64_t p4x_u64;
typedef float p4x_f32, p4x_f32_raw;
typedef double p4x_f64, p4x_f64_raw;
typedef void p4x_void;

#define P4X_TYPES0()
#define P4X_TYPES1(a) p4x_##a
#define P4X_TYPES2(a, b) p4x_##a, p4x_##b
#define P4X_TYPES3(a, b, c) p4x_##a, p4x_##b, p4x_##c
#define P4X_TYPES4(a, b, c, d) p4x_##a, p4x_##b, p4x_##c, p4x_##d
#define P4X_TYPES5(a, b, c, d, e) p4x_##a, p4x_##b, p4x_##c, p4x_##d, p4x_##e
#define P4X_TYPES6(a, b, c, d, e, f) p4x_##a, p4x_##b, p4x_##c, p4x_##d, p4x_##e, p4x_##f
#define P4X_COMMA0
#define P4X_COMMA1 ,
#define P4X_COMMA2 ,
#define P4X_COMMA3 ,
#define P4X_COMMA4 ,
#define P4X_COMMA5 ,
#define P4X_COMMA6 ,

#define P4X_DECLARE_CALL(n, name, r, ...) p4x_##r p4x_##name(p4x *P4X_COMMA##n P4X_TYPES##n(__VA_ARGS__));
#define P4X_DECLARE_PURE(n, name, r, ...) p4x_##r p4x_##name(P4X_TYPES##n(__VA_ARGS__));
#define P4X_DECLARE_LIBM(n, name, r, ...)
#define P4X_DECLARE_GONE(n, name, r, ...)
#define P4X(class, n, name, ...) P4X_DECLARE_##class(n, name, __VA_ARGS__)
#include "exports.def"
#undef P4X

#endif
