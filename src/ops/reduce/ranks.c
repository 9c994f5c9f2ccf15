/* ranks.c - elements by their rank: median, kthvalue, mode, quantiles. All are taken from sorted
   lines, so their gradients go where the elements came from. */
#include "ops/compose.h"

#include <math.h>
#include <string.h>

typedef struct {
    cn_opt_int dim;
    bool keepdim;
} OneDim;

static cn_tensor *order_of(cn_tensor *x, int dim)
{
    struct {
        int64_t dim;
        bool descending, stable;
    } sort = { dim, false, true };
    return CN_CALL(argsort, &sort, x);
}

/* How many elements of each line are numbers; (.., 1, ..) along dim. */
static cn_tensor *numbers_in(cn_tensor *x, int dim)
{
    if (!x) return NULL;
    cn_tensor *number = cn_logical_not(cn_isnan(x));
    return x->v.shape.ndim ? cn_sum(number, .dim = CN_SHAPE(dim), .keepdim = true) : cn_sum(number);
}

/* The elements at `place` (of size 1 along dim) of the order, and where they were. */
static bool give_ranked(cn_call *c, cn_tensor *order, cn_tensor *place, int dim, bool keepdim)
{
    cn_tensor *at = cn_gather(order, dim, place), *y = cn_gather(c->in[0], dim, at);
    if (!y) return false;
    cn_shape s = keepdim ? y->v.shape : cn_without_dim(&y->v.shape, dim);
    return cn_set_out(c, 0, cn_reshape(y, s)) && cn_set_out(c, 1, cn_reshape(at, s));
}

static bool refuses_bool(const cn_call *c)
{
    return c->in[0]->v.dtype == CN_BOOL &&
           !cn_fail(CN_EINVALID, "%s: numbers are wanted, not bool", c->op->name);
}

static int line_dim(const cn_call *c, int64_t given)
{
    const cn_shape *s = &c->in[0]->v.shape;
    int dim = cn_wrap_dim(given, s->ndim, c->op->name);
    if (dim < 0 || !s->ndim || s->dim[dim]) return dim;
    cn_fail(CN_EINVALID, "%s: dimension %d has size 0, and nothing has no elements to choose from",
            c->op->name, dim);
    return -1;
}

/* ---- kthvalue ------------------------------------------------------------------------------ */

typedef struct {
    int64_t k, dim;
    bool keepdim;
} Kth;

static bool kthvalue_compose(cn_call *c)
{
    const Kth *p = c->params;
    cn_tensor *x = c->in[0];
    int dim = line_dim(c, p->dim);
    if (dim < 0 || refuses_bool(c)) return false;
    int64_t n = x->v.shape.ndim ? x->v.shape.dim[dim] : 1;
    if (p->k < 1 || p->k > n)
        return cn_fail(CN_EINVALID, "kthvalue: k = %lld of dimension %d, which has %lld",
                       (long long)p->k, dim, (long long)n);
    cn_shape one = x->v.shape;
    if (one.ndim) one.dim[dim] = 1;
    return give_ranked(c, order_of(x, dim), cn_full(one, (double)(p->k - 1), CN_I64), dim,
                       p->keepdim);
}

const cn_op cn_op_kthvalue = {
    CN_OP_HEAD(kthvalue, "kthvalue",
               "(Tensor input, int k, int dim=-1, bool keepdim=False) -> (Tensor, Tensor)"),
    .doc = "The k-th smallest element along dim, from 1 on, and where it was; NaN is largest.",
    .params_size = sizeof(Kth),
    .compose = kthvalue_compose,
    .samples = "[2,5] 2 | [4,3] 3 0 True | [] 1 | i64<99[7] 4 | [0,3] 2 1",
};

/* ---- median, nanmedian --------------------------------------------------------------------- */

/* The lower of the two in the middle. A median over NaN is NaN, the first of them; the other form
   looks at the numbers only. */
