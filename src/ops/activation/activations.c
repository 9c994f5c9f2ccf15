/* activations.c - the activations beyond relu, sigmoid and tanh. D2L 5.1, 11.7. */
#include "ops/activation/slopes.h"
#include "ops/compose.h"
#include "ops/params.h"

#include <math.h>
#include <string.h>

#define CASES "[2,3] | [] | [0]"
#define IN_PLACE ", bool inplace=False"

/* ---- with kernels of their own ------------------------------------------------------------ */

#define POINTWISE(ident, parameters, struct_size, text, kept)                                      \
    CN_OP_HEAD(ident, "nn.functional." #ident, "(Tensor input" parameters ") -> Tensor"),          \
        .aliases = #ident, .doc = text, .flags = CN_POINTWISE, .params_size = struct_size,         \
        .infer = cn_infer_floats, .kernel = ident##_kernel, .saves = kept,                         \
        .backward = ident##_rule

static double first_of(const void *params)
{
    return *(const double *)params;
}

/* The rule of an activation whose gradient is the op ident_backward. */
#define SLOPE(ident)                                                                               \
    static void ident##_rule(cn_grads *g)                                                          \
    {                                                                                              \
        cn_give_slope(g, &cn_op_##ident##_backward, cn_saved_in(g, 0));                            \
    }

#define OP logsigmoid
#define EXPR (x < 0 ? x : 0) - M(log1p)(M(exp)(x < 0 ? x : -x))
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

/* sigmoid(-x) */
static void logsigmoid_rule(cn_grads *g)
{
    cn_give(g, 0, cn_mul(cn_gout(g, 0), cn_sigmoid(cn_neg(cn_saved_in(g, 0)))));
}

const cn_op cn_op_logsigmoid = {
    POINTWISE(logsigmoid, "", 0, "log(1 / (1 + exp(-input))), safe from overflow.", CN_SAVE_IN(0)),
    .samples = CASES,
};

#define OP leaky_relu
#define EXPR x > 0 ? x : x *slope
#define PRELUDE const T slope = (T)first_of(params)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

SLOPE(leaky_relu)
const cn_op cn_op_leaky_relu = {
    POINTWISE(leaky_relu, ", float negative_slope=0.01" IN_PLACE, sizeof(double),
              "input where it is positive, negative_slope input elsewhere.", CN_SAVE_IN(0)),
    .samples = CASES " | [4] 0.3",
};

#define OP elu
#define EXPR x > 0 ? x : alpha *M(expm1)(x)
#define PRELUDE const T alpha = (T)first_of(params)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

SLOPE(elu)
const cn_op cn_op_elu = {
    POINTWISE(elu, ", float alpha=1.0" IN_PLACE, sizeof(double),
              "input where it is positive, alpha (exp(input) - 1) elsewhere.", CN_SAVE_IN(0)),
    .samples = CASES " | [4] 0.3",
};

#define OP softplus
#define EXPR x *beta > threshold ? x : M(log1p)(M(exp)(x * beta)) / beta
#define PRELUDE                                                                                    \
    const T beta = (T)((const cn_softplus_params *)params)->beta,                                  \
            threshold = (T)((const cn_softplus_params *)params)->threshold
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

SLOPE(softplus)
const cn_op cn_op_softplus = {
    POINTWISE(softplus, ", float beta=1.0, float threshold=20.0", sizeof(cn_softplus_params),
              "log(1 + exp(beta input)) / beta; input where beta input is above threshold.",
              CN_SAVE_IN(0)),
    .samples = CASES " | [4] 2 0.5",
};

/* The normal distribution function times x; 0.7071.. is sqrt(1/2). */
#define OP gelu_erf
#define EXPR x *(T)0.5 * (1 + M(erf)(x * (T)0.70710678118654752440))
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

SLOPE(gelu_erf)
#define OP gelu_tanh
#define EXPR x *(T)0.5 * (1 + M(tanh)(M(gelu_inner)(x)))
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
SLOPE(gelu_tanh)

#define GELU(ident, text)                                                                          \
    CN_OP_HEAD(ident, #ident, "(Tensor input) -> Tensor"),                                         \
        .doc = text, .flags = CN_POINTWISE, .infer = cn_infer_floats, .kernel = ident##_kernel,    \
        .saves = CN_SAVE_IN(0), .backward = ident##_rule, .samples = CASES

const cn_op cn_op_gelu_erf = { GELU(
    gelu_erf, "input times the probability that a standard normal number is below it.") };
const cn_op cn_op_gelu_tanh = { GELU(
    gelu_tanh, "0.5 input (1 + tanh(sqrt(2 / pi) (input + 0.044715 input^3))).") };

#define OP silu
#define EXPR x / (1 + M(exp)(-x))
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

SLOPE(silu)
const cn_op cn_op_silu = {
    POINTWISE(silu, IN_PLACE, 0, "input sigmoid(input), also called swish (D2L 5.1).",
              CN_SAVE_IN(0)),
    .samples = CASES,
};

#define OP mish
#define EXPR x *M(mish_gate)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
SLOPE(mish)

const cn_op cn_op_mish = {
    POINTWISE(mish, IN_PLACE, 0, "input tanh(softplus(input)).", CN_SAVE_IN(0)),
    .samples = CASES,
};

#define OP hardswish
#define EXPR x *M(hardswish_gate)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
SLOPE(hardswish)

const cn_op cn_op_hardswish = {
    POINTWISE(hardswish, IN_PLACE, 0, "input relu6(input + 3) / 6.", CN_SAVE_IN(0)),
    .samples = CASES,
};

/* ---- made of other ops -------------------------------------------------------------------- */

#define COMPOSED(ident, parameters, struct_size, text)                                             \
    CN_OP_HEAD(ident, "nn.functional." #ident, "(Tensor input" parameters ") -> Tensor"),          \
        .aliases = #ident, .doc = text, .params_size = struct_size, .compose = ident##_compose

static bool gelu_compose(cn_call *c)
{
    const char *mode = *(const char *const *)c->params;
    if (!cn_want_float(c->op->name, c->in[0])) return false;
    if (mode && strcmp(mode, "tanh") == 0)
        return cn_set_out(c, 0, CN_CALL(gelu_tanh, NULL, c->in[0]));
    if (mode && strcmp(mode, "none") == 0)
        return cn_set_out(c, 0, CN_CALL(gelu_erf, NULL, c->in[0]));
    return cn_fail(CN_EINVALID, "gelu: approximate must be 'none' or 'tanh', not '%s'",
                   mode ? mode : "None");
}

const cn_op cn_op_gelu = {
    COMPOSED(
        gelu, ", *, str approximate='none'", sizeof(char *),
        "input times the normal distribution function, or its approximation by tanh (D2L 11.7)."),
    .samples = CASES " | [4] approximate=tanh",
};

/* The constants with which a network keeps its activations standardised. */
static bool selu_compose(cn_call *c)
{
    cn_tensor *y = cn_elu(c->in[0], 1.6732632423543772848);
    return cn_set_out(c, 0, cn_mul(y, cn_number(1.0507009873554804934)));
}

const cn_op cn_op_selu = { COMPOSED(selu, IN_PLACE, 0, "1.0507 elu(input, alpha=1.6733)."),
                           .samples = CASES };

static bool celu_compose(cn_call *c)
{
    double alpha = first_of(c->params);
    if (!cn_want_float(c->op->name, c->in[0])) return false;
    if (alpha == 0) return cn_fail(CN_EINVALID, "celu: alpha must not be 0");
    cn_tensor *y = cn_elu(cn_div(c->in[0], cn_number(alpha)), 1);
    return cn_set_out(c, 0, cn_mul(y, cn_number(alpha)));
}

const cn_op cn_op_celu = {
    COMPOSED(celu, ", float alpha=1.0" IN_PLACE, sizeof(double), "alpha elu(input / alpha)."),
    .samples = CASES " | [4] 0.3",
};

/* At and beyond the bounds the gradient is 0, which is why this is not clamp. */
static cn_tensor *hard_tanh(cn_tensor *x, double low, double high)
{
    bool whole = !cn_dtype_is_float(x->v.dtype);
    if (x->v.dtype == CN_BOOL) return cn_fail(CN_EINVALID, "hardtanh: not for bools"), NULL;
    cn_tensor *lowest = whole ? cn_number_i64((int64_t)low) : cn_number(low);
    cn_tensor *highest = whole ? cn_number_i64((int64_t)high) : cn_number(high);
    return cn_where(cn_le(x, lowest), lowest, cn_where(cn_ge(x, highest), highest, x));
}

static bool hardtanh_compose(cn_call *c)
{
    const double *bounds = c->params;
    if (c->in[0]->v.dtype == CN_U8 && (bounds[0] < 0 || bounds[1] < 0))
        return cn_fail(CN_EINVALID, "hardtanh: uint8 has no negative bounds, here %g and %g",
                       bounds[0], bounds[1]);
    if (bounds[0] > bounds[1])
        return cn_fail(CN_EINVALID, "hardtanh: min_val %g is above max_val %g", bounds[0],
                       bounds[1]);
    return cn_set_out(c, 0, hard_tanh(c->in[0], bounds[0], bounds[1]));
}

static bool relu6_compose(cn_call *c)
{
    return cn_set_out(c, 0, hard_tanh(c->in[0], 0, 6));
}

static cn_tensor *hard_sigmoid(cn_tensor *x)
{
    if (!(x = cn_add(x, cn_number(3)))) return NULL;
    return cn_div(hard_tanh(x, 0, 6), cn_number(6));
}

static bool hardsigmoid_compose(cn_call *c)
{
    if (!cn_want_float(c->op->name, c->in[0])) return false;
    return cn_set_out(c, 0, hard_sigmoid(c->in[0]));
}

const cn_op cn_op_hardtanh = {
    COMPOSED(hardtanh, ", float min_val=-1.0, float max_val=1.0" IN_PLACE, 2 * sizeof(double),
             "input kept between min_val and max_val."),
    .samples = CASES " | [6] -0.5 0.5",
};
const cn_op cn_op_relu6 = { COMPOSED(relu6, IN_PLACE, 0, "input kept between 0 and 6."),
                            .samples = CASES };
const cn_op cn_op_hardsigmoid = { COMPOSED(hardsigmoid, IN_PLACE, 0, "relu6(input + 3) / 6."),
                                  .samples = CASES };
static bool softsign_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_div(c->in[0], cn_add(cn_abs(c->in[0]), cn_number(1))));
}

static bool tanhshrink_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_sub(c->in[0], cn_tanh(c->in[0])));
}

