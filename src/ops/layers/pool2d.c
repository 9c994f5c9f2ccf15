/* pool2d.c - averages and maxima over windows of a picture, and their gradients. D2L 6.5.

   All dimensions before the last two count planes, which are independent of each other. */
#include "ops/compose.h"
#include "ops/params.h"

/* ---- geometry ----------------------------------------------------------------------------- */

typedef struct {
    char *x, *y, *to;
    int64_t *places;
    int64_t planes, h, w, out_h, out_w;
    int64_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
    bool include_pad;
    int64_t divisor; /* 0: the size of the window */
} Pool;

/* The part of the picture that output i sees, and what an average divides by. With dilation it
   starts
   at the first tap inside. */
typedef struct {
    int64_t row, row_end, col, col_end, count;
} Span;

/* Returns the size of the window clipped to the padded picture. */
static int64_t span_1d(int64_t at, int64_t size, int64_t pad, int64_t kernel, int64_t dilation,
                       int64_t *first, int64_t *end)
{
    int64_t start = at - pad, stop = start + (kernel - 1) * dilation + 1;
    int64_t padded = stop < size + pad ? stop : size + pad;
    *first = start < 0 ? start + (-start + dilation - 1) / dilation * dilation : start;
    *end = stop < size ? stop : size;
    return padded - start;
}

static Span span(const Pool *p, int64_t i)
{
    Span s;
    int64_t high = span_1d(i / p->out_w * p->stride_h, p->h, p->pad_h, p->kernel_h, p->dilation_h,
                           &s.row, &s.row_end);
    int64_t wide = span_1d(i % p->out_w * p->stride_w, p->w, p->pad_w, p->kernel_w, p->dilation_w,
                           &s.col, &s.col_end);
    s.count = p->divisor       ? p->divisor
              : p->include_pad ? high * wide
                               : (s.row_end - s.row) * (s.col_end - s.col);
    return s;
}

/* PyTorch's rule: with ceil_mode a last window that would start in the right margin is left out. */
static int64_t output_size(int64_t size, int64_t kernel, int64_t stride, int64_t pad,
                           int64_t dilation, bool ceil_mode)
{
    int64_t room = size + 2 * pad - dilation * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
    if (room < 0) return 0;
    int64_t out = room / stride + 1;
    return ceil_mode && (out - 1) * stride >= size + pad ? out - 1 : out;
}

/* Bounds that keep all products of sizes far from overflow. */
static bool within(int64_t x, int64_t least)
{
    return x >= least && x <= INT32_MAX;
}

static bool window_is_sane(const cn_max_pool_params *p, const char *what)
{
    const int64_t *stride = p->stride.n > 0 ? p->stride.v : p->kernel.v;
    for (int i = 0; i < 2; i++)
        if (!within(p->kernel.v[i], 1) || !within(stride[i], 1) || !within(p->dilation.v[i], 1) ||
            !within(p->padding.v[i], 0) || 2 * p->padding.v[i] > p->kernel.v[i])
            return cn_fail(CN_EINVALID,
                           "%s: kernel_size %lld, stride %lld and dilation %lld must be at least "
                           "1, padding %lld between 0 and half of kernel_size",
                           what, (long long)p->kernel.v[i], (long long)stride[i],
                           (long long)p->dilation.v[i], (long long)p->padding.v[i]);
    return true;
}

static bool plan(const cn_shape *s, const cn_max_pool_params *p, const char *what, Pool *pool)
{
    char text[128];
    const int64_t *stride = p->stride.n > 0 ? p->stride.v : p->kernel.v;
    if (s->ndim < 3 || s->ndim > 4)
        return cn_fail(CN_EINVALID,
                       "%s: the input has shape %s, but (N, C, H, W) or (C, H, W) is wanted", what,
                       cn_shape_text(s, text));
    if (s->dim[s->ndim - 2] == 0 || s->dim[s->ndim - 1] == 0)
        return cn_fail(CN_EINVALID, "%s: the pictures of input %s are empty", what,
                       cn_shape_text(s, text));
    if (!window_is_sane(p, what)) return false;
    *pool = (Pool){
        .planes = s->ndim == 4 ? s->dim[0] * s->dim[1] : s->dim[0],
        .h = s->dim[s->ndim - 2],
        .w = s->dim[s->ndim - 1],
        .kernel_h = p->kernel.v[0],
        .kernel_w = p->kernel.v[1],
        .stride_h = stride[0],
        .stride_w = stride[1],
        .pad_h = p->padding.v[0],
        .pad_w = p->padding.v[1],
        .dilation_h = p->dilation.v[0],
        .dilation_w = p->dilation.v[1],
    };
    pool->out_h = output_size(pool->h, pool->kernel_h, stride[0], pool->pad_h, pool->dilation_h,
                              p->ceil_mode);
    pool->out_w = output_size(pool->w, pool->kernel_w, stride[1], pool->pad_w, pool->dilation_w,
                              p->ceil_mode);
    if (pool->out_h > 0 && pool->out_w > 0) return true;
    return cn_fail(CN_EINVALID, "%s: a window of %lld x %lld does not fit into input %s", what,
                   (long long)pool->kernel_h, (long long)pool->kernel_w, cn_shape_text(s, text));
}

