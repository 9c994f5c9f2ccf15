/* gd1.c - gradient descent in one dimension: rates, and a local minimum (D2L 12.3.1). */
#include "book/opt/traces.h"

static cn_tensor *square(cn_tensor *x)
{
    return cn_square(x);
}

static void run(Lab *lab)
{
    static const struct {
        const char *name, *optim;
        double lr, end;
    } rates[] = { { "rate 0.2", "SGD lr=0.2", 0.2, 0.060466176 },
                  { "rate 0.05", "SGD lr=0.05", 0.05, 3.486784401 },
                  { "rate 1.1", "SGD lr=1.1", 1.1, 61.9173642240 } };
    cn_figure *figure = cn_figure_new("Gradient descent on x^2 and x cos(0.15 pi x)");
    cn_figure_columns(figure, 2);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        Trace t = trace(square, 1, AT(10), 10, descent, &rates[i].lr),
              library = trace_optim(square, 1, AT(10), 10, rates[i].optim);
        lab_end_at(lab, rates[i].name, &t, 5e-7, &rates[i].end);
        lab_traces(lab, "the library's steps differ by", &t, &library, 1e-13);
        trace_panel(figure, rates[i].name, square, &t, AT(-11), AT(11));
    }
    Trace t = trace(wave, 1, wave_start, 10, descent, AT(2)),
          library = trace_optim(wave, 1, wave_start, 10, "SGD lr=2");
    lab_end_at(lab, "x cos(0.15 pi x), rate 2", &t, 5e-7, AT(-1.528166));
    lab_traces(lab, "the library's steps differ by", &t, &library, 1e-13);
    trace_panel(figure, "rate 2, a local minimum", wave, &t, wave_lo, wave_hi);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_gd1 = {
    .id = "OPT-GD1 OPT-GDLOC",
    .title = "Gradient descent in one dimension",
    .title_zh = "一维梯度下降",
    .section = "12.3.1",
    .settings = "x^2 from 10, 10 steps, rates 0.2, 0.05, 1.1; x cos(0.15 pi x), rate 2",
    .published = "x = 0.060466, 3.486784, 61.917364; -1.528166",
    .run = run,
};
