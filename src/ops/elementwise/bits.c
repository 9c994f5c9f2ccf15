/* bits.c - integers as rows of bits, and common divisors. Bools count as one bit. */
#include "ops/compose.h"

#define BITS_SAMPLES                                                                               \
    "i64<9[2,3] i64<9[3] | u8<99[4] 3 | bool[5] bool[5] | i64[0] i64[1] | i64[] i32[2]"
#define SHIFT_SAMPLES "i64<99[2,3] i64<9[3] | u8<99[4] 3 | i64[0] i64[1] | i64[] i32<5[2]"
#define WHOLE_SAMPLES "i64<99[2,3] i64<99[3] | u8<99[4] u8<9[] | i64[0] i64[1] | i64[] i32[2]"

#define BITS_OP(ident, takes, words, rule, text, cases)                                            \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(" takes " input, " takes " other) -> Tensor"),                 \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .flags = CN_POINTWISE | CN_NO_GRAD_OP,                                                     \
        .infer = rule,                                                                             \
        .kernel = ident##_kernel,                                                                  \
        .samples = cases,                                                                          \
    }

#define OP bitwise_and
#define EXPR a &b
#define INT_ONLY
#include "ops/elementwise/binary.inc"
BITS_OP(bitwise_and, "Tensor|Scalar", "__and__ __rand__", cn_infer_bits, "The bits that both have.",
        BITS_SAMPLES);

#define OP bitwise_or
#define EXPR a | b
#define INT_ONLY
#include "ops/elementwise/binary.inc"
BITS_OP(bitwise_or, "Tensor|Scalar", "__or__ __ror__", cn_infer_bits,
        "The bits that one of them has.", BITS_SAMPLES);

#define OP bitwise_xor
#define EXPR a ^ b
#define INT_ONLY
#include "ops/elementwise/binary.inc"
BITS_OP(bitwise_xor, "Tensor|Scalar", "__xor__ __rxor__", cn_infer_bits,
        "The bits that exactly one of them has.", BITS_SAMPLES);

/* Shifting out all bits leaves 0, or the sign; so does a negative distance. */
static int64_t shift_left(int64_t a, int64_t by)
{
    return by < 0 || by > 63 ? 0 : (int64_t)((uint64_t)a << by);
}

static int64_t shift_right(int64_t a, int64_t by)
{
    return a >> (by < 0 || by > 63 ? 63 : by);
}

#define OP bitwise_left_shift
#define EXPR shift_left(a, b)
#define INT_ONLY
#include "ops/elementwise/binary.inc"
BITS_OP(bitwise_left_shift, "Tensor|Scalar", "__lshift__", cn_infer_ints, "input times 2^other.",
        SHIFT_SAMPLES);

#define OP bitwise_right_shift
#define EXPR shift_right(a, b)
#define INT_ONLY
#include "ops/elementwise/binary.inc"
BITS_OP(bitwise_right_shift, "Tensor|Scalar", "__rshift__", cn_infer_ints,
        "input over 2^other, rounded down.", SHIFT_SAMPLES);

/* ---- not ----------------------------------------------------------------------------------- */

static bool bitwise_not_compose(cn_call *c)
{
    cn_tensor *x = c->in[0];
    if (x->v.dtype == CN_BOOL) return cn_set_out(c, 0, cn_logical_not(x));
    if (cn_dtype_is_float(x->v.dtype))
        return cn_fail(CN_EINVALID, "bitwise_not: integers or bools are wanted, not %s",
                       cn_dtype_name(x->v.dtype));
    return cn_set_out(c, 0, CN_CALL(bitwise_xor, NULL, x, cn_number_i64(-1)));
}

const cn_op cn_op_bitwise_not = {
    CN_OP_HEAD(bitwise_not, "bitwise_not", "(Tensor input) -> Tensor"),
    .aliases = "__invert__",
    .doc = "The bits that it does not have; of a bool: not.",
    .flags = CN_NO_GRAD_OP,
    .compose = bitwise_not_compose,
    .samples = "i64<9[2,3] | u8<99[4] | bool[5] | i64[] | i8[0]",
};

/* ---- common divisors ----------------------------------------------------------------------- */

static uint64_t magnitude(int64_t a)
{
    return a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
}

static uint64_t common_divisor(int64_t a, int64_t b)
{
    uint64_t x = magnitude(a), y = magnitude(b);
    while (y) {
        uint64_t rest = x % y;
        x = y, y = rest;
    }
    return x;
}

static int64_t common_multiple(int64_t a, int64_t b)
{
    uint64_t divisor = common_divisor(a, b);
    return divisor ? (int64_t)(magnitude(a) / divisor * magnitude(b)) : 0;
}

#define OP gcd
#define EXPR (T) common_divisor(a, b)
#define INT_ONLY
#include "ops/elementwise/binary.inc"
BITS_OP(gcd, "Tensor", NULL, cn_infer_ints,
        "The greatest common divisor, never negative; of 0 and 0: 0.", WHOLE_SAMPLES);

#define OP lcm
#define EXPR common_multiple(a, b)
#define INT_ONLY
#include "ops/elementwise/binary.inc"
BITS_OP(lcm, "Tensor", NULL, cn_infer_ints, "The least common multiple, never negative; of 0: 0.",
        WHOLE_SAMPLES);
