/* bind_winograd.c - the provider of convolutions of images in blocks by Winograd's method.

   It stands before oneDNN, whose own Winograd kernels are for 3 x 3 only. */
#include "backends/simd/bind.h"
#include "ops/params.h"

/* The images before and behind the convolution, and how it is done. */
typedef struct Call {
    const cn_view *x, *y;
    const cn_shape *weight;
    const cn_conv_params *window;
} Call;

static const cn_conv_params *window_of_gradient(const cn_call *c)
{
    const cn_conv_gradient_params *p = c->params;
    return &p->conv;
}

static Call call_of(const cn_call *c)
{
    const cn_view *a = &c->in[0]->v, *b = &c->in[1]->v, *out = cn_out(c, 0); /* none optional */
    switch (c->op->id) {
    case CN_OP_ID_convolution2d: return (Call){ a, out, &b->shape, c->params };
    case CN_OP_ID_conv2d_input: return (Call){ out, b, &a->shape, window_of_gradient(c) };
    default: return (Call){ a, b, &out->shape, window_of_gradient(c) };
    }
}

static cn_simd_winograd winograd_of(const Call *k)
{
    const int64_t *x = k->x->shape.dim, *y = k->y->shape.dim;
    return (cn_simd_winograd){ .images = x[0],
                               .in_channels = x[1],
                               .out_channels = y[1],
                               .h = x[2],
                               .w = x[3],
                               .out_h = y[2],
                               .out_w = y[3],
                               .pad_h = k->window->padding.v[0],
                               .pad_w = k->window->padding.v[1] };
}

static bool forward(const cn_call *c)
{
    const Call k = call_of(c);
    cn_simd_winograd p = winograd_of(&k);
    p.weight = cn_simd_in(c, 1);
    c->out[0]->v.block = (uint8_t)cn_simd->width;
    return cn_simd->winograd(&p, cn_simd_out(c, 0), cn_simd_in(c, 0), cn_simd_in_or_null(c, 2),
                             cn_threads());
}

/* The gradient of an input is the convolution of what arrives, from the outputs to the inputs. */
static bool input_gradient(const cn_call *c)
{
    const Call k = call_of(c);
    const Call back = { k.y, k.x, k.weight, k.window };
    cn_simd_winograd p = winograd_of(&back);
    p.pad_h = CN_WINOGRAD_KERNEL - 1 - p.pad_h, p.pad_w = CN_WINOGRAD_KERNEL - 1 - p.pad_w;
    p.turned = true, p.weight = cn_simd_in(c, 0);
    c->out[0]->v.block = (uint8_t)cn_simd->width;
    return cn_simd->winograd(&p, cn_simd_out(c, 0), cn_simd_in(c, 1), NULL, cn_threads());
}

static bool weight_gradient(const cn_call *c)
{
    const Call k = call_of(c);
    const cn_simd_winograd p = winograd_of(&k);
    return cn_simd->winograd_weight(&p, cn_simd_out(c, 0), cn_simd_in(c, 0), cn_simd_in(c, 1),
                                    cn_threads());
}

/* ---- the choice ------------------------------------------------------------------------------ */

static bool fits_blocks(const cn_shape *s)
{
    return cn_can_block(s, cn_simd->width);
}

/* Kernels are gathered by 32-bit offsets: one for each lane. */
static bool can_gather(const cn_shape *weight)
{
    return weight->dim[1] <=
           INT32_MAX / (CN_WINOGRAD_KERNEL * CN_WINOGRAD_KERNEL * (int64_t)cn_simd->width);
}

static const char *refuses_window(const Call *k)
{
    const cn_conv_params *p = k->window;
    if (p->groups != 1) return "groups of channels";
    if (!can_gather(k->weight)) return "too many channels";
    for (int i = 0; i < 2; i++) {
        if (k->weight->dim[2 + i] != CN_WINOGRAD_KERNEL) return "no 5 x 5 kernel";
        if (p->stride.v[i] != 1 || p->dilation.v[i] != 1) return "strides or gaps";
        if (p->padding.v[i] >= CN_WINOGRAD_KERNEL) return "padded by more than a kernel";
    }
    return NULL;
}

/* Measured: few tiles do not pay for turning the kernels, few channels not for turning the tiles. */
static bool pays(const cn_simd_winograd *p)
{
    const int64_t across = (p->out_w + 1) / 2, down = (p->out_h + 1) / 2;
    return p->in_channels >= 64 && p->out_channels >= 64 && across > 3 && down > 3 &&
           p->images * across * down >= 64;
}

static bool is_dense(const cn_call *c, int i)
{
    return c->in[i] && cn_simd_dense(&c->in[i]->v);
}

static const char *refuses(const cn_call *c)
{
    if (!is_dense(c, 0) || !is_dense(c, 1)) return "not dense float32";
    if (cn_in(c, 2) && !is_dense(c, 2)) return "bias not dense float32";
    const int images[] = { c->op->id != CN_OP_ID_conv2d_input ? 0 : 1,
                           c->op->id == CN_OP_ID_convolution2d ? 0 : 1 };
    for (int i = 0; i < 2; i++)
        if (cn_in(c, images[i])->block != cn_simd->width) return "not in blocks";
    const Call k = call_of(c);
    if (!fits_blocks(&k.x->shape) || !fits_blocks(&k.y->shape)) return "no blocks for the result";
    const char *why = refuses_window(&k);
    const cn_simd_winograd p = winograd_of(&k);
    return why ? why : pays(&p) ? NULL : "too small to gain";
}

static cn_kernel *find(const cn_call *c, const char **why)
{
    const char *reason = refuses(c);
    if (reason) {
        *why = reason;
        return NULL;
    }
    if (c->op->id == CN_OP_ID_convolution2d) return forward;
    return c->op->id == CN_OP_ID_conv2d_input ? input_gradient : weight_gradient;
}

static bool knows(int op)
{
    return op == CN_OP_ID_convolution2d || op == CN_OP_ID_conv2d_input ||
           op == CN_OP_ID_conv2d_weight;
}

extern const cn_provider cn_provider_winograd;
const cn_provider cn_provider_winograd = {
    sizeof(cn_provider), "winograd", cn_simd_probe, knows, NULL, find
};
