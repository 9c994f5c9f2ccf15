/* pool.c - averages and maxima over windows of lines, pictures and volumes, and their gradients.
   The windows lie at regular distances, or divide the plane evenly ("adaptive"). D2L 6.5, 8.3.

   All dimensions before the pooled ones count planes, which are independent of each other; lines
   and pictures are volumes with sizes 1 in front. */
#include "ops/layers/spatial.h"
#include "ops/params.h"

#include <string.h>

/* ---- geometry ----------------------------------------------------------------------------- */

/* What one output reaches of one dimension: first .. end, and how much its window would be in the
   padded plane. With dilation it starts at the first tap inside. */
typedef struct {
    int64_t first, end, padded;
} Reach;

typedef struct {
    char *x, *y, *to;
    int64_t *places;
    int dims;                                                           /* that are pooled */
    int64_t planes, in[CN_SPATIAL], out[CN_SPATIAL], in_size, out_size; /* sizes of one plane */
    int64_t kernel[CN_SPATIAL], stride[CN_SPATIAL], padding[CN_SPATIAL], dilation[CN_SPATIAL];
    bool adaptive, include_pad;
    int64_t divisor;          /* 0: the size of the window */
    Reach *reach[CN_SPATIAL]; /* of each place of the output */
} Pool;

/* The part of the plane that one output sees, and what its average divides by. */
typedef struct {
    int64_t first[CN_SPATIAL], end[CN_SPATIAL], count;
} Window;

static Reach regular_reach(const Pool *p, int d, int64_t i)
{
    int64_t start = i * p->stride[d] - p->padding[d], step = p->dilation[d];
    int64_t stop = start + (p->kernel[d] - 1) * step + 1, size = p->in[d];
    int64_t limit = size + p->padding[d];
    return (Reach){ .first = start < 0 ? start + (-start + step - 1) / step * step : start,
                    .end = stop < size ? stop : size,
                    .padded = (stop < limit ? stop : limit) - start };
}

/* Output i of m sees floor(i n / m) .. ceil((i + 1) n / m) of n elements. */
static Reach adaptive_reach(const Pool *p, int d, int64_t i)
{
    int64_t n = p->in[d], m = p->out[d];
    return (Reach){ .first = i * n / m, .end = ((i + 1) * n + m - 1) / m };
}

static Window window(const Pool *p, const int64_t at[CN_SPATIAL])
{
    Window v = { .count = 1 };
    for (int d = 0; d < CN_SPATIAL; d++) {
        const Reach *r = &p->reach[d][at[d]];
        v.first[d] = r->first, v.end[d] = r->end;
        v.count *= p->include_pad ? r->padded : r->end - r->first;
    }
    if (p->divisor) v.count = p->divisor;
    return v;
}

/* To the next output of a plane. */
static void advance(const Pool *p, int64_t at[CN_SPATIAL])
{
    for (int d = CN_WIDTH; d >= CN_DEPTH; d--) {
        if (++at[d] < p->out[d]) return;
        at[d] = 0;
    }
}

/* ---- what the parameters ask for ----------------------------------------------------------- */

/* PyTorch's rule: with ceil_mode a last window that would start in the right margin is left out. */
static int64_t output_size(const Pool *p, int d, bool ceil_mode)
{
    int64_t room = p->in[d] + 2 * p->padding[d] - p->dilation[d] * (p->kernel[d] - 1) - 1 +
                   (ceil_mode ? p->stride[d] - 1 : 0);
    if (room < 0) return 0;
    int64_t out = room / p->stride[d] + 1;
    return ceil_mode && (out - 1) * p->stride[d] >= p->in[d] + p->padding[d] ? out - 1 : out;
}

/* Steps of a dilation longer than the plane can leap over it, from margin to margin. */
static bool a_window_is_empty(const Pool *p, int d)
{
    if (p->dilation[d] <= p->in[d]) return false;
    for (int64_t i = 0; i < p->out[d] && i * p->stride[d] < p->padding[d]; i++)
        if (regular_reach(p, d, i).first >= p->in[d]) return true;
    return false;
}

