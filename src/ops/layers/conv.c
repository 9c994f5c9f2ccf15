/* conv.c - convolution (cross-correlation) of pictures and volumes, and its gradients.

   y = conv(x, w) is linear in x and in w. Its two gradients are bilinear maps of the same kind:
   input(w, gy) and weight(x, gy). The gradients of all three are again one of the three, so
   derivatives of any order are exact and need no further kernel. A picture is a volume of depth 1:
   one set of kernels and rules serves 2 and 3 dimensions. D2L 6.2 - 6.4. */
#include "ops/layers/conv.h"

#include <string.h>

/* ---- geometry ----------------------------------------------------------------------------- */

/* The outputs that a tap of the kernel contributes to: first[d] .. end[d] in each dimension. Output
   o reads input o * stride + shift. */
typedef struct {
    int64_t first[CN_SPATIAL], end[CN_SPATIAL], shift[CN_SPATIAL];
} Overlap;

typedef struct Conv Conv;
typedef void Plane(const Conv *c, int64_t outer, int64_t inner);

struct Conv {
    char *x, *w, *y;
    const char *bias;
    int64_t batch, in_channels, out_channels, group_in, group_out; /* channels of one group */
    int64_t in[CN_SPATIAL], kernel[CN_SPATIAL], out[CN_SPATIAL];
    int64_t stride[CN_SPATIAL], padding[CN_SPATIAL], dilation[CN_SPATIAL];
    int64_t in_size, out_size, taps; /* elements of one plane; of one kernel */
    Overlap *overlap;                /* of each tap */
    Plane *plane;
    int64_t inner; /* unit u of the work is plane (u / inner, u % inner) */
};

/* The o in 0 .. out-1 with 0 <= o stride + shift < size. */
static void overlap_1d(int64_t size, int64_t out, int64_t stride, int64_t shift, int64_t *first,
                       int64_t *end)
{
    int64_t room = size - shift; /* o stride < room */
    *first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    *end = room > 0 ? (room + stride - 1) / stride : 0;
    if (*end > out) *end = out;
    if (*end < *first) *end = *first;
}

static Overlap overlap_of(const Conv *c, int64_t tap)
{
    Overlap v;
    for (int d = CN_WIDTH; d >= CN_DEPTH; tap /= c->kernel[d], d--) {
        v.shift[d] = tap % c->kernel[d] * c->dilation[d] - c->padding[d];
        overlap_1d(c->in[d], c->out[d], c->stride[d], v.shift[d], &v.first[d], &v.end[d]);
    }
    return v;
}

bool cn_conv_sane(const cn_shape *x, const cn_shape *w, const cn_conv_params *p, const char *what)
{
    char tx[128], tw[128];
    int n = (int)p->stride.n;
    for (int i = 0; i < n; i++) {
        if (!cn_within(p->stride.v[i], 1) || !cn_within(p->dilation.v[i], 1) ||
            !cn_within(p->padding.v[i], 0))
            return cn_fail(CN_EINVALID,
                           "%s: stride %lld and dilation %lld must be at least 1, padding %lld "
                           "at least 0",
                           what, (long long)p->stride.v[i], (long long)p->dilation.v[i],
                           (long long)p->padding.v[i]);
        if (!cn_within(x->dim[2 + i], 1) || !cn_within(w->dim[2 + i], 1))
            return cn_fail(CN_EINVALID, "%s: input %s or weight %s has a size out of range", what,
                           cn_shape_text(x, tx), cn_shape_text(w, tw));
    }
    return true;
}

static bool channels_fit(const cn_shape *x, const cn_shape *w, const cn_conv_params *p,
                         const char *what)
{
    char tx[128], tw[128];
    int n = (int)p->stride.n;
    if (x->ndim != n + 2 || w->ndim != n + 2)
        return cn_fail(CN_EINVALID,
                       "%s: input %s and weight %s must be (N, C, %sH, W) and (out, C / groups, "
                       "%sheight, width)",
                       what, cn_shape_text(x, tx), cn_shape_text(w, tw),
                       n == CN_SPATIAL ? "D, " : "", n == CN_SPATIAL ? "depth, " : "");
    if (!cn_within(p->groups, 1) || !cn_within(w->dim[0], 1) || !cn_within(w->dim[1], 0) ||
        w->dim[0] % p->groups || w->dim[1] * p->groups != x->dim[1])
        return cn_fail(CN_EINVALID,
                       "%s: input %s has %lld channels, which weight %s with groups=%lld does "
                       "not take",
                       what, cn_shape_text(x, tx), (long long)x->dim[1], cn_shape_text(w, tw),
                       (long long)p->groups);
    return true;
}

