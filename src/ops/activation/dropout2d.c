/* dropout2d.c - dropout of whole channels: one number decides for all elements of a channel. */
#include "ops/compose.h"

#include <cenote/rng.h>

typedef struct {
    double p;
    bool training, inplace;
} Dropout;

static bool dropout2d_compose(cn_call *c)
{
    const Dropout *d = c->params;
    if (!cn_want_dims(c, 0, 3, 4)) return false;
    return cn_set_out(c, 0, cn_dropout2d(c->in[0], d->p, d->training ? cn_default_rng() : NULL));
}

const cn_op cn_op_dropout2d = {
    CN_OP_HEAD(dropout2d, "nn.functional.dropout2d",
               "(Tensor input, float p=0.5, bool training=True, bool inplace=False) -> Tensor"),
    .doc =
        "Zeroes whole channels of (N, C, H, W) or (C, H, W) with probability p and scales the others by "
        "1 / (1 - p).",
    .flags = CN_RANDOM,
    .params_size = sizeof(Dropout),
    .compose = dropout2d_compose,
    .samples = "[2,3,2,2] | [3,2,2] p=0.2 | [2,3,2,2] training=False",
};

cn_tensor *cn_dropout2d(cn_tensor *input, double p, cn_rng *rng)
{
    if (!input || !rng) return input;
    cn_shape channels = input->v.shape;
    for (int i = channels.ndim - 2; i >= 0 && i < channels.ndim; i++) channels.dim[i] = 1;
    cn_tensor *kept = cn_dropout(cn_ones(channels, input->v.dtype), p, rng);
    return kept ? cn_mul(input, kept) : NULL;
}
