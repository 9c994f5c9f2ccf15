/* batch_norm.c - batch normalisation (D2L 8.5; Ioffe and Szegedy, 2015). The input is seen as N x
   C x S. */
#include "ops/compose.h"
#include "ops/fused.h"
#include "ops/params.h"

#include <math.h>
#include <string.h>

typedef struct {
    int64_t n, channels, inner;
} Sizes;

static Sizes sizes_of(const cn_shape *s)
{
    Sizes z = { s->dim[0], s->dim[1], 1 };
    for (int i = 2; i < s->ndim; i++) z.inner *= s->dim[i];
    return z;
}

#define T float
#define NAME(x) x##_f32
#include "ops/layers/batch_norm.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/layers/batch_norm.inc"

/* ---- training: statistics of the batch ----------------------------------------------------- */

static bool check_channels(const cn_call *c, int first_vector)
{
    const cn_shape *s = &c->in[0]->v.shape;
    char text[128];
    for (int i = first_vector; i < c->n_in; i++) {
        if (!c->in[i]) continue;
        if (c->in[i]->v.shape.ndim == 1 && c->in[i]->v.shape.dim[0] == s->dim[1]) continue;
        return cn_fail(CN_EINVALID,
                       "batch_norm: argument %d has shape %s, but the input has %lld channels", i,
                       cn_shape_text(&c->in[i]->v.shape, text), (long long)s->dim[1]);
    }
    return true;
}

/* Kernels read all operands as numbers of one type. */
static bool check_types(const cn_call *c)
{
    const cn_dtype own = c->in[0]->v.dtype;
    for (int i = 1; i < c->n_in; i++)
        if (c->in[i] && cn_compute_dtype(c->in[i]->v.dtype) != cn_compute_dtype(own))
            return cn_fail(CN_EINVALID, "batch_norm: argument %d is %s, but the input %s", i,
                           cn_dtype_name(c->in[i]->v.dtype), cn_dtype_name(own));
    if (cn_dtype_is_float(own)) return true;
    return cn_fail(CN_EINVALID, "batch_norm: the input must be float, not %s", cn_dtype_name(own));
}

static bool train_infer(const cn_call *c, cn_spec out[])
{
    const cn_shape *s = &c->in[0]->v.shape;
    char text[128];
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS) || !check_channels(c, 1)) return false;
    if (!check_types(c)) return false;
    if (c->in[0]->v.numel / (s->dim[1] ? s->dim[1] : 1) < 2)
        return cn_fail(
            CN_EINVALID,
            "batch_norm: training needs more than one value per channel, the input has shape %s",
            cn_shape_text(s, text));
    out[0] = (cn_spec){ c->in[0]->v.dtype, *s };
    out[1] = out[2] = (cn_spec){ c->in[0]->v.dtype, CN_SHAPE(s->dim[1]) };
    return true;
}

typedef struct {
    const cn_call *c;
    Sizes z;
} Job;

static void train_channels(int64_t first, int64_t last, void *context)
{
    const Job *j = context;
    for (int64_t k = first; k < last; k++) {
        if (cn_in(j->c, 0)->dtype == CN_F32) train_channel_f32(j->c, j->z, k);
        else train_channel_f64(j->c, j->z, k);
    }
}

static bool train_kernel(const cn_call *c)
{
    Job j = { c, sizes_of(&cn_in(c, 0)->shape) };
    cn_parallel(j.z.channels, 3 * j.z.n * j.z.inner, train_channels, &j);
    return true;
}

static void backward_channels(int64_t first, int64_t last, void *context)
{
    const Job *j = context;
    for (int64_t k = first; k < last; k++) {
        if (cn_in(j->c, 0)->dtype == CN_F32) backward_channel_f32(j->c, j->z, k);
        else backward_channel_f64(j->c, j->z, k);
    }
}

static bool backward_kernel(const cn_call *c)
{
    Job j = { c, sizes_of(&cn_in(c, 0)->shape) };
    cn_parallel(j.z.channels, 4 * j.z.n * j.z.inner, backward_channels, &j);
    return true;
}

