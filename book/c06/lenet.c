/* lenet.c - LeNet-5 on Fashion-MNIST (D2L 7.6). */
#include "book/book.h"
#include "models/models.h"

static void run(Lab *lab)
{
    const cn_model *model = cn_model_find("lenet");
    bool real = lab_options(lab)->real;
    cn_dataset *train = lab_images(lab, CN_TRAIN, 12800, 0),
               *test = lab_images(lab, CN_TEST, 2000, 0);
    if (!train || !test) return;
    cn_module *net = cn_model_make(model);
    if (net) cn_build(net, CN_SHAPE(1, 1, 28, 28));
    lab_number(lab, "parameters", (double)cn_parameter_count(net), 61706, 0);

    cn_optim *sgd = cn_sgd(net, .lr = 0.9);
    LabFit fit = lab_fit(lab, net, train, .optim = sgd, .validate = test, .batch = 256,
                         .epochs = real || !lab_options(lab)->quick ? 10 : 8, .workers = 1);
    /* The glyphs have 50 steps in an epoch, Fashion-MNIST 235: the plateau of the sigmoids takes
       most of the run there. */
    lab_at_least(lab, "test accuracy", lab_last(&fit, fit.test_acc), real ? 0.75 : 0.5);
    lab_at_most(lab, "train loss", lab_last(&fit, fit.train_loss), real ? 0.55 : 1.5);
    lab_say(lab, "%.1f examples/s", fit.examples_per_second);
    lab_figure(lab, lab_curves(&fit, "LeNet"));
    cn_optim_free(sgd);
    cn_module_free(net);
}

const Experiment experiment_c06_lenet = {
    .id = "C06-LENET",
    .title = "LeNet-5",
    .title_zh = "卷积神经网络（LeNet）",
    .section = "7.6",
    .settings = "SGD lr 0.9, batch 256, 10 epochs, sigmoid, average pooling",
    .published = "loss 0.469, train acc 0.823, test acc 0.779; 55,296.6 examples/s on a V100",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
