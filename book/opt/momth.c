/* momth.c - momentum on quadratics: eigenvectors do not mix, and which rates converge
   (D2L 12.6.3). */
#include "book/opt/traces.h"

#include <math.h>
#include <stdio.h>

/* x' Q x / 2 with Q = [[2, 1], [1, 3]] */
static cn_tensor *leaning(cn_tensor *x)
{
    cn_tensor *one = cn_select(x, 0, 0), *two = cn_select(x, 0, 1);
    cn_tensor *squares = cn_add(cn_square(one), cn_mul(cn_square(two), cn_num(1.5)));
    return cn_add(squares, cn_mul(one, two));
}

/* Momentum in two dimensions, and in each eigenvector by itself. */
static void eigenvectors(Lab *lab)
{
    const double lr = 0.2, beta = 0.6;
    Trace t = trace_optim(leaning, 2, bowl_start, 30, "SGD lr=0.2 momentum=0.6");
    cn_eigen e = cn_linalg_eigh(hessian_at(leaning, bowl_start, 2));
    double lambda[2], o[4], worst = 0;
    if (!cn_read(e.values, CN_F64, lambda, 2) || !cn_read(e.vectors, CN_F64, o, 4)) return;
    for (int k = 0; k < 2; k++) {
        double z = o[k] * t.x[0][0] + o[2 + k] * t.x[1][0], v = 0;
        for (int i = 1; i < t.n; i++) {
            v = beta * v + lambda[k] * z;
            z -= lr * v;
            worst = fmax(worst, fabs(o[k] * t.x[0][i] + o[2 + k] * t.x[1][i] - z));
        }
    }
    lab_number(lab, "the eigenvalues add up to", lambda[0] + lambda[1], 5, 1e-12);
    lab_at_most(lab, "in eigenvectors momentum differs from one dimension by", worst, 1e-12);
}

/* The largest modulus among the eigenvalues of the step (v, x) -> (beta v + lambda x, x - lr v);
   u = lr lambda. */
static double radius(double u, double beta)
{
    const double step[] = { beta, u, -beta, 1 - u }; /* of (lr v, x) */
    double largest = (double)NAN;
    CN_SCOPE
    {
        cn_tensor *values, *vectors;
        if (cn_linalg_eig(cn_from(step, CN_SHAPE(2, 2), CN_F64), &values, &vectors))
            largest = cn_item(cn_amax(cn_abs(values)));
    }
    return largest;
}

/* It converges for 0 < lr lambda < 2 + 2 beta, and not beyond. */
static void convergence(Lab *lab)
{
    int right = 0, of = 0;
    for (int b = 0; b < 10; b++)
        for (int s = 0; s < 15; s++, of++) {
            const double beta = 0.1 * b, share = 0.05 + 0.1 * s;
            right += (radius(share * (2 + 2 * beta), beta) < 1) == (share < 1);
        }
    lab_number(lab, "rates on the right side of 2 + 2 beta", right, of, 0);
    lab_number(lab, "at that rate the largest eigenvalue is", radius(2 + 2 * 0.5, 0.5), 1, 1e-9);
}

static void decay(Lab *lab)
{
    static const double lambdas[] = { 0.1, 1, 10, 19 };
    cn_figure *figure = cn_figure_new("(1 - 0.1 lambda)^t");
    for (int k = 0; k < 4; k++) {
        char name[64];
        double x[20], worst = 0;
        cn_tensor *w = cn_requires_grad(cn_ones(CN_SHAPE(1), CN_F64), true);
        cn_optim *o = cn_optim_new("SGD", 0.1);
        cn_optim_add_group(o, &w, 1);
        for (int t = 0; t < 20; t++) {
            x[t] = cn_item(w);
            worst = fmax(worst, fabs(x[t] - pow(1 - 0.1 * lambdas[k], t)));
            cn_set_grad(w, cn_mul(cn_detach(w), cn_num(lambdas[k])));
            cn_step(o);
        }
        cn_optim_free(o);
        snprintf(name, sizeof name, "lambda = %g", lambdas[k]);
        lab_at_most(lab, name, worst, 1e-12);
        cn_figure_line(figure, name, NULL, x, 20);
    }
    cn_figure_axes(figure, .xlabel = "time");
    lab_figure(lab, figure);
}

static void run(Lab *lab)
{
    lab_say(lab, "descent on lambda x^2 / 2 from 1: how far from (1 - 0.1 lambda)^t");
    decay(lab);
    eigenvectors(lab);
    convergence(lab);
}

const Experiment experiment_opt_momth = {
    .id = "OPT-MOMTH",
    .title = "Momentum on quadratic and scalar functions",
    .title_zh = "动量法的理论分析",
    .section = "12.6.3",
    .settings = "rate 0.1, lambda 0.1, 1, 10, 19",
    .published = "figure: (1 - rate lambda)^t; converges for 0 < rate lambda < 2 + 2 beta",
    .run = run,
};
