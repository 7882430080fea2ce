/* inttypes.h: formats of the fixed-width types for printf. */
#ifndef _INTTYPES_H
#define _INTTYPES_H

#include <stdint.h>

/* int32_t is an int for clang, and a long for GCC on bare metal: the same size, but -Wformat tells them apart. */
#ifdef __clang__
#define _P4_PRI32
#else
#define _P4_PRI32 "l"
#endif

#define PRId8 "hhd"
#define PRId16 "hd"
#define PRId32 _P4_PRI32 "d"
#define PRId64 "lld"
#define PRIdMAX "lld"
#define PRIdPTR "d"
#define PRIi8 "hhi"
#define PRIi16 "hi"
#define PRIi32 _P4_PRI32 "i"
#define PRIi64 "lli"
#define PRIiMAX "lli"
#define PRIiPTR "i"
#define PRIo8 "hho"
#define PRIo16 "ho"
#define PRIo32 _P4_PRI32 "o"
#define PRIo64 "llo"
#define PRIoMAX "llo"
#define PRIoPTR "o"
#define PRIu8 "hhu"
#define PRIu16 "hu"
#define PRIu32 _P4_PRI32 "u"
#define PRIu64 "llu"
#define PRIuMAX "llu"
#define PRIuPTR "u"
#define PRIx8 "hhx"
#define PRIx16 "hx"
#define PRIx32 _P4_PRI32 "x"
#define PRIx64 "llx"
#define PRIxMAX "llx"
#define PRIxPTR "x"
#define PRIX8 "hhX"
#define PRIX16 "hX"
#define PRIX32 _P4_PRI32 "X"
#define PRIX64 "llX"
#define PRIXMAX "llX"
#define PRIXPTR "X"

#endif
