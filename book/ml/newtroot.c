/* newtroot.c - Newton's method for roots, from the first-order Taylor expansion: f(x) + f'(x) d = 0
   has the solution d = -f / f'. */
#include "book/opt/traces.h"

#include <math.h>

enum { STEPS = 6 };

static cn_tensor *square_less_2(cn_tensor *x)
{
    return cn_sub(cn_square(x), cn_num(2));
}

static cn_tensor *cube_less_1(cn_tensor *x)
{
    return cn_sub(cn_mul(cn_square(x), x), cn_num(1));
}

/* x[0] is the start; false where the tangent is level and has no root. */
static bool newton(Function *f, double x[STEPS + 1])
{
    for (int k = 0; k < STEPS; k++) {
        double slope;
        slope_at(f, &x[k], 1, &slope);
        if (!(fabs(slope) > 1e-12)) return false;
        x[k + 1] = x[k] - value_at(f, &x[k], 1) / slope;
    }
    return true;
}

static void run(Lab *lab)
{
    double x[STEPS + 1] = { 1 }, cube[STEPS + 1] = { 2 }, level[STEPS + 1] = { 0 };
    double error[STEPS + 1];
    static const double published[] = { 1.0, 4.2e-1, 1.1e-1, 1.1e-2, 1.1e-4, 1.2e-8 };
    lab_true(lab, "x^2 - 2 from 1", newton(square_less_2, x));
    lab_number(lab, "its root", x[STEPS], sqrt(2), 1e-15);
    for (int k = 0; k < 4; k++) error[k] = fabs(x[k] - sqrt(2));
    lab_number(lab, "an error against the square of the one before",
               error[3] / (error[2] * error[2]), 1 / (2 * sqrt(2)), 1e-3);

    lab_true(lab, "x^3 - 1 from 2", newton(cube_less_1, cube));
    for (int k = 0; k < STEPS; k++) {
        error[k] = fabs(cube[k] - 1);
        lab_number(lab, k ? "the next error" : "errors", error[k], published[k],
                   0.05 * published[k]);
    }
    lab_true(lab, "x^2 - 2 from 0, where the tangent is level, is refused",
             !newton(square_less_2, level));
    cn_figure *figure = cn_figure_new("Errors of Newton's method for x^3 = 1");
    cn_figure_line(figure, "error", NULL, error, STEPS);
    cn_figure_axes(figure, .xlabel = "step", .ylog = true);
    lab_figure(lab, figure);
}

const Experiment experiment_ml_newtroot = {
    .id = "ML-NEWTROOT",
    .title = "Newton's method for roots",
    .title_zh = "牛顿法求根",
    .section = "22.3",
    .published = "x^3 - 1 = 0 from 2: errors 1.0, 4.2e-1, 1.1e-1, 1.1e-2, 1.1e-4, 1.2e-8",
    .run = run,
};
