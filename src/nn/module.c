/* module.c - what all modules have in common. */
#include "nn/module.h"

#include "core/tape.h"

#include <cenote/autograd.h>

#include <stdio.h>
#include <string.h>

/* ---- making and freeing -------------------------------------------------------------------- */

static bool copy_options(cn_module *m, const cn_schema *schema, const cn_bound *bound)
{
    if (!schema->params_size) return true;
    m->options = cn_alloc(schema->params_size);
    if (m->options) memcpy(m->options, bound->params, schema->params_size);
    return m->options != NULL;
}

/* The op's parameters are the constructor's arguments of the same names, or the op's defaults. */
static bool bind_op(cn_module *m, const cn_schema *own)
{
    const cn_op *op = cn_op_find(m->cls->op);
    cn_schema schema;
    cn_bound bound;
    if (!op) return cn_fail(CN_ENOTFOUND, "%s: there is no op %s", m->cls->name, m->cls->op);
    if (!cn_schema_parse(op->schema, &schema)) return false;
    m->op = op;
    for (int i = 0; i < schema.n_args; i++) m->op_inputs += schema.args[i].type == CN_ARG_TENSOR;
    if (!schema.params_size) return true;
    if (!cn_bind_presets(&schema, m->cls->name, &bound)) return false;
    m->op_params = cn_alloc(schema.params_size);
    if (!m->op_params) return false;
    memcpy(m->op_params, bound.params, schema.params_size);
    for (int i = 0; i < schema.n_args; i++) {
        for (int k = 0; k < own->n_args; k++) {
            const cn_arg *to = &schema.args[i], *from = &own->args[k];
            if (strcmp(to->name, from->name) != 0 || to->type == CN_ARG_TENSOR) continue;
            if (to->type != from->type || to->optional != from->optional)
                return cn_fail(CN_EINVALID, "%s: '%s' has another type in %s", m->cls->name,
                               to->name, op->name);
            memcpy((char *)m->op_params + to->offset, (char *)m->options + from->offset,
                   cn_arg_bytes(to));
        }
    }
    return true;
}

static bool add_slot(cn_module *m, const char *name, cn_tensor *t, bool is_buffer);

/* Tensors among the constructor's arguments, the weights of losses, are buffers. */
static bool hold_tensors(cn_module *m, const cn_schema *own, const cn_bound *bound)
{
    static const char *const names[] = { "weight", "pos_weight" };
    for (int i = 0, at = 0; i < own->n_args; i++) {
        if (own->args[i].type != CN_ARG_TENSOR) continue;
        cn_tensor *t = bound->in[at++];
        for (size_t k = 0; t && k < CN_COUNT(names); k++)
            if (strcmp(own->args[i].name, names[k]) == 0 &&
                !add_slot(m, names[k], cn_detach(t), true))
                return false;
    }
    return true;
}

/* Which inputs of the op are the module's own. */
static bool find_op_slots(cn_module *m)
{
    cn_schema schema;
    if (!cn_schema_parse(m->op->schema, &schema)) return false;
    for (int i = 0, at = 0; i < schema.n_args && at < (int)CN_COUNT(m->op_slots); i++) {
        if (schema.args[i].type != CN_ARG_TENSOR) continue;
        m->op_slots[at] = -1;
        for (int k = 0; k < m->n_slots; k++)
            if (strcmp(schema.args[i].name, m->slots[k].name) == 0)
                m->op_slots[at] = (signed char)k;
        at++;
    }
    return true;
}

cn_module *cn_module_create(const cn_module_class *cls, const cn_ffi_arg *args, int n)
{
    cn_schema schema;
    cn_bound bound;
    if (!cn_schema_parse(cls->schema, &schema)) return NULL;
    cn_module *m = cn_alloc_zeroed(sizeof *m);
    if (!m) return NULL;
    m->cls = cls, m->refs = 1, m->training = true;
    bool ok = cn_bind(&schema, cls->name, args, n, &bound);
    ok = ok && copy_options(m, &schema, &bound);
    ok = ok && (!cls->op || bind_op(m, &schema)) && hold_tensors(m, &schema, &bound);
    ok = ok && (!cls->build || cls->build(m, NULL));
    if (ok) return m;
    cn_module_free(m);
    return NULL;
}

cn_module *cn_module_keep(cn_module *m)
{
    if (m) m->refs++;
    return m;
}

