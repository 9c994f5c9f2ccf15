/* channel_dropout.c - dropout of whole channels, one number deciding for all elements of each, and
   the dropout that keeps mean and variance (Klambauer and others, 2017). */
#include "ops/compose.h"

#include <cenote/rng.h>

#include <math.h>

typedef struct {
    double p;
    bool training;
} Dropout;

static cn_rng *generator(const cn_call *c)
{
    return ((const Dropout *)c->params)->training ? cn_default_rng() : NULL;
}

static bool is_probability(const cn_call *c)
{
    double p = ((const Dropout *)c->params)->p;
    return (p >= 0 && p <= 1) ||
           cn_fail(CN_EINVALID, "%s: p must be between 0 and 1, got %g", c->op->name, p);
}

/* ---- channels ------------------------------------------------------------------------------ */

/* The first `lead` dimensions count channels. */
static cn_tensor *drop_channels(cn_tensor *input, int lead, double p, cn_rng *rng)
{
    if (!input || !rng) return input;
    cn_shape channels = input->v.shape;
    for (int i = lead; i < channels.ndim; i++) channels.dim[i] = 1;
    cn_tensor *kept = cn_dropout(cn_ones(channels, input->v.dtype), p, rng);
    return kept ? cn_mul(input, kept) : NULL;
}

/* Inputs have `spatial` dimensions after the channels, and may lack the batch. */
static bool by_channel(cn_call *c, int spatial)
{
    const Dropout *d = c->params;
    if (!is_probability(c) || !cn_want_dims(c, 0, spatial + 1, spatial + 2)) return false;
    int lead = c->in[0]->v.shape.ndim - spatial;
    return cn_set_out(c, 0, drop_channels(c->in[0], lead, d->p, generator(c)));
}

static bool dropout1d_compose(cn_call *c)
{
    return by_channel(c, 1);
}

/* PyTorch takes three dimensions as (N, C, L) here. */
static bool dropout2d_compose(cn_call *c)
{
    const Dropout *d = c->params;
    if (!is_probability(c) || !cn_want_dims(c, 0, 3, 4)) return false;
    return cn_set_out(c, 0, drop_channels(c->in[0], 2, d->p, generator(c)));
}

static bool dropout3d_compose(cn_call *c)
{
    return by_channel(c, 3);
}

#define CHANNEL_DROPOUT(ident, shapes)                                                             \
    CN_OP_HEAD(ident, "nn.functional." #ident,                                                     \
               "(Tensor input, float p=0.5, bool training=True, bool inplace=False) -> Tensor"),   \
        .doc = "Zeroes whole channels of " shapes " with probability p and scales the others by "  \
               "1 / (1 - p).",                                                                     \
        .flags = CN_RANDOM, .params_size = sizeof(Dropout), .compose = ident##_compose

const cn_op cn_op_dropout1d = {
    CHANNEL_DROPOUT(dropout1d, "(N, C, L) or (C, L)"),
    .samples = "[2,3,2] | [3,2] p=0.2 | [2,3,2] training=False",
};
const cn_op cn_op_dropout2d = {
    CHANNEL_DROPOUT(dropout2d, "(N, C, H, W) or (N, C, L)"),
    .samples = "[2,3,2,2] | [3,2,2] p=0.2 | [2,3,2,2] training=False",
};
const cn_op cn_op_dropout3d = {
    CHANNEL_DROPOUT(dropout3d, "(N, C, D, H, W) or (C, D, H, W)"),
    .samples = "[2,3,1,2,2] | [3,2,2,1] p=0.2 | [2,3,1,2,2] training=False",
};

/* Through the op's own checks, with another generator. */
static cn_tensor *drop_by(const cn_op *op, cn_tensor *input, double p, cn_rng *rng, int lead)
{
    const Dropout d = { .p = p };
    return cn_apply1(op, &input, 1, &d) ? drop_channels(input, lead, p, rng) : NULL;
}

cn_tensor *cn_dropout1d(cn_tensor *input, double p, cn_rng *rng)
{
    return input ? drop_by(&cn_op_dropout1d, input, p, rng, input->v.shape.ndim - 1) : NULL;
}

cn_tensor *cn_dropout2d(cn_tensor *input, double p, cn_rng *rng)
{
    return drop_by(&cn_op_dropout2d, input, p, rng, 2);
}

cn_tensor *cn_dropout3d(cn_tensor *input, double p, cn_rng *rng)
{
    return input ? drop_by(&cn_op_dropout3d, input, p, rng, input->v.shape.ndim - 3) : NULL;
}

/* ---- alpha dropout ------------------------------------------------------------------------- */

/* What selu tends to for small inputs takes the place of what is dropped; then scale and shift
   bring mean and variance back to 0 and 1. */
cn_tensor *cn_alpha_dropout(cn_tensor *input, double p, bool channels, cn_rng *rng)
{
    const double lowest = -1.7580993408473766;
    if (!input || !rng || p == 0) return input;
    if (p == 1) return cn_mul(input, cn_number(0));
    cn_shape s = input->v.shape;
    for (int i = 2; channels && i < s.ndim; i++) s.dim[i] = 1;
    double scale = 1 / sqrt((1 - p) * (1 + p * lowest * lowest)), shift = -scale * lowest * p;
    /* dropout multiplies what it keeps by 1 / (1 - p) */
    cn_tensor *kept = cn_gt(cn_dropout(cn_ones(s, input->v.dtype), p, rng), cn_number(0));
    cn_tensor *moved = cn_add(cn_mul(input, cn_number(scale)), cn_number(shift));
    return cn_where(kept, moved, cn_number(scale * lowest + shift));
}

static bool alpha(cn_call *c, bool channels)
{
    const Dropout *d = c->params;
    if (!is_probability(c)) return false;
    if (d->training && !cn_dtype_is_float(c->in[0]->v.dtype))
        return cn_fail(CN_EINVALID, "%s: the input must be float, not %s", c->op->name,
                       cn_dtype_name(c->in[0]->v.dtype));
    return cn_set_out(c, 0, cn_alpha_dropout(c->in[0], d->p, channels, generator(c)));
}

static bool alpha_dropout_compose(cn_call *c)
{
    return alpha(c, false);
}

static bool feature_alpha_dropout_compose(cn_call *c)
{
    const Dropout *d = c->params;
    return cn_want_dims(c, 0, d->training ? 2 : 0, CN_MAX_DIMS) && alpha(c, true);
}

#define ALPHA_DROPOUT(ident, what)                                                                 \
    CN_OP_HEAD(ident, "nn.functional." #ident,                                                     \
               "(Tensor input, float p=0.5, bool training=False, bool inplace=False) -> Tensor"),  \
        .doc = "Dropout of " what " that keeps mean 0 and variance 1, as after selu.",             \
        .flags = CN_RANDOM, .params_size = sizeof(Dropout), .compose = ident##_compose

const cn_op cn_op_alpha_dropout = {
    ALPHA_DROPOUT(alpha_dropout, "elements"),
    .samples = "[2,3] training=True | [] 0.2 True | [4] 1.0 True | [3]",
};
const cn_op cn_op_feature_alpha_dropout = {
    ALPHA_DROPOUT(feature_alpha_dropout, "channels"),
    .samples = "[2,3,2,2] training=True | [2,3] 0.2 True | [3,1] | [5]",
};
