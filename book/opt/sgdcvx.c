/* sgdcvx.c - how fast SGD converges on a convex objective (D2L 12.4.3).

   The mean of |x - a_i| over examples a_i: gradients are at most L = 1. From a distance r, with the
   rate r / (L sqrt T), the average of T iterates is expected to be within r L / sqrt T. */
#include "book/book.h"

#include <math.h>
#include <stdio.h>

enum { EXAMPLES = 101, RUNS = 40 };

static double example(int i)
{
    return 0.02 * i - 1; /* -1 .. 1, with the median 0 */
}

static double risk(double x)
{
    double sum = 0;
    for (int i = 0; i < EXAMPLES; i++) sum += fabs(x - example(i));
    return sum / EXAMPLES;
}

/* The risk of the average iterate above the least one, on average over runs. */
static double gap(int steps, double r)
{
    double sum = 0, rate = r / sqrt(steps);
    for (int k = 0; k < RUNS; k++) {
        double x = r, average = 0;
        for (int t = 0; t < steps; t++) {
            double a = example((int)cn_rng_below(cn_default_rng(), EXAMPLES));
            average += x / steps;
            x -= rate * ((x > a) - (x < a));
        }
        sum += risk(average) - risk(0);
    }
    return sum / RUNS;
}

static void run(Lab *lab)
{
    enum { COUNT = 5 };
    const double r = 5;
    double steps[COUNT], measured[COUNT], bound[COUNT];
    char what[64];
    for (int i = 0; i < COUNT; i++) {
        steps[i] = 10 * pow(4, i);
        measured[i] = gap((int)steps[i], r);
        bound[i] = r / sqrt(steps[i]);
        snprintf(what, sizeof what, "T = %g: risk above the least", steps[i]);
        lab_at_most(lab, what, measured[i], bound[i]);
    }
    lab_at_least(lab, "it is above", measured[COUNT - 1], 0);
    lab_at_most(lab, "before any step the risk was, against the first bound",
                bound[0] / (risk(r) - risk(0)), 0.5);
    cn_figure *figure = cn_figure_new("Convergence of SGD, and its bound");
    cn_figure_line(figure, "measured", steps, measured, COUNT);
    cn_figure_line(figure, "r L / sqrt(T)", steps, bound, COUNT);
    cn_figure_axes(figure, .xlabel = "T", .xlog = true, .ylog = true);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_sgdcvx = {
    .id = "OPT-SGDCVX",
    .title = "Convergence of SGD for convex objectives",
    .title_zh = "凸目标的收敛性分析",
    .section = "12.4.3",
    .run = run,
};
