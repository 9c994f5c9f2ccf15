/* cycles.c - schedules that go up and down: cosines with and without restarts, triangles, one
   cycle. */
#include "optim/sched.h"

#include <math.h>
#include <string.h>

static const double pi = 3.141592653589793;

static double cosine(double from, double to, double way)
{
    return to + (from - to) * (1 + cos(pi * way)) / 2;
}

/* Is there a momentum to cycle? */
static bool check_momentum(const cn_sched *s)
{
    if (cn_optim_has(s->optim, "momentum") || cn_optim_has(s->optim, "beta1")) return true;
    return cn_fail(CN_EINVALID, "%s: %s has no momentum to cycle; pass cycle_momentum=False",
                   s->cls->name, s->optim->cls->name);
}

/* An argument that is a number for all groups, or a list with one for each. */
static bool check_groups(const cn_sched *s, const cn_floats *list, const char *name)
{
    if (list->n == 1 || list->n == s->optim->n_groups) return true;
    return cn_fail(CN_EINVALID, "%s: %s has %lld values for %d groups", s->cls->name, name,
                   (long long)list->n, s->optim->n_groups);
}

static double of_group(const cn_sched *s, const cn_floats *list)
{
    return list->v[list->n == 1 ? 0 : s->group];
}

static bool check_momenta(const cn_sched *s, bool wanted, const cn_floats *base,
                          const cn_floats *max)
{
    return !wanted || (check_momentum(s) && check_groups(s, base, "base_momentum") &&
                       check_groups(s, max, "max_momentum"));
}

static cn_floats for_all(double value)
{
    return (cn_floats){ .n = 1, .v = { value } };
}

/* ---- CosineAnnealingLR, with warm restarts ----------------------------------------------------- */

typedef struct Cosine {
    int64_t period;
    double eta_min;
} Cosine;

static bool cosine_check(const cn_sched *s)
{
    const Cosine *p = (const Cosine *)(const void *)s->params;
    return p->period > 0 || cn_fail(CN_EINVALID,
                                    "CosineAnnealingLR: T_max must be positive, got "
                                    "%lld",
                                    (long long)p->period);
}

static double cosine_rate(const cn_sched *s, double initial)
{
    const Cosine *p = (const Cosine *)(const void *)s->params;
    return cosine(initial, p->eta_min, (double)s->count / (double)p->period);
}

const cn_sched_class cn_sched_CosineAnnealing = {
    .name = "CosineAnnealingLR",
    .schema = "CosineAnnealingLR(int T_max, float eta_min=0)",
    .doc = "Half a wave from the rate down to eta_min in T_max steps.",
    .check = cosine_check,
    .rate = cosine_rate,
};

cn_sched *cn_cosine_lr(cn_optim *o, int64_t t_max, double eta_min)
{
    Cosine p = { t_max, eta_min };
    return CN_SCHED(&cn_sched_CosineAnnealing, o, p);
}

typedef struct Restarts {
    int64_t t_0, t_mult;
    double eta_min;
} Restarts;

static bool restarts_check(const cn_sched *s)
{
    const Restarts *p = (const Restarts *)(const void *)s->params;
    return (p->t_0 > 0 && p->t_mult > 0) ||
           cn_fail(CN_EINVALID,
                   "CosineAnnealingWarmRestarts: T_0 is %lld and T_mult %lld; both "
                   "must be positive",
                   (long long)p->t_0, (long long)p->t_mult);
}

static double restarts_rate(const cn_sched *s, double initial)
{
    const Restarts *p = (const Restarts *)(const void *)s->params;
    int64_t at = s->count, period = p->t_0;
    if (p->t_mult == 1) at %= period;
    else
        for (; at >= period; period *= p->t_mult) at -= period;
    return cosine(initial, p->eta_min, (double)at / (double)period);
}

const cn_sched_class cn_sched_WarmRestarts = {
    .name = "CosineAnnealingWarmRestarts",
    .schema = "CosineAnnealingWarmRestarts(int T_0, int T_mult=1, float eta_min=0)",
    .doc = "Half waves that begin anew, each T_mult times as long (Loshchilov and Hutter, 2017).",
    .check = restarts_check,
    .rate = restarts_rate,
};

