/* ctc.c - connectionist temporal classification (Graves and others, 2006): the probability of a
   sequence of labels, summed over all ways to align it with the steps.

   The states of a sequence are its labels with a blank before, between and after them. Kernels see
   scores (steps, batch, classes) and labels (batch, longest). */
#include "ops/loss/loss.h"

#include <cenote/autograd.h>

#include <math.h>
#include <string.h>

typedef struct {
    const char *log_probs, *grad;
    char *loss, *log_alpha, *log_beta, *to;
    const int64_t *targets, *input_lengths, *target_lengths;
    int64_t steps, batch, classes, longest, states, blank;
    bool zero_infinity;
} Ctc;

typedef struct {
    int64_t blank;
    bool zero_infinity;
} Params;

/* ---- one sequence -------------------------------------------------------------------------- */

typedef struct {
    const int64_t *labels;
    int64_t steps, states, blank;
} Sequence;

static Sequence sequence(const Ctc *p, int64_t n)
{
    return (Sequence){ p->targets + n * p->longest, p->input_lengths[n],
                       2 * p->target_lengths[n] + 1, p->blank };
}

static int64_t state(const Sequence *q, int64_t s)
{
    return s % 2 ? q->labels[s / 2] : q->blank;
}

/* The blank before label s need not be there when the label before that is another one. */
static bool may_skip(const Sequence *q, int64_t s)
{
    return s % 2 && s > 1 && q->labels[s / 2] != q->labels[s / 2 - 1];
}

#define T float
#define NAME(x) x##_f32
#define M(x) x##f
#include "ops/loss/ctc.inc"
#define T double
#define NAME(x) x##_f64
#define M(x) x
#include "ops/loss/ctc.inc"

/* ---- checks -------------------------------------------------------------------------------- */

static const int64_t *integers(const cn_view *v)
{
    return (const int64_t *)(const void *)v->data;
}

static bool lengths_fit(const cn_call *c, const cn_view *lengths, int64_t most, const char *what)
{
    for (int64_t i = 0; i < lengths->numel; i++)
        if (integers(lengths)[i] < 0 || integers(lengths)[i] > most)
            return cn_fail(CN_EINVALID, "%s: %s %lld at %lld is outside 0 .. %lld", c->op->name,
                           what, (long long)integers(lengths)[i], (long long)i, (long long)most);
    return true;
}

/* Scores, labels and lengths as inputs at, at + 1, .. of a kernel. */
static bool shapes_fit(const cn_call *c, int at)
{
    const Params *p = c->params;
    const cn_view *x = cn_in(c, at), *targets = cn_in(c, at + 1);
    if (!cn_want_dims(c, at, 3, 3) || !cn_want_dims(c, at + 1, 2, 2)) return false;
    int64_t batch = x->shape.dim[1];
    if (x->dtype != CN_F32 && x->dtype != CN_F64)
        return cn_fail(CN_EINVALID, "ctc_loss: log_probs must be float32 or float64, not %s",
                       cn_dtype_name(x->dtype));
    if (p->blank < 0 || p->blank >= x->shape.dim[2])
        return cn_fail(CN_EINVALID, "ctc_loss: blank %lld is not one of %lld classes",
                       (long long)p->blank, (long long)x->shape.dim[2]);
    for (int i = at + 1; i < at + 4; i++)
        if (cn_in(c, i)->dtype != CN_I64 || cn_in(c, i)->shape.dim[0] != batch ||
            (i > at + 1 && cn_in(c, i)->shape.ndim != 1))
            return cn_fail(CN_EINVALID,
                           "ctc_loss: labels and lengths must be integers for each of %lld "
                           "sequences",
                           (long long)batch);
    return targets->shape.dim[1] < INT32_MAX ||
           cn_fail(CN_EINVALID, "ctc_loss: targets of %lld labels are too long",
                   (long long)targets->shape.dim[1]);
}

