/* reduce.c - sum and mean over any dimensions.

   The input is seen as outer x reduced x inner; when the reduced dimensions are not neighbours it
   is
   first permuted into that form. Sums run over blocks of fixed size that are then added pairwise,
   so
   that the result neither depends on the number of threads nor loses digits with length. */
#include "ops/internal.h"
#include "ops/params.h"

#include <string.h>

/* ---- shape --------------------------------------------------------------------------------- */

static cn_shape reduced_shape(const cn_shape *s, unsigned mask, bool keepdim)
{
    cn_shape r = { 0 };
    for (int i = 0; i < s->ndim; i++) {
        if (!(mask & (1u << i))) r.dim[r.ndim++] = s->dim[i];
        else if (keepdim) r.dim[r.ndim++] = 1;
    }
    return r;
}

static bool reduce_infer(const cn_call *c, cn_spec out[])
{
    const cn_reduce_params *p = c->params;
    unsigned mask;
    if (!cn_dims_mask(&p->dim, c->in[0]->v.shape.ndim, c->op->name, &mask)) return false;
    out->shape = reduced_shape(&c->in[0]->v.shape, mask, p->keepdim);
    cn_dtype own = c->in[0]->v.dtype;
    out->dtype = p->dtype != CN_NO_DTYPE  ? (cn_dtype)p->dtype
                 : cn_dtype_is_float(own) ? own
                                          : CN_I64;
    return true;
}

typedef struct {
    int64_t outer, reduced, inner;
    cn_tensor *data; /* contiguous, in that form */
} Blocks;

/* The dimensions in the order kept, reduced, unless the reduced ones are neighbours already. */
static bool arrange(const cn_call *c, unsigned mask, Blocks *b)
{
    cn_tensor *t = c->in[0];
    const cn_shape *s = &t->v.shape;
    int first = mask ? __builtin_ctz(mask) : 0, count = __builtin_popcount(mask);
    bool neighbours = mask == (((1u << count) - 1) << first);
    if (!neighbours || !t->v.contiguous) {
        cn_view v = t->v;
        int n = 0;
        for (int pass = 0; pass < 2; pass++)
            for (int i = 0; i < s->ndim; i++)
                if (((mask >> i) & 1) == (unsigned)pass)
                    v.shape.dim[n] = s->dim[i], v.strides[n++] = t->v.strides[i];
        first = s->ndim - count;
        cn_view_refresh(&v);
        t = cn_rows(cn_tensor_view(t, &v));
        if (!t) return false;
    }
    *b = (Blocks){ 1, 1, 1, t };
    for (int i = 0; i < t->v.shape.ndim; i++)
        *(i < first ? &b->outer : i < first + count ? &b->reduced : &b->inner) *= t->v.shape.dim[i];
    return true;
}

/* ---- sums ---------------------------------------------------------------------------------- */

#define T float
#define NAME(x) x##_f32
#include "ops/reduce/sum.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/reduce/sum.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/reduce/sum.inc"

typedef struct {
    Blocks blocks;
    char *out;
    double scale;
} Job;

static void sum_outer(int64_t first, int64_t last, void *context)
{
    const Job *j = context;
    const Blocks *b = &j->blocks;
    size_t size = cn_dtype_size(b->data->v.dtype);
    for (int64_t o = first; o < last; o++) {
        const char *in = b->data->v.data + (size_t)(o * b->reduced * b->inner) * size;
        char *out = j->out + (size_t)(o * b->inner) * size;
        switch (b->data->v.dtype) {
        case CN_F32:
            sum_block_f32((const void *)in, (void *)out, b->reduced, b->inner, j->scale);
            break;
        case CN_F64:
            sum_block_f64((const void *)in, (void *)out, b->reduced, b->inner, j->scale);
            break;
        default: sum_block_i64((const void *)in, (void *)out, b->reduced, b->inner, j->scale);
        }
    }
}

/* Bools are added as integers: is any of them true? */
static cn_tensor *summands(cn_tensor *x, cn_dtype type)
{
    x = cn_cast_raw(x, type);
    return x && type == CN_BOOL ? cn_cast_raw(x, CN_I64) : x;
}

static bool run_sum(const cn_call *c, bool mean)
{
    const cn_reduce_params *p = c->params;
    size_t mark = cn_mark();
    unsigned mask;
    Job job = { .scale = 1 };
    bool ok = cn_dims_mask(&p->dim, c->in[0]->v.shape.ndim, c->op->name, &mask);
    cn_tensor *out = c->out[0], *total = out; /* fresh, hence contiguous */
    if (out->v.dtype == CN_BOOL) total = cn_tensor_new(&out->v.shape, CN_I64);
    cn_tensor *in = ok ? summands(c->in[0], out->v.dtype) : NULL;
    cn_call straight = *c;
    straight.in = &in;
    ok = in && total && arrange(&straight, mask, &job.blocks);
    if (ok) {
        job.out = total->v.data;
        if (mean) job.scale = 1.0 / (double)job.blocks.reduced;
        cn_parallel(job.blocks.outer, job.blocks.reduced * job.blocks.inner, sum_outer, &job);
        if (total != out) cn_copy_view(&out->v, &total->v);
    }
    cn_release(mark);
    return ok;
}

static bool sum_kernel(const cn_call *c)
{
    return run_sum(c, false);
}

static bool mean_kernel(const cn_call *c)
{
    return run_sum(c, true);
}

/* ---- gradients ----------------------------------------------------------------------------- */

