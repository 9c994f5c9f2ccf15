/* losses.c - the losses that compare element by element. D2L 3.1, 4.5, 19.9. */
#include "ops/loss/loss.h"
#include "ops/loss/mean_losses.h"

#include <math.h>
#include <string.h>

/* ---- reduction ---------------------------------------------------------------------------- */

static const char *const reduction_names[] = { "mean", "sum", "none",
                                               "batchmean" }; /* as cn_reduction */

bool cn_reduction_named(const char *name, const char *what, cn_reduction *out)
{
    for (unsigned i = 0; name && i < CN_COUNT(reduction_names); i++)
        if (strcmp(reduction_names[i], name) == 0) return *out = (cn_reduction)i, true;
    return cn_fail(CN_EINVALID, "%s: reduction must be 'mean', 'sum' or 'none', not '%s'", what,
                   name ? name : "None");
}

const char *cn_reduction_name(cn_reduction r)
{
    return r < CN_COUNT(reduction_names) ? reduction_names[r] : "unknown";
}

cn_tensor *cn_reduce_loss(cn_tensor *loss, cn_reduction r, int64_t rows)
{
    switch (r) {
    case CN_REDUCE_NONE: return loss;
    case CN_REDUCE_SUM: return cn_sum(loss);
    case CN_REDUCE_BATCHMEAN: return cn_div(cn_sum(loss), cn_number((double)rows));
    default: return cn_mean(loss);
    }
}

bool cn_finish_loss(cn_call *c, cn_tensor *terms, const char *name)
{
    cn_reduction r;
    if (!terms || !cn_reduction_named(name, c->op->name, &r)) return false;
    if (r == CN_REDUCE_BATCHMEAN && c->op != &cn_op_kl_div)
        return cn_fail(CN_EINVALID, "%s: reduction 'batchmean' is for kl_div only", c->op->name);
    const cn_shape *s = &c->in[0]->v.shape;
    return cn_set_out(c, 0, cn_reduce_loss(terms, r, s->ndim ? s->dim[0] : 1));
}

static const char *reduction_in(const cn_call *c)
{
    return *(const char *const *)c->params;
}

static bool are_floats(const cn_call *c)
{
    for (int i = 0; i < 2; i++)
        if (!cn_dtype_is_float(c->in[i]->v.dtype))
            return cn_fail(CN_EINVALID, "%s: %s must be of a float type, not %s", c->op->name,
                           i ? "the target" : "the input", cn_dtype_name(c->in[i]->v.dtype));
    return true;
}

static bool either_is_float(const cn_call *c)
{
    if (cn_dtype_is_float(cn_result_type(c->in, 2))) return true;
    return cn_fail(CN_EINVALID, "%s: float types are wanted, not %s", c->op->name,
                   cn_dtype_name(c->in[0]->v.dtype));
}

/* ---- regression --------------------------------------------------------------------------- */

static bool mse_compose(cn_call *c)
{
    const char *reduction = reduction_in(c);
    if (reduction && strcmp(reduction, "mean") == 0 && cn_mse_mean_fits(c->in[0], c->in[1]))
        return cn_set_out(c, 0, cn_mse_mean(c->in[0], c->in[1]));
    cn_tensor *d = cn_sub(c->in[0], c->in[1]);
    return cn_finish_loss(c, cn_mul(d, d), reduction_in(c));
}

static bool l1_compose(cn_call *c)
{
    return cn_finish_loss(c, cn_abs(cn_sub(c->in[0], c->in[1])), reduction_in(c));
}

typedef struct {
    const char *reduction;
    double beta;
} SmoothL1;

/* d^2 / (2 beta) where |d| < beta, |d| - beta / 2 elsewhere. */
static cn_tensor *smooth_abs(cn_tensor *d, double beta)
{
    cn_tensor *a = cn_abs(d);
    if (beta == 0) return a;
    cn_tensor *inner = cn_mul(cn_mul(d, d), cn_number(0.5 / beta));
    return cn_where(cn_lt(a, cn_number(beta)), inner, cn_sub(a, cn_number(beta / 2)));
}

static bool smooth_l1_compose(cn_call *c)
{
    const SmoothL1 *p = c->params;
    if (!either_is_float(c)) return false;
    if (!(p->beta >= 0))
        return cn_fail(CN_EINVALID, "smooth_l1_loss: beta must not be negative, got %g", p->beta);
    return cn_finish_loss(c, smooth_abs(cn_sub(c->in[0], c->in[1]), p->beta), p->reduction);
}

static bool huber_compose(cn_call *c)
{
    const SmoothL1 *p = c->params;
    if (!either_is_float(c)) return false;
    if (!(p->beta > 0))
        return cn_fail(CN_EINVALID, "huber_loss: delta must be positive, got %g", p->beta);
    cn_tensor *terms = smooth_abs(cn_sub(c->in[0], c->in[1]), p->beta);
    return cn_finish_loss(c, cn_mul(terms, cn_number(p->beta)), p->reduction);
}

