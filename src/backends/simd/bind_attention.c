/* bind_attention.c - attention without a matrix of weights. */
#include "backends/simd/bind.h"
#include "ops/params.h"

static cn_simd_heads heads_of(const cn_view *v)
{
    return (cn_simd_heads){ (const float *)(const void *)v->data, v->strides[0], v->strides[1],
                            v->strides[2] };
}

/* Query, key and value are inputs first .. first+2. */
static cn_simd_attention described(const cn_call *c, int first, int mask_at)
{
    const cn_attention_params *p = c->params;
    const cn_view *q = cn_in(c, first), *k = cn_in(c, first + 1), *v = cn_in(c, first + 2),
                  *mask = cn_in(c, mask_at);
    cn_simd_attention a = { .examples = q->shape.dim[0],
                            .heads = q->shape.dim[1],
                            .queries = q->shape.dim[2],
                            .keys = k->shape.dim[2],
                            .width = q->shape.dim[3],
                            .value_width = v->shape.dim[3],
                            .q = heads_of(q),
                            .k = heads_of(k),
                            .v = heads_of(v),
                            .is_causal = p->is_causal,
                            .scale = (float)p->scale,
                            .drop = p->drop.p,
                            .rng = { (uint64_t)p->drop.seed, (uint64_t)p->drop.stream,
                                     (uint64_t)p->drop.position } };
    if (!mask) return a;
    a.mask = mask->data, a.mask_is_bool = mask->dtype == CN_BOOL;
    a.mask_example = mask->strides[0], a.mask_head = mask->strides[1];
    a.mask_row = mask->strides[2];
    return a;
}

static bool attention(const cn_call *c)
{
    cn_simd_attention a = described(c, 0, 3);
    a.out = cn_simd_out(c, 0), a.sums = cn_simd_out(c, 1);
    return cn_simd->attention(&a, cn_threads());
}

static bool attention_backward(const cn_call *c)
{
    cn_simd_attention a = described(c, 1, 6);
    a.gy = heads_of(cn_in(c, 0));
    a.out = (float *)(void *)cn_in(c, 4)->data, a.sums = (float *)(void *)cn_in(c, 5)->data;
    a.gq = cn_simd_out(c, 0), a.gk = cn_simd_out(c, 1), a.gv = cn_simd_out(c, 2);
    return cn_simd->attention_backward(&a, cn_threads());
}

static bool has_dense_rows(const cn_view *v)
{
    return v->strides[3] == 1 || v->shape.dim[3] == 1;
}

static const char *refuses_views(const cn_call *c, int n, int mask)
{
    for (int i = 0; i < n; i++) {
        if (cn_in(c, i)->dtype != CN_F32 || !has_dense_rows(cn_in(c, i)))
            return "not dense rows of float32";
        if (!cn_in(c, i)->numel) return "empty";
    }
    const cn_view *m = cn_in(c, mask);
    return !m || (has_dense_rows(m) && (m->dtype == CN_BOOL || m->dtype == CN_F32))
               ? NULL
               : "a mask without dense rows";
}

static const char *refuses(const cn_call *c)
{
    return refuses_views(c, 3, 3);
}

static const char *refuses_backward(const cn_call *c)
{
    if (!cn_simd_dense(cn_in(c, 4)) || !cn_simd_dense(cn_in(c, 5))) return "results not dense";
    return refuses_views(c, 4, 6);
}

const cn_simd_binding cn_simd_attentions[] = {
    { CN_OP_ID_attention_rows, attention, refuses },
    { CN_OP_ID_attention_rows_backward, attention_backward, refuses_backward },
    { 0 },
};