static bool backward_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *g = cn_in(c, 0), *x = cn_in(c, 1);
    char a[128], b[128];
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS)) return false;
    if (!cn_shape_equal(&g->shape, &x->shape))
        return cn_fail(CN_EINVALID, "batch_norm_backward: grad_output is %s, but the input %s",
                       cn_shape_text(&g->shape, a), cn_shape_text(&x->shape, b));
    if (!check_channels(c, 2) || !check_types(c)) return false;
    out[0] = (cn_spec){ g->dtype, g->shape };
    out[1] = out[2] = (cn_spec){ g->dtype, CN_SHAPE(g->shape.dim[1]) };
    return true;
}

/* A vector of one number per channel in a shape that broadcasts against x. */
static cn_tensor *per_channel(cn_tensor *v, const cn_shape *x)
{
    cn_shape s = { .ndim = x->ndim };
    for (int i = 0; i < s.ndim; i++) s.dim[i] = i == 1 ? x->dim[1] : 1;
    return cn_reshape(v, s);
}

static cn_shape all_but_channels(const cn_shape *x)
{
    cn_shape dims = { 0 };
    for (int i = 0; i < x->ndim; i++)
        if (i != 1) dims.dim[dims.ndim++] = i;
    return dims;
}

/* The rule made of ops, for recorded backward passes; statistics are computed anew, so that they
   are part of
   the graph. gx = w rstd (gy - mean(gy) - xhat mean(gy xhat)). */
static void recorded_backward(cn_grads *g, const cn_batch_norm_params *p)
{
    cn_tensor *x = cn_saved_in(g, 0), *w = cn_saved_in(g, 1), *b = cn_saved_in(g, 2),
              *gy = cn_gout(g, 0);
    if (!x) return;
    cn_shape s = x->v.shape, dims = all_but_channels(&s);
    cn_tensor *centred = cn_sub(x, cn_mean(x, .dim = dims, .keepdim = true));
    cn_tensor *var = cn_mean(cn_mul(centred, centred), .dim = dims, .keepdim = true);
    cn_tensor *rstd = cn_div(cn_num(1), cn_sqrt(cn_add(var, cn_num(p->eps)))),
              *xhat = cn_mul(centred, rstd);
    if (p->relu) {
        cn_tensor *y = w ? cn_mul(xhat, per_channel(w, &s)) : xhat;
        gy = cn_relu_backward(gy, b ? cn_add(y, per_channel(b, &s)) : y);
    }
    cn_tensor *product = cn_mul(gy, xhat);
    cn_tensor *slope = w ? cn_mul(rstd, per_channel(w, &s)) : rstd;
    cn_tensor *inner = cn_sub(cn_sub(gy, cn_mean(gy, .dim = dims, .keepdim = true)),
                              cn_mul(xhat, cn_mean(product, .dim = dims, .keepdim = true)));
    if (cn_wants(g, 0)) cn_give(g, 0, cn_mul(slope, inner));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_sum(product, .dim = dims));
    if (cn_wants(g, 2)) cn_give(g, 2, cn_sum(gy, .dim = dims));
}

static void train_backward(cn_grads *g)
{
    const cn_batch_norm_params *p = cn_grad_params(g);
    if (cn_grad_enabled()) {
        recorded_backward(g, p);
        return;
    }
    cn_tensor *in[] = { cn_gout(g, 0),      cn_saved_in(g, 0), cn_saved_out(g, 1),
                        cn_saved_out(g, 2), cn_saved_in(g, 1), cn_saved_in(g, 2) };
    cn_tensor *out[3];
    const cn_batch_norm_backward_params params = { p->relu };
    if (!cn_ok() || !cn_apply(&cn_op_batch_norm_backward, in, 6, &params, out, 3)) return;
    for (int i = 0; i < 3; i++) cn_give(g, i, out[i]);
}

