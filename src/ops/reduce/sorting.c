/* sorting.c - sort, msort, argsort, topk, bincount. */
#include "ops/compose.h"

#include <string.h>

/* ---- argsort: a stable merge sort of places ------------------------------------------------ */

typedef struct {
    int64_t dim;
    bool descending, stable;
} Sort;

typedef struct {
    cn_lines lines;
    bool descending;
    const char *x;
    int64_t *y;
    int64_t *spare; /* one block of lines.size numbers per line */
} Sorting;

#define T float
#define NAME(x) x##_f32
#include "ops/reduce/sorting.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/reduce/sorting.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/reduce/sorting.inc"
#define T uint8_t
#define NAME(x) x##_bool
#include "ops/reduce/sorting.inc"

static bool argsort_infer(const cn_call *c, cn_spec out[])
{
    const Sort *p = c->params;
    *out = (cn_spec){ CN_I64, c->in[0]->v.shape };
    return cn_wrap_dim(p->dim, out->shape.ndim, c->op->name) >= 0;
}

static bool argsort_kernel(const cn_call *c)
{
    const Sort *p = c->params;
    const cn_view *x = cn_in(c, 0), *y = cn_out(c, 0);
    if (x->numel == 0) return true;
    int dim = cn_wrap_dim(p->dim, x->shape.ndim, c->op->name);
    Sorting s = { cn_lines_of(&x->shape, dim), p->descending, x->data, (int64_t *)(void *)y->data,
                  NULL };
    s.spare = cn_alloc((size_t)x->numel * 2 * sizeof(int64_t));
    if (!s.spare) return false;
    cn_parallel(s.lines.outer * s.lines.inner, 16 * s.lines.size,
                x->dtype == CN_F32   ? sort_job_f32
                : x->dtype == CN_F64 ? sort_job_f64
                : x->dtype == CN_I64 ? sort_job_i64
                                     : sort_job_bool,
                &s);
    cn_free(s.spare);
    return true;
}

const cn_op cn_op_argsort = {
    CN_OP_HEAD(argsort, "argsort",
               "(Tensor input, int dim=-1, bool descending=False, bool stable=False) -> Tensor"),
    .doc =
        "The places of the elements in ascending order along dim; equal ones keep their order, NaN is largest.",
    .params_size = sizeof(Sort),
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .infer = argsort_infer,
    .kernel = argsort_kernel,
    .samples = "[2,5] | [4,3] 0 descending=True | [] | [0,3] 1 | i64<4[9] | bool[5]",
};

static cn_tensor *places(cn_tensor *x, int64_t dim, bool descending)
{
    Sort p = { dim, descending, true };
    return CN_CALL(argsort, &p, x);
}

static bool sort_compose(cn_call *c)
{
    const Sort *p = c->params;
    cn_tensor *at = places(c->in[0], p->dim, p->descending);
    return at && cn_set_out(c, 0, cn_gather(c->in[0], (int)p->dim, at)) && cn_set_out(c, 1, at);
}

const cn_op cn_op_sort = {
    CN_OP_HEAD(
        sort, "sort",
        "(Tensor input, int dim=-1, bool descending=False, bool stable=False) -> (Tensor, Tensor)"),
    .doc = "The elements in order along dim, and where they were; NaN counts as the largest.",
    .params_size = sizeof(Sort),
    .compose = sort_compose,
    .samples = "[2,5] | [4,3] 0 descending=True | [] | [0,3] 1 | i64<4[9]",
};

static bool msort_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_sort(c->in[0], 0, false).values);
}

const cn_op cn_op_msort = {
    CN_OP_HEAD(msort, "msort", "(Tensor input) -> Tensor"),
    .doc = "The elements in order along the first dimension.",
    .compose = msort_compose,
    .samples = "[5] | [4,3] | [] | [0,3] | i64<4[9]",
};

typedef struct {
    int64_t k, dim;
    bool largest, sorted;
} TopK;

