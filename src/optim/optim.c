/* optim.c - what all optimisers have in common: groups, options, state, the walk over parameters.
   */
#include "optim/optim.h"

#include <math.h>
#include <string.h>

extern const cn_optim_class cn_optim_SGD, cn_optim_Adam, cn_optim_AdamW;

static const cn_optim_class *const classes[] = { &cn_optim_Adam, &cn_optim_AdamW, &cn_optim_SGD };

const cn_optim_class *cn_optim_class_find(const char *name)
{
    for (size_t i = 0; i < CN_COUNT(classes); i++)
        if (strcmp(classes[i]->name, name) == 0) return classes[i];
    cn_fail(CN_ENOTFOUND, "optimiser: there is no %s; there are SGD, Adam and AdamW", name);
    return NULL;
}

cn_optim *cn_optim_create(const cn_optim_class *cls, const cn_ffi_arg *defaults, int n)
{
    cn_optim *o = cls ? cn_alloc_zeroed(sizeof *o) : NULL;
    cn_bound bound;
    if (!o) return NULL;
    o->cls = cls;
    if (cn_schema_parse(cls->schema, &o->schema) &&
        cn_bind(&o->schema, cls->name, defaults, n, &bound)) {
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
    if (a->type == CN_ARG_BOOL) *(bool *)slot = value != 0;
    else memcpy(slot, &value, sizeof value);
}

/* beta1 and beta2 name the two entries of betas. */
static char *slot_of(const cn_optim *o, char *options, const char *name, const cn_arg **arg)
{
    bool first = strcmp(name, "beta1") == 0, second = strcmp(name, "beta2") == 0;
    *arg = option_named(o, first || second ? "betas" : name);
    if (!*arg || ((*arg)->type == CN_ARG_FLOATS) != (first || second)) return NULL;
    if (!first && !second) return options + (*arg)->offset;
    return (char *)&((cn_floats *)(void *)(options + (*arg)->offset))->v[second];
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
    double value;
    if (!slot) {
        cn_fail(CN_ENOTFOUND, "optimiser: there is no option '%s' in group %d", option, group);
        return (double)NAN;
    }
    if (a->type == CN_ARG_BOOL) return *(bool *)slot;
    memcpy(&value, slot, sizeof value);
    return value;
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
    if (t->v.dtype != CN_F32 || !t->v.contiguous)
        return cn_fail(CN_EUNSUPPORTED, "%s: parameters must be contiguous float32, not %s",
                       o->cls->name, cn_dtype_name(t->v.dtype));
    if (t->node) return cn_fail(CN_EINVALID, "%s: only leaves can be optimised", o->cls->name);
    return true;
}

static bool bind_group(const cn_optim *o, cn_group *g, const cn_ffi_arg *args, int n)
{
    g->options = cn_alloc(o->schema.params_size);
    if (!g->options) return false;
    memcpy(g->options, o->defaults, o->schema.params_size);
    for (int i = 0; i < n; i++) {
        cn_bound bound;
        const cn_arg *a = args[i].name ? option_named(o, args[i].name) : NULL;
        if (!a)
            return cn_fail(CN_ENOTFOUND, "%s: there is no option '%s'", o->cls->name,
                           args[i].name ? args[i].name : "(positional)");
        cn_ffi_arg with_lr[2] = { args[i], { "lr", { .kind = CN_KIND_FLOAT, .u.f = 0 } } };
        bool is_lr = strcmp(a->name, "lr") == 0;
        if (!cn_bind(&o->schema, o->cls->name, with_lr, is_lr ? 1 : 2, &bound)) return false;
        memcpy((char *)g->options + a->offset, bound.params + a->offset, cn_arg_bytes(a));
    }
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
    if (o && net && n == 0)
        cn_fail(CN_EINVALID, "%s: the module has no parameters yet; run cn_build() first",
                o->cls->name);
    if (params) {
        n = cn_parameters(net, params, n);
        group = cn_optim_add_group(o, params, n);
    }
    cn_free(params);
    if (group >= 0) return o;
    cn_optim_free(o);
    return NULL;
}

/* ---- stepping ------------------------------------------------------------------------------ */

float *cn_param_state(cn_param *p, int k)
{
    if (!p->state[k]) {
        size_t mark = cn_mark();
        p->state[k] = cn_keep(cn_zeros(p->tensor->v.shape, CN_F32));
        cn_release(mark);
    }
    return p->state[k] ? (float *)(void *)p->state[k]->v.data : NULL;
}

static bool update(cn_optim *o, const cn_group *g, cn_param *p)
{
    cn_tensor *grad = p->tensor->grad;
    if (!grad || !p->tensor->requires_grad) return true;
    size_t mark = cn_mark();
    grad = cn_rows(cn_cast_raw(grad, CN_F32));
    bool ok = grad != NULL;
    if (ok) {
        p->steps++;
        ok = o->cls->update(g->options, p, (const float *)(const void *)grad->v.data);
        p->tensor->storage->version++;
    }
    cn_release(mark);
    return ok;
}

bool cn_step(cn_optim *o)
{
    if (!o || !cn_ok()) return false;
    for (int g = 0; g < o->n_groups; g++)
        for (int i = 0; i < o->groups[g].n; i++)
            if (!update(o, &o->groups[g], &o->groups[g].params[i])) return false;
    return true;
}

void cn_optim_zero_grad(cn_optim *o)
{
    for (int g = 0; o && g < o->n_groups; g++)
        for (int i = 0; i < o->groups[g].n; i++) cn_set_grad(o->groups[g].params[i].tensor, NULL);
}

/* ---- clipping ------------------------------------------------------------------------------ */

static double sum_of_squares(const cn_tensor *grad)
{
    double total = 0;
    size_t size = cn_dtype_size(grad->v.dtype);
    for (int64_t i = 0; i < grad->v.numel; i++) {
        double x = cn_load_f64(grad->v.data + (size_t)i * size, grad->v.dtype);
        total += x * x;
    }
    return total;
}

static void scale_view(const cn_view *v, double factor)
{
    size_t size = cn_dtype_size(v->dtype);
    for (int64_t i = 0; i < v->numel; i++) {
        char *at = v->data + (size_t)i * size;
        cn_store_f64(at, v->dtype, cn_load_f64(at, v->dtype) * factor);
    }
}

double cn_clip_grad_norm(cn_tensor *const *params, int n, double max_norm)
{
    double total = 0;
    if (!cn_ok()) return (double)NAN;
    for (int i = 0; i < n; i++) {
        cn_tensor *grad = params[i] ? params[i]->grad : NULL;
        if (!grad) continue;
        if (!grad->v.contiguous) cn_set_grad(params[i], grad = cn_rows(grad));
        if (!grad) return (double)NAN;
        total += sum_of_squares(grad);
    }
    double norm = sqrt(total), factor = max_norm / (norm + 1e-6);
    for (int i = 0; i < n && factor < 1; i++)
        if (params[i] && params[i]->grad) scale_view(&params[i]->grad->v, factor);
    return norm;
}

double cn_clip_grad_norm_of(cn_optim *o, double max_norm)
{
    cn_tensor *all[1024];
    int n = 0;
    for (int g = 0; o && g < o->n_groups; g++)
        for (int i = 0; i < o->groups[g].n && n < (int)CN_COUNT(all); i++)
            all[n++] = o->groups[g].params[i].tensor;
    return cn_clip_grad_norm(all, n, max_norm);
}
