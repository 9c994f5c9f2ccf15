/* test_kernels.c - the vector kernels of every instruction set at hand, against double
   arithmetic. */
#include "simd_test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t lengths[] = { 1, 3, 8, 15, 16, 17, 31, 63, 64, 65, 257, 40001, 100003 };
#define LENGTHS (sizeof lengths / sizeof *lengths)

/* ---- functions of one number --------------------------------------------------------------- */

static double exact(cn_simd_unary f, double x)
{
    switch (f) {
    case CN_SIMD_EXP: return exp(x);
    case CN_SIMD_LOG: return log(x);
    case CN_SIMD_TANH: return tanh(x);
    case CN_SIMD_SIGMOID: return 1 / (1 + exp(-x));
    case CN_SIMD_RELU: return x > 0 || isnan(x) ? x : 0;
    case CN_SIMD_ERF: return erf(x);
    case CN_SIMD_GELU: return x * 0.5 * (1 + erf(x * 0.70710678118654752));
    case CN_SIMD_GELU_TANH:
        return x * 0.5 * (1 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
    case CN_SIMD_MISH: return x * tanh(x > 20 ? x : log1p(exp(x)));
    case CN_SIMD_HARDSWISH: return x * (x < -3 ? 0 : x > 3 ? 1 : (x + 3) / 6);
    case CN_SIMD_SILU: return x / (1 + exp(-x));
    case CN_SIMD_SOFTPLUS: return x > 700 ? x : log1p(exp(x));
    case CN_SIMD_SQRT: return sqrt(x);
    case CN_SIMD_NEG: return -x;
    case CN_SIMD_ABS: return fabs(x);
    case CN_SIMD_UNARY_COUNT: break;
    }
    return (double)NAN;
}

/* Relative error, except that below `floor` only the absolute error counts. */
static void check_value(const cn_simd_table *t, int f, float x, float y, double tol, double floor)
{
    const double want = exact((cn_simd_unary)f, (double)x);
    if ((isnan(want) && isnan(y)) || (double)y == want || (float)want == y) return;
    const double error = fabs((double)y - want) / fmax(fabs(want), floor);
    if (!(error <= tol))
        fail_msg("%s: function %d of %.9g is %.9g, not %.9g", t->name, f, (double)x, (double)y,
                 want);
}

static void unary_values(const cn_simd_table *t)
{
    static const float special[] = { 0.0f,     -0.0f,     1.0f,    -1.0f,    NAN,
                                     INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_MIN,
                                     1e-40f,   88.7f,     88.8f,   -87.3f,   -100.0f,
                                     -104.0f,  200.0f,    0.625f,  0.5f,     4.0f,
                                     9.1f,     -9.1f,     1.5f,    1e-5f,    0.70710677f };
    enum { N = 100000, S = sizeof special / sizeof *special };
    float *x = floats(N), *y = floats(N);
    for (int f = 0; f < CN_SIMD_UNARY_COUNT; f++) {
        for (int i = 0; i < N; i++) {
            const float u = (float)i / N - 0.5f;
            x[i] = i < S ? special[i] : i % 3 == 0 ? u * 200 : i % 3 == 1 ? u * 8 : expf(u * 170);
        }
        t->unary((cn_simd_unary)f, y, x, N, 2);
        const bool cancels = f == CN_SIMD_GELU || f == CN_SIMD_GELU_TANH || f == CN_SIMD_HARDSWISH;
        /* Six roundings of 6e-8 each, and exp's own; whether two of them are one is the compiler's. */
        const double tol = f == CN_SIMD_MISH ? 5e-7 : 3e-7;
        for (int i = 0; i < N; i++) check_value(t, f, x[i], y[i], tol, cancels ? 1 : 1e-36);
    }
    floats_free(x), floats_free(y);
}

static void unary_lengths(const cn_simd_table *t)
{
    for (size_t i = 0; i < LENGTHS; i++) {
        float *x = floats(lengths[i]);
        t->unary(CN_SIMD_EXP, x, x, lengths[i], 3); /* in place, guards on both sides */
        floats_free(x);
    }
}

static void test_unary(void **state)
{
    (void)state;
    each_table(unary_values);
    each_table(unary_lengths);
}

/* ---- of two -------------------------------------------------------------------------------- */

static double exact2(int f, double x, double y)
{
    switch (f) {
    case CN_SIMD_ADD: return x + y;
    case CN_SIMD_SUB: return x - y;
    case CN_SIMD_MUL: return x * y;
    case CN_SIMD_DIV: return x / y;
    case CN_SIMD_MAX: return isnan(x) || isnan(y) ? (double)NAN : fmax(x, y);
    case CN_SIMD_MIN: return isnan(x) || isnan(y) ? (double)NAN : fmin(x, y);
    case CN_SIMD_LEAKY_RELU: return x > 0 ? x : x * y;
    case CN_SIMD_ELU: return x > 0 ? x : expm1(x) * y;
    case CN_SIMD_RELU_BACKWARD: return y > 0 ? x : 0;
    case CN_SIMD_SIGMOID_BACKWARD: return x * y * (1 - y);
    case CN_SIMD_TANH_BACKWARD: return x * (1 - y * y);
    default: return (double)NAN;
    }
}

static void check_binary(const cn_simd_table *t, int f, int64_t n)
{
    float *x = floats(n), *y = floats(n), *z = floats(n);
    double *want = malloc((size_t)n * sizeof *want);
    x[n / 2] = NAN;
    y[n - 1] = NAN;
    for (int64_t i = 0; i < n; i++) want[i] = exact2(f, (double)x[i], (double)y[i]);
    t->binary((cn_simd_binary)f, z, x, y, n, 2);
    check_close("binary", z, want, n, 1e-6);
    for (int64_t i = 0; i < n; i++) want[i] = exact2(f, (double)x[i], 0.75);
    t->binary_scalar((cn_simd_binary)f, z, x, 0.75f, false, n, 2);
    check_close("array and number", z, want, n, 1e-6);
    for (int64_t i = 0; i < n; i++) want[i] = exact2(f, 0.75, (double)x[i]);
    t->binary_scalar((cn_simd_binary)f, x, x, 0.75f, true, n, 2);
    check_close("number and array", x, want, n, 1e-6);
    free(want);
    floats_free(x), floats_free(y), floats_free(z);
}

/* A vector along the middle of three dimensions, on either side. */
static void check_along(const cn_simd_table *t, int f, const int64_t shape[3])
{
    const int64_t n = shape[0] * shape[1] * shape[2];
    float *x = floats(n), *v = floats(shape[1]), *z = floats(n);
    double *want = malloc((size_t)n * sizeof *want);
    v[shape[1] - 1] = NAN;
    for (int flipped = 0; flipped < 2; flipped++) {
        const cn_simd_along p = { z, x, v, shape[0], shape[1], shape[2], flipped == 1 };
        t->binary_along((cn_simd_binary)f, &p, 2);
        for (int64_t i = 0; i < n; i++) {
            const double a = (double)x[i], b = (double)v[i / shape[2] % shape[1]];
            want[i] = flipped ? exact2(f, b, a) : exact2(f, a, b);
        }
        check_close("array and vector", z, want, n, 1e-6);
    }
    free(want);
    floats_free(x), floats_free(v), floats_free(z);
}

static void binary_cases(const cn_simd_table *t)
{
    for (int f = 0; f < CN_SIMD_BINARY_COUNT; f++)
        for (size_t i = 0; i < LENGTHS; i++) check_binary(t, f, lengths[i]);
    static const int64_t shapes[][3] = { { 1, 1, 1 },    { 7, 1, 3 },    { 300, 17, 1 },
                                         { 5, 3, 49 },   { 2, 9, 100 },  { 1, 40001, 2 },
                                         { 70, 70, 16 }, { 1, 3, 40001 } };
    for (int f = 0; f < CN_SIMD_BINARY_COUNT; f++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_along(t, f, shapes[i]);
    float x[3] = { 1, 2, 3 }, y[3] = { 10, 20, 30 };
    t->axpy(y, 2.0f, x, y, 3, 1);
    assert_true(y[0] == 12 && y[1] == 24 && y[2] == 36);
}

static void test_binary(void **state)
{
    (void)state;
    each_table(binary_cases);
}

/* ---- derivatives of activations ------------------------------------------------------------ */

static double exact_slope(int f, double x, double p)
{
    const double s = 1 / (1 + exp(-x)), c = 0.79788456080286536;
    const double t =
        tanh(f == CN_SIMD_MISH_SLOPE ? x > 20 ? x : log1p(exp(x)) : c * (x + 0.044715 * x * x * x));
    switch (f) {
    case CN_SIMD_SILU_SLOPE: return s * (1 + x * (1 - s));
    case CN_SIMD_GELU_SLOPE:
        return 0.5 * (1 + erf(x * 0.70710678118654752)) + x * exp(-x * x / 2) * 0.39894228040143268;
    case CN_SIMD_GELU_TANH_SLOPE:
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x);
    case CN_SIMD_SOFTPLUS_SLOPE: return s;
    case CN_SIMD_MISH_SLOPE: return t + x * s * (1 - t * t);
    case CN_SIMD_HARDSWISH_SLOPE: return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5;
    case CN_SIMD_ELU_SLOPE: return x > 0 ? 1 : p * exp(x);
    case CN_SIMD_LEAKY_RELU_SLOPE: return x > 0 ? 1 : p;
    default: return (double)NAN;
    }
}

static void check_slope(const cn_simd_table *t, int f, int64_t n)
{
    static const float special[] = { NAN, INFINITY, 0.0f, -INFINITY, -0.0f, 3.0f, -3.0f, 100.0f };
    enum { S = sizeof special / sizeof *special };
    float *g = floats(n), *x = floats(n), *gx = floats(n);
    double *want = malloc((size_t)n * sizeof *want);
    for (int64_t i = 0; i < n; i++) {
        x[i] = i > n / 2 && i - n / 2 <= S ? special[i - n / 2 - 1] : x[i] * 8;
        want[i] = (double)g[i] * exact_slope(f, (double)x[i], 0.3);
    }
    t->slope((cn_simd_slope)f, 0.3f, gx, g, x, n, 2);
    check_close("slope", gx, want, n, 2e-6);
    t->slope((cn_simd_slope)f, 0.3f, g, g, x, n, 3);
    check_same_bits("slope in place", g, gx, n);
    free(want);
    floats_free(g), floats_free(x), floats_free(gx);
}

static void slope_cases(const cn_simd_table *t)
{
    for (int f = 0; f < CN_SIMD_SLOPE_COUNT; f++)
        for (size_t i = 0; i < LENGTHS; i++) check_slope(t, f, lengths[i]);
}

static void test_slopes(void **state)
{
    (void)state;
    each_table(slope_cases);
}

/* ---- sums ---------------------------------------------------------------------------------- */

static void check_sums(const cn_simd_table *t, int64_t rows, int64_t cols)
{
    const int64_t n = rows * cols;
    float *x = floats(n), *out = floats(rows + cols), *again = floats(cols);
    double *by_row = calloc((size_t)rows, sizeof(double)),
           *by_col = calloc((size_t)cols, sizeof(double));
    double all = 0;
    for (int64_t i = 0; i < n; i++) {
        by_row[i / cols] += (double)x[i];
        by_col[i % cols] += (double)x[i];
        all += (double)x[i];
    }
    const double tol = 1e-6 * sqrt((double)n) + 1e-6;
    assert_true(fabs(t->sum(x, n, 1) - all) <= tol && t->sum(x, n, 1) == t->sum(x, n, 3));
    t->row_sums(out, x, rows, cols, 3);
    check_close("row_sums", out, by_row, rows, tol);
    assert_true(t->column_sums(out, x, 1, rows, cols, 3) &&
                t->column_sums(again, x, 1, rows, cols, 1));
    check_close("column_sums", out, by_col, cols, tol);
    check_same_bits("column_sums", out, again, cols);
    free(by_row), free(by_col);
    floats_free(x), floats_free(out), floats_free(again);
}

static void check_batch_of_sums(const cn_simd_table *t)
{
    enum { BATCH = 37, ROWS = 19, COLS = 70 };
    float *x = floats(BATCH * ROWS * COLS), *out = floats(BATCH * COLS);
    double *want = calloc(BATCH * COLS, sizeof *want);
    for (int i = 0; i < BATCH * ROWS * COLS; i++)
        want[i / (ROWS * COLS) * COLS + i % COLS] += (double)x[i];
    assert_true(t->column_sums(out, x, BATCH, ROWS, COLS, 3));
    check_close("column_sums of many", out, want, BATCH * COLS, 1e-5);
    free(want);
    floats_free(x), floats_free(out);
}

static void sum_cases(const cn_simd_table *t)
{
    static const int64_t shapes[][2] = { { 1, 1 },     { 3, 7 },      { 256, 10 },
                                         { 256, 256 }, { 5000, 10 },  { 20000, 65 },
                                         { 7, 40001 }, { 1, 300000 }, { 300000, 1 } };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_sums(t, shapes[i][0], shapes[i][1]);
    check_batch_of_sums(t);
    assert_true(t->sum(NULL, 0, 1) == 0);
}

static void test_sums(void **state)
{
    (void)state;
    each_table(sum_cases);
}

/* ---- softmax and cross-entropy ------------------------------------------------------------- */

static double log_sum_exp(const float *x, int64_t n)
{
    double top = (double)-INFINITY, s = 0;
    for (int64_t i = 0; i < n; i++) top = fmax(top, (double)x[i]);
    for (int64_t i = 0; i < n; i++) s += exp((double)x[i] - top);
    return top + log(s);
}

static void check_softmax(const cn_simd_table *t, int64_t rows, int64_t cols)
{
    const int64_t n = rows * cols;
    float *x = floats(n), *g = floats(n), *y = floats(n), *out = floats(n);
    double *p = malloc((size_t)n * sizeof *p), *lp = malloc((size_t)n * sizeof *lp);
    double *gp = malloc((size_t)n * sizeof *gp), *glp = malloc((size_t)n * sizeof *glp);
    for (int64_t i = 0; i < n; i++) x[i] *= 30;
    for (int64_t r = 0; r < n; r += cols) {
        const double total = log_sum_exp(x + r, cols);
        double gy = 0, g_sum = 0;
        for (int64_t i = r; i < r + cols; i++) {
            lp[i] = (double)x[i] - total, p[i] = exp(lp[i]);
            gy += (double)g[i] * p[i], g_sum += (double)g[i];
        }
        for (int64_t i = r; i < r + cols; i++) {
            gp[i] = p[i] * ((double)g[i] - gy), glp[i] = (double)g[i] - p[i] * g_sum;
        }
    }
    t->softmax(y, x, rows, cols, 3);
    check_close("softmax", y, p, n, 1e-6);
    t->softmax_backward(out, g, y, rows, cols, 3);
    check_close("softmax backward", out, gp, n, 2e-6);
    t->log_softmax(x, x, rows, cols, 3);
    check_close("log_softmax", x, lp, n, 1e-6);
    t->log_softmax_backward(out, g, x, rows, cols, 3);
    check_close("log_softmax backward", out, glp, n, 2e-5);
    free(p), free(lp), free(gp), free(glp);
    floats_free(x), floats_free(g), floats_free(y), floats_free(out);
}

static void check_xent(const cn_simd_table *t, int64_t rows, int64_t cols, bool mean)
{
    const int64_t n = rows * cols;
    float *x = floats(n), *grad = floats(n);
    int64_t *target = malloc((size_t)rows * sizeof *target), counted = 0;
    double *want = calloc((size_t)n, sizeof *want), loss = 0, got = 0, threaded = 0;
    for (int64_t r = 0; r < rows; r++) {
        target[r] = r % 5 == 4 ? -100 : r * 7 % cols;
        counted += target[r] >= 0;
    }
    for (int64_t r = 0; r < rows; r++) {
        if (target[r] < 0) continue;
        const double total = log_sum_exp(x + r * cols, cols),
                     scale = mean ? 1.0 / (double)counted : 1;
        loss += scale * (total - (double)x[r * cols + target[r]]);
        for (int64_t i = 0; i < cols; i++)
            want[r * cols + i] = scale * (exp((double)x[r * cols + i] - total) - (i == target[r]));
    }
    cn_simd_xent job = { .logits = x,
                         .target = target,
                         .rows = rows,
                         .classes = cols,
                         .ignore_index = -100,
                         .mean = mean };
    assert_true(t->cross_entropy(&job, &threaded, 3));
    job.grad = grad;
    assert_true(t->cross_entropy(&job, &got, 1));
    assert_true(got == threaded && fabs(got - loss) <= 1e-6 * fmax(1, fabs(loss)));
    check_close("cross_entropy gradient", grad, want, n, 1e-6);
    target[rows - 1] = cols;
    assert_false(t->cross_entropy(&job, &got, 1));
    free(target), free(want);
    floats_free(x), floats_free(grad);
}

/* What is -inf has no share and hands on no gradient; without anything above -inf, with inf or NaN,
   a row is NaN. Its neighbours are not touched. */
static void check_softmax_specials(const cn_simd_table *t, int64_t cols)
{
    enum { ROWS = 6 };
    static const float special[ROWS] = { 0, -INFINITY, INFINITY, NAN, -INFINITY, 0 };
    const int64_t n = ROWS * cols;
    float *x = floats(n), *g = floats(n), *y = floats(n), *log_y = floats(n), *gx = floats(n);
    for (int64_t i = 0; i < cols; i++) x[4 * cols + i] = -INFINITY;
    for (int64_t r = 1; r < 4; r++) x[r * cols + cols / 2] = special[r];
    t->softmax(y, x, ROWS, cols, 1);
    t->log_softmax(log_y, x, ROWS, cols, 1);
    t->softmax_backward(gx, g, y, ROWS, cols, 1);
    for (int64_t i = 0; i < n; i++) {
        const int64_t r = i / cols;
        const bool spoiled = r == 2 || r == 3 || r == 4;
        assert_true(isnan(y[i]) == spoiled && isnan(log_y[i]) == spoiled &&
                    isnan(gx[i]) == spoiled);
        if (r != 1 || i % cols != cols / 2) continue;
        assert_true(y[i] == 0 && log_y[i] == -INFINITY && gx[i] == 0);
    }
    t->log_softmax_backward(gx, g, log_y, ROWS, cols, 1);
    assert_true(gx[cols + cols / 2] == g[cols + cols / 2]);
    floats_free(x), floats_free(g), floats_free(y), floats_free(log_y), floats_free(gx);
}

static void softmax_cases(const cn_simd_table *t)
{
    check_softmax_specials(t, 3);
    check_softmax_specials(t, 16);
    check_softmax_specials(t, 37);
    static const int64_t shapes[][2] = { { 1, 1 },  { 256, 10 },  { 3, 16 },
                                         { 3, 17 }, { 70, 1000 }, { 30000, 3 } };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        check_softmax(t, shapes[i][0], shapes[i][1]);
        check_xent(t, shapes[i][0], shapes[i][1], true);
        check_xent(t, shapes[i][0], shapes[i][1], false);
    }
}

