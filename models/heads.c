/* heads.c - a chain with side heads: classifiers of what is known half way, for training only. */
#include "models/heads.h"

#include <string.h>

typedef struct {
    cn_side_head head[CN_MAX_SIDE_HEADS];
    int n;
    bool built; /* also heads must have seen an input once */
} Chain;

static bool is_head(const Chain *o, cn_module *m, const cn_module *part)
{
    for (int k = 0; k < o->n; k++)
        if (cn_module_at(m, o->head[k].name) == part) return true;
    return false;
}

static bool run_heads(const Chain *o, cn_module *m, const cn_module *part, cn_tensor *x, cn_io *io)
{
    for (int k = 0; k < o->n; k++) {
        if (cn_module_at(m, o->head[k].after) != part) continue;
        io->out[1 + k] = cn_forward(cn_module_at(m, o->head[k].name), x);
        if (!io->out[1 + k]) return false;
    }
    return true;
}

static bool chain_forward(cn_module *m, cn_io *io)
{
    Chain *o = cn_module_options(m);
    bool heads = cn_is_training(m) || !o->built;
    cn_tensor *x = io->in[0];
    size_t mark = cn_mark();
    for (int i = 0; i < cn_module_children(m); i++) {
        cn_module *part = cn_module_child(m, i);
        if (is_head(o, m, part)) continue;
        x = cn_forward(part, x);
        if (!x || (heads && !run_heads(o, m, part, x, io))) return false;
        if (!heads) x = cn_return(mark, x); /* nobody needs what came before it */
    }
    o->built = true;
    io->n_out = cn_is_training(m) ? 1 + o->n : 1;
    io->out[0] = x;
    return true;
}

static const cn_module_class chain_class = {
    .size = sizeof(cn_module_class),
    .name = "ChainWithHeads",
    .doc = "Layers one after the other, with side heads that training sees (D2L 8.4).",
    .options_size = sizeof(Chain),
    .forward = chain_forward,
};

cn_module *cn_chain_with_heads(const cn_side_head *heads, int n)
{
    Chain o = { .n = n };
    if (n > CN_MAX_SIDE_HEADS) return cn_fail(CN_EINVALID, "chain: %d side heads", n), NULL;
    memcpy(o.head, heads, (size_t)n * sizeof *heads);
    return cn_module_of(&chain_class, &o);
}
