/* stdlib.h: integer arithmetic, numbers from text, memory, random numbers, sorting. */
#ifndef _STDLIB_H
#define _STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX 0x7fffffff

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int quot, rem;
} div_t;
typedef struct {
    long quot, rem;
} ldiv_t;
typedef struct {
    long long quot, rem;
} lldiv_t;

int abs(int value);
long labs(long value);
long long llabs(long long value);

static inline div_t div(int a, int b) {
    div_t result = {a / b, a % b};
    return result;
}

static inline ldiv_t ldiv(long a, long b) {
    ldiv_t result = {a / b, a % b};
    return result;
}

static inline lldiv_t lldiv(long long a, long long b) {
    lldiv_t result = {a / b, a % b};
    return result;
}

/* Ends the kernel, as a fault. */
void abort(void) __attribute__((__noreturn__));

int atoi(const char *text);
long atol(const char *text);
long long atoll(const char *text);
double atof(const char *text);
long strtol(const char *__restrict text, char **__restrict end, int base);
unsigned long strtoul(const char *__restrict text, char **__restrict end, int base);
long long strtoll(const char *__restrict text, char **__restrict end, int base);
unsigned long long strtoull(const char *__restrict text, char **__restrict end, int base);
double strtod(const char *__restrict text, char **__restrict end);
float strtof(const char *__restrict text, char **__restrict end);

/* Memory stays allocated after the call, until it is freed or the connection ends. */
void *malloc(size_t size) __attribute__((__malloc__));
void *calloc(size_t count, size_t size) __attribute__((__malloc__));
void *realloc(void *memory, size_t size);
void free(void *memory);
void *aligned_alloc(size_t align, size_t size) __attribute__((__malloc__));

/* One sequence for the whole board. */
int rand(void);
void srand(unsigned seed);
int rand_r(unsigned *state);

typedef int (*__compar_fn_t)(const void *, const void *);
void qsort(void *base, size_t count, size_t size, __compar_fn_t compare);
void *bsearch(const void *key, const void *base, size_t count, size_t size, __compar_fn_t compare);

#ifdef __cplusplus
}
#else
#define abs(...) __builtin_abs(__VA_ARGS__)
#define labs(...) __builtin_labs(__VA_ARGS__)
#define llabs(...) __builtin_llabs(__VA_ARGS__)
#endif

#endif
