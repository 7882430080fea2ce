/* Integers of any size: factorials, Fibonacci numbers, powers by a modulus, long division, decimal text. */
#include "runtime.h"

enum { LIMBS = 40 };
typedef struct {
    uint32_t limb[LIMBS];
    int size; /* limbs in use */
} big;

static void trim(big *a)
{
    while (a->size && !a->limb[a->size - 1])
        --a->size;
}

static big small(uint32_t value)
{
    big a = {{value}, value != 0};
    return a;
}

static int compare(const big *a, const big *b)
{
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    for (int i = a->size; i-- > 0;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static big add(const big *a, const big *b)
{
    big sum = {{0}, a->size > b->size ? a->size : b->size};
    uint32_t carry = 0;
    for (int i = 0; i < sum.size; ++i) {
        uint64_t x = (uint64_t)a->limb[i] + b->limb[i] + carry;
        sum.limb[i] = (uint32_t)x;
        carry = (uint32_t)(x >> 32);
    }
    if (carry)
        sum.limb[sum.size++] = carry;
    return sum;
}

static void subtract(big *a, const big *b)
{
    uint32_t borrow = 0;
    for (int i = 0; i < a->size; ++i) {
        uint64_t x = (uint64_t)a->limb[i] - b->limb[i] - borrow;
        a->limb[i] = (uint32_t)x;
        borrow = (uint32_t)(x >> 63);
    }
    trim(a);
}

static big multiply(const big *a, const big *b)
{
    big product = {{0}, a->size + b->size};
    for (int i = 0; i < a->size; ++i) {
        uint32_t carry = 0;
        for (int j = 0; j < b->size; ++j) {
            uint64_t x = (uint64_t)a->limb[i] * b->limb[j] + product.limb[i + j] + carry;
            product.limb[i + j] = (uint32_t)x;
            carry = (uint32_t)(x >> 32);
        }
        product.limb[i + b->size] = carry;
    }
    trim(&product);
    return product;
}

static uint32_t divide_small(big *a, uint32_t divisor)
{
    uint64_t rest = 0;
    for (int i = a->size; i-- > 0;) {
        rest = rest << 32 | a->limb[i];
        a->limb[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    trim(a);
    return (uint32_t)rest;
}

/* Bit by bit; a becomes the remainder. */
static big divide(big *a, const big *b)
{
    big quotient = {{0}, a->size}, rest = {{0}, 0};
    for (int i = a->size * 32; i-- > 0;) {
        uint32_t bit = a->limb[i / 32] >> i % 32 & 1;
        for (int k = 0; k <= rest.size && k < LIMBS; ++k) {
            uint32_t next = rest.limb[k] >> 31;
            rest.limb[k] = rest.limb[k] << 1 | bit;
            bit = next;
        }
        rest.size += rest.size < LIMBS;
        trim(&rest);
        if (compare(&rest, b) >= 0) {
            subtract(&rest, b);
            quotient.limb[i / 32] |= 1u << i % 32;
        }
    }
    trim(&quotient);
    *a = rest;
    return quotient;
}

static void show(const char *name, big a)
{
    char digits[400];
    int n = sizeof digits - 1;
    digits[n] = 0;
    do
        digits[--n] = (char)('0' + divide_small(&a, 10));
    while (a.size);
    say("%s %s\n", name, digits + n);
}

static big power(big base, uint32_t exponent, const big *modulus)
{
    big result = small(1);
    for (; exponent; exponent >>= 1) {
        if (exponent & 1) {
            result = multiply(&result, &base);
            divide(&result, modulus);
        }
        base = multiply(&base, &base);
        divide(&base, modulus);
    }
    return result;
}

int main(void)
{
    big f = small(1), a = small(0), b = small(1);
    for (uint32_t i = 2; i <= 60; ++i) {
        big n = small(i);
        f = multiply(&f, &n);
    }
    show("60!", f);
    for (int i = 0; i < 170; ++i) {
        big next = add(&a, &b);
        a = b;
        b = next;
    }
    show("F170", a);
    big rest = f, quotient = divide(&rest, &a);
    show("60! / F170", quotient);
    show("rest", rest);
    big again = multiply(&quotient, &a);
    again = add(&again, &rest);
    EXPECT(compare(&again, &f) == 0);
    /* Fermat: 3^(p-1) = 1 modulo the prime 2^31 - 1. */
    big prime = small(0x7FFFFFFF), one = small(1), power_of_three = power(small(3), 0x7FFFFFFE, &prime);
    EXPECT(compare(&power_of_three, &one) == 0);
    show("7^100 mod F170", power(small(7), 100, &a));
    return 0;
}
