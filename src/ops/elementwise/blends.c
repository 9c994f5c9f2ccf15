/* blends.c - between two tensors, a product or quotient added, sums of exponentials. */
#include "ops/elementwise/unary_op.h"

#include <math.h>

/* ---- lerp ---------------------------------------------------------------------------------- */

/* From the nearer end, so that weight 1 gives exactly `end`. */
#define OP lerp
#define EXPR c<(T)0.5 && c>(T) - 0.5 ? a + c *(b - a) : b - (b - a) * (1 - c)
#define FLOAT_ONLY
#include "ops/elementwise/ternary.inc"

static bool lerp_infer(const cn_call *c, cn_spec out[])
{
    cn_dtype type = c->in[0]->v.dtype;
    if (!cn_want_float("lerp", c->in[0])) return false;
    for (int i = 1; i < c->n_in; i++)
        if (c->in[i]->v.dtype != type && !c->in[i]->is_number)
            return cn_fail(CN_EINVALID, "lerp: input is %s, and argument %d must be, too, not %s",
                           cn_dtype_name(type), i, cn_dtype_name(c->in[i]->v.dtype));
    return cn_infer_floats(c, out);
}

static void lerp_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0), *weight = cn_saved_in(g, 2);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_sub(gy, cn_mul(gy, weight)));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mul(gy, weight));
    if (cn_wants(g, 2)) cn_give(g, 2, cn_mul(gy, cn_sub(cn_saved_in(g, 1), cn_saved_in(g, 0))));
}

const cn_op cn_op_lerp = {
    CN_OP_HEAD(lerp, "lerp", "(Tensor input, Tensor end, Tensor|Scalar weight) -> Tensor"),
    .doc = "input + weight (end - input); the weight is a number or a tensor.",
    .flags = CN_POINTWISE,
    .infer = lerp_infer,
    .kernel = lerp_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .backward = lerp_backward,
    .samples = "[2,3] [2,3] [2,3] | [2,3] [3] 0.3 | [2,1] [] [3] | [] [] 0.75 | [0] [1] [1]",
};

/* ---- addcmul, addcdiv ---------------------------------------------------------------------- */

static double value_in(const void *params)
{
    const cn_number_arg *v = params;
    return v->kind == CN_NUM_FLOAT ? v->u.f : (double)v->u.i;
}

#define OP addcmul
#define EXPR a + value *b *c
#define PRELUDE const T value = (T)value_in(params)
#include "ops/elementwise/ternary.inc"

#define OP addcdiv
#define EXPR a + value *b / c
#define PRELUDE const T value = (T)value_in(params)
#define FLOAT_ONLY
#include "ops/elementwise/ternary.inc"

static bool addcdiv_infer(const cn_call *c, cn_spec out[])
{
    if (cn_dtype_is_float(c->in[1]->v.dtype) || cn_dtype_is_float(c->in[2]->v.dtype))
        return cn_infer_floats(c, out);
    return cn_fail(CN_EINVALID, "addcdiv: integers are not divided; convert tensor1 or tensor2 "
                                "to floats, or use div with a rounding_mode");
}

static void addcmul_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0);
    if (cn_wants(g, 0)) cn_give(g, 0, gy);
    cn_tensor *scaled = cn_times(gy, value_in(cn_grad_params(g)));
    for (int i = 1; i < 3; i++)
        if (cn_wants(g, i)) cn_give(g, i, cn_mul(scaled, cn_saved_in(g, 3 - i)));
}

static void addcdiv_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0), *divisor = cn_saved_in(g, 2);
    if (cn_wants(g, 0)) cn_give(g, 0, gy);
    cn_tensor *part = cn_div(cn_times(gy, value_in(cn_grad_params(g))), divisor);
    if (cn_wants(g, 1)) cn_give(g, 1, part);
    if (cn_wants(g, 2)) cn_give(g, 2, cn_neg(cn_mul(part, cn_div(cn_saved_in(g, 1), divisor))));
}

#define ADDC_OP(ident, infer_rule, text, cases)                                                    \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident,                                                                  \
                   "(Tensor input, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor"), \
        .doc = text,                                                                               \
        .params_size = sizeof(cn_number_arg),                                                      \
        .flags = CN_POINTWISE,                                                                     \
        .infer = infer_rule,                                                                       \
        .kernel = ident##_kernel,                                                                  \
        .saves = CN_SAVE_IN(1) | CN_SAVE_IN(2),                                                    \
        .backward = ident##_backward,                                                              \
        .samples =                                                                                 \
            "[2,3] [2,3] [2,3] | [2,3] [3] [2,1] value=-1.5 | [] [] [] | [0] [1] [1]" cases,       \
    }

/* For integers the value counts without its fraction. */
ADDC_OP(addcmul, cn_infer_numbers, "input + value tensor1 tensor2, element by element.",
        " | i64<9[4] i64<9[4] i64<9[] value=2 | i64<9[4] i64<9[4] i64<9[] value=-2.75");
ADDC_OP(addcdiv, addcdiv_infer, "input + value tensor1 / tensor2, element by element.",
        " | [4] i64<9[4] +[4]");

/* ---- logaddexp ----------------------------------------------------------------------------- */

/* Equal infinities have no difference. */
#define OP logaddexp
#define EXPR a == b &&a - b != 0 ? a : (a > b ? a : b) + M(log1p)(M(exp)(-M(fabs)(a - b)))
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

#define OP logaddexp2
#define EXPR a == b &&a - b != 0 ? a : (a > b ? a : b) + LOG2E *M(log1p)(M(exp2)(-M(fabs)(a - b)))
#define PRELUDE                                                                                    \
    const T LOG2E = (T)1.44269504088896340736;                                                     \
    (void)params
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

/* The share of each in the sum: sigmoid of the difference. */
static void shares_backward(cn_grads *g, double scale)
{
    cn_tensor *gap = cn_times(cn_sub(cn_saved_in(g, 0), cn_saved_in(g, 1)), scale);
    cn_tensor *gy = cn_gout(g, 0);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_mul(gy, cn_sigmoid(gap)));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mul(gy, cn_sigmoid(cn_neg(gap))));
}

static void logaddexp_backward(cn_grads *g)
{
    shares_backward(g, 1);
}

static void logaddexp2_backward(cn_grads *g)
{
    shares_backward(g, 0.69314718055994530942);
}

#define SUM_OP(ident, text)                                                                        \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input, Tensor other) -> Tensor"),                       \
        .doc = text,                                                                               \
        .flags = CN_POINTWISE,                                                                     \
        .infer = cn_infer_floats,                                                                  \
        .kernel = ident##_kernel,                                                                  \
        .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),                                                    \
        .backward = ident##_backward,                                                              \
        .samples = "[2,3] [2,3] | [2,3,4] [3,1] | [] [4] | [0,3] [1,3]",                           \
    }

SUM_OP(logaddexp, "log(exp(input) + exp(other)), without overflow.");
SUM_OP(logaddexp2, "log2(2^input + 2^other), without overflow.");
