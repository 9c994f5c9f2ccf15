/* attention.c - MultiheadAttention (Vaswani et al. 2017; D2L 11.5). */
#include "nn/attention.h"

#include "ops/fused.h"

#include <math.h>
#include <string.h>

typedef struct {
    int64_t width, heads;
    double dropout;
    bool bias, add_bias_kv, add_zero_attn;
    cn_opt_int kdim, vdim;
    bool batch_first;
} Attention;

/* ---- parameters ---------------------------------------------------------------------------- */

static int64_t or_width(const Attention *o, const cn_opt_int *size)
{
    return size->given ? size->value : o->width;
}

/* One matrix for all three, unless keys or values have a width of their own. */
static bool is_joint(const Attention *o)
{
    return or_width(o, &o->kdim) == o->width && or_width(o, &o->vdim) == o->width;
}

static bool check_options(const Attention *o)
{
    if (o->width < 1 || o->width > INT32_MAX || o->heads < 1 || o->width % o->heads)
        return cn_fail(CN_EINVALID,
                       "MultiheadAttention: embed_dim %lld cannot be shared by %lld heads",
                       (long long)o->width, (long long)o->heads);
    if (or_width(o, &o->kdim) < 1 || or_width(o, &o->vdim) < 1)
        return cn_fail(CN_EINVALID, "MultiheadAttention: kdim %lld, vdim %lld",
                       (long long)o->kdim.value, (long long)o->vdim.value);
    return (o->dropout >= 0 && o->dropout <= 1) ||
           cn_fail(CN_EINVALID, "MultiheadAttention: dropout must be between 0 and 1, got %g",
                   o->dropout);
}

static bool add_matrix(cn_module *m, const char *name, int64_t out, int64_t in)
{
    return cn_module_parameter(m, name, &CN_SHAPE(out, in)) &&
           cn_xavier_uniform(cn_module_slot(m, name), "weight", NULL);
}

static bool add_projections(cn_module *m, const Attention *o)
{
    int64_t e = o->width;
    if (is_joint(o)) return add_matrix(m, "in_proj_weight", 3 * e, e);
    return add_matrix(m, "q_proj_weight", e, e) &&
           add_matrix(m, "k_proj_weight", e, or_width(o, &o->kdim)) &&
           add_matrix(m, "v_proj_weight", e, or_width(o, &o->vdim));
}

static bool add_kv_bias(cn_module *m, const char *name, int64_t width)
{
    return cn_module_parameter(m, name, &CN_SHAPE(1, 1, width)) &&
           cn_xavier_normal(cn_module_slot(m, name), "weight", NULL);
}

static bool build(cn_module *m, const cn_shape *input)
{
    const Attention *o = m->options;
    (void)input;
    if (!check_options(o) || !add_projections(m, o)) return false;
    if (o->dropout > 0 && !cn_module_rng(m)) return false;
    if (o->bias && !cn_module_parameter(m, "in_proj_bias", &CN_SHAPE(3 * o->width))) return false;
    if (o->add_bias_kv &&
        !(add_kv_bias(m, "bias_k", o->width) && add_kv_bias(m, "bias_v", o->width)))
        return false;
    cn_module *out = cn_linear_layer(o->width, .in = o->width, .no_bias = !o->bias);
    if (out && o->bias) cn_zeros_init(cn_module_slot(out, "bias"), "bias", NULL);
    return cn_module_add(m, "out_proj", out);
}

/* ---- queries, keys and values: (steps, batch, width), or with batch_first (batch, steps, width) -- */

static cn_tensor *rows(cn_tensor *t, int64_t i, int64_t n)
{
    return t ? cn_narrow(t, 0, i * n, n) : NULL;
}

/* Queries, keys and values as heads, (batch, heads, steps, size). Equal inputs share one product. */
static bool project(const cn_module *m, const Attention *o, cn_tensor *const in[3],
                    cn_tensor *out[3])
{
    static const char *const separate[] = { "q_proj_weight", "k_proj_weight", "v_proj_weight" };
    cn_tensor *joint = cn_module_slot(m, "in_proj_weight"),
              *bias = cn_module_slot(m, "in_proj_bias");
    if (joint && in[0] == in[1] && in[1] == in[2])
        return cn_split_heads(cn_linear(in[0], joint, bias), 3, o->heads, !o->batch_first, out);
    for (int i = 0; i < 3; i++) {
        cn_tensor *w = joint ? rows(joint, i, o->width) : cn_module_slot(m, separate[i]);
        cn_tensor *y = cn_linear(in[i], w, rows(bias, i, o->width));
        if (!cn_split_heads(y, 1, o->heads, !o->batch_first, out + i)) return false;
    }
    return true;
}

