/* error_functions.c - the error function's kin, the normal distribution, logarithms times a factor.

   Formulas: Abramowitz and Stegun, chapter 7; Olver et al., NIST Digital Library of Mathematical
   Functions, chapter 7. Accurate to about 1e-14, relatively. */
#include "ops/elementwise/unary_op.h"

#include <math.h>

static const double SQRT_HALF = 0.70710678118654752440, ROOT_PI = 1.77245385090551602730,
                    ROOT_2PI = 2.50662827463100050242, PI = 3.14159265358979323846;

/* exp(x^2) erfc(x). Large x: the asymptotic series; else the rounding error of x^2 is carried
   along, which exp would magnify. */
static double erfcx(double x)
{
    if (x < 25) {
        double square = x * x, rest = fma(x, x, -square);
        return isinf(square) ? square : exp(square) * (1 + rest) * erfc(x);
    }
    double term = 1, sum = 1;
    for (int k = 1; k < 10; k++) term *= -(2 * k - 1) / (2 * x * x), sum += term;
    return sum / (x * ROOT_PI);
}

/* The y >= 0 with erfc(y) = q, 0 < q <= 1: Winitzki's approximation, then Halley's iteration. */
static double erfc_inverse(double q)
{
    if (q == 1) return 0;
    const double a = 0.147;
    double l = log(q * (2 - q)), b = 2 / (PI * a) + l / 2;
    double y = sqrt(sqrt(b * b - l / a) - b);
    for (int k = 0; k < 4; k++) {
        /* (erfc(y) - q) / erfc'(y), scaled so that tiny values do not vanish */
        double step = (exp(y * y + log(q)) - erfcx(y)) * ROOT_PI / 2;
        y -= step / (1 + y * step);
    }
    return y;
}

static double erfinv_of(double x)
{
    if (!(fabs(x) <= 1)) return (double)NAN;
    if (fabs(x) == 1) return copysign((double)INFINITY, x);
    if (fabs(x) > 0.25) return copysign(erfc_inverse(1 - fabs(x)), x);
    double y = x * ROOT_PI / 2; /* near 0, where 1 - x would lose digits: Newton on erf itself */
    for (int k = 0; k < 5; k++) y -= (erf(y) - x) * ROOT_PI / 2 * exp(y * y);
    return y;
}

/* The quantile of the normal distribution. */
static double ndtri_of(double p)
{
    if (!(p >= 0 && p <= 1)) return (double)NAN;
    if (p == 0 || p == 1) return p == 0 ? -(double)INFINITY : (double)INFINITY;
    if (fabs(p - 0.5) < 0.125) return erfinv_of(2 * (p - 0.5)) / SQRT_HALF;
    double y = erfc_inverse(2 * (p < 0.5 ? p : 1 - p)) / SQRT_HALF;
    return p < 0.5 ? -y : y;
}

static double log_ndtr_of(double x)
{
    if (x < -1) return log(erfcx(-x * SQRT_HALF) / 2) - x * x / 2;
    return log1p(-erfc(x * SQRT_HALF) / 2);
}

static cn_tensor *gauss(cn_tensor *x, double exponent, double factor)
{
    return cn_times(cn_exp(cn_times(cn_squared(x), exponent)), factor);
}

#define OP erfc
#define EXPR M(erfc)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(erfc, "erfc", "special.erfc", "1 - erf(input), exact for large input.", CN_SAMPLES_ANY,
            gauss(x, -1, -2 / ROOT_PI));

#define OP erfcx
#define EXPR (T) erfcx((double)x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static void erfcx_backward(cn_grads *g)
{
    cn_tensor *xy = cn_mul(cn_saved_in(g, 0), cn_saved_out(g, 0));
    cn_tensor *slope = cn_sub(cn_times(xy, 2), cn_number(2 / ROOT_PI));
    cn_give(g, 0, cn_mul(cn_gout(g, 0), slope));
}
CN_UNARY_ENTRY(erfcx, "special.erfcx", NULL, "exp(input^2) erfc(input).", cn_infer_pointwise,
               CN_TO_FLOAT, CN_SAVE_IN(0) | CN_SAVE_OUT(0), erfcx_backward, CN_SAMPLES_ANY);

#define OP erfinv
#define EXPR (T) erfinv_of((double)x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_OUTPUT(erfinv, "erfinv", "special.erfinv", "The number whose error function is input.",
             CN_SAMPLES_INSIDE, gauss(y, 1, ROOT_PI / 2));

#define OP ndtr
#define EXPR (T)(erfc(-(double)x * SQRT_HALF) / 2)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(ndtr, "special.ndtr", NULL, "The probability that a standard normal number is below.",
            CN_SAMPLES_ANY, gauss(x, -0.5, 1 / ROOT_2PI));

#define OP ndtri
#define EXPR (T) ndtri_of((double)x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_OUTPUT(ndtri, "special.ndtri", NULL,
             "The number below which a standard normal one falls "
             "with probability input.",
             CN_SAMPLES_POSITIVE, gauss(y, 0.5, ROOT_2PI));

