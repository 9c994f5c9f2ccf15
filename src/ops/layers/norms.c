/* norms.c - normalisation under its other names: rms_norm (Zhang and Sennrich, 2019), instance_norm
   (Ulyanov and others, 2016), and native_.. with the statistics as further results. */
#include "ops/compose.h"

#include <float.h>
#include <math.h>

static cn_tensor *optional_in(const cn_call *c, int i)
{
    return i < c->n_in ? c->in[i] : NULL;
}

typedef struct {
    cn_ints shape;
    double eps;
} RowsParams; /* of layer_norm_rows */

/* ---- rms_norm ------------------------------------------------------------------------------ */

typedef struct {
    cn_ints shape;
    cn_opt_float eps;
} RmsNorm;

static double epsilon_of(cn_dtype d)
{
    return d == CN_F64    ? DBL_EPSILON
           : d == CN_F16  ? 0x1p-10
           : d == CN_BF16 ? 0x1p-7
                          : (double)FLT_EPSILON;
}

static bool ends_with(const cn_call *c, const cn_ints *last)
{
    const cn_shape *s = &c->in[0]->v.shape;
    char given[128], wanted[128];
    cn_shape w = cn_shape_from((int)last->n, last->v);
    bool fits = last->n > 0 && last->n <= s->ndim;
    for (int i = 0; fits && i < last->n; i++) fits = s->dim[s->ndim - last->n + i] == last->v[i];
    if (fits && (!optional_in(c, 1) || cn_shape_equal(&c->in[1]->v.shape, &w))) return true;
    return cn_fail(CN_EINVALID, "%s: input %s and weight do not fit the normalized_shape %s",
                   c->op->name, cn_shape_text(s, given), cn_shape_text(&w, wanted));
}

/* Halves are squared and summed in float32. */
static bool rms_norm_compose(cn_call *c)
{
    const RmsNorm *p = c->params;
    cn_dtype own = c->in[0]->v.dtype;
    if (!cn_dtype_is_float(own))
        return cn_fail(CN_EINVALID, "rms_norm: the input must be of a float type, not %s",
                       cn_dtype_name(own));
    if (!ends_with(c, &p->shape)) return false;
    cn_shape dims = { .ndim = (int)p->shape.n };
    for (int i = 0; i < dims.ndim; i++) dims.dim[i] = i - dims.ndim;
    cn_tensor *x = cn_to(c->in[0], cn_compute_dtype(own)), *weight = optional_in(c, 1);
    double eps = p->eps.given ? p->eps.value : epsilon_of(own);
    cn_tensor *mean = cn_mean(cn_mul(x, x), .dim = dims, .keepdim = true);
    cn_tensor *y = cn_mul(x, cn_rsqrt(cn_add(mean, cn_number(eps))));
    if (weight) y = cn_mul(y, weight);
    return cn_set_out(c, 0, y ? cn_to(y, own) : NULL);
}

const cn_op cn_op_rms_norm = {
    CN_OP_HEAD(rms_norm, "nn.functional.rms_norm",
               "(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> "
               "Tensor"),
    .aliases = "rms_norm",
    .doc = "input / sqrt(mean(input^2) + eps) over the last dimensions, times weight; eps is the "
           "machine epsilon of the type unless given.",
    .params_size = sizeof(RmsNorm),
    .optional = CN_SAVE_IN(1),
    .compose = rms_norm_compose,
    .samples = "[4,3] (3,) [3] | [2,3,4] (3,4) eps=0.1 | [3] (3,) | [0,2] (2,) [2]",
};

/* ---- instance_norm ------------------------------------------------------------------------- */

typedef struct {
    bool use_input_stats;
    double momentum, eps;
} InstanceNorm;

/* running = (1 - momentum) running + momentum times the mean over the batch, in place. */
static bool update(cn_tensor *running, cn_tensor *of_rows, const cn_shape *s, double momentum)
{
    if (!running) return true;
    size_t mark = cn_mark();
    bool ok = false;
    CN_NO_GRAD
    {
        cn_tensor *each = cn_reshape(of_rows, CN_SHAPE(s->dim[0], s->dim[1]));
        cn_tensor *mean = cn_mul(cn_mean(each, .dim = CN_SHAPE(0)), cn_number(momentum));
        cn_tensor *next = cn_add(cn_mul(running, cn_number(1 - momentum)), mean);
        ok = next && cn_copy_(running, next);
    }
    cn_release(mark);
    return ok;
}

