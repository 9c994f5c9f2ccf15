/* test_lanes.c - convolution with the batch in lanes, and pooling, against plain loops in double.
   */
#include "simd_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double *doubles(int64_t n)
{
    double *p = calloc((size_t)n + 1, sizeof *p);
    assert_non_null(p);
    return p;
}

static double activate(double x, cn_simd_act act)
{
    if (act == CN_SIMD_ACT_RELU) return x > 0 ? x : 0;
    if (act == CN_SIMD_ACT_SIGMOID) return 1 / (1 + exp(-x));
    return act == CN_SIMD_ACT_TANH ? tanh(x) : x;
}

static double slope(double y, cn_simd_act act)
{
    if (act == CN_SIMD_ACT_RELU) return y > 0;
    if (act == CN_SIMD_ACT_SIGMOID) return y * (1 - y);
    return act == CN_SIMD_ACT_TANH ? 1 - y * y : 1;
}

/* ---- one convolution, as a list of products (pixel, weight, output) ------------------------ */

typedef struct conv_sizes {
    int64_t h, w, out_h, out_w;
} conv_sizes;

static conv_sizes sizes(const cn_simd_lanes *c)
{
    conv_sizes s = { c->h + 2 * c->pad_h - c->kernel_h + 1, c->w + 2 * c->pad_w - c->kernel_w + 1,
                     0, 0 };
    const int64_t shrink = c->pool == CN_SIMD_LANES_NO_POOL ? 1 : 2;
    s.out_h = s.h / shrink;
    s.out_w = s.w / shrink;
    return s;
}

typedef void product_fn(void *context, int64_t x, int64_t weight, int64_t y);

static void products_of_output(const cn_simd_lanes *c, int64_t n, int64_t o, int64_t y, int64_t x,
                               int64_t out, product_fn *fn, void *context)
{
    for (int64_t i = 0; i < c->in_channels; i++)
        for (int64_t ky = 0; ky < c->kernel_h; ky++)
            for (int64_t kx = 0; kx < c->kernel_w; kx++) {
                const int64_t sy = y + ky - c->pad_h, sx = x + kx - c->pad_w;
                if (sy < 0 || sx < 0 || sy >= c->h || sx >= c->w) continue;
                fn(context, ((n * c->in_channels + i) * c->h + sy) * c->w + sx,
                   ((o * c->in_channels + i) * c->kernel_h + ky) * c->kernel_w + kx, out);
            }
}

static void each_product(const cn_simd_lanes *c, product_fn *fn, void *context)
{
    const conv_sizes s = sizes(c);
    int64_t out = 0;
    for (int64_t n = 0; n < c->n; n++)
        for (int64_t o = 0; o < c->out_channels; o++)
            for (int64_t y = 0; y < s.h; y++)
                for (int64_t x = 0; x < s.w; x++)
                    products_of_output(c, n, o, y, x, out++, fn, context);
}

typedef struct reference {
    const float *x, *weight;
    double *y; /* convolved, then activated */
    double *g; /* gradient there */
    double *gx, *gw;
} reference;

static void forward_product(void *context, int64_t x, int64_t w, int64_t y)
{
    reference *r = context;
    r->y[y] += (double)r->x[x] * (double)r->weight[w];
}

static void backward_product(void *context, int64_t x, int64_t w, int64_t y)
{
    reference *r = context;
    r->gx[x] += r->g[y] * (double)r->weight[w];
    r->gw[w] += r->g[y] * (double)r->x[x];
}

/* Pools y; with `g` not NULL sends grad the other way instead. */
static void pool2(const cn_simd_lanes *c, const double *y, double *pooled, const float *grad,
                  double *g)
{
    const conv_sizes s = sizes(c);
    for (int64_t p = 0; p < c->n * c->out_channels * s.out_h * s.out_w; p++) {
        const int64_t plane = p / (s.out_h * s.out_w), oy = p / s.out_w % s.out_h, ox = p % s.out_w;
        const int64_t corner = (plane * s.h + 2 * oy) * s.w + 2 * ox;
        const int64_t at[4] = { corner, corner + 1, corner + s.w, corner + s.w + 1 };
        int best = 0;
        double mean = 0;
        for (int i = 0; i < 4; i++) {
            mean += y[at[i]] / 4;
            if (y[at[i]] > y[at[best]]) best = i;
        }
        const bool average = c->pool == CN_SIMD_LANES_AVG2;
        if (pooled) pooled[p] = average ? mean : y[at[best]];
        for (int i = 0; g && i < 4; i++)
            g[at[i]] += average ? (double)grad[p] / 4 : i == best ? (double)grad[p] : 0;
    }
}

typedef struct lanes_case {
    const cn_simd_table *t;
    cn_simd_lanes c;
    conv_sizes s;
    int64_t x_size, w_size, conv_size, out_size;
    float *x, *w, *bias, *grad;
    char what[128];
} lanes_case;

