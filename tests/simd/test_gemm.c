/* test_gemm.c - matrix products against three loops in double. */
#include "simd_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double activated(double x, cn_simd_act act)
{
    switch (act) {
    case CN_SIMD_ACT_RELU: return x > 0 ? x : 0;
    case CN_SIMD_ACT_SIGMOID: return 1 / (1 + exp(-x));
    case CN_SIMD_ACT_TANH: return tanh(x);
    case CN_SIMD_ACT_NONE: break;
    }
    return x;
}

static void reference(const cn_simd_gemm *g, double *c)
{
    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->n; j++) {
            double s = g->accumulate ? (double)g->c[i * g->c_row + j] : 0;
            for (int64_t p = 0; p < g->k; p++)
                s += (double)g->a[i * g->a_row + p * g->a_col] *
                     (double)g->b[p * g->b_row + j * g->b_col];
            if (g->bias) s += (double)g->bias[j];
            c[i * g->c_row + j] = activated(s, g->act);
        }
}

typedef struct variant {
    bool a_turned, b_turned, accumulate, bias;
    cn_simd_act act;
    int64_t gap; /* between rows */
} variant;

/* With B packed beforehand, from the same numbers in C: nothing changes. */
static void check_packed(const cn_simd_table *t, const cn_simd_gemm *g, float *c, const char *what)
{
    const int64_t size = t->gemm_packed_floats(g->n, g->k);
    float *packed = floats(size);
    const float *want = g->c;
    cn_simd_gemm again = *g;
    t->gemm_pack(g, packed, 2);
    again.b_packed = packed, again.b = NULL, again.c = c;
    assert_true(t->gemm(&again, 3));
    check_same_bits(what, want, c, g->m * g->c_row);
    floats_free(packed);
}

static void check_product(const cn_simd_table *t, int64_t m, int64_t n, int64_t k, variant v)
{
    const int64_t a_cols = (v.a_turned ? m : k) + v.gap, b_cols = (v.b_turned ? k : n) + v.gap;
    const int64_t c_row = n + v.gap, c_size = m * c_row;
    float *a = floats((v.a_turned ? k : m) * a_cols), *b = floats((v.b_turned ? n : k) * b_cols);
    float *c = floats(c_size), *c3 = floats_copy(c, c_size), *before = floats_copy(c, c_size);
    float *bias = floats(n);
    double *expected = malloc((size_t)(c_size + 1) * sizeof(double));
    for (int64_t i = 0; i < c_size; i++) expected[i] = (double)c[i];
    cn_simd_gemm g = { .m = m,
                       .n = n,
                       .k = k,
                       .a = a,
                       .b = b,
                       .c = c,
                       .c_row = c_row,
                       .batch = 1,
                       .a_row = v.a_turned ? 1 : a_cols,
                       .a_col = v.a_turned ? a_cols : 1,
                       .b_row = v.b_turned ? 1 : b_cols,
                       .b_col = v.b_turned ? b_cols : 1,
                       .bias = v.bias ? bias : NULL,
                       .act = v.act,
                       .accumulate = v.accumulate };
    char what[96];
    snprintf(what, sizeof what, "%s gemm %dx%dx%d, A^T %d, B^T %d", t->name, (int)m, (int)n, (int)k,
             v.a_turned, v.b_turned);
    reference(&g, expected);
    assert_true(t->gemm(&g, 1));
    check_close(what, c, expected, c_size, 3e-6 * sqrt((double)k + 1));
    g.c = c3;
    assert_true(t->gemm(&g, 3));
    check_same_bits(what, c, c3, c_size);
    check_packed(t, &g, before, what);
    free(expected);
    floats_free(a), floats_free(b), floats_free(c), floats_free(c3), floats_free(before),
        floats_free(bias);
}

static void all_variants(const cn_simd_table *t, int64_t m, int64_t n, int64_t k)
{
    for (int turned = 0; turned < 4; turned++) {
        const variant plain = { .a_turned = turned & 1, .b_turned = turned & 2 };
        variant full = plain;
        full.accumulate = full.bias = true;
        full.act = (cn_simd_act)((m + n + k + turned) % 4);
        full.gap = 3;
        check_product(t, m, n, k, plain);
        check_product(t, m, n, k, full);
    }
}

static void gemm_sizes(const cn_simd_table *t)
{
    static const int64_t some[] = { 1, 2, 5, 8, 14, 15, 16, 17, 31, 33, 47 };
    static const int64_t shapes[][3] = {
        { 0, 3, 3 },       { 3, 0, 3 },       { 3, 3, 0 },      { 256, 10, 784 }, { 10, 784, 256 },
        { 100, 100, 100 }, { 256, 256, 401 }, { 29, 700, 810 }, { 57, 65, 129 },  { 128, 321, 1 },
        { 300, 70, 50 },   { 1, 1000, 300 },  { 1000, 1, 300 }, { 64, 33, 400 },  { 145, 97, 17 },
    };
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        for (size_t j = 0; j < sizeof some / sizeof *some; j++)
            for (size_t p = 0; p < sizeof some / sizeof *some; p += 2)
                all_variants(t, some[i], some[j], some[p]);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        all_variants(t, shapes[i][0], shapes[i][1], shapes[i][2]);
}

void test_gemm(void **state)
{
    (void)state;
    each_table(gemm_sizes);
}

static void gemm_batches(const cn_simd_table *t)
{
    const int64_t size = 40 * 40, count = 50;
    float *a = floats(size * count), *b = floats(size * count), *c = floats(size * count);
    double *expected = calloc((size_t)(size * count), sizeof(double));
    cn_simd_gemm g = { .m = 40,
                       .n = 40,
                       .k = 40,
                       .a = a,
                       .a_row = 40,
                       .a_col = 1,
                       .b = b,
                       .b_row = 40,
                       .b_col = 1,
                       .c = c,
                       .c_row = 40,
                       .batch = count,
                       .a_batch = size,
                       .b_batch = size,
                       .c_batch = size };
    assert_true(t->gemm(&g, 2));
    for (int64_t i = 0; i < count; i++) {
        cn_simd_gemm one = g;
        one.a += i * size, one.b += i * size;
        reference(&one, expected + i * size);
    }
    check_close("batched gemm", c, expected, size * count, 1e-5);
    free(expected);
    floats_free(a), floats_free(b), floats_free(c);
}

void test_gemm_batched(void **state)
{
    (void)state;
    each_table(gemm_batches);
}
