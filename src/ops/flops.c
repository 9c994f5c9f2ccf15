/* flops.c - the floating-point operations of calls, for profiles: products, where they are many and
   where a share of the machine's speed says something. */
#include "core/profile.h"
#include "ops/fused.h"
#include "ops/internal.h"

/* (.., m, k) times (.., k, n): k multiplications and as many additions for each result. */
static double product(const cn_call *c)
{
    const cn_shape *a = &c->in[0]->v.shape;
    return a->ndim ? 2 * (double)c->out[0]->v.numel * (double)a->dim[a->ndim - 1] : 0;
}

/* `pixels` of all images, each a sum over what one output channel of the weight has. */
static double sums(const cn_tensor *pixels, const cn_shape *weight)
{
    double n = 2 * (double)pixels->v.numel;
    for (int i = 1; i < weight->ndim; i++) n *= (double)weight->dim[i];
    return n;
}

static double convolution(const cn_call *c)
{
    return sums(c->out[0], &c->in[1]->v.shape);
}

/* Of conv2d_input: (weight, grad_output). */
static double input_gradient(const cn_call *c)
{
    return sums(c->in[1], &c->in[0]->v.shape);
}

/* Of conv2d_weight: (input, grad_output) to a gradient as large as the weight. */
static double weight_gradient(const cn_call *c)
{
    return sums(c->in[1], &c->out[0]->v.shape);
}

/* The gradients of the weight and, where one is made, of the input: each a product as the one
   forward. */
static double linear_gradients(const cn_call *c)
{
    double n = 0;
    const cn_tensor *gy = c->in[0];
    for (int i = 0; i < c->n_out; i++)
        if (c->out[i] && c->out[i]->v.shape.ndim >= 2 && gy->v.shape.ndim)
            n += 2 * (double)gy->v.numel *
                 (double)c->out[i]->v.shape.dim[c->out[i]->v.shape.ndim - 1];
    return n;
}

/* Stride 1 and before pooling: (N, out, H, W) of the convolution inside. */
static double block_of(const cn_shape *x, const cn_shape *w, const cn_ints *padding)
{
    double n = 2 * (double)x->dim[0] * (double)w->dim[0];
    for (int i = 0; i < 2; i++)
        n *= (double)(x->dim[i + 2] + 2 * padding->v[i] - w->dim[i + 2] + 1);
    return n * (double)w->dim[1] * (double)w->dim[2] * (double)w->dim[3];
}

static double block(const cn_call *c)
{
    const cn_conv_block *p = c->params;
    return block_of(&c->in[0]->v.shape, &c->in[1]->v.shape, &p->padding);
}

/* The weight's gradient, and the input's where it is wanted: the last parameter. */
static double block_gradients(const cn_call *c)
{
    const struct {
        cn_conv_block block;
        bool want_input;
    } *p = c->params;
    return (p->want_input ? 2 : 1) *
           block_of(&c->in[1]->v.shape, &c->in[2]->v.shape, &p->block.padding);
}

cn_op_flops *const cn_flops_of[CN_NUM_OPS] = {
    [CN_OP_ID_mm] = product,
    [CN_OP_ID_bmm] = product,
    [CN_OP_ID_linear] = product,
    [CN_OP_ID_linear_act] = product,
    [CN_OP_ID_linear_backward] = linear_gradients,
    [CN_OP_ID_conv_block] = block,
    [CN_OP_ID_conv_block_backward] = block_gradients,
    [CN_OP_ID_convolution2d] = convolution,
    [CN_OP_ID_convolution3d] = convolution,
    [CN_OP_ID_conv2d_input] = input_gradient,
    [CN_OP_ID_conv3d_input] = input_gradient,
    [CN_OP_ID_conv2d_weight] = weight_gradient,
    [CN_OP_ID_conv3d_weight] = weight_gradient,
};
