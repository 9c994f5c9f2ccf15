/* margin_losses.c - losses that stop once a score or a distance is right by a margin. */
#include "ops/loss/loss.h"

#include <string.h>

static cn_tensor *hinge(cn_tensor *t)
{
    return cn_clamp_min(t, cn_number(0));
}

/* ---- two or three inputs compared ---------------------------------------------------------- */

typedef struct {
    double margin;
    const char *reduction;
} Margin;

static bool same_rank(const cn_call *c, int n)
{
    for (int i = 1; i < n; i++)
        if (c->in[i]->v.shape.ndim != c->in[0]->v.shape.ndim)
            return cn_fail(CN_EINVALID, "%s: arguments 0 and %d have %d and %d dimensions",
                           c->op->name, i, c->in[0]->v.shape.ndim, c->in[i]->v.shape.ndim);
    return true;
}

/* max(0, margin - target (x1 - x2)) */
static bool margin_ranking_compose(cn_call *c)
{
    const Margin *p = c->params;
    if (!same_rank(c, 3)) return false;
    cn_tensor *lag = cn_mul(cn_neg(c->in[2]), cn_sub(c->in[0], c->in[1]));
    return cn_finish_loss(c, hinge(cn_add(lag, cn_number(p->margin))), p->reduction);
}

const cn_op cn_op_margin_ranking_loss = {
    CN_OP_HEAD(margin_ranking_loss, "nn.functional.margin_ranking_loss",
               "(Tensor input1, Tensor input2, Tensor target, float margin=0.0, "
               "str reduction='mean') -> Tensor"),
    .aliases = "margin_ranking_loss",
    .doc = "max(0, margin - target (input1 - input2)): target 1 wants input1 larger, -1 input2.",
    .params_size = sizeof(Margin),
    .compose = margin_ranking_compose,
    .samples = "[4] [4] [4] | [2,3] [2,3] [2,3] 0.5 | [3] [3] [3] 2 none | [0] [0] [0]",
};

/* x where the target is 1, max(0, margin - x) where it is -1, both where it is neither. */
static bool hinge_embedding_compose(cn_call *c)
{
    const Margin *p = c->params;
    cn_tensor *x = c->in[0], *target = c->in[1], *zero = cn_number(0);
    cn_tensor *far = hinge(cn_sub(cn_number(p->margin), x));
    cn_tensor *apart = cn_where(cn_ne(target, cn_number(1)), far, zero);
    cn_tensor *close = cn_where(cn_ne(target, cn_number(-1)), x, zero);
    return cn_finish_loss(c, cn_add(apart, close), p->reduction);
}

const cn_op cn_op_hinge_embedding_loss = {
    CN_OP_HEAD(hinge_embedding_loss, "nn.functional.hinge_embedding_loss",
               "(Tensor input, Tensor target, float margin=1.0, str reduction='mean') -> Tensor"),
    .aliases = "hinge_embedding_loss",
    .doc = "The distance input where target is 1, max(0, margin - input) where it is -1.",
    .params_size = sizeof(Margin),
    .compose = hinge_embedding_compose,
    .samples = "[4] [4] | [2,3] [2,3] 0.5 sum | [3] [3] reduction=none",
};

/* Like cosine_similarity, but eps is added to the squared lengths. */
static cn_tensor *cosine(cn_tensor *x, cn_tensor *y)
{
    cn_shape last = CN_SHAPE(-1);
    cn_tensor *eps = cn_number(1e-12);
    cn_tensor *xx = cn_add(cn_sum(cn_mul(x, x), .dim = last), eps),
              *yy = cn_add(cn_sum(cn_mul(y, y), .dim = last), eps);
    return cn_div(cn_sum(cn_mul(x, y), .dim = last), cn_sqrt(cn_mul(xx, yy)));
}

static bool cosine_embedding_compose(cn_call *c)
{
    const Margin *p = c->params;
    cn_tensor *target = c->in[2], *zero = cn_number(0);
    const cn_shape *a = &c->in[0]->v.shape, *b = &c->in[1]->v.shape;
    int rank = target->v.shape.ndim;
    if (rank > 1 || a->ndim != rank + 1 || b->ndim != rank + 1)
        return cn_fail(CN_EINVALID,
                       "cosine_embedding_loss: two (N, D) with a target (N), or two (D) with a 0-d "
                       "target are wanted, not %d-d, %d-d and %d-d",
                       a->ndim, b->ndim, rank);
    cn_tensor *angle = cosine(c->in[0], c->in[1]);
    cn_tensor *alike = cn_where(cn_eq(target, cn_number(1)), cn_sub(cn_number(1), angle), zero);
    cn_tensor *apart =
        cn_where(cn_eq(target, cn_number(-1)), hinge(cn_sub(angle, cn_number(p->margin))), zero);
    return cn_finish_loss(c, cn_add(alike, apart), p->reduction);
}