static bool topk_compose(cn_call *c)
{
    const TopK *p = c->params;
    cn_tensor *x = c->in[0];
    int dim = cn_wrap_dim(p->dim, x->v.shape.ndim, "topk");
    if (dim < 0) return false;
    if (x->v.dtype == CN_BOOL) return cn_fail(CN_EINVALID, "topk: numbers are wanted, not bool");
    int64_t n = x->v.shape.ndim ? x->v.shape.dim[dim] : 1;
    if (p->k < 0 || p->k > n)
        return cn_fail(CN_EINVALID, "topk: k = %lld of dimension %d, which has %lld",
                       (long long)p->k, dim, (long long)n);
    cn_tensor *at = places(x, dim, p->largest);
    if (at && x->v.shape.ndim) at = cn_narrow(at, dim, 0, p->k);
    if (!(at = at ? cn_contiguous(at) : NULL)) return false;
    return cn_set_out(c, 0, cn_gather(x, dim, at)) && cn_set_out(c, 1, at);
}

const cn_op cn_op_topk = {
    CN_OP_HEAD(topk, "topk",
               "(Tensor input, int k, int dim=-1, bool largest=True, bool sorted=True) -> "
               "(Tensor, Tensor)"),
    .doc = "The k largest (smallest) along dim in order, and where they were.",
    .params_size = sizeof(TopK),
    .compose = topk_compose,
    .samples = "[2,5] 3 | [4,3] 2 dim=0 largest=False | [3] 0 | [] 1 | i64<9[5] 2",
};

static cn_indexed pair_of(const cn_op *op, cn_tensor *input, const void *params)
{
    cn_tensor *out[2];
    return cn_apply(op, &input, 1, params, out, 2) ? (cn_indexed){ out[0], out[1] }
                                                   : (cn_indexed){ 0 };
}

cn_indexed cn_sort(cn_tensor *input, int dim, bool descending)
{
    return pair_of(&cn_op_sort, input, &(Sort){ dim, descending, true });
}

cn_tensor *cn_argsort(cn_tensor *input, int dim, bool descending)
{
    return places(input, dim, descending);
}

cn_indexed cn_topk(cn_tensor *input, int64_t k, int dim)
{
    return pair_of(&cn_op_topk, input, &(TopK){ k, dim, true, true });
}

/* ---- bincount ------------------------------------------------------------------------------ */

static bool bincount_compose(cn_call *c)
{
    int64_t most = *(const int64_t *)c->params;
    cn_tensor *x = c->in[0];
    if (!cn_want_dims(c, 0, 1, 1)) return false;
    if (cn_dtype_category(x->v.dtype) != CN_CAT_INT)
        return cn_fail(CN_EINVALID, "bincount: integers are wanted, not %s",
                       cn_dtype_name(x->v.dtype));
    x = cn_rows(cn_cast_raw(x, CN_I64));
    for (int64_t i = 0; x && i < x->v.numel; i++) {
        int64_t v = ((const int64_t *)(const void *)x->v.data)[i];
        if (v < 0 || v == INT64_MAX)
            return cn_fail(CN_EINVALID, "bincount: %lld has no bin", (long long)v);
        if (v >= most) most = v + 1;
    }
    if (!x) return false;
    cn_tensor *w = c->in[1] ? c->in[1] : cn_ones(x->v.shape, CN_I64);
    if (!w || !cn_shape_equal(&w->v.shape, &x->v.shape))
        return cn_fail(CN_EINVALID, "bincount: the weights must be as many as the elements");
    if (c->in[1] && w->v.dtype != CN_F32) w = cn_to(w, CN_F64);
    return w && cn_set_out(c, 0, cn_scatter_add(cn_zeros(CN_SHAPE(most), w->v.dtype), 0, x, w));
}

const cn_op cn_op_bincount = {
    CN_OP_HEAD(bincount, "bincount",
               "(Tensor input, Tensor? weights=None, int minlength=0) -> Tensor"),
    .doc = "How often each of 0, 1, .. occurs, or the sum of the weights where it does.",
    .params_size = sizeof(int64_t),
    .flags = CN_NO_GRAD_OP,
    .optional = CN_SAVE_IN(1),
    .compose = bincount_compose,
    .samples = "i64<5[9] | i64<5[4] [4] | i64<3[2] minlength=6 | i64<3[0]",
};
