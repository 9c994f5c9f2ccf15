/* whole.c - networks in files with their structure. A module is written as
       { "class", "arguments": { .. }, "parameters": [names], "buffers": [names], "children": { .. } }
   or, when it was written before, as { "shared": its path }. */
#include "core/memory.h"
#include "nn/module.h"
#include "train/state.h"

#include <cenote/autograd.h>
#include <stdio.h>
#include <string.h>

enum { PATH_ROOM = 320 };

/* ---- arguments ------------------------------------------------------------------------------ */

/* What stands in the options for an argument of a constructor, as the value that was given. Lists
   use `items`. False: of a type that files do not hold. */
static bool argument_value(const cn_arg *a, const cn_module *m, cn_value *v,
                           cn_value items[CN_MAX_DIMS])
{
    if (a->is_inplace) return *v = (cn_value){ CN_KIND_BOOL, 0, { .i = m->in_place } }, true;
    const void *slot = (const char *)m->options + a->offset;
    const cn_opt_int *i = slot;
    const cn_opt_float *f = slot;
    const cn_opt_bool *b = slot;
    const cn_ints *list = slot;
    *v = (cn_value){ .kind = CN_KIND_NONE };
    switch (a->type) {
    case CN_ARG_INT:
        if (!a->optional || i->given)
            *v = (cn_value){ CN_KIND_INT, 0, { .i = a->optional ? i->value : *(int64_t *)slot } };
        return true;
    case CN_ARG_FLOAT:
        if (!a->optional || f->given)
            *v = (cn_value){ CN_KIND_FLOAT, 0, { .f = a->optional ? f->value : *(double *)slot } };
        return true;
    case CN_ARG_BOOL:
        if (!a->optional || b->given)
            *v = (cn_value){ CN_KIND_BOOL, 0, { .i = a->optional ? b->value : *(bool *)slot } };
        return true;
    case CN_ARG_STR:
        if (*(const char **)slot) *v = (cn_value){ CN_KIND_STR, 0, { .s = *(const char **)slot } };
        return true;
    case CN_ARG_INTS:
        for (int64_t k = 0; k < list->n; k++)
            items[k] = (cn_value){ CN_KIND_INT, 0, { .i = list->v[k] } };
        if (list->n >= 0) *v = (cn_value){ CN_KIND_LIST, (int32_t)list->n, { .list = items } };
        return true;
    default: return false;
    }
}

static bool put_arguments(cn_dict *node, const cn_module *m, const char *path)
{
    cn_schema s;
    if (!m->cls->schema)
        return cn_fail(CN_EUNSUPPORTED,
                       "module_save: '%s' is a %s, a class of your own: no file can hold its code; "
                       "save its cn_state_dict() and make it again",
                       path, m->cls->name);
    cn_dict *arguments = cn_schema_parse(m->cls->schema, &s) ? cn_dict_new() : NULL;
    bool ok = arguments;
    for (int i = 0; ok && i < s.n_args; i++) {
        cn_value v, items[CN_MAX_DIMS];
        if (s.args[i].type == CN_ARG_MODULES) continue; /* its children */
        ok = argument_value(&s.args[i], m, &v, items) ||
             cn_fail(CN_EUNSUPPORTED, "module_save: '%s': argument '%s' of %s cannot be written",
                     path, s.args[i].name, m->cls->name);
        ok = ok && cn_dict_set(arguments, s.args[i].name, v);
    }
    ok = ok && cn_dict_set_dict(node, "arguments", arguments);
    cn_dict_free(arguments);
    return ok;
}

/* ---- writing -------------------------------------------------------------------------------- */

typedef struct Written {
    const cn_module *module;
    char path[PATH_ROOM];
} Written;

typedef struct Writer {
    Written *seen;
    size_t n, room;
} Writer;

static const Written *find(const Writer *w, const cn_module *m)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->seen[i].module == m) return &w->seen[i];
    return NULL;
}

