/* k-means in the plane, and a line fitted to points with an exact answer to compare with. */
#include "runtime.h"

enum { POINTS = 90, GROUPS = 3 };
typedef struct {
    float x, y;
} point;

static point points[POINTS], centres[GROUPS];
static uint8_t group[POINTS];

/* About normal: a sum of uniform numbers. */
static float noise(float width)
{
    float sum = 0;
    for (int i = 0; i < 6; ++i)
        sum += (float)random_below(1001) / 1000.0f - 0.5f;
    return sum * width;
}

static float squared(point a, point b)
{
    return (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
}

/* One step; how many points went to another group. */
static int assign(void)
{
    int moved = 0;
    for (int i = 0; i < POINTS; ++i) {
        uint8_t best = 0;
        for (uint8_t g = 1; g < GROUPS; ++g)
            if (squared(points[i], centres[g]) < squared(points[i], centres[best]))
                best = g;
        moved += best != group[i];
        group[i] = best;
    }
    for (int g = 0; g < GROUPS; ++g) {
        point sum = {0, 0};
        int count = 0;
        for (int i = 0; i < POINTS; ++i)
            if (group[i] == g) {
                sum.x += points[i].x, sum.y += points[i].y;
                ++count;
            }
        if (count)
            centres[g] = (point){sum.x / (float)count, sum.y / (float)count};
    }
    return moved;
}

int main(void)
{
    static const point true_centres[GROUPS] = {{0, 0}, {8, 1}, {3, 9}};
    for (int i = 0; i < POINTS; ++i) {
        points[i] = true_centres[i % GROUPS];
        points[i].x += noise(1.5f), points[i].y += noise(1.5f);
        group[i] = 255;
    }
    for (int g = 0; g < GROUPS; ++g)
        centres[g] = points[g * 7];
    int steps = 1;
    while (assign())
        ++steps;
    int counts[GROUPS] = {0};
    for (int i = 0; i < POINTS; ++i)
        ++counts[group[i]];
    say("%d steps: %d %d %d\n", steps, counts[0], counts[1], counts[2]);
    for (int g = 0; g < GROUPS; ++g) {
        float nearest = 1e9f;
        for (int t = 0; t < GROUPS; ++t)
            nearest = float_min(nearest, squared(centres[g], true_centres[t]));
        EXPECT(nearest < 1);
        say("%08x %08x\n", float_bits(centres[g].x), float_bits(centres[g].y));
    }
    /* y = 3x/2 - 4, exactly: all sums are small whole numbers of quarters. */
    float n = 20, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < 20; ++i) {
        float x = (float)i / 2, y = 1.5f * x - 4;
        sx += x, sy += y, sxx += x * x, sxy += x * y;
    }
    float slope = (n * sxy - sx * sy) / (n * sxx - sx * sx), height = (sy - slope * sx) / n;
    EXPECT(slope == 1.5f && height == -4);
    return 0;
}
