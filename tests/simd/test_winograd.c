/* test_winograd.c - Winograd's method against the convolution's definition in double. */
#include "simd_test.h"

#include <cenote/cenote.h>

#include <math.h>
#include <stdlib.h>

enum { K = CN_WINOGRAD_KERNEL };
#define TOLERANCE 1.5e-5 /* of the largest result; 7e-6 was the worst seen */

/* Everything of one convolution, images in rows. */
typedef struct conv {
    cn_simd_winograd p;
    int64_t n_x, n_y, n_w; /* elements */
    float *x, *w, *bias, *arriving;
    double *y, *grad_x, *grad_w; /* by definition */
} conv;

static double *doubles(int64_t n)
{
    double *p = calloc((size_t)n, sizeof *p);
    assert_non_null(p);
    return p;
}

/* What one channel of an image has to do with one of the results. */
static void add_plane(conv *c, int64_t x, int64_t w, int64_t y)
{
    const cn_simd_winograd *p = &c->p;
    for (int64_t i = 0; i < p->out_h * p->out_w; i++)
        for (int64_t k = 0; k < K * K; k++) {
            const int64_t row = i / p->out_w + k / K - p->pad_h,
                          col = i % p->out_w + k % K - p->pad_w, at = x + row * p->w + col;
            if (row < 0 || col < 0 || row >= p->h || col >= p->w) continue;
            c->y[y + i] += (double)c->x[at] * (double)c->w[w + k];
            c->grad_x[at] += (double)c->arriving[y + i] * (double)c->w[w + k];
            c->grad_w[w + k] += (double)c->arriving[y + i] * (double)c->x[at];
        }
}

static void define(conv *c)
{
    const cn_simd_winograd *p = &c->p;
    const int64_t pixels = p->h * p->w, results = p->out_h * p->out_w;
    for (int64_t n = 0; n < p->images; n++)
        for (int64_t o = 0; o < p->out_channels; o++) {
            const int64_t y = (n * p->out_channels + o) * results;
            for (int64_t i = 0; i < p->in_channels; i++)
                add_plane(c, (n * p->in_channels + i) * pixels, (o * p->in_channels + i) * K * K,
                          y);
            for (int64_t i = 0; i < results; i++) c->y[y + i] += (double)c->bias[o];
        }
}

static conv make_conv(cn_simd_winograd p)
{
    p.out_h = p.h + 2 * p.pad_h - K + 1, p.out_w = p.w + 2 * p.pad_w - K + 1;
    conv c = { .p = p,
               .n_x = p.images * p.in_channels * p.h * p.w,
               .n_y = p.images * p.out_channels * p.out_h * p.out_w,
               .n_w = p.out_channels * p.in_channels * K * K };
    c.x = floats(c.n_x), c.w = floats(c.n_w), c.arriving = floats(c.n_y);
    c.bias = floats(p.out_channels);
    c.y = doubles(c.n_y), c.grad_x = doubles(c.n_x), c.grad_w = doubles(c.n_w);
    define(&c);
    c.p.weight = c.w;
    return c;
}

static void drop_conv(conv *c)
{
    floats_free(c->x), floats_free(c->w), floats_free(c->arriving), floats_free(c->bias);
    free(c->y), free(c->grad_x), free(c->grad_w);
}

/* ---- blocks -------------------------------------------------------------------------------- */

/* Images between rows and blocks of `width` channels. */
static float *reorder(const float *from, int64_t n, int64_t pixels, int64_t width, bool to_blocks)
{
    float *to = floats(n);
    for (int64_t i = 0; i < n; i++) {
        const int64_t channel = i / pixels,
                      at = (channel / width * pixels + i % pixels) * width + channel % width;
        to[to_blocks ? at : i] = from[to_blocks ? i : at];
    }
    return to;
}

static void check(const char *what, const float *actual, const double *expected, int64_t n)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(expected[i]));
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)actual[i] - expected[i]) <= TOLERANCE * largest))
            fail_msg("%s: element %lld is %.9g, not %.9g", what, (long long)i, (double)actual[i],
                     expected[i]);
}

static void check_blocks(const char *what, float *blocks, const double *expected, int64_t n,
                         int64_t pixels, int64_t width)
{
    float *rows = reorder(blocks, n, pixels, width, false);
    check(what, rows, expected, n);
    floats_free(rows), floats_free(blocks);
}

/* ---- the three passes, in one thread and in several ---------------------------------------- */

static float *same_in_threads(const cn_simd_table *t, const cn_simd_winograd *p, int64_t n,
                              const float *x, const float *bias)
{
    float *y = floats(n), *again = floats(n);
    assert_true(t->winograd(p, y, x, bias, 1) && t->winograd(p, again, x, bias, 3));
    check_same_bits("winograd", y, again, n);
    floats_free(again);
    return y;
}

static void check_forward(const cn_simd_table *t, const conv *c)
{
    const int64_t pixels = c->p.h * c->p.w, results = c->p.out_h * c->p.out_w;
    float *x = reorder(c->x, c->n_x, pixels, t->width, true);
    check_blocks("forward", same_in_threads(t, &c->p, c->n_y, x, c->bias), c->y, c->n_y, results,
                 t->width);
    floats_free(x);
}

