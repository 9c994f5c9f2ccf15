/* layer_norm.c - layer and group normalisation (D2L 11.7; Ba, Kiros and Hinton, 2016). The
   normalised
   dimensions are the last ones: the input is seen as rows. */
#include "ops/compose.h"
#include "ops/params.h"

#include <math.h>
#include <string.h>

typedef struct {
    char *x, *y; /* in backward y is the gradient of the result */
    char *mean, *rstd, *gx, *gw, *gb;
    const char *weight, *bias;
    int64_t rows, size;
    double eps;
} Rows;

#define T float
#define NAME(x) x##_f32
#include "ops/layers/layer_norm.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/layers/layer_norm.inc"

static const char *data_of(const cn_view *v)
{
    return v ? v->data : NULL;
}

static cn_tensor *optional_in(const cn_call *c, int i)
{
    return i < c->n_in ? c->in[i] : NULL;
}

/* Statistics of halves are kept in float32. */
static cn_dtype statistics_dtype(cn_dtype d)
{
    return d == CN_F64 ? CN_F64 : CN_F32;
}

/* ---- forward ------------------------------------------------------------------------------ */

static bool operands_fit(const cn_call *c, const cn_shape *affine)
{
    const cn_dtype d = c->in[0]->v.dtype;
    char given[128], wanted[128];
    if (!cn_dtype_is_float(d))
        return cn_fail(CN_EINVALID, "layer_norm: the input must be of a float type, not %s",
                       cn_dtype_name(d));
    for (int i = 1; i < c->n_in; i++) {
        const cn_view *v = cn_in(c, i);
        if (!v) continue;
        if (!cn_shape_equal(&v->shape, affine))
            return cn_fail(CN_EINVALID, "layer_norm: argument %d has shape %s, but %s is wanted", i,
                           cn_shape_text(&v->shape, given), cn_shape_text(affine, wanted));
        if (!cn_dtype_is_float(v->dtype) || statistics_dtype(v->dtype) != statistics_dtype(d))
            return cn_fail(CN_EINVALID, "layer_norm: argument %d is %s, but the input %s", i,
                           cn_dtype_name(v->dtype), cn_dtype_name(d));
    }
    return true;
}

static bool rows_infer(const cn_call *c, cn_spec out[])
{
    const cn_layer_norm_params *p = c->params;
    const cn_view *x = cn_in(c, 0);
    cn_shape last = cn_shape_from((int)p->shape.n, p->shape.v), statistics = x->shape;
    char given[128], wanted[128];
    int lead = x->shape.ndim - last.ndim;
    bool fits = last.ndim > 0 && lead >= 0;
    for (int i = 0; fits && i < last.ndim; i++) {
        fits = x->shape.dim[lead + i] == last.dim[i];
        statistics.dim[lead + i] = 1;
    }
    if (!fits)
        return cn_fail(CN_EINVALID,
                       "layer_norm: input %s does not end with the normalized_shape %s",
                       cn_shape_text(&x->shape, given), cn_shape_text(&last, wanted));
    if (!operands_fit(c, &last)) return false;
    out[0] = (cn_spec){ x->dtype, x->shape };
    out[1] = out[2] = (cn_spec){ statistics_dtype(x->dtype), statistics };
    return true;
}

static Rows rows_of(const cn_view *x, int64_t rows)
{
    return (Rows){ .rows = rows, .size = rows ? x->numel / rows : 0 };
}

static bool rows_kernel(const cn_call *c)
{
    const cn_view *x = cn_in(c, 0);
    Rows r = rows_of(x, cn_out(c, 1)->numel);
    r.eps = ((const cn_layer_norm_params *)c->params)->eps;
    r.x = x->data, r.y = cn_out(c, 0)->data, r.mean = cn_out(c, 1)->data,
    r.rstd = cn_out(c, 2)->data;
    r.weight = data_of(cn_in(c, 1)), r.bias = data_of(cn_in(c, 2));
    cn_parallel(r.rows, 3 * r.size, x->dtype == CN_F32 ? row_job_f32 : row_job_f64, &r);
    return true;
}

/* ---- gradients ---------------------------------------------------------------------------- */

/* The rule made of ops, for recorded backward passes; statistics are computed anew, so that they
   are part of
   the graph. gx = rstd (gs - mean(gs) - xhat mean(gs xhat)) with gs = gy w. */
