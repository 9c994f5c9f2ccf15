/* mean_losses.c - the two losses that most training uses, with their mean, in one pass each.

   cross_entropy_mean writes the gradient while the row is in cache; backward then only scales it.
   When the
   backward pass is itself recorded, both fall back on ops whose gradients are exact at any order.
   */
#include "ops/loss/mean_losses.h"
#include "ops/loss/loss.h"
#include "ops/params.h"

#include <cenote/autograd.h>

#include <math.h>
#include <string.h>

#define T float
#define NAME(x) x##_f32
#define M(x) x##f
#include "ops/loss/mean_losses.inc"
#define T double
#define NAME(x) x##_f64
#define M(x) x
#include "ops/loss/mean_losses.inc"

/* ---- mean squared error -------------------------------------------------------------------- */

bool cn_mse_mean_fits(const cn_tensor *a, const cn_tensor *b)
{
    return a->v.dtype == b->v.dtype && cn_dtype_is_float(a->v.dtype) &&
           cn_shape_equal(&a->v.shape, &b->v.shape) && a->v.numel > 0;
}

static bool mse_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_mse_mean_fits(c->in[0], c->in[1]))
        return cn_fail(CN_EINVALID, "mse_mean: two float tensors of one type and shape are wanted");
    *out = (cn_spec){ c->in[0]->v.dtype, cn_scalar_shape() };
    return true;
}

static bool mse_kernel(const cn_call *c)
{
    if (cn_in(c, 0)->dtype == CN_F32) mse_f32(c);
    else mse_f64(c);
    return true;
}

static bool mse_backward_infer(const cn_call *c, cn_spec out[])
{
    *out = (cn_spec){ c->in[1]->v.dtype, c->in[1]->v.shape };
    return c->in[0]->v.numel == 1 ||
           cn_fail(CN_EINVALID, "mse_mean_backward: grad_output must be one number");
}

static bool mse_backward_kernel(const cn_call *c)
{
    if (cn_in(c, 1)->dtype == CN_F32) mse_backward_f32(c);
    else mse_backward_f64(c);
    return true;
}

/* 2 (a - b) g / n for a, minus that for b. */
static void mse_gradient(cn_grads *g)
{
    cn_tensor *a = cn_saved_in(g, 0), *b = cn_saved_in(g, 1), *gy = cn_gout(g, 0), *ga = NULL;
    if (!a || !b) return;
    if (cn_grad_enabled()) ga = cn_mul(cn_sub(a, b), cn_mul(gy, cn_num(2 / (double)a->v.numel)));
    else ga = CN_CALL(mse_mean_backward, NULL, gy, a, b);
    cn_give(g, 0, ga);
    if (cn_wants(g, 1)) cn_give(g, 1, cn_neg(ga));
}

const cn_op cn_op_mse_mean = {
    CN_OP_HEAD(mse_mean, "mse_mean", "(Tensor input, Tensor target) -> Tensor"),
    .doc = "The mean of (input - target)^2, in one pass.",
    .flags = CN_ROWS,
    .infer = mse_infer,
    .kernel = mse_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = mse_gradient,
    .samples = "[2,3] [2,3] | [] [] | [300] [300]",
};

const cn_op cn_op_mse_mean_backward = {
    CN_OP_HEAD(mse_mean_backward, "mse_mean_backward",
               "(Tensor grad_output, Tensor input, Tensor target) -> Tensor"),
    .doc = "The gradient of mse_mean for input. Recorded passes use other ops instead.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .infer = mse_backward_infer,
    .kernel = mse_backward_kernel,
    .samples = "[] [2,3] [2,3]",
};

cn_tensor *cn_mse_mean(cn_tensor *input, cn_tensor *target)
{
    return CN_CALL(mse_mean, NULL, input, target);
}

/* ---- mean cross-entropy -------------------------------------------------------------------- */

static bool xent_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *x = cn_in(c, 0), *target = cn_in(c, 1);
    if (!cn_want_dims(c, 0, 2, 2) || !cn_dtype_is_float(x->dtype) || x->shape.dim[1] == 0 ||
        target->dtype != CN_I64 || target->shape.ndim != 1 ||
        target->shape.dim[0] != x->shape.dim[0])
        return cn_fail(
            CN_EINVALID,
            "cross_entropy_mean: float rows of classes and as many int64 targets are wanted");
    bool graded = cn_grad_enabled() && c->in[0]->requires_grad;
    out[0] = (cn_spec){ x->dtype, cn_scalar_shape() };
    out[1] = (cn_spec){ x->dtype, graded ? x->shape : CN_SHAPE(0) };
    return true;
}

static bool xent_kernel(const cn_call *c)
{
    const cn_row_loss_params *p = c->params;
    if (!cn_targets_in_range(c, cn_in(c, 1), cn_in(c, 0)->shape.dim[1], p->ignore_index))
        return false;
    if (cn_in(c, 0)->dtype == CN_F32) xent_f32(c, p->ignore_index);
    else xent_f64(c, p->ignore_index);
    return true;
}

static void recorded_xent(cn_grads *g)
{
    const cn_row_loss_params *p = cn_grad_params(g);
    cn_tensor *x = cn_saved_in(g, 0), *target = cn_saved_in(g, 1), *gy = cn_gout(g, 0),
              *grad = NULL;
    cn_tensor *loss =
        cn_nll_loss(cn_log_softmax(x, 1), target, .ignores = true, .ignore_index = p->ignore_index);
    cn_backward_options o = { .size = sizeof o, .create_graph = true };
    if (loss && cn_grad_of(&loss, &gy, 1, &x, 1, &grad, &o)) cn_give(g, 0, grad);
}

static void xent_gradient(cn_grads *g)
{
    if (cn_grad_enabled()) {
        recorded_xent(g);
        return;
    }
    cn_tensor *gy = cn_gout(g, 0), *grad = cn_saved_out(g, 1);
    if (!gy || !grad) return;
    cn_give(g, 0, cn_item(gy) == 1 ? grad : cn_mul(grad, gy));
}

const cn_op cn_op_cross_entropy_mean = {
    CN_OP_HEAD(cross_entropy_mean, "cross_entropy_mean",
               "(Tensor input, Tensor target, int ignore_index=-100) -> (Tensor, Tensor)"),
    .doc =
        "The mean cross-entropy of rows of scores that are not ignored, and its gradient, in one pass.",
    .flags = CN_ROWS,
    .grad_outs = 1,
    .params_size = sizeof(cn_row_loss_params),
    .infer = xent_infer,
    .kernel = xent_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_OUT(1),
    .backward = xent_gradient,
    .samples = "[4,3] i64<3[4] | [5,20] i64<20[5] ignore_index=3 | [1,2] i64<2[1]",
};

cn_tensor *cn_cross_entropy_mean(cn_tensor *input, cn_tensor *target, int64_t ignore_index)
{
    cn_tensor *in[] = { input, target }, *out[2];
    cn_row_loss_params p = { ignore_index };
    return cn_apply(&cn_op_cross_entropy_mean, in, 2, &p, out, 2) ? out[0] : NULL;
}