static void test_softmax(void **state)
{
    (void)state;
    each_table(softmax_cases);
}

/* ---- the largest and the smallest ------------------------------------------------------------ */

static int64_t place_of_best(const float *x, int64_t size, int64_t inner, bool smallest)
{
    int64_t best = 0;
    for (int64_t i = 1; i < size && !isnan(x[best * inner]); i++) {
        const float v = x[i * inner], top = x[best * inner];
        if ((smallest ? v < top : v > top) || isnan(v)) best = i;
    }
    return best;
}

static void check_extremes(const cn_simd_table *t, float *x, int64_t outer, int64_t size,
                           int64_t inner)
{
    float *values = floats(outer * inner);
    int64_t *places = malloc((size_t)(outer * inner) * sizeof *places);
    for (int smallest = 0; smallest < 2; smallest++) {
        cn_simd_extremes e = { x, outer, size, inner, smallest == 1, values, places };
        t->extremes(&e, 3);
        e.places = NULL;
        for (int again = 0; again < 2; again++, t->extremes(&e, 1))
            for (int64_t i = 0; i < outer * inner; i++) {
                const float *line = x + i / inner * size * inner + i % inner;
                const int64_t at = place_of_best(line, size, inner, smallest == 1);
                const float want = line[at * inner];
                assert_int_equal(places[i], at);
                assert_true(values[i] == want || (isnan(values[i]) && isnan(want)));
            }
    }
    free(places);
    floats_free(values);
}

