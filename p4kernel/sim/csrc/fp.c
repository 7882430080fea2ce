#include "fp.h"

#include "decode.h"

#define SIGN 0x80000000u
#define INFINITE 0x7f800000u
#define LARGEST 0x7f7fffffu

typedef unsigned __int128 u128;

/* (-1)^sign * significand * 2^exponent */
typedef struct {
    bool sign;
    int exponent;
    uint64_t significand;
} number;

static bool _is_infinite(uint32_t a) { return (a & ~SIGN) == INFINITE; }
static bool _is_zero(uint32_t a) { return (a & ~SIGN) == 0; }
static bool _is_signalling(uint32_t a) { return p4s_fp_is_nan(a) && !(a & 0x00400000u); }

static number _unpack(uint32_t a)
{
    int exponent = (int)(a >> 23 & 255);
    uint32_t fraction = a & 0x7fffffu;
    if (exponent == 0)
        return (number){a >> 31, -149, fraction};
    return (number){a >> 31, exponent - 150, fraction | 0x800000u};
}

/* Whether the magnitude goes up by one unit, for a remainder compared with half a unit (-1, 0, 1) that is not zero. */
static bool _rounds_up(uint32_t rm, bool sign, bool odd, int against_half)
{
    switch (rm) {
    case FP_RNE: return against_half > 0 || (against_half == 0 && odd);
    case FP_RTZ: return false;
    case FP_RDN: return sign;
    case FP_RUP: return !sign;
    default: return against_half >= 0;
    }
}

/* significand / 2^shift, rounded to an integer. */
static uint64_t _shift_round(uint64_t significand, int shift, bool sign, uint32_t rm, bool *inexact)
{
    if (shift <= 0) {
        *inexact = false;
        return significand << -shift;
    }
    if (shift > 64) { /* far below half a unit: any small remainder stands for it */
        significand = significand != 0;
        shift = 2;
    } else if (shift == 64) {
        significand = significand >> 1 | (significand & 1);
        shift = 63;
    }
    uint64_t quotient = significand >> shift, rest = significand & ((1ull << shift) - 1), half = 1ull << (shift - 1);
    *inexact = rest != 0;
    if (rest && _rounds_up(rm, sign, quotient & 1, rest > half ? 1 : rest < half ? -1 : 0))
        ++quotient;
    return quotient;
}

/* A number as a float. Its lowest bit may be sticky; then it needs 26 significant bits at least. */
static uint32_t _round(number v, uint32_t rm, uint32_t *flags)
{
    uint32_t sign = v.sign ? SIGN : 0;
    if (v.significand == 0)
        return sign;
    int zeros = __builtin_clzll(v.significand);
    v.significand <<= zeros;
    int exponent = v.exponent - zeros + 63; /* of the leading bit */
    bool inexact, ignored, tiny = exponent < -126;
    int shift = 40 + (tiny ? -126 - exponent : 0);
    uint64_t rounded = _shift_round(v.significand, shift, v.sign, rm, &inexact);
    /* Tininess is judged after rounding: as if the exponent had no lower bound. */
    if (exponent == -127 && _shift_round(v.significand, 40, v.sign, rm, &ignored) >> 24)
        tiny = false;
    if (inexact)
        *flags |= FP_NX | (tiny ? FP_UF : 0);
    /* The leading bit of a normal number, and a carry out of rounding, add one to the exponent field. */
    uint64_t bits = rounded + (exponent < -126 ? 0 : (uint64_t)(exponent + 126) << 23);
    if (bits >= INFINITE) {
        *flags |= FP_OF | FP_NX;
        bits = rm == FP_RTZ || (rm == FP_RDN && !v.sign) || (rm == FP_RUP && v.sign) ? LARGEST : INFINITE;
    }
    return (uint32_t)bits | sign;
}

static uint32_t _invalid(uint32_t *flags)
{
    *flags |= FP_NV;
    return FP_NAN;
}

static uint32_t _nan_of(uint32_t a, uint32_t b, uint32_t *flags)
{
    if (_is_signalling(a) || _is_signalling(b))
        *flags |= FP_NV;
    return FP_NAN;
}

/* Sum of two finite numbers with significands below 2^48, rounded once. */
static uint32_t _sum(number a, number b, uint32_t rm, uint32_t *flags)
{
    if (a.significand == 0 && b.significand == 0) {
        bool sign = a.sign == b.sign ? a.sign : rm == FP_RDN;
        return sign ? SIGN : 0;
    }
    if (a.significand == 0 || (b.significand != 0 && b.exponent - __builtin_clzll(b.significand) >
                                                         a.exponent - __builtin_clzll(a.significand))) {
        number t = a;
        a = b;
        b = t;
    }
    /* The larger gets its leading bit to bit 120; below it there is room to align the smaller one without loss, or it
     * lies so far below that its exact place does not matter. */
    int up = 120 - (63 - __builtin_clzll(a.significand));
    u128 x = (u128)a.significand << up, y = b.significand;
    int exponent = a.exponent - up, distance = b.exponent - exponent;
    if (b.significand != 0 && distance >= 0)
        y <<= distance;
    else if (b.significand != 0)
        y = distance > -64 ? y >> -distance | ((y & (((u128)1 << -distance) - 1)) != 0) : 1;
    bool negative = a.sign != b.sign && y > x;
    u128 total = a.sign == b.sign ? x + y : negative ? y - x : x - y;
    if (total == 0)
        return rm == FP_RDN ? SIGN : 0;
    int excess = 0;
    uint64_t high = (uint64_t)(total >> 64), low = (uint64_t)total;
    uint64_t significand = low;
    if (high) {
        excess = 64 - __builtin_clzll(high);
        significand = (uint64_t)(total >> excess);
        if (total & (((u128)1 << excess) - 1))
            significand |= 1;
    }
    return _round((number){a.sign != negative, exponent + excess, significand}, rm, flags);
}

