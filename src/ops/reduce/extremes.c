/* extremes.c - the largest and the smallest: of a tensor, along dimensions, of two, and between
   bounds. */
#include "ops/compose.h"
#include "ops/params.h"

#include <string.h>

/* ---- along one dimension: two kernels, which the ops below are made of --------------------- */

typedef struct {
    cn_lines lines;
    bool smallest;
    const char *in;
    char *out;       /* values, */
    int64_t *places; /* or where they are */
} Extremes;

#define T float
#define NAME(x) x##_f32
#include "ops/reduce/extremes.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/reduce/extremes.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/reduce/extremes.inc"
#define T uint8_t
#define NAME(x) x##_bool
#include "ops/reduce/extremes.inc"

static bool along_infer(const cn_call *c, cn_spec out[])
{
    const cn_extreme_params *p = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    int dim = cn_wrap_dim(p->dim, s->ndim, c->op->name);
    if (dim < 0) return false;
    if (s->ndim && s->dim[dim] == 0)
        return cn_fail(CN_EINVALID, "%s: dimension %d has size 0, and nothing has no %s",
                       c->op->name, dim, p->smallest ? "minimum" : "maximum");
    out->shape = cn_without_dim(s, dim);
    out->dtype = c->op == &cn_op_arg_extreme ? CN_I64 : c->in[0]->v.dtype;
    return true;
}

static bool along_kernel(const cn_call *c)
{
    const cn_extreme_params *p = c->params;
    const cn_view *in = cn_in(c, 0);
    bool places = c->op == &cn_op_arg_extreme;
    int dim = cn_wrap_dim(p->dim, in->shape.ndim, c->op->name);
    Extremes e = { cn_lines_of(&in->shape, dim), p->smallest, in->data, cn_out(c, 0)->data, NULL };
    if (places) e.places = (int64_t *)(void *)e.out;
    cn_parallel(e.lines.outer, e.lines.size * e.lines.inner,
                in->dtype == CN_F32   ? extreme_job_f32
                : in->dtype == CN_F64 ? extreme_job_f64
                : in->dtype == CN_I64 ? extreme_job_i64
                                      : extreme_job_bool,
                &e);
    return true;
}

/* Ties share: the gradient times (x == y), divided by how many there are. */
static void extreme_backward(cn_grads *g)
{
    const cn_extreme_params *p = cn_grad_params(g);
    cn_ints dim = { .n = 1, .v = { p->dim } };
    const cn_shape *full = cn_in_shape(g, 0);
    cn_tensor *y = cn_restore_dims(cn_saved_out(g, 0), full, &dim, false);
    cn_tensor *x = cn_saved_in(g, 0);
    cn_tensor *best = cn_logical_or(cn_eq(x, y), cn_logical_and(cn_isnan(x), cn_isnan(y)));
    cn_tensor *ties = cn_sum(best, .dim = CN_SHAPE(p->dim), .keepdim = true);
    cn_tensor *gy = cn_restore_dims(cn_gout(g, 0), full, &dim, false);
    cn_give(g, 0, cn_mul(cn_div(gy, ties), best));
}

const cn_op cn_op_extreme = {
    CN_OP_HEAD(extreme, "extreme", "(Tensor input, int dim, bool smallest=False) -> Tensor"),
    .doc = "The largest (smallest) element along dim; what amax and amin are made of.",
    .params_size = sizeof(cn_extreme_params),
    .flags = CN_ROWS,
    .infer = along_infer,
    .kernel = along_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_OUT(0),
    .backward = extreme_backward,
    .samples = "[2,3,4] 1 | [2,3,4] 0 True | [] 0 | [0,3] 1 | bool[4,3] -1 | i64<9[4] 0",
};

const cn_op cn_op_arg_extreme = {
    CN_OP_HEAD(arg_extreme, "arg_extreme",
               "(Tensor input, int dim, bool smallest=False) -> Tensor"),
    .doc = "The place of the first largest (smallest) element along dim.",
    .params_size = sizeof(cn_extreme_params),
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .infer = along_infer,
    .kernel = along_kernel,
    .samples = "[2,3,4] 1 | [2,3,4] 0 True | [] 0 | [0,3] 1 | i64<9[4] 0",
};

/* ---- amax, amin, argmax, argmin ------------------------------------------------------------ */

