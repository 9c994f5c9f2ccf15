/* conv.c - the convolution layers: Conv1d to Conv3d, ConvTranspose1d to 3d, and their lazy forms. */
#include "nn/fusion.h"

#include "ops/internal.h"
#include "ops/params.h"

#include <string.h>

/* ---- options -------------------------------------------------------------------------------- */

typedef struct {
    int64_t out;
    cn_ints kernel_size, stride, padding, dilation;
    int64_t groups;
    bool bias;
    const char *padding_mode;
} Conv;

typedef struct {
    int64_t out;
    cn_ints kernel_size, stride, padding, output_padding;
    int64_t groups;
    bool bias;
    cn_ints dilation;
    const char *padding_mode;
} Transposed;

/* Those of a lazy class; the others have in_channels before them. */
typedef union {
    Conv conv;
    Transposed transposed;
} Options;

typedef struct {
    int64_t in;
    Options rest;
} WithIn;

typedef struct {
    const cn_module_class *cls;
    const cn_op *op;
    int dims;
    bool transposed, lazy;
} Kind;

#define CLASS(name) extern const cn_module_class cn_class_##name, cn_class_Lazy##name;
CLASS(Conv1d)
CLASS(Conv2d)
CLASS(Conv3d)
CLASS(ConvTranspose1d)
CLASS(ConvTranspose2d)
CLASS(ConvTranspose3d)
#undef CLASS

