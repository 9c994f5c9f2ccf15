/* arithmetic.c - add, sub, mul, div, pow, neg and their kin. */
#include "ops/internal.h"

#include <math.h>

#define BINARY_SAMPLES                                                                             \
    "[2,3] [2,3] | [2,3,4] [3,1] | [] [4] | [0,3] [1,3] | i64<9[3] [3] | [3] 2 | f64[2,2] f64[2]"

/* ---- add, sub: other is scaled by alpha ---------------------------------------------------- */

typedef struct {
    cn_number_arg alpha;
} Alpha;

static double alpha_in(const void *params)
{
    const Alpha *p = params;
    return p->alpha.kind == CN_NUM_FLOAT ? p->alpha.u.f : (double)p->alpha.u.i;
}

#define OP add
#define EXPR a + alpha *b
#define PRELUDE const T alpha = (T)alpha_in(params)
#include "ops/elementwise/binary.inc"

#define OP sub
#define EXPR a - alpha *b
#define PRELUDE const T alpha = (T)alpha_in(params)
#include "ops/elementwise/binary.inc"

/* The difference of bools has several readings; none is guessed. */
static bool sub_infer(const cn_call *c, cn_spec out[])
{
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i]->v.dtype == CN_BOOL)
            return cn_fail(CN_EINVALID, "sub: bools have no difference; use logical_xor or "
                                        "logical_not, or convert them first");
    return cn_infer_pointwise(c, out);
}

static cn_tensor *scaled(cn_tensor *t, double factor)
{
    return factor == 1 ? t : cn_mul(t, cn_number(factor));
}

static void add_backward(cn_grads *g)
{
    if (cn_wants(g, 0)) cn_give(g, 0, cn_gout(g, 0));
    if (cn_wants(g, 1)) cn_give(g, 1, scaled(cn_gout(g, 0), alpha_in(cn_grad_params(g))));
}

static void sub_backward(cn_grads *g)
{
    if (cn_wants(g, 0)) cn_give(g, 0, cn_gout(g, 0));
    if (cn_wants(g, 1)) cn_give(g, 1, scaled(cn_gout(g, 0), -alpha_in(cn_grad_params(g))));
}

const cn_op cn_op_add = {
    CN_OP_HEAD(add, "add",
               "(Tensor|Scalar input, Tensor|Scalar other, *, Scalar alpha=1) -> Tensor"),
    .aliases = "__add__ __radd__",
    .doc = "input + alpha * other, element by element, with broadcasting.",
    .flags = CN_POINTWISE,
    .params_size = sizeof(Alpha),
    .infer = cn_infer_pointwise,
    .kernel = add_kernel,
    .backward = add_backward,
    .samples = BINARY_SAMPLES " | bool[5] bool[5] | [2,3] [3] alpha=-1.5",
};

const cn_op cn_op_sub = {
    CN_OP_HEAD(sub, "sub",
               "(Tensor|Scalar input, Tensor|Scalar other, *, Scalar alpha=1) -> Tensor"),
    .aliases = "__sub__ subtract",
    .doc = "input - alpha * other, element by element, with broadcasting.",
    .flags = CN_POINTWISE,
    .params_size = sizeof(Alpha),
    .infer = sub_infer,
    .kernel = sub_kernel,
    .backward = sub_backward,
    .samples = BINARY_SAMPLES " | [2,3] [3] alpha=2",
};

static const Alpha one = { { .kind = CN_NUM_INT, .u.i = 1 } };

cn_tensor *cn_add(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(add, &one, input, other);
}

cn_tensor *cn_sub(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(sub, &one, input, other);
}

/* ---- mul, div ------------------------------------------------------------------------------ */

#define OP mul
#define EXPR a *b
#include "ops/elementwise/binary.inc"

#define OP true_divide
#define EXPR a / b
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

static void mul_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_mul(gy, cn_saved_in(g, 1)));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mul(gy, cn_saved_in(g, 0)));
}

static void true_divide_backward(cn_grads *g)
{
    cn_tensor *gx = cn_div(cn_gout(g, 0), cn_saved_in(g, 1));
    if (cn_wants(g, 0)) cn_give(g, 0, gx);
    if (cn_wants(g, 1))
        cn_give(g, 1, cn_neg(cn_mul(gx, cn_div(cn_saved_in(g, 0), cn_saved_in(g, 1)))));
}

const cn_op cn_op_mul = {
    CN_OP_HEAD(mul, "mul", "(Tensor|Scalar input, Tensor|Scalar other) -> Tensor"),
    .aliases = "__mul__ __rmul__ multiply",
    .doc = "input * other, element by element, with broadcasting.",
    .flags = CN_POINTWISE,
    .infer = cn_infer_pointwise,
    .kernel = mul_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = mul_backward,
    .samples = BINARY_SAMPLES " | bool[5] bool[5]",
};

const cn_op cn_op_true_divide = {
    CN_OP_HEAD(true_divide, "true_divide", "(Tensor|Scalar input, Tensor|Scalar other) -> Tensor"),
    .aliases = "__div__ __truediv__",
    .doc = "input / other, element by element; integers give float32.",
    .flags = CN_POINTWISE | CN_TO_FLOAT,
    .infer = cn_infer_pointwise,
    .kernel = true_divide_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = true_divide_backward,
    .samples = "[2,3] +[2,3] | [2,3,4] +[3,1] | [] +[4] | i64<9[3] +[3] | [3] 2",
};

cn_tensor *cn_mul(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(mul, NULL, input, other);
}

cn_tensor *cn_div(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(true_divide, NULL, input, other);
}

/* ---- pow ----------------------------------------------------------------------------------- */

