/* simd_test.c - guarded arrays and comparisons. */
#include "simd_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD 64
#define GUARD_VALUE 12345.678f

void each_table(void (*test)(const cn_simd_table *t))
{
    static const char *const sets[] = { "avx512", "avx2" };
    int tested = 0;
    for (int i = 0; i < 2; i++) {
        setenv("CENOTE_ISA", sets[i], 1);
        const cn_simd_table *t = cn_simd_select();
        if (!t || strcmp(t->name, sets[i]) != 0) continue;
        test(t);
        tested++;
    }
    unsetenv("CENOTE_ISA");
    if (tested == 0) skip();
}

float *floats(int64_t n)
{
    static uint64_t state = 1;
    float *block = malloc((size_t)(n + 2 * GUARD) * sizeof(float));
    assert_non_null(block);
    for (int64_t i = 0; i < n + 2 * GUARD; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const bool inside = i >= GUARD && i < n + GUARD;
        block[i] = inside ? (float)((double)(state >> 40) / (1 << 23) - 1.0) : GUARD_VALUE;
    }
    memcpy(block, &n, sizeof n);
    return block + GUARD;
}

float *floats_copy(const float *x, int64_t n)
{
    float *copy = floats(n);
    memcpy(copy, x, (size_t)n * sizeof(float));
    return copy;
}

void floats_free(float *p)
{
    int64_t n;
    float *block = p - GUARD;
    memcpy(&n, block, sizeof n);
    for (int64_t i = 2; i < GUARD; i++)
        if (block[i] != GUARD_VALUE) fail_msg("wrote %d floats before an array", (int)(GUARD - i));
    for (int64_t i = 0; i < GUARD; i++)
        if (p[n + i] != GUARD_VALUE) fail_msg("wrote %d floats past an array", (int)(i + 1));
    free(block);
}

void check_close(const char *what, const float *actual, const double *expected, int64_t n,
                 double tol)
{
    for (int64_t i = 0; i < n; i++) {
        const double a = (double)actual[i], b = expected[i];
        if ((isnan(a) && isnan(b)) || a == b) continue;
        if (!(fabs(a - b) <= tol * fmax(1.0, fabs(b))))
            fail_msg("%s: element %lld is %.9g, not %.9g", what, (long long)i, a, b);
    }
}

void check_same_bits(const char *what, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof *a) != 0)
            fail_msg("%s: element %lld depends on threads: %.9g, %.9g", what, (long long)i,
                     (double)a[i], (double)b[i]);
}
