/* local_response_norm.c - every number divided by what its neighbours in other channels amount to:
   Krizhevsky et al. 2012. */
#include "ops/compose.h"

typedef struct {
    int64_t size;
    double alpha, beta, k;
} Norm;

/* The mean of `size` neighbouring channels around each, zeros outside; t is (N, C, rest). */
static cn_tensor *mean_over_channels(cn_tensor *t, int64_t size)
{
    cn_tensor *x = cn_unsqueeze(t, 1);
    x = cn_constant_pad_nd(x, CN_SHAPE(0, 0, size / 2, (size - 1) / 2), 0);
    return cn_avg_pool2d(x, { size, 1 }, .stride = { 1, 1 });
}

static bool local_response_norm_compose(cn_call *c)
{
    const Norm *p = c->params;
    cn_tensor *x = c->in[0];
    if (!cn_want_dims(c, 0, 3, CN_MAX_DIMS)) return false;
    if (p->size < 1 || p->size > INT32_MAX)
        return cn_fail(CN_EINVALID, "%s: size is %lld, but must be positive", c->op->name,
                       (long long)p->size);
    if (x->v.numel == 0) return cn_set_out(c, 0, x);
    cn_tensor *mean = mean_over_channels(cn_flatten(cn_mul(x, x), 2), p->size);
    if (!mean) return false;
    cn_tensor *base = cn_add(cn_mul(mean, cn_number(p->alpha)), cn_number(p->k));
    cn_tensor *norm = cn_reshape(cn_pow(base, cn_number(p->beta)), x->v.shape);
    return cn_set_out(c, 0, cn_div(x, norm));
}

const cn_op cn_op_local_response_norm = {
    CN_OP_HEAD(local_response_norm, "nn.functional.local_response_norm",
               "(Tensor input, int size, float alpha=0.0001, float beta=0.75, float k=1.0) -> "
               "Tensor"),
    .doc = "input / (k + alpha mean of the squares of `size` channels around)^beta.",
    .params_size = sizeof(Norm),
    .compose = local_response_norm_compose,
    .samples = "[2,5,3] 3 | [1,4,2,2] 2 0.5 0.75 2 | [2,3,1,2,2] 5 1 | [2,0,3] 2",
};
