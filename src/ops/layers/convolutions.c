/* convolutions.c - conv1d to conv3d, their transposes, and nn.grad: single images, lines and padding
   by name resolved, on top of the core ops of conv.c. */
#include "ops/layers/conv.h"

#include <string.h>

/* ---- operands with all dimensions ---------------------------------------------------------- */

/* The shape with a dimension of size 1 put in at `place`. */
static cn_shape with_one(const cn_shape *s, int place)
{
    cn_shape r = *s;
    memmove(r.dim + place + 1, r.dim + place, (size_t)(r.ndim - place) * sizeof *r.dim);
    r.dim[place] = 1;
    r.ndim++;
    return r;
}

static cn_tensor *with_dim(cn_tensor *x, int place)
{
    return x ? cn_reshape(x, with_one(&x->v.shape, place)) : NULL;
}

/* A convolution brought to the form of the core ops, which know pictures and volumes. */
typedef struct {
    cn_tensor *x, *w;
    cn_conv_params p;
    cn_ints output_padding;
    bool single, line; /* what is to be taken back from the result */
} Plain;

static bool make_plain(const cn_call *c, int dims, const cn_conv_params *p, Plain *out)
{
    if (!cn_want_dims(c, 0, dims + 1, dims + 2) || !cn_want_dims(c, 1, dims + 2, dims + 2))
        return false;
    *out = (Plain){ .x = c->in[0], .w = c->in[1], .p = *p };
    out->single = out->x->v.shape.ndim == dims + 1;
    out->line = dims == 1;
    if (out->single) out->x = with_dim(out->x, 0);
    if (out->line) {
        out->x = with_dim(out->x, 2), out->w = with_dim(out->w, 2);
        out->p.stride = cn_pair(&p->stride, 1), out->p.dilation = cn_pair(&p->dilation, 1);
        out->p.padding = cn_pair(&p->padding, 0);
    }
    return out->x && out->w;
}

static cn_tensor *take_back(cn_tensor *y, const Plain *plain)
{
    if (!y || (!plain->single && !plain->line)) return y;
    cn_shape s = y->v.shape, r = { .ndim = 0 };
    for (int i = 0; i < s.ndim; i++)
        if (!(plain->single && i == 0) && !(plain->line && i == 2)) r.dim[r.ndim++] = s.dim[i];
    return cn_reshape(y, r);
}

static cn_tensor *bias_of(const cn_call *c)
{
    return c->n_in > 2 ? c->in[2] : NULL;
}

/* ---- convolution ---------------------------------------------------------------------------- */

/* padding='same': the output is as large as the input. What an odd total leaves over is padded
   behind the last element beforehand. */
static bool resolve_same(Plain *plain, const char *what)
{
    cn_conv_params *p = &plain->p;
    const cn_shape *w = &plain->w->v.shape;
    cn_shape extra = { .ndim = 2 * (int)p->stride.n };
    bool odd = false;
    p->padding.n = p->stride.n;
    for (int i = 0; i < p->stride.n; i++) {
        p->padding.v[i] = 0;
        if (p->stride.v[i] != 1)
            return cn_fail(CN_EINVALID, "%s: padding='same' requires stride 1, not %lld", what,
                           (long long)p->stride.v[i]);
        if (!cn_conv_sane(&plain->x->v.shape, w, p, what)) return false;
        int64_t total = p->dilation.v[i] * (w->dim[2 + i] - 1);
        p->padding.v[i] = total / 2;
        extra.dim[2 * (p->stride.n - 1 - i) + 1] = total % 2;
        odd |= total % 2 != 0;
    }
    if (odd) plain->x = cn_constant_pad_nd(plain->x, extra, 0);
    return plain->x != NULL;
}

static bool convolve(cn_call *c, int dims)
{
    Plain plain;
    if (!make_plain(c, dims, c->params, &plain)) return false;
    if (plain.p.padding.n == CN_PADDING_SAME && !resolve_same(&plain, c->op->name)) return false;
    cn_tensor *y = cn_convolution(plain.x, plain.w, bias_of(c), &plain.p);
    return cn_set_out(c, 0, take_back(y, &plain));
}

static bool conv1d_compose(cn_call *c)
{
    return convolve(c, 1);
}

static bool conv2d_compose(cn_call *c)
{
    return convolve(c, 2);
}

static bool conv3d_compose(cn_call *c)
{
    return convolve(c, 3);
}

#define CONV_ARGUMENTS(n)                                                                          \
    "(Tensor input, Tensor weight, Tensor? bias=None, int[" n "] stride=1, int[" n                 \
    "] padding=0, int[" n "] dilation=1, int groups=1) -> Tensor"

