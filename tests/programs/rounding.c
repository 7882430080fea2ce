/* Rounding modes and exception flags of the float unit through its control register, and conversions at their limits. */
#include "runtime.h"

enum { NEAREST, ZERO, DOWN, UP, AWAY, MODES };
enum { INEXACT = 1, UNDERFLOW = 2, OVERFLOW = 4, BY_ZERO = 8, INVALID = 16 };

static volatile float sink;
static volatile int32_t integer_sink;
static volatile uint32_t unsigned_sink;

static void set_mode(uint32_t mode)
{
    __asm__ volatile("fsrm %0" : : "r"(mode) : "memory");
}

static uint32_t take_flags(void)
{
    uint32_t flags;
    __asm__ volatile("fsflagsi %0, 0" : "=r"(flags) : : "memory");
    return flags;
}

/* The operands and the result are volatile, so that the operation stays between the two changes of mode. */
#define IN_MODE(mode, result, expression) \
    do {                                  \
        set_mode(mode);                   \
        result = (expression);            \
        set_mode(NEAREST);                \
    } while (0)

static volatile float a, b, c;

static const float operands[][3] = {
    {1, 3, 2}, {0.1f, 0.2f, -0.3f}, {1e30f, 1e30f, -1e38f}, {1e-30f, 1e-30f, 1e-44f}, {3.4e38f, 3.4e38f, 1},
    {-1, 0, 5}, {0, 0, -0.0f}, {1.17549435e-38f, 0.5f, 1e-45f}, {16777216, 1, 0.5f}, {-7, 2, 1e-20f},
};
static const float conversions[] = {0, -0.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 0.49999997f, 2147483520, 2147483648.0f,
                                    -2147483648.0f, -2147483904.0f, 4294967040.0f, 4294967296.0f, -1, 1e-40f, 1e20f};
static const int32_t integers[] = {0, 1, -1, 16777217, 16777219, -16777217, INT32_MAX, INT32_MIN, 0x7FFFFFBF, 123456789};

/* c - a * b, rounded once. By instruction, as C has none that is told from -(a * b - c) in all modes. */
static float negated(float x, float y, float z)
{
    float result;
    __asm__ volatile("fnmsub.s %0, %1, %2, %3, dyn" : "=f"(result) : "f"(x), "f"(y), "f"(z));
    return result;
}

static void arithmetic(uint32_t mode)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < sizeof operands / sizeof *operands; ++i) {
        a = operands[i][0], b = operands[i][1], c = operands[i][2];
        uint32_t flags[7];
        take_flags();
#define NOTE(k, expression) \
    IN_MODE(mode, sink, expression); \
    flags[k] = take_flags(); \
    hash = fold(fold(hash, sink != sink ? 0x7FC00000 : float_bits(sink)), flags[k])
        NOTE(0, a + b);
        NOTE(1, a - b);
        NOTE(2, a * b);
        NOTE(3, a / b);
        NOTE(4, __builtin_sqrtf(__builtin_fabsf(b)));
        NOTE(5, __builtin_fmaf(a, b, c));
        NOTE(6, negated(a, b, c));
        say("%02x %02x %02x %02x %02x %02x %02x%s", flags[0], flags[1], flags[2], flags[3], flags[4], flags[5], flags[6],
            i % 5 == 4 ? "\n" : ", ");
    }
    say("mode %u: %08x\n", mode, hash);
}

static void convert(uint32_t mode)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; ++i) {
        int32_t value;
        uint32_t plain;
        a = conversions[i];
        take_flags();
        set_mode(mode);
        __asm__ volatile("fcvt.w.s %0, %1, dyn" : "=r"(value) : "f"(a));
        uint32_t flags = take_flags();
        __asm__ volatile("fcvt.wu.s %0, %1, dyn" : "=r"(plain) : "f"(a));
        set_mode(NEAREST);
        hash = fold(fold(fold(hash, (uint32_t)value), plain), flags << 8 | take_flags());
        if (i < 9)
            say("%d/%x ", value, flags);
    }
    for (size_t i = 0; i < sizeof integers / sizeof *integers; ++i) {
        integer_sink = integers[i];
        unsigned_sink = (uint32_t)integers[i];
        IN_MODE(mode, sink, (float)integer_sink);
        hash = fold(fold(hash, float_bits(sink)), take_flags());
        IN_MODE(mode, sink, (float)unsigned_sink);
        hash = fold(fold(hash, float_bits(sink)), take_flags());
    }
    say("mode %u: %08x\n", mode, hash);
}

int main(void)
{
    for (uint32_t mode = 0; mode < MODES; ++mode) {
        arithmetic(mode);
        convert(mode);
    }
    a = 1, b = 3;
    float low, high;
    IN_MODE(DOWN, sink, a / b);
    low = sink;
    IN_MODE(UP, sink, a / b);
    high = sink;
    EXPECT(float_bits(high) == float_bits(low) + 1);
    take_flags();
    a = 1, b = 0;
    sink = a / b;
    EXPECT(take_flags() == BY_ZERO);
    sink = b / b;
    EXPECT(take_flags() == INVALID);
    a = 3e38f;
    sink = a * a;
    EXPECT(take_flags() == (OVERFLOW | INEXACT));
    a = 1e-38f;
    sink = a * a;
    EXPECT(take_flags() == (UNDERFLOW | INEXACT));
    sink = __builtin_nanf("") != sink ? 1.0f : 2.0f;
    /* Quiet comparisons keep quiet, orderings do not. */
    a = __builtin_nanf("");
    uint32_t result, by_order;
    take_flags();
    __asm__ volatile("feq.s %0, %1, %1" : "=r"(result) : "f"(a));
    EXPECT(take_flags() == 0 && !result);
    __asm__ volatile("fle.s %0, %1, %1" : "=r"(by_order) : "f"(a));
    EXPECT(take_flags() == INVALID && !by_order);
    return 0;
}