#define OP log_ndtr
#define EXPR (T) log_ndtr_of((double)x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(log_ndtr, "special.log_ndtr", NULL, "log(special.ndtr(input)), also far below 0.",
            CN_SAMPLES_ANY,
            cn_div(cn_number(2 / ROOT_2PI), CN_CALL(erfcx, NULL, cn_times(x, -SQRT_HALF))));

/* ---- logarithms with a factor: 0 log 0 is 0 ------------------------------------------------ */

#define OP entr
#define EXPR x > 0 ? -x *M(log)(x) : x == 0 ? 0 : x != x ? x : -(T)INFINITY
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(entr, "special.entr", NULL, "-input log(input); 0 at 0, -inf below.",
            CN_SAMPLES_POSITIVE, cn_neg(cn_one_plus(cn_log(x))));

#define OP xlogy
#define EXPR b != b ? b : a == 0 ? 0 : a *M(log)(b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

#define OP xlog1py
#define EXPR b != b ? b : a == 0 ? 0 : a *M(log1p)(b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

/* log(b + shift) for the factor, 0 where both the factor and the logarithm's argument vanish;
   a / (b + shift) for the argument. */
static void product_backward(cn_grads *g, int64_t shift)
{
    cn_tensor *gy = cn_gout(g, 0), *a = cn_saved_in(g, 0), *b = cn_saved_in(g, 1);
    cn_tensor *zero = cn_number_i64(0), *argument = shift ? cn_one_plus(b) : b;
    if (cn_wants(g, 0)) {
        cn_tensor *flat = cn_logical_and(cn_eq(a, zero), cn_le(argument, zero));
        cn_tensor *log = shift ? CN_CALL(xlog1py, NULL, gy, b) : CN_CALL(xlogy, NULL, gy, b);
        cn_give(g, 0, cn_where(flat, zero, log));
    }
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mul(gy, cn_div(a, argument)));
}

static void xlogy_backward(cn_grads *g)
{
    product_backward(g, 0);
}

static void xlog1py_backward(cn_grads *g)
{
    product_backward(g, 1);
}

#define PRODUCT_OP(ident, qualified, words, text)                                                  \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, qualified, "(Tensor|Scalar input, Tensor|Scalar other) -> Tensor"),      \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .flags = CN_POINTWISE | CN_TO_FLOAT,                                                       \
        .infer = cn_infer_pointwise,                                                               \
        .kernel = ident##_kernel,                                                                  \
        .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),                                                    \
        .backward = ident##_backward,                                                              \
        .samples = "[2,3] +[2,3] | [2,1] +[3] | [] +[4] | [0] [1] | i64<2[4] i64<2[4] | [3] 2",    \
    }

PRODUCT_OP(xlogy, "xlogy", "special.xlogy", "input log(other), 0 where input is 0.");
PRODUCT_OP(xlog1py, "special.xlog1py", NULL, "input log(1 + other), 0 where input is 0.");

/* ---- logit --------------------------------------------------------------------------------- */

static double eps_in(const void *params)
{
    const cn_opt_float *eps = params;
    return eps->given ? eps->value : -1;
}

static double logit_of(double x, double eps)
{
    if (eps >= 0) x = x < eps ? eps : x > 1 - eps ? 1 - eps : x;
    return log(x / (1 - x));
}

#define OP logit
#define EXPR (T) logit_of((double)x, eps)
#define PRELUDE const double eps = eps_in(params)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

/* 1 / (x (1 - x)); outside eps .. 1 - eps it is 0, and outside 0 .. 1 without eps NaN. */
static void logit_backward(cn_grads *g)
{
    double eps = eps_in(cn_grad_params(g)), low = eps >= 0 ? eps : 0;
    cn_tensor *x = cn_saved_in(g, 0);
    cn_tensor *outside = cn_logical_or(cn_lt(x, cn_number(low)), cn_gt(x, cn_number(1 - low)));
    cn_tensor *slope = cn_div(cn_gout(g, 0), cn_mul(x, cn_one_minus(x)));
    cn_give(g, 0, cn_where(outside, cn_number(eps >= 0 ? 0 : (double)NAN), slope));
}

const cn_op cn_op_logit = {
    CN_OP_HEAD(logit, "logit", "(Tensor input, float? eps=None) -> Tensor"),
    .aliases = "special.logit",
    .doc = "log(input / (1 - input)); input is first limited to eps .. 1 - eps, if given.",
    .params_size = sizeof(cn_opt_float),
    .flags = CN_POINTWISE | CN_TO_FLOAT,
    .infer = cn_infer_pointwise,
    .kernel = logit_kernel,
    .saves = CN_SAVE_IN(0),
    .backward = logit_backward,
    .samples = "+[2,3] | +[] | [0] | +[5] eps=0.3 | i64<2[3] 0.1",
};