const cn_op cn_op_cosine_embedding_loss = {
    CN_OP_HEAD(cosine_embedding_loss, "nn.functional.cosine_embedding_loss",
               "(Tensor input1, Tensor input2, Tensor target, float margin=0.0, "
               "str reduction='mean') -> Tensor"),
    .aliases = "cosine_embedding_loss",
    .doc = "1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1.",
    .params_size = sizeof(Margin),
    .compose = cosine_embedding_compose,
    .samples = "[4,3] [4,3] i64<2[4] | [3] [3] i64<2[] | [5,3] [5,3] i64<2[5] 0.2 none",
};

typedef struct {
    double margin, p, eps;
    bool swap;
    const char *reduction;
} Triplet;

static bool triplet_margin_compose(cn_call *c)
{
    const Triplet *p = c->params;
    cn_tensor *anchor = c->in[0], *positive = c->in[1], *negative = c->in[2];
    if (!(p->margin > 0))
        return cn_fail(CN_EINVALID, "triplet_margin_loss: margin must be positive, got %g",
                       p->margin);
    if (!same_rank(c, 3)) return false;
    cn_tensor *near = cn_pairwise_distance(anchor, positive, p->p, p->eps),
              *far = cn_pairwise_distance(anchor, negative, p->p, p->eps);
    if (p->swap) far = cn_minimum(far, cn_pairwise_distance(positive, negative, p->p, p->eps));
    return cn_finish_loss(c, hinge(cn_sub(cn_add(near, cn_number(p->margin)), far)), p->reduction);
}

const cn_op cn_op_triplet_margin_loss = {
    CN_OP_HEAD(triplet_margin_loss, "nn.functional.triplet_margin_loss",
               "(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, "
               "float eps=1e-06, bool swap=False, str reduction='mean') -> Tensor"),
    .aliases = "triplet_margin_loss",
    .doc = "max(0, |anchor - positive| - |anchor - negative| + margin), distances in the p-norm; "
           "swap takes |positive - negative| where it is smaller (Balntas and others, 2016).",
    .params_size = sizeof(Triplet),
    .compose = triplet_margin_compose,
    .samples = "[4,3] [4,3] [4,3] | [3] [3] [3] 2 1 | [4,3] [4,3] [4,3] 1.5 3 1e-3 True none",
};

typedef struct {
    const char *distance;
    double margin;
    bool swap;
    const char *reduction;
} TripletDistance;

/* A function cannot be an argument here; of those that PyTorch users give, the default has a name. */
static bool triplet_distance_compose(cn_call *c)
{
    const TripletDistance *p = c->params;
    Triplet q = { p->margin, 2, 1e-6, p->swap, p->reduction };
    if (p->distance && strcmp(p->distance, "pairwise_distance") != 0)
        return cn_fail(CN_EUNSUPPORTED,
                       "triplet_margin_with_distance_loss: distance_function '%s' must be "
                       "pairwise_distance or None",
                       p->distance);
    return cn_set_out(c, 0, cn_apply1(&cn_op_triplet_margin_loss, c->in, 3, &q));
}

const cn_op cn_op_triplet_margin_with_distance_loss = {
    CN_OP_HEAD(triplet_margin_with_distance_loss, "nn.functional.triplet_margin_with_distance_loss",
               "(Tensor anchor, Tensor positive, Tensor negative, *, str? distance_function=None, "
               "float margin=1.0, bool swap=False, str reduction='mean') -> Tensor"),
    .aliases = "triplet_margin_with_distance_loss",
    .doc = "triplet_margin_loss with a distance by its name; there is pairwise_distance.",
    .params_size = sizeof(TripletDistance),
    .compose = triplet_distance_compose,
    .samples = "[4,3] [4,3] [4,3] | [4,3] [4,3] [4,3] margin=0.5 swap=True reduction=none",
};

/* ---- of classes ---------------------------------------------------------------------------- */

