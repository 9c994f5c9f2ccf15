/* attention_rows.c - attention without its matrix of weights: what is kept for the gradient is one number per
   query (Rabe and Staats, 2021; Dao and others, 2022). */
#include "ops/compose.h"
#include "ops/fused.h"
#include "ops/params.h"

#include "autograd/checkpoint.h"

#include <math.h>

typedef struct {
    const cn_attention_params *p;
    const cn_view *q, *k, *v, *mask, *gy, *out, *lse, *gq, *gk, *gv;
    int64_t heads, queries, keys;
} Rows;

typedef struct {
    int64_t n, h, i; /* example, head, query */
} Place;

static Place place_of(const Rows *r, int64_t row)
{
    int64_t head = row / r->queries;
    return (Place){ head / r->heads, head % r->heads, row % r->queries };
}

/* What dropout multiplies the weight of key j by: the numbers of dropout_at. */
static double keep_factor(const Rows *r, const Place *at, int64_t j)
{
    const cn_dropout_params *d = &r->p->drop;
    uint32_t words[4];
    if (d->p <= 0) return 1;
    if (d->p >= 1) return 0;
    int64_t i = ((at->n * r->heads + at->h) * r->queries + at->i) * r->keys + j;
    cn_philox((uint64_t)d->seed, (uint64_t)d->stream, (uint64_t)(d->position + i / 4), words);
    return words[i & 3] >= (uint64_t)(d->p * 4294967296.0) ? 1 / (1 - d->p) : 0;
}

#define T float
#define NAME(x) x##_f32
#define M(name) name##f
#include "ops/layers/attention_rows.inc"
#define T double
#define NAME(x) x##_f64
#define M(name) name
#include "ops/layers/attention_rows.inc"

/* ---- forward ------------------------------------------------------------------------------- */

static bool same_leading(const cn_view *a, const cn_view *b)
{
    return a->dtype == b->dtype && a->shape.dim[0] == b->shape.dim[0] &&
           a->shape.dim[1] == b->shape.dim[1];
}

static bool mask_fits(const cn_view *mask, const cn_view *q, const cn_view *k)
{
    const cn_shape scores =
        CN_SHAPE(q->shape.dim[0], q->shape.dim[1], q->shape.dim[2], k->shape.dim[2]);
    return !mask || (cn_shape_equal(&mask->shape, &scores) &&
                     (mask->dtype == CN_BOOL || mask->dtype == q->dtype));
}

/* Inputs first .. first+2 are query, key and value of (examples, heads, steps, size), `mask` is of
   their scores' shape. */
static bool operands_fit(const cn_call *c, int first, int mask)
{
    const cn_view *q = cn_in(c, first), *k = cn_in(c, first + 1), *v = cn_in(c, first + 2);
    for (int i = first; i < first + 3; i++)
        if (!cn_want_dims(c, i, 4, 4) || !cn_want_float(c->op->name, c->in[i])) return false;
    double p = ((const cn_attention_params *)c->params)->drop.p;
    if (!(p >= 0 && p <= 1))
        return cn_fail(CN_EINVALID, "%s: dropout_p must be between 0 and 1, got %g", c->op->name,
                       p);
    if (q && k && v && same_leading(q, k) && same_leading(q, v) &&
        k->shape.dim[2] == v->shape.dim[2] && q->shape.dim[3] == k->shape.dim[3] &&
        mask_fits(cn_in(c, mask), q, k))
        return true;
    return cn_fail(CN_EINVALID, "%s: query, key, value and mask do not fit each other",
                   c->op->name);
}

static cn_dtype statistics_dtype(cn_dtype d)
{
    return d == CN_F64 ? CN_F64 : CN_F32;
}