static bool plan_average(const cn_shape *s, const cn_avg_pool_params *p, const char *what,
                         Pool *pool)
{
    cn_max_pool_params window = { p->kernel, p->stride, p->padding, { 2, { 1, 1 } }, p->ceil_mode };
    if (!plan(s, &window, what, pool)) return false;
    if (p->divisor.given && p->divisor.value == 0)
        return cn_fail(CN_EINVALID, "%s: divisor_override is 0", what);
    pool->include_pad = p->count_include_pad;
    pool->divisor = p->divisor.given ? p->divisor.value : 0;
    return true;
}

static cn_shape pooled_shape(const cn_shape *s, const Pool *pool)
{
    cn_shape r = *s;
    r.dim[r.ndim - 2] = pool->out_h;
    r.dim[r.ndim - 1] = pool->out_w;
    return r;
}

/* ---- kernels ------------------------------------------------------------------------------ */

#define T float
#define NAME(x) x##_f32
#include "ops/layers/pool2d.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/layers/pool2d.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/layers/pool2d.inc"

typedef void Job(int64_t first, int64_t last, void *context);

static bool run_pool(Pool *p, cn_dtype dtype, Job *f32, Job *f64, Job *i64)
{
    int64_t cost = p->out_h * p->out_w * p->kernel_h * p->kernel_w + p->h * p->w;
    cn_parallel(p->planes, cost, dtype == CN_F32 ? f32 : dtype == CN_F64 ? f64 : i64, p);
    return true;
}

/* The gradient has the shape of what the forward pass gave for an input of this shape. */
static bool gradient_fits(const cn_call *c, const cn_shape *input, const Pool *pool)
{
    char given[128], wanted[128];
    cn_shape s = pooled_shape(input, pool);
    if (cn_shape_equal(&s, &c->in[0]->v.shape)) return true;
    return cn_fail(CN_EINVALID, "%s: grad_output is %s, but the pooling gives %s", c->op->name,
                   cn_shape_text(&c->in[0]->v.shape, given), cn_shape_text(&s, wanted));
}

/* ---- averages ----------------------------------------------------------------------------- */

static bool avg_pool2d_infer(const cn_call *c, cn_spec out[])
{
    Pool pool;
    const cn_view *x = cn_in(c, 0);
    if (!plan_average(&x->shape, c->params, "avg_pool2d", &pool)) return false;
    *out = (cn_spec){ x->dtype, pooled_shape(&x->shape, &pool) };
    return true;
}

static bool avg_pool2d_kernel(const cn_call *c)
{
    Pool pool;
    if (!plan_average(&cn_in(c, 0)->shape, c->params, "avg_pool2d", &pool)) return false;
    pool.x = cn_in(c, 0)->data, pool.y = cn_out(c, 0)->data;
    return run_pool(&pool, cn_in(c, 0)->dtype, average_f32, average_f64, average_i64);
}

static void avg_pool2d_backward(cn_grads *g)
{
    cn_avg_pool_backward_params p = { cn_ints_of(cn_in_shape(g, 0)), { .ceil_mode = false } };
    p.pool = *(const cn_avg_pool_params *)cn_grad_params(g);
    cn_give(g, 0, CN_CALL(avg_pool2d_backward, &p, cn_gout(g, 0)));
}

static bool avg_backward_infer(const cn_call *c, cn_spec out[])
{
    const cn_avg_pool_backward_params *p = c->params;
    Pool pool;
    *out = (cn_spec){ c->in[0]->v.dtype, cn_shape_from((int)p->size.n, p->size.v) };
    return plan_average(&out->shape, &p->pool, c->op->name, &pool) &&
           gradient_fits(c, &out->shape, &pool);
}

static bool avg_backward_kernel(const cn_call *c)
{
    const cn_avg_pool_backward_params *p = c->params;
    Pool pool;
    if (!plan_average(&cn_out(c, 0)->shape, &p->pool, c->op->name, &pool)) return false;
    pool.x = cn_out(c, 0)->data, pool.y = cn_in(c, 0)->data;
    return run_pool(&pool, cn_in(c, 0)->dtype, average_backward_f32, average_backward_f64,
                    average_backward_i64);
}