/* What arrived for the result, or a part of it, seen by every element that went into it. */
static cn_tensor *spread(cn_grads *g, cn_tensor *gy)
{
    const cn_reduce_params *p = cn_grad_params(g);
    const cn_shape *full = cn_in_shape(g, 0);
    return cn_expand(cn_restore_dims(gy, full, &p->dim, p->keepdim), *full);
}

static void sum_backward(cn_grads *g)
{
    cn_give(g, 0, spread(g, cn_gout(g, 0)));
}

static void mean_backward(cn_grads *g)
{
    const cn_reduce_params *p = cn_grad_params(g);
    const cn_shape *full = cn_in_shape(g, 0);
    unsigned mask;
    double count = 1;
    if (!cn_dims_mask(&p->dim, full->ndim, "mean", &mask)) return;
    for (int i = 0; i < full->ndim; i++)
        if (mask & (1u << i)) count *= (double)full->dim[i];
    cn_give(g, 0, spread(g, cn_div(cn_gout(g, 0), cn_number(count))));
}

static bool mean_infer(const cn_call *c, cn_spec out[])
{
    if (!reduce_infer(c, out)) return false;
    if (cn_dtype_is_float(out->dtype) &&
        (cn_dtype_is_float(c->in[0]->v.dtype) ||
         ((const cn_reduce_params *)c->params)->dtype != CN_NO_DTYPE))
        return true;
    return cn_fail(CN_EINVALID,
                   "mean: the mean of %s is not defined; pass a float dtype or convert first",
                   cn_dtype_name(c->in[0]->v.dtype));
}

#define REDUCE_SCHEMA                                                                              \
    "(Tensor input, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor"
#define REDUCE_SAMPLES                                                                             \
    "[2,3,4] | [2,3,4] dim=1 | [2,3,4] dim=(0,2) keepdim=True | [] | [2,3] dim=-1 | [3,1,2] dim=(0,1)"

const cn_op cn_op_sum = {
    CN_OP_HEAD(sum, "sum", REDUCE_SCHEMA),
    .doc = "The sum over dim (none: over all); integers give int64, the empty sum is 0.",
    .params_size = sizeof(cn_reduce_params),
    .flags = CN_ANY_LAYOUT,
    .infer = reduce_infer,
    .kernel = sum_kernel,
    .backward = sum_backward,
    .samples =
        REDUCE_SAMPLES " | [0,3] dim=0 | i64<9[4] | i64<3[4,3] 1 dtype=bool | bool[3] dtype=bool",
};

const cn_op cn_op_mean = {
    CN_OP_HEAD(mean, "mean", REDUCE_SCHEMA),
    .doc = "The mean over dim (none: over all).",
    .params_size = sizeof(cn_reduce_params),
    .infer = mean_infer,
    .kernel = mean_kernel,
    .backward = mean_backward,
    .samples = REDUCE_SAMPLES,
};

/* ---- without NaN --------------------------------------------------------------------------- */

/* NULL when the result would not be float although the input is. */
static cn_tensor *nan_to_zero(const cn_call *c)
{
    cn_tensor *x = c->in[0];
    int32_t dtype = ((const cn_reduce_params *)c->params)->dtype;
    if (!cn_dtype_is_float(x->v.dtype)) return x;
    if (dtype == CN_NO_DTYPE || cn_dtype_is_float((cn_dtype)dtype))
        return cn_where(cn_isnan(x), cn_number_i64(0), x);
    cn_fail(CN_EINVALID, "%s: floats do not add up to %s", c->op->name,
            cn_dtype_name((cn_dtype)dtype));
    return NULL;
}

static bool nansum_compose(cn_call *c)
{
    c->out[0] = CN_CALL(sum, c->params, nan_to_zero(c));
    return c->out[0] != NULL;
}

static bool nanmean_compose(cn_call *c)
{
    cn_reduce_params count = *(const cn_reduce_params *)c->params;
    if (!cn_want_float("nanmean", c->in[0])) return false;
    count.dtype = CN_NO_DTYPE;
    cn_tensor *n = CN_CALL(sum, &count, cn_logical_not(cn_isnan(c->in[0])));
    c->out[0] = cn_div(CN_CALL(sum, c->params, nan_to_zero(c)), n);
    return c->out[0] != NULL;
}

const cn_op cn_op_nansum = {
    CN_OP_HEAD(nansum, "nansum", REDUCE_SCHEMA),
    .doc = "The sum over dim (none: over all) of what is not NaN.",
    .params_size = sizeof(cn_reduce_params),
    .compose = nansum_compose,
    .samples = REDUCE_SAMPLES " | [0,3] dim=0 | i64<9[4]",
};

const cn_op cn_op_nanmean = {
    CN_OP_HEAD(nanmean, "nanmean", REDUCE_SCHEMA),
    .doc = "The mean over dim (none: over all) of what is not NaN.",
    .params_size = sizeof(cn_reduce_params),
    .compose = nanmean_compose,
    .samples = REDUCE_SAMPLES,
};

static cn_reduce_params reduce_params(const cn_reduce_args *a)
{
    cn_reduce_params p = { .keepdim = a->keepdim, .dtype = CN_NO_DTYPE };
    p.dim.n = a->dim.ndim ? a->dim.ndim : -1;
    memcpy(p.dim.v, a->dim.dim, sizeof p.dim.v);
    return p;
}

cn_tensor *cn_sum_with(const cn_reduce_args *a)
{
    cn_reduce_params p = reduce_params(a);
    return CN_CALL(sum, &p, a->input);
}

cn_tensor *cn_mean_with(const cn_reduce_args *a)
{
    cn_reduce_params p = reduce_params(a);
    return CN_CALL(mean, &p, a->input);
}
