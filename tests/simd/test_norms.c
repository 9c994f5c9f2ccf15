/* test_norms.c - layer and batch normalisation against plain loops in double. */
#include "simd_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Number k of group r: groups are the rows of layer normalisation or the channels of the batch's. */
typedef struct groups {
    const cn_simd_norm *p;
    bool layers;
    int64_t count, length;
} groups;

static groups groups_of(const cn_simd_norm *p, bool layers)
{
    return layers ? (groups){ p, true, p->n, p->size }
                  : (groups){ p, false, p->size, p->n * p->inner };
}

static int64_t place(const groups *g, int64_t r, int64_t k)
{
    const cn_simd_norm *p = g->p;
    if (g->layers) return r * p->size + k;
    return (k / p->inner * p->size + r) * p->inner + k % p->inner;
}

/* Which weight belongs to number k of group r. */
static int64_t channel(const groups *g, int64_t r, int64_t k)
{
    return g->layers ? k : r;
}

typedef struct expected {
    double *y, *mean, *rstd, *gx, *gw, *gb;
} expected;

static double *zeros(int64_t n)
{
    double *p = calloc((size_t)n, sizeof *p);
    assert_non_null(p);
    return p;
}

static void standardise(const groups *g, int64_t r, const float *x, expected *e)
{
    double mean = 0, squares = 0, n = (double)g->length;
    for (int64_t k = 0; k < g->length; k++) mean += (double)x[place(g, r, k)] / n;
    for (int64_t k = 0; k < g->length; k++) squares += pow((double)x[place(g, r, k)] - mean, 2);
    e->mean[r] = mean;
    e->rstd[r] = 1 / sqrt(squares / n + g->p->eps);
    for (int64_t k = 0; k < g->length; k++) {
        const int64_t at = place(g, r, k), c = channel(g, r, k);
        const double w = g->p->weight ? (double)g->p->weight[c] : 1;
        const double b = g->p->bias ? (double)g->p->bias[c] : 0;
        e->y[at] = ((double)x[at] - mean) * e->rstd[r] * w + b;
    }
}

static void differentiate(const groups *g, int64_t r, const float *gy, const float *x, expected *e)
{
    double level = 0, slope = 0, n = (double)g->length;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t k = 0; k < g->length; k++) {
            const int64_t at = place(g, r, k), c = channel(g, r, k);
            const double w = g->p->weight ? (double)g->p->weight[c] : 1;
            const double standard = ((double)x[at] - e->mean[r]) * e->rstd[r];
            const double v = (double)gy[at] * w;
            if (pass == 1) e->gx[at] = e->rstd[r] * (v - level / n - standard * slope / n);
            if (pass == 1) continue;
            level += v, slope += v * standard;
            e->gw[c] += (double)gy[at] * standard, e->gb[c] += (double)gy[at];
        }
}

/* ---- one shape ----------------------------------------------------------------------------- */

typedef struct results {
    float *y, *mean, *rstd, *gx, *gw, *gb;
} results;

static results run(const cn_simd_table *t, const groups *g, const float *gy, const float *x,
                   int threads)
{
    const cn_simd_norm *p = g->p;
    const int64_t n = p->n * p->size * p->inner;
    results r = { floats(n), floats(g->count), floats(g->count),
                  floats(n), floats(p->size),  floats(p->size) };
    const cn_simd_norm_grads out = { r.gx, r.gw, r.gb };
    if (g->layers) {
        t->layer_norm(p, r.y, r.mean, r.rstd, x, threads);
        assert_true(t->layer_norm_backward(p, &out, gy, x, r.mean, r.rstd, threads));
    } else {
        t->batch_norm(p, r.y, r.mean, r.rstd, x, threads);
        t->batch_norm_backward(p, &out, gy, x, r.mean, r.rstd, threads);
    }
    return r;
}

static void results_free(results *r)
{
    floats_free(r->y), floats_free(r->mean), floats_free(r->rstd);
    floats_free(r->gx), floats_free(r->gw), floats_free(r->gb);
}

