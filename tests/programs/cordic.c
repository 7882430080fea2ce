/* Sine, cosine, arctangent, logarithm and power in fixed point, next to float polynomials. */
#include "runtime.h"

enum { STEPS = 28 };
static int32_t angles[STEPS]; /* arctangent of 2^-i, as 2.29 fixed point */

static const float pi = 3.14159265f;

/* By the series, in 2.61 fixed point. */
static void make_angles(void)
{
    angles[0] = (int32_t)(0x1921FB54442D18ull >> 24);
    for (int i = 1; i < STEPS; ++i) {
        int64_t sum = 0, term = (int64_t)1 << (61 - i);
        for (int n = 1; term; n += 2, term = -term >> 2 * i)
            sum += term / n;
        angles[i] = (int32_t)((sum + ((int64_t)1 << 31)) >> 32);
    }
}

static void rotate(int32_t angle, int32_t *cosine, int32_t *sine)
{
    int32_t x = 326016435 /* the product of all cosines */, y = 0;
    for (int i = 0; i < STEPS; ++i) {
        int32_t dx = x >> i, dy = y >> i;
        bool up = angle >= 0;
        x += up ? -dy : dy;
        y += up ? dx : -dx;
        angle -= up ? angles[i] : -angles[i];
    }
    *cosine = x, *sine = y;
}

static int32_t angle_of(int32_t x, int32_t y)
{
    int32_t angle = 0;
    for (int i = 0; i < STEPS; ++i) {
        int32_t dx = x >> i, dy = y >> i;
        bool down = y >= 0;
        x += down ? dy : -dy;
        y += down ? -dx : dx;
        angle += down ? angles[i] : -angles[i];
    }
    return angle;
}

static float sine(float x)
{
    float turns = x * (1 / (2 * pi));
    x -= (float)(int)(turns + (turns < 0 ? -0.5f : 0.5f)) * (2 * pi);
    x = x > pi / 2 ? pi - x : x < -pi / 2 ? -pi - x : x;
    float s = x * x, sum = 0;
    static const float factors[] = {-1.0f / 39916800, 1.0f / 362880, -1.0f / 5040, 1.0f / 120, -1.0f / 6, 1};
    for (int i = 0; i < 6; ++i)
        sum = __builtin_fmaf(sum, s, factors[i]);
    return x * sum;
}

/* Bit by bit: squares and watches for 2. Of a 16.16 number, as 16.16. */
static int32_t log2_fixed(uint32_t x)
{
    int32_t result = 0;
    for (; x >= 2u << 16; x >>= 1)
        result += 1 << 16;
    for (; x < 1u << 16; x <<= 1)
        result -= 1 << 16;
    for (int32_t bit = 1 << 15; bit; bit >>= 1) {
        x = (uint32_t)((uint64_t)x * x >> 16);
        if (x >= 2u << 16) {
            x >>= 1;
            result += bit;
        }
    }
    return result;
}

static float exponential(float x)
{
    int n = (int)(x * 1.44269504f + (x < 0 ? -0.5f : 0.5f));
    float r = __builtin_fmaf((float)n, -0.693145752f, x), sum = 1;
    r = __builtin_fmaf((float)n, -1.42860677e-6f, r);
    for (int i = 7; i; --i)
        sum = __builtin_fmaf(sum, r / (float)i, 1);
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float power;
    memcpy(&power, &bits, 4);
    return sum * power;
}

int main(void)
{
    uint32_t hash = 0;
    make_angles();
    EXPECT(angles[1] == 0x0ED63383 && angles[27] == 4);
    float worst = 0, worst_angle = 0;
    for (int i = -45; i <= 45; ++i) {
        float angle = (float)i / 30;
        int32_t c, s;
        rotate((int32_t)(angle * 0x1p29f), &c, &s);
        float float_sine = sine(angle), float_cosine = sine(angle + pi / 2);
        worst = float_max(worst, __builtin_fabsf((float)s * 0x1p-29f - float_sine));
        worst = float_max(worst, __builtin_fabsf((float)c * 0x1p-29f - float_cosine));
        worst_angle = float_max(worst_angle, __builtin_fabsf((float)angle_of(c / 2, s / 2) * 0x1p-29f - angle));
        hash = fold(fold(fold(hash, (uint32_t)c), (uint32_t)s), float_bits(float_sine));
    }
    EXPECT(worst < 1e-5f && worst_angle < 1e-6f);
    say("%08x %08x %08x\n", hash, float_bits(worst), float_bits(worst_angle));
    for (uint32_t x = 1; x < 1u << 30; x = x * 5 / 2 + 1)
        hash = fold(hash, (uint32_t)log2_fixed(x));
    EXPECT(log2_fixed(8 << 16) == 3 << 16 && log2_fixed(1 << 14) == -2 * (1 << 16));
    for (int i = -40; i < 40; ++i) {
        float value = exponential((float)i / 4), back = exponential((float)-i / 4);
        EXPECT(__builtin_fabsf(value * back - 1) < 1e-5f);
        hash = fold(hash, float_bits(value));
    }
    say("%08x %08x\n", hash, float_bits(exponential(1)));
    return 0;
}
