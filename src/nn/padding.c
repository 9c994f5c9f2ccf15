/* padding.c - the layers that add margins: of zeros or another constant, mirrored, repeated, wrapped
   around. */
#include "nn/module.h"

#include "core/tensor.h"

typedef struct {
    cn_ints
        padding;  /* before and after the last dimension, before and after the one before it, .. */
    double value; /* of ConstantPad only */
} Padding;

static cn_shape margins_of(const cn_module *m)
{
    const Padding *o = m->options;
    return cn_shape_from((int)o->padding.n, o->padding.v);
}

static bool padding_build(cn_module *m, const cn_shape *input)
{
    (void)input;
    return ((const Padding *)m->options)->padding.n > 0 ||
           cn_fail(CN_EINVALID, "%s: padding must be numbers", m->cls->name);
}

static bool give(cn_io *io, cn_tensor *y)
{
    io->n_out = 1;
    io->out[0] = y;
    return y != NULL;
}

static bool zero_forward(cn_module *m, cn_io *io)
{
    return give(io, cn_constant_pad_nd(io->in[0], margins_of(m), 0));
}

static bool constant_forward(cn_module *m, cn_io *io)
{
    const Padding *o = m->options;
    return give(io, cn_constant_pad_nd(io->in[0], margins_of(m), o->value));
}

/* Margins made of what is inside want channels, as PyTorch does. */
static bool pad(cn_module *m, cn_io *io, cn_pad_mode mode)
{
    cn_shape margins = margins_of(m);
    int ndim = io->in[0]->v.shape.ndim, single = margins.ndim / 2 + 1;
    if (ndim != single && ndim != single + 1)
        return cn_fail(CN_EINVALID, "%s: the input has %d dimensions, but %d or %d are wanted",
                       m->cls->name, ndim, single, single + 1);
    return give(io, cn_pad(io->in[0], margins, .mode = mode));
}

static bool reflection_forward(cn_module *m, cn_io *io)
{
    return pad(m, io, CN_PAD_REFLECT);
}

static bool replication_forward(cn_module *m, cn_io *io)
{
    return pad(m, io, CN_PAD_REPLICATE);
}

static bool circular_forward(cn_module *m, cn_io *io)
{
    return pad(m, io, CN_PAD_CIRCULAR);
}

#define PAD(ident, arguments, size, run, text)                                                     \
    const cn_module_class cn_class_##ident = {                                                     \
        .name = #ident,                                                                            \
        .schema = #ident arguments,                                                                \
        .doc = text,                                                                               \
        .options_size = size,                                                                      \
        .build = padding_build,                                                                    \
        .forward = run##_forward,                                                                  \
    };

/* For lines, pictures and volumes. */
#define PADS(name, more, size, run, text)                                                          \
    PAD(name##1d, "(int[2] padding" more ")", size, run, text)                                     \
    PAD(name##2d, "(int[4] padding" more ")", size, run, text)                                     \
    PAD(name##3d, "(int[6] padding" more ")", size, run, text)

PADS(ZeroPad, "", sizeof(cn_ints), zero, "Margins of zeros.")
PADS(ConstantPad, ", float value", sizeof(Padding), constant, "Margins of value.")
PADS(ReflectionPad, "", sizeof(cn_ints), reflection, "Margins that mirror the inside.")
PADS(ReplicationPad, "", sizeof(cn_ints), replication, "Margins that repeat the border.")
PADS(CircularPad, "", sizeof(cn_ints), circular, "Margins that go on at the other side.")
