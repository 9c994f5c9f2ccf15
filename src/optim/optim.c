/* optim.c - what all optimisers have in common: groups, options, state, the walk over parameters.
   */
#include "optim/optim.h"

#include "core/threads.h"
#include "nn/module.h"

#include <math.h>
#include <string.h>

cn_optim *cn_optim_create(const cn_optim_class *cls, const cn_ffi_arg *defaults, int n)
{
    cn_optim *o = cls ? cn_alloc_zeroed(sizeof *o) : NULL;
    cn_bound bound;
    if (!o) return NULL;
    o->cls = cls;
    if (cn_schema_parse(cls->schema, &o->schema) &&
        cn_bind(&o->schema, cls->name, defaults, n, &bound) &&
        (!cls->check || cls->check(bound.params))) {
        memcpy(o->defaults, bound.params, o->schema.params_size);
        return o;
    }
    cn_free(o);
    return NULL;
}

void cn_optim_free(cn_optim *o)
{
    if (!o) return;
    for (int g = 0; g < o->n_groups; g++) {
        for (int i = 0; i < o->groups[g].n; i++) {
            cn_drop(o->groups[g].params[i].tensor);
            for (int k = 0; k < CN_MAX_STATE; k++) cn_drop(o->groups[g].params[i].state[k]);
        }
        cn_free(o->groups[g].params);
        cn_free(o->groups[g].options);
    }
    for (int k = 0; k < CN_MAX_SHARED; k++) cn_shared_clear(o, k);
    cn_free(o);
}

/* ---- options ------------------------------------------------------------------------------- */

static const cn_arg *option_named(const cn_optim *o, const char *name)
{
    for (int i = 0; i < o->schema.n_args; i++)
        if (strcmp(o->schema.args[i].name, name) == 0) return &o->schema.args[i];
    return NULL;
}

static void store(const cn_arg *a, char *slot, double value)
{
    const int64_t whole = (int64_t)value;
    const cn_opt_int given = { true, whole };
    if (a->type == CN_ARG_BOOL) *(bool *)slot = value != 0;
    else if (a->type == CN_ARG_INT && a->optional) memcpy(slot, &given, sizeof given);
    else if (a->type == CN_ARG_INT) memcpy(slot, &whole, sizeof whole);
    else memcpy(slot, &value, sizeof value);
}

/* NaN: an optional one that is not given. */
static double stored(const cn_arg *a, const char *slot)
{
    int64_t whole;
    cn_opt_int given;
    double value;
    if (a->type == CN_ARG_BOOL) return *(const bool *)slot;
    if (a->type == CN_ARG_INT && a->optional) {
        memcpy(&given, slot, sizeof given);
        return given.given ? (double)given.value : (double)NAN;
    }
    if (a->type == CN_ARG_INT) return memcpy(&whole, slot, sizeof whole), (double)whole;
    return memcpy(&value, slot, sizeof value), value;
}

/* Options that are numbers; beta1 and beta2 name the two entries of betas. */
static char *slot_of(const cn_optim *o, char *options, const char *name, const cn_arg **arg)
{
    bool first = strcmp(name, "beta1") == 0, second = strcmp(name, "beta2") == 0;
    *arg = option_named(o, first || second ? "betas" : name);
    if (!*arg || ((*arg)->type == CN_ARG_FLOATS) != (first || second)) return NULL;
    if ((*arg)->type == CN_ARG_STR) return NULL;
    if (!first && !second) return options + (*arg)->offset;
    return (char *)&((cn_floats *)(void *)(options + (*arg)->offset))->v[second];
}

bool cn_optim_has(const cn_optim *o, const char *option)
{
    const cn_arg *a;
    cn_optim *own = (cn_optim *)o; /* the slot is only looked for */
    return slot_of(o, own->defaults, option, &a) != NULL;
}

bool cn_optim_set(cn_optim *o, int group, const char *option, double value)
{
    if (!o) return false;
    const cn_arg *a;
    if (!slot_of(o, o->defaults, option, &a))
        return cn_fail(CN_ENOTFOUND, "%s: there is no option '%s'", o->cls->name, option);
    if (group < -1 || group >= o->n_groups)
        return cn_fail(CN_EINVALID, "%s: there is no group %d", o->cls->name, group);
    if (group == -1) store(a, slot_of(o, o->defaults, option, &a), value);
    for (int g = 0; g < o->n_groups; g++)
        if (group == -1 || group == g)
            store(a, slot_of(o, o->groups[g].options, option, &a), value);
    return true;
}

