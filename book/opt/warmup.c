/* warmup.c - Warm-up (D2L 12.11.3.4). */
#include "book/opt/rates.h"

static double rate(int epoch)
{
    return epoch < 5 ? 0.3 * epoch / 5 : rates_wave_at(epoch - 5, 15);
}

static cn_sched *make(cn_optim *optim)
{
    return cn_warmup_lr(optim, 5, 0, rates_wave(optim, 15));
}

static void run(Lab *lab)
{
    static const RateCase c = {
        .name = "Warm-up", .base = 0.3, .rate = rate, .make = make, .published = 0.901
    };
    lab_number(lab, "the rate of epoch 4", rate(4), 0.24, 1e-12);
    rates_curve(lab, &c, RATES_EPOCHS);
    rates_training(lab, &c);
}

const Experiment experiment_opt_warmup = {
    .id = "OPT-WARMUP",
    .title = "Warm-up",
    .title_zh = "预热",
    .section = "12.11.3.4",
    .settings = "5 epochs up to 0.3, then a cosine to 0.01 at epoch 20; batch 256, 30 epochs",
    .published = "train 0.181, 0.934, test 0.901",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
