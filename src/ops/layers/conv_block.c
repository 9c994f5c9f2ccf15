/* conv_block.c - convolution, activation and pooling as one op.

   The reference kernels are the composition; fast kernels keep a block of images in cache from
   the first
   step to the last. `saved` is theirs: the activations in a layout of their own. */
#include "core/provider.h"
#include "ops/fused.h"
#include "ops/internal.h"

#include <string.h>

typedef struct {
    cn_conv_block block;
    bool want_input;
} Backward;

/* ---- the composition ----------------------------------------------------------------------- */

static cn_tensor *activate(cn_tensor *x, const char *name)
{
    if (strcmp(name, "relu") == 0) return cn_relu(x);
    if (strcmp(name, "sigmoid") == 0) return cn_sigmoid(x);
    return strcmp(name, "tanh") == 0 ? cn_tanh(x) : x;
}

static cn_tensor *composition(cn_tensor *x, cn_tensor *w, cn_tensor *b, const cn_conv_block *p)
{
    int64_t ph = p->padding.v[0], pw = p->padding.v[1];
    cn_tensor *y = activate(cn_conv2d(x, w, .bias = b, .padding = { ph, pw }), p->activation);
    if (strcmp(p->pool, "avg") == 0) return cn_avg_pool2d(y, .kernel = { 2, 2 });
    if (strcmp(p->pool, "max") == 0) return cn_max_pool2d(y, .kernel = { 2, 2 });
    return y;
}

static bool copy_result(const cn_call *c, int i, cn_tensor *t)
{
    if (t) cn_copy_view(cn_out(c, i), &t->v);
    return t != NULL;
}

static bool forward_kernel(const cn_call *c)
{
    size_t mark = cn_mark();
    bool was = cn_set_grad_enabled(false);
    bool ok = copy_result(c, 0, composition(c->in[0], c->in[1], c->in[2], c->params));
    memset(cn_out(c, 1)->data, 0, (size_t)cn_out(c, 1)->numel);
    cn_set_grad_enabled(was);
    cn_release(mark);
    return ok;
}

/* d(composition) by autograd, on leaves of our own. */
static bool backward_kernel(const cn_call *c)
{
    const Backward *p = c->params;
    size_t mark = cn_mark();
    bool was = cn_set_grad_enabled(true), ok = true;
    cn_tensor *leaves[3] = { NULL }, *grads[3];
    int n = c->in[3] ? 3 : 2;
    for (int i = 0; i < n; i++) leaves[i] = cn_requires_grad(cn_detach(c->in[1 + i]), true);
    cn_tensor *y = composition(leaves[0], leaves[1], leaves[2], &p->block);
    cn_tensor *gy = cn_detach(c->in[0]);
    ok = y && gy && cn_grad_of(&y, &gy, 1, leaves, n, grads, NULL);
    for (int i = 0; ok && i < n; i++)
        if (i || p->want_input) ok = copy_result(c, i, grads[i]);
    cn_set_grad_enabled(was);
    cn_release(mark);
    return ok;
}

/* ---- shapes -------------------------------------------------------------------------------- */

static bool words_are_known(const cn_conv_block *p)
{
    static const char *const known[] = { "none", "relu", "sigmoid", "tanh", "avg", "max" };
    bool activation = false, pool = strcmp(p->pool, "none") == 0;
    for (int i = 0; i < 4; i++) activation |= strcmp(p->activation, known[i]) == 0;
    for (int i = 4; i < 6; i++) pool |= strcmp(p->pool, known[i]) == 0;
    if (activation && pool) return true;
    return cn_fail(CN_EINVALID, "conv_block: activation '%s' or pool '%s' is unknown",
                   p->activation, p->pool);
}

static bool forward_infer(const cn_call *c, cn_spec out[])
{
    const cn_conv_block *p = c->params;
    const cn_shape *x = &c->in[0]->v.shape, *w = &c->in[1]->v.shape;
    if (!words_are_known(p) || !cn_want_dims(c, 0, 4, 4) || !cn_want_dims(c, 1, 4, 4)) return false;
    int64_t h = x->dim[2] + 2 * p->padding.v[0] - w->dim[2] + 1;
    int64_t width = x->dim[3] + 2 * p->padding.v[1] - w->dim[3] + 1;
    if (x->dim[1] != w->dim[1] || h < 1 || width < 1 || p->padding.v[0] < 0 ||
        p->padding.v[1] < 0) {
        char a[128], b[128];
        return cn_fail(CN_EINVALID, "conv_block: input %s and weight %s do not fit",
                       cn_shape_text(x, a), cn_shape_text(w, b));
    }
    int64_t step = strcmp(p->pool, "none") == 0 ? 1 : 2;
    out[0] = (cn_spec){ c->in[0]->v.dtype, CN_SHAPE(x->dim[0], w->dim[0], h / step, width / step) };
    int64_t lanes = (x->dim[0] + 15) / 16 * 16; /* whole vectors of images, of either width */
    int64_t saved = cn_grad_enabled() ? lanes * w->dim[0] * h * width * (int64_t)sizeof(float) : 0;
    out[1] = (cn_spec){ CN_BOOL, CN_SHAPE(saved) }; /* bytes: nothing to differentiate */
    return true;
}

