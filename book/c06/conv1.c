/* conv1.c - a 1 x 1 convolution is a fully connected layer for each pixel (D2L 7.4.3). */
#include "book/book.h"

enum { IN = 3, OUT = 2, H = 3, W = 3 };

static cn_tensor *corr2d_multi_in_out_1x1(cn_tensor *x, cn_tensor *k)
{
    cn_tensor *pixels = cn_reshape(x, CN_SHAPE(IN, H * W));
    return cn_reshape(cn_matmul(cn_reshape(k, CN_SHAPE(OUT, IN)), pixels), CN_SHAPE(OUT, H, W));
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(IN, H, W), CN_F32),
              *k = cn_randn(CN_SHAPE(OUT, IN, 1, 1), CN_F32);
    cn_tensor *y = corr2d_multi_in_out_1x1(x, k);
    lab_same(lab, "matrix product and convolution", y, cn_conv2d(x, k), 1e-6);

    cn_module *linear = cn_linear_layer(OUT, .in = IN, .no_bias = true);
    if (cn_write(cn_detach(cn_module_slot(linear, "weight")), CN_F32, cn_data(k), IN * OUT))
        lab_same(
            lab, "Linear over the channels and convolution",
            cn_permute(cn_forward(linear, cn_permute(x, CN_SHAPE(1, 2, 0))), CN_SHAPE(2, 0, 1)), y,
            1e-6);
    cn_module_free(linear);
}

const Experiment experiment_c06_conv1 = {
    .id = "C06-CONV1",
    .title = "1 x 1 convolutional layer",
    .title_zh = "1×1 卷积层",
    .section = "7.4.3",
    .settings = "input (3, 3, 3), 2 output channels",
    .published = "they differ by less than 1e-6",
    .run = run,
};
