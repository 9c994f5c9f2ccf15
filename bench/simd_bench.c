/* simd_bench.c - speed of the vector kernels, and what share of the machine's peak that is.
   usage: simd_bench [threads] */
#include "backends/simd/simd_table.h"
#include "core/threads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const cn_simd_table *table;
static int threads;
static double peak; /* floating-point operations per second of one thread */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *numbers(int64_t n)
{
    float *p = aligned_alloc(64, ((size_t)n * sizeof *p + 127) / 64 * 64);
    if (!p) exit(EXIT_FAILURE);
    for (int64_t i = 0; i < n; i++) p[i] = (float)(i * 7919 % 1000) / 500.0f - 1.0f;
    return p;
}

typedef void work_fn(void *context);

/* The best of many repetitions, in seconds. */
static double best_time(work_fn *work, void *context)
{
    double best = (double)INFINITY;
    const double end = now() + 0.15;
    for (int i = 0; i < 3 || now() < end; i++) {
        const double start = now();
        for (int again = 0; again < 8; again++) work(context);
        best = fmin(best, (now() - start) / 8);
    }
    return best;
}

static void report(const char *name, double seconds, double flops, double bytes)
{
    printf("%-34s %9.2f us", name, 1e6 * seconds);
    if (flops > 0)
        printf("  %7.1f GF/s  %4.0f %%", 1e-9 * flops / seconds,
               100 * flops / seconds / peak / threads);
    if (bytes > 0) printf("  %7.1f GB/s", 1e-9 * bytes / seconds);
    printf("\n");
}

/* ---- matrix products ----------------------------------------------------------------------- */

static void run_gemm(void *g)
{
    if (!table->gemm(g, threads)) exit(EXIT_FAILURE);
}

static void bench_gemm(int64_t m, int64_t k, int64_t n, bool a_turned, bool b_turned)
{
    float *a = numbers(m * k), *b = numbers(k * n), *c = numbers(m * n);
    cn_simd_gemm g = { .m = m,
                       .n = n,
                       .k = k,
                       .a = a,
                       .b = b,
                       .c = c,
                       .c_row = n,
                       .batch = 1,
                       .a_row = a_turned ? 1 : k,
                       .a_col = a_turned ? m : 1,
                       .b_row = b_turned ? 1 : n,
                       .b_col = b_turned ? k : 1 };
    char name[64];
    snprintf(name, sizeof name, "gemm %c%c %lldx%lld->%lld", a_turned ? 'T' : 'N',
             b_turned ? 'T' : 'N', (long long)m, (long long)k, (long long)n);
    report(name, best_time(run_gemm, &g), 2.0 * (double)(m * n * k), 0);
    free(a), free(b), free(c);
}

static void bench_gemms(void)
{
    static const int64_t shapes[][3] = { { 256, 784, 256 }, { 784, 256, 256 }, { 256, 784, 10 },
                                         { 256, 256, 10 },  { 10, 256, 784 },  { 256, 10, 256 },
                                         { 256, 400, 120 }, { 32, 256, 1024 }, { 512, 512, 512 } };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int64_t *s = shapes[i];
        bench_gemm(s[0], s[1], s[2], false, false);
        bench_gemm(s[0], s[1], s[2], false, true);
        bench_gemm(s[0], s[1], s[2], true, false);
    }
    bench_gemm(4, 4, 4, false, false);
    bench_gemm(16, 16, 16, false, false);
    bench_gemm(16, 16, 16, false, true);
}

/* ---- LeNet's two blocks -------------------------------------------------------------------- */

typedef struct lanes_bench {
    cn_simd_lanes c;
    float *x, *w, *y, *saved, *gx, *gw, *gb;
    bool want_gx;
} lanes_bench;

static void run_forward(void *context)
{
    lanes_bench *b = context;
    if (!table->lanes_forward(&b->c, b->y, b->saved, b->x, b->w, b->w, threads)) exit(EXIT_FAILURE);
}

static void run_backward(void *context)
{
    lanes_bench *b = context;
    const cn_simd_lanes_grads out = { b->want_gx ? b->gx : NULL, b->gw, b->gb };
    if (!table->lanes_backward(&b->c, &out, b->y, b->x, b->w, b->saved, threads))
        exit(EXIT_FAILURE);
}