/* The shape of conv(x, w). */
static bool output_shape(const cn_shape *x, const cn_shape *w, const cn_conv_params *p,
                         const char *what, cn_shape *y)
{
    if (!channels_fit(x, w, p, what) || !cn_conv_sane(x, w, p, what)) return false;
    *y = *x;
    y->dim[1] = w->dim[0];
    for (int i = 0; i < p->stride.n; i++) {
        int64_t padded = x->dim[2 + i] + 2 * p->padding.v[i];
        int64_t span = p->dilation.v[i] * (w->dim[2 + i] - 1) + 1;
        if (span > padded)
            return cn_fail(CN_EINVALID,
                           "%s: the kernel spans %lld, more than the %lld of the padded input",
                           what, (long long)span, (long long)padded);
        y->dim[2 + i] = (padded - span) / p->stride.v[i] + 1;
    }
    return true;
}

bool cn_conv_dtypes(const cn_call *c)
{
    cn_dtype d = c->in[0]->v.dtype;
    if (d == CN_BOOL)
        return cn_fail(CN_EINVALID, "%s: bools cannot be convolved; convert them", c->op->name);
    for (int i = 1; i < c->n_in; i++)
        if (c->in[i] && c->in[i]->v.dtype != d)
            return cn_fail(CN_EINVALID, "%s: %s and %s: all tensors must have the same dtype",
                           c->op->name, cn_dtype_name(d), cn_dtype_name(c->in[i]->v.dtype));
    return true;
}

/* A dimension that is not there has size 1, and a kernel of size 1. */
static void set_dimensions(Conv *c, const cn_view *x, const cn_view *w, const cn_view *y,
                           const cn_conv_params *p)
{
    int missing = CN_SPATIAL - (int)p->stride.n;
    c->in_size = c->out_size = c->taps = 1;
    for (int d = 0; d < CN_SPATIAL; d++) {
        int i = d - missing;
        c->in[d] = i < 0 ? 1 : x->shape.dim[2 + i];
        c->kernel[d] = i < 0 ? 1 : w->shape.dim[2 + i];
        c->out[d] = i < 0 ? 1 : y->shape.dim[2 + i];
        c->stride[d] = i < 0 ? 1 : p->stride.v[i];
        c->padding[d] = i < 0 ? 0 : p->padding.v[i];
        c->dilation[d] = i < 0 ? 1 : p->dilation.v[i];
        c->in_size *= c->in[d], c->out_size *= c->out[d], c->taps *= c->kernel[d];
    }
}

/* A kernel of one tap that leaves every place where it is sees a plane as one long row. */
static void flatten_pointwise(Conv *c)
{
    for (int d = 0; d < CN_SPATIAL; d++)
        if (c->kernel[d] != 1 || c->stride[d] != 1 || c->padding[d] != 0) return;
    for (int d = 0; d < CN_WIDTH; d++) c->in[d] = c->out[d] = 1;
    c->in[CN_WIDTH] = c->out[CN_WIDTH] = c->out_size;
}

static Conv conv_of(const cn_view *x, const cn_view *w, const cn_view *y, const cn_conv_params *p)
{
    Conv c = {
        .x = x->data,
        .w = w->data,
        .y = y->data,
        .batch = x->shape.dim[0],
        .in_channels = x->shape.dim[1],
        .out_channels = w->shape.dim[0],
        .group_in = w->shape.dim[1],
        .group_out = w->shape.dim[0] / p->groups,
    };
    set_dimensions(&c, x, w, y, p);
    flatten_pointwise(&c);
    return c;
}

/* ---- kernels ------------------------------------------------------------------------------ */

#define T float
#define NAME(x) x##_f32
#include "ops/layers/conv.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/layers/conv.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/layers/conv.inc"

