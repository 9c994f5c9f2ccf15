/* convolutions.c - the convolution of images and its two gradients.

   oneDNN chooses the layouts in which it is fastest, usually blocks of channels. Inputs are brought
   into them, blocked results are left so where a tensor can be (core/tensor.h), and weights that do
   not change are brought into theirs once (core/packed.h). */
#include "backends/onednn/plan.h"
#include "core/packed.h"
#include "core/threads.h"
#include "ops/internal.h"
#include "ops/params.h"

#include <string.h>

enum { X, W, Y };

/* Everything that decides a primitive. */
typedef struct Key {
    int64_t pass, x[4], w[5], y[4]; /* w: (groups, out / groups, in / groups, height, width) */
    int64_t stride[2], padding[2], dilation[2];
    int64_t x_block, y_block, has_bias, threads;
} Key;
_Static_assert(sizeof(Key) <= CN_DNNL_KEY_BYTES, "a key fits its slot");

/* Which of x, w, y each pass reads, and which it writes. */
static const struct {
    int in[2], out;
} roles[] = {
    [CN_DNNL_FORWARD] = { { X, W }, Y },
    [CN_DNNL_INPUT] = { { W, Y }, X },
    [CN_DNNL_WEIGHT] = { { X, Y }, W },
};

/* ---- keys ------------------------------------------------------------------------------------ */

static void copy_dims(int64_t *to, const cn_shape *s)
{
    memcpy(to, s->dim, 4 * sizeof *to);
}

static cn_dnnl_pass pass_of(const cn_call *c)
{
    if (c->op->id == CN_OP_ID_convolution2d) return CN_DNNL_FORWARD;
    return c->op->id == CN_OP_ID_conv2d_input ? CN_DNNL_INPUT : CN_DNNL_WEIGHT;
}

static const cn_conv_params *window_of(const cn_call *c, cn_dnnl_pass pass)
{
    if (pass == CN_DNNL_FORWARD) return c->params;
    const cn_conv_gradient_params *p = c->params;
    return &p->conv;
}

static void key_from(Key *k, const cn_call *c)
{
    memset(k, 0, sizeof *k);
    cn_dnnl_pass pass = pass_of(c);
    const cn_conv_params *p = window_of(c, pass);
    const cn_view *of[3];
    of[roles[pass].in[0]] = cn_in(c, 0), of[roles[pass].in[1]] = cn_in(c, 1);
    of[roles[pass].out] = cn_out(c, 0);
    copy_dims(k->x, &of[X]->shape);
    copy_dims(k->w + 1, &of[W]->shape);
    copy_dims(k->y, &of[Y]->shape);
    k->pass = pass, k->threads = cn_threads();
    k->w[0] = p->groups, k->w[1] /= p->groups;
    for (int i = 0; i < 2; i++) {
        k->stride[i] = p->stride.v[i];
        k->padding[i] = p->padding.v[i];
        k->dilation[i] = p->dilation.v[i];
    }
    if (roles[pass].out != X) k->x_block = of[X]->block;
    if (roles[pass].out != Y) k->y_block = of[Y]->block;
    k->has_bias = pass == CN_DNNL_FORWARD && cn_in(c, 2);
}

static int64_t multiplications(const Key *k)
{
    return k->y[0] * k->y[1] * k->y[2] * k->y[3] * k->w[2] * k->w[3] * k->w[4];
}

/* ---- making a plan --------------------------------------------------------------------------- */

static bool describe_rows(cn_dnnl_md *md, int ndim, const int64_t *dims)
{
    int64_t strides[5], step = 1;
    for (int i = ndim - 1; i >= 0; i--) strides[i] = step, step *= dims[i];
    return cn_dnnl_describe(md, ndim, dims, strides);
}

static bool describe_image(cn_dnnl_md *md, const int64_t dims[4], int64_t block)
{
    return block ? cn_dnnl_describe_blocked(md, dims, (int)block) : describe_rows(md, 4, dims);
}

/* The weight's dimensions: groups are a dimension only where there are several. */
static int weight_dims(const Key *k, const int64_t **dims)
{
    bool grouped = k->w[0] > 1;
    *dims = grouped ? k->w : k->w + 1;
    return grouped ? 5 : 4;
}

/* Winograd's F(4, 3) halves the time of 3 x 3 kernels, at a relative error of 1e-6, except for few
   channels, for images that fill less than half of a tile, and for so few tiles that turning the
   weights is most of the work. */
