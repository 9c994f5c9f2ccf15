/* search.c - places in sorted sequences, membership, histograms. */
#include "ops/compose.h"

#include <math.h>
#include <string.h>

/* ---- the place where a value would be inserted: a kernel that the ops below are made of ----- */

typedef struct {
    const char *sequence, *x;
    int64_t *y;
    int64_t n, per_row; /* the length of a sequence; how many values each serves */
    bool right;
} Search;

#define T float
#define NAME(x) x##_f32
#include "ops/reduce/search.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/reduce/search.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/reduce/search.inc"

/* The sequence is one for all, or there is one for each row of the values. */
static bool place_infer(const cn_call *c, cn_spec out[])
{
    const cn_shape *s = &c->in[0]->v.shape, *x = &c->in[1]->v.shape;
    bool fits = s->ndim == 1 || s->ndim == x->ndim;
    for (int i = 0; fits && s->ndim > 1 && i + 1 < s->ndim; i++) fits = s->dim[i] == x->dim[i];
    char a[128], b[128];
    *out = (cn_spec){ CN_I64, *x };
    return (s->ndim > 0 && fits) ||
           cn_fail(CN_EINVALID,
                   "%s: a sequence of shape %s does not fit values of shape %s; it must be 1-d, "
                   "or equal in all dimensions but the last",
                   c->op->name, cn_shape_text(s, a), cn_shape_text(x, b));
}

static bool place_kernel(const cn_call *c)
{
    const cn_view *s = cn_in(c, 0), *x = cn_in(c, 1);
    int64_t n = s->shape.dim[s->shape.ndim - 1], rows = s->shape.ndim > 1 && n ? s->numel / n : 1;
    if (x->numel == 0) return true;
    if (s->shape.ndim > 1 && n == 0) return cn_fill_view(cn_out(c, 0), 0), true;
    Search job = { s->data, x->data,         (int64_t *)(void *)cn_out(c, 0)->data,
                   n,       x->numel / rows, *(const bool *)c->params };
    cn_parallel(x->numel, 32,
                s->dtype == CN_F32   ? place_job_f32
                : s->dtype == CN_F64 ? place_job_f64
                                     : place_job_i64,
                &job);
    return true;
}

const cn_op cn_op_insertion_place = {
    CN_OP_HEAD(insertion_place, "insertion_place",
               "(Tensor sequence, Tensor input, bool right=False) -> Tensor"),
    .doc = "Before which element of the sorted sequence each value belongs; right: after equals.",
    .params_size = sizeof(bool),
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .infer = place_infer,
    .kernel = place_kernel,
    .samples = "i64<5[4] i64<9[3] | [5] [2,3] True | [2,3] [2,4] | [0] [3] | [3] [] | [3] [0]",
};

/* Both in the type they share. */
static cn_tensor *places_in(cn_tensor *sequence, cn_tensor *values, bool right)
{
    if (!sequence || !values) return NULL;
    cn_dtype type = cn_result_type((cn_tensor *[]){ sequence, values }, 2);
    return CN_CALL(insertion_place, &right, cn_to(sequence, type), cn_to(values, type));
}

/* ---- searchsorted, bucketize ---------------------------------------------------------------- */

static bool give_places(cn_call *c, cn_tensor *sequence, cn_tensor *values, bool right, bool narrow)
{
    if (values->v.dtype == CN_BOOL && sequence->v.dtype == CN_BOOL)
        return cn_fail(CN_EINVALID, "%s: numbers are wanted, not bool", c->op->name);
    if (values->v.shape.ndim == 0 && sequence->v.shape.ndim != 1)
        return cn_fail(CN_EINVALID, "%s: a single value needs a 1-d sequence, not a %d-d one",
                       c->op->name, sequence->v.shape.ndim);
    return cn_set_out(c, 0, cn_to(places_in(sequence, values, right), narrow ? CN_I32 : CN_I64));
}