#define PAIR_SAMPLES                                                                               \
    "[2,3] [2,3] | [] [] | [0,2] [0,2] | [2,3] [2,3] reduction=sum | [3] [3] reduction=none"

#define PAIR_LOSS(ident, rest, text, type, how)                                                    \
    CN_OP_HEAD(ident, "nn.functional." #ident,                                                     \
               "(Tensor input, Tensor target, str reduction='mean'" rest ") -> Tensor"),           \
        .doc = text, .params_size = sizeof(type), .compose = how

const cn_op cn_op_mse_loss = { PAIR_LOSS(mse_loss, "", "(input - target)^2 (D2L 3.1).", char *,
                                         mse_compose),
                               .samples = PAIR_SAMPLES };
const cn_op cn_op_l1_loss = { PAIR_LOSS(l1_loss, "", "|input - target|.", char *, l1_compose),
                              .samples = PAIR_SAMPLES };
const cn_op cn_op_smooth_l1_loss = {
    PAIR_LOSS(smooth_l1_loss, ", float beta=1.0",
              "d^2 / (2 beta) where |d| < beta, else |d| - beta / 2 (D2L 14.7).", SmoothL1,
              smooth_l1_compose),
    .samples = PAIR_SAMPLES " | [3] [3] beta=0.3 | [3] [3] beta=0",
};
const cn_op cn_op_huber_loss = {
    PAIR_LOSS(huber_loss, ", float delta=1.0",
              "d^2 / 2 where |d| < delta, else delta (|d| - delta / 2).", SmoothL1, huber_compose),
    .samples = PAIR_SAMPLES " | [3] [3] delta=0.3",
};

/* ---- binary cross-entropy ----------------------------------------------------------------- */

#define OP bce_terms
#define EXPR (b - 1) * M(fmax)(M(log)(1 - a), -100) - b *M(fmax)(M(log)(a), -100)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

static cn_tensor *bounded_log(cn_tensor *t)
{
    return cn_clamp_min(cn_log(t), cn_number(-100));
}

/* (x - t) / (x (1 - x)), the divisor kept from 0; and log(1 - x) - log x. */
static void bce_terms_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0), *x = cn_saved_in(g, 0), *t = cn_saved_in(g, 1);
    cn_tensor *rest = cn_sub(cn_number(1), x);
    if (cn_wants(g, 0)) {
        cn_tensor *divisor = cn_clamp_min(cn_mul(x, rest), cn_number(1e-12));
        cn_give(g, 0, cn_mul(gy, cn_div(cn_sub(x, t), divisor)));
    }
    if (cn_wants(g, 1)) cn_give(g, 1, cn_mul(gy, cn_sub(bounded_log(rest), bounded_log(x))));
}

const cn_op cn_op_bce_terms = {
    CN_OP_HEAD(bce_terms, "bce_terms", "(Tensor input, Tensor target) -> Tensor"),
    .doc = "-target log input - (1 - target) log(1 - input), logarithms no smaller than -100.",
    .flags = CN_POINTWISE | CN_TO_FLOAT,
    .infer = cn_infer_pointwise,
    .kernel = bce_terms_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = bce_terms_backward,
    .samples = "+[2,3] +[2,3] | +[] +[] | [0] [0]",
};

static bool are_probabilities(cn_tensor *t)
{
    size_t mark = cn_mark(), size = cn_dtype_size(t->v.dtype);
    cn_tensor *rows = cn_rows(t);
    bool ok = rows != NULL;
    for (int64_t i = 0; ok && i < rows->v.numel; i++) {
        double p = cn_load_f64(rows->v.data + (size_t)i * size, rows->v.dtype);
        if (!(p >= 0 && p <= 1))
            ok = cn_fail(CN_EINVALID,
                         "binary_cross_entropy: input %g is not a probability; for scores use "
                         "binary_cross_entropy_with_logits",
                         p);
    }
    cn_release(mark);
    return ok;
}

static bool same_shapes(const cn_call *c)
{
    char a[128], b[128];
    if (!are_floats(c)) return false;
    if (cn_shape_equal(&c->in[0]->v.shape, &c->in[1]->v.shape)) return true;
    return cn_fail(CN_EINVALID, "%s: input %s and target %s must have the same shape", c->op->name,
                   cn_shape_text(&c->in[0]->v.shape, a), cn_shape_text(&c->in[1]->v.shape, b));
}

