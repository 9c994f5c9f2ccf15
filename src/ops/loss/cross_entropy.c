/* cross_entropy.c - the losses of classification: cross_entropy and nll_loss. D2L 3.4, 3.7.

   Scores become rows of classes. The plain loss of class indices is one op per direction,
   cross_entropy_rows; weights, label smoothing and class probabilities are made of other ops. */
#include "ops/loss/loss.h"
#include "ops/loss/mean_losses.h"
#include "ops/params.h"

#include <math.h>
#include <string.h>

typedef struct {
    const char *x;
    char *loss, *lse, *to; /* loss: in backward its gradient */
    const int64_t *target;
    int64_t classes, ignore_index;
} Rows;

#define T float
#define NAME(x) x##_f32
#define M(x) x##f
#include "ops/loss/cross_entropy.inc"
#define T double
#define NAME(x) x##_f64
#define M(x) x
#include "ops/loss/cross_entropy.inc"

/* ---- targets ------------------------------------------------------------------------------ */

static bool is_row_target(const cn_call *c, const cn_view *target, int64_t rows)
{
    char text[128];
    if (target->dtype == CN_I64 && target->shape.ndim == 1 && target->shape.dim[0] == rows)
        return true;
    return cn_fail(CN_EINVALID, "%s: the target must be %lld int64 class indices, not %s %s",
                   c->op->name, (long long)rows, cn_dtype_name(target->dtype),
                   cn_shape_text(&target->shape, text));
}

bool cn_targets_in_range(const cn_call *c, const cn_view *target, int64_t classes,
                         int64_t ignore_index)
{
    const int64_t *t = (const int64_t *)(const void *)target->data;
    for (int64_t i = 0; i < target->numel; i++)
        if ((t[i] < 0 || t[i] >= classes) && t[i] != ignore_index)
            return cn_fail(CN_EINVALID, "%s: target %lld at %lld is not a class: 0 to %lld are",
                           c->op->name, (long long)t[i], (long long)i, (long long)classes - 1);
    return true;
}

/* ---- cross-entropy of rows ---------------------------------------------------------------- */

static bool rows_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *x = cn_in(c, 0);
    if (!cn_want_dims(c, 0, 2, 2) || !is_row_target(c, cn_in(c, 1), x->shape.dim[0])) return false;
    if (!cn_dtype_is_float(x->dtype) || (x->shape.dim[1] == 0 && x->shape.dim[0]))
        return cn_fail(CN_EINVALID,
                       "cross_entropy: the scores must be of a float type and of at least one "
                       "class");
    out[0] = out[1] = (cn_spec){ x->dtype, CN_SHAPE(x->shape.dim[0]) };
    return true;
}

static bool rows_kernel(const cn_call *c)
{
    const cn_view *x = cn_in(c, 0), *target = cn_in(c, 1);
    const cn_row_loss_params *p = c->params;
    Rows r = { .x = x->data,
               .loss = cn_out(c, 0)->data,
               .lse = cn_out(c, 1)->data,
               .target = (const int64_t *)(const void *)target->data,
               .classes = x->shape.dim[1],
               .ignore_index = p->ignore_index };
    if (!cn_targets_in_range(c, target, r.classes, p->ignore_index)) return false;
    cn_parallel(x->shape.dim[0], 8 * r.classes, x->dtype == CN_F32 ? rows_job_f32 : rows_job_f64,
                &r);
    return true;
}

/* A number per row, to be broadcast over the classes. */
static cn_tensor *column(cn_tensor *t)
{
    return t ? cn_reshape(t, CN_SHAPE(t->v.numel, 1)) : NULL;
}

static cn_tensor *probabilities(cn_tensor *x, cn_tensor *lse)
{
    return cn_exp(cn_sub(x, column(lse)));
}