static bool plan(const cn_call *c, int at, Ctc *p)
{
    const cn_view *x = cn_in(c, at), *targets = cn_in(c, at + 1);
    const Params *params = c->params;
    *p = (Ctc){ .log_probs = x->data,
                .targets = integers(targets),
                .input_lengths = integers(cn_in(c, at + 2)),
                .target_lengths = integers(cn_in(c, at + 3)),
                .steps = x->shape.dim[0],
                .batch = x->shape.dim[1],
                .classes = x->shape.dim[2],
                .longest = targets->shape.dim[1],
                .states = 2 * targets->shape.dim[1] + 1,
                .blank = params->blank,
                .zero_infinity = params->zero_infinity };
    return lengths_fit(c, cn_in(c, at + 2), p->steps, "input length") &&
           lengths_fit(c, cn_in(c, at + 3), p->longest, "target length") &&
           cn_targets_in_range(c, targets, p->classes, 0);
}

/* ---- kernels ------------------------------------------------------------------------------- */

static bool rows_infer(const cn_call *c, cn_spec out[])
{
    if (!shapes_fit(c, 0)) return false;
    const cn_view *x = cn_in(c, 0);
    int64_t steps = x->shape.dim[0], batch = x->shape.dim[1];
    out[0] = (cn_spec){ x->dtype, CN_SHAPE(batch) };
    out[1] = (cn_spec){ x->dtype, CN_SHAPE(batch, steps, 2 * cn_in(c, 1)->shape.dim[1] + 1) };
    return true;
}

static bool rows_kernel(const cn_call *c)
{
    Ctc p;
    if (!plan(c, 0, &p)) return false;
    p.loss = cn_out(c, 0)->data, p.log_alpha = cn_out(c, 1)->data;
    cn_parallel(p.batch, 30 * p.steps * p.states,
                cn_in(c, 0)->dtype == CN_F32 ? forward_job_f32 : forward_job_f64, &p);
    return true;
}

static bool backward_infer(const cn_call *c, cn_spec out[])
{
    if (!shapes_fit(c, 1)) return false;
    const cn_view *x = cn_in(c, 1);
    int64_t steps = x->shape.dim[0], batch = x->shape.dim[1];
    cn_shape alpha = CN_SHAPE(batch, steps, 2 * cn_in(c, 2)->shape.dim[1] + 1);
    if (cn_in(c, 0)->numel != batch || cn_in(c, 5)->numel != batch ||
        !cn_shape_equal(&cn_in(c, 6)->shape, &alpha) || cn_in(c, 0)->dtype != x->dtype ||
        cn_in(c, 5)->dtype != x->dtype || cn_in(c, 6)->dtype != x->dtype)
        return cn_fail(CN_EINVALID, "ctc_backward: the loss and log_alpha of ctc_rows are wanted");
    *out = (cn_spec){ x->dtype, x->shape };
    return true;
}

static bool backward_kernel(const cn_call *c)
{
    Ctc p;
    if (!plan(c, 1, &p)) return false;
    size_t mark = cn_mark();
    cn_tensor *beta = cn_tensor_new(&CN_SHAPE(p.batch, p.states), cn_in(c, 1)->dtype);
    if (!beta) return false;
    p.grad = cn_in(c, 0)->data, p.loss = cn_in(c, 5)->data, p.log_alpha = cn_in(c, 6)->data;
    p.log_beta = beta->v.data, p.to = cn_out(c, 0)->data;
    cn_fill_view(cn_out(c, 0), 0);
    cn_parallel(p.batch, 30 * p.steps * (p.states + p.classes),
                cn_in(c, 1)->dtype == CN_F32 ? backward_job_f32 : backward_job_f64, &p);
    cn_release(mark);
    return true;
}

/* ---- the same made of ops, for recorded backward passes ------------------------------------- */

/* Stands for the logarithm of 0: with infinities gradients would be NaN. */
static const double nothing = -1e30;

typedef struct {
    cn_tensor *states, *skips, *inside, *ends; /* (batch, states): classes; bools */
} Lattice;

