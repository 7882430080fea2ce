/* A float FFT with twiddles from half-angle square roots, against the plain sum, and back again. */
#include "runtime.h"

enum { N = 128 };
typedef struct {
    float re, im;
} complex;

static complex roots[N];

/* exp(2 pi i k / N), by halving the angle: cos(x/2) = sqrt((1 + cos x) / 2). */
static void make_roots(void)
{
    complex step = {-1, 0};
    roots[0] = (complex){1, 0};
    for (int size = N / 2; size; size /= 2) {
        for (int k = 0; k < N; k += 2 * size) {
            complex r = roots[k];
            roots[k + size] = (complex){r.re * step.re - r.im * step.im, r.re * step.im + r.im * step.re};
        }
        float cosine = __builtin_sqrtf((1 + step.re) / 2);
        step = (complex){cosine, step.re == -1 ? 1 : step.im / (2 * cosine)};
    }
}

static void transform(complex *v, bool back)
{
    for (unsigned i = 0, j = 0; i < N; ++i) {
        if (i < j) {
            complex t = v[i];
            v[i] = v[j], v[j] = t;
        }
        unsigned bit = N / 2;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j |= bit;
    }
    for (int half = 1; half < N; half *= 2)
        for (int start = 0; start < N; start += 2 * half)
            for (int k = 0; k < half; ++k) {
                complex w = roots[k * (N / 2 / half)], *a = &v[start + k], *b = a + half;
                w.im = back ? w.im : -w.im;
                complex t = {b->re * w.re - b->im * w.im, b->re * w.im + b->im * w.re};
                *b = (complex){a->re - t.re, a->im - t.im};
                *a = (complex){a->re + t.re, a->im + t.im};
            }
    for (int i = 0; back && i < N; ++i)
        v[i] = (complex){v[i].re / N, v[i].im / N};
}

static complex plain(const complex *v, int f)
{
    complex sum = {0, 0};
    for (int i = 0; i < N; ++i) {
        complex w = roots[i * f % N];
        sum.re = __builtin_fmaf(v[i].im, w.im, __builtin_fmaf(v[i].re, w.re, sum.re));
        sum.im = __builtin_fmaf(-v[i].re, w.im, __builtin_fmaf(v[i].im, w.re, sum.im));
    }
    return sum;
}

int main(void)
{
    static complex signal[N], v[N];
    make_roots();
    EXPECT(__builtin_fabsf(roots[N / 8].re - 0.70710678f) < 1e-6f && roots[N / 4].im == 1);
    for (int i = 0; i < N; ++i)
        signal[i] = (complex){3 * roots[5 * i % N].re + roots[17 * i % N].im, (float)(i % 5) / 8.0f};
    memcpy(v, signal, sizeof v);
    transform(v, false);
    for (int f = 0; f < N; f += 3) {
        complex sum = plain(signal, f);
        EXPECT(__builtin_fabsf(sum.re - v[f].re) < 1e-3f && __builtin_fabsf(sum.im - v[f].im) < 1e-3f);
    }
    int loudest = 1;
    for (int f = 1; f < N; ++f)
        if (__builtin_fabsf(v[f].re) > __builtin_fabsf(v[loudest].re))
            loudest = f;
    EXPECT(loudest == 5 || loudest == N - 5);
    say("spectrum %08x roots %08x\n", fold_bytes(0, v, sizeof v), fold_bytes(0, roots, sizeof roots));
    transform(v, true);
    float worst = 0;
    for (int i = 0; i < N; ++i)
        worst = float_max(worst, __builtin_fabsf(v[i].re - signal[i].re));
    EXPECT(worst < 1e-5f);
    say("worst %08x\n", float_bits(worst));
    return 0;
}
