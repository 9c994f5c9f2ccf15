/* mlp_c.c - a multilayer perceptron of the library's layers (D2L 5.2.2). */
#include "book/book.h"

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 12800, 2000, .batch = 64, .epochs = 5, .lr = 0.1, .accuracy = 0.9 },
        .quick = { 12800, 2000, .batch = 64, .epochs = 3, .lr = 0.1, .accuracy = 0.85 },
        .real = { .batch = 256, .epochs = 10, .lr = 0.1, .accuracy = 0.82 },
        .real_quick = { 12800, 2000, .batch = 64, .epochs = 4, .lr = 0.1, .accuracy = 0.75 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return;
    cn_module *net = lab_network("mlp", 28, 0);
    lab_layers(lab, net, CN_SHAPE(2, 1, 28, 28),
               "Flatten (2, 784); Linear (2, 256); ReLU (2, 256); Linear (2, 10)");
    LabFit fit = lab_train(lab, net, train, test, &s);
    lab_at_least(lab, "test accuracy of the best epoch", fit.best_test_acc, s.accuracy);
    lab_as_printed(lab, &fit, 0.382, 0.865);
    lab_figure(lab, lab_curves(&fit, "Multilayer perceptron"));
    lab_figure(lab, lab_pictures(test, 6, net));
    cn_module_free(net);
}

const Experiment experiment_c04_mlp_c = {
    .id = "C04-MLP-C",
    .title = "Multilayer perceptron, concise",
    .title_zh = "多层感知机的简洁实现",
    .section = "5.2.2",
    .settings = "784 - 256 - 10, ReLU, lr 0.1, batch 256, 10 epochs",
    .published = "loss 0.382, train acc 0.865, test acc 0.838",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