typedef struct {
    bool out_int32, right;
    const char *side;
} SearchSorted;

static bool searchsorted_compose(cn_call *c)
{
    const SearchSorted *p = c->params;
    cn_tensor *sequence = c->in[0], *sorter = c->in[2];
    bool side_right = p->side && strcmp(p->side, "right") == 0;
    if (p->side && !side_right && (p->right || strcmp(p->side, "left") != 0))
        return cn_fail(CN_EINVALID,
                       "searchsorted: side must be 'left' or 'right' and agree with "
                       "right, not '%s'",
                       p->side);
    if (sorter &&
        (sorter->v.dtype != CN_I64 || !cn_shape_equal(&sorter->v.shape, &sequence->v.shape)))
        return cn_fail(CN_EINVALID, "searchsorted: sorter must be int64 of the sequence's shape");
    if (sorter) sequence = cn_gather(sequence, -1, sorter);
    return sequence && give_places(c, sequence, c->in[1], p->right || side_right, p->out_int32);
}

const cn_op cn_op_searchsorted = {
    CN_OP_HEAD(
        searchsorted, "searchsorted",
        "(Tensor sorted_sequence, Tensor|Scalar input, *, bool out_int32=False, bool right=False, "
        "str? side=None, Tensor? sorter=None) -> Tensor"),
    .doc = "Where each value belongs in the sorted sequence (along the last dimension): before "
           "equal ones, or after them (right).",
    .params_size = sizeof(SearchSorted),
    .flags = CN_NO_GRAD_OP,
    .optional = CN_SAVE_IN(2),
    .compose = searchsorted_compose,
    .samples = "[1] [5] | i64<2[1] i64<3[2,3] right=True | [2,1] [2,3] side=right | [1] 0.5 | "
               "[0] [2] out_int32=True | i64<1[3] i64<2[4] sorter=i64<3[3]",
};

static bool bucketize_compose(cn_call *c)
{
    const bool *out_int32 = c->params, *right = out_int32 + 1;
    if (!cn_want_dims(c, 1, 1, 1)) return false;
    return give_places(c, c->in[1], c->in[0], *right, *out_int32);
}

const cn_op cn_op_bucketize = {
    CN_OP_HEAD(
        bucketize, "bucketize",
        "(Tensor|Scalar input, Tensor boundaries, *, bool out_int32=False, bool right=False) -> "
        "Tensor"),
    .doc = "Between which of the sorted boundaries each value lies.",
    .params_size = 2 * sizeof(bool),
    .flags = CN_NO_GRAD_OP,
    .compose = bucketize_compose,
    .samples =
        "[5] [1] | i64<3[2,3] i64<2[1] right=True | 0.5 [1] | [2] [0] out_int32=True | [] [1]",
};

/* ---- isin ---------------------------------------------------------------------------------- */

typedef struct {
    bool assume_unique, invert;
} IsIn;

/* Is the sorted test element at the place of insertion equal? */
static bool isin_compose(cn_call *c)
{
    const IsIn *p = c->params;
    cn_tensor *x = c->in[0], *tests = c->in[1], *found;
    if (x->v.dtype == CN_BOOL || tests->v.dtype == CN_BOOL)
        return cn_fail(CN_EINVALID, "isin: numbers are wanted, not bool");
    if (cn_dtype_is_float(tests->v.dtype)) tests = cn_masked_select(tests, cn_eq(tests, tests));
    if (!tests) return false;
    if (tests->v.numel == 0) {
        found = cn_zeros(x->v.shape, CN_BOOL);
    } else {
        cn_tensor *sorted = cn_sort(cn_reshape(tests, CN_SHAPE(tests->v.numel)), 0, false).values;
        cn_tensor *at =
            cn_clamp_max(places_in(sorted, x, false), cn_number_i64(tests->v.numel - 1));
        if (!at) return false;
        cn_tensor *flat = cn_gather(sorted, 0, cn_reshape(at, CN_SHAPE(at->v.numel)));
        found = flat ? cn_eq(x, cn_reshape(flat, x->v.shape)) : NULL;
    }
    return cn_set_out(c, 0, p->invert ? cn_logical_not(found) : found);
}