/* Numbers around `offset` where groups are long enough not to be nearly equal by chance. */
static void check_norm(const cn_simd_table *t, const cn_simd_norm *p, bool layers, float offset)
{
    const groups g = groups_of(p, layers);
    if (g.length < 50) offset = 0;
    const int64_t n = p->n * p->size * p->inner;
    float *x = floats(n), *gy = floats(n);
    for (int64_t i = 0; i < n; i++) x[i] += offset;
    expected e = { zeros(n), zeros(g.count), zeros(g.count),
                   zeros(n), zeros(p->size), zeros(p->size) };
    for (int64_t r = 0; r < g.count; r++)
        standardise(&g, r, x, &e), differentiate(&g, r, gy, x, &e);
    results one = run(t, &g, gy, x, 1), three = run(t, &g, gy, x, 3);
    /* The mean is stored in float: of numbers far from 0 its rounding shows. */
    const double tol = 1e-5 + 1e-7 * (double)offset, sums = tol * sqrt((double)n);
    check_close("normalised", one.y, e.y, n, tol);
    check_close("mean", one.mean, e.mean, g.count, 1e-6);
    check_close("rstd", one.rstd, e.rstd, g.count, 1e-5);
    check_close("gradient", one.gx, e.gx, n, 2 * tol);
    check_close("gradient of the weight", one.gw, e.gw, p->size, sums);
    check_close("gradient of the bias", one.gb, e.gb, p->size, sums);
    check_same_bits("normalised", one.y, three.y, n);
    check_same_bits("gradient", one.gx, three.gx, n);
    check_same_bits("gradient of the weight", one.gw, three.gw, p->size);
    check_same_bits("gradient of the bias", one.gb, three.gb, p->size);
    results_free(&one), results_free(&three);
    free(e.y), free(e.mean), free(e.rstd), free(e.gx), free(e.gw), free(e.gb);
    floats_free(x), floats_free(gy);
}

static void norm_cases(const cn_simd_table *t)
{
    static const int64_t layers[][2] = { { 1, 2 },    { 7, 15 },    { 33, 16 },   { 5, 17 },
                                         { 3, 5000 }, { 5000, 33 }, { 300, 256 }, { 100003, 3 } };
    static const int64_t batches[][3] = { { 4, 3, 1 },   { 300, 17, 1 }, { 1000, 130, 1 },
                                          { 8, 16, 81 }, { 2, 1, 100 },  { 3, 5, 2400 },
                                          { 64, 3, 5 },  { 1, 2, 70001 } };
    for (int with = 0; with < 4; with++) {
        float *weight = floats(5000), *bias = floats(5000);
        cn_simd_norm p = { .eps = 0.01, .inner = 1 }; /* short rows may be nearly equal */
        p.weight = with & 1 ? weight : NULL, p.bias = with & 2 ? bias : NULL;
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
            p.n = layers[i][0], p.size = layers[i][1];
            check_norm(t, &p, true, with == 3 ? 100.0f : 0.0f);
        }
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
            p.n = batches[i][0], p.size = batches[i][1], p.inner = batches[i][2];
            check_norm(t, &p, false, with == 3 ? 100.0f : 0.0f);
        }
        floats_free(weight), floats_free(bias);
    }
}

/* ---- special numbers ----------------------------------------------------------------------- */

/* A NaN or an infinity spoils its own row or channel and no other; equal numbers become zeros. */
static void check_spoiled(const cn_simd_table *t, bool layers, int64_t inner, float poison)
{
    enum { N = 40, SIZE = 20 };
    const cn_simd_norm p = { .n = N, .size = SIZE, .inner = inner, .eps = 1e-5 };
    const groups g = groups_of(&p, layers);
    const int64_t n = N * SIZE * inner;
    float *x = floats(n), *gy = floats(n);
    x[place(&g, 3, 1)] = poison;
    for (int64_t k = 0; k < g.length; k++) x[place(&g, 5, k)] = 2.5f;
    results r = run(t, &g, gy, x, 2);
    for (int64_t group = 0; group < g.count; group++)
        for (int64_t k = 0; k < g.length; k++) {
            const float y = r.y[place(&g, group, k)], gx = r.gx[place(&g, group, k)];
            assert_true(isnan(y) == (group == 3) && isnan(gx) == (group == 3));
            assert_true(group != 5 || y == 0);
        }
    results_free(&r);
    floats_free(x), floats_free(gy);
}

static void special_cases(const cn_simd_table *t)
{
    static const float poison[] = { NAN, INFINITY, -INFINITY };
    for (int i = 0; i < 3; i++) {
        check_spoiled(t, true, 1, poison[i]);
        check_spoiled(t, false, 1, poison[i]);
        check_spoiled(t, false, 9, poison[i]);
    }
}

void test_norms(void **state)
{
    (void)state;
    each_table(norm_cases);
    each_table(special_cases);
}