static void rows_gradient(cn_grads *g)
{
    cn_tensor *x = cn_saved_in(g, 0), *lse = cn_saved_out(g, 1);
    cn_tensor *gx = CN_CALL(cross_entropy_rows_backward, cn_grad_params(g), cn_gout(g, 0), x, lse,
                            cn_saved_in(g, 1));
    if (cn_has_gout(g, 1)) gx = cn_add(gx, cn_mul(column(cn_gout(g, 1)), probabilities(x, lse)));
    cn_give(g, 0, gx);
}

const cn_op cn_op_cross_entropy_rows = {
    CN_OP_HEAD(cross_entropy_rows, "cross_entropy_rows",
               "(Tensor input, Tensor target, int ignore_index=-100) -> (Tensor, Tensor)"),
    .doc =
        "log sum exp(input) - input[target] of each row, 0 where it is ignored; and the log sum exp.",
    .flags = CN_ROWS,
    .params_size = sizeof(cn_row_loss_params),
    .infer = rows_infer,
    .kernel = rows_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_OUT(1),
    .backward = rows_gradient,
    .samples =
        "[4,3] i64<3[4] | [5,20] i64<20[5] ignore_index=3 | [0,3] i64<3[0] | f64[3,2] i64<2[3] 1",
};

static bool rows_backward_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *g = cn_in(c, 0), *x = cn_in(c, 1), *lse = cn_in(c, 2);
    if (!cn_want_float(c->op->name, c->in[1]) || !cn_want_dims(c, 1, 2, 2) ||
        !is_row_target(c, cn_in(c, 3), x->shape.dim[0]))
        return false;
    if (g->numel != x->shape.dim[0] || lse->numel != g->numel || g->dtype != x->dtype ||
        lse->dtype != x->dtype)
        return cn_fail(CN_EINVALID,
                       "%s: grad_output and logsumexp must have a number of the input's type for "
                       "each row",
                       c->op->name);
    *out = (cn_spec){ x->dtype, x->shape };
    return true;
}

static bool rows_backward_kernel(const cn_call *c)
{
    const cn_view *x = cn_in(c, 1), *target = cn_in(c, 3);
    const cn_row_loss_params *p = c->params;
    Rows r = { .x = x->data,
               .loss = cn_in(c, 0)->data,
               .lse = cn_in(c, 2)->data,
               .to = cn_out(c, 0)->data,
               .target = (const int64_t *)(const void *)target->data,
               .classes = x->shape.dim[1],
               .ignore_index = p->ignore_index };
    if (!cn_targets_in_range(c, target, r.classes, p->ignore_index)) return false;
    cn_parallel(x->shape.dim[0], 8 * r.classes,
                x->dtype == CN_F32 ? rows_backward_job_f32 : rows_backward_job_f64, &r);
    return true;
}

/* With p = exp(x - lse) and h the gradient that arrives: for g, sum h p - h[target]; for x, h g
   p; for lse
   minus the sum of that. Ignored rows count nowhere. */
static void rows_backward_gradient(cn_grads *g)
{
    const cn_row_loss_params *params = cn_grad_params(g);
    cn_tensor *target = cn_saved_in(g, 3), *h = cn_gout(g, 0);
    cn_tensor *counts = cn_ne(target, cn_number_i64(params->ignore_index));
    cn_tensor *hp =
        cn_mul(cn_mul(h, column(counts)), probabilities(cn_saved_in(g, 1), cn_saved_in(g, 2)));
    if (cn_wants(g, 0)) {
        cn_tensor *picked = CN_CALL(nll_rows, params, h, target);
        cn_give(g, 0, cn_add(cn_sum(hp, .dim = CN_SHAPE(1)), picked));
    }
    cn_tensor *gx = cn_mul(hp, column(cn_saved_in(g, 0)));
    if (cn_wants(g, 1)) cn_give(g, 1, gx);
    if (cn_wants(g, 2)) cn_give(g, 2, cn_neg(cn_sum(gx, .dim = CN_SHAPE(1))));
}

