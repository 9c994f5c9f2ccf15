/* unary_functions.c - more functions of one number: roots, logarithms, rounding, angles. */
#include "ops/compose.h"

#include <math.h>

#define ANY "[2,3] | [] | [0] | i64<9[3] | f64[2,2]"
#define INSIDE "[2,3] | [] | [0] | f64[2,2]" /* |x| < 1 */
#define POSITIVE "+[2,3] | +[] | [0] | f64+[2,2]"

#define ENTRY(ident, words, text, extra, kept, rule, cases)                                        \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input) -> Tensor"),                                     \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .flags = CN_POINTWISE | (extra),                                                           \
        .infer = cn_infer_pointwise,                                                               \
        .kernel = ident##_kernel,                                                                  \
        .saves = kept,                                                                             \
        .backward = rule,                                                                          \
        .samples = cases,                                                                          \
    };                                                                                             \
    cn_tensor *cn_##ident(cn_tensor *input)                                                        \
    {                                                                                              \
        return CN_CALL(ident, NULL, input);                                                        \
    }

/* A function whose derivative, `slope`, is written with x, the input. */
#define OF_INPUT(ident, words, text, cases, slope)                                                 \
    static void ident##_backward(cn_grads *g)                                                      \
    {                                                                                              \
        cn_tensor *x = cn_saved_in(g, 0);                                                          \
        cn_give(g, 0, cn_mul(cn_gout(g, 0), slope));                                               \
    }                                                                                              \
    ENTRY(ident, words, text, CN_TO_FLOAT, CN_SAVE_IN(0), ident##_backward, cases)

/* The same with y, the output. */
#define OF_OUTPUT(ident, words, text, cases, slope)                                                \
    static void ident##_backward(cn_grads *g)                                                      \
    {                                                                                              \
        cn_tensor *y = cn_saved_out(g, 0);                                                         \
        cn_give(g, 0, cn_mul(cn_gout(g, 0), slope));                                               \
    }                                                                                              \
    ENTRY(ident, words, text, CN_TO_FLOAT, CN_SAVE_OUT(0), ident##_backward, cases)

static cn_tensor *squared(cn_tensor *t)
{
    return cn_mul(t, t);
}

static cn_tensor *times(cn_tensor *t, double factor)
{
    return cn_mul(t, cn_number(factor));
}

static cn_tensor *one_plus(cn_tensor *t)
{
    return cn_add(t, cn_number_i64(1));
}

static cn_tensor *one_minus(cn_tensor *t)
{
    return cn_sub(cn_number_i64(1), t);
}

static cn_tensor *inverse(cn_tensor *t)
{
    return cn_div(cn_number_i64(1), t);
}

static const double LN2 = 0.69314718055994530942, LN10 = 2.30258509299404568402;

/* ---- roots, powers, logarithms ------------------------------------------------------------- */

#define OP rsqrt
#define EXPR 1 / M(sqrt)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_OUTPUT(rsqrt, NULL, "1 / sqrt(input).", POSITIVE, times(cn_mul(y, squared(y)), -0.5))

#define OP reciprocal
#define EXPR 1 / x
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_OUTPUT(reciprocal, NULL, "1 / input.", INSIDE, cn_neg(squared(y)))

#define OP exp2
#define EXPR M(exp2)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_OUTPUT(exp2, "special.exp2", "2 to the power of input.", ANY, times(y, LN2))

#define OP expm1
#define EXPR M(expm1)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_OUTPUT(expm1, "special.expm1", "exp(input) - 1, exact for small input.", ANY, one_plus(y))

#define OP log2
#define EXPR M(log2)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(log2, NULL, "The logarithm to base 2.", POSITIVE, inverse(times(x, LN2)))

#define OP log10
#define EXPR M(log10)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(log10, NULL, "The logarithm to base 10.", POSITIVE, inverse(times(x, LN10)))

#define OP log1p
#define EXPR M(log1p)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(log1p, "special.log1p", "log(1 + input), exact for small input.", POSITIVE,
         inverse(one_plus(x)))

/* ---- angles -------------------------------------------------------------------------------- */

#define OP sin
#define EXPR M(sin)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(sin, NULL, "The sine.", ANY, cn_cos(x))

#define OP cos
#define EXPR M(cos)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(cos, NULL, "The cosine.", ANY, cn_neg(cn_sin(x)))

#define OP tan
#define EXPR M(tan)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_OUTPUT(tan, NULL, "The tangent.", ANY, one_plus(squared(y)))

#define OP asin
#define EXPR M(asin)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(asin, "arcsin", "The angle whose sine is input.", INSIDE, cn_rsqrt(one_minus(squared(x))))

#define OP acos
#define EXPR M(acos)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(acos, "arccos", "The angle whose cosine is input.", INSIDE,
         cn_neg(cn_rsqrt(one_minus(squared(x)))))

