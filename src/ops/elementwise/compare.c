/* compare.c - comparisons: bool results, no gradients. */
#include "ops/internal.h"

#define COMPARE_OP(ident, words, sign)                                                             \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input, Tensor|Scalar other) -> Tensor"),                \
        .aliases = words,                                                                          \
        .doc = "input " sign " other, element by element: a bool tensor.",                         \
        .flags = CN_POINTWISE | CN_NO_GRAD_OP,                                                     \
        .infer = cn_infer_compare,                                                                 \
        .kernel = ident##_kernel,                                                                  \
        .samples = "[2,3] [2,3] | [2,3] 0 | i64<3[5] i64<3[5] | [0] [1] | [] [2]",                 \
    }

#define RESULT uint8_t
#define OP eq
#define EXPR a == b
#include "ops/elementwise/binary.inc"
COMPARE_OP(eq, "__eq__", "==");

#define RESULT uint8_t
#define OP ne
#define EXPR a != b
#include "ops/elementwise/binary.inc"
COMPARE_OP(ne, "__ne__ not_equal", "!=");

#define RESULT uint8_t
#define OP lt
#define EXPR a < b
#include "ops/elementwise/binary.inc"
COMPARE_OP(lt, "__lt__ less", "<");

#define RESULT uint8_t
#define OP le
#define EXPR a <= b
#include "ops/elementwise/binary.inc"
COMPARE_OP(le, "__le__ less_equal", "<=");

#define RESULT uint8_t
#define OP gt
#define EXPR a > b
#include "ops/elementwise/binary.inc"
COMPARE_OP(gt, "__gt__ greater", ">");

#define RESULT uint8_t
#define OP ge
#define EXPR a >= b
#include "ops/elementwise/binary.inc"
COMPARE_OP(ge, "__ge__ greater_equal", ">=");

cn_tensor *cn_eq(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(eq, NULL, input, other);
}

cn_tensor *cn_ne(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(ne, NULL, input, other);
}

cn_tensor *cn_lt(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(lt, NULL, input, other);
}

cn_tensor *cn_le(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(le, NULL, input, other);
}

cn_tensor *cn_gt(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(gt, NULL, input, other);
}

cn_tensor *cn_ge(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(ge, NULL, input, other);
}