const cn_op cn_op_cross_entropy_rows_backward = {
    CN_OP_HEAD(
        cross_entropy_rows_backward, "cross_entropy_rows_backward",
        "(Tensor grad_output, Tensor input, Tensor logsumexp, Tensor target, int ignore_index=-100) -> "
        "Tensor"),
    .doc = "The gradient of cross_entropy_rows: (softmax(input) - onehot(target)) grad_output.",
    .flags = CN_ROWS,
    .params_size = sizeof(cn_row_loss_params),
    .infer = rows_backward_infer,
    .kernel = rows_backward_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_IN(2) | CN_SAVE_IN(3),
    .backward = rows_backward_gradient,
    .samples = "[4] [4,3] [4] i64<3[4] | [5] [5,2] [5] i64<2[5] ignore_index=1",
};

/* ---- -input[target] of rows --------------------------------------------------------------- */

static bool nll_rows_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *x = cn_in(c, 0);
    if (!cn_want_dims(c, 0, 2, 2) || !is_row_target(c, cn_in(c, 1), x->shape.dim[0])) return false;
    *out = (cn_spec){ x->dtype, CN_SHAPE(x->shape.dim[0]) };
    return true;
}

/* `rows` of any strides, one element of each: picked as -row[target] or, in backward, set to
   -value. */
static void pick(const cn_view *rows, const cn_view *target, const cn_view *values,
                 int64_t ignore_index, bool set)
{
    for (int64_t i = 0; i < values->numel; i++) {
        int64_t t = ((const int64_t *)(const void *)target->data)[i * target->strides[0]];
        if (t == ignore_index) continue;
        int64_t at = i * rows->strides[0] + t * rows->strides[1], k = i * values->strides[0];
        if (rows->dtype == CN_F32) {
            float *row = (float *)(void *)rows->data + at,
                  *value = (float *)(void *)values->data + k;
            *(set ? row : value) = -*(set ? value : row);
        } else {
            double *row = (double *)(void *)rows->data + at,
                   *value = (double *)(void *)values->data + k;
            *(set ? row : value) = -*(set ? value : row);
        }
    }
}

static bool nll_rows_kernel(const cn_call *c)
{
    const cn_row_loss_params *p = c->params;
    const cn_view *x = cn_in(c, 0), *y = cn_out(c, 0);
    cn_view target = *cn_in(c, 1);
    if (x->dtype != CN_F32 && x->dtype != CN_F64)
        return cn_fail(CN_EINVALID, "nll_loss: the input must be of a float type");
    if (!cn_targets_in_range(c, &target, x->shape.dim[1], p->ignore_index)) return false;
    cn_fill_view(y, 0);
    pick(x, &target, y, p->ignore_index, false);
    return true;
}

typedef struct {
    int64_t classes, ignore_index;
} NllBackward;

static void nll_rows_gradient(cn_grads *g)
{
    const cn_row_loss_params *p = cn_grad_params(g);
    NllBackward back = { cn_in_shape(g, 0)->dim[1], p->ignore_index };
    cn_give(g, 0, CN_CALL(nll_rows_backward, &back, cn_gout(g, 0), cn_saved_in(g, 1)));
}

const cn_op cn_op_nll_rows = {
    CN_OP_HEAD(nll_rows, "nll_rows",
               "(Tensor input, Tensor target, int ignore_index=-100) -> Tensor"),
    .doc = "-input[target] of each row, 0 where it is ignored.",
    .flags = CN_ROWS,
    .params_size = sizeof(cn_row_loss_params),
    .infer = nll_rows_infer,
    .kernel = nll_rows_kernel,
    .saves = CN_SAVE_IN(1),
    .backward = nll_rows_gradient,
    .samples = "[4,3] i64<3[4] | [5,2] i64<2[5] ignore_index=1 | [0,3] i64<3[0]",
};

static bool nll_backward_infer(const cn_call *c, cn_spec out[])
{
    const NllBackward *p = c->params;
    if (!cn_want_float(c->op->name, c->in[0]) || !cn_want_dims(c, 0, 1, 1) ||
        !is_row_target(c, cn_in(c, 1), cn_in(c, 0)->shape.dim[0]))
        return false;
    *out = (cn_spec){ cn_in(c, 0)->dtype, CN_SHAPE(cn_in(c, 0)->shape.dim[0], p->classes) };
    return true;
}

