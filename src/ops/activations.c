/* activations.c - the activations with parameters, and those made of others. D2L 5.1. */
#include "ops/compose.h"

#include <math.h>

/* ---- logsigmoid ------------------------------------------------------------------------------------------- */

#define OP logsigmoid
#define EXPR (x < 0 ? x : 0) - M(log1p)(M(exp)(x < 0 ? x : -x))
#define FLOAT_ONLY
#include "ops/unary.inc"

/* sigmoid(-x) */
static void logsigmoid_backward(cn_grads *g)
{
    cn_give(g, 0, cn_mul(cn_gout(g, 0), cn_sigmoid(cn_neg(cn_saved_in(g, 0)))));
}

const cn_op cn_op_logsigmoid = {
    CN_OP_HEAD(logsigmoid, "nn.functional.logsigmoid", "(Tensor input) -> Tensor"),
    .doc = "log(1 / (1 + exp(-input))), safe from overflow.",
    .flags = CN_POINTWISE | CN_TO_FLOAT,
    .infer = cn_infer_pointwise,
    .kernel = logsigmoid_kernel,
    .saves = CN_SAVE_IN(0),
    .backward = logsigmoid_backward,
    .samples = "[2,3] | [] | [0]",
};

cn_tensor *cn_logsigmoid(cn_tensor *input)
{
    return CN_CALL(logsigmoid, NULL, input);
}
