/* conv2d.c - Conv2d and its lazy form. */
#include "nn/fusion.h"

#include "ops/internal.h"

typedef struct {
    int64_t out;
    cn_ints kernel_size, stride, padding, dilation;
    int64_t groups;
    bool bias;
} LazyConv2d;

typedef struct {
    int64_t in;
    LazyConv2d rest; /* the schemas differ in the first argument only */
} Conv2d;

static bool conv2d_make(cn_module *m, int64_t in, const LazyConv2d *o)
{
    int64_t kh = o->kernel_size.v[0], kw = o->kernel_size.v[1];
    if (in < 1 || o->out < 1 || kh < 1 || kw < 1 || o->groups < 1)
        return cn_fail(CN_EINVALID,
                       "%s: sizes must be positive, got %lld -> %lld channels, kernel %lld x "
                       "%lld, groups %lld",
                       m->cls->name, (long long)in, (long long)o->out, (long long)kh, (long long)kw,
                       (long long)o->groups);
    if (in % o->groups || o->out % o->groups)
        return cn_fail(CN_EINVALID, "%s: %lld groups do not divide %lld -> %lld channels",
                       m->cls->name, (long long)o->groups, (long long)in, (long long)o->out);
    if (!cn_module_parameter(m, "weight", &CN_SHAPE(o->out, in / o->groups, kh, kw))) return false;
    if (o->bias && !cn_module_parameter(m, "bias", &CN_SHAPE(o->out))) return false;
    int64_t fan_in = cn_fan_in(&m->slots[0].tensor->v.shape);
    for (int i = 0; i < m->n_slots; i++)
        if (!cn_init_default(m->slots[i].tensor, fan_in)) return false;
    return true;
}

static bool run(cn_module *m, cn_io *io, const LazyConv2d *o)
{
    struct {
        cn_ints stride, padding, dilation;
        int64_t groups;
    } p = { o->stride, o->padding, o->dilation, o->groups };
    cn_tensor *in[] = { io->in[0], m->slots[0].tensor, m->n_slots > 1 ? m->slots[1].tensor : NULL };
    io->n_out = 1;
    io->out[0] = cn_apply1(&cn_op_conv2d, in, 3, &p);
    return io->out[0] != NULL;
}

static double conv2d_multiply_adds(const cn_module *m, const cn_shape *out)
{
    double outputs = 1;
    for (int i = 0; i < out->ndim; i++) outputs *= (double)out->dim[i];
    return outputs * (double)cn_fan_in(&m->slots[0].tensor->v.shape);
}

static bool conv2d_build(cn_module *m, const cn_shape *input)
{
    const Conv2d *o = m->options;
    (void)input;
    return conv2d_make(m, o->in, &o->rest);
}

static bool conv2d_forward(cn_module *m, cn_io *io)
{
    return run(m, io, &((const Conv2d *)m->options)->rest);
}

#define CONV2D_ARGUMENTS                                                                           \
    "int out_channels, int[2] kernel_size, int[2] stride=1, int[2] padding=0, int[2] dilation=1, " \
    "int groups=1, bool bias=True)"

const cn_module_class cn_class_Conv2d = {
    .name = "Conv2d",
    .schema = "Conv2d(int in_channels, " CONV2D_ARGUMENTS,
    .doc = "Cross-correlation of images with learned kernels (D2L 7.2).",
    .options_size = sizeof(Conv2d),
    .build = conv2d_build,
    .forward = conv2d_forward,
    .multiply_adds = conv2d_multiply_adds,
};

static bool lazy_build(cn_module *m, const cn_shape *input)
{
    if (!input) return true;
    if (input->ndim != 3 && input->ndim != 4)
        return cn_fail(CN_EINVALID,
                       "LazyConv2d: the input has %d dimensions, but (N, C, H, W) or (C, H, W) "
                       "is wanted",
                       input->ndim);
    return conv2d_make(m, input->dim[input->ndim - 3], m->options);
}

static bool lazy_forward(cn_module *m, cn_io *io)
{
    return run(m, io, m->options);
}

const cn_module_class cn_class_LazyConv2d = {
    .name = "LazyConv2d",
    .schema = "LazyConv2d(" CONV2D_ARGUMENTS,
    .doc = "Conv2d that takes its in_channels from the first input (D2L 6.4).",
    .options_size = sizeof(LazyConv2d),
    .build = lazy_build,
    .forward = lazy_forward,
    .multiply_adds = conv2d_multiply_adds,
};

static const LazyConv2d *options_of(const cn_module *m)
{
    if (m->cls == &cn_class_Conv2d) return &((const Conv2d *)m->options)->rest;
    return m->cls == &cn_class_LazyConv2d ? m->options : NULL;
}

bool cn_is_plain_conv2d(const cn_module *m, cn_ints *padding)
{
    const LazyConv2d *o = m ? options_of(m) : NULL;
    if (!o || m->n_slots == 0 || o->groups != 1 || o->padding.n != 2) return false;
    for (int i = 0; i < 2; i++)
        if (o->stride.v[i] != 1 || o->dilation.v[i] != 1) return false;
    *padding = o->padding;
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
