/* backward.c - reverse mode.

   Calls are visited from the deepest up (heap.h), so when it is a call's turn all that use its
   results have handed in their gradients. Nothing recurses. */
#include "autograd/engine.h"
#include "core/anomaly.h"
#include "core/autocast.h"
#include "core/profile.h"

/* ---- adding gradients ---------------------------------------------------------------------- */

static const cn_op *op_named(const char *name, const cn_op **cache)
{
    if (!*cache) *cache = cn_op_find(name);
    return *cache;
}

/* `over`: the sum may take a's place. */
static cn_tensor *sum_of(cn_tensor *a, cn_tensor *b, bool over)
{
    static const cn_op *add;
    struct {
        cn_number_arg alpha;
    } params = { { .kind = CN_NUM_INT, .u.i = 1 } };
    cn_tensor *in[] = { a, b };
    const cn_op *op = op_named("add", &add);
    if (over && cn_apply_over(op, in, 2, &params)) return a;
    return cn_ok() ? cn_apply1(op, in, 2, &params) : NULL;
}

/* May this gradient become the stored one, or does someone else look at its memory? */
static bool unshared(const cn_tensor *g)
{
    return g->refs == 1 && g->storage->refs == 1 && !g->is_view && g->v.contiguous && !g->node;
}

static cn_tensor *private_copy(cn_tensor *g)
{
    cn_tensor *copy = cn_plain(g) ? cn_tensor_new(&g->v.shape, g->v.dtype) : NULL;
    if (copy) cn_copy_view(&copy->v, &g->v);
    return copy;
}

/* *slot += g, where *slot owns its tensor. `stored` gradients outlive this pass. */
static bool accumulate(const cn_engine *e, cn_tensor **slot, cn_tensor *g, bool stored)
{
    if (!*slot) {
        if (stored && !e->create && !unshared(g)) g = private_copy(g);
        *slot = cn_ref(g);
        return g != NULL;
    }
    cn_tensor *old = *slot;
    bool mine = old->refs == 1 && old->storage->refs == 1 && !old->is_view && !old->node;
    cn_tensor *sum = sum_of(old, g, mine && !e->create);
    if (!sum) return false;
    if (sum == old) return true;
    *slot = cn_ref(sum);
    cn_drop(old);
    return true;
}

/* ---- what gradient rules use --------------------------------------------------------------- */

int cn_grad_inputs(const cn_grads *g)
{
    return g->node->n_in;
}

const void *cn_grad_params(const cn_grads *g)
{
    return g->node->params;
}

const cn_shape *cn_in_shape(const cn_grads *g, int i)
{
    return &g->node->edges[i].spec.shape;
}

cn_dtype cn_in_dtype(const cn_grads *g, int i)
{
    return g->node->edges[i].spec.dtype;
}

bool cn_has_gout(const cn_grads *g, int i)
{
    return g->node->results[i].grad != NULL;
}

cn_tensor *cn_gout(cn_grads *g, int i)
{
    cn_result *r = &g->node->results[i];
    return r->grad ? r->grad : cn_zeros(r->spec.shape, r->spec.dtype);
}

bool cn_gout_is_free(const cn_grads *g, int i)
{
    const cn_tensor *t = g->node->results[i].grad;
    return t && !g->engine->create && unshared(t);
}

static bool unchanged(const cn_grads *g, const cn_tensor *t, uint32_t version)
{
    if (t->storage->version == version) return true;
    return cn_fail(CN_EINVALID, "backward of %s: a tensor it needs was changed in place since",
                   cn_node_name(g->node));
}

cn_tensor *cn_saved_in(cn_grads *g, int i)
{
    if (i >= g->node->n_in) return NULL;
    const cn_edge *e = &g->node->edges[i];
    return e->saved && unchanged(g, e->saved, e->version) ? e->saved : NULL;
}

cn_tensor *cn_saved_out(cn_grads *g, int i)
{
    const cn_result *r = &g->node->results[i];
    if (!r->saved || !unchanged(g, r->saved, r->version)) return NULL;
    if (!g->engine->create || !cn_dtype_is_graded(r->spec.dtype)) return r->saved;
    cn_tensor *t = cn_tensor_view(r->saved, &r->saved->v); /* with its place in the graph again */
    if (!t) return NULL;
    t->node = g->node, t->out_index = (uint8_t)i, t->requires_grad = true;
    atomic_fetch_add_explicit(&g->node->refs, 1, memory_order_relaxed);
    return t;
}

bool cn_wants(const cn_grads *g, int i)
{
    return i < g->node->n_in && cn_edge_wants(&g->node->edges[i]);
}

