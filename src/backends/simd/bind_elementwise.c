/* bind_elementwise.c - functions of one and two elements. */
#include "backends/simd/bind.h"
#include "ops/compose.h"
#include "ops/params.h"

/* ---- one input ----------------------------------------------------------------------------- */

static const int unary_of[CN_NUM_OPS] = {
    [CN_OP_ID_exp] = CN_SIMD_EXP,
    [CN_OP_ID_log] = CN_SIMD_LOG,
    [CN_OP_ID_tanh] = CN_SIMD_TANH,
    [CN_OP_ID_sigmoid] = CN_SIMD_SIGMOID,
    [CN_OP_ID_relu] = CN_SIMD_RELU,
    [CN_OP_ID_erf] = CN_SIMD_ERF,
    [CN_OP_ID_silu] = CN_SIMD_SILU,
    [CN_OP_ID_gelu_erf] = CN_SIMD_GELU,
    [CN_OP_ID_mish] = CN_SIMD_MISH,
    [CN_OP_ID_gelu_tanh] = CN_SIMD_GELU_TANH,
    [CN_OP_ID_hardswish] = CN_SIMD_HARDSWISH,
    [CN_OP_ID_sqrt] = CN_SIMD_SQRT,
    [CN_OP_ID_softplus] = CN_SIMD_SOFTPLUS,
    [CN_OP_ID_neg] = CN_SIMD_NEG,
    [CN_OP_ID_abs] = CN_SIMD_ABS,
};

static bool unary(const cn_call *c)
{
    cn_simd->unary((cn_simd_unary)unary_of[c->op->id], cn_simd_out(c, 0), cn_simd_in(c, 0),
                   cn_in(c, 0)->numel, cn_threads());
    return true;
}

/* From 17 on log(1 + exp(x)) is x in float32, so that a threshold there makes no difference. */
static const char *refuses_softplus(const cn_call *c)
{
    const cn_softplus_params *p = c->params;
    return p->beta == 1 && p->threshold >= 17 ? cn_simd_refuses_sparse(c) : "beta or threshold";
}

/* leaky_relu and elu */
static bool with_parameter(const cn_call *c)
{
    cn_simd->binary_scalar(c->op->id == CN_OP_ID_elu ? CN_SIMD_ELU : CN_SIMD_LEAKY_RELU,
                           cn_simd_out(c, 0), cn_simd_in(c, 0), (float)*(const double *)c->params,
                           false, cn_in(c, 0)->numel, cn_threads());
    return true;
}

/* ---- two inputs ---------------------------------------------------------------------------- */

static const int binary_of[CN_NUM_OPS] = {
    [CN_OP_ID_add] = CN_SIMD_ADD,
    [CN_OP_ID_sub] = CN_SIMD_SUB,
    [CN_OP_ID_mul] = CN_SIMD_MUL,
    [CN_OP_ID_maximum] = CN_SIMD_MAX,
    [CN_OP_ID_minimum] = CN_SIMD_MIN,
    [CN_OP_ID_true_divide] = CN_SIMD_DIV,
    [CN_OP_ID_relu_backward] = CN_SIMD_RELU_BACKWARD,
    [CN_OP_ID_sigmoid_backward] = CN_SIMD_SIGMOID_BACKWARD,
    [CN_OP_ID_tanh_backward] = CN_SIMD_TANH_BACKWARD,
};

/* One operand has the shape of the result; the other varies along some neighbouring dimensions of it
   only, in which it has the same sizes. */
typedef struct operands {
    int whole; /* which input */
    cn_lines lines;
} operands;

static bool spreads(const cn_shape *part, const cn_shape *whole, cn_lines *l)
{
    const int lead = whole->ndim - part->ndim;
    if (lead < 0) return false;
    *l = (cn_lines){ 1, 1, 1 };
    for (int i = 0; i < whole->ndim; i++) {
        const int64_t n = whole->dim[i], own = i < lead ? 1 : part->dim[i - lead];
        if (own != n && own != 1) return false;
        if (own != 1 && l->inner > 1) return false;
        *(own != 1 ? &l->size : l->size > 1 ? &l->inner : &l->outer) *= n;
    }
    return true;
}

static bool find_operands(const cn_call *c, operands *o)
{
    o->whole = cn_in(c, 1)->numel > cn_in(c, 0)->numel;
    const cn_view *whole = cn_in(c, o->whole), *part = cn_in(c, !o->whole);
    o->lines = (cn_lines){ whole->numel, 1, 1 };
    if (part->numel <= 1) return true;
    o->lines = (cn_lines){ 1, whole->numel, 1 };
    return cn_shape_equal(&part->shape, &whole->shape) ||
           spreads(&part->shape, &whole->shape, &o->lines);
}

static bool binary(const cn_call *c)
{
    const cn_simd_binary f = (cn_simd_binary)binary_of[c->op->id];
    const int64_t n = cn_out(c, 0)->numel;
    float *z = cn_simd_out(c, 0);
    operands o;
    if (n == 0 || !find_operands(c, &o)) return n == 0;
    const float *x = cn_simd_in(c, o.whole), *v = cn_simd_in(c, !o.whole);
    const bool flipped = o.whole == 1;
    if (o.lines.size == n)
        cn_simd->binary(f, z, cn_simd_in(c, 0), cn_simd_in(c, 1), n, cn_threads());
    else if (o.lines.size == 1) cn_simd->binary_scalar(f, z, x, *v, flipped, n, cn_threads());
    else {
        const cn_simd_along a = {
            z, x, v, o.lines.outer, o.lines.size, o.lines.inner, flipped,
        };
        cn_simd->binary_along(f, &a, cn_threads());
    }
    return true;
}

