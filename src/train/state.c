/* state.c - parameters, buffers and optimiser state as dictionaries. */
#include "train/state.h"

#include "nn/module.h"
#include "optim/optim.h"

#include <stdio.h>
#include <string.h>

/* ---- modules ------------------------------------------------------------------------------- */

typedef struct {
    cn_dict *dict;
    const char *prefix;
    bool live; /* the parameters themselves */
} Collector;

static bool collect(const cn_entry *e, void *context)
{
    const Collector *c = context;
    char key[320];
    if (!e->tensor)
        return cn_fail(CN_EINVALID,
                       "state_dict: the shape of '%s' is not known yet; run cn_build() first",
                       e->name);
    snprintf(key, sizeof key, "%s%s", c->prefix, e->name);
    size_t mark = cn_mark();
    bool ok = cn_dict_set_tensor(c->dict, key, c->live ? e->tensor : cn_detach(e->tensor));
    cn_release(mark);
    return ok;
}

/* A lazy module without parameters would be left out in silence. Depth: that of containers. */
static bool all_known(const cn_module *m, const char *name)
{
    if (!m->built && !m->n_slots && strncmp(m->cls->name, "Lazy", 4) == 0)
        return cn_fail(CN_EINVALID,
                       "state_dict: the shapes of module '%s' (%s) are not known yet; run "
                       "cn_build() first",
                       name, m->cls->name);
    for (int i = 0; i < m->n_children; i++)
        if (!all_known(m->children[i].module, m->children[i].name)) return false;
    return true;
}

bool cn_state_into(cn_module *m, const char *prefix, cn_dict *dict)
{
    Collector c = { dict, prefix, false };
    return all_known(m, "") && cn_visit(m, collect, &c);
}

cn_dict *cn_state_dict(cn_module *m)
{
    cn_dict *d = m ? cn_dict_new() : NULL;
    if (d && cn_state_into(m, "", d)) return d;
    cn_dict_free(d);
    return NULL;
}

cn_dict *cn_live_state(cn_module *m)
{
    cn_dict *d = m ? cn_dict_new() : NULL;
    Collector c = { d, "", true };
    if (d && cn_visit(m, collect, &c)) return d;
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
        return cn_fail(CN_EINVALID,
                       "load_state_dict: the shape of '%s' is not known yet; run cn_build() "
                       "first",
                       e->name);
    if (!cn_shape_equal(&from->v.shape, &e->tensor->v.shape))
        return cn_fail(
            CN_EFORMAT, "load_state_dict: '%s' has shape %s in the file, but %s in the module",
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
        if (strcmp(key, "__metadata__") != 0 && l.found < cn_dict_count(dict) &&
            !cn_entry_named(m, key))
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

/* ---- optimisers ---------------------------------------------------------------------------- */

static void state_key(char key[64], int group, int index, const char *name)
{
    snprintf(key, 64, "optim.%d.%d.%s", group, index, name);
}

/* What belongs to the optimiser as a whole: optim.shared.NAME, and .0, .1 .. after it. */
static void shared_key(char key[64], const cn_optim *o, int k, int i)
{
    snprintf(key, 64, "optim.shared.%s.%d", o->cls->shared[k].name, i);
}

static bool shared_into(const cn_optim *o, cn_dict *dict)
{
    char key[64];
    bool ok = true;
    for (int k = 0; k < CN_MAX_SHARED; k++) {
        for (int i = 0; ok && i < o->shared[k].n; i++) {
            shared_key(key, o, k, i);
            ok = cn_dict_set_tensor(dict, key, o->shared[k].v[i]);
        }
    }
    return ok;
}

static bool shared_from(cn_optim *o, const cn_dict *dict)
{
    char key[64];
    for (int k = 0; k < CN_MAX_SHARED && o->cls->shared[k].name; k++) {
        cn_shared_clear(o, k);
        for (int i = 0;; i++) {
            shared_key(key, o, k, i);
            const cn_value *v = cn_dict_find(dict, key);
            if (!v || v->kind != CN_KIND_TENSOR) break;
            if (!cn_shared_append(o, k, v->u.t)) return false;
        }
    }
    return true;
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
                state_key(key, g, i, o->cls->state[k].name);
                ok = cn_dict_set_tensor(dict, key, p->state[k]);
            }
            if (!ok) return false;
        }
    }
    return shared_into(o, dict);
}

