/* features.c - what a layer inside a network makes of an input. */
#include "nn/module.h"

typedef struct {
    cn_watch watch; /* first: `seen` gets this struct */
    const cn_module *wanted;
    cn_tensor *output; /* of its last run; ours */
} Search;

static void seen(cn_watch *w, cn_module *m, const cn_tensor *in, const cn_tensor *out)
{
    Search *s = (Search *)w;
    (void)in;
    if (m != s->wanted) return;
    cn_drop(s->output);
    s->output = cn_keep((cn_tensor *)out);
}

cn_tensor *cn_layer_output(cn_module *m, const char *path, cn_tensor *x)
{
    if (!m || !path || !x) return NULL;
    Search s = { .watch = { seen }, .wanted = *path ? cn_module_at(m, path) : m };
    if (!s.wanted) {
        cn_fail(CN_ENOTFOUND, "layer_output: there is no '%s' in this %s", path, cn_module_name(m));
        return NULL;
    }
    size_t mark = cn_mark();
    cn_module_watch(m, &s.watch);
    bool ok = cn_forward(m, x) != NULL;
    cn_module_watch(m, NULL);
    cn_release(mark);
    if (ok && !s.output) cn_fail(CN_EINVALID, "layer_output: '%s' did not run", path);
    return s.output ? cn_scope_add(s.output) : NULL;
}
