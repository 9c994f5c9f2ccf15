/* scans.c - running sums and products. All are one linear recurrence, y_i = b_i + a_i y_(i-1),
   whose
   gradient is such a recurrence from the other end: so products with zeros need no special case. */
#include "ops/compose.h"

#include <string.h>

typedef struct {
    cn_lines lines;
    const char *b, *a; /* a NULL: ones */
    char *y;
} Scan;

#define T float
#define NAME(x) x##_f32
#include "ops/reduce/scans.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/reduce/scans.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/reduce/scans.inc"

static bool recurrence_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *b = cn_in(c, 0), *a = cn_in(c, 1);
    if (cn_wrap_dim(*(const int64_t *)c->params, b->shape.ndim, c->op->name) < 0) return false;
    if (a && (!cn_shape_equal(&a->shape, &b->shape) || a->dtype != b->dtype))
        return cn_fail(CN_EINVALID,
                       "recurrence: input and factor must have the same shape and dtype");
    if (b->dtype == CN_BOOL) return cn_fail(CN_EUNSUPPORTED, "recurrence: not defined for bool");
    return cn_infer_same(c, out);
}

static bool recurrence_kernel(const cn_call *c)
{
    const cn_view *y = cn_out(c, 0), *a = cn_in(c, 1);
    if (y->numel == 0) return true;
    int dim = cn_wrap_dim(*(const int64_t *)c->params, y->shape.ndim, c->op->name);
    Scan s = { cn_lines_of(&y->shape, dim), cn_in(c, 0)->data, a ? a->data : NULL, y->data };
    cn_parallel(s.lines.outer, s.lines.size * s.lines.inner,
                y->dtype == CN_F32   ? scan_job_f32
                : y->dtype == CN_F64 ? scan_job_f64
                                     : scan_job_i64,
                &s);
    return true;
}

/* The elements moved by one along dim; 0 enters. */
static cn_tensor *shifted(cn_tensor *t, int dim, bool back)
{
    if (!t) return NULL;
    int64_t n = t->v.shape.dim[dim];
    cn_shape s = t->v.shape;
    s.dim[dim] = 1;
    cn_tensor *zero = cn_zeros(s, t->v.dtype), *kept = cn_narrow(t, dim, back ? 1 : 0, n - 1);
    return cn_cat((cn_tensor *[]){ back ? kept : zero, back ? zero : kept }, 2, dim);
}

/* gb_i = gy_i + a_(i+1) gb_(i+1), from the end; ga_i = gb_i y_(i-1). */
static void recurrence_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0), *a = cn_saved_in(g, 1);
    int nd = gy->v.shape.ndim,
        dim = cn_wrap_dim(*(const int64_t *)cn_grad_params(g), nd, "recurrence");
    if (gy->v.numel == 0 || nd == 0) {
        cn_give(g, 0, gy);
        if (cn_wants(g, 1)) cn_give(g, 1, cn_zeros_of_in(g, 1));
        return;
    }
    cn_shape along = CN_SHAPE(dim);
    cn_tensor *next = a ? cn_flip(shifted(a, dim, true), along) : NULL;
    cn_tensor *gb =
        cn_flip(CN_CALL(recurrence, &(int64_t){ dim }, cn_flip(gy, along), next), along);
    if (cn_wants(g, 0)) cn_give(g, 0, gb);
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mul(gb, shifted(cn_saved_out(g, 0), dim, false)));
}

const cn_op cn_op_recurrence = {
    CN_OP_HEAD(recurrence, "recurrence", "(Tensor input, Tensor? factor, int dim) -> Tensor"),
    .doc =
        "y_i = input_i + factor_i y_(i-1) along dim, y before the first being 0; no factor: ones.",
    .params_size = sizeof(int64_t),
    .flags = CN_ROWS,
    .optional = CN_SAVE_IN(1),
    .infer = recurrence_infer,
    .kernel = recurrence_kernel,
    .saves = CN_SAVE_IN(1) | CN_SAVE_OUT(0),
    .backward = recurrence_backward,
    .samples =
        "[4] [4] 0 | [2,3] [2,3] 1 | [3,2] None 0 | [] [] 0 | [0,2] [0,2] 1 | i64<9[4] None 0",
};

/* ---- cumsum, cumprod, prod ----------------------------------------------------------------- */

typedef struct {
    int64_t dim;
    int32_t dtype;
} Cumulate;