const cn_op cn_op_conv1d = {
    CN_OP_HEAD(conv1d, "nn.functional.conv1d", CONV_ARGUMENTS("1")),
    .aliases = "conv1d",
    .doc =
        "Cross-correlation of (N, C, L) or (C, L) with weight (out, C / groups, length) (D2L 15.3).",
    .params_size = sizeof(cn_conv_params),
    .optional = CN_SAVE_IN(2),
    .compose = conv1d_compose,
    .samples = "[2,3,5] [2,3,3] [2] | [3,6] [2,3,2] padding=1 stride=2 dilation=2 | "
               "[1,2,5] [2,2,4] padding=same",
};

const cn_op cn_op_conv2d = {
    CN_OP_HEAD(conv2d, "nn.functional.conv2d", CONV_ARGUMENTS("2")),
    .aliases = "conv2d",
    .doc =
        "Cross-correlation of (N, C, H, W) or (C, H, W) with weight (out, C / groups, height, width); "
        "padding may be 'same' or 'valid' (D2L 6.2).",
    .params_size = sizeof(cn_conv_params),
    .optional = CN_SAVE_IN(2),
    .flags = CN_ANY_LAYOUT,
    .compose = conv2d_compose,
    .samples = "[2,3,5,4] [2,3,3,2] [2] | [3,4,4] [2,3,2,2] padding=1 stride=2 | "
               "[1,2,4,5] [2,2,2,3] padding=same | [4,4,3] [2,2,2,2] [2] padding=valid groups=2",
};

const cn_op cn_op_conv3d = {
    CN_OP_HEAD(conv3d, "nn.functional.conv3d", CONV_ARGUMENTS("3")),
    .aliases = "conv3d",
    .doc = "Cross-correlation of (N, C, D, H, W) or (C, D, H, W) with weight (out, C / groups, "
           "depth, height, width).",
    .params_size = sizeof(cn_conv_params),
    .optional = CN_SAVE_IN(2),
    .compose = conv3d_compose,
    .samples = "[1,2,3,4,3] [2,2,2,2,2] [2] | [2,2,3,4] [2,1,2,2,2] padding=1 stride=2 groups=2 | "
               "[1,1,3,2,4] [2,1,2,3,2] padding=same dilation=(1,1,2)",
};

/* ---- transposed convolution: the gradient of a convolution with respect to its input -------- */

typedef struct {
    cn_ints stride, padding, output_padding;
    int64_t groups;
    cn_ints dilation;
} Transposed;

static bool transposed_channels_fit(const cn_call *c, const Plain *plain)
{
    const cn_shape *x = &plain->x->v.shape, *w = &plain->w->v.shape;
    int64_t groups = plain->p.groups, out = 0;
    char tx[128], tw[128];
    if (groups < 1 || x->dim[1] != w->dim[0] || w->dim[0] % groups ||
        __builtin_mul_overflow(w->dim[1], groups, &out))
        return cn_fail(CN_EINVALID,
                       "%s: input %s, weight %s (in, out / groups, ..) and groups=%lld do not fit",
                       c->op->name, cn_shape_text(&c->in[0]->v.shape, tx),
                       cn_shape_text(&c->in[1]->v.shape, tw), (long long)groups);
    const cn_tensor *b = bias_of(c);
    return !b || (b->v.shape.ndim == 1 && b->v.shape.dim[0] == out) ||
           cn_fail(CN_EINVALID,
                   "%s: the bias must have one number for each of %lld output channels",
                   c->op->name, (long long)out);
}

/* The shape of the result, if all is well. */
static bool transposed_shape(const cn_call *c, const Plain *plain, cn_shape *y)
{
    const cn_shape *x = &plain->x->v.shape, *w = &plain->w->v.shape;
    const cn_conv_params *p = &plain->p;
    if (!transposed_channels_fit(c, plain) || !cn_conv_sane(x, w, p, c->op->name)) return false;
    *y = *x;
    y->dim[1] = w->dim[1] * p->groups;
    for (int i = 0; i < p->stride.n; i++) {
        int64_t extra = plain->output_padding.v[i], stride = p->stride.v[i];
        if (extra < 0 || (extra >= stride && extra >= p->dilation.v[i]))
            return cn_fail(CN_EINVALID,
                           "%s: output_padding %lld must be at least 0 and smaller than stride "
                           "%lld or dilation %lld",
                           c->op->name, (long long)extra, (long long)stride,
                           (long long)p->dilation.v[i]);
        y->dim[2 + i] = (x->dim[2 + i] - 1) * stride - 2 * p->padding.v[i] +
                        p->dilation.v[i] * (w->dim[2 + i] - 1) + extra + 1;
        if (x->dim[2 + i] < 1 || y->dim[2 + i] < 1)
            return cn_fail(CN_EINVALID, "%s: size %lld of the input would give size %lld",
                           c->op->name, (long long)x->dim[2 + i], (long long)y->dim[2 + i]);
    }
    return true;
}

