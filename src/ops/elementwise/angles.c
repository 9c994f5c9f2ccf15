/* angles.c - inverse hyperbolic functions, degrees, the cardinal sine, the hypotenuse. */
#include "ops/elementwise/unary_op.h"

#include <math.h>

#define OP asinh
#define EXPR M(asinh)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(asinh, "asinh", "arcsinh", "The number whose hyperbolic sine is input.", CN_SAMPLES_ANY,
            cn_rsqrt(cn_one_plus(cn_squared(x))));

#define OP acosh
#define EXPR M(acosh)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(acosh, "acosh", "arccosh", "The positive number whose hyperbolic cosine is input.",
            "i64<9[3] | [0]", cn_rsqrt(cn_add(cn_squared(x), cn_number_i64(-1))));

#define OP atanh
#define EXPR M(atanh)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(atanh, "atanh", "arctanh", "The number whose hyperbolic tangent is input.",
            CN_SAMPLES_INSIDE, cn_reciprocal(cn_one_minus(cn_squared(x))));

static const double PI = 3.14159265358979323846, DEGREES = 57.2957795130823208768; /* 180 / PI */

#define OP rad2deg
#define EXPR x *(T)DEGREES
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static void rad2deg_backward(cn_grads *g)
{
    cn_give(g, 0, cn_times(cn_gout(g, 0), DEGREES));
}
CN_UNARY_ENTRY(rad2deg, "rad2deg", NULL, "An angle in degrees.", cn_infer_pointwise, CN_TO_FLOAT, 0,
               rad2deg_backward, CN_SAMPLES_ANY);

#define OP deg2rad
#define EXPR x *(T)(1 / DEGREES)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static void deg2rad_backward(cn_grads *g)
{
    cn_give(g, 0, cn_times(cn_gout(g, 0), 1 / DEGREES));
}
CN_UNARY_ENTRY(deg2rad, "deg2rad", NULL, "An angle given in degrees.", cn_infer_pointwise,
               CN_TO_FLOAT, 0, deg2rad_backward, CN_SAMPLES_ANY);

/* ---- sinc ---------------------------------------------------------------------------------- */

#define OP sinc
#define EXPR x == 0 ? 1 : M(sin)((T)PI * x) / ((T)PI * x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

/* (cos(pi x) - sinc x) / x, which is 0 at 0; there x is moved aside before it divides. */
static cn_tensor *sinc_slope(cn_tensor *x)
{
    cn_tensor *zero = cn_eq(x, cn_number_i64(0)), *safe = cn_add(x, zero);
    cn_tensor *cosine = cn_cos(cn_times(safe, PI)), *sine = cn_sin(cn_times(safe, PI));
    cn_tensor *sinc = cn_div(sine, cn_times(safe, PI));
    return cn_where(zero, cn_number(0), cn_div(cn_sub(cosine, sinc), safe));
}

CN_OF_INPUT(sinc, "sinc", "special.sinc", "sin(pi input) / (pi input), 1 at 0.", CN_SAMPLES_ANY,
            sinc_slope(x));

/* ---- hypot --------------------------------------------------------------------------------- */

#define OP hypot
#define EXPR M(hypot)(a, b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

static void hypot_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0), *y = cn_saved_out(g, 0);
    for (int i = 0; i < 2; i++)
        if (cn_wants(g, i)) cn_give(g, i, cn_mul(gy, cn_div(cn_saved_in(g, i), y)));
}

const cn_op cn_op_hypot = {
    CN_OP_HEAD(hypot, "hypot", "(Tensor input, Tensor other) -> Tensor"),
    .doc = "sqrt(input^2 + other^2), without overflow on the way.",
    .flags = CN_POINTWISE,
    .infer = cn_infer_floats,
    .kernel = hypot_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_OUT(0),
    .backward = hypot_backward,
    .samples = "[2,3] [2,3] | [2,3,4] [3,1] | [] [4] | [0,3] [1,3]",
};