static const Kind kinds[] = {
#define BOTH(name, op, dims, transposed)                                                           \
    { &cn_class_##name, &cn_op_##op, dims, transposed, false },                                    \
    {                                                                                              \
        &cn_class_Lazy##name, &cn_op_##op, dims, transposed, true                                  \
    }
    BOTH(Conv1d, conv1d, 1, false),
    BOTH(Conv2d, conv2d, 2, false),
    BOTH(Conv3d, conv3d, 3, false),
    BOTH(ConvTranspose1d, conv_transpose1d, 1, true),
    BOTH(ConvTranspose2d, conv_transpose2d, 2, true),
    BOTH(ConvTranspose3d, conv_transpose3d, 3, true),
#undef BOTH
};

static const Kind *kind_of(const cn_module *m)
{
    for (size_t i = 0; i < CN_COUNT(kinds); i++)
        if (kinds[i].cls == m->cls) return &kinds[i];
    return NULL;
}

/* What the options of all classes say. */
typedef struct {
    const Kind *kind;
    int64_t in, out; /* in 0: not known yet */
    cn_conv_params conv;
    cn_ints kernel_size, output_padding;
    bool bias;
    const char *padding_mode;
} Layer;

static Layer layer_of(const cn_module *m)
{
    Layer l = { .kind = kind_of(m) };
    const Options *o = m->options;
    if (!l.kind->lazy) {
        const WithIn *with = m->options;
        l.in = with->in, o = &with->rest;
    }
    const Conv *c = &o->conv;
    const Transposed *t = &o->transposed;
    bool transposed = l.kind->transposed;
    l.out = transposed ? t->out : c->out;
    l.kernel_size = transposed ? t->kernel_size : c->kernel_size;
    l.bias = transposed ? t->bias : c->bias;
    l.padding_mode = transposed ? t->padding_mode : c->padding_mode;
    l.conv = transposed ? (cn_conv_params){ t->stride, t->padding, t->dilation, t->groups }
                        : (cn_conv_params){ c->stride, c->padding, c->dilation, c->groups };
    if (transposed) l.output_padding = t->output_padding;
    return l;
}

/* ---- making --------------------------------------------------------------------------------- */

static const char *const modes[] = { "zeros", "reflect", "replicate", "circular" };

/* The place of the padding mode in the list; -1: it is not there. */
static int mode_of(const Layer *l)
{
    int known = l->kind->transposed ? 1 : (int)CN_COUNT(modes);
    for (int i = 0; i < known; i++)
        if (l->padding_mode && strcmp(modes[i], l->padding_mode) == 0) return i;
    return -1;
}

static bool options_make_sense(const cn_module *m, const Layer *l)
{
    const cn_conv_params *p = &l->conv;
    if (mode_of(l) < 0)
        return cn_fail(CN_EINVALID, "%s: padding_mode '%s' is not possible", m->cls->name,
                       l->padding_mode ? l->padding_mode : "None");
    if (l->kind->transposed && p->padding.n == CN_PADDING_SAME)
        return cn_fail(CN_EINVALID, "%s: padding must be numbers", m->cls->name);
    if (p->groups < 1 || l->in % p->groups || l->out < 1 || l->out % p->groups || l->in < 0)
        return cn_fail(CN_EINVALID, "%s: %lld groups do not divide %lld -> %lld channels",
                       m->cls->name, (long long)p->groups, (long long)l->in, (long long)l->out);
    for (int i = 0; i < l->kind->dims; i++) {
        if (p->padding.n == CN_PADDING_SAME && p->stride.v[i] != 1)
            return cn_fail(CN_EINVALID, "%s: padding='same' requires stride 1, not %lld",
                           m->cls->name, (long long)p->stride.v[i]);
        if (l->kernel_size.v[i] < 1)
            return cn_fail(CN_EINVALID, "%s: kernel_size %lld is not positive", m->cls->name,
                           (long long)l->kernel_size.v[i]);
    }
    return true;
}

static bool make_parameters(cn_module *m, const Layer *l)
{
    int64_t from = l->kind->transposed ? l->in : l->out, to = l->kind->transposed ? l->out : l->in;
    cn_shape weight = { .ndim = 2 + l->kind->dims, .dim = { from, to / l->conv.groups } };
    for (int i = 0; i < l->kind->dims; i++) weight.dim[2 + i] = l->kernel_size.v[i];
    if (!cn_module_parameter(m, "weight", &weight)) return false;
    if (l->bias && !cn_module_parameter(m, "bias", &CN_SHAPE(l->out))) return false;
    for (int i = 0; i < m->n_slots; i++)
        if (!cn_init_default(m->slots[i].tensor, cn_fan_in(&weight))) return false;
    return true;
}

static bool conv_build(cn_module *m, const cn_shape *input)
{
    Layer l = layer_of(m);
    if (!options_make_sense(m, &l)) return false;
    if (l.kind->lazy) {
        if (!input) return true;
        int single = l.kind->dims + 1;
        if (input->ndim != single && input->ndim != single + 1)
            return cn_fail(CN_EINVALID, "%s: the input has %d dimensions, but %d or %d are wanted",
                           m->cls->name, input->ndim, single, single + 1);
        l.in = input->dim[input->ndim - single];
    }
    if (l.in < 1 || l.in % l.conv.groups)
        return cn_fail(CN_EINVALID, "%s: %lld groups do not divide %lld input channels",
                       m->cls->name, (long long)l.conv.groups, (long long)l.in);
    return make_parameters(m, &l);
}

/* ---- running -------------------------------------------------------------------------------- */

/* Margins of another kind than zeros are made beforehand. */
static cn_tensor *pad(cn_tensor *x, Layer *l)
{
    static const cn_pad_mode of[] = { CN_PAD_CONSTANT, CN_PAD_REFLECT, CN_PAD_REPLICATE,
                                      CN_PAD_CIRCULAR };
    int mode = mode_of(l), dims = l->kind->dims;
    cn_conv_params *p = &l->conv;
    cn_shape margins = { .ndim = 2 * dims };
    if (mode == 0) return x;
    for (int i = 0; i < dims; i++) {
        int64_t *before = &margins.dim[2 * (dims - 1 - i)], wanted = p->padding.v[i];
        int64_t total = p->dilation.v[i] * (l->kernel_size.v[i] - 1);
        bool same = p->padding.n == CN_PADDING_SAME;
        before[0] = same ? total / 2 : wanted;
        before[1] = same ? total - total / 2 : wanted;
    }
    p->padding = (cn_ints){ .n = dims };
    return cn_pad(x, margins, .mode = of[mode]);
}

/* Several sizes of a transposed convolution's output are sizes that the convolution makes its input of: the
   margin that gives the one asked for. */
static bool margin_for(const cn_module *m, const cn_shape *in, const cn_ints *size, Layer *l)
{
    const int dims = l->kind->dims, before = in->ndim - dims;
    if (size->n != dims && size->n != in->ndim)
        return cn_fail(CN_EINVALID, "%s: output_size needs %d or %d numbers, not %lld",
                       m->cls->name, dims, in->ndim, (long long)size->n);
    for (int i = 0; i < dims; i++) {
        int64_t stride = l->conv.stride.v[i], wanted = size->v[size->n - dims + i];
        int64_t least = (in->dim[before + i] - 1) * stride - 2 * l->conv.padding.v[i] +
                        l->conv.dilation.v[i] * (l->kernel_size.v[i] - 1) + 1;
        if (wanted < least || wanted > least + stride - 1)
            return cn_fail(CN_EINVALID,
                           "%s: output_size %lld in dimension %d is not possible; from this input "
                           "come %lld to %lld",
                           m->cls->name, (long long)wanted, before + i, (long long)least,
                           (long long)(least + stride - 1));
        l->output_padding.v[i] = wanted - least;
    }
    return true;
}

static bool conv_forward(cn_module *m, cn_io *io)
{
    Layer l = layer_of(m);
    const cn_ints *size = l.kind->transposed ? io->args : NULL;
    if (size && size->n >= 0 && !margin_for(m, &io->in[0]->v.shape, size, &l)) return false;
    struct {
        cn_ints stride, padding, output_padding;
        int64_t groups;
        cn_ints dilation;
    } transposed = { l.conv.stride, l.conv.padding, l.output_padding, l.conv.groups,
                     l.conv.dilation };
    cn_tensor *in[] = { pad(io->in[0], &l), m->slots[0].tensor,
                        m->n_slots > 1 ? m->slots[1].tensor : NULL };
    const void *params = l.kind->transposed ? (const void *)&transposed : &l.conv;
    io->n_out = 1;
    io->out[0] = in[0] ? cn_apply1(l.kind->op, in, 3, params) : NULL;
    return io->out[0] != NULL;
}

/* One for each tap of the kernel, wherever it lies on the smaller of input and output. */
static double conv_multiply_adds(const cn_module *m, const cn_shape *out)
{
    Layer l = layer_of(m);
    const cn_shape *w = &m->slots[0].tensor->v.shape;
    int batched = out->ndim > l.kind->dims + 1;
    double places = batched ? (double)out->dim[0] : 1;
    for (int i = 0; i < l.kind->dims; i++) {
        int64_t n = out->dim[out->ndim - l.kind->dims + i], stride = l.conv.stride.v[i];
        int64_t span = l.conv.dilation.v[i] * (l.kernel_size.v[i] - 1) + 1;
        int64_t from = n + 2 * l.conv.padding.v[i] - l.output_padding.v[i] - span;
        places *= (double)(l.kind->transposed ? from / stride + 1 : n);
    }
    return places * (double)w->dim[0] * (double)cn_fan_in(w);
}

/* ---- the classes ---------------------------------------------------------------------------- */

#define CONV(n)                                                                                    \
    "int out_channels, int[" n "] kernel_size, int[" n "] stride=1, int[" n "] padding=0, int[" n  \
    "] dilation=1, int groups=1, bool bias=True, str padding_mode='zeros')"

#define TRANSPOSED(n)                                                                              \
    "int out_channels, int[" n "] kernel_size, int[" n "] stride=1, int[" n "] padding=0, int[" n  \
    "] output_padding=0, int groups=1, bool bias=True, int[" n                                     \
    "] dilation=1, str padding_mode='zeros')"

#define SIZED "(Tensor input, int[]? output_size=None)"

/* A class and its lazy form. */
#define LAYER(ident, arguments, size_of, forward_arguments, text)                                  \
    const cn_module_class cn_class_##ident = {                                                     \
        .name = #ident,                                                                            \
        .schema = #ident "(int in_channels, " arguments,                                           \
        .doc = text,                                                                               \
        .options_size = sizeof(int64_t) + sizeof(size_of),                                         \
        .build = conv_build,                                                                       \
        .inputs = forward_arguments,                                                               \
        .forward = conv_forward,                                                                   \
        .multiply_adds = conv_multiply_adds,                                                       \
    };                                                                                             \
    const cn_module_class cn_class_Lazy##ident = {                                                 \
        .name = "Lazy" #ident,                                                                     \
        .schema = "Lazy" #ident "(" arguments,                                                     \
        .doc = #ident " that takes its in_channels from the first input (D2L 6.4).",               \
        .options_size = sizeof(size_of),                                                           \
        .build = conv_build,                                                                       \
        .inputs = forward_arguments,                                                               \
        .forward = conv_forward,                                                                   \
        .multiply_adds = conv_multiply_adds,                                                       \
    };

