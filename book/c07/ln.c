/* ln.c - layer normalisation beside batch normalisation (D2L 8.5.2.3 and 11.7.3). */
#include "book/book.h"

enum { BATCH = 3, STEPS = 4, WIDTH = 5 };

static void run(Lab *lab)
{
    cn_tensor *x = cn_from((const float[]){ 1, 2, 2, 3 }, CN_SHAPE(2, 2), CN_F32);
    cn_module *ln = cn_layer_norm_layer(CN_SHAPE(2)), *bn = cn_batch_norm1d_layer();
    lab_values(lab, "layer norm of [[1, 2], [2, 3]]", cn_forward(ln, x), 1e-4, -1, 1, -1, 1);
    lab_values(lab, "batch norm of [[1, 2], [2, 3]]", cn_forward(bn, x), 1e-4, -1, -1, 1, 1);
    cn_module_free(bn);
    cn_module_free(ln);

    cn_module *norm = cn_layer_norm_layer(CN_SHAPE(WIDTH));
    cn_tensor *sequences = cn_randn(CN_SHAPE(BATCH, STEPS, WIDTH), CN_F32);
    cn_tensor *y = cn_forward(norm, sequences);
    lab_same(lab, "a batch of one", cn_forward(norm, cn_narrow(sequences, 0, 1, 1)),
             cn_narrow(y, 0, 1, 1), 1e-6);
    cn_tensor *padded = cn_pad(sequences, CN_SHAPE(0, 0, 0, 7)); /* seven more steps */
    lab_same(lab, "rows of padding change nothing",
             cn_narrow(cn_forward(norm, padded), 1, 0, STEPS), y, 1e-6);
    cn_train_mode(norm, false);
    lab_same(lab, "evaluation mode changes nothing", cn_forward(norm, sequences), y, 0);

    cn_tensor *mean = cn_mean(sequences, .dim = CN_SHAPE(2), .keepdim = true);
    cn_tensor *std = cn_sqrt(cn_add(
        cn_var(sequences, .dim = CN_SHAPE(2), .keepdim = true, .biased = true), cn_num(1e-5)));
    lab_same(lab, "by the formula", y, cn_div(cn_sub(sequences, mean), std), 1e-5);
    cn_module_free(norm);
}

const Experiment experiment_c07_ln = {
    .id = "C07-LN",
    .title = "Layer normalization",
    .title_zh = "层规范化",
    .section = "8.5.2.3",
    .published = "[[1, 2], [2, 3]] -> [[-1, 1], [-1, 1]], with batch norm [[-1, -1], [1, 1]]",
    .run = run,
};
