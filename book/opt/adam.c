/* adam.c - Adam: momentum and RMSProp, both without the bias of their start (D2L 12.10). */
#include "book/opt/airfoil.h"
#include "book/opt/traces.h"

#include <math.h>

/* hyper: lr, beta1, beta2, eps; s: mean of gradients, r: of their squares */
static void adam(const Update *u)
{
    const double lr = u->hyper[0], beta1 = u->hyper[1], beta2 = u->hyper[2], eps = u->hyper[3];
    for (int i = 0; i < u->n; i++) {
        u->s[i] = beta1 * u->s[i] + (1 - beta1) * u->g[i];
        u->r[i] = beta2 * u->r[i] + (1 - beta2) * u->g[i] * u->g[i];
        double mean = u->s[i] / (1 - pow(beta1, u->t)), square = u->r[i] / (1 - pow(beta2, u->t));
        u->w[i] -= lr * mean / (sqrt(square) + eps);
    }
}

static void run(Lab *lab)
{
    Trace t = trace(canyon, 2, bowl_start, 200, adam, AT(0.1, 0.9, 0.999, 1e-6)),
          library = trace_optim(canyon, 2, bowl_start, 200, "Adam lr=0.1 eps=1e-6");
    /* The gradient is (-1, -8). */
    lab_number(lab, "the first step, x1", t.x[0][1] - t.x[0][0], 0.1, 1e-6);
    lab_number(lab, "x2", t.x[1][1] - t.x[1][0], 0.1, 1e-6);
    lab_number(lab, "the library's first step, x2", library.x[1][1] - library.x[1][0], 0.1, 1e-6);
    lab_traces(lab, "the library's 200 steps differ by", &t, &library, 1e-11);
    lab_at_most(lab, "distance from the minimum", hypot(trace_end(&t, 0), trace_end(&t, 1)), 0.1);
    cn_figure *figure = cn_figure_new("Adam on 0.1 x1^2 + 2 x2^2, rate 0.1, 200 steps");
    trace_panel(figure, NULL, canyon, &t, bowl_lo, AT(1.5, 1.5));
    lab_figure(lab, figure);

    static const AirfoilCase cases[] = {
        { "rate 0.01", adam, { 0.01, 0.9, 0.999, 1e-6 }, "Adam lr=0.01 eps=1e-6", 0.243, 0 }
    };
    airfoil_cases(lab, "Adam", cases, 1);
}

const Experiment experiment_opt_adam = {
    .id = "OPT-ADAM",
    .title = "Adam",
    .title_zh = "Adam算法",
    .section = "12.10",
    .settings = "rate 0.01, beta 0.9 and 0.999, eps 1e-6, batch 10",
    .published = "loss 0.243, by the framework 0.243",
    .data = "airfoil",
    .run = run,
};