double cn_optim_get(const cn_optim *o, int group, const char *option)
{
    const cn_arg *a;
    char *slot = o && group >= 0 && group < o->n_groups
                     ? slot_of(o, o->groups[group].options, option, &a)
                     : NULL;
    if (slot) return stored(a, slot);
    cn_fail(CN_ENOTFOUND, "optimiser: there is no option '%s' in group %d", option, group);
    return (double)NAN;
}

double cn_lr(const cn_optim *o, int group)
{
    return cn_optim_get(o, group, "lr");
}

void cn_optim_set_lr(cn_optim *o, int group, double lr)
{
    cn_optim_set(o, group, "lr", lr);
}

/* ---- groups -------------------------------------------------------------------------------- */

static bool usable(const cn_optim *o, const cn_tensor *t)
{
    if (!t)
        return cn_fail(CN_EINVALID,
                       "%s: a parameter is NULL (its shape is not known yet: run "
                       "cn_build() first)",
                       o->cls->name);
    if ((t->v.dtype != CN_F32 && t->v.dtype != CN_F64) || !t->v.contiguous)
        return cn_fail(CN_EUNSUPPORTED,
                       "%s: parameters must be contiguous float32 or float64, "
                       "not %s",
                       o->cls->name, cn_dtype_name(t->v.dtype));
    if (t->node) return cn_fail(CN_EINVALID, "%s: only leaves can be optimised", o->cls->name);
    return true;
}

static bool assign(const cn_optim *o, const cn_group *g, const cn_ffi_arg *arg)
{
    cn_bound bound;
    const cn_arg *a = arg->name ? option_named(o, arg->name) : NULL;
    if (!a)
        return cn_fail(CN_ENOTFOUND, "%s: there is no option '%s'", o->cls->name,
                       arg->name ? arg->name : "(positional)");
    cn_ffi_arg with_lr[2] = { *arg, { "lr", { .kind = CN_KIND_FLOAT, .u.f = 0 } } };
    bool is_lr = strcmp(a->name, "lr") == 0;
    if (!cn_bind(&o->schema, o->cls->name, with_lr, is_lr ? 1 : 2, &bound)) return false;
    memcpy((char *)g->options + a->offset, bound.params + a->offset, cn_arg_bytes(a));
    return true;
}

bool cn_optim_assign(cn_optim *o, int group, const cn_ffi_arg *arg)
{
    return assign(o, &o->groups[group], arg);
}

static bool bind_group(const cn_optim *o, cn_group *g, const cn_ffi_arg *args, int n)
{
    g->options = cn_alloc(o->schema.params_size);
    if (!g->options) return false;
    memcpy(g->options, o->defaults, o->schema.params_size);
    for (int i = 0; i < n; i++)
        if (!assign(o, g, &args[i])) return false;
    return true;
}

int cn_optim_group(cn_optim *o, cn_tensor *const *params, int n, const cn_ffi_arg *args, int n_args)
{
    if (!o) return -1;
    if (o->n_groups == CN_MAX_GROUPS) {
        cn_fail(CN_EINVALID, "%s: more than %d groups", o->cls->name, CN_MAX_GROUPS);
        return -1;
    }
    for (int i = 0; i < n; i++)
        if (!usable(o, params[i])) return -1;
    cn_group *g = &o->groups[o->n_groups];
    *g = (cn_group){ .params = cn_alloc_zeroed((size_t)n * sizeof(cn_param)) };
    if (!g->params || !bind_group(o, g, args, n_args)) {
        cn_free(g->params);
        cn_free(g->options);
        return -1;
    }
    for (; g->n < n; g->n++) g->params[g->n].tensor = cn_keep(params[g->n]);
    g->initial_lr = cn_lr(o, o->n_groups++);
    return o->n_groups - 1;
}

int cn_optim_add_group(cn_optim *o, cn_tensor *const *params, int n)
{
    return cn_optim_group(o, params, n, NULL, 0);
}

cn_optim *cn_optim_new(const char *cls, double lr)
{
    const cn_ffi_arg arg = { "lr", { .kind = CN_KIND_FLOAT, .u.f = lr } };
    return cn_optim_create(cn_optim_class_find(cls), &arg, 1);
}

cn_optim *cn_optim_over(cn_optim *o, cn_module *net)
{
    int n = o && net ? cn_parameters(net, NULL, 0) : 0, group = -1;
    cn_tensor **params = n ? cn_alloc((size_t)n * sizeof *params) : NULL;
    const cn_module *lazy = o && net ? cn_unmade(net) : NULL;
    if (lazy)
        cn_fail(CN_EINVALID,
                "%s: a %s has no parameters yet; run cn_build() or the network once first",
                o->cls->name, lazy->cls->name);
    else if (o && net && n == 0)
        cn_fail(CN_EINVALID, "%s: the module has no parameters; are there layers in it?",
                o->cls->name);
    if (params && !lazy) {
        n = cn_parameters(net, params, n);
        group = cn_optim_add_group(o, params, n);
    }
    cn_free(params);
    if (group >= 0) return o;
    cn_optim_free(o);
    return NULL;
}