/* The unbiased variance from 1 / sqrt(variance + eps). */
static cn_tensor *variance(cn_tensor *rstd, double eps, int64_t count)
{
    cn_tensor *var = NULL;
    CN_NO_GRAD
    {
        cn_tensor *v = cn_sub(cn_reciprocal(cn_mul(rstd, rstd)), cn_number(eps));
        var = cn_mul(v, cn_number((double)count / (double)(count - 1)));
    }
    return var;
}

/* Each channel of each element of the batch is a row. */
static cn_tensor *by_own_statistics(const cn_call *c, const InstanceNorm *p)
{
    const cn_shape *s = &c->in[0]->v.shape;
    int64_t rows = s->dim[0] * s->dim[1], count = rows ? c->in[0]->v.numel / rows : 0;
    if (rows && count < 2) {
        cn_fail(CN_EINVALID,
                "instance_norm: more than one value per channel is needed, the input "
                "has %lld",
                (long long)count);
        return NULL;
    }
    RowsParams params = { { 1, { count } }, p->eps };
    cn_tensor *in[] = { cn_reshape(c->in[0], CN_SHAPE(rows, count)), NULL, NULL }, *out[3];
    if (!in[0] || !cn_apply(&cn_op_layer_norm_rows, in, 3, &params, out, 3)) return NULL;
    cn_tensor *mean = optional_in(c, 1), *var = optional_in(c, 2);
    if (rows && !update(mean, out[1], s, p->momentum)) return NULL;
    if (rows && var && !update(var, variance(out[2], p->eps, count), s, p->momentum)) return NULL;
    return cn_reshape(out[0], *s);
}

static cn_tensor *affine(cn_tensor *y, cn_tensor *weight, cn_tensor *bias)
{
    if (!y) return NULL;
    cn_shape wide = cn_shape_along(y->v.shape.ndim, 1, y->v.shape.dim[1]);
    if (weight) y = cn_mul(y, cn_reshape(weight, wide));
    return bias ? cn_add(y, cn_reshape(bias, wide)) : y;
}

static bool per_channel(const cn_call *c, int first, int last)
{
    for (int i = first; i <= last; i++)
        if (optional_in(c, i) &&
            (c->in[i]->v.shape.ndim != 1 || c->in[i]->v.numel != c->in[0]->v.shape.dim[1]))
            return cn_fail(CN_EINVALID, "%s: argument %d must have %lld numbers, one per channel",
                           c->op->name, i, (long long)c->in[0]->v.shape.dim[1]);
    return true;
}

static bool instance_norm_compose(cn_call *c)
{
    const InstanceNorm *p = c->params;
    cn_tensor *mean = optional_in(c, 1), *var = optional_in(c, 2);
    cn_tensor *weight = optional_in(c, 3), *bias = optional_in(c, 4);
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS) || !per_channel(c, 1, 4)) return false;
    if (p->use_input_stats) return cn_set_out(c, 0, affine(by_own_statistics(c, p), weight, bias));
    if (!mean || !var)
        return cn_fail(CN_EINVALID,
                       "instance_norm: running_mean and running_var must be given when "
                       "use_input_stats is False");
    return cn_set_out(c, 0,
                      cn_batch_norm(c->in[0], .running_mean = mean, .running_var = var,
                                    .weight = weight, .bias = bias, .eps = p->eps));
}

const cn_op cn_op_instance_norm = {
    CN_OP_HEAD(instance_norm, "nn.functional.instance_norm",
               "(Tensor input, Tensor? running_mean=None, Tensor? running_var=None, Tensor? "
               "weight=None, Tensor? bias=None, bool use_input_stats=True, float momentum=0.1, "
               "float eps=1e-05) -> Tensor"),
    .doc = "Each channel of each element of the batch standardised by itself (updating the running "
           "statistics), or by the running statistics, times weight plus bias.",
    .params_size = sizeof(InstanceNorm),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2) | CN_SAVE_IN(3) | CN_SAVE_IN(4),
    .compose = instance_norm_compose,
    .samples = "[2,3,4] eps=0.1 | [2,2,2,2] None None [2] [2] eps=0.1 | [2,3,4] [3] +[3] [3] [3] "
               "False",
};

