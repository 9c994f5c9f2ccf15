/* signs.c - signs, fractions, neighbours, and what is done about NaN and infinity. */
#include "ops/elementwise/unary_op.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- copysign, signbit, heaviside ---------------------------------------------------------- */

#define OP copysign
#define EXPR M(copysign)(a, b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

/* y / a, which is 1 or -1; 0 where a is 0. */
static void copysign_backward(cn_grads *g)
{
    cn_tensor *a = cn_saved_in(g, 0), *zero = cn_eq(a, cn_number_i64(0));
    cn_tensor *sign = cn_div(cn_saved_out(g, 0), cn_add(a, zero));
    if (cn_wants(g, 0))
        cn_give(g, 0, cn_mul(cn_gout(g, 0), cn_where(zero, cn_number_i64(0), sign)));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_zeros_of_in(g, 1));
}

const cn_op cn_op_copysign = {
    CN_OP_HEAD(copysign, "copysign", "(Tensor input, Tensor|Scalar other) -> Tensor"),
    .doc = "The size of input with the sign of other, that of -0 included.",
    .flags = CN_POINTWISE | CN_TO_FLOAT,
    .infer = cn_infer_pointwise,
    .kernel = copysign_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_OUT(0),
    .backward = copysign_backward,
    .samples = "[2,3] [2,3] | [2,3,4] [3,1] | [] [4] | [0,3] [1,3] | i64<9[3] [3] | [3] -2",
};

static bool signbit_compose(cn_call *c)
{
    cn_tensor *x = c->in[0];
    if (cn_dtype_is_float(x->v.dtype)) x = CN_CALL(copysign, NULL, cn_number_i64(1), x);
    return cn_set_out(c, 0, cn_lt(x, cn_number_i64(0)));
}

const cn_op cn_op_signbit = {
    CN_OP_HEAD(signbit, "signbit", "(Tensor input) -> Tensor"),
    .doc = "Does it have a minus sign, as -0 does?",
    .flags = CN_NO_GRAD_OP,
    .compose = signbit_compose,
    .samples = "[2,3] | i64<9[3] | [] | [0] | bool[2]",
};

#define OP heaviside
#define EXPR a == 0 ? b : a > 0
#include "ops/elementwise/binary.inc"

static bool heaviside_infer(const cn_call *c, cn_spec out[])
{
    if (c->in[0]->v.dtype == c->in[1]->v.dtype) return cn_infer_pointwise(c, out);
    return cn_fail(CN_EINVALID, "heaviside: input is %s, and values must be, too, not %s",
                   cn_dtype_name(c->in[0]->v.dtype), cn_dtype_name(c->in[1]->v.dtype));
}

const cn_op cn_op_heaviside = {
    CN_OP_HEAD(heaviside, "heaviside", "(Tensor input, Tensor values) -> Tensor"),
    .doc = "0 below 0, 1 above it, and values at 0.",
    .flags = CN_POINTWISE | CN_NO_GRAD_OP,
    .infer = heaviside_infer,
    .kernel = heaviside_kernel,
    .samples = "[2,3] [2,3] | i64<2[4] i64<9[] | [] [] | [0] [1]",
};

/* ---- positive, frac ------------------------------------------------------------------------ */

static bool positive_compose(cn_call *c)
{
    if (c->in[0]->v.dtype == CN_BOOL)
        return cn_fail(CN_EINVALID, "positive: numbers are wanted, not bool");
    return cn_set_out(c, 0, c->in[0]);
}

const cn_op cn_op_positive = {
    CN_OP_HEAD(positive, "positive", "(Tensor input) -> Tensor"),
    .aliases = "__pos__",
    .doc = "The input itself.",
    .compose = positive_compose,
    .samples = "[2,3] | i64<9[3] | [] | [0]",
};

#define OP frac
#define EXPR x - M(trunc)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static void frac_backward(cn_grads *g)
{
    cn_give(g, 0, cn_gout(g, 0));
}

