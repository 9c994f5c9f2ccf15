/* schedules.c - schedules that are a formula of the number of steps. */
#include "optim/sched.h"

#include <math.h>
#include <string.h>

static bool positive(int64_t n, const char *what)
{
    return n > 0 || cn_fail(CN_EINVALID, "%s must be positive, got %lld", what, (long long)n);
}

/* ---- StepLR, MultiStepLR, ExponentialLR --------------------------------------------------------- */

typedef struct Step {
    int64_t step_size;
    double gamma;
} Step;

static bool step_check(const cn_sched *s)
{
    const Step *p = (const Step *)(const void *)s->params;
    return positive(p->step_size, "StepLR: step_size");
}

static double step_rate(const cn_sched *s, double initial)
{
    const Step *p = (const Step *)(const void *)s->params;
    return initial * pow(p->gamma, (double)(s->count / p->step_size));
}

const cn_sched_class cn_sched_Step = {
    .name = "StepLR",
    .schema = "StepLR(int step_size, float gamma=0.1)",
    .doc = "The rate times gamma every step_size steps.",
    .check = step_check,
    .rate = step_rate,
};

cn_sched *cn_step_lr(cn_optim *o, int64_t step_size, double gamma)
{
    Step p = { step_size, gamma };
    return CN_SCHED(&cn_sched_Step, o, p);
}

typedef struct MultiStep {
    cn_ints milestones;
    double gamma;
} MultiStep;

static double multi_step_rate(const cn_sched *s, double initial)
{
    const MultiStep *p = (const MultiStep *)(const void *)s->params;
    for (int i = 0; i < p->milestones.n; i++)
        if (s->count >= p->milestones.v[i]) initial *= p->gamma;
    return initial;
}

const cn_sched_class cn_sched_MultiStep = {
    .name = "MultiStepLR",
    .schema = "MultiStepLR(int[] milestones, float gamma=0.1)",
    .doc = "The rate times gamma at each milestone.",
    .rate = multi_step_rate,
};

cn_sched *cn_multi_step_lr(cn_optim *o, const int64_t *milestones, int n, double gamma)
{
    MultiStep p = { .milestones.n = n, .gamma = gamma };
    if (n < 0 || n > CN_MAX_DIMS) {
        cn_fail(CN_EINVALID, "MultiStepLR: %d milestones, at most %d are possible", n, CN_MAX_DIMS);
        return NULL;
    }
    if (n) memcpy(p.milestones.v, milestones, (size_t)n * sizeof *milestones);
    return CN_SCHED(&cn_sched_MultiStep, o, p);
}

/* The book's factor schedule has a least rate, too. */
typedef struct Exponential {
    double gamma, least;
} Exponential;

static double exponential_rate(const cn_sched *s, double initial)
{
    const Exponential *p = (const Exponential *)(const void *)s->params;
    return fmax(initial * pow(p->gamma, (double)s->count), p->least);
}

const cn_sched_class cn_sched_Exponential = {
    .name = "ExponentialLR",
    .schema = "ExponentialLR(float gamma, float stop_lr=0)",
    .doc = "The rate times gamma every step, down to stop_lr (D2L 12.11).",
    .rate = exponential_rate,
};

cn_sched *cn_factor_lr(cn_optim *o, double factor, double stop_lr)
{
    Exponential p = { factor, stop_lr };
    return CN_SCHED(&cn_sched_Exponential, o, p);
}

/* ---- ConstantLR, LinearLR, PolynomialLR ----------------------------------------------------------- */

typedef struct Constant {
    double factor;
    int64_t total_iters;
} Constant;

static double constant_rate(const cn_sched *s, double initial)
{
    const Constant *p = (const Constant *)(const void *)s->params;
    return s->count < p->total_iters ? initial * p->factor : initial;
}

const cn_sched_class cn_sched_Constant = {
    .name = "ConstantLR",
    .schema = "ConstantLR(float factor=0.3333333333333333, int total_iters=5)",
    .doc = "The rate times factor for total_iters steps, then the rate.",
    .rate = constant_rate,
};

cn_sched *cn_constant_lr(cn_optim *o, double factor, int64_t total)
{
    Constant p = { factor, total };
    return CN_SCHED(&cn_sched_Constant, o, p);
}

typedef struct Linear {
    double start, end;
    int64_t total_iters;
} Linear;

static bool linear_check(const cn_sched *s)
{
    const Linear *p = (const Linear *)(const void *)s->params;
    return positive(p->total_iters, "LinearLR: total_iters");
}

static double linear_rate(const cn_sched *s, double initial)
{
    const Linear *p = (const Linear *)(const void *)s->params;
    double way = fmin(1, (double)s->count / (double)p->total_iters);
    return initial * (p->start + (p->end - p->start) * way);
}

const cn_sched_class cn_sched_Linear = {
    .name = "LinearLR",
    .schema = "LinearLR(float start_factor=0.3333333333333333, float end_factor=1.0, int "
              "total_iters=5)",
    .doc = "The rate times a factor that goes in a line from start_factor to end_factor.",
    .check = linear_check,
    .rate = linear_rate,
};

cn_sched *cn_linear_lr(cn_optim *o, double start, double end, int64_t total)
{
    Linear p = { start, end, total };
    return CN_SCHED(&cn_sched_Linear, o, p);
}

typedef struct Polynomial {
    int64_t total_iters;
    double power;
} Polynomial;

static bool polynomial_check(const cn_sched *s)
{
    const Polynomial *p = (const Polynomial *)(const void *)s->params;
    return positive(p->total_iters, "PolynomialLR: total_iters");
}

static double polynomial_rate(const cn_sched *s, double initial)
{
    const Polynomial *p = (const Polynomial *)(const void *)s->params;
    double left = 1 - fmin(1, (double)s->count / (double)p->total_iters);
    return initial * pow(left, p->power);
}

const cn_sched_class cn_sched_Polynomial = {
    .name = "PolynomialLR",
    .schema = "PolynomialLR(int total_iters=5, float power=1.0)",
    .doc = "The rate times a power of the share of steps that are left.",
    .check = polynomial_check,
    .rate = polynomial_rate,
};

cn_sched *cn_polynomial_lr(cn_optim *o, int64_t total, double power)
{
    Polynomial p = { total, power };
    return CN_SCHED(&cn_sched_Polynomial, o, p);
}

/* ---- by a function ------------------------------------------------------------------------------ */

typedef struct Lambda {
    double (*factor)(int64_t step, void *context);
    void *context;
} Lambda;

static double lambda_rate(const cn_sched *s, double initial)
{
    const Lambda *p = (const Lambda *)(const void *)s->params;
    return initial * p->factor(s->count, p->context);
}

static double multiplicative_rate(const cn_sched *s, double initial)
{
    const Lambda *p = (const Lambda *)(const void *)s->params;
    for (int64_t i = 1; i <= s->count; i++) initial *= p->factor(i, p->context);
    return initial;
}

static const cn_sched_class by_lambda = { .name = "LambdaLR", .rate = lambda_rate };
static const cn_sched_class by_product = { .name = "MultiplicativeLR",
                                           .rate = multiplicative_rate };

cn_sched *cn_lambda_lr(cn_optim *o, double (*factor)(int64_t step, void *context), void *context)
{
    Lambda p = { factor, context };
    return CN_SCHED(&by_lambda, o, p);
}

cn_sched *cn_multiplicative_lr(cn_optim *o, double (*factor)(int64_t step, void *context),
                               void *context)
{
    Lambda p = { factor, context };
    return CN_SCHED(&by_product, o, p);
}
