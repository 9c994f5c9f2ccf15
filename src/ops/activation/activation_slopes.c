/* activation_slopes.c - gradients of activations in one pass, from the input x. */
#include "ops/activation/slopes.h"
#include "ops/internal.h"
#include "ops/params.h"

/* ---- kernels: a is the gradient that arrives, b the input --------------------------------- */

#define OP silu_backward
#define EXPR a *M(silu_slope)(b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

#define OP gelu_erf_backward
#define EXPR a *M(gelu_erf_slope)(b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

#define OP gelu_tanh_backward
#define EXPR a *M(gelu_tanh_slope)(b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

#define OP mish_backward
#define EXPR a *M(mish_slope)(b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

#define OP hardswish_backward
#define EXPR a *M(hardswish_slope)(b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

#define OP leaky_relu_backward
#define EXPR b > 0 ? a : a *slope
#define PRELUDE const T slope = (T) * (const double *)params
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

#define OP elu_backward
#define EXPR b > 0 ? a : a *(alpha * M(exp)(b))
#define PRELUDE const T alpha = (T) * (const double *)params
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

#define OP softplus_backward
#define EXPR b *beta > threshold ? a : a / (1 + M(exp)(-b * beta))
#define PRELUDE                                                                                    \
    const T beta = (T)((const cn_softplus_params *)params)->beta,                                  \
            threshold = (T)((const cn_softplus_params *)params)->threshold
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

/* ---- their own gradients ------------------------------------------------------------------- */

/* Each is linear in grad_output; for the input it is the product with the second derivative. */
typedef cn_tensor *curvature(cn_tensor *x, const void *params);

static void slope_rule(cn_grads *g, const cn_op *op, curvature *of)
{
    const void *params = cn_grad_params(g);
    cn_tensor *gg = cn_gout(g, 0), *x = cn_saved_in(g, 1);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_apply1(op, (cn_tensor *[]){ gg, x }, 2, params));
    if (of && cn_wants(g, 1)) cn_give(g, 1, cn_mul(cn_mul(gg, cn_saved_in(g, 0)), of(x, params)));
}

static cn_tensor *times(cn_tensor *t, double factor)
{
    return cn_mul(t, cn_number(factor));
}

static cn_tensor *one_minus(cn_tensor *t)
{
    return cn_sub(cn_number(1), t);
}

static cn_tensor *plus(cn_tensor *t, double number)
{
    return cn_add(t, cn_number(number));
}

/* s (1 - s) (2 + x (1 - 2 s)) */
static cn_tensor *silu_curvature(cn_tensor *x, const void *params)
{
    (void)params;
    cn_tensor *s = cn_sigmoid(x), *bent = cn_mul(x, one_minus(times(s, 2)));
    return cn_mul(cn_mul(s, one_minus(s)), plus(bent, 2));
}

/* phi(x) (2 - x^2) */
static cn_tensor *gelu_erf_curvature(cn_tensor *x, const void *params)
{
    (void)params;
    cn_tensor *square = cn_mul(x, x);
    cn_tensor *density = times(cn_exp(times(square, -0.5)), 0.39894228040143267794);
    return cn_mul(density, cn_sub(cn_number(2), square));
}

/* With t = tanh(u): (1 - t^2) (u' + x (u'' / 2 - t u'^2)). */
static cn_tensor *gelu_tanh_curvature(cn_tensor *x, const void *params)
{
    (void)params;
    const double c = 0.79788456080286535588;
    cn_tensor *square = cn_mul(x, x), *first = plus(times(square, 3 * 0.044715 * c), c);
    cn_tensor *t = cn_tanh(cn_mul(x, plus(times(square, 0.044715 * c), c)));
    cn_tensor *half_second = times(x, 3 * 0.044715 * c);
    cn_tensor *bent = cn_mul(x, cn_sub(half_second, cn_mul(t, cn_mul(first, first))));
    return cn_mul(one_minus(cn_mul(t, t)), cn_add(first, bent));
}