typedef struct {
    cn_ints dim;
    bool keepdim;
} Dims;

static cn_tensor *over_dims(const cn_op *op, cn_tensor *t, const cn_ints *dims, bool keepdim,
                            bool smallest, const char *what)
{
    int dim;
    cn_tensor *merged = cn_merge_dims(t, dims, what, &dim);
    if (!merged) return NULL;
    cn_tensor *y = cn_apply1(op, &merged, 1, &(cn_extreme_params){ dim, smallest });
    return keepdim ? cn_restore_dims(y, &t->v.shape, dims, false) : y;
}

static bool amax_compose(cn_call *c)
{
    const Dims *p = c->params;
    bool smallest = c->op == &cn_op_amin;
    return cn_set_out(
        c, 0, over_dims(&cn_op_extreme, c->in[0], &p->dim, p->keepdim, smallest, c->op->name));
}

#define EXTREME_SAMPLES "[2,3,4] | [2,3,4] dim=(0,2) | [2,3,4] dim=-1 keepdim=True | [] | i64<9[5]"

const cn_op cn_op_amax = {
    CN_OP_HEAD(amax, "amax", "(Tensor input, int[] dim=(), bool keepdim=False) -> Tensor"),
    .doc = "The largest element over dim (none: over all); equal ones share the gradient.",
    .params_size = sizeof(Dims),
    .compose = amax_compose,
    .samples = EXTREME_SAMPLES,
};

const cn_op cn_op_amin = {
    CN_OP_HEAD(amin, "amin", "(Tensor input, int[] dim=(), bool keepdim=False) -> Tensor"),
    .doc = "The smallest element over dim (none: over all); equal ones share the gradient.",
    .params_size = sizeof(Dims),
    .compose = amax_compose,
    .samples = EXTREME_SAMPLES,
};

typedef struct {
    cn_opt_int dim;
    bool keepdim;
} OneDim;

static bool argmax_compose(cn_call *c)
{
    const OneDim *p = c->params;
    cn_ints dims = cn_one_dim(p->dim);
    bool smallest = c->op == &cn_op_argmin;
    if (c->in[0]->v.dtype == CN_BOOL)
        return cn_fail(CN_EINVALID, "%s: numbers are wanted, not bool", c->op->name);
    return cn_set_out(
        c, 0, over_dims(&cn_op_arg_extreme, c->in[0], &dims, p->keepdim, smallest, c->op->name));
}

const cn_op cn_op_argmax = {
    CN_OP_HEAD(argmax, "argmax", "(Tensor input, int? dim=None, bool keepdim=False) -> Tensor"),
    .doc = "The index of the first largest element along dim (none: of all, flattened).",
    .params_size = sizeof(OneDim),
    .flags = CN_NO_GRAD_OP,
    .compose = argmax_compose,
    .samples = "[2,3,4] | [2,3] dim=1 | [2,3] dim=-2 keepdim=True | [] | i64<9[5]",
};

const cn_op cn_op_argmin = {
    CN_OP_HEAD(argmin, "argmin", "(Tensor input, int? dim=None, bool keepdim=False) -> Tensor"),
    .doc = "The index of the first smallest element along dim (none: of all, flattened).",
    .params_size = sizeof(OneDim),
    .flags = CN_NO_GRAD_OP,
    .compose = argmax_compose,
    .samples = "[2,3,4] | [2,3] dim=1 | [2,3] dim=-2 keepdim=True | [] | i64<9[5]",
};

/* ---- max, min: the values are gathered by their places, so the gradient goes there too ----- */

static bool max_compose(cn_call *c)
{
    const OneDim *p = c->params;
    bool smallest = c->op == &cn_op_min;
    cn_ints dims = cn_one_dim(p->dim);
    cn_tensor *t = c->in[0];
    if (!p->dim.given)
        return cn_set_out(c, 0, over_dims(&cn_op_extreme, t, &dims, false, smallest, c->op->name));
    cn_tensor *at = over_dims(&cn_op_arg_extreme, t, &dims, true, smallest, c->op->name);
    cn_tensor *best = cn_gather(t, (int)p->dim.value, at);
    if (!best) return false;
    int dim = cn_wrap_dim(p->dim.value, t->v.shape.ndim, c->op->name);
    cn_shape s = p->keepdim ? best->v.shape : cn_without_dim(&best->v.shape, dim);
    return cn_set_out(c, 0, cn_reshape(best, s)) && cn_set_out(c, 1, cn_reshape(at, s));
}

