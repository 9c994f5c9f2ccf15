/* vgg.c - VGG-11 (D2L 8.2). */
#include "book/book.h"

/* What the book prints, layer by layer. */
static const char shapes[] = "Sequential (1, 64, 112, 112); "
                             "Sequential (1, 128, 56, 56); "
                             "Sequential (1, 256, 28, 28); "
                             "Sequential (1, 512, 14, 14); "
                             "Sequential (1, 512, 7, 7); "
                             "Flatten (1, 25088); "
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
    cn_module *net = lab_network("vgg11", SIDE, 0);
    lab_layers(lab, net, CN_SHAPE(1, 1, SIDE, SIDE), shapes);
    lab_number(lab, "parameters", (double)cn_parameter_count(net), 128806154, 0);
    cn_module_free(net);

    net = lab_network("vgg11-quarter", SIDE, 0);
    lab_number(lab, "parameters, a quarter of the channels", (double)cn_parameter_count(net),
               43093322, 0);
    cn_module_free(net);

    /* 32 x 32 is what five halvings need at least; further narrowed on the glyphs. */
    static const LabPlan plan = {
        .built_in = { 4000, 1000, .side = 32, .shrink = 8, .batch = 32, .epochs = 8, .lr = 1e-3,
                      .adam = true, .accuracy = 0.93 },
        .quick = { 3000, 1000, .side = 32, .shrink = 8, .batch = 32, .epochs = 4, .lr = 1e-3,
                   .adam = true, .accuracy = 0.75 },
        .real = { 30000, 5000, .side = 32, .shrink = 4, .batch = 64, .epochs = 8, .lr = 1e-3,
                  .adam = true, .accuracy = 0.85 },
        .real_quick = { 6000, 2000, .side = 32, .shrink = 8, .batch = 32, .epochs = 4, .lr = 1e-3,
                        .adam = true, .accuracy = 0.7 },
    };
    lab_train_network(lab, "vgg11", &plan);
}

const Experiment experiment_c07_vgg = {
    .id = "C07-VGG",
    .title = "VGG-11",
    .title_zh = "使用块的网络（VGG）",
    .section = "8.2",
    .settings = "SGD lr 0.05, batch 128, 10 epochs, 224 x 224, a quarter of the channels",
    .published = "loss 0.178, train acc 0.935, test acc 0.920; 2,463.7 examples/s on a V100",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