/* One more step of all heads: the same vector, (1, 1, width), for the whole batch. */
static cn_tensor *append(cn_tensor *t, cn_tensor *step)
{
    if (!t || !step) return NULL;
    cn_shape s = t->v.shape;
    s.dim[2] = 1;
    cn_tensor *head = cn_reshape(step, CN_SHAPE(1, s.dim[1], 1, s.dim[3]));
    cn_tensor *both[] = { t, cn_expand(head, s) };
    return cn_cat(both, 2, 2);
}

static bool append_steps(const cn_module *m, const Attention *o, cn_tensor *kv[2])
{
    cn_tensor *zeros = o->add_zero_attn ? cn_zeros(CN_SHAPE(1, 1, o->width), kv[0]->v.dtype) : NULL;
    cn_tensor *bias[] = { cn_module_slot(m, "bias_k"), cn_module_slot(m, "bias_v") };
    for (int i = 0; i < 2; i++) {
        if (bias[i]) kv[i] = append(kv[i], bias[i]);
        if (o->add_zero_attn) kv[i] = append(kv[i], zeros);
        if (!kv[i]) return false;
    }
    return true;
}

/* ---- masks --------------------------------------------------------------------------------- */

/* Bool masks say what not to look at, float masks are added. Steps that were appended to the keys
   are never masked. */
static cn_tensor *apply_mask(cn_tensor *scores, cn_tensor *mask, cn_shape view, int64_t appended)
{
    if (!mask || !scores) return scores;
    if (mask->v.dtype != CN_BOOL && !cn_dtype_is_float(mask->v.dtype)) {
        cn_fail(CN_EINVALID, "MultiheadAttention: masks are bool or float, not %s",
                cn_dtype_name(mask->v.dtype));
        return NULL;
    }
    if (mask->v.dtype == CN_BOOL)
        mask = cn_masked_fill(cn_zeros(mask->v.shape, scores->v.dtype), mask,
                              cn_num((double)-INFINITY));
    if (appended) mask = cn_constant_pad_nd(mask, CN_SHAPE(0, appended), 0);
    return cn_add(scores, cn_reshape(mask, view));
}

static bool mask_fits(const cn_tensor *mask, const cn_shape *want, const char *name)
{
    char a[128], b[128];
    return !mask || cn_shape_equal(&mask->v.shape, want) ||
           cn_fail(CN_EINVALID, "MultiheadAttention: %s has shape %s, but %s is wanted", name,
                   cn_shape_text(&mask->v.shape, a), cn_shape_text(want, b));
}

/* s: the shape of the scores, (batch, heads, queries, keys + appended) */
static bool masks_fit(const cn_attention_inputs *in, const cn_shape *s, int64_t appended)
{
    int64_t n = s->dim[0], h = s->dim[1], l = s->dim[2], keys = s->dim[3] - appended;
    bool each = in->attn_mask && in->attn_mask->v.shape.ndim == 3;
    cn_shape whole = CN_SHAPE(l, keys), per_head = CN_SHAPE(n * h, l, keys);
    cn_shape padding = in->query->v.shape.ndim == 3 ? CN_SHAPE(n, keys) : CN_SHAPE(keys);
    return mask_fits(in->attn_mask, each ? &per_head : &whole, "attn_mask") &&
           mask_fits(in->key_padding_mask, &padding, "key_padding_mask");
}

/* How the masks broadcast to scores of that shape. */
static cn_shape attn_view(const cn_attention_inputs *in, const cn_shape *s)
{
    return in->attn_mask && in->attn_mask->v.shape.ndim == 3 ? *s : CN_SHAPE(s->dim[2], s->dim[3]);
}

static cn_shape padding_view(const cn_shape *s)
{
    return CN_SHAPE(s->dim[0], 1, 1, s->dim[3]);
}

static cn_tensor *mask_scores(cn_tensor *scores, const cn_attention_inputs *in, int64_t appended)
{
    if (!scores) return NULL;
    const cn_shape s = scores->v.shape;
    scores = apply_mask(scores, in->attn_mask, attn_view(in, &s), appended);
    return apply_mask(scores, in->key_padding_mask, padding_view(&s), appended);
}

/* ---- attention ----------------------------------------------------------------------------- */