#define MAX_SAMPLES "[2,3,4] | [2,3] dim=1 | [2,3] dim=-2 keepdim=True | [] | [] dim=0 | i64<9[5]"

const cn_op cn_op_max = {
    CN_OP_HEAD(max, "max", "(Tensor input, int? dim=None, bool keepdim=False) -> (Tensor, Tensor)"),
    .of_two = &cn_op_maximum,
    .doc =
        "The largest element; with dim, the largest along dim and their indices; of two tensors, "
        "maximum.",
    .params_size = sizeof(OneDim),
    .compose = max_compose,
    .samples = MAX_SAMPLES,
};

const cn_op cn_op_min = {
    CN_OP_HEAD(min, "min", "(Tensor input, int? dim=None, bool keepdim=False) -> (Tensor, Tensor)"),
    .of_two = &cn_op_minimum,
    .doc =
        "The smallest element; with dim, the smallest along dim and their indices; of two tensors, "
        "minimum.",
    .params_size = sizeof(OneDim),
    .compose = max_compose,
    .samples = MAX_SAMPLES,
};

/* ---- aminmax: both at once ------------------------------------------------------------------ */

static bool aminmax_compose(cn_call *c)
{
    const OneDim *p = c->params;
    cn_ints dims = cn_one_dim(p->dim);
    for (int i = 0; i < 2; i++) {
        cn_tensor *y = over_dims(&cn_op_extreme, c->in[0], &dims, p->keepdim, i == 0, "aminmax");
        if (!cn_set_out(c, i, y)) return false;
    }
    return true;
}

const cn_op cn_op_aminmax = {
    CN_OP_HEAD(aminmax, "aminmax",
               "(Tensor input, *, int? dim=None, bool keepdim=False) -> (Tensor, Tensor)"),
    .doc = "The smallest and the largest element along dim (none: of all).",
    .params_size = sizeof(OneDim),
    .compose = aminmax_compose,
    .samples = "[2,3,4] | [2,3] dim=1 | [2,3] dim=-2 keepdim=True | [] | i64<9[5]",
};

/* ---- of two -------------------------------------------------------------------------------- */

#define OP maximum
#define EXPR a > b || a != a ? a : b
#include "ops/elementwise/binary.inc"

#define OP minimum
#define EXPR a < b || a != a ? a : b
#include "ops/elementwise/binary.inc"

/* Each side gets the gradient where it did not lose, half of it where they are equal. */
static void of_two_backward(cn_grads *g, cn_tensor *(*loses)(cn_tensor *, cn_tensor *))
{
    cn_tensor *gy = cn_gout(g, 0), *a = cn_saved_in(g, 0), *b = cn_saved_in(g, 1);
    cn_tensor *half = cn_mul(cn_eq(a, b), cn_number(0.5)), *one = cn_number_i64(1);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_mul(gy, cn_sub(one, cn_add(loses(a, b), half))));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mul(gy, cn_sub(one, cn_add(loses(b, a), half))));
}

static void maximum_backward(cn_grads *g)
{
    of_two_backward(g, cn_lt);
}

static void minimum_backward(cn_grads *g)
{
    of_two_backward(g, cn_gt);
}

#define OF_TWO(ident, second, words, text, cases)                                                  \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input, " second " other) -> Tensor"),                   \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .flags = CN_POINTWISE,                                                                     \
        .infer = cn_infer_pointwise,                                                               \
        .kernel = ident##_kernel,                                                                  \
        .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),                                                    \
        .backward = ident##_backward,                                                              \
        .samples = cases,                                                                          \
    };                                                                                             \
    cn_tensor *cn_##ident(cn_tensor *input, cn_tensor *other)                                      \
    {                                                                                              \
        return CN_CALL(ident, NULL, input, other);                                                 \
    }

#define TWO_SAMPLES "[2,3] [2,3] | [2,3,4] [3,1] | [] [4] | [0,3] [1,3] | i64<9[3] [3]"
OF_TWO(maximum, "Tensor", NULL, "The larger of two, element by element; NaN wins.", TWO_SAMPLES)
OF_TWO(minimum, "Tensor", NULL, "The smaller of two, element by element; NaN wins.", TWO_SAMPLES)

