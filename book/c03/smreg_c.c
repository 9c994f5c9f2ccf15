/* smreg_c.c - softmax regression with the library's layers, and what it predicts (D2L 4.5, 4.4.6). */
#include "book/book.h"

#include <math.h>

enum { SHOWN = 6 };

/* Softmax and logarithm at once bear scores that overflow one after the other. */
static void fused(Lab *lab)
{
    cn_tensor *o = cn_from((const float[]){ 0, 200, -200 }, CN_SHAPE(1, 3), CN_F32);
    cn_tensor *y = cn_from((const int64_t[]){ 2 }, CN_SHAPE(1), CN_I64);
    lab_number(lab, "cross-entropy of scores (0, 200, -200)", cn_item(cn_cross_entropy(o, y)), 400,
               1e-3);
    lab_true(lab, "the logarithm of softmax is infinite there",
             isinf(cn_item(cn_log(cn_select(cn_softmax(o, 1), 1, 2)))));
}

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 12800, 2000, .batch = 256, .epochs = 10, .lr = 0.1 },
        .real = { .batch = 256, .epochs = 10, .lr = 0.1 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    fused(lab);
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return;
    cn_module *net = lab_network("softmax", 28, 0);
    lab_number(lab, "parameters", (double)cn_parameter_count(net), 7850, 0);
    LabFit fit = lab_train(lab, net, train, test, &s);
    lab_at_most(lab, "train loss", lab_last(&fit, fit.train_loss), 0.5);
    lab_at_least(lab, "train accuracy", lab_last(&fit, fit.train_acc), 0.7);
    lab_at_least(lab, "test accuracy", lab_last(&fit, fit.test_acc), 0.7);
    lab_as_printed(lab, &fit, 0.4481, 0.848);
    lab_figure(lab, lab_curves(&fit, "Softmax regression"));

    /* predict_ch3: the first test images, true label above the predicted one. */
    lab_figure(lab, lab_pictures(test, SHOWN, net));
    cn_module_free(net);
}

const Experiment experiment_c03_smreg_c = {
    .id = "C03-SMREG-C C03-PREDICT",
    .title = "Softmax regression, concise, and its predictions",
    .title_zh = "softmax 回归的简洁实现",
    .section = "4.5",
    .settings = "lr 0.1, batch 256, 10 epochs, weights N(0, 0.01)",
    .published = "loss 0.4481, train acc 0.848, test acc 0.828",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
