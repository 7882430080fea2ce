/* Bezier curves: by de Casteljau, by polynomial and by halving; lengths, a bounding box, a filled shape. */
#include "runtime.h"

typedef struct {
    float x, y;
} point;
typedef struct {
    point p[4];
} curve;

static point between(point a, point b, float t)
{
    return (point){a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t};
}

static point casteljau(curve c, float t)
{
    for (int n = 3; n; --n)
        for (int i = 0; i < n; ++i)
            c.p[i] = between(c.p[i], c.p[i + 1], t);
    return c.p[0];
}

static float polynomial(float a, float b, float c, float d, float t)
{
    float u = 3 * (b - a), v = 3 * (c - b) - u, w = d - a - u - v;
    return __builtin_fmaf(__builtin_fmaf(__builtin_fmaf(w, t, v), t, u), t, a);
}

static void halve(const curve *c, curve *first, curve *second)
{
    point ab = between(c->p[0], c->p[1], 0.5f), bc = between(c->p[1], c->p[2], 0.5f);
    point cd = between(c->p[2], c->p[3], 0.5f), abc = between(ab, bc, 0.5f), bcd = between(bc, cd, 0.5f);
    point middle = between(abc, bcd, 0.5f);
    *first = (curve){{c->p[0], ab, abc, middle}};
    *second = (curve){{middle, bcd, cd, c->p[3]}};
}

static float distance(point a, point b)
{
    float x = a.x - b.x, y = a.y - b.y;
    return __builtin_sqrtf(x * x + y * y);
}

static int leaves;

static float length(const curve *c)
{
    float chord = distance(c->p[0], c->p[3]);
    float way = distance(c->p[0], c->p[1]) + distance(c->p[1], c->p[2]) + distance(c->p[2], c->p[3]);
    if (way - chord < 0.01f) {
        ++leaves;
        return (way + chord) / 2;
    }
    curve a, b;
    halve(c, &a, &b);
    return length(&a) + length(&b);
}

int main(void)
{
    static const curve curves[] = {
        {{{0, 0}, {0, 0}, {9, 12}, {9, 12}}},
        {{{1, 1}, {1, 15}, {30, 15}, {30, 1}}},
        {{{2, 2}, {40, 18}, {-10, 18}, {28, 2}}},
        {{{5, 9}, {5, 9}, {5, 9}, {5, 9}}},
    };
    static char picture[18][33];
    for (int i = 0; i < 4; ++i) {
        const curve *c = &curves[i];
        uint32_t hash = 0;
        float low = c->p[0].x, high = low, worst = 0;
        memset(picture, '.', sizeof picture);
        for (int k = 0; k <= 64; ++k) {
            float t = (float)k / 64;
            point p = casteljau(*c, t);
            float x = polynomial(c->p[0].x, c->p[1].x, c->p[2].x, c->p[3].x, t);
            worst = float_max(worst, __builtin_fabsf(x - p.x));
            low = float_min(low, p.x), high = float_max(high, p.x);
            hash = fold(fold(hash, float_bits(p.x)), float_bits(p.y));
            picture[(int)(p.y + 0.5f)][(int)(p.x + 0.5f)] = '#';
        }
        leaves = 0;
        float way = length(c);
        EXPECT(worst < 1e-5f && (i != 0 || __builtin_fabsf(way - 15) < 1e-4f));
        say("%d: length %08x of %d pieces, x %08x to %08x, %08x\n", i, float_bits(way), leaves, float_bits(low),
            float_bits(high), hash);
        for (int y = 17; y >= 0 && i == 2; --y) {
            picture[y][32] = 0;
            say("%s\n", picture[y]);
        }
    }
    return 0;
}
