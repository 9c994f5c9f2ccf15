/* attention.c - scaled dot-product attention (D2L 11.3; Vaswani and others, 2017), made of matrix
   products and a softmax. */
#include "ops/compose.h"
#include "ops/fused.h"

#include <math.h>

typedef struct {
    double dropout_p;
    bool is_causal;
    cn_opt_float scale;
    bool enable_gqa;
} Attention;

static int64_t size_from_end(const cn_tensor *t, int from_end)
{
    const cn_shape *s = &t->v.shape;
    return s->dim[s->ndim - from_end];
}

static bool operands_fit(const cn_call *c)
{
    char a[128], b[128], d[128];
    cn_tensor *q = c->in[0], *k = c->in[1], *v = c->in[2];
    for (int i = 0; i < 3; i++) {
        if (!cn_want_dims(c, i, 2, CN_MAX_DIMS)) return false;
        if (!cn_dtype_is_float(c->in[i]->v.dtype) || c->in[i]->v.dtype != q->v.dtype)
            return cn_fail(CN_EINVALID, "%s: query, key and value must be of one float type",
                           c->op->name);
    }
    if (size_from_end(q, 1) == size_from_end(k, 1) && size_from_end(k, 2) == size_from_end(v, 2))
        return true;
    return cn_fail(CN_EINVALID, "%s: query %s, key %s and value %s do not fit each other",
                   c->op->name, cn_shape_text(&q->v.shape, a), cn_shape_text(&k->v.shape, b),
                   cn_shape_text(&v->v.shape, d));
}

static cn_tensor *causal_mask(int64_t rows, int64_t columns)
{
    return cn_ge(cn_unsqueeze(cn_counting(rows), -1), cn_counting(columns));
}

/* -infinity where the mask is false; what is not bool is added as it is. */
cn_tensor *cn_attention_masked(cn_tensor *scores, cn_tensor *mask, bool is_causal)
{
    if (!scores) return NULL;
    if (is_causal) mask = causal_mask(size_from_end(scores, 2), size_from_end(scores, 1));
    else if (!mask) return scores;
    if (mask && mask->v.dtype != CN_BOOL) return cn_add(scores, mask);
    return cn_where(mask, scores, cn_number(-(double)INFINITY));
}

/* Rows that are masked altogether get zeros, not NaN. */
cn_tensor *cn_attention_softmax(cn_tensor *scores, bool masked)
{
    if (!masked || !scores || scores->v.numel == 0) return cn_softmax(scores, -1);
    cn_tensor *top = cn_amax(scores, .dim = CN_SHAPE(-1), .keepdim = true), *zero = cn_number(0);
    cn_tensor *none = cn_eq(top, cn_number(-(double)INFINITY));
    return cn_where(none, zero, cn_softmax(cn_where(none, zero, scores), -1));
}

/* Each head of key and value serves several of the query, as often as theirs is smaller. */
static cn_tensor *repeated_heads(cn_tensor *t, const cn_tensor *query)
{
    int nd = t->v.shape.ndim;
    if (nd < 3 || query->v.shape.ndim < 3) return t;
    int64_t heads = size_from_end(query, 3), own = size_from_end(t, 3);
    if (heads == own) return t;
    if (own < 1 || heads % own) {
        cn_fail(CN_EINVALID, "scaled_dot_product_attention: %lld heads do not serve %lld",
                (long long)own, (long long)heads);
        return NULL;
    }
    cn_shape wide = { .ndim = nd + 1 }, flat = t->v.shape;
    for (int i = 0; i <= nd; i++) wide.dim[i] = t->v.shape.dim[i - (i > nd - 3)];
    wide.dim[nd - 2] = heads / own, flat.dim[nd - 3] = heads;
    t = cn_expand(cn_unsqueeze(t, nd - 2), wide);
    return t ? cn_reshape(t, flat) : NULL;
}

/* The weights of the values: both factors get a root of the scale, so that products stay small. */
static cn_tensor *attend(const cn_attention_call *a)
{
    cn_tensor *root = cn_number(sqrt(a->scale));
    cn_tensor *scores =
        cn_matmul(cn_mul(a->query, root), cn_transpose(cn_mul(a->key, root), -2, -1));
    scores = cn_attention_masked(scores, a->mask, a->is_causal);
    cn_tensor *weights = cn_attention_softmax(scores, a->mask || a->is_causal);
    return a->dropout > 0 ? cn_dropout(weights, a->dropout, a->rng) : weights;
}

