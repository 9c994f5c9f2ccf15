/* norms.c - norms of vectors and of matrices. Made of sums and singular values, so their gradients
   are too. */
#include "ops/linalg/linalg.h"

#include <math.h>
#include <string.h>

typedef struct {
    cn_number_arg order;
    cn_ints dim;
    bool keepdim;
    int32_t dtype;
} Norm;

static cn_shape chosen(const cn_ints *dims)
{
    return cn_shape_from(dims->n > 0 ? (int)dims->n : 0, dims->v);
}

static bool is_word(const cn_number_arg *order, const char *word)
{
    return order->kind == CN_NUM_WORD && strcmp(order->u.s, word) == 0;
}

/* "fro", as 2, is the root of the sum of squares. */
static double as_double(const cn_number_arg *order)
{
    if (order->kind == CN_NUM_NONE || order->kind == CN_NUM_WORD) return 2;
    return order->kind == CN_NUM_FLOAT ? order->u.f : (double)order->u.i;
}

/* ---- of vectors ---------------------------------------------------------------------------- */

/* |x|^p, with gradient 0 where x is 0. */
static cn_tensor *power(cn_tensor *x, double p)
{
    cn_tensor *a = cn_abs(x);
    if (p >= 1) return cn_pow(a, cn_number(p));
    cn_tensor *zero = cn_eq(a, cn_number_i64(0));
    if (p < 0)
        return cn_where(zero, cn_number((double)INFINITY), cn_pow(cn_add(a, zero), cn_number(p)));
    return a ? cn_sub(cn_pow(cn_add(a, zero), cn_number(p)), cn_to(zero, a->v.dtype)) : NULL;
}

/* 1 where x is not 0, with gradient 0. */
static cn_tensor *counts(cn_tensor *x)
{
    cn_tensor *one = cn_ones(cn_scalar_shape(), x->v.dtype);
    return cn_where(cn_ne(x, cn_number_i64(0)), one, cn_sign(x));
}

/* Is one of the dimensions to reduce empty? */
static bool of_nothing(const cn_tensor *x, const cn_ints *dims)
{
    unsigned mask = 0;
    if (!cn_dims_mask(dims, x->v.shape.ndim, "norm", &mask)) return false;
    for (int i = 0; i < x->v.shape.ndim; i++)
        if ((mask & (1u << i)) && x->v.shape.dim[i] == 0) return true;
    return false;
}

/* Such a norm of nothing would be infinite or 0, by how one looks at it. */
static bool has_elements(const cn_tensor *x, const cn_ints *dims)
{
    return !of_nothing(x, dims) ||
           cn_fail(CN_EINVALID, "norm: a norm of negative order of nothing is not defined");
}

cn_tensor *cn_vector_norm(cn_tensor *x, double p, const cn_ints *dims, bool keepdim)
{
    cn_shape over = chosen(dims);
    if (!x) return NULL;
    if (p == 2) return cn_root(cn_sum(cn_mul(x, x), .dim = over, .keepdim = keepdim));
    if (p == 1) return cn_sum(cn_abs(x), .dim = over, .keepdim = keepdim);
    if (isinf(p))
        return p > 0 ? cn_amax(cn_abs(x), .dim = over, .keepdim = keepdim)
                     : cn_amin(cn_abs(x), .dim = over, .keepdim = keepdim);
    if (p < 0 && !has_elements(x, dims)) return NULL;
    cn_tensor *total = cn_sum(p == 0 ? counts(x) : power(x, p), .dim = over, .keepdim = keepdim);
    return p == 0 ? total : power(total, 1 / p);
}

/* ---- of matrices, in the last two dimensions ------------------------------------------------ */

/* The largest (smallest) sum of absolute values of a column (row). */
static cn_tensor *sums_norm(cn_tensor *x, double order)
{
    cn_tensor *sums = cn_sum(cn_abs(x), .dim = CN_SHAPE(isinf(order) ? -1 : -2));
    return order > 0 ? cn_amax(sums, .dim = CN_SHAPE(-1)) : cn_amin(sums, .dim = CN_SHAPE(-1));
}