static double *expected_forward(const lanes_case *k, double *activations)
{
    const cn_simd_lanes *c = &k->c;
    reference r = { .x = k->x, .weight = k->w, .y = activations };
    double *pooled = doubles(k->out_size);
    for (int64_t i = 0; i < k->conv_size; i++)
        r.y[i] = (double)k->bias[i / (k->s.h * k->s.w) % c->out_channels];
    each_product(c, forward_product, &r);
    for (int64_t i = 0; i < k->conv_size; i++) r.y[i] = activate(r.y[i], c->act);
    if (c->pool != CN_SIMD_LANES_NO_POOL) pool2(c, r.y, pooled, NULL, NULL);
    else
        for (int64_t i = 0; i < k->out_size; i++) pooled[i] = r.y[i];
    return pooled;
}

static void check_backward(const lanes_case *k, const double *y, const float *saved)
{
    const cn_simd_lanes *c = &k->c;
    reference r = { .x = k->x,
                    .weight = k->w,
                    .g = doubles(k->conv_size),
                    .gx = doubles(k->x_size),
                    .gw = doubles(k->w_size) };
    double *gb = doubles(c->out_channels);
    if (c->pool != CN_SIMD_LANES_NO_POOL) pool2(c, y, NULL, k->grad, r.g);
    else
        for (int64_t i = 0; i < k->out_size; i++) r.g[i] = (double)k->grad[i];
    for (int64_t i = 0; i < k->conv_size; i++) {
        r.g[i] *= slope(y[i], c->act);
        gb[i / (k->s.h * k->s.w) % c->out_channels] += r.g[i];
    }
    each_product(c, backward_product, &r);
    float *gx[2], *gw[2], *gbias[2];
    for (int i = 0; i < 2; i++) {
        gx[i] = floats(k->x_size), gw[i] = floats(k->w_size), gbias[i] = floats(c->out_channels);
        const cn_simd_lanes_grads out = { gx[i], gw[i], gbias[i] };
        assert_true(k->t->lanes_backward(c, &out, k->grad, k->x, k->w, saved, i ? 3 : 1));
    }
    check_close(k->what, gx[0], r.gx, k->x_size, 2e-5);
    check_close(k->what, gw[0], r.gw, k->w_size, 2e-4);
    check_close(k->what, gbias[0], gb, c->out_channels, 2e-4);
    check_same_bits(k->what, gx[0], gx[1], k->x_size);
    check_same_bits(k->what, gw[0], gw[1], k->w_size);
    for (int i = 0; i < 2; i++) floats_free(gx[i]), floats_free(gw[i]), floats_free(gbias[i]);
    free(r.g), free(r.gx), free(r.gw), free(gb);
}

static void check_lanes(const cn_simd_table *t, cn_simd_lanes c)
{
    lanes_case k = { .t = t, .c = c, .s = sizes(&c) };
    snprintf(k.what, sizeof k.what, "%s lanes n%d %d->%d, %dx%d, kernel %dx%d, act %d, pool %d",
             t->name, (int)c.n, (int)c.in_channels, (int)c.out_channels, (int)c.h, (int)c.w,
             (int)c.kernel_h, (int)c.kernel_w, (int)c.act, (int)c.pool);
    k.x_size = c.n * c.in_channels * c.h * c.w;
    k.w_size = c.out_channels * c.in_channels * c.kernel_h * c.kernel_w;
    k.conv_size = c.n * c.out_channels * k.s.h * k.s.w;
    k.out_size = c.n * c.out_channels * k.s.out_h * k.s.out_w;
    k.x = floats(k.x_size), k.w = floats(k.w_size), k.bias = floats(c.out_channels);
    k.grad = floats(k.out_size);
    float *y = floats(k.out_size), *saved = floats(t->lanes_saved_floats(&c)),
          *again = floats(k.out_size);
    double *activations = doubles(k.conv_size), *expected = expected_forward(&k, activations);
    assert_true(t->lanes_forward(&c, y, saved, k.x, k.w, k.bias, 1));
    assert_true(t->lanes_forward(&c, again, NULL, k.x, k.w, k.bias, 3));
    check_close(k.what, y, expected, k.out_size, 1e-5);
    check_same_bits(k.what, y, again, k.out_size);
    check_backward(&k, activations, saved);
    free(activations), free(expected);
    floats_free(k.x), floats_free(k.w), floats_free(k.bias), floats_free(k.grad);
    floats_free(y), floats_free(saved), floats_free(again);
}