typedef enum { FORWARD, INPUT, WEIGHT } Kind;

static void run_planes(int64_t first, int64_t last, void *context)
{
    const Conv *c = context;
    for (int64_t u = first; u < last; u++) c->plane(c, u / c->inner, u % c->inner);
}

static bool run_conv(Conv c, Kind kind, cn_dtype dtype)
{
    int64_t outer[] = { c.batch, c.batch, c.out_channels };
    int64_t inner[] = { c.out_channels, c.in_channels, c.group_in };
    int64_t sums[] = { c.group_in, c.group_out, c.batch }; /* what one plane adds up */
    Plane *const *planes = dtype == CN_F32 ? planes_f32 : dtype == CN_F64 ? planes_f64 : planes_i64;
    c.overlap = cn_alloc((size_t)c.taps * sizeof *c.overlap);
    if (!c.overlap) return false;
    for (int64_t tap = 0; tap < c.taps; tap++) c.overlap[tap] = overlap_of(&c, tap);
    c.plane = planes[kind];
    c.inner = inner[kind];
    cn_parallel(outer[kind] * inner[kind], sums[kind] * c.taps * c.out_size, run_planes, &c);
    cn_free(c.overlap);
    return true;
}

/* ---- calls -------------------------------------------------------------------------------- */

static const cn_op *family(Kind kind, const cn_conv_params *p)
{
    static const cn_op *const pictures[] = { &cn_op_convolution2d, &cn_op_conv2d_input,
                                             &cn_op_conv2d_weight };
    static const cn_op *const volumes[] = { &cn_op_convolution3d, &cn_op_conv3d_input,
                                            &cn_op_conv3d_weight };
    return (p->stride.n == CN_SPATIAL ? volumes : pictures)[kind];
}

cn_tensor *cn_convolution(cn_tensor *x, cn_tensor *w, cn_tensor *bias, const cn_conv_params *p)
{
    return cn_apply1(family(FORWARD, p), (cn_tensor *[]){ x, w, bias }, 3, p);
}

static cn_tensor *gradient(Kind kind, const cn_shape *shape, cn_tensor *a, cn_tensor *b,
                           const cn_conv_params *p)
{
    cn_conv_gradient_params sized = { cn_ints_of(shape), *p };
    return cn_apply1(family(kind, p), (cn_tensor *[]){ a, b }, 2, &sized);
}

cn_tensor *cn_conv_input(const cn_shape *x, cn_tensor *w, cn_tensor *gy, const cn_conv_params *p)
{
    return gradient(INPUT, x, w, gy, p);
}

cn_tensor *cn_conv_weight(cn_tensor *x, const cn_shape *w, cn_tensor *gy, const cn_conv_params *p)
{
    return gradient(WEIGHT, w, x, gy, p);
}

/* ---- the convolution itself ---------------------------------------------------------------- */

static bool convolution_infer(const cn_call *c, cn_spec out[])
{
    const cn_conv_params *p = c->params;
    const char *what = p->stride.n == CN_SPATIAL ? "conv3d" : "conv2d";
    const cn_view *w = cn_in(c, 1), *b = cn_in(c, 2);
    out->dtype = c->in[0]->v.dtype;
    if (!cn_conv_dtypes(c) || !output_shape(&c->in[0]->v.shape, &w->shape, p, what, &out->shape))
        return false;
    return !b || (b->shape.ndim == 1 && b->shape.dim[0] == w->shape.dim[0]) ||
           cn_fail(CN_EINVALID,
                   "%s: the bias must have one number for each of %lld output channels", what,
                   (long long)w->shape.dim[0]);
}

static bool convolution_kernel(const cn_call *c)
{
    Conv conv = conv_of(cn_in(c, 0), cn_in(c, 1), cn_out(c, 0), c->params);
    if (cn_in(c, 2)) conv.bias = cn_in(c, 2)->data;
    return run_conv(conv, FORWARD, cn_out(c, 0)->dtype);
}