const cn_op cn_op_isin = {
    CN_OP_HEAD(isin, "isin",
               "(Tensor|Scalar elements, Tensor|Scalar test_elements, *, bool assume_unique=False, "
               "bool invert=False) -> Tensor"),
    .doc = "Is each element among the test elements?",
    .params_size = sizeof(IsIn),
    .flags = CN_NO_GRAD_OP,
    .compose = isin_compose,
    .samples = "i64<9[2,3] i64<9[4] | [3] [2] | i64<9[5] 3 invert=True | 2 i64<9[5] | [0] [2] | "
               "[3] [0] | [] [4]",
};

/* ---- histc, histogram ---------------------------------------------------------------------- */

typedef struct {
    int64_t bins;
    double low, high;
} Bins;

/* The least and the greatest of the elements where the bounds leave it open; never an empty span. */
static bool span(const char *what, const cn_tensor *x, Bins *b)
{
    const double *v = (const double *)(const void *)x->v.data;
    if (b->bins < 1)
        return cn_fail(CN_EINVALID, "%s: bins must be positive, not %lld", what,
                       (long long)b->bins);
    if (b->low == b->high && x->v.numel) {
        b->low = b->high = v[0];
        for (int64_t i = 1; i < x->v.numel; i++) {
            if (v[i] < b->low || v[i] != v[i]) b->low = v[i];
            if (v[i] > b->high || v[i] != v[i]) b->high = v[i];
        }
    }
    if (b->low == b->high) b->low -= 1, b->high += 1;
    if (isfinite(b->low) && isfinite(b->high) && b->low < b->high) return true;
    return cn_fail(CN_EINVALID, "%s: no bins from %g to %g", what, b->low, b->high);
}

/* Which bin; the last holds the upper bound, too. -1: outside, or NaN. */
static int64_t bin_of(const Bins *b, double v)
{
    if (!(v >= b->low && v <= b->high)) return -1;
    int64_t k = (int64_t)((v - b->low) / (b->high - b->low) * (double)b->bins);
    return k < b->bins ? k : b->bins - 1;
}

static bool histc_compose(cn_call *c)
{
    struct {
        int64_t bins;
        cn_number_arg min, max;
    } const *p = c->params;
    cn_tensor *x = c->in[0];
    if (!cn_want_float("histc", x)) return false;
    Bins b = { p->bins, p->min.kind == CN_NUM_FLOAT ? p->min.u.f : (double)p->min.u.i,
               p->max.kind == CN_NUM_FLOAT ? p->max.u.f : (double)p->max.u.i };
    cn_tensor *v = cn_rows(cn_cast_raw(x, CN_F64));
    cn_tensor *y = v && span("histc", v, &b) ? cn_zeros(CN_SHAPE(b.bins), CN_F64) : NULL;
    for (int64_t i = 0; y && i < v->v.numel; i++) {
        int64_t k = bin_of(&b, ((const double *)(const void *)v->v.data)[i]);
        if (k >= 0) ((double *)(void *)y->v.data)[k]++;
    }
    return cn_set_out(c, 0, y ? cn_to(y, x->v.dtype) : NULL);
}

const cn_op cn_op_histc = {
    CN_OP_HEAD(histc, "histc",
               "(Tensor input, int bins=100, Scalar min=0, Scalar max=0) -> Tensor"),
    .doc =
        "How many elements lie in each of the equal bins from min to max (both 0: of the input).",
    .params_size = sizeof(int64_t) + 2 * sizeof(cn_number_arg),
    .flags = CN_NO_GRAD_OP,
    .compose = histc_compose,
    .samples = "[9] 4 | [2,3] 5 -1 1 | [] 2 | [0] 3 | [9] bins=3 max=0.5",
};
