/* Matrices: products in three orders, fused and not, inverse by elimination, exact determinant of integers. */
#include "runtime.h"

enum { N = 16 };
typedef float matrix[N][N];

static void multiply_rows(matrix c, matrix a, matrix b)
{
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            float sum = 0;
            for (int k = 0; k < N; ++k)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

static void multiply_outer(matrix c, matrix a, matrix b)
{
    memset(c, 0, sizeof(matrix));
    for (int k = 0; k < N; ++k)
        for (int i = 0; i < N; ++i)
            for (int j = 0; j < N; ++j)
                c[i][j] += a[i][k] * b[k][j];
}

static void multiply_fused(matrix c, matrix a, matrix b)
{
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            float sum = 0;
            for (int k = 0; k < N; ++k)
                sum = __builtin_fmaf(a[i][k], b[k][j], sum);
            c[i][j] = sum;
        }
}

/* Gauss-Jordan with the greatest pivot; false when singular. */
static bool invert(matrix out, matrix in)
{
    static matrix a;
    memcpy(a, in, sizeof a);
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j)
            out[i][j] = i == j;
    for (int column = 0; column < N; ++column) {
        int best = column;
        for (int i = column + 1; i < N; ++i)
            if (__builtin_fabsf(a[i][column]) > __builtin_fabsf(a[best][column]))
                best = i;
        if (a[best][column] == 0)
            return false;
        for (int j = 0; j < N; ++j) {
            float t = a[best][j], u = out[best][j];
            a[best][j] = a[column][j], out[best][j] = out[column][j];
            a[column][j] = t, out[column][j] = u;
        }
        float scale = 1.0f / a[column][column];
        for (int j = 0; j < N; ++j)
            a[column][j] *= scale, out[column][j] *= scale;
        for (int i = 0; i < N; ++i) {
            float factor = a[i][column];
            for (int j = 0; i != column && j < N; ++j) {
                a[i][j] = __builtin_fmaf(-factor, a[column][j], a[i][j]);
                out[i][j] = __builtin_fmaf(-factor, out[column][j], out[i][j]);
            }
        }
    }
    return true;
}

/* Bareiss: every division is exact. */
static int64_t determinant(int64_t m[5][5])
{
    int64_t before = 1;
    int sign = 1;
    for (int k = 0; k < 4; ++k) {
        for (int i = k + 1; m[k][k] == 0; ++i) {
            if (i == 5)
                return 0;
            for (int j = 0; j < 5; ++j) {
                int64_t t = m[k][j];
                m[k][j] = m[i][j], m[i][j] = t;
            }
            sign = -sign;
        }
        for (int i = k + 1; i < 5; ++i)
            for (int j = k + 1; j < 5; ++j)
                m[i][j] = (m[i][j] * m[k][k] - m[i][k] * m[k][j]) / before;
        before = m[k][k];
    }
    return sign * m[4][4];
}

int main(void)
{
    static matrix a, b, c, d, inverse;
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            a[i][j] = (float)((int)random_below(2001) - 1000) / 64.0f;
            b[i][j] = 1.0f / (float)(i + j + 1);
        }
    multiply_rows(c, a, b);
    multiply_outer(d, a, b);
    EXPECT(memcmp(c, d, sizeof c) == 0);
    say("product %08x\n", fold_bytes(0, c, sizeof c));
    multiply_fused(d, a, b);
    float worst = 0;
    for (int i = 0; i < N * N; ++i)
        worst = float_max(worst, __builtin_fabsf(c[i / N][i % N] - d[i / N][i % N]));
    say("fused %08x, differs by at most %08x\n", fold_bytes(0, d, sizeof d), float_bits(worst));
    EXPECT(worst > 0 && worst < 1e-4f);
    EXPECT(invert(inverse, a));
    multiply_rows(c, a, inverse);
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j)
            EXPECT(__builtin_fabsf(c[i][j] - (i == j ? 1.0f : 0.0f)) < 1e-3f);
    say("inverse %08x\n", fold_bytes(0, inverse, sizeof inverse));
    for (int j = 0; j < N; ++j)
        a[3][j] = a[7][j];
    a[3][0] = 0, a[7][0] = 0;
    for (int i = 0; i < N; ++i)
        a[i][0] = 0;
    EXPECT(!invert(inverse, a));
    for (int round = 0; round < 6; ++round) {
        int64_t m[5][5];
        for (int i = 0; i < 25; ++i)
            m[i / 5][i % 5] = (int)random_below(19) - 9;
        m[0][0] = round % 2 ? 0 : m[0][0];
        if (round == 5)
            memcpy(m[4], m[1], sizeof m[1]);
        int64_t value = determinant(m);
        EXPECT(round != 5 || value == 0);
        say("determinant %lld\n", (long long)value);
    }
    return 0;
}