static cn_tensor *middle(cn_tensor *x, int dim, bool skip_nan)
{
    int64_t n = x->v.shape.ndim ? x->v.shape.dim[dim] : 1;
    cn_tensor *count = numbers_in(x, dim), *half;
    if (skip_nan)
        return cn_floor_divide(cn_clamp_min(cn_sub(count, cn_number_i64(1)), cn_number_i64(0)),
                               cn_number_i64(2));
    half = cn_number_i64((n - 1) / 2);
    return cn_where(cn_eq(count, cn_number_i64(n)), half, count);
}

/* Of all elements: equal ones share the gradient, as with max. */
static bool median_of_all_infer(const cn_call *c, cn_spec out[])
{
    *out = (cn_spec){ c->in[0]->v.dtype, cn_scalar_shape() };
    return true;
}

static bool median_of_all_kernel(const cn_call *c)
{
    cn_tensor *x = c->in[0], *place;
    cn_tensor *y = c->out[0];
    if (x->v.numel == 0) {
        cn_fill_view(&y->v, cn_dtype_is_float(x->v.dtype) ? (double)NAN : (double)INT64_MIN);
        return true;
    }
    size_t mark = cn_mark();
    cn_tensor *flat = cn_reshape(x, CN_SHAPE(x->v.numel)), *at = NULL;
    if (flat && (place = cn_reshape(middle(flat, 0, *(const bool *)c->params), CN_SHAPE(1))))
        at = cn_gather(flat, 0, cn_gather(order_of(flat, 0), 0, place));
    if (at) memcpy(y->v.data, at->v.data, cn_dtype_size(y->v.dtype));
    cn_release(mark);
    return at != NULL;
}

static void median_of_all_backward(cn_grads *g)
{
    cn_tensor *x = cn_saved_in(g, 0), *y = cn_saved_out(g, 0);
    cn_tensor *chosen = cn_logical_or(cn_eq(x, y), cn_logical_and(cn_isnan(x), cn_isnan(y)));
    cn_give(g, 0, cn_mul(cn_div(cn_gout(g, 0), cn_sum(chosen)), chosen));
}

const cn_op cn_op_median_of_all = {
    CN_OP_HEAD(median_of_all, "median_of_all", "(Tensor input, bool skip_nan=False) -> Tensor"),
    .doc = "The median of all elements; what median is made of.",
    .params_size = sizeof(bool),
    .infer = median_of_all_infer,
    .kernel = median_of_all_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_OUT(0),
    .backward = median_of_all_backward,
    .samples = "[2,3,4] | [5] True | [] | i64<9[6] | [0]",
};

static bool median_compose(cn_call *c)
{
    const OneDim *p = c->params;
    bool skip_nan = c->op == &cn_op_nanmedian;
    if (refuses_bool(c)) return false;
    if (!p->dim.given) return cn_set_out(c, 0, CN_CALL(median_of_all, &skip_nan, c->in[0]));
    int dim = line_dim(c, p->dim.value);
    if (dim < 0) return false;
    return give_ranked(c, order_of(c->in[0], dim), middle(c->in[0], dim, skip_nan), dim,
                       p->keepdim);
}

#define MEDIAN_OP(ident, text)                                                                     \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident,                                                                  \
                   "(Tensor input, int? dim=None, bool keepdim=False) -> (Tensor, Tensor)"),       \
        .doc = text,                                                                               \
        .params_size = sizeof(OneDim),                                                             \
        .compose = median_compose,                                                                 \
        .samples = "[2,3,4] | [2,5] 1 | [4,3] 0 keepdim=True | [] | [] 0 | i64<99[6] | [0,3] 1",   \
    }

MEDIAN_OP(median, "The median, the lower of two; with dim, along dim, and where it was.");
MEDIAN_OP(nanmedian, "The median of what is not NaN; with dim, along dim, and where it was.");

/* ---- mode ---------------------------------------------------------------------------------- */

typedef struct {
    int64_t dim;
    bool keepdim;
} Along;

