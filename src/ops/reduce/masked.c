/* masked.c - torch.masked: reductions and softmax that see only the elements where mask is True. What
   is masked out becomes the element that changes nothing: 0 of a sum, 1 of a product, .. */
#include "ops/compose.h"
#include "ops/indexing/along.h"
#include "ops/linalg/linalg.h"
#include "ops/params.h"

#include <math.h>

/* Inputs of every call here. */
enum { INPUT, MASK };

static cn_shape chosen(const cn_ints *dims)
{
    return cn_shape_from(dims->n > 0 ? (int)dims->n : 0, dims->v);
}

/* ---- the mask ---------------------------------------------------------------------------------- */

/* As bools of the input's shape. */
static cn_tensor *full_mask(const cn_call *c)
{
    cn_tensor *x = c->in[INPUT], *mask = c->in[MASK];
    if (!mask) return cn_ones(x->v.shape, CN_BOOL);
    if (mask->v.shape.ndim > x->v.shape.ndim) {
        cn_fail(CN_EINVALID, "%s: the mask has %d dimensions, the input only %d", c->op->name,
                mask->v.shape.ndim, x->v.shape.ndim);
        return NULL;
    }
    return cn_expand(cn_to(mask, CN_BOOL), x->v.shape);
}

static cn_tensor *filled(const cn_call *c, cn_tensor *with)
{
    cn_tensor *x = c->in[INPUT];
    return c->in[MASK] ? cn_where(full_mask(c), x, cn_to(with, x->v.dtype)) : x;
}

static cn_tensor *without_masked(const cn_call *c, bool for_largest)
{
    cn_put_how how = for_largest ? CN_PUT_LARGEST : CN_PUT_SMALLEST;
    return filled(c, cn_neutral(how, c->in[INPUT]->v.dtype));
}

static cn_tensor *as_type(cn_tensor *t, int32_t dtype)
{
    return dtype == CN_NO_DTYPE ? t : cn_to(t, (cn_dtype)dtype);
}

/* ---- sums, means, products ------------------------------------------------------------------------ */

static cn_tensor *total_of(cn_tensor *x, const cn_ints *dim, bool keepdim, int32_t dtype)
{
    return CN_CALL(sum, (&(cn_reduce_params){ *dim, keepdim, dtype }), x);
}

static cn_tensor *count_of(const cn_call *c, const cn_ints *dim, bool keepdim)
{
    return total_of(full_mask(c), dim, keepdim, CN_I64);
}

static bool sum_compose(cn_call *c)
{
    const cn_reduce_params *p = c->params;
    cn_tensor *x = filled(c, cn_number_i64(0));
    return cn_set_out(c, 0, total_of(x, &p->dim, p->keepdim, p->dtype));
}

static bool mean_compose(cn_call *c)
{
    const cn_reduce_params *p = c->params;
    int32_t dtype = p->dtype == CN_NO_DTYPE ? (int32_t)c->in[INPUT]->v.dtype : p->dtype;
    cn_tensor *total = total_of(filled(c, cn_number_i64(0)), &p->dim, p->keepdim, dtype);
    return cn_set_out(c, 0, cn_div(total, count_of(c, &p->dim, p->keepdim)));
}

static bool prod_compose(cn_call *c)
{
    const cn_reduce_params *p = c->params;
    struct {
        cn_opt_int dim;
        bool keepdim;
        int32_t dtype;
    } along = { { true, 0 }, false, p->dtype };
    int dim;
    cn_tensor *x = filled(c, cn_number_i64(1)), *merged = NULL;
    if (x) merged = cn_merge_dims(x, &p->dim, c->op->name, &dim);
    if (!merged) return false;
    along.dim.value = dim;
    cn_tensor *y = CN_CALL(prod, &along, merged);
    return cn_set_out(c, 0, p->keepdim ? cn_restore_dims(y, &x->v.shape, &p->dim, false) : y);
}

static bool amax_compose(cn_call *c)
{
    const cn_reduce_params *p = c->params;
    bool largest = c->op == &cn_op_masked_amax;
    cn_tensor *x = without_masked(c, largest);
    cn_shape dim = chosen(&p->dim);
    cn_tensor *y = largest ? cn_amax(x, .dim = dim, .keepdim = p->keepdim)
                           : cn_amin(x, .dim = dim, .keepdim = p->keepdim);
    return cn_set_out(c, 0, as_type(y, p->dtype));
}

#define REDUCE_SCHEMA                                                                              \
    "(Tensor input, int[]? dim=None, *, bool keepdim=False, dtype? dtype=None, Tensor? "           \
    "mask=None) -> Tensor"
#define REDUCE_SAMPLES                                                                             \
    "[2,3] mask=bool[2,3] | [2,3,2] 1 keepdim=True mask=bool[3,2] | [2,3] dim=(0,1) | "            \
    "[] mask=bool[] | [3,4] dim=-1 mask=i64<2[3,1] dtype=float64"

