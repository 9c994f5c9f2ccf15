/* googlenet.c - GoogLeNet (D2L 8.4). */
#include "book/book.h"

/* What the book prints, layer by layer. */
static const char shapes[] = "Sequential (1, 64, 24, 24); "
                             "Sequential (1, 192, 12, 12); "
                             "Sequential (1, 480, 6, 6); "
                             "Sequential (1, 832, 3, 3); "
                             "Sequential (1, 1024); "
                             "Linear (1, 10)";

static void run(Lab *lab)
{
    enum { SIDE = 96 };
    cn_module *net = lab_network("googlenet", SIDE, 0);
    lab_layers(lab, net, CN_SHAPE(1, 1, SIDE, SIDE), shapes);
    lab_number(lab, "parameters", (double)cn_parameter_count(net), 5977530, 0);
    cn_module_free(net);

    /* Smaller pictures, a quarter of the channels. */
    static const LabPlan plan = {
        .built_in = { 4000, 1000, .side = 32, .shrink = 4, .batch = 32, .epochs = 8, .lr = 1e-3,
                      .adam = true, .accuracy = 0.7 },
        .quick = { 2000, 500, .side = 32, .shrink = 8, .batch = 32, .epochs = 5, .lr = 2e-3,
                   .adam = true, .accuracy = 0.3 },
        .real = { 30000, 5000, .side = 32, .shrink = 4, .batch = 64, .epochs = 8, .lr = 1e-3,
                  .adam = true, .accuracy = 0.85 },
        .real_quick = { 6000, 2000, .side = 32, .shrink = 8, .batch = 32, .epochs = 4, .lr = 2e-3,
                        .adam = true, .accuracy = 0.6 },
    };
    lab_train_network(lab, "googlenet", &plan);
}

const Experiment experiment_c07_googlenet = {
    .id = "C07-GOOGLENET",
    .title = "GoogLeNet",
    .title_zh = "含并行连结的网络（GoogLeNet）",
    .section = "8.4",
    .settings = "SGD lr 0.1, batch 128, 10 epochs, 96 x 96",
    .published = "loss 0.262, train acc 0.900, test acc 0.886; 3,265.5 examples/s on a V100",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
