/* pretrained.c - weights from files. */
#include "app/pretrained.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const cn_dict *from;
    cn_dict *to;
    const char *prefix;
} Renaming;

/* Files of old have no counters of batches, which nothing but training without a momentum needs. */
static bool take(const cn_entry *e, void *context)
{
    Renaming *r = context;
    const char counter[] = "num_batches_tracked";
    char key[512];
    snprintf(key, sizeof key, "%s%s", r->prefix, e->name);
    size_t n = strlen(e->name);
    bool optional = n >= sizeof counter - 1 && !strcmp(e->name + n - (sizeof counter - 1), counter);
    if (optional && !cn_dict_find(r->from, key))
        return cn_dict_set_tensor(r->to, e->name, e->tensor);
    cn_tensor *t = cn_dict_tensor(r->from, key);
    return t && cn_dict_set_tensor(r->to, e->name, t);
}

/* What else is in the file would be left out silently: it is an error. */
static bool all_known(const Renaming *r)
{
    size_t n = strlen(r->prefix);
    for (int i = 0; i < cn_dict_count(r->from); i++) {
        const char *key = cn_dict_key(r->from, i);
        if (cn_dict_at(r->from, i)->kind != CN_KIND_TENSOR) continue;
        if (strncmp(key, r->prefix, n) == 0 && cn_dict_find(r->to, key + n)) continue;
        return cn_fail(CN_EINVALID, "the weights have '%s', which the network does not", key);
    }
    return true;
}

static bool load(cn_module *net, const cn_dict *file)
{
    const cn_value *inner = cn_dict_find(file, "state_dict");
    Renaming r = { inner && inner->kind == CN_KIND_DICT ? inner->u.d : file, cn_dict_new(), "" };
    const char *first = cn_dict_count(r.from) ? cn_dict_key(r.from, 0) : "";
    if (strncmp(first, "module.", 7) == 0) r.prefix = "module.";
    bool ok =
        r.to && cn_visit(net, take, &r) && all_known(&r) && cn_load_state_dict(net, r.to, true);
    cn_dict_free(r.to);
    return ok;
}

cn_module *pretrained_network(const cn_model *model, const char *path)
{
    cn_dict *file = cn_load(path);
    cn_module *net = file ? cn_model_make(model) : NULL;
    bool ok = net && cn_init(net, cn_zeros_init, NULL) && cn_build(net, cn_model_batch(model, 1)) &&
              load(net, file);
    cn_dict_free(file);
    if (ok) return net;
    cn_module_free(net);
    return NULL;
}
