/* stdio.h: formatted text. What printf, puts and putchar write arrives at the host as a log. */
#ifndef _STDIO_H
#define _STDIO_H

#include <stdarg.h>
#include <stddef.h>

#define EOF (-1)

#ifdef __cplusplus
extern "C" {
#endif

int printf(const char *__restrict format, ...) __attribute__((__format__(__printf__, 1, 2)));
int snprintf(char *__restrict to, size_t size, const char *__restrict format, ...)
    __attribute__((__format__(__printf__, 3, 4)));
int vsnprintf(char *__restrict to, size_t size, const char *__restrict format, va_list arguments)
    __attribute__((__format__(__printf__, 3, 0)));
int puts(const char *text);
int putchar(int character);

#ifdef __cplusplus
}
#endif

#endif
