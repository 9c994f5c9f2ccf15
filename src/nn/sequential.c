/* sequential.c - modules one after the other. */
#include "autograd/checkpoint.h"
#include "nn/fusion.h"
#include "nn/running.h"

/* One layer, or several that one op computes: how many; -1 on errors. */
static int run_next(cn_module *m, int i, cn_tensor *x, cn_tensor **y)
{
    cn_running running;
    cn_running_begin(&running, m->children[i].module);
    int n = cn_run_fused(m, i, x, y);
    if (n == 0) n = (*y = cn_forward(m->children[i].module, x)) ? 1 : -1;
    cn_running_end(&running, n > 0);
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

/* ---- recomputation ------------------------------------------------------------------------- */

static cn_tensor *forward_one(cn_tensor *const *in, void *module)
{
    return cn_forward(module, in[0]);
}

static void free_module(void *module)
{
    cn_module_free(module);
}

cn_tensor *cn_checkpoint_module(cn_module *m, cn_tensor *x)
{
    if (!m || !x) return NULL;
    return cn_checkpoint_owning(forward_one, &x, 1, cn_module_keep(m), free_module);
}

/* Children first .. end - 1 in a container of their own, which shares them with m. */
static cn_module *part_of(const cn_module *m, int first, int end)
{
    cn_module *part = cn_module_create(&cn_class_Sequential, NULL, 0);
    for (int i = first; i < end && part; i++) {
        if (cn_module_add(part, m->children[i].name, cn_module_keep(m->children[i].module)))
            continue;
        cn_module_free(part);
        part = NULL;
    }
    return part;
}

static cn_tensor *run_part(const cn_module *m, int first, int end, cn_tensor *x, bool again)
{
    cn_module *part = part_of(m, first, end);
    cn_tensor *y = !part ? NULL : again ? cn_checkpoint_module(part, x) : cn_forward(part, x);
    cn_module_free(part);
    return y;
}

cn_tensor *cn_checkpoint_sequential(cn_module *m, int segments, cn_tensor *x)
{
    size_t mark = cn_mark();
    if (!m || !x) return NULL;
    if (m->cls != &cn_class_Sequential || segments < 1 || segments > m->n_children) {
        cn_fail(CN_EINVALID, "checkpoint_sequential: %d segments of a %s of %d", segments,
                m->cls->name, m->n_children);
        return NULL;
    }
    int each = m->n_children / segments, last = (segments - 1) * each;
    for (int first = 0; x && first < last; first += each)
        x = cn_return(mark, run_part(m, first, first + each, x, true));
    return x ? cn_return(mark, run_part(m, last, m->n_children, x, false)) : NULL;
}