static bool rows_infer(const cn_call *c, cn_spec out[])
{
    if (!operands_fit(c, 0, 3)) return false;
    const cn_view *q = &c->in[0]->v, *v = &c->in[2]->v;
    const int64_t *s = q->shape.dim;
    out[0] = (cn_spec){ q->dtype, CN_SHAPE(s[0], s[1], s[2], v->shape.dim[3]) };
    out[1] = (cn_spec){ statistics_dtype(q->dtype), CN_SHAPE(s[0], s[1], s[2], 1) };
    return true;
}

static Rows rows_of(const cn_call *c, int first, int mask)
{
    Rows r = { .p = c->params,
               .q = &c->in[first]->v,
               .k = &c->in[first + 1]->v,
               .v = &c->in[first + 2]->v,
               .mask = cn_in(c, mask) };
    r.heads = r.q->shape.dim[1], r.queries = r.q->shape.dim[2], r.keys = r.k->shape.dim[2];
    return r;
}

/* Multiplications for one query. */
static int64_t cost_of(const Rows *r)
{
    return r->keys * (2 * r->q->shape.dim[3] + r->v->shape.dim[3] + 8);
}

static bool rows_kernel(const cn_call *c)
{
    Rows r = rows_of(c, 0, 3);
    r.out = cn_out(c, 0), r.lse = cn_out(c, 1);
    cn_parallel(r.lse->numel, cost_of(&r),
                r.q->dtype == CN_F64 ? forward_rows_f64 : forward_rows_f32, &r);
    return true;
}

/* Kernels read whole rows; a gradient that arrives may be one number for all of them. */
static cn_tensor *dense_rows(cn_tensor *t)
{
    return t && t->v.strides[3] != 1 && t->v.shape.dim[3] > 1 ? cn_contiguous(t) : t;
}

/* ---- gradients ----------------------------------------------------------------------------- */

/* What dropout multiplies the weights by, a constant; NULL: it does not. */
static cn_tensor *keep_factors(const cn_attention_params *p, cn_tensor *weights)
{
    cn_tensor *out[2], *ones = weights ? cn_ones(weights->v.shape, weights->v.dtype) : NULL;
    return cn_apply(&cn_op_dropout_at, &ones, 1, &p->drop, out, 2) ? out[0] : NULL;
}

/* The weights made anew by ops, so that they are part of the graph. */
static cn_tensor *recorded_weights(const cn_attention_params *p, cn_tensor *q, cn_tensor *k,
                                   cn_tensor *mask)
{
    cn_tensor *scores = cn_mul(cn_matmul(q, cn_transpose(k, -2, -1)), cn_num(p->scale));
    return cn_attention_softmax(cn_attention_masked(scores, mask, p->is_causal),
                                mask || p->is_causal);
}

/* The rule made of ops, for recorded backward passes. */
static void recorded_backward(cn_grads *g, const cn_attention_params *p)
{
    cn_tensor *q = cn_saved_in(g, 0), *k = cn_saved_in(g, 1), *v = cn_saved_in(g, 2),
              *mask = cn_saved_in(g, 3), *gy = cn_gout(g, 0);
    if (!q || !k || !v) return;
    cn_tensor *w = recorded_weights(p, q, k, mask), *kept = w;
    cn_tensor *gw = cn_matmul(gy, cn_transpose(v, -2, -1));
    if (p->drop.p > 0) {
        cn_tensor *keep = keep_factors(p, w);
        kept = cn_mul(w, keep), gw = cn_mul(gw, keep);
    }
    cn_tensor *mean = cn_sum(cn_mul(w, gw), .dim = CN_SHAPE(-1), .keepdim = true);
    cn_tensor *gs = cn_mul(cn_mul(w, cn_sub(gw, mean)), cn_num(p->scale));
    if (cn_wants(g, 0)) cn_give(g, 0, cn_matmul(gs, k));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_matmul(cn_transpose(gs, -2, -1), q));
    if (cn_wants(g, 2)) cn_give(g, 2, cn_matmul(cn_transpose(kept, -2, -1), gy));
}