#define OP atan
#define EXPR M(atan)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(atan, "arctan", "The angle whose tangent is input.", ANY, inverse(one_plus(squared(x))))

#define OP sinh
#define EXPR M(sinh)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(sinh, NULL, "The hyperbolic sine.", ANY, cn_cosh(x))

#define OP cosh
#define EXPR M(cosh)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(cosh, NULL, "The hyperbolic cosine.", ANY, cn_sinh(x))

#define OP erf
#define EXPR M(erf)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(erf, "special.erf", "The error function, 2 / sqrt(pi) times the integral of exp(-t^2).",
         ANY, times(cn_exp(cn_neg(squared(x))), 1.12837916709551257390))

/* ---- square, and what has steps: its gradient is 0 ----------------------------------------- */

#define OP square
#define EXPR x *x
#include "ops/elementwise/unary.inc"

static void square_backward(cn_grads *g)
{
    cn_give(g, 0, cn_mul(cn_gout(g, 0), cn_mul(cn_saved_in(g, 0), cn_number_i64(2))));
}
ENTRY(square, NULL, "input times itself.", 0, CN_SAVE_IN(0), square_backward, ANY)

static void zero_backward(cn_grads *g)
{
    cn_give(g, 0, cn_zeros_of_in(g, 0));
}

#define OP sign
#define EXPR (x > 0) - (x < 0)
#include "ops/elementwise/unary.inc"
ENTRY(sign, NULL, "1, 0 or -1 by the sign of input; its gradient is 0.", 0, 0, zero_backward, ANY)

#define INTEGERS_STAY (T) - 1 < 0 && (T)0.5 == 0

#define OP floor
#define EXPR INTEGERS_STAY ? x : (T)floor((double)x)
#include "ops/elementwise/unary.inc"
ENTRY(floor, NULL, "The largest integer that is not larger; its gradient is 0.", 0, 0,
      zero_backward, ANY)

#define OP ceil
#define EXPR INTEGERS_STAY ? x : (T)ceil((double)x)
#include "ops/elementwise/unary.inc"
ENTRY(ceil, NULL, "The smallest integer that is not smaller; its gradient is 0.", 0, 0,
      zero_backward, ANY)

#define OP trunc
#define EXPR INTEGERS_STAY ? x : (T)trunc((double)x)
#include "ops/elementwise/unary.inc"
ENTRY(trunc, "fix", "The integer part; its gradient is 0.", 0, 0, zero_backward, ANY)

/* round: to even at a half, like rint in the default rounding mode; decimals scale before and
   after. */
static double scale_in(const void *params)
{
    return pow(10, (double)*(const int64_t *)params);
}

#define OP round
#define PRELUDE const double scale = scale_in(params)
#define EXPR                                                                                       \
    INTEGERS_STAY ? x : scale == 1 ? (T)rint((double)x) : (T)(rint((double)x * scale) / scale)
#include "ops/elementwise/unary.inc"

const cn_op cn_op_round = {
    CN_OP_HEAD(round, "round", "(Tensor input, *, int decimals=0) -> Tensor"),
    .doc = "The nearest integer (multiple of 10^-decimals), to even at a half; its gradient is 0.",
    .params_size = sizeof(int64_t),
    .flags = CN_POINTWISE,
    .infer = cn_infer_pointwise,
    .kernel = round_kernel,
    .backward = zero_backward,
    .samples = ANY " | [4] decimals=1",
};

cn_tensor *cn_round(cn_tensor *input)
{
    return CN_CALL(round, &(int64_t){ 0 }, input);
}
