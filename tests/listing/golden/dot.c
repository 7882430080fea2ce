/* What dot.S stands for: the listing shows these lines. */
int dot(const signed char *a, const signed char *b, int n)
{
    int sum = 0;
    for (int i = 0; i < n; ++i)
        sum += a[i] * b[i];
    return sum;
}

int twice(int x)
{
    return outside(x) * factor;
}