static bool suits_winograd(const Key *k)
{
    int64_t least = k->pass == CN_DNNL_FORWARD ? 32 : 16;
    int64_t tiles = k->y[0] * ((k->y[2] + 3) / 4) * ((k->y[3] + 3) / 4);
    return k->w[0] == 1 && k->w[3] == 3 && k->w[4] == 3 && k->stride[0] == 1 && k->stride[1] == 1 &&
           k->dilation[0] == 1 && k->dilation[1] == 1 && k->w[2] >= least && k->w[1] >= least &&
           k->y[2] >= 3 && k->y[3] >= 3 && tiles >= 64;
}

static bool make_convolution(cn_dnnl_plan *plan, const Key *k, const cn_dnnl_md any[3],
                             const cn_dnnl_md *bias, cn_dnnl_md chosen[3])
{
    cn_dnnl_conv c = { .pass = (cn_dnnl_pass)k->pass,
                       .winograd = suits_winograd(k),
                       .x = &any[X],
                       .w = &any[W],
                       .y = &any[Y],
                       .bias = bias };
    memcpy(c.stride, k->stride, sizeof c.stride);
    memcpy(c.padding, k->padding, sizeof c.padding);
    memcpy(c.dilation, k->dilation, sizeof c.dilation);
    if (c.winograd && cn_dnnl_convolution(&plan->main, &c, chosen, &plan->scratch_bytes))
        return true;
    cn_dnnl_destroy(&plan->main);
    c.winograd = false;
    return cn_dnnl_convolution(&plan->main, &c, chosen, &plan->scratch_bytes);
}

/* An input in the layout `given` goes in as `chosen`. */
static bool make_before(cn_dnnl_plan *plan, int i, const cn_dnnl_md *given,
                        const cn_dnnl_md *chosen)
{
    if (cn_dnnl_same(given, chosen)) return true;
    plan->before_bytes[i] = cn_dnnl_bytes(chosen);
    return cn_dnnl_reorder(&plan->before[i], given, chosen);
}

static bool is_blocked(const int64_t dims[4], const cn_dnnl_md *chosen, int block)
{
    cn_dnnl_md md = { 0 };
    cn_shape s = { .ndim = 4 };
    memcpy(s.dim, dims, 4 * sizeof *dims);
    bool same = cn_can_block(&s, block) && cn_dnnl_describe_blocked(&md, dims, block) &&
                cn_dnnl_same(&md, chosen);
    cn_dnnl_forget(&md);
    return same;
}

/* The result stays in blocks where a tensor can say so; else it is brought into rows. */
static bool make_after(cn_dnnl_plan *plan, const Key *k, const cn_dnnl_md *rows,
                       const cn_dnnl_md *chosen)
{
    if (cn_dnnl_same(rows, chosen)) return true;
    if (k->pass != CN_DNNL_WEIGHT) {
        const int64_t *dims = k->pass == CN_DNNL_FORWARD ? k->y : k->x;
        for (int block = 16; block >= 8; block -= 8)
            if (is_blocked(dims, chosen, block)) return plan->out_block = block, true;
    }
    plan->after_bytes = cn_dnnl_bytes(chosen);
    return cn_dnnl_reorder(&plan->after, chosen, rows);
}

static bool make(cn_dnnl_plan *plan, const void *key)
{
    const Key *k = key;
    cn_dnnl_md given[3] = { 0 }, any[3] = { 0 }, chosen[3] = { 0 }, bias = { 0 };
    const int64_t *w;
    int nw = weight_dims(k, &w), first = roles[k->pass].in[0], second = roles[k->pass].in[1];
    bool ok = describe_image(&given[X], k->x, k->x_block) && describe_rows(&given[W], nw, w) &&
              describe_image(&given[Y], k->y, k->y_block) &&
              cn_dnnl_describe(&any[X], 4, k->x, NULL) && cn_dnnl_describe(&any[W], nw, w, NULL) &&
              cn_dnnl_describe(&any[Y], 4, k->y, NULL) &&
              (!k->has_bias || describe_rows(&bias, 1, &k->y[1]));
    ok = ok && make_convolution(plan, k, any, k->has_bias ? &bias : NULL, chosen) &&
         make_before(plan, 0, &given[first], &chosen[first]) &&
         make_before(plan, 1, &given[second], &chosen[second]) &&
         make_after(plan, k, &given[roles[k->pass].out], &chosen[roles[k->pass].out]);
    for (int i = 0; i < 3; i++)
        cn_dnnl_forget(&given[i]), cn_dnnl_forget(&any[i]), cn_dnnl_forget(&chosen[i]);
    cn_dnnl_forget(&bias);
    return ok;
}

