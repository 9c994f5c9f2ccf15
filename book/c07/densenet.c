/* densenet.c - DenseNet (D2L 8.7). */
#include "book/book.h"

/* What the book prints, layer by layer. */
static const char shapes[] = "Sequential (1, 64, 24, 24); "
                             "DenseBlock (1, 192, 24, 24); "
                             "Sequential (1, 96, 12, 12); "
                             "DenseBlock (1, 224, 12, 12); "
                             "Sequential (1, 112, 6, 6); "
                             "DenseBlock (1, 240, 6, 6); "
                             "Sequential (1, 120, 3, 3); "
                             "DenseBlock (1, 248, 3, 3); "
                             "BatchNorm2d (1, 248, 3, 3); "
                             "ReLU (1, 248, 3, 3); "
                             "AdaptiveAvgPool2d (1, 248, 1, 1); "
                             "Flatten (1, 248); "
                             "Linear (1, 10)";

static void run(Lab *lab)
{
    enum { SIDE = 96 };
    cn_module *net = lab_network("densenet", SIDE, 0);
    lab_layers(lab, net, CN_SHAPE(1, 1, SIDE, SIDE), shapes);
    lab_number(lab, "parameters", (double)cn_parameter_count(net), 758226, 0);
    cn_module_free(net);

    /* Smaller pictures; half the growth on the glyphs. */
    static const LabPlan plan = {
        .built_in = { 4000, 1000, .side = 32, .shrink = 2, .batch = 64, .epochs = 6, .lr = 0.1,
                      .accuracy = 0.93 },
        .quick = { 2000, 500, .side = 32, .shrink = 4, .batch = 32, .epochs = 4, .lr = 0.1,
                   .accuracy = 0.7 },
        .real = { 30000, 5000, .side = 32, .shrink = 4, .batch = 64, .epochs = 8, .lr = 0.1,
                  .accuracy = 0.85 },
        .real_quick = { 6000, 2000, .side = 32, .shrink = 4, .batch = 32, .epochs = 4, .lr = 0.1,
                        .accuracy = 0.75 },
    };
    lab_train_network(lab, "densenet", &plan);
}

const Experiment experiment_c07_densenet = {
    .id = "C07-DENSENET",
    .title = "DenseNet",
    .title_zh = "稠密连接网络（DenseNet）",
    .section = "8.7",
    .settings = "SGD lr 0.1, batch 256, 10 epochs, 96 x 96, growth 32",
    .published = "loss 0.140, train acc 0.948, test acc 0.885; 5,626.3 examples/s on a V100",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
