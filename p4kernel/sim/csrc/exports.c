#include "exports.h"

#include <fenv.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rtos.h"

enum { A0 = 10, SP = 2, WORDS = 8 };
enum { CAUSE_FETCH = 1, CAUSE_BREAKPOINT = 3, CAUSE_LOAD = 5, CAUSE_STORE = 7 };

void p4x_trap(p4x *x, uint32_t cause, uint32_t tval)
{
    if (!x->trapped)
        p4s_host_trap(x->sim, cause, tval);
    x->trapped = x->silent = true;
}

void p4x_fail(p4x *x, const char *format, ...)
{
    char line[256];
    uint32_t room = sizeof x->text->bytes - x->text->end, size;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size = (uint32_t)strlen(line);
    size = size < room ? size : room;
    memcpy(x->text->bytes + x->text->end, line, size);
    x->text->end += size;
    p4x_trap(x, CAUSE_BREAKPOINT, 0);
}

static const p4x_memory *memory_of(const p4x *x, uint32_t address)
{
    for (uint32_t i = 0; i < x->memory_count; i++)
        if (address - x->memories[i].base < x->memories[i].size)
            return &x->memories[i];
    return NULL;
}

uint32_t p4x_room(const p4x *x, uint32_t address)
{
    const p4x_memory *m = memory_of(x, address);
    return m ? m->size - (address - m->base) : 0;
}

uint8_t *p4x_at(const p4x *x, uint32_t address)
{
    const p4x_memory *m = memory_of(x, address);
    return m ? m->bytes + (address - m->base) : NULL;
}

void p4x_load_fault(p4x *x, uint32_t address) { p4x_trap(x, CAUSE_LOAD, address); }

void p4x_store_fault(p4x *x, uint32_t address) { p4x_trap(x, CAUSE_STORE, address); }

const uint8_t *p4x_load(p4x *x, uint32_t address, uint32_t size)
{
    uint32_t room = p4x_room(x, address);
    if (room >= size && room)
        return p4x_at(x, address);
    p4x_load_fault(x, address + room);
    return NULL;
}

uint8_t *p4x_store(p4x *x, uint32_t address, uint32_t size)
{
    uint32_t room = p4x_room(x, address);
    if (room < size || !room) {
        p4x_store_fault(x, address + room);
        return NULL;
    }
    p4s_touched(x->sim, address, size);
    return p4x_at(x, address);
}

void p4x_put(p4x *x, uint32_t address, const void *value, uint32_t size)
{
    uint8_t *to = p4x_store(x, address, size);
    if (to)
        memcpy(to, value, size);
}

const char *p4x_string(p4x *x, uint32_t address, uint32_t *size)
{
    uint32_t room = p4x_room(x, address);
    const uint8_t *text = p4x_at(x, address), *end = room ? memchr(text, 0, room) : NULL;
    if (!end) {
        p4x_load_fault(x, address + room);
        return NULL;
    }
    *size = (uint32_t)(end - text);
    return (const char *)text;
}

uint32_t p4x_take_u32(p4x *x)
{
    uint32_t word = x->ints++, value = 0;
    const uint8_t *p;
    if (word < WORDS)
        return x->x[A0 + word];
    p = p4x_load(x, x->x[SP] + 4 * (word - WORDS), 4);
    if (p)
        memcpy(&value, p, 4);
    return value;
}

void p4x_align_pair(p4x *x) { x->ints += x->ints & 1; }

/* Named arguments as ilp32f passes them: pairs need not be aligned, floats go to integer words when fa0 to fa7 are
 * used up. Callers extend small integers. */
static int32_t p4x_take_i32(p4x *x) { return (int32_t)p4x_take_u32(x); }
static uint8_t p4x_take_u8(p4x *x) { return (uint8_t)p4x_take_u32(x); }
static uint16_t p4x_take_u16(p4x *x) { return (uint16_t)p4x_take_u32(x); }

static uint64_t p4x_take_u64(p4x *x)
{
    uint64_t low = p4x_take_u32(x);
    return low | (uint64_t)p4x_take_u32(x) << 32;
}

static int64_t p4x_take_i64(p4x *x) { return (int64_t)p4x_take_u64(x); }