static bool check_mask(const cn_call *c, bool is_causal)
{
    const cn_tensor *mask = c->n_in > 3 ? c->in[3] : NULL;
    if (mask && is_causal)
        return cn_fail(CN_EINVALID, "%s: attn_mask and is_causal exclude each other", c->op->name);
    return !mask || mask->v.dtype == CN_BOOL || cn_dtype_is_float(mask->v.dtype) ||
           cn_fail(CN_EINVALID, "%s: attn_mask must be bool or float, not %s", c->op->name,
                   cn_dtype_name(mask->v.dtype));
}

static bool is_probability(const cn_call *c, double p)
{
    return (p >= 0 && p <= 1) ||
           cn_fail(CN_EINVALID, "%s: dropout_p must be between 0 and 1, got %g", c->op->name, p);
}

static double usual_scale(const cn_tensor *query)
{
    int64_t width = size_from_end(query, 1);
    return width ? 1 / sqrt((double)width) : 1;
}

static cn_attention_call call_of(const cn_call *c, double dropout, bool is_causal)
{
    return (cn_attention_call){ .query = c->in[0],
                                .key = c->in[1],
                                .value = c->in[2],
                                .mask = c->n_in > 3 ? c->in[3] : NULL,
                                .scale = usual_scale(c->in[0]),
                                .dropout = dropout,
                                .is_causal = is_causal,
                                .rng = cn_default_rng() };
}

static bool attention_compose(cn_call *c)
{
    const Attention *p = c->params;
    if (!is_probability(c, p->dropout_p) || !operands_fit(c) || !check_mask(c, p->is_causal))
        return false;
    cn_attention_call a = call_of(c, p->dropout_p, p->is_causal);
    if (p->enable_gqa)
        a.key = repeated_heads(a.key, a.query),
        a.value = a.key ? repeated_heads(a.value, a.query) : NULL;
    if (!a.key || !a.value) return false;
    if (p->scale.given) a.scale = p->scale.value;
    return cn_set_out(
        c, 0, cn_attention_fuses(&a) ? cn_attention_fused(&a) : cn_matmul(attend(&a), a.value));
}

const cn_op cn_op_scaled_dot_product_attention = {
    CN_OP_HEAD(scaled_dot_product_attention, "nn.functional.scaled_dot_product_attention",
               "(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float "
               "dropout_p=0.0, bool is_causal=False, float? scale=None, bool enable_gqa=False) -> "
               "Tensor"),
    .aliases = "scaled_dot_product_attention",
    .doc =
        "softmax(query key^T scale + mask) value, scale 1 / sqrt(width) unless given; a bool mask "
        "tells what takes part. Rows with nothing to attend to are 0 (D2L 11.3).",
    .params_size = sizeof(Attention),
    .optional = CN_SAVE_IN(3),
    .compose = attention_compose,
    .samples = "[2,3,4] [2,5,4] [2,5,2] | [3,4] [3,4] [3,4] is_causal=True | [2,3,4] [2,5,4] "
               "[2,5,2] [3,5] scale=0.3 | [1,4,2,3] [1,2,2,3] [1,2,2,2] enable_gqa=True | [2,2,3] "
               "[2,4,3] [2,4,3] bool[2,2,4]",
};

cn_tensor *cn_scaled_dot_product_attention(cn_tensor *query, cn_tensor *key, cn_tensor *value,
                                           cn_tensor *attn_mask, bool is_causal)
{
    Attention p = { .is_causal = is_causal };
    return CN_CALL(scaled_dot_product_attention, &p, query, key, value, attn_mask);
}

/* ---- the name of PyTorch 1.13 -------------------------------------------------------------- */

typedef struct {
    double dropout_p;
    bool need_attn_weights, is_causal;
} OldAttention;

static bool old_compose(cn_call *c)
{
    const OldAttention *p = c->params;
    if (!is_probability(c, p->dropout_p) || !operands_fit(c) || !check_mask(c, p->is_causal))
        return false;
    const cn_attention_call a = call_of(c, p->dropout_p, p->is_causal);
    cn_tensor *weights = attend(&a);
    if (!cn_set_out(c, 0, cn_matmul(weights, c->in[2]))) return false;
    return cn_set_out(c, 1, weights);
}

const cn_op cn_op_old_attention = {
    CN_OP_HEAD(old_attention, "nn.functional._scaled_dot_product_attention",
               "(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float "
               "dropout_p=0.0, bool need_attn_weights=False, bool is_causal=False) -> (Tensor, "
               "Tensor)"),
    .doc = "scaled_dot_product_attention, and the weights of the values.",
    .params_size = sizeof(OldAttention),
    .optional = CN_SAVE_IN(3),
    .compose = old_compose,
    .samples =
        "[2,3,4] [2,5,4] [2,5,2] need_attn_weights=True | [3,4] [3,4] [3,4] need_attn_weights=True "
        "is_causal=True",
};
