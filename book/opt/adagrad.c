/* adagrad.c - AdaGrad: a rate for each coordinate that falls with its gradients (D2L 12.7). */
#include "book/opt/airfoil.h"
#include "book/opt/traces.h"

#include <math.h>

/* hyper: lr, eps, which the book adds to the sum and the library to its root */
static void adagrad(const Update *u)
{
    const double lr = u->hyper[0], eps = u->hyper[1];
    double *s = u->s;
    for (int i = 0; i < u->n; i++) {
        s[i] += u->g[i] * u->g[i];
        u->w[i] -= lr * u->g[i] / sqrt(s[i] + eps);
    }
}

/* A feature that is seen in every tenth step only keeps a larger rate: its parameter goes as far in
   a step as the other's did in their first ones. */
static void sparse(Lab *lab)
{
    double w[] = { 0, 0 }, s[] = { 0, 0 }, last[2] = { 0 };
    for (int t = 1; t <= 100; t++) {
        const double g[] = { 1, t % 10 == 0 };
        const double was[] = { w[0], w[1] };
        adagrad(&(Update){ .w = w, .s = s, .g = g, .n = 2, .t = t, .hyper = AT(1, 1e-10) });
        for (int i = 0; i < 2; i++)
            if (g[i] != 0) last[i] = was[i] - w[i];
    }
    lab_number(lab, "the 100th step of a frequent feature", last[0], 1 / sqrt(100), 1e-9);
    lab_number(lab, "of one seen 10 times", last[1], 1 / sqrt(10), 1e-9);
}

static void run(Lab *lab)
{
    Trace small = trace(canyon, 2, bowl_start, 20, adagrad, AT(0.4, 1e-6)),
          large = trace(canyon, 2, bowl_start, 20, adagrad, AT(2, 1e-6)),
          exact = trace(canyon, 2, bowl_start, 20, adagrad, AT(2, 0)),
          library = trace_optim(canyon, 2, bowl_start, 20, "Adagrad lr=2 eps=0");
    lab_end_at(lab, "rate 0.4", &small, 5e-7, AT(-2.382563, -0.158591));
    lab_end_at(lab, "rate 2", &large, 5e-7, AT(-0.002295, 0));
    lab_traces(lab, "without eps the library's steps differ by", &exact, &library, 1e-13);
    sparse(lab);
    cn_figure *figure = cn_figure_new("AdaGrad on 0.1 x1^2 + 2 x2^2");
    trace_panel(figure, "rate 0.4", canyon, &small, bowl_lo, bowl_hi);
    trace_panel(figure, "rate 2", canyon, &large, bowl_lo, bowl_hi);
    lab_figure(lab, figure);

    static const AirfoilCase cases[] = {
        { "rate 0.1", adagrad, { 0.1, 1e-6 }, "Adagrad lr=0.1 eps=1e-6", 0.243, 1e-3 }
    };
    airfoil_cases(lab, "AdaGrad", cases, 1);
}

const Experiment experiment_opt_adagrad = {
    .id = "OPT-ADAGRAD",
    .title = "AdaGrad",
    .title_zh = "AdaGrad算法",
    .section = "12.7",
    .settings = "rates 0.4 and 2; airfoil rate 0.1, eps 1e-6, batch 10",
    .published = "-2.382563, -0.158591; -0.002295, -0.000000; loss 0.243, by the framework 0.242",
    .data = "airfoil",
    .run = run,
};
