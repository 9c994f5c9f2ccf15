/* smreg_s.c - softmax regression from scratch (D2L 4.4). */
#include "book/book.h"

enum { INPUTS = 784, OUTPUTS = 10 };

static cn_tensor *softmax(cn_tensor *x)
{
    cn_tensor *e = cn_exp(x);
    return cn_div(e, cn_sum(e, .dim = CN_SHAPE(1), .keepdim = true));
}

static cn_tensor *net(cn_tensor *x, cn_tensor *const *p, bool training)
{
    (void)training;
    return softmax(cn_add(cn_matmul(cn_reshape(x, CN_SHAPE(-1, INPUTS)), p[0]), p[1]));
}

static cn_tensor *cross_entropy(cn_tensor *y_hat, cn_tensor *y)
{
    return cn_mean(cn_neg(cn_log(cn_gather(y_hat, 1, cn_unsqueeze(y, 1)))));
}

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 12800, 2000, .batch = 256, .epochs = 10, .lr = 0.1 },
        .real = { .batch = 256, .epochs = 10, .lr = 0.1 },
    };
    LabScratch softmax_regression = { net,
                                      cross_entropy,
                                      { lab_parameter(CN_SHAPE(INPUTS, OUTPUTS), 0.01),
                                        lab_parameter(CN_SHAPE(OUTPUTS), 0) },
                                      2 };
    LabFit fit = lab_train_scratch(lab, &softmax_regression, &plan);
    /* The book's own assertions. */
    lab_at_most(lab, "train loss", lab_last(&fit, fit.train_loss), 0.5);
    lab_at_least(lab, "train accuracy", lab_last(&fit, fit.train_acc), 0.7);
    lab_at_least(lab, "test accuracy", lab_last(&fit, fit.test_acc), 0.7);
    lab_as_printed(lab, &fit, 0.4475, 0.848);
}

const Experiment experiment_c03_smreg_s = {
    .id = "C03-SMREG-S",
    .title = "Softmax regression from scratch",
    .title_zh = "softmax 回归的从零开始实现",
    .section = "4.4",
    .settings = "lr 0.1, batch 256, 10 epochs, weights N(0, 0.01)",
    .published = "loss 0.4475, train acc 0.848, test acc 0.836",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
