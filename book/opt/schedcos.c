/* schedcos.c - A cosine (D2L 12.11.3.3). */
#include "book/opt/rates.h"

static double rate(int epoch)
{
    return rates_wave_at(epoch, 20);
}

static cn_sched *make(cn_optim *optim)
{
    return rates_wave(optim, 20);
}

static void run(Lab *lab)
{
    static const RateCase c = {
        .name = "A cosine", .base = 0.3, .rate = rate, .make = make, .published = 0.904
    };
    lab_number(lab, "half way it is the mean", rate(10), (0.3 + 0.01) / 2, 1e-12);
    lab_number(lab, "from epoch 20 on", rate(20), 0.01, 1e-12);
    rates_curve(lab, &c, RATES_EPOCHS);
    rates_training(lab, &c);
}

const Experiment experiment_opt_schedcos = {
    .id = "OPT-SCHEDCOS",
    .title = "A cosine",
    .title_zh = "余弦调度器",
    .section = "12.11.3.3",
    .settings = "from 0.3 to 0.01 in 20 epochs, batch 256, 30 epochs",
    .published = "train 0.159, 0.942, test 0.904",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
