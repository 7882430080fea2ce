/* Firmware functions that kernels call, run natively on the host. exports.def lists them (see generate_exports.py). */
#ifndef P4X_EXPORTS_H
#define P4X_EXPORTS_H

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include "p4k_port.h"
#include "sim.h"
#include "text.h"

typedef struct {
    uint32_t base, size;
    uint8_t *bytes;
} p4x_memory;

/* A firmware function that waits for a function of the guest's to return. */
typedef struct p4x p4x;
typedef struct p4x_frame {
    uint32_t sp, ra;                             /* of the call that it answers */
    bool (*step)(p4x *, struct p4x_frame *, int32_t); /* given what the guest returned; false: done, a0 is set */
    uint32_t function;
    uint32_t v[10];
} p4x_frame;

enum { P4X_FRAMES = 8 }; /* qsort in a comparison of qsort ... */

typedef struct {
    uint32_t count;
    p4x_frame frame[P4X_FRAMES];
} p4x_frames;

/* What p4k_callback asks of the host. */
typedef struct {
    bool open;
    uint32_t id, address, size;
} p4x_question;

/* One call, and what all calls share. */
struct p4x {
    p4s *sim;
    p4k_port *port;
    struct p4v_heap *heap;
    struct p4r *rtos;
    p4x_frames *frames; /* of the task that runs */
    p4x_question question;
    bool in_call; /* the host waits for a kernel, and can be asked */
    uint32_t *x, *f; /* the guest's registers */
    p4x_memory memories[3];
    uint32_t memory_count;
    p4v_text *text;
    locale_t c_locale; /* the process may have set one with decimal commas */
    uint64_t calls;    /* since a kernel was started */
    uint32_t ints, floats; /* argument words, and float registers, that were taken */
    bool trapped;
    bool silent;       /* the call leaves a0 as it is */
    bool stop;         /* the slice ends, for the scheduler to look */
    uint32_t random;   /* rand's state */
};

typedef struct {
    const char *name;
    void (*call)(p4x *); /* NULL: the slot is empty */
} p4x_entry;

extern const p4x_entry p4x_table[];
extern const uint32_t p4x_count;
extern const uint64_t p4x_hash;

int p4x_open(p4x *, p4s *, p4v_text *); /* 0; after memories were set, and what it points to */
void p4x_close(p4x *);

/* The first trap of a call counts; its results are then not written. */
void p4x_trap(p4x *, uint32_t cause, uint32_t tval);

/* What cannot go on, as a failed assertion of the firmware's: a line of text, and a breakpoint. */
void p4x_fail(p4x *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Calls a function of the guest's; its result goes to the step of the newest frame. */
bool p4x_ask(p4x *, uint32_t function, uint32_t a, uint32_t b);
void p4x_answered(p4x *);

/* Stubs that are no function: what a call of the guest's returns to, and where a task or a timer's function ends. */
enum { P4X_CALL = P4S_ROM_STUBS - 2, P4X_ANSWERED, P4X_TASK_ENDS = P4S_ROM_STUBS - 4, P4X_TIMER_ENDS };
#define P4X_STUB(i) (P4S_ROM + 8u * (uint32_t)(i))

/* Text for the log, as printf's: from another printing function, behind the arguments that it has taken. */
int32_t p4x_print(p4x *, uint32_t format);

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
#define P4X_TYPES7(a, b, c, d, e, f, g) p4x_##a, p4x_##b, p4x_##c, p4x_##d, p4x_##e, p4x_##f, p4x_##g
#define P4X_COMMA0
#define P4X_COMMA1 ,
#define P4X_COMMA2 ,
#define P4X_COMMA3 ,
#define P4X_COMMA4 ,
#define P4X_COMMA5 ,
#define P4X_COMMA6 ,
#define P4X_COMMA7 ,

#define P4X_DECLARE_CALL(n, name, r, ...) p4x_##r p4x_##name(p4x *P4X_COMMA##n P4X_TYPES##n(__VA_ARGS__));
#define P4X_DECLARE_PURE(n, name, r, ...) p4x_##r p4x_##name(P4X_TYPES##n(__VA_ARGS__));
#define P4X_DECLARE_LIBM(n, name, r, ...)
#define P4X_DECLARE_GONE(n, name, r, ...)
#define P4X(class, n, name, ...) P4X_DECLARE_##class(n, name, __VA_ARGS__)
#include "exports.def"
#undef P4X

#endif
