/* bind_sums.c - sums and means over any dimensions. */
#include "backends/simd/bind.h"
#include "ops/params.h"

/* The input as kept[0] x reduced[0] x kept[1] x reduced[1]: neighbouring dimensions of a kind are one,
   those of size 1 nothing. */
typedef struct blocks {
    int64_t kept[2], reduced[2];
} blocks;

static bool find_blocks(const cn_call *c, blocks *b)
{
    const cn_shape *s = &cn_in(c, 0)->shape;
    const cn_reduce_params *p = c->params;
    unsigned mask;
    int at = 0; /* kept[0], reduced[0], kept[1], reduced[1] */
    *b = (blocks){ { 1, 1 }, { 1, 1 } };
    if (!cn_dims_mask(&p->dim, s->ndim, c->op->name, &mask)) return false;
    for (int i = 0; i < s->ndim; i++) {
        if (s->dim[i] == 1) continue;
        at += (at & 1) != (int)(mask >> i & 1);
        if (at > 3) return false;
        *(at & 1 ? &b->reduced[at / 2] : &b->kept[at / 2]) *= s->dim[i];
    }
    return true;
}

/* Rows first, then what is left of them. */
static bool sum_twice(float *out, const float *x, const blocks *b)
{
    const int64_t rows = b->kept[0] * b->reduced[0] * b->kept[1];
    float *sums = cn_alloc((size_t)rows * sizeof *sums);
    if (!sums) return false;
    cn_simd->row_sums(sums, x, rows, b->reduced[1], cn_threads());
    const bool ok =
        cn_simd->column_sums(out, sums, b->kept[0], b->reduced[0], b->kept[1], cn_threads());
    cn_free(sums);
    return ok;
}

static bool run_sum(const cn_call *c, const blocks *b)
{
    float *out = cn_simd_out(c, 0);
    const float *x = cn_simd_in(c, 0);
    const int64_t outer = b->kept[0], size = b->reduced[0];
    if (b->reduced[1] > 1) return sum_twice(out, x, b);
    if (b->kept[1] > 1) return cn_simd->column_sums(out, x, outer, size, b->kept[1], cn_threads());
    if (outer > 1) cn_simd->row_sums(out, x, outer, size, cn_threads());
    else *out = (float)cn_simd->sum(x, size, cn_threads());
    return true;
}

static bool sum(const cn_call *c)
{
    blocks b;
    return find_blocks(c, &b) && run_sum(c, &b);
}

static bool mean(const cn_call *c)
{
    blocks b;
    if (!find_blocks(c, &b) || !run_sum(c, &b)) return false;
    float *out = cn_simd_out(c, 0);
    cn_simd->binary_scalar(CN_SIMD_DIV, out, out, (float)(b.reduced[0] * b.reduced[1]), false,
                           cn_out(c, 0)->numel, cn_threads());
    return true;
}

static const char *refuses(const cn_call *c)
{
    const cn_reduce_params *p = c->params;
    blocks b;
    if (p->dtype != CN_NO_DTYPE && p->dtype != CN_F32) return "not to float32";
    const char *reason = cn_simd_refuses_empty(c);
    return reason || find_blocks(c, &b) ? reason : "dimensions in three separate places";
}

const cn_simd_binding cn_simd_sums[] = {
    { CN_OP_ID_sum, sum, refuses },
    { CN_OP_ID_mean, mean, refuses },
    { 0 },
};
