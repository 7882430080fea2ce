/* Structures of all sizes passed and returned by value, in registers, in parts and in memory. */
#include "runtime.h"

typedef struct { char a; } one;
typedef struct { short a; char b; } three;
typedef struct { int a; float b; } mixed;
typedef struct { float a, b; } floats;
typedef struct { float a; } single;
typedef struct { int a, b, c; } triple;
typedef struct { uint64_t a; char b; } wide;
typedef struct { char text[37]; } text;
typedef struct { floats from, to; } line;
typedef struct { char tag; double value; } tagged;
typedef union { float f; uint32_t u; uint8_t bytes[4]; } either;
typedef struct __attribute__((packed)) { char a; int b; short c; } packed;

#define APART __attribute__((noinline))

APART static one next_one(one x) { return (one){(char)(x.a + 1)}; }
APART static three turn(three x) { return (three){(short)(x.b * 100), (char)(x.a / 100)}; }
APART static mixed swap(mixed x) { return (mixed){(int)x.b, (float)x.a}; }
APART static floats rotate(floats x) { return (floats){-x.b, x.a}; }
APART static single half(single x) { return (single){x.a / 2}; }
APART static triple sum(triple x, triple y) { return (triple){x.a + y.a, x.b + y.b, x.c + y.c}; }
APART static either as_bits(either x) { return (either){.u = x.u ^ 0x80000000u}; }
APART static tagged scaled(tagged x, int by) { return (tagged){(char)(x.tag + by), x.value * by}; }

APART static wide grow(wide x)
{
    x.a = x.a << 33 | (uint8_t)x.b;
    return x;
}

APART static text reversed(text t)
{
    text out;
    for (int i = 0; i < 36; ++i)
        out.text[i] = t.text[35 - i];
    out.text[36] = 0;
    t.text[0] = '!'; /* the caller's stays as it is */
    return out;
}

APART static packed shuffle(packed p)
{
    return (packed){(char)p.b, p.b + p.c, (short)(p.a << 8)};
}

APART static line shifted(line l, floats by)
{
    l.from.a += by.a, l.from.b += by.b, l.to.a += by.a, l.to.b += by.b;
    return l;
}

/* Integers run out of registers, floats have their own, and a wide one may lie half in memory. */
APART static uint32_t many(int a, float b, triple c, uint64_t d, char e, float f, floats g, int h, mixed i, uint64_t j, short k)
{
    uint32_t hash = fold((uint32_t)a, float_bits(b));
    hash = fold(fold(fold(hash, (uint32_t)c.a), (uint32_t)c.b), (uint32_t)c.c);
    hash = fold(fold(hash, (uint32_t)d), (uint32_t)(d >> 32));
    hash = fold(fold(fold(hash, (uint8_t)e), float_bits(f)), float_bits(g.a + g.b));
    hash = fold(fold(fold(hash, (uint32_t)h), (uint32_t)i.a), float_bits(i.b));
    return fold(fold(fold(hash, (uint32_t)j), (uint32_t)(j >> 32)), (uint32_t)k);
}

APART static float nine(float a, float b, float c, float d, float e, float f, float g, float h, float i, int j)
{
    return a - b * 2 + c * 3 - d * 4 + e * 5 - f * 6 + g * 7 - h * 8 + i * 9 + (float)j;
}

int main(void)
{
    volatile int start = 5;
    int n = start;
    EXPECT(next_one((one){(char)n}).a == 6);
    three t = turn((three){(short)(n * 500), 7});
    EXPECT(t.a == 700 && t.b == 25);
    mixed m = swap((mixed){n, 2.75f});
    EXPECT(m.a == 2 && m.b == 5);
    floats f = rotate(rotate(rotate((floats){1, (float)n})));
    EXPECT(f.a == 5 && f.b == -1);
    EXPECT(half(half((single){(float)n})).a == 1.25f);
    triple s = sum((triple){1, 2, n}, sum((triple){10, 20, 30}, (triple){n, n, n}));
    say("%d %d %d\n", s.a, s.b, s.c);
    EXPECT(as_bits((either){.f = 2.5f}).f == -2.5f);
    tagged g = scaled(scaled((tagged){'a', 0.1}, n), 3);
    say("%c %016llx\n", g.tag, (unsigned long long)double_bits(g.value));
    wide w = grow(grow((wide){(uint64_t)n, -1}));
    say("%016llx %d\n", (unsigned long long)w.a, w.b);
    text letters = {"abcdefghijklmnopqrstuvwxyz0123456789"}, back = reversed(letters);
    EXPECT(letters.text[0] == 'a');
    say("%s %s\n", back.text, reversed(back).text);
    packed p = shuffle((packed){'x', 0x01020304, -2});
    say("%d %d %d %u\n", p.a, p.b, p.c, (unsigned)sizeof p);
    line l = shifted((line){{1, 2}, {3, 4}}, (floats){0.5f, (float)n});
    say("%08x %08x %08x %08x\n", float_bits(l.from.a), float_bits(l.from.b), float_bits(l.to.a), float_bits(l.to.b));
    say("%08x\n", many(n, 1.5f, (triple){1, 2, 3}, 0x123456789ABCDEFull, -3, 0.25f, (floats){3, 4}, 77, (mixed){8, 9},
                       UINT64_MAX - 5, -9));
    EXPECT(nine(1, 2, 3, 4, 5, 6, 7, 8, 9, n) == 50);
    line lines[4];
    for (int i = 0; i < 4; ++i)
        lines[i] = i ? shifted(lines[i - 1], (floats){(float)i, -1}) : l;
    lines[1] = lines[3];
    say("%08x\n", fold_bytes(0, lines, sizeof lines));
    return 0;
}
