/* renorm.c - slices made no longer than a given norm. */
#include "ops/compose.h"

typedef struct {
    double p;
    int64_t dim;
    double maxnorm;
} Renorm;

/* Slices whose norm is at most maxnorm stay as they are; the small number keeps the others below. */
static bool renorm_compose(cn_call *c)
{
    const Renorm *p = c->params;
    cn_tensor *t = c->in[0];
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS)) return false;
    int dim = cn_wrap_dim(p->dim, t->v.shape.ndim, "renorm");
    if (dim < 0) return false;
    if (!(p->p > 0) || !(p->maxnorm >= 0) || !cn_dtype_is_float(t->v.dtype))
        return cn_fail(CN_EINVALID,
                       "renorm: p = %g, maxnorm = %g of %s: floats, p above 0 and "
                       "maxnorm not below 0 are wanted",
                       p->p, p->maxnorm, cn_dtype_name(t->v.dtype));
    cn_shape others = { 0 };
    for (int i = 0; i < t->v.shape.ndim; i++)
        if (i != dim) others.dim[others.ndim++] = i;
    cn_tensor *norm = cn_norm(t, .p = p->p, .dim = others, .keepdim = true);
    cn_tensor *limit = cn_number(p->maxnorm), *one = cn_number(1);
    cn_tensor *factor = cn_div(limit, cn_add(norm, cn_number(1e-7)));
    return cn_set_out(c, 0, cn_mul(t, cn_where(cn_gt(norm, limit), factor, one)));
}

const cn_op cn_op_renorm = {
    CN_OP_HEAD(renorm, "renorm", "(Tensor input, float p, int dim, float maxnorm) -> Tensor"),
    .doc = "Each slice along dim scaled down to a p-norm of maxnorm where it has more.",
    .params_size = sizeof(Renorm),
    .compose = renorm_compose,
    .samples = "[3,4] 2 0 1.0 | [3,4] 1 -1 0.5 | [2,3,2] 3 1 1.5",
};
