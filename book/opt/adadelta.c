/* adadelta.c - Adadelta: no learning rate, but an average of the steps themselves (D2L 12.9). */
#include "book/opt/airfoil.h"
#include "book/opt/traces.h"

#include <math.h>

/* hyper: unused, rho, eps; s: squares of gradients, r: of steps */
static void adadelta(const Update *u)
{
    const double rho = u->hyper[1], eps = u->hyper[2];
    for (int i = 0; i < u->n; i++) {
        u->s[i] = rho * u->s[i] + (1 - rho) * u->g[i] * u->g[i];
        double step = sqrt(u->r[i] + eps) / sqrt(u->s[i] + eps) * u->g[i];
        u->w[i] -= step;
        u->r[i] = rho * u->r[i] + (1 - rho) * step * step;
    }
}

static void run(Lab *lab)
{
    Trace t = trace(canyon, 2, bowl_start, 200, adadelta, AT(0, 0.9, 1e-5)),
          library = trace_optim(canyon, 2, bowl_start, 200, "Adadelta lr=1 rho=0.9 eps=1e-5");
    /* s = 0.1 g^2 at first, so that it is sqrt(eps) g / sqrt(0.1 g^2 + eps). */
    lab_number(lab, "the first step, x1", t.x[0][1] - t.x[0][0], sqrt(1e-5) / sqrt(0.1 + 1e-5),
               1e-12);
    lab_number(lab, "x2, with a gradient 8 times as large", t.x[1][1] - t.x[1][0],
               8 * sqrt(1e-5) / sqrt(6.4 + 1e-5), 1e-12);
    lab_traces(lab, "the library's 200 steps differ by", &t, &library, 1e-11);
    cn_figure *figure = cn_figure_new("Adadelta on 0.1 x1^2 + 2 x2^2, 200 steps");
    trace_panel(figure, NULL, canyon, &t, bowl_lo, bowl_hi);
    lab_figure(lab, figure);

    static const AirfoilCase cases[] = {
        { "rho 0.9", adadelta, { 0, 0.9, 1e-5 }, "Adadelta lr=1 rho=0.9 eps=1e-5", 0.245, 0 }
    };
    airfoil_cases(lab, "Adadelta", cases, 1);
}

const Experiment experiment_opt_adadelta = {
    .id = "OPT-ADADELTA",
    .title = "Adadelta",
    .title_zh = "Adadelta",
    .section = "12.9",
    .settings = "rho 0.9, eps 1e-5, batch 10",
    .published = "loss 0.245, by the framework 0.243",
    .data = "airfoil",
    .run = run,
};
