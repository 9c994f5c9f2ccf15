/* sched.c - learning-rate schedules, each a closed form of the step count (D2L 12.11). */
#include "optim/optim.h"

#include <math.h>
#include <string.h>

enum { MAX_MILESTONES = 64 };

struct cn_sched {
    cn_optim *optim;
    int64_t count;
    /* The learning rate after `count` steps for a group that began with `initial`. */
    double (*rate)(const cn_sched *s, double initial);
    int64_t period, milestones[MAX_MILESTONES];
    int n_milestones;
    double gamma, floor;
    double (*factor)(int64_t step, void *context);
    void *context;
    cn_sched *after;
};

static void apply(const cn_sched *s)
{
    for (int g = 0; g < s->optim->n_groups; g++)
        cn_optim_set_lr(s->optim, g, s->rate(s, s->optim->groups[g].initial_lr));
}

static cn_sched *make(cn_optim *o, double (*rate)(const cn_sched *, double), cn_sched with)
{
    cn_sched *s = o ? cn_alloc(sizeof *s) : NULL;
    if (!s) return NULL;
    *s = with;
    s->optim = o, s->rate = rate, s->count = 0;
    apply(s);
    return s;
}

static bool positive(int64_t n, const char *what)
{
    return n > 0 || cn_fail(CN_EINVALID, "%s must be positive, got %lld", what, (long long)n);
}

static double step_rate(const cn_sched *s, double initial)
{
    return initial * pow(s->gamma, (double)(s->count / s->period));
}

cn_sched *cn_step_lr(cn_optim *o, int64_t step_size, double gamma)
{
    if (!positive(step_size, "StepLR: step_size")) return NULL;
    return make(o, step_rate, (cn_sched){ .period = step_size, .gamma = gamma });
}

static double multi_step_rate(const cn_sched *s, double initial)
{
    for (int i = 0; i < s->n_milestones; i++)
        if (s->count >= s->milestones[i]) initial *= s->gamma;
    return initial;
}

cn_sched *cn_multi_step_lr(cn_optim *o, const int64_t *milestones, int n, double gamma)
{
    if (n < 0 || n > MAX_MILESTONES) {
        cn_fail(CN_EINVALID, "MultiStepLR: %d milestones, at most %d are possible", n,
                MAX_MILESTONES);
        return NULL;
    }
    cn_sched with = { .n_milestones = n, .gamma = gamma };
    memcpy(with.milestones, milestones, (size_t)n * sizeof *milestones);
    return make(o, multi_step_rate, with);
}

static double cosine_rate(const cn_sched *s, double initial)
{
    double t = (double)s->count / (double)s->period;
    return s->floor + (initial - s->floor) * (1 + cos(3.141592653589793 * t)) / 2;
}

cn_sched *cn_cosine_lr(cn_optim *o, int64_t t_max, double eta_min)
{
    if (!positive(t_max, "CosineAnnealingLR: T_max")) return NULL;
    return make(o, cosine_rate, (cn_sched){ .period = t_max, .floor = eta_min });
}

static double polynomial_rate(const cn_sched *s, double initial)
{
    double left = 1 - (double)(s->count < s->period ? s->count : s->period) / (double)s->period;
    return initial * pow(left, s->gamma);
}

cn_sched *cn_polynomial_lr(cn_optim *o, int64_t total, double power)
{
    if (!positive(total, "PolynomialLR: total_iters")) return NULL;
    return make(o, polynomial_rate, (cn_sched){ .period = total, .gamma = power });
}

static double factor_rate(const cn_sched *s, double initial)
{
    double lr = initial * pow(s->gamma, (double)s->count);
    return lr > s->floor ? lr : s->floor;
}

cn_sched *cn_factor_lr(cn_optim *o, double factor, double stop_lr)
{
    return make(o, factor_rate, (cn_sched){ .gamma = factor, .floor = stop_lr });
}

static double lambda_rate(const cn_sched *s, double initial)
{
    return initial * s->factor(s->count, s->context);
}

cn_sched *cn_lambda_lr(cn_optim *o, double (*factor)(int64_t step, void *context), void *context)
{
    return make(o, lambda_rate, (cn_sched){ .factor = factor, .context = context });
}

static double warmup_rate(const cn_sched *s, double initial)
{
    if (s->count < s->period)
        return initial * (s->gamma + (1 - s->gamma) * (double)s->count / (double)s->period);
    if (!s->after) return initial;
    s->after->count = s->count - s->period;
    return s->after->rate(s->after, initial);
}

cn_sched *cn_warmup_lr(cn_optim *o, int64_t steps, double begin, cn_sched *after)
{
    cn_sched *s =
        positive(steps, "warm-up: steps")
            ? make(o, warmup_rate, (cn_sched){ .period = steps, .gamma = begin, .after = after })
            : NULL;
    if (!s) cn_sched_free(after);
    return s;
}

bool cn_sched_step(cn_sched *s)
{
    return s && cn_sched_seek(s, s->count + 1);
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
    return true;
}

void cn_sched_free(cn_sched *s)
{
    if (!s) return;
    cn_sched_free(s->after);
    cn_free(s);
}
