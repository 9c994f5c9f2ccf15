/* casts.c - an op for each element type, as tensors have methods of these names. */
#include "ops/compose.h"

/* Rounded values have no finite differences, so the samples of narrow floats are integers. */
#define CAST_OP(ident, qualified, dtype, kind, cases)                                              \
    static bool ident##_compose(cn_call *c)                                                        \
    {                                                                                              \
        return cn_set_out(c, 0, cn_to(c->in[0], dtype));                                           \
    }                                                                                              \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, qualified, "(Tensor input) -> Tensor"),                                  \
        .doc = "The values as " qualified ", the input itself when it has that type already.",     \
        .flags = kind,                                                                             \
        .compose = ident##_compose,                                                                \
        .samples = cases,                                                                          \
    }

#define ANY "[2,3] | i64<9[4] | [] | [0] | bool[3]"
#define WHOLE "i64<9[4] | u8<99[] | i64[0] | bool[3]"

CAST_OP(to_bfloat16, "bfloat16", CN_BF16, 0, WHOLE);
CAST_OP(to_bool, "bool", CN_BOOL, CN_NO_GRAD_OP, ANY);
CAST_OP(to_byte, "byte", CN_U8, CN_NO_GRAD_OP, ANY);
CAST_OP(to_char, "char", CN_I8, CN_NO_GRAD_OP, ANY);
CAST_OP(to_double, "double", CN_F64, 0, ANY);
CAST_OP(to_float, "float", CN_F32, 0, WHOLE);
CAST_OP(to_half, "half", CN_F16, 0, WHOLE);
CAST_OP(to_int, "int", CN_I32, CN_NO_GRAD_OP, ANY);
CAST_OP(to_long, "long", CN_I64, CN_NO_GRAD_OP, ANY);
CAST_OP(to_short, "short", CN_I16, CN_NO_GRAD_OP, ANY);