/* Whole and with ties, infinities and a few NaN. */
static void extreme_cases(const cn_simd_table *t)
{
    static const int64_t shapes[][3] = { { 1, 1, 1 },    { 3, 17, 1 },  { 1, 100003, 1 },
                                         { 5, 9001, 1 }, { 2, 33, 5 },  { 1, 40, 1100 },
                                         { 3, 7, 513 },  { 70, 64, 1 }, { 1, 3, 16 } };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const int64_t n = shapes[s][0] * shapes[s][1] * shapes[s][2];
        float *x = floats(n);
        for (int kind = 0; kind < 4; kind++) {
            for (int64_t i = 0; i < n && kind == 1; i++) x[i] = (float)(i * 7 % 3);
            for (int64_t i = 0; i < n && kind == 2; i += 11) x[i] = i % 2 ? INFINITY : NAN;
            for (int64_t i = 0; i < n && kind == 3; i++) x[i] = i % 5 ? -INFINITY : -0.0f;
            check_extremes(t, x, shapes[s][0], shapes[s][1], shapes[s][2]);
        }
        floats_free(x);
    }
}

static void test_extremes(void **state)
{
    (void)state;
    each_table(extreme_cases);
}

/* ---- dropout ------------------------------------------------------------------------------- */

static uint32_t philox_word(const cn_simd_philox *r, uint64_t i)
{
    const uint64_t position = r->position + i / 4;
    uint32_t c[4] = { (uint32_t)position, (uint32_t)(position >> 32), (uint32_t)r->stream,
                      (uint32_t)(r->stream >> 32) };
    uint32_t k[2] = { (uint32_t)r->seed, (uint32_t)(r->seed >> 32) };
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)0xD2511F53u * c[0], b = (uint64_t)0xCD9E8D57u * c[2];
        const uint32_t next[4] = { (uint32_t)(b >> 32) ^ c[1] ^ k[0], (uint32_t)b,
                                   (uint32_t)(a >> 32) ^ c[3] ^ k[1], (uint32_t)a };
        memcpy(c, next, sizeof c);
        k[0] += 0x9E3779B9u, k[1] += 0xBB67AE85u;
    }
    return c[i % 4];
}

