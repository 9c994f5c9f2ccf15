/* dynlr.c - rates that fall: exponentially, as a power, in steps (D2L 12.4.2). */
#include "book/opt/traces.h"

#include <math.h>

enum { RUNS = 300, MOST = 1000 };

static double exponential(int64_t t, void *unused)
{
    (void)unused;
    return exp(-0.1 * (double)t);
}

static double power(int64_t t, void *unused)
{
    (void)unused;
    return pow(1 + 0.1 * (double)t, -0.5);
}

static double steps(int64_t t, void *unused)
{
    (void)unused;
    return t < 20 ? 1 : t < 40 ? 0.3 : 0.09;
}

/* The rate of the t-th step is 0.1 factor(t); so many runs on x1^2 + 2 x2^2 with noise N(0, 1):
   where they end on average, and how far from 0. */
typedef struct {
    double mean, rms;
} Ends;

static Ends runs(double (*factor)(int64_t t, void *unused), int n)
{
    Ends e = { 0, 0 };
    for (int r = 0; r < RUNS; r++) {
        double x = -5;
        for (int t = 1; t <= n; t++)
            x -= 0.1 * factor(t, NULL) * (2 * x + cn_rng_normal(cn_default_rng()));
        e.mean += x / RUNS, e.rms += x * x / RUNS;
    }
    e.rms = sqrt(e.rms);
    return e;
}

/* Without noise. */
static double expected(double (*factor)(int64_t t, void *unused), int n)
{
    double x = -5;
    for (int t = 1; t <= n; t++) x *= 1 - 0.2 * factor(t, NULL);
    return x;
}

/* The library's rates in 60 steps, and the largest difference from 0.1 factor(t). */
static double off(cn_sched *(*make)(cn_optim *o), double (*factor)(int64_t t, void *unused),
                  double rate[60])
{
    cn_tensor *w = cn_zeros(CN_SHAPE(1), CN_F64);
    cn_optim *o = cn_optim_new("SGD", 0.1);
    cn_optim_add_group(o, &w, 1);
    cn_sched *s = make(o);
    double worst = 0;
    for (int t = 0; t < 60; t++) {
        rate[t] = cn_lr(o, 0);
        worst = fmax(worst, fabs(rate[t] - 0.1 * factor(t, NULL)));
        cn_sched_step(s);
    }
    cn_sched_free(s);
    cn_optim_free(o);
    return worst;
}

static cn_sched *make_exponential(cn_optim *o)
{
    return cn_factor_lr(o, exp(-0.1), 0);
}

static cn_sched *make_power(cn_optim *o)
{
    return cn_lambda_lr(o, power, NULL);
}

static cn_sched *make_steps(cn_optim *o)
{
    return cn_multi_step_lr(o, (const int64_t[]){ 20, 40 }, 2, 0.3);
}

static void run(Lab *lab)
{
    double rate[3][60];
    lab_at_most(lab, "the library's exponential rates differ by",
                off(make_exponential, exponential, rate[0]), 1e-15);
    lab_at_most(lab, "the polynomial ones", off(make_power, power, rate[1]), 1e-15);
    lab_at_most(lab, "the piecewise constant ones", off(make_steps, steps, rate[2]), 1e-15);

    Ends stalled = runs(exponential, MOST), near = runs(power, 50);
    lab_number(lab, "exponential, 1,000 steps: x1 on average", stalled.mean,
               expected(exponential, MOST), 0.1);
    lab_at_least(lab, "it stalls, away from 0 by", fabs(stalled.mean), 0.4);
    lab_number(lab, "where it was after 60 steps", expected(exponential, 60),
               expected(exponential, MOST), 0.01);
    lab_number(lab, "polynomial, 50 steps: x1 on average", near.mean, expected(power, 50), 0.05);
    lab_at_most(lab, "its distance from 0", near.rms, 0.25);

    cn_figure *figure = cn_figure_new("Rates that fall");
    cn_figure_line(figure, "exponential", NULL, rate[0], 60);
    cn_figure_line(figure, "polynomial", NULL, rate[1], 60);
    cn_figure_line(figure, "piecewise constant", NULL, rate[2], 60);
    cn_figure_axes(figure, .xlabel = "step", .ylabel = "learning rate");
    lab_figure(lab, figure);
}

const Experiment experiment_opt_dynlr = {
    .id = "OPT-DYNLR",
    .title = "Dynamic learning rates",
    .title_zh = "动态学习率",
    .section = "12.4.2",
    .settings = "0.1 exp(-0.1 t), 1,000 steps; 0.1 (1 + 0.1 t)^-0.5, 50 steps",
    .published = "one run each: x1 = -0.758829 and 0.144834",
    .run = run,
};