CN_UNARY_ENTRY(frac, "frac", NULL, "What is left of the integer part, with the sign of input.",
               cn_infer_floats, 0, 0, frac_backward, CN_SAMPLES_INSIDE);

/* ---- infinities and NaN -------------------------------------------------------------------- */

static cn_tensor *is_value(cn_tensor *x, double value)
{
    if (!cn_dtype_is_float(x->v.dtype)) return cn_zeros(x->v.shape, CN_BOOL);
    return cn_eq(x, cn_number(value));
}

static bool isposinf_compose(cn_call *c)
{
    return cn_set_out(c, 0, is_value(c->in[0], (double)INFINITY));
}

static bool isneginf_compose(cn_call *c)
{
    return cn_set_out(c, 0, is_value(c->in[0], -(double)INFINITY));
}

#define INFINITY_OP(ident, text)                                                                   \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input) -> Tensor"),                                     \
        .doc = text,                                                                               \
        .flags = CN_NO_GRAD_OP,                                                                    \
        .compose = ident##_compose,                                                                \
        .samples = "[2,3] | i64<9[3] | [] | [0] | bool[2]",                                        \
    }

INFINITY_OP(isposinf, "Is it infinity?");
INFINITY_OP(isneginf, "Is it minus infinity?");

typedef struct {
    cn_opt_float nan, posinf, neginf;
} Instead;

static double largest(cn_dtype d)
{
    return d == CN_F64    ? DBL_MAX
           : d == CN_F32  ? (double)FLT_MAX
           : d == CN_BF16 ? 0x1.fep127
                          : 65504; /* float16 */
}

static bool nan_to_num_compose(cn_call *c)
{
    const Instead *p = c->params;
    cn_tensor *x = c->in[0];
    if (!cn_dtype_is_float(x->v.dtype)) return cn_set_out(c, 0, cn_clone(x));
    double most = largest(x->v.dtype);
    cn_tensor *up = cn_number(p->posinf.given ? p->posinf.value : most);
    cn_tensor *down = cn_number(p->neginf.given ? p->neginf.value : -most);
    cn_tensor *y = cn_where(cn_isnan(x), cn_number(p->nan.given ? p->nan.value : 0), x);
    y = cn_where(cn_eq(x, cn_number((double)INFINITY)), up, y);
    return cn_set_out(c, 0, cn_where(cn_eq(x, cn_number(-(double)INFINITY)), down, y));
}

const cn_op cn_op_nan_to_num = {
    CN_OP_HEAD(nan_to_num, "nan_to_num",
               "(Tensor input, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor"),
    .doc = "NaN becomes 0, infinities the largest numbers of the type, or what is told.",
    .params_size = sizeof(Instead),
    .compose = nan_to_num_compose,
    .samples = "[2,3] | i64<9[3] | [] 1.0 | [0] posinf=2.0 | [3] neginf=-1.0",
};

/* The larger (smaller); what is no number loses, and of equal ones input gets the gradient. */
static cn_tensor *unless_nan(const cn_call *c, cn_tensor *(*wins)(cn_tensor *, cn_tensor *))
{
    cn_tensor *a = c->in[0], *b = c->in[1];
    return cn_where(cn_logical_or(wins(a, b), cn_isnan(b)), a, b);
}

static bool fmax_compose(cn_call *c)
{
    return cn_set_out(c, 0, unless_nan(c, cn_ge));
}

static bool fmin_compose(cn_call *c)
{
    return cn_set_out(c, 0, unless_nan(c, cn_le));
}

#define UNLESS_NAN_OP(ident, text)                                                                 \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input, Tensor other) -> Tensor"),                       \
        .doc = text,                                                                               \
        .compose = ident##_compose,                                                                \
        .samples = "[2,3] [2,3] | [2,3,4] [3,1] | [] [4] | [0,3] [1,3] | i64<9[3] [3]",            \
    }