/* Sets sizes and counts of planes that have n dimensions. */
static bool plan_planes(const cn_shape *s, int64_t n, const char *what, Pool *pool)
{
    char text[128];
    *pool =
        (Pool){ .dims = (int)n, .planes = 1, .in = { 1, 1, 1 }, .out = { 1, 1, 1 }, .in_size = 1 };
    bool fits = n >= 1 && n <= CN_SPATIAL && (s->ndim == n + 1 || s->ndim == n + 2);
    for (int i = 0; fits && i < s->ndim; i++) {
        int d = i - s->ndim + CN_SPATIAL;
        bool inside = i >= s->ndim - n;
        fits = cn_within(s->dim[i], inside ? 1 : 0);
        *(inside ? &pool->in_size : &pool->planes) *= s->dim[i];
        if (inside) pool->in[d] = s->dim[i];
    }
    return fits || cn_fail(CN_EINVALID,
                           "%s: input %s must have %lld dimensions to pool, none of them empty, "
                           "after (N, C) or (C)",
                           what, cn_shape_text(s, text), (long long)n);
}

static bool window_is_sane(const cn_max_pool_params *p, const char *what)
{
    const int64_t *stride = p->stride.n > 0 ? p->stride.v : p->kernel.v;
    if (p->padding.n != p->kernel.n)
        return cn_fail(CN_EINVALID, "%s: padding must be numbers", what);
    for (int i = 0; i < p->kernel.n; i++)
        if (!cn_within(p->kernel.v[i], 1) || !cn_within(stride[i], 1) ||
            !cn_within(p->dilation.v[i], 1) || !cn_within(p->padding.v[i], 0) ||
            2 * p->padding.v[i] > p->kernel.v[i])
            return cn_fail(CN_EINVALID,
                           "%s: kernel_size %lld, stride %lld and dilation %lld must be at least "
                           "1, padding %lld between 0 and half of kernel_size",
                           what, (long long)p->kernel.v[i], (long long)stride[i],
                           (long long)p->dilation.v[i], (long long)p->padding.v[i]);
    return true;
}

static bool plan_regular(const cn_shape *s, const cn_max_pool_params *p, const char *what,
                         Pool *pool)
{
    char text[128];
    const int64_t *stride = p->stride.n > 0 ? p->stride.v : p->kernel.v;
    if (!window_is_sane(p, what) || !plan_planes(s, p->kernel.n, what, pool)) return false;
    if (s->dim[s->ndim - p->kernel.n - 1] == 0)
        return cn_fail(CN_EINVALID, "%s: input %s has no channels", what, cn_shape_text(s, text));
    pool->out_size = 1;
    for (int d = 0; d < CN_SPATIAL; d++) {
        int i = d - CN_SPATIAL + (int)p->kernel.n;
        pool->kernel[d] = i < 0 ? 1 : p->kernel.v[i];
        pool->stride[d] = i < 0 ? 1 : stride[i];
        pool->padding[d] = i < 0 ? 0 : p->padding.v[i];
        pool->dilation[d] = i < 0 ? 1 : p->dilation.v[i];
        pool->out_size *= pool->out[d] = output_size(pool, d, p->ceil_mode);
        if (pool->out[d] == 0 || a_window_is_empty(pool, d))
            return cn_fail(CN_EINVALID, "%s: a window of size %lld does not fit into input %s",
                           what, (long long)pool->kernel[d], cn_shape_text(s, text));
    }
    return true;
}

static bool plan_average(const cn_shape *s, const cn_avg_pool_params *p, const char *what,
                         Pool *pool)
{
    cn_max_pool_params regular = {
        p->kernel, p->stride, p->padding, { 3, { 1, 1, 1 } }, p->ceil_mode
    };
    if (!plan_regular(s, &regular, what, pool)) return false;
    if (p->divisor.given && p->divisor.value == 0)
        return cn_fail(CN_EINVALID, "%s: divisor_override is 0", what);
    for (int i = 0; i < CN_SPATIAL && p->kernel.n == CN_SPATIAL;
         i++) /* PyTorch's rule for volumes */
        if (pool->in[i] < pool->kernel[i])
            return cn_fail(CN_EINVALID, "%s: a window of size %lld is larger than the input", what,
                           (long long)pool->kernel[i]);
    pool->include_pad = p->count_include_pad;
    pool->divisor = p->divisor.given ? p->divisor.value : 0;
    return true;
}

