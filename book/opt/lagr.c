/* lagr.c - a constrained minimum by penalties and by the Lagrangian (D2L 12.2.3).

   The nearest point to (2, 1) with c = x1 + x2 - 1 = 0 is (1, 0); the multiplier there is 2. */
#include "book/book.h"

#include <math.h>
#include <stdio.h>

/* f + alpha c + k c^2, whose minimum is wanted */
typedef struct {
    cn_tensor *x;
    cn_optim *optim;
    double alpha, k;
} Problem;

static cn_tensor *constraint(cn_tensor *x)
{
    return cn_sub(cn_sum(x), cn_num(1));
}

static double loss(void *context)
{
    Problem *p = context;
    cn_tensor *target = cn_from((double[]){ 2, 1 }, CN_SHAPE(2), CN_F64), *c = constraint(p->x);
    cn_tensor *f = cn_sum(cn_square(cn_sub(p->x, target)));
    cn_tensor *extra = cn_add(cn_mul(c, cn_num(p->alpha)), cn_mul(cn_square(c), cn_num(p->k)));
    cn_tensor *all = cn_add(f, extra);
    cn_optim_zero_grad(p->optim);
    cn_backward(all);
    return cn_item(all);
}

/* From zeros by LBFGS, to x[0 .. 1]. */
static void minimise(double alpha, double k, double x[2])
{
    Problem p = { .alpha = alpha, .k = k };
    p.x = cn_requires_grad(cn_zeros(CN_SHAPE(2), CN_F64), true);
    p.optim = cn_optim_by_name(NULL, "LBFGS line_search_fn=strong_wolfe tolerance_grad=1e-12 "
                                     "tolerance_change=1e-15");
    cn_optim_add_group(p.optim, &p.x, 1);
    for (int i = 0; i < 3; i++) cn_step_closure(p.optim, loss, &p);
    if (!cn_read(p.x, CN_F64, x, 2)) x[0] = x[1] = (double)NAN;
    cn_optim_free(p.optim);
}

static void penalties(Lab *lab)
{
    enum { WEIGHTS = 5 };
    double weight[WEIGHTS], distance[WEIGHTS], x[2];
    char what[64];
    for (int i = 0; i < WEIGHTS; i++) {
        weight[i] = pow(10, i - 1);
        minimise(0, weight[i], x);
        distance[i] = hypot(x[0] - 1, x[1]);
        snprintf(what, sizeof what, "penalty %g: distance to the solution", weight[i]);
        lab_number(lab, what, distance[i], sqrt(2) / (1 + 2 * weight[i]), 1e-6);
    }
    cn_figure *figure = cn_figure_new("A penalty instead of a constraint");
    cn_figure_line(figure, "distance to the constrained solution", weight, distance, WEIGHTS);
    cn_figure_axes(figure, .xlabel = "weight", .xlog = true, .ylog = true);
    lab_figure(lab, figure);
}

/* alpha rises by the constraint's violation at the minimum for this alpha. */
static void lagrangian(Lab *lab)
{
    double alpha = 0, x[2] = { 0 };
    for (int i = 0; i < 30; i++) {
        minimise(alpha, 0, x);
        alpha += 0.5 * (x[0] + x[1] - 1);
    }
    lab_number(lab, "the Lagrangian's saddle point: x1", x[0], 1, 1e-6);
    lab_number(lab, "x2", x[1], 0, 1e-6);
    lab_number(lab, "the multiplier", alpha, 2, 1e-6);
}

static void run(Lab *lab)
{
    penalties(lab);
    lagrangian(lab);
}

const Experiment experiment_opt_lagr = {
    .id = "OPT-LAGR",
    .title = "The Lagrangian, and penalties for constraints",
    .title_zh = "拉格朗日函数与惩罚",
    .section = "12.2.3",
    .run = run,
};