static void check_dropout(const cn_simd_table *t, const cn_simd_philox *rng, double p, int64_t n)
{
    float *x = floats(n), *y = floats(n), *gx = floats(n);
    double *want = malloc((size_t)n * sizeof *want);
    uint8_t *mask = malloc((size_t)n);
    t->dropout(rng, p, y, mask, x, n, 3);
    t->dropout_backward(p, gx, x, mask, n, 3);
    for (int64_t i = 0; i < n; i++) {
        const bool keep = p < 1 && philox_word(rng, (uint64_t)i) >= p * 4294967296.0 - 1e-9;
        if (mask[i] != keep) fail_msg("dropout %g: mask %lld is %d", p, (long long)i, mask[i]);
        want[i] = keep ? (double)x[i] / (1 - p) : 0;
    }
    check_close("dropout", y, want, n, 1e-6);
    check_close("dropout backward", gx, want, n, 1e-6);
    free(want), free(mask);
    floats_free(x), floats_free(y), floats_free(gx);
}

static void dropout_cases(const cn_simd_table *t)
{
    static const cn_simd_philox keys[] = {
        { 0, 0, 0 },
        { 42, 7, 0xfffffff5u },
        { UINT64_C(0x123456789abcdef0), UINT64_C(0xfedcba9876543210), UINT64_C(0xffffffffffffff) }
    };
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        for (size_t i = 0; i < LENGTHS; i++) {
            check_dropout(t, &keys[k], 0.5, lengths[i]);
            check_dropout(t, &keys[k], 0.1, lengths[i]);
        }
    check_dropout(t, &keys[1], 0.0, 100);
    check_dropout(t, &keys[1], 1.0, 100);
}

static void test_dropout(void **state)
{
    (void)state;
    each_table(dropout_cases);
}

/* ---- choice -------------------------------------------------------------------------------- */

static void test_select(void **state)
{
    (void)state;
    setenv("CENOTE_ISA", "none", 1);
    assert_null(cn_simd_select());
    unsetenv("CENOTE_ISA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unary),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_slopes),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_gemm),
        cmocka_unit_test(test_gemm_batched),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_norms),
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_winograd_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
