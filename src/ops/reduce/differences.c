/* differences.c - differences of neighbours, and integrals by the trapezoidal rule. */
#include "ops/compose.h"

typedef struct {
    int64_t n, dim;
} Diff;

/* x_(i+1) - x_i along dim; of bools, whether they differ. */
static cn_tensor *steps(cn_tensor *x, int dim)
{
    if (!x) return NULL;
    int64_t n = x->v.shape.dim[dim], kept = n > 0 ? n - 1 : 0;
    cn_tensor *after = cn_narrow(x, dim, n - kept, kept), *before = cn_narrow(x, dim, 0, kept);
    return x->v.dtype == CN_BOOL ? cn_logical_xor(after, before) : cn_sub(after, before);
}

static bool diff_compose(cn_call *c)
{
    const Diff *p = c->params;
    cn_tensor *x = c->in[0], *parts[3];
    int count = 0;
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS)) return false;
    int dim = cn_wrap_dim(p->dim, x->v.shape.ndim, "diff");
    if (dim < 0) return false;
    if (p->n < 0)
        return cn_fail(CN_EINVALID, "diff: n must not be negative, but is %lld", (long long)p->n);
    if (p->n == 0) return cn_set_out(c, 0, cn_clone(x));
    if (c->in[1]) parts[count++] = c->in[1];
    parts[count++] = x;
    if (c->in[2]) parts[count++] = c->in[2];
    if (count > 1 && !(x = cn_cat(parts, count, dim))) return false;
    if (x->v.shape.dim[dim] <= p->n) return cn_set_out(c, 0, cn_narrow(x, dim, 0, 0));
    for (int64_t k = 0; x && k < p->n; k++) x = steps(x, dim);
    return cn_set_out(c, 0, x);
}

const cn_op cn_op_diff = {
    CN_OP_HEAD(diff, "diff",
               "(Tensor input, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> "
               "Tensor"),
    .doc = "The n-th differences along dim, of input with what is prepended and appended.",
    .params_size = sizeof(Diff),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .compose = diff_compose,
    .samples =
        "[5] | [2,5] 2 | [4,3] 1 0 prepend=[1,3] append=[2,3] | i64<9[4] | bool[5] | [3] 5 | "
        "[0] | [2,2] 0",
};

/* ---- trapezoids ---------------------------------------------------------------------------- */

typedef struct {
    cn_opt_float dx;
    int64_t dim;
} Trapezoid;

/* The areas between neighbours along dim; x is 1-d, or broadcasts with y. */
static cn_tensor *areas(const cn_call *c, const Trapezoid *p, int dim)
{
    cn_tensor *y = c->in[0], *x = c->in[1];
    int64_t n = y->v.shape.dim[dim], kept = n > 0 ? n - 1 : 0;
    if (y->v.dtype == CN_BOOL || (x && x->v.dtype == CN_BOOL)) {
        cn_fail(CN_EINVALID, "%s: numbers are wanted, not bool", c->op->name);
        return NULL;
    }
    cn_tensor *sum = cn_add(cn_narrow(y, dim, 0, kept), cn_narrow(y, dim, n - kept, kept));
    if (x && p->dx.given) {
        cn_fail(CN_EINVALID, "%s: both x and dx are given", c->op->name);
        return NULL;
    }
    cn_tensor *width = cn_number(p->dx.given ? p->dx.value : 1);
    if (x && x->v.shape.ndim == 1) {
        if (x->v.numel != n) {
            cn_fail(CN_EINVALID, "%s: y has %lld points along dimension %d, but x has %lld",
                    c->op->name, (long long)n, dim, (long long)x->v.numel);
            return NULL;
        }
        width = cn_reshape(steps(x, 0), cn_shape_along(y->v.shape.ndim, dim, kept));
    } else if (x) {
        int lacking = y->v.shape.ndim - x->v.shape.ndim;
        for (int i = 0; x && i < lacking; i++) x = cn_unsqueeze(x, 0);
        width = steps(x, dim);
    }
    return cn_div(cn_mul(sum, width), cn_number_i64(2));
}

static bool trapezoid_compose(cn_call *c)
{
    const Trapezoid *p = c->params;
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS)) return false;
    int dim = cn_wrap_dim(p->dim, c->in[0]->v.shape.ndim, c->op->name);
    cn_tensor *each = dim >= 0 ? areas(c, p, dim) : NULL;
    if (!each) return false;
    if (c->op == &cn_op_cumulative_trapezoid) return cn_set_out(c, 0, cn_cumsum(each, dim));
    return cn_set_out(c, 0, cn_sum(each, .dim = CN_SHAPE(dim)));
}

#define TRAPEZOID_OP(ident, words, text)                                                           \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident,                                                                  \
                   "(Tensor y, Tensor? x=None, *, float? dx=None, int dim=-1) -> Tensor"),         \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .params_size = sizeof(Trapezoid),                                                          \
        .optional = CN_SAVE_IN(1),                                                                 \
        .compose = trapezoid_compose,                                                              \
        .samples = "[5] | [2,5] [5] | [4,3] dim=0 dx=0.5 | [2,4] [2,4] | i64<9[4] | [1] | [2,3] "  \
                   "x=[2] dim=0",                                                                  \
    }

TRAPEZOID_OP(trapezoid, "trapz",
             "The integral along dim of the polygon through the points y, dx "
             "apart or at x.");
TRAPEZOID_OP(cumulative_trapezoid, NULL, "The integrals along dim up to each point but the first.");
