/* pools.c - the pooling functions as PyTorch names them: made of the core ops of pool.c. */
#include "ops/layers/spatial.h"
#include "ops/params.h"

/* ---- windows at regular distances ----------------------------------------------------------- */

static cn_tensor *as_picture(const cn_call *c)
{
    return cn_want_dims(c, 0, 2, 3) ? cn_unsqueeze(c->in[0], -2) : NULL;
}

static cn_tensor *as_line(cn_tensor *t)
{
    return t ? cn_flatten(t, -2) : NULL;
}

typedef struct {
    cn_ints kernel, stride, padding;
    bool ceil_mode, count_include_pad;
} AvgPool1d;

static bool avg_pool1d_compose(cn_call *c)
{
    const AvgPool1d *p = c->params;
    cn_avg_pool_params pool = { cn_pair(&p->kernel, 1),  cn_pair(&p->stride, 1),
                                cn_pair(&p->padding, 0), p->ceil_mode,
                                p->count_include_pad,    { .given = false } };
    return cn_set_out(c, 0, as_line(CN_CALL(avg_pool2d, &pool, as_picture(c))));
}

typedef struct {
    cn_ints kernel, stride, padding, dilation;
    bool ceil_mode, return_indices;
} MaxPool;

/* Values and, when wanted, indices of an op that has both. */
static bool give_maxima(cn_call *c, const cn_op *pooling, cn_tensor *x, const void *params,
                        bool with_indices, bool lines)
{
    cn_tensor *out[2] = { NULL };
    bool both = with_indices && c->n_out > 1;
    if (!x || !cn_apply(pooling, &x, 1, params, out, both ? 2 : 1)) return false;
    for (int i = 0; i <= both; i++)
        if (!cn_set_out(c, i, lines ? as_line(out[i]) : out[i])) return false;
    return true;
}

static bool max_pool1d_compose(cn_call *c)
{
    const MaxPool *p = c->params;
    cn_max_pool_params pool = { cn_pair(&p->kernel, 1), cn_pair(&p->stride, 1),
                                cn_pair(&p->padding, 0), cn_pair(&p->dilation, 1), p->ceil_mode };
    return give_maxima(c, &cn_op_max_pool2d_with_indices, as_picture(c), &pool, p->return_indices,
                       true);
}

static bool max_pool(cn_call *c, const cn_op *pooling)
{
    const MaxPool *p = c->params;
    cn_max_pool_params pool = { p->kernel, p->stride, p->padding, p->dilation, p->ceil_mode };
    return give_maxima(c, pooling, c->in[0], &pool, p->return_indices, false);
}

static bool max_pool2d_compose(cn_call *c)
{
    return max_pool(c, &cn_op_max_pool2d_with_indices);
}

static bool max_pool3d_compose(cn_call *c)
{
    return max_pool(c, &cn_op_max_pool3d_with_indices);
}

#define MAX_ARGUMENTS(n)                                                                           \
    "(Tensor input, int[" n "] kernel_size, int[" n "]? stride=None, int[" n "] padding=0, int[" n \
    "] dilation=1, bool ceil_mode=False, bool return_indices=False) -> "                           \
    "(Tensor, Tensor)"

const cn_op cn_op_avg_pool1d = {
    CN_OP_HEAD(avg_pool1d, "nn.functional.avg_pool1d",
               "(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, "
               "bool ceil_mode=False, bool count_include_pad=True) -> Tensor"),
    .aliases = "avg_pool1d",
    .doc = "The mean of each window of a line.",
    .params_size = sizeof(AvgPool1d),
    .compose = avg_pool1d_compose,
    .samples = "[2,3,6] 2 | [2,7] 3 2 1",
};

const cn_op cn_op_max_pool1d = {
    CN_OP_HEAD(max_pool1d, "nn.functional.max_pool1d", MAX_ARGUMENTS("1")),
    .aliases = "max_pool1d",
    .doc = "The maximum of each window of a line; with return_indices also its place.",
    .params_size = sizeof(MaxPool),
    .compose = max_pool1d_compose,
    .samples = "[2,3,6] 2 | [2,7] 3 2 1 return_indices=True",
};

