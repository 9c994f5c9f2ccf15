/* bind_elementwise.c - functions of one and two elements, and sums. */
#include "backends/simd/bind.h"

/* ---- one input ----------------------------------------------------------------------------- */

static const int unary_of[CN_NUM_OPS] = {
    [CN_OP_ID_exp] = CN_SIMD_EXP,   [CN_OP_ID_log] = CN_SIMD_LOG,
    [CN_OP_ID_tanh] = CN_SIMD_TANH, [CN_OP_ID_sigmoid] = CN_SIMD_SIGMOID,
    [CN_OP_ID_relu] = CN_SIMD_RELU, [CN_OP_ID_sqrt] = CN_SIMD_SQRT,
    [CN_OP_ID_neg] = CN_SIMD_NEG,   [CN_OP_ID_abs] = CN_SIMD_ABS,
};

static bool unary(const cn_call *c)
{
    cn_simd->unary((cn_simd_unary)unary_of[c->op->id], cn_simd_out(c, 0), cn_simd_in(c, 0),
                   cn_in(c, 0)->numel, cn_threads());
    return true;
}

/* ---- two inputs ---------------------------------------------------------------------------- */

static const int binary_of[CN_NUM_OPS] = {
    [CN_OP_ID_add] = CN_SIMD_ADD,
    [CN_OP_ID_sub] = CN_SIMD_SUB,
    [CN_OP_ID_mul] = CN_SIMD_MUL,
    [CN_OP_ID_true_divide] = CN_SIMD_DIV,
    [CN_OP_ID_relu_backward] = CN_SIMD_RELU_BACKWARD,
    [CN_OP_ID_sigmoid_backward] = CN_SIMD_SIGMOID_BACKWARD,
    [CN_OP_ID_tanh_backward] = CN_SIMD_TANH_BACKWARD,
};

static bool binary(const cn_call *c)
{
    const cn_view *a = cn_in(c, 0), *b = cn_in(c, 1);
    cn_simd_binary f = (cn_simd_binary)binary_of[c->op->id];
    int64_t n = cn_out(c, 0)->numel;
    float *z = cn_simd_out(c, 0);
    if (a->numel == n && b->numel == n)
        cn_simd->binary(f, z, cn_simd_in(c, 0), cn_simd_in(c, 1), n, cn_threads());
    else if (a->numel == n)
        cn_simd->binary_scalar(f, z, cn_simd_in(c, 0), *cn_simd_in(c, 1), false, n, cn_threads());
    else cn_simd->binary_scalar(f, z, cn_simd_in(c, 1), *cn_simd_in(c, 0), true, n, cn_threads());
    return true;
}

/* Dense operands of the result's size, or single numbers. */
static const char *refuses_binary(const cn_call *c)
{
    const cn_view *a = cn_in(c, 0), *b = cn_in(c, 1);
    if (!cn_simd_dense(a) || !cn_simd_dense(b)) return "not dense float32";
    int64_t n = cn_shape_equal(&a->shape, &b->shape) ? a->numel : -1;
    return n >= 0 || a->numel == 1 || b->numel == 1 ? NULL : "broadcasts";
}

/* alpha is 1, as a number of any kind. */
static const char *refuses_scaled(const cn_call *c)
{
    const cn_number_arg *alpha = c->params;
    bool one = alpha->kind == CN_NUM_FLOAT ? alpha->u.f == 1 : alpha->u.i == 1;
    return one ? refuses_binary(c) : "alpha is not 1";
}

const cn_simd_binding cn_simd_elementwise[] = {
    { CN_OP_ID_exp, unary, NULL },
    { CN_OP_ID_log, unary, NULL },
    { CN_OP_ID_tanh, unary, NULL },
    { CN_OP_ID_sigmoid, unary, NULL },
    { CN_OP_ID_relu, unary, NULL },
    { CN_OP_ID_sqrt, unary, NULL },
    { CN_OP_ID_neg, unary, NULL },
    { CN_OP_ID_abs, unary, NULL },
    { CN_OP_ID_add, binary, refuses_scaled },
    { CN_OP_ID_sub, binary, refuses_scaled },
    { CN_OP_ID_mul, binary, refuses_binary },
    { CN_OP_ID_true_divide, binary, refuses_binary },
    { CN_OP_ID_relu_backward, binary, refuses_binary },
    { CN_OP_ID_sigmoid_backward, binary, refuses_binary },
    { CN_OP_ID_tanh_backward, binary, refuses_binary },
    { 0 },
};