LAYER(Conv1d, CONV("1"), Conv, NULL, "Cross-correlation of lines with learned kernels (D2L 16.3).")
LAYER(Conv2d, CONV("2"), Conv, NULL, "Cross-correlation of images with learned kernels (D2L 7.2).")
LAYER(Conv3d, CONV("3"), Conv, NULL, "Cross-correlation of volumes with learned kernels.")
LAYER(ConvTranspose1d, TRANSPOSED("1"), Transposed, SIZED, "The transpose of Conv1d.")
LAYER(ConvTranspose2d, TRANSPOSED("2"), Transposed, SIZED, "The transpose of Conv2d (D2L 14.10).")
LAYER(ConvTranspose3d, TRANSPOSED("3"), Transposed, SIZED, "The transpose of Conv3d.")

/* ---- for others ----------------------------------------------------------------------------- */

bool cn_is_plain_conv2d(const cn_module *m, cn_ints *padding)
{
    const Kind *kind = m ? kind_of(m) : NULL;
    if (!kind || kind->op != &cn_op_conv2d || m->n_slots == 0) return false;
    Layer l = layer_of(m);
    if (l.conv.groups != 1 || l.conv.padding.n != 2 || mode_of(&l) != 0) return false;
    for (int i = 0; i < 2; i++)
        if (l.conv.stride.v[i] != 1 || l.conv.dilation.v[i] != 1) return false;
    *padding = l.conv.padding;
    return true;
}

