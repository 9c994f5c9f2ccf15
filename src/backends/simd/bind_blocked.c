/* bind_blocked.c - kernels on images in blocks of channels (core/tensor.h). */
#include "backends/simd/bind.h"
#include "ops/params.h"

/* ---- inputs ---------------------------------------------------------------------------------- */

static int block_of(const cn_call *c)
{
    int block = 0;
    for (int i = 0; i < c->n_in && !block; i++) block = c->in[i] ? cn_in(c, i)->block : 0;
    return block;
}

static cn_tensor *in_blocks(cn_tensor *t, int block)
{
    if (t->v.block == block) return t;
    cn_tensor *b = cn_tensor_new(&t->v.shape, t->v.dtype);
    if (!b) return NULL;
    cn_reorder(b->v.data, &t->v, block, true);
    b->v.block = (uint8_t)block;
    return b;
}

/* Runs `kernel` with the images among the inputs in blocks, as its first result then is. */
static bool with_blocks(const cn_call *c, cn_kernel *kernel)
{
    enum { MOST = 5 };
    size_t mark = cn_mark();
    cn_tensor *in[MOST] = { NULL };
    cn_call k = *c;
    int block = block_of(c);
    bool ok = true;
    for (int i = 0; i < c->n_in && ok; i++) {
        in[i] = c->in[i];
        if (in[i] && in[i]->v.shape.ndim == 4) ok = (in[i] = in_blocks(in[i], block)) != NULL;
    }
    k.in = in;
    ok = ok && kernel(&k);
    c->out[0]->v.block = (uint8_t)block;
    cn_release(mark);
    return ok;
}

/* All float32 without gaps, and every image in blocks or fit for them. */
static const char *refuses_mixture(const cn_call *c)
{
    int block = block_of(c);
    for (int i = 0; i < c->n_in; i++) {
        const cn_view *v = c->in[i] ? cn_in(c, i) : NULL;
        if (!v) continue;
        if (!cn_simd_dense(v)) return "not dense float32";
        if (v->shape.ndim != 4) continue;
        if ((v->block && v->block != block) || !cn_can_block(&v->shape, block))
            return "blocks of several sizes";
    }
    return NULL;
}

/* ---- element by element: in which order they lie does not matter ------------------------------ */

static bool pointwise_kernel(const cn_call *c)
{
    return cn_simd_bound(c->op->id)->kernel(c);
}

static bool pointwise(const cn_call *c)
{
    return with_blocks(c, pointwise_kernel);
}

static const char *refuses_pointwise(const cn_call *c)
{
    const cn_simd_binding *b = cn_simd_bound(c->op->id);
    for (int i = 0; i < c->n_in; i++)
        if (!cn_shape_equal(&cn_in(c, i)->shape, &cn_out(c, 0)->shape)) return "broadcasts";
    return b->refuses ? b->refuses(c) : NULL;
}

/* ---- pooling --------------------------------------------------------------------------------- */

/* x and y are the larger and the smaller images. */
static cn_simd_pool pool_of(const cn_view *x, const cn_view *y, const cn_ints *kernel,
                            const cn_ints *stride, const cn_ints *padding)
{
    const int64_t *step = stride->n > 0 ? stride->v : kernel->v;
    return (cn_simd_pool){ .planes = x->shape.dim[0] * x->shape.dim[1] / cn_simd->width,
                           .h = x->shape.dim[2],
                           .w = x->shape.dim[3],
                           .out_h = y->shape.dim[2],
                           .out_w = y->shape.dim[3],
                           .kernel_h = kernel->v[0],
                           .kernel_w = kernel->v[1],
                           .stride_h = step[0],
                           .stride_w = step[1],
                           .pad_h = padding->v[0],
                           .pad_w = padding->v[1] };
}

static cn_simd_pool max_pool_of(const cn_view *x, const cn_view *y, const cn_max_pool_params *p)
{
    return pool_of(x, y, &p->kernel, &p->stride, &p->padding);
}

static cn_simd_pool avg_pool_of(const cn_view *x, const cn_view *y, const cn_avg_pool_params *p)
{
    cn_simd_pool pool = pool_of(x, y, &p->kernel, &p->stride, &p->padding);
    pool.count_include_pad = p->count_include_pad;
    return pool;
}

static bool max_pool_kernel(const cn_call *c)
{
    cn_simd_pool p = max_pool_of(cn_in(c, 0), cn_out(c, 0), c->params);
    cn_simd->blocked_pool(&p, false, cn_simd_out(c, 0), cn_simd_in(c, 0), cn_threads());
    return true;
}

static bool max_pool(const cn_call *c)
{
    return with_blocks(c, max_pool_kernel);
}

static bool max_pool_backward_kernel(const cn_call *c)
{
    cn_simd_pool p = max_pool_of(cn_in(c, 1), cn_in(c, 0), c->params);
    cn_simd->blocked_pool_backward(&p, cn_simd_out(c, 0), cn_simd_in(c, 0), cn_simd_in(c, 1),
                                   cn_threads());
    return true;
}

static bool max_pool_backward(const cn_call *c)
{
    return with_blocks(c, max_pool_backward_kernel);
}

static const char *refuses_max_pool(const cn_call *c)
{
    const cn_max_pool_params *p = c->params;
    if (p->dilation.v[0] != 1 || p->dilation.v[1] != 1) return "dilated windows";
    return c->n_out > 1 ? "the places are wanted, too" : NULL;
}

static bool avg_pool_kernel(const cn_call *c)
{
    cn_simd_pool p = avg_pool_of(cn_in(c, 0), cn_out(c, 0), c->params);
    cn_simd->blocked_pool(&p, true, cn_simd_out(c, 0), cn_simd_in(c, 0), cn_threads());
    return true;
}

