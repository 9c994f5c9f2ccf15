/* tape.c - recording calls and freeing the record. */
#include "autograd/custom.h"
#include "core/anomaly.h"

#include <string.h>

#define FAST_TLS _Thread_local __attribute__((tls_model("initial-exec")))

static FAST_TLS bool grad_disabled;
static FAST_TLS uint32_t current_region;

uint32_t cn_set_region(uint32_t region)
{
    uint32_t was = current_region;
    current_region = region;
    return was;
}

bool cn_grad_enabled(void)
{
    return !grad_disabled;
}

bool cn_set_grad_enabled(bool on)
{
    bool was = !grad_disabled;
    grad_disabled = !on;
    return was;
}

/* ---- freeing ------------------------------------------------------------------------------- */

void cn_dead_tensor(cn_dead *dead, cn_tensor *t)
{
    if (!t || !cn_last_reference(&t->refs)) return;
    t->next_dead = dead->tensors;
    dead->tensors = t;
}

void cn_dead_node(cn_dead *dead, cn_node *node)
{
    if (!node || !cn_last_reference(&node->refs)) return;
    node->next_dead = dead->nodes;
    dead->nodes = node;
}

void cn_hooks_free(cn_hook *hooks)
{
    while (hooks) {
        cn_hook *next = hooks->next;
        cn_free(hooks);
        hooks = next;
    }
}

void cn_node_bury(cn_dead *dead)
{
    cn_node *node = dead->nodes;
    dead->nodes = node->next_dead;
    for (int i = 0; i < node->n_in; i++) {
        cn_dead_node(dead, node->edges[i].node);
        cn_dead_tensor(dead, node->edges[i].leaf);
        cn_dead_tensor(dead, node->edges[i].saved);
    }
    for (int i = 0; i < node->n_out; i++) {
        cn_dead_tensor(dead, node->results[i].saved);
        cn_dead_tensor(dead, node->results[i].grad);
        cn_dead_tensor(dead, node->results[i].kept);
    }
    if (node->op->release) node->op->release(node->params);
    cn_hooks_free(node->hooks);
    cn_free(node->note);
    cn_free(node);
}

void cn_node_consume(cn_node *node)
{
    for (int i = 0; i < node->n_in; i++) {
        cn_drop(node->edges[i].saved);
        node->edges[i].saved = NULL;
    }
    for (int i = 0; i < node->n_out; i++) {
        cn_drop(node->results[i].saved);
        node->results[i].saved = NULL;
    }
    node->consumed = true;
}

/* ---- recording ----------------------------------------------------------------------------- */

static void copy_spec(cn_spec *spec, const cn_tensor *t)
{
    spec->dtype = t->v.dtype;
    spec->shape = t->v.shape; /* whole: a copy of fixed size is cheaper than a loop */
}

static cn_node *node_new(const cn_call *c)
{
    size_t edges = (size_t)c->n_in * sizeof(cn_edge),
           results = (size_t)c->n_out * sizeof(cn_result);
    cn_node *n = cn_alloc(sizeof *n + edges + results + c->op->params_size);
    if (!n) return NULL;
    *n = (cn_node){ .op = c->op, .n_in = c->n_in, .n_out = c->n_out, .region = current_region };
    atomic_init(&n->refs, 0);
    n->results = (cn_result *)((char *)n->edges + edges);
    n->params = (char *)n->results + results;
    if (c->op->params_size) memcpy(n->params, c->params, c->op->params_size);
    return n;
}

cn_tensor *cn_tape_save(cn_tensor *t)
{
    if (!t->base) return cn_ref(t);
    cn_tensor *s = cn_tensor_view_owned(t, &t->v);
    if (s) cn_tape_adopt(s, t);
    return s;
}

static bool connect(cn_node *n, int i, cn_tensor *t, bool save)
{
    cn_edge *e = &n->edges[i];
    e->node = NULL, e->leaf = NULL, e->saved = NULL;
    if (!t) return true;
    copy_spec(&e->spec, t);
    if (save && !(e->saved = cn_tape_save(t))) return false;
    e->version = t->storage->version;
    if (!t->requires_grad) return true;
    if (t->node) {
        e->node = t->node;
        e->out_index = t->out_index;
        atomic_fetch_add_explicit(&t->node->refs, 1, memory_order_relaxed);
        if (t->node->depth >= n->depth) n->depth = t->node->depth + 1;
    } else {
        e->leaf = cn_ref(t);
    }
    return true;
}

/* Does output i carry a gradient? */
static bool graded(const cn_call *c, int i)
{
    return c->out[i] && cn_dtype_is_graded(c->out[i]->v.dtype) && cn_op_grades(c->op, i);
}

