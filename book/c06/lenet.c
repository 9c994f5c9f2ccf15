/* lenet.c - LeNet-5 on Fashion-MNIST (D2L 7.6). */
#include "book/book.h"

/* What the book prints, layer by layer. */
static const char shapes[] = "Conv2d (1, 6, 28, 28); "
                             "Sigmoid (1, 6, 28, 28); "
                             "AvgPool2d (1, 6, 14, 14); "
                             "Conv2d (1, 16, 10, 10); "
                             "Sigmoid (1, 16, 10, 10); "
                             "AvgPool2d (1, 16, 5, 5); "
                             "Flatten (1, 400); "
                             "Linear (1, 120); "
                             "Sigmoid (1, 120); "
                             "Linear (1, 84); "
                             "Sigmoid (1, 84); "
                             "Linear (1, 10)";

static void run(Lab *lab)
{
    enum { SIDE = 28 };
    cn_module *net = lab_network("lenet", SIDE, 0);
    lab_layers(lab, net, CN_SHAPE(1, 1, SIDE, SIDE), shapes);
    lab_number(lab, "parameters", (double)cn_parameter_count(net), 61706, 0);
    cn_module_free(net);

    /* The sigmoids leave their plateau after some hundred steps: on the glyphs, which are fewer, the
       batches are smaller. */
    static const LabPlan plan = {
        .built_in = { 12800, 2000, .batch = 64, .epochs = 10, .lr = 0.45, .accuracy = 0.85 },
        .quick = { 12800, 2000, .batch = 64, .epochs = 7, .lr = 0.45, .accuracy = 0.75 },
        .real = { .batch = 256, .epochs = 10, .lr = 0.9, .accuracy = 0.75 },
        .real_quick = { 30000, .batch = 128, .epochs = 5, .lr = 0.9, .accuracy = 0.65 },
    };
    lab_train_network(lab, "lenet", &plan);
}

const Experiment experiment_c06_lenet = {
    .id = "C06-LENET",
    .title = "LeNet",
    .title_zh = "卷积神经网络（LeNet）",
    .section = "7.6",
    .settings = "SGD lr 0.9, batch 256, 10 epochs, sigmoid, average pooling",
    .published = "loss 0.469, train acc 0.823, test acc 0.779; 55,296.6 examples/s on a V100",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
