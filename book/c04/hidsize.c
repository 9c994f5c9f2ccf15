/* hidsize.c - how many hidden units: a search on validation data (D2L 5.2, exercises). */
#include "book/book.h"

enum { WIDTHS = 6 };

/* The best validation accuracy with so many hidden units. */
static double try_width(Lab *lab, int64_t width, cn_dataset *train, cn_dataset *valid,
                        const LabSchedule *s)
{
    cn_manual_seed(lab_options(lab)->seed);
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(width, .in = 784),
                                   cn_relu_layer(), cn_linear_layer(10, .in = width));
    cn_init(net, cn_xavier_uniform, NULL);
    LabFit fit = lab_train(lab, net, train, valid, s);
    lab_say(lab, "%lld hidden units: train loss %.3f, validation acc %.3f", (long long)width,
            lab_last(&fit, fit.train_loss), fit.best_test_acc);
    cn_module_free(net);
    return fit.best_test_acc;
}

static void run(Lab *lab)
{
    static const int64_t widths[WIDTHS] = { 1, 4, 16, 64, 256, 1024 };
    static const LabPlan plan = {
        .built_in = { 6400, 2000, .batch = 64, .epochs = 5, .lr = 0.1 },
        .quick = { 3200, 1000, .batch = 32, .epochs = 2, .lr = 0.1 },
        .real = { 20000, 10000, .batch = 64, .epochs = 5, .lr = 0.1 },
        .real_quick = { 6400, 2000, .batch = 32, .epochs = 3, .lr = 0.1 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *valid = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !valid) return;
    double width[WIDTHS], accuracy[WIDTHS];
    int best = 0;
    for (int i = 0; i < WIDTHS; i++) {
        width[i] = (double)widths[i];
        accuracy[i] = try_width(lab, widths[i], train, valid, &s);
        if (accuracy[i] > accuracy[best]) best = i;
    }
    cn_figure *f = cn_figure_new("Hidden units");
    cn_figure_line(f, NULL, width, accuracy, WIDTHS);
    cn_figure_axes(f, .xlabel = "hidden units", .ylabel = "validation accuracy", .xlog = true);
    lab_figure(lab, f);
    lab_say(lab, "validation chooses %lld", (long long)widths[best]);
    /* The rule: more than the outputs, 10, and fewer than the inputs, 784. */
    double within = accuracy[2];
    for (int i = 3; i < WIDTHS - 1; i++) within = accuracy[i] > within ? accuracy[i] : within;
    lab_at_most(lab, "one hidden unit: accuracy", accuracy[0], 0.45);
    lab_at_least(lab, "widths between output and input gain over 4 units", within - accuracy[1],
                 0.02);
    lab_at_most(lab, "what 1024 units gain over them", accuracy[WIDTHS - 1] - within, 0.05);
}

const Experiment experiment_c04_hidsize = {
    .id = "C04-HIDSIZE",
    .title = "How many hidden units",
    .title_zh = "隐藏单元的数量",
    .section = "5.2",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