/* Rows of scores: a vector is one row. False with an error when that is no matrix of classes. */
static bool score_rows(const cn_call *c, cn_tensor **scores, cn_tensor **target, bool per_class)
{
    const cn_shape *s = &c->in[0]->v.shape, *t = &c->in[1]->v.shape;
    char given[128], wanted[128];
    if (!cn_want_dims(c, 0, 0, 2)) return false;
    int64_t rows = s->ndim == 2 ? s->dim[0] : 1, classes = s->ndim ? s->dim[s->ndim - 1] : 1;
    cn_shape fitting = per_class ? *s : (cn_shape){ .ndim = s->ndim == 2, .dim = { rows } };
    bool vector = t->ndim < 2 && (per_class ? s->ndim < 2 : true);
    int64_t count = per_class ? classes : rows; /* 0-d counts as one */
    if (!cn_shape_equal(t, &fitting) && !(vector && c->in[1]->v.numel == count))
        return cn_fail(CN_EINVALID, "%s: input %s wants a target of shape %s, not %s", c->op->name,
                       cn_shape_text(s, given), cn_shape_text(&fitting, wanted),
                       cn_shape_text(t, (char[128]){ 0 }));
    if (c->in[1]->v.dtype != CN_I64)
        return cn_fail(CN_EINVALID, "%s: the target must be int64, not %s", c->op->name,
                       cn_dtype_name(c->in[1]->v.dtype));
    if (classes == 0 && rows)
        return cn_fail(CN_EINVALID, "%s: the input has no classes", c->op->name);
    *scores = cn_reshape(c->in[0], CN_SHAPE(rows, classes));
    *target = cn_rows(cn_reshape(c->in[1], CN_SHAPE(rows, per_class ? classes : 1)));
    return *scores && *target;
}

static cn_tensor *mean_of_classes(cn_tensor *terms, int64_t classes)
{
    return cn_div(cn_sum(terms, .dim = CN_SHAPE(-1)), cn_number((double)classes));
}

typedef struct {
    int64_t p;
    double margin;
    const char *reduction;
} MultiMargin;

/* The mean over all classes of max(0, margin - x[target] + x[k])^p, k other than the target. */
static bool multi_margin_compose(cn_call *c)
{
    const MultiMargin *p = c->params;
    cn_tensor *x, *target, *weight = c->n_in > 2 ? c->in[2] : NULL;
    if (p->p != 1 && p->p != 2)
        return cn_fail(CN_EINVALID, "multi_margin_loss: p must be 1 or 2, not %lld",
                       (long long)p->p);
    if (!score_rows(c, &x, &target, false)) return false;
    int64_t classes = x->v.shape.dim[1];
    if (!cn_targets_in_range(c, &target->v, classes, 0)) return false;
    if (weight && (weight->v.shape.ndim != 1 || weight->v.numel != classes))
        return cn_fail(CN_EINVALID,
                       "multi_margin_loss: weight must have one number for each of %lld classes",
                       (long long)classes);
    cn_tensor *gap = cn_sub(cn_add(x, cn_number(p->margin)), cn_gather(x, 1, target));
    cn_tensor *terms = cn_relu(gap);
    if (p->p == 2) terms = cn_mul(terms, terms);
    terms = cn_mul(terms, cn_ne(target, cn_counting(classes)));
    if (weight) terms = cn_mul(terms, cn_gather(cn_expand(weight, x->v.shape), 1, target));
    terms = mean_of_classes(terms, classes);
    return cn_finish_loss(c, terms ? cn_reshape(terms, c->in[1]->v.shape) : NULL, p->reduction);
}

const cn_op cn_op_multi_margin_loss = {
    CN_OP_HEAD(multi_margin_loss, "nn.functional.multi_margin_loss",
               "(Tensor input, Tensor target, int p=1, float margin=1.0, Tensor? weight=None, "
               "str reduction='mean') -> Tensor"),
    .aliases = "multi_margin_loss",
    .doc = "The mean over classes of max(0, margin - input[target] + input[class])^p, times the "
           "weight of the target.",
    .params_size = sizeof(MultiMargin),
    .optional = CN_SAVE_IN(2),
    .compose = multi_margin_compose,
    .samples = "[4,3] i64<3[4] | [3] i64<3[] | [4,3] i64<3[4] 2 0.5 [3] none | [0,3] i64<3[0] "
               "reduction=sum",
};

/* Labels end at the first -1. */
static cn_tensor *labels_before_end(cn_tensor *target)
{
    return cn_cumprod(cn_to(cn_ge(target, cn_number_i64(0)), CN_I64), 1);
}

