/* schedpoly.c - Square-root decay (D2L 12.11.2). */
#include "book/opt/rates.h"

#include <math.h>

static double rate(int epoch)
{
    return 0.1 * pow(epoch + 1, -0.5);
}

static double factor(int64_t step, void *unused)
{
    (void)unused;
    return 1 / sqrt((double)step + 1);
}

static cn_sched *make(cn_optim *optim)
{
    return cn_lambda_lr(optim, factor, NULL);
}

static void run(Lab *lab)
{
    static const RateCase c = {
        .name = "Square-root decay", .base = 0.1, .rate = rate, .make = make, .published = 0.886
    };
    lab_number(lab, "the last rate", rate(RATES_EPOCHS - 1), 0.01826, 5e-6);
    rates_curve(lab, &c, RATES_EPOCHS);
    rates_training(lab, &c);
}

const Experiment experiment_opt_schedpoly = {
    .id = "OPT-SCHEDPOLY",
    .title = "Square-root decay",
    .title_zh = "多项式衰减",
    .section = "12.11.2",
    .settings = "0.1 (t + 1)^-0.5, batch 256, 30 epochs",
    .published = "train 0.273, 0.900, test 0.886; rate 0.1 to 0.01826",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
