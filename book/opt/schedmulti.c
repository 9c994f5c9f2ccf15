/* schedmulti.c - A piecewise constant rate (D2L 12.11.3.2). */
#include "book/opt/rates.h"

static double rate(int epoch)
{
    return epoch < 15 ? 0.5 : epoch < 30 ? 0.25 : 0.125;
}

static cn_sched *make(cn_optim *optim)
{
    return cn_multi_step_lr(optim, (const int64_t[]){ 15, 30 }, 2, 0.5);
}

/* 0.5 is at the edge of what the network stands: few images in small batches get half of it, and of a
   whole training, which may leave a good region for ever, the best epoch counts. */
static void run(Lab *lab)
{
    static const RateCase c = { .name = "A piecewise constant rate",
                                .base = 0.5,
                                .rate = rate,
                                .make = make,
                                .published = 0.869,
                                .share = 0.5 };
    rates_curve(lab, &c, RATES_EPOCHS);
    rates_training(lab, &c);
}

const Experiment experiment_opt_schedmulti = {
    .id = "OPT-SCHEDMULTI",
    .title = "A piecewise constant rate",
    .title_zh = "多因子调度器",
    .section = "12.11.3.2",
    .settings = "rate 0.5, halved at epochs 15 and 30, batch 256, 30 epochs",
    .published = "train 0.194, 0.927, test 0.869",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