/* For all labels j and all classes k that are no labels: max(0, 1 - x[j] + x[k]). */
static cn_tensor *label_gaps(cn_tensor *x, cn_tensor *target)
{
    cn_tensor *counts = labels_before_end(target);
    cn_tensor *label = cn_clamp_min(target, cn_number_i64(0));
    cn_tensor *hits = cn_eq(cn_unsqueeze(label, -1), cn_counting(x->v.shape.dim[1]));
    hits = cn_mul(hits, cn_unsqueeze(counts, -1));
    cn_tensor *other = cn_eq(cn_sum(hits, .dim = CN_SHAPE(1)), cn_number_i64(0));
    cn_tensor *picked = cn_unsqueeze(cn_gather(x, 1, label), -1);
    cn_tensor *gap = cn_sub(cn_unsqueeze(cn_add(x, cn_number(1)), 1), picked);
    cn_tensor *counted = cn_mul(cn_unsqueeze(counts, -1), cn_unsqueeze(other, 1));
    return cn_mul(cn_relu(gap), counted);
}

static bool multilabel_margin_compose(cn_call *c)
{
    cn_tensor *x, *target;
    if (!score_rows(c, &x, &target, true)) return false;
    int64_t classes = x->v.shape.dim[1];
    if (!cn_targets_in_range(c, &target->v, classes, -1)) return false;
    cn_tensor *terms = cn_sum(label_gaps(x, target), .dim = CN_SHAPE(1));
    terms = mean_of_classes(terms, classes);
    if (c->in[0]->v.shape.ndim < 2) terms = terms ? cn_reshape(terms, cn_scalar_shape()) : NULL;
    return cn_finish_loss(c, terms, *(const char *const *)c->params);
}

const cn_op cn_op_multilabel_margin_loss = {
    CN_OP_HEAD(multilabel_margin_loss, "nn.functional.multilabel_margin_loss",
               "(Tensor input, Tensor target, str reduction='mean') -> Tensor"),
    .aliases = "multilabel_margin_loss",
    .doc = "The sum of max(0, 1 - input[label] + input[other]) over labels (those before the first "
           "-1) and other classes, over the number of classes.",
    .params_size = sizeof(char *),
    .compose = multilabel_margin_compose,
    .samples = "[2,3] i64<3[2,3] | [4] i64<4[4] sum | [3,4] i64<2[3,4] none",
};

/* ---- of signs and of labels ---------------------------------------------------------------- */

static bool soft_margin_compose(cn_call *c)
{
    cn_tensor *terms = cn_neg(cn_logsigmoid(cn_mul(c->in[0], c->in[1])));
    return cn_finish_loss(c, terms, *(const char *const *)c->params);
}

const cn_op cn_op_soft_margin_loss = {
    CN_OP_HEAD(soft_margin_loss, "nn.functional.soft_margin_loss",
               "(Tensor input, Tensor target, str reduction='mean') -> Tensor"),
    .aliases = "soft_margin_loss",
    .doc = "log(1 + exp(-target input)) for targets 1 and -1, safe from overflow.",
    .params_size = sizeof(char *),
    .compose = soft_margin_compose,
    .samples = "[2,3] [2,3] | [4] [4] sum | [3] [3] none | [] []",
};

static bool multilabel_soft_margin_compose(cn_call *c)
{
    cn_tensor *x = c->in[0], *t = c->in[1], *weight = c->n_in > 2 ? c->in[2] : NULL;
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS)) return false;
    cn_tensor *no = cn_mul(cn_sub(cn_number(1), t), cn_logsigmoid(cn_neg(x)));
    cn_tensor *terms = cn_neg(cn_add(cn_mul(t, cn_logsigmoid(x)), no));
    if (weight) terms = cn_mul(terms, weight);
    terms = mean_of_classes(terms, x->v.shape.dim[x->v.shape.ndim - 1]);
    return cn_finish_loss(c, terms, *(const char *const *)c->params);
}

const cn_op cn_op_multilabel_soft_margin_loss = {
    CN_OP_HEAD(
        multilabel_soft_margin_loss, "nn.functional.multilabel_soft_margin_loss",
        "(Tensor input, Tensor target, Tensor? weight=None, str reduction='mean') -> Tensor"),
    .aliases = "multilabel_soft_margin_loss",
    .doc = "The binary cross-entropy of the scores with logits, a mean over the classes.",
    .params_size = sizeof(char *),
    .optional = CN_SAVE_IN(2),
    .compose = multilabel_soft_margin_compose,
    .samples = "[2,3] +[2,3] | [4] +[4] | [2,3] +[2,3] [3] none",
};