static uint32_t take_float(p4x *x) { return x->floats < WORDS ? x->f[A0 + x->floats++] : p4x_take_u32(x); }

static float p4x_take_f32(p4x *x)
{
    uint32_t bits = take_float(x);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static double p4x_take_f64(p4x *x)
{
    uint64_t bits = p4x_take_u64(x);
    double value;
    memcpy(&value, &bits, 8);
    return value;
}

/* A half in a float register that is not boxed in ones counts as a NaN. */
static uint16_t p4x_take_f16(p4x *x)
{
    bool boxed = x->floats >= WORDS;
    uint32_t bits = take_float(x);
    return boxed || bits >> 16 == 0xffff ? (uint16_t)bits : 0x7e00;
}

static void p4x_give_u32(p4x *x, uint32_t value)
{
    if (!x->silent)
        x->x[A0] = value;
}

static void p4x_give_i32(p4x *x, int32_t value) { p4x_give_u32(x, (uint32_t)value); }
static void p4x_give_u8(p4x *x, uint8_t value) { p4x_give_u32(x, value); }
static void p4x_give_u16(p4x *x, uint16_t value) { p4x_give_u32(x, value); }

static void p4x_give_u64(p4x *x, uint64_t value)
{
    if (x->silent)
        return;
    x->x[A0] = (uint32_t)value;
    x->x[A0 + 1] = (uint32_t)(value >> 32);
}

static void p4x_give_i64(p4x *x, int64_t value) { p4x_give_u64(x, (uint64_t)value); }

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

static void give_float(p4x *x, uint32_t number, uint32_t bits)
{
    if (!x->silent)
        x->f[A0 + number] = bits;
}

/* The chip's arithmetic has one NaN, hosts have many. */
static uint32_t one_nan(float value) { return isnan(value) ? 0x7fc00000u : float_bits(value); }

static void p4x_give_f32(p4x *x, float value) { give_float(x, 0, one_nan(value)); }
static void p4x_give_f32_raw(p4x *x, float value) { give_float(x, 0, float_bits(value)); }
static void p4x_give_f16(p4x *x, uint16_t value) { give_float(x, 0, 0xffff0000u | value); }

static void p4x_give_c32(p4x *x, p4x_c32 value)
{
    give_float(x, 0, one_nan(value.real));
    give_float(x, 1, one_nan(value.imaginary));
}

static void p4x_give_f64_raw(p4x *x, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, 8);
    p4x_give_u64(x, bits);
}

static void p4x_give_f64(p4x *x, double value)
{
    if (isnan(value))
        p4x_give_u64(x, 0x7ff8000000000000u);
    else
        p4x_give_f64_raw(x, value);
}

#define TAKE(kind, name) p4x_##kind name = p4x_take_##kind(x);
#define TAKE0()
#define TAKE1(k) TAKE(k, a)
#define TAKE2(k, l) TAKE1(k) TAKE(l, b)
#define TAKE3(k, l, m) TAKE2(k, l) TAKE(m, c)
#define TAKE4(k, l, m, n) TAKE3(k, l, m) TAKE(n, d)
#define TAKE5(k, l, m, n, o) TAKE4(k, l, m, n) TAKE(o, e)
#define TAKE6(k, l, m, n, o, p) TAKE5(k, l, m, n, o) TAKE(p, f)
#define TAKE7(k, l, m, n, o, p, q) TAKE6(k, l, m, n, o, p) TAKE(q, g)
#define NAMES0
#define NAMES1 a
#define NAMES2 a, b
#define NAMES3 a, b, c
#define NAMES4 a, b, c, d
#define NAMES5 a, b, c, d, e
#define NAMES6 a, b, c, d, e, f
#define NAMES7 a, b, c, d, e, f, g
#define RUN_CALL(n, name) p4x_##name(x P4X_COMMA##n NAMES##n)
#define RUN_PURE(n, name) p4x_##name(NAMES##n)
#define RUN_LIBM(n, name) name(NAMES##n)
#define GIVE_(kind, value) p4x_give_##kind(x, value)
#define GIVE_void(value) value
#define GIVE_i32(value) GIVE_(i32, value)
#define GIVE_u32(value) GIVE_(u32, value)
#define GIVE_u8(value) GIVE_(u8, value)
#define GIVE_u16(value) GIVE_(u16, value)
#define GIVE_i64(value) GIVE_(i64, value)
#define GIVE_u64(value) GIVE_(u64, value)
#define GIVE_f16(value) GIVE_(f16, value)
#define GIVE_f32(value) GIVE_(f32, value)
#define GIVE_f64(value) GIVE_(f64, value)
#define GIVE_f32_raw(value) GIVE_(f32_raw, value)
#define GIVE_f64_raw(value) GIVE_(f64_raw, value)
#define GIVE_c32(value) GIVE_(c32, value)