static void rows_backward(cn_grads *g)
{
    const cn_attention_params *p = cn_grad_params(g);
    if (cn_grad_enabled()) {
        recorded_backward(g, p);
        return;
    }
    cn_tensor *in[] = { dense_rows(cn_gout(g, 0)), cn_saved_in(g, 0),  cn_saved_in(g, 1),
                        cn_saved_in(g, 2),         cn_saved_out(g, 0), cn_saved_out(g, 1),
                        cn_saved_in(g, 3) };
    cn_tensor *out[3];
    if (!cn_ok() || !cn_apply(&cn_op_attention_rows_backward, in, 7, p, out, 3)) return;
    for (int i = 0; i < 3; i++)
        if (cn_wants(g, i)) cn_give(g, i, out[i]);
}

#define OPTIONS                                                                                    \
    "float scale=1.0, bool is_causal=False, float dropout_p=0.0, int seed=0, int stream=0, int "   \
    "position=0)"

const cn_op cn_op_attention_rows = {
    CN_OP_HEAD(attention_rows, "attention_rows",
               "(Tensor query, Tensor key, Tensor value, Tensor? mask=None, " OPTIONS
               " -> (Tensor, Tensor)"),
    .doc =
        "softmax(query key^T scale + mask) value of (examples, heads, steps, size) without keeping the "
        "weights; also the logarithm of each softmax's sum, without a gradient. No gradient for the mask.",
    .grad_outs = 1,
    .params_size = sizeof(cn_attention_params),
    .optional = CN_SAVE_IN(3),
    .infer = rows_infer,
    .kernel = rows_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_IN(2) | CN_SAVE_IN(3) | CN_SAVE_OUT(0) |
             CN_SAVE_OUT(1),
    .backward = rows_backward,
    .samples =
        "[2,1,3,4] [2,1,5,4] [2,1,5,2] | [1,2,3,4] [1,2,4,4] [1,2,4,3] is_causal=True scale=0.5 | "
        "[1,2,3,2] [1,2,3,2] [1,2,3,2] bool[1,2,3,3] 0.7 | [1,1,3,2] [1,1,6,2] [1,1,6,2] None 0.7 "
        "False 0.5 3 1 7 | [1,0,3,2] [1,0,3,2] [1,0,3,2]",
};

static bool backward_infer(const cn_call *c, cn_spec out[])
{
    if (!operands_fit(c, 1, 6)) return false;
    const cn_shape *q = &cn_in(c, 1)->shape, *y = &cn_in(c, 0)->shape;
    const cn_shape want = CN_SHAPE(q->dim[0], q->dim[1], q->dim[2], cn_in(c, 3)->shape.dim[3]),
                   rows = CN_SHAPE(q->dim[0], q->dim[1], q->dim[2], 1);
    if (!cn_shape_equal(y, &want) || !cn_shape_equal(&cn_in(c, 4)->shape, &want) ||
        !cn_shape_equal(&cn_in(c, 5)->shape, &rows))
        return cn_fail(CN_EINVALID, "%s: the gradient, the result or its sums do not fit the query",
                       c->op->name);
    for (int i = 0; i < 3; i++) out[i] = (cn_spec){ cn_in(c, 1)->dtype, cn_in(c, i + 1)->shape };
    return true;
}

static bool backward_kernel(const cn_call *c)
{
    Rows r = rows_of(c, 1, 6);
    r.gy = cn_in(c, 0), r.out = cn_in(c, 4), r.lse = cn_in(c, 5);
    r.gq = cn_out(c, 0), r.gk = cn_out(c, 1), r.gv = cn_out(c, 2);
    for (int i = 0; i < 3; i++) cn_fill_view(cn_out(c, i), 0);
    cn_parallel(r.q->shape.dim[0] * r.heads, 2 * r.queries * cost_of(&r),
                r.q->dtype == CN_F64 ? backward_heads_f64 : backward_heads_f32, &r);
    return true;
}

