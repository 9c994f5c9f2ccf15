/* calc.c - the derivative as a limit, and the tangent it gives (D2L 2.4.1). */
#include "book/book.h"

#include <stdio.h>

enum { POINTS = 30 };

static double f(double x)
{
    return 3 * x * x - 4 * x;
}

static void run(Lab *lab)
{
    static const char *const printed[] = {
        "h=0.10000, numerical limit=2.30000", "h=0.01000, numerical limit=2.03000",
        "h=0.00100, numerical limit=2.00300", "h=0.00010, numerical limit=2.00030",
        "h=0.00001, numerical limit=2.00003",
    };
    double h = 0.1;
    for (int i = 0; i < 5; i++, h *= 0.1) {
        char line[64];
        snprintf(line, sizeof line, "h=%.5f, numerical limit=%.5f", h, (f(1 + h) - f(1)) / h);
        lab_text(lab, "the book's line", line, printed[i]);
    }

    /* The same slope without a limit. */
    cn_tensor *x = cn_requires_grad(cn_scalar(1), true);
    cn_backward(cn_sub(cn_mul(cn_num(3), cn_square(x)), cn_mul(cn_num(4), x)));
    lab_number(lab, "f'(1) by autograd", cn_item(cn_grad(x)), 2, 0);

    double at[POINTS], curve[POINTS], tangent[POINTS];
    for (int i = 0; i < POINTS; i++) {
        at[i] = 0.1 * i;
        curve[i] = f(at[i]);
        tangent[i] = 2 * at[i] - 3;
    }
    lab_number(lab, "the tangent touches the curve at 1", tangent[10] - curve[10], 0, 1e-12);
    cn_figure *figure = cn_figure_new(NULL);
    cn_figure_line(figure, "f(x)", at, curve, POINTS);
    cn_figure_line(figure, "Tangent line (x=1)", at, tangent, POINTS);
    cn_figure_axes(figure, .xlabel = "x", .ylabel = "f(x)");
    lab_figure(lab, figure);
}

const Experiment experiment_c02_calc = {
    .id = "C02-CALC",
    .title = "Derivatives and tangents",
    .title_zh = "导数和微分",
    .section = "2.4.1",
    .published = "2.30000, 2.03000, 2.00300, 2.00030, 2.00003; tangent y = 2x - 3",
    .run = run,
};
