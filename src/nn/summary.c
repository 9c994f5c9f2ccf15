/* summary.c - a table of what a network is made of. */
#include "nn/module.h"

#include <cenote/autograd.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    cn_watch watch; /* first: `seen` gets this struct */
    cn_module *root;
    char *buf;
    size_t room, length;
    double multiply_adds, first; /* of all layers; of the first that has any */
    bool failed;
} Table;

static void put(Table *t, const char *fmt, ...) CN_PRINTF(2, 3);

static void put(Table *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    size_t left = t->length < t->room ? t->room - t->length : 0;
    int n = vsnprintf(left ? t->buf + t->length : NULL, left, fmt, args);
    va_end(args);
    if (n > 0) t->length += (size_t)n;
}

static bool path_to(cn_module *from, const cn_module *to, char *path, size_t room)
{
    if (from == to) return true;
    size_t at = strlen(path);
    for (int i = 0; i < from->n_children; i++) {
        snprintf(path + at, room - at, "%s%s", at ? "." : "", from->children[i].name);
        if (path_to(from->children[i].module, to, path, room)) return true;
    }
    path[at] = 0;
    return false;
}

static void line(cn_watch *w, cn_module *m, const cn_tensor *in, const cn_tensor *out)
{
    Table *t = (Table *)w;
    char path[128] = "", name[192], from[128], to[128];
    (void)in;
    if (m->n_children) return;
    path_to(t->root, m, path, sizeof path);
    double adds = m->cls->multiply_adds ? m->cls->multiply_adds(m, &out->v.shape) : 0;
    t->multiply_adds += adds;
    if (t->first == 0) t->first = adds;
    snprintf(name, sizeof name, "%s %s", path, m->cls->name);
    put(t, "%-28s %-20s %-20s %12lld %14.0f\n", name, cn_shape_text(&in->v.shape, from),
        cn_shape_text(&out->v.shape, to), (long long)cn_parameter_count(m), adds);
}

static void watch(cn_module *m, cn_watch *w)
{
    m->watch = w;
    for (int i = 0; i < m->n_children; i++) watch(m->children[i].module, w);
}

size_t cn_summary(cn_module *m, cn_shape input, char *buf, size_t room)
{
    if (!m) return 0;
    Table t = { .watch = { line }, .root = m, .buf = buf, .room = room };
    put(&t, "%-28s %-20s %-20s %12s %14s\n", "layer", "input", "output", "parameters",
        "multiply-adds");
    watch(m, &t.watch);
    bool ok = cn_build(m, input);
    watch(m, NULL);
    if (!ok) return 0;
    put(&t, "total: %lld parameters, %.4g million multiply-adds\n",
        (long long)cn_parameter_count(m), t.multiply_adds / 1e6);
    return t.length;
}

/* Backward costs a product for the weights and one for the input of each layer, but nobody wants
   the gradient
   of the first layer's input. */
double cn_step_flops(cn_module *m, cn_shape input)
{
    if (!m) return 0;
    Table t = { .watch = { line }, .root = m };
    watch(m, &t.watch);
    bool ok = cn_build(m, input);
    watch(m, NULL);
    return ok ? 2 * (3 * t.multiply_adds - t.first) : 0;
}
