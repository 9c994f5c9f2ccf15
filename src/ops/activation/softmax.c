/* softmax.c - softmax, log_softmax and logsumexp along a dimension, safe from overflow. D2L 3.4,
   3.7. */
#include "ops/compose.h"
#include "ops/params.h"

#include <float.h>
#include <math.h>

typedef struct {
    cn_lines lines;
    bool log;
    const char *x, *g; /* g: the gradient, in backward; x is then the forward result */
    char *to;
} Softmax;

#define FINITE_f32 FLT_MAX
#define FINITE_f64 DBL_MAX
#define T float
#define NAME(x) x##_f32
#define M(x) x##f
#include "ops/activation/softmax.inc"
#define T double
#define NAME(x) x##_f64
#define M(x) x
#include "ops/activation/softmax.inc"

/* ---- kernels: any dimension, float types -------------------------------------------------- */

static bool along_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *x = cn_in(c, 0);
    if (cn_wrap_dim(*(const int64_t *)c->params, x->shape.ndim, c->op->name) < 0) return false;
    for (int i = 0; i < c->n_in; i++)
        if (!cn_dtype_is_float(cn_in(c, i)->dtype) || cn_in(c, i)->dtype != x->dtype ||
            !cn_shape_equal(&cn_in(c, i)->shape, &x->shape))
            return cn_fail(CN_EINVALID, "%s: wants float tensors of one shape and dtype, got %s",
                           c->op->name, cn_dtype_name(cn_in(c, i)->dtype));
    *out = (cn_spec){ x->dtype, x->shape };
    return true;
}

static bool run(const cn_call *c, bool log, const cn_view *x, const cn_view *g)
{
    int dim = cn_wrap_dim(*(const int64_t *)c->params, x->shape.ndim, c->op->name);
    Softmax s = { cn_lines_of(&x->shape, dim), log, x->data, g ? g->data : NULL,
                  cn_out(c, 0)->data };
    if (x->numel == 0) return true;
    cn_parallel(s.lines.outer, 8 * s.lines.size * s.lines.inner,
                x->dtype == CN_F32 ? softmax_job_f32 : softmax_job_f64, &s);
    return true;
}

static bool softmax_kernel(const cn_call *c)
{
    return run(c, c->op == &cn_op_log_softmax_along, cn_in(c, 0), NULL);
}

static bool backward_kernel(const cn_call *c)
{
    return run(c, c->op == &cn_op_log_softmax_backward, cn_in(c, 1), cn_in(c, 0));
}

static cn_tensor *line_sum(cn_tensor *t, int64_t dim)
{
    return cn_sum(t, .dim = CN_SHAPE(dim), .keepdim = true);
}

static void softmax_gradient(cn_grads *g)
{
    cn_give(g, 0, CN_CALL(softmax_backward, cn_grad_params(g), cn_gout(g, 0), cn_saved_out(g, 0)));
}

static void log_softmax_gradient(cn_grads *g)
{
    cn_give(g, 0,
            CN_CALL(log_softmax_backward, cn_grad_params(g), cn_gout(g, 0), cn_saved_out(g, 0)));
}

/* Of y (g - sum g y), with h the gradient that arrives: for g the same map of h, for y
   h (g - sum g y) - g sum h y. */
static void softmax_backward_gradient(cn_grads *g)
{
    int64_t dim = *(const int64_t *)cn_grad_params(g);
    cn_tensor *h = cn_gout(g, 0), *gy = cn_saved_in(g, 0), *y = cn_saved_in(g, 1);
    if (cn_wants(g, 0)) cn_give(g, 0, CN_CALL(softmax_backward, &dim, h, y));
    if (!cn_wants(g, 1)) return;
    cn_tensor *kept = cn_mul(h, cn_sub(gy, line_sum(cn_mul(gy, y), dim)));
    cn_give(g, 1, cn_sub(kept, cn_mul(gy, line_sum(cn_mul(h, y), dim))));
}

/* Of g - exp(y) sum g: for g, h - sum h exp(y); for y, -h exp(y) sum g. */
static void log_softmax_backward_gradient(cn_grads *g)
{
    int64_t dim = *(const int64_t *)cn_grad_params(g);
    cn_tensor *h = cn_gout(g, 0), *weighted = cn_mul(h, cn_exp(cn_saved_in(g, 1)));
    if (cn_wants(g, 0)) cn_give(g, 0, cn_sub(h, line_sum(weighted, dim)));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_neg(cn_mul(weighted, line_sum(cn_saved_in(g, 0), dim))));
}

