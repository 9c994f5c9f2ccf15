/* bench.c - cenote bench: training steps of a network, or single ops. */
#include "app/bench.h"
#include "app/run.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const Option options[] = {
    { "seconds", "X", OPT_FLOAT, NULL, 0.01, 3600,
      "how long to measure (default: 3; ops: 0.3 each)" },
    { "batch", "N", OPT_INT, NULL, 1, 1e6, "examples per step (default: the book's)" },
    { "amp", "TYPE", OPT_TEXT, NULL, 0, 0, "mixed precision: bf16, or f16" },
    { "recompute", NULL, OPT_FLAG, NULL, 0, 0, "keep less for the backward pass" },
    { "profile", "FILE", OPT_TEXT, NULL, 0, 0,
      "time every op: a table, and a trace for chrome://tracing or ui.perfetto.dev" },
    { "list", NULL, OPT_FLAG, NULL, 0, 0, "of ops: only the names of the cases" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

/* ---- networks ------------------------------------------------------------------------------ */

typedef struct {
    Config config;
    cn_module *net;
    cn_optim *optim;
    cn_batch batch;
    int segments; /* of recomputation; 0: none */
    int amp;      /* a dtype, or CN_NO_DTYPE */
} Net;

static cn_tensor *loss_of(Net *n)
{
    cn_run_fn *run = config_run(&n->config);
    cn_loss_fn *loss = config_loss(&n->config);
    cn_tensor *output = run           ? run(n->net, &n->batch, NULL)
                        : n->segments ? cn_checkpoint_sequential(n->net, n->segments, n->batch.x)
                                      : cn_forward(n->net, n->batch.x);
    return loss ? loss(output, &n->batch, NULL) : cn_cross_entropy(output, n->batch.y);
}

/* zero_grad, forward, loss, backward, the book's clipping, update: what PyTorch's side does, too. */
static bool train_step(void *context)
{
    Net *n = context;
    size_t mark = cn_mark();
    cn_optim_zero_grad(n->optim);
    int was = cn_set_autocast(n->amp);
    cn_tensor *loss = loss_of(n);
    cn_set_autocast(was);
    bool ok = cn_backward(loss);
    CN_PROFILE("optimiser")
    {
        if (ok && n->config.clip > 0) cn_clip_grad_norm_of(n->optim, n->config.clip);
        ok = ok && cn_step(n->optim);
    }
    cn_release(mark);
    return ok;
}

/* From `least` up to `most` - 1. */
static cn_tensor *random_ids(cn_shape shape, int64_t least, int64_t most, cn_rng *rng)
{
    cn_tensor *t = cn_empty(shape, CN_I64);
    int64_t *id = cn_data_mut(t);
    for (int64_t i = 0; id && i < cn_numel(t); i++)
        id[i] = least + (int64_t)cn_rng_below(rng, most - least);
    return t;
}

static cn_tensor *random_numbers(cn_shape shape, cn_rng *rng)
{
    cn_tensor *t = cn_empty(shape, CN_F32);
    float *x = cn_data_mut(t);
    for (int64_t i = 0; x && i < cn_numel(t); i++) x[i] = (float)cn_rng_normal(rng);
    return t;
}

/* As config_data() would give it, of random numbers. */
static bool fixed_batch(Net *n)
{
    const cn_model *m = n->config.model;
    const int64_t size = n->config.batch, outputs = cn_model_outputs(m);
    cn_rng rng = cn_rng_make(0, 99);
    cn_shape shape = cn_model_batch(m, size);
    cn_batch *b = &n->batch;
    b->size = size;
    if (cn_model_reads(m)) {
        b->x = random_ids(shape, 0, outputs, &rng), b->y = random_ids(shape, 0, outputs, &rng);
        for (int i = 0; i < 2; i++) /* how many words count */
            b->extra[i] = random_ids(CN_SHAPE(size), 2, shape.dim[1] + 1, &rng);
        return cn_ok();
    }
    b->x = random_numbers(shape, &rng);
    b->y = m->regression ? random_numbers(CN_SHAPE(size, 1), &rng)
                         : random_ids(CN_SHAPE(size), 0, outputs, &rng);
    return cn_ok();
}

/* Of one example, times the batch: the layers' work grows with it. */
static double step_flops(const Net *n)
{
    return cn_step_flops(n->net, cn_model_batch(n->config.model, 1)) * (double)n->batch.size;
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
            n->config.model->name, (long long)n->batch.size, cn_threads(), t->median * 1e3,
            t->least * 1e3, t->p90 * 1e3, (double)n->batch.size / t->median, 100 * share, rss);
        return;
    }
    json_t *j = json_pack("{s:s, s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:f, s:f, s:s}",
                          "model", n->config.model->name, "batch", (json_int_t)n->batch.size,
                          "threads", cn_threads(), "step_ms_median", t->median * 1e3, "step_ms_min",
                          t->least * 1e3, "step_ms_p90", t->p90 * 1e3, "steps_per_s", 1 / t->median,
                          "examples_per_s", (double)n->batch.size / t->median, "steps",
                          (json_int_t)t->steps, "params", (json_int_t)cn_parameter_count(n->net),
                          "peak_rss_mb", rss, "peak_share", share, "version", cn_version());
    json_dumpf(j, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(j);
}

