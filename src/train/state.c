/* state.c - parameters, buffers and optimiser state as dictionaries. */
#include "train/state.h"

#include "nn/module.h"
#include "optim/optim.h"

#include <stdio.h>
#include <string.h>

/* ---- modules -------------------------------------------------------------------------------------- */

typedef struct {
    cn_dict *dict;
    const char *prefix;
} Collector;

static bool collect(const cn_entry *e, void *context)
{
    const Collector *c = context;
    char key[320];
    if (!e->tensor)
        return cn_fail(CN_EINVALID, "state_dict: the shape of '%s' is not known yet; run cn_build() first",
                       e->name);
    snprintf(key, sizeof key, "%s%s", c->prefix, e->name);
    size_t mark = cn_mark();
    bool ok = cn_dict_set_tensor(c->dict, key, cn_detach(e->tensor));
    cn_release(mark);
    return ok;
}

bool cn_state_into(cn_module *m, const char *prefix, cn_dict *dict)
{
    Collector c = { dict, prefix };
    return cn_visit(m, collect, &c);
}

cn_dict *cn_state_dict(cn_module *m)
{
    cn_dict *d = m ? cn_dict_new() : NULL;
    if (d && cn_state_into(m, "", d)) return d;
    cn_dict_free(d);
    return NULL;
}

typedef struct {
    const cn_dict *dict;
    const char *prefix;
    bool strict, write;
    int found;
} Loader;

static cn_tensor *entry_of(const Loader *l, const char *name)
{
    char key[320];
    snprintf(key, sizeof key, "%s%s", l->prefix, name);
    const cn_value *v = cn_dict_find(l->dict, key);
    return v && v->kind == CN_KIND_TENSOR ? v->u.t : NULL;
}

static bool load_one(const cn_entry *e, void *context)
{
    Loader *l = context;
    cn_tensor *from = entry_of(l, e->name);
    char a[128], b[128];
    if (!from && l->strict) return cn_fail(CN_EFORMAT, "load_state_dict: '%s' is missing", e->name);
    if (!from) return true;
    l->found++;
    if (!e->tensor)
        return cn_fail(CN_EINVALID, "load_state_dict: the shape of '%s' is not known yet; run cn_build() "
                                    "first", e->name);
    if (!cn_shape_equal(&from->v.shape, &e->tensor->v.shape))
        return cn_fail(CN_EFORMAT, "load_state_dict: '%s' has shape %s in the file, but %s in the module",
                       e->name, cn_shape_text(&from->v.shape, a), cn_shape_text(&e->tensor->v.shape, b));
    if (!l->write) return true;
    cn_copy_view(&e->tensor->v, &from->v);
    e->tensor->storage->version++;
    return true;
}

/* Everything is checked before anything is written. */
bool cn_state_from(cn_module *m, const char *prefix, const cn_dict *dict, bool strict)
{
    Loader l = { .dict = dict, .prefix = prefix, .strict = strict };
    if (!m || !dict || !cn_visit(m, load_one, &l)) return false;
    for (int i = 0; strict && !*prefix && i < cn_dict_count(dict); i++) {
        const char *key = cn_dict_key(dict, i);
        if (strcmp(key, "__metadata__") != 0 && l.found < cn_dict_count(dict) && !cn_entry_named(m, key))
            return cn_fail(CN_EFORMAT, "load_state_dict: the module has no '%s'", key);
    }
    l.write = true;
    return cn_visit(m, load_one, &l);
}

typedef struct {
    const char *name;
    bool found;
} Search;

static bool compare(const cn_entry *e, void *context)
{
    Search *s = context;
    s->found |= strcmp(e->name, s->name) == 0;
    return !s->found;
}

bool cn_entry_named(cn_module *m, const char *name)
{
    Search s = { name, false };
    cn_visit(m, compare, &s);
    return s.found;
}

bool cn_load_state_dict(cn_module *m, const cn_dict *state, bool strict)
{
    return cn_state_from(m, "", state, strict);
}

/* ---- optimisers -------------------------------------------------------------------------------------- */

static void state_key(char key[64], int group, int index, const char *name)
{
    snprintf(key, 64, "optim.%d.%d.%s", group, index, name);
}

bool cn_optim_into(const cn_optim *o, cn_dict *dict)
{
    char key[64];
    for (int g = 0; g < o->n_groups; g++) {
        for (int i = 0; i < o->groups[g].n; i++) {
            const cn_param *p = &o->groups[g].params[i];
            size_t mark = cn_mark();
            cn_tensor *steps = cn_full(cn_scalar_shape(), (double)p->steps, CN_I64);
            state_key(key, g, i, "step");
            bool ok = cn_dict_set_tensor(dict, key, steps);
            cn_release(mark);
            for (int k = 0; ok && k < CN_MAX_STATE; k++) {
                if (!p->state[k]) continue;
                state_key(key, g, i, o->cls->state[k]);
                ok = cn_dict_set_tensor(dict, key, p->state[k]);
            }
            if (!ok) return false;
        }
    }
    return true;
}

static bool param_from(const cn_optim *o, int g, int i, const cn_dict *dict)
{
    cn_param *p = &o->groups[g].params[i];
    char key[64];
    state_key(key, g, i, "step");
    cn_tensor *steps = cn_dict_tensor(dict, key);
    if (!steps) return false;
    p->steps = (int64_t)cn_item(steps);
    for (int k = 0; k < CN_MAX_STATE && o->cls->state[k]; k++) {
        state_key(key, g, i, o->cls->state[k]);
        const cn_value *v = cn_dict_find(dict, key);
        if (!v || v->kind != CN_KIND_TENSOR) continue;
        if (!cn_shape_equal(&v->u.t->v.shape, &p->tensor->v.shape))
            return cn_fail(CN_EFORMAT, "checkpoint: '%s' has another shape than its parameter", key);
        if (!cn_param_state(p, k)) return false;
        cn_copy_view(&p->state[k]->v, &v->u.t->v);
    }
    return true;
}

bool cn_optim_from(cn_optim *o, const cn_dict *dict)
{
    for (int g = 0; g < o->n_groups; g++)
        for (int i = 0; i < o->groups[g].n; i++)
            if (!param_from(o, g, i, dict)) return false;
    return true;
}

/* ---- generators of random layers --------------------------------------------------------------------- */

static int each_rng(cn_module *m, cn_rng **out, int at, int room)
{
    if (m->rng.stream && at < room) out[at++] = &m->rng;
    for (int i = 0; i < m->n_children; i++) at = each_rng(m->children[i].module, out, at, room);
    return at;
}

int cn_module_generators(cn_module *m, cn_rng **out, int room)
{
    return each_rng(m, out, 0, room);
}