static bool nll_backward_kernel(const cn_call *c)
{
    const NllBackward *p = c->params;
    if (!cn_targets_in_range(c, cn_in(c, 1), p->classes, p->ignore_index)) return false;
    cn_fill_view(cn_out(c, 0), 0);
    pick(cn_out(c, 0), cn_in(c, 1), cn_in(c, 0), p->ignore_index, true);
    return true;
}

static void nll_backward_gradient(cn_grads *g)
{
    const NllBackward *p = cn_grad_params(g);
    cn_row_loss_params forward = { p->ignore_index };
    cn_give(g, 0, CN_CALL(nll_rows, &forward, cn_gout(g, 0), cn_saved_in(g, 1)));
}

const cn_op cn_op_nll_rows_backward = {
    CN_OP_HEAD(nll_rows_backward, "nll_rows_backward",
               "(Tensor grad_output, Tensor target, int classes, int ignore_index=-100) -> Tensor"),
    .doc = "The gradient of nll_rows: -grad_output at the target of each row, 0 elsewhere.",
    .flags = CN_ROWS,
    .params_size = sizeof(NllBackward),
    .infer = nll_backward_infer,
    .kernel = nll_backward_kernel,
    .saves = CN_SAVE_IN(1),
    .backward = nll_backward_gradient,
    .samples = "[4] i64<3[4] 3 | [5] i64<2[5] 2 ignore_index=1",
};

/* ---- any shape as rows -------------------------------------------------------------------- */

typedef struct {
    int64_t ignore_index;
    const char *reduction;
    double label_smoothing;
} CrossEntropy;

typedef struct {
    int64_t ignore_index;
    const char *reduction;
} NllLoss;

typedef struct {
    const char *what;
    cn_tensor *scores, *target,
        *weight; /* (rows, classes); (rows) or (rows, classes); (classes) or NULL */
    int64_t ignore_index;
    double smoothing;
    cn_reduction reduction;
    cn_shape shape; /* of the loss without reduction */
} Task;

/* Classes last, everything else as rows. */
static cn_tensor *as_rows(cn_tensor *t)
{
    int nd = t->v.shape.ndim;
    int64_t classes = t->v.shape.dim[nd > 1 ? 1 : 0], rows = 1;
    for (int i = 0; i < nd; i++)
        if (i != (nd > 1 ? 1 : 0)) rows *= t->v.shape.dim[i];
    if (nd == 2) return t;
    cn_shape order = { .ndim = nd };
    for (int i = 0; i < nd; i++) order.dim[i] = i == 0 ? 0 : i < nd - 1 ? i + 1 : 1;
    return cn_reshape(nd > 2 ? cn_permute(t, order) : t, CN_SHAPE(rows, classes));
}

static bool set_up(const cn_call *c, const char *reduction, Task *t)
{
    cn_tensor *x = c->in[0], *target = c->in[1];
    const cn_shape *s = &x->v.shape;
    char given[128], wanted[128];
    t->weight = c->n_in > 2 ? c->in[2] : NULL;
    if (!cn_reduction_named(reduction, t->what, &t->reduction)) return false;
    if (s->ndim < 1)
        return cn_fail(CN_EINVALID, "%s: the input must have a dimension of classes", t->what);
    bool probable = cn_dtype_is_float(target->v.dtype);
    t->shape = cn_without_dim(s, s->ndim > 1 ? 1 : 0);
    const cn_shape *fitting = probable ? s : &t->shape;
    if (!cn_shape_equal(&target->v.shape, fitting))
        return cn_fail(CN_EINVALID, "%s: input %s wants a target of shape %s, not %s", t->what,
                       cn_shape_text(s, given), cn_shape_text(fitting, wanted),
                       cn_shape_text(&target->v.shape, (char[128]){ 0 }));
    if (probable && t->ignore_index >= 0)
        return cn_fail(CN_EINVALID, "%s: ignore_index is for class indices, not for probabilities",
                       t->what);
    if (!probable && target->v.dtype != CN_I64 && target->v.dtype != CN_U8)
        return cn_fail(CN_EINVALID, "%s: class indices must be int64, not %s", t->what,
                       cn_dtype_name(target->v.dtype));
    t->scores = as_rows(x);
    if (probable) t->target = as_rows(target);
    else if ((target = cn_to(target, CN_I64)))
        t->target = cn_reshape(target, CN_SHAPE(target->v.numel));
    if (!t->scores || !t->target) return false;
    int64_t classes = t->scores->v.shape.dim[1];
    if (!t->weight || (t->weight->v.shape.ndim == 1 && t->weight->v.numel == classes)) return true;
    return cn_fail(CN_EINVALID, "%s: weight must have one number for each of %lld classes", t->what,
                   (long long)classes);
}

