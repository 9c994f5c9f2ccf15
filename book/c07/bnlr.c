/* bnlr.c - how large a learning rate LeNet bears, with and without batch normalisation (D2L 8.5, exercise
   2). */
#include "book/book.h"

#include <math.h>

enum { RATES = 4, PLAIN = 2 };
static const double rates[RATES] = { 0.45, 1.8, 7.2, 28.8 };
static const char *const names[RATES] = { "0.45", "1.8", "7.2", "28.8" };

typedef struct {
    Lab *lab;
    cn_dataset *train;
    LabSchedule s;
} Sweep;

/* The last epoch's training accuracy at this rate; a loss that is no number ends the training, and is no
   error here. */
static double accuracy(const Sweep *w, const char *model, double rate)
{
    cn_manual_seed(lab_options(w->lab)->seed);
    cn_module *net = lab_network(model, 28, 0);
    cn_optim *sgd = cn_sgd(net, .lr = rate);
    cn_fit_progress last = { 0 };
    bool fitted = cn_fit(&last, net, w->train, .optim = sgd, .batch = w->s.batch,
                         .epochs = w->s.epochs, .seed = lab_options(w->lab)->seed, .workers = 1);
    if (!fitted && cn_error_code() == CN_EDIVERGED) cn_error_clear();
    cn_optim_free(sgd);
    cn_module_free(net);
    lab_say(w->lab, "%-8s  lr %-5g train acc %.3f%s", model, rate, last.train_acc,
            fitted ? "" : " (diverged)");
    return fitted ? last.train_acc : 0;
}

static double largest(const double *reached)
{
    double rate = 0;
    for (int i = 0; i < RATES; i++)
        if (reached[i] >= 0.5) rate = rates[i];
    return rate;
}

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 12800, .batch = 64, .epochs = 6 },
        .real = { 30000, .batch = 128, .epochs = 6 },
        .real_quick = { 12800, .batch = 64, .epochs = 4 },
    };
    Sweep w = { .lab = lab, .s = lab_schedule(lab, &plan) };
    double plain[RATES] = { 0 }, norm[RATES] = { 0 };
    w.train = lab_scheduled_images(lab, CN_TRAIN, &w.s);
    if (!w.train) return;
    for (int i = 0; i < RATES; i++) {
        norm[i] = accuracy(&w, "lenet-bn", rates[i]);
        if (i < PLAIN) plain[i] = accuracy(&w, "lenet", rates[i]);
    }
    lab_at_least(lab, "largest learning rate that learns, without batch norm", largest(plain), 0.4);
    lab_at_least(lab, "with batch norm, against that", largest(norm) / largest(plain), 4);
    cn_figure *f = cn_figure_new("Training accuracy by learning rate");
    cn_figure_bars(f, "LeNet", names, plain, RATES);
    cn_figure_bars(f, "with batch norm", names, norm, RATES);
    cn_figure_axes(f, .xlabel = "learning rate", .ylabel = "training accuracy");
    lab_figure(lab, f);
}

const Experiment experiment_c07_bnlr = {
    .id = "C07-BNLR",
    .title = "Learning rates with and without batch normalization",
    .title_zh = "有无批量规范化时可用的学习率",
    .section = "8.5",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
