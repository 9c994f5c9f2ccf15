/* statistics.c - variance, counting. Made of sums, so their gradients are too. */
#include "ops/compose.h"
#include "ops/linalg/linalg.h"

static cn_shape chosen(const cn_ints *dims)
{
    return cn_shape_from(dims->n > 0 ? (int)dims->n : 0, dims->v);
}

/* ---- var, std ------------------------------------------------------------------------------ */

typedef struct {
    cn_ints dim;
    bool unbiased, keepdim;
    cn_opt_int correction;
} Variance;

static bool count_of(const cn_tensor *t, const cn_ints *dims, const char *what, double *count)
{
    unsigned mask;
    if (!cn_dims_mask(dims, t->v.shape.ndim, what, &mask)) return false;
    *count = 1;
    for (int i = 0; i < t->v.shape.ndim; i++)
        if (mask & (1u << i)) *count *= (double)t->v.shape.dim[i];
    return true;
}

/* Two passes: the mean first, then the squares of what is left. */
static bool variance(cn_call *c, cn_tensor **var, cn_tensor **mean)
{
    const Variance *p = c->params;
    cn_tensor *x = c->in[0];
    double n;
    if (!cn_dtype_is_float(x->v.dtype))
        return cn_fail(CN_EINVALID, "%s: floats are wanted, not %s", c->op->name,
                       cn_dtype_name(x->v.dtype));
    if (!count_of(x, &p->dim, c->op->name, &n)) return false;
    n -= p->correction.given ? (double)p->correction.value : (double)p->unbiased;
    cn_shape dims = chosen(&p->dim);
    cn_tensor *center = cn_mean(x, .dim = dims, .keepdim = true), *d = cn_sub(x, center);
    cn_tensor *total = cn_sum(cn_mul(d, d), .dim = dims, .keepdim = p->keepdim);
    *var = cn_div(total, cn_number(n > 0 ? n : 0));
    *mean = p->keepdim || !*var ? center : cn_reshape(center, (*var)->v.shape);
    return *var && *mean;
}

static bool var_compose(cn_call *c)
{
    cn_tensor *var, *mean;
    bool deviation = c->op == &cn_op_std || c->op == &cn_op_std_mean;
    return variance(c, &var, &mean) && cn_set_out(c, 0, deviation ? cn_root(var) : var) &&
           cn_set_out(c, 1, mean);
}

#define VAR_SCHEMA                                                                                 \
    "(Tensor input, int[]? dim=None, bool unbiased=True, bool keepdim=False, *, "                  \
    "int? correction=None) -> "
#define VAR_SAMPLES                                                                                \
    "[2,3,4] | [2,3,4] dim=(0,2) correction=0 | [4,3] 0 keepdim=True | [2,5] -1 unbiased=False | " \
    "[2,3] False | [2,3] 0 True True"

#define VAR_OP(ident, result, text)                                                                \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, VAR_SCHEMA result),                                              \
        .doc = text,                                                                               \
        .params_size = sizeof(Variance),                                                           \
        .compose = var_compose,                                                                    \
        .samples = VAR_SAMPLES,                                                                    \
    }

VAR_OP(var, "Tensor", "The variance over dim (none: of all), divided by n - correction.");
VAR_OP(std, "Tensor", "The standard deviation over dim; its gradient at 0 is 0.");
VAR_OP(var_mean, "(Tensor, Tensor)", "The variance and the mean over dim.");
VAR_OP(std_mean, "(Tensor, Tensor)", "The standard deviation and the mean over dim.");

static cn_tensor *var_typed(const cn_op *op, const cn_var_args *a)
{
    Variance p = { cn_ints_of(&a->dim), !a->biased, a->keepdim, { .given = false } };
    return cn_apply1(op, &a->input, 1, &p);
}

cn_tensor *cn_var_with(const cn_var_args *a)
{
    return var_typed(&cn_op_var, a);
}

cn_tensor *cn_std_with(const cn_var_args *a)
{
    return var_typed(&cn_op_std, a);
}

/* ---- dist, trace --------------------------------------------------------------------------- */