static cn_tensor *weighted(cn_tensor *t, cn_tensor *weight)
{
    return weight ? cn_mul(t, weight) : t;
}

/* loss: one number per row; `share`: what each row counts in the mean. */
static cn_tensor *finish(const Task *t, cn_tensor *loss, cn_tensor *share)
{
    if (t->reduction == CN_REDUCE_NONE) return cn_reshape(loss, t->shape);
    cn_tensor *sum = cn_sum(loss);
    return t->reduction == CN_REDUCE_SUM ? sum : cn_div(sum, cn_sum(share));
}

/* What each row counts: 0 when it is ignored, else 1 or the weight of its class. */
static cn_tensor *row_shares(const Task *t)
{
    cn_row_loss_params p = { t->ignore_index };
    if (!t->weight) return cn_ne(t->target, cn_number_i64(t->ignore_index));
    cn_tensor *spread = cn_expand(t->weight, t->scores->v.shape);
    return cn_neg(CN_CALL(nll_rows, &p, spread, t->target));
}

static cn_tensor *loss_of_indices(const Task *t, cn_tensor *log_probabilities)
{
    cn_row_loss_params p = { t->ignore_index };
    cn_tensor *share = row_shares(t), *loss = CN_CALL(nll_rows, &p, log_probabilities, t->target);
    loss = weighted(loss, t->weight ? share : NULL);
    if (t->smoothing > 0) {
        cn_tensor *all = cn_neg(cn_sum(weighted(log_probabilities, t->weight), .dim = CN_SHAPE(1)));
        cn_tensor *counted = cn_mul(all, cn_ne(t->target, cn_number_i64(t->ignore_index)));
        double part = t->smoothing / (double)t->scores->v.shape.dim[1];
        loss = cn_add(cn_mul(loss, cn_number(1 - t->smoothing)), cn_mul(counted, cn_number(part)));
    }
    return finish(t, loss, share);
}

static cn_tensor *loss_of_probabilities(const Task *t, cn_tensor *log_probabilities)
{
    cn_tensor *target = t->target;
    const cn_shape *s = &t->scores->v.shape;
    if (t->smoothing > 0)
        target = cn_add(cn_mul(target, cn_number(1 - t->smoothing)),
                        cn_number(t->smoothing / (double)s->dim[1]));
    cn_tensor *terms = cn_mul(weighted(log_probabilities, t->weight), target);
    cn_tensor *loss = cn_neg(cn_sum(terms, .dim = CN_SHAPE(1)));
    return finish(t, loss, cn_ones(CN_SHAPE(s->dim[0]), CN_BOOL));
}

