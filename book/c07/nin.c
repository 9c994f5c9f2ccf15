/* nin.c - network in network (D2L 8.3). */
#include "book/book.h"

/* What the book prints, layer by layer. */
static const char shapes[] = "Sequential (1, 96, 54, 54); "
                             "MaxPool2d (1, 96, 26, 26); "
                             "Sequential (1, 256, 26, 26); "
                             "MaxPool2d (1, 256, 12, 12); "
                             "Sequential (1, 384, 12, 12); "
                             "MaxPool2d (1, 384, 5, 5); "
                             "Dropout (1, 384, 5, 5); "
                             "Sequential (1, 10, 5, 5); "
                             "AdaptiveAvgPool2d (1, 10, 1, 1); "
                             "Flatten (1, 10)";

static void run(Lab *lab)
{
    enum { SIDE = 224 };
    cn_module *net = lab_network("nin", SIDE, 0);
    lab_layers(lab, net, CN_SHAPE(1, 1, SIDE, SIDE), shapes);
    lab_number(lab, "parameters", (double)cn_parameter_count(net), 1992166, 0);
    cn_module_free(net);

    /* 72 x 72 is the smallest square that reaches the last pooling. Narrow layers. */
    static const LabPlan plan = {
        .built_in = { 4000, 1000, .side = 72, .shrink = 8, .batch = 32, .epochs = 12, .lr = 2e-3,
                      .adam = true, .accuracy = 0.7 },
        .quick = { 3000, 1000, .side = 72, .shrink = 8, .batch = 32, .epochs = 5, .lr = 2e-3,
                   .adam = true, .accuracy = 0.4 },
        .real = { 30000, 5000, .side = 72, .shrink = 4, .batch = 64, .epochs = 10, .lr = 1e-3,
                  .adam = true, .accuracy = 0.8 },
        .real_quick = { 6000, 2000, .side = 72, .shrink = 8, .batch = 32, .epochs = 4, .lr = 2e-3,
                        .adam = true, .accuracy = 0.55 },
    };
    lab_train_network(lab, "nin", &plan);
}

const Experiment experiment_c07_nin = {
    .id = "C07-NIN",
    .title = "NiN",
    .title_zh = "网络中的网络（NiN）",
    .section = "8.3",
    .settings = "SGD lr 0.1, batch 128, 10 epochs, 224 x 224",
    .published = "loss 0.563, train acc 0.786, test acc 0.790; 3,087.6 examples/s on a V100",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
