/* expvar.c - what means of many draws come to, and how fast (D2L 2.6.6). */
#include "book/book.h"

#include <math.h>
#include <stdio.h>

enum { LARGE = 40000, MEANS = 1000 };

typedef struct {
    const char *name;
    cn_tensor *(*draw)(int64_t n);
    double mean, variance;
} Distribution;

static cn_tensor *uniform(int64_t n)
{
    return cn_rand(CN_SHAPE(n), CN_F32);
}

static cn_tensor *normal(int64_t n)
{
    return cn_add(cn_mul(cn_randn(CN_SHAPE(n), CN_F32), cn_num(3)), cn_num(2));
}

static cn_tensor *bernoulli(int64_t n)
{
    return cn_bernoulli(cn_full(CN_SHAPE(n), 0.3, CN_F32));
}

static cn_tensor *poisson(int64_t n)
{
    return cn_poisson(cn_full(CN_SHAPE(n), 4, CN_F32));
}

static cn_tensor *die(int64_t n)
{
    return cn_randint(1, 7, CN_SHAPE(n));
}

/* The standard deviation of the means of n draws. */
static double scatter(const Distribution *d, int64_t n)
{
    cn_tensor *x = cn_reshape(d->draw(MEANS * n), CN_SHAPE(MEANS, n));
    return cn_item(cn_std(cn_mean(x, .dim = CN_SHAPE(1))));
}

static void run(Lab *lab)
{
    static const Distribution distributions[] = {
        { "uniform on [0, 1)", uniform, 0.5, 1.0 / 12 },
        { "normal, mean 2, deviation 3", normal, 2, 9 },
        { "Bernoulli, 0.3", bernoulli, 0.3, 0.21 },
        { "Poisson, 4", poisson, 4, 4 },
        { "a fair die", die, 3.5, 35.0 / 12 },
    };
    for (size_t i = 0; i < sizeof distributions / sizeof *distributions; i++) {
        const Distribution *d = &distributions[i];
        char what[96];
        cn_tensor *x = cn_to(d->draw(LARGE), CN_F64);
        double error = 5 * sqrt(d->variance / LARGE); /* five standard errors */
        snprintf(what, sizeof what, "%s: mean", d->name);
        lab_number(lab, what, cn_item(cn_mean(x)), d->mean, error);
        snprintf(what, sizeof what, "%s: variance", d->name);
        lab_number(lab, what, cn_item(cn_var(x)), d->variance, 8 * d->variance / sqrt(LARGE));
    }

    /* Means of n draws scatter by 1 / sqrt(n): sixteen times as many, a quarter of the deviation. */
    const Distribution *u = &distributions[0];
    double few = scatter(u, 25), many = scatter(u, 400);
    lab_number(lab, "deviation of means of 25, times sqrt(25 * 12)", few * sqrt(25 * 12), 1, 0.1);
    lab_number(lab, "deviation of means of 400, in that of means of 25", many / few, 0.25, 0.04);

    /* An investment that returns 0 with 0.5, 2 with 0.4, 10 with 0.1. */
    cn_tensor *p = cn_from((const double[]){ 0.5, 0.4, 0.1 }, CN_SHAPE(3), CN_F64);
    cn_tensor *gain = cn_from((const double[]){ 0, 2, 10 }, CN_SHAPE(3), CN_F64);
    double expected = cn_item(cn_dot(p, gain));
    lab_number(lab, "the expected return", expected, 1.8, 1e-12);
    lab_number(lab, "its variance", cn_item(cn_dot(p, cn_square(cn_sub(gain, cn_num(expected))))),
               8.36, 1e-12);
}

const Experiment experiment_c02_expvar = {
    .id = "C02-EXPVAR",
    .title = "Expectation and variance",
    .title_zh = "期望和方差",
    .section = "2.6.6",
    .run = run,
};
