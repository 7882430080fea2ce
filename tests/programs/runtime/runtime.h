/* What a test program may use. It runs with nothing below it but two system calls: write and exit. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes text: %c %s %% and %d %u %x of an int, a long long with ll before the letter, with width and leading 0. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_list(const char *format, va_list list) __attribute__((format(printf, 1, 0)));
void say_bytes(const uint8_t *data, size_t size); /* in hex, with a newline */

/* A condition that must hold: otherwise its line is written and the program's exit code is 1. */
#define EXPECT(condition) expect((condition), __LINE__)
void expect(bool condition, int line);

uint32_t fold(uint32_t hash, uint32_t value); /* one more value in a running hash */
uint32_t fold_bytes(uint32_t hash, const void *data, size_t size);

void random_start(uint32_t seed);
uint32_t random_word(void);
uint32_t random_below(uint32_t limit);

uint32_t float_bits(float value);
uint64_t double_bits(double value);

/* The instructions, which GCC does not always take. */
static inline float float_max(float a, float b)
{
    __asm__("fmax.s %0, %1, %2" : "=f"(a) : "f"(a), "f"(b));
    return a;
}

static inline float float_min(float a, float b)
{
    __asm__("fmin.s %0, %1, %2" : "=f"(a) : "f"(a), "f"(b));
    return a;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

#endif
