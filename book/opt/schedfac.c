/* schedfac.c - A factor (D2L 12.11.3.1). */
#include "book/opt/rates.h"

#include <math.h>

static double rate(int epoch)
{
    return fmax(0.01, 2 * pow(0.9, epoch));
}

static cn_sched *make(cn_optim *optim)
{
    return cn_factor_lr(optim, 0.9, 0.01);
}

static void run(Lab *lab)
{
    static const RateCase c = { .name = "A factor", .base = 2.0, .rate = rate, .make = make };
    lab_number(lab, "after the first step", rate(1), 1.8, 1e-12);
    lab_number(lab, "after the 50th", rate(50), 0.0103, 5e-5);
    rates_curve(lab, &c, 60); /* to where the least rate holds */
}

const Experiment experiment_opt_schedfac = {
    .id = "OPT-SCHEDFAC",
    .title = "A factor",
    .title_zh = "单因子调度器",
    .section = "12.11.3.1",
    .settings = "2 times 0.9^t, at least 0.01, 50 steps",
    .published = "rate 1.8 to 0.0103",
    .run = run,
};