static void avg_backward_backward(cn_grads *g)
{
    const cn_avg_pool_backward_params *p = cn_grad_params(g);
    cn_give(g, 0, CN_CALL(avg_pool2d, &p->pool, cn_gout(g, 0)));
}

#define AVG_PARAMS                                                                                 \
    "int[2] kernel_size, int[2]? stride=None, int[2] padding=0, bool ceil_mode=False, "            \
    "bool count_include_pad=True, int? divisor_override=None) -> Tensor"

const cn_op cn_op_avg_pool2d = {
    CN_OP_HEAD(avg_pool2d, "nn.functional.avg_pool2d", "(Tensor input, " AVG_PARAMS),
    .aliases = "avg_pool2d",
    .doc = "The mean of each window (D2L 6.5).",
    .flags = CN_ROWS,
    .params_size = sizeof(cn_avg_pool_params),
    .infer = avg_pool2d_infer,
    .kernel = avg_pool2d_kernel,
    .backward = avg_pool2d_backward,
    .samples =
        "[2,3,4,4] 2 | [2,5,5] (3,2) (2,1) 1 | [1,2,5,4] 2 ceil_mode=True | "
        "[1,1,5,5] 3 2 1 True count_include_pad=False | [1,1,4,4] 2 divisor_override=3 | [0,1,4,4] 2",
};

const cn_op cn_op_avg_pool2d_backward = {
    CN_OP_HEAD(avg_pool2d_backward, "avg_pool2d_backward",
               "(Tensor grad_output, int[] input_size, " AVG_PARAMS),
    .doc = "The gradient of avg_pool2d: each output's share for every element of its window.",
    .flags = CN_ROWS,
    .params_size = sizeof(cn_avg_pool_backward_params),
    .infer = avg_backward_infer,
    .kernel = avg_backward_kernel,
    .backward = avg_backward_backward,
    .samples = "[2,3,2,2] (2,3,4,5) 2 | [1,3,3] (1,5,5) 3 2 1 True count_include_pad=False",
};

/* ---- maxima ------------------------------------------------------------------------------- */

static bool max_pool2d_infer(const cn_call *c, cn_spec out[])
{
    Pool pool;
    const cn_view *x = cn_in(c, 0);
    if (!plan(&x->shape, c->params, "max_pool2d", &pool)) return false;
    out[0] = (cn_spec){ x->dtype, pooled_shape(&x->shape, &pool) };
    out[1] = (cn_spec){ CN_I64, out[0].shape };
    return true;
}

/* The indices are made for callers with room for them. */
static bool max_pool2d_kernel(const cn_call *c)
{
    Pool pool;
    if (!plan(&cn_in(c, 0)->shape, c->params, "max_pool2d", &pool)) return false;
    pool.x = cn_in(c, 0)->data, pool.y = cn_out(c, 0)->data;
    if (c->n_out > 1) pool.places = (int64_t *)(void *)cn_out(c, 1)->data;
    return run_pool(&pool, cn_in(c, 0)->dtype, largest_f32, largest_f64, largest_i64);
}

static void max_pool2d_backward(cn_grads *g)
{
    cn_give(g, 0,
            CN_CALL(max_pool2d_backward, cn_grad_params(g), cn_gout(g, 0), cn_saved_in(g, 0)));
}

static bool max_backward_infer(const cn_call *c, cn_spec out[])
{
    Pool pool;
    *out = (cn_spec){ c->in[0]->v.dtype, c->in[1]->v.shape };
    if (c->in[0]->v.dtype != c->in[1]->v.dtype)
        return cn_fail(CN_EINVALID,
                       "max_pool2d_backward: grad_output and input must have the same dtype");
    return plan(&out->shape, c->params, c->op->name, &pool) && gradient_fits(c, &out->shape, &pool);
}

static bool max_backward_kernel(const cn_call *c)
{
    Pool pool;
    if (!plan(&cn_out(c, 0)->shape, c->params, c->op->name, &pool)) return false;
    pool.to = cn_out(c, 0)->data, pool.y = cn_in(c, 0)->data, pool.x = cn_in(c, 1)->data;
    return run_pool(&pool, cn_in(c, 0)->dtype, largest_backward_f32, largest_backward_f64,
                    largest_backward_i64);
}

/* All dimensions after the planes as one, so that places in a plane are indices along the last. */
static cn_tensor *flat_planes(cn_tensor *t)
{
    return t ? cn_flatten(t, t->v.shape.ndim - 2) : NULL;
}

/* It is linear in grad_output: the gradient is read where the maxima are. Where they are does not
   change
   with the input, almost everywhere. */
