/* module.c - what all modules have in common. */
#include "nn/module.h"

#include <cenote/autograd.h>

#include <stdio.h>
#include <string.h>

/* ---- making and freeing -------------------------------------------------------------------- */

static bool copy_options(cn_module *m, const void *from, size_t size)
{
    m->options_size = size;
    m->options = size ? cn_alloc_zeroed(size) : NULL;
    if (m->options && from) memcpy(m->options, from, size);
    return m->options || !size;
}

static cn_module *module_new(const cn_module_class *cls)
{
    if (cls->size > sizeof *cls) {
        cn_fail(CN_EINVALID, "%s: the class was compiled for a newer library", cls->name);
        return NULL;
    }
    cn_module *m = cn_alloc_zeroed(sizeof *m);
    if (m) m->cls = cls, m->refs = 1, m->training = true;
    return m;
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
        for (int k = 0; m->options && k < own->n_args; k++) {
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

static cn_module *built(cn_module *m, bool ok)
{
    if (ok && (!m->cls->build || m->cls->build(m, NULL))) return m;
    cn_module_free(m);
    return NULL;
}

/* Tensors among the constructor's arguments, the weights of losses, are buffers. */
static bool hold_tensors(cn_module *m, const cn_schema *own, const cn_bound *bound)
{
    bool ok = true;
    size_t mark = cn_mark();
    for (int i = 0, at = 0; ok && i < own->n_args; i++) {
        if (own->args[i].type != CN_ARG_TENSOR) continue;
        cn_tensor *t = bound->in[at++];
        ok = !t || cn_module_hold(m, own->args[i].name, cn_detach(t), true);
    }
    cn_release(mark);
    return ok;
}

/* Modules given one by one, as to Sequential, become the list that the schema wants. */
static cn_ffi_value *modules_in(const cn_schema *s, const cn_ffi_arg *args, int n)
{
    if (n < 1 || s->n_args < 1 || s->args[0].type != CN_ARG_MODULES) return NULL;
    for (int i = 0; i < n; i++)
        if (args[i].name || args[i].value.kind != CN_KIND_MODULE) return NULL;
    cn_ffi_value *list = cn_alloc((size_t)n * sizeof *list);
    for (int i = 0; list && i < n; i++) list[i] = args[i].value;
    return list;
}

cn_module *cn_module_create(const cn_module_class *cls, const cn_ffi_arg *args, int n)
{
    cn_schema schema;
    cn_bound bound;
    if (!cn_schema_parse(cls->schema, &schema)) return NULL;
    cn_ffi_value *list = modules_in(&schema, args, n);
    const cn_ffi_arg all = { NULL, { .kind = CN_KIND_LIST, .n = n, .u.list = list } };
    cn_module *m = module_new(cls);
    bool ok = m && cn_bind(&schema, cls->name, list ? &all : args, list ? 1 : n, &bound);
    ok = ok && copy_options(m, bound.params, schema.params_size);
    if (ok) m->in_place = bound.in_place;
    ok = ok && (!cls->op || bind_op(m, &schema)) && hold_tensors(m, &schema, &bound);
    m = built(m, ok);
    cn_free(list);
    return m;
}

cn_module *cn_module_of(const cn_module_class *cls, const void *options)
{
    if (!cls) return NULL;
    cn_module *m = module_new(cls);
    return built(m, m && copy_options(m, options, cls->options_size));
}

void *cn_module_options(cn_module *m)
{
    return m ? m->options : NULL;
}

cn_rng *cn_module_rng(cn_module *m)
{
    if (!m) return NULL;
    if (!m->rng.stream) {
        cn_rng *root = cn_default_rng();
        m->rng = cn_rng_make(root->seed, (uint64_t)1 << 32 | cn_rng_u32(root));
    }
    return &m->rng;
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
    if (m->cls->release) m->cls->release(m);
    for (int i = 0; i < m->n_slots; i++) {
        cn_free(m->slots[i].name);
        cn_drop(m->slots[i].tensor);
    }
    for (int i = 0; i < m->n_children; i++) {
        cn_free(m->children[i].name);
        cn_module_free(m->children[i].module);
    }
    cn_free(m->slots);
    cn_free(m->children);
    cn_free(m->options);
    cn_free(m->op_params);
    cn_free(m);
}

/* ---- children and slots -------------------------------------------------------------------- */

/* Room for one more element of an array. */
static bool make_room(void **array, int n, int *room, size_t size)
{
    if (n < *room) return true;
    int wanted = *room ? 2 * *room : 8;
    void *p = cn_realloc(*array, (size_t)wanted * size);
    if (!p) return false;
    *array = p, *room = wanted;
    return true;
}

/* Names are parts of paths, which dots separate. */
static bool name_fits(const cn_module *m, const char *name)
{
    bool taken = cn_module_slot(m, name) != NULL;
    for (int i = 0; i < m->n_children; i++) taken |= strcmp(m->children[i].name, name) == 0;
    if (*name && !strchr(name, '.') && !taken) return true;
    return cn_fail(CN_EINVALID, "%s: a part cannot be named '%s': %s", m->cls->name, name,
                   taken ? "there is one already" : "names have letters and no dots");
}

bool cn_module_add(cn_module *m, const char *name, cn_module *child)
{
    void *children = m ? m->children : NULL;
    bool ok = m && name && child && name_fits(m, name) &&
              make_room(&children, m->n_children, &m->children_room, sizeof *m->children);
    char *copy = ok ? cn_strdup(name) : NULL;
    if (m && children) m->children = children;
    if (!copy) {
        cn_module_free(child);
        return false;
    }
    m->children[m->n_children++] = (cn_child){ copy, child };
    return true;
}

bool cn_module_hold(cn_module *m, const char *name, cn_tensor *t, bool is_buffer)
{
    if (!m || !name || !t || !name_fits(m, name)) return false;
    void *slots = m->slots;
    bool ok = make_room(&slots, m->n_slots, &m->slots_room, sizeof *m->slots);
    char *copy = ok ? cn_strdup(name) : NULL;
    m->slots = slots;
    if (!copy) return false;
    m->slots[m->n_slots++] = (cn_slot){ copy, cn_keep(t), is_buffer };
    return true;
}

/* Made in a scope of its own: a module may be made where none is open. */
static bool add_new_slot(cn_module *m, const char *name, const cn_shape *shape, cn_dtype dtype,
                         double value, bool is_buffer)
{
    size_t mark = cn_mark();
    cn_tensor *t = shape ? cn_full(*shape, value, dtype) : NULL;
    bool ok = cn_module_hold(m, name, is_buffer ? t : cn_requires_grad(t, true), is_buffer);
    cn_release(mark);
    return ok;
}

bool cn_module_parameter(cn_module *m, const char *name, const cn_shape *shape)
{
    return add_new_slot(m, name, shape, CN_F32, 0, false);
}

bool cn_module_buffer(cn_module *m, const char *name, const cn_shape *shape, cn_dtype dtype,
                      double value)
{
    return add_new_slot(m, name, shape, dtype, value, true);
}

cn_tensor *cn_module_slot(const cn_module *m, const char *name)
{
    for (int i = 0; m && i < m->n_slots; i++)
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

/* ---- copying ------------------------------------------------------------------------------- */

static bool clone_slot(cn_module *copy, const cn_slot *s)
{
    bool was = cn_set_grad_enabled(false);
    size_t mark = cn_mark();
    cn_tensor *t = cn_clone(s->tensor);
    if (t) t->requires_grad = s->tensor->requires_grad;
    bool ok = cn_module_hold(copy, s->name, t, s->is_buffer);
    cn_release(mark);
    cn_set_grad_enabled(was);
    return ok;
}

static bool clone_op(cn_module *copy, const cn_module *m)
{
    copy->op = m->op, copy->op_inputs = m->op_inputs, copy->op_outputs = m->op_outputs;
    memcpy(copy->op_slots, m->op_slots, sizeof m->op_slots);
    size_t size = m->op_params ? m->op->params_size : 0;
    copy->op_params = size ? cn_alloc(size) : NULL;
    if (copy->op_params) memcpy(copy->op_params, m->op_params, size);
    return copy->op_params || !size;
}

cn_module *cn_module_clone(const cn_module *m)
{
    if (!m) return NULL;
    if (m->cls->release) {
        cn_fail(CN_EUNSUPPORTED, "clone: %s holds what only its class can copy", m->cls->name);
        return NULL;
    }
    cn_module *copy = module_new(m->cls);
    bool ok = copy && copy_options(copy, m->options, m->options_size) && clone_op(copy, m);
    for (int i = 0; ok && i < m->n_slots; i++) ok = clone_slot(copy, &m->slots[i]);
    for (int i = 0; ok && i < m->n_children; i++)
        ok = cn_module_add(copy, m->children[i].name, cn_module_clone(m->children[i].module));
    if (!ok) {
        cn_module_free(copy);
        return NULL;
    }
    copy->training = m->training, copy->built = m->built, copy->in_place = m->in_place;
    copy->init = m->init, copy->init_context = m->init_context;
    if (m->rng.stream) cn_module_rng(copy); /* not the same numbers in both */
    return copy;
}

/* ---- modes ---------------------------------------------------------------------------------- */

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

const cn_module *cn_unmade(const cn_module *m)
{
    const cn_module *found = NULL;
    bool lazy = strncmp(m->cls->name, "Lazy", 4) == 0;
    if (lazy && !m->built && m->n_slots == 0) return m;
    for (int i = 0; i < m->n_children && !found; i++) found = cn_unmade(m->children[i].module);
    return found;
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