UNLESS_NAN_OP(fmax, "The larger of two; NaN only where both are.");
UNLESS_NAN_OP(fmin, "The smaller of two; NaN only where both are.");

/* ---- the parts of a float ------------------------------------------------------------------ */

#define OP nextafter
#define EXPR M(nextafter)(a, b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

static bool nextafter_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_infer_floats(c, out)) return false;
    if (cn_dtype_size(out->dtype) >= sizeof(float)) return true;
    return cn_fail(CN_EUNSUPPORTED, "nextafter: not for %s, which is computed in float32",
                   cn_dtype_name(out->dtype));
}

const cn_op cn_op_nextafter = {
    CN_OP_HEAD(nextafter, "nextafter", "(Tensor input, Tensor other) -> Tensor"),
    .doc = "The next float after input in the direction of other.",
    .flags = CN_POINTWISE | CN_NO_GRAD_OP,
    .infer = nextafter_infer,
    .kernel = nextafter_kernel,
    .samples = "[2,3] [2,3] | [2,3,4] [3,1] | [] [4] | [0,3] [1,3]",
};

static bool ldexp_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_mul(c->in[0], cn_pow(cn_number(2), c->in[1])));
}

const cn_op cn_op_ldexp = {
    CN_OP_HEAD(ldexp, "ldexp", "(Tensor input, Tensor other) -> Tensor"),
    .doc = "input times 2^other.",
    .compose = ldexp_compose,
    .samples = "[2,3] i64<9[2,3] | [2,3] [3] | [0] [1]",
};

static bool frexp_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_infer_floats(c, out)) return false;
    out[1] = (cn_spec){ CN_I32, out[0].shape };
    return true;
}

static bool frexp_kernel(const cn_call *c)
{
    const cn_view *x = cn_in(c, 0), *mantissa = cn_out(c, 0);
    size_t size = cn_dtype_size(x->dtype);
    int64_t *exponents = (int64_t *)(void *)cn_out(c, 1)->data;
    for (int64_t i = 0; i < x->numel; i++) {
        int exponent = 0;
        size_t at = (size_t)i * size;
        cn_store_f64(mantissa->data + at, x->dtype,
                     frexp(cn_load_f64(x->data + at, x->dtype), &exponent));
        exponents[i] = exponent;
    }
    return true;
}

/* The exponent stays as it is nearby. */
static void frexp_backward(cn_grads *g)
{
    cn_tensor *power = cn_pow(cn_number(2), cn_neg(cn_saved_out(g, 1)));
    cn_give(g, 0, cn_mul(cn_gout(g, 0), cn_to(power, cn_in_dtype(g, 0))));
}

const cn_op cn_op_frexp = {
    CN_OP_HEAD(frexp, "frexp", "(Tensor input) -> (Tensor, Tensor)"),
    .doc = "Mantissa (0.5 <= |m| < 1) and exponent: input = m 2^exponent.",
    .flags = CN_ROWS,
    .grad_outs = 1,
    .infer = frexp_infer,
    .kernel = frexp_kernel,
    .saves = CN_SAVE_OUT(1),
    .backward = frexp_backward,
    .samples = "[2,3] | [] | [0]",
};

/* ---- float_power --------------------------------------------------------------------------- */

static bool float_power_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_pow(cn_to(c->in[0], CN_F64), cn_to(c->in[1], CN_F64)));
}

const cn_op cn_op_float_power = {
    CN_OP_HEAD(float_power, "float_power",
               "(Tensor|Scalar input, Tensor|Scalar exponent) -> Tensor"),
    .doc = "input to the power of exponent, in float64.",
    .compose = float_power_compose,
    .samples = "+[2,3] [2,3] | [2,3] 2 | i64<5[3] -1 | +[4] 0.5 | +[0] [1] | 2 [3]",
};
