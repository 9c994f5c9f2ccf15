/* onednn_matmul.c - our matrix products beside those of oneDNN called directly, once with plain
   weights and once with weights that were put into its favourite layout beforehand.
   usage: onednn_matmul [threads] [seconds for each shape] */
#include "backends/onednn/adapter.h"
#include "core/threads.h"

#include <cenote/autograd.h>
#include <cenote/ops.h>
#include <cenote/rng.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* y [m,n] = a [m,k] b [k,n], batch times. 'T': the factor lies in memory turned, as the weights of
   an affine layer do, and the gradients that the weights' own are made from. */
typedef struct Product {
    const char *name;
    int64_t batch, m, k, n;
    char a, b;
} Product;

static const Product products[] = {
    { "square 256", 1, 256, 256, 256, 'N', 'N' },
    { "square 512", 1, 512, 512, 512, 'N', 'N' },
    { "square 1024", 1, 1024, 1024, 1024, 'N', 'N' },
    { "square 2048", 1, 2048, 2048, 2048, 'N', 'N' },
    { "mlp1 forward", 1, 256, 784, 256, 'N', 'T' },
    { "mlp1 weight", 1, 256, 256, 784, 'T', 'N' },
    { "mlp2 forward", 1, 256, 256, 10, 'N', 'T' },
    { "mlp2 data", 1, 256, 10, 256, 'N', 'N' },
    { "mlp2 weight", 1, 10, 256, 256, 'T', 'N' },
    { "softmax forward", 1, 256, 784, 10, 'N', 'T' },
    { "softmax weight", 1, 10, 256, 784, 'T', 'N' },
    { "lenet fc1", 1, 256, 400, 120, 'N', 'T' },
    { "lstm input", 1, 32, 512, 1024, 'N', 'T' },
    { "lstm hidden", 1, 32, 256, 1024, 'N', 'T' },
    { "lstm hidden data", 1, 32, 1024, 256, 'N', 'N' },
    { "lstm hidden weight", 1, 1024, 1120, 256, 'T', 'N' },
    { "rnn hidden", 1, 32, 256, 256, 'N', 'T' },
    { "64x128 to 4096", 1, 64, 128, 4096, 'N', 'T' },
    { "alexnet fc1", 1, 128, 6400, 4096, 'N', 'T' },
    { "alexnet fc1 weight", 1, 4096, 128, 6400, 'T', 'N' },
    { "bert qkv", 1, 32768, 128, 128, 'N', 'T' },
    { "bert weight", 1, 128, 32768, 128, 'T', 'N' },
    { "bert vocabulary", 1, 5120, 128, 20256, 'N', 'T' },
    { "transformer ffn", 1, 640, 32, 64, 'N', 'T' },
    { "attention scores", 256, 64, 64, 64, 'N', 'T' },
    { "attention values", 256, 64, 64, 64, 'N', 'N' },
    { "attention small", 256, 10, 8, 10, 'N', 'N' },
};

enum { OURS, PLAIN, PACKED, WAYS, MOST = 2000 };

typedef struct Work {
    const Product *p;
    cn_tensor *a, *b; /* as the product sees them */
    const void *a_data, *b_data;
    cn_tensor *y, *weights; /* what oneDNN writes; b in the layout that it likes best */
    cn_dnnl_op plain, packed;
    double times[WAYS][MOST];
    int rounds;
} Work;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- oneDNN --------------------------------------------------------------------------------- */

/* How: 'N' by rows, 'T' by columns, '?' as the product chooses. */
static bool describe(cn_dnnl_md *md, const Product *p, int64_t rows, int64_t cols, char how)
{
    const int from = p->batch == 1; /* a batch of one is a plain matrix */
    const int64_t dims[] = { p->batch, rows, cols };
    const int64_t by_rows[] = { rows * cols, cols, 1 }, by_columns[] = { rows * cols, 1, rows };
    const int64_t *strides = how == 'T' ? by_columns : by_rows;
    return cn_dnnl_describe(md, 3 - from, dims + from, how == '?' ? NULL : strides + from);
}

/* The layout that a product chose for its weights. */
static bool weights_of(const cn_dnnl_op *op, cn_dnnl_md *md)
{
    const_dnnl_primitive_desc_t pd;
    if (dnnl_primitive_get_primitive_desc(op->primitive, &pd) != dnnl_success) return false;
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_desc_clone(md, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0)) ==
           dnnl_success;
#else
    *md = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    return true;
#endif
}

static bool make_product(cn_dnnl_op *op, const Product *p, char weights, cn_dnnl_md *b)
{
    cn_dnnl_md a = { 0 }, y = { 0 }, wish = { 0 };
    const bool ok =
        describe(&a, p, p->m, p->k, p->a) && describe(&wish, p, p->k, p->n, weights) &&
        describe(&y, p, p->m, p->n, 'N') && cn_dnnl_matmul(op, &a, &wish, NULL, &y, NULL) &&
        weights_of(op, b) && cn_dnnl_argument(op, DNNL_ARG_SRC, &a) &&
        cn_dnnl_argument(op, DNNL_ARG_WEIGHTS, b) && cn_dnnl_argument(op, DNNL_ARG_DST, &y);
    cn_dnnl_forget(&a), cn_dnnl_forget(&y), cn_dnnl_forget(&wish);
    return ok;
}