static cn_tensor *fit(cn_tensor *t, const cn_spec *spec)
{
    static const cn_op *sum_to_size, *to;
    if (!cn_shape_equal(&t->v.shape, &spec->shape)) {
        cn_ints size = { .n = spec->shape.ndim };
        memcpy(size.v, spec->shape.dim, sizeof size.v);
        t = cn_apply1(op_named("sum_to_size", &sum_to_size), &t, 1, &size);
    }
    if (!t || t->v.dtype == spec->dtype) return t;
    int32_t dtype = (int32_t)spec->dtype;
    return cn_apply1(op_named("to", &to), &t, 1, &dtype);
}

static cn_tensor *run_hooks(const cn_hook *h, int out_index, cn_tensor *g)
{
    while (h && g) {
        const cn_hook *next = h->next; /* a hook may remove itself */
        if (h->out_index == out_index && h->call) g = h->call(g, h->context);
        h = next;
    }
    if (!g) cn_fail(CN_EINVALID, "a gradient hook returned NULL");
    return g;
}

static void run_leaf_hooks(cn_tensor *leaf)
{
    for (const cn_hook *h = leaf->hooks, *next; h; h = next) {
        next = h->next;
        if (h->after) h->after(leaf, h->context);
    }
}

static cn_capture *captured(const cn_engine *e, const cn_node *node, int out_index,
                            const cn_tensor *leaf)
{
    for (int i = 0; i < e->n_captures; i++) {
        const cn_tensor *t = e->captures[i].target;
        if (node ? t->node == node && t->out_index == out_index : t == leaf) return &e->captures[i];
    }
    return NULL;
}

static bool store_leaf(cn_engine *e, cn_tensor *leaf, cn_tensor *g)
{
    if (!e->captures) return cn_plain(g) && accumulate(e, &leaf->grad, g, true);
    cn_capture *c = captured(e, NULL, 0, leaf);
    return !c || accumulate(e, &c->grad, g, false);
}

/* A hook sees the whole gradient: that of a leaf with hooks is collected until the pass is over. */
static bool collect(cn_engine *e, cn_tensor *leaf, cn_tensor *g)
{
    int i = 0;
    while (i < e->n_hooked && e->hooked[i].target != leaf) i++;
    if (i == e->n_hooked) {
        cn_capture *hooked = cn_realloc(e->hooked, (size_t)(i + 1) * sizeof *hooked);
        if (!hooked) return false;
        e->hooked = hooked;
        e->hooked[e->n_hooked++] = (cn_capture){ .target = cn_ref(leaf) };
    }
    return accumulate(e, &e->hooked[i].grad, g, false);
}

static bool settle_one(cn_engine *e, const cn_capture *c)
{
    cn_tensor *g = run_hooks(c->target->hooks, 0, c->grad);
    if (!g || !store_leaf(e, c->target, g)) return false;
    if (!e->captures) run_leaf_hooks(c->target);
    return cn_ok();
}

static bool settle(cn_engine *e, bool ok)
{
    size_t mark = cn_mark();
    for (int i = 0; i < e->n_hooked; i++) {
        ok = ok && e->hooked[i].grad && settle_one(e, &e->hooked[i]);
        cn_drop(e->hooked[i].grad);
        cn_drop(e->hooked[i].target);
    }
    cn_release(mark);
    cn_free(e->hooked);
    return ok;
}

static bool deliver_leaf(cn_engine *e, cn_tensor *leaf, cn_tensor *g)
{
    return leaf->hooks ? collect(e, leaf, g) : store_leaf(e, leaf, g);
}

static bool deliver(cn_engine *e, cn_node *node, int out_index, cn_tensor *leaf, cn_tensor *g);

/* Where a recomputed graph ends the pass it belongs to goes on, along the edges that its call
   recorded: they are what puts that pass's calls into order. */
static bool deliver_outside(cn_engine *e, cn_node *node, int out_index, cn_tensor *leaf,
                            cn_tensor *g)
{
    const cn_node *call = e->outer->node;
    for (int i = 0; i < call->n_in; i++) {
        const cn_edge *to = &call->edges[i];
        if (node ? to->node == node && to->out_index == out_index : leaf && to->leaf == leaf)
            return deliver(e->outer->engine, node, out_index, leaf, g);
    }
    return cn_fail(CN_EINVALID, "checkpoint: recomputing used a tensor that the first run did not");
}

static bool deliver(cn_engine *e, cn_node *node, int out_index, cn_tensor *leaf, cn_tensor *g)
{
    if (e->outer && (leaf || node->region != e->region))
        return deliver_outside(e, node, out_index, leaf, g);
    if (leaf) return deliver_leaf(e, leaf, g);
    return accumulate(e, &node->results[out_index].grad, g, false) && cn_heap_push(&e->heap, node);
}

