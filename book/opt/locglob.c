/* locglob.c - of a convex function local minima are global, and lower level sets are convex
   (D2L 12.2.2). */
#include "book/opt/chords.h"

#include <math.h>

enum { STARTS = 20 };

/* (x1 - 1)^2 + x2^2 / 2 + log(1 + exp(x1 + x2)) */
static cn_tensor *convex(cn_tensor *x)
{
    cn_tensor *one = cn_select(x, 0, 0), *two = cn_select(x, 0, 1);
    cn_tensor *squares =
        cn_add(cn_square(cn_sub(one, cn_num(1))), cn_mul(cn_square(two), cn_num(0.5)));
    return cn_add(squares, cn_softplus(cn_add(one, two)));
}

/* (x1^2 - 1)^2 + x2^2: two minima of different height once tilted */
static cn_tensor *wells(cn_tensor *x)
{
    cn_tensor *one = cn_select(x, 0, 0), *two = cn_select(x, 0, 1);
    cn_tensor *well = cn_add(cn_square(cn_sub(cn_square(one), cn_num(1))), cn_square(two));
    return cn_add(well, cn_mul(one, cn_num(0.3)));
}

/* The difference between the best and the worst value that descent ends at. */
static double spread(Function *f, const char *optim, Trace *last)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (int i = 0; i < STARTS; i++) {
        double start[] = { 4 * cn_rng_uniform(cn_default_rng()) - 2,
                           4 * cn_rng_uniform(cn_default_rng()) - 2 };
        *last = trace_optim(f, 2, start, 150, optim);
        double end[] = { trace_end(last, 0), trace_end(last, 1) }, y = value_at(f, end, 2);
        low = fmin(low, y), high = fmax(high, y);
    }
    return high - low;
}

static bool under(Function *f, double level, double x, double y)
{
    return value_at(f, AT(x, y), 2) <= level;
}

/* Points on a grid below the level: do the middles of their chords stay below it? */
static int middles_above(Function *f, double level)
{
    enum { SIDE = 9 };
    double at[SIDE * SIDE][2];
    int n = 0, above = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        double x = -2 + 0.5 * (i % SIDE), y = -2 + 0.5 * (double)(i / SIDE);
        if (under(f, level, x, y)) at[n][0] = x, at[n++][1] = y;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            above += !under(f, level, (at[i][0] + at[j][0]) / 2, (at[i][1] + at[j][1]) / 2);
    return above;
}

static void run(Lab *lab)
{
    const double lo[] = { -2, -2 }, hi[] = { 2, 2 };
    Trace one, other;
    lab_at_least(lab, "chords above the convex function", chords_above(convex, 2, -2, 2), -1e-12);
    lab_at_most(lab, "ends of descent from 20 starts differ by", spread(convex, "SGD lr=0.3", &one),
                1e-10);
    lab_at_least(lab, "of two wells, by", spread(wells, "SGD lr=0.05", &other), 0.5);
    lab_number(lab, "middles of chords outside the set f <= 3", middles_above(convex, 3), 0, 0);
    lab_at_least(lab, "of two wells, outside f <= 0.5", middles_above(wells, 0.5), 1);
    cn_figure *figure = cn_figure_new("Local and global minima");
    trace_panel(figure, "convex", convex, &one, lo, hi);
    trace_panel(figure, "two wells", wells, &other, lo, hi);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_locglob = {
    .id = "OPT-LOCGLOB",
    .title = "Local minima of convex functions are global",
    .title_zh = "局部极小值是全局极小值",
    .section = "12.2.2.1",
    .run = run,
};
