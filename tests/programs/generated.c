/* Writes machine code while it runs, and calls it: made, changed in place, and compiled from postfix text. */
#include "runtime.h"

typedef int32_t function(int32_t x);

static _Alignas(64) uint32_t code[256];
static int size;

enum { ZERO = 0, RA = 1, T0 = 5, A0 = 10 };

static void emit(uint32_t word)
{
    code[size++] = word;
}

static uint32_t addi(uint32_t rd, uint32_t rs, int32_t value)
{
    return (uint32_t)value << 20 | rs << 15 | rd << 7 | 0x13;
}

static uint32_t of_registers(uint32_t group, uint32_t op, uint32_t rd, uint32_t a, uint32_t b)
{
    return group << 25 | b << 20 | a << 15 | op << 12 | rd << 7 | 0x33;
}

static void leave(void)
{
    emit(RA << 15 | 0x67);
}

static function *ready(void)
{
    __asm__ volatile("fence.i" : : : "memory");
    return (function *)(uintptr_t)code;
}

/* Values in t0 and above; x is the argument, digits are numbers. */
static function *compile(const char *text)
{
    static const uint32_t registers[] = {T0, 6, 7, 28, 29, 30, 31};
    int depth = 0;
    size = 0;
    for (; *text; ++text) {
        uint32_t top = depth ? registers[depth - 1] : ZERO, below = depth > 1 ? registers[depth - 2] : ZERO;
        switch (*text) {
        case 'x': emit(addi(registers[depth++], A0, 0)); break;
        case '+': emit(of_registers(0, 0, below, below, top)), --depth; break;
        case '-': emit(of_registers(32, 0, below, below, top)), --depth; break;
        case '*': emit(of_registers(1, 0, below, below, top)), --depth; break;
        case '&': emit(of_registers(0, 7, below, below, top)), --depth; break;
        case '<': emit(of_registers(0, 1, below, below, top)), --depth; break;
        default: emit(addi(registers[depth++], ZERO, *text - '0'));
        }
    }
    emit(addi(A0, T0, 0));
    leave();
    return ready();
}

int main(void)
{
    static const char *const texts[] = {"x", "x1+", "xx*3-", "5xx*x*+2x*-", "x7&1x3&<+", "123456+++++x*"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
        function *f = compile(texts[i]);
        say("%s: %d %d %d\n", texts[i], f(0), f(7), f(-12));
    }
    EXPECT(compile("5xx*x*+2x*-")(9) == 5 + 729 - 18);

    /* One instruction of a function that was called changes, again and again. */
    size = 0;
    emit(addi(A0, A0, 0));
    leave();
    int32_t sum = 0;
    for (int32_t i = 0; i < 300; ++i) {
        code[0] = addi(A0, A0, i - 150);
        int32_t got = ready()(i);
        EXPECT(got == 2 * i - 150);
        sum += got;
    }
    say("%d\n", sum);

    /* A loop longer than any block, whose middle becomes a shortcut. */
    size = 0;
    for (int i = 0; i < 200; ++i)
        emit(addi(A0, A0, 1));
    leave();
    EXPECT(ready()(0) == 200);
    code[100] = RA << 15 | 0x67;
    EXPECT(ready()(0) == 100);
    code[0] = 0x0640006F; /* a jump to word 25 */
    EXPECT(ready()(0) == 75);
    say("%08x\n", fold_bytes(0, code, sizeof code));
    return 0;
}
