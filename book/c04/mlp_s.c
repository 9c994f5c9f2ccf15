/* mlp_s.c - a multilayer perceptron from scratch (D2L 5.2.1). */
#include "book/book.h"

enum { INPUTS = 784, HIDDEN = 256, OUTPUTS = 10 };

static cn_tensor *relu(cn_tensor *x)
{
    return cn_maximum(x, cn_num(0));
}

static cn_tensor *net(cn_tensor *x, cn_tensor *const *p, bool training)
{
    (void)training;
    cn_tensor *h = relu(cn_add(cn_matmul(cn_reshape(x, CN_SHAPE(-1, INPUTS)), p[0]), p[1]));
    return cn_add(cn_matmul(h, p[2]), p[3]);
}

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 12800, 2000, .batch = 64, .epochs = 5, .lr = 0.1, .accuracy = 0.9 },
        .quick = { 12800, 2000, .batch = 64, .epochs = 3, .lr = 0.1, .accuracy = 0.85 },
        .real = { .batch = 256, .epochs = 10, .lr = 0.1, .accuracy = 0.82 },
        .real_quick = { 12800, 2000, .batch = 64, .epochs = 4, .lr = 0.1, .accuracy = 0.75 },
    };
    LabScratch mlp = {
        net,
        NULL,
        { lab_parameter(CN_SHAPE(INPUTS, HIDDEN), 0.01), lab_parameter(CN_SHAPE(HIDDEN), 0),
          lab_parameter(CN_SHAPE(HIDDEN, OUTPUTS), 0.01), lab_parameter(CN_SHAPE(OUTPUTS), 0) },
        4
    };
    LabFit fit = lab_train_scratch(lab, &mlp, &plan);
    LabSchedule s = lab_schedule(lab, &plan);
    lab_at_least(lab, "test accuracy of the best epoch", fit.best_test_acc, s.accuracy);
    lab_as_printed(lab, &fit, 0.3845, 0.863);
    lab_at_most(lab, "train loss, against that of the first epoch",
                lab_last(&fit, fit.train_loss) / fit.train_loss[0], 0.6);
}

const Experiment experiment_c04_mlp_s = {
    .id = "C04-MLP-S",
    .title = "Multilayer perceptron from scratch",
    .title_zh = "多层感知机的从零开始实现",
    .section = "5.2.1",
    .settings = "784 - 256 - 10, ReLU, lr 0.1, batch 256, 10 epochs, weights 0.01 N(0, 1)",
    .published = "loss 0.3845, train acc 0.863, test acc 0.823 (best 0.842)",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
