/* 64-bit integer arithmetic and bit counts under the names that compilers call (for the one that brings no library). */
#include <stdint.h>

typedef union {
    uint64_t whole;
    struct {
        uint32_t low, high;
    } half;
} pair;

uint64_t __ashldi3(uint64_t value, int count);
uint64_t __lshrdi3(uint64_t value, int count);
int64_t __ashrdi3(int64_t value, int count);
uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
int64_t __divdi3(int64_t a, int64_t b);
int64_t __moddi3(int64_t a, int64_t b);
int __clzsi2(uint32_t value);
int __ctzsi2(uint32_t value);
int __clzdi2(uint64_t value);
int __ctzdi2(uint64_t value);
int __popcountsi2(uint32_t value);
int __popcountdi2(uint64_t value);
uint32_t __bswapsi2(uint32_t value);
uint64_t __bswapdi2(uint64_t value);

uint64_t __ashldi3(uint64_t value, int count)
{
    pair p = {value};
    if (count >= 32) {
        p.half.high = p.half.low << (count - 32);
        p.half.low = 0;
    } else if (count) {
        p.half.high = p.half.high << count | p.half.low >> (32 - count);
        p.half.low <<= count;
    }
    return p.whole;
}

uint64_t __lshrdi3(uint64_t value, int count)
{
    pair p = {value};
    if (count >= 32) {
        p.half.low = p.half.high >> (count - 32);
        p.half.high = 0;
    } else if (count) {
        p.half.low = p.half.low >> count | p.half.high << (32 - count);
        p.half.high >>= count;
    }
    return p.whole;
}

int64_t __ashrdi3(int64_t value, int count)
{
    pair p = {(uint64_t)value};
    int32_t high = (int32_t)p.half.high;
    if (count >= 32) {
        p.half.low = (uint32_t)(high >> (count - 32));
        p.half.high = (uint32_t)(high >> 31);
    } else if (count) {
        p.half.low = p.half.low >> count | p.half.high << (32 - count);
        p.half.high = (uint32_t)(high >> count);
    }
    return (int64_t)p.whole;
}

static uint64_t divide(uint64_t a, uint64_t b, uint64_t *remainder)
{
    pair n = {a}, d = {b};
    if (!n.half.high && !d.half.high) {
        *remainder = n.half.low % d.half.low;
        return n.half.low / d.half.low;
    }
    uint64_t quotient = 0, rest = 0;
    int skipped = a ? __clzdi2(a) : 63;
    a <<= skipped;
    for (int i = skipped; i < 64; ++i) {
        uint32_t carry = (uint32_t)(rest >> 63);
        rest = rest << 1 | a >> 63;
        a <<= 1;
        quotient <<= 1;
        if (carry || rest >= b) {
            rest -= b;
            quotient |= 1;
        }
    }
    *remainder = rest;
    return quotient;
}

uint64_t __udivdi3(uint64_t a, uint64_t b)
{
    uint64_t rest;
    return divide(a, b, &rest);
}

uint64_t __umoddi3(uint64_t a, uint64_t b)
{
    uint64_t rest;
    divide(a, b, &rest);
    return rest;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

int64_t __divdi3(int64_t a, int64_t b)
{
    uint64_t quotient = __udivdi3(magnitude(a), magnitude(b));
    return (int64_t)((a < 0) != (b < 0) ? 0 - quotient : quotient);
}

int64_t __moddi3(int64_t a, int64_t b)
{
    uint64_t rest = __umoddi3(magnitude(a), magnitude(b));
    return (int64_t)(a < 0 ? 0 - rest : rest);
}

int __clzsi2(uint32_t value)
{
    int count = 0;
    for (int step = 16; step; step >>= 1)
        if (!(value >> (32 - step))) {
            count += step;
            value <<= step;
        }
    return count;
}

int __ctzsi2(uint32_t value)
{
    return 31 - __clzsi2(value & (0 - value));
}

int __clzdi2(uint64_t value)
{
    pair p = {value};
    return p.half.high ? __clzsi2(p.half.high) : 32 + __clzsi2(p.half.low);
}

int __ctzdi2(uint64_t value)
{
    pair p = {value};
    return p.half.low ? __ctzsi2(p.half.low) : 32 + __ctzsi2(p.half.high);
}

int __popcountsi2(uint32_t value)
{
    value -= value >> 1 & 0x55555555u;
    value = (value & 0x33333333u) + (value >> 2 & 0x33333333u);
    return (int)(((value + (value >> 4)) & 0x0F0F0F0Fu) * 0x01010101u >> 24);
}

int __popcountdi2(uint64_t value)
{
    pair p = {value};
    return __popcountsi2(p.half.low) + __popcountsi2(p.half.high);
}

uint32_t __bswapsi2(uint32_t value)
{
    value = (value & 0x00FF00FFu) << 8 | (value >> 8 & 0x00FF00FFu);
    return value << 16 | value >> 16;
}

uint64_t __bswapdi2(uint64_t value)
{
    pair p = {value}, swapped;
    swapped.half.low = __bswapsi2(p.half.high);
    swapped.half.high = __bswapsi2(p.half.low);
    return swapped.whole;
}
