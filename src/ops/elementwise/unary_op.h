/* unary_op.h - entries of the table for functions of one number. */
#ifndef CN_OPS_ELEMENTWISE_UNARY_OP_H
#define CN_OPS_ELEMENTWISE_UNARY_OP_H

#include "ops/compose.h"

#define CN_SAMPLES_ANY "[2,3] | [] | [0] | i64<9[3] | f64[2,2]"
#define CN_SAMPLES_INSIDE "[2,3] | [] | [0] | f64[2,2]" /* |x| < 1 */
#define CN_SAMPLES_POSITIVE "+[2,3] | +[] | [0] | f64+[2,2]"

#define CN_UNARY_ENTRY(ident, qualified, words, text, rule, extra, kept, gradient, cases)          \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, qualified, "(Tensor input) -> Tensor"),                                  \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .flags = CN_POINTWISE | (extra),                                                           \
        .infer = rule,                                                                             \
        .kernel = ident##_kernel,                                                                  \
        .saves = kept,                                                                             \
        .backward = gradient,                                                                      \
        .samples = cases,                                                                          \
    }

/* A function to floats whose derivative, `slope`, is written with x, the input. */
#define CN_OF_INPUT(ident, qualified, words, text, cases, slope)                                   \
    static void ident##_backward(cn_grads *g)                                                      \
    {                                                                                              \
        cn_tensor *x = cn_saved_in(g, 0);                                                          \
        cn_give(g, 0, cn_mul(cn_gout(g, 0), slope));                                               \
    }                                                                                              \
    CN_UNARY_ENTRY(ident, qualified, words, text, cn_infer_pointwise, CN_TO_FLOAT, CN_SAVE_IN(0),  \
                   ident##_backward, cases)

/* The same with y, the output. */
#define CN_OF_OUTPUT(ident, qualified, words, text, cases, slope)                                  \
    static void ident##_backward(cn_grads *g)                                                      \
    {                                                                                              \
        cn_tensor *y = cn_saved_out(g, 0);                                                         \
        cn_give(g, 0, cn_mul(cn_gout(g, 0), slope));                                               \
    }                                                                                              \
    CN_UNARY_ENTRY(ident, qualified, words, text, cn_infer_pointwise, CN_TO_FLOAT, CN_SAVE_OUT(0), \
                   ident##_backward, cases)

static inline cn_tensor *cn_squared(cn_tensor *t)
{
    return cn_mul(t, t);
}

static inline cn_tensor *cn_times(cn_tensor *t, double factor)
{
    return cn_mul(t, cn_number(factor));
}

static inline cn_tensor *cn_one_plus(cn_tensor *t)
{
    return cn_add(t, cn_number_i64(1));
}

static inline cn_tensor *cn_one_minus(cn_tensor *t)
{
    return cn_sub(cn_number_i64(1), t);
}

/* The gradient of what has steps. */
static inline void cn_zero_slope(cn_grads *g)
{
    for (int i = 0; i < cn_grad_inputs(g); i++)
        if (cn_wants(g, i)) cn_give(g, i, cn_zeros_of_in(g, i));
}

#endif