const cn_op cn_op_attention_rows_backward = {
    CN_OP_HEAD(attention_rows_backward, "attention_rows_backward",
               "(Tensor grad_output, Tensor query, Tensor key, Tensor value, Tensor output, Tensor "
               "sums, Tensor? mask=None, " OPTIONS " -> (Tensor, Tensor, Tensor)"),
    .doc = "The gradients of attention_rows for query, key and value, with the weights made anew. "
           "Recorded passes use other ops instead.",
    .flags = CN_NO_GRAD_OP,
    .params_size = sizeof(cn_attention_params),
    .optional = CN_SAVE_IN(6),
    .infer = backward_infer,
    .kernel = backward_kernel,
    .samples = "[2,1,3,2] [2,1,3,4] [2,1,5,4] [2,1,5,2] [2,1,3,2] +[2,1,3,1] | [1,1,3,2] [1,1,3,2] "
               "[1,1,3,2] [1,1,3,2] [1,1,3,2] +[1,1,3,1] bool[1,1,3,3] 0.5",
};

/* ---- whether, and with which shapes -------------------------------------------------------- */

static cn_tensor *four_dims(cn_tensor *t)
{
    while (t && t->v.shape.ndim < 4) t = cn_unsqueeze(t, 0);
    return dense_rows(t);
}

/* Leading dimensions are not broadcast here, and a mask that is learned needs the weights. */
bool cn_attention_fuses(const cn_attention_call *a)
{
    const cn_shape *q = &a->query->v.shape, *k = &a->key->v.shape, *v = &a->value->v.shape;
    const cn_view *mask = a->mask ? &a->mask->v : NULL;
    const int nd = q->ndim;
    if (nd > 4 || k->ndim != nd || v->ndim != nd) return false;
    for (int i = 0; i < nd - 2; i++)
        if (q->dim[i] != k->dim[i] || q->dim[i] != v->dim[i]) return false;
    if (!mask) return true;
    if (a->mask->requires_grad || a->mask->node || mask->shape.ndim > nd ||
        (mask->dtype != CN_BOOL && mask->dtype != a->query->v.dtype))
        return false;
    for (int i = 1; i <= mask->shape.ndim; i++) {
        int64_t have = mask->shape.dim[mask->shape.ndim - i];
        if (have != 1 && have != (i == 1 ? k->dim[nd - 2] : q->dim[nd - i])) return false;
    }
    return true;
}

cn_tensor *cn_attention_fused(const cn_attention_call *a)
{
    cn_tensor *in[] = { four_dims(a->query), four_dims(a->key), four_dims(a->value), a->mask };
    cn_tensor *out[2];
    if (!in[0] || !in[1] || !in[2]) return NULL;
    const int64_t *q = in[0]->v.shape.dim, keys = in[1]->v.shape.dim[2];
    cn_attention_params p = { .scale = a->scale, .is_causal = a->is_causal };
    if (a->mask && !(in[3] = cn_expand(a->mask, CN_SHAPE(q[0], q[1], q[2], keys)))) return NULL;
    if (a->mask && in[3]->v.strides[3] != 1) in[3] = cn_contiguous(in[3]);
    if (a->dropout > 0 && a->rng) {
        if (!cn_before_drawing(a->rng)) return NULL;
        p.drop = (cn_dropout_params){ a->dropout, (int64_t)a->rng->seed, (int64_t)a->rng->stream,
                                      (int64_t)a->rng->position };
        a->rng->position += (uint64_t)((q[0] * q[1] * q[2] * keys + 3) / 4);
    }
    if (!cn_apply(&cn_op_attention_rows, in, 4, &p, out, 2)) return NULL;
    cn_shape s = a->query->v.shape;
    s.dim[s.ndim - 1] = in[2]->v.shape.dim[3];
    return s.ndim == 4 ? out[0] : cn_reshape(out[0], s);
}
