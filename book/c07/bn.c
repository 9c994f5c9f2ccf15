/* bn.c - the batch normalisation layer (D2L 8.5.2). */
#include "book/book.h"

enum { N = 4, C = 3, H = 5, W = 2 };

/* (x - mean) / sqrt(variance + eps) over these dimensions, which is all there is to it. */
static cn_tensor *standardised(cn_tensor *x, cn_shape dims, double eps)
{
    cn_tensor *mean = cn_mean(x, .dim = dims, .keepdim = true);
    cn_tensor *var = cn_mean(cn_square(cn_sub(x, mean)), .dim = dims, .keepdim = true);
    return cn_div(cn_sub(x, mean), cn_sqrt(cn_add(var, cn_num(eps))));
}

static cn_tensor *layer(cn_tensor *const *in, void *context)
{
    (void)context;
    return cn_batch_norm(in[0], .weight = in[1], .bias = in[2], .training = true);
}

/* Twice in training mode, then in evaluation: the moving averages follow by PyTorch's momentum 0.1,
   the book's 0.9, with the unbiased variance. */
static void moving_averages(Lab *lab, cn_tensor *x)
{
    cn_module *bn = cn_batch_norm2d_layer();
    cn_tensor *mean = cn_zeros(CN_SHAPE(C), CN_F32), *var = cn_ones(CN_SHAPE(C), CN_F32);
    for (int i = 0; i < 2; i++) {
        cn_tensor *batch = cn_mul(cn_add(x, cn_num(i)), cn_num(i + 1));
        cn_forward(bn, batch);
        mean = cn_lerp(mean, cn_mean(batch, .dim = CN_SHAPE(0, 2, 3)), cn_scalar(0.1));
        var = cn_lerp(var, cn_var(batch, .dim = CN_SHAPE(0, 2, 3)), cn_scalar(0.1));
    }
    lab_same(lab, "running mean after two batches", cn_module_slot(bn, "running_mean"), mean, 1e-5);
    lab_same(lab, "running variance after two batches", cn_module_slot(bn, "running_var"), var,
             1e-5);
    cn_train_mode(bn, false);
    cn_shape channels = CN_SHAPE(C, 1, 1);
    cn_tensor *by_averages = cn_div(cn_sub(x, cn_reshape(mean, channels)),
                                    cn_sqrt(cn_add(cn_reshape(var, channels), cn_num(1e-5))));
    lab_same(lab, "evaluation standardises by the running statistics", cn_forward(bn, x),
             by_averages, 1e-5);
    lab_same(lab, "and by them alone: one example gives the same",
             cn_forward(bn, cn_narrow(x, 0, 1, 1)), cn_narrow(by_averages, 0, 1, 1), 1e-5);
    cn_module_free(bn);
}

static void run(Lab *lab)
{
    cn_tensor *four = cn_from((const float[]){ 1, 2, 2, 3 }, CN_SHAPE(2, 2), CN_F32);
    cn_module *bn = cn_batch_norm1d_layer();
    lab_values(lab, "BatchNorm1d of [[1, 2], [2, 3]]", cn_forward(bn, four), 1e-4, -1, -1, 1, 1);
    cn_module_free(bn);

    cn_tensor *x = cn_add(cn_mul(cn_randn(CN_SHAPE(N, C, H, W), CN_F32), cn_num(3)), cn_num(2));
    cn_tensor *y = cn_batch_norm(x, .training = true);
    lab_values(lab, "mean of each channel", cn_mean(y, .dim = CN_SHAPE(0, 2, 3)), 1e-6, 0, 0, 0);
    lab_values(lab, "variance of each channel", cn_var(y, .dim = CN_SHAPE(0, 2, 3), .biased = true),
               1e-4, 1, 1, 1);
    lab_same(lab, "by the formula, channels", y, standardised(x, CN_SHAPE(0, 2, 3), 1e-5), 1e-5);
    cn_tensor *flat = cn_reshape(x, CN_SHAPE(N * C, H * W));
    lab_same(lab, "by the formula, features", cn_batch_norm(flat, .training = true),
             standardised(flat, CN_SHAPE(0), 1e-5), 1e-5);
    moving_averages(lab, x);

    cn_tensor *gamma = cn_randn(CN_SHAPE(C), CN_F64), *beta = cn_randn(CN_SHAPE(C), CN_F64);
    lab_gradients(lab, "gradients of input, gamma and beta", layer,
                  (cn_tensor *[]){ cn_randn(CN_SHAPE(N, C, H, W), CN_F64), gamma, beta }, 3, NULL);
}

const Experiment experiment_c07_bn = {
    .id = "C07-BN",
    .title = "Batch normalization layers",
    .title_zh = "批量规范化层",
    .section = "8.5.2",
    .settings = "momentum 0.9 of the averages kept, eps 1e-5",
    .published = "[[1, 2], [2, 3]] -> [[-1, -1], [1, 1]]",
    .run = run,
};