cn_sched *cn_warm_restarts_lr(cn_optim *o, int64_t t_0, int64_t t_mult, double eta_min)
{
    Restarts p = { t_0, t_mult, eta_min };
    return CN_SCHED(&cn_sched_WarmRestarts, o, p);
}

/* ---- CyclicLR ----------------------------------------------------------------------------------- */

typedef struct Cyclic {
    cn_floats base_lr, max_lr;
    int64_t step_size_up;
    cn_opt_int step_size_down;
    const char *mode;
    double gamma;
    bool cycle_momentum;
    cn_floats base_momentum, max_momentum;
} Cyclic;

static bool cyclic_check(const cn_sched *s)
{
    const Cyclic *p = (const Cyclic *)(const void *)s->params;
    if (p->step_size_up < 1 || (p->step_size_down.given && p->step_size_down.value < 1))
        return cn_fail(CN_EINVALID, "CyclicLR: step_size_up and step_size_down must be positive");
    if (strcmp(p->mode, "triangular") != 0 && strcmp(p->mode, "triangular2") != 0 &&
        strcmp(p->mode, "exp_range") != 0)
        return cn_fail(CN_EINVALID,
                       "CyclicLR: mode '%s' must be triangular, triangular2 or exp_range", p->mode);
    if (!check_groups(s, &p->base_lr, "base_lr") || !check_groups(s, &p->max_lr, "max_lr"))
        return false;
    return check_momenta(s, p->cycle_momentum, &p->base_momentum, &p->max_momentum);
}

/* Between 0, at the ends of a cycle, and 1, at its top, damped as the mode says. */
static double cyclic_height(const cn_sched *s)
{
    const Cyclic *p = (const Cyclic *)(const void *)s->params;
    double up = (double)p->step_size_up,
           down = p->step_size_down.given ? (double)p->step_size_down.value : up, total = up + down,
           cycle = floor(1 + (double)s->count / total), way = 1 + (double)s->count / total - cycle,
           top = up / total;
    double height = way <= top ? way / top : (way - 1) / (top - 1);
    if (strcmp(p->mode, "triangular2") == 0) height /= pow(2, cycle - 1);
    if (strcmp(p->mode, "exp_range") == 0) height *= pow(p->gamma, (double)s->count);
    return height;
}

static double cyclic_rate(const cn_sched *s, double initial)
{
    const Cyclic *p = (const Cyclic *)(const void *)s->params;
    (void)initial;
    double base = of_group(s, &p->base_lr);
    return base + (of_group(s, &p->max_lr) - base) * cyclic_height(s);
}

static double cyclic_momentum(const cn_sched *s)
{
    const Cyclic *p = (const Cyclic *)(const void *)s->params;
    if (!p->cycle_momentum) return (double)NAN;
    double max = of_group(s, &p->max_momentum);
    return max - (max - of_group(s, &p->base_momentum)) * cyclic_height(s);
}

const cn_sched_class cn_sched_Cyclic = {
    .name = "CyclicLR",
    .schema = "CyclicLR(float[] base_lr, float[] max_lr, int step_size_up=2000, int? "
              "step_size_down=None, str mode='triangular', float gamma=1.0, bool "
              "cycle_momentum=True, float[] base_momentum=0.8, float[] max_momentum=0.9)",
    .doc = "Triangles between base_lr and max_lr, momentum the other way round (Smith, 2017).",
    .check = cyclic_check,
    .rate = cyclic_rate,
    .momentum = cyclic_momentum,
};

cn_sched *cn_cyclic_lr(cn_optim *o, double base, double max, int64_t up, const char *mode)
{
    Cyclic p = { .base_lr = for_all(base),
                 .max_lr = for_all(max),
                 .step_size_up = up,
                 .mode = mode,
                 .gamma = 1 };
    return CN_SCHED(&cn_sched_Cyclic, o, p);
}

/* ---- OneCycleLR --------------------------------------------------------------------------------- */

typedef struct OneCycle {
    cn_floats max_lr;
    cn_opt_int total_steps, epochs, steps_per_epoch;
    double pct_start;
    const char *anneal_strategy;
    bool cycle_momentum;
    cn_floats base_momentum, max_momentum;
    double div_factor, final_div_factor;
    bool three_phase;
} OneCycle;