static bool check_inputs(const Attention *o, cn_tensor *const in[3])
{
    static const char *const names[] = { "query", "key", "value" };
    int nd = in[0]->v.shape.ndim;
    const cn_shape *k = &in[1]->v.shape, *v = &in[2]->v.shape;
    int64_t width[] = { o->width, or_width(o, &o->kdim), or_width(o, &o->vdim) };
    char a[128], b[128];
    if (nd != 2 && nd != 3)
        return cn_fail(CN_EINVALID,
                       "MultiheadAttention: query has %d dimensions, 3 (or 2: no batch) "
                       "are wanted",
                       nd);
    for (int i = 0; i < 3; i++)
        if (in[i]->v.shape.ndim != nd || in[i]->v.shape.dim[nd - 1] != width[i])
            return cn_fail(CN_EINVALID,
                           "MultiheadAttention: %s has shape %s; %d dimensions and %lld "
                           "features are wanted",
                           names[i], cn_shape_text(&in[i]->v.shape, a), nd, (long long)width[i]);
    bool same = k->dim[0] == v->dim[0] && (nd == 2 || k->dim[1] == v->dim[1]);
    int batch = o->batch_first ? 0 : 1;
    same = same && (nd == 2 || in[0]->v.shape.dim[batch] == k->dim[batch]);
    return same || cn_fail(CN_EINVALID,
                           "MultiheadAttention: key %s and value %s do not belong "
                           "together, or not to the query",
                           cn_shape_text(k, a), cn_shape_text(v, b));
}

/* A single example becomes a batch; the same tensor stays the same. */
static bool batches(cn_tensor *const in[3], cn_tensor *out[3], int steps)
{
    for (int i = 0; i < 3; i++) {
        out[i] = in[i];
        if (i && in[i] == in[i - 1]) out[i] = out[i - 1];
        else if (in[i]->v.shape.ndim == 2) out[i] = cn_unsqueeze(in[i], 1 - steps);
        if (!out[i]) return false;
    }
    return true;
}

/* softmax(q k^T / sqrt(size)): (batch, heads, queries, keys) */
static cn_tensor *weights_of(cn_module *m, const Attention *o, cn_tensor *q, cn_tensor *k,
                             const cn_attention_inputs *in, int64_t appended)
{
    if (!q || !k) return NULL;
    double scale = 1 / sqrt((double)(o->width / o->heads));
    cn_tensor *scores = cn_matmul(cn_mul(q, cn_num(scale)), cn_transpose(k, -2, -1));
    scores = mask_scores(scores, in, appended);
    cn_tensor *w = cn_softmax(scores, -1);
    return m->training && o->dropout > 0 ? cn_dropout(w, o->dropout, &m->rng) : w;
}

/* Back to how the query came. */
static cn_tensor *join_heads(const Attention *o, cn_tensor *t, bool batched)
{
    cn_tensor *y = t ? cn_join_heads(&t, 1, !o->batch_first) : NULL;
    return y && !batched ? cn_squeeze(y, CN_SHAPE(!o->batch_first)) : y;
}

static cn_tensor *reported(cn_tensor *weights, const cn_attention_inputs *in, bool batched)
{
    if (!in->per_head) weights = cn_mean(weights, .dim = CN_SHAPE(1));
    return batched ? weights : cn_squeeze(weights, CN_SHAPE(0));
}

static bool is_bool_or_none(const cn_tensor *mask)
{
    return !mask || mask->v.dtype == CN_BOOL;
}

/* Both masks in one, in the sense of scaled_dot_product_attention; NULL with *ok: there is none. */
static cn_tensor *joined_mask(const cn_attention_inputs *in, const cn_shape *s, bool *ok)
{
    cn_tensor *attn = in->attn_mask, *padding = in->key_padding_mask, *mask;
    *ok = true;
    if (!attn && !padding) return NULL;
    if (attn) attn = cn_reshape(attn, attn_view(in, s));
    if (padding) padding = cn_reshape(padding, padding_view(s));
    if (is_bool_or_none(attn) && is_bool_or_none(padding)) {
        mask = attn && padding ? cn_logical_or(attn, padding) : attn ? attn : padding;
        mask = cn_logical_not(mask);
    } else if (attn && padding) {
        mask = apply_mask(cn_zeros((cn_shape){ .ndim = 0 }, in->query->v.dtype), attn,
                          attn->v.shape, 0);
        mask = apply_mask(mask, padding, padding_view(s), 0);
    } else {
        mask = attn ? attn : padding;
    }
    *ok = mask != NULL;
    return mask;
}

/* The values by their weights, which *weights gets if it is not NULL; otherwise they are not made where
   that can be avoided. */