static bool remember(Writer *w, const cn_module *m, const char *path)
{
    if (w->n == w->room) {
        size_t room = w->room ? 2 * w->room : 16;
        Written *more = cn_realloc(w->seen, room * sizeof *more);
        if (!more) return false;
        w->seen = more;
        w->room = room;
    }
    w->seen[w->n].module = m;
    snprintf(w->seen[w->n++].path, PATH_ROOM, "%s", path);
    return true;
}

static bool put_names(cn_dict *node, const cn_module *m, const char *key, bool buffers)
{
    cn_value *names = cn_alloc(((size_t)m->n_slots + 1) * sizeof *names);
    int n = 0;
    for (int i = 0; names && i < m->n_slots; i++)
        if (m->slots[i].is_buffer == buffers)
            names[n++] = (cn_value){ CN_KIND_STR, 0, { .s = m->slots[i].name } };
    bool ok = names && cn_dict_set(node, key, (cn_value){ CN_KIND_LIST, n, { .list = names } });
    cn_free(names);
    return ok;
}

static void path_of(char out[PATH_ROOM], const char *parent, const char *name)
{
    snprintf(out, PATH_ROOM, "%s%s%s", parent, *parent ? "." : "", name);
}

static cn_dict *describe(Writer *w, const cn_module *m, const char *path);

static bool put_children(Writer *w, cn_dict *node, const cn_module *m, const char *path)
{
    cn_dict *children = cn_dict_new();
    bool ok = children;
    for (int i = 0; ok && i < m->n_children; i++) {
        char below[PATH_ROOM];
        path_of(below, path, m->children[i].name);
        cn_dict *child = describe(w, m->children[i].module, below);
        ok = child && cn_dict_set_dict(children, m->children[i].name, child);
        cn_dict_free(child);
    }
    ok = ok && cn_dict_set_dict(node, "children", children);
    cn_dict_free(children);
    return ok;
}

/* As deep as containers are nested. */
static cn_dict *describe(Writer *w, const cn_module *m, const char *path)
{
    const Written *before = find(w, m);
    cn_dict *node = cn_dict_new();
    bool ok = node;
    if (before) ok = ok && cn_dict_set_str(node, "shared", before->path);
    else
        ok = ok && remember(w, m, path) && cn_dict_set_str(node, "class", m->cls->name) &&
             put_arguments(node, m, path) && put_names(node, m, "parameters", false) &&
             put_names(node, m, "buffers", true) && put_children(w, node, m, path);
    return ok ? node : (cn_dict_free(node), NULL);
}

bool cn_module_save(const char *path, cn_module *m)
{
    Writer w = { 0 };
    if (!m || !path)
        return cn_ok() &&
               cn_fail(CN_EINVALID, "module_save: the %s is NULL", m ? "path" : "module");
    const char *dot = strrchr(path, '.');
    if (!dot || (strcmp(dot, ".pt") != 0 && strcmp(dot, ".pth") != 0))
        return cn_fail(CN_EINVALID, "module_save: %s: the name must end in .pt or .pth", path);
    cn_dict *file = cn_dict_new(), *modules = describe(&w, m, ""), *state = cn_state_dict(m);
    bool ok = file && modules && state && cn_dict_set_dict(file, "modules", modules) &&
              cn_dict_set_dict(file, "state_dict", state) && cn_save(path, file);
    cn_dict_free(state);
    cn_dict_free(modules);
    cn_dict_free(file);
    cn_free(w.seen);
    return ok;
}

/* ---- reading: nothing in a file is believed ------------------------------------------------- */

typedef struct Reader {
    const char *file;
    const cn_dict *state;
    cn_module *root;
} Reader;

static bool damaged(const Reader *r, const char *path, const char *why)
{
    return cn_fail(CN_EFORMAT, "%s: module '%s': %s", r->file, path, why);
}

