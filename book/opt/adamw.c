/* adamw.c - AdamW: weight decay beside the gradient, not within it (Loshchilov and Hutter, 2019). */
#include "book/opt/airfoil.h"
#include "book/opt/traces.h"

#include <math.h>

/* One step of Adam, rate 0.01, for the gradient g. */
static double adam_step(const Update *u, int i, double g)
{
    u->s[i] = 0.9 * u->s[i] + 0.1 * g;
    u->r[i] = 0.999 * u->r[i] + 0.001 * g * g;
    return u->hyper[0] * u->s[i] / (1 - pow(0.9, u->t)) /
           (sqrt(u->r[i] / (1 - pow(0.999, u->t))) + 1e-8);
}

/* hyper: lr, decay */
static void adamw(const Update *u)
{
    for (int i = 0; i < u->n; i++)
        u->w[i] = u->w[i] * (1 - u->hyper[0] * u->hyper[1]) - adam_step(u, i, u->g[i]);
}

static void adam_with_l2(const Update *u)
{
    for (int i = 0; i < u->n; i++) u->w[i] -= adam_step(u, i, u->g[i] + u->hyper[1] * u->w[i]);
}

/* With no gradient but zeros, after `steps` steps of rate 0.1 and decay 0.5 from 1. */
static double shrunk(const char *optim, int steps)
{
    cn_tensor *w = cn_requires_grad(cn_ones(CN_SHAPE(1), CN_F64), true);
    cn_optim *o = cn_optim_by_name(NULL, optim);
    cn_optim_add_group(o, &w, 1);
    for (int t = 0; t < steps; t++) {
        cn_set_grad(w, cn_zeros(CN_SHAPE(1), CN_F64));
        cn_step(o);
    }
    cn_optim_free(o);
    return cn_item(w);
}

static void run(Lab *lab)
{
    lab_number(lab, "ten steps without a gradient: AdamW",
               shrunk("AdamW lr=0.1 weight_decay=0.5", 10), pow(1 - 0.1 * 0.5, 10), 1e-12);
    lab_number(lab, "SGD", shrunk("SGD lr=0.1 weight_decay=0.5", 10), pow(1 - 0.1 * 0.5, 10),
               1e-12);
    lab_number(lab, "Adam with L2: whatever the decay, one step is 0.1",
               shrunk("Adam lr=0.1 weight_decay=0.5", 1), 0.9, 1e-7);

    Trace w = trace(canyon, 2, bowl_start, 100, adamw, AT(0.1, 0.2)),
          l2 = trace(canyon, 2, bowl_start, 100, adam_with_l2, AT(0.1, 0.2)),
          library = trace_optim(canyon, 2, bowl_start, 100, "AdamW lr=0.1 weight_decay=0.2"),
          library_l2 = trace_optim(canyon, 2, bowl_start, 100, "Adam lr=0.1 weight_decay=0.2");
    lab_traces(lab, "AdamW: the library's 100 steps differ by", &w, &library, 1e-11);
    lab_traces(lab, "Adam with L2", &l2, &library_l2, 1e-11);
    lab_at_least(lab, "the two are apart by", fabs(w.x[0][30] - l2.x[0][30]), 0.1);
    cn_figure *figure = cn_figure_new("Rate 0.1, decay 0.2, 100 steps");
    trace_panel(figure, "AdamW", canyon, &w, bowl_lo, bowl_hi);
    trace_panel(figure, "Adam with L2", canyon, &l2, bowl_lo, bowl_hi);
    lab_figure(lab, figure);

    static const AirfoilCase cases[] = {
        { "AdamW, decay 0.01", adamw, { 0.01, 0.01 }, "AdamW lr=0.01 weight_decay=0.01", 0.246, 0 }
    };
    airfoil_cases(lab, "AdamW", cases, 1);
}

const Experiment experiment_opt_adamw = {
    .id = "OPT-ADAMW",
    .title = "AdamW: decoupled weight decay",
    .title_zh = "AdamW",
    .section = "12.10",
    .settings = "airfoil rate 0.01, decay 0.01, batch 10",
    .published = "airfoil loss 0.246, by the framework 0.244",
    .data = "airfoil",
    .run = run,
};
