/* rmsprop.c - RMSProp: AdaGrad with a leaky average (D2L 12.8). */
#include "book/opt/airfoil.h"
#include "book/opt/traces.h"

#include <math.h>
#include <stdio.h>

/* hyper: lr, gamma, eps, which the book adds to the mean and the library to its root */
static void rmsprop(const Update *u)
{
    const double lr = u->hyper[0], gamma = u->hyper[1], eps = u->hyper[2];
    double *s = u->s;
    for (int i = 0; i < u->n; i++) {
        s[i] = gamma * s[i] + (1 - gamma) * u->g[i] * u->g[i];
        u->w[i] -= lr * u->g[i] / sqrt(s[i] + eps);
    }
}

/* What past squares weigh: (1 - gamma) gamma^t, which the rule itself gives for one gradient 1. */
static void weights(Lab *lab)
{
    static const double gammas[] = { 0.95, 0.9, 0.8, 0.7 };
    cn_figure *figure = cn_figure_new("Weights of past squares");
    for (int k = 0; k < 4; k++) {
        double s = 0, w = 0, weight[40], sum = 0, worst = 0;
        char name[64];
        for (int t = 0; t < 40; t++) {
            const double g = t == 0;
            rmsprop(&(Update){
                .w = &w, .s = &s, .g = &g, .n = 1, .t = t + 1, .hyper = AT(1, gammas[k], 1e-6) });
            weight[t] = s;
            sum += s;
            worst = fmax(worst, fabs(s - (1 - gammas[k]) * pow(gammas[k], t)));
        }
        snprintf(name, sizeof name, "gamma = %.2f", gammas[k]);
        lab_at_most(lab, name, worst, 1e-15);
        lab_number(lab, "40 weights add up to", sum, 1 - pow(gammas[k], 40), 1e-12);
        cn_figure_line(figure, name, NULL, weight, 40);
    }
    cn_figure_axes(figure, .xlabel = "time");
    lab_figure(lab, figure);
}

static void run(Lab *lab)
{
    lab_say(lab, "weights of past squares: how far from (1 - gamma) gamma^t");
    weights(lab);
    Trace t = trace(canyon, 2, bowl_start, 20, rmsprop, AT(0.4, 0.9, 1e-6)),
          exact = trace(canyon, 2, bowl_start, 20, rmsprop, AT(0.4, 0.9, 0)),
          library = trace_optim(canyon, 2, bowl_start, 20, "RMSprop lr=0.4 alpha=0.9 eps=0");
    lab_end_at(lab, "rate 0.4", &t, 5e-7, AT(-0.010599, 0));
    lab_traces(lab, "without eps the library's steps differ by", &exact, &library, 1e-13);
    cn_figure *figure = cn_figure_new("RMSProp on 0.1 x1^2 + 2 x2^2");
    trace_panel(figure, "rate 0.4, gamma 0.9", canyon, &t, bowl_lo, bowl_hi);
    lab_figure(lab, figure);

    static const AirfoilCase cases[] = { { "rate 0.01, gamma 0.9",
                                           rmsprop,
                                           { 0.01, 0.9, 1e-6 },
                                           "RMSprop lr=0.01 alpha=0.9 eps=1e-6",
                                           0.245,
                                           1e-3 } };
    airfoil_cases(lab, "RMSProp", cases, 1);
}

const Experiment experiment_opt_rmsprop = {
    .id = "OPT-RMSPROP",
    .title = "RMSProp",
    .title_zh = "RMSProp算法",
    .section = "12.8",
    .settings = "rate 0.4, gamma 0.9; airfoil rate 0.01, gamma 0.9, batch 10",
    .published = "-0.010599, 0.000000; loss 0.245, by the framework 0.246",
    .data = "airfoil",
    .run = run,
};
