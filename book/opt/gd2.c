/* gd2.c - gradient descent in two dimensions (D2L 12.3.2). */
#include "book/opt/traces.h"

#include <math.h>

static void run(Lab *lab)
{
    Trace t = trace(bowl, 2, bowl_start, 20, descent, AT(0.1)),
          library = trace_optim(bowl, 2, bowl_start, 20, "SGD lr=0.1");
    lab_end_at(lab, "20 steps of 0.1", &t, 5e-7, AT(-0.057646, -0.000073));
    lab_end_at(lab, "in closed form", &t, 1e-14, AT(-5 * pow(0.8, 20), -2 * pow(0.6, 20)));
    lab_traces(lab, "the library's steps differ by", &t, &library, 1e-14);
    cn_figure *figure = cn_figure_new("Gradient descent on x1^2 + 2 x2^2");
    trace_panel(figure, NULL, bowl, &t, bowl_lo, bowl_hi);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_gd2 = {
    .id = "OPT-GD2",
    .title = "Gradient descent in two dimensions",
    .title_zh = "多元梯度下降",
    .section = "12.3.2",
    .settings = "x1^2 + 2 x2^2 from (-5, -2), rate 0.1, 20 steps",
    .published = "x1 -0.057646, x2 -0.000073",
    .run = run,
};
