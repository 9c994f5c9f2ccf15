/* modules.c - modules, optimisers and schedulers by name. */
#include "ffi/ffi.h"

#include "nn/module.h"
#include "optim/sched.h"
#include "train/state.h"

#include <cenote/train.h>

#include <math.h>
#include <string.h>

/* ---- modules ------------------------------------------------------------------------------- */

int cn_ffi_module_new(const char *cls, const cn_ffi_arg *args, int n, cn_module **out)
{
    size_t mark = cn_ffi_enter();
    const cn_module_class *c = cls ? cn_module_class_find(cls) : NULL;
    if (!c) cn_fail(CN_ENOTFOUND, "there is no module class '%s'", cls ? cls : "(null)");
    *out = c ? cn_module_create(c, args, n) : NULL;
    return cn_ffi_leave(mark, *out != NULL);
}

/* None for what PyTorch would give as None, unless nothing follows it. */
static bool give_outputs(const cn_io *io, cn_ffi_value *outs, int *nouts)
{
    int count = io->n_out;
    while (count > 1 && !io->out[count - 1]) count--;
    if (count > *nouts)
        return cn_fail(CN_EINVALID, "forward: %d results, but room for %d", count, *nouts);
    for (int i = 0; i < count; i++) {
        outs[i] = (cn_ffi_value){ .kind = io->out[i] ? CN_KIND_TENSOR : CN_KIND_NONE };
        if (io->out[i]) outs[i].u.t = cn_keep(io->out[i]);
    }
    *nouts = count;
    return true;
}

int cn_ffi_module_forward(cn_module *m, const cn_ffi_arg *args, int n, cn_ffi_value *outs,
                          int *nouts)
{
    size_t mark = cn_ffi_enter();
    cn_io io;
    return cn_ffi_leave(mark, cn_module_call(m, args, n, &io) && give_outputs(&io, outs, nouts));
}

int cn_ffi_module_train(cn_module *m, int on)
{
    size_t mark = cn_ffi_enter();
    if (!m) cn_fail(CN_EINVALID, "train: the module is NULL");
    cn_train_mode(m, on != 0);
    return cn_ffi_leave(mark, m != NULL);
}

int cn_ffi_module_state(cn_module *m, cn_dict **out)
{
    size_t mark = cn_ffi_enter();
    if (!m) cn_fail(CN_EINVALID, "state: the module is NULL");
    *out = m ? cn_live_state(m) : NULL;
    return cn_ffi_leave(mark, *out != NULL);
}

int cn_ffi_module_load_state(cn_module *m, const cn_dict *state, int strict)
{
    size_t mark = cn_ffi_enter();
    if (!m || !state) cn_fail(CN_EINVALID, "load_state: the module or the state is NULL");
    return cn_ffi_leave(mark, m && state && cn_load_state_dict(m, state, strict != 0));
}

void cn_ffi_module_release(cn_module *m)
{
    cn_module_free(m);
}

/* ---- optimisers ---------------------------------------------------------------------------- */

static bool add_groups(cn_optim *o, cn_tensor *const *params, const int *group, int n,
                       const cn_ffi_arg *const *args, const int *n_args, int n_groups)
{
    cn_tensor **of_group = cn_alloc((size_t)n * sizeof *of_group);
    bool ok = of_group != NULL;
    for (int g = 0; ok && g < (n_groups > 0 ? n_groups : 1); g++) {
        int count = 0;
        for (int i = 0; i < n; i++)
            if ((group ? group[i] : 0) == g) of_group[count++] = params[i];
        ok = cn_optim_group(o, of_group, count, args ? args[g] : NULL,
                            args && n_args ? n_args[g] : 0) >= 0;
    }
    cn_free(of_group);
    return ok;
}

int cn_ffi_optim_new(const char *cls, cn_tensor *const *params, const int *group, int n,
                     const cn_ffi_arg *const *group_args, const int *n_group_args, int n_groups,
                     const cn_ffi_arg *defaults, int n_defaults, cn_optim **out)
{
    size_t mark = cn_ffi_enter();
    const cn_optim_class *c = cls && n >= 0 ? cn_optim_class_find(cls) : NULL;
    *out = c ? cn_optim_create(c, defaults, n_defaults) : NULL;
    if (*out && !add_groups(*out, params, group, n, group_args, n_group_args, n_groups)) {
        cn_optim_free(*out);
        *out = NULL;
    }
    return cn_ffi_leave(mark, *out != NULL);
}

int cn_ffi_optim_step(cn_optim *o)
{
    size_t mark = cn_ffi_enter();
    return cn_ffi_leave(mark, cn_step(o));
}

int cn_ffi_optim_zero_grad(cn_optim *o)
{
    size_t mark = cn_ffi_enter();
    cn_optim_zero_grad(o);
    return cn_ffi_leave(mark, o != NULL);
}

int cn_ffi_optim_state(cn_optim *o, cn_dict **out)
{
    size_t mark = cn_ffi_enter();
    *out = cn_optim_state_dict(o);
    return cn_ffi_leave(mark, *out != NULL);
}

int cn_ffi_optim_load_state(cn_optim *o, const cn_dict *state)
{
    size_t mark = cn_ffi_enter();
    return cn_ffi_leave(mark, cn_optim_load_state_dict(o, state));
}

double cn_ffi_optim_lr(const cn_optim *o, int group)
{
    size_t mark = cn_ffi_enter();
    double lr = cn_lr(o, group);
    cn_ffi_leave(mark, true);
    return lr;
}

void cn_ffi_optim_release(cn_optim *o)
{
    cn_optim_free(o);
}

/* ---- schedulers ---------------------------------------------------------------------------- */

int cn_ffi_sched_new(const char *cls, cn_optim *o, const cn_ffi_arg *args, int n, cn_sched **out)
{
    size_t mark = cn_ffi_enter();
    *out = cn_sched_create(cls, o, args, n);
    return cn_ffi_leave(mark, *out != NULL);
}

int cn_ffi_sched_step(cn_sched *s, double metric)
{
    size_t mark = cn_ffi_enter();
    return cn_ffi_leave(mark, isnan(metric) ? cn_sched_step(s) : cn_sched_observe(s, metric));
}

void cn_ffi_sched_release(cn_sched *s)
{
    cn_sched_free(s);
}