/* x within lambda of 0 becomes 0; beyond it moves by `shift` towards 0. */
static cn_tensor *shrink(cn_tensor *x, double lambda, double shift)
{
    cn_tensor *by = cn_number(shift), *kept = shift != 0 ? cn_add(x, by) : x;
    cn_tensor *inner = cn_where(cn_le(cn_abs(x), cn_number(lambda)), cn_number(0), kept);
    return shift != 0 ? cn_where(cn_gt(x, cn_number(lambda)), cn_sub(x, by), inner) : inner;
}

static bool softshrink_compose(cn_call *c)
{
    double lambda = first_of(c->params);
    if (!cn_want_float(c->op->name, c->in[0])) return false;
    if (!(lambda >= 0))
        return cn_fail(CN_EINVALID, "softshrink: lambd must not be negative, got %g", lambda);
    return cn_set_out(c, 0, shrink(c->in[0], lambda, lambda));
}

static bool hardshrink_compose(cn_call *c)
{
    if (!cn_want_float(c->op->name, c->in[0])) return false;
    return cn_set_out(c, 0, shrink(c->in[0], first_of(c->params), 0));
}

static bool threshold_compose(cn_call *c)
{
    const double *p = c->params; /* threshold, value: of integers, without their fractions */
    cn_tensor *x = c->in[0], *limit = cn_number(p[0]), *value = cn_number(p[1]);
    if (x->v.dtype == CN_BOOL) return cn_fail(CN_EINVALID, "threshold: not for bools");
    if (!cn_dtype_is_float(x->v.dtype))
        limit = cn_to(limit, x->v.dtype), value = cn_to(value, x->v.dtype);
    return cn_set_out(c, 0, cn_where(cn_le(x, limit), value, x));
}