static uint32_t _add(uint32_t a, uint32_t b, uint32_t rm, uint32_t *flags)
{
    if (p4s_fp_is_nan(a) || p4s_fp_is_nan(b))
        return _nan_of(a, b, flags);
    if (_is_infinite(a))
        return _is_infinite(b) && a != b ? _invalid(flags) : a;
    if (_is_infinite(b))
        return b;
    return _sum(_unpack(a), _unpack(b), rm, flags);
}

static uint32_t _multiply(uint32_t a, uint32_t b, uint32_t rm, uint32_t *flags)
{
    uint32_t sign = (a ^ b) & SIGN;
    if (p4s_fp_is_nan(a) || p4s_fp_is_nan(b))
        return _nan_of(a, b, flags);
    if (_is_infinite(a) || _is_infinite(b))
        return _is_zero(a) || _is_zero(b) ? _invalid(flags) : sign | INFINITE;
    number x = _unpack(a), y = _unpack(b);
    return _round((number){sign != 0, x.exponent + y.exponent, x.significand * y.significand}, rm, flags);
}

static uint32_t _divide(uint32_t a, uint32_t b, uint32_t rm, uint32_t *flags)
{
    uint32_t sign = (a ^ b) & SIGN;
    if (p4s_fp_is_nan(a) || p4s_fp_is_nan(b))
        return _nan_of(a, b, flags);
    if (_is_infinite(a))
        return _is_infinite(b) ? _invalid(flags) : sign | INFINITE;
    if (_is_infinite(b))
        return sign;
    if (_is_zero(b)) {
        if (_is_zero(a))
            return _invalid(flags);
        *flags |= FP_DZ;
        return sign | INFINITE;
    }
    if (_is_zero(a))
        return sign;
    number x = _unpack(a), y = _unpack(b);
    int up = __builtin_clzll(x.significand); /* a quotient of 40 bits or more, of whatever size the divisor is */
    uint64_t dividend = x.significand << up;
    uint64_t quotient = dividend / y.significand | (dividend % y.significand != 0);
    return _round((number){sign != 0, x.exponent - up - y.exponent, quotient}, rm, flags);
}

static uint32_t _square_root(uint32_t a, uint32_t rm, uint32_t *flags)
{
    if (p4s_fp_is_nan(a))
        return _nan_of(a, a, flags);
    if (_is_zero(a) || a == INFINITE)
        return a;
    if (a & SIGN)
        return _invalid(flags);
    number x = _unpack(a);
    int up = __builtin_clzll(x.significand) - 1;
    if ((x.exponent - up) & 1)
        --up;
    uint64_t value = x.significand << up, root = 0;
    for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= value)
            root |= bit;
    /* 31 bits and one more that is sticky */
    return _round((number){false, (x.exponent - up) / 2 - 1, root << 1 | (root * root != value)}, rm, flags);
}

static uint32_t _fused(uint32_t a, uint32_t b, uint32_t c, uint32_t rm, uint32_t *flags)
{
    bool infinite = _is_infinite(a) || _is_infinite(b);
    if (infinite && (_is_zero(a) || _is_zero(b))) /* even with a quiet NaN added */
        return _invalid(flags);
    if (p4s_fp_is_nan(a) || p4s_fp_is_nan(b) || p4s_fp_is_nan(c)) {
        if (_is_signalling(a) || _is_signalling(b) || _is_signalling(c))
            *flags |= FP_NV;
        return FP_NAN;
    }
    uint32_t sign = (a ^ b) & SIGN;
    if (infinite)
        return _is_infinite(c) && (c & SIGN) != sign ? _invalid(flags) : sign | INFINITE;
    if (_is_infinite(c))
        return c;
    number x = _unpack(a), y = _unpack(b);
    return _sum((number){sign != 0, x.exponent + y.exponent, x.significand * y.significand}, _unpack(c), rm, flags);
}

/* Order of the values of two floats that are not NaN: -1, 0, 1. */
static int _compare(uint32_t a, uint32_t b)
{
    int64_t x = a & SIGN ? -(int64_t)(a & ~SIGN) : (int64_t)a, y = b & SIGN ? -(int64_t)(b & ~SIGN) : (int64_t)b;
    return (x > y) - (x < y);
}