static bool plan_adaptive(const cn_shape *s, const cn_ints *size, const char *what, Pool *pool)
{
    if (!plan_planes(s, size->n, what, pool)) return false;
    pool->adaptive = true;
    pool->out_size = 1;
    for (int d = 0; d < CN_SPATIAL; d++) {
        int i = d - CN_SPATIAL + (int)size->n;
        if (i >= 0 && !cn_within(size->v[i], 0))
            return cn_fail(CN_EINVALID, "%s: output_size %lld is not possible", what,
                           (long long)size->v[i]);
        pool->dilation[d] = 1;
        pool->out_size *= pool->out[d] = i < 0 ? 1 : size->v[i];
    }
    return true;
}

typedef struct {
    cn_ints input_size, output_size;
} AdaptiveBackward;

/* The pooling that a call stands for, of an input of shape s. */
static bool plan(const cn_call *c, const cn_shape *s, Pool *pool)
{
    const char *what = c->op->name;
    switch (c->op->id) {
    case CN_OP_ID_avg_pool2d:
    case CN_OP_ID_avg_pool3d: return plan_average(s, c->params, what, pool);
    case CN_OP_ID_avg_pool2d_backward:
    case CN_OP_ID_avg_pool3d_backward:
        return plan_average(s, &((const cn_avg_pool_backward_params *)c->params)->pool, what, pool);
    case CN_OP_ID_adaptive_avg_pool:
    case CN_OP_ID_adaptive_max_pool:
    case CN_OP_ID_adaptive_max_pool_backward: return plan_adaptive(s, c->params, what, pool);
    case CN_OP_ID_adaptive_avg_pool_backward:
        return plan_adaptive(s, &((const AdaptiveBackward *)c->params)->output_size, what, pool);
    default: return plan_regular(s, c->params, what, pool);
    }
}

/* ---- kernels ------------------------------------------------------------------------------ */

typedef void Job(int64_t first, int64_t last, void *context);

#define T float
#define NAME(x) x##_f32
#include "ops/layers/pool.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/layers/pool.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/layers/pool.inc"

typedef enum { AVERAGE, AVERAGE_BACKWARD, LARGEST, LARGEST_BACKWARD } Kind;

static bool run_pool(Pool *p, Kind kind, cn_dtype dtype)
{
    Job *const *jobs = dtype == CN_F32 ? jobs_f32 : dtype == CN_F64 ? jobs_f64 : jobs_i64;
    int64_t reach = 1; /* of a window, about */
    if (p->planes * p->out_size == 0 && p->planes * p->in_size == 0) return true;
    Reach *table = cn_alloc((size_t)(p->out[0] + p->out[1] + p->out[2] + 1) * sizeof *table);
    if (!table) return false;
    p->reach[0] = table, p->reach[1] = table + p->out[0], p->reach[2] = p->reach[1] + p->out[1];
    for (int d = 0; d < CN_SPATIAL; d++) {
        for (int64_t i = 0; i < p->out[d]; i++)
            p->reach[d][i] = p->adaptive ? adaptive_reach(p, d, i) : regular_reach(p, d, i);
        reach *= p->adaptive ? p->in[d] / (p->out[d] + 1) + 1 : p->kernel[d];
    }
    cn_parallel(p->planes, p->out_size * reach + p->in_size, jobs[kind], p);
    cn_free(table);
    return true;
}

/* ---- rules for all of them ------------------------------------------------------------------ */

static cn_shape pooled_shape(const cn_shape *s, const Pool *pool)
{
    cn_shape r = *s;
    for (int i = 1; i <= pool->dims; i++) r.dim[r.ndim - i] = pool->out[CN_SPATIAL - i];
    return r;
}

