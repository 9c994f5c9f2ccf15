/* bind_pools.c - maximum and average pooling. */
#include "backends/simd/bind.h"
#include "ops/params.h"

/* `x` is the picture, `y` what it is pooled to. */
static cn_simd_pool windows_of(const cn_view *x, const cn_view *y, const cn_ints *kernel,
                               const cn_ints *stride, const cn_ints *padding)
{
    const int64_t *step = stride->n > 0 ? stride->v : kernel->v;
    const int row = x->shape.ndim - 2, column = x->shape.ndim - 1;
    return (cn_simd_pool){
        .planes = x->numel / (x->shape.dim[row] * x->shape.dim[column]),
        .h = x->shape.dim[row],
        .w = x->shape.dim[column],
        .out_h = y->shape.dim[row],
        .out_w = y->shape.dim[column],
        .kernel_h = kernel->v[0],
        .kernel_w = kernel->v[1],
        .stride_h = step[0],
        .stride_w = step[1],
        .pad_h = padding->v[0],
        .pad_w = padding->v[1],
    };
}

/* ---- maxima -------------------------------------------------------------------------------- */

static bool max_pool(const cn_call *c)
{
    const cn_max_pool_params *p = c->params;
    const cn_simd_pool pool =
        windows_of(cn_in(c, 0), cn_out(c, 0), &p->kernel, &p->stride, &p->padding);
    cn_simd->max_pool(&pool, cn_simd_out(c, 0), cn_simd_in(c, 0), cn_threads());
    return true;
}

static bool max_pool_backward(const cn_call *c)
{
    const cn_max_pool_params *p = c->params;
    const cn_simd_pool pool =
        windows_of(cn_in(c, 1), cn_in(c, 0), &p->kernel, &p->stride, &p->padding);
    cn_simd->max_pool_backward(&pool, cn_simd_out(c, 0), cn_simd_in(c, 0), cn_simd_in(c, 1),
                               cn_threads());
    return true;
}

static const char *refuses_max_backward(const cn_call *c)
{
    const cn_max_pool_params *p = c->params;
    if (p->dilation.v[0] != 1 || p->dilation.v[1] != 1) return "dilated";
    return cn_simd_refuses_sparse(c);
}

/* Callers without room for the indices have no use for them. */
static const char *refuses_max(const cn_call *c)
{
    return c->n_out > 1 ? "indices are wanted" : refuses_max_backward(c);
}

/* ---- averages ------------------------------------------------------------------------------ */

static cn_simd_pool averages_of(const cn_view *x, const cn_view *y, const cn_avg_pool_params *p)
{
    cn_simd_pool pool = windows_of(x, y, &p->kernel, &p->stride, &p->padding);
    pool.count_include_pad = p->count_include_pad;
    return pool;
}

static bool avg_pool(const cn_call *c)
{
    const cn_simd_pool pool = averages_of(cn_in(c, 0), cn_out(c, 0), c->params);
    cn_simd->avg_pool(&pool, cn_simd_out(c, 0), cn_simd_in(c, 0), cn_threads());
    return true;
}

static bool avg_pool_backward(const cn_call *c)
{
    const cn_avg_pool_backward_params *p = c->params;
    const cn_simd_pool pool = averages_of(cn_out(c, 0), cn_in(c, 0), &p->pool);
    cn_simd->avg_pool_backward(&pool, cn_simd_out(c, 0), cn_simd_in(c, 0), cn_threads());
    return true;
}

static const char *refuses_divisor(const cn_call *c, const cn_avg_pool_params *p)
{
    return p->divisor.given ? "a divisor of its own" : cn_simd_refuses_sparse(c);
}

static const char *refuses_avg(const cn_call *c)
{
    return refuses_divisor(c, c->params);
}

static const char *refuses_avg_backward(const cn_call *c)
{
    return refuses_divisor(c, &((const cn_avg_pool_backward_params *)c->params)->pool);
}

const cn_simd_binding cn_simd_pools[] = {
    { CN_OP_ID_max_pool2d_with_indices, max_pool, refuses_max },
    { CN_OP_ID_max_pool2d_backward, max_pool_backward, refuses_max_backward },
    { CN_OP_ID_avg_pool2d, avg_pool, refuses_avg },
    { CN_OP_ID_avg_pool2d_backward, avg_pool_backward, refuses_avg_backward },
    { 0 },
};
