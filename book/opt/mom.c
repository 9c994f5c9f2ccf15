/* mom.c - the momentum method (D2L 12.6.1.3 and 12.6.2). */
#include "book/opt/airfoil.h"
#include "book/opt/traces.h"

static void run(Lab *lab)
{
    Trace half = trace(canyon, 2, bowl_start, 20, momentum, AT(0.6, 0.5)),
          quarter = trace(canyon, 2, bowl_start, 20, momentum, AT(0.6, 0.25)),
          library = trace_optim(canyon, 2, bowl_start, 20, "SGD lr=0.6 momentum=0.25");
    lab_end_at(lab, "beta 0.5", &half, 5e-7, AT(0.007188, 0.002553));
    lab_end_at(lab, "beta 0.25", &quarter, 5e-7, AT(-0.126340, -0.186632));
    lab_traces(lab, "the library's steps differ by", &quarter, &library, 1e-13);
    cn_figure *figure = cn_figure_new("Momentum on 0.1 x1^2 + 2 x2^2, rate 0.6");
    trace_panel(figure, "beta 0.5", canyon, &half, bowl_lo, bowl_hi);
    trace_panel(figure, "beta 0.25", canyon, &quarter, bowl_lo, bowl_hi);
    lab_figure(lab, figure);

    static const AirfoilCase cases[] = {
        { "rate 0.02, beta 0.5", momentum, { 0.02, 0.5 }, "SGD lr=0.02 momentum=0.5", 0.245, 0 },
        { "rate 0.01, beta 0.9", momentum, { 0.01, 0.9 }, "SGD lr=0.01 momentum=0.9", 0.248, 0 },
        { "rate 0.005, beta 0.9", momentum, { 0.005, 0.9 }, "SGD lr=0.005 momentum=0.9", 0.243, 0 },
    };
    airfoil_cases(lab, "Momentum", cases, 3);
}

const Experiment experiment_opt_mom = {
    .id = "OPT-MOM",
    .title = "The momentum method",
    .title_zh = "动量法",
    .section = "12.6",
    .settings =
        "rate 0.6, beta 0.5 and 0.25; airfoil (0.02, 0.5), (0.01, 0.9), (0.005, 0.9), batch 10",
    .published = "0.007188, 0.002553; -0.126340, -0.186632; loss 0.245, 0.248, 0.243; by the "
                 "framework 0.250",
    .data = "airfoil",
    .run = run,
};