static cn_tensor *at_least_one_before(cn_tensor *t, int64_t by, double fill)
{
    return cn_narrow(cn_constant_pad_nd(t, CN_SHAPE(by, 0), fill), -1, 0,
                     t ? t->v.shape.dim[1] : 0);
}

static Lattice lattice(cn_tensor *targets, cn_tensor *lengths, int64_t blank)
{
    int64_t batch = targets->v.shape.dim[0], longest = targets->v.shape.dim[1];
    cn_tensor *blanks = cn_full(CN_SHAPE(batch, longest), (double)blank, CN_I64), *pair[2];
    pair[0] = blanks, pair[1] = targets;
    cn_tensor *states = cn_reshape(cn_stack(pair, 2, -1), CN_SHAPE(batch, 2 * longest));
    states = cn_constant_pad_nd(states, CN_SHAPE(0, 1), (double)blank);
    cn_tensor *place = cn_counting(2 * longest + 1);
    cn_tensor *count = cn_unsqueeze(cn_add(lengths, lengths), -1); /* the last state's place */
    cn_tensor *is_label = cn_eq(cn_remainder(place, cn_number_i64(2)), cn_number_i64(1));
    cn_tensor *other = cn_ne(states, at_least_one_before(states, 2, (double)blank));
    cn_tensor *later = cn_gt(place, cn_number_i64(1));
    cn_tensor *inside = cn_le(place, count);
    return (Lattice){ states, cn_logical_and(cn_logical_and(other, is_label), later), inside,
                      cn_logical_and(inside, cn_ge(place, cn_sub(count, cn_number_i64(1)))) };
}

/* log_alpha of a step from that of the one before. */
static cn_tensor *next_alpha(const Lattice *l, cn_tensor *alpha)
{
    cn_tensor *ways[] = { alpha, at_least_one_before(alpha, 1, nothing),
                          cn_where(l->skips, at_least_one_before(alpha, 2, nothing),
                                   cn_number(nothing)) };
    cn_tensor *all = cn_stack(ways, 3, 0);
    return cn_logsumexp(all, .dim = CN_SHAPE(0));
}

static cn_tensor *recorded_loss(cn_tensor *x, const Lattice *l, cn_tensor *input_lengths)
{
    if (!l->states) return NULL;
    cn_tensor *low = cn_number(nothing), *steps = cn_unsqueeze(input_lengths, -1), *alpha = NULL;
    cn_tensor *first = cn_lt(cn_counting(l->states->v.shape.dim[1]), cn_number_i64(2));
    for (int64_t t = 0; t < x->v.shape.dim[0]; t++) {
        cn_tensor *scores = cn_gather(cn_select(x, 0, t), 1, l->states);
        cn_tensor *next = t ? cn_add(next_alpha(l, alpha), scores) : cn_where(first, scores, low);
        next = cn_where(l->inside, next, low);
        alpha = t ? cn_where(cn_gt(steps, cn_number_i64(t)), next, alpha) : next;
        if (!alpha) return NULL;
    }
    return cn_neg(cn_logsumexp(cn_where(l->ends, alpha, low), .dim = CN_SHAPE(1)));
}

static void recorded_backward(cn_grads *g)
{
    const Params *p = cn_grad_params(g);
    cn_tensor *x = cn_saved_in(g, 0), *targets = cn_saved_in(g, 1), *gy = cn_gout(g, 0), *gx = NULL;
    cn_tensor *steps = cn_saved_in(g, 2), *lengths = cn_saved_in(g, 3), *loss = cn_saved_out(g, 0);
    if (!x || !targets || !steps || !lengths || !loss) return;
    Lattice l = lattice(targets, lengths, p->blank);
    if (!cn_ok() || x->v.shape.dim[0] == 0) return;
    if (p->zero_infinity) gy = cn_where(cn_isinf(loss), cn_number(0), gy);
    cn_tensor *again = recorded_loss(x, &l, steps);
    cn_backward_options o = { .size = sizeof o, .create_graph = true };
    if (!again || !gy || !cn_grad_of(&again, &gy, 1, &x, 1, &gx, &o)) return;
    cn_tensor *within = cn_lt(cn_unsqueeze(cn_counting(x->v.shape.dim[0]), -1), steps);
    cn_tensor *level = cn_unsqueeze(cn_mul(within, gy), -1);
    cn_give(g, 0, cn_add(cn_mul(cn_exp(x), level), cn_mul(gx, cn_unsqueeze(within, -1))));
}

