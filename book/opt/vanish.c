/* vanish.c - a gradient that is almost nothing stops optimisation (D2L 12.1.2.3). */
#include "book/opt/traces.h"

#include <math.h>

static cn_tensor *f(cn_tensor *x)
{
    return cn_tanh(x);
}

static void run(Lab *lab)
{
    const double four = 4, two = 2, lo = -2, hi = 5;
    double slope;
    slope_at(f, &four, 1, &slope);
    lab_number(lab, "the slope of tanh at 4", slope, 0.0013, 5e-5);
    lab_number(lab, "1 - tanh(4)^2", slope, 1 - tanh(4) * tanh(4), 1e-15);
    Trace stuck = trace_optim(f, 1, &four, 100, "SGD lr=0.5"),
          fast = trace_optim(f, 1, &two, 100, "SGD lr=0.5");
    lab_at_most(lab, "100 steps from 4 go", four - trace_end(&stuck, 0), 0.1);
    lab_at_least(lab, "from 2", two - trace_end(&fast, 0), 3);
    cn_figure *figure = cn_figure_new("Vanishing gradients");
    trace_panel(figure, "tanh, 100 steps from 4", f, &stuck, &lo, &hi);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_vanish = {
    .id = "OPT-VANISH",
    .title = "Vanishing gradients as an obstacle",
    .title_zh = "梯度消失",
    .section = "12.1.2.3",
    .settings = "tanh at x = 4",
    .published = "f'(4) = 0.0013",
    .run = run,
};