static bool dtype_fits(const cn_call *c)
{
    cn_dtype d = c->in[0]->v.dtype;
    bool mean = c->op->id == CN_OP_ID_adaptive_avg_pool;
    return (mean ? cn_dtype_is_float(d) : d != CN_BOOL) ||
           cn_fail(CN_EINVALID, "%s: not defined for %s; convert the input", c->op->name,
                   cn_dtype_name(d));
}

static bool forward_infer(const cn_call *c, cn_spec out[])
{
    Pool pool;
    const cn_view *x = cn_in(c, 0);
    if (!dtype_fits(c) || !plan(c, &x->shape, &pool)) return false;
    out[0] = (cn_spec){ x->dtype, pooled_shape(&x->shape, &pool) };
    out[1] = (cn_spec){ CN_I64, out[0].shape }; /* of maxima; nobody asks an average for it */
    return true;
}

/* The gradient has the shape of what the forward pass gives for an input of this shape. */
static bool backward_infer(const cn_call *c, const cn_shape *input, cn_spec out[])
{
    Pool pool;
    char given[128], wanted[128];
    if (!dtype_fits(c) || !plan(c, input, &pool)) return false;
    cn_shape s = pooled_shape(input, &pool);
    *out = (cn_spec){ c->in[0]->v.dtype, *input };
    if (cn_shape_equal(&s, &c->in[0]->v.shape)) return true;
    return cn_fail(CN_EINVALID, "%s: grad_output is %s, but the pooling gives %s", c->op->name,
                   cn_shape_text(&c->in[0]->v.shape, given), cn_shape_text(&s, wanted));
}

/* ---- averages ----------------------------------------------------------------------------- */

static bool average_kernel(const cn_call *c)
{
    Pool pool;
    if (!plan(c, &cn_in(c, 0)->shape, &pool)) return false;
    pool.x = cn_in(c, 0)->data, pool.y = cn_out(c, 0)->data;
    return run_pool(&pool, AVERAGE, cn_in(c, 0)->dtype);
}

/* The parameters of both gradients begin with the size of the input. */
static bool average_backward_infer(const cn_call *c, cn_spec out[])
{
    const cn_ints *size = c->params;
    cn_shape input = cn_shape_from((int)size->n, size->v);
    return backward_infer(c, &input, out);
}

static bool average_backward_kernel(const cn_call *c)
{
    Pool pool;
    if (!plan(c, &cn_out(c, 0)->shape, &pool)) return false;
    pool.x = cn_out(c, 0)->data, pool.y = cn_in(c, 0)->data;
    return run_pool(&pool, AVERAGE_BACKWARD, cn_in(c, 0)->dtype);
}

static void avg_pool_backward(cn_grads *g)
{
    const cn_avg_pool_params *pool = cn_grad_params(g);
    cn_avg_pool_backward_params p = { cn_ints_of(cn_in_shape(g, 0)), *pool };
    cn_tensor *gy = cn_gout(g, 0);
    cn_give(g, 0,
            pool->kernel.n == CN_SPATIAL ? CN_CALL(avg_pool3d_backward, &p, gy)
                                         : CN_CALL(avg_pool2d_backward, &p, gy));
}

static void avg_pool_backward_backward(cn_grads *g)
{
    const cn_avg_pool_backward_params *p = cn_grad_params(g);
    cn_tensor *gx = cn_gout(g, 0);
    cn_give(g, 0,
            p->pool.kernel.n == CN_SPATIAL ? CN_CALL(avg_pool3d, &p->pool, gx)
                                           : CN_CALL(avg_pool2d, &p->pool, gx));
}

static void adaptive_avg_backward(cn_grads *g)
{
    const cn_ints *size = cn_grad_params(g);
    AdaptiveBackward p = { cn_ints_of(cn_in_shape(g, 0)), *size };
    cn_give(g, 0, CN_CALL(adaptive_avg_pool_backward, &p, cn_gout(g, 0)));
}