/* State k of a parameter from a file, if it is there. */
static bool take_state(const cn_optim *o, cn_param *p, int k, const cn_value *v)
{
    if (!v || v->kind != CN_KIND_TENSOR) return true;
    cn_tensor *state = cn_param_state(o->cls, p, k);
    if (!state) return false;
    if (!cn_shape_equal(&v->u.t->v.shape, &state->v.shape))
        return cn_fail(CN_EFORMAT, "optimiser state: '%s' has another shape than its parameter",
                       o->cls->state[k].name);
    cn_copy_view(&state->v, &v->u.t->v);
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
    for (int k = 0; k < CN_MAX_STATE && o->cls->state[k].name; k++) {
        state_key(key, g, i, o->cls->state[k].name);
        if (!take_state(o, p, k, cn_dict_find(dict, key))) return false;
    }
    return true;
}

bool cn_optim_from(cn_optim *o, const cn_dict *dict)
{
    for (int g = 0; g < o->n_groups; g++)
        for (int i = 0; i < o->groups[g].n; i++)
            if (!param_from(o, g, i, dict)) return false;
    return shared_from(o, dict);
}

/* ---- generators of random layers ----------------------------------------------------------- */

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

/* ---- optimisers in PyTorch's form: {"state": {"0": {...}}, "param_groups": [...]} ---------- */

/* An int, an optional one, or a word. */
static bool set_plain(cn_dict *d, const cn_arg *a, const char *slot)
{
    const cn_opt_int *given = (const cn_opt_int *)(const void *)slot;
    const char *const *word = (const char *const *)(const void *)slot;
    if (a->type == CN_ARG_STR ? !*word : a->optional && !given->given)
        return cn_dict_set(d, a->name, (cn_value){ .kind = CN_KIND_NONE });
    if (a->type == CN_ARG_STR) return cn_dict_set_str(d, a->name, *word);
    return cn_dict_set_int(d, a->name,
                           a->optional ? given->value : *(const int64_t *)(const void *)slot);
}

static bool set_options(cn_dict *d, const cn_optim *o, const cn_group *g)
{
    bool ok = true;
    for (int i = 0; ok && i < o->schema.n_args; i++) {
        const cn_arg *a = &o->schema.args[i];
        const char *slot = (const char *)g->options + a->offset;
        if (a->type == CN_ARG_BOOL) ok = cn_dict_set_bool(d, a->name, *(const bool *)slot);
        if (a->type == CN_ARG_FLOAT)
            ok = cn_dict_set_float(d, a->name, *(const double *)(const void *)slot);
        if (a->type == CN_ARG_INT || a->type == CN_ARG_STR) ok = set_plain(d, a, slot);
        if (a->type != CN_ARG_FLOATS) continue;
        const cn_floats *list = (const cn_floats *)(const void *)slot;
        cn_value items[CN_MAX_DIMS];
        for (int k = 0; k < list->n; k++)
            items[k] = (cn_value){ .kind = CN_KIND_FLOAT, .u.f = list->v[k] };
        ok = cn_dict_set(
            d, a->name, (cn_value){ .kind = CN_KIND_LIST, .n = (int32_t)list->n, .u.list = items });
    }
    return ok;
}

static cn_dict *group_dict(const cn_optim *o, int g, int first)
{
    const cn_group *group = &o->groups[g];
    cn_dict *d = cn_dict_new();
    cn_value *ids = cn_alloc_zeroed((size_t)group->n * sizeof *ids + 1);
    bool ok = d && ids && set_options(d, o, group);
    for (int i = 0; ok && i < group->n; i++)
        ids[i] = (cn_value){ .kind = CN_KIND_INT, .u.i = first + i };
    ok = ok &&
         cn_dict_set(d, "params", (cn_value){ .kind = CN_KIND_LIST, .n = group->n, .u.list = ids });
    cn_free(ids);
    if (ok) return d;
    cn_dict_free(d);
    return NULL;
}

