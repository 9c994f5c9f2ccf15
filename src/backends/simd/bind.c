/* bind.c - the provider of our own vector kernels. */
#include "backends/simd/bind.h"

const cn_simd_table *cn_simd;

static const cn_simd_binding *by_op[CN_NUM_OPS];

static void enter(const cn_simd_binding *list)
{
    for (; list->kernel; list++) by_op[list->op] = list;
}

static bool probe(void)
{
    cn_simd = cn_simd_select();
    if (!cn_simd) return false;
    enter(cn_simd_elementwise);
    enter(cn_simd_products);
    enter(cn_simd_networks);
    return true;
}

static const char *refuses_sparse(const cn_call *c)
{
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] && !cn_simd_dense(cn_in(c, i))) return "not dense float32";
    return NULL;
}

static cn_kernel *find(const cn_call *c, const char **why)
{
    const cn_simd_binding *b = by_op[c->op->id];
    if (!b) return NULL;
    const char *reason = b->refuses ? b->refuses(c) : refuses_sparse(c);
    if (!reason) return b->kernel;
    *why = reason;
    return NULL;
}

/* ---- blocked images --------------------------------------------------------------------------

   What is done to each element alone does not care in which order they lie. */

static cn_tensor *in_blocks(cn_tensor *t, int block)
{
    if (t->v.block == block) return t;
    cn_tensor *b = cn_tensor_new(&t->v.shape, t->v.dtype);
    if (!b) return NULL;
    cn_reorder(b->v.data, &t->v, block, true);
    b->v.block = (uint8_t)block;
    return b;
}

static int block_of(const cn_call *c)
{
    int block = 0;
    for (int i = 0; i < c->n_in && !block; i++) block = cn_in(c, i)->block;
    return block;
}

static bool flat(const cn_call *c)
{
    size_t mark = cn_mark();
    cn_tensor *in[2] = { NULL };
    cn_call k = *c;
    int block = block_of(c);
    bool ok = true;
    for (int i = 0; i < c->n_in; i++) ok = (in[i] = in_blocks(c->in[i], block)) && ok;
    k.in = in;
    ok = ok && by_op[c->op->id]->kernel(&k);
    c->out[0]->v.block = (uint8_t)block;
    cn_release(mark);
    return ok;
}

static cn_kernel *find_blocked(const cn_call *c, const char **why)
{
    if (!(c->op->flags & CN_POINTWISE) || c->n_in > 2 || !by_op[c->op->id]) return NULL;
    for (int i = 0; i < c->n_in; i++) {
        const cn_view *v = cn_in(c, i);
        if (cn_simd_dense(v) && cn_shape_equal(&v->shape, &c->out[0]->v.shape) &&
            (!v->block || v->block == block_of(c)))
            continue;
        *why = "not images of one shape in float32";
        return NULL;
    }
    const cn_simd_binding *b = by_op[c->op->id];
    const char *reason = b->refuses ? b->refuses(c) : NULL;
    if (!reason) return flat;
    *why = reason;
    return NULL;
}

extern const cn_provider cn_provider_simd;
const cn_provider cn_provider_simd = { sizeof(cn_provider), "simd", probe, find, find_blocked };