/* The book's optimiser and batch, at a rate at which random data do no harm. */
static void as_the_book(const Args *args, const cn_model *m, Config *c)
{
    *c = (Config){ .model = m, .lr = 0.01, .clip = m->clip, .recompute = flag(args, "recompute") };
    snprintf(c->optim, sizeof c->optim, "%s", m->optim ? m->optim : "sgd");
    c->batch = given(args, "batch") ? int_of(args, "batch") : m->batch;
}

static bool bench_net(const Args *args, const cn_model *model)
{
    cn_dtype amp = amp_named(given(args, "amp") ? text_of(args, "amp") : "");
    Net n = { .amp = amp ? (int)amp : CN_NO_DTYPE };
    as_the_book(args, model, &n.config);
    const double seconds = given(args, "seconds") ? float_of(args, "seconds") : 3;
    Times t = { 0 };
    size_t mark = cn_mark();
    n.net = config_network(&n.config);
    n.segments = config_segments(&n.config, n.net);
    n.optim = n.net ? config_optimiser(&n.config, n.net) : NULL;
    bool ok = cn_ok() && n.optim && fixed_batch(&n) && profile_begin(args) &&
              measure(train_step, &n, seconds, &t);
    if (ok) report_net(args, &n, &t, peak_flops());
    ok = profile_end(args, ok) && ok;
    cn_optim_free(n.optim);
    cn_module_free(n.net);
    cn_release(mark);
    return ok;
}

static int run(const Args *args)
{
    const char *what = operand(args, 0);
    if (strcmp(what, "ops") != 0 && operand_count(args) > 1)
        return failed_with(args, EXIT_USAGE, "bench: one model at a time");
    if (strcmp(what, "ops") == 0) return bench_ops(args) ? EXIT_OK : failed(args);
    const cn_model *m = cn_model_find(what);
    if (!m)
        return failed_with(args, EXIT_NO_INPUT, "there is no model '%s'; 'cenote list' shows all",
                           what);
    return bench_net(args, m) ? EXIT_OK : failed(args);
}

const Command command_bench = {
    .name = "bench",
    .operands = "MODEL|ops [CASE]...",
    .least = 1,
    .most = -1,
    .about = "time the training step of a network, or single ops",
    .details =
        "Times whole training steps (zero_grad, forward, loss, backward, clipping where the book clips, update) on "
        "one fixed batch in memory. "
        "The share of peak compares with the speed of a large matrix product on the same threads.\n"
        "'ops' times single ops, those whose names begin with one of the CASEs or all, beside the speed of memory "
        "(z = x + 3 y over arrays far larger than the caches) or of a large product. The bytes are those that have "
        "to move, however often an op does move them. The cases 'call...' are what a call costs besides its "
        "arithmetic.",
    .examples =
        "cenote bench lenet --threads 2 --json\ncenote bench ops softmax matmul --threads 1",
    .options = options,
    .run = run,
};