const cn_op cn_op_softsign = { COMPOSED(softsign, "", 0, "input / (1 + |input|)."),
                               .samples = CASES };
const cn_op cn_op_tanhshrink = { COMPOSED(tanhshrink, "", 0, "input - tanh(input)."),
                                 .samples = CASES };
const cn_op cn_op_softshrink = {
    COMPOSED(softshrink, ", float lambd=0.5", sizeof(double),
             "input moved by lambd towards 0, and 0 within lambd."),
    .samples = CASES " | [6] 0.3",
};
const cn_op cn_op_hardshrink = {
    COMPOSED(hardshrink, ", float lambd=0.5", sizeof(double),
             "input, and 0 where it is within lambd of 0."),
    .samples = CASES " | [6] 0.3",
};
const cn_op cn_op_threshold = {
    COMPOSED(threshold, ", float threshold, float value" IN_PLACE, 2 * sizeof(double),
             "input where it is above threshold, value elsewhere."),
    .samples = "[2,3] 0.2 -1 | i64<9[6] 2.5 -7.5",
};

/* ---- with a weight, or along a dimension -------------------------------------------------- */

static bool prelu_compose(cn_call *c)
{
    cn_tensor *x = c->in[0], *w = c->in[1];
    const cn_shape *s = &x->v.shape;
    int64_t channels = s->ndim > 1 ? s->dim[1] : 1;
    if (w->v.numel != 1 && (w->v.shape.ndim != 1 || w->v.numel != channels))
        return cn_fail(
            CN_EINVALID,
            "prelu: weight must have 1 number or one for each of %lld channels, not %lld",
            (long long)channels, (long long)w->v.numel);
    w = cn_reshape(w, w->v.numel == 1 ? cn_scalar_shape() : cn_shape_along(s->ndim, 1, channels));
    return cn_set_out(c, 0, cn_where(cn_gt(x, cn_number(0)), x, cn_mul(x, w)));
}

