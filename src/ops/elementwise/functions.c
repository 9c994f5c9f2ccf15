/* functions.c - exp, log, sqrt and the activations that are functions of one number. */
#include "ops/internal.h"

#include <math.h>

#define UNARY_FLOAT(ident, qualified, words, text, rule, kept, cases)                              \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, qualified, "(Tensor input) -> Tensor"),                                  \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .flags = CN_POINTWISE | CN_TO_FLOAT,                                                       \
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

#define ANY "[2,3] | [] | [0] | i64<9[3] | f64[2,2]"
#define POSITIVE "+[2,3] | +[] | [0] | f64+[2,2]"

#define OP exp
#define EXPR M(exp)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static void exp_backward(cn_grads *g)
{
    cn_give(g, 0, cn_mul(cn_gout(g, 0), cn_saved_out(g, 0)));
}
UNARY_FLOAT(exp, "exp", NULL, "e to the power of input.", exp_backward, CN_SAVE_OUT(0), ANY)

#define OP log
#define EXPR M(log)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static void log_backward(cn_grads *g)
{
    cn_give(g, 0, cn_div(cn_gout(g, 0), cn_saved_in(g, 0)));
}
UNARY_FLOAT(log, "log", NULL, "The natural logarithm.", log_backward, CN_SAVE_IN(0), POSITIVE)

#define OP sqrt
#define EXPR M(sqrt)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static void sqrt_backward(cn_grads *g)
{
    cn_give(g, 0, cn_div(cn_gout(g, 0), cn_mul(cn_saved_out(g, 0), cn_number_i64(2))));
}
UNARY_FLOAT(sqrt, "sqrt", NULL, "The square root.", sqrt_backward, CN_SAVE_OUT(0), POSITIVE)

#define OP tanh
#define EXPR M(tanh)(x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static void tanh_rule(cn_grads *g)
{
    cn_give_slope(g, &cn_op_tanh_backward, cn_saved_out(g, 0));
}
UNARY_FLOAT(tanh, "tanh", "nn.functional.tanh", "The hyperbolic tangent (D2L 5.1).", tanh_rule,
            CN_SAVE_OUT(0), ANY)

#define OP sigmoid
#define EXPR 1 / (1 + M(exp)(-x))
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static void sigmoid_rule(cn_grads *g)
{
    cn_give_slope(g, &cn_op_sigmoid_backward, cn_saved_out(g, 0));
}
UNARY_FLOAT(sigmoid, "sigmoid", "nn.functional.sigmoid special.expit",
            "1 / (1 + exp(-input)) (D2L 5.1).", sigmoid_rule, CN_SAVE_OUT(0), ANY)

/* ---- relu: integers stay integers ---------------------------------------------------------- */

#define OP relu
#define EXPR x > 0 || x != x ? x : 0
#include "ops/elementwise/unary.inc"

/* The output is positive where the input was: a saved output serves. */
static void relu_rule(cn_grads *g)
{
    cn_give_slope(g, &cn_op_relu_backward, cn_saved_out(g, 0));
}

const cn_op cn_op_relu = {
    CN_OP_HEAD(relu, "nn.functional.relu", "(Tensor input, bool inplace=False) -> Tensor"),
    .aliases = "relu",
    .doc = "max(input, 0); NaN passes through, the gradient at 0 is 0 (D2L 5.1).",
    .flags = CN_POINTWISE,
    .infer = cn_infer_numbers,
    .kernel = relu_kernel,
    .saves = CN_SAVE_OUT(0),
    .backward = relu_rule,
    .samples = ANY,
};

cn_tensor *cn_relu(cn_tensor *input)
{
    return CN_CALL(relu, NULL, input);
}