const cn_op cn_op_max_pool2d = {
    CN_OP_HEAD(max_pool2d, "nn.functional.max_pool2d", MAX_ARGUMENTS("2")),
    .aliases = "max_pool2d",
    .doc =
        "The maximum of each window; with return_indices also its place in the flat plane (D2L 6.5).",
    .params_size = sizeof(MaxPool),
    .flags = CN_ANY_LAYOUT,
    .compose = max_pool2d_compose,
    .samples = "[2,3,4,4] 2 | [2,5,5] 3 2 1 return_indices=True",
};

const cn_op cn_op_max_pool3d = {
    CN_OP_HEAD(max_pool3d, "nn.functional.max_pool3d", MAX_ARGUMENTS("3")),
    .aliases = "max_pool3d",
    .doc = "The maximum of each window of a volume; with return_indices also its place in it.",
    .params_size = sizeof(MaxPool),
    .compose = max_pool3d_compose,
    .samples = "[1,2,2,4,4] 2 | [2,3,4,5] (2,3,2) 1 (1,1,0) return_indices=True",
};

/* ---- windows that divide the input ----------------------------------------------------------- */

/* Windows of one size are regular ones, which fast kernels know for pictures. */
static bool divides(const cn_call *c, const cn_ints *size, cn_ints *kernel)
{
    const cn_shape *s = &c->in[0]->v.shape;
    if (size->n != 2 || s->ndim < 3) return false;
    *kernel = (cn_ints){ .n = 2 };
    for (int i = 0; i < 2; i++) {
        int64_t n = s->dim[s->ndim - 2 + i], m = size->v[i];
        if (m < 1 || n < m || n % m) return false;
        kernel->v[i] = n / m;
    }
    return true;
}

/* A size of None leaves the dimension as it is. */
static cn_ints adaptive_size(const cn_call *c, const cn_ints *given)
{
    const cn_shape *s = &c->in[0]->v.shape;
    cn_ints size = *given;
    for (int i = 0; i < size.n && size.n <= s->ndim; i++)
        if (size.v[i] == CN_AS_IT_IS) size.v[i] = s->dim[s->ndim - size.n + i];
    return size;
}

static bool adaptive_avg_compose(cn_call *c)
{
    cn_ints of_input = adaptive_size(c, c->params), *size = &of_input;
    cn_avg_pool_params regular = { .stride.n = -1, .padding.n = 2, .count_include_pad = true };
    if (divides(c, size, &regular.kernel))
        return cn_set_out(c, 0, CN_CALL(avg_pool2d, &regular, c->in[0]));
    return cn_set_out(c, 0, CN_CALL(adaptive_avg_pool, size, c->in[0]));
}

typedef struct {
    cn_ints size;
    bool return_indices;
} AdaptiveMax;

static bool adaptive_max_compose(cn_call *c)
{
    const AdaptiveMax *p = c->params;
    cn_ints size = adaptive_size(c, &p->size);
    cn_max_pool_params regular = { .stride.n = -1, .padding.n = 2, .dilation = { 2, { 1, 1 } } };
    if (divides(c, &size, &regular.kernel))
        return give_maxima(c, &cn_op_max_pool2d_with_indices, c->in[0], &regular, p->return_indices,
                           false);
    return give_maxima(c, &cn_op_adaptive_max_pool, c->in[0], &size, p->return_indices, false);
}

const cn_op cn_op_adaptive_avg_pool1d = {
    CN_OP_HEAD(adaptive_avg_pool1d, "nn.functional.adaptive_avg_pool1d",
               "(Tensor input, int?[1] output_size) -> Tensor"),
    .aliases = "adaptive_avg_pool1d",
    .doc = "Averages over windows that divide the line into output_size.",
    .params_size = sizeof(cn_ints),
    .compose = adaptive_avg_compose,
    .samples = "[2,3,6] 3 | [2,5] 2",
};

