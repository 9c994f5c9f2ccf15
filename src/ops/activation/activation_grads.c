/* activation_grads.c - gradients of activations in one pass, from the saved result y. */
#include "ops/internal.h"

#define OP relu_backward
#define EXPR b > 0 ? a : 0
#include "ops/elementwise/binary.inc"

#define OP sigmoid_backward
#define EXPR a *b *(1 - b)
#include "ops/elementwise/binary.inc"

#define OP tanh_backward
#define EXPR a *(1 - b * b)
#include "ops/elementwise/binary.inc"

/* Each is linear in grad; towards y the derivative is that of the formula. */
static void relu_rule(cn_grads *g)
{
    cn_give(g, 0, cn_relu_backward(cn_gout(g, 0), cn_saved_in(g, 1)));
}

static void sigmoid_rule(cn_grads *g)
{
    cn_tensor *gg = cn_gout(g, 0), *y = cn_saved_in(g, 1);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_sigmoid_backward(gg, y));
    if (cn_wants(g, 1)) {
        cn_tensor *slope = cn_sub(cn_num(1), cn_mul(y, cn_num(2)));
        cn_give(g, 1, cn_mul(gg, cn_mul(cn_saved_in(g, 0), slope)));
    }
}

static void tanh_rule(cn_grads *g)
{
    cn_tensor *gg = cn_gout(g, 0), *y = cn_saved_in(g, 1);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_tanh_backward(gg, y));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mul(gg, cn_mul(cn_saved_in(g, 0), cn_mul(y, cn_num(-2)))));
}

#define BACKWARD_OP(ident, formula, rule)                                                          \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor grad_output, Tensor output) -> Tensor"),                \
        .doc = "The gradient of an activation from its result y: " formula ".",                    \
        .flags = CN_POINTWISE,                                                                     \
        .infer = cn_infer_pointwise,                                                               \
        .kernel = ident##_kernel,                                                                  \
        .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),                                                    \
        .backward = rule,                                                                          \
        .samples = "[2,3] [2,3] | [] [] | [0] [0]",                                                \
    };                                                                                             \
    cn_tensor *cn_##ident(cn_tensor *grad, cn_tensor *y)                                           \
    {                                                                                              \
        return CN_CALL(ident, NULL, grad, y);                                                      \
    }

BACKWARD_OP(relu_backward, "grad where y > 0, else 0", relu_rule)
BACKWARD_OP(sigmoid_backward, "grad y (1 - y)", sigmoid_rule)
BACKWARD_OP(tanh_backward, "grad (1 - y^2)", tanh_rule)