static void adaptive_avg_backward_backward(cn_grads *g)
{
    const AdaptiveBackward *p = cn_grad_params(g);
    cn_give(g, 0, CN_CALL(adaptive_avg_pool, &p->output_size, cn_gout(g, 0)));
}

#define AVERAGE_PARAMS(n)                                                                          \
    "int[" n "] kernel_size, int[" n "]? stride=None, int[" n                                      \
    "] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) " \
    "-> Tensor"

#define AVERAGE(backward_rule)                                                                     \
    .flags = CN_ROWS | CN_ANY_LAYOUT, .infer = forward_infer, .kernel = average_kernel,            \
    .backward = backward_rule

#define AVERAGE_GRADIENT(backward_rule)                                                            \
    .flags = CN_ROWS | CN_ANY_LAYOUT, .infer = average_backward_infer,                             \
    .kernel = average_backward_kernel, .backward = backward_rule

const cn_op cn_op_avg_pool2d = {
    CN_OP_HEAD(avg_pool2d, "nn.functional.avg_pool2d", "(Tensor input, " AVERAGE_PARAMS("2")),
    .aliases = "avg_pool2d",
    .doc = "The mean of each window (D2L 6.5).",
    .params_size = sizeof(cn_avg_pool_params),
    AVERAGE(avg_pool_backward),
    .samples =
        "[2,3,4,4] 2 | [2,5,5] (3,2) (2,1) 1 | [1,2,5,4] 2 ceil_mode=True | "
        "[1,1,5,5] 3 2 1 True count_include_pad=False | [1,1,4,4] 2 divisor_override=3 | [0,1,4,4] 2",
};

const cn_op cn_op_avg_pool3d = {
    CN_OP_HEAD(avg_pool3d, "nn.functional.avg_pool3d", "(Tensor input, " AVERAGE_PARAMS("3")),
    .aliases = "avg_pool3d",
    .doc = "The mean of each window of a volume.",
    .params_size = sizeof(cn_avg_pool_params),
    AVERAGE(avg_pool_backward),
    .samples = "[1,2,2,4,4] 2 | [2,4,3,5] (2,1,3) (1,2,2) (1,0,1) | "
               "[1,1,3,5,4] 3 2 1 True count_include_pad=False",
};

const cn_op cn_op_avg_pool2d_backward = {
    CN_OP_HEAD(avg_pool2d_backward, "avg_pool2d_backward",
               "(Tensor grad_output, int[] input_size, " AVERAGE_PARAMS("2")),
    .doc = "The gradient of avg_pool2d: each output's share for every element of its window.",
    .params_size = sizeof(cn_avg_pool_backward_params),
    AVERAGE_GRADIENT(avg_pool_backward_backward),
    .samples = "[2,3,2,2] (2,3,4,5) 2 | [1,3,3] (1,5,5) 3 2 1 True count_include_pad=False",
};

const cn_op cn_op_avg_pool3d_backward = {
    CN_OP_HEAD(avg_pool3d_backward, "avg_pool3d_backward",
               "(Tensor grad_output, int[] input_size, " AVERAGE_PARAMS("3")),
    .doc = "The gradient of avg_pool3d.",
    .params_size = sizeof(cn_avg_pool_backward_params),
    AVERAGE_GRADIENT(avg_pool_backward_backward),
    .samples = "[1,2,1,2,2] (1,2,2,4,5) 2",
};

const cn_op cn_op_adaptive_avg_pool = {
    CN_OP_HEAD(adaptive_avg_pool, "adaptive_avg_pool",
               "(Tensor input, int[] output_size) -> Tensor"),
    .doc = "Averages over windows that divide the last dimensions into output_size.",
    .params_size = sizeof(cn_ints),
    AVERAGE(adaptive_avg_backward),
    .samples = "[2,5] (3) | [2,2,3,4] (2,3) | [1,2,3,2,3] (2,2,4) | [2,3,4] (0) | [0,2,3] (2)",
};