static void rows_backward(cn_grads *g)
{
    if (cn_grad_enabled()) {
        recorded_backward(g);
        return;
    }
    cn_give(g, 0,
            CN_CALL(ctc_backward, cn_grad_params(g), cn_gout(g, 0), cn_saved_in(g, 0),
                    cn_saved_in(g, 1), cn_saved_in(g, 2), cn_saved_in(g, 3), cn_saved_out(g, 0),
                    cn_saved_out(g, 1)));
}

const cn_op cn_op_ctc_rows = {
    CN_OP_HEAD(ctc_rows, "ctc_rows",
               "(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, "
               "int blank=0, bool zero_infinity=False) -> (Tensor, Tensor)"),
    .doc = "ctc_loss of each sequence, labels given as (batch, longest); and the logarithms of the "
           "sums of all ways to each state. zero_infinity concerns the gradient.",
    .flags = CN_ROWS | CN_AGREED_GRAD,
    .grad_outs = 1,
    .params_size = sizeof(Params),
    .infer = rows_infer,
    .kernel = rows_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_IN(2) | CN_SAVE_IN(3) | CN_SAVE_OUT(0) |
             CN_SAVE_OUT(1),
    .backward = rows_backward,
    .samples = "[4,2,3] i64<3[2,2] i64<5[2] i64<3[2] | [5,1,4] i64<4[1,2] i64<6[1] i64<2[1] 3 True",
};

const cn_op cn_op_ctc_backward = {
    CN_OP_HEAD(
        ctc_backward, "ctc_backward",
        "(Tensor grad_output, Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor "
        "target_lengths, Tensor loss, Tensor log_alpha, int blank=0, bool "
        "zero_infinity=False) -> Tensor"),
    .doc = "The gradient of ctc_rows, by PyTorch's convention that of the scores whose log_softmax "
           "log_probs is. Recorded passes use other ops instead.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .params_size = sizeof(Params),
    .infer = backward_infer,
    .kernel = backward_kernel,
    .samples = "[2] [4,2,3] i64<3[2,2] i64<5[2] i64<3[2] +[2] [2,4,5]",
};

/* ---- ctc_loss ------------------------------------------------------------------------------ */

typedef struct {
    int64_t blank;
    const char *reduction;
    bool zero_infinity;
} CtcLoss;

static int64_t count_of(const cn_tensor *lengths, int64_t n)
{
    return integers(&lengths->v)[n];
}

/* Labels of all sequences one after the other as (batch, longest). */
static cn_tensor *labels_in_rows(cn_tensor *flat, cn_tensor *lengths)
{
    int64_t batch = lengths->v.numel, longest = 0, total = 0, at = 0;
    for (int64_t n = 0; n < batch; n++) {
        int64_t count = count_of(lengths, n);
        if (count < 0 || count > flat->v.numel - total) {
            cn_fail(CN_EINVALID, "ctc_loss: the target lengths do not fit %lld targets",
                    (long long)flat->v.numel);
            return NULL;
        }
        total += count;
        if (count > longest) longest = count;
    }
    cn_tensor *rows = cn_full(CN_SHAPE(batch, longest), 0, CN_I64);
    for (int64_t n = 0; rows && n < batch; at += count_of(lengths, n++))
        memcpy(rows->v.data + (size_t)(n * longest) * 8, integers(&flat->v) + at,
               (size_t)count_of(lengths, n) * 8);
    return rows;
}

/* An integer argument as a contiguous int64 tensor of `ndim` dimensions at most. */
static cn_tensor *as_integers(const cn_call *c, int i, int most)
{
    if (!cn_want_dims(c, i, 0, most)) return NULL;
    if (cn_dtype_category(c->in[i]->v.dtype) == CN_CAT_INT)
        return cn_rows(cn_cast_raw(c->in[i], CN_I64));
    cn_fail(CN_EINVALID, "ctc_loss: argument %d must be of integers, not %s", i,
            cn_dtype_name(c->in[i]->v.dtype));
    return NULL;
}

