/* logic.c - questions about elements: and, or, not, NaN, closeness. All answers are bool. */
#include "ops/compose.h"

#include <math.h>

/* ---- of two -------------------------------------------------------------------------------- */

#define LOGIC_OP(ident, text)                                                                      \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input, Tensor other) -> Tensor"),                       \
        .doc = text,                                                                               \
        .flags = CN_POINTWISE | CN_NO_GRAD_OP,                                                     \
        .infer = cn_infer_compare,                                                                 \
        .kernel = ident##_kernel,                                                                  \
        .samples = "bool[2,3] bool[3] | [2,3] i64<2[2,1] | [0] [1] | bool[] bool[2]",              \
    };                                                                                             \
    cn_tensor *cn_##ident(cn_tensor *input, cn_tensor *other)                                      \
    {                                                                                              \
        return CN_CALL(ident, NULL, input, other);                                                 \
    }

#define RESULT uint8_t
#define OP logical_and
#define EXPR a != 0 && b != 0
#include "ops/elementwise/binary.inc"
LOGIC_OP(logical_and, "Are both other than zero?")

#define RESULT uint8_t
#define OP logical_or
#define EXPR a != 0 || b != 0
#include "ops/elementwise/binary.inc"
LOGIC_OP(logical_or, "Is one of them other than zero?")

#define RESULT uint8_t
#define OP logical_xor
#define EXPR (a != 0) != (b != 0)
#include "ops/elementwise/binary.inc"
LOGIC_OP(logical_xor, "Is exactly one of them other than zero?")

/* ---- of one: each is a comparison ---------------------------------------------------------- */

#define QUESTION_OP(ident, words, text, answer)                                                    \
    cn_tensor *cn_##ident(cn_tensor *x)                                                            \
    {                                                                                              \
        return x ? answer : NULL;                                                                  \
    }                                                                                              \
    static bool ident##_compose(cn_call *c)                                                        \
    {                                                                                              \
        return cn_set_out(c, 0, cn_##ident(c->in[0]));                                             \
    }                                                                                              \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input) -> Tensor"),                                     \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .flags = CN_NO_GRAD_OP,                                                                    \
        .compose = ident##_compose,                                                                \
        .samples = "[2,3] | i64<2[3] | [] | [0] | bool[2]",                                        \
    }

/* Integers cannot be infinite. */
static cn_tensor *against_infinity(cn_tensor *x, cn_tensor *(*compare)(cn_tensor *, cn_tensor *))
{
    cn_tensor *size = cn_dtype_is_graded(x->v.dtype) ? cn_abs(x) : cn_number_i64(0);
    return cn_expand(compare(size, cn_number((double)INFINITY)), x->v.shape);
}

QUESTION_OP(logical_not, NULL, "Is it zero?", cn_eq(x, cn_number_i64(0)));
QUESTION_OP(isnan, NULL, "Is it NaN, not even equal to itself?", cn_ne(x, x));
QUESTION_OP(isinf, NULL, "Is it infinite, of either sign?", against_infinity(x, cn_eq));
QUESTION_OP(isfinite, NULL, "Is it neither infinite nor NaN?", against_infinity(x, cn_lt));

/* ---- closeness ----------------------------------------------------------------------------- */

typedef struct {
    double rtol, atol;
    bool equal_nan;
} Close;

/* |a - b| <= atol + rtol |b|, or equal, as infinities are. */
static cn_tensor *is_close(cn_tensor *a, cn_tensor *b, const Close *p)
{
    if (a->v.dtype != b->v.dtype && !a->is_number && !b->is_number) {
        cn_fail(CN_EINVALID, "isclose: both must be of one type, not %s and %s",
                cn_dtype_name(a->v.dtype), cn_dtype_name(b->v.dtype));
        return NULL;
    }
    if (!(p->rtol >= 0 && p->atol >= 0)) {
        cn_fail(CN_EINVALID, "isclose: rtol %g and atol %g must not be negative", p->rtol, p->atol);
        return NULL;
    }
    if (a->v.dtype == CN_BOOL) a = cn_to(a, CN_I64), b = cn_to(b, CN_I64);
    cn_tensor *limit = cn_add(cn_mul(cn_abs(b), cn_number(p->rtol)), cn_number(p->atol));
    cn_tensor *gap = cn_abs(cn_sub(a, b));
    cn_tensor *near = cn_logical_and(cn_le(gap, limit), cn_isfinite(gap));
    cn_tensor *close = cn_logical_or(cn_eq(a, b), near);
    return p->equal_nan ? cn_logical_or(close, cn_logical_and(cn_isnan(a), cn_isnan(b))) : close;
}

static bool isclose_compose(cn_call *c)
{
    return cn_set_out(c, 0, is_close(c->in[0], c->in[1], c->params));
}

static bool allclose_compose(cn_call *c)
{
    cn_tensor *close = is_close(c->in[0], c->in[1], c->params);
    cn_tensor *misses = close ? cn_sum(cn_logical_not(close)) : NULL;
    return cn_set_out(c, 0, cn_eq(misses, cn_number_i64(0)));
}

#define CLOSE_SCHEMA                                                                               \
    "(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> Tensor"
#define CLOSE_SAMPLES "[2,3] [2,3] | [3] [2,3] 0.1 0.5 | [0] [0] | i64<3[4] i64<3[4] equal_nan=True"

const cn_op cn_op_isclose = {
    CN_OP_HEAD(isclose, "isclose", CLOSE_SCHEMA),
    .doc = "|input - other| <= atol + rtol |other|, element by element.",
    .params_size = sizeof(Close),
    .flags = CN_NO_GRAD_OP,
    .compose = isclose_compose,
    .samples = CLOSE_SAMPLES,
};

const cn_op cn_op_allclose = {
    CN_OP_HEAD(allclose, "allclose", CLOSE_SCHEMA),
    .doc = "Is every element close to its partner? A 0-d bool.",
    .params_size = sizeof(Close),
    .flags = CN_NO_GRAD_OP,
    .compose = allclose_compose,
    .samples = CLOSE_SAMPLES,
};

static bool equal_compose(cn_call *c)
{
    if (!cn_shape_equal(&c->in[0]->v.shape, &c->in[1]->v.shape))
        return cn_set_out(c, 0, cn_zeros(cn_scalar_shape(), CN_BOOL));
    cn_tensor *misses = cn_sum(cn_ne(c->in[0], c->in[1]));
    return cn_set_out(c, 0, cn_eq(misses, cn_number_i64(0)));
}

const cn_op cn_op_equal = {
    CN_OP_HEAD(equal, "equal", "(Tensor input, Tensor other) -> Tensor"),
    .doc = "Do both have the same shape and elements? A 0-d bool.",
    .flags = CN_NO_GRAD_OP,
    .compose = equal_compose,
    .samples = "[2,3] [2,3] | i64<2[3] i64<2[4] | [0] [0]",
};