static void max_backward_backward(cn_grads *g)
{
    cn_tensor *x = cn_saved_in(g, 1), *out[2];
    if (!cn_wants(g, 0) || !x) return;
    if (!cn_apply(&cn_op_max_pool2d_with_indices, &x, 1, cn_grad_params(g), out, 2)) return;
    cn_tensor *picked = cn_gather(flat_planes(cn_gout(g, 0)), -1, flat_planes(out[1]));
    cn_give(g, 0, cn_reshape(picked, *cn_in_shape(g, 0)));
}

#define MAX_PARAMS                                                                                 \
    "int[2] kernel_size, int[2]? stride=None, int[2] padding=0, int[2] dilation=1, bool ceil_mode=False"

const cn_op cn_op_max_pool2d_with_indices = {
    CN_OP_HEAD(max_pool2d_with_indices, "nn.functional.max_pool2d_with_indices",
               "(Tensor input, " MAX_PARAMS ") -> (Tensor, Tensor)"),
    .doc =
        "The maximum of each window and its place in the flat plane; NaN is larger than everything.",
    .flags = CN_ROWS,
    .params_size = sizeof(cn_max_pool_params),
    .infer = max_pool2d_infer,
    .kernel = max_pool2d_kernel,
    .saves = CN_SAVE_IN(0),
    .backward = max_pool2d_backward,
    .samples =
        "[2,3,4,4] 2 | [2,5,5] (3,2) (2,1) 1 | [1,2,5,4] 2 ceil_mode=True | [1,1,6,6] 2 1 1 2 | [0,1,4,4] 2",
};

const cn_op cn_op_max_pool2d_backward = {
    CN_OP_HEAD(max_pool2d_backward, "max_pool2d_backward",
               "(Tensor grad_output, Tensor input, " MAX_PARAMS ") -> Tensor"),
    .doc =
        "The gradient of max_pool2d: what each output got, for the first largest element of its window.",
    .flags = CN_ROWS,
    .params_size = sizeof(cn_max_pool_params),
    .infer = max_backward_infer,
    .kernel = max_backward_kernel,
    .saves = CN_SAVE_IN(1),
    .backward = max_backward_backward,
    .samples =
        "[2,3,2,2] [2,3,4,5] 2 | [1,2,5] [1,5,5] (3,2) (2,1) 1 dilation=(2,2) ceil_mode=True",
};

typedef struct {
    cn_ints kernel, stride, padding, dilation;
    bool ceil_mode, return_indices;
} MaxPool;

static bool max_pool2d_compose(cn_call *c)
{
    const MaxPool *p = c->params;
    cn_max_pool_params pool = { p->kernel, p->stride, p->padding, p->dilation, p->ceil_mode };
    int wanted = p->return_indices && c->n_out > 1 ? 2 : 1;
    return cn_apply(&cn_op_max_pool2d_with_indices, c->in, 1, &pool, c->out, wanted);
}

const cn_op cn_op_max_pool2d = {
    CN_OP_HEAD(max_pool2d, "nn.functional.max_pool2d",
               "(Tensor input, " MAX_PARAMS ", bool return_indices=False) -> (Tensor, Tensor)"),
    .aliases = "max_pool2d",
    .doc =
        "The maximum of each window; with return_indices also its place in the flat plane (D2L 6.5).",
    .params_size = sizeof(MaxPool),
    .compose = max_pool2d_compose,
    .samples = "[2,3,4,4] 2 | [2,5,5] 3 2 1 return_indices=True",
};

/* ---- typed -------------------------------------------------------------------------------- */

/* A pair whose second number may be left out; both left out: `none`. */
static cn_ints pair(const int64_t v[2], cn_ints none)
{
    return v[0] ? (cn_ints){ .n = 2, .v = { v[0], v[1] ? v[1] : v[0] } } : none;
}

static const cn_ints not_given = { .n = -1 }, ones = { .n = 2, .v = { 1, 1 } };

cn_tensor *cn_avg_pool2d_with(const cn_pool2d_args *a)
{
    cn_avg_pool_params p = { pair(a->kernel, not_given),
                             pair(a->stride, not_given),
                             { 2, { a->padding[0], a->padding[1] } },
                             a->ceil_mode,
                             !a->exclude_pad,
                             { a->divisor_override != 0, a->divisor_override } };
    return CN_CALL(avg_pool2d, &p, a->input);
}

cn_tensor *cn_max_pool2d_with(const cn_pool2d_args *a)
{
    cn_max_pool_params p = { pair(a->kernel, not_given),
                             pair(a->stride, not_given),
                             { 2, { a->padding[0], a->padding[1] } },
                             pair(a->dilation, ones),
                             a->ceil_mode };
    cn_tensor *input = a->input, *out[2];
    if (!cn_apply(&cn_op_max_pool2d_with_indices, &input, 1, &p, out, a->indices ? 2 : 1))
        return NULL;
    if (a->indices) *a->indices = out[1];
    return out[0];
}
