/* conv2d.c - convolution (cross-correlation) of images, and its gradients.

   y = conv(x, w) is linear in x and in w. Its two gradients are bilinear maps of the same kind:
   conv2d_input(w, gy) and conv2d_weight(x, gy). The gradients of all three are again one of the
   three, so derivatives of any order are exact and need no further kernel. D2L 6.2 - 6.4. */
#include "ops/internal.h"
#include "ops/params.h"

#include <string.h>

/* ---- geometry ----------------------------------------------------------------------------- */

typedef struct Conv Conv;
typedef void Plane(const Conv *c, int64_t outer, int64_t inner);

struct Conv {
    char *x, *w, *y;
    const char *bias;
    int64_t batch, in_channels, out_channels, group_in, group_out; /* channels of one group */
    int64_t h, width, kernel_h, kernel_w, out_h, out_w;
    int64_t stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
    Plane *plane;
    int64_t inner; /* unit u of the work is plane (u / inner, u % inner) */
};

/* The outputs a tap of the kernel contributes to: row .. row_end by col .. col_end. Output (r, k)
   reads
   input (r stride + dy, k stride + dx). */
typedef struct {
    int64_t row, row_end, col, col_end, dy, dx;
} Overlap;

/* The r in 0 .. out-1 with 0 <= r stride + shift < size. */
static void overlap_1d(int64_t size, int64_t out, int64_t stride, int64_t shift, int64_t *first,
                       int64_t *end)
{
    int64_t room = size - shift; /* r stride < room */
    *first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    *end = room > 0 ? (room + stride - 1) / stride : 0;
    if (*end > out) *end = out;
    if (*end < *first) *end = *first;
}

static Overlap overlap(const Conv *c, int64_t tap)
{
    Overlap v = { .dy = tap / c->kernel_w * c->dilation_h - c->pad_h,
                  .dx = tap % c->kernel_w * c->dilation_w - c->pad_w };
    overlap_1d(c->h, c->out_h, c->stride_h, v.dy, &v.row, &v.row_end);
    overlap_1d(c->width, c->out_w, c->stride_w, v.dx, &v.col, &v.col_end);
    return v;
}

/* Bounds that keep all products of sizes far from overflow. */
static bool within(int64_t x, int64_t least)
{
    return x >= least && x <= INT32_MAX;
}

static bool window_is_sane(const cn_conv_params *p, const char *what)
{
    for (int i = 0; i < 2; i++)
        if (!within(p->stride.v[i], 1) || !within(p->dilation.v[i], 1) ||
            !within(p->padding.v[i], 0))
            return cn_fail(CN_EINVALID,
                           "%s: stride %lld and dilation %lld must be at least 1, padding %lld "
                           "at least 0",
                           what, (long long)p->stride.v[i], (long long)p->dilation.v[i],
                           (long long)p->padding.v[i]);
    return true;
}

static bool channels_fit(const cn_shape *x, const cn_shape *w, int64_t groups, const char *what)
{
    char tx[128], tw[128];
    if (x->ndim != 4 || w->ndim != 4)
        return cn_fail(CN_EINVALID,
                       "%s: input %s and weight %s must be (N, C, H, W) and (out, C / groups, "
                       "height, width)",
                       what, cn_shape_text(x, tx), cn_shape_text(w, tw));
    if (groups < 1 || w->dim[0] % groups || w->dim[1] * groups != x->dim[1])
        return cn_fail(CN_EINVALID,
                       "%s: input %s has %lld channels, but weight %s with groups=%lld takes "
                       "%lld",
                       what, cn_shape_text(x, tx), (long long)x->dim[1], cn_shape_text(w, tw),
                       (long long)groups, (long long)(w->dim[1] * groups));
    return true;
}

/* The shape of conv(x, w). */
static bool output_shape(const cn_shape *x, const cn_shape *w, const cn_conv_params *p,
                         const char *what, cn_shape *y)
{
    if (!channels_fit(x, w, p->groups, what) || !window_is_sane(p, what)) return false;
    *y = CN_SHAPE(x->dim[0], w->dim[0], 0, 0);
    for (int i = 0; i < 2; i++) {
        int64_t padded = x->dim[2 + i] + 2 * p->padding.v[i];
        int64_t span =
            p->dilation.v[i] * (w->dim[2 + i] - 1) + 1; /* a weight in memory: no overflow */
        if (w->dim[2 + i] < 1 || span > padded)
            return cn_fail(CN_EINVALID,
                           "%s: the kernel spans %lld, more than the %lld of the padded input",
                           what, (long long)span, (long long)padded);
        y->dim[2 + i] = (padded - span) / p->stride.v[i] + 1;
    }
    return true;
}

