/* branches.c - a block of layers side by side, whose outputs are concatenated. */
#include "models/blocks.h"

typedef struct {
    bool relu;
    int n;
    signed char from[CN_MAX_BRANCHES];
    bool taken[CN_MAX_BRANCHES]; /* another layer takes its output */
} Branches;

static bool stop(const cn_entry *entry, void *context)
{
    (void)entry, (void)context;
    return false;
}

/* Pooling has none. Before the first input they have names, but no values. */
static bool has_parameters(cn_module *layer)
{
    return !cn_visit(layer, stop, NULL);
}

static cn_tensor *run(const Branches *o, cn_module *layer, cn_tensor *x)
{
    return o->relu && has_parameters(layer) ? cn_forward_relu(layer, x) : cn_forward(layer, x);
}

static bool branches_forward(cn_module *m, cn_io *io)
{
    const Branches *o = cn_module_options(m);
    cn_tensor *y[CN_MAX_BRANCHES], *ends[CN_MAX_BRANCHES];
    int n_ends = 0;
    for (int i = 0; i < o->n; i++) {
        y[i] = run(o, cn_module_child(m, i), o->from[i] < 0 ? io->in[0] : y[o->from[i]]);
        if (!y[i]) return false;
        if (!o->taken[i]) ends[n_ends++] = y[i];
    }
    io->out[0] = cn_cat(ends, n_ends, 1);
    return io->out[0] != NULL;
}

static const cn_module_class branches_class = {
    .size = sizeof(cn_module_class),
    .name = "Branches",
    .doc = "Layers side by side, concatenated along the channels (D2L 8.4).",
    .options_size = sizeof(Branches),
    .forward = branches_forward,
};

cn_module *cn_branches(bool relu)
{
    return cn_module_of(&branches_class, &(Branches){ .relu = relu });
}

int cn_branch(cn_module *block, const char *name, int from, cn_module *layer)
{
    Branches *o = cn_module_options(block);
    if (o && (o->n == CN_MAX_BRANCHES || from >= o->n)) {
        cn_fail(
            CN_EINVALID,
            "branches: '%s' is to take the output of layer %d, but there are %d before it; at most %d",
            name, from, o->n, CN_MAX_BRANCHES);
        o = NULL;
    }
    if (!o) return cn_module_free(layer), -1;
    if (!cn_module_add(block, name, layer)) return -1;
    o->from[o->n] = (signed char)from;
    if (from >= 0) o->taken[from] = true;
    return o->n++;
}