const cn_op cn_op_batch_norm_train = {
    CN_OP_HEAD(
        batch_norm_train, "batch_norm_train",
        "(Tensor input, Tensor? weight, Tensor? bias, float eps, bool relu=False) -> (Tensor, Tensor, "
        "Tensor)"),
    .doc =
        "Each channel standardised over the batch, scaled and shifted, and cut at 0 if relu; also its mean and "
        "1 / sqrt(variance + eps), which carry no gradient.",
    .flags = CN_ROWS | CN_ANY_LAYOUT,
    .grad_outs = 1,
    .params_size = sizeof(cn_batch_norm_params),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .infer = train_infer,
    .kernel = train_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_IN(2) | CN_SAVE_OUT(1) | CN_SAVE_OUT(2),
    .backward = train_backward,
    .samples = "[4,3] [3] [3] 0.1 | [2,2,3,2] [2] None 0.1 | [3,2,2] None None 0.1 | "
               "[2,2,3,2] [2] [2] 0.1 relu=True | [3,2,2] None None 0.1 True",
};

const cn_op cn_op_batch_norm_backward = {
    CN_OP_HEAD(
        batch_norm_backward, "batch_norm_backward",
        "(Tensor grad_output, Tensor input, Tensor mean, Tensor rstd, Tensor? weight, Tensor? bias=None, *, bool "
        "relu=False) -> (Tensor, Tensor, Tensor)"),
    .doc =
        "The gradients of batch_norm_train for input, weight and bias. Recorded passes use other ops instead.",
    .flags = CN_ROWS | CN_NO_GRAD_OP | CN_ANY_LAYOUT,
    .params_size = sizeof(cn_batch_norm_backward_params),
    .optional = CN_SAVE_IN(4) | CN_SAVE_IN(5),
    .infer = backward_infer,
    .kernel = backward_kernel,
    .samples = "[4,3] [4,3] [3] +[3] [3] | [2,2,3] [2,2,3] [2] +[2] None | "
               "[4,3] [4,3] [3] +[3] [3] [3] relu=True | [2,2,3] [2,2,3] [2] +[2] None relu=True",
};

/* ---- batch_norm ---------------------------------------------------------------------------- */

typedef struct {
    bool training;
    double momentum, eps;
} BatchNorm; /* of the op batch_norm */

/* running = (1 - momentum) running + momentum batch; the variance without bias. */
static void update_running(cn_tensor *running, const cn_tensor *batch, double momentum,
                           double factor, double eps, bool is_variance)
{
    size_t size = cn_dtype_size(running->v.dtype), from = cn_dtype_size(batch->v.dtype);
    for (int64_t i = 0; i < running->v.numel; i++) {
        double x = cn_load_f64(batch->v.data + (size_t)i * from, batch->v.dtype);
        if (is_variance) x = (1 / (x * x) - eps) * factor;
        char *at = running->v.data + (size_t)i * size;
        cn_store_f64(at, running->v.dtype,
                     (1 - momentum) * cn_load_f64(at, running->v.dtype) + momentum * x);
    }
    running->storage->version++;
}

typedef struct {
    cn_tensor *x, *mean, *var, *weight, *bias; /* all but x may be NULL */
} Operands;

/* A batch of nothing leaves the running statistics alone. */
static bool train_on_nothing(const Operands *o, cn_tensor *out[3])
{
    const cn_shape *s = &o->x->v.shape;
    out[0] = o->weight ? cn_mul(o->x, per_channel(o->weight, s)) : cn_clone(o->x);
    if (o->bias) out[0] = cn_add(out[0], per_channel(o->bias, s));
    out[1] = out[2] = cn_zeros(CN_SHAPE(s->dim[1]), o->x->v.dtype);
    return out[0] && out[1];
}

static bool train(const Operands *o, const BatchNorm *p, bool relu, cn_tensor *out[3])
{
    cn_tensor *in[] = { o->x, o->weight, o->bias };
    cn_batch_norm_params params = { p->eps, relu };
    if (o->x->v.numel == 0) return train_on_nothing(o, out);
    if (!cn_apply(&cn_op_batch_norm_train, in, 3, &params, out, 3)) return false;
    double count = (double)o->x->v.numel / (double)o->x->v.shape.dim[1];
    if (o->mean && o->mean->v.contiguous)
        update_running(o->mean, out[1], p->momentum, 1, p->eps, false);
    if (o->var && o->var->v.contiguous)
        update_running(o->var, out[2], p->momentum, count / (count - 1), p->eps, true);
    return true;
}