static bool avg_pool(const cn_call *c)
{
    return with_blocks(c, avg_pool_kernel);
}

static const char *refuses_avg_pool(const cn_call *c)
{
    const cn_avg_pool_params *p = c->params;
    return p->divisor.given ? "divides by a given number" : NULL;
}

static bool avg_pool_backward_kernel(const cn_call *c)
{
    const cn_avg_pool_backward_params *b = c->params;
    cn_simd_pool p = avg_pool_of(cn_out(c, 0), cn_in(c, 0), &b->pool);
    cn_simd->blocked_pool_backward(&p, cn_simd_out(c, 0), cn_simd_in(c, 0), NULL, cn_threads());
    return true;
}

static bool avg_pool_backward(const cn_call *c)
{
    return with_blocks(c, avg_pool_backward_kernel);
}

static const char *refuses_avg_pool_backward(const cn_call *c)
{
    const cn_avg_pool_backward_params *b = c->params;
    return b->pool.divisor.given ? "divides by a given number" : NULL;
}

/* ---- batch normalisation --------------------------------------------------------------------- */

static cn_simd_blocked_norm norm_of(const cn_view *x)
{
    return (cn_simd_blocked_norm){ .images = x->shape.dim[0],
                                   .channels = x->shape.dim[1],
                                   .pixels = x->shape.dim[2] * x->shape.dim[3],
                                   .x = (const float *)(const void *)x->data };
}

static const float *optional(const cn_call *c, int i)
{
    return cn_in(c, i) ? cn_simd_in(c, i) : NULL;
}

static bool batch_norm_kernel(const cn_call *c)
{
    const cn_batch_norm_params *p = c->params;
    cn_simd_blocked_norm n = norm_of(cn_in(c, 0));
    n.eps = p->eps;
    n.weight = optional(c, 1), n.bias = optional(c, 2);
    n.out = cn_simd_out(c, 0), n.mean = cn_simd_out(c, 1), n.rstd = cn_simd_out(c, 2);
    cn_simd->blocked_norm(&n, cn_threads());
    return true;
}

static bool batch_norm(const cn_call *c)
{
    return with_blocks(c, batch_norm_kernel);
}

static bool batch_norm_backward_kernel(const cn_call *c)
{
    cn_simd_blocked_norm n = norm_of(cn_in(c, 1));
    n.grad = cn_simd_in(c, 0), n.weight = optional(c, 4);
    n.mean = (float *)(void *)cn_in(c, 2)->data, n.rstd = (float *)(void *)cn_in(c, 3)->data;
    n.out = cn_simd_out(c, 0), n.grad_weight = cn_simd_out(c, 1), n.grad_bias = cn_simd_out(c, 2);
    cn_simd->blocked_norm(&n, cn_threads());
    return true;
}

static bool batch_norm_backward(const cn_call *c)
{
    return with_blocks(c, batch_norm_backward_kernel);
}

/* ---- sums over all but the channels, such as the gradient of a bias --------------------------- */

static bool channel_sums(const cn_call *c)
{
    const cn_view *x = cn_in(c, 0);
    const int64_t images = x->shape.dim[0], channels = x->shape.dim[1],
                  pixels = x->shape.dim[2] * x->shape.dim[3];
    float *of_images = cn_alloc((size_t)(images * channels) * sizeof *of_images);
    if (!of_images) return false;
    const bool ok =
        cn_simd->column_sums(of_images, cn_simd_in(c, 0), images * channels / x->block, pixels,
                             x->block, cn_threads()) &&
        cn_simd->column_sums(cn_simd_out(c, 0), of_images, 1, images, channels, cn_threads());
    cn_free(of_images);
    return ok;
}

static const char *refuses_sum(const cn_call *c)
{
    const cn_reduce_params *p = c->params;
    unsigned mask;
    const bool float32 = p->dtype == CN_NO_DTYPE || p->dtype == CN_F32;
    if (!float32 || cn_in(c, 0)->numel == 0) return "not to float32, or empty";
    if (!cn_dims_mask(&p->dim, 4, c->op->name, &mask)) return "dimensions out of range";
    return mask == 0xd ? NULL : "not over all but the channels";
}

/* ---- the choice ------------------------------------------------------------------------------ */

static const cn_simd_binding pixels[] = {
    { CN_OP_ID_max_pool2d_with_indices, max_pool, refuses_max_pool },
    { CN_OP_ID_max_pool2d_backward, max_pool_backward, refuses_max_pool },
    { CN_OP_ID_avg_pool2d, avg_pool, refuses_avg_pool },
    { CN_OP_ID_avg_pool2d_backward, avg_pool_backward, refuses_avg_pool_backward },
    { CN_OP_ID_sum, channel_sums, refuses_sum },
    { CN_OP_ID_batch_norm_train, batch_norm, NULL },
    { CN_OP_ID_batch_norm_backward, batch_norm_backward, NULL },
    { 0 },
};

static const cn_simd_binding any_order = { 0, pointwise, refuses_pointwise };

static const cn_simd_binding *row_of(const cn_op *op)
{
    if ((op->flags & CN_POINTWISE) && cn_simd_bound(op->id)) return &any_order;
    for (const cn_simd_binding *b = pixels; b->kernel; b++)
        if (b->op == op->id) return b;
    return NULL;
}

cn_kernel *cn_simd_find_blocked(const cn_call *c, const char **why)
{
    const cn_simd_binding *b = row_of(c->op);
    if (!b) return NULL;
    const char *reason = refuses_mixture(c);
    if (!reason && b != &any_order && block_of(c) != cn_simd->width)
        reason = "blocks of another width than its vectors";
    if (!reason && b->refuses) reason = b->refuses(c);
    if (!reason) return b->kernel;
    *why = reason;
    return NULL;
}
