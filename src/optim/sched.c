/* sched.c - what all schedules have in common: making, stepping, setting the optimiser's options
   (D2L 12.11). */
#include "optim/sched.h"

#include <math.h>
#include <string.h>

extern const cn_sched_class cn_sched_Constant, cn_sched_CosineAnnealing, cn_sched_WarmRestarts,
    cn_sched_Cyclic, cn_sched_Exponential, cn_sched_Linear, cn_sched_MultiStep, cn_sched_OneCycle,
    cn_sched_Polynomial, cn_sched_Plateau, cn_sched_Step;

const cn_sched_class *const cn_sched_classes[] = {
    &cn_sched_Constant,    &cn_sched_CosineAnnealing, &cn_sched_WarmRestarts, &cn_sched_Cyclic,
    &cn_sched_Exponential, &cn_sched_Linear,          &cn_sched_MultiStep,    &cn_sched_OneCycle,
    &cn_sched_Polynomial,  &cn_sched_Plateau,         &cn_sched_Step,         NULL,
};

/* Adam's kind calls its momentum the first of betas. */
static void set_momentum(cn_optim *o, int group, double momentum)
{
    cn_optim_set(o, group, cn_optim_has(o, "momentum") ? "momentum" : "beta1", momentum);
}

static void apply(cn_sched *s)
{
    for (int g = 0; g < s->optim->n_groups; g++) {
        s->group = g;
        double momentum = s->cls->momentum ? s->cls->momentum(s) : (double)NAN;
        cn_optim_set_lr(s->optim, g, s->cls->rate(s, s->optim->groups[g].initial_lr));
        if (!isnan(momentum)) set_momentum(s->optim, g, momentum);
    }
}

static void free_parts(cn_sched *const *parts, int n)
{
    for (int i = 0; i < n; i++) cn_sched_free(parts[i]);
}

static cn_sched *new_sched(const cn_sched_class *cls, cn_optim *o, cn_sched *const *parts, int n)
{
    for (int i = 0; i < n; i++)
        if (!parts[i]) return NULL;
    cn_sched *s = o ? cn_alloc_zeroed(sizeof *s) : NULL;
    if (!s) return NULL;
    s->cls = cls, s->optim = o;
    s->memory.best = (double)NAN;
    s->parts = n ? cn_alloc((size_t)n * sizeof(cn_sched *)) : NULL;
    if (n && !s->parts) return cn_free(s), NULL;
    return s;
}

cn_sched *cn_sched_make(const cn_sched_class *cls, cn_optim *o, const void *params, size_t size,
                        cn_sched *const *parts, int n_parts)
{
    cn_sched *s = new_sched(cls, o, parts, n_parts);
    if (!s) return free_parts(parts, n_parts), NULL;
    memcpy(s->params, params, size);
    for (int i = 0; i < n_parts; i++) s->parts[s->n_parts++] = parts[i];
    if (cls->check && !cls->check(s)) return cn_sched_free(s), NULL;
    apply(s);
    return s;
}

static const cn_sched_class *class_named(const char *name)
{
    for (int i = 0; cn_sched_classes[i]; i++)
        if (strcmp(cn_sched_classes[i]->name, name) == 0) return cn_sched_classes[i];
    cn_fail(CN_ENOTFOUND,
            "scheduler: there is no '%.64s' by name; there are ConstantLR, CosineAnnealingLR, "
            "CosineAnnealingWarmRestarts, CyclicLR, ExponentialLR, LinearLR, MultiStepLR, "
            "OneCycleLR, PolynomialLR, ReduceLROnPlateau and StepLR",
            name);
    return NULL;
}

cn_sched *cn_sched_create(const char *name, cn_optim *o, const cn_ffi_arg *args, int n)
{
    const cn_sched_class *cls = class_named(name ? name : "");
    cn_schema schema;
    cn_bound bound;
    if (!cls || !cn_schema_parse(cls->schema, &schema) ||
        !cn_bind(&schema, cls->name, args, n, &bound))
        return NULL;
    return cn_sched_make(cls, o, bound.params, schema.params_size, NULL, 0);
}

/* ---- stepping -------------------------------------------------------------------------------- */

bool cn_sched_step(cn_sched *s)
{
    if (!s) return false;
    if (s->cls->observe)
        return cn_fail(CN_EINVALID, "%s: a step needs a metric: cn_sched_observe()", s->cls->name);
    return cn_sched_seek(s, s->count + 1);
}

bool cn_sched_observe(cn_sched *s, double metric)
{
    if (!s) return false;
    if (s->cls->observe) s->cls->observe(s, metric);
    return cn_sched_seek(s, s->count + 1);
}

bool cn_sched_wants_metric(const cn_sched *s)
{
    return s && s->cls->observe;
}

int64_t cn_sched_count(const cn_sched *s)
{
    return s ? s->count : 0;
}

bool cn_sched_seek(cn_sched *s, int64_t count)
{
    if (!s) return false;
    if (count < 0) return cn_fail(CN_EINVALID, "scheduler: step %lld", (long long)count);
    s->count = count;
    apply(s);
    return cn_ok();
}

cn_sched_memory cn_sched_remember(const cn_sched *s)
{
    return s ? s->memory : (cn_sched_memory){ 0 };
}

bool cn_sched_recall(cn_sched *s, const cn_sched_memory *memory)
{
    if (!s) return false;
    s->memory = *memory;
    return cn_sched_seek(s, s->count);
}

void cn_sched_free(cn_sched *s)
{
    if (!s) return;
    free_parts(s->parts, s->n_parts);
    cn_free(s->parts);
    cn_free(s);
}
