/* shuffle.c - channels traded for pixels, and channels of groups mixed. */
#include "ops/compose.h"

/* ---- blocks of channels as blocks of pixels, sub-pixel convolution: Shi et al. 2016 ---------- */

/* The product of the dimensions before the last three. */
static int64_t pictures(const cn_shape *s)
{
    int64_t n = 1;
    for (int i = 0; i < s->ndim - 3; i++) n *= s->dim[i];
    return n;
}

static bool is_picture(const cn_call *c, int64_t factor)
{
    if (!cn_want_dims(c, 0, 3, CN_MAX_DIMS)) return false;
    return (factor >= 1 && factor <= INT16_MAX) ||
           cn_fail(CN_EINVALID, "%s: a factor of %lld is not possible", c->op->name,
                   (long long)factor);
}

/* input as `parts`, its last five dimensions in another order, as `result`. */
static bool rearrange(cn_call *c, cn_shape parts, cn_shape order, cn_shape result)
{
    cn_tensor *y = cn_permute(cn_reshape(c->in[0], parts), order);
    return cn_set_out(c, 0, y ? cn_reshape(y, result) : NULL);
}

static bool pixel_shuffle_compose(cn_call *c)
{
    int64_t f = *(const int64_t *)c->params;
    if (!is_picture(c, f)) return false;
    cn_shape r = c->in[0]->v.shape;
    int64_t *last = &r.dim[r.ndim - 3], h = last[1], w = last[2];
    if (last[0] % (f * f))
        return cn_fail(CN_EINVALID, "%s: %lld channels are no multiple of %lld", c->op->name,
                       (long long)last[0], (long long)(f * f));
    last[0] /= f * f, last[1] *= f, last[2] *= f;
    return rearrange(c, CN_SHAPE(pictures(&r), last[0], f, f, h, w), CN_SHAPE(0, 1, 4, 2, 5, 3), r);
}

static bool pixel_unshuffle_compose(cn_call *c)
{
    int64_t f = *(const int64_t *)c->params;
    if (!is_picture(c, f)) return false;
    cn_shape r = c->in[0]->v.shape;
    int64_t *last = &r.dim[r.ndim - 3], channels = last[0];
    if (last[1] % f || last[2] % f)
        return cn_fail(CN_EINVALID, "%s: height %lld and width %lld must be multiples of %lld",
                       c->op->name, (long long)last[1], (long long)last[2], (long long)f);
    last[0] *= f * f, last[1] /= f, last[2] /= f;
    return rearrange(c, CN_SHAPE(pictures(&r), channels, last[1], f, last[2], f),
                     CN_SHAPE(0, 1, 3, 5, 2, 4), r);
}

const cn_op cn_op_pixel_shuffle = {
    CN_OP_HEAD(pixel_shuffle, "nn.functional.pixel_shuffle",
               "(Tensor input, int upscale_factor) -> Tensor"),
    .aliases = "pixel_shuffle",
    .doc = "(.., C r^2, H, W) to (.., C, H r, W r): each group of r^2 channels fills r x r pixels.",
    .params_size = sizeof(int64_t),
    .compose = pixel_shuffle_compose,
    .samples = "[2,8,2,3] 2 | [9,1,2] 3 | [2,2,4,1,1] 2 | [0,4,2,2] 2",
};

const cn_op cn_op_pixel_unshuffle = {
    CN_OP_HEAD(pixel_unshuffle, "nn.functional.pixel_unshuffle",
               "(Tensor input, int downscale_factor) -> Tensor"),
    .aliases = "pixel_unshuffle",
    .doc = "(.., C, H r, W r) to (.., C r^2, H, W): the inverse of pixel_shuffle.",
    .params_size = sizeof(int64_t),
    .compose = pixel_unshuffle_compose,
    .samples = "[2,2,4,6] 2 | [1,3,6] 3 | [2,1,1,2,2] 2",
};

/* ---- channel_shuffle: Zhang et al. 2018 ------------------------------------------------------ */

static bool channel_shuffle_compose(cn_call *c)
{
    int64_t groups = *(const int64_t *)c->params, rest = 1;
    if (!cn_want_dims(c, 0, 3, CN_MAX_DIMS)) return false;
    cn_shape s = c->in[0]->v.shape;
    if (groups < 1 || s.dim[1] % groups)
        return cn_fail(CN_EINVALID, "%s: %lld groups do not divide %lld channels", c->op->name,
                       (long long)groups, (long long)s.dim[1]);
    for (int i = 2; i < s.ndim; i++) rest *= s.dim[i];
    return rearrange(c, CN_SHAPE(s.dim[0], groups, s.dim[1] / groups, rest), CN_SHAPE(0, 2, 1, 3),
                     s);
}

const cn_op cn_op_channel_shuffle = {
    CN_OP_HEAD(channel_shuffle, "nn.functional.channel_shuffle",
               "(Tensor input, int groups) -> Tensor"),
    .aliases = "channel_shuffle",
    .doc = "The first channel of each group, then the second of each, ..",
    .params_size = sizeof(int64_t),
    .compose = channel_shuffle_compose,
    .samples = "[2,6,2,2] 3 | [1,4,3] 2",
};
