/* pad.c - padding and stride (D2L 7.3). */
#include "book/book.h"

/* Of a layer that is made for the occasion; the book's comp_conv2d(). */
static cn_tensor *comp_conv2d(cn_module *layer, cn_tensor *x)
{
    cn_tensor *y = cn_forward(layer, cn_reshape(x, CN_SHAPE(1, 1, cn_size(x, 0), cn_size(x, 1))));
    cn_module_free(layer);
    return cn_reshape(y, CN_SHAPE(cn_size(y, 2), cn_size(y, 3)));
}

/* (7.3.2): how many of so many settings give another number of outputs. */
static int wrong_sizes(void)
{
    int wrong = 0;
    for (int64_t n = 5; n <= 9; n++)
        for (int64_t k = 1; k <= 5; k++)
            for (int64_t p = 0; p < k; p++)
                for (int64_t s = 1; s <= 4; s++) CN_SCOPE
                    {
                        cn_tensor *y = cn_conv2d(cn_zeros(CN_SHAPE(1, 1, n, n), CN_F32),
                                                 cn_zeros(CN_SHAPE(1, 1, k, k), CN_F32),
                                                 .padding = { p, p }, .stride = { s });
                        wrong += cn_size(y, 2) != (n - k + 2 * p + s) / s;
                    }
    return wrong;
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_rand(CN_SHAPE(8, 8), CN_F32);
    lab_shape(lab, "kernel 3, padding 1",
              comp_conv2d(cn_conv2d_layer(1, .kernel = 3, .padding = 1), x), CN_SHAPE(8, 8));
    lab_shape(lab, "kernel (5, 3), padding (2, 1)",
              comp_conv2d(cn_conv2d_layer(1, .kernel_hw = { 5, 3 }, .padding_hw = { 2, 1 }), x),
              CN_SHAPE(8, 8));
    lab_shape(lab, "kernel 3, padding 1, stride 2",
              comp_conv2d(cn_conv2d_layer(1, .kernel = 3, .padding = 1, .stride = 2), x),
              CN_SHAPE(4, 4));
    lab_shape(lab, "kernel (3, 5), padding (0, 1), stride (3, 4)",
              comp_conv2d(cn_conv2d_layer(1, .kernel_hw = { 3, 5 }, .padding_hw = { 0, 1 },
                                          .stride_hw = { 3, 4 }),
                          x),
              CN_SHAPE(2, 2));
    lab_number(lab, "sizes that are not floor((n - k + p + s) / s)", wrong_sizes(), 0, 0);

    cn_tensor *image = cn_reshape(x, CN_SHAPE(1, 1, 8, 8));
    cn_tensor *k = cn_randn(CN_SHAPE(1, 1, 5, 3), CN_F32);
    cn_tensor *padded = cn_conv2d(image, k, .padding = { 2, 1 });
    lab_same(lab, "padding is a margin of zeros", padded,
             cn_conv2d(cn_pad(image, CN_SHAPE(1, 1, 2, 2)), k), 1e-6);
    lab_same(lab, "a stride of (3, 2) takes every third row and second column",
             cn_conv2d(image, k, .padding = { 2, 1 }, .stride = { 3, 2 }),
             cn_slice(cn_slice(padded, 2, 0, INT64_MAX, 3), 3, 0, INT64_MAX, 2), 1e-6);
}

const Experiment experiment_c06_pad = {
    .id = "C06-PAD C06-STRIDE",
    .title = "Padding and stride",
    .title_zh = "填充和步幅",
    .section = "7.3",
    .published = "(8, 8), (8, 8), (4, 4), (2, 2)",
    .run = run,
};
