/* xcorr.c - two-dimensional cross-correlation, by hand and by the library (D2L 7.2.1). */
#include "book/book.h"

/* The book's corr2d(): a window slides over X; what it covers is multiplied by K and added up. */
static cn_tensor *corr2d(cn_tensor *x, cn_tensor *k)
{
    int64_t h = cn_size(k, 0), w = cn_size(k, 1);
    int64_t rows = cn_size(x, 0) - h + 1, columns = cn_size(x, 1) - w + 1;
    cn_tensor *y = cn_zeros(CN_SHAPE(rows, columns), CN_F32);
    float *out = cn_data_mut(y);
    for (int64_t i = 0; out && i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            cn_tensor *window = cn_narrow(cn_narrow(x, 0, i, h), 1, j, w);
            out[i * columns + j] = (float)cn_item(cn_sum(cn_mul(window, k)));
        }
    return y;
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_reshape(cn_arange(0, 9, 1, CN_F32), CN_SHAPE(3, 3));
    cn_tensor *k = cn_reshape(cn_arange(0, 4, 1, CN_F32), CN_SHAPE(2, 2));
    cn_tensor *images = cn_reshape(x, CN_SHAPE(1, 1, 3, 3));
    cn_tensor *y = cn_conv2d(images, cn_reshape(k, CN_SHAPE(1, 1, 2, 2)));

    lab_values(lab, "corr2d(X, K)", corr2d(x, k), 0, 19, 25, 37, 43);
    lab_values(lab, "conv2d(X, K)", cn_reshape(y, CN_SHAPE(2, 2)), 0, 19, 25, 37, 43);

    cn_manual_seed(lab_options(lab)->seed);
    cn_tensor *large = cn_randn(CN_SHAPE(11, 13), CN_F32), *odd = cn_randn(CN_SHAPE(3, 4), CN_F32);
    cn_tensor *fast =
        cn_conv2d(cn_reshape(large, CN_SHAPE(1, 1, 11, 13)), cn_reshape(odd, CN_SHAPE(1, 1, 3, 4)));
    lab_same(lab, "corr2d and conv2d of random numbers", corr2d(large, odd),
             cn_reshape(fast, CN_SHAPE(9, 10)), 1e-5);
}

const Experiment experiment_c06_xcorr = {
    .id = "C06-XCORR",
    .title = "Cross-correlation in two dimensions",
    .title_zh = "二维互相关运算",
    .section = "7.2.1",
    .published = "[[19, 25], [37, 43]]",
    .run = run,
};
