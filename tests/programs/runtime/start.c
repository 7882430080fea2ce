/* Start, end and output over the system calls of RISC-V Linux. */
#include "runtime.h"

enum { SYS_WRITE = 64, SYS_EXIT = 93, STACK_SIZE = 1 << 16 };

int main(void);
void enter(void);

__attribute__((aligned(16), used)) uint8_t program_stack[STACK_SIZE];
static char pending[1024];
static size_t pending_size;
static bool failed;

__attribute__((naked, noreturn, used)) void _start(void)
{
    __asm__("la sp, program_stack\n"
            "lui t0, 16\n"
            "add sp, sp, t0\n"
            "j enter");
}

static long system_call(long number, long first, long second, long third)
{
    register long a0 __asm__("a0") = first;
    register long a1 __asm__("a1") = second;
    register long a2 __asm__("a2") = third;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

static void flush(void)
{
    if (pending_size)
        system_call(SYS_WRITE, 1, (long)pending, (long)pending_size);
    pending_size = 0;
}

static void put(char c)
{
    pending[pending_size++] = c;
    if (pending_size == sizeof pending)
        flush();
}

/* Called by _start alone. */
__attribute__((used, noreturn)) void enter(void)
{
    int code = main();
    flush();
    for (;;)
        system_call(SYS_EXIT, failed ? 1 : code, 0, 0);
}

void expect(bool condition, int line)
{
    if (condition)
        return;
    failed = true;
    say("line %d does not hold\n", line);
}

static void put_number(uint64_t value, unsigned base, bool negative, int width, bool zeros)
{
    char digits[24];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    int length = count + negative;
    for (; !zeros && width > length; --width)
        put(' ');
    if (negative)
        put('-');
    for (; zeros && width > length; --width)
        put('0');
    while (count)
        put(digits[--count]);
}

static void put_string(const char *text, int width)
{
    for (int length = (int)strlen(text); width > length; --width)
        put(' ');
    while (*text)
        put(*text++);
}

void say_list(const char *format, va_list list)
{
    for (; *format; ++format) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        bool zeros = *++format == '0', wide = false;
        int width = 0;
        for (; *format >= '0' && *format <= '9'; ++format)
            width = width * 10 + (*format - '0');
        for (; *format == 'l'; ++format)
            wide = true;
        if (*format == 'd') {
            int64_t value = wide ? va_arg(list, long long) : va_arg(list, int);
            put_number(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, value < 0, width, zeros);
        } else if (*format == 'u' || *format == 'x') {
            uint64_t value = wide ? va_arg(list, unsigned long long) : va_arg(list, unsigned);
            put_number(value, *format == 'x' ? 16 : 10, false, width, zeros);
        } else if (*format == 's') {
            put_string(va_arg(list, const char *), width);
        } else {
            put(*format == 'c' ? (char)va_arg(list, int) : *format);
        }
    }
}

void say(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say_list(format, list);
    va_end(list);
}

void say_bytes(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        put_number(data[i], 16, false, 2, true);
    put('\n');
}