const cn_op cn_op_adaptive_avg_pool2d = {
    CN_OP_HEAD(adaptive_avg_pool2d, "nn.functional.adaptive_avg_pool2d",
               "(Tensor input, int?[2] output_size) -> Tensor"),
    .doc = "Averages over windows that divide the picture into output_size (D2L 8.3).",
    .params_size = sizeof(cn_ints),
    .flags = CN_ANY_LAYOUT,
    .compose = adaptive_avg_compose,
    .samples =
        "[2,3,4,6] (2,3) | [2,5,7] (2,3) | [1,2,3,3] 1 | [1,1,2,3] (4,3) | [1,2,3,4] (None,2)",
};

const cn_op cn_op_adaptive_avg_pool3d = {
    CN_OP_HEAD(adaptive_avg_pool3d, "nn.functional.adaptive_avg_pool3d",
               "(Tensor input, int?[3] output_size) -> Tensor"),
    .doc = "Averages over windows that divide the volume into output_size.",
    .params_size = sizeof(cn_ints),
    .compose = adaptive_avg_compose,
    .samples = "[1,2,3,4,2] (2,3,1) | [2,2,3,2] 1",
};

const cn_op cn_op_adaptive_max_pool1d = {
    CN_OP_HEAD(
        adaptive_max_pool1d, "nn.functional.adaptive_max_pool1d",
        "(Tensor input, int?[1] output_size, bool return_indices=False) -> (Tensor, Tensor)"),
    .doc = "Maxima over windows that divide the line into output_size; with return_indices their "
           "places.",
    .params_size = sizeof(AdaptiveMax),
    .compose = adaptive_max_compose,
    .samples = "[2,3,6] 3 | [2,5] 2 return_indices=True",
};

const cn_op cn_op_adaptive_max_pool2d = {
    CN_OP_HEAD(
        adaptive_max_pool2d, "nn.functional.adaptive_max_pool2d",
        "(Tensor input, int?[2] output_size, bool return_indices=False) -> (Tensor, Tensor)"),
    .doc =
        "Maxima over windows that divide the picture into output_size; with return_indices their places.",
    .params_size = sizeof(AdaptiveMax),
    .compose = adaptive_max_compose,
    .samples = "[2,3,4,6] (2,3) | [2,5,7] (2,3) return_indices=True | [1,2,3,4] (2,None)",
};

const cn_op cn_op_adaptive_max_pool3d = {
    CN_OP_HEAD(
        adaptive_max_pool3d, "nn.functional.adaptive_max_pool3d",
        "(Tensor input, int?[3] output_size, bool return_indices=False) -> (Tensor, Tensor)"),
    .doc = "Maxima over windows that divide the volume into output_size; with return_indices their "
           "places.",
    .params_size = sizeof(AdaptiveMax),
    .compose = adaptive_max_compose,
    .samples = "[1,2,3,4,2] (2,3,1) return_indices=True | [2,2,3,2] 1 | [1,2,3,2] (None,2,None)",
};

/* ---- the p-norm of windows -------------------------------------------------------------------- */

typedef struct {
    double norm_type;
    cn_ints kernel, stride;
    bool ceil_mode;
} LpPool;

/* (sum of x^p)^(1/p) as PyTorch has it: no absolute values before the sum, and where the sum is 0 no
   gradient, which |sum| sign(sum) sees to. */
static bool lp_pool(cn_call *c, cn_tensor *mean, const LpPool *p)
{
    double size = 1;
    for (int i = 0; i < p->kernel.n; i++) size *= (double)p->kernel.v[i];
    if (!mean) return false;
    cn_tensor *sums = cn_mul(cn_mul(cn_sign(mean), cn_relu(cn_abs(mean))), cn_number(size));
    return cn_set_out(c, 0, cn_pow(sums, cn_number(1 / p->norm_type)));
}

static bool lp_pool1d_compose(cn_call *c)
{
    const LpPool *p = c->params;
    AvgPool1d pool = { p->kernel, p->stride, { 1, { 0 } }, p->ceil_mode, true };
    cn_tensor *powers = cn_pow(c->in[0], cn_number(p->norm_type));
    return lp_pool(c, CN_CALL(avg_pool1d, &pool, powers), p);
}