#define REDUCE_OP(which, how, text)                                                                \
    const cn_op cn_op_masked_##which = {                                                           \
        CN_OP_HEAD(masked_##which, "masked." #which, REDUCE_SCHEMA),                               \
        .doc = text,                                                                               \
        .params_size = sizeof(cn_reduce_params),                                                   \
        .optional = CN_SAVE_IN(MASK),                                                              \
        .compose = how,                                                                            \
        .samples = REDUCE_SAMPLES,                                                                 \
    }

REDUCE_OP(sum, sum_compose, "The sum over dim (none: of all) of the elements that mask allows.");
REDUCE_OP(mean, mean_compose, "The mean over dim of what mask allows; NaN where that is nothing.");
REDUCE_OP(prod, prod_compose, "The product over dim (none: of all) of what mask allows.");
REDUCE_OP(amax, amax_compose, "The largest over dim of the elements that mask allows.");
REDUCE_OP(amin, amax_compose, "The smallest over dim of the elements that mask allows.");

/* ---- places ------------------------------------------------------------------------------------------ */

typedef struct {
    cn_opt_int dim;
    bool keepdim;
    int32_t dtype;
} Arg;

/* As in PyTorch the places have the input's type unless another one is asked for. */
static bool arg_compose(cn_call *c)
{
    const Arg *p = c->params;
    bool largest = c->op == &cn_op_masked_argmax;
    cn_tensor *x = without_masked(c, largest);
    cn_ints dims = cn_one_dim(p->dim);
    cn_shape dim = chosen(&dims);
    cn_tensor *y = largest ? cn_argmax(x, .dim = dim, .keepdim = p->keepdim)
                           : cn_argmin(x, .dim = dim, .keepdim = p->keepdim);
    int32_t dtype = p->dtype == CN_NO_DTYPE ? (int32_t)c->in[INPUT]->v.dtype : p->dtype;
    return cn_set_out(c, 0, as_type(y, dtype));
}

#define ARG_OP(which, text)                                                                        \
    const cn_op cn_op_masked_##which = {                                                           \
        CN_OP_HEAD(masked_##which, "masked." #which,                                               \
                   "(Tensor input, int? dim=None, *, bool keepdim=False, dtype? dtype=None, "      \
                   "Tensor? mask=None) -> Tensor"),                                                \
        .doc = text,                                                                               \
        .flags = CN_NO_GRAD_OP,                                                                    \
        .params_size = sizeof(Arg),                                                                \
        .optional = CN_SAVE_IN(MASK),                                                              \
        .compose = arg_compose,                                                                    \
        .samples = "[2,3] mask=bool[2,3] | [2,3,2] 1 keepdim=True mask=bool[3,2] | [2,3] dim=0 | " \
                   "[] | i64<9[4] mask=bool[4] dtype=int64",                                       \
    }

ARG_OP(argmax, "Where the largest element along dim is that mask allows.");
ARG_OP(argmin, "Where the smallest element along dim is that mask allows.");

/* ---- variance ------------------------------------------------------------------------------------------ */

typedef struct {
    cn_ints dim;
    cn_opt_bool unbiased;
    cn_opt_float correction;
    bool keepdim;
    int32_t dtype;
} Spread;

static bool spread_compose(cn_call *c)
{
    const Spread *p = c->params;
    cn_tensor *x = c->in[INPUT], *zero = cn_number_i64(0);
    if (p->unbiased.given && p->correction.given)
        return cn_fail(CN_EINVALID, "%s: give either unbiased or correction", c->op->name);
    double correction =
        p->correction.given ? p->correction.value : (!p->unbiased.given || p->unbiased.value);
    int32_t dtype = p->dtype != CN_NO_DTYPE         ? p->dtype
                    : cn_dtype_is_float(x->v.dtype) ? (int32_t)x->v.dtype
                                                    : CN_F32;
    cn_tensor *mask = full_mask(c), *count = count_of(c, &p->dim, true);
    cn_tensor *mean = cn_div(total_of(filled(c, zero), &p->dim, true, dtype), count);
    cn_tensor *gap = cn_sub(cn_to(x, (cn_dtype)dtype), mean);
    cn_tensor *squares = gap ? cn_where(mask, cn_mul(gap, gap), cn_to(zero, gap->v.dtype)) : NULL;
    cn_tensor *total = total_of(squares, &p->dim, p->keepdim, dtype);
    if (!total) return false;
    count = cn_clamp_min(
        cn_sub(cn_to(cn_reshape(count, total->v.shape), (cn_dtype)dtype), cn_number(correction)),
        cn_number(0));
    cn_tensor *variance = cn_div(total, count);
    return cn_set_out(c, 0, c->op == &cn_op_masked_std ? cn_root(variance) : variance);
}

