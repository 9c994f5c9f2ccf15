/* goal.c - what is minimised is not what is meant: empirical risk and risk (D2L 12.1.1). */
#include "book/opt/traces.h"

#include <math.h>

/* The risk, and the same with the ripples that a finite sample gives it. */
static cn_tensor *risk(cn_tensor *x)
{
    return cn_mul(x, cn_cos(cn_mul(x, cn_num(acos(-1)))));
}

static cn_tensor *empirical(cn_tensor *x)
{
    cn_tensor *ripples = cn_cos(cn_mul(x, cn_num(5 * acos(-1))));
    return cn_add(risk(x), cn_mul(ripples, cn_num(0.2)));
}

/* The least value on 0.5, 0.51, .. 1.5: where it is, to the next step of the grid. */
static double minimum(Function *f)
{
    double best = 0.5, least = (double)INFINITY;
    for (int i = 0; i <= 100; i++) {
        double x = 0.5 + 0.01 * i, y = value_at(f, &x, 1);
        if (y < least) least = y, best = x;
    }
    return best;
}

static void run(Lab *lab)
{
    const double start = 0.9;
    Trace f = trace_optim(risk, 1, &start, 100, "SGD lr=0.05"),
          g = trace_optim(empirical, 1, &start, 100, "SGD lr=0.01");
    double x = trace_end(&f, 0), y = trace_end(&g, 0), slope[2];
    slope_at(risk, &x, 1, &slope[0]);
    slope_at(empirical, &y, 1, &slope[1]);
    /* cos z = z sin z with z = pi x */
    lab_number(lab, "the risk is least at", x, 3.4256184594817 / acos(-1), 1e-9);
    lab_at_most(lab, "its slope there", fabs(slope[0]), 1e-9);
    lab_at_most(lab, "the empirical risk's slope at its own minimum", fabs(slope[1]), 1e-9);
    lab_number(lab, "which a grid finds, too: of the risk", minimum(risk), x, 0.01);
    lab_number(lab, "of the empirical risk", minimum(empirical), y, 0.01);
    lab_at_least(lab, "they are apart by", fabs(x - y), 0.05);
    lab_at_least(lab, "and the empirical minimum has more risk, by",
                 value_at(risk, &y, 1) - value_at(risk, &x, 1), 0.01);

    cn_figure *figure = cn_figure_new("Risk and empirical risk");
    double at[101], line[2][101];
    for (int i = 0; i <= 100; i++) {
        at[i] = 0.5 + 0.01 * i;
        line[0][i] = value_at(risk, &at[i], 1);
        line[1][i] = value_at(empirical, &at[i], 1);
    }
    cn_figure_line(figure, "risk", at, line[0], 101);
    cn_figure_line(figure, "empirical risk", at, line[1], 101);
    cn_figure_axes(figure, .xlabel = "x", .ylabel = "risk");
    lab_figure(lab, figure);
}

const Experiment experiment_opt_goal = {
    .id = "OPT-GOAL",
    .title = "The goal of optimisation: risk and empirical risk",
    .title_zh = "优化的目标",
    .section = "12.1.1",
    .published = "figure: the minima of x cos(pi x) and of it with 0.2 cos(5 pi x) differ",
    .run = run,
};
