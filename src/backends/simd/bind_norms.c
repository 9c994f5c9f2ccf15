/* bind_norms.c - layer and batch normalisation. */
#include "backends/simd/bind.h"
#include "ops/params.h"

static cn_simd_norm layers_of(const cn_view *x, int64_t rows)
{
    return (cn_simd_norm){ .n = rows, .size = x->numel / rows, .inner = 1 };
}

static bool layer_norm(const cn_call *c)
{
    cn_simd_norm p = layers_of(cn_in(c, 0), cn_out(c, 1)->numel);
    p.weight = cn_simd_in_or_null(c, 1), p.bias = cn_simd_in_or_null(c, 2);
    p.eps = ((const cn_layer_norm_params *)c->params)->eps;
    cn_simd->layer_norm(&p, cn_simd_out(c, 0), cn_simd_out(c, 1), cn_simd_out(c, 2),
                        cn_simd_in(c, 0), cn_threads());
    return true;
}

static bool layer_norm_backward(const cn_call *c)
{
    cn_simd_norm p = layers_of(cn_in(c, 1), cn_in(c, 2)->numel);
    const cn_simd_norm_grads out = { cn_simd_out(c, 0), cn_simd_out(c, 1), cn_simd_out(c, 2) };
    p.weight = cn_simd_in_or_null(c, 4);
    return cn_simd->layer_norm_backward(&p, &out, cn_simd_in(c, 0), cn_simd_in(c, 1),
                                        cn_simd_in(c, 2), cn_simd_in(c, 3), cn_threads());
}

static cn_simd_norm channels_of(const cn_view *x)
{
    const int64_t n = x->shape.dim[0], channels = x->shape.dim[1];
    return (cn_simd_norm){ .n = n, .size = channels, .inner = x->numel / (n * channels) };
}

static bool batch_norm(const cn_call *c)
{
    cn_simd_norm p = channels_of(cn_in(c, 0));
    p.weight = cn_simd_in_or_null(c, 1), p.bias = cn_simd_in_or_null(c, 2);
    p.eps = ((const cn_batch_norm_params *)c->params)->eps;
    cn_simd->batch_norm(&p, cn_simd_out(c, 0), cn_simd_out(c, 1), cn_simd_out(c, 2),
                        cn_simd_in(c, 0), cn_threads());
    return true;
}

static bool batch_norm_backward(const cn_call *c)
{
    cn_simd_norm p = channels_of(cn_in(c, 1));
    const cn_simd_norm_grads out = { cn_simd_out(c, 0), cn_simd_out(c, 1), cn_simd_out(c, 2) };
    p.weight = cn_simd_in_or_null(c, 4);
    cn_simd->batch_norm_backward(&p, &out, cn_simd_in(c, 0), cn_simd_in(c, 1), cn_simd_in(c, 2),
                                 cn_simd_in(c, 3), cn_threads());
    return true;
}

/* Who wants relu as well has images in blocks: bind_blocked.c. */
static const char *refuses_batch_norm(const cn_call *c)
{
    const cn_batch_norm_params *p = c->params;
    return p->relu ? "with relu" : cn_simd_refuses_empty(c);
}

static const char *refuses_batch_norm_backward(const cn_call *c)
{
    const cn_batch_norm_backward_params *p = c->params;
    return p->relu ? "with relu" : cn_simd_refuses_empty(c);
}

const cn_simd_binding cn_simd_norms[] = {
    { CN_OP_ID_layer_norm_rows, layer_norm, cn_simd_refuses_empty },
    { CN_OP_ID_layer_norm_backward, layer_norm_backward, cn_simd_refuses_empty },
    { CN_OP_ID_batch_norm_train, batch_norm, refuses_batch_norm },
    { CN_OP_ID_batch_norm_backward, batch_norm_backward, refuses_batch_norm_backward },
    { 0 },
};
