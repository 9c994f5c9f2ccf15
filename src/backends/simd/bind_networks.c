/* bind_networks.c - losses, and the convolution with images in vector lanes. */
#include "backends/simd/bind.h"
#include "ops/fused.h"
#include "ops/loss/loss.h"
#include "ops/params.h"

#include <string.h>

/* ---- convolution blocks -------------------------------------------------------------------- */

static cn_simd_lanes lanes_of(const cn_view *x, const cn_view *w, const cn_conv_block *p)
{
    cn_simd_lanes c = {
        .n = x->shape.dim[0],
        .in_channels = x->shape.dim[1],
        .out_channels = w->shape.dim[0],
        .h = x->shape.dim[2],
        .w = x->shape.dim[3],
        .kernel_h = w->shape.dim[2],
        .kernel_w = w->shape.dim[3],
        .pad_h = p->padding.v[0],
        .pad_w = p->padding.v[1],
        .act = CN_SIMD_ACT_NONE,
        .pool = CN_SIMD_LANES_NO_POOL,
    };
    if (strcmp(p->activation, "relu") == 0) c.act = CN_SIMD_ACT_RELU;
    if (strcmp(p->activation, "sigmoid") == 0) c.act = CN_SIMD_ACT_SIGMOID;
    if (strcmp(p->activation, "tanh") == 0) c.act = CN_SIMD_ACT_TANH;
    if (strcmp(p->pool, "avg") == 0) c.pool = CN_SIMD_LANES_AVG2;
    if (strcmp(p->pool, "max") == 0) c.pool = CN_SIMD_LANES_MAX2;
    return c;
}

static const char *refuses_lanes(const cn_view *x, const cn_view *w, const cn_conv_block *p)
{
    if (x->dtype != CN_F32 || w->dtype != CN_F32) return "not float32";
    cn_simd_lanes c = lanes_of(x, w, p);
    return cn_simd->lanes_accepts(&c) ? NULL : "many channels, large images or few of them";
}

static const char *refuses_block(const cn_call *c)
{
    return refuses_lanes(cn_in(c, 0), cn_in(c, 1), c->params);
}

static const char *refuses_block_backward(const cn_call *c)
{
    return refuses_lanes(cn_in(c, 1), cn_in(c, 2), c->params);
}

static bool block(const cn_call *c)
{
    cn_simd_lanes l = lanes_of(cn_in(c, 0), cn_in(c, 1), c->params);
    float *saved = cn_out(c, 1)->numel ? cn_simd_out(c, 1) : NULL;
    if (saved) { /* room for wider vectors than these may be left: it has no chance values */
        const int64_t bytes = cn_simd->lanes_saved_floats(&l) * (int64_t)sizeof(float);
        memset((char *)saved + bytes, 0, (size_t)(cn_out(c, 1)->numel - bytes));
    }
    return cn_simd->lanes_forward(&l, cn_simd_out(c, 0), saved, cn_simd_in(c, 0), cn_simd_in(c, 1),
                                  cn_simd_in_or_null(c, 2), cn_threads());
}

static bool block_backward(const cn_call *c)
{
    cn_simd_lanes l = lanes_of(cn_in(c, 1), cn_in(c, 2), c->params);
    cn_simd_lanes_grads g = { cn_out(c, 0)->shape.ndim == 4 ? cn_simd_out(c, 0) : NULL,
                              cn_simd_out(c, 1), cn_simd_out(c, 2) };
    return cn_simd->lanes_backward(&l, &g, cn_simd_in(c, 0), cn_simd_in(c, 1), cn_simd_in(c, 2),
                                   cn_simd_in(c, 4), cn_threads());
}

/* ---- losses -------------------------------------------------------------------------------- */

static bool cross_entropy(const cn_call *c)
{
    const cn_row_loss_params *p = c->params;
    const cn_view *x = cn_in(c, 0);
    if (!cn_targets_in_range(c, cn_in(c, 1), x->shape.dim[1], p->ignore_index)) return false;
    cn_simd_xent loss = {
        .logits = cn_simd_in(c, 0),
        .target = (const int64_t *)(const void *)cn_in(c, 1)->data,
        .rows = x->shape.dim[0],
        .classes = x->shape.dim[1],
        .ignore_index = p->ignore_index,
        .mean = true,
        .grad = cn_out(c, 1)->numel ? cn_simd_out(c, 1) : NULL,
    };
    double mean;
    bool ok = cn_simd->cross_entropy(&loss, &mean, cn_threads());
    *cn_simd_out(c, 0) = (float)mean;
    return ok || cn_fail(CN_EINVALID, "cross_entropy_mean: a target is no class");
}

/* The scores are input `first`. */
static bool rows_of(const cn_call *c, int first, int target, cn_simd_xent_rows *rows)
{
    const cn_row_loss_params *p = c->params;
    const cn_view *x = cn_in(c, first);
    *rows = (cn_simd_xent_rows){ .logits = cn_simd_in(c, first),
                                 .target = (const int64_t *)(const void *)cn_in(c, target)->data,
                                 .rows = x->shape.dim[0],
                                 .classes = x->shape.dim[1],
                                 .ignore_index = p->ignore_index };
    return cn_targets_in_range(c, cn_in(c, target), x->shape.dim[1], p->ignore_index);
}

static bool cross_entropy_rows(const cn_call *c)
{
    cn_simd_xent_rows rows;
    if (!rows_of(c, 0, 1, &rows)) return false;
    rows.loss = cn_simd_out(c, 0), rows.lse = cn_simd_out(c, 1);
    cn_simd->cross_entropy_rows(&rows, cn_threads());
    return true;
}

static bool cross_entropy_rows_backward(const cn_call *c)
{
    cn_simd_xent_rows rows;
    if (!rows_of(c, 1, 3, &rows)) return false;
    rows.gy = cn_simd_in(c, 0), rows.lse = (float *)(void *)cn_in(c, 2)->data;
    rows.grad = cn_simd_out(c, 0);
    cn_simd->cross_entropy_rows(&rows, cn_threads());
    return true;
}

static const char *refuses_cross_entropy(const cn_call *c)
{
    return cn_in(c, 0)->dtype == CN_F32 ? NULL : "not float32";
}

const cn_simd_binding cn_simd_networks[] = {
    { CN_OP_ID_conv_block, block, refuses_block },
    { CN_OP_ID_conv_block_backward, block_backward, refuses_block_backward },
    { CN_OP_ID_cross_entropy_mean, cross_entropy, refuses_cross_entropy },
    { CN_OP_ID_cross_entropy_rows, cross_entropy_rows, refuses_cross_entropy },
    { CN_OP_ID_cross_entropy_rows_backward, cross_entropy_rows_backward, refuses_cross_entropy },
    { 0 },
};
