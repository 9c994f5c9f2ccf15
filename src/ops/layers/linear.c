/* linear.c - the affine layer, one call so that bias and activation can join the product. */
#include "ops/fused.h"
#include "ops/internal.h"

#include <string.h>

static bool linear_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *x = cn_in(c, 0), *w = cn_in(c, 1), *b = cn_in(c, 2);
    char tx[128], tw[128];
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS) || !cn_want_dims(c, 1, 2, 2)) return false;
    if (x->shape.dim[x->shape.ndim - 1] != w->shape.dim[1])
        return cn_fail(CN_EINVALID, "linear: input %s has %lld features, but weight %s takes %lld",
                       cn_shape_text(&x->shape, tx), (long long)x->shape.dim[x->shape.ndim - 1],
                       cn_shape_text(&w->shape, tw), (long long)w->shape.dim[1]);
    if (b && (b->shape.ndim != 1 || b->shape.dim[0] != w->shape.dim[0]))
        return cn_fail(CN_EINVALID,
                       "linear: bias %s for weight %s: one number per row of the weight is "
                       "wanted",
                       cn_shape_text(&b->shape, tx), cn_shape_text(&w->shape, tw));
    if (x->dtype != w->dtype || (b && b->dtype != w->dtype))
        return cn_fail(CN_EINVALID, "linear: input is %s, weight %s: all must have the same dtype",
                       cn_dtype_name(x->dtype), cn_dtype_name(w->dtype));
    if (x->dtype == CN_BOOL)
        return cn_fail(CN_EINVALID, "linear: bools have no product, convert them");
    *out = (cn_spec){ x->dtype, x->shape };
    out->shape.dim[x->shape.ndim - 1] = w->shape.dim[0];
    return true;
}

#define T float
#define NAME(x) x##_f32
#include "ops/layers/linear.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/layers/linear.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/layers/linear.inc"

static bool linear_kernel(const cn_call *c)
{
    const cn_view *y = cn_out(c, 0), *x = cn_in(c, 0), *w = cn_in(c, 1), *b = cn_in(c, 2);
    if (y->dtype == CN_F32) linear_f32(y, x, w, b);
    else if (y->dtype == CN_F64) linear_f64(y, x, w, b);
    else linear_i64(y, x, w, b);
    return true;
}

/* ---- gradients: all three in one call ------------------------------------------------------ */

/* Is grad_output what linear gives for this input and weight? */
static bool is_its_gradient(const cn_view *grad, const cn_view *x, const cn_view *w)
{
    cn_shape y = x->shape;
    if (w->shape.ndim != 2 || y.ndim < 1 || y.dim[y.ndim - 1] != w->shape.dim[1]) return false;
    y.dim[y.ndim - 1] = w->shape.dim[0];
    return cn_shape_equal(&y, &grad->shape) && x->dtype == grad->dtype && w->dtype == grad->dtype;
}

static bool linear_backward_infer(const cn_call *c, cn_spec out[])
{
    const cn_linear_backward *p = c->params;
    cn_dtype d = c->in[0]->v.dtype;
    if (!is_its_gradient(cn_in(c, 0), cn_in(c, 1), cn_in(c, 2)))
        return cn_fail(CN_EINVALID, "%s: grad_output, input and weight do not fit", c->op->name);
    if (d == CN_BOOL) return cn_fail(CN_EINVALID, "%s: bools have no product", c->op->name);
    out[0] = (cn_spec){ d, p->want_input ? c->in[1]->v.shape : CN_SHAPE(0) };
    out[1] = (cn_spec){ d, p->want_weight ? c->in[2]->v.shape : CN_SHAPE(0) };
    out[2] = (cn_spec){ d, CN_SHAPE(p->want_bias ? c->in[2]->v.shape.dim[0] : 0) };
    return true;
}

static bool linear_backward_kernel(const cn_call *c)
{
    cn_dtype d = cn_in(c, 0)->dtype;
    if (d == CN_F32) linear_gradients_f32(c);
    else if (d == CN_F64) linear_gradients_f64(c);
    else linear_gradients_i64(c);
    return true;
}

const cn_op cn_op_linear_backward = {
    CN_OP_HEAD(
        linear_backward, "linear_backward",
        "(Tensor grad_output, Tensor input, Tensor weight, bool want_input, bool want_weight, bool want_bias) "
        "-> (Tensor, Tensor, Tensor)"),
    .doc = "The gradients of linear, those that are wanted. Recorded passes use products instead.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .params_size = sizeof(cn_linear_backward),
    .infer = linear_backward_infer,
    .kernel = linear_backward_kernel,
    .samples =
        "[2,4] [2,3] [4,3] True True True | [2,2,4] [2,2,3] [4,3] False True True | [40,33] [40,50] [33,50] True "
        "True False",
};

/* All leading dimensions as rows. */
static cn_tensor *as_rows(cn_tensor *t)
{
    if (!t || t->v.shape.ndim == 2) return t;
    int64_t features = t->v.shape.dim[t->v.shape.ndim - 1];
    return cn_reshape(t, CN_SHAPE(features ? t->v.numel / features : 0, features));
}

