/* leaky.c - momentum as a leaky average: what past gradients weigh (D2L 12.6.1.1 and 12.6.1.4). */
#include "book/book.h"

#include <math.h>
#include <stdio.h>

enum { SHOWN = 40, STEPS = 200 };

/* The velocity of the library's momentum after a gradient 1 in the first step and 0 later (once),
   or 1 in every step: how far the parameter went in each step with the rate 1. */
static void velocities(double beta, bool once, double v[STEPS])
{
    char text[64];
    snprintf(text, sizeof text, "SGD lr=1 momentum=%g", beta);
    cn_tensor *w = cn_requires_grad(cn_zeros(CN_SHAPE(1), CN_F64), true);
    cn_optim *o = cn_optim_by_name(NULL, text);
    cn_optim_add_group(o, &w, 1);
    double was = 0;
    for (int t = 0; t < STEPS && cn_ok(); t++) {
        CN_SCOPE
        {
            cn_set_grad(w, cn_full(CN_SHAPE(1), once && t ? 0 : 1, CN_F64));
            cn_step(o);
        }
        double at = cn_item(w);
        v[t] = was - at;
        was = at;
    }
    cn_optim_free(o);
}

static void run(Lab *lab)
{
    static const double betas[] = { 0.95, 0.9, 0.6, 0 };
    cn_figure *figure = cn_figure_new("Weights of past gradients");
    for (int k = 0; k < 4; k++) {
        char what[96];
        double v[STEPS] = { 0 }, all[STEPS] = { 0 }, worst = 0;
        velocities(betas[k], true, v);
        velocities(betas[k], false, all);
        for (int t = 0; t < SHOWN; t++) worst = fmax(worst, fabs(v[t] - pow(betas[k], t)));
        snprintf(what, sizeof what, "beta %.2f: weights differ from beta^t by", betas[k]);
        lab_at_most(lab, what, worst, 1e-12);
        lab_number(lab, "their sum after 200 steps, of 1 / (1 - beta)", all[STEPS - 1],
                   1 / (1 - betas[k]), 1e-3);
        snprintf(what, sizeof what, "beta = %.2f", betas[k]);
        cn_figure_line(figure, what, NULL, v, SHOWN);
    }
    cn_figure_axes(figure, .xlabel = "time");
    lab_figure(lab, figure);
}

const Experiment experiment_opt_leaky = {
    .id = "OPT-LEAKY",
    .title = "Leaky averages and effective sample weight",
    .title_zh = "泄漏平均值与有效样本权重",
    .section = "12.6.1",
    .settings = "beta 0.95, 0.9, 0.6, 0",
    .published = "figure: beta^t; the sum is 1 / (1 - beta)",
    .run = run,
};
