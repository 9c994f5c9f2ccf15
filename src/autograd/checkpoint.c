/* checkpoint.c - recomputation: a custom function whose backward runs its forward again.

   The first run is recorded, only to see which tensors outside its graph ends at: inputs, and those
   that the function took from its context. The call depends on these. The record is then dropped, and with
   it everything that was saved. Backward repeats the run and goes through the new record; what leaves it
   goes on along the edges of the call. Both runs make their calls in a region of their own, which
   tells them from calls outside. */
#include "autograd/checkpoint.h"

#include "autograd/custom.h"
#include "core/autocast.h"

/* A generator as it was when the first run came to it. */
typedef struct {
    cn_rng *rng;
    cn_rng then, now;
} Draw;

typedef struct Run {
    struct Run *outer; /* the first run that this one is part of */
    cn_function *f;
    void *context;
    void (*release)(void *context);
    cn_tensor *const *in; /* during the first run */
    int n_in, n_draws;
    Draw *draws;
    cn_autocast cast; /* as it was for the first run */
} Run;

static _Thread_local Run *first_run; /* the innermost that is under way */
static _Thread_local bool recomputing;

bool cn_recomputing(void)
{
    return recomputing;
}

/* ---- generators ---------------------------------------------------------------------------- */

static bool note_generator(Run *r, cn_rng *rng)
{
    for (int i = 0; i < r->n_draws; i++)
        if (r->draws[i].rng == rng) return true;
    Draw *draws = cn_realloc(r->draws, ((size_t)r->n_draws + 1) * sizeof *draws);
    if (!draws) return false;
    r->draws = draws;
    draws[r->n_draws++] = (Draw){ .rng = rng, .then = *rng };
    return true;
}

bool cn_before_drawing(cn_rng *rng)
{
    for (Run *r = first_run; r; r = r->outer)
        if (!note_generator(r, rng)) return false;
    return true;
}

static void rewind_generators(Run *r)
{
    for (int i = 0; i < r->n_draws; i++) {
        r->draws[i].now = *r->draws[i].rng;
        *r->draws[i].rng = r->draws[i].then;
    }
}

static void restore_generators(Run *r)
{
    for (int i = 0; i < r->n_draws; i++) *r->draws[i].rng = r->draws[i].now;
}

/* ---- the edge of a region ------------------------------------------------------------------ */

static uint32_t new_region(void)
{
    static atomic_uint last;
    uint32_t region = atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
    return region ? region : new_region(); /* 0 is what calls outside belong to */
}

static bool depend_on(cn_custom_call *call, const cn_edge *e)
{
    for (int i = 0; i < call->n_depends; i++) {
        const cn_edge *known = &call->depends[i];
        if (known->node == e->node && known->leaf == e->leaf && known->out_index == e->out_index)
            return true;
    }
    cn_edge *depends = cn_realloc(call->depends, ((size_t)call->n_depends + 1) * sizeof *depends);
    if (!depends) return false;
    call->depends = depends;
    cn_edge *own = &depends[call->n_depends++];
    *own = (cn_edge){ .node = e->node, .leaf = cn_ref(e->leaf), .spec = e->spec };
    if (own->node) {
        own->out_index = e->out_index;
        atomic_fetch_add_explicit(&own->node->refs, 1, memory_order_relaxed);
    } else {
        own->version = own->leaf->storage->version;
    }
    return true;
}

static bool follow(cn_custom_call *call, cn_heap *heap, uint32_t region, const cn_edge *e)
{
    if (!cn_edge_wants(e)) return true;
    if (e->node && e->node->region == region) return cn_heap_push(heap, e->node);
    return depend_on(call, e);
}

/* Makes the call depend on all that y's graph reaches outside of the region. */
static bool find_edge(cn_custom_call *call, cn_tensor *y, uint32_t region)
{
    cn_heap heap;
    cn_heap_init(&heap);
    cn_edge root = { .node = y->node, .leaf = y->requires_grad && !y->node ? y : NULL };
    root.out_index = y->out_index, root.spec = (cn_spec){ y->v.dtype, y->v.shape };
    bool ok = follow(call, &heap, region, &root);
    while (ok && heap.count) {
        const cn_node *node = cn_heap_pop(&heap);
        for (int i = 0; i < node->n_in && ok; i++)
            ok = follow(call, &heap, region, &node->edges[i]);
    }
    cn_heap_free(&heap);
    return ok;
}

/* ---- both runs ----------------------------------------------------------------------------- */

