/* precond.c - a step for each coordinate: preconditioning with the Hessian's diagonal
   (D2L 12.3.3.3). */
#include "book/opt/traces.h"

#include <math.h>

/* hyper: the rate, and the diagonal of the Hessian */
static void preconditioned(const Update *u)
{
    for (int i = 0; i < u->n; i++) u->w[i] -= u->hyper[0] * u->g[i] / u->hyper[1 + i];
}

/* Steps until both coordinates are within 1e-6 of the minimum; -1: never. */
static int steps_to(const Trace *t)
{
    for (int k = 0; k < t->n; k++)
        if (fabs(t->x[0][k]) < 1e-6 && fabs(t->x[1][k]) < 1e-6) return k;
    return -1;
}

static void run(Lab *lab)
{
    double hyper[] = { 0.4, 0, 0 };
    cn_tensor *h = hessian_at(canyon, bowl_start, 2);
    for (int i = 0; i < 2; i++) hyper[1 + i] = cn_at(h, CN_SHAPE(i, i));
    lab_values(lab, "the Hessian of 0.1 x1^2 + 2 x2^2", h, 1e-12, 0.2, 0, 0, 4);
    Trace plain = trace(canyon, 2, bowl_start, 300, descent, hyper),
          better = trace(canyon, 2, bowl_start, 300, preconditioned, hyper),
          whole = trace(canyon, 2, bowl_start, 1, preconditioned, AT(1, hyper[1], hyper[2]));
    /* 5 * 0.92^n < 1e-6 and 5 * 0.6^n < 1e-6 */
    lab_number(lab, "steps of descent to 1e-6", steps_to(&plain), ceil(log(1e-6 / 5) / log(0.92)),
               0);
    lab_number(lab, "steps with the diagonal", steps_to(&better), ceil(log(1e-6 / 5) / log(0.6)),
               0);
    lab_end_at(lab, "with rate 1, after one step", &whole, 1e-12, AT(0, 0));
    Trace seen[2] = { plain, better };
    cn_figure *figure = cn_figure_new("Preconditioning, 20 steps");
    for (int i = 0; i < 2; i++) {
        seen[i].n = 21;
        trace_panel(figure, i ? "with the diagonal" : "descent", canyon, &seen[i], bowl_lo,
                    bowl_hi);
    }
    lab_figure(lab, figure);
}

const Experiment experiment_opt_precond = {
    .id = "OPT-PRECOND",
    .title = "Preconditioning",
    .title_zh = "预处理",
    .section = "12.3.3.3",
    .settings = "0.1 x1^2 + 2 x2^2, rate 0.4",
    .run = run,
};
