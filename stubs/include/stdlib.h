/* stdlib.h: integer arithmetic. */
#ifndef _STDLIB_H
#define _STDLIB_H

#include <stddef.h>

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

#ifdef __cplusplus
}
#else
#define abs(...) __builtin_abs(__VA_ARGS__)
#define labs(...) __builtin_labs(__VA_ARGS__)
#define llabs(...) __builtin_llabs(__VA_ARGS__)
#endif

#endif
