/* parametric.c - modules that are an op with parameters of their own: Embedding, EmbeddingBag,
   Bilinear, GroupNorm, RMSNorm, PReLU. */
#include "nn/module.h"

/* An op that takes what its class's build() makes under the names of its arguments. */
#define OP_CLASS(ident, arguments, qualified, options, builder, text)                              \
    const cn_module_class cn_class_##ident = { .name = #ident,                                     \
                                               .schema = #ident arguments,                         \
                                               .doc = text,                                        \
                                               .options_size = sizeof(options),                    \
                                               .op = qualified,                                    \
                                               .build = builder }

/* ---- tables of vectors --------------------------------------------------------------------- */

/* Standard normal; row `padding` (counted from the end when negative) is 0. */
static bool make_table(cn_module *m, int64_t rows, int64_t width, const cn_opt_int *padding)
{
    int64_t row = padding->value + (padding->value < 0 ? rows : 0);
    if (rows < 0 || width < 0)
        return cn_fail(CN_EINVALID, "%s: %lld vectors of %lld numbers", m->cls->name,
                       (long long)rows, (long long)width);
    if (padding->given && (row < 0 || row >= rows))
        return cn_fail(CN_EINVALID, "%s: padding_idx %lld is outside the %lld rows", m->cls->name,
                       (long long)padding->value, (long long)rows);
    if (!cn_module_parameter(m, "weight", &CN_SHAPE(rows, width))) return false;
    float *w = cn_overwritten(m->slots[0].tensor);
    for (int64_t i = 0; i < rows * width; i++) w[i] = (float)cn_rng_normal(cn_default_rng());
    for (int64_t k = 0; padding->given && k < width; k++) w[row * width + k] = 0;
    return true;
}

typedef struct {
    int64_t rows, width;
    cn_opt_int padding_idx;
    cn_opt_float max_norm;
    double norm_type;
    bool scale_grad_by_freq, sparse;
} Embedding;

static bool embedding_build(cn_module *m, const cn_shape *input)
{
    const Embedding *o = m->options;
    return input || make_table(m, o->rows, o->width, &o->padding_idx);
}

OP_CLASS(Embedding,
         "(int num_embeddings, int embedding_dim, int? padding_idx=None, float? max_norm=None, "
         "float norm_type=2.0, bool scale_grad_by_freq=False, bool sparse=False)",
         "nn.functional.embedding", Embedding, embedding_build,
         "A table of vectors, looked up by index (D2L 15.1).");

typedef struct {
    int64_t rows, width;
    cn_opt_float max_norm;
    double norm_type;
    bool scale_grad_by_freq;
    const char *mode;
    bool sparse, include_last_offset;
    cn_opt_int padding_idx;
} EmbeddingBag;

static bool embedding_bag_build(cn_module *m, const cn_shape *input)
{
    const EmbeddingBag *o = m->options;
    return input || make_table(m, o->rows, o->width, &o->padding_idx);
}

OP_CLASS(EmbeddingBag,
         "(int num_embeddings, int embedding_dim, float? max_norm=None, float norm_type=2.0, bool "
         "scale_grad_by_freq=False, str mode='mean', bool sparse=False, bool "
         "include_last_offset=False, int? padding_idx=None)",
         "nn.functional.embedding_bag", EmbeddingBag, embedding_bag_build,
         "The sum, mean or largest of the vectors of each bag of indices.");

/* ---- bilinear forms ------------------------------------------------------------------------ */

typedef struct {
    int64_t in1, in2, out;
    bool bias;
} Bilinear;

static bool bilinear_build(cn_module *m, const cn_shape *input)
{
    const Bilinear *o = m->options;
    if (input) return true;
    if (o->in1 < 1 || o->in2 < 0 || o->out < 0)
        return cn_fail(CN_EINVALID, "Bilinear: sizes must be positive, got %lld, %lld -> %lld",
                       (long long)o->in1, (long long)o->in2, (long long)o->out);
    if (!cn_module_parameter(m, "weight", &CN_SHAPE(o->out, o->in1, o->in2))) return false;
    if (o->bias && !cn_module_parameter(m, "bias", &CN_SHAPE(o->out))) return false;
    for (int i = 0; i < m->n_slots; i++)
        if (!cn_init_default(m->slots[i].tensor, o->in1)) return false;
    return true;
}

OP_CLASS(Bilinear, "(int in1_features, int in2_features, int out_features, bool bias=True)",
         "nn.functional.bilinear", Bilinear, bilinear_build, "x1 weight[o] x2 + bias[o].");

/* ---- normalisation ------------------------------------------------------------------------- */

static bool make_scale(cn_module *m, const cn_shape *s, bool bias)
{
    if (!cn_module_parameter(m, "weight", s)) return false;
    cn_fill_view(&m->slots[0].tensor->v, 1);
    return !bias || cn_module_parameter(m, "bias", s);
}

typedef struct {
    int64_t groups, channels;
    double eps;
    bool affine;
} GroupNorm;

static bool group_norm_build(cn_module *m, const cn_shape *input)
{
    const GroupNorm *o = m->options;
    if (o->groups < 1 || o->channels < 0 || o->channels % o->groups)
        return cn_fail(CN_EINVALID, "GroupNorm: %lld groups do not divide %lld channels",
                       (long long)o->groups, (long long)o->channels);
    return input || !o->affine || make_scale(m, &CN_SHAPE(o->channels), true);
}

OP_CLASS(GroupNorm, "(int num_groups, int num_channels, float eps=1e-05, bool affine=True)",
         "nn.functional.group_norm", GroupNorm, group_norm_build,
         "Standardises groups of channels of each example, then scales and shifts each channel.");

typedef struct {
    cn_ints shape;
    cn_opt_float eps;
    bool affine;
} RMSNorm;

static bool rms_norm_build(cn_module *m, const cn_shape *input)
{
    const RMSNorm *o = m->options;
    cn_shape s = cn_shape_from((int)o->shape.n, o->shape.v);
    return input || !o->affine || make_scale(m, &s, false);
}

OP_CLASS(RMSNorm, "(int[] normalized_shape, float? eps=None, bool elementwise_affine=True)",
         "nn.functional.rms_norm", RMSNorm, rms_norm_build,
         "Divides by the root of the mean square over the last dimensions, then scales.");

/* ---- activation ---------------------------------------------------------------------------- */

typedef struct {
    int64_t count;
    double init;
} PReLU;

static bool prelu_build(cn_module *m, const cn_shape *input)
{
    const PReLU *o = m->options;
    if (input) return true;
    if (!cn_module_parameter(m, "weight", &CN_SHAPE(o->count))) return false;
    cn_fill_view(&m->slots[0].tensor->v, o->init);
    return true;
}

OP_CLASS(PReLU, "(int num_parameters=1, float init=0.25)", "nn.functional.prelu", PReLU,
         prelu_build,
         "x where it is positive, weight x elsewhere; one weight, or one per channel.");

static bool softmax2d_forward(cn_module *m, cn_io *io)
{
    int nd = io->in[0]->v.shape.ndim;
    if (nd != 3 && nd != 4)
        return cn_fail(CN_EINVALID, "%s: (N, C, H, W) or (C, H, W) is wanted, not %d dimensions",
                       m->cls->name, nd);
    io->n_out = 1;
    io->out[0] = cn_softmax(io->in[0], -3);
    return io->out[0] != NULL;
}

const cn_module_class cn_class_Softmax2d = {
    .name = "Softmax2d",
    .schema = "Softmax2d()",
    .doc = "softmax over the channels of a picture.",
    .forward = softmax2d_forward,
};
