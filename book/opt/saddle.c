/* saddle.c - saddle points: no slope, and no minimum either (D2L 12.1.2.2). */
#include "book/opt/traces.h"

#include <math.h>

static cn_tensor *cubic(cn_tensor *x)
{
    return cn_mul(x, cn_square(x));
}

static cn_tensor *saddle(cn_tensor *x)
{
    return cn_sub(cn_square(cn_select(x, 0, 0)), cn_square(cn_select(x, 0, 1)));
}

static void cube(Lab *lab, cn_figure *figure)
{
    const double zero = 0, left = -0.1, right = 1, lo = -2, hi = 2;
    double slope;
    slope_at(cubic, &zero, 1, &slope);
    lab_number(lab, "the slope of x^3 at 0", slope, 0, 0);
    lab_number(lab, "its second derivative", cn_item(hessian_at(cubic, &zero, 1)), 0, 0);
    Trace stuck = trace_optim(cubic, 1, &right, 100, "SGD lr=0.1"),
          free = trace_optim(cubic, 1, &left, 35, "SGD lr=0.1");
    lab_true(lab, "from 1 descent creeps towards 0",
             trace_end(&stuck, 0) > 0 && trace_end(&stuck, 0) < 0.05);
    lab_at_most(lab, "from -0.1 it falls", trace_end(&free, 0), -1);
    trace_panel(figure, "x^3", cubic, &stuck, &lo, &hi);
}

static void run(Lab *lab)
{
    cn_figure *figure = cn_figure_new("Saddle points");
    cube(lab, figure);
    const double zero[] = { 0, 0 }, lo[] = { -1, -1 }, hi[] = { 1, 1 };
    double slope[2];
    slope_at(saddle, zero, 2, slope);
    lab_number(lab, "the gradient of x^2 - y^2 at 0, x", slope[0], 0, 0);
    lab_number(lab, "y", slope[1], 0, 0);
    lab_values(lab, "the eigenvalues of its Hessian",
               cn_linalg_eigh(hessian_at(saddle, zero, 2)).values, 1e-12, -2, 2);
    Trace on = trace_optim(saddle, 2, AT(1, 0), 60, "SGD lr=0.1"),
          off = trace_optim(saddle, 2, AT(1, 1e-4), 50, "SGD lr=0.1");
    /* x shrinks by 1 - 2 lr each step, y grows by 1 + 2 lr. */
    lab_end_at(lab, "descent from (1, 0) stays", &on, 1e-12, AT(pow(0.8, 60), 0));
    lab_end_at(lab, "from (1, 1e-4) it escapes", &off, 1e-9, AT(pow(0.8, 50), 1e-4 * pow(1.2, 50)));
    trace_panel(figure, "x^2 - y^2 from (1, 1e-4)", saddle, &off, lo, hi);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_saddle = {
    .id = "OPT-SADDLE",
    .title = "Saddle points",
    .title_zh = "鞍点",
    .section = "12.1.2.2",
    .published = "figures of x^3 and x^2 - y^2",
    .run = run,
};
