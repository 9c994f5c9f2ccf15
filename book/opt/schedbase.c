/* schedbase.c - A constant learning rate (D2L 12.11.1). */
#include "book/opt/rates.h"

static double rate(int epoch)
{
    (void)epoch;
    return 0.3;
}

static void run(Lab *lab)
{
    static const RateCase c = {
        .name = "A constant learning rate", .base = 0.3, .rate = rate, .published = 0.877
    };
    rates_curve(lab, &c, RATES_EPOCHS);
    rates_training(lab, &c);
}

const Experiment experiment_opt_schedbase = {
    .id = "OPT-SCHEDBASE",
    .title = "A constant learning rate",
    .title_zh = "学习率调度器：基线",
    .section = "12.11.1",
    .settings = "LeNet with ReLU and maximum pooling, rate 0.3, batch 256, 30 epochs",
    .published = "train 0.145, 0.944, test 0.877",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