static void check_input_gradient(const cn_simd_table *t, const conv *c)
{
    const cn_simd_winograd *p = &c->p;
    const cn_simd_winograd back = { .images = p->images,
                                    .in_channels = p->out_channels,
                                    .out_channels = p->in_channels,
                                    .h = p->out_h,
                                    .w = p->out_w,
                                    .out_h = p->h,
                                    .out_w = p->w,
                                    .pad_h = K - 1 - p->pad_h,
                                    .pad_w = K - 1 - p->pad_w,
                                    .turned = true,
                                    .weight = c->w };
    float *arriving = reorder(c->arriving, c->n_y, p->out_h * p->out_w, t->width, true);
    check_blocks("gradient of the input", same_in_threads(t, &back, c->n_x, arriving, NULL),
                 c->grad_x, c->n_x, p->h * p->w, t->width);
    floats_free(arriving);
}

static void check_weight_gradient(const cn_simd_table *t, const conv *c)
{
    const cn_simd_winograd *p = &c->p;
    float *x = reorder(c->x, c->n_x, p->h * p->w, t->width, true),
          *arriving = reorder(c->arriving, c->n_y, p->out_h * p->out_w, t->width, true),
          *grad = floats(c->n_w), *again = floats(c->n_w);
    assert_true(t->winograd_weight(p, grad, x, arriving, 1));
    assert_true(t->winograd_weight(p, again, x, arriving, 3));
    check_same_bits("gradient of the weight", grad, again, c->n_w);
    check("gradient of the weight", grad, c->grad_w, c->n_w);
    floats_free(x), floats_free(arriving), floats_free(grad), floats_free(again);
}

/* Sides that tiles do not divide, single images, images smaller than a tile and as small as a
   kernel, all paddings, numbers of channels that do not fill strips, more tiles than one group. */
static void passes(const cn_simd_table *t)
{
    static const struct {
        int64_t images, in, out, h, w, pad_h, pad_w;
    } cases[] = { { 1, 16, 16, 9, 11, 0, 0 },  { 1, 32, 48, 8, 7, 1, 1 },
                  { 1, 16, 32, 13, 14, 2, 2 }, { 3, 48, 16, 7, 9, 2, 2 },
                  { 5, 16, 16, 6, 5, 0, 1 },   { 2, 16, 80, 5, 5, 0, 0 },
                  { 2, 32, 16, 1, 3, 2, 2 },   { 2, 16, 16, 4, 6, 4, 3 },
                  { 1, 16, 16, 31, 33, 2, 2 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        conv c = make_conv((cn_simd_winograd){ .images = cases[i].images,
                                               .in_channels = cases[i].in,
                                               .out_channels = cases[i].out,
                                               .h = cases[i].h,
                                               .w = cases[i].w,
                                               .pad_h = cases[i].pad_h,
                                               .pad_w = cases[i].pad_w });
        check_forward(t, &c);
        check_input_gradient(t, &c);
        check_weight_gradient(t, &c);
        drop_conv(&c);
    }
}

void test_winograd(void **state)
{
    (void)state;
    each_table(passes);
}

/* ---- memory -------------------------------------------------------------------------------- */

/* Does it do with so much of the library's memory? What was held before is held after. */
static bool does_with(const cn_simd_table *t, const conv *c, size_t bytes, bool gradient)
{
    enum { THREADS = 2 };
    float *to = gradient ? floats(c->n_w) : floats(c->n_y);
    const size_t live = cn_memory().live_bytes;
    cn_set_memory_limit(live + bytes);
    const bool ok = gradient ? t->winograd_weight(&c->p, to, c->x, c->arriving, THREADS)
                             : t->winograd(&c->p, to, c->x, c->bias, THREADS);
    cn_set_memory_limit(0);
    assert_int_equal(cn_memory().live_bytes, live);
    assert_int_equal(cn_error_code(), ok ? CN_OK : CN_ENOMEM);
    cn_error_clear();
    floats_free(to);
    return ok;
}

/* As simd_table.h states it, however many images there are, and roundings of the allocator. */
static void bounds(const cn_simd_table *t)
{
    for (int64_t images = 1; images <= 16; images *= 16) {
        conv c = make_conv((cn_simd_winograd){ .images = images,
                                               .in_channels = 64,
                                               .out_channels = 64,
                                               .h = 12,
                                               .w = 12,
                                               .pad_h = 2,
                                               .pad_w = 2 });
        const size_t weights = (size_t)c.n_w * sizeof(float) * 36 / 25, groups = 2 * 1600000,
                     rounding = 1 << 18;
        assert_true(does_with(t, &c, weights + groups + rounding, false));
        assert_true(does_with(t, &c, 48000000 + groups + rounding, true));
        assert_false(does_with(t, &c, 1 << 16, false) || does_with(t, &c, 1 << 16, true));
        assert_false(does_with(t, &c, weights + (1 << 16), false)); /* what the threads need */
        drop_conv(&c);
    }
}

void test_winograd_memory(void **state)
{
    (void)state;
    each_table(bounds);
}