static cn_tensor *run_recorded(const Run *r, cn_tensor *const *in, uint32_t region)
{
    uint32_t was_in = cn_set_region(region);
    bool was = cn_set_grad_enabled(true);
    cn_autocast cast = cn_autocast_enter(&r->cast); /* copies of parameters stay in the region */
    cn_tensor *y = r->f(in, r->context);
    cn_autocast_leave(cast);
    cn_set_grad_enabled(was);
    cn_set_region(was_in);
    if (!y) cn_fail(CN_EINVALID, "checkpoint: the function returned NULL");
    return y;
}

static bool checkpoint_forward(cn_custom_call *call, cn_tensor *const *none, cn_tensor **out,
                               void *context)
{
    Run *r = context;
    uint32_t region = new_region();
    (void)none;
    r->outer = first_run, first_run = r;
    bool ok = note_generator(r, cn_default_rng());
    cn_tensor *y = ok ? run_recorded(r, r->in, region) : NULL;
    first_run = r->outer;
    for (int i = 0; i < r->n_in && y; i++)
        if (!cn_save_for_backward(call, r->in[i])) return false;
    if (!y || !find_edge(call, y, region)) return false;
    out[0] = cn_detach(y);
    return out[0] != NULL;
}

static bool unchanged(const cn_node *node)
{
    for (int i = 0; i < node->n_in; i++) {
        const cn_edge *e = &node->edges[i];
        if (e->leaf && e->version != e->leaf->storage->version)
            return cn_fail(CN_EINVALID,
                           "checkpoint: a leaf was changed in place between forward and backward");
    }
    return true;
}

static cn_tensor *recompute(Run *r, cn_tensor *const *in, uint32_t region)
{
    Run *was_first = first_run;
    bool was = recomputing;
    first_run = NULL, recomputing = true;
    rewind_generators(r);
    cn_tensor *y = run_recorded(r, in, region);
    restore_generators(r);
    first_run = was_first, recomputing = was;
    return y;
}

static bool checkpoint_backward(cn_custom_call *call, cn_tensor *const *grad_out,
                                cn_tensor **grad_in, void *context)
{
    Run *r = context;
    const cn_node *node = call->grads->node;
    uint32_t region = new_region();
    (void)grad_in; /* gradients go along the edges that find_edge() made */
    cn_tensor **in = cn_alloc(((size_t)r->n_in + 1) * sizeof(cn_tensor *));
    bool ok = in && unchanged(node);
    for (int i = 0; i < r->n_in && ok; i++) ok = (in[i] = cn_saved(call, i)) != NULL;
    bool watched = cn_detect_anomaly(call->grads->engine->watching);
    size_t label = cn_label_push(node->note);
    cn_tensor *y = ok ? recompute(r, in, region) : NULL;
    ok = y && cn_backward_within(call->grads, region, &y, grad_out, 1);
    cn_label_pop(label);
    cn_detect_anomaly(watched);
    cn_free(in);
    return ok;
}

static void checkpoint_release(void *context)
{
    Run *r = context;
    if (r->release) r->release(r->context);
    cn_free(r->draws);
    cn_free(r);
}

static const cn_custom checkpoint = {
    .name = "checkpoint",
    .forward = checkpoint_forward,
    .backward = checkpoint_backward,
    .release = checkpoint_release,
};

/* Nothing to recompute for when nothing is recorded. */
static cn_tensor *run_plainly(cn_function *f, cn_tensor *const *in, void *context,
                              void (*release)(void *context))
{
    cn_tensor *y = f(in, context);
    if (release) release(context);
    return y;
}

cn_tensor *cn_checkpoint_owning(cn_function *f, cn_tensor *const *in, int n, void *context,
                                void (*release)(void *context))
{
    bool present = n >= 0;
    for (int i = 0; i < n; i++) present &= in[i] != NULL;
    if (present && !cn_grad_enabled()) return run_plainly(f, in, context, release);
    Run *r = present ? cn_alloc(sizeof *r) : NULL;
    if (!r) {
        if (release) release(context);
        return NULL;
    }
    *r = (Run){ .f = f, .context = context, .release = release, .in = in, .n_in = n };
    r->cast = cn_autocast_now();
    cn_tensor *y;
    return cn_custom_function(&checkpoint, NULL, 0, &y, 1, r) ? y : NULL;
}

cn_tensor *cn_checkpoint(cn_function *f, cn_tensor *const *in, int n, void *context)
{
    return cn_checkpoint_owning(f, in, n, context, NULL);
}
