/* layer_norm.c - LayerNorm. */
#include "nn/module.h"

typedef struct {
    cn_ints shape;
    double eps;
    bool affine, bias;
} LayerNorm;

static bool build(cn_module *m, const cn_shape *input)
{
    const LayerNorm *o = m->options;
    cn_shape s = cn_shape_from((int)o->shape.n, o->shape.v);
    (void)input;
    if (s.ndim < 1) return cn_fail(CN_EINVALID, "LayerNorm: normalized_shape has no dimensions");
    if (!o->affine) return true;
    if (!cn_module_parameter(m, "weight", &s)) return false;
    cn_fill_view(&m->slots[0].tensor->v, 1);
    return !o->bias || cn_module_parameter(m, "bias", &s);
}

static bool forward(cn_module *m, cn_io *io)
{
    const LayerNorm *o = m->options;
    io->out[0] = cn_layer_norm(io->in[0], cn_shape_from((int)o->shape.n, o->shape.v),
                               .weight = cn_module_slot(m, "weight"),
                               .bias = cn_module_slot(m, "bias"), .eps = o->eps);
    return io->out[0] != NULL;
}

const cn_module_class cn_class_LayerNorm = {
    .name = "LayerNorm",
    .schema = "LayerNorm(int[] normalized_shape, float eps=1e-05, bool elementwise_affine=True, "
              "bool bias=True)",
    .doc = "Standardises each example over its last dimensions, then scales and shifts it "
           "(D2L 11.7).",
    .options_size = sizeof(LayerNorm),
    .build = build,
    .forward = forward,
};

cn_module *cn_layer_norm_layer_with(const cn_layer_norm_options *o)
{
    LayerNorm p = { .eps = o->eps > 0 ? o->eps : 1e-5,
                    .affine = !o->no_affine,
                    .bias = !o->no_bias };
    p.shape.n = o->normalized_shape.ndim;
    for (int i = 0; i < o->normalized_shape.ndim; i++) p.shape.v[i] = o->normalized_shape.dim[i];
    return cn_module_of(&cn_class_LayerNorm, &p);
}