/* s (1 - t^2) (2 + x (1 - s - 2 s t)) with s = sigmoid(x), t = tanh(softplus(x)) */
static cn_tensor *mish_curvature(cn_tensor *x, const void *params)
{
    (void)params;
    cn_tensor *s = cn_sigmoid(x), *t = cn_tanh(cn_softplus(x));
    cn_tensor *bent = cn_mul(x, one_minus(cn_mul(s, plus(times(t, 2), 1))));
    return cn_mul(cn_mul(s, one_minus(cn_mul(t, t))), plus(bent, 2));
}

/* 1/3 between the bounds */
static cn_tensor *hardswish_curvature(cn_tensor *x, const void *params)
{
    (void)params;
    cn_tensor *inside = cn_lt(cn_abs(x), cn_number(3));
    return cn_where(inside, cn_number(1.0 / 3), cn_number(0));
}

static cn_tensor *elu_curvature(cn_tensor *x, const void *params)
{
    cn_tensor *below = times(cn_exp(cn_clamp_max(x, cn_number(0))), *(const double *)params);
    return cn_where(cn_gt(x, cn_number(0)), cn_number(0), below);
}

static cn_tensor *softplus_curvature(cn_tensor *x, const void *params)
{
    const cn_softplus_params *p = params;
    cn_tensor *z = times(x, p->beta), *s = cn_sigmoid(z);
    cn_tensor *below = times(cn_mul(s, one_minus(s)), p->beta);
    return cn_where(cn_gt(z, cn_number(p->threshold)), cn_number(0), below);
}

/* ---- entries ------------------------------------------------------------------------------- */

#define SLOPE_OP(ident, parameters, struct_size, formula, of, more)                                \
    static void ident##_rule(cn_grads *g)                                                          \
    {                                                                                              \
        slope_rule(g, &cn_op_##ident, of);                                                         \
    }                                                                                              \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor grad_output, Tensor input" parameters ") -> Tensor"),   \
        .doc = "The gradient of an activation from its input x: grad_output " formula ".",         \
        .flags = CN_POINTWISE,                                                                     \
        .params_size = struct_size,                                                                \
        .infer = cn_infer_floats,                                                                  \
        .kernel = ident##_kernel,                                                                  \
        .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),                                                    \
        .backward = ident##_rule,                                                                  \
        .samples = "[2,3] [2,3] | [] [] | [0] [0] | [2,3] [3]" more,                               \
    };

SLOPE_OP(silu_backward, "", 0, "s (1 + x (1 - s)) with s = sigmoid(x)", silu_curvature, )
SLOPE_OP(gelu_erf_backward, "", 0, "(Phi(x) + x phi(x)) of the normal distribution",
         gelu_erf_curvature, )
SLOPE_OP(gelu_tanh_backward, "", 0, "times the derivative of gelu's approximation by tanh",
         gelu_tanh_curvature, )
SLOPE_OP(mish_backward, "", 0, "(t + x sigmoid(x) (1 - t^2)) with t = tanh(softplus(x))",
         mish_curvature, )
SLOPE_OP(hardswish_backward, "", 0, "(x / 3 + 1/2), but 0 up to -3 and 1 from 3 on",
         hardswish_curvature, )
SLOPE_OP(leaky_relu_backward, ", float negative_slope=0.01", sizeof(double),
         "where x > 0, negative_slope grad_output elsewhere", NULL, " | [4] [4] 0.3")
SLOPE_OP(elu_backward, ", float alpha=1.0", sizeof(double),
         "where x > 0, alpha exp(x) grad_output elsewhere", elu_curvature, " | [4] [4] 0.3")
SLOPE_OP(softplus_backward, ", float beta=1.0, float threshold=20.0", sizeof(cn_softplus_params),
         "sigmoid(beta x), or 1 where beta x > threshold", softplus_curvature, " | [4] [4] 2 0.5")

/* ---- for the rules of the activations ------------------------------------------------------ */

void cn_give_slope(cn_grads *g, const cn_op *op, cn_tensor *saved)
{
    cn_tensor *in[] = { cn_gout(g, 0), saved };
    const void *params = cn_grad_params(g);
    const bool over = in[0] && in[1] && cn_gout_is_free(g, 0) && cn_apply_over(op, in, 2, params);
    if (cn_ok()) cn_give(g, 0, over ? in[0] : cn_apply1(op, in, 2, params));
}