static bool cross_entropy_compose(cn_call *c)
{
    const CrossEntropy *p = c->params;
    Task t = { .what = "cross_entropy",
               .ignore_index = p->ignore_index,
               .smoothing = p->label_smoothing };
    if (!(t.smoothing >= 0 && t.smoothing <= 1))
        return cn_fail(CN_EINVALID,
                       "cross_entropy: label_smoothing must be between 0 and 1, got %g",
                       t.smoothing);
    if (!set_up(c, p->reduction, &t)) return false;
    if (cn_dtype_is_float(t.target->v.dtype))
        return cn_set_out(c, 0, loss_of_probabilities(&t, cn_log_softmax(t.scores, 1)));
    if (t.weight || t.smoothing > 0)
        return cn_set_out(c, 0, loss_of_indices(&t, cn_log_softmax(t.scores, 1)));
    bool half = t.scores->v.dtype != CN_F32 && t.scores->v.dtype != CN_F64;
    if (t.reduction == CN_REDUCE_MEAN && !half && t.scores->v.numel)
        return cn_set_out(c, 0, cn_cross_entropy_mean(t.scores, t.target, t.ignore_index));
    cn_tensor *out[2], *in[] = { t.scores, t.target };
    cn_row_loss_params rows = { t.ignore_index };
    if (!cn_apply(&cn_op_cross_entropy_rows, in, 2, &rows, out, 2)) return false;
    return cn_set_out(c, 0,
                      finish(&t, out[0], t.reduction == CN_REDUCE_MEAN ? row_shares(&t) : NULL));
}

const cn_op cn_op_cross_entropy = {
    CN_OP_HEAD(cross_entropy, "nn.functional.cross_entropy",
               "(Tensor input, Tensor target, Tensor? weight=None, int ignore_index=-100, "
               "str reduction='mean', float label_smoothing=0.0) -> Tensor"),
    .doc =
        "-log softmax(input)[target] over dimension 1, for class indices or class probabilities (D2L 3.4).",
    .params_size = sizeof(CrossEntropy),
    .optional = CN_SAVE_IN(2),
    .compose = cross_entropy_compose,
    .samples =
        "[4,3] i64<3[4] | [3] i64<3[] | [2,3,2] i64<3[2,2] reduction=none | [4,3] i64<3[4] [3] ignore_index=1 "
        "label_smoothing=0.1 | [4,3] +[4,3] label_smoothing=0.2 | [4,3] +[4,3] [3] reduction=sum | "
        "[4,3] i64<3[4] reduction=sum ignore_index=0",
};

static bool nll_loss_compose(cn_call *c)
{
    const NllLoss *p = c->params;
    Task t = { .what = "nll_loss", .ignore_index = p->ignore_index };
    if (cn_dtype_is_float(c->in[1]->v.dtype))
        return cn_fail(CN_EINVALID, "nll_loss: the target must be class indices, not %s",
                       cn_dtype_name(c->in[1]->v.dtype));
    return set_up(c, p->reduction, &t) && cn_set_out(c, 0, loss_of_indices(&t, t.scores));
}

const cn_op cn_op_nll_loss = {
    CN_OP_HEAD(nll_loss, "nn.functional.nll_loss",
               "(Tensor input, Tensor target, Tensor? weight=None, int ignore_index=-100, "
               "str reduction='mean') -> Tensor"),
    .doc = "-input[target] over dimension 1, for the log-probabilities of log_softmax.",
    .params_size = sizeof(NllLoss),
    .optional = CN_SAVE_IN(2),
    .compose = nll_loss_compose,
    .samples =
        "[4,3] i64<3[4] | [3] i64<3[] | [2,3,2] i64<3[2,2] [3] reduction=none | [4,3] i64<3[4] [3] 1",
};

cn_tensor *cn_cross_entropy_with(const cn_cross_entropy_args *a)
{
    CrossEntropy p = { a->ignores ? a->ignore_index : -100, cn_reduction_name(a->reduction),
                       a->label_smoothing };
    return CN_CALL(cross_entropy, &p, a->input, a->target, a->weight);
}

cn_tensor *cn_nll_loss_with(const cn_cross_entropy_args *a)
{
    NllLoss p = { a->ignores ? a->ignore_index : -100, cn_reduction_name(a->reduction) };
    return CN_CALL(nll_loss, &p, a->input, a->target, a->weight);
}
