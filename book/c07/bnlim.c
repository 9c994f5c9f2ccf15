/* bnlim.c - what batch normalisation depends on: the size of the batch, padding, all workers (D2L
   8.5.2.3). */
#include "book/book.h"

#include <math.h>
#include <stdio.h>

/* ---- workers that share statistics ------------------------------------------------------------ */

enum { WORKERS = 4, C = 5 };

/* What each worker sends to the others: of its part of the batch, or of the gradients. */
typedef struct {
    cn_tensor *count, *sum, *other;
} Message;

static cn_tensor *over_rows(cn_tensor *x)
{
    return cn_sum(x, .dim = CN_SHAPE(0));
}

static Message all_reduce(const Message *m)
{
    Message total = m[0];
    for (int w = 1; w < WORKERS; w++)
        total = (Message){ cn_add(total.count, m[w].count), cn_add(total.sum, m[w].sum),
                           cn_add(total.other, m[w].other) };
    return total;
}

/* Two rounds of messages: sums and sums of squares on the way there; on the way back those of g and
   g times what was standardised. Results of the workers side by side. */
static void synchronised(cn_tensor *const *x, cn_tensor *const *g, cn_tensor **y, cn_tensor **dx)
{
    Message there[WORKERS], back[WORKERS];
    cn_tensor *ys[WORKERS], *grads[WORKERS];
    for (int w = 0; w < WORKERS; w++)
        there[w] = (Message){ cn_scalar((double)cn_size(x[w], 0)), over_rows(x[w]),
                              over_rows(cn_square(x[w])) };
    Message all = all_reduce(there);
    cn_tensor *mean = cn_div(all.sum, all.count);
    cn_tensor *var = cn_sub(cn_div(all.other, all.count), cn_square(mean));
    cn_tensor *scale = cn_rsqrt(cn_add(var, cn_num(1e-5)));
    for (int w = 0; w < WORKERS; w++) {
        ys[w] = cn_mul(cn_sub(x[w], mean), scale);
        back[w] = (Message){ there[w].count, over_rows(g[w]), over_rows(cn_mul(g[w], ys[w])) };
    }
    Message sums = all_reduce(back);
    for (int w = 0; w < WORKERS; w++) {
        cn_tensor *along = cn_mul(ys[w], cn_div(sums.other, sums.count));
        cn_tensor *centred = cn_sub(g[w], cn_div(sums.sum, sums.count));
        grads[w] = cn_mul(scale, cn_sub(centred, along));
    }
    *y = cn_cat(ys, WORKERS, 0);
    *dx = cn_cat(grads, WORKERS, 0);
}

static void workers(Lab *lab)
{
    cn_tensor *x[WORKERS], *g[WORKERS], *y, *dx, *alone[WORKERS];
    for (int w = 0; w < WORKERS; w++) {
        x[w] = cn_add(cn_randn(CN_SHAPE(2 + w, C), CN_F32), cn_num(0.5 * w));
        g[w] = cn_randn(CN_SHAPE(2 + w, C), CN_F32);
        alone[w] = cn_batch_norm(x[w], .training = true);
    }
    cn_tensor *joined = cn_requires_grad(cn_cat(x, WORKERS, 0), true);
    cn_tensor *expected = cn_batch_norm(joined, .training = true);
    synchronised(x, g, &y, &dx);
    lab_same(lab, "four synchronised workers, and the joined batch", y, expected, 1e-5);
    if (cn_backward_of(&expected, (cn_tensor *[]){ cn_cat(g, WORKERS, 0) }, 1, NULL))
        lab_same(lab, "their gradients", dx, cn_grad(joined), 1e-5);
    lab_at_least(lab, "without messages it would differ by",
                 cn_item(cn_amax(cn_abs(cn_sub(cn_cat(alone, WORKERS, 0), expected)))), 0.1);
}

/* ---- padded sequences -------------------------------------------------------------------------- */

static void padding(Lab *lab)
{
    enum { BATCH = 4, STEPS = 6, WIDTH = 3 };
    cn_tensor *x = cn_add(cn_randn(CN_SHAPE(BATCH, WIDTH, STEPS), CN_F32), cn_num(1));
    cn_tensor *padded = cn_pad(x, CN_SHAPE(0, STEPS));
    cn_tensor *bn = cn_batch_norm(x, .training = true);
    cn_tensor *bn_padded = cn_narrow(cn_batch_norm(padded, .training = true), 2, 0, STEPS);
    cn_tensor *ln = cn_layer_norm(cn_transpose(x, 1, 2), CN_SHAPE(WIDTH));
    cn_tensor *ln_padded =
        cn_narrow(cn_layer_norm(cn_transpose(padded, 1, 2), CN_SHAPE(WIDTH)), 1, 0, STEPS);
    lab_at_least(lab, "padding changes what batch norm makes of the words, by",
                 cn_item(cn_amax(cn_abs(cn_sub(bn_padded, bn)))), 0.2);
    lab_same(lab, "and not what layer norm makes of them", ln_padded, ln, 1e-6);
}

/* ---- small batches ------------------------------------------------------------------------------ */

/* How much the mean of a batch strays: like 1 / sqrt(its size). */
static double straying(int64_t batch)
{
    enum { BATCHES = 512 };
    cn_tensor *means = cn_mean(cn_randn(CN_SHAPE(BATCHES, batch, 8), CN_F32), .dim = CN_SHAPE(1));
    return cn_item(cn_std(means));
}

enum { SIZES = 5 };
static const int64_t sizes[SIZES] = { 2, 8, 32, 128, 256 };
static const char *const names[SIZES] = { "2", "8", "32", "128", "256" };

static void table(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 6400, 2000, .epochs = 4 },
        .quick = { 3200, 1000, .epochs = 3 },
        .real = { 20000, 5000, .epochs = 3 },
        .real_quick = { 3200, 1000, .epochs = 3 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    double best[SIZES] = { 0 }, top = 0;
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return;
    for (int i = 0; i < SIZES && cn_ok(); i++) {
        s.batch = sizes[i];
        s.lr = sizes[i] < 32 ? (double)sizes[i] / 64 : 0.5; /* steps that fit the noise */
        cn_manual_seed(lab_options(lab)->seed);
        cn_module *net = lab_network("lenet-bn", 28, 0);
        LabFit fit = lab_train(lab, net, train, test, &s);
        best[i] = fit.best_test_acc;
        top = fmax(top, best[i]);
        lab_say(lab, "batch %-4s lr %-6g train acc %.3f, best test acc %.3f", names[i], s.lr,
                lab_last(&fit, fit.train_acc), best[i]);
        cn_module_free(net);
    }
    lab_at_least(lab, "best test accuracy of the batch sizes", top, 0.7);
    lab_at_least(lab, "what a batch of two loses against the best", top - best[0], 0.05);
    cn_figure *f = cn_figure_new("LeNet with batch norm: test accuracy by batch size");
    cn_figure_bars(f, NULL, names, best, SIZES);
    cn_figure_axes(f, .xlabel = "batch size", .ylabel = "best test accuracy");
    lab_figure(lab, f);
}

static void run(Lab *lab)
{
    workers(lab);
    padding(lab);
    lab_number(lab, "noise of the mean, batches of 4 against 64", straying(4) / straying(64), 4,
               0.3);
    table(lab);
}

const Experiment experiment_c07_bnlim = {
    .id = "C07-BNLIM",
    .title = "Limits of batch normalization",
    .title_zh = "批量规范化的局限：小批量、序列、多机同步",
    .section = "8.5.2.3",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