static cn_avg_pool_params mean_of(const LpPool *p)
{
    return (cn_avg_pool_params){ p->kernel,    p->stride, { .n = p->kernel.n },
                                 p->ceil_mode, true,      { .given = false } };
}

static bool lp_pool2d_compose(cn_call *c)
{
    cn_avg_pool_params pool = mean_of(c->params);
    cn_tensor *powers = cn_pow(c->in[0], cn_number(((const LpPool *)c->params)->norm_type));
    return lp_pool(c, CN_CALL(avg_pool2d, &pool, powers), c->params);
}

static bool lp_pool3d_compose(cn_call *c)
{
    cn_avg_pool_params pool = mean_of(c->params);
    cn_tensor *powers = cn_pow(c->in[0], cn_number(((const LpPool *)c->params)->norm_type));
    return lp_pool(c, CN_CALL(avg_pool3d, &pool, powers), c->params);
}

#define LP_ARGUMENTS(n)                                                                            \
    "(Tensor input, float norm_type, int[" n "] kernel_size, int[" n                               \
    "]? stride=None, bool ceil_mode=False) -> Tensor"

const cn_op cn_op_lp_pool1d = {
    CN_OP_HEAD(lp_pool1d, "nn.functional.lp_pool1d", LP_ARGUMENTS("1")),
    .doc = "The norm_type-th root of the sum of the powers of each window of a line.",
    .params_size = sizeof(LpPool),
    .compose = lp_pool1d_compose,
    .samples = "[2,3,6] 2 2 | +[2,5] 3 2 1",
};

const cn_op cn_op_lp_pool2d = {
    CN_OP_HEAD(lp_pool2d, "nn.functional.lp_pool2d", LP_ARGUMENTS("2")),
    .doc = "The norm_type-th root of the sum of the powers of each window.",
    .params_size = sizeof(LpPool),
    .compose = lp_pool2d_compose,
    .samples = "[2,3,4,4] 2 2 | +[2,5,4] 1.5 (2,3) 1 | [1,1,3,3] 2 2 ceil_mode=True",
};

const cn_op cn_op_lp_pool3d = {
    CN_OP_HEAD(lp_pool3d, "nn.functional.lp_pool3d", LP_ARGUMENTS("3")),
    .doc = "The norm_type-th root of the sum of the powers of each window of a volume.",
    .params_size = sizeof(LpPool),
    .compose = lp_pool3d_compose,
    .samples = "[1,2,2,4,3] 2 2",
};

/* ---- typed -------------------------------------------------------------------------------- */

static cn_ints stride_of(const cn_pool2d_args *a)
{
    return a->stride[0] ? cn_two(a->stride, 0) : (cn_ints){ .n = -1 };
}

cn_tensor *cn_avg_pool2d_with(const cn_pool2d_args *a)
{
    cn_avg_pool_params p = {
        cn_two(a->kernel, 0), stride_of(a),    { 2, { a->padding[0], a->padding[1] } },
        a->ceil_mode,         !a->exclude_pad, { a->divisor_override != 0, a->divisor_override }
    };
    return CN_CALL(avg_pool2d, &p, a->input);
}

cn_tensor *cn_max_pool2d_with(const cn_pool2d_args *a)
{
    cn_max_pool_params p = { cn_two(a->kernel, 0),
                             stride_of(a),
                             { 2, { a->padding[0], a->padding[1] } },
                             cn_two(a->dilation, 1),
                             a->ceil_mode };
    cn_tensor *input = a->input, *out[2];
    if (!cn_apply(&cn_op_max_pool2d_with_indices, &input, 1, &p, out, a->indices ? 2 : 1))
        return NULL;
    if (a->indices) *a->indices = out[1];
    return out[0];
}

cn_tensor *cn_adaptive_avg_pool2d(cn_tensor *input, int64_t height, int64_t width)
{
    return CN_CALL(adaptive_avg_pool2d, (&(cn_ints){ 2, { height, width } }), input);
}

cn_tensor *cn_adaptive_max_pool2d(cn_tensor *input, int64_t height, int64_t width)
{
    AdaptiveMax p = { { 2, { height, width } }, false };
    return CN_CALL(adaptive_max_pool2d, &p, input);
}