static bool bce_compose(cn_call *c)
{
    if (!same_shapes(c) || !are_probabilities(c->in[0])) return false;
    if (c->in[0]->v.dtype != c->in[1]->v.dtype)
        return cn_fail(CN_EINVALID, "binary_cross_entropy: input is %s, but the target %s",
                       cn_dtype_name(c->in[0]->v.dtype), cn_dtype_name(c->in[1]->v.dtype));
    cn_tensor *terms = CN_CALL(bce_terms, NULL, c->in[0], c->in[1]);
    if (c->n_in > 2 && c->in[2]) terms = cn_mul(terms, c->in[2]);
    return cn_finish_loss(c, terms, reduction_in(c));
}

/* (1 - t) x - (1 + (pos_weight - 1) t) log sigmoid(x). */
static bool bce_logits_compose(cn_call *c)
{
    if (!same_shapes(c)) return false;
    cn_tensor *x = c->in[0], *t = c->in[1], *one = cn_number(1);
    cn_tensor *weight = c->n_in > 2 ? c->in[2] : NULL, *positive = c->n_in > 3 ? c->in[3] : NULL;
    cn_tensor *log_sigmoid = cn_logsigmoid(x);
    if (positive) log_sigmoid = cn_mul(log_sigmoid, cn_add(cn_mul(cn_sub(positive, one), t), one));
    cn_tensor *terms = cn_sub(cn_mul(cn_sub(one, t), x), log_sigmoid);
    return cn_finish_loss(c, weight ? cn_mul(terms, weight) : terms, reduction_in(c));
}

const cn_op cn_op_binary_cross_entropy = {
    CN_OP_HEAD(
        binary_cross_entropy, "nn.functional.binary_cross_entropy",
        "(Tensor input, Tensor target, Tensor? weight=None, str reduction='mean') -> Tensor"),
    .doc = "-target log input - (1 - target) log(1 - input), times weight.",
    .params_size = sizeof(char *),
    .optional = CN_SAVE_IN(2),
    .compose = bce_compose,
    .samples = "+[2,3] +[2,3] | +[3] +[3] [3] reduction=sum | +[2,3] +[2,3] [3] reduction=none",
};

const cn_op cn_op_binary_cross_entropy_with_logits = {
    CN_OP_HEAD(binary_cross_entropy_with_logits, "nn.functional.binary_cross_entropy_with_logits",
               "(Tensor input, Tensor target, Tensor? weight=None, str reduction='mean', "
               "Tensor? pos_weight=None) -> Tensor"),
    .doc =
        "binary_cross_entropy of sigmoid(input), safe from overflow; pos_weight scales the positive term.",
    .params_size = sizeof(char *),
    .optional = CN_SAVE_IN(2) | CN_SAVE_IN(3),
    .compose = bce_logits_compose,
    .samples = "[2,3] +[2,3] | [3] +[3] [3] reduction=sum | [2,3] +[2,3] None none [3]",
};

/* ---- divergence --------------------------------------------------------------------------- */

typedef struct {
    const char *reduction;
    bool log_target;
} KlDiv;

/* t (log t - x), 0 where t is 0; of log t: exp(t) (t - x). */
static bool kl_div_compose(cn_call *c)
{
    const KlDiv *p = c->params;
    cn_tensor *x = c->in[0], *t = c->in[1];
    if (!are_floats(c)) return false;
    if (p->log_target) return cn_finish_loss(c, cn_mul(cn_exp(t), cn_sub(t, x)), p->reduction);
    cn_tensor *safe = cn_where(cn_eq(t, cn_number(0)), cn_number(1), t);
    return cn_finish_loss(c, cn_mul(t, cn_sub(cn_log(safe), x)), p->reduction);
}

const cn_op cn_op_kl_div = {
    PAIR_LOSS(
        kl_div, ", bool log_target=False",
        "target (log target - input), the divergence of distributions for log-probabilities as input.",
        KlDiv, kl_div_compose),
    .samples = "[2,3] +[2,3] | [2,3] +[2,3] batchmean | [2,3] [2,3] log_target=True",
};

/* ---- typed -------------------------------------------------------------------------------- */

#define LOSS(ident, ...)                                                                           \
    cn_tensor *cn_##ident##_with(const cn_loss_args *a)                                            \
    {                                                                                              \
        const char *name = cn_reduction_name(a->reduction);                                        \
        return CN_CALL(ident, __VA_ARGS__);                                                        \
    }

static double beta_of(const cn_loss_args *a)
{
    return a->beta != 0 ? a->beta : 1;
}

LOSS(mse_loss, &name, a->input, a->target)
LOSS(l1_loss, &name, a->input, a->target)
LOSS(smooth_l1_loss, (&(SmoothL1){ name, beta_of(a) }), a->input, a->target)
LOSS(huber_loss, (&(SmoothL1){ name, beta_of(a) }), a->input, a->target)
LOSS(binary_cross_entropy, &name, a->input, a->target, a->weight)
LOSS(binary_cross_entropy_with_logits, &name, a->input, a->target, a->weight, a->pos_weight)
LOSS(kl_div, (&(KlDiv){ name, a->log_target }), a->input, a->target)