static void point(const cn_dnnl_op *op, const Work *w, const void *b)
{
    cn_dnnl_point(op, 0, w->a_data);
    cn_dnnl_point(op, 1, b);
    cn_dnnl_point(op, 2, cn_data(w->y));
}

static bool pack(Work *w, const cn_dnnl_md *plain, const cn_dnnl_md *packed)
{
    cn_dnnl_op reorder = { 0 };
    w->weights = cn_zeros(CN_SHAPE((int64_t)(cn_dnnl_bytes(packed) / sizeof(float))), CN_F32);
    bool ok = w->weights && cn_dnnl_reorder(&reorder, plain, packed);
    if (ok) {
        cn_dnnl_point(&reorder, 0, w->b_data);
        cn_dnnl_point(&reorder, 1, cn_data(w->weights));
        ok = cn_dnnl_run(&reorder);
    }
    cn_dnnl_destroy(&reorder);
    return ok;
}

static bool make_products(Work *w)
{
    cn_dnnl_md plain = { 0 }, packed = { 0 };
    const bool ok = make_product(&w->plain, w->p, w->p->b, &plain) &&
                    make_product(&w->packed, w->p, '?', &packed) && pack(w, &plain, &packed);
    cn_dnnl_forget(&plain), cn_dnnl_forget(&packed);
    if (!ok) return false;
    point(&w->plain, w, w->b_data);
    point(&w->packed, w, cn_data(w->weights));
    return true;
}

/* ---- timing --------------------------------------------------------------------------------- */

/* *data: where it begins in memory, also for columns. */
static cn_tensor *matrix(const Product *p, int64_t rows, int64_t cols, char how, const void **data)
{
    cn_tensor *t = cn_randn(
        how == 'T' ? CN_SHAPE(p->batch, cols, rows) : CN_SHAPE(p->batch, rows, cols), CN_F32);
    *data = t ? cn_data(t) : NULL;
    if (how == 'T') t = cn_transpose(t, 1, 2);
    return p->batch == 1 ? cn_select(t, 0, 0) : t;
}

static bool run(const Work *w, int way)
{
    bool ok = false;
    if (way == PLAIN) return cn_dnnl_run(&w->plain);
    if (way == PACKED) return cn_dnnl_run(&w->packed);
    CN_SCOPE ok = (w->p->batch > 1 ? cn_bmm(w->a, w->b) : cn_matmul(w->a, w->b)) != NULL;
    return ok;
}

/* In turns, so that all see the same machine; each runs once before it is timed, so that none finds
   its operands where another left them. */
static bool time_all(Work *w, double seconds)
{
    const double end = now() + seconds;
    for (; w->rounds < MOST && (w->rounds < 5 || now() < end); w->rounds++)
        for (int way = 0; way < WAYS; way++) {
            if (!run(w, way)) return false;
            const double start = now();
            if (!run(w, way)) return false;
            w->times[way][w->rounds] = now() - start;
        }
    return true;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(Work *w)
{
    const Product *p = w->p;
    double median[WAYS], least[WAYS];
    for (int way = 0; way < WAYS; way++) {
        qsort(w->times[way], (size_t)w->rounds, sizeof(double), by_size);
        median[way] = w->times[way][w->rounds / 2], least[way] = w->times[way][0];
    }
    const double flops = 2.0 * (double)(p->batch * p->m * p->n) * (double)p->k;
    printf("| %-18s | %9.4f | %9.4f | %9.4f | %6.1f | %5.2f | %5.2f | %5.2f |\n", p->name,
           1e3 * median[OURS], 1e3 * median[PLAIN], 1e3 * median[PACKED],
           1e-9 * flops / median[OURS], median[OURS] / median[PLAIN], median[OURS] / median[PACKED],
           least[OURS] / fmin(least[PLAIN], least[PACKED]));
    fflush(stdout);
}

static bool compare(const Product *p, double seconds)
{
    Work *w = calloc(1, sizeof *w);
    if (!w) return false;
    bool ok;
    CN_SCOPE
    {
        w->p = p;
        w->a = matrix(p, p->m, p->k, p->a, &w->a_data);
        w->b = matrix(p, p->k, p->n, p->b, &w->b_data);
        w->y = cn_zeros(CN_SHAPE(p->batch, p->m, p->n), CN_F32);
        ok = cn_ok() && make_products(w) && time_all(w, seconds);
        if (ok) report(w);
        cn_dnnl_destroy(&w->plain);
        cn_dnnl_destroy(&w->packed);
    }
    free(w);
    return ok;
}

int main(int argc, char **argv)
{
    cn_set_threads(argc > 1 ? atoi(argv[1]) : 1);
    const double seconds = argc > 2 ? atof(argv[2]) : 0.5;
    bool ok = cn_dnnl_start();
    printf(
        "| product | Cenote ms | oneDNN ms | packed ms | GF/s | to oneDNN | to packed | least to "
        "the better's |\n|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for (size_t i = 0; ok && i < sizeof products / sizeof *products; i++)
        ok = compare(&products[i], seconds);
    if (!ok) fprintf(stderr, "onednn_matmul: %s\n", cn_ok() ? "oneDNN cannot do it" : cn_error());
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