const cn_op cn_op_prelu = {
    CN_OP_HEAD(prelu, "nn.functional.prelu", "(Tensor input, Tensor weight) -> Tensor"),
    .aliases = "prelu",
    .doc = "input where it is positive, weight input elsewhere; one weight, or one per channel.",
    .compose = prelu_compose,
    .samples = "[2,3] [3] | [2,3,2] [1] | [4] [1]",
};

static bool glu_compose(cn_call *c)
{
    cn_tensor *x = c->in[0];
    int dim = cn_wrap_dim(*(const int64_t *)c->params, x->v.shape.ndim, "glu");
    if (dim < 0 || !cn_want_float("glu", x)) return false;
    int64_t size = x->v.shape.ndim ? x->v.shape.dim[dim] : 1;
    if (size % 2)
        return cn_fail(CN_EINVALID, "glu: dimension %d must have an even size, not %lld", dim,
                       (long long)size);
    cn_tensor *gate = cn_sigmoid(cn_narrow(x, dim, size / 2, size / 2));
    return cn_set_out(c, 0, cn_mul(cn_narrow(x, dim, 0, size / 2), gate));
}

const cn_op cn_op_glu = {
    COMPOSED(glu, ", int dim=-1", sizeof(int64_t),
             "The first half along dim times sigmoid of the second."),
    .samples = "[2,4] | [2,4] 0",
};

/* ---- typed -------------------------------------------------------------------------------- */

#define PLAIN(ident)                                                                               \
    cn_tensor *cn_##ident(cn_tensor *input)                                                        \
    {                                                                                              \
        return CN_CALL(ident, NULL, input);                                                        \
    }

PLAIN(logsigmoid)
PLAIN(silu)
PLAIN(mish)
PLAIN(selu)
PLAIN(relu6)
PLAIN(hardsigmoid)
PLAIN(hardswish)
PLAIN(softsign)

cn_tensor *cn_gelu(cn_tensor *input)
{
    return CN_CALL(gelu_erf, NULL, input);
}

cn_tensor *cn_gelu_tanh(cn_tensor *input)
{
    return CN_CALL(gelu_tanh, NULL, input);
}

cn_tensor *cn_leaky_relu(cn_tensor *input, double negative_slope)
{
    return CN_CALL(leaky_relu, &negative_slope, input);
}

cn_tensor *cn_elu(cn_tensor *input, double alpha)
{
    return CN_CALL(elu, &alpha, input);
}

cn_tensor *cn_softplus(cn_tensor *input)
{
    return CN_CALL(softplus, (&(cn_softplus_params){ 1, 20 }), input);
}

cn_tensor *cn_hardtanh(cn_tensor *input, double min_val, double max_val)
{
    return CN_CALL(hardtanh, ((double[]){ min_val, max_val }), input);
}

cn_tensor *cn_prelu(cn_tensor *input, cn_tensor *weight)
{
    return CN_CALL(prelu, NULL, input, weight);
}
