/* bench.c - cenote bench: training steps of a network, or single ops. */
#include "app/run.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST_STEPS = 200000, WARM_UP = 5 };

static const Option options[] = {
    { "seconds", "X", OPT_FLOAT, "3", 0.01, 3600, "how long to measure" },
    { "batch", "N", OPT_INT, NULL, 1, 1e6, "examples per step (default: the book's)" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct {
    double median, least, p90; /* seconds */
    int64_t steps;
} Times;

/* Calls step() until `seconds` have passed, after a warm-up. */
static bool measure(bool (*step)(void *context), void *context, double seconds, Times *out)
{
    double *times = malloc(MOST_STEPS * sizeof *times);
    if (!times) return cn_fail(CN_ENOMEM, "bench: out of memory");
    bool ok = true;
    for (int i = 0; ok && i < WARM_UP; i++) ok = step(context);
    int64_t n = 0;
    for (double start = now(); ok && n < MOST_STEPS && (n < 3 || now() - start < seconds); n++) {
        double t = now();
        ok = step(context);
        times[n] = now() - t;
    }
    if (ok) {
        qsort(times, (size_t)n, sizeof *times, by_size);
        *out = (Times){ times[n / 2], times[0], times[n * 9 / 10], n };
    }
    free(times);
    return ok;
}

/* ---- networks ------------------------------------------------------------------------------ */

typedef struct {
    const cn_model *model;
    cn_module *net;
    cn_optim *optim;
    cn_tensor *x, *y;
    int64_t batch;
    double multiply_adds; /* of one forward pass */
} Net;

/* zero_grad, forward, loss, backward, update: what PyTorch's side does, too. */
static bool train_step(void *context)
{
    Net *n = context;
    size_t mark = cn_mark();
    cn_optim_zero_grad(n->optim);
    cn_tensor *output = cn_forward(n->net, n->x);
    cn_tensor *loss =
        n->model->regression ? cn_mse_loss(output, n->y) : cn_cross_entropy(output, n->y);
    bool ok = cn_backward(loss) && cn_step(n->optim);
    cn_release(mark);
    return ok;
}

static bool fixed_batch(Net *n)
{
    cn_rng rng = cn_rng_make(0, 99);
    n->x = cn_empty(cn_model_batch(n->model, n->batch), CN_F32);
    n->y = n->model->regression ? cn_empty(CN_SHAPE(n->batch, 1), CN_F32)
                                : cn_empty(CN_SHAPE(n->batch), CN_I64);
    float *x = cn_data_mut(n->x), *targets = n->model->regression ? cn_data_mut(n->y) : NULL;
    int64_t *labels = n->model->regression ? NULL : cn_data_mut(n->y);
    if (!cn_ok()) return false;
    for (int64_t i = 0; i < cn_numel(n->x); i++) x[i] = (float)cn_rng_normal(&rng);
    for (int64_t i = 0; i < n->batch; i++) {
        if (targets) targets[i] = (float)cn_rng_normal(&rng);
        else if (labels) labels[i] = cn_rng_below(&rng, cn_model_outputs(n->model));
    }
    return true;
}

/* What the processor can do in practice: the best of a dozen large products. */
static double peak_flops(void)
{
    enum { N = 1024 };
    double best = 0;
    CN_SCOPE
    {
        cn_tensor *a = cn_ones(CN_SHAPE(N, N), CN_F32);
        for (int i = 0; i < 12 && cn_ok(); i++) {
            CN_SCOPE
            {
                double t = now();
                cn_mm(a, a);
                t = now() - t;
                double rate = 2.0 * N * N * N / t;
                if (rate > best) best = rate;
            }
        }
    }
    return best;
}

/* Of one example, times the batch: the layers' work grows with it. */
static double step_flops(const Net *n)
{
    cn_shape s = *cn_shape_of(n->x);
    s.dim[0] = 1;
    return cn_step_flops(n->net, s) * (double)n->batch;
}

static void report_net(const Args *args, const Net *n, const Times *t, double peak)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double share = step_flops(n) / t->median / peak, rss = (double)usage.ru_maxrss / 1024;
    if (!json_wanted(args)) {
        printf(
            "%s, batch %lld, %d threads: %.4f ms a step (least %.4f, p90 %.4f), %.0f examples/s, %.1f %% of the "
            "speed of a large product, %.0f MB\n",
            n->model->name, (long long)n->batch, cn_threads(), t->median * 1e3, t->least * 1e3,
            t->p90 * 1e3, (double)n->batch / t->median, 100 * share, rss);
        return;
    }
    json_t *j = json_pack("{s:s, s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:f, s:f, s:s}",
                          "model", n->model->name, "batch", (json_int_t)n->batch, "threads",
                          cn_threads(), "step_ms_median", t->median * 1e3, "step_ms_min",
                          t->least * 1e3, "step_ms_p90", t->p90 * 1e3, "steps_per_s", 1 / t->median,
                          "examples_per_s", (double)n->batch / t->median, "steps",
                          (json_int_t)t->steps, "params", (json_int_t)cn_parameter_count(n->net),
                          "peak_rss_mb", rss, "peak_share", share, "version", cn_version());
    json_dumpf(j, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(j);
}

static bool bench_net(const Args *args, const cn_model *model)
{
    Config c = { .model = model };
    Net n = { .model = model,
              .batch = given(args, "batch") ? int_of(args, "batch") : model->batch };
    Times t = { 0 };
    size_t mark = cn_mark();
    n.net = config_network(&c);
    n.optim = n.net ? cn_sgd(n.net, .lr = 0.01) : NULL;
    bool ok = n.optim && fixed_batch(&n) && measure(train_step, &n, float_of(args, "seconds"), &t);
    if (ok) report_net(args, &n, &t, peak_flops());
    cn_optim_free(n.optim);
    cn_module_free(n.net);
    cn_release(mark);
    return ok;
}

/* ---- ops: what a call costs besides its arithmetic ----------------------------------------- */

typedef struct {
    cn_tensor *a, *b;
} Pair;

enum { CALLS = 1000 };

static bool tracked_adds(void *context)
{
    Pair *p = context;
    for (int i = 0; i < CALLS; i++) {
        size_t mark = cn_mark();
        cn_add(p->a, p->b);
        cn_release(mark);
    }
    return cn_ok();
}

static bool adds_with_backward(void *context)
{
    Pair *p = context;
    for (int i = 0; i < CALLS; i++) {
        size_t mark = cn_mark();
        cn_backward(cn_add(p->a, p->b));
        cn_set_grad(p->a, NULL);
        cn_release(mark);
    }
    return cn_ok();
}

static bool plain_adds(void *context)
{
    bool ok = false;
    CN_NO_GRAD ok = tracked_adds(context);
    return ok;
}

static bool bench_ops(const Args *args)
{
    static const struct {
        const char *name, *what;
        bool (*step)(void *);
    } cases[] = {
        { "add", "add of two numbers, nothing recorded", plain_adds },
        { "add_tracked", "add of two numbers, recorded for gradients", tracked_adds },
        { "add_backward", "the same with its backward pass", adds_with_backward },
    };
    size_t mark = cn_mark();
    Pair p = { cn_requires_grad(cn_ones(CN_SHAPE(1), CN_F32), true), cn_ones(CN_SHAPE(1), CN_F32) };
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof cases / sizeof cases[0]; i++) {
        Times t = { 0 };
        ok = measure(cases[i].step, &p, float_of(args, "seconds") / 3, &t);
        double ns = t.median / CALLS * 1e9;
        if (ok && json_wanted(args))
            printf("{\"op\":\"%s\",\"ns_median\":%.1f}\n", cases[i].name, ns);
        else if (ok) printf("%-44s %7.1f ns\n", cases[i].what, ns);
    }
    cn_release(mark);
    return ok;
}

static int run(const Args *args)
{
    const char *what = operand(args, 0);
    if (strcmp(what, "ops") == 0) return bench_ops(args) ? EXIT_OK : failed(args);
    const cn_model *m = cn_model_find(what);
    if (!m)
        return failed_with(args, EXIT_NO_INPUT, "there is no model '%s'; 'cenote list' shows all",
                           what);
    return bench_net(args, m) ? EXIT_OK : failed(args);
}

const Command command_bench = {
    .name = "bench",
    .operands = "MODEL|ops",
    .least = 1,
    .most = 1,
    .about = "time the training step of a network, or the cost of a call",
    .details =
        "Times whole training steps (zero_grad, forward, loss, backward, update) on one fixed batch in memory. "
        "The share of peak compares with the speed of a large matrix product on the same threads. 'ops' "
        "measures what a call costs besides its arithmetic.",
    .examples = "cenote bench lenet --threads 2 --json\ncenote bench ops",
    .options = options,
    .run = run,
};
