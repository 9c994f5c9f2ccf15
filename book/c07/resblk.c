/* resblk.c - residual blocks and the identity (D2L 8.6.2). */
#include "book/book.h"
#include "models/blocks.h"

/* The branch ends with a batch norm: without its gamma, and beta being zero, nothing is added. */
static void silence(cn_module *block)
{
    cn_mul_(cn_detach(cn_module_slot(cn_module_at(block, "bn2"), "weight")), cn_num(0));
}

static void run(Lab *lab)
{
    cn_module *same = cn_residual(3, false, 1), *half = cn_residual(6, true, 2);
    cn_tensor *x = cn_randn(CN_SHAPE(4, 3, 6, 6), CN_F32);
    cn_tensor *y = cn_forward(same, x);
    lab_shape(lab, "Residual(3)", y, CN_SHAPE(4, 3, 6, 6));
    lab_shape(lab, "Residual(6, use_1x1conv=True, strides=2)", cn_forward(half, x),
              CN_SHAPE(4, 6, 3, 3));

    cn_tensor *z = cn_relu(cn_batch_norm(
        cn_conv2d(x, cn_module_slot(cn_module_at(same, "conv1"), "weight"), .padding = { 1, 1 }),
        .training = true));
    z = cn_batch_norm(
        cn_conv2d(z, cn_module_slot(cn_module_at(same, "conv2"), "weight"), .padding = { 1, 1 }),
        .training = true);
    lab_same(lab, "ReLU(X + branch(X)), written out", y, cn_relu(cn_add(z, x)), 1e-4);
    lab_module_gradients(lab, "gradients of the block's parameters", half, x);

    silence(same);
    silence(half);
    cn_module *project = cn_module_at(half, "conv3");
    lab_same(lab, "a silent branch leaves ReLU(X)", cn_forward(same, x), cn_relu(x), 0);
    lab_same(lab, "or ReLU of the 1 x 1 convolution", cn_forward(half, x),
             cn_relu(cn_forward(project, x)), 0);

    /* The way back is free as well: through a silent branch the gradient arrives unchanged. */
    cn_tensor *positive = cn_requires_grad(cn_rand(CN_SHAPE(4, 3, 6, 6), CN_F32), true);
    cn_tensor *v = cn_randn(CN_SHAPE(4, 3, 6, 6), CN_F32);
    if (cn_backward(cn_sum(cn_mul(cn_forward(same, positive), v))))
        lab_same(lab, "the gradient passes the identity", cn_grad(positive), v, 0);
    cn_module_free(same);
    cn_module_free(half);
}

const Experiment experiment_c07_resblk = {
    .id = "C07-RESBLK",
    .title = "Residual blocks",
    .title_zh = "残差块",
    .section = "8.6.2",
    .published = "(4, 3, 6, 6); (4, 6, 3, 3)",
    .run = run,
};