cn_tensor *cn_matrix_norm(cn_tensor *x, const cn_number_arg *order)
{
    cn_ints both = { 2, { -2, -1 } };
    double p = as_double(order);
    if (is_word(order, "fro")) return cn_vector_norm(x, 2, &both, false);
    if (is_word(order, "nuc")) return cn_sum(cn_singular_values(x), .dim = CN_SHAPE(-1));
    if (isinf(p) || fabs(p) == 1) return sums_norm(x, p);
    cn_tensor *s = cn_singular_values(x);
    return p > 0 ? cn_amax(s, .dim = CN_SHAPE(-1)) : cn_amin(s, .dim = CN_SHAPE(-1));
}

static bool is_matrix_order(const cn_number_arg *order)
{
    double p = as_double(order);
    if (order->kind == CN_NUM_WORD) return is_word(order, "fro") || is_word(order, "nuc");
    return order->kind != CN_NUM_NONE && (isinf(p) || fabs(p) == 1 || fabs(p) == 2);
}

/* The two dims go to the end. */
static cn_tensor *dims_last(const cn_call *c, cn_tensor *x, const cn_ints *dims)
{
    unsigned mask;
    int nd = x->v.shape.ndim, n = 0;
    if (nd < 2 || dims->n != 2) {
        cn_fail(CN_EINVALID, "%s: a matrix norm needs two dimensions, not %d", c->op->name,
                nd < 2 ? nd : (int)dims->n);
        return NULL;
    }
    if (!cn_dims_mask(dims, nd, c->op->name, &mask)) return NULL;
    cn_shape order = { .ndim = nd };
    for (int i = 0; i < nd; i++)
        if (!(mask & (1u << i))) order.dim[n++] = i;
    order.dim[nd - 2] = dims->v[0], order.dim[nd - 1] = dims->v[1];
    return cn_permute(x, order);
}

static bool matrix_norm(cn_call *c, cn_tensor *x, const Norm *p)
{
    cn_ints dims = p->dim.n < 0 ? (cn_ints){ 2, { -2, -1 } } : p->dim;
    if (!is_matrix_order(&p->order))
        return cn_fail(CN_EINVALID,
                       "%s: matrices have the orders fro, nuc, inf, -inf, 1, -1, 2, -2",
                       c->op->name);
    cn_tensor *y = cn_matrix_norm(dims_last(c, x, &dims), &p->order);
    return cn_set_out(c, 0, p->keepdim ? cn_restore_dims(y, &c->in[0]->v.shape, &dims, false) : y);
}

/* ---- the ops ------------------------------------------------------------------------------- */

/* The input as the floats to compute with; NULL: it has none. */
static cn_tensor *floats(const cn_call *c, int32_t dtype)
{
    cn_tensor *x = dtype == CN_NO_DTYPE ? c->in[0] : cn_to(c->in[0], (cn_dtype)dtype);
    if (!x || cn_dtype_is_float(x->v.dtype)) return x;
    cn_fail(CN_EINVALID, "%s: floats are wanted, not %s", c->op->name, cn_dtype_name(x->v.dtype));
    return NULL;
}

static bool norm_by(cn_call *c, const Norm *p)
{
    return cn_set_out(
        c, 0, cn_vector_norm(floats(c, p->dtype), as_double(&p->order), &p->dim, p->keepdim));
}

static bool vector_norm_compose(cn_call *c)
{
    return norm_by(c, c->params);
}

static bool matrix_norm_compose(cn_call *c)
{
    const Norm *p = c->params;
    cn_tensor *x = floats(c, p->dtype);
    return x && matrix_norm(c, x, p);
}

/* An order given for two dimensions, or for a matrix without dims, means a matrix norm. */
static bool linalg_norm_compose(cn_call *c)
{
    const Norm *p = c->params;
    int nd = cn_ndim(c->in[0]), over = p->dim.n > 0 ? (int)p->dim.n : nd;
    if (p->order.kind == CN_NUM_NONE || (over == 1 && p->order.kind != CN_NUM_WORD))
        return vector_norm_compose(c);
    if (over != 2)
        return cn_fail(CN_EINVALID, "linalg.norm: an order is for one or two dimensions, not %d",
                       over);
    return matrix_norm_compose(c);
}