static void convolution_backward(cn_grads *g)
{
    const cn_conv_params *p = cn_grad_params(g);
    cn_tensor *gy = cn_gout(g, 0);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_conv_input(cn_in_shape(g, 0), cn_saved_in(g, 1), gy, p));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_conv_weight(cn_saved_in(g, 0), cn_in_shape(g, 1), gy, p));
    if (!cn_wants(g, 2)) return;
    cn_shape all_but_channels = CN_SHAPE(0, 2, 3, 4);
    all_but_channels.ndim = 1 + (int)p->stride.n;
    cn_give(g, 2, cn_sum(gy, .dim = all_but_channels));
}

/* ---- its gradients ------------------------------------------------------------------------- */

/* In operand order; the one that is the result has the size of the parameters. */
static bool gradient_infer(const cn_call *c, const cn_shape *x, const cn_shape *w, cn_spec out[])
{
    const cn_conv_gradient_params *p = c->params;
    cn_shape y;
    char given[128], wanted[128];
    if (!cn_conv_dtypes(c) || !output_shape(x, w, &p->conv, c->op->name, &y)) return false;
    *out = (cn_spec){ c->in[0]->v.dtype, cn_shape_from((int)p->size.n, p->size.v) };
    if (cn_shape_equal(&y, &c->in[1]->v.shape)) return true;
    return cn_fail(CN_EINVALID, "%s: grad_output is %s, but the convolution gives %s", c->op->name,
                   cn_shape_text(&c->in[1]->v.shape, given), cn_shape_text(&y, wanted));
}

static bool input_infer(const cn_call *c, cn_spec out[])
{
    const cn_conv_gradient_params *p = c->params;
    cn_shape x = cn_shape_from((int)p->size.n, p->size.v);
    return gradient_infer(c, &x, &c->in[0]->v.shape, out);
}

static bool weight_infer(const cn_call *c, cn_spec out[])
{
    const cn_conv_gradient_params *p = c->params;
    cn_shape w = cn_shape_from((int)p->size.n, p->size.v);
    return gradient_infer(c, &c->in[0]->v.shape, &w, out);
}

static bool input_kernel(const cn_call *c)
{
    const cn_conv_gradient_params *p = c->params;
    Conv conv = conv_of(cn_out(c, 0), cn_in(c, 0), cn_in(c, 1), &p->conv);
    return run_conv(conv, INPUT, cn_out(c, 0)->dtype);
}

static bool weight_kernel(const cn_call *c)
{
    const cn_conv_gradient_params *p = c->params;
    Conv conv = conv_of(cn_in(c, 0), cn_out(c, 0), cn_in(c, 1), &p->conv);
    return run_conv(conv, WEIGHT, cn_out(c, 0)->dtype);
}

static void input_backward(cn_grads *g)
{
    const cn_conv_params *p = &((const cn_conv_gradient_params *)cn_grad_params(g))->conv;
    cn_tensor *gx = cn_gout(g, 0);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_conv_weight(gx, cn_in_shape(g, 0), cn_saved_in(g, 1), p));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_convolution(gx, cn_saved_in(g, 0), NULL, p));
}

static void weight_backward(cn_grads *g)
{
    const cn_conv_params *p = &((const cn_conv_gradient_params *)cn_grad_params(g))->conv;
    cn_tensor *gw = cn_gout(g, 0);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_conv_input(cn_in_shape(g, 0), gw, cn_saved_in(g, 1), p));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_convolution(cn_saved_in(g, 0), gw, NULL, p));
}

/* ---- the entries --------------------------------------------------------------------------- */

#define CONVOLUTION                                                                                \
    .flags = CN_ROWS | CN_ANY_LAYOUT, .params_size = sizeof(cn_conv_params),                       \
    .optional = CN_SAVE_IN(2), .infer = convolution_infer, .kernel = convolution_kernel,           \
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1), .backward = convolution_backward

#define GRADIENT(kind)                                                                             \
    .flags = CN_ROWS | CN_ANY_LAYOUT, .params_size = sizeof(cn_conv_gradient_params),              \
    .infer = kind##_infer, .kernel = kind##_kernel, .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),        \
    .backward = kind##_backward

