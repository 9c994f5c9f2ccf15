/* batch_norm.c - BatchNorm and InstanceNorm for 1 to 3 spatial dimensions, and their lazy forms. */
#include "autograd/checkpoint.h"
#include "nn/fusion.h"
#include "ops/fused.h"

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

/* The options of a lazy class: all but the first. */
typedef struct {
    double eps;
    cn_opt_float momentum;
    bool affine, track_running_stats;
} LazyNorm;

static BatchNorm options_of(const cn_module *m)
{
    if (strncmp(m->cls->name, "Lazy", 4) != 0) return *(const BatchNorm *)m->options;
    const LazyNorm *o = m->options;
    return (BatchNorm){ 0, o->eps, o->momentum, o->affine, o->track_running_stats };
}

/* The digit of "BatchNorm2d" and the like. */
static int spatial_dims(const cn_module *m)
{
    return m->cls->name[strlen(m->cls->name) - 2] - '0';
}

static bool wants_dims(const cn_module *m, const cn_shape *input, int least, int most)
{
    return (input->ndim >= least && input->ndim <= most) ||
           cn_fail(CN_EINVALID, "%s: the input has %d dimensions, %d to %d are wanted",
                   m->cls->name, input->ndim, least, most);
}

static bool wants_channels(const cn_module *m, int64_t given)
{
    int64_t features = options_of(m).features;
    return features == 0 || features == given ||
           cn_fail(CN_EINVALID, "%s: the input has %lld channels, but num_features is %lld",
                   m->cls->name, (long long)given, (long long)features);
}

/* from_end: where the channels stand in the shape of an input. */
static bool build(cn_module *m, const cn_shape *input, int from_end)
{
    BatchNorm o = options_of(m);
    if (o.features < 0)
        return cn_fail(CN_EINVALID, "%s: %lld features", m->cls->name, (long long)o.features);
    if (o.features) return input ? true : make(m, &o, o.features);
    if (!input || (!o.affine && !o.track_running_stats)) return true;
    if (input->ndim < from_end)
        return cn_fail(CN_EINVALID, "%s: the input has %d dimensions, at least %d are wanted",
                       m->cls->name, input->ndim, from_end);
    return make(m, &o, input->dim[input->ndim - from_end]);
}

/* ---- BatchNorm ----------------------------------------------------------------------------- */

static bool batch_norm_build(cn_module *m, const cn_shape *input)
{
    return build(m, input, input ? input->ndim - 1 : 0);
}

/* momentum none: a plain average over all batches so far. */
static double momentum_now(const BatchNorm *o, cn_tensor *batches)
{
    if (o->momentum.given) return o->momentum.value;
    return 1 / cn_item(batches);
}

static cn_tensor *batch_norm(cn_module *m, cn_tensor *x, bool relu)
{
    const BatchNorm o = options_of(m);
    const cn_shape *s = &x->v.shape;
    int spatial = spatial_dims(m);
    if (!wants_dims(m, s, spatial == 1 ? 2 : spatial + 2, spatial + 2)) return NULL;
    if (!wants_channels(m, s->dim[1])) return NULL;
    cn_tensor *mean = cn_module_slot(m, "running_mean"), *var = cn_module_slot(m, "running_var");
    cn_tensor *batches = cn_module_slot(m, "num_batches_tracked");
    bool training = m->training || !mean;
    if (m->training && cn_recomputing()) mean = var = batches = NULL; /* counted the first time */
    if (m->training && batches) ++*(int64_t *)cn_overwritten(batches);
    double momentum = mean && m->training ? momentum_now(&o, batches) : 0;
    const cn_batch_norm_args args = { .size = sizeof args,
                                      .input = x,
                                      .running_mean = mean,
                                      .running_var = var,
                                      .weight = cn_module_slot(m, "weight"),
                                      .bias = cn_module_slot(m, "bias"),
                                      .training = training,
                                      .momentum = momentum,
                                      .eps = o.eps };
    return relu ? cn_batch_norm_relu(&args) : cn_batch_norm_with(&args);
}