/* The elements of each sequence that its label does not fill are set to a class, so that what they
   hold does not matter. */
static cn_tensor *fill_rows(cn_tensor *targets, cn_tensor *lengths)
{
    cn_tensor *used = cn_lt(cn_counting(targets->v.shape.dim[1]), cn_unsqueeze(lengths, -1));
    return cn_rows(cn_where(used, targets, cn_number_i64(0)));
}

static bool gather_inputs(const cn_call *c, cn_tensor *in[4])
{
    if (!cn_want_dims(c, 0, 2, 3)) return false;
    bool batched = c->in[0]->v.shape.ndim == 3;
    in[0] = batched ? c->in[0] : cn_unsqueeze(c->in[0], 1);
    cn_tensor *targets = as_integers(c, 1, 2);
    for (int i = 2; i < 4; i++) {
        in[i] = as_integers(c, i, 1);
        if (in[i] && in[i]->v.shape.ndim == 0) in[i] = cn_reshape(in[i], CN_SHAPE(1));
        if (!in[i] || !in[0] || !targets) return false;
        if (in[i]->v.numel == in[0]->v.shape.dim[1]) continue;
        return cn_fail(CN_EINVALID, "ctc_loss: %lld %s lengths for a batch of %lld",
                       (long long)in[i]->v.numel, i == 2 ? "input" : "target",
                       (long long)in[0]->v.shape.dim[1]);
    }
    if (targets->v.shape.ndim < 2) in[1] = labels_in_rows(targets, in[3]);
    else if (targets->v.shape.dim[0] == in[3]->v.numel) in[1] = fill_rows(targets, in[3]);
    else
        return cn_fail(CN_EINVALID, "ctc_loss: targets for %lld sequences, but there are %lld",
                       (long long)targets->v.shape.dim[0], (long long)in[3]->v.numel);
    return in[1] != NULL;
}

static bool ctc_loss_compose(cn_call *c)
{
    const CtcLoss *p = c->params;
    Params rows = { p->blank, p->zero_infinity };
    cn_tensor *in[4], *out[2];
    if (!gather_inputs(c, in) || !cn_apply(&cn_op_ctc_rows, in, 4, &rows, out, 2)) return false;
    cn_tensor *loss = out[0];
    if (p->zero_infinity) loss = cn_where(cn_isinf(loss), cn_number(0), loss);
    if (p->reduction && strcmp(p->reduction, "mean") == 0)
        loss = cn_div(loss, cn_clamp_min(in[3], cn_number_i64(1)));
    if (c->in[0]->v.shape.ndim == 2 && loss) loss = cn_reshape(loss, cn_scalar_shape());
    return cn_finish_loss(c, loss, p->reduction);
}

const cn_op cn_op_ctc_loss = {
    CN_OP_HEAD(ctc_loss, "nn.functional.ctc_loss",
               "(Tensor log_probs, Tensor targets, Tensor|int[] input_lengths, Tensor|int[] "
               "target_lengths, int blank=0, str reduction='mean', bool zero_infinity=False) -> "
               "Tensor"),
    .aliases = "ctc_loss",
    .doc =
        "-log of the probability of the target, summed over all alignments with the steps of "
        "(T, N, C) or (T, C) log-probabilities. Targets are (N, S), or all in one row. By "
        "PyTorch's convention the gradient is that of the scores whose log_softmax log_probs is.",
    .flags = CN_AGREED_GRAD,
    .params_size = sizeof(CtcLoss),
    .compose = ctc_loss_compose,
    .samples = "[4,2,4] i64<3[2,2] (4,3) (2,1) 3 none True | [6,2,4] i64<3[3] (6,5) (2,1) 3 sum | "
               "[5,3] i64<2[2] (5,) (2,) 2",
};
