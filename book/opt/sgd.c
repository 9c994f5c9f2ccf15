/* sgd.c - stochastic gradients: right on average, and noisy (D2L 12.4.1). */
#include "book/opt/traces.h"

#include <math.h>

enum { STEPS = 50, RUNS = 4000, ROWS = 64, FEATURES = 3 };

/* descent whose gradient has noise N(0, 1) added */
static void noisy_descent(const Update *u)
{
    for (int i = 0; i < u->n; i++)
        u->w[i] -= u->hyper[0] * (u->g[i] + cn_rng_normal(cn_default_rng()));
}

/* Gradients of single examples of a regression, averaged, beside the gradient of them all. */
static void unbiased(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(ROWS, FEATURES), CN_F64),
              *y = cn_randn(CN_SHAPE(ROWS), CN_F64);
    cn_tensor *w = cn_requires_grad(cn_randn(CN_SHAPE(FEATURES), CN_F64), true);
    cn_backward(cn_mean(cn_square(cn_sub(cn_mv(x, w), y))));
    cn_tensor *full = cn_clone(cn_grad(w)), *single = cn_zeros(CN_SHAPE(ROWS, FEATURES), CN_F64);
    for (int i = 0; i < ROWS; i++) {
        cn_set_grad(w, NULL);
        cn_backward(cn_square(cn_sub(cn_dot(cn_select(x, 0, i), w), cn_select(y, 0, i))));
        cn_copy_(cn_select(single, 0, i), cn_grad(w));
    }
    lab_same(lab, "the mean of 64 single gradients and the full one",
             cn_mean(single, .dim = CN_SHAPE(0)), full, 1e-12);
    lab_at_least(lab, "of which a single one is off by",
                 cn_item(cn_amax(cn_abs(cn_sub(single, full)))), 1);
}

/* The ends of many runs: x <- (1 - 2 a lr) x - lr noise keeps the variance
   lr^2 / (1 - (1 - 2 a lr)^2). */
static void spread(Lab *lab)
{
    double sum[2] = { 0 }, squares[2] = { 0 };
    for (int r = 0; r < RUNS; r++) {
        double x[] = { -5, -2 }, g[2];
        for (int t = 1; t <= STEPS; t++) {
            g[0] = 2 * x[0], g[1] = 4 * x[1];
            noisy_descent(&(Update){ .w = x, .g = g, .n = 2, .t = t, .hyper = AT(0.1) });
        }
        for (int i = 0; i < 2; i++) sum[i] += x[i] / RUNS, squares[i] += x[i] * x[i] / RUNS;
    }
    lab_number(lab, "4,000 runs end on average at x1", sum[0], -5 * pow(0.8, STEPS), 0.015);
    lab_number(lab, "x2", sum[1], 0, 0.015);
    lab_number(lab, "their variance, x1", squares[0], 0.01 / (1 - 0.64), 0.003);
    lab_number(lab, "x2", squares[1], 0.01 / (1 - 0.36), 0.002);
}

static void run(Lab *lab)
{
    unbiased(lab);
    spread(lab);
    Trace t = trace(bowl, 2, bowl_start, STEPS, noisy_descent, AT(0.1));
    lab_say(lab, "the run of the figure ends at %f, %f", trace_end(&t, 0), trace_end(&t, 1));
    lab_at_most(lab, "five deviations from the minimum, x1", fabs(trace_end(&t, 0)), 0.84);
    lab_at_most(lab, "x2", fabs(trace_end(&t, 1)), 0.63);
    cn_figure *figure = cn_figure_new("Stochastic gradient descent");
    trace_panel(figure, NULL, bowl, &t, bowl_lo, bowl_hi);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_sgd = {
    .id = "OPT-SGD",
    .title = "Stochastic gradient descent",
    .title_zh = "随机梯度下降",
    .section = "12.4.1",
    .settings = "x1^2 + 2 x2^2 from (-5, -2), rate 0.1, 50 steps, noise N(0, 1)",
    .published = "one run: 0.225517, -0.076646",
    .run = run,
};