static uint32_t _min_max(uint32_t a, uint32_t b, bool max, uint32_t *flags)
{
    if (_is_signalling(a) || _is_signalling(b))
        *flags |= FP_NV;
    if (p4s_fp_is_nan(a))
        return p4s_fp_is_nan(b) ? FP_NAN : b;
    if (p4s_fp_is_nan(b))
        return a;
    int order = _compare(a, b);
    if (order == 0) /* only zeros can differ here, and -0 is the smaller */
        order = (int)(b >> 31) - (int)(a >> 31);
    return (order < 0) == max ? b : a;
}

/* equal: feq, which is quiet; else flt (limit -1) and fle (limit 0) */
static uint32_t _relation(uint32_t a, uint32_t b, bool equal, int limit, uint32_t *flags)
{
    if (p4s_fp_is_nan(a) || p4s_fp_is_nan(b)) {
        if (!equal || _is_signalling(a) || _is_signalling(b))
            *flags |= FP_NV;
        return 0;
    }
    return equal ? _compare(a, b) == 0 : _compare(a, b) <= limit;
}

static uint32_t _to_integer(uint32_t a, bool is_signed, uint32_t rm, uint32_t *flags)
{
    uint32_t least = is_signed ? SIGN : 0, most = is_signed ? 0x7fffffffu : 0xffffffffu;
    if (p4s_fp_is_nan(a)) {
        *flags |= FP_NV;
        return most;
    }
    number x = _unpack(a);
    bool inexact = false;
    uint64_t value = 1ull << 62; /* out of every range */
    if (x.exponent <= 16)        /* else, and when infinite, 2^40 and more */
        value = _shift_round(x.significand, -x.exponent, x.sign, rm, &inexact);
    if (value > (x.sign ? (uint64_t)(is_signed ? 0x80000000u : 0) : most)) {
        *flags |= FP_NV;
        return x.sign ? least : most;
    }
    if (inexact)
        *flags |= FP_NX;
    return x.sign ? 0u - (uint32_t)value : (uint32_t)value;
}

static uint32_t _from_integer(uint32_t a, bool is_signed, uint32_t rm, uint32_t *flags)
{
    bool negative = is_signed && a & SIGN;
    return _round((number){negative, 0, negative ? 0u - a : a}, rm, flags);
}

static uint32_t _class(uint32_t a)
{
    bool negative = a & SIGN;
    if (p4s_fp_is_nan(a))
        return _is_signalling(a) ? 1 << 8 : 1 << 9;
    if (_is_infinite(a))
        return negative ? 1 << 0 : 1 << 7;
    if (_is_zero(a))
        return negative ? 1 << 3 : 1 << 4;
    if ((a & ~SIGN) < 0x00800000u)
        return negative ? 1 << 2 : 1 << 5;
    return negative ? 1 << 1 : 1 << 6;
}

uint32_t p4s_fp(uint32_t op, uint32_t rm, uint32_t a, uint32_t b, uint32_t c, uint32_t *flags)
{
    switch (op) {
    case P4S_OP_FADD_S: return _add(a, b, rm, flags);
    case P4S_OP_FSUB_S: return _add(a, p4s_fp_is_nan(b) ? b : b ^ SIGN, rm, flags);
    case P4S_OP_FMUL_S: return _multiply(a, b, rm, flags);
    case P4S_OP_FDIV_S: return _divide(a, b, rm, flags);
    case P4S_OP_FSQRT_S: return _square_root(a, rm, flags);
    case P4S_OP_FMADD_S: return _fused(a, b, c, rm, flags);
    case P4S_OP_FMSUB_S: return _fused(a, b, c ^ SIGN, rm, flags);
    case P4S_OP_FNMSUB_S: return _fused(a ^ SIGN, b, c, rm, flags);
    case P4S_OP_FNMADD_S: return _fused(a ^ SIGN, b, c ^ SIGN, rm, flags);
    case P4S_OP_FSGNJ_S: return (a & ~SIGN) | (b & SIGN);
    case P4S_OP_FSGNJN_S: return (a & ~SIGN) | (~b & SIGN);
    case P4S_OP_FSGNJX_S: return a ^ (b & SIGN);
    case P4S_OP_FMIN_S: return _min_max(a, b, false, flags);
    case P4S_OP_FMAX_S: return _min_max(a, b, true, flags);
    case P4S_OP_FEQ_S: return _relation(a, b, true, 0, flags);
    case P4S_OP_FLT_S: return _relation(a, b, false, -1, flags);
    case P4S_OP_FLE_S: return _relation(a, b, false, 0, flags);
    case P4S_OP_FCVT_W_S: return _to_integer(a, true, rm, flags);
    case P4S_OP_FCVT_WU_S: return _to_integer(a, false, rm, flags);
    case P4S_OP_FCVT_S_W: return _from_integer(a, true, rm, flags);
    case P4S_OP_FCVT_S_WU: return _from_integer(a, false, rm, flags);
    case P4S_OP_FCLASS_S: return _class(a);
    default: return a; /* fmv.x.w, fmv.w.x */
    }
}
