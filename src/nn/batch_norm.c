/* batch_norm.c - BatchNorm1d and BatchNorm2d. */
#include "autograd/checkpoint.h"
#include "nn/module.h"

#include <string.h>

typedef struct {
    int64_t features; /* 0: from the first input */
    double eps;
    cn_opt_float momentum;
    bool affine, track_running_stats;
} BatchNorm;

static bool make(cn_module *m, const BatchNorm *o, int64_t features)
{
    cn_shape s = CN_SHAPE(features), scalar = cn_scalar_shape();
    if (o->affine) {
        if (!cn_module_parameter(m, "weight", &s) || !cn_module_parameter(m, "bias", &s))
            return false;
        cn_fill_view(&m->slots[0].tensor->v, 1);
    }
    if (!o->track_running_stats) return true;
    return cn_module_buffer(m, "running_mean", &s, CN_F32, 0) &&
           cn_module_buffer(m, "running_var", &s, CN_F32, 1) &&
           cn_module_buffer(m, "num_batches_tracked", &scalar, CN_I64, 0);
}

static bool batch_norm_build(cn_module *m, const cn_shape *input)
{
    const BatchNorm *o = m->options;
    if (o->features < 0)
        return cn_fail(CN_EINVALID, "%s: %lld features", m->cls->name, (long long)o->features);
    if (o->features) return input ? true : make(m, o, o->features);
    if (!input) return true;
    if (input->ndim < 2)
        return cn_fail(CN_EINVALID, "%s: the input has %d dimensions, at least 2 are wanted",
                       m->cls->name, input->ndim);
    return make(m, o, input->dim[1]);
}

/* momentum none: a plain average over all batches so far. */
static double momentum_now(const BatchNorm *o, cn_tensor *batches)
{
    if (o->momentum.given) return o->momentum.value;
    return 1 / cn_item(batches);
}

static bool batch_norm_forward(cn_module *m, cn_io *io)
{
    const BatchNorm *o = m->options;
    bool two_d = strcmp(m->cls->name, "BatchNorm2d") == 0;
    int nd = io->in[0]->v.shape.ndim;
    if (two_d ? nd != 4 : nd != 2 && nd != 3)
        return cn_fail(CN_EINVALID, "%s: the input has %d dimensions, %s is wanted", m->cls->name,
                       nd, two_d ? "(N, C, H, W)" : "(N, C) or (N, C, L)");
    cn_tensor *mean = cn_module_slot(m, "running_mean"), *var = cn_module_slot(m, "running_var");
    cn_tensor *batches = cn_module_slot(m, "num_batches_tracked");
    bool training = m->training || !mean;
    if (m->training && cn_recomputing()) mean = var = batches = NULL; /* counted the first time */
    if (m->training && batches) ++*(int64_t *)cn_data_mut(batches);
    double momentum = mean && training ? momentum_now(o, batches) : 0;
    io->n_out = 1;
    io->out[0] =
        cn_batch_norm(io->in[0], .running_mean = mean, .running_var = var,
                      .weight = cn_module_slot(m, "weight"), .bias = cn_module_slot(m, "bias"),
                      .training = training, .momentum = momentum, .eps = o->eps);
    return io->out[0] != NULL;
}

#define BATCH_NORM(dims)                                                                           \
    .name = "BatchNorm" dims,                                                                      \
    .schema = "BatchNorm" dims "(int num_features, float eps=1e-05, float? momentum=0.1, bool "    \
              "affine=True, bool track_running_stats=True)",                                       \
    .doc = "Standardises each channel over the batch, then scales and shifts it (D2L 8.5).",       \
    .options_size = sizeof(BatchNorm), .build = batch_norm_build, .forward = batch_norm_forward

const cn_module_class cn_class_BatchNorm1d = { BATCH_NORM("1d") };
const cn_module_class cn_class_BatchNorm2d = { BATCH_NORM("2d") };

static cn_module *layer(const cn_module_class *cls, const cn_batch_norm_options *o)
{
    const cn_ffi_arg args[] = {
        { "num_features", { .kind = CN_KIND_INT, .u.i = o->features } },
        { "eps", { .kind = CN_KIND_FLOAT, .u.f = o->eps > 0 ? o->eps : 1e-5 } },
        { "momentum", { .kind = CN_KIND_FLOAT, .u.f = o->momentum > 0 ? o->momentum : 0.1 } },
        { "affine", { .kind = CN_KIND_BOOL, .u.i = !o->no_affine } },
        { "track_running_stats", { .kind = CN_KIND_BOOL, .u.i = !o->no_stats } },
    };
    return cn_module_create(cls, args, (int)CN_COUNT(args));
}

cn_module *cn_batch_norm2d_layer_with(const cn_batch_norm_options *o)
{
    return layer(&cn_class_BatchNorm2d, o);
}

cn_module *cn_batch_norm1d_layer_with(const cn_batch_norm_options *o)
{
    return layer(&cn_class_BatchNorm1d, o);
}

cn_module *cn_batch_norm2d_layer(void)
{
    return layer(&cn_class_BatchNorm2d,
                 &(cn_batch_norm_options){ .size = sizeof(cn_batch_norm_options) });
}

cn_module *cn_batch_norm1d_layer(void)
{
    return layer(&cn_class_BatchNorm1d,
                 &(cn_batch_norm_options){ .size = sizeof(cn_batch_norm_options) });
}