/* A pair from its rectangular form, else from its square one, else from the default. */
static cn_ffi_value pair(const int64_t hw[2], int64_t square, int64_t otherwise,
                         cn_ffi_value items[2])
{
    for (int i = 0; i < 2; i++) {
        int64_t x = hw[0] || hw[1] ? hw[i] : square ? square : otherwise;
        items[i] = (cn_ffi_value){ .kind = CN_KIND_INT, .u.i = x };
    }
    return (cn_ffi_value){ .kind = CN_KIND_LIST, .n = 2, .u.list = items };
}

cn_module *cn_conv2d_layer_with(const cn_conv2d_options *o)
{
    cn_ffi_value items[4][2];
    const cn_ffi_arg args[] = {
        { "in_channels", { .kind = CN_KIND_INT, .u.i = o->in } },
        { "out_channels", { .kind = CN_KIND_INT, .u.i = o->out } },
        { "kernel_size", pair(o->kernel_hw, o->kernel, 3, items[0]) },
        { "stride", pair(o->stride_hw, o->stride, 1, items[1]) },
        { "padding", pair(o->padding_hw, o->padding, 0, items[2]) },
        { "dilation", pair(o->dilation_hw, o->dilation, 1, items[3]) },
        { "groups", { .kind = CN_KIND_INT, .u.i = o->groups ? o->groups : 1 } },
        { "bias", { .kind = CN_KIND_BOOL, .u.i = !o->no_bias } },
    };
    int n = (int)CN_COUNT(args);
    if (o->in) return cn_module_create(&cn_class_Conv2d, args, n);
    return cn_module_create(&cn_class_LazyConv2d, args + 1, n - 1);
}