#define SPREAD_OP(which, text)                                                                     \
    const cn_op cn_op_masked_##which = {                                                           \
        CN_OP_HEAD(masked_##which, "masked." #which,                                               \
                   "(Tensor input, int[]? dim=None, bool? unbiased=None, *, float? "               \
                   "correction=None, bool keepdim=False, dtype? dtype=None, Tensor? mask=None) "   \
                   "-> Tensor"),                                                                   \
        .doc = text,                                                                               \
        .params_size = sizeof(Spread),                                                             \
        .optional = CN_SAVE_IN(MASK),                                                              \
        .compose = spread_compose,                                                                 \
        .samples =                                                                                 \
            "[2,3] None True mask=bool[2,3] | [2,3,2] 1 False keepdim=True mask=bool[3,2] | "      \
            "[2,3] dim=(0,1) unbiased=False | [3,4] unbiased=True",                                \
    }

SPREAD_OP(var, "The variance over dim of the elements that mask allows.");
SPREAD_OP(std, "The standard deviation over dim of the elements that mask allows.");

/* ---- norms ------------------------------------------------------------------------------------------------ */

static cn_tensor *norm_over(const cn_call *c, double order, const cn_ints *dim, bool keepdim,
                            int32_t dtype)
{
    cn_tensor *x = filled(c, cn_number(isinf(order) && order < 0 ? (double)INFINITY : 0));
    x = as_type(x, dtype);
    return x && cn_want_float(c->op->name, x) ? cn_vector_norm(x, order, dim, keepdim) : NULL;
}

typedef struct {
    cn_opt_float order;
    cn_ints dim;
    bool keepdim;
    int32_t dtype;
} Norm;

static bool norm_compose(cn_call *c)
{
    const Norm *p = c->params;
    double order = p->order.given ? p->order.value : 2;
    return cn_set_out(c, 0, norm_over(c, order, &p->dim, p->keepdim, p->dtype));
}

const cn_op cn_op_masked_norm = {
    CN_OP_HEAD(masked_norm, "masked.norm",
               "(Tensor input, float? ord=2.0, int[]? dim=None, *, bool keepdim=False, "
               "dtype? dtype=None, Tensor? mask=None) -> Tensor"),
    .doc = "The p-norm over dim (none: of all) of the elements that mask allows.",
    .params_size = sizeof(Norm),
    .optional = CN_SAVE_IN(MASK),
    .compose = norm_compose,
    .samples = "[2,3] mask=bool[2,3] | [2,3,2] 1.0 1 keepdim=True mask=bool[3,2] | [2,3] inf 0 | "
               "[3,4] -inf 1 mask=bool[3,4] | [2,3] 3.0 dim=(0,1) mask=bool[3]",
};

typedef struct {
    double order;
    int64_t dim;
    double eps;
    int32_t dtype;
} Normalize;

static bool normalize_compose(cn_call *c)
{
    const Normalize *p = c->params;
    cn_tensor *length = norm_over(c, p->order, &(cn_ints){ 1, { p->dim } }, true, p->dtype);
    cn_tensor *x = filled(c, cn_number_i64(0));
    return cn_set_out(c, 0, cn_div(x, cn_clamp_min(length, cn_number(p->eps))));
}

const cn_op cn_op_masked_normalize = {
    CN_OP_HEAD(masked_normalize, "masked.normalize",
               "(Tensor input, float ord, int dim, *, float eps=1e-12, dtype? dtype=None, "
               "Tensor? mask=None) -> Tensor"),
    .doc = "What mask allows divided by its p-norm along dim; 0 elsewhere.",
    .params_size = sizeof(Normalize),
    .optional = CN_SAVE_IN(MASK),
    .compose = normalize_compose,
    .samples = "[2,3] 2.0 1 mask=bool[2,3] | [2,3] 1.0 0 | [2,3] inf -1 mask=bool[3] eps=0.5",
};

/* ---- softmax ----------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t dim;
    int32_t dtype;
} Softmax;

static bool softmax_compose(cn_call *c)
{
    const Softmax *p = c->params;
    cn_tensor *x = as_type(without_masked(c, true), p->dtype);
    return cn_set_out(c, 0,
                      c->op == &cn_op_masked_softmax ? cn_softmax(x, (int)p->dim)
                                                     : cn_log_softmax(x, (int)p->dim));
}

/* Where a row is masked out altogether, the result is NaN. */
#define SOFTMAX_OP(which, text, cases)                                                             \
    const cn_op cn_op_masked_##which = {                                                           \
        CN_OP_HEAD(masked_##which, "masked." #which,                                               \
                   "(Tensor input, int dim, *, dtype? dtype=None, Tensor? mask=None) -> Tensor"),  \
        .doc = text,                                                                               \
        .params_size = sizeof(Softmax),                                                            \
        .optional = CN_SAVE_IN(MASK),                                                              \
        .compose = softmax_compose,                                                                \
        .samples = cases,                                                                          \
    }

SOFTMAX_OP(softmax, "exp(x) / sum(exp(x)) along dim over what mask allows; 0 elsewhere.",
           "[2,3] 1 mask=i64(1,0,1) | [2,3] -2 dtype=float64 | [] 0 | [3] 0 mask=i64(1)");
SOFTMAX_OP(log_softmax, "log(softmax(x)) along dim over what mask allows; -inf elsewhere.",
           "[2,3] 1 mask=i64(1) | [2,3] -2 dtype=float64 | [] 0");
