/* custom.c - functions whose forward and backward the user writes. */
#include "autograd/custom.h"

#include "core/anomaly.h"

#include <string.h>

enum { NO_OUTPUT = -1 }; /* an edge that saves neither a tensor nor an output */

const char *cn_custom_name(const cn_node *node)
{
    return ((const cn_custom_params *)node->params)->f->name;
}

/* ---- what forward and backward use --------------------------------------------------------- */

bool cn_save_for_backward(cn_custom_call *call, cn_tensor *t)
{
    if (call->grads) return cn_fail(CN_EINVALID, "save_for_backward: only forward can save");
    cn_tensor **saved = cn_realloc(call->saved, ((size_t)call->n_saved + 1) * sizeof(cn_tensor *));
    if (!saved) return false;
    call->saved = saved;
    saved[call->n_saved++] = t;
    return true;
}

cn_tensor *cn_saved(cn_custom_call *call, int i)
{
    const cn_custom_params *p = call->grads ? cn_grad_params(call->grads) : NULL;
    if (!p || i < 0 || i >= p->n_saved) {
        cn_fail(CN_EINVALID, "saved: there is no saved tensor %d; %d were saved", i,
                p ? p->n_saved : 0);
        return NULL;
    }
    const cn_edge *e = &call->grads->node->edges[p->n_in + i];
    if (e->saved) return cn_saved_in(call->grads, p->n_in + i);
    return e->out_index == NO_OUTPUT ? NULL : cn_saved_out(call->grads, e->out_index);
}

bool cn_custom_wants(const cn_custom_call *call, int i)
{
    return call->grads && cn_wants(call->grads, i);
}

/* ---- backward ------------------------------------------------------------------------------ */

static void custom_backward(cn_grads *g)
{
    const cn_custom_params *p = cn_grad_params(g);
    int n_out = g->node->n_out;
    size_t room = (size_t)(n_out + p->n_in) * sizeof(cn_tensor *);
    cn_tensor **grad_out = cn_alloc_zeroed(room), **grad_in = grad_out + n_out;
    if (!grad_out) return;
    for (int i = 0; i < n_out; i++)
        if (cn_dtype_is_float(g->node->results[i].spec.dtype)) grad_out[i] = cn_gout(g, i);
    cn_custom_call call = { .grads = g };
    if (!cn_ok() || !p->f->backward(&call, grad_out, grad_in, p->context))
        cn_fail(CN_EINVALID, "backward of %s failed without saying why", p->f->name);
    for (int i = 0; i < p->n_in && cn_ok(); i++) cn_give(g, i, grad_in[i]);
    cn_free(grad_out);
}

static void custom_release(void *params)
{
    const cn_custom_params *p = params;
    if (p->f->release) p->f->release(p->context);
}

const cn_op cn_op_custom = {
    .id = -1,
    .name = "custom",
    .doc = "A function of the user.",
    .params_size = sizeof(cn_custom_params),
    .backward = custom_backward,
    .release = custom_release,
};

/* ---- forward ------------------------------------------------------------------------------- */

static void drop_depends(cn_custom_call *call)
{
    cn_dead dead = { 0 };
    for (int i = 0; i < call->n_depends; i++) {
        cn_dead_node(&dead, call->depends[i].node);
        cn_dead_tensor(&dead, call->depends[i].leaf);
    }
    cn_bury(&dead);
    cn_free(call->depends);
}

/* Outputs belong to this call alone: what is an input, or another's result, is given out as an
   alias. */
static bool own_outputs(const cn_call *c, const char *name)
{
    for (int i = 0; i < c->n_out; i++) {
        cn_tensor *t = c->out[i];
        if (!t) return cn_fail(CN_EINVALID, "%s: forward did not set output %d", name, i);
        bool shared = t->requires_grad;
        for (int k = 0; k < c->n_in; k++) shared |= t == c->in[k];
        for (int k = 0; k < i; k++) shared |= t == c->out[k];
        if (shared && !(c->out[i] = cn_detach(t))) return false;
    }
    return true;
}

static int output_index(const cn_call *c, const cn_tensor *t)
{
    for (int i = 0; i < c->n_out; i++)
        if (c->out[i] == t) return i;
    return NO_OUTPUT;
}