static bool same_dtypes(const cn_call *c)
{
    for (int i = 1; i < c->n_in; i++)
        if (c->in[i] && c->in[i]->v.dtype != c->in[0]->v.dtype)
            return cn_fail(CN_EINVALID, "%s: %s and %s: all tensors must have the same dtype",
                           c->op->name, cn_dtype_name(c->in[0]->v.dtype),
                           cn_dtype_name(c->in[i]->v.dtype));
    return true;
}

static Conv conv_of(const cn_view *x, const cn_view *w, const cn_view *y, const cn_conv_params *p)
{
    return (Conv){
        .x = x->data,
        .w = w->data,
        .y = y->data,
        .batch = x->shape.dim[0],
        .in_channels = x->shape.dim[1],
        .out_channels = w->shape.dim[0],
        .group_in = w->shape.dim[1],
        .group_out = w->shape.dim[0] / p->groups,
        .h = x->shape.dim[2],
        .width = x->shape.dim[3],
        .kernel_h = w->shape.dim[2],
        .kernel_w = w->shape.dim[3],
        .out_h = y->shape.dim[2],
        .out_w = y->shape.dim[3],
        .stride_h = p->stride.v[0],
        .stride_w = p->stride.v[1],
        .pad_h = p->padding.v[0],
        .pad_w = p->padding.v[1],
        .dilation_h = p->dilation.v[0],
        .dilation_w = p->dilation.v[1],
    };
}

/* ---- kernels ------------------------------------------------------------------------------ */

#define T float
#define NAME(x) x##_f32
#include "ops/layers/conv2d.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/layers/conv2d.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/layers/conv2d.inc"

enum { FORWARD, INPUT, WEIGHT };

static void run_planes(int64_t first, int64_t last, void *context)
{
    const Conv *c = context;
    for (int64_t u = first; u < last; u++) c->plane(c, u / c->inner, u % c->inner);
}

static bool run_conv(Conv *c, int kind, cn_dtype dtype)
{
    int64_t outer[] = { c->batch, c->batch, c->out_channels };
    int64_t inner[] = { c->out_channels, c->in_channels, c->group_in };
    int64_t sums[] = { c->group_in, c->group_out, c->batch }; /* what one plane adds up */
    Plane *const *planes = dtype == CN_F32 ? planes_f32 : dtype == CN_F64 ? planes_f64 : planes_i64;
    c->plane = planes[kind];
    c->inner = inner[kind];
    int64_t cost = sums[kind] * c->kernel_h * c->kernel_w * c->out_h * c->out_w;
    cn_parallel(outer[kind] * inner[kind], cost, run_planes, c);
    return true;
}

/* ---- the three ops ------------------------------------------------------------------------ */

static cn_tensor *convolution(cn_tensor *x, cn_tensor *w, const cn_conv_params *p)
{
    return CN_CALL(convolution2d, p, x, w, NULL);
}

static cn_conv_gradient_params sized(const cn_shape *shape, const cn_conv_params *p)
{
    cn_conv_gradient_params s = { .size.n = shape->ndim, .conv = *p };
    memcpy(s.size.v, shape->dim, sizeof s.size.v);
    return s;
}

static cn_tensor *input_gradient(const cn_shape *shape, cn_tensor *w, cn_tensor *gy,
                                 const cn_conv_params *p)
{
    cn_conv_gradient_params params = sized(shape, p);
    return CN_CALL(conv2d_input, &params, w, gy);
}

static cn_tensor *weight_gradient(cn_tensor *x, const cn_shape *shape, cn_tensor *gy,
                                  const cn_conv_params *p)
{
    cn_conv_gradient_params params = sized(shape, p);
    return CN_CALL(conv2d_weight, &params, x, gy);
}

static bool convolution2d_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *w = cn_in(c, 1), *b = cn_in(c, 2);
    out->dtype = c->in[0]->v.dtype;
    if (!same_dtypes(c) ||
        !output_shape(&c->in[0]->v.shape, &w->shape, c->params, "conv2d", &out->shape))
        return false;
    return !b || (b->shape.ndim == 1 && b->shape.dim[0] == w->shape.dim[0]) ||
           cn_fail(CN_EINVALID,
                   "conv2d: the bias must have one number for each of %lld output channels",
                   (long long)w->shape.dim[0]);
}

