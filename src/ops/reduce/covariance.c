/* covariance.c - covariances and correlations of variables in rows. */
#include "ops/compose.h"

/* The weight of each observation; NULL: all 1. */
static bool weights_of(const cn_call *c, int64_t n, cn_tensor **out)
{
    cn_tensor *often = c->in[1], *weight = c->in[2];
    for (int i = 1; i < 3; i++) {
        cn_tensor *w = c->in[i];
        const char *name = i == 1 ? "fweights" : "aweights";
        if (!w) continue;
        if (w->v.shape.ndim > 1 || w->v.numel != n)
            return cn_fail(CN_EINVALID, "cov: %s must be 1-d with %lld elements", name,
                           (long long)n);
        if (cn_dtype_category(w->v.dtype) != (i == 1 ? CN_CAT_INT : CN_CAT_FLOAT))
            return cn_fail(CN_EINVALID, "cov: %s must be %s, not %s", name,
                           i == 1 ? "integers" : "floats", cn_dtype_name(w->v.dtype));
        cn_tensor *negative = cn_sum(cn_lt(w, cn_number_i64(0)));
        if (!negative) return false;
        if (cn_item(negative) > 0)
            return cn_fail(CN_EINVALID, "cov: %s must not be negative", name);
    }
    *out = often && weight ? cn_mul(often, weight) : often ? often : weight;
    return true;
}

static bool cov_compose(cn_call *c)
{
    int64_t correction = *(const int64_t *)c->params;
    cn_tensor *x = c->in[0], *w = NULL, *total;
    if (!cn_want_dims(c, 0, 0, 2)) return false;
    if (x->v.dtype == CN_BOOL) return cn_fail(CN_EINVALID, "cov: numbers are wanted, not bool");
    if (x->v.shape.ndim < 2) x = cn_reshape(x, CN_SHAPE(1, x->v.numel));
    if (x && !cn_dtype_is_float(x->v.dtype)) x = cn_to(x, CN_F32);
    if (!x || !weights_of(c, x->v.shape.dim[1], &w)) return false;
    total = w ? cn_sum(w) : cn_number_i64(x->v.shape.dim[1]);
    cn_tensor *weighted = w ? cn_mul(x, w) : x;
    cn_tensor *mean = cn_div(cn_sum(weighted, .dim = CN_SHAPE(1), .keepdim = true), total);
    cn_tensor *less = cn_number_i64(correction);
    if (c->in[2] && correction) /* the correction, in terms of the weights */
        less = cn_mul(cn_div(cn_sum(cn_mul(w, c->in[2])), total), less);
    cn_tensor *norm = cn_clamp_min(cn_sub(total, less), cn_number_i64(0));
    cn_tensor *d = cn_sub(x, mean), *wd = w ? cn_mul(d, w) : d;
    cn_tensor *y = cn_div(cn_matmul(d, cn_transpose(wd, 0, 1)), norm);
    return cn_set_out(c, 0, cn_squeeze(y, cn_scalar_shape()));
}

const cn_op cn_op_cov = {
    CN_OP_HEAD(cov, "cov",
               "(Tensor input, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) "
               "-> Tensor"),
    .doc = "The covariances of the rows, columns being observations, which may have frequencies "
           "(fweights) and weights (aweights).",
    .params_size = sizeof(int64_t),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .compose = cov_compose,
    .samples = "[3,5] | [4] | [2,4] correction=0 | [2,4] fweights=i64<9[4] | [2,4] aweights=+[4] | "
               "[2,3] fweights=i64<9[3] aweights=+[3] | i64<9[2,4]",
};

/* Covariances over the deviations of both; kept between -1 and 1 against rounding. */
static bool corrcoef_compose(cn_call *c)
{
    cn_tensor *y = CN_CALL(cov, &(int64_t){ 1 }, c->in[0], NULL, NULL);
    if (!y) return false;
    if (y->v.shape.ndim == 0) return cn_set_out(c, 0, cn_div(y, y));
    struct {
        int64_t offset, dim1, dim2;
    } main = { 0, 0, 1 };
    cn_tensor *deviation = cn_sqrt(CN_CALL(diagonal, &main, y));
    y = cn_div(cn_div(y, cn_unsqueeze(deviation, 1)), deviation);
    return cn_set_out(c, 0, cn_clamp(y, cn_number_i64(-1), cn_number_i64(1)));
}

const cn_op cn_op_corrcoef = {
    CN_OP_HEAD(corrcoef, "corrcoef", "(Tensor input) -> Tensor"),
    .doc = "Pearson's correlations of the rows, columns being observations.",
    .compose = corrcoef_compose,
    .samples = "[3,5] | [4] | i64<9[2,4]",
};