static bool set_groups(cn_dict *all, const cn_optim *o)
{
    cn_value *list = cn_alloc_zeroed((size_t)o->n_groups * sizeof *list + 1);
    bool ok = list != NULL;
    int n = 0;
    for (int first = 0; ok && n < o->n_groups; first += o->groups[n++].n) {
        list[n] = (cn_value){ .kind = CN_KIND_DICT, .u.d = group_dict(o, n, first) };
        if (!(ok = list[n].u.d != NULL)) break;
    }
    ok = ok && cn_dict_set(all, "param_groups",
                           (cn_value){ .kind = CN_KIND_LIST, .n = n, .u.list = list });
    for (int g = 0; list && g < n; g++) cn_dict_free(list[g].u.d);
    cn_free(list);
    return ok;
}

static bool set_param(cn_dict *all, const cn_optim *o, const cn_param *p, int index)
{
    char key[16];
    if (o->cls->step || !p->steps) return true;
    cn_dict *d = cn_dict_new();
    bool ok = d != NULL;
    if (ok && !o->cls->uncounted) {
        size_t mark = cn_mark();
        ok = cn_dict_set_tensor(d, "step", cn_full(cn_scalar_shape(), (double)p->steps, CN_F32));
        cn_release(mark);
    }
    for (int k = 0; ok && k < CN_MAX_STATE; k++)
        if (p->state[k]) ok = cn_dict_set_tensor(d, o->cls->state[k].name, p->state[k]);
    snprintf(key, sizeof key, "%d", index);
    ok = ok && cn_dict_set_dict(all, key, d);
    cn_dict_free(d);
    return ok;
}

static bool set_list(cn_dict *d, const char *key, const cn_tensors *list)
{
    cn_value *items = cn_alloc((size_t)list->n * sizeof *items + 1);
    if (!items) return false;
    for (int i = 0; i < list->n; i++)
        items[i] = (cn_value){ .kind = CN_KIND_TENSOR, .u.t = list->v[i] };
    bool ok =
        cn_dict_set(d, key, (cn_value){ .kind = CN_KIND_LIST, .n = list->n, .u.list = items });
    cn_free(items);
    return ok;
}

static bool set_shared_entry(cn_dict *d, const cn_optim *o, int k)
{
    const char *name = o->cls->shared[k].name;
    const cn_tensors *list = &o->shared[k];
    switch (o->cls->shared[k].kind) {
    case CN_SHARED_TENSORS: return set_list(d, name, list);
    case CN_SHARED_TENSOR: return !list->n || cn_dict_set_tensor(d, name, list->v[0]);
    case CN_SHARED_NUMBER: return !list->n || cn_dict_set_float(d, name, cn_item(list->v[0]));
    case CN_SHARED_COUNT: return !list->n || cn_dict_set_int(d, name, (int64_t)cn_item(list->v[0]));
    }
    return false;
}

/* PyTorch keeps it with the first parameter. */
static bool set_shared(cn_dict *all, const cn_optim *o)
{
    cn_dict *d = o->cls->step ? cn_dict_new() : NULL;
    bool ok = !o->cls->step || d;
    for (int k = 0; ok && d && k < CN_MAX_SHARED && o->cls->shared[k].name; k++)
        ok = set_shared_entry(d, o, k);
    ok = ok && (!d || cn_dict_set_dict(all, "0", d));
    cn_dict_free(d);
    return ok;
}

