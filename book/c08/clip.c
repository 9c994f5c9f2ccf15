/* clip.c - gradients cut to a largest norm (D2L 9.5.3). */
#include "book/book.h"

#include <math.h>

/* A linear layer with gradients of such a size. */
static cn_module *with_gradients(double size)
{
    cn_module *net = cn_linear_layer(4, .in = 3);
    cn_tensor *x = cn_randn(CN_SHAPE(8, 3), CN_F32);
    cn_backward(cn_mul(cn_sum(cn_square(cn_forward(net, x))), cn_num(size)));
    return net;
}

static cn_tensor *gradients(cn_module *net)
{
    cn_tensor *parts[] = { cn_flatten(cn_grad(cn_module_slot(net, "weight")), 0),
                           cn_grad(cn_module_slot(net, "bias")) };
    return cn_clone(cn_cat(parts, 2, 0));
}

static void check(Lab *lab, double size, double theta)
{
    cn_module *net = with_gradients(size);
    cn_tensor *params[2], *before = gradients(net);
    int n = cn_parameters(net, params, 2);
    double norm = cn_item(cn_norm(before)), told = cn_clip_grad_norm(params, n, theta);
    cn_tensor *after = gradients(net);
    lab_number(lab, "the norm before", told, norm, 1e-4 * norm);
    lab_at_most(lab, "the norm after", cn_item(cn_norm(after)), theta * (1 + 1e-5));
    lab_same(lab, "g min(1, theta / |g|)", after, cn_mul(before, cn_num(fmin(1, theta / norm))),
             1e-5 * theta);
    lab_number(lab, "the cosine of both", cn_item(cn_cosine_similarity(before, after, 0)), 1, 1e-5);
    cn_module_free(net);
}

static void run(Lab *lab)
{
    check(lab, 100, 1); /* cut */
    check(lab, 100, 5);
    check(lab, 1e-4, 1); /* short enough: stays as it is */
}

const Experiment experiment_c08_clip = {
    .id = "C08-CLIP",
    .title = "Gradient clipping",
    .title_zh = "梯度裁剪",
    .section = "9.5.3",
    .settings = "theta 1",
    .run = run,
};