static void recorded_backward(cn_grads *g, const cn_layer_norm_params *p)
{
    cn_tensor *x = cn_saved_in(g, 0), *w = cn_saved_in(g, 1), *gy = cn_gout(g, 0);
    if (!x) return;
    cn_shape dims = { .ndim = (int)p->shape.n };
    for (int i = 0; i < dims.ndim; i++) dims.dim[i] = i - dims.ndim;
    cn_tensor *centred = cn_sub(x, cn_mean(x, .dim = dims, .keepdim = true));
    cn_tensor *var = cn_mean(cn_mul(centred, centred), .dim = dims, .keepdim = true);
    cn_tensor *rstd = cn_div(cn_num(1), cn_sqrt(cn_add(var, cn_num(p->eps)))),
              *xhat = cn_mul(centred, rstd);
    cn_tensor *gs = w ? cn_mul(gy, w) : gy;
    cn_tensor *slope = cn_mul(xhat, cn_mean(cn_mul(gs, xhat), .dim = dims, .keepdim = true));
    cn_tensor *level = cn_mean(gs, .dim = dims, .keepdim = true);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_mul(rstd, cn_sub(cn_sub(gs, level), slope)));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mul(gy, xhat));
    if (cn_wants(g, 2)) cn_give(g, 2, gy);
}

static void rows_backward(cn_grads *g)
{
    const cn_layer_norm_params *p = cn_grad_params(g);
    if (cn_grad_enabled()) {
        recorded_backward(g, p);
        return;
    }
    cn_tensor *in[] = { cn_gout(g, 0), cn_saved_in(g, 0), cn_saved_out(g, 1), cn_saved_out(g, 2),
                        cn_saved_in(g, 1) };
    cn_tensor *out[3];
    int64_t size = 1;
    for (int i = 0; i < p->shape.n; i++) size *= p->shape.v[i];
    if (!cn_ok() || !cn_apply(&cn_op_layer_norm_backward, in, 5, &size, out, 3)) return;
    cn_give(g, 0, out[0]);
    for (int i = 1; i < 3; i++)
        if (cn_wants(g, i)) cn_give(g, i, cn_reshape(out[i], *cn_in_shape(g, i)));
}

const cn_op cn_op_layer_norm_rows = {
    CN_OP_HEAD(
        layer_norm_rows, "layer_norm_rows",
        "(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps=1e-05) -> "
        "(Tensor, Tensor, Tensor)"),
    .doc =
        "The last dimensions standardised, times weight plus bias; also their means and 1 / sqrt(variance + "
        "eps), which carry no gradient.",
    .flags = CN_ROWS,
    .grad_outs = 1,
    .params_size = sizeof(cn_layer_norm_params),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .infer = rows_infer,
    .kernel = rows_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_OUT(1) | CN_SAVE_OUT(2),
    .backward = rows_backward,
    .samples =
        "[4,3] (3,) [3] [3] | [2,3,4] (3,4) [3,4] None 0.1 | [3,2] (2,) None None 0.5 | [0,2] (2,) [2] [2]",
};

static bool backward_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *x = cn_in(c, 1), *weight = cn_in(c, 4);
    int64_t size = *(const int64_t *)c->params, rows = cn_in(c, 2)->numel;
    if (!cn_want_float(c->op->name, c->in[1])) return false;
    if (!cn_shape_equal(&x->shape, &cn_in(c, 0)->shape) || cn_in(c, 3)->numel != rows || size < 0 ||
        rows * size != x->numel || (weight && weight->numel != size))
        return cn_fail(CN_EINVALID, "layer_norm_backward: the input is not %lld rows of %lld",
                       (long long)rows, (long long)size);
    out[0] = (cn_spec){ x->dtype, x->shape };
    out[1] = out[2] = (cn_spec){ statistics_dtype(x->dtype), CN_SHAPE(size) };
    return true;
}

static bool backward_kernel(const cn_call *c)
{
    const cn_view *x = cn_in(c, 1);
    bool f32 = x->dtype == CN_F32;
    Rows r = rows_of(x, cn_in(c, 2)->numel);
    r.y = cn_in(c, 0)->data, r.x = x->data, r.mean = cn_in(c, 2)->data, r.rstd = cn_in(c, 3)->data;
    r.weight = data_of(cn_in(c, 4));
    r.gx = cn_out(c, 0)->data, r.gw = cn_out(c, 1)->data, r.gb = cn_out(c, 2)->data;
    cn_parallel(r.rows, 4 * r.size, f32 ? row_backward_job_f32 : row_backward_job_f64, &r);
    cn_parallel(cn_out(c, 1)->numel, 2 * r.rows, f32 ? column_job_f32 : column_job_f64, &r);
    return true;
}

