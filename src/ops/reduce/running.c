/* running.c - the extremes and the sums of exponentials so far. */
#include "ops/compose.h"

#include <math.h>

/* ---- cummax, cummin: values are gathered by their places, so the gradient goes there -------- */

typedef struct {
    int64_t dim;
    bool smallest;
} Running;

typedef struct {
    cn_lines lines;
    bool smallest;
    const char *x;
    int64_t *y;
} Line;

#define T float
#define NAME(x) x##_f32
#include "ops/reduce/running.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/reduce/running.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/reduce/running.inc"
#define T uint8_t
#define NAME(x) x##_bool
#include "ops/reduce/running.inc"

static bool running_infer(const cn_call *c, cn_spec out[])
{
    const Running *p = c->params;
    *out = (cn_spec){ CN_I64, c->in[0]->v.shape };
    return cn_wrap_dim(p->dim, out->shape.ndim, c->op->name) >= 0;
}

static bool running_kernel(const cn_call *c)
{
    const Running *p = c->params;
    const cn_view *x = cn_in(c, 0);
    if (x->numel == 0) return true;
    int dim = cn_wrap_dim(p->dim, x->shape.ndim, c->op->name);
    Line l = { cn_lines_of(&x->shape, dim), p->smallest, x->data,
               (int64_t *)(void *)cn_out(c, 0)->data };
    cn_parallel(l.lines.outer, l.lines.size * l.lines.inner,
                x->dtype == CN_F32   ? running_job_f32
                : x->dtype == CN_F64 ? running_job_f64
                : x->dtype == CN_I64 ? running_job_i64
                                     : running_job_bool,
                &l);
    return true;
}

const cn_op cn_op_running_extreme = {
    CN_OP_HEAD(running_extreme, "running_extreme",
               "(Tensor input, int dim, bool smallest=False) -> Tensor"),
    .doc = "Where the largest (smallest) element so far along dim is; of equal ones the last.",
    .params_size = sizeof(Running),
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .infer = running_infer,
    .kernel = running_kernel,
    .samples = "[2,3,4] 1 | [2,3,4] 0 True | [] 0 | [0,3] 1 | i64<3[9] 0 | bool[5] 0",
};

static bool cummax_compose(cn_call *c)
{
    Running p = { *(const int64_t *)c->params, c->op == &cn_op_cummin };
    cn_tensor *x = c->in[0], *at = CN_CALL(running_extreme, &p, x);
    return at && cn_set_out(c, 0, cn_gather(x, (int)p.dim, at)) && cn_set_out(c, 1, at);
}

#define CUMULATIVE_OP(ident, text)                                                                 \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input, int dim) -> (Tensor, Tensor)"),                  \
        .doc = text,                                                                               \
        .params_size = sizeof(int64_t),                                                            \
        .compose = cummax_compose,                                                                 \
        .samples = "[2,3] 1 | [2,3,4] -2 | [] 0 | [0,3] 1 | i64<3[9] 0 | bool[5] 0",               \
    }

CUMULATIVE_OP(cummax, "The largest element so far along dim, and where it is.");
CUMULATIVE_OP(cummin, "The smallest element so far along dim, and where it is.");

/* ---- logcumsumexp -------------------------------------------------------------------------- */

typedef struct {
    cn_lines lines;
    cn_dtype dtype;
    const char *x;
    char *y;
} Logs;

static bool logcumsumexp_infer(const cn_call *c, cn_spec out[])
{
    return cn_infer_floats(c, out) &&
           cn_wrap_dim(*(const int64_t *)c->params, out->shape.ndim, c->op->name) >= 0;
}

static double log_sum(double a, double b)
{
    if (a == b && isinf(a)) return a;
    return (a > b || isnan(a) ? a : b) + log1p(exp(-fabs(a - b)));
}

static void log_sum_job(int64_t first, int64_t last, void *context)
{
    const Logs *l = context;
    int64_t inner = l->lines.inner, block = l->lines.size * inner;
    size_t size = cn_dtype_size(l->dtype);
    for (int64_t o = first; o < last; o++) {
        const char *x = l->x + (size_t)(o * block) * size;
        char *y = l->y + (size_t)(o * block) * size;
        for (int64_t i = 0; i < block; i++) {
            double v = cn_load_f64(x + (size_t)i * size, l->dtype);
            if (i >= inner) v = log_sum(cn_load_f64(y + (size_t)(i - inner) * size, l->dtype), v);
            cn_store_f64(y + (size_t)i * size, l->dtype, v);
        }
    }
}

static bool logcumsumexp_kernel(const cn_call *c)
{
    const cn_view *x = cn_in(c, 0);
    if (x->numel == 0) return true;
    int dim = cn_wrap_dim(*(const int64_t *)c->params, x->shape.ndim, c->op->name);
    Logs l = { cn_lines_of(&x->shape, dim), x->dtype, x->data, cn_out(c, 0)->data };
    cn_parallel(l.lines.outer, 16 * l.lines.size * l.lines.inner, log_sum_job, &l);
    return true;
}

/* gx_i = exp(x_i - y_i) G_i with G_i = gy_i + exp(y_i - y_(i+1)) G_(i+1): no exponent is above 0.
   Sums of nothing but exp(-inf) pass nothing on. */
static void logcumsumexp_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0), *x = cn_saved_in(g, 0), *y = cn_saved_out(g, 0);
    int nd = gy->v.shape.ndim;
    int dim = cn_wrap_dim(*(const int64_t *)cn_grad_params(g), nd, "logcumsumexp");
    if (nd == 0 || gy->v.numel == 0) {
        cn_give(g, 0, gy);
        return;
    }
    int64_t n = gy->v.shape.dim[dim];
    cn_shape along = CN_SHAPE(dim);
    cn_tensor *empty = cn_eq(y, cn_number(-(double)INFINITY)), *zero = cn_number_i64(0);
    cn_tensor *level = cn_where(empty, zero, y), *first = cn_narrow(level, dim, 0, 1);
    cn_tensor *step = cn_sub(cn_narrow(level, dim, 0, n - 1), cn_narrow(level, dim, 1, n - 1));
    cn_tensor *factor = cn_cat((cn_tensor *[]){ cn_exp(step), cn_mul(first, zero) }, 2, dim);
    if (!factor) return;
    cn_tensor *sums = CN_CALL(recurrence, &(int64_t){ dim }, cn_flip(gy, along),
                              cn_flip(cn_where(empty, zero, factor), along));
    cn_give(g, 0, cn_mul(cn_exp(cn_sub(x, level)), cn_flip(sums, along)));
}

const cn_op cn_op_logcumsumexp = {
    CN_OP_HEAD(logcumsumexp, "logcumsumexp", "(Tensor input, int dim) -> Tensor"),
    .doc = "log of the running sums of exp(input) along dim, without overflow.",
    .params_size = sizeof(int64_t),
    .flags = CN_ROWS,
    .infer = logcumsumexp_infer,
    .kernel = logcumsumexp_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_OUT(0),
    .backward = logcumsumexp_backward,
    .samples = "[2,3] 1 | [3,2,2] 0 | [] 0 | [0,3] 1 | [2,0] 1",
};