static void bench_lanes(const char *name, cn_simd_lanes c, bool want_gx)
{
    const int64_t conv_h = c.h + 2 * c.pad_h - c.kernel_h + 1,
                  conv_w = c.w + 2 * c.pad_w - c.kernel_w + 1;
    const int64_t x = c.n * c.in_channels * c.h * c.w, y = c.n * c.out_channels * conv_h * conv_w;
    const int64_t w = c.out_channels * c.in_channels * c.kernel_h * c.kernel_w;
    const double flops = 2.0 * (double)(y * c.in_channels * c.kernel_h * c.kernel_w);
    lanes_bench b = { c,
                      numbers(x),
                      numbers(w),
                      numbers(y),
                      numbers(table->lanes_saved_floats(&c)),
                      numbers(x),
                      numbers(w),
                      numbers(c.out_channels),
                      want_gx };
    char line[64];
    snprintf(line, sizeof line, "%s forward", name);
    report(line, best_time(run_forward, &b), flops, 0);
    snprintf(line, sizeof line, "%s backward", name);
    report(line, best_time(run_backward, &b), want_gx ? 2 * flops : flops, 0);
    free(b.x), free(b.w), free(b.y), free(b.saved), free(b.gx), free(b.gw), free(b.gb);
}

/* ---- element by element -------------------------------------------------------------------- */

typedef struct array_bench {
    float *x, *y, *z;
    uint8_t *mask;
    int64_t n, rows, cols;
    cn_simd_unary f;
    int64_t *target;
} array_bench;

static void run_unary(void *c)
{
    array_bench *b = c;
    table->unary(b->f, b->y, b->x, b->n, threads);
}

static void run_add(void *c)
{
    array_bench *b = c;
    table->binary(CN_SIMD_ADD, b->z, b->x, b->y, b->n, threads);
}

static void run_dropout(void *c)
{
    array_bench *b = c;
    const cn_simd_philox rng = { 1, 2, 3 };
    table->dropout(&rng, 0.5, b->y, b->mask, b->x, b->n, threads);
}

static void run_softmax(void *c)
{
    array_bench *b = c;
    table->softmax(b->y, b->x, b->rows, b->cols, threads);
}

static void run_xent(void *c)
{
    array_bench *b = c;
    double loss;
    const cn_simd_xent x = { .logits = b->x,
                             .target = b->target,
                             .rows = b->rows,
                             .classes = b->cols,
                             .ignore_index = -100,
                             .mean = true,
                             .grad = b->y };
    if (!table->cross_entropy(&x, &loss, threads)) exit(EXIT_FAILURE);
}

static void run_max_pool(void *c)
{
    array_bench *b = c;
    const cn_simd_pool p = { b->n / 784, 28, 28, 14, 14, 2, 2, 2, 2, 0, 0, true };
    table->max_pool(&p, b->y, b->x, threads);
}

static void run_avg_pool(void *c)
{
    array_bench *b = c;
    const cn_simd_pool p = { b->n / 784, 28, 28, 14, 14, 3, 3, 2, 2, 1, 1, true };
    table->avg_pool(&p, b->y, b->x, threads);
}

static void run_sum(void *c)
{
    array_bench *b = c;
    b->y[0] = (float)table->sum(b->x, b->n, threads);
}

static void run_column_sums(void *c)
{
    array_bench *b = c;
    if (!table->column_sums(b->y, b->x, 1, b->n / 294, 294, threads)) exit(EXIT_FAILURE);
}

static void run_add_channels(void *c)
{
    array_bench *b = c;
    const cn_simd_along p = { b->z, b->x, b->y, b->n / 4704, 6, 784, false };
    table->binary_along(CN_SIMD_ADD, &p, threads);
}

/* Gradients of the weight and the bias go where the statistics do not lie. */
enum { MEAN = 0, RSTD = 8192, WEIGHT = 16384, BIAS = 24576 };

static const cn_simd_norm layers = { 4096, 294, 1, NULL, NULL, 1e-5 },
                          batch = { 256, 6, 784, NULL, NULL, 1e-5 };

static void run_layer_norm(void *c)
{
    array_bench *b = c;
    table->layer_norm(&layers, b->y, b->z + MEAN, b->z + RSTD, b->x, threads);
}

static void run_layer_norm_backward(void *c)
{
    array_bench *b = c;
    const cn_simd_norm_grads out = { b->y, b->z + WEIGHT, b->z + BIAS };
    if (!table->layer_norm_backward(&layers, &out, b->x, b->x, b->z + MEAN, b->z + RSTD, threads))
        exit(EXIT_FAILURE);
}

static void run_batch_norm(void *c)
{
    array_bench *b = c;
    table->batch_norm(&batch, b->y, b->z + MEAN, b->z + RSTD, b->x, threads);
}