static cn_tensor *mix_values(cn_module *m, const Attention *o, cn_tensor *const qkv[3],
                             const cn_attention_inputs *in, cn_tensor **weights)
{
    const int64_t appended = o->add_bias_kv + o->add_zero_attn;
    cn_shape s = qkv[0]->v.shape;
    s.dim[3] = qkv[1]->v.shape.dim[2];
    if (!masks_fit(in, &s, appended)) return NULL;
    if (!weights && !appended) {
        bool ok;
        cn_attention_call call = { .query = qkv[0],
                                   .key = qkv[1],
                                   .value = qkv[2],
                                   .mask = joined_mask(in, &s, &ok),
                                   .scale = 1 / sqrt((double)(o->width / o->heads)),
                                   .dropout = m->training ? o->dropout : 0,
                                   .rng = &m->rng };
        if (!ok) return NULL;
        if (cn_attention_fuses(&call)) return cn_attention_fused(&call);
    }
    cn_tensor *w = weights_of(m, o, qkv[0], qkv[1], in, appended);
    if (weights && !(*weights = reported(w, in, in->query->v.shape.ndim == 3))) return NULL;
    return cn_matmul(w, qkv[2]);
}

cn_tensor *cn_attend(cn_module *m, const cn_attention_inputs *in, cn_tensor **weights)
{
    const Attention *o = m->options;
    cn_tensor *const given[] = { in->query, in->key, in->value };
    cn_tensor *x[3], *qkv[3];
    const int steps = o->batch_first; /* the dimension that counts them */
    if (!check_inputs(o, given) || !batches(given, x, steps) || !project(m, o, x, qkv) ||
        !append_steps(m, o, qkv + 1))
        return NULL;
    cn_tensor *y = mix_values(m, o, qkv, in, weights);
    return cn_forward(m->children[0].module, join_heads(o, y, in->query->v.shape.ndim == 3));
}

typedef struct {
    bool need_weights, average, is_causal;
} Arguments;

static bool forward(cn_module *m, cn_io *io)
{
    const Arguments *a = io->args;
    cn_attention_inputs in = { io->in[0], io->in[1], io->in[2], io->in[3], io->in[4], !a->average };
    if (a->is_causal && !in.attn_mask)
        return cn_fail(CN_EINVALID,
                       "MultiheadAttention: is_causal is a hint about attn_mask, which "
                       "must be given, too");
    io->n_out = 1 + a->need_weights;
    io->out[0] = cn_attend(m, &in, a->need_weights ? &io->out[1] : NULL);
    return io->out[0] != NULL;
}

const cn_module_class cn_class_MultiheadAttention = {
    .name = "MultiheadAttention",
    .schema = "MultiheadAttention(int embed_dim, int num_heads, float dropout=0.0, bool bias=True, "
              "bool add_bias_kv=False, bool add_zero_attn=False, int? kdim=None, int? vdim=None, "
              "bool batch_first=False)",
    .inputs = "(Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask=None, bool "
              "need_weights=True, Tensor? attn_mask=None, bool average_attn_weights=True, bool "
              "is_causal=False) -> (Tensor, Tensor)",
    .doc = "softmax(q k^T / sqrt(size)) v for each head, joined by a linear layer (D2L 11.5).",
    .options_size = sizeof(Attention),
    .build = build,
    .forward = forward,
};

/* ---- in C ---------------------------------------------------------------------------------- */

cn_module *cn_attention_layer_with(const cn_attention_options *o)
{
    const Attention p = { .width = o->features,
                          .heads = o->heads,
                          .dropout = o->dropout,
                          .bias = !o->no_bias,
                          .add_bias_kv = o->bias_kv,
                          .add_zero_attn = o->zero_attn,
                          .kdim = { o->key_features != 0, o->key_features },
                          .vdim = { o->value_features != 0, o->value_features },
                          .batch_first = o->batch_first };
    return cn_module_of(&cn_class_MultiheadAttention, &p);
}

cn_tensor *cn_attention_with(const cn_attention_args *a)
{
    if (!a->layer || !a->query || !a->key || !a->value) return NULL;
    const cn_attention_inputs in = { a->query,     a->key,     a->value, a->key_padding_mask,
                                     a->attn_mask, a->per_head };
    if (a->layer->cls == &cn_class_MultiheadAttention) return cn_attend(a->layer, &in, a->weights);
    cn_fail(CN_EINVALID, "attention: %s is no MultiheadAttention", a->layer->cls->name);
    return NULL;
}

cn_tensor *cn_causal_mask(int64_t steps)
{
    cn_tensor *t = cn_empty(CN_SHAPE(steps, steps), CN_BOOL);
    bool *mask = t ? (bool *)t->v.data : NULL;
    for (int64_t i = 0; mask && i < steps; i++)
        for (int64_t k = 0; k < steps; k++) mask[i * steps + k] = i < k;
    return t;
}
