/* local.c - a local minimum beside the global one (D2L 12.1.2.1). */
#include "book/opt/traces.h"

#include <math.h>

static cn_tensor *f(cn_tensor *x)
{
    return cn_mul(x, cn_cos(cn_mul(x, cn_num(acos(-1)))));
}

static void run(Lab *lab)
{
    const double pi = acos(-1), left = -0.9, right = 0.5, lo = -1, hi = 2;
    Trace local = trace_optim(f, 1, &left, 300, "SGD lr=0.05"),
          global = trace_optim(f, 1, &right, 300, "SGD lr=0.05");
    double x = trace_end(&local, 0), y = trace_end(&global, 0);
    /* Both are roots of cos z = z sin z, z = pi x. */
    lab_number(lab, "the local minimum", x, -0.8603335890194 / pi, 1e-9);
    lab_number(lab, "the global minimum", y, 3.4256184594817 / pi, 1e-9);
    lab_at_least(lab, "the local one is curved upwards", cn_item(hessian_at(f, &x, 1)), 1);
    lab_at_least(lab, "and so is the global one", cn_item(hessian_at(f, &y, 1)), 1);
    lab_at_least(lab, "but the local one lies higher, by", value_at(f, &x, 1) - value_at(f, &y, 1),
                 0.8);
    double least = (double)INFINITY;
    for (int i = 0; i <= 3000; i++) {
        double at = lo + 0.001 * i;
        least = fmin(least, value_at(f, &at, 1));
    }
    lab_number(lab, "the least value on [-1, 2]", value_at(f, &y, 1), least, 1e-5);

    cn_figure *figure = cn_figure_new("x cos(pi x)");
    trace_panel(figure, "to the local minimum", f, &local, &lo, &hi);
    trace_panel(figure, "to the global minimum", f, &global, &lo, &hi);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_local = {
    .id = "OPT-LOCAL",
    .title = "Local minima",
    .title_zh = "局部最小值",
    .section = "12.1.2.1",
    .published = "figure: x cos(pi x) on [-1, 2]",
    .run = run,
};