static const char *refuses_binary(const cn_call *c)
{
    operands o;
    const char *sparse = cn_simd_refuses_sparse(c);
    return sparse || find_operands(c, &o) ? sparse : "broadcasts along separate dimensions";
}

/* ---- gradients of activations --------------------------------------------------------------- */

static const int slope_of[CN_NUM_OPS] = {
    [CN_OP_ID_silu_backward] = CN_SIMD_SILU_SLOPE,
    [CN_OP_ID_gelu_erf_backward] = CN_SIMD_GELU_SLOPE,
    [CN_OP_ID_gelu_tanh_backward] = CN_SIMD_GELU_TANH_SLOPE,
    [CN_OP_ID_softplus_backward] = CN_SIMD_SOFTPLUS_SLOPE,
    [CN_OP_ID_mish_backward] = CN_SIMD_MISH_SLOPE,
    [CN_OP_ID_hardswish_backward] = CN_SIMD_HARDSWISH_SLOPE,
    [CN_OP_ID_elu_backward] = CN_SIMD_ELU_SLOPE,
    [CN_OP_ID_leaky_relu_backward] = CN_SIMD_LEAKY_RELU_SLOPE,
};

/* The only parameter of those that have one is a number. */
static bool slope(const cn_call *c)
{
    const double p = c->op->params_size == sizeof(double) ? *(const double *)c->params : 0;
    cn_simd->slope((cn_simd_slope)slope_of[c->op->id], (float)p, cn_simd_out(c, 0),
                   cn_simd_in(c, 0), cn_simd_in(c, 1), cn_in(c, 1)->numel, cn_threads());
    return true;
}

static const char *refuses_slope(const cn_call *c)
{
    if (!cn_shape_equal(&cn_in(c, 0)->shape, &cn_in(c, 1)->shape)) return "broadcasts";
    return c->op->id == CN_OP_ID_softplus_backward ? refuses_softplus(c)
                                                   : cn_simd_refuses_sparse(c);
}

/* ---- sums with a factor -------------------------------------------------------------------- */

static double alpha_of(const cn_call *c)
{
    const cn_number_arg *alpha = c->params;
    return alpha->kind == CN_NUM_FLOAT ? alpha->u.f : (double)alpha->u.i;
}

static bool add_scaled(const cn_call *c)
{
    const double alpha = c->op->id == CN_OP_ID_sub ? -alpha_of(c) : alpha_of(c);
    if (alpha_of(c) == 1) return binary(c);
    cn_simd->axpy(cn_simd_out(c, 0), (float)alpha, cn_simd_in(c, 1), cn_simd_in(c, 0),
                  cn_out(c, 0)->numel, cn_threads());
    return true;
}

static const char *refuses_scaled(const cn_call *c)
{
    if (alpha_of(c) == 1) return refuses_binary(c);
    if (!cn_shape_equal(&cn_in(c, 0)->shape, &cn_in(c, 1)->shape))
        return "alpha is not 1, and operands broadcast";
    return cn_simd_refuses_sparse(c);
}

const cn_simd_binding cn_simd_elementwise[] = {
    { CN_OP_ID_exp, unary, NULL },
    { CN_OP_ID_log, unary, NULL },
    { CN_OP_ID_tanh, unary, NULL },
    { CN_OP_ID_sigmoid, unary, NULL },
    { CN_OP_ID_relu, unary, NULL },
    { CN_OP_ID_erf, unary, NULL },
    { CN_OP_ID_gelu_erf, unary, NULL },
    { CN_OP_ID_silu, unary, NULL },
    { CN_OP_ID_softplus, unary, refuses_softplus },
    { CN_OP_ID_leaky_relu, with_parameter, NULL },
    { CN_OP_ID_elu, with_parameter, NULL },
    { CN_OP_ID_mish, unary, NULL },
    { CN_OP_ID_hardswish, unary, NULL },
    { CN_OP_ID_gelu_tanh, unary, NULL },
    { CN_OP_ID_silu_backward, slope, refuses_slope },
    { CN_OP_ID_gelu_erf_backward, slope, refuses_slope },
    { CN_OP_ID_gelu_tanh_backward, slope, refuses_slope },
    { CN_OP_ID_softplus_backward, slope, refuses_slope },
    { CN_OP_ID_mish_backward, slope, refuses_slope },
    { CN_OP_ID_hardswish_backward, slope, refuses_slope },
    { CN_OP_ID_elu_backward, slope, refuses_slope },
    { CN_OP_ID_leaky_relu_backward, slope, refuses_slope },
    { CN_OP_ID_sqrt, unary, NULL },
    { CN_OP_ID_neg, unary, NULL },
    { CN_OP_ID_abs, unary, NULL },
    { CN_OP_ID_add, add_scaled, refuses_scaled },
    { CN_OP_ID_sub, add_scaled, refuses_scaled },
    { CN_OP_ID_mul, binary, refuses_binary },
    { CN_OP_ID_maximum, binary, refuses_binary },
    { CN_OP_ID_minimum, binary, refuses_binary },
    { CN_OP_ID_true_divide, binary, refuses_binary },
    { CN_OP_ID_relu_backward, binary, refuses_binary },
    { CN_OP_ID_sigmoid_backward, binary, refuses_binary },
    { CN_OP_ID_tanh_backward, binary, refuses_binary },
    { 0 },
};
