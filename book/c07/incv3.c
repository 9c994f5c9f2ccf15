/* incv3.c - Inception v3: large kernels taken apart (D2L 8.4; Szegedy et al., 2016). */
#include "book/book.h"
#include "models/blocks.h"

#include <string.h>

enum { KERNEL = 7 };

/* 1 x 7 and then 7 x 1 with no ReLU between them is a 7 x 7: the outer product. */
static void factors(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(1, 1, 17, 17), CN_F32);
    cn_tensor *row = cn_randn(CN_SHAPE(KERNEL), CN_F32),
              *column = cn_randn(CN_SHAPE(KERNEL), CN_F32);
    cn_tensor *across = cn_conv2d(x, cn_reshape(row, CN_SHAPE(1, 1, 1, KERNEL)), .same = true);
    cn_tensor *both =
        cn_conv2d(across, cn_reshape(column, CN_SHAPE(1, 1, KERNEL, 1)), .same = true);
    cn_tensor *whole = cn_reshape(cn_outer(column, row), CN_SHAPE(1, 1, KERNEL, KERNEL));
    lab_same(lab, "1 x 7 then 7 x 1, and the 7 x 7 they form", both,
             cn_conv2d(x, whole, .same = true), 1e-4);
}

/* What the main path makes of a picture of 299 x 299, without the head. */
static void shapes(Lab *lab)
{
    static const struct {
        const char *name;
        int64_t channels, side;
    } stages[] = { { "Conv2d_1a_3x3", 32, 149 }, { "maxpool1", 64, 73 },  { "maxpool2", 192, 35 },
                   { "Mixed_5d", 288, 35 },      { "Mixed_6e", 768, 17 }, { "Mixed_7c", 2048, 8 } };
    enum { STAGES = sizeof stages / sizeof *stages };
    cn_module *net = lab_network("torchvision/inception_v3", 299, 0);
    lab_number(lab, "parameters, with the head", (double)cn_parameter_count(net), 27161264, 0);
    cn_train_mode(net, false);
    CN_NO_GRAD
    {
        cn_tensor *x = cn_zeros(CN_SHAPE(1, 3, 299, 299), CN_F32);
        for (int i = 0, next = 0; x && i < cn_module_children(net) && next < STAGES; i++) {
            cn_module *child = cn_module_child(net, i);
            if (child == cn_module_at(net, "AuxLogits")) continue;
            x = cn_forward(child, x);
            if (child != cn_module_at(net, stages[next].name)) continue;
            int64_t side = stages[next].side;
            lab_shape(lab, stages[next].name, x, CN_SHAPE(1, stages[next].channels, side, side));
            next++;
        }
    }
    cn_module_free(net);
}

/* The block of the 17 x 17 stage, narrow: 1 x 1; 1 x 1, 1 x 7, 7 x 1; 1 x 1 and 1 x 3 beside 3 x 1;
   pooling, 1 x 1. */
static cn_module *block(void)
{
    cn_module *b = cn_branches(true);
    cn_branch(b, "one", CN_BLOCK_INPUT, cn_conv2d_layer(8, .kernel = 1));
    int narrow = cn_branch(b, "narrow", CN_BLOCK_INPUT, cn_conv2d_layer(8, .kernel = 1));
    int across = cn_branch(b, "across", narrow,
                           cn_conv2d_layer(8, .kernel_hw = { 1, KERNEL }, .padding_hw = { 0, 3 }));
    cn_branch(b, "down", across,
              cn_conv2d_layer(8, .kernel_hw = { KERNEL, 1 }, .padding_hw = { 3, 0 }));
    int split = cn_branch(b, "split", CN_BLOCK_INPUT, cn_conv2d_layer(8, .kernel = 1));
    cn_branch(b, "split_across", split,
              cn_conv2d_layer(4, .kernel_hw = { 1, 3 }, .padding_hw = { 0, 1 }));
    cn_branch(b, "split_down", split,
              cn_conv2d_layer(4, .kernel_hw = { 3, 1 }, .padding_hw = { 1, 0 }));
    int pool =
        cn_branch(b, "pool", CN_BLOCK_INPUT, cn_max_pool2d_layer(3, .stride = 1, .padding = 1));
    cn_branch(b, "pool_one", pool, cn_conv2d_layer(8, .kernel = 1));
    return b;
}

static void trains(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 4000, 2000, .batch = 32, .epochs = 8, .lr = 2e-3, .adam = true,
                      .accuracy = 0.85 },
        .quick = { 2000, 1000, .batch = 32, .epochs = 3, .lr = 3e-3, .adam = true,
                   .accuracy = 0.6 },
        .real = { 20000, 5000, .batch = 64, .epochs = 6, .lr = 2e-3, .adam = true,
                  .accuracy = 0.82 },
        .real_quick = { 3000, 1000, .batch = 32, .epochs = 5, .lr = 3e-3, .adam = true,
                        .accuracy = 0.65 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return;
    cn_manual_seed(lab_options(lab)->seed);
    cn_module *net = cn_sequential(cn_conv2d_layer(16, .kernel = 3, .stride = 2, .padding = 1),
                                   cn_relu_layer(), block(), cn_max_pool2d_layer(2), block(),
                                   cn_max_pool2d_layer(2), cn_flatten_layer(), cn_linear_layer(10));
    cn_init(net, cn_kaiming_uniform, NULL);
    cn_build(net, CN_SHAPE(1, 1, 28, 28));
    LabFit fit = lab_train(lab, net, train, test, &s);
    lab_at_least(lab, "test accuracy of two narrow blocks, best epoch", fit.best_test_acc,
                 s.accuracy);
    lab_figure(lab, lab_curves(&fit, "Factorised Inception blocks"));
    cn_module_free(net);
}

static void run(Lab *lab)
{
    factors(lab);
    shapes(lab);
    cn_module *one = block();
    lab_shape(lab, "a narrow block", cn_forward(one, cn_zeros(CN_SHAPE(1, 16, 17, 17), CN_F32)),
              CN_SHAPE(1, 8 + 8 + 4 + 4 + 8, 17, 17));
    cn_module_free(one);
    trains(lab);
}

const Experiment experiment_c07_incv3 = {
    .id = "C07-INCV3",
    .title = "Inception v3",
    .title_zh = "Inception V3",
    .section = "8.4",
    .settings = "299 x 299; 1 x n and n x 1 in place of n x n",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
