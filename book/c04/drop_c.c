/* drop_c.c - a perceptron with the library's dropout layers (D2L 5.6.4). */
#include "book/book.h"

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 12800, 2000, .batch = 64, .epochs = 6, .lr = 0.2, .accuracy = 0.9 },
        .quick = { 12800, 2000, .batch = 64, .epochs = 4, .lr = 0.2, .accuracy = 0.85 },
        .real = { .batch = 256, .epochs = 10, .lr = 0.5, .accuracy = 0.83 },
        .real_quick = { 12800, 2000, .batch = 64, .epochs = 6, .lr = 0.2, .accuracy = 0.7 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return;
    /* clang-format off */
    cn_module *net = cn_sequential(
        cn_flatten_layer(),
        cn_linear_layer(256, .in = 784), cn_relu_layer(), cn_dropout_layer(0.2),
        cn_linear_layer(256, .in = 256), cn_relu_layer(), cn_dropout_layer(0.5),
        cn_linear_layer(10, .in = 256));
    /* clang-format on */
    cn_init(net, cn_normal_init, &(double){ 0.01 });
    LabFit fit = lab_train(lab, net, train, test, &s);
    lab_at_least(lab, "test accuracy of the best epoch", fit.best_test_acc, s.accuracy);
    lab_as_printed(lab, &fit, 0.3435, 0.875);
    lab_figure(lab, lab_curves(&fit, "With dropout"));
    cn_module_free(net);
}

const Experiment experiment_c04_drop_c = {
    .id = "C04-DROP-C",
    .title = "Perceptron with dropout, concise",
    .title_zh = "暂退法的简洁实现",
    .section = "5.6.4",
    .settings = "784 - 256 - 256 - 10, dropout 0.2 and 0.5, lr 0.5, batch 256, 10 epochs",
    .published = "loss 0.3435, train acc 0.875, test acc 0.844 (best 0.857)",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