/* Depth is that of the nesting of containers, which code wrote, not data: recursion is fine. */
void cn_module_free(cn_module *m)
{
    if (!m || --m->refs > 0) return;
    for (int i = 0; i < m->n_slots; i++) cn_drop(m->slots[i].tensor);
    for (int i = 0; i < m->n_children; i++) {
        cn_free(m->children[i].name);
        cn_module_free(m->children[i].module);
    }
    cn_free(m->children);
    cn_free(m->options);
    cn_free(m->op_params);
    cn_free(m);
}

/* ---- children and slots -------------------------------------------------------------------- */

static bool grow_children(cn_module *m)
{
    int room = m->children_room ? 2 * m->children_room : 8;
    void *p = cn_realloc(m->children, (size_t)room * sizeof *m->children);
    if (!p) return false;
    m->children = p, m->children_room = room;
    return true;
}

bool cn_module_add(cn_module *m, const char *name, cn_module *child)
{
    char *copy = child ? cn_strdup(name) : NULL;
    if (!copy || (m->n_children == m->children_room && !grow_children(m))) {
        cn_free(copy);
        cn_module_free(child);
        return false;
    }
    m->children[m->n_children].name = copy;
    m->children[m->n_children++].module = child;
    return true;
}

static bool add_slot(cn_module *m, const char *name, cn_tensor *t, bool is_buffer)
{
    if (!t) return false;
    if (m->n_slots == CN_MAX_SLOTS)
        return cn_fail(CN_EINVALID, "%s: more than %d parameters", m->cls->name, CN_MAX_SLOTS);
    m->slots[m->n_slots++] = (cn_slot){ name, cn_keep(t), is_buffer };
    return true;
}

bool cn_module_parameter(cn_module *m, const char *name, const cn_shape *shape)
{
    return add_slot(m, name, cn_requires_grad(cn_zeros(*shape, CN_F32), true), false);
}

bool cn_module_buffer(cn_module *m, const char *name, const cn_shape *shape, cn_dtype dtype,
                      double value)
{
    return add_slot(m, name, cn_full(*shape, value, dtype), true);
}

cn_tensor *cn_module_slot(const cn_module *m, const char *name)
{
    for (int i = 0; i < m->n_slots; i++)
        if (strcmp(m->slots[i].name, name) == 0) return m->slots[i].tensor;
    return NULL;
}

const char *cn_module_name(const cn_module *m)
{
    return m ? m->cls->name : NULL;
}

int cn_module_children(const cn_module *m)
{
    return m ? m->n_children : 0;
}

cn_module *cn_module_child(cn_module *m, int i)
{
    return m && i >= 0 && i < m->n_children ? m->children[i].module : NULL;
}

cn_module *cn_module_at(cn_module *m, const char *path)
{
    while (m && *path) {
        size_t n = strcspn(path, ".");
        cn_module *next = NULL;
        for (int i = 0; i < m->n_children; i++) {
            const char *name = m->children[i].name;
            if (strlen(name) == n && strncmp(name, path, n) == 0) next = m->children[i].module;
        }
        m = next;
        path += n + (path[n] == '.');
    }
    return m;
}

/* ---- running ------------------------------------------------------------------------------- */

static bool run_op(cn_module *m, cn_io *io)
{
    cn_tensor *in[CN_COUNT(m->op_slots)] = { 0 };
    int given = 0;
    io->n_out = 1;
    for (int i = 0; i < m->op_inputs && i < (int)CN_COUNT(in); i++)
        in[i] = m->op_slots[i] >= 0 ? m->slots[m->op_slots[i]].tensor
                : given < io->n_in  ? io->in[given++]
                                    : NULL; /* an optional one */
    if (given < io->n_in)
        return cn_fail(CN_EINVALID, "%s: %d inputs are given, but it takes %d", m->cls->name,
                       io->n_in, given);
    io->out[0] = cn_apply1(m->op, in, m->op_inputs, m->op_params);
    return io->out[0] != NULL;
}

static bool finish_building(cn_module *m, const cn_shape *input)
{
    if (m->built) return true;
    if (m->cls->build && m->n_slots == 0 && !m->cls->build(m, input)) return false;
    if (m->op && !find_op_slots(m)) return false;
    m->built = true;
    for (int i = 0; i < m->n_slots && m->init; i++)
        if (!m->slots[i].is_buffer &&
            !m->init(m->slots[i].tensor, m->slots[i].name, m->init_context))
            return false;
    return true;
}