static bool without_nan(const cn_node *node, int i, cn_tensor *g)
{
    if (!cn_has_nan(g)) return true;
    return cn_fail(CN_EINVALID,
                   "backward of %s%s%s: the gradient of input %d has NaN, the one it was made from "
                   "has none",
                   cn_node_name(node), node->note ? ", called in " : "",
                   node->note ? node->note : "", i);
}

void cn_give(cn_grads *g, int i, cn_tensor *gradient)
{
    if (!gradient || !cn_wants(g, i)) return;
    cn_edge *edge = &g->node->edges[i];
    cn_tensor *t = fit(gradient, &edge->spec);
    if (t && g->engine->watching && !without_nan(g->node, i, t)) return;
    if (t) deliver(g->engine, edge->node, edge->out_index, edge->leaf, t);
}

/* ---- the pass ------------------------------------------------------------------------------ */

static bool capture_outputs(cn_engine *e, cn_node *node)
{
    for (int i = 0; i < node->n_out; i++) {
        cn_capture *c = node->results[i].grad ? captured(e, node, i, NULL) : NULL;
        if (c && !accumulate(e, &c->grad, node->results[i].grad, false)) return false;
    }
    return true;
}

static bool apply_hooks(cn_node *node)
{
    for (int i = 0; node->hooks && i < node->n_out; i++) {
        cn_tensor *old = node->results[i].grad;
        if (!old) continue;
        cn_tensor *now = run_hooks(node->hooks, i, old);
        if (!now) return false;
        if (now == old) continue;
        node->results[i].grad = cn_ref(now);
        cn_drop(old);
    }
    return true;
}

/* What cn_retain_grad() asked for; it sees what the hooks made of the gradient. */
static bool retain_gradients(cn_engine *e, cn_node *node)
{
    for (int i = 0; i < node->n_out; i++) {
        cn_result *r = &node->results[i];
        if ((node->retains >> i & 1) && r->grad && !accumulate(e, &r->kept, r->grad, true))
            return false;
    }
    return true;
}

/* A rule that makes NaN of a gradient without one is what anomaly mode looks for. */
static void visit_watched(cn_engine *e, cn_node *node)
{
    bool clean = true;
    for (int i = 0; i < node->n_out && clean; i++)
        clean = !node->results[i].grad || !cn_has_nan(node->results[i].grad);
    e->watching = clean;
    cn_grads g = { e, node };
    node->op->backward(&g);
    e->watching = true;
}

static bool visit(cn_engine *e, cn_node *node)
{
    if (node->consumed)
        return cn_fail(CN_EINVALID,
                       "backward: the graph of %s was freed by an earlier backward; "
                       "pass .retain_graph = true to the first",
                       cn_node_name(node));
    if (!apply_hooks(node) || !capture_outputs(e, node)) return false;
    if (node->retains && !retain_gradients(e, node)) return false;
    size_t frame = e->profiled ? cn_profile_enter(cn_node_name(node), CN_PROFILE_RULE) : 0;
    if (e->watching) {
        visit_watched(e, node);
    } else {
        cn_grads g = { e, node };
        node->op->backward(&g);
    }
    if (e->profiled) cn_profile_leave(frame, NULL);
    return cn_ok();
}

static void forget_gradients(cn_node *node)
{
    for (int i = 0; i < node->n_out; i++) {
        cn_tensor *g = node->results[i].grad;
        node->results[i].grad = NULL;
        cn_drop(g);
    }
}

static bool run(cn_engine *e)
{
    bool ok = true, was = cn_set_grad_enabled(e->create);
    e->watching = cn_detect_anomaly(false); /* of backward, rules are to blame, not their ops */
    bool watched = e->watching, phase = cn_profile_backward(true);
    e->profiled = cn_profiling();
    cn_autocast cast = cn_autocast_enter(&(cn_autocast){ .on = false }); /* types are as recorded */
    while (e->heap.count) {
        size_t mark = cn_mark();
        cn_node *node = cn_heap_pop(&e->heap);
        ok = ok && visit(e, node);
        forget_gradients(node);
        if (ok && !e->retain) cn_node_consume(node);
        cn_release(mark);
    }
    ok = settle(e, ok);
    cn_autocast_leave(cast);
    cn_profile_backward(phase);
    cn_detect_anomaly(watched);
    cn_set_grad_enabled(was);
    cn_heap_free(&e->heap);
    return ok;
}

