/* bnwhere.c - where batch normalisation goes, and dropout beside it (D2L 8.5, exercises 5 and 6). */
#include "book/book.h"

typedef struct {
    const char *name;
    bool convolutions, linear; /* batch norm there */
    double dropout;            /* after the linear layers */
} Variant;

static cn_module *put(cn_module *net, const char *name, cn_module *part)
{
    cn_module_add(net, name, part);
    return net;
}

static cn_module *unit(cn_module *layer, cn_module *norm, cn_module *last)
{
    cn_module *m = cn_sequential_n((cn_module *[]){ layer }, 1);
    if (norm) put(m, "norm", norm);
    put(m, "sigmoid", cn_sigmoid_layer());
    return last ? put(m, "last", last) : m;
}

static cn_module *convolution(const Variant *v, int64_t out)
{
    return unit(cn_conv2d_layer(out, .kernel = 5), v->convolutions ? cn_batch_norm2d_layer() : NULL,
                cn_avg_pool2d_layer(2));
}

static cn_module *linear(const Variant *v, int64_t out)
{
    return unit(cn_linear_layer(out), v->linear ? cn_batch_norm1d_layer() : NULL,
                v->dropout > 0 ? cn_dropout_layer(v->dropout) : NULL);
}

static cn_module *lenet(const Variant *v)
{
    cn_module *net = cn_sequential(convolution(v, 6), convolution(v, 16), cn_flatten_layer(),
                                   linear(v, 120), linear(v, 84), cn_linear_layer(10));
    cn_init(net, cn_xavier_uniform, NULL);
    cn_build(net, CN_SHAPE(2, 1, 28, 28));
    return net;
}

static const Variant variants[] = {
    { "none", false, false, 0 },      { "BN: convolutions", true, false, 0 },
    { "BN: linear", false, true, 0 }, { "BN: all", true, true, 0 },
    { "dropout", false, false, 0.2 }, { "BN: all, dropout", true, true, 0.2 }
};
enum { NONE, CONVOLUTIONS, LINEAR, ALL, DROPOUT, BOTH, VARIANTS };

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 12800, 2000, .batch = 128, .epochs = 5, .lr = 1, .accuracy = 0.85 },
        .quick = { 6400, 1000, .batch = 128, .epochs = 3, .lr = 1, .accuracy = 0.7 },
        .real = { 30000, 0, .batch = 256, .epochs = 6, .lr = 1, .accuracy = 0.8 },
        .real_quick = { 6400, 1000, .batch = 128, .epochs = 4, .lr = 1, .accuracy = 0.65 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    const char *names[VARIANTS];
    double best[VARIANTS];
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return;
    for (int i = 0; i < VARIANTS; i++) {
        cn_manual_seed(lab_options(lab)->seed);
        cn_module *net = lenet(&variants[i]);
        LabFit fit = lab_train(lab, net, train, test, &s);
        names[i] = variants[i].name;
        best[i] = fit.best_test_acc;
        lab_say(lab, "%-18s test acc %.3f, best %.3f", names[i], lab_last(&fit, fit.test_acc),
                best[i]);
        cn_module_free(net);
    }
    lab_at_least(lab, "batch norm at all layers: best test accuracy", best[ALL], s.accuracy);
    lab_at_least(lab, "with dropout as well", best[BOTH], s.accuracy - 0.1);
    lab_at_least(lab, "batch norm at all layers, against none", best[ALL] - best[NONE], 0.05);
    lab_at_least(lab, "and against dropout alone", best[ALL] - best[DROPOUT], 0.05);
    lab_at_least(
        lab, "half of it helps, too: the better half against none",
        (best[CONVOLUTIONS] > best[LINEAR] ? best[CONVOLUTIONS] : best[LINEAR]) - best[NONE], 0.02);
    cn_figure *f = cn_figure_new("Where batch normalization goes");
    cn_figure_bars(f, NULL, names, best, VARIANTS);
    cn_figure_axes(f, .ylabel = "best test accuracy", .width = 720);
    lab_figure(lab, f);
}

const Experiment experiment_c07_bnwhere = {
    .id = "C07-BNWHERE",
    .title = "Batch normalization everywhere? And dropout?",
    .title_zh = "批量规范化放在哪里，能否代替暂退法",
    .section = "8.5",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