static bool convolution2d_kernel(const cn_call *c)
{
    Conv conv = conv_of(cn_in(c, 0), cn_in(c, 1), cn_out(c, 0), c->params);
    if (cn_in(c, 2)) conv.bias = cn_in(c, 2)->data;
    return run_conv(&conv, FORWARD, cn_out(c, 0)->dtype);
}

static void convolution2d_backward(cn_grads *g)
{
    const cn_conv_params *p = cn_grad_params(g);
    cn_tensor *gy = cn_gout(g, 0);
    if (cn_wants(g, 0)) cn_give(g, 0, input_gradient(cn_in_shape(g, 0), cn_saved_in(g, 1), gy, p));
    if (cn_wants(g, 1)) cn_give(g, 1, weight_gradient(cn_saved_in(g, 0), cn_in_shape(g, 1), gy, p));
    if (cn_wants(g, 2)) cn_give(g, 2, cn_sum(gy, .dim = CN_SHAPE(0, 2, 3)));
}

/* x has the size of the result; the other shapes must be those of a convolution of it. */
static bool gradient_infer(const cn_call *c, const cn_shape *x, const cn_shape *w, cn_spec out[])
{
    const cn_conv_gradient_params *p = c->params;
    cn_shape y;
    char given[128], wanted[128];
    if (!same_dtypes(c) || !output_shape(x, w, &p->conv, c->op->name, &y)) return false;
    *out = (cn_spec){ c->in[0]->v.dtype, cn_shape_from((int)p->size.n, p->size.v) };
    if (cn_shape_equal(&y, &c->in[1]->v.shape)) return true;
    return cn_fail(CN_EINVALID, "%s: grad_output is %s, but the convolution gives %s", c->op->name,
                   cn_shape_text(&c->in[1]->v.shape, given), cn_shape_text(&y, wanted));
}

static bool conv2d_input_infer(const cn_call *c, cn_spec out[])
{
    const cn_conv_gradient_params *p = c->params;
    cn_shape x = cn_shape_from((int)p->size.n, p->size.v);
    return gradient_infer(c, &x, &c->in[0]->v.shape, out);
}

static bool conv2d_input_kernel(const cn_call *c)
{
    const cn_conv_gradient_params *p = c->params;
    Conv conv = conv_of(cn_out(c, 0), cn_in(c, 0), cn_in(c, 1), &p->conv);
    return run_conv(&conv, INPUT, cn_out(c, 0)->dtype);
}

static void conv2d_input_backward(cn_grads *g)
{
    const cn_conv_gradient_params *p = cn_grad_params(g);
    cn_tensor *gx = cn_gout(g, 0);
    if (cn_wants(g, 0))
        cn_give(g, 0, weight_gradient(gx, cn_in_shape(g, 0), cn_saved_in(g, 1), &p->conv));
    if (cn_wants(g, 1)) cn_give(g, 1, convolution(gx, cn_saved_in(g, 0), &p->conv));
}

static bool conv2d_weight_infer(const cn_call *c, cn_spec out[])
{
    const cn_conv_gradient_params *p = c->params;
    cn_shape w = cn_shape_from((int)p->size.n, p->size.v);
    return gradient_infer(c, &c->in[0]->v.shape, &w, out);
}

static bool conv2d_weight_kernel(const cn_call *c)
{
    const cn_conv_gradient_params *p = c->params;
    Conv conv = conv_of(cn_in(c, 0), cn_out(c, 0), cn_in(c, 1), &p->conv);
    return run_conv(&conv, WEIGHT, cn_out(c, 0)->dtype);
}

static void conv2d_weight_backward(cn_grads *g)
{
    const cn_conv_gradient_params *p = cn_grad_params(g);
    cn_tensor *gw = cn_gout(g, 0);
    if (cn_wants(g, 0))
        cn_give(g, 0, input_gradient(cn_in_shape(g, 0), gw, cn_saved_in(g, 1), &p->conv));
    if (cn_wants(g, 1)) cn_give(g, 1, convolution(cn_saved_in(g, 0), gw, &p->conv));
}

