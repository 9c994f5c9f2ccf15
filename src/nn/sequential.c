/* sequential.c - modules one after the other. */
#include "nn/fusion.h"

/* One layer, or several that one op computes: how many; -1 on errors. */
static int run_next(cn_module *m, int i, cn_tensor *x, cn_tensor **y)
{
    int n = cn_run_fused(m, i, x, y);
    if (n == 0) n = (*y = cn_forward(m->children[i].module, x)) ? 1 : -1;
    if (n < 0)
        cn_error_prefix("%s (%s): ", m->children[i].name, cn_module_name(m->children[i].module));
    return n;
}

/* Between layers only the tape, if there is one, keeps what the earlier layers made. */
static bool sequential_forward(cn_module *m, cn_io *io)
{
    cn_tensor *x = io->in[0], *y = NULL;
    size_t mark = cn_mark();
    for (int i = 0, n; i < m->n_children; i += n) {
        n = run_next(m, i, x, &y);
        x = n < 0 ? NULL : cn_return(mark, y);
        if (!x) return cn_release(mark), false;
    }
    io->n_out = 1;
    io->out[0] = x;
    return true;
}

const cn_module_class cn_class_Sequential = {
    .name = "Sequential",
    .schema = "Sequential(Module[] modules)",
    .options_size = sizeof(cn_modules_arg),
    .build = cn_build_from_list,
    .doc = "Modules one after the other (D2L 6.1).",
    .forward = sequential_forward,
};

static cn_module end_marker;
cn_module *const cn_end = &end_marker;

cn_module *cn_sequential_n(cn_module *const *modules, int n)
{
    cn_module *m = cn_module_of(&cn_class_Sequential, NULL);
    if (cn_module_add_all(m, modules, n)) return m;
    cn_module_free(m);
    return NULL;
}

cn_module *cn_sequential_of(cn_module *const *modules)
{
    int n = 0;
    while (modules[n] != cn_end) n++;
    return cn_sequential_n(modules, n);
}