/* The same by ops that have gradients themselves. */
static void recorded_gradients(cn_grads *g, cn_tensor *gy)
{
    gy = as_rows(gy);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_reshape(cn_mm(gy, cn_saved_in(g, 1)), *cn_in_shape(g, 0)));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mm(cn_transpose(gy, 0, 1), as_rows(cn_saved_in(g, 0))));
    if (cn_wants(g, 2)) cn_give(g, 2, cn_sum(gy, .dim = CN_SHAPE(0)));
}

static void linear_gradients(cn_grads *g, cn_tensor *gy)
{
    if (cn_grad_enabled()) {
        recorded_gradients(g, gy);
        return;
    }
    cn_linear_backward p = { cn_wants(g, 0), cn_wants(g, 1), cn_wants(g, 2) };
    cn_tensor *in[] = { gy, cn_saved_in(g, 0), cn_saved_in(g, 1) }, *out[3];
    if (!gy || !in[1] || !in[2] || !cn_apply(&cn_op_linear_backward, in, 3, &p, out, 3)) return;
    for (int i = 0; i < 3; i++) cn_give(g, i, out[i]);
}

static void linear_backward(cn_grads *g)
{
    linear_gradients(g, cn_gout(g, 0));
}

const cn_op cn_op_linear = {
    CN_OP_HEAD(linear, "nn.functional.linear",
               "(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor"),
    .aliases = "linear",
    .doc = "input weight^T + bias over the last dimension (D2L 3.1).",
    .flags = CN_ROWS,
    .optional = CN_SAVE_IN(2),
    .infer = linear_infer,
    .kernel = linear_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = linear_backward,
    .samples =
        "[2,3] [4,3] [4] | [3] [2,3] | [2,2,3] [4,3] [4] | [0,3] [2,3] [2] | [33,40] [50,40] [50]",
};

/* ---- with an activation on top ------------------------------------------------------------- */

typedef struct {
    const char *activation;
} LinearAct;

typedef struct {
    const char *name; /* a literal: parameters outlive the caller's text */
    cn_tensor *(*forward)(cn_tensor *x);
    cn_tensor *(*backward)(cn_tensor *grad, cn_tensor *y);
    const cn_op *op;
} Activation;

static const Activation activations[] = {
    { "relu", cn_relu, cn_relu_backward, &cn_op_relu },
    { "sigmoid", cn_sigmoid, cn_sigmoid_backward, &cn_op_sigmoid },
    { "tanh", cn_tanh, cn_tanh_backward, &cn_op_tanh },
};

static const Activation *activation_named(const char *name)
{
    for (size_t i = 0; name && i < CN_COUNT(activations); i++)
        if (strcmp(activations[i].name, name) == 0) return &activations[i];
    cn_fail(CN_EINVALID, "linear_act: activation '%s' is not relu, sigmoid or tanh",
            name ? name : "None");
    return NULL;
}

static bool linear_act_infer(const cn_call *c, cn_spec out[])
{
    return activation_named(((const LinearAct *)c->params)->activation) && linear_infer(c, out);
}

/* The activation's own reference kernel runs over the result of the product, in place. */
static bool linear_act_kernel(const cn_call *c)
{
    if (!linear_kernel(c)) return false;
    cn_tensor *y[] = { c->out[0] };
    const cn_op *op = activation_named(((const LinearAct *)c->params)->activation)->op;
    cn_call on_top = { .op = op, .n_in = 1, .n_out = 1, .in = y, .out = y };
    return op->kernel(&on_top);
}

static void linear_act_backward(cn_grads *g)
{
    const LinearAct *p = cn_grad_params(g);
    cn_tensor *gy = activation_named(p->activation)->backward(cn_gout(g, 0), cn_saved_out(g, 0));
    linear_gradients(g, gy);
}

const cn_op cn_op_linear_act = {
    CN_OP_HEAD(linear_act, "linear_act",
               "(Tensor input, Tensor weight, Tensor? bias, str activation) -> Tensor"),
    .doc = "linear, then relu, sigmoid or tanh, in one pass.",
    .flags = CN_ROWS,
    .params_size = sizeof(LinearAct),
    .optional = CN_SAVE_IN(2),
    .infer = linear_act_infer,
    .kernel = linear_act_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_OUT(0),
    .backward = linear_act_backward,
    .samples = "[2,3] [4,3] [4] sigmoid | [3] [2,3] None relu | [2,2,3] [4,3] [4] tanh",
};

bool cn_is_linear_activation(const cn_op *op)
{
    for (size_t i = 0; i < CN_COUNT(activations); i++)
        if (activations[i].op == op) return true;
    return false;
}

cn_tensor *cn_linear_act(cn_tensor *input, cn_tensor *weight, cn_tensor *bias,
                         const cn_op *activation)
{
    LinearAct p = { NULL };
    for (size_t i = 0; i < CN_COUNT(activations); i++)
        if (activations[i].op == activation) p.activation = activations[i].name;
    return CN_CALL(linear_act, &p, input, weight, bias);
}

cn_tensor *cn_linear(cn_tensor *input, cn_tensor *weight, cn_tensor *bias)
{
    return CN_CALL(linear, NULL, input, weight, bias);
}