/* Integers add up in int64. */
static cn_tensor *widened(cn_tensor *t, int32_t dtype)
{
    if (!t) return NULL;
    return cn_to(t, dtype != CN_NO_DTYPE            ? (cn_dtype)dtype
                    : cn_dtype_is_float(t->v.dtype) ? t->v.dtype
                                                    : CN_I64);
}

static bool cumsum_compose(cn_call *c)
{
    const Cumulate *p = c->params;
    return cn_set_out(c, 0, CN_CALL(recurrence, &p->dim, widened(c->in[0], p->dtype), NULL));
}

const cn_op cn_op_cumsum = {
    CN_OP_HEAD(cumsum, "cumsum", "(Tensor input, int dim, *, dtype? dtype=None) -> Tensor"),
    .doc = "Running sums along dim; integers give int64.",
    .params_size = sizeof(Cumulate),
    .compose = cumsum_compose,
    .samples = "[2,3] 0 | [2,3] -1 | [] 0 | [0] 0 | i64<9[4] 0",
};

/* The recurrence starts from the first element and then multiplies: b = (x_0, 0, 0, ..), a = x. */
static cn_tensor *running_product(cn_tensor *x, int64_t given, const char *what)
{
    int dim = x ? cn_wrap_dim(given, x->v.shape.ndim, what) : -1;
    if (dim < 0) return NULL;
    if (x->v.numel == 0 || x->v.shape.ndim == 0) return x;
    int64_t n = x->v.shape.dim[dim];
    cn_shape rest = x->v.shape;
    rest.dim[dim] = n - 1;
    cn_tensor *start =
        cn_cat((cn_tensor *[]){ cn_narrow(x, dim, 0, 1), cn_zeros(rest, x->v.dtype) }, 2, dim);
    return CN_CALL(recurrence, &(int64_t){ dim }, start, x);
}

static bool cumprod_compose(cn_call *c)
{
    const Cumulate *p = c->params;
    return cn_set_out(c, 0, running_product(widened(c->in[0], p->dtype), p->dim, "cumprod"));
}

const cn_op cn_op_cumprod = {
    CN_OP_HEAD(cumprod, "cumprod", "(Tensor input, int dim, *, dtype? dtype=None) -> Tensor"),
    .doc = "Running products along dim; integers give int64.",
    .params_size = sizeof(Cumulate),
    .compose = cumprod_compose,
    .samples = "[2,3] 0 | [2,4] -1 | [] 0 | [0] 0 | i64<9[4] 0",
};

typedef struct {
    cn_opt_int dim;
    bool keepdim;
    int32_t dtype;
} Product;

static bool prod_compose(cn_call *c)
{
    const Product *p = c->params;
    const cn_shape *full = &c->in[0]->v.shape;
    cn_ints dims = cn_one_dim(p->dim);
    int dim;
    cn_tensor *x = cn_merge_dims(c->in[0], &dims, "prod", &dim), *y;
    if (!(x = widened(x, p->dtype))) return false;
    cn_dtype type = x->v.dtype;
    if (type == CN_BOOL) x = cn_to(x, CN_I64); /* of zeros and ones, that is: are all true? */
    if (!x) return false;
    int64_t n = x->v.shape.ndim ? x->v.shape.dim[dim] : 1;
    if (n == 0) /* 1, but with a gradient, which is as empty as x */
        y = cn_add(cn_sum(x, .dim = CN_SHAPE(dim)), cn_number_i64(1));
    else if (x->v.shape.ndim == 0) y = x;
    else y = cn_select(running_product(x, dim, "prod"), dim, n - 1);
    if (!y || !(y = cn_to(y, type))) return false;
    return cn_set_out(c, 0, p->keepdim ? cn_restore_dims(y, full, &dims, false) : y);
}

const cn_op cn_op_prod = {
    CN_OP_HEAD(prod, "prod",
               "(Tensor input, int? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor"),
    .doc = "The product along dim (none: of all); integers give int64, the empty product is 1.",
    .params_size = sizeof(Product),
    .compose = prod_compose,
    .samples =
        "[2,3] | [2,3,2] dim=1 | [2,3] -1 keepdim=True | [] | [3,2] 0 | i64<9[4] | [0] | [3,0] 1 | "
        "bool[2,3] 1 dtype=bool",
};

cn_tensor *cn_cumsum(cn_tensor *input, int dim)
{
    Cumulate p = { dim, CN_NO_DTYPE };
    return CN_CALL(cumsum, &p, input);
}

cn_tensor *cn_cumprod(cn_tensor *input, int dim)
{
    Cumulate p = { dim, CN_NO_DTYPE };
    return CN_CALL(cumprod, &p, input);
}