static bool get_shared_entry(cn_optim *o, int k, const cn_value *v)
{
    cn_shared_clear(o, k);
    if (v->kind == CN_KIND_TENSOR) return cn_shared_append(o, k, v->u.t);
    if (v->kind == CN_KIND_INT) return cn_shared_number(o, k, (double)v->u.i) != NULL;
    if (v->kind == CN_KIND_FLOAT) return cn_shared_number(o, k, v->u.f) != NULL;
    for (int i = 0; v->kind == CN_KIND_LIST && i < v->n; i++)
        if (v->u.list[i].kind == CN_KIND_TENSOR && !cn_shared_append(o, k, v->u.list[i].u.t))
            return false;
    return true;
}

static bool get_shared(cn_optim *o, const cn_dict *d)
{
    for (int k = 0; k < CN_MAX_SHARED && o->cls->shared[k].name; k++) {
        const cn_value *v = cn_dict_find(d, o->cls->shared[k].name);
        if (v && !get_shared_entry(o, k, v)) return false;
    }
    return true;
}

cn_dict *cn_optim_state_dict(const cn_optim *o)
{
    cn_dict *out = o ? cn_dict_new() : NULL, *state = out ? cn_dict_new() : NULL;
    bool ok = state && set_shared(state, o);
    for (int g = 0, index = 0; ok && g < o->n_groups; index += o->groups[g++].n)
        for (int i = 0; ok && i < o->groups[g].n; i++)
            ok = set_param(state, o, &o->groups[g].params[i], index + i);
    ok = ok && cn_dict_set_dict(out, "state", state) && set_groups(out, o);
    cn_dict_free(state);
    if (ok) return out;
    cn_dict_free(out);
    return NULL;
}

/* Counted by a tensor, or a plain number as earlier versions of PyTorch did. */
static int64_t steps_in(const cn_value *v)
{
    if (v && v->kind == CN_KIND_TENSOR) return (int64_t)cn_item(v->u.t);
    if (v && v->kind == CN_KIND_INT) return v->u.i;
    return v && v->kind == CN_KIND_FLOAT ? (int64_t)v->u.f : 1;
}

static bool get_param(const cn_optim *o, cn_param *p, const cn_dict *d)
{
    p->steps = steps_in(cn_dict_find(d, "step"));
    for (int k = 0; k < CN_MAX_STATE && o->cls->state[k].name; k++)
        if (!take_state(o, p, k, cn_dict_find(d, o->cls->state[k].name))) return false;
    return true;
}

static bool get_group(cn_optim *o, int g, const cn_value *groups)
{
    bool there = g < groups->n && groups->u.list[g].kind == CN_KIND_DICT;
    const cn_dict *d = there ? groups->u.list[g].u.d : NULL;
    if (!d) return cn_fail(CN_EFORMAT, "optim: param_groups has no group %d", g);
    for (int i = 0; d && i < o->schema.n_args; i++) {
        const cn_arg *a = &o->schema.args[i];
        const cn_value *v = cn_dict_find(d, a->name);
        if (v && !cn_optim_assign(o, g, &(cn_ffi_arg){ a->name, *v })) return false;
    }
    return true;
}

bool cn_optim_load_state_dict(cn_optim *o, const cn_dict *dict)
{
    const cn_dict *state = o ? cn_dict_dict(dict, "state") : NULL;
    const cn_value *groups = state ? cn_dict_find(dict, "param_groups") : NULL;
    const cn_value *first = state ? cn_dict_find(state, "0") : NULL;
    if (!state) return false;
    if (!groups || groups->kind != CN_KIND_LIST)
        return cn_fail(CN_EFORMAT, "optim: param_groups must be a list of dictionaries");
    if (first && first->kind == CN_KIND_DICT && !get_shared(o, first->u.d)) return false;
    for (int g = 0, index = 0; g < o->n_groups; g++) {
        if (!get_group(o, g, groups)) return false;
        for (int i = 0; i < o->groups[g].n; i++, index++) {
            char key[16];
            snprintf(key, sizeof key, "%d", index);
            const cn_value *v = cn_dict_find(state, key);
            if (v && v->kind == CN_KIND_DICT && o->cls->update &&
                !get_param(o, &o->groups[g].params[i], v->u.d))
                return false;
        }
    }
    return true;
}