static cn_module *create(const Reader *r, const cn_dict *node, const char *path)
{
    enum { MOST = 24 };
    cn_ffi_arg args[MOST];
    const char *name = cn_dict_str(node, "class", "");
    const cn_module_class *cls = cn_module_class_find(name);
    const cn_dict *given = cls ? cn_dict_dict(node, "arguments") : NULL;
    int n = given ? cn_dict_count(given) : 0;
    if (!cls)
        cn_fail(CN_EUNSUPPORTED, "%s: module '%s' has the class '%s', which this version lacks",
                r->file, path, name);
    if (n > MOST) damaged(r, path, "it has too many arguments");
    if (!given || n > MOST) return NULL;
    for (int i = 0; i < n; i++)
        args[i] = (cn_ffi_arg){ cn_dict_key(given, i), *cn_dict_at(given, i) };
    return cn_module_create(cls, args, n);
}

/* Lazy modules have nothing yet: they get what the file has. */
static bool take_slots(const Reader *r, cn_module *m, const cn_dict *node, const char *key,
                       const char *path)
{
    const cn_value *names = cn_dict_find(node, key);
    if (!names || names->kind != CN_KIND_LIST)
        return damaged(r, path, "its list of parts is missing");
    for (int i = 0; i < names->n; i++) {
        const char *name = names->u.list[i].kind == CN_KIND_STR ? names->u.list[i].u.s : "";
        char full[PATH_ROOM];
        path_of(full, path, name);
        cn_tensor *saved = cn_dict_tensor(r->state, full);
        bool is_buffer = strcmp(key, "buffers") == 0;
        if (!saved) return false;
        if (cn_module_slot(m, name)) continue;
        cn_tensor *own = cn_clone(saved);
        if (!own ||
            !cn_module_hold(m, name, is_buffer ? own : cn_requires_grad(own, true), is_buffer))
            return false;
        m->built = true;
    }
    return true;
}

static bool fill(const Reader *r, cn_module *m, const cn_dict *node, const char *path);

static cn_module *own_child(const cn_module *m, const char *name)
{
    for (int i = 0; i < m->n_children; i++)
        if (strcmp(m->children[i].name, name) == 0) return m->children[i].module;
    return NULL;
}

/* It is added before it is filled, so that those that share it find it. */
static bool take_child(const Reader *r, cn_module *m, const char *name, const cn_dict *node,
                       const char *path)
{
    const char *shared = cn_dict_str(node, "shared", NULL);
    cn_module *child = own_child(m, name); /* some classes make theirs by themselves */
    if (child && !shared) return fill(r, child, node, path);
    child = shared ? cn_module_keep(cn_module_at(r->root, shared)) : create(r, node, path);
    if (!child && shared) damaged(r, path, "it is shared with one that is not there");
    return child && cn_module_add(m, name, child) && (shared || fill(r, child, node, path));
}

/* A dictionary nests at most 64 deep, and so do the modules in it. */
static bool fill(const Reader *r, cn_module *m, const cn_dict *node, const char *path)
{
    const cn_dict *children = cn_dict_dict(node, "children");
    bool ok = children && take_slots(r, m, node, "parameters", path) &&
              take_slots(r, m, node, "buffers", path);
    for (int i = 0; ok && i < cn_dict_count(children); i++) {
        char below[PATH_ROOM];
        const char *name = cn_dict_key(children, i);
        const cn_dict *child = cn_dict_dict(children, name);
        path_of(below, path, name);
        ok = child && take_child(r, m, name, child, below);
    }
    return ok;
}

cn_module *cn_module_load(const char *path)
{
    cn_dict *file = cn_load(path);
    const cn_dict *modules = file ? cn_dict_dict(file, "modules") : NULL;
    Reader r = { .file = path, .state = modules ? cn_dict_dict(file, "state_dict") : NULL };
    size_t mark = cn_mark();
    if (r.state) r.root = create(&r, modules, "");
    bool ok = r.root && fill(&r, r.root, modules, "") && cn_load_state_dict(r.root, r.state, true);
    cn_release(mark);
    cn_dict_free(file);
    return ok ? r.root : (cn_module_free(r.root), NULL);
}