static void lanes_cases(const cn_simd_table *t)
{
    static const cn_simd_lanes cases[] = {
        { 33, 1, 6, 28, 28, 5, 5, 2, 2, CN_SIMD_ACT_SIGMOID, CN_SIMD_LANES_AVG2 },
        { 33, 6, 16, 14, 14, 5, 5, 0, 0, CN_SIMD_ACT_SIGMOID, CN_SIMD_LANES_AVG2 },
        { 17, 3, 7, 9, 11, 3, 3, 1, 1, CN_SIMD_ACT_RELU, CN_SIMD_LANES_MAX2 },
        { 5, 2, 5, 8, 7, 3, 7, 1, 3, CN_SIMD_ACT_TANH, CN_SIMD_LANES_NO_POOL },
        { 20, 4, 1, 6, 6, 1, 1, 0, 0, CN_SIMD_ACT_NONE, CN_SIMD_LANES_MAX2 },
        { 600, 1, 2, 5, 4, 2, 4, 1, 2, CN_SIMD_ACT_RELU, CN_SIMD_LANES_NO_POOL },
        { 1, 15, 13, 4, 4, 4, 2, 0, 1, CN_SIMD_ACT_SIGMOID, CN_SIMD_LANES_NO_POOL },
        { 16, 2, 3, 12, 12, 11, 6, 5, 2, CN_SIMD_ACT_TANH, CN_SIMD_LANES_AVG2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_lanes(t, cases[i]);
    assert_true(t->lanes_accepts(&cases[0]));
    assert_true(t->lanes_accepts(&cases[1]));
    cn_simd_lanes wide = cases[0];
    wide.in_channels = 64;
    assert_false(t->lanes_accepts(&wide));
}

void test_lanes(void **state)
{
    (void)state;
    each_table(lanes_cases);
}

/* ---- pooling ------------------------------------------------------------------------------- */

typedef struct pooled {
    double *max, *avg, *max_gx, *avg_gx;
} pooled;

static void reference_window(const cn_simd_pool *p, int64_t out, const float *x, const float *g,
                             pooled *r)
{
    const int64_t plane = out / (p->out_h * p->out_w) * p->h * p->w;
    const int64_t y0 = out / p->out_w % p->out_h * p->stride_h - p->pad_h;
    const int64_t x0 = out % p->out_w * p->stride_w - p->pad_w;
    int64_t best = -1, real = 0, padded = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t y = y0; y < y0 + p->kernel_h; y++)
            for (int64_t i = x0; i < x0 + p->kernel_w; i++) {
                if (pass == 0 && y < p->h + p->pad_h && i < p->w + p->pad_w) padded++;
                if (y < 0 || i < 0 || y >= p->h || i >= p->w) continue;
                const int64_t at = plane + y * p->w + i;
                const int64_t size = p->count_include_pad ? padded : real;
                if (pass == 0 && (best < 0 || x[at] > x[best] || isnan(x[at]))) best = at;
                if (pass == 0) real++, r->avg[out] += (double)x[at];
                if (pass == 1) r->avg_gx[at] += (double)g[out] / (double)size;
            }
    r->max[out] = (double)x[best];
    r->max_gx[best] += (double)g[out];
    r->avg[out] /= (double)(p->count_include_pad ? padded : real);
}

static void check_pool(const cn_simd_table *t, const cn_simd_pool *p, bool with_nan)
{
    const int64_t in = p->planes * p->h * p->w, out = p->planes * p->out_h * p->out_w;
    float *x = floats(in), *g = floats(out), *y = floats(out), *gx = floats(in);
    pooled r = { doubles(out), doubles(out), doubles(in), doubles(in) };
    for (int64_t i = 0; with_nan && i < in; i++) /* NaN in pairs, blocks of -inf, some inf */
        x[i] = i % 37 < 2 ? NAN : i % 61 == 5 ? INFINITY : i / 3 % 5 == 0 ? -INFINITY : x[i];
    for (int64_t i = 0; i < out; i++) reference_window(p, i, x, g, &r);
    t->max_pool(p, y, x, 3);
    check_close("max_pool", y, r.max, out, 0);
    t->avg_pool(p, y, x, 3);
    check_close("avg_pool", y, r.avg, out, 1e-6);
    t->max_pool_backward(p, gx, g, x, 3);
    check_close("max_pool backward", gx, r.max_gx, in, 1e-6);
    t->avg_pool_backward(p, gx, g, 3);
    check_close("avg_pool backward", gx, r.avg_gx, in, 1e-6);
    free(r.max), free(r.avg), free(r.max_gx), free(r.avg_gx);
    floats_free(x), floats_free(g), floats_free(y), floats_free(gx);
}

static void pool_cases(const cn_simd_table *t)
{
    static const cn_simd_pool cases[] = {
        { 6, 28, 28, 14, 14, 2, 2, 2, 2, 0, 0, true },
        { 3, 9, 7, 4, 3, 2, 2, 2, 2, 0, 0, false },
        { 2, 4, 75, 2, 37, 2, 2, 2, 2, 0, 0, true },
        { 5, 23, 40, 12, 20, 3, 3, 2, 2, 1, 1, true },
        { 5, 23, 40, 12, 20, 3, 3, 2, 2, 1, 1, false },
        { 2, 12, 50, 12, 50, 3, 3, 1, 1, 1, 1, false },
        { 2, 30, 90, 9, 18, 4, 7, 3, 5, 0, 2, true },
        { 1, 8, 8, 1, 1, 8, 8, 8, 8, 0, 0, true },
        { 2, 10, 10, 5, 5, 3, 3, 2, 2, 0, 0, true },
        { 400, 13, 13, 6, 6, 3, 3, 2, 2, 0, 0, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_pool(t, &cases[i], false);
        check_pool(t, &cases[i], true);
    }
}

void test_pools(void **state)
{
    (void)state;
    each_table(pool_cases);
}