/* A word is for two dimensions, except that fro stands for 2 everywhere. Every norm of nothing is 0
   here. */
static bool norm_compose(cn_call *c)
{
    const Norm *p = c->params;
    Norm two = *p;
    two.order = (cn_number_arg){ .kind = CN_NUM_INT, .u.i = 2 };
    if (p->order.kind != CN_NUM_WORD && of_nothing(c->in[0], &p->dim)) return norm_by(c, &two);
    if (p->order.kind != CN_NUM_WORD || is_word(&p->order, "fro")) return vector_norm_compose(c);
    if (p->dim.n < 0 && !cn_want_dims(c, 0, 2, 2)) return false;
    return matrix_norm_compose(c);
}

#define NORM_SAMPLES                                                                               \
    "[2,3] | [2,3] 1 | [2,3,2] 3 dim=(0,1) | [2,3] inf dim=1 keepdim=True | [] | [4] 2.5"

const cn_op cn_op_norm = {
    CN_OP_HEAD(norm, "norm",
               "(Tensor input, Scalar|str? p='fro', int[]? dim=None, bool keepdim=False, "
               "dtype? dtype=None) -> Tensor"),
    .doc =
        "(sum |input|^p)^(1/p) over dim (none: all), of 'fro' with p 2; 'nuc': the sum of singular "
        "values. The gradient at 0 is 0.",
    .params_size = sizeof(Norm),
    .compose = norm_compose,
    .samples = NORM_SAMPLES " | [2,3] nuc | [2,3,2] fro dim=(0,2) | [2,3] -1.5 0",
};

const cn_op cn_op_vector_norm = {
    CN_OP_HEAD(
        vector_norm, "linalg.vector_norm",
        "(Tensor x, Scalar? ord=2, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor"),
    .doc = "(sum |x|^ord)^(1/ord) over dim (none: all).",
    .params_size = sizeof(Norm),
    .compose = vector_norm_compose,
    .samples = NORM_SAMPLES " | [2,3] 0 | [2,3] -inf 1 | [2,3] 0.5 (0,1) | [0,2] 2 | [3] -2",
};

const cn_op cn_op_matrix_norm = {
    CN_OP_HEAD(matrix_norm, "linalg.matrix_norm",
               "(Tensor A, Scalar|str ord='fro', int[] dim=(-2,-1), bool keepdim=False, *, "
               "dtype? dtype=None) -> Tensor"),
    .doc =
        "The norm of matrices: fro, nuc (sum of singular values), inf, 1 (sums), 2 (the largest).",
    .params_size = sizeof(Norm),
    .compose = matrix_norm_compose,
    .samples = "[2,3] | [2,3,2] nuc | [2,3,2] 2 (0,2) keepdim=True | [2,3] -2 | [3,2] 1 | [2,3,2] "
               "-inf | [3,2] -1 | [2,2,2] inf (1,0) | [0,2,3]",
};

const cn_op cn_op_linalg_norm = {
    CN_OP_HEAD(linalg_norm, "linalg.norm",
               "(Tensor A, Scalar|str? ord=None, int[]? dim=None, bool keepdim=False, *, "
               "dtype? dtype=None) -> Tensor"),
    .doc = "The 2-norm of all elements, or the vector or matrix norm of the order given.",
    .params_size = sizeof(Norm),
    .compose = linalg_norm_compose,
    .samples =
        "[2,3] | [4] 3 | [2,3] 1 | [2,3,4] inf (0,2) keepdim=True | [2,3] -1 | [2,3] dim=1 | "
        "[3,2] 2 | [2,3,2] nuc (0,1) | [2,3] fro",
};

cn_tensor *cn_norm_with(const cn_norm_args *a)
{
    if (!a->input) return NULL;
    cn_ints dims = cn_ints_of(&a->dim);
    return cn_vector_norm(a->input, a->p != 0 ? a->p : 2, &dims, a->keepdim);
}
