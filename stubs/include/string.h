/* string.h: the functions that the firmware exports.
 *
 * Kernels are compiled freestanding, where a compiler takes memcpy for any function. The macros give its knowledge back
 * (short copies inline, strlen of a literal); they are function-like, so &memcpy is still the function. */
#ifndef _STRING_H
#define _STRING_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *memcpy(void *__restrict to, const void *__restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *in, int byte, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);
char *strcpy(char *__restrict to, const char *__restrict from);
char *strncpy(char *__restrict to, const char *__restrict from, size_t size);
char *strcat(char *__restrict to, const char *__restrict from);
char *strncat(char *__restrict to, const char *__restrict from, size_t limit);
char *strchr(const char *in, int character);
char *strrchr(const char *in, int character);
char *strstr(const char *in, const char *text);
void *memrchr(const void *in, int byte, size_t size);
int bcmp(const void *a, const void *b, size_t size);
int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t limit);
char *stpcpy(char *__restrict to, const char *__restrict from);
size_t strspn(const char *in, const char *set);
size_t strcspn(const char *in, const char *set);
char *strpbrk(const char *in, const char *set);
size_t strlcpy(char *__restrict to, const char *__restrict from, size_t size);
size_t strlcat(char *__restrict to, const char *__restrict from, size_t size);
char *strtok_r(char *__restrict text, const char *__restrict set, char **__restrict rest);
char *strdup(const char *text) __attribute__((__malloc__));
char *strndup(const char *text, size_t limit) __attribute__((__malloc__));

#ifdef __cplusplus
}
#else
#define memcpy(...) __builtin_memcpy(__VA_ARGS__)
#define memmove(...) __builtin_memmove(__VA_ARGS__)
#define memset(...) __builtin_memset(__VA_ARGS__)
#define memcmp(...) __builtin_memcmp(__VA_ARGS__)
#define memchr(...) __builtin_memchr(__VA_ARGS__)
#define strlen(...) __builtin_strlen(__VA_ARGS__)
#define strcmp(...) __builtin_strcmp(__VA_ARGS__)
#define strncmp(...) __builtin_strncmp(__VA_ARGS__)
#define strcpy(...) __builtin_strcpy(__VA_ARGS__)
#define strncpy(...) __builtin_strncpy(__VA_ARGS__)
#define strcat(...) __builtin_strcat(__VA_ARGS__)
#define strncat(...) __builtin_strncat(__VA_ARGS__)
#define strchr(...) __builtin_strchr(__VA_ARGS__)
#define strrchr(...) __builtin_strrchr(__VA_ARGS__)
#define strstr(...) __builtin_strstr(__VA_ARGS__)
#endif

#endif
