/* unary_functions.c - more functions of one number: roots, logarithms, rounding, angles. */
#include "ops/elementwise/unary_op.h"

#include <math.h>

#define TYPED(ident)                                                                               \
    cn_tensor *cn_##ident(cn_tensor *input)                                                        \
    {                                                                                              \
        return CN_CALL(ident, NULL, input);                                                        \
    }

#define ENTRY(ident, words, text, shapes, kept, rule, cases)                                       \
    CN_UNARY_ENTRY(ident, #ident, words, text, shapes, 0, kept, rule, cases);                      \
    TYPED(ident)
#define OF_INPUT(ident, words, text, cases, slope)                                                 \
    CN_OF_INPUT(ident, #ident, words, text, cases, slope);                                         \
    TYPED(ident)
#define OF_OUTPUT(ident, words, text, cases, slope)                                                \
    CN_OF_OUTPUT(ident, #ident, words, text, cases, slope);                                        \
    TYPED(ident)

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
OF_OUTPUT(rsqrt, NULL, "1 / sqrt(input).", CN_SAMPLES_POSITIVE,
          cn_times(cn_mul(y, cn_squared(y)), -0.5))

#define OP reciprocal
#define EXPR 1 / x
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_OUTPUT(reciprocal, NULL, "1 / input.", CN_SAMPLES_INSIDE, cn_neg(cn_squared(y)))

#define OP exp2
#define EXPR M(exp2)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_OUTPUT(exp2, "special.exp2", "2 to the power of input.", CN_SAMPLES_ANY, cn_times(y, LN2))

#define OP expm1
#define EXPR M(expm1)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_OUTPUT(expm1, "special.expm1", "exp(input) - 1, exact for small input.", CN_SAMPLES_ANY,
          cn_one_plus(y))

#define OP log2
#define EXPR M(log2)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(log2, NULL, "The logarithm to base 2.", CN_SAMPLES_POSITIVE, inverse(cn_times(x, LN2)))

#define OP log10
#define EXPR M(log10)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(log10, NULL, "The logarithm to base 10.", CN_SAMPLES_POSITIVE, inverse(cn_times(x, LN10)))

#define OP log1p
#define EXPR M(log1p)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(log1p, "special.log1p", "log(1 + input), exact for small input.", CN_SAMPLES_POSITIVE,
         inverse(cn_one_plus(x)))

/* ---- angles -------------------------------------------------------------------------------- */

#define OP sin
#define EXPR M(sin)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(sin, NULL, "The sine.", CN_SAMPLES_ANY, cn_cos(x))

#define OP cos
#define EXPR M(cos)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(cos, NULL, "The cosine.", CN_SAMPLES_ANY, cn_neg(cn_sin(x)))

#define OP tan
#define EXPR M(tan)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_OUTPUT(tan, NULL, "The tangent.", CN_SAMPLES_ANY, cn_one_plus(cn_squared(y)))

#define OP asin
#define EXPR M(asin)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(asin, "arcsin", "The angle whose sine is input.", CN_SAMPLES_INSIDE,
         cn_rsqrt(cn_one_minus(cn_squared(x))))

#define OP acos
#define EXPR M(acos)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(acos, "arccos", "The angle whose cosine is input.", CN_SAMPLES_INSIDE,
         cn_neg(cn_rsqrt(cn_one_minus(cn_squared(x)))))

#define OP atan
#define EXPR M(atan)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(atan, "arctan", "The angle whose tangent is input.", CN_SAMPLES_ANY,
         inverse(cn_one_plus(cn_squared(x))))

#define OP sinh
#define EXPR M(sinh)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(sinh, NULL, "The hyperbolic sine.", CN_SAMPLES_ANY, cn_cosh(x))

#define OP cosh
#define EXPR M(cosh)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(cosh, NULL, "The hyperbolic cosine.", CN_SAMPLES_ANY, cn_sinh(x))

#define OP erf
#define EXPR M(erf)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
OF_INPUT(erf, "special.erf", "The error function, 2 / sqrt(pi) times the integral of exp(-t^2).",
         CN_SAMPLES_ANY, cn_times(cn_exp(cn_neg(cn_squared(x))), 1.12837916709551257390))

/* ---- square, and what has steps: its gradient is 0 ----------------------------------------- */

static bool square_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_infer_pointwise(c, out)) return false;
    if (out->dtype == CN_BOOL) out->dtype = CN_I64;
    return true;
}

#define OP square
#define EXPR x *x
#include "ops/elementwise/unary.inc"

static void square_backward(cn_grads *g)
{
    cn_give(g, 0, cn_mul(cn_gout(g, 0), cn_mul(cn_saved_in(g, 0), cn_number_i64(2))));
}
ENTRY(square, NULL, "input times itself; bools give int64.", square_infer, CN_SAVE_IN(0),
      square_backward, CN_SAMPLES_ANY)

#define OP sign
#define EXPR (x > 0) - (x < 0)
#include "ops/elementwise/unary.inc"
ENTRY(sign, "sgn", "1, 0 or -1 by the sign of input; its gradient is 0.", cn_infer_pointwise, 0,
      cn_zero_slope, CN_SAMPLES_ANY)

#define INTEGERS_STAY (T) - 1 < 0 && (T)0.5 == 0

#define OP floor
#define EXPR INTEGERS_STAY ? x : (T)floor((double)x)
#include "ops/elementwise/unary.inc"
ENTRY(floor, NULL, "The largest integer that is not larger; its gradient is 0.", cn_infer_numbers,
      0, cn_zero_slope, CN_SAMPLES_ANY)

#define OP ceil
#define EXPR INTEGERS_STAY ? x : (T)ceil((double)x)
#include "ops/elementwise/unary.inc"
ENTRY(ceil, NULL, "The smallest integer that is not smaller; its gradient is 0.", cn_infer_numbers,
      0, cn_zero_slope, CN_SAMPLES_ANY)

#define OP trunc
#define EXPR INTEGERS_STAY ? x : (T)trunc((double)x)
#include "ops/elementwise/unary.inc"
ENTRY(trunc, "fix", "The integer part; its gradient is 0.", cn_infer_numbers, 0, cn_zero_slope,
      CN_SAMPLES_ANY)

/* round: to even at a half, like rint in the default rounding mode; decimals scale before and
   after, in the type of the input, so that what is a half is what PyTorch takes for one. */
#define OP round
#define PRELUDE                                                                                    \
    const int64_t places = *(const int64_t *)params;                                               \
    const T scale = (T)pow(10, fabs((double)places))
#define EXPR                                                                                       \
    INTEGERS_STAY ? x                                                                              \
    : places < 0  ? (T)rint((double)(x / scale)) * scale                                           \
                  : (T)rint((double)(x * scale)) / scale
#include "ops/elementwise/unary.inc"

const cn_op cn_op_round = {
    CN_OP_HEAD(round, "round", "(Tensor input, *, int decimals=0) -> Tensor"),
    .aliases = "special.round",
    .doc = "The nearest integer (multiple of 10^-decimals), to even at a half; its gradient is 0.",
    .params_size = sizeof(int64_t),
    .flags = CN_POINTWISE,
    .infer = cn_infer_numbers,
    .kernel = round_kernel,
    .backward = cn_zero_slope,
    .samples = CN_SAMPLES_ANY " | [4] decimals=1 | [4] decimals=-1",
};

cn_tensor *cn_round(cn_tensor *input)
{
    return CN_CALL(round, &(int64_t){ 0 }, input);
}