const cn_op cn_op_adaptive_avg_pool_backward = {
    CN_OP_HEAD(adaptive_avg_pool_backward, "adaptive_avg_pool_backward",
               "(Tensor grad_output, int[] input_size, int[] output_size) -> Tensor"),
    .doc = "The gradient of adaptive_avg_pool.",
    .params_size = sizeof(AdaptiveBackward),
    AVERAGE_GRADIENT(adaptive_avg_backward_backward),
    .samples = "[2,3] (2,5) (3) | [1,2,2,2] (1,2,3,5) (2,2)",
};

/* ---- maxima ------------------------------------------------------------------------------- */

/* The indices are made for callers with room for them. */
static bool max_kernel(const cn_call *c)
{
    Pool pool;
    if (!plan(c, &cn_in(c, 0)->shape, &pool)) return false;
    pool.x = cn_in(c, 0)->data, pool.y = cn_out(c, 0)->data;
    if (c->n_out > 1) pool.places = (int64_t *)(void *)cn_out(c, 1)->data;
    return run_pool(&pool, LARGEST, cn_in(c, 0)->dtype);
}

static bool max_backward_infer(const cn_call *c, cn_spec out[])
{
    if (c->in[0]->v.dtype != c->in[1]->v.dtype)
        return cn_fail(CN_EINVALID, "%s: grad_output and input must have the same dtype",
                       c->op->name);
    return backward_infer(c, &c->in[1]->v.shape, out);
}

static bool max_backward_kernel(const cn_call *c)
{
    Pool pool;
    if (!plan(c, &cn_out(c, 0)->shape, &pool)) return false;
    pool.to = cn_out(c, 0)->data, pool.y = cn_in(c, 0)->data, pool.x = cn_in(c, 1)->data;
    return run_pool(&pool, LARGEST_BACKWARD, cn_in(c, 0)->dtype);
}

/* All dimensions that are pooled as one, so that places in a plane are indices along the last. */
static cn_tensor *flat_planes(cn_tensor *t, int64_t dims)
{
    return t ? cn_flatten(t, t->v.shape.ndim - (int)dims) : NULL;
}

/* The gradient is linear in grad_output: its own is read where the maxima are. Where they are does
   not change with the input, almost everywhere. */
static void give_at_maxima(cn_grads *g, const cn_op *pooling, int64_t dims)
{
    cn_tensor *x = cn_saved_in(g, 1), *out[2];
    if (!cn_wants(g, 0) || !x) return;
    if (!cn_apply(pooling, &x, 1, cn_grad_params(g), out, 2)) return;
    cn_tensor *picked = cn_gather(flat_planes(cn_gout(g, 0), dims), -1, flat_planes(out[1], dims));
    cn_give(g, 0, cn_reshape(picked, *cn_in_shape(g, 0)));
}

static void max_pool_backward(cn_grads *g)
{
    const cn_max_pool_params *p = cn_grad_params(g);
    cn_tensor *gy = cn_gout(g, 0), *x = cn_saved_in(g, 0);
    cn_give(g, 0,
            p->kernel.n == CN_SPATIAL ? CN_CALL(max_pool3d_backward, p, gy, x)
                                      : CN_CALL(max_pool2d_backward, p, gy, x));
}

static void max_pool_backward_backward(cn_grads *g)
{
    const cn_max_pool_params *p = cn_grad_params(g);
    give_at_maxima(g,
                   p->kernel.n == CN_SPATIAL ? &cn_op_max_pool3d_with_indices
                                             : &cn_op_max_pool2d_with_indices,
                   p->kernel.n);
}

static void adaptive_max_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0), *x = cn_saved_in(g, 0);
    cn_give(g, 0, CN_CALL(adaptive_max_pool_backward, cn_grad_params(g), gy, x));
}

static void adaptive_max_backward_backward(cn_grads *g)
{
    give_at_maxima(g, &cn_op_adaptive_max_pool, ((const cn_ints *)cn_grad_params(g))->n);
}

#define MAX_PARAMS(n)                                                                              \
    "int[" n "] kernel_size, int[" n "]? stride=None, int[" n "] padding=0, int[" n                \
    "] dilation=1, bool ceil_mode=False"