const cn_op cn_op_convolution2d = {
    CN_OP_HEAD(convolution2d, "convolution2d",
               "(Tensor input, Tensor weight, Tensor? bias, int[2] stride, int[2] padding, "
               "int[2] dilation, int groups) -> Tensor"),
    .doc = "conv2d of (N, C, H, W) with all parameters resolved.",
    CONVOLUTION,
    .samples = "[2,3,5,4] [2,3,3,2] [2] 1 0 1 1 | [1,2,6,5] [3,2,2,3] None (2,1) (1,2) (1,2) 1 | "
               "[2,4,3,3] [6,2,2,2] [6] 2 1 1 2 | [1,3,4,4] [3,1,3,3] [3] 3 1 1 3 | "
               "[2,3,2,3] [2,3,1,1] [2] 1 0 1 1 | [0,2,3,3] [2,2,2,2] None 1 0 1 1",
};

const cn_op cn_op_convolution3d = {
    CN_OP_HEAD(convolution3d, "convolution3d",
               "(Tensor input, Tensor weight, Tensor? bias, int[3] stride, int[3] padding, "
               "int[3] dilation, int groups) -> Tensor"),
    .doc = "conv3d of (N, C, D, H, W) with all parameters resolved.",
    CONVOLUTION,
    .samples = "[1,2,3,4,3] [2,2,2,2,2] [2] 1 0 1 1 | "
               "[2,2,4,3,4] [2,1,2,1,3] None (2,1,2) (0,1,1) (2,1,1) 2 | "
               "[0,1,3,3,3] [2,1,2,2,2] None 1 0 1 1",
};

const cn_op cn_op_conv2d_input = {
    CN_OP_HEAD(conv2d_input, "nn.grad.conv2d_input",
               "(int[4] input_size, Tensor weight, Tensor grad_output, int[2] stride=1, "
               "int[2] padding=0, int[2] dilation=1, int groups=1) -> Tensor"),
    .doc = "The gradient of conv2d with respect to its input.",
    GRADIENT(input),
    .samples = "(2,3,5,4) [2,3,3,2] [2,2,3,3] | (1,4,5,6) [2,2,2,2] [1,2,3,3] 2 1 (1,2) 2 | "
               "(0,2,3,3) [2,2,2,2] [0,2,2,2]",
};

const cn_op cn_op_conv3d_input = {
    CN_OP_HEAD(conv3d_input, "nn.grad.conv3d_input",
               "(int[5] input_size, Tensor weight, Tensor grad_output, int[3] stride=1, "
               "int[3] padding=0, int[3] dilation=1, int groups=1) -> Tensor"),
    .doc = "The gradient of conv3d with respect to its input.",
    GRADIENT(input),
    .samples = "(1,2,3,4,3) [2,2,2,2,2] [1,2,2,3,2] | "
               "(1,2,4,3,5) [2,1,2,2,2] [1,2,3,2,3] (2,1,2) (1,0,1) (1,1,2) 2",
};

const cn_op cn_op_conv2d_weight = {
    CN_OP_HEAD(conv2d_weight, "nn.grad.conv2d_weight",
               "(Tensor input, int[4] weight_size, Tensor grad_output, int[2] stride=1, "
               "int[2] padding=0, int[2] dilation=1, int groups=1) -> Tensor"),
    .doc = "The gradient of conv2d with respect to its weight.",
    GRADIENT(weight),
    .samples = "[2,3,5,4] (2,3,3,2) [2,2,3,3] | [1,4,5,6] (2,2,2,2) [1,2,3,3] 2 1 (1,2) 2 | "
               "[0,2,3,3] (2,2,2,2) [0,2,2,2]",
};

const cn_op cn_op_conv3d_weight = {
    CN_OP_HEAD(conv3d_weight, "nn.grad.conv3d_weight",
               "(Tensor input, int[5] weight_size, Tensor grad_output, int[3] stride=1, "
               "int[3] padding=0, int[3] dilation=1, int groups=1) -> Tensor"),
    .doc = "The gradient of conv3d with respect to its weight.",
    GRADIENT(weight),
    .samples = "[1,2,3,4,3] (2,2,2,2,2) [1,2,2,3,2] | "
               "[1,2,4,3,5] (2,1,2,2,2) [1,2,3,2,3] (2,1,2) (1,0,1) (1,1,2) 2",
};