static bool check_root(cn_tensor *out, cn_tensor *cotangent)
{
    char a[128], b[128];
    if (!out) return cn_fail(CN_EINVALID, "backward: the output is NULL");
    if (!cn_refresh(out)) return false;
    if (!out->requires_grad)
        return cn_fail(CN_EINVALID,
                       "backward: the output does not depend on anything that requires "
                       "gradients");
    if (!cotangent && out->v.numel != 1)
        return cn_fail(CN_EINVALID,
                       "backward: an output of shape %s needs a cotangent; only a single "
                       "number has an implied one",
                       cn_shape_text(&out->v.shape, a));
    if (cotangent && !cn_shape_equal(&out->v.shape, &cotangent->v.shape))
        return cn_fail(CN_EINVALID, "backward: cotangent of shape %s for an output of shape %s",
                       cn_shape_text(&cotangent->v.shape, a), cn_shape_text(&out->v.shape, b));
    return true;
}

static bool seed(cn_engine *e, cn_tensor *const *outs, cn_tensor *const *cotangents, int n)
{
    for (int i = 0; i < n; i++) {
        cn_tensor *c = cotangents ? cotangents[i] : NULL;
        if (!check_root(outs[i], c)) return false;
        if (!c && cn_dtype_is_complex(outs[i]->v.dtype))
            return cn_fail(CN_EINVALID, "backward: a complex output needs a cotangent");
        if (!c) c = cn_ones(outs[i]->v.shape, outs[i]->v.dtype);
        cn_spec spec = { outs[i]->v.dtype, outs[i]->v.shape };
        if (c) c = fit(c, &spec);
        if (!c || !deliver(e, outs[i]->node, outs[i]->out_index, outs[i]->node ? NULL : outs[i], c))
            return false;
    }
    return true;
}

static bool backward(cn_engine *e, cn_tensor *const *outs, cn_tensor *const *cotangents, int n)
{
    if (!cn_ok()) return false;
    size_t mark = cn_mark();
    bool ok = seed(e, outs, cotangents, n);
    ok = run(e) && ok;
    cn_release(mark);
    return ok && cn_ok();
}

static cn_backward_options resolve(const cn_backward_options *given)
{
    cn_backward_options o = { 0 };
    if (given) memcpy(&o, given, given->size && given->size < sizeof o ? given->size : sizeof o);
    return o;
}

static void engine_init(cn_engine *e, const cn_backward_options *o)
{
    cn_heap_init(&e->heap);
    e->captures = NULL, e->n_captures = 0;
    e->hooked = NULL, e->n_hooked = 0;
    e->retain = o->retain_graph || o->create_graph, e->create = o->create_graph;
    e->outer = NULL, e->region = 0, e->watching = e->profiled = false;
}

bool cn_backward_of(cn_tensor *const *outs, cn_tensor *const *cotangents, int n,
                    const cn_backward_options *options)
{
    cn_backward_options o = resolve(options);
    cn_engine e;
    engine_init(&e, &o);
    return backward(&e, outs, cotangents, n);
}

bool cn_backward_within(cn_grads *outer, uint32_t region, cn_tensor *const *outs,
                        cn_tensor *const *cotangents, int n)
{
    cn_engine e;
    engine_init(&e, &(cn_backward_options){ .create_graph = outer->engine->create });
    e.outer = outer, e.region = region;
    return backward(&e, outs, cotangents, n);
}

bool cn_backward(cn_tensor *loss)
{
    return cn_backward_of(&loss, NULL, 1, NULL);
}

static bool hand_out(cn_capture *c, int n, cn_tensor **grads, bool allow_unused)
{
    bool ok = true;
    for (int i = 0; i < n; i++) {
        grads[i] = c[i].grad ? cn_scope_add(c[i].grad) : NULL;
        if (!grads[i] && !allow_unused)
            ok = cn_fail(CN_EINVALID,
                         "grad_of: the outputs do not depend on input %d; pass "
                         ".allow_unused = true to get NULL for it",
                         i);
    }
    return ok;
}

bool cn_grad_of(cn_tensor *const *outs, cn_tensor *const *cotangents, int n,
                cn_tensor *const *inputs, int n_inputs, cn_tensor **grads,
                const cn_backward_options *options)
{
    cn_backward_options o = resolve(options);
    memset(grads, 0, (size_t)n_inputs * sizeof *grads);
    for (int i = 0; i < n_inputs; i++) {
        if (!inputs[i]) return cn_fail(CN_EINVALID, "grad_of: input %d is NULL", i);
        if (!cn_refresh(inputs[i])) return false;
    }
    cn_capture *captures = cn_alloc_zeroed((size_t)n_inputs * sizeof *captures);
    if (!captures) return false;
    for (int i = 0; i < n_inputs; i++) captures[i].target = inputs[i];
    cn_engine e;
    engine_init(&e, &o);
    e.captures = captures, e.n_captures = n_inputs;
    bool ok = backward(&e, outs, cotangents, n);
    ok = hand_out(captures, n_inputs, grads, o.allow_unused || !ok) && ok;
    cn_free(captures);
    return ok;
}
