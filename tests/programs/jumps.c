/* Tables of functions, dense and sparse switches, computed gotos, calls through structures. */
#include "runtime.h"

typedef int32_t operation(int32_t a, int32_t b);

static int32_t add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
static int32_t subtract(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }
static int32_t multiply(int32_t a, int32_t b) { return (int32_t)((uint32_t)a * (uint32_t)b); }
static int32_t divide(int32_t a, int32_t b) { return b && !(b == -1 && a == INT32_MIN) ? a / b : -1; }
static int32_t remains(int32_t a, int32_t b) { return b && !(b == -1 && a == INT32_MIN) ? a % b : a; }
static int32_t both(int32_t a, int32_t b) { return a & b; }
static int32_t differ(int32_t a, int32_t b) { return a ^ b; }
static int32_t shift(int32_t a, int32_t b) { return (int32_t)((uint32_t)a >> (b & 31)); }

static operation *const table[] = {add, subtract, multiply, divide, remains, both, differ, shift};

static int32_t by_switch(int which, int32_t a, int32_t b)
{
    switch (which) {
    case 0: return add(a, b);
    case 1: return subtract(a, b);
    case 2: return multiply(a, b);
    case 3: return divide(a, b);
    case 4: return remains(a, b);
    case 5: return both(a, b);
    case 6: return differ(a, b);
    case 7: return shift(a, b);
    default: return 0;
    }
}

static int32_t by_goto(int which, int32_t a, int32_t b)
{
    static void *const labels[] = {&&l0, &&l1, &&l2, &&l3, &&l4, &&l5, &&l6, &&l7};
    goto *labels[which];
l0: return add(a, b);
l1: return subtract(a, b);
l2: return multiply(a, b);
l3: return divide(a, b);
l4: return remains(a, b);
l5: return both(a, b);
l6: return differ(a, b);
l7: return shift(a, b);
}

static const char *sparse(uint32_t x)
{
    switch (x) {
    case 0: return "none";
    case 7: case 8: case 9: return "few";
    case 100: return "hundred";
    case 1000 ... 1999: return "thousand and more";
    case 65536: return "power";
    case 0x80000000u: return "top";
    case 0xFFFFFFFFu: return "all";
    default: return x % 2 ? "odd" : "even";
    }
}

/* Copies in groups of eight, entered in the middle. */
static void duff(uint8_t *to, const uint8_t *from, int count)
{
    int rounds = (count + 7) / 8;
    if (!count)
        return;
    switch (count % 8) {
    case 0: do { *to++ = *from++; __attribute__((fallthrough));
    case 7: *to++ = *from++; __attribute__((fallthrough));
    case 6: *to++ = *from++; __attribute__((fallthrough));
    case 5: *to++ = *from++; __attribute__((fallthrough));
    case 4: *to++ = *from++; __attribute__((fallthrough));
    case 3: *to++ = *from++; __attribute__((fallthrough));
    case 2: *to++ = *from++; __attribute__((fallthrough));
    case 1: *to++ = *from++;
            } while (--rounds > 0);
    }
}

typedef struct shape shape;
typedef struct {
    const char *name;
    int32_t (*area)(const shape *);
    void (*grow)(shape *, int32_t);
} methods;
struct shape {
    const methods *methods;
    int32_t a, b;
};

static int32_t box_area(const shape *s) { return s->a * s->b; }
static int32_t triangle_area(const shape *s) { return s->a * s->b / 2; }
static void grow_both(shape *s, int32_t by) { s->a += by, s->b += by; }
static void grow_one(shape *s, int32_t by) { s->a *= by; }
static const methods kinds[] = {{"box", box_area, grow_both}, {"triangle", triangle_area, grow_both},
                                {"strip", box_area, grow_one}};

int main(void)
{
    int32_t x = 12345, y = 12345, z = 12345;
    for (int i = 0; i < 1500; ++i) {
        int which = (int)random_below(8);
        int32_t b = (int32_t)random_word() >> random_below(31);
        x = add(table[which](x, b), i);
        y = add(by_switch(which, y, b), i);
        z = add(by_goto(which, z, b), i);
    }
    EXPECT(x == y && y == z);
    say("%08x\n", (uint32_t)x);
    static const uint32_t values[] = {0, 1, 8, 10, 99, 100, 999, 1000, 1999, 2000, 65536, 0x80000000u, 0xFFFFFFFFu};
    for (size_t i = 0; i < sizeof values / sizeof *values; ++i)
        say("%s, ", sparse(values[i]));
    say("\n");
    uint8_t from[40], to[40];
    for (int i = 0; i < 40; ++i)
        from[i] = (uint8_t)(i * 3);
    for (int n = 0; n < 40; ++n) {
        memset(to, 0xFF, sizeof to);
        duff(to, from, n);
        EXPECT(memcmp(to, from, (size_t)n) == 0 && (n == 40 || to[n] == 0xFF));
    }
    shape shapes[6];
    int32_t total = 0;
    for (int i = 0; i < 6; ++i)
        shapes[i] = (shape){&kinds[i % 3], i + 1, i + 2};
    for (int round = 0; round < 50; ++round)
        for (int i = 0; i < 6; ++i) {
            shapes[i].methods->grow(&shapes[i], round % 3 + (round == 7));
            total = total * 7 + shapes[i].methods->area(&shapes[i]) % 1000;
            total &= 0xFFFFF;
        }
    say("%s %d\n", shapes[4].methods->name, total);
    return 0;
}