#define WRAP(class, n, name, r, ...)            \
    static void x_##name(p4x *x)                \
    {                                           \
        TAKE##n(__VA_ARGS__)                    \
        if (!x->trapped)                        \
            GIVE_##r(RUN_##class(n, name));     \
    }
#define WRAP_CALL(...) WRAP(CALL, __VA_ARGS__)
#define WRAP_PURE(...) WRAP(PURE, __VA_ARGS__)
#define WRAP_LIBM(...) WRAP(LIBM, __VA_ARGS__)
#define WRAP_GONE(...)
#define P4X(class, ...) WRAP_##class(__VA_ARGS__)
#include "exports.def"
#undef P4X

#define ENTRY_CALL(name) {#name, x_##name},
#define ENTRY_PURE(name) {#name, x_##name},
#define ENTRY_LIBM(name) {#name, x_##name},
#define ENTRY_GONE(name) {#name, NULL},
#define P4X(class, n, name, ...) ENTRY_##class(name)
const p4x_entry p4x_table[] = {
#include "exports.def"
};
#undef P4X

const uint32_t p4x_count = sizeof p4x_table / sizeof *p4x_table;
const uint64_t p4x_hash = P4X_TABLE_HASH;
_Static_assert(sizeof p4x_table / sizeof *p4x_table < P4X_TASK_ENDS, "a stub for each function, and those that end runs");

/* As libgcc's soft doubles do, in the rounding mode that the guest has set; the host has none for RMM. */
static void call_rounding(p4x *x, const p4x_entry *entry, uint32_t frm)
{
    static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
    int before = fegetround();
    fesetround(frm < 4 ? modes[frm] : FE_TONEAREST);
    entry->call(x);
    fesetround(before);
}

/* Stubs that are no function. False: there is none. */
static bool ends(p4x *x, uint32_t stub)
{
    switch (stub) {
    case P4X_ANSWERED:
        p4x_answered(x);
        return true;
    case P4X_TASK_ENDS:
        p4x_fail(x, "p4kernel: a task's function returned; it must end with vTaskDelete(NULL)\n");
        return true;
    case P4X_TIMER_ENDS:
        p4r_timer_done(x->rtos);
        return true;
    default:
        return false;
    }
}

/* Stub i + 1 is function i. Text that would not fit ends the slice, so that the core can send what there is. */
static int dispatch(void *context, p4s *sim, uint32_t stub)
{
    p4x *x = context;
    const p4x_entry *entry = stub <= p4x_count ? &p4x_table[stub - 1] : NULL;
    uint32_t frm;
    x->trapped = x->silent = x->stop = false;
    if (!entry || !entry->call) {
        if (!ends(x, stub))
            p4x_trap(x, CAUSE_FETCH, P4X_STUB(stub));
        return x->trapped ? 2 : x->stop;
    }
    x->calls++;
    x->ints = x->floats = 0;
    frm = p4s_frm(sim);
    if (frm == 0)
        entry->call(x);
    else
        call_rounding(x, entry, frm);
    if (x->trapped)
        return 2;
    return x->stop || p4v_text_full(x->text) ? 1 : 0;
}

int p4x_open(p4x *x, p4s *sim, p4v_text *text)
{
    x->sim = sim;
    x->x = p4s_x(sim);
    x->f = p4s_f(sim);
    x->text = text;
    x->random = 1;
    x->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!x->c_locale)
        return -1;
    p4s_set_hostcall(sim, dispatch, x);
    return 0;
}

void p4x_close(p4x *x)
{
    if (x->c_locale)
        freelocale(x->c_locale);
}