/* An output_padding of a stride or more, which a dilation can allow, is beyond any input of a
   convolution with that many outputs. Then the whole result is made, and its margins cut or added. */
static cn_tensor *by_margins(const Plain *plain, const cn_shape *y)
{
    cn_conv_params p = plain->p;
    cn_shape whole = *y, margins = { .ndim = 2 * (int)p.stride.n };
    for (int i = 0; i < p.stride.n; i++) {
        int64_t *before = &margins.dim[2 * (p.stride.n - 1 - i)], padding = p.padding.v[i];
        before[0] = -padding, before[1] = plain->output_padding.v[i] - padding;
        whole.dim[2 + i] -= before[0] + before[1];
        p.padding.v[i] = 0;
    }
    return cn_constant_pad_nd(cn_conv_input(&whole, plain->w, plain->x, &p), margins, 0);
}

static cn_tensor *transposed(const Plain *plain, const cn_shape *y)
{
    for (int i = 0; i < plain->p.stride.n; i++)
        if (plain->output_padding.v[i] >= plain->p.stride.v[i]) return by_margins(plain, y);
    return cn_conv_input(y, plain->w, plain->x, &plain->p);
}

static bool convolve_transposed(cn_call *c, int dims)
{
    const Transposed *p = c->params;
    cn_conv_params conv = { p->stride, p->padding, p->dilation, p->groups };
    Plain plain;
    cn_shape shape;
    if (p->padding.n != dims)
        return cn_fail(CN_EINVALID, "%s: padding must be numbers", c->op->name);
    if (!cn_conv_dtypes(c) || !make_plain(c, dims, &conv, &plain)) return false;
    plain.output_padding = plain.line ? cn_pair(&p->output_padding, 0) : p->output_padding;
    if (!transposed_shape(c, &plain, &shape)) return false;
    cn_tensor *y = transposed(&plain, &shape), *bias = bias_of(c);
    if (y && bias) {
        cn_shape channels = cn_shape_along(y->v.shape.ndim, 1, y->v.shape.dim[1]);
        y = cn_add(y, cn_reshape(bias, channels));
    }
    return cn_set_out(c, 0, take_back(y, &plain));
}

static bool conv_transpose1d_compose(cn_call *c)
{
    return convolve_transposed(c, 1);
}

static bool conv_transpose2d_compose(cn_call *c)
{
    return convolve_transposed(c, 2);
}

static bool conv_transpose3d_compose(cn_call *c)
{
    return convolve_transposed(c, 3);
}

#define TRANSPOSED_ARGUMENTS(n)                                                                    \
    "(Tensor input, Tensor weight, Tensor? bias=None, int[" n "] stride=1, int[" n                 \
    "] padding=0, int[" n "] output_padding=0, int groups=1, int[" n "] dilation=1) -> Tensor"

const cn_op cn_op_conv_transpose1d = {
    CN_OP_HEAD(conv_transpose1d, "nn.functional.conv_transpose1d", TRANSPOSED_ARGUMENTS("1")),
    .aliases = "conv_transpose1d",
    .doc = "Every number of (N, C, L) or (C, L) times weight (C, out / groups, length), laid down "
           "stride apart and summed.",
    .params_size = sizeof(Transposed),
    .optional = CN_SAVE_IN(2),
    .compose = conv_transpose1d_compose,
    .samples = "[2,3,4] [3,2,3] [2] | [4,3] [4,1,2] stride=3 padding=1 output_padding=2 groups=2 | "
               "[1,1,3] [1,1,2] dilation=3 output_padding=2 padding=1",
};

const cn_op cn_op_conv_transpose2d = {
    CN_OP_HEAD(conv_transpose2d, "nn.functional.conv_transpose2d", TRANSPOSED_ARGUMENTS("2")),
    .aliases = "conv_transpose2d",
    .doc = "The transpose of conv2d, of (N, C, H, W) or (C, H, W) with weight (C, out / groups, "
           "height, width) (D2L 13.10).",
    .params_size = sizeof(Transposed),
    .optional = CN_SAVE_IN(2),
    .flags = CN_ANY_LAYOUT,
    .compose = conv_transpose2d_compose,
    .samples = "[2,3,3,2] [3,2,2,3] [2] | [4,2,3] [4,1,3,2] [2] stride=(2,3) padding=(1,0) "
               "output_padding=(1,2) groups=2 | [1,1,2,2] [1,2,2,2] None 1 1 1 dilation=2 | "
               "[0,2,3,3] [2,1,2,2]",
};