/* ---- clamp: one bound at a time; at the bound the gradient passes to the input ------------- */

#define OP clamp_min
#define EXPR a < b || b != b ? b : a
#include "ops/elementwise/binary.inc"

#define OP clamp_max
#define EXPR a > b || b != b ? b : a
#include "ops/elementwise/binary.inc"

static void clamp_backward(cn_grads *g, cn_tensor *(*inside)(cn_tensor *, cn_tensor *),
                           cn_tensor *(*outside)(cn_tensor *, cn_tensor *))
{
    cn_tensor *gy = cn_gout(g, 0), *x = cn_saved_in(g, 0), *bound = cn_saved_in(g, 1);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_mul(gy, inside(x, bound)));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mul(gy, outside(x, bound)));
}

static void clamp_min_backward(cn_grads *g)
{
    clamp_backward(g, cn_ge, cn_lt);
}

static void clamp_max_backward(cn_grads *g)
{
    clamp_backward(g, cn_le, cn_gt);
}

OF_TWO(clamp_min, "Tensor|Scalar", NULL, "input, but at least other.",
       "[2,3] 0.2 | [2,3] [3] | [0] 1 | i64<9[4] 3")
OF_TWO(clamp_max, "Tensor|Scalar", NULL, "input, but at most other.",
       "[2,3] 0.2 | [2,3] [3] | [0] 1 | i64<9[4] 3")

static bool clamp_compose(cn_call *c)
{
    cn_tensor *y = c->in[0];
    if (!c->in[1] && !c->in[2]) return cn_fail(CN_EINVALID, "clamp: neither min nor max is given");
    if (c->in[1]) y = cn_clamp_min(y, c->in[1]);
    if (c->in[2]) y = cn_clamp_max(y, c->in[2]);
    return cn_set_out(c, 0, y);
}

const cn_op cn_op_clamp = {
    CN_OP_HEAD(clamp, "clamp",
               "(Tensor input, Tensor|Scalar? min=None, Tensor|Scalar? max=None) -> Tensor"),
    .aliases = "clip",
    .doc = "input limited to min .. max, numbers or tensors; the gradient passes at the bounds.",
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .compose = clamp_compose,
    .samples =
        "[2,3] -0.5 0.5 | [2,3] max=0.3 | [2,3] [3] [2,1] | [] min=0 | [0] 0 1 | i64<9[4] 2 5",
};

/* ---- typed --------------------------------------------------------------------------------- */

static cn_tensor *reduce_typed(const cn_op *op, const cn_reduce_args *a, bool smallest,
                               const char *what)
{
    if (!a->input) return NULL;
    cn_ints dims = cn_ints_of(&a->dim);
    return over_dims(op, a->input, &dims, a->keepdim, smallest, what);
}

cn_tensor *cn_amax_with(const cn_reduce_args *a)
{
    return reduce_typed(&cn_op_extreme, a, false, "amax");
}

cn_tensor *cn_amin_with(const cn_reduce_args *a)
{
    return reduce_typed(&cn_op_extreme, a, true, "amin");
}

cn_tensor *cn_argmax_with(const cn_reduce_args *a)
{
    return reduce_typed(&cn_op_arg_extreme, a, false, "argmax");
}

cn_tensor *cn_argmin_with(const cn_reduce_args *a)
{
    return reduce_typed(&cn_op_arg_extreme, a, true, "argmin");
}

cn_tensor *cn_clamp(cn_tensor *input, cn_tensor *min, cn_tensor *max)
{
    return CN_CALL(clamp, NULL, input, min, max);
}

static cn_indexed indexed(const cn_op *op, cn_tensor *input, int dim)
{
    cn_tensor *out[2];
    OneDim p = { { true, dim }, false };
    return cn_apply(op, &input, 1, &p, out, 2) ? (cn_indexed){ out[0], out[1] } : (cn_indexed){ 0 };
}

cn_indexed cn_max_along(cn_tensor *input, int dim)
{
    return indexed(&cn_op_max, input, dim);
}

cn_indexed cn_min_along(cn_tensor *input, int dim)
{
    return indexed(&cn_op_min, input, dim);
}