/* ---- stepping ------------------------------------------------------------------------------ */

cn_tensor *cn_param_state(const cn_optim_class *cls, cn_param *p, int k)
{
    if (p->state[k]) return p->state[k];
    size_t mark = cn_mark();
    bool number = cls->state[k].kind == CN_STATE_NUMBER;
    p->state[k] = cn_keep(number ? cn_zeros(cn_scalar_shape(), CN_F32)
                                 : cn_zeros(p->tensor->v.shape, p->tensor->v.dtype));
    cn_release(mark);
    return p->state[k];
}

static cn_tensor *state_of(cn_update *u, int k, double start)
{
    bool is_new = !u->param->state[k];
    cn_tensor *t = cn_param_state(u->cls, u->param, k);
    if (t && is_new && start != 0) cn_fill_view(&t->v, start);
    return t;
}

bool cn_update_state(cn_update *u, int k, double start)
{
    cn_tensor *t = state_of(u, k, start);
    u->s[k] = t ? t->v.data : NULL;
    return t != NULL;
}

float *cn_update_number(cn_update *u, int k, double start)
{
    cn_tensor *t = state_of(u, k, start);
    return t ? (float *)(void *)t->v.data : NULL;
}

typedef struct {
    cn_rule *rule;
    const cn_update *update;
} Job;

static void run(int64_t first, int64_t last, void *context)
{
    const Job *j = context;
    j->rule(first, last, j->update);
}

bool cn_run_rule(cn_update *u, const cn_rules *rules, const void *numbers)
{
    const cn_view *v = &u->param->tensor->v;
    Job j = { v->dtype == CN_F64 ? rules->f64 : rules->f32, u };
    u->numbers = numbers;
    cn_parallel(v->numel, 4, run, &j);
    return true;
}

double cn_norm_of(const cn_update *u, const void *elements)
{
    const cn_view *v = &u->param->tensor->v;
    double total = 0;
    for (int64_t i = 0; i < v->numel; i++) {
        double x = v->dtype == CN_F64 ? ((const double *)elements)[i]
                                      : (double)((const float *)elements)[i];
        total += x * x;
    }
    return sqrt(total);
}

static bool update(cn_optim *o, const cn_group *g, cn_param *p)
{
    cn_tensor *grad = p->tensor->grad;
    if (!grad || !p->tensor->requires_grad) return true;
    size_t mark = cn_mark();
    grad = cn_rows(cn_cast_raw(grad, p->tensor->v.dtype));
    bool ok = grad != NULL;
    if (ok) {
        cn_update u = { .cls = o->cls,
                        .options = g->options,
                        .param = p,
                        .steps = (double)++p->steps,
                        .w = p->tensor->v.data,
                        .g = grad->v.data };
        ok = o->cls->update(&u);
        p->tensor->storage->version++;
    }
    cn_release(mark);
    return ok;
}

bool cn_step(cn_optim *o)
{
    double loss;
    if (!o || !cn_ok()) return false;
    if (o->cls->step) return o->cls->step(o, NULL, NULL, &loss);
    for (int g = 0; g < o->n_groups; g++)
        for (int i = 0; i < o->groups[g].n; i++)
            if (!update(o, &o->groups[g], &o->groups[g].params[i])) return false;
    return true;
}

double cn_call_closure(cn_closure *closure, void *context)
{
    size_t mark = cn_mark();
    double loss = closure(context);
    cn_release(mark);
    return cn_ok() ? loss : (double)NAN;
}

double cn_step_closure(cn_optim *o, cn_closure *closure, void *context)
{
    double loss = (double)NAN;
    if (!o || !closure || !cn_ok()) {
        cn_fail(CN_EINVALID, "cn_step_closure: the optimiser or the closure is NULL");
        return loss;
    }
    if (o->cls->step) return o->cls->step(o, closure, context, &loss) ? loss : (double)NAN;
    loss = cn_call_closure(closure, context);
    return cn_step(o) ? loss : (double)NAN;
}

void cn_optim_zero_grad(cn_optim *o)
{
    for (int g = 0; o && g < o->n_groups; g++)
        for (int i = 0; i < o->groups[g].n; i++) cn_set_grad(o->groups[g].params[i].tensor, NULL);
}