const cn_op cn_op_layer_norm_backward = {
    CN_OP_HEAD(
        layer_norm_backward, "layer_norm_backward",
        "(Tensor grad_output, Tensor input, Tensor mean, Tensor rstd, Tensor? weight, int size) -> "
        "(Tensor, Tensor, Tensor)"),
    .doc =
        "The gradients of layer_norm_rows for input, weight and bias; rows have `size` elements. Recorded "
        "passes use other ops instead.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .params_size = sizeof(int64_t),
    .optional = CN_SAVE_IN(4),
    .infer = backward_infer,
    .kernel = backward_kernel,
    .samples =
        "[4,3] [4,3] [4,1] +[4,1] [3] size=3 | [2,3,4] [2,3,4] [2,1,1] +[2,1,1] None size=12",
};

/* ---- layer_norm, group_norm --------------------------------------------------------------- */

static cn_tensor *standardise(cn_tensor *x, const cn_layer_norm_params *p, cn_tensor *weight,
                              cn_tensor *bias)
{
    cn_tensor *in[] = { x, weight, bias }, *out[3];
    return cn_apply(&cn_op_layer_norm_rows, in, 3, p, out, 3) ? out[0] : NULL;
}

static bool layer_norm_compose(cn_call *c)
{
    return cn_set_out(c, 0, standardise(c->in[0], c->params, optional_in(c, 1), optional_in(c, 2)));
}

const cn_op cn_op_layer_norm = {
    CN_OP_HEAD(layer_norm, "nn.functional.layer_norm",
               "(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, "
               "float eps=1e-05) -> Tensor"),
    .aliases = "layer_norm",
    .doc =
        "The last dimensions, of shape normalized_shape, standardised, times weight plus bias (D2L 11.7).",
    .params_size = sizeof(cn_layer_norm_params),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .compose = layer_norm_compose,
    .samples = "[4,3] (3,) [3] [3] | [2,3,4] (3,4)",
};

cn_tensor *cn_layer_norm_with(const cn_layer_norm_args *a)
{
    cn_layer_norm_params p = { cn_ints_of(&a->normalized_shape), a->eps != 0 ? a->eps : 1e-5 };
    return CN_CALL(layer_norm, &p, a->input, a->weight, a->bias);
}

typedef struct {
    int64_t groups;
    double eps;
} GroupNorm;

/* Groups of channels are rows; weight and bias belong to channels. */
static bool group_norm_compose(cn_call *c)
{
    const GroupNorm *p = c->params;
    cn_tensor *x = c->in[0], *weight = optional_in(c, 1), *bias = optional_in(c, 2);
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS)) return false;
    const cn_shape *s = &x->v.shape;
    if (p->groups < 1 || s->dim[1] % p->groups)
        return cn_fail(CN_EINVALID, "group_norm: %lld groups do not divide %lld channels",
                       (long long)p->groups, (long long)s->dim[1]);
    if (s->dim[0] && x->v.numel == 0)
        return cn_fail(CN_EINVALID, "group_norm: nothing to average in channels of an empty input");
    int64_t rows = s->dim[0] * p->groups, length = rows ? x->v.numel / rows : 0;
    cn_shape wide = cn_shape_along(s->ndim, 1, s->dim[1]);
    cn_layer_norm_params row = { { 1, { length } }, p->eps };
    cn_tensor *y = cn_reshape(x, CN_SHAPE(rows, length));
    y = y ? standardise(y, &row, NULL, NULL) : NULL;
    y = y ? cn_reshape(y, *s) : NULL;
    if (weight) y = cn_mul(y, cn_reshape(weight, wide));
    if (bias) y = cn_add(y, cn_reshape(bias, wide));
    return cn_set_out(c, 0, y);
}

const cn_op cn_op_group_norm = {
    CN_OP_HEAD(
        group_norm, "nn.functional.group_norm",
        "(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) -> "
        "Tensor"),
    .aliases = "group_norm",
    .doc =
        "Groups of channels standardised for each element of the batch, times weight plus bias per channel.",
    .params_size = sizeof(GroupNorm),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .compose = group_norm_compose,
    .samples = "[2,4,3] 2 [4] [4] | [2,4,2,2] 4",
};
