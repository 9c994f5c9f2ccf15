/* illcond.c - an ill-conditioned problem: slow in one direction, or astray in the other
   (D2L 12.6.1.2). */
#include "book/opt/traces.h"

static void run(Lab *lab)
{
    Trace slow = trace(canyon, 2, bowl_start, 20, descent, AT(0.4)),
          astray = trace(canyon, 2, bowl_start, 20, descent, AT(0.6)),
          library = trace_optim(canyon, 2, bowl_start, 20, "SGD lr=0.6");
    lab_end_at(lab, "rate 0.4", &slow, 5e-7, AT(-0.943467, -0.000073));
    lab_end_at(lab, "rate 0.6", &astray, 5e-7, AT(-0.387814, -1673.365109));
    lab_traces(lab, "the library's steps differ by", &astray, &library, 1e-9);
    cn_tensor *curvatures = cn_linalg_eigh(hessian_at(canyon, bowl_start, 2)).values;
    lab_number(lab, "the condition number",
               cn_item(cn_select(curvatures, 0, 1)) / cn_item(cn_select(curvatures, 0, 0)), 20,
               1e-9);
    cn_figure *figure = cn_figure_new("Descent on 0.1 x1^2 + 2 x2^2");
    trace_panel(figure, "rate 0.4", canyon, &slow, bowl_lo, bowl_hi);
    trace_panel(figure, "rate 0.6", canyon, &astray, bowl_lo, bowl_hi);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_illcond = {
    .id = "OPT-ILLCOND",
    .title = "An ill-conditioned problem",
    .title_zh = "条件不佳的问题",
    .section = "12.6.1.2",
    .settings = "0.1 x1^2 + 2 x2^2, rates 0.4 and 0.6, 20 steps",
    .published = "-0.943467, -0.000073; -0.387814, -1673.365109",
    .run = run,
};