const cn_op cn_op_conv_transpose3d = {
    CN_OP_HEAD(conv_transpose3d, "nn.functional.conv_transpose3d", TRANSPOSED_ARGUMENTS("3")),
    .aliases = "conv_transpose3d",
    .doc = "The transpose of conv3d, of (N, C, D, H, W) or (C, D, H, W) with weight (C, out / "
           "groups, depth, height, width).",
    .params_size = sizeof(Transposed),
    .optional = CN_SAVE_IN(2),
    .compose = conv_transpose3d_compose,
    .samples = "[1,2,2,3,2] [2,1,2,2,2] [1] | [2,2,2,3] [2,1,2,1,2] None (2,1,3) (1,0,1) (1,0,2) 2",
};

/* ---- nn.grad: the gradients of conv1d ------------------------------------------------------- */

static bool line_gradient(cn_call *c, bool of_input)
{
    const cn_conv_gradient_params *p = c->params;
    cn_conv_params conv = { cn_pair(&p->conv.stride, 1), cn_pair(&p->conv.padding, 0),
                            cn_pair(&p->conv.dilation, 1), p->conv.groups };
    cn_shape size = cn_shape_from((int)p->size.n, p->size.v);
    if (!cn_want_dims(c, 0, 3, 3) || !cn_want_dims(c, 1, 3, 3)) return false;
    size = with_one(&size, 2);
    cn_tensor *a = with_dim(c->in[0], 2), *b = with_dim(c->in[1], 2);
    cn_tensor *g =
        of_input ? cn_conv_input(&size, a, b, &conv) : cn_conv_weight(a, &size, b, &conv);
    return cn_set_out(c, 0, take_back(g, &(Plain){ .line = true }));
}

static bool conv1d_input_compose(cn_call *c)
{
    return line_gradient(c, true);
}

static bool conv1d_weight_compose(cn_call *c)
{
    return line_gradient(c, false);
}

const cn_op cn_op_conv1d_input = {
    CN_OP_HEAD(conv1d_input, "nn.grad.conv1d_input",
               "(int[3] input_size, Tensor weight, Tensor grad_output, int[1] stride=1, "
               "int[1] padding=0, int[1] dilation=1, int groups=1) -> Tensor"),
    .doc = "The gradient of conv1d with respect to its input.",
    .params_size = sizeof(cn_conv_gradient_params),
    .compose = conv1d_input_compose,
    .samples = "(2,3,5) [2,3,3] [2,2,3] | (1,4,6) [2,2,2] [1,2,4] 2 1 1 2",
};

const cn_op cn_op_conv1d_weight = {
    CN_OP_HEAD(conv1d_weight, "nn.grad.conv1d_weight",
               "(Tensor input, int[3] weight_size, Tensor grad_output, int[1] stride=1, "
               "int[1] padding=0, int[1] dilation=1, int groups=1) -> Tensor"),
    .doc = "The gradient of conv1d with respect to its weight.",
    .params_size = sizeof(cn_conv_gradient_params),
    .compose = conv1d_weight_compose,
    .samples = "[2,3,5] (2,3,3) [2,2,3] | [1,4,6] (2,2,2) [1,2,4] 2 1 1 2",
};

/* ---- typed ---------------------------------------------------------------------------------- */

static cn_ints one(int64_t v, int64_t none)
{
    return (cn_ints){ .n = 1, .v = { v ? v : none } };
}

static const cn_ints same = { .n = CN_PADDING_SAME };

cn_tensor *cn_conv2d_with(const cn_conv2d_args *a)
{
    cn_conv_params p = { cn_two(a->stride, 1),
                         a->same ? same : (cn_ints){ 2, { a->padding[0], a->padding[1] } },
                         cn_two(a->dilation, 1), a->groups ? a->groups : 1 };
    return CN_CALL(conv2d, &p, a->input, a->weight, a->bias);
}

cn_tensor *cn_conv1d_with(const cn_conv1d_args *a)
{
    cn_conv_params p = { one(a->stride, 1), a->same ? same : one(a->padding, 0),
                         one(a->dilation, 1), a->groups ? a->groups : 1 };
    return CN_CALL(conv1d, &p, a->input, a->weight, a->bias);
}

cn_tensor *cn_conv_transpose2d_with(const cn_conv_transpose2d_args *a)
{
    Transposed p = { cn_two(a->stride, 1), (cn_ints){ 2, { a->padding[0], a->padding[1] } },
                     (cn_ints){ 2, { a->output_padding[0], a->output_padding[1] } },
                     a->groups ? a->groups : 1, cn_two(a->dilation, 1) };
    return CN_CALL(conv_transpose2d, &p, a->input, a->weight, a->bias);
}