bool cn_forward_all(cn_module *m, cn_tensor *const *in, int n_in, cn_tensor **out, int *n_out)
{
    cn_io io = { .n_in = n_in };
    if (!m || n_in < 1 || n_in > (int)CN_COUNT(io.in)) return false;
    for (int i = 0; i < n_in; i++)
        if (!(io.in[i] = in[i])) return false;
    if (!finish_building(m, &in[0]->v.shape)) return false;
    bool ok = m->op ? run_op(m, &io) : m->cls->forward(m, &io);
    if (!ok) return false;
    if (m->watch) m->watch->seen(m->watch, m, in[0], io.out[0]);
    for (int i = 0; i < io.n_out && i < *n_out; i++) out[i] = io.out[i];
    *n_out = io.n_out < *n_out ? io.n_out : *n_out;
    return true;
}

cn_tensor *cn_forward(cn_module *m, cn_tensor *x)
{
    cn_tensor *y = NULL;
    int n = 1;
    return cn_forward_all(m, &x, 1, &y, &n) ? y : NULL;
}

void cn_train_mode(cn_module *m, bool on)
{
    if (!m) return;
    m->training = on;
    for (int i = 0; i < m->n_children; i++) cn_train_mode(m->children[i].module, on);
}

bool cn_is_training(const cn_module *m)
{
    return m && m->training;
}

bool cn_build(cn_module *m, cn_shape input)
{
    if (!m) return false;
    bool was = m->training, ok = false;
    cn_train_mode(m, false);
    CN_NO_GRAD
    {
        CN_SCOPE ok = cn_forward(m, cn_zeros(input, CN_F32)) != NULL;
    }
    cn_train_mode(m, was);
    return ok;
}

/* ---- visiting ------------------------------------------------------------------------------ */

enum { PATH = 256 };

typedef bool Visit(const cn_entry *entry, void *context);

static bool visit(cn_module *m, char *path, size_t at, Visit *call, void *context)
{
    for (int i = 0; i < m->n_slots; i++) {
        snprintf(path + at, PATH - at, "%s", m->slots[i].name);
        cn_entry e = { path, m->slots[i].tensor, m->slots[i].is_buffer };
        if (!call(&e, context)) return false;
    }
    for (int i = 0; i < m->n_children; i++) {
        int n = snprintf(path + at, PATH - at, "%s.", m->children[i].name);
        if (n < 0 || at + (size_t)n >= PATH - 1)
            return cn_fail(CN_EINVALID, "module: a path of more than %d characters", PATH);
        if (!visit(m->children[i].module, path, at + (size_t)n, call, context)) return false;
    }
    return true;
}

bool cn_visit(cn_module *m, Visit *call, void *context)
{
    char path[PATH] = "";
    return m && visit(m, path, 0, call, context);
}

typedef struct {
    cn_tensor **out;
    int room, count;
    int64_t elements;
} Collection;

static bool seen_before(const Collection *c, const cn_tensor *t)
{
    for (int i = 0; i < c->count && i < c->room; i++)
        if (c->out[i] == t) return true;
    return false;
}

static bool collect(const cn_entry *e, void *context)
{
    Collection *c = context;
    if (e->is_buffer || !e->tensor || seen_before(c, e->tensor)) return true;
    if (c->count < c->room) c->out[c->count] = e->tensor;
    c->count++;
    c->elements += e->tensor->v.numel;
    return true;
}

/* Parameters are told apart among the first so many. */
enum { DISTINCT = 4096 };

int cn_parameters(cn_module *m, cn_tensor **out, int room)
{
    cn_tensor *distinct[DISTINCT];
    Collection c = { distinct, DISTINCT, 0, 0 };
    cn_visit(m, collect, &c);
    for (int i = 0; i < c.count && i < room && i < DISTINCT; i++) out[i] = distinct[i];
    return c.count;
}

int64_t cn_parameter_count(cn_module *m)
{
    cn_tensor *distinct[DISTINCT];
    Collection c = { distinct, DISTINCT, 0, 0 };
    cn_visit(m, collect, &c);
    return c.elements;
}

static bool zero(const cn_entry *e, void *context)
{
    (void)context;
    cn_set_grad(e->tensor, NULL);
    return true;
}

void cn_zero_grad(cn_module *m)
{
    cn_visit(m, zero, NULL);
}

static bool freeze(const cn_entry *e, void *context)
{
    if (!e->is_buffer) cn_requires_grad(e->tensor, !*(const bool *)context);
    return true;
}

void cn_freeze(cn_module *m, bool frozen)
{
    cn_visit(m, freeze, &frozen);
}
