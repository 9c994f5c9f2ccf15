/* bind_blocked.c - kernels on images in blocks of channels (core/tensor.h). */
#include "backends/simd/bind.h"
#include "ops/params.h"

#include <string.h>

enum { MOST = 8 }; /* inputs */

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

/* One number for each channel: (C, 1, 1) or (1, C, 1, 1). */
static bool is_per_channel(const cn_shape *s, const cn_shape *whole)
{
    const int at = s->ndim - 3;
    return (at == 0 || (at == 1 && s->dim[0] == 1)) && s->dim[at] == whole->dim[1] &&
           s->dim[at + 1] == 1 && s->dim[at + 2] == 1;
}

/* Which input of two has a number per channel where the other one is an image in blocks; -1: none. */
static int per_channel_input(const cn_call *c)
{
    if (c->n_in != 2) return -1;
    const cn_shape *out = &cn_out(c, 0)->shape;
    for (int i = 0; i < 2; i++)
        if (cn_in(c, !i)->block && cn_shape_equal(&cn_in(c, !i)->shape, out) &&
            is_per_channel(&cn_in(c, i)->shape, out))
            return i;
    return -1;
}

/* The piece of v that belongs to plane u: pixels of a block, or one number for each of its channels. */
static cn_view plane_of(const cn_view *v, bool per_channel, int64_t u, int64_t planes, int block)
{
    const int64_t pixels = v->shape.dim[v->shape.ndim - 2] * v->shape.dim[v->shape.ndim - 1];
    cn_view plane = { .data = v->data, .dtype = v->dtype, .contiguous = true };
    plane.shape = CN_SHAPE(per_channel ? 1 : pixels, block);
    plane.numel = per_channel ? block : pixels * block;
    plane.strides[0] = block, plane.strides[1] = 1;
    plane.data += (per_channel ? u % planes : u) * plane.numel * (int64_t)sizeof(float);
    return plane;
}

typedef struct plane_job {
    const cn_call *c;
    int per_channel, block;
    int64_t of_image;
    atomic_bool failed;
} plane_job;

static void run_planes(int64_t first, int64_t last, void *context)
{
    plane_job *p = context;
    const cn_call *c = p->c;
    for (int64_t u = first; u < last; u++) {
        cn_tensor a = { .v = plane_of(cn_in(c, 0), p->per_channel == 0, u, p->of_image, p->block) },
                  b = { .v = plane_of(cn_in(c, 1), p->per_channel == 1, u, p->of_image, p->block) },
                  y = { .v = plane_of(cn_out(c, 0), false, u, p->of_image, p->block) };
        cn_call k = *c;
        k.in = (cn_tensor *[]){ &a, &b }, k.out = (cn_tensor *[]){ &y };
        if (!cn_simd_bound(c->op->id)->kernel(&k)) p->failed = true;
    }
}

static bool along_channels(const cn_call *c)
{
    const cn_view *out = cn_out(c, 0);
    plane_job p = { .c = c, .per_channel = per_channel_input(c), .block = block_of(c) };
    p.of_image = out->shape.dim[1] / p.block;
    const int64_t size = p.block * out->shape.dim[2] * out->shape.dim[3];
    cn_parallel(out->shape.dim[0] * p.of_image, size, run_planes, &p);
    c->out[0]->v.block = (uint8_t)p.block;
    return !p.failed;
}