#define ALONG(ident, formula, rule)                                                                \
    CN_OP_HEAD(ident, #ident, "(Tensor input, int dim) -> Tensor"),                                \
        .doc = formula " along dim, of float tensors.", .flags = CN_ROWS,                          \
        .params_size = sizeof(int64_t), .infer = along_infer, .kernel = softmax_kernel,            \
        .saves = CN_SAVE_OUT(0), .backward = rule,                                                 \
        .samples = "[2,3] 1 | [2,3,4] 1 | [3,2] 0 | [] 0 | [0,3] 1 | [2,70] 0"

#define ALONG_BACKWARD(ident, formula, rule)                                                       \
    CN_OP_HEAD(ident, #ident, "(Tensor grad_output, Tensor output, int dim) -> Tensor"),           \
        .doc = "The gradient: " formula " along dim.", .flags = CN_ROWS,                           \
        .params_size = sizeof(int64_t), .infer = along_infer, .kernel = backward_kernel,           \
        .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1), .backward = rule,                                  \
        .samples = "[2,3] [2,3] 1 | [2,3,4] [2,3,4] 1 | [] [] 0"

const cn_op cn_op_softmax_along = { ALONG(softmax_along, "exp(input) / sum exp(input)",
                                          softmax_gradient) };
const cn_op cn_op_log_softmax_along = { ALONG(log_softmax_along, "input - log sum exp(input)",
                                              log_softmax_gradient) };
const cn_op cn_op_softmax_backward = { ALONG_BACKWARD(
    softmax_backward, "output (grad_output - sum grad_output output)", softmax_backward_gradient) };
const cn_op cn_op_log_softmax_backward = { ALONG_BACKWARD(
    log_softmax_backward, "grad_output - exp(output) sum grad_output",
    log_softmax_backward_gradient) };

/* ---- softmax, log_softmax: with conversion ------------------------------------------------ */

typedef struct {
    int64_t dim;
    int32_t dtype;
} Params;

static bool softmax_compose(cn_call *c)
{
    const Params *p = c->params;
    const cn_op *op = c->op == &cn_op_softmax ? &cn_op_softmax_along : &cn_op_log_softmax_along;
    cn_tensor *x = p->dtype == CN_NO_DTYPE ? c->in[0] : cn_to(c->in[0], (cn_dtype)p->dtype);
    return x && cn_set_out(c, 0, cn_apply1(op, &x, 1, &p->dim));
}

#define SOFTMAX(ident, formula)                                                                    \
    CN_OP_HEAD(ident, #ident, "(Tensor input, int dim, *, dtype? dtype=None) -> Tensor"),          \
        .aliases = "nn.functional." #ident " special." #ident,                                     \
        .doc = formula " along dim; with dtype the input is converted first (D2L 3.4).",           \
        .params_size = sizeof(Params), .compose = softmax_compose,                                 \
        .samples = "[2,3] 1 | [2,3] -1 dtype=float64 | i64<9[3] 0 dtype=float32"

const cn_op cn_op_softmax = { SOFTMAX(softmax, "exp(input) / sum exp(input)") };
const cn_op cn_op_log_softmax = { SOFTMAX(log_softmax, "input - log sum exp(input)") };

typedef struct {
    cn_opt_int dim;
    int32_t dtype;
} Softmin;

/* Without dim: the second dimension, or the first of 0-d, 1-d and 3-d tensors, as PyTorch has it. */
static bool softmin_compose(cn_call *c)
{
    const Softmin *p = c->params;
    int nd = c->in[0]->v.shape.ndim, usual = nd == 0 || nd == 1 || nd == 3 ? 0 : 1;
    Params soft = { p->dim.given ? p->dim.value : usual, p->dtype };
    return cn_set_out(c, 0, CN_CALL(softmax, &soft, cn_neg(c->in[0])));
}

const cn_op cn_op_softmin = {
    CN_OP_HEAD(softmin, "nn.functional.softmin",
               "(Tensor input, int? dim=None, *, dtype? dtype=None) -> Tensor"),
    .aliases = "softmin",
    .doc = "softmax of -input: the smallest gets the most.",
    .params_size = sizeof(Softmin),
    .compose = softmin_compose,
    .samples = "[2,3] 1 | [2,3] | [2,3] -1 dtype=float64 | [] 0",
};

cn_tensor *cn_softmax(cn_tensor *input, int dim)
{
    int64_t p = dim;
    return CN_CALL(softmax_along, &p, input);
}

cn_tensor *cn_log_softmax(cn_tensor *input, int dim)
{
    int64_t p = dim;
    return CN_CALL(log_softmax_along, &p, input);
}

/* ---- logsumexp ---------------------------------------------------------------------------- */

static bool logsumexp_along_infer(const cn_call *c, cn_spec out[])
{
    if (!along_infer(c, out)) return false;
    int dim = cn_wrap_dim(*(const int64_t *)c->params, out->shape.ndim, "logsumexp");
    out->shape = cn_without_dim(&out->shape, out->shape.ndim ? dim : -1);
    return true;
}

static bool logsumexp_along_kernel(const cn_call *c)
{
    const cn_view *x = cn_in(c, 0);
    int dim = cn_wrap_dim(*(const int64_t *)c->params, x->shape.ndim, "logsumexp");
    Softmax s = { .lines = cn_lines_of(&x->shape, dim), .x = x->data, .to = cn_out(c, 0)->data };
    if (s.lines.size == 0)
        return cn_fill_view(cn_out(c, 0), (double)-INFINITY), true; /* log of the empty sum */
    cn_parallel(s.lines.outer, 8 * s.lines.size * s.lines.inner,
                x->dtype == CN_F32 ? logsumexp_job_f32 : logsumexp_job_f64, &s);
    return true;
}

/* g exp(x - y). A line of -inf has y = -inf: there y is raised to the smallest number, and exp
   gives 0. */
static void logsumexp_along_backward(cn_grads *g)
{
    cn_ints dim = { .n = 1, .v = { *(const int64_t *)cn_grad_params(g) } };
    const cn_shape *full = cn_in_shape(g, 0);
    cn_tensor *y = cn_clamp_min(cn_saved_out(g, 0), cn_number(-(double)FLT_MAX));
    cn_tensor *p = cn_exp(cn_sub(cn_saved_in(g, 0), cn_restore_dims(y, full, &dim, false)));
    cn_give(g, 0, cn_mul(cn_restore_dims(cn_gout(g, 0), full, &dim, false), p));
}

const cn_op cn_op_logsumexp_along = {
    CN_OP_HEAD(logsumexp_along, "logsumexp_along", "(Tensor input, int dim) -> Tensor"),
    .doc = "log sum exp(input) along one dimension.",
    .flags = CN_ROWS,
    .params_size = sizeof(int64_t),
    .infer = logsumexp_along_infer,
    .kernel = logsumexp_along_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_OUT(0),
    .backward = logsumexp_along_backward,
    .samples = "[2,3] 1 | [2,3,4] 1 | [] 0 | [0,3] 1 | [2,70] 0",
};

typedef struct {
    cn_ints dim;
    bool keepdim;
} Dims;

static bool logsumexp_compose(cn_call *c)
{
    const Dims *p = c->params;
    int dim;
    cn_tensor *x = c->in[0], *merged;
    if (!cn_dtype_is_float(x->v.dtype)) x = cn_to(x, CN_F32);
    if (!x || !(merged = cn_merge_dims(x, &p->dim, "logsumexp", &dim))) return false;
    cn_tensor *y = CN_CALL(logsumexp_along, &(int64_t){ dim }, merged);
    return cn_set_out(c, 0, p->keepdim ? cn_restore_dims(y, &x->v.shape, &p->dim, false) : y);
}

const cn_op cn_op_logsumexp = {
    CN_OP_HEAD(logsumexp, "logsumexp", "(Tensor input, int[] dim, bool keepdim=False) -> Tensor"),
    .aliases = "special.logsumexp",
    .doc = "log sum exp(input) over dim, safe from overflow (D2L 3.7).",
    .params_size = sizeof(Dims),
    .compose = logsumexp_compose,
    .samples = "[2,3,4] dim=1 | [2,3,4] dim=(0,2) keepdim=True | i64<9[3] dim=0",
};

cn_tensor *cn_logsumexp_with(const cn_reduce_args *a)
{
    Dims p = { cn_ints_of(&a->dim), a->keepdim };
    return CN_CALL(logsumexp, &p, a->input);
}
