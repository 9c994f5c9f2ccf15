/* bind_products.c - matrix products; and as a provider of its own, before oneDNN, products of few rows with
   parameters that stay the same for many of them: the steps of a recurrence, or of a text that is written. */
#include "backends/simd/bind.h"
#include "core/packed.h"
#include "ops/fused.h"

#include <string.h>

static cn_simd_gemm product_of(const cn_call *c)
{
    const cn_view *y = cn_out(c, 0), *a = cn_in(c, 0), *b = cn_in(c, 1);
    int nd = y->shape.ndim, r = nd - 2, k = nd - 1;
    cn_simd_gemm g = {
        .m = y->shape.dim[r],
        .n = y->shape.dim[k],
        .k = a->shape.dim[k],
        .a = cn_simd_in(c, 0),
        .a_row = a->strides[r],
        .a_col = a->strides[k],
        .b = cn_simd_in(c, 1),
        .b_row = b->strides[r],
        .b_col = b->strides[k],
        .c = cn_simd_out(c, 0),
        .c_row = y->shape.dim[k],
        .batch = 1,
    };
    if (nd == 3) {
        g.batch = y->shape.dim[0];
        g.a_batch = a->strides[0], g.b_batch = b->strides[0], g.c_batch = g.m * g.n;
    }
    return g;
}

static bool product(const cn_call *c)
{
    const cn_simd_gemm g = product_of(c);
    return cn_simd->gemm(&g, cn_threads());
}

static const char *refuses_product(const cn_call *c)
{
    return cn_in(c, 0)->dtype == CN_F32 ? NULL : "not float32";
}

static cn_simd_act activation_of(const cn_call *c)
{
    if (c->op->id != CN_OP_ID_linear_act) return CN_SIMD_ACT_NONE;
    const char *name = *(const char *const *)c->params;
    return strcmp(name, "relu") == 0      ? CN_SIMD_ACT_RELU
           : strcmp(name, "sigmoid") == 0 ? CN_SIMD_ACT_SIGMOID
                                          : CN_SIMD_ACT_TANH;
}

/* y = act(x w^T + b) */
static cn_simd_gemm linear_of(const cn_call *c)
{
    const cn_view *y = cn_out(c, 0), *w = cn_in(c, 1);
    int64_t out = w->shape.dim[0], in = w->shape.dim[1];
    return (cn_simd_gemm){
        .m = out ? y->numel / out : 0,
        .n = out,
        .k = in,
        .a = cn_simd_in(c, 0),
        .a_row = in,
        .a_col = 1,
        .b = cn_simd_in(c, 1),
        .b_row = 1,
        .b_col = in,
        .c = cn_simd_out(c, 0),
        .c_row = out,
        .batch = 1,
        .bias = cn_simd_in_or_null(c, 2),
        .act = activation_of(c),
    };
}

static bool linear(const cn_call *c)
{
    const cn_simd_gemm g = linear_of(c);
    return cn_simd->gemm(&g, cn_threads());
}

/* gx = gy w, gw = gy^T x, gb = column sums of gy */
static bool linear_backward(const cn_call *c)
{
    const cn_linear_backward *p = c->params;
    int64_t out = cn_in(c, 2)->shape.dim[0], in = cn_in(c, 2)->shape.dim[1];
    int64_t rows = out ? cn_in(c, 0)->numel / out : 0;
    const float *gy = cn_simd_in(c, 0);
    cn_simd_gemm x = { .m = rows,
                       .n = in,
                       .k = out,
                       .a = gy,
                       .a_row = out,
                       .a_col = 1,
                       .b = cn_simd_in(c, 2),
                       .b_row = in,
                       .b_col = 1,
                       .c = cn_simd_out(c, 0),
                       .c_row = in,
                       .batch = 1 };
    cn_simd_gemm w = { .m = out,
                       .n = in,
                       .k = rows,
                       .a = gy,
                       .a_row = 1,
                       .a_col = out,
                       .b = cn_simd_in(c, 1),
                       .b_row = in,
                       .b_col = 1,
                       .c = cn_simd_out(c, 1),
                       .c_row = in,
                       .batch = 1 };
    return (!p->want_input || cn_simd->gemm(&x, cn_threads())) &&
           (!p->want_weight || cn_simd->gemm(&w, cn_threads())) &&
           (!p->want_bias ||
            cn_simd->column_sums(cn_simd_out(c, 2), gy, 1, rows, out, cn_threads()));
}

const cn_simd_binding cn_simd_products[] = {
    { CN_OP_ID_mm, product, refuses_product },
    { CN_OP_ID_bmm, product, refuses_product },
    { CN_OP_ID_linear, linear, refuses_product },
    { CN_OP_ID_linear_act, linear, refuses_product },
    { CN_OP_ID_linear_backward, linear_backward, refuses_product },
    { 0 },
};

/* ---- packed parameters --------------------------------------------------------------------- */

enum { MOST_ROWS = 64, LEAST_WEIGHTS = 64 * 64 };

/* Several shapes may lie in one storage, and a column is as good turned as not: the sizes tell them apart. */
static uint64_t layout_of(const cn_simd_gemm *g)
{
    const uint64_t turned = g->b_col != 1;
    return (((uint64_t)g->n * 0x9E3779B97F4A7C15u) ^ ((uint64_t)g->k * 0xC2B2AE3D27D4EB4Fu)) +
           turned;
}

const float *cn_simd_packed(cn_tensor *w, const cn_simd_gemm *g)
{
    const uint64_t layout = layout_of(g);
    cn_tensor *copy = cn_packed_find(w, layout);
    if (copy) return (const float *)(const void *)copy->v.data;
    copy = cn_tensor_new(&CN_SHAPE(cn_simd->gemm_packed_floats(g->n, g->k)), CN_F32);
    if (!copy) return NULL;
    cn_simd->gemm_pack(g, (float *)(void *)copy->v.data, cn_threads());
    return cn_packed_keep(w, layout, copy) ? (const float *)(const void *)copy->v.data : NULL;
}

static bool packed_product(const cn_call *c)
{
    cn_simd_gemm g = c->op->id == CN_OP_ID_mm ? product_of(c) : linear_of(c);
    size_t mark = cn_mark();
    g.b_packed = cn_simd_packed(c->in[1], &g);
    bool ok = g.b_packed && cn_simd->gemm(&g, cn_threads());
    cn_release(mark);
    return ok;
}

/* Parameters alone: other tensors seldom come twice. */
static cn_kernel *find_packed(const cn_call *c, const char **why)
{
    const cn_tensor *x = c->in[0], *w = c->in[1];
    const int64_t width = x->v.shape.ndim ? x->v.shape.dim[x->v.shape.ndim - 1] : 0;
    *why = "not float32";
    if (x->v.dtype != CN_F32 || w->v.dtype != CN_F32) return NULL;
    *why = "no parameter that stays the same";
    if (!w->requires_grad || w->node || !cn_may_pack(w)) return NULL;
    *why = "many rows, or few weights";
    if (w->v.numel < LEAST_WEIGHTS || x->v.numel > MOST_ROWS * width) return NULL;
    return packed_product;
}

static bool knows_packed(int op)
{
    return op == CN_OP_ID_mm || op == CN_OP_ID_linear || op == CN_OP_ID_linear_act;
}

extern const cn_provider cn_provider_packed;
const cn_provider cn_provider_packed = { sizeof(cn_provider), "packed",    cn_simd_probe,
                                         knows_packed,        find_packed, NULL };
