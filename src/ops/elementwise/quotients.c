/* quotients.c - division with rounding, remainders, angles of two numbers, and reflected
   operators. */
#include "ops/compose.h"

#include <math.h>
#include <string.h>

/* What rounds takes no gradient; the remainder's is that of input - other * quotient. */

static int64_t int_floor_div(int64_t a, int64_t b)
{
    if (b == 0) return 0; /* refused before: see whole_divisor */
    if (b == -1) return (int64_t)(0 - (uint64_t)a);
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t int_trunc_div(int64_t a, int64_t b)
{
    if (b == 0) return 0;
    return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

static int64_t int_times(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* Python's remainder has the sign of the divisor, C's that of the dividend. */
static double floor_mod(double a, double b)
{
    double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* Through the remainder: the quotient itself may round up to an integer it is below. */
static double floor_quotient(double a, double b)
{
    if (isinf(b) && isfinite(a)) return a != 0 && (a < 0) != (b < 0) ? -1 : a / b;
    double q = b == 0 ? a / b : rint((a - floor_mod(a, b)) / b);
    return q == 0 ? copysign(0, a / b) : q;
}

#define OP floor_divide
#define EXPR (T) floor_quotient((double)a, (double)b)
#define INT_EXPR int_floor_div(a, b)
#include "ops/elementwise/binary.inc"

#define OP trunc_divide
#define EXPR (T) trunc((double)a / (double)b)
#define INT_EXPR int_trunc_div(a, b)
#include "ops/elementwise/binary.inc"

#define OP remainder
#define EXPR (T) floor_mod((double)a, (double)b)
#define INT_EXPR a - int_times(int_floor_div(a, b), b)
#include "ops/elementwise/binary.inc"

#define OP fmod
#define EXPR M(fmod)(a, b)
#define INT_EXPR a - int_times(int_trunc_div(a, b), b)
#include "ops/elementwise/binary.inc"

#define OP atan2
#define EXPR M(atan2)(a, b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

/* An integer has no quotient by zero. */
static bool whole_divisor_kernel(const cn_call *c, cn_kernel *kernel)
{
    const cn_view *b = cn_in(c, 1);
    if (b->dtype != CN_I64) return kernel(c);
    size_t mark = cn_mark();
    cn_tensor *rows = cn_rows(c->in[1]);
    bool ok = rows != NULL;
    for (int64_t i = 0; ok && i < b->numel && cn_out(c, 0)->numel; i++)
        if (((const int64_t *)(const void *)rows->v.data)[i] == 0)
            ok = cn_fail(CN_EINVALID, "%s: integer division by zero", c->op->name);
    cn_release(mark);
    return ok && kernel(c);
}

#define QUOTIENT_OP(ident, first, words, text, rule)                                               \
    static bool ident##_checked(const cn_call *c)                                                  \
    {                                                                                              \
        return whole_divisor_kernel(c, ident##_kernel);                                            \
    }                                                                                              \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(" first " input, Tensor|Scalar other) -> Tensor"),             \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .flags = CN_POINTWISE,                                                                     \
        .infer = cn_infer_numbers,                                                                 \
        .kernel = ident##_checked,                                                                 \
        .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),                                                    \
        .backward = rule,                                                                          \
        .samples = "[2,3] 0.3 | [2,3] +[3] | [0] [1] | i64<9[4] 2 | [] +[2]",                      \
    };                                                                                             \
    cn_tensor *cn_##ident(cn_tensor *input, cn_tensor *other)                                      \
    {                                                                                              \
        return CN_CALL(ident, NULL, input, other);                                                 \
    }

static void step_backward(cn_grads *g)
{
    for (int i = 0; i < 2; i++)
        if (cn_wants(g, i)) cn_give(g, i, cn_zeros_of_in(g, i));
}

static void rest_backward(cn_grads *g, cn_tensor *(*quotient)(cn_tensor *, cn_tensor *))
{
    cn_tensor *gy = cn_gout(g, 0);
    if (cn_wants(g, 0)) cn_give(g, 0, gy);
    if (cn_wants(g, 1))
        cn_give(g, 1, cn_neg(cn_mul(gy, quotient(cn_saved_in(g, 0), cn_saved_in(g, 1)))));
}

static void remainder_backward(cn_grads *g)
{
    rest_backward(g, cn_floor_divide);
}

static void fmod_backward(cn_grads *g)
{
    rest_backward(g, cn_trunc_divide);
}

QUOTIENT_OP(floor_divide, "Tensor|Scalar", "__floordiv__", "The quotient rounded down.",
            step_backward)
QUOTIENT_OP(trunc_divide, "Tensor|Scalar", NULL, "The quotient rounded towards zero.",
            step_backward)
QUOTIENT_OP(remainder, "Tensor|Scalar", "__mod__",
            "input - other * floor(input / other): has the sign of other.", remainder_backward)
QUOTIENT_OP(fmod, "Tensor", NULL, "input - other * trunc(input / other): has the sign of input.",
            fmod_backward)

/* ---- div: the rounding chooses among three ops --------------------------------------------- */

static bool div_compose(cn_call *c)
{
    const char *mode = *(const char *const *)c->params;
    if (!mode) return cn_set_out(c, 0, cn_div(c->in[0], c->in[1]));
    if (strcmp(mode, "floor") == 0) return cn_set_out(c, 0, cn_floor_divide(c->in[0], c->in[1]));
    if (strcmp(mode, "trunc") == 0) return cn_set_out(c, 0, cn_trunc_divide(c->in[0], c->in[1]));
    return cn_fail(CN_EINVALID, "div: rounding_mode must be None, 'floor' or 'trunc', not '%s'",
                   mode);
}

const cn_op cn_op_div = {
    CN_OP_HEAD(div, "div",
               "(Tensor|Scalar input, Tensor|Scalar other, *, str? rounding_mode=None) -> Tensor"),
    .aliases = "divide",
    .doc = "input / other, element by element; rounded down (floor), towards 0 (trunc) or not.",
    .params_size = sizeof(char *),
    .compose = div_compose,
    .samples = "[2,3] +[3] | [2,3] +[3] rounding_mode=floor | [4] 0.3 rounding_mode=trunc | "
               "i64<9[4] 2 | i64<9[4] 2 rounding_mode=floor",
};

/* ---- atan2 --------------------------------------------------------------------------------- */

/* d atan2(a, b) = (b da - a db) / (a^2 + b^2) */
static void atan2_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0); /* small integers have no room for squares */
    cn_dtype type = cn_dtype_of(gy);
    cn_tensor *a = cn_to(cn_saved_in(g, 0), type), *b = cn_to(cn_saved_in(g, 1), type);
    cn_tensor *scaled = cn_div(gy, cn_add(cn_mul(a, a), cn_mul(b, b)));
    if (cn_wants(g, 0)) cn_give(g, 0, cn_mul(scaled, b));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_neg(cn_mul(scaled, a)));
}

const cn_op cn_op_atan2 = {
    CN_OP_HEAD(atan2, "atan2", "(Tensor input, Tensor other) -> Tensor"),
    .aliases = "arctan2",
    .doc = "The angle of the point (other, input), from -pi to pi.",
    .flags = CN_POINTWISE | CN_TO_FLOAT,
    .infer = cn_infer_pointwise,
    .kernel = atan2_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = atan2_backward,
    .samples = "[2,3] [2,3] | [2,1] [3] | [0] [1] | i64<9[3] [3] | [] [1]",
};

cn_tensor *cn_atan2(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(atan2, NULL, input, other);
}

/* ---- reflected operators: other first ------------------------------------------------------ */

#define REFLECTED_OP(ident, qualified, words, call, text)                                          \
    static bool ident##_compose(cn_call *c)                                                        \
    {                                                                                              \
        return cn_set_out(c, 0, call(c->in[1], c->in[0]));                                         \
    }                                                                                              \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, qualified, "(Tensor input, Tensor|Scalar other) -> Tensor"),             \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .compose = ident##_compose,                                                                \
        .samples = "+[2,3] +[3] | +[2,2] 2",                                                       \
    }

