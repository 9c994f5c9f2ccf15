/* denseblk.c - dense blocks and transition layers (D2L 8.7.2 and 8.7.3). */
#include "book/book.h"
#include "models/blocks.h"

static void run(Lab *lab)
{
    cn_module *block = cn_dense_block(&(cn_dense_options){ .layers = 2, .growth = 10 });
    cn_module *transition = cn_transition_block(10, false);
    cn_module *narrow =
        cn_dense_block(&(cn_dense_options){ .layers = 2, .growth = 10, .bottleneck = 4 });
    cn_tensor *x = cn_randn(CN_SHAPE(4, 3, 8, 8), CN_F32), *y = cn_forward(block, x);
    lab_shape(lab, "DenseBlock(2, 10)", y, CN_SHAPE(4, 23, 8, 8));
    lab_same(lab, "it begins with its input", cn_narrow(y, 1, 0, 3), x, 0);

    /* Layer two takes the input and what layer one made: 13 channels. */
    cn_module *second = cn_module_at(block, "net.1");
    lab_same(lab, "and goes on with layers that take all before", cn_narrow(y, 1, 13, 10),
             cn_forward(second, cn_narrow(y, 1, 0, 13)), 1e-5);
    lab_shape(lab, "transition block", cn_forward(transition, y), CN_SHAPE(4, 10, 4, 4));
    lab_shape(lab, "with 1 x 1 before each 3 x 3", cn_forward(narrow, x), CN_SHAPE(4, 23, 8, 8));

    /* BN 2 * 3, 3 -> 10: 3 * 10 * 9 + 10; BN 2 * 13, 13 -> 10: 13 * 10 * 9 + 10; and with four channels
       between them. */
    lab_number(lab, "parameters", (double)cn_parameter_count(block), 6 + 280 + 26 + 1180, 0);
    lab_number(lab, "parameters with 1 x 1 to 4 channels before each 3 x 3",
               (double)cn_parameter_count(narrow), (6 + 16 + 8 + 370) + (26 + 56 + 8 + 370), 0);
    lab_module_gradients(lab, "gradients of the block's parameters", block, x);
    cn_module_free(block);
    cn_module_free(transition);
    cn_module_free(narrow);
}

const Experiment experiment_c07_denseblk = {
    .id = "C07-DENSEBLK",
    .title = "Dense blocks and transition layers",
    .title_zh = "稠密块体和过渡层",
    .section = "8.7.2",
    .settings = "2 convolutions, growth 10",
    .published = "(4, 23, 8, 8); (4, 10, 4, 4)",
    .run = run,
};
