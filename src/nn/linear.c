/* linear.c - Linear and its lazy form. */
#include "nn/fusion.h"

typedef struct {
    int64_t in, out;
    bool bias;
} Linear;

static bool linear_make(cn_module *m, int64_t in, int64_t out, bool bias)
{
    if (in < 0 || out < 1)
        return cn_fail(CN_EINVALID, "%s: sizes must be positive, got %lld -> %lld", m->cls->name,
                       (long long)in, (long long)out);
    if (!cn_module_parameter(m, "weight", &CN_SHAPE(out, in))) return false;
    if (bias && !cn_module_parameter(m, "bias", &CN_SHAPE(out))) return false;
    for (int i = 0; i < m->n_slots; i++)
        if (!cn_init_default(m->slots[i].tensor, in)) return false;
    return true;
}

static bool linear_build(cn_module *m, const cn_shape *input)
{
    const Linear *o = m->options;
    (void)input;
    return linear_make(m, o->in, o->out, o->bias);
}

static bool linear_forward(cn_module *m, cn_io *io)
{
    io->n_out = 1;
    io->out[0] =
        cn_linear(io->in[0], m->slots[0].tensor, m->n_slots > 1 ? m->slots[1].tensor : NULL);
    return io->out[0] != NULL;
}

static double linear_multiply_adds(const cn_module *m, const cn_shape *out)
{
    const cn_shape *w = &m->slots[0].tensor->v.shape;
    double rows = 1;
    for (int i = 0; i < out->ndim - 1; i++) rows *= (double)out->dim[i];
    return rows * (double)w->dim[0] * (double)w->dim[1];
}

const cn_module_class cn_class_Linear = {
    .name = "Linear",
    .schema = "Linear(int in_features, int out_features, bool bias=True)",
    .doc = "y = x weight^T + bias (D2L 3.3).",
    .options_size = sizeof(Linear),
    .build = linear_build,
    .forward = linear_forward,
    .multiply_adds = linear_multiply_adds,
};

typedef struct {
    int64_t out;
    bool bias;
} LazyLinear;

static bool lazy_build(cn_module *m, const cn_shape *input)
{
    const LazyLinear *o = m->options;
    if (!input) return true;
    if (input->ndim == 0) return cn_fail(CN_EINVALID, "LazyLinear: a 0-d input has no features");
    return linear_make(m, input->dim[input->ndim - 1], o->out, o->bias);
}

const cn_module_class cn_class_LazyLinear = {
    .name = "LazyLinear",
    .schema = "LazyLinear(int out_features, bool bias=True)",
    .doc = "Linear that takes its in_features from the first input (D2L 6.4).",
    .options_size = sizeof(LazyLinear),
    .build = lazy_build,
    .forward = linear_forward,
    .multiply_adds = linear_multiply_adds,
};

bool cn_is_linear(const cn_module *m)
{
    return m && m->n_slots && (m->cls == &cn_class_Linear || m->cls == &cn_class_LazyLinear);
}

cn_module *cn_linear_layer_with(const cn_linear_options *o)
{
    const cn_ffi_arg args[] = {
        { "in_features", { .kind = CN_KIND_INT, .u.i = o->in } },
        { "out_features", { .kind = CN_KIND_INT, .u.i = o->out } },
        { "bias", { .kind = CN_KIND_BOOL, .u.i = !o->no_bias } },
    };
    if (o->in) return cn_module_create(&cn_class_Linear, args, 3);
    return cn_module_create(&cn_class_LazyLinear, args + 1, 2);
}