static bool finish_output(cn_node *n, int i, cn_tensor *t, bool save, bool is_graded)
{
    cn_result *r = &n->results[i];
    r->saved = r->grad = r->kept = NULL;
    copy_spec(&r->spec, t);
    if (save && !(r->saved = cn_tensor_view_owned(t, &t->v))) return false;
    r->version = t->storage->version;
    if (!is_graded) return true;
    t->node = n;
    t->out_index = (uint8_t)i;
    t->requires_grad = true;
    return true;
}

/* The graded outputs own the node; their number is known before anybody else can see it. */
bool cn_tape_record(const cn_call *c)
{
    int owners = 0;
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] && !cn_refresh(c->in[i])) return false;
    for (int i = 0; i < c->n_out; i++) owners += graded(c, i);
    cn_node *n = owners ? node_new(c) : NULL;
    if (!n) return owners == 0;
    if (cn_anomaly_on && *cn_labels()) n->note = cn_strdup(cn_labels());
    bool ok = true;
    for (int i = 0; i < c->n_in; i++)
        ok &= connect(n, i, c->in[i], i < 16 && (c->op->saves & CN_SAVE_IN(i)));
    atomic_init(&n->refs, owners);
    for (int i = 0; i < c->n_out; i++)
        ok &= finish_output(n, i, c->out[i], (c->op->saves & CN_SAVE_OUT(i)) != 0, graded(c, i));
    if (ok) return true;
    cn_dead dead = { 0 };
    for (int i = 0; i < c->n_out; i++) {
        if (c->out[i]->node == n) continue;
        if (graded(c, i)) cn_dead_node(&dead, n); /* an owner that did not get that far */
    }
    cn_bury(&dead);
    return false;
}

const char *cn_node_name(const cn_node *node)
{
    return node->op == &cn_op_custom ? cn_custom_name(node) : node->op->name;
}

static void retain(cn_node *node, int out_index)
{
    node->retains |= (uint64_t)1 << out_index;
}

void cn_tape_adopt(cn_tensor *t, const cn_tensor *r)
{
    cn_node *old = t->node;
    bool changed = r->storage != t->storage; /* not only seen in another shape */
    if (changed && !t->base && (old || r->node)) t->rewrites++;
    if (old && r->node && (old->retains >> t->out_index & 1)) retain(r->node, r->out_index);
    t->node = r->node, t->out_index = r->out_index, t->requires_grad = r->requires_grad;
    if (t->node) atomic_fetch_add_explicit(&t->node->refs, 1, memory_order_relaxed);
    cn_dead dead = { 0 };
    cn_dead_node(&dead, old);
    cn_bury(&dead);
}

/* ---- leaves -------------------------------------------------------------------------------- */

cn_tensor *cn_requires_grad(cn_tensor *t, bool on)
{
    if (!t) return cn_fail(CN_EINVALID, "requires_grad: the tensor is NULL"), NULL;
    if (on && !cn_dtype_is_graded(t->v.dtype)) {
        cn_fail(CN_EINVALID, "requires_grad: only float and complex tensors have gradients, not %s",
                cn_dtype_name(t->v.dtype));
        return NULL;
    }
    if (!on && t->node) {
        cn_fail(CN_EINVALID,
                "requires_grad: only leaves can stop requiring gradients; use cn_detach");
        return NULL;
    }
    if (on && !t->node && t->base) { /* a leaf is nobody's part */
        cn_drop(t->base);
        t->base = NULL, t->fixed = CN_NOW_A_LEAF;
    }
    t->requires_grad = on;
    return t;
}

bool cn_needs_grad(const cn_tensor *t)
{
    return t && cn_refresh((cn_tensor *)t) && t->requires_grad;
}

bool cn_is_leaf(const cn_tensor *t)
{
    return t && cn_refresh((cn_tensor *)t) && !t->node;
}

/* A leaf has its gradient itself; that of a result stays with the call that made it. */
static cn_tensor **grad_slot(cn_tensor *t)
{
    return t->node ? &t->node->results[t->out_index].kept : &t->grad;
}

cn_tensor *cn_grad(const cn_tensor *t)
{
    return t ? *grad_slot((cn_tensor *)t) : NULL;
}

void cn_set_grad(cn_tensor *t, cn_tensor *grad)
{
    if (!t || (grad && !cn_plain(grad))) return;
    cn_tensor **slot = grad_slot(t), *old = *slot;
    *slot = cn_ref(grad);
    cn_drop(old);
}

bool cn_retain_grad(cn_tensor *t)
{
    if (!t) return cn_fail(CN_EINVALID, "retain_grad: the tensor is NULL");
    if (!cn_refresh(t)) return false;
    if (!t->requires_grad)
        return cn_fail(CN_EINVALID, "retain_grad: the tensor does not require gradients");
    if (t->node) retain(t->node, t->out_index); /* leaves do anyway */
    return true;
}

cn_tensor *cn_detach(cn_tensor *t)
{
    if (!t) return cn_fail(CN_EINVALID, "detach: the tensor is NULL"), NULL;
    return cn_plain(t) ? cn_tensor_view(t, &t->v) : NULL;
}
