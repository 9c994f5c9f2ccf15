/* combined.c - schedules made of others, and the one that looks at a metric. */
#include "optim/sched.h"

#include <math.h>
#include <string.h>

/* What part i says `count` steps after its beginning. */
static double part_rate(const cn_sched *s, int i, int64_t count, double initial)
{
    s->parts[i]->count = count;
    return s->parts[i]->cls->rate(s->parts[i], initial);
}

/* ---- one after the other --------------------------------------------------------------------------- */

static int current_part(const cn_sched *s)
{
    const cn_ints *milestones = (const cn_ints *)(const void *)s->params;
    int i = 0;
    while (i < milestones->n && s->count >= milestones->v[i]) i++;
    return i;
}

static double sequential_rate(const cn_sched *s, double initial)
{
    const cn_ints *milestones = (const cn_ints *)(const void *)s->params;
    int i = current_part(s);
    return part_rate(s, i, s->count - (i ? milestones->v[i - 1] : 0), initial);
}

static const cn_sched_class sequential = { .name = "SequentialLR", .rate = sequential_rate };

cn_sched *cn_sequential_lr(cn_optim *o, cn_sched *const *parts, int n, const int64_t *milestones)
{
    cn_ints p = { .n = n - 1 };
    if (n < 1 || n > CN_MAX_DIMS) {
        cn_fail(CN_EINVALID, "SequentialLR: %d schedules; 1 to %d are possible", n, CN_MAX_DIMS);
        for (int i = 0; i < n; i++) cn_sched_free(parts[i]);
        return NULL;
    }
    if (n > 1) memcpy(p.v, milestones, (size_t)(n - 1) * sizeof *milestones);
    return cn_sched_make(&sequential, o, &p, sizeof p, parts, n);
}

/* ---- all at once ----------------------------------------------------------------------------------- */

static double chained_rate(const cn_sched *s, double initial)
{
    double lr = initial;
    for (int i = 0; i < s->n_parts && initial != 0; i++)
        lr *= part_rate(s, i, s->count, initial) / initial;
    return lr;
}

static const cn_sched_class chained = { .name = "ChainedScheduler", .rate = chained_rate };

cn_sched *cn_chained_lr(cn_optim *o, cn_sched *const *parts, int n)
{
    return cn_sched_make(&chained, o, "", 1, parts, n);
}

/* ---- the book's warm-up ----------------------------------------------------------------------------- */

typedef struct Warmup {
    int64_t steps;
    double begin;
} Warmup;

static bool warmup_check(const cn_sched *s)
{
    const Warmup *p = (const Warmup *)(const void *)s->params;
    return p->steps > 0 ||
           cn_fail(CN_EINVALID, "warm-up: steps must be positive, got %lld", (long long)p->steps);
}

static double warmup_rate(const cn_sched *s, double initial)
{
    const Warmup *p = (const Warmup *)(const void *)s->params;
    if (s->count < p->steps)
        return initial * (p->begin + (1 - p->begin) * (double)s->count / (double)p->steps);
    return s->n_parts ? part_rate(s, 0, s->count - p->steps, initial) : initial;
}

static const cn_sched_class warmup = { .name = "warm-up",
                                       .check = warmup_check,
                                       .rate = warmup_rate };

cn_sched *cn_warmup_lr(cn_optim *o, int64_t steps, double begin, cn_sched *after)
{
    Warmup p = { steps, begin };
    return cn_sched_make(&warmup, o, &p, sizeof p, &after, after != NULL);
}

/* ---- ReduceLROnPlateau -------------------------------------------------------------------------------- */

typedef struct Plateau {
    const char *mode;
    double factor;
    int64_t patience;
    double threshold;
    const char *threshold_mode;
    int64_t cooldown;
    double min_lr, eps;
} Plateau;

static bool plateau_check(const cn_sched *s)
{
    const Plateau *p = (const Plateau *)(const void *)s->params;
    if (!(p->factor < 1))
        return cn_fail(CN_EINVALID, "ReduceLROnPlateau: factor is %g; it must be below 1",
                       p->factor);
    if (strcmp(p->mode, "min") != 0 && strcmp(p->mode, "max") != 0)
        return cn_fail(CN_EINVALID, "ReduceLROnPlateau: mode '%s' must be min or max", p->mode);
    return strcmp(p->threshold_mode, "rel") == 0 || strcmp(p->threshold_mode, "abs") == 0 ||
           cn_fail(CN_EINVALID, "ReduceLROnPlateau: threshold_mode '%s' must be rel or abs",
                   p->threshold_mode);
}

static double plateau_rate(const cn_sched *s, double initial)
{
    const Plateau *p = (const Plateau *)(const void *)s->params;
    for (int64_t i = 0; i < s->memory.reductions; i++) {
        double next = fmax(initial * p->factor, p->min_lr);
        if (initial - next > p->eps) initial = next;
    }
    return initial;
}

static bool is_better(const Plateau *p, double metric, double best)
{
    bool low = strcmp(p->mode, "min") == 0, relative = strcmp(p->threshold_mode, "rel") == 0;
    if (isnan(best)) return true;
    if (relative)
        return low ? metric < best * (1 - p->threshold) : metric > best * (1 + p->threshold);
    return low ? metric < best - p->threshold : metric > best + p->threshold;
}

static void plateau_observe(cn_sched *s, double metric)
{
    const Plateau *p = (const Plateau *)(const void *)s->params;
    cn_sched_memory *m = &s->memory;
    if (is_better(p, metric, m->best)) m->best = metric, m->bad = 0;
    else m->bad++;
    if (m->cooldown > 0) m->cooldown--, m->bad = 0;
    if (m->bad <= p->patience) return;
    m->reductions++;
    m->cooldown = p->cooldown;
    m->bad = 0;
}

const cn_sched_class cn_sched_Plateau = {
    .name = "ReduceLROnPlateau",
    .schema = "ReduceLROnPlateau(str mode='min', float factor=0.1, int patience=10, float "
              "threshold=0.0001, str threshold_mode='rel', int cooldown=0, float min_lr=0, float "
              "eps=1e-08)",
    .doc = "The rate times factor when a metric has not improved for more than patience steps.",
    .check = plateau_check,
    .rate = plateau_rate,
    .observe = plateau_observe,
};

cn_sched *cn_plateau_lr(cn_optim *o, bool larger_is_better, double factor, int64_t patience)
{
    Plateau p = { .mode = larger_is_better ? "max" : "min",
                  .factor = factor,
                  .patience = patience,
                  .threshold = 1e-4,
                  .threshold_mode = "rel",
                  .eps = 1e-8 };
    return CN_SCHED(&cn_sched_Plateau, o, p);
}
