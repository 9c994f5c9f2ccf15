/* hooks.c - functions of the user that backward calls. */
#include "autograd/node.h"

/* The list that t's hooks are in: a leaf's own, or that of the call that made it. */
static cn_hook **hooks_of(cn_tensor *t)
{
    return t->node ? &t->node->hooks : &t->hooks;
}

static bool add_hook(cn_tensor *t, const cn_hook *hook)
{
    cn_hook *h = cn_alloc(sizeof *h), **end = hooks_of(t);
    if (!h) return false;
    *h = *hook;
    while (*end) end = &(*end)->next;
    *end = h;
    return true;
}

bool cn_register_hook(cn_tensor *t, cn_grad_hook *hook, void *context)
{
    if (!t || !t->requires_grad)
        return cn_fail(CN_EINVALID,
                       "register_hook: the tensor does not require gradients, or is NULL");
    return add_hook(t, &(cn_hook){ .call = hook, .context = context, .out_index = t->out_index });
}

bool cn_register_accumulated_hook(cn_tensor *leaf, cn_accumulated_hook *hook, void *context)
{
    if (!leaf || !leaf->requires_grad || leaf->node)
        return cn_fail(CN_EINVALID, "register_accumulated_hook: the tensor is not a leaf that "
                                    "requires gradients; cn_register_hook takes any");
    return add_hook(leaf, &(cn_hook){ .after = hook, .context = context });
}

static bool remove_first(cn_tensor *t, const cn_hook *like)
{
    if (!t) return false;
    for (cn_hook **at = hooks_of(t); *at; at = &(*at)->next) {
        cn_hook *h = *at;
        if (h->call != like->call || h->after != like->after || h->context != like->context ||
            h->out_index != like->out_index)
            continue;
        *at = h->next;
        cn_free(h);
        return true;
    }
    return false;
}

bool cn_remove_hook(cn_tensor *t, cn_grad_hook *hook, void *context)
{
    int out_index = t ? t->out_index : 0;
    return remove_first(t, &(cn_hook){ .call = hook, .context = context, .out_index = out_index });
}

bool cn_remove_accumulated_hook(cn_tensor *leaf, cn_accumulated_hook *hook, void *context)
{
    return remove_first(leaf, &(cn_hook){ .after = hook, .context = context });
}
