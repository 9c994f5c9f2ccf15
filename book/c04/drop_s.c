/* drop_s.c - a perceptron with dropout, from scratch (D2L 5.6.3). */
#include "book/book.h"

enum { INPUTS = 784, HIDDEN = 256, OUTPUTS = 10 };

static cn_tensor *dropout_layer(cn_tensor *x, double p)
{
    cn_tensor *mask = cn_gt(cn_rand(*cn_shape_of(x), CN_F32), cn_num(p));
    return cn_div(cn_mul(cn_to(mask, CN_F32), x), cn_num(1 - p));
}

static cn_tensor *dense(cn_tensor *x, cn_tensor *const *p)
{
    return cn_add(cn_matmul(x, p[0]), p[1]);
}

/* Less is dropped near the input. */
static cn_tensor *net(cn_tensor *x, cn_tensor *const *p, bool training)
{
    cn_tensor *h1 = cn_relu(dense(cn_reshape(x, CN_SHAPE(-1, INPUTS)), p));
    if (training) h1 = dropout_layer(h1, 0.2);
    cn_tensor *h2 = cn_relu(dense(h1, p + 2));
    if (training) h2 = dropout_layer(h2, 0.5);
    return dense(h2, p + 4);
}

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 12800, 2000, .batch = 64, .epochs = 6, .lr = 0.2, .accuracy = 0.9 },
        .quick = { 12800, 2000, .batch = 64, .epochs = 4, .lr = 0.2, .accuracy = 0.85 },
        .real = { .batch = 256, .epochs = 10, .lr = 0.5, .accuracy = 0.83 },
        .real_quick = { 12800, 2000, .batch = 64, .epochs = 6, .lr = 0.2, .accuracy = 0.7 },
    };
    LabScratch mlp = {
        net,
        NULL,
        { lab_parameter(CN_SHAPE(INPUTS, HIDDEN), 0.01), lab_parameter(CN_SHAPE(HIDDEN), 0),
          lab_parameter(CN_SHAPE(HIDDEN, HIDDEN), 0.01), lab_parameter(CN_SHAPE(HIDDEN), 0),
          lab_parameter(CN_SHAPE(HIDDEN, OUTPUTS), 0.01), lab_parameter(CN_SHAPE(OUTPUTS), 0) },
        6
    };
    LabFit fit = lab_train_scratch(lab, &mlp, &plan);
    LabSchedule s = lab_schedule(lab, &plan);
    lab_at_least(lab, "test accuracy of the best epoch", fit.best_test_acc, s.accuracy);
    lab_as_printed(lab, &fit, 0.33, 0.877);
}

const Experiment experiment_c04_drop_s = {
    .id = "C04-DROP-S",
    .title = "Perceptron with dropout, from scratch",
    .title_zh = "暂退法的从零开始实现",
    .section = "5.6.3",
    .settings = "784 - 256 - 256 - 10, dropout 0.2 and 0.5, lr 0.5, batch 256, 10 epochs",
    .published = "loss 0.330, train acc 0.877, test acc 0.857",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