/* How many equal elements end at each place of the sorted lines: a count that starts again. */
static cn_tensor *run_lengths(cn_tensor *sorted, int dim)
{
    int64_t n = sorted->v.shape.dim[dim];
    cn_shape first = sorted->v.shape;
    first.dim[dim] = 1;
    cn_tensor *same = cn_eq(cn_narrow(sorted, dim, 1, n - 1), cn_narrow(sorted, dim, 0, n - 1));
    same = cn_cat((cn_tensor *[]){ cn_zeros(first, CN_BOOL), same }, 2, dim);
    return CN_CALL(recurrence, &(int64_t){ dim }, cn_ones(sorted->v.shape, CN_I64),
                   cn_to(same, CN_I64));
}

static bool mode_compose(cn_call *c)
{
    const Along *p = c->params;
    cn_tensor *x = c->in[0];
    int dim = line_dim(c, p->dim);
    if (dim < 0) return false;
    cn_tensor *order = order_of(x, dim), *sorted = cn_gather(cn_detach(x), dim, order), *place;
    if (!sorted) return false;
    if (x->v.shape.ndim == 0) place = order;
    else place = cn_argmax(run_lengths(sorted, dim), .dim = CN_SHAPE(dim), .keepdim = true);
    return give_ranked(c, order, place, dim, p->keepdim);
}

const cn_op cn_op_mode = {
    CN_OP_HEAD(mode, "mode", "(Tensor input, int dim=-1, bool keepdim=False) -> (Tensor, Tensor)"),
    .doc = "The most frequent element along dim, the smallest of several, and where it was last.",
    .params_size = sizeof(Along),
    .compose = mode_compose,
    .samples = "i64<4[3,9] | i64<3[8,2] 0 True | [5] | [] | [0,3]",
};

/* ---- quantile, nanquantile ----------------------------------------------------------------- */

typedef struct {
    cn_opt_int dim;
    bool keepdim;
    const char *interpolation;
} Quantile;

static bool quantile_usable(const cn_call *c)
{
    const cn_tensor *x = c->in[0], *q = c->in[1];
    const char *who = c->op->name;
    if (x->v.numel == 0) return cn_fail(CN_EINVALID, "%s: the input is empty", who);
    if (x->v.dtype != CN_F32 && x->v.dtype != CN_F64)
        return cn_fail(CN_EINVALID, "%s: float32 or float64 are wanted, not %s", who,
                       cn_dtype_name(x->v.dtype));
    if (q->v.shape.ndim > 1)
        return cn_fail(CN_EINVALID, "%s: q must be a number or 1-d, not %d-dimensional", who,
                       q->v.shape.ndim);
    if (!q->is_number && q->v.dtype != x->v.dtype)
        return cn_fail(CN_EINVALID, "%s: input is %s, and q must be, too, not %s", who,
                       cn_dtype_name(x->v.dtype), cn_dtype_name(q->v.dtype));
    for (int64_t i = 0; i < q->v.numel; i++) {
        int64_t at = q->v.shape.ndim ? i * q->v.strides[0] : 0;
        double v = cn_load_f64(q->v.data + at * (int64_t)cn_dtype_size(q->v.dtype), q->v.dtype);
        if (!(v >= 0 && v <= 1))
            return cn_fail(CN_EINVALID, "%s: q must be between 0 and 1, got %g", who, v);
    }
    return true;
}

/* Between the sorted values below and above each rank. x is (.., n) sorted, rank (.., q). */
static cn_tensor *interpolate(cn_tensor *x, cn_tensor *rank, const char *how)
{
    if (strcmp(how, "lower") == 0) rank = cn_floor(rank);
    else if (strcmp(how, "higher") == 0) rank = cn_ceil(rank);
    else if (strcmp(how, "nearest") == 0) rank = cn_round(rank);
    else if (strcmp(how, "linear") != 0 && strcmp(how, "midpoint") != 0) {
        cn_fail(CN_EINVALID,
                "quantile: interpolation must be linear, lower, higher, midpoint or "
                "nearest, not '%s'",
                how);
        return NULL;
    }
    cn_tensor *floor = cn_floor(rank), *weight = cn_sub(rank, floor);
    if (strcmp(how, "midpoint") == 0)
        weight = cn_mul(cn_gt(weight, cn_number_i64(0)), cn_number(0.5));
    cn_tensor *below = cn_gather(x, -1, cn_to(floor, CN_I64));
    cn_tensor *above = cn_gather(x, -1, cn_to(cn_ceil(rank), CN_I64));
    return below ? CN_CALL(lerp, NULL, below, above, cn_to(weight, below->v.dtype)) : NULL;
}