#define LARGEST(backward_rule)                                                                     \
    .flags = CN_ROWS | CN_ANY_LAYOUT, .infer = forward_infer, .kernel = max_kernel,                \
    .saves = CN_SAVE_IN(0), .backward = backward_rule

#define LARGEST_GRADIENT(backward_rule)                                                            \
    .flags = CN_ROWS | CN_ANY_LAYOUT, .infer = max_backward_infer, .kernel = max_backward_kernel,  \
    .saves = CN_SAVE_IN(1), .backward = backward_rule

const cn_op cn_op_max_pool2d_with_indices = {
    CN_OP_HEAD(max_pool2d_with_indices, "nn.functional.max_pool2d_with_indices",
               "(Tensor input, " MAX_PARAMS("2") ") -> (Tensor, Tensor)"),
    .doc =
        "The maximum of each window and its place in the flat plane; NaN is larger than everything.",
    .params_size = sizeof(cn_max_pool_params),
    LARGEST(max_pool_backward),
    .samples =
        "[2,3,4,4] 2 | [2,5,5] (3,2) (2,1) 1 | [1,2,5,4] 2 ceil_mode=True | [1,1,6,6] 2 1 1 2 | [0,1,4,4] 2",
};

const cn_op cn_op_max_pool3d_with_indices = {
    CN_OP_HEAD(max_pool3d_with_indices, "nn.functional.max_pool3d_with_indices",
               "(Tensor input, " MAX_PARAMS("3") ") -> (Tensor, Tensor)"),
    .doc = "The maximum of each window of a volume and its place in the flat volume.",
    .params_size = sizeof(cn_max_pool_params),
    LARGEST(max_pool_backward),
    .samples = "[1,2,2,4,4] 2 | [1,3,4,5] (2,1,3) (1,2,2) (1,0,1) (2,1,1)",
};

const cn_op cn_op_max_pool2d_backward = {
    CN_OP_HEAD(max_pool2d_backward, "max_pool2d_backward",
               "(Tensor grad_output, Tensor input, " MAX_PARAMS("2") ") -> Tensor"),
    .doc =
        "The gradient of max_pool2d: what each output got, for the first largest element of its window.",
    .params_size = sizeof(cn_max_pool_params),
    LARGEST_GRADIENT(max_pool_backward_backward),
    .samples =
        "[2,3,2,2] [2,3,4,5] 2 | [1,2,5] [1,5,5] (3,2) (2,1) 1 dilation=(2,2) ceil_mode=True",
};

const cn_op cn_op_max_pool3d_backward = {
    CN_OP_HEAD(max_pool3d_backward, "max_pool3d_backward",
               "(Tensor grad_output, Tensor input, " MAX_PARAMS("3") ") -> Tensor"),
    .doc = "The gradient of max_pool3d: each output's goes to the place of its maximum.",
    .params_size = sizeof(cn_max_pool_params),
    LARGEST_GRADIENT(max_pool_backward_backward),
    .samples = "[1,2,1,2,2] [1,2,2,4,4] 2",
};

const cn_op cn_op_adaptive_max_pool = {
    CN_OP_HEAD(adaptive_max_pool, "adaptive_max_pool",
               "(Tensor input, int[] output_size) -> (Tensor, Tensor)"),
    .doc = "Maxima over windows that divide the last dimensions into output_size; their places.",
    .params_size = sizeof(cn_ints),
    LARGEST(adaptive_max_backward),
    .samples = "[2,5] (3) | [2,2,3,4] (2,3) | [1,2,3,2,3] (2,2,4) | [2,3,4] (0) | [0,2,3] (2)",
};

const cn_op cn_op_adaptive_max_pool_backward = {
    CN_OP_HEAD(adaptive_max_pool_backward, "adaptive_max_pool_backward",
               "(Tensor grad_output, Tensor input, int[] output_size) -> Tensor"),
    .doc = "The gradient of adaptive_max_pool.",
    .params_size = sizeof(cn_ints),
    LARGEST_GRADIENT(adaptive_max_backward_backward),
    .samples = "[2,3] [2,5] (3) | [1,2,2,2] [1,2,3,5] (2,2)",
};