static bool dist_compose(cn_call *c)
{
    const cn_number_arg *p = c->params;
    cn_tensor *gap = cn_sub(c->in[0], c->in[1]);
    if (!gap || !cn_want_float("dist", gap)) return false;
    double order = p->kind == CN_NUM_FLOAT ? p->u.f : (double)p->u.i;
    return cn_set_out(c, 0, cn_vector_norm(gap, order, &(cn_ints){ .n = -1 }, false));
}

const cn_op cn_op_dist = {
    CN_OP_HEAD(dist, "dist", "(Tensor input, Tensor other, Scalar p=2) -> Tensor"),
    .doc = "The p-norm of input - other.",
    .params_size = sizeof(cn_number_arg),
    .compose = dist_compose,
    .samples = "[2,3] [2,3] | [2,3] [3] 1 | [4] [] inf | [] [] 3 | [2,2] [2] 2.5",
};

static bool trace_compose(cn_call *c)
{
    if (!cn_want_dims(c, 0, 2, 2)) return false;
    struct {
        int64_t offset, dim1, dim2;
    } main = { 0, 0, 1 };
    return cn_set_out(c, 0, cn_sum(CN_CALL(diagonal, &main, c->in[0])));
}

const cn_op cn_op_trace = {
    CN_OP_HEAD(trace, "trace", "(Tensor input) -> Tensor"),
    .doc = "The sum of the diagonal of a matrix.",
    .compose = trace_compose,
    .samples = "[3,3] | [2,4] | [0,3] | i64<9[2,2]",
};

/* ---- all, any, count_nonzero --------------------------------------------------------------- */

typedef struct {
    cn_ints dim;
    bool keepdim;
} Dims;

/* How many elements are zero, or are not. */
static cn_tensor *counted(cn_tensor *x, const cn_ints *dims, bool keepdim, bool zeros)
{
    cn_tensor *zero = cn_number_i64(0);
    return cn_sum(zeros ? cn_eq(x, zero) : cn_ne(x, zero), .dim = chosen(dims), .keepdim = keepdim);
}

/* PyTorch answers with a uint8 for uint8, which was its bool once. */
static cn_tensor *truth(const cn_call *c, cn_tensor *answer)
{
    return c->in[0]->v.dtype == CN_U8 ? cn_to(answer, CN_U8) : answer;
}

static bool all_compose(cn_call *c)
{
    const Dims *p = c->params;
    cn_tensor *n = counted(c->in[0], &p->dim, p->keepdim, true);
    return cn_set_out(c, 0, truth(c, cn_eq(n, cn_number_i64(0))));
}

static bool any_compose(cn_call *c)
{
    const Dims *p = c->params;
    cn_tensor *n = counted(c->in[0], &p->dim, p->keepdim, false);
    return cn_set_out(c, 0, truth(c, cn_gt(n, cn_number_i64(0))));
}

static bool count_nonzero_compose(cn_call *c)
{
    return cn_set_out(c, 0, counted(c->in[0], c->params, false, false));
}

#define TRUTH_OP(ident, text)                                                                      \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident,                                                                  \
                   "(Tensor input, int[]? dim=None, bool keepdim=False) -> Tensor"),               \
        .doc = text,                                                                               \
        .params_size = sizeof(Dims),                                                               \
        .flags = CN_NO_GRAD_OP,                                                                    \
        .compose = ident##_compose,                                                                \
        .samples = "bool[2,3] | i64<2[2,3] 1 | [2,3] dim=0 keepdim=True | [] | [0,2] | [0,2] 0",   \
    }

TRUTH_OP(all, "Is every element over dim (none: of all) other than zero?");
TRUTH_OP(any, "Is any element over dim (none: of all) other than zero?");

const cn_op cn_op_count_nonzero = {
    CN_OP_HEAD(count_nonzero, "count_nonzero", "(Tensor input, int[]? dim=None) -> Tensor"),
    .doc = "How many elements over dim (none: of all) are not zero.",
    .params_size = sizeof(cn_ints),
    .flags = CN_NO_GRAD_OP,
    .compose = count_nonzero_compose,
    .samples = "bool[2,3] | i64<2[2,3] 1 | [] | [0,2]",
};