static int64_t int_pow(int64_t a, int64_t b)
{
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
    uint64_t result = 1, base = (uint64_t)a;
    for (; b; b >>= 1, base *= base)
        if (b & 1) result *= base;
    return (int64_t)result;
}

#define OP pow
#define EXPR b == 2 ? a *a : M(pow)(a, b)
#define INT_EXPR int_pow(a, b)
#include "ops/elementwise/binary.inc"

/* A plain number in the result's type: numbers among themselves would be rounded to float32. */
static cn_tensor *operand(cn_tensor *t, cn_dtype type)
{
    return t && t->is_number ? cn_full(cn_scalar_shape(), cn_item(t), type) : t;
}

/* b a^(b-1), and a^b ln a, which is 0 at a = 0 where the power itself is 0. */
static void pow_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0);
    cn_dtype type = cn_dtype_of(gy);
    cn_tensor *a = operand(cn_saved_in(g, 0), type), *b = operand(cn_saved_in(g, 1), type);
    if (cn_wants(g, 0)) {
        cn_tensor *slope = cn_mul(b, cn_pow(a, cn_sub(b, cn_number_i64(1))));
        cn_tensor *zero = cn_number_i64(0); /* a^0 is flat, at a = 0, too */
        cn_give(g, 0, cn_where(cn_eq(b, zero), zero, cn_mul(gy, slope)));
    }
    if (cn_wants(g, 1)) {
        cn_tensor *zero = cn_number_i64(0);
        cn_tensor *flat = cn_logical_and(cn_eq(a, zero), cn_ge(b, zero));
        cn_tensor *log = cn_log(cn_where(flat, cn_number_i64(1), a));
        cn_give(g, 1, cn_mul(gy, cn_mul(cn_saved_out(g, 0), log)));
    }
}

static bool pow_infer(const cn_call *c, cn_spec out[])
{
    const cn_tensor *b = c->in[1];
    if (!cn_infer_numbers(c, out)) return false;
    if (cn_dtype_is_float(out->dtype) || !b->is_number || cn_load_i64(b->v.data, b->v.dtype) >= 0)
        return true;
    return cn_fail(CN_EINVALID, "pow: integers have no negative powers; convert them to floats");
}

const cn_op cn_op_pow = {
    CN_OP_HEAD(pow, "pow", "(Tensor|Scalar input, Tensor|Scalar exponent) -> Tensor"),
    .aliases = "__pow__",
    .doc = "input to the power of exponent, element by element.",
    .flags = CN_POINTWISE,
    .infer = pow_infer,
    .kernel = pow_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_OUT(0),
    .backward = pow_backward,
    .samples = "+[2,3] [2,3] | [2,3] 2 | [2,3] 3 | +[4] 0.5 | i64<5[3] 3 | +[0] [1]",
};

cn_tensor *cn_pow(cn_tensor *input, cn_tensor *exponent)
{
    return CN_CALL(pow, NULL, input, exponent);
}

/* ---- neg, abs ------------------------------------------------------------------------------ */

#define OP neg
#define EXPR -x
#include "ops/elementwise/unary.inc"

#define OP abs
#define EXPR x <= 0 ? 0 - x : x /* -0 becomes 0 */
#include "ops/elementwise/unary.inc"

static void neg_backward(cn_grads *g)
{
    cn_give(g, 0, cn_neg(cn_gout(g, 0)));
}

/* The sign of x, which is 0 at 0: (x > 0) - (x < 0). */
static void abs_backward(cn_grads *g)
{
    cn_tensor *x = cn_saved_in(g, 0), *zero = cn_number_i64(0);
    cn_tensor *gy = cn_gout(g, 0);
    cn_give(g, 0, cn_sub(cn_mul(gy, cn_gt(x, zero)), cn_mul(gy, cn_lt(x, zero))));
}

const cn_op cn_op_neg = {
    CN_OP_HEAD(neg, "neg", "(Tensor input) -> Tensor"),
    .aliases = "negative __neg__",
    .doc = "-input.",
    .flags = CN_POINTWISE,
    .infer = cn_infer_numbers,
    .kernel = neg_kernel,
    .backward = neg_backward,
    .samples = "[2,3] | [] | [0] | i64<9[3]",
};

const cn_op cn_op_abs = {
    CN_OP_HEAD(abs, "abs", "(Tensor input) -> Tensor"),
    .aliases = "absolute __abs__",
    .doc = "The absolute value; its gradient at 0 is 0.",
    .flags = CN_POINTWISE,
    .infer = cn_infer_numbers,
    .kernel = abs_kernel,
    .saves = CN_SAVE_IN(0),
    .backward = abs_backward,
    .samples = "[2,3] | [] | [0] | i64<9[3]",
};

cn_tensor *cn_neg(cn_tensor *input)
{
    return CN_CALL(neg, NULL, input);
}

cn_tensor *cn_abs(cn_tensor *input)
{
    return CN_CALL(abs, NULL, input);
}

/* ---- in place ------------------------------------------------------------------------------ */

static cn_tensor *in_place(const cn_op *op, cn_tensor *input, cn_tensor *other, const void *params)
{
    return cn_apply_inplace(op, (cn_tensor *[]){ input, other }, 2, params);
}

cn_tensor *cn_add_(cn_tensor *input, cn_tensor *other)
{
    return in_place(&cn_op_add, input, other, &one);
}

cn_tensor *cn_sub_(cn_tensor *input, cn_tensor *other)
{
    return in_place(&cn_op_sub, input, other, &one);
}

cn_tensor *cn_mul_(cn_tensor *input, cn_tensor *other)
{
    return in_place(&cn_op_mul, input, other, NULL);
}

cn_tensor *cn_num(double value)
{
    return cn_number(value);
}