REFLECTED_OP(rdiv, "__rdiv__", "__rtruediv__", cn_div, "other / input.");
REFLECTED_OP(rpow, "__rpow__", NULL, cn_pow, "other to the power of input.");
REFLECTED_OP(rmod, "__rmod__", NULL, cn_remainder, "The remainder of other by input.");

static bool rsub_compose(cn_call *c)
{
    return cn_set_out(c, 0, CN_CALL(sub, c->params, c->in[1], c->in[0]));
}

const cn_op cn_op_rsub = {
    CN_OP_HEAD(rsub, "__rsub__",
               "(Tensor input, Tensor|Scalar other, *, Scalar alpha=1) -> Tensor"),
    .aliases = "rsub",
    .doc = "other - alpha input.",
    .params_size = sizeof(cn_number_arg),
    .compose = rsub_compose,
    .samples = "+[2,3] +[3] | +[2,2] 2 | [2,3] [3] alpha=2 | i64<9[3] 2 alpha=3",
};

static bool rmatmul_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_matmul(c->in[1], c->in[0]));
}

const cn_op cn_op_rmatmul = {
    CN_OP_HEAD(rmatmul, "__rmatmul__", "(Tensor input, Tensor other) -> Tensor"),
    .doc = "The matrix product of other and input.",
    .compose = rmatmul_compose,
    .samples = "[3,2] [2,3] | [3] [2,3]",
};