cn_tensor *cn_instance_norm_with(const cn_batch_norm_args *a)
{
    InstanceNorm p = { a->training, a->momentum, a->eps > 0 ? a->eps : 1e-5 };
    return CN_CALL(instance_norm, &p, a->input, a->running_mean, a->running_var, a->weight,
                   a->bias);
}

/* ---- native_layer_norm, native_group_norm --------------------------------------------------- */

static bool native_layer_norm_compose(cn_call *c)
{
    cn_tensor *in[] = { c->in[0], optional_in(c, 1), optional_in(c, 2) }, *out[3];
    if (!cn_apply(&cn_op_layer_norm_rows, in, 3, c->params, out, 3)) return false;
    for (int i = 0; i < 3; i++)
        if (!cn_set_out(c, i, out[i])) return false;
    return true;
}

const cn_op cn_op_native_layer_norm = {
    CN_OP_HEAD(native_layer_norm, "native_layer_norm",
               "(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> "
               "(Tensor, Tensor, Tensor)"),
    .doc = "layer_norm, and the means and 1 / sqrt(variance + eps), which carry no gradient.",
    .grad_outs = 1,
    .params_size = sizeof(RowsParams),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .compose = native_layer_norm_compose,
    .samples = "[4,3] (3,) [3] [3] 1e-5 | [2,3,4] (3,4) None None 0.1",
};

typedef struct {
    int64_t batch, channels, inner, groups;
    double eps;
} NativeGroupNorm;

/* Means and 1 / sqrt(variance + eps) of rows, with gradients. */
static bool statistics_of(cn_tensor *rows, double eps, cn_tensor *out[2])
{
    cn_shape last = CN_SHAPE(1);
    out[0] = cn_mean(rows, .dim = last);
    cn_tensor *centred = cn_sub(rows, cn_unsqueeze(out[0], 1));
    cn_tensor *variance = cn_mean(cn_mul(centred, centred), .dim = last);
    out[1] = cn_rsqrt(cn_add(variance, cn_number(eps)));
    return out[1] != NULL;
}

static bool native_group_norm_compose(cn_call *c)
{
    const NativeGroupNorm *p = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS) || !per_channel(c, 1, 2)) return false;
    if (p->batch != s->dim[0] || p->channels != s->dim[1] || p->inner < 0 || p->groups < 1 ||
        p->channels % p->groups ||
        (double)p->batch * (double)p->channels * (double)p->inner != (double)c->in[0]->v.numel)
        return cn_fail(CN_EINVALID,
                       "native_group_norm: N %lld, C %lld, HxW %lld and %lld groups do not fit the "
                       "input",
                       (long long)p->batch, (long long)p->channels, (long long)p->inner,
                       (long long)p->groups);
    int64_t rows = p->batch * p->groups;
    RowsParams params = { { 1, { rows ? c->in[0]->v.numel / rows : 0 } }, p->eps };
    cn_tensor *in[] = { cn_reshape(c->in[0], CN_SHAPE(rows, params.shape.v[0])), NULL, NULL };
    cn_tensor *out[3], *statistics[2];
    if (!in[0] || !cn_apply(&cn_op_layer_norm_rows, in, 3, &params, out, 3)) return false;
    cn_tensor *y = affine(cn_reshape(out[0], *s), optional_in(c, 1), optional_in(c, 2));
    if (!cn_set_out(c, 0, y) || !statistics_of(in[0], p->eps, statistics)) return false;
    cn_shape grouped = CN_SHAPE(p->batch, p->groups);
    return cn_set_out(c, 1, cn_reshape(statistics[0], grouped)) &&
           cn_set_out(c, 2, cn_reshape(statistics[1], grouped));
}

const cn_op cn_op_native_group_norm = {
    CN_OP_HEAD(native_group_norm, "native_group_norm",
               "(Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, int group, "
               "float eps) -> (Tensor, Tensor, Tensor)"),
    .doc = "group_norm, and the means and 1 / sqrt(variance + eps) of the groups.",
    .params_size = sizeof(NativeGroupNorm),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .compose = native_group_norm_compose,
    .samples = "[2,4,3] [4] [4] 2 4 3 2 0.1 | [2,4,2,2] None None 2 4 4 4 0.1",
};