/* An output is saved as an alias: the output itself would close a cycle. */
static bool save_tensor(const cn_call *c, cn_node *node, cn_edge *e, cn_tensor *t)
{
    int k = t ? output_index(c, t) : NO_OUTPUT;
    e->out_index = k;
    if (k == NO_OUTPUT) {
        if (!t) return e->saved = NULL, true;
        e->version = t->storage->version;
        return (e->saved = cn_tape_save(t)) != NULL;
    }
    cn_result *r = &node->results[k];
    if (!r->saved) r->saved = cn_tensor_view_owned(t, &t->v);
    return r->saved != NULL;
}

static void depend(cn_node *node, cn_edge *e, cn_edge *on)
{
    e->node = on->node, e->leaf = on->leaf, e->out_index = on->out_index, e->spec = on->spec;
    e->version = on->version;
    on->node = NULL, on->leaf = NULL;
    if (e->node && e->node->depth >= node->depth) node->depth = e->node->depth + 1;
}

static bool finish_node(const cn_call *c, cn_node *node, cn_custom_call *call)
{
    const cn_custom_params *p = c->params;
    cn_edge *e = node->edges + p->n_in;
    for (int i = 0; i < call->n_saved; i++)
        if (!save_tensor(c, node, e++, call->saved[i])) return false;
    for (int i = 0; i < call->n_depends; i++) depend(node, e++, &call->depends[i]);
    return true;
}

static cn_node *node_of(const cn_call *c)
{
    for (int i = 0; i < c->n_out; i++)
        if (c->out[i]->node) return c->out[i]->node;
    return NULL;
}

/* *kept: the tape has the context now. */
static bool record(cn_call *c, cn_custom_params *p, cn_custom_call *call, bool *kept)
{
    int n = p->n_in + call->n_saved + call->n_depends;
    cn_tensor **all = cn_alloc_zeroed(((size_t)n + 1) * sizeof(cn_tensor *));
    if (!all) return false;
    if (p->n_in) memcpy(all, c->in, (size_t)p->n_in * sizeof(cn_tensor *));
    p->n_saved = call->n_saved;
    c->in = all, c->n_in = n;
    bool ok = cn_tape_record(c);
    cn_node *node = ok ? node_of(c) : NULL;
    *kept = node != NULL;
    if (node) ok = finish_node(c, node, call);
    cn_free(all);
    return ok;
}

static bool any_wants(const cn_call *c, const cn_custom_call *call)
{
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i]->requires_grad) return true;
    return call->n_depends > 0;
}

static bool run_forward(const cn_call *c, const cn_custom_params *p, cn_custom_call *call)
{
    size_t label = cn_label_push(p->f->name);
    bool was = cn_set_grad_enabled(false);
    bool ok = p->f->forward(call, c->in, c->out, p->context);
    cn_set_grad_enabled(was);
    cn_label_pop(label);
    if (!ok) return cn_fail(CN_EINVALID, "%s failed without saying why", p->f->name);
    return own_outputs(c, p->f->name) && cn_ok();
}

static bool inputs_present(cn_tensor *const *in, int n_in, int n_out)
{
    for (int i = 0; i < n_in; i++)
        if (!in[i] || !cn_plain(in[i])) return false;
    if (n_out >= 1 && n_out <= CN_MAX_OUT) return true;
    return cn_fail(CN_EINVALID, "custom function: %d outputs; 1 to %d are possible", n_out,
                   CN_MAX_OUT);
}

bool cn_custom_function(const cn_custom *f, cn_tensor *const *in, int n_in, cn_tensor **out,
                        int n_out, void *context)
{
    size_t mark = cn_mark();
    bool kept = false, ok = inputs_present(in, n_in, n_out);
    cn_custom_params p = { .f = f, .context = context, .n_in = n_in };
    cn_call c = { .op = &cn_op_custom, .params = &p, .in = in, .out = out };
    c.n_in = n_in, c.n_out = ok ? n_out : 0;
    cn_custom_call call = { 0 };
    memset(out, 0, (size_t)(n_out > 0 ? n_out : 0) * sizeof *out);
    ok = ok && run_forward(&c, &p, &call);
    if (ok && cn_grad_enabled() && any_wants(&c, &call)) ok = record(&c, &p, &call, &kept);
    drop_depends(&call);
    cn_free(call.saved);
    for (int i = 0; !ok && i < c.n_out; i++) out[i] = NULL;
    ok = cn_return_all(mark, out, c.n_out) && ok;
    if (!kept) custom_release(&p);
    return ok;
}