static cn_tensor *evaluate(const Operands *o, const BatchNorm *p)
{
    const cn_shape *s = &o->x->v.shape;
    if (!o->mean || !o->var) {
        cn_fail(CN_EINVALID, "batch_norm: evaluation needs running_mean and running_var");
        return NULL;
    }
    cn_tensor *scale = cn_div(cn_num(1), cn_sqrt(cn_add(o->var, cn_num(p->eps))));
    if (o->weight) scale = cn_mul(scale, o->weight);
    cn_tensor *y = cn_mul(cn_sub(o->x, per_channel(o->mean, s)), per_channel(scale, s));
    return o->bias ? cn_add(y, per_channel(o->bias, s)) : y;
}

static bool batch_norm_compose(cn_call *c)
{
    const BatchNorm *p = c->params;
    Operands o = { c->in[0], c->in[1], c->in[2], c->in[3], c->in[4] };
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS) || !check_channels(c, 1)) return false;
    cn_tensor *out[3];
    if (!p->training) return cn_set_out(c, 0, evaluate(&o, p));
    return train(&o, p, false, out) && cn_set_out(c, 0, out[0]);
}

const cn_op cn_op_batch_norm = {
    CN_OP_HEAD(
        batch_norm, "nn.functional.batch_norm",
        "(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight=None, Tensor? bias=None, bool "
        "training=False, float momentum=0.1, float eps=1e-05) -> Tensor"),
    .doc =
        "Standardises each channel, by the batch in training (updating the running statistics), by those otherwise.",
    .flags = CN_ANY_LAYOUT,
    .params_size = sizeof(BatchNorm),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2) | CN_SAVE_IN(3) | CN_SAVE_IN(4),
    .compose = batch_norm_compose,
    .samples =
        "[4,3] [3] +[3] [3] [3] | [2,2,3,2] [2] +[2] | [3,2,2] None None [2] [2] training=True",
};

/* Outside training there are no statistics of the batch to give. */
static bool native_batch_norm_compose(cn_call *c)
{
    const BatchNorm *p = c->params;
    Operands o = { c->in[0], c->in[3], c->in[4], c->in[1], c->in[2] };
    cn_tensor *out[3];
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS) || !check_channels(c, 1)) return false;
    if (p->training && !train(&o, p, false, out)) return false;
    if (!p->training) {
        out[0] = evaluate(&o, p);
        out[1] = out[2] = cn_empty(CN_SHAPE(0), o.x->v.dtype);
    }
    for (int i = 0; i < 3; i++)
        if (!cn_set_out(c, i, out[i])) return false;
    return true;
}

const cn_op cn_op_native_batch_norm = {
    CN_OP_HEAD(
        native_batch_norm, "native_batch_norm",
        "(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
        "running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)"),
    .doc = "batch_norm, and in training the means and 1 / sqrt(variance + eps) of the batch, which "
           "carry no gradient.",
    .grad_outs = 1,
    .params_size = sizeof(BatchNorm),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2) | CN_SAVE_IN(3) | CN_SAVE_IN(4),
    .compose = native_batch_norm_compose,
    .samples = "[4,3] [3] [3] [3] +[3] False 0.1 0.1 | [3,2,2] [2] [2] None None True 0.1 0.1",
};

cn_tensor *cn_batch_norm_with(const cn_batch_norm_args *a)
{
    BatchNorm p = { a->training, a->momentum, a->eps > 0 ? a->eps : 1e-5 };
    return CN_CALL(batch_norm, &p, a->input, a->running_mean, a->running_var, a->weight, a->bias);
}

cn_tensor *cn_batch_norm_relu(const cn_batch_norm_args *a)
{
    BatchNorm p = { a->training, a->momentum, a->eps > 0 ? a->eps : 1e-5 };
    Operands o = { a->input, a->running_mean, a->running_var, a->weight, a->bias };
    cn_tensor *out[3];
    if (!p.training || o.x->v.numel == 0) return cn_relu(cn_batch_norm_with(a));
    return train(&o, &p, true, out) ? out[0] : NULL;
}