static bool backward_infer(const cn_call *c, cn_spec out[])
{
    const Backward *p = c->params;
    cn_dtype d = c->in[0]->v.dtype;
    out[0] = (cn_spec){ d, p->want_input ? c->in[1]->v.shape : CN_SHAPE(0) };
    out[1] = (cn_spec){ d, c->in[2]->v.shape };
    out[2] = (cn_spec){ d, CN_SHAPE(c->in[2]->v.shape.dim[0]) };
    return true;
}

/* ---- gradients ----------------------------------------------------------------------------- */

/* When the backward pass is itself recorded, the composition takes over: its rules are exact at
   any order. */
static void recorded_backward(cn_grads *g)
{
    const cn_conv_block *p = cn_grad_params(g);
    cn_tensor *in[3], *grads[3] = { NULL }, *gy = cn_gout(g, 0);
    int n = 0;
    for (int i = 0; i < 3; i++) in[i] = cn_saved_in(g, i);
    cn_tensor *y = composition(in[0], in[1], in[2], p), *wanted[3];
    for (int i = 0; i < 3; i++)
        if (cn_wants(g, i)) wanted[n++] = in[i];
    cn_backward_options o = { .size = sizeof o, .create_graph = true };
    if (!y || !cn_grad_of(&y, &gy, 1, wanted, n, grads, &o)) return;
    n = 0;
    for (int i = 0; i < 3; i++)
        if (cn_wants(g, i)) cn_give(g, i, grads[n++]);
}

static void block_backward(cn_grads *g)
{
    if (cn_grad_enabled()) {
        recorded_backward(g);
        return;
    }
    Backward p = { *(const cn_conv_block *)cn_grad_params(g), cn_wants(g, 0) };
    cn_tensor *in[] = { cn_contiguous(cn_gout(g, 0)), cn_saved_in(g, 0), cn_saved_in(g, 1),
                        cn_saved_in(g, 2), cn_saved_out(g, 1) };
    cn_tensor *out[3];
    if (!cn_apply(&cn_op_conv_block_backward, in, 5, &p, out, 3)) return;
    for (int i = 0; i < 3; i++) cn_give(g, i, out[i]);
}

const cn_op cn_op_conv_block = {
    CN_OP_HEAD(
        conv_block, "conv_block",
        "(Tensor input, Tensor weight, Tensor? bias, int[2] padding, str activation, str pool) -> "
        "(Tensor, Tensor)"),
    .doc =
        "conv2d with stride 1, then relu, sigmoid, tanh or none, then 2 x 2 avg or max pooling or none, in one pass.",
    .flags = CN_ROWS,
    .params_size = sizeof(cn_conv_block),
    .optional = CN_SAVE_IN(2),
    .infer = forward_infer,
    .kernel = forward_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_IN(2) | CN_SAVE_OUT(1),
    .backward = block_backward,
    .samples =
        "[2,1,6,6] [3,1,3,3] [3] padding=1 activation=sigmoid pool=avg | [2,2,5,5] [2,2,3,2] None padding=0 "
        "activation=tanh pool=none | [17,2,7,7] [3,2,2,2] [3] padding=0 activation=none pool=avg",
};

const cn_op cn_op_conv_block_backward = {
    CN_OP_HEAD(
        conv_block_backward, "conv_block_backward",
        "(Tensor grad_output, Tensor input, Tensor weight, Tensor? bias, Tensor saved, int[2] padding, str "
        "activation, str pool, bool want_input) -> (Tensor, Tensor, Tensor)"),
    .doc =
        "The gradients of conv_block; `saved` is its second result. Recorded passes use the composition instead.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .params_size = sizeof(Backward),
    .optional = CN_SAVE_IN(3),
    .infer = backward_infer,
    .kernel = backward_kernel,
    .samples =
        "[2,3,2,2] [2,1,4,4] [3,1,3,3] [3] bool[0] padding=1 activation=sigmoid pool=avg want_input=True",
};

/* ---- for modules --------------------------------------------------------------------------- */

bool cn_conv_block_pays(cn_tensor *input, cn_tensor *weight, cn_tensor *bias,
                        const cn_conv_block *p)
{
    cn_tensor *in[] = { input, weight, bias };
    cn_call c = { .op = &cn_op_conv_block, .params = p, .n_in = 3, .n_out = 2, .in = in };
    return cn_provider_takes(&c);
}

cn_tensor *cn_conv_block_call(cn_tensor *input, cn_tensor *weight, cn_tensor *bias,
                              const cn_conv_block *p)
{
    cn_tensor *out[2];
    return cn_apply(&cn_op_conv_block, (cn_tensor *[]){ input, weight, bias }, 3, p, out, 2)
               ? out[0]
               : NULL;
}