static int64_t one_cycle_steps(const OneCycle *p)
{
    if (p->total_steps.given) return p->total_steps.value;
    if (!p->epochs.given || !p->steps_per_epoch.given) return 0;
    return p->epochs.value * p->steps_per_epoch.value;
}

static bool one_cycle_check(const cn_sched *s)
{
    const OneCycle *p = (const OneCycle *)(const void *)s->params;
    if (one_cycle_steps(p) < 2)
        return cn_fail(CN_EINVALID, "OneCycleLR: give total_steps, or epochs and steps_per_epoch");
    if (!(p->pct_start >= 0 && p->pct_start <= 1))
        return cn_fail(CN_EINVALID, "OneCycleLR: pct_start is %g; it must be from 0 to 1",
                       p->pct_start);
    if (strcmp(p->anneal_strategy, "cos") != 0 && strcmp(p->anneal_strategy, "linear") != 0)
        return cn_fail(CN_EINVALID, "OneCycleLR: anneal_strategy '%s' must be cos or linear",
                       p->anneal_strategy);
    if (!check_groups(s, &p->max_lr, "max_lr")) return false;
    return check_momenta(s, p->cycle_momentum, &p->base_momentum, &p->max_momentum);
}

/* A value that starts low, is at its top after the first phase, and ends at `last`. In three phases
   it is `low` again before the third. */
static double one_cycle_value(const cn_sched *s, double low, double top, double last)
{
    const OneCycle *p = (const OneCycle *)(const void *)s->params;
    const double total = (double)one_cycle_steps(p), first = p->pct_start * total - 1;
    const double end[] = { first, p->three_phase ? 2 * p->pct_start * total - 2 : total - 1,
                           total - 1 },
                 value[] = { low, top, p->three_phase ? low : last, last };
    const double at = fmin((double)s->count, total - 1);
    int phase = 0;
    while (phase < (p->three_phase ? 2 : 1) && at > end[phase]) phase++;
    const double begin = phase ? end[phase - 1] : 0;
    const double way = end[phase] > begin ? (at - begin) / (end[phase] - begin) : 1;
    if (strcmp(p->anneal_strategy, "cos") == 0) return cosine(value[phase], value[phase + 1], way);
    return value[phase] + (value[phase + 1] - value[phase]) * way;
}

static double one_cycle_rate(const cn_sched *s, double unused)
{
    const OneCycle *p = (const OneCycle *)(const void *)s->params;
    const double top = of_group(s, &p->max_lr), initial = top / p->div_factor;
    (void)unused;
    return one_cycle_value(s, initial, top, initial / p->final_div_factor);
}

static double one_cycle_momentum(const cn_sched *s)
{
    const OneCycle *p = (const OneCycle *)(const void *)s->params;
    if (!p->cycle_momentum) return (double)NAN;
    const double max = of_group(s, &p->max_momentum);
    return one_cycle_value(s, max, of_group(s, &p->base_momentum), max);
}

const cn_sched_class cn_sched_OneCycle = {
    .name = "OneCycleLR",
    .schema = "OneCycleLR(float[] max_lr, int? total_steps=None, int? epochs=None, int? "
              "steps_per_epoch=None, float pct_start=0.3, str anneal_strategy='cos', bool "
              "cycle_momentum=True, float[] base_momentum=0.85, float[] max_momentum=0.95, float "
              "div_factor=25.0, float final_div_factor=10000.0, bool three_phase=False)",
    .doc = "Up to max_lr and down to almost nothing, once (Smith and Topin, 2018).",
    .check = one_cycle_check,
    .rate = one_cycle_rate,
    .momentum = one_cycle_momentum,
};

cn_sched *cn_one_cycle_lr(cn_optim *o, double max_lr, int64_t total_steps)
{
    OneCycle p = { .max_lr = for_all(max_lr),
                   .total_steps = { true, total_steps },
                   .pct_start = 0.3,
                   .anneal_strategy = "cos",
                   .div_factor = 25,
                   .final_div_factor = 1e4 };
    return CN_SCHED(&cn_sched_OneCycle, o, p);
}