const cn_op cn_op_convolution2d = {
    CN_OP_HEAD(convolution2d, "convolution2d",
               "(Tensor input, Tensor weight, Tensor? bias, int[2] stride, int[2] padding, "
               "int[2] dilation, int groups) -> Tensor"),
    .doc = "conv2d of (N, C, H, W) with all parameters resolved.",
    .flags = CN_ROWS | CN_ANY_LAYOUT,
    .params_size = sizeof(cn_conv_params),
    .optional = CN_SAVE_IN(2),
    .infer = convolution2d_infer,
    .kernel = convolution2d_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = convolution2d_backward,
    .samples = "[2,3,5,4] [2,3,3,2] [2] 1 0 1 1 | [1,2,6,5] [3,2,2,3] None (2,1) (1,2) (1,2) 1 | "
               "[2,4,3,3] [6,2,2,2] [6] 2 1 1 2 | [1,3,4,4] [3,1,3,3] [3] 3 1 1 3 | "
               "[0,2,3,3] [2,2,2,2] None 1 0 1 1",
};

const cn_op cn_op_conv2d_input = {
    CN_OP_HEAD(conv2d_input, "nn.grad.conv2d_input",
               "(int[4] input_size, Tensor weight, Tensor grad_output, int[2] stride=1, "
               "int[2] padding=0, int[2] dilation=1, int groups=1) -> Tensor"),
    .doc = "The gradient of conv2d with respect to its input.",
    .flags = CN_ROWS | CN_ANY_LAYOUT,
    .params_size = sizeof(cn_conv_gradient_params),
    .infer = conv2d_input_infer,
    .kernel = conv2d_input_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = conv2d_input_backward,
    .samples = "(2,3,5,4) [2,3,3,2] [2,2,3,3] | (1,4,5,6) [2,2,2,2] [1,2,3,3] 2 1 (1,2) 2 | "
               "(0,2,3,3) [2,2,2,2] [0,2,2,2]",
};

const cn_op cn_op_conv2d_weight = {
    CN_OP_HEAD(conv2d_weight, "nn.grad.conv2d_weight",
               "(Tensor input, int[4] weight_size, Tensor grad_output, int[2] stride=1, "
               "int[2] padding=0, int[2] dilation=1, int groups=1) -> Tensor"),
    .doc = "The gradient of conv2d with respect to its weight.",
    .flags = CN_ROWS | CN_ANY_LAYOUT,
    .params_size = sizeof(cn_conv_gradient_params),
    .infer = conv2d_weight_infer,
    .kernel = conv2d_weight_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = conv2d_weight_backward,
    .samples = "[2,3,5,4] (2,3,3,2) [2,2,3,3] | [1,4,5,6] (2,2,2,2) [1,2,3,3] 2 1 (1,2) 2 | "
               "[0,2,3,3] (2,2,2,2) [0,2,2,2]",
};

/* ---- conv2d, conv1d: batches, lines and padding by name resolved -------------------------- */

/* padding='same': the output is as large as the input. What an odd total leaves over is padded on
   the
   right and at the bottom beforehand. */
static cn_tensor *pad_to_same(cn_tensor *x, const cn_shape *w, cn_conv_params *p)
{
    cn_shape extra = { .ndim = 4 };
    bool odd = false;
    p->padding.n = 2;
    for (int i = 0; i < 2; i++) {
        if (p->stride.v[i] != 1) {
            cn_fail(CN_EINVALID, "conv2d: padding='same' requires stride 1, not %lld",
                    (long long)p->stride.v[i]);
            return NULL;
        }
        int64_t total = p->dilation.v[i] * (w->dim[w->ndim - 2 + i] - 1);
        p->padding.v[i] = total / 2;
        extra.dim[3 - 2 * i] = total % 2;
        odd |= total % 2 != 0;
    }
    return odd ? cn_constant_pad_nd(x, extra, 0) : x;
}

/* Gives x the dimension at `place` that a 4-d operand has and it lacks. */
static cn_tensor *with_dim(cn_tensor *x, int place)
{
    cn_shape s = x->v.shape;
    memmove(s.dim + place + 1, s.dim + place, (size_t)(s.ndim - place) * sizeof *s.dim);
    s.dim[place] = 1;
    s.ndim++;
    return cn_reshape(x, s);
}

static cn_tensor *without_dim(cn_tensor *x, int place)
{
    if (!x) return NULL;
    cn_shape s = x->v.shape;
    s.ndim--;
    memmove(s.dim + place, s.dim + place + 1, (size_t)(s.ndim - place) * sizeof *s.dim);
    return cn_reshape(x, s);
}

