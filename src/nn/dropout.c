/* dropout.c - Dropout and its kin, with a generator of their own: what one drops depends on its seed and on how
   often it
   ran, on nothing else. */
#include "nn/module.h"

typedef struct {
    double p;
} Dropout;

static bool dropout_build(cn_module *m, const cn_shape *input)
{
    const Dropout *o = m->options;
    (void)input;
    if (!(o->p >= 0 && o->p <= 1))
        return cn_fail(CN_EINVALID, "%s: p must be between 0 and 1, got %g", m->cls->name, o->p);
    return cn_module_rng(m) != NULL;
}

static cn_tensor *alpha_dropout(cn_tensor *x, double p, cn_rng *rng)
{
    return cn_alpha_dropout(x, p, false, rng);
}

static cn_tensor *feature_alpha_dropout(cn_tensor *x, double p, cn_rng *rng)
{
    return cn_alpha_dropout(x, p, true, rng);
}

/* A class that drops as `how` does. */
#define DROPOUT(ident, how, text)                                                                  \
    static bool ident##_forward(cn_module *m, cn_io *io)                                           \
    {                                                                                              \
        const Dropout *o = m->options;                                                             \
        io->n_out = 1;                                                                             \
        io->out[0] = how(io->in[0], o->p, m->training ? &m->rng : NULL);                           \
        return io->out[0] != NULL;                                                                 \
    }                                                                                              \
    const cn_module_class cn_class_##ident = {                                                     \
        .name = #ident,                                                                            \
        .schema = #ident "(float p=0.5, bool inplace=False)",                                      \
        .doc = text,                                                                               \
        .options_size = sizeof(Dropout),                                                           \
        .build = dropout_build,                                                                    \
        .forward = ident##_forward,                                                                \
    };

DROPOUT(Dropout, cn_dropout,
        "In training, zeroes elements with probability p and scales the rest by 1 / (1 - p) "
        "(D2L 5.6).")
DROPOUT(Dropout1d, cn_dropout1d, "In training, zeroes whole channels of (N, C, L) or (C, L).")
DROPOUT(Dropout2d, cn_dropout2d, "In training, zeroes whole channels of (N, C, H, W).")
DROPOUT(Dropout3d, cn_dropout3d, "In training, zeroes whole channels of (N, C, D, H, W).")
DROPOUT(AlphaDropout, alpha_dropout, "Dropout that keeps mean 0 and variance 1, as after SELU.")
DROPOUT(FeatureAlphaDropout, feature_alpha_dropout, "AlphaDropout of whole channels.")

cn_module *cn_dropout_layer(double p)
{
    const cn_ffi_arg arg = { "p", { .kind = CN_KIND_FLOAT, .u.f = p } };
    return cn_module_create(&cn_class_Dropout, &arg, 1);
}
