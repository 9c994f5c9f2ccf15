/* alexnet.c - AlexNet on Fashion-MNIST (D2L 8.1). */
#include "book/book.h"

/* What the book prints, layer by layer. */
static const char shapes[] = "Conv2d (1, 96, 54, 54); "
                             "ReLU (1, 96, 54, 54); "
                             "MaxPool2d (1, 96, 26, 26); "
                             "Conv2d (1, 256, 26, 26); "
                             "ReLU (1, 256, 26, 26); "
                             "MaxPool2d (1, 256, 12, 12); "
                             "Conv2d (1, 384, 12, 12); "
                             "ReLU (1, 384, 12, 12); "
                             "Conv2d (1, 384, 12, 12); "
                             "ReLU (1, 384, 12, 12); "
                             "Conv2d (1, 256, 12, 12); "
                             "ReLU (1, 256, 12, 12); "
                             "MaxPool2d (1, 256, 5, 5); "
                             "Flatten (1, 6400); "
                             "Linear (1, 4096); "
                             "ReLU (1, 4096); "
                             "Dropout (1, 4096); "
                             "Linear (1, 4096); "
                             "ReLU (1, 4096); "
                             "Dropout (1, 4096); "
                             "Linear (1, 10)";

static void run(Lab *lab)
{
    enum { SIDE = 224 };
    cn_module *net = lab_network("alexnet", SIDE, 0);
    lab_layers(lab, net, CN_SHAPE(1, 1, SIDE, SIDE), shapes);
    lab_number(lab, "parameters", (double)cn_parameter_count(net), 46764746, 0);
    cn_module_free(net);

    /* 72 x 72 is the smallest square that reaches the last pooling: 16, 7, 3, 1. Narrow layers. */
    static const LabPlan plan = {
        .built_in = { 4000, 1000, .side = 72, .shrink = 8, .batch = 32, .epochs = 12, .lr = 0.05,
                      .accuracy = 0.85 },
        .quick = { 4000, 1000, .side = 72, .shrink = 8, .batch = 32, .epochs = 6, .lr = 0.05,
                   .accuracy = 0.7 },
        .real = { 30000, 5000, .side = 72, .shrink = 4, .batch = 64, .epochs = 8, .lr = 1e-3,
                  .adam = true, .accuracy = 0.85 },
        .real_quick = { 8000, 2000, .side = 72, .shrink = 8, .batch = 32, .epochs = 6, .lr = 0.05,
                        .accuracy = 0.72 },
    };
    lab_train_network(lab, "alexnet", &plan);
}

const Experiment experiment_c07_alexnet = {
    .id = "C07-ALEXNET",
    .title = "AlexNet",
    .title_zh = "深度卷积神经网络（AlexNet）",
    .section = "8.1",
    .settings = "SGD lr 0.01, batch 128, 10 epochs, 224 x 224, dropout 0.5",
    .published = "loss 0.331, train acc 0.878, test acc 0.883; 3,941.8 examples/s on a V100",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