static void run_batch_norm_backward(void *c)
{
    array_bench *b = c;
    const cn_simd_norm_grads out = { b->y, b->z + WEIGHT, b->z + BIAS };
    table->batch_norm_backward(&batch, &out, b->x, b->x, b->z + MEAN, b->z + RSTD, threads);
}

/* Everything over 1.2 M numbers: 4096 rows of 294, 256 pictures of 6 x 28 x 28. */
static void bench_arrays(void)
{
    static const struct {
        const char *name;
        work_fn *work;
        cn_simd_unary f;
        double arrays; /* how many are read and written */
    } jobs[] = { { "relu", run_unary, CN_SIMD_RELU, 2 },
                 { "exp", run_unary, CN_SIMD_EXP, 2 },
                 { "sigmoid", run_unary, CN_SIMD_SIGMOID, 2 },
                 { "tanh", run_unary, CN_SIMD_TANH, 2 },
                 { "gelu", run_unary, CN_SIMD_GELU, 2 },
                 { "log", run_unary, CN_SIMD_LOG, 2 },
                 { "add", run_add, 0, 3 },
                 { "add to channels", run_add_channels, 0, 2 },
                 { "sum", run_sum, 0, 1 },
                 { "column sums", run_column_sums, 0, 1 },
                 { "dropout", run_dropout, 0, 2.25 },
                 { "max_pool 2x2", run_max_pool, 0, 1.25 },
                 { "avg_pool 3x3, stride 2", run_avg_pool, 0, 1.25 },
                 { "layer_norm", run_layer_norm, 0, 2 },
                 { "layer_norm backward", run_layer_norm_backward, 0, 3 },
                 { "batch_norm", run_batch_norm, 0, 3 },
                 { "batch_norm backward", run_batch_norm_backward, 0, 5 } };
    const int64_t n = 1204224;
    array_bench b = { .x = numbers(n),
                      .y = numbers(n),
                      .z = numbers(n),
                      .mask = malloc((size_t)n),
                      .n = n,
                      .rows = 4096,
                      .cols = 64,
                      .target = calloc(4096, sizeof(int64_t)) };
    if (!b.mask || !b.target) exit(EXIT_FAILURE);
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        b.f = jobs[i].f;
        report(jobs[i].name, best_time(jobs[i].work, &b), 0, jobs[i].arrays * 4 * (double)n);
    }
    report("softmax 4096x64", best_time(run_softmax, &b), 0, 8.0 * 4096 * 64);
    b.rows = 256, b.cols = 10;
    report("cross_entropy + gradient 256x10", best_time(run_xent, &b), 0, 8.0 * 2560);
    free(b.x), free(b.y), free(b.z), free(b.mask), free(b.target);
}

/* ---- the yardstick ------------------------------------------------------------------------- */

/* A product that stays in the first-level cache, with whole tiles, comes within a few percent of
   what
   the arithmetic units can do. */
static void measure_peak(void)
{
    float *a = numbers(84 * 64), *b = numbers(64 * 96), *c = numbers(84 * 96);
    cn_simd_gemm g = { .m = 84,
                       .n = 32,
                       .k = 64,
                       .a = a,
                       .a_row = 64,
                       .a_col = 1,
                       .b = b,
                       .b_row = 32,
                       .b_col = 1,
                       .c = c,
                       .c_row = 32,
                       .batch = 1 };
    peak = 2.0 * 84 * 32 * 64 / best_time(run_gemm, &g);
    free(a), free(b), free(c);
}

int main(int argc, char **argv)
{
    threads = 1;
    table = cn_simd_select();
    if (!table) {
        fprintf(stderr, "simd_bench: no vector kernels for this processor\n");
        return EXIT_FAILURE;
    }
    cn_flush_denormals();
    measure_peak();
    if (argc > 1) threads = atoi(argv[1]);
    if (argc > 2) peak = 1e9 * atof(argv[2]);
    printf("%s, %d thread(s), yardstick %.0f GF/s a thread\n", table->name, threads, 1e-9 * peak);
    bench_gemms();
    bench_lanes(
        "lenet block 1",
        (cn_simd_lanes){ 256, 1, 6, 28, 28, 5, 5, 2, 2, CN_SIMD_ACT_SIGMOID, CN_SIMD_LANES_AVG2 },
        false);
    bench_lanes(
        "lenet block 2",
        (cn_simd_lanes){ 256, 6, 16, 14, 14, 5, 5, 0, 0, CN_SIMD_ACT_SIGMOID, CN_SIMD_LANES_AVG2 },
        true);
    bench_arrays();
    return EXIT_SUCCESS;
}
