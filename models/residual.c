/* residual.c - residual blocks (D2L 8.6; He et al., 2015 and 2016). */
#include "models/blocks.h"
#include "models/parts.h"

#include <stdio.h>
#include <string.h>

static int convolutions(const cn_residual_options *o)
{
    return o->bottleneck ? 3 : 2;
}

/* Number i of the branch, from 0 on. The stride is that of the first 3 x 3. */
static cn_module *convolution(const cn_residual_options *o, int i)
{
    bool narrow = o->bottleneck && i != 1;
    bool last = i == convolutions(o) - 1, strided = o->bottleneck ? i == 1 : i == 0;
    return cn_conv2d_layer(o->bottleneck && !last ? o->bottleneck : o->out,
                           .kernel = narrow ? 1 : 3, .padding = narrow ? 0 : 1,
                           .stride = strided ? o->stride : 1, .no_bias = o->torchvision);
}

static cn_module *projection(const cn_residual_options *o)
{
    return cn_conv2d_layer(o->out, .kernel = 1, .stride = o->stride, .no_bias = o->torchvision);
}

static void put_numbered(cn_module *m, const char *name, int i, cn_module *part)
{
    char text[16];
    snprintf(text, sizeof text, "%s%d", name, i + 1);
    cn_add_part(m, text, part);
}

/* In the order of the book: convolutions, the projection, norms. */
static void put_as_book(cn_module *m, const cn_residual_options *o)
{
    int n = convolutions(o);
    for (int i = 0; i < n; i++) put_numbered(m, "conv", i, convolution(o, i));
    if (o->shortcut == CN_SHORTCUT_CONV) put_numbered(m, "conv", n, projection(o));
    for (int i = 0; i < n; i++) put_numbered(m, "bn", i, cn_batch_norm2d_layer());
}

static void put_as_torchvision(cn_module *m, const cn_residual_options *o)
{
    for (int i = 0; i < convolutions(o); i++) {
        put_numbered(m, "conv", i, convolution(o, i));
        put_numbered(m, "bn", i, cn_batch_norm2d_layer());
    }
    if (o->shortcut != CN_SHORTCUT_CONV) return;
    cn_module *down = cn_chain_in(m, "downsample");
    cn_add_part(down, NULL, projection(o));
    cn_add_part(down, NULL, cn_batch_norm2d_layer());
}

static bool residual_build(cn_module *m, const cn_shape *input)
{
    const cn_residual_options *o = cn_module_options(m);
    (void)input;
    (o->torchvision ? put_as_torchvision : put_as_book)(m, o);
    return cn_ok();
}

static cn_module *part(cn_module *m, const char *name, int i)
{
    char text[16];
    snprintf(text, sizeof text, "%s%d", name, i + 1);
    return cn_module_at(m, text);
}

/* Every stride-th pixel, and zeros for half of the channels that are missing on either side. */
static cn_tensor *padded(const cn_residual_options *o, cn_tensor *x)
{
    if (o->stride > 1)
        x = cn_slice(cn_slice(x, 2, 0, INT64_MAX, o->stride), 3, 0, INT64_MAX, o->stride);
    int64_t missing = x ? o->out - cn_size(x, 1) : 0;
    if (missing <= 0) return x;
    return cn_pad(x, CN_SHAPE(0, 0, 0, 0, missing / 2, missing - missing / 2));
}

static cn_tensor *shortcut(cn_module *m, const cn_residual_options *o, cn_tensor *x)
{
    if (o->shortcut == CN_SHORTCUT_PAD) return padded(o, x);
    if (o->shortcut != CN_SHORTCUT_CONV) return x;
    return cn_forward(
        o->torchvision ? cn_module_at(m, "downsample") : part(m, "conv", convolutions(o)), x);
}

/* All but the last norm. */
static cn_tensor *branch(cn_module *m, const cn_residual_options *o, cn_tensor *y)
{
    int n = convolutions(o);
    for (int i = 0; i < n; i++) {
        y = cn_forward(part(m, "conv", i), y);
        if (i < n - 1) y = cn_forward_relu(part(m, "bn", i), y);
    }
    return y;
}

/* Norm and ReLU come before each convolution; a projection takes what they made of the input. */
static cn_tensor *pre_activated(cn_module *m, const cn_residual_options *o, cn_tensor *x)
{
    cn_tensor *y = x;
    for (int i = 0; i < convolutions(o); i++) {
        y = cn_forward_relu(part(m, "bn", i), y);
        if (i == 0 && o->shortcut == CN_SHORTCUT_CONV) x = y;
        y = cn_forward(part(m, "conv", i), y);
    }
    return o->shortcut == CN_SHORTCUT_NONE ? y : cn_add(y, shortcut(m, o, x));
}

static bool residual_forward(cn_module *m, cn_io *io)
{
    const cn_residual_options *o = cn_module_options(m);
    cn_tensor *x = io->in[0];
    if (o->pre_activation) {
        io->out[0] = pre_activated(m, o, x);
    } else {
        cn_tensor *y = branch(m, o, x);
        cn_module *last = part(m, "bn", convolutions(o) - 1);
        io->out[0] = o->shortcut == CN_SHORTCUT_NONE
                         ? cn_forward_relu(last, y)
                         : cn_forward_add_relu(last, y, shortcut(m, o, x));
    }
    return io->out[0] != NULL;
}

static const cn_module_class residual_class = {
    .size = sizeof(cn_module_class),
    .name = "Residual",
    .doc = "The input plus what convolutions make of it (D2L 8.6).",
    .options_size = sizeof(cn_residual_options),
    .build = residual_build,
    .forward = residual_forward,
};

cn_module *cn_residual_block(const cn_residual_options *options)
{
    cn_residual_options o = *options;
    if (o.stride == 0) o.stride = 1;
    return cn_module_of(&residual_class, &o);
}

cn_module *cn_residual(int64_t out, bool project, int64_t stride)
{
    return cn_residual_block(
        &(cn_residual_options){ .out = out,
                                .stride = stride,
                                .shortcut = project ? CN_SHORTCUT_CONV : CN_SHORTCUT_IDENTITY });
}