static const char *refuses_pointwise(const cn_call *c)
{
    const cn_simd_binding *b = cn_simd_bound(c->op->id);
    const int per_channel = per_channel_input(c);
    for (int i = 0; i < c->n_in; i++)
        if (i != per_channel && !cn_shape_equal(&cn_in(c, i)->shape, &cn_out(c, 0)->shape))
            return "broadcasts otherwise than along the channels";
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

/* ---- channels: blocks of one image are neighbours --------------------------------------------- */

/* Some channels of each image, of the larger and of the smaller images. */
typedef struct part {
    char *to;
    const char *from;
    size_t to_step, from_step, bytes; /* from image to image; of one part */
} part;

static size_t image_bytes(const cn_view *v)
{
    const cn_shape *s = &v->shape;
    return (size_t)(s->dim[1] * s->dim[2] * s->dim[3]) * sizeof(float);
}

static void copy_parts(int64_t first, int64_t last, void *context)
{
    const part *p = context;
    for (int64_t i = first; i < last; i++)
        memcpy(p->to + (size_t)i * p->to_step, p->from + (size_t)i * p->from_step, p->bytes);
}

static void copy_channels(const part *p, int64_t images)
{
    part copy = *p;
    cn_parallel(images, (int64_t)(p->bytes / sizeof(float)), copy_parts, &copy);
}

static bool cat_kernel(const cn_call *c)
{
    const cn_view *out = cn_out(c, 0);
    part p = { .to = out->data, .to_step = image_bytes(out) };
    for (int i = 0; i < c->n_in; i++, p.to += p.bytes) {
        p.from = cn_in(c, i)->data;
        p.from_step = p.bytes = image_bytes(cn_in(c, i));
        copy_channels(&p, out->shape.dim[0]);
    }
    return true;
}

static bool cat(const cn_call *c)
{
    return with_blocks(c, cat_kernel);
}

static const char *refuses_cat(const cn_call *c)
{
    const int64_t dim = *(const int64_t *)c->params;
    if (c->n_in > MOST) return "too many images";
    for (int i = 0; i < c->n_in; i++)
        if (cn_in(c, i)->shape.ndim != 4) return "not images only";
    return dim == 1 || dim == -3 ? NULL : "not along the channels";
}

static bool narrow_kernel(const cn_call *c)
{
    const cn_narrow_params *n = c->params;
    const cn_view *x = cn_in(c, 0), *y = cn_out(c, 0);
    const int64_t channels = x->shape.dim[1], first = n->start + (n->start < 0 ? channels : 0);
    part p = { y->data, x->data, image_bytes(y), image_bytes(x), image_bytes(y) };
    p.from += p.from_step / (size_t)channels * (size_t)first;
    copy_channels(&p, x->shape.dim[0]);
    return true;
}

static bool narrow(const cn_call *c)
{
    return with_blocks(c, narrow_kernel);
}

static const char *refuses_narrow(const cn_call *c)
{
    const cn_narrow_params *n = c->params;
    if (n->dim != 1 && n->dim != -3) return "not along the channels";
    const bool whole =
        n->start % block_of(c) == 0 && cn_can_block(&cn_out(c, 0)->shape, block_of(c));
    return whole ? NULL : "a part of a block";
}

/* The sum of each channel, such as the gradient of a bias: of pixels, then of images. */
static bool channel_sums(const cn_call *c)
{
    const cn_shape *s = &cn_in(c, 0)->shape;
    const int64_t block = block_of(c), planes = s->dim[0] * s->dim[1] / block;
    float *sums = cn_alloc((size_t)(planes * block) * sizeof *sums);
    const bool ok =
        sums &&
        cn_simd->column_sums(sums, cn_simd_in(c, 0), planes, s->dim[2] * s->dim[3], block,
                             cn_threads()) &&
        cn_simd->column_sums(cn_simd_out(c, 0), sums, 1, s->dim[0], s->dim[1], cn_threads());
    cn_free(sums);
    return ok;
}

static const char *refuses_sum(const cn_call *c)
{
    const cn_reduce_params *p = c->params;
    unsigned mask;
    if (p->dtype != CN_NO_DTYPE && p->dtype != CN_F32) return "not to float32";
    if (cn_in(c, 0)->numel == 0) return "nothing to add";
    return cn_dims_mask(&p->dim, 4, c->op->name, &mask) && mask == 0xd ? NULL : "not of channels";
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
    n.eps = p->eps, n.relu = p->relu;
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
    n.relu = ((const cn_batch_norm_backward_params *)c->params)->relu;
    n.grad = cn_simd_in(c, 0), n.weight = optional(c, 4), n.bias = optional(c, 5);
    n.mean = (float *)(void *)cn_in(c, 2)->data, n.rstd = (float *)(void *)cn_in(c, 3)->data;
    n.out = cn_simd_out(c, 0), n.grad_weight = cn_simd_out(c, 1), n.grad_bias = cn_simd_out(c, 2);
    cn_simd->blocked_norm(&n, cn_threads());
    return true;
}

static bool batch_norm_backward(const cn_call *c)
{
    return with_blocks(c, batch_norm_backward_kernel);
}

/* ---- the choice ------------------------------------------------------------------------------ */

static const cn_simd_binding pixels[] = {
    { CN_OP_ID_max_pool2d_with_indices, max_pool, refuses_max_pool },
    { CN_OP_ID_max_pool2d_backward, max_pool_backward, refuses_max_pool },
    { CN_OP_ID_avg_pool2d, avg_pool, refuses_avg_pool },
    { CN_OP_ID_avg_pool2d_backward, avg_pool_backward, refuses_avg_pool_backward },
    { CN_OP_ID_cat, cat, refuses_cat },
    { CN_OP_ID_narrow_copy, narrow, refuses_narrow },
    { CN_OP_ID_sum, channel_sums, refuses_sum },
    { CN_OP_ID_batch_norm_train, batch_norm, NULL },
    { CN_OP_ID_batch_norm_backward, batch_norm_backward, NULL },
    { 0 },
};

static const cn_simd_binding any_order = { 0, pointwise, refuses_pointwise };
static const cn_simd_binding by_channel = { 0, along_channels, refuses_pointwise };

static const cn_simd_binding *of_pixels(int op)
{
    for (const cn_simd_binding *b = pixels; b->kernel; b++)
        if (b->op == op) return b;
    return NULL;
}

bool cn_simd_knows_blocked(int op)
{
    return of_pixels(op) != NULL;
}

static const cn_simd_binding *row_of(const cn_call *c)
{
    const cn_op *op = c->op;
    if (!(op->flags & CN_POINTWISE) || !cn_simd_bound(op->id)) return of_pixels(op->id);
    return per_channel_input(c) >= 0 ? &by_channel : &any_order;
}

cn_kernel *cn_simd_find_blocked(const cn_call *c, const char **why)
{
    const cn_simd_binding *b = row_of(c);
    if (!b) return NULL;
    const char *reason = refuses_mixture(c);
    if (!reason && b != &any_order && b != &by_channel && block_of(c) != cn_simd->width)
        reason = "blocks of another width than its vectors";
    if (!reason && b->refuses) reason = b->refuses(c);
    if (!reason) return b->kernel;
    *why = reason;
    return NULL;
}
