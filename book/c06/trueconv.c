/* trueconv.c - convolution proper turns the kernel around (D2L 7.2.5). */
#include "book/book.h"

enum { H = 9, W = 10, KH = 2, KW = 3, STEPS = 300 };

/* By the definition (7.1.6): sum over a, b of K[a, b] X[i - a, j - b], where X has all it asks for. */
static cn_tensor *convolution(cn_tensor *x, cn_tensor *k)
{
    cn_tensor *y = cn_zeros(CN_SHAPE(H - KH + 1, W - KW + 1), CN_F32);
    float *out = cn_data_mut(y);
    for (int64_t i = KH - 1; out && i < H; i++)
        for (int64_t j = KW - 1; j < W; j++, out++)
            for (int64_t a = 0; a < KH; a++)
                for (int64_t b = 0; b < KW; b++)
                    *out += (float)(cn_at(k, CN_SHAPE(a, b)) * cn_at(x, CN_SHAPE(i - a, j - b)));
    return y;
}

static cn_tensor *learned(cn_tensor *x, cn_tensor *y)
{
    cn_module *layer = cn_conv2d_layer(1, .in = 1, .kernel_hw = { KH, KW }, .no_bias = true);
    cn_optim *sgd = cn_sgd(layer, .lr = 0.2);
    for (int i = 0; i < STEPS && cn_ok(); i++) CN_SCOPE
        {
            cn_zero_grad(layer);
            if (cn_backward(cn_mse_loss(cn_forward(layer, x), y))) cn_step(sgd);
        }
    cn_tensor *kernel =
        cn_clone(cn_reshape(cn_detach(cn_module_slot(layer, "weight")), CN_SHAPE(KH, KW)));
    cn_optim_free(sgd);
    cn_module_free(layer);
    return kernel;
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(H, W), CN_F32), *k = cn_randn(CN_SHAPE(KH, KW), CN_F32);
    cn_tensor *flipped = cn_flip(k, CN_SHAPE(0, 1)), *y = convolution(x, k);
    cn_tensor *image = cn_reshape(x, CN_SHAPE(1, 1, H, W));
    cn_tensor *crossed = cn_conv2d(image, cn_reshape(flipped, CN_SHAPE(1, 1, KH, KW)));
    lab_same(lab, "conv(X, K) and corr(X, flip(K))", y,
             cn_reshape(crossed, CN_SHAPE(H - KH + 1, W - KW + 1)), 1e-5);
    lab_at_least(lab, "conv(X, K) and corr(X, K) differ by",
                 cn_item(cn_amax(cn_abs(
                     cn_sub(y, cn_reshape(cn_conv2d(image, cn_reshape(k, CN_SHAPE(1, 1, KH, KW))),
                                          CN_SHAPE(H - KH + 1, W - KW + 1)))))),
                 0.1);
    cn_tensor *target = cn_reshape(y, CN_SHAPE(1, 1, H - KH + 1, W - KW + 1));
    lab_same(lab, "a cross-correlation that learns conv(X, K) has flip(K)", learned(image, target),
             flipped, 1e-3);
}

const Experiment experiment_c06_trueconv = {
    .id = "C06-TRUECONV",
    .title = "Cross-correlation and convolution",
    .title_zh = "互相关和卷积",
    .section = "7.2.5",
    .run = run,
};
