/* resnet.c - ResNet-18 (D2L 8.6). */
#include "book/book.h"

/* What the book prints, layer by layer. */
static const char shapes[] = "Sequential (1, 64, 56, 56); "
                             "Sequential (1, 64, 56, 56); "
                             "Sequential (1, 128, 28, 28); "
                             "Sequential (1, 256, 14, 14); "
                             "Sequential (1, 512, 7, 7); "
                             "AdaptiveAvgPool2d (1, 512, 1, 1); "
                             "Flatten (1, 512); "
                             "Linear (1, 10)";

static void run(Lab *lab)
{
    enum { SIDE = 224 };
    cn_module *net = lab_network("resnet18", SIDE, 0);
    lab_layers(lab, net, CN_SHAPE(1, 1, SIDE, SIDE), shapes);
    lab_number(lab, "parameters", (double)cn_parameter_count(net), 11178378, 0);
    cn_module_free(net);

    /* Smaller pictures, narrow layers. */
    static const LabPlan plan = {
        .built_in = { 4000, 1000, .side = 32, .shrink = 4, .batch = 64, .epochs = 8, .lr = 0.05,
                      .accuracy = 0.9 },
        .quick = { 2000, 500, .side = 32, .shrink = 8, .batch = 32, .epochs = 4, .lr = 0.05,
                   .accuracy = 0.7 },
        .real = { 30000, 5000, .side = 32, .shrink = 4, .batch = 128, .epochs = 8, .lr = 0.05,
                  .accuracy = 0.85 },
        .real_quick = { 6000, 2000, .side = 32, .shrink = 8, .batch = 32, .epochs = 4, .lr = 0.05,
                        .accuracy = 0.75 },
    };
    lab_train_network(lab, "resnet18", &plan);
}

const Experiment experiment_c07_resnet = {
    .id = "C07-RESNET",
    .title = "ResNet-18",
    .title_zh = "残差网络（ResNet）",
    .section = "8.6",
    .settings = "SGD lr 0.05, batch 256, 10 epochs, 96 x 96",
    .published =
        "loss 0.012, train acc 0.997, test acc 0.893 (best epoch 0.921); 5,032.7 examples/s on a V100",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
