/* stdio.h: formatted text. What printf, puts and putchar write appears on the host's stdout while the kernel runs. */
#ifndef _STDIO_H
#define _STDIO_H

#include <stdarg.h>
#include <stddef.h>

#define EOF (-1)

#ifdef __cplusplus
extern "C" {
#endif

int printf(const char *__restrict format, ...) __attribute__((__format__(__printf__, 1, 2)));
int vprintf(const char *__restrict format, va_list arguments) __attribute__((__format__(__printf__, 1, 0)));
int sprintf(char *__restrict to, const char *__restrict format, ...) __attribute__((__format__(__printf__, 2, 3)));
int vsprintf(char *__restrict to, const char *__restrict format, va_list arguments)
    __attribute__((__format__(__printf__, 2, 0)));
int snprintf(char *__restrict to, size_t size, const char *__restrict format, ...)
    __attribute__((__format__(__printf__, 3, 4)));
int vsnprintf(char *__restrict to, size_t size, const char *__restrict format, va_list arguments)
    __attribute__((__format__(__printf__, 3, 0)));
int sscanf(const char *__restrict from, const char *__restrict format, ...) __attribute__((__format__(__scanf__, 2, 3)));
int vsscanf(const char *__restrict from, const char *__restrict format, va_list arguments)
    __attribute__((__format__(__scanf__, 2, 0)));
int puts(const char *text);
int putchar(int character);

#ifdef __cplusplus
}
#endif

#endif
