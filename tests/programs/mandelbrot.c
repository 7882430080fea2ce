/* The Mandelbrot set in float, in fixed point and with fused steps, drawn in characters. */
#include "runtime.h"

enum { WIDTH = 48, HEIGHT = 20, LIMIT = 40 };

static int in_float(float cx, float cy)
{
    float x = 0, y = 0;
    int n = 0;
    for (; n < LIMIT && x * x + y * y <= 4; ++n) {
        float t = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = t;
    }
    return n;
}

static int fused(float cx, float cy)
{
    float x = 0, y = 0;
    int n = 0;
    for (; n < LIMIT && __builtin_fmaf(x, x, y * y) <= 4; ++n) {
        float t = __builtin_fmaf(x, x, __builtin_fmaf(-y, y, cx));
        y = __builtin_fmaf(2 * x, y, cy);
        x = t;
    }
    return n;
}

static int32_t scaled(int32_t a, int32_t b)
{
    return (int32_t)((int64_t)a * b >> 26);
}

static int fixed(int32_t cx, int32_t cy)
{
    int32_t x = 0, y = 0;
    int n = 0;
    for (; n < LIMIT; ++n) {
        int32_t xx = scaled(x, x), yy = scaled(y, y);
        if (xx + yy > 4 << 26)
            break;
        y = 2 * scaled(x, y) + cy;
        x = xx - yy + cx;
    }
    return n;
}

int main(void)
{
    static char line[WIDTH + 1];
    uint32_t hash = 0;
    int other = 0;
    for (int row = 0; row < HEIGHT; ++row) {
        float cy = ((float)row - 9.5f) * 0.125f;
        for (int column = 0; column < WIDTH; ++column) {
            float cx = (float)column * 0.0625f - 2.25f;
            int a = in_float(cx, cy), b = fused(cx, cy);
            int c = fixed((int32_t)(cx * 0x1p26f), (int32_t)(cy * 0x1p26f));
            other += (a != b) + (a != c);
            hash = fold(hash, (uint32_t)(a << 16 | b << 8 | c));
            line[column] = " .:-=+*%@#"[a == LIMIT ? 9 : a % 9];
        }
        say("%s\n", line);
    }
    EXPECT(other < WIDTH * HEIGHT / 10);
    say("%d differ, %08x\n", other, hash);
    return 0;
}
