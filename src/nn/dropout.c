/* dropout.c - Dropout with a generator of its own: what it drops depends on its seed and on how
   often it
   ran, on nothing else. */
#include "nn/module.h"

typedef struct {
    double p;
    bool inplace;
} Dropout;

static bool dropout_build(cn_module *m, const cn_shape *input)
{
    const Dropout *o = m->options;
    (void)input;
    if (!(o->p >= 0 && o->p <= 1))
        return cn_fail(CN_EINVALID, "Dropout: p must be between 0 and 1, got %g", o->p);
    return cn_module_rng(m) != NULL;
}

static bool dropout_forward(cn_module *m, cn_io *io)
{
    const Dropout *o = m->options;
    io->n_out = 1;
    io->out[0] = cn_dropout(io->in[0], o->p, m->training ? &m->rng : NULL);
    return io->out[0] != NULL;
}

const cn_module_class cn_class_Dropout = {
    .name = "Dropout",
    .schema = "Dropout(float p=0.5, bool inplace=False)",
    .doc =
        "In training, zeroes elements with probability p and scales the rest by 1 / (1 - p) (D2L 5.6).",
    .options_size = sizeof(Dropout),
    .build = dropout_build,
    .forward = dropout_forward,
};

cn_module *cn_dropout_layer(double p)
{
    const cn_ffi_arg arg = { "p", { .kind = CN_KIND_FLOAT, .u.f = p } };
    return cn_module_create(&cn_class_Dropout, &arg, 1);
}
