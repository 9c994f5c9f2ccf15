/* cvxfun.c - convex functions lie below their chords (D2L 12.2.1.2). */
#include "book/opt/chords.h"

#include <math.h>

static cn_tensor *square(cn_tensor *x)
{
    return cn_mul(cn_square(x), cn_num(0.5));
}

static cn_tensor *wavy(cn_tensor *x)
{
    return cn_cos(cn_mul(x, cn_num(acos(-1))));
}

static cn_tensor *growth(cn_tensor *x)
{
    return cn_exp(cn_mul(x, cn_num(0.5)));
}

/* The curve on [-2, 2] and the book's chord, from -1.5 to 1. */
static void panel(cn_figure *figure, const char *title, Function *f)
{
    const double ends[] = { -1.5, 1 },
                 chord[] = { value_at(f, &ends[0], 1), value_at(f, &ends[1], 1) };
    double x[81], y[81];
    for (int i = 0; i < 81; i++) {
        x[i] = -2 + 0.05 * i;
        y[i] = value_at(f, &x[i], 1);
    }
    cn_figure_panel(figure, title);
    cn_figure_line(figure, "f", x, y, 81);
    cn_figure_line(figure, "chord", ends, chord, 2);
    cn_figure_axes(figure, .xlabel = "x");
}

static void run(Lab *lab)
{
    lab_at_least(lab, "0.5 x^2: how far chords are above it", chords_above(square, 1, -2, 2),
                 -1e-12);
    lab_at_least(lab, "exp(0.5 x)", chords_above(growth, 1, -2, 2), -1e-12);
    lab_at_most(lab, "cos(pi x)", chords_above(wavy, 1, -2, 2), -1);
    /* In the middle: 0.5 l (1 - l) (a - b)^2, and for the cosine (0 - 1) / 2 - cos(-pi / 4). */
    const double a = -1.5, b = 1, middle = (a + b) / 2;
    lab_number(lab, "0.5 x^2: the book's chord above its middle",
               (value_at(square, &a, 1) + value_at(square, &b, 1)) / 2 -
                   value_at(square, &middle, 1),
               0.125 * (a - b) * (a - b), 1e-12);
    lab_number(lab, "cos(pi x)",
               (value_at(wavy, &a, 1) + value_at(wavy, &b, 1)) / 2 - value_at(wavy, &middle, 1),
               -0.5 - sqrt(0.5), 1e-12);
    cn_figure *figure = cn_figure_new("Functions and chords");
    panel(figure, "0.5 x^2", square);
    panel(figure, "cos(pi x)", wavy);
    panel(figure, "exp(0.5 x)", growth);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_cvxfun = {
    .id = "OPT-CVXFUN",
    .title = "Convex functions",
    .title_zh = "凸函数",
    .section = "12.2.1.2",
    .published = "figure: 0.5 x^2 and exp(0.5 x) are convex, cos(pi x) is not",
    .run = run,
};