static bool batch_norm_forward(cn_module *m, cn_io *io)
{
    io->n_out = 1;
    io->out[0] = batch_norm(m, io->in[0], false);
    return io->out[0] != NULL;
}

bool cn_is_batch_norm(const cn_module *m)
{
    return m && m->cls->forward == batch_norm_forward;
}

cn_tensor *cn_batch_norm_relu_forward(cn_module *m, cn_tensor *x)
{
    return batch_norm(m, x, true);
}

/* ---- InstanceNorm: with or without a dimension for the batch --------------------------------- */

static bool instance_norm_build(cn_module *m, const cn_shape *input)
{
    return build(m, input, spatial_dims(m) + 1);
}

static cn_tensor *instance_norm_of(cn_module *m, cn_tensor *x)
{
    const BatchNorm o = options_of(m);
    cn_tensor *mean = cn_module_slot(m, "running_mean");
    return cn_instance_norm(x, .running_mean = mean,
                            .running_var = cn_module_slot(m, "running_var"),
                            .weight = cn_module_slot(m, "weight"),
                            .bias = cn_module_slot(m, "bias"), .training = m->training || !mean,
                            .momentum = o.momentum.given ? o.momentum.value : 0, .eps = o.eps);
}

static bool instance_norm_forward(cn_module *m, cn_io *io)
{
    const cn_shape *s = &io->in[0]->v.shape;
    int spatial = spatial_dims(m);
    if (!wants_dims(m, s, spatial + 1, spatial + 2)) return false;
    if (cn_module_slot(m, "weight") && !wants_channels(m, s->dim[s->ndim - spatial - 1]))
        return false;
    bool batched = s->ndim == spatial + 2;
    cn_tensor *y = instance_norm_of(m, batched ? io->in[0] : cn_unsqueeze(io->in[0], 0));
    io->n_out = 1;
    io->out[0] = batched || !y ? y : cn_select(y, 0, 0);
    return io->out[0] != NULL;
}

/* ---- classes ------------------------------------------------------------------------------- */

#define NORM_CLASS(ident, features, affine, size, kind, text)                                      \
    const cn_module_class cn_class_##ident = {                                                     \
        .name = #ident,                                                                            \
        .schema = #ident "(" features "float eps=1e-05, float? momentum=0.1, bool affine=" affine, \
        .doc = text,                                                                               \
        .options_size = size,                                                                      \
        .build = kind##_build,                                                                     \
        .forward = kind##_forward                                                                  \
    }

#define BATCH_NORM(dims)                                                                           \
    NORM_CLASS(BatchNorm##dims, "int num_features, ", "True, bool track_running_stats=True)",      \
               sizeof(BatchNorm), batch_norm,                                                      \
               "Standardises each channel over the batch, then scales and shifts it (D2L 8.5).");  \
    NORM_CLASS(LazyBatchNorm##dims, "", "True, bool track_running_stats=True)", sizeof(LazyNorm),  \
               batch_norm, "BatchNorm" #dims " that takes its num_features from the first input.")
BATCH_NORM(1d);
BATCH_NORM(2d);
BATCH_NORM(3d);

#define INSTANCE_NORM(dims)                                                                        \
    NORM_CLASS(InstanceNorm##dims, "int num_features, ", "False, bool track_running_stats=False)", \
               sizeof(BatchNorm), instance_norm,                                                   \
               "Standardises each channel of each example by itself, then scales and shifts it."); \
    NORM_CLASS(LazyInstanceNorm##dims, "", "True, bool track_running_stats=True)",                 \
               sizeof(LazyNorm), instance_norm,                                                    \
               "InstanceNorm" #dims " that takes its num_features from the first input.")
INSTANCE_NORM(1d);
INSTANCE_NORM(2d);
INSTANCE_NORM(3d);

/* ---- typed --------------------------------------------------------------------------------- */

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