/* The ranks of the quantiles in each line, (.., q): where NaN counts, the place of the first. */
static cn_tensor *ranks(cn_tensor *lines, cn_tensor *q, bool skip_nan)
{
    if (!lines) return NULL;
    int last = lines->v.shape.ndim - 1;
    int64_t n = lines->v.shape.dim[last];
    cn_tensor *count = numbers_in(cn_detach(lines), last), *one = cn_number_i64(1);
    cn_tensor *most = cn_clamp_min(cn_sub(count, one), cn_number_i64(0));
    cn_tensor *rank = cn_mul(q, cn_to(most, lines->v.dtype));
    if (skip_nan) return rank;
    return cn_where(cn_eq(count, cn_number_i64(n)), rank, cn_number((double)(n - 1)));
}

/* (.., q) with the lines along dim swapped to the end: q to the front, the others back. */
static cn_tensor *restored(cn_tensor *y, int nd, int dim)
{
    cn_shape order = { .ndim = nd + 1, .dim = { nd } };
    for (int i = 0; i < nd; i++) order.dim[i + 1] = i == dim ? nd - 1 : i == nd - 1 ? dim : i;
    return cn_permute(cn_unsqueeze(y, -2), order);
}

static bool quantile_compose(cn_call *c)
{
    const Quantile *p = c->params;
    cn_tensor *x = c->in[0], *q = c->in[1];
    int nd = x->v.shape.ndim, dim = cn_wrap_dim(p->dim.given ? p->dim.value : 0, nd, c->op->name);
    if (dim < 0 || !quantile_usable(c)) return false;
    bool lines = p->dim.given && nd;
    cn_tensor *from = lines ? cn_transpose(x, dim, -1) : cn_reshape(x, CN_SHAPE(x->v.numel));
    cn_tensor *each = cn_to(cn_reshape(q, CN_SHAPE(q->v.numel)), x->v.dtype);
    cn_tensor *rank = ranks(from, each, c->op == &cn_op_nanquantile);
    cn_tensor *y =
        rank ? interpolate(cn_sort(from, -1, false).values, rank, p->interpolation) : NULL;
    if (lines) y = restored(y, nd, dim);
    cn_shape s = { .ndim = q->v.shape.ndim, .dim = { q->v.numel } };
    for (int i = 0; i < nd; i++) {
        bool reduced = i == dim || !p->dim.given;
        if (!reduced || p->keepdim) s.dim[s.ndim++] = reduced ? 1 : x->v.shape.dim[i];
    }
    return cn_set_out(c, 0, cn_reshape(y, s));
}

#define QUANTILE_OP(ident, text)                                                                   \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident,                                                                  \
                   "(Tensor input, Tensor|Scalar q, int? dim=None, bool keepdim=False, *, "        \
                   "str interpolation='linear') -> Tensor"),                                       \
        .doc = text,                                                                               \
        .params_size = sizeof(Quantile),                                                           \
        .compose = quantile_compose,                                                               \
        .samples = "[2,5] 0.3 | [4,3] +[2] 0 | [2,3,4] +[] 1 keepdim=True | [5] 0.6 "              \
                   "interpolation=lower | [5] 0.6 interpolation=higher | [6] 0.5 "                 \
                   "interpolation=midpoint | [6] 0.7 interpolation=nearest | [] 0.5",              \
    }

QUANTILE_OP(quantile, "The values below which the shares q of the elements lie; NaN if one is.");
QUANTILE_OP(nanquantile, "The values below which the shares q of what is not NaN lie.");
