/* assert.h: a failed assertion is printed, and then a fault at its own line. May be included again after a change of
 * NDEBUG, as the standard asks. */
#undef assert

#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#include <stdio.h>
#define assert(condition)                                                                                            \
    ((condition) ? (void)0                                                                                           \
                 : (printf("%s:%d: %s: assertion failed: %s\n", __FILE__, __LINE__, __func__, #condition), __builtin_trap()))
#endif

#if !defined(__cplusplus) && !defined(static_assert)
#define static_assert _Static_assert
#endif