/* ---- running --------------------------------------------------------------------------------- */

/* Room from the caching allocator, for the duration of the call. */
static cn_tensor *room(size_t bytes)
{
    cn_shape s = { 1, { (int64_t)((bytes + 3) / 4) } };
    return cn_tensor_new(&s, CN_F32);
}

static bool reorder(const cn_dnnl_op *op, const void *from, const void *to)
{
    cn_dnnl_point(op, 0, from);
    cn_dnnl_point(op, 1, to);
    return cn_dnnl_run(op);
}

/* Copies of weights differ by everything that decides their layout; most of it is in the plan. */
static uint64_t layout_id(const Key *k)
{
    uint64_t h = 1469598103934665603u;
    const char *bytes = (const char *)k;
    for (size_t i = 0; i < sizeof *k; i++) h = (h ^ (unsigned char)bytes[i]) * 1099511628211u;
    return h;
}

/* The data of input i in the layout of the primitive; NULL: an error is set. */
static const char *brought_in(const cn_dnnl_plan *plan, const Key *k, int i, const cn_tensor *t)
{
    if (!plan->before[i].primitive) return t->v.data;
    bool keep = roles[k->pass].in[i] == W && cn_may_pack(t);
    cn_tensor *copy = keep ? cn_packed_find(t, layout_id(k)) : NULL;
    if (copy) return copy->v.data;
    copy = room(plan->before_bytes[i]);
    if (!copy || !reorder(&plan->before[i], t->v.data, copy->v.data)) return NULL;
    if (keep && !cn_packed_keep(t, layout_id(k), copy)) return NULL;
    return copy->v.data;
}

static bool execute(const cn_dnnl_plan *plan, const Key *k, const cn_call *c)
{
    const char *data[3], *a = brought_in(plan, k, 0, c->in[0]),
                         *b = a ? brought_in(plan, k, 1, c->in[1]) : NULL;
    cn_tensor *out = plan->after.primitive ? room(plan->after_bytes) : c->out[0],
              *scratch = plan->scratch_bytes ? room(plan->scratch_bytes) : NULL;
    if (!a || !b || !out || (plan->scratch_bytes && !scratch)) return false;
    data[roles[k->pass].in[0]] = a, data[roles[k->pass].in[1]] = b;
    data[roles[k->pass].out] = out->v.data;
    for (int i = 0; i < 3; i++) cn_dnnl_point(&plan->main, i, data[i]);
    cn_dnnl_point(&plan->main, 3, scratch ? scratch->v.data : NULL);
    if (k->has_bias) cn_dnnl_point(&plan->main, 4, cn_in(c, 2)->data);
    if (!cn_dnnl_run(&plan->main)) return false;
    if (plan->after.primitive) return reorder(&plan->after, out->v.data, c->out[0]->v.data);
    c->out[0]->v.block = (uint8_t)plan->out_block;
    return true;
}

static bool convolution(const cn_call *c)
{
    Key k;
    key_from(&k, c);
    const cn_dnnl_plan *plan = cn_dnnl_plan_for(&k, sizeof k, make);
    if (!plan) return false;
    size_t mark = cn_mark();
    bool ok = execute(plan, &k, c);
    cn_release(mark);
    return ok;
}

static bool float_rows_or_blocks(const cn_call *c)
{
    for (int i = 0; i < c->n_in; i++) {
        const cn_view *v = cn_in(c, i);
        if (v && (v->dtype != CN_F32 || !v->contiguous)) return false;
    }
    return true;
}

cn_kernel *cn_dnnl_find_convolution(const cn_call *c, const char **why)
{
    Key k;
    if (!float_rows_or_blocks(c)) return cn_dnnl_decline(why, "not float32 in rows or blocks");
    key_from(&k, c);
    if (multiplications(&k) < CN_DNNL_SMALLEST)
        return cn_dnnl_decline(why, "too small to be worth the call");
    if (!cn_dnnl_start()) return cn_dnnl_decline(why, "no engine in this thread");
    const cn_dnnl_plan *plan = cn_dnnl_plan_for(&k, sizeof k, make);
    if (!plan || plan->unusable) return cn_dnnl_decline(why, "oneDNN has no such convolution");
    return convolution;
}