static cn_tensor *conv2d_any(cn_tensor *x, cn_tensor *w, cn_tensor *bias, cn_conv_params p)
{
    bool single = x->v.shape.ndim == 3;
    if (single) x = with_dim(x, 0);
    if (x && p.padding.n == CN_PADDING_SAME && x->v.shape.ndim == 4 && w->v.shape.ndim == 4)
        x = pad_to_same(x, &w->v.shape, &p);
    if (!x) return NULL;
    cn_tensor *y = CN_CALL(convolution2d, &p, x, w, bias);
    return single ? without_dim(y, 0) : y;
}

static bool conv2d_compose(cn_call *c)
{
    const cn_conv_params *p = c->params;
    c->out[0] = conv2d_any(c->in[0], c->in[1], c->n_in > 2 ? c->in[2] : NULL, *p);
    return c->out[0] != NULL;
}

/* One number for a line as the pair for a picture of height 1. */
static cn_ints pair(const cn_ints *one, int64_t first)
{
    return (cn_ints){ .n = one->n == CN_PADDING_SAME ? CN_PADDING_SAME : 2,
                      .v = { first, one->v[0] } };
}

/* A line of length L is a picture of 1 by L. */
static bool conv1d_compose(cn_call *c)
{
    const cn_conv_params *p = c->params;
    if (!cn_want_dims(c, 0, 2, 3) || !cn_want_dims(c, 1, 3, 3)) return false;
    cn_conv_params flat = { pair(&p->stride, 1), pair(&p->padding, 0), pair(&p->dilation, 1),
                            p->groups };
    int place = c->in[0]->v.shape.ndim - 1;
    cn_tensor *x = with_dim(c->in[0], place), *w = with_dim(c->in[1], 2);
    if (!x || !w) return false;
    c->out[0] = without_dim(conv2d_any(x, w, c->n_in > 2 ? c->in[2] : NULL, flat), place);
    return c->out[0] != NULL;
}

const cn_op cn_op_conv2d = {
    CN_OP_HEAD(
        conv2d, "nn.functional.conv2d",
        "(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, "
        "int[2] dilation=1, int groups=1) -> Tensor"),
    .aliases = "conv2d",
    .doc =
        "Cross-correlation of (N, C, H, W) or (C, H, W) with weight (out, C / groups, height, width); "
        "padding may be 'same' or 'valid' (D2L 6.2).",
    .flags = CN_ANY_LAYOUT,
    .params_size = sizeof(cn_conv_params),
    .optional = CN_SAVE_IN(2),
    .compose = conv2d_compose,
    .samples = "[2,3,5,4] [2,3,3,2] [2] | [3,4,4] [2,3,2,2] padding=1 stride=2 | "
               "[1,2,4,5] [2,2,2,3] padding=same | [4,4,3] [2,2,2,2] [2] padding=valid groups=2",
};

const cn_op cn_op_conv1d = {
    CN_OP_HEAD(
        conv1d, "nn.functional.conv1d",
        "(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, int[1] padding=0, "
        "int[1] dilation=1, int groups=1) -> Tensor"),
    .aliases = "conv1d",
    .doc =
        "Cross-correlation of (N, C, L) or (C, L) with weight (out, C / groups, length) (D2L 15.3).",
    .params_size = sizeof(cn_conv_params),
    .optional = CN_SAVE_IN(2),
    .compose = conv1d_compose,
    .samples = "[2,3,5] [2,3,3] [2] | [3,6] [2,3,2] padding=1 stride=2 dilation=2 | "
               "[1,2,5] [2,2,4] padding=same",
};

static cn_ints two(const int64_t v[2], int64_t none)
{
    int64_t first = v[0] ? v[0] : none;
    return (cn_ints){ .n = 2, .v = { first, v[1] || !none ? v[1] : first } };
}

cn_tensor *cn_conv2d_with(const cn_conv2d_args *a)
{
    cn_conv_params p = { two(a->stride, 1), two(a->padding, 0), two(a->dilation, 1),
                         a->groups ? a->groups : 1 };
    if (a->same) p.padding = (cn_ints){ .n = CN_PADDING_SAME };
    return CN_CALL(conv2d, &p, a->input, a->weight, a->bias);
}

cn_tensor *cn_conv1d_with(const cn_conv1d_args *a)
{
    cn_conv_params p = { { 1, { a->stride ? a->stride : 1 } },
                         { 1, { a->padding } },
                         { 1, { a->dilation ? a->dilation : 1 } },
                         a->groups ? a->groups : 1 };
    if (a->same) p.padding = (cn_ints){ .n = CN_PADDING_SAME };
    return CN_CALL(conv1d, &p, a->input, a->weight, a->bias);
}
