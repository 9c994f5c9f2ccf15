/* nesterov.c - Nesterov's accelerated gradient: momentum that looks ahead.

   The gradient is taken where the velocity is about to carry x, at y = x - lr beta v. Written for y
   alone this is what frameworks do with one flag: y -= lr (g + beta v). */
#include "book/opt/airfoil.h"
#include "book/opt/traces.h"

#include <math.h>

enum { STEPS = 20 };

/* hyper: lr, beta; w is y */
static void nesterov(const Update *u)
{
    const double lr = u->hyper[0], beta = u->hyper[1];
    double *v = u->s;
    for (int i = 0; i < u->n; i++) {
        v[i] = beta * v[i] + u->g[i];
        u->w[i] -= lr * (u->g[i] + beta * v[i]);
    }
}

/* The definition: x moves, gradients are taken ahead of it. *ahead: where. */
static Trace looking_ahead(double lr, double beta, Trace *ahead)
{
    Trace t = { .dim = 2, .n = 1, .x = { { bowl_start[0] }, { bowl_start[1] } } };
    double v[2] = { 0 }, y[2] = { bowl_start[0], bowl_start[1] }, g[2];
    *ahead = t;
    for (int k = 1; k <= STEPS; k++, t.n++, ahead->n++) {
        slope_at(canyon, y, 2, g);
        for (int i = 0; i < 2; i++) {
            v[i] = beta * v[i] + g[i];
            t.x[i][k] = t.x[i][k - 1] - lr * v[i];
            ahead->x[i][k] = y[i] = t.x[i][k] - lr * beta * v[i];
        }
    }
    return t;
}

/* How far x2 still swings. */
static double largest_x2(const Trace *t, int from)
{
    double most = 0;
    for (int k = from; k < t->n; k++) most = fmax(most, fabs(t->x[1][k]));
    return most;
}

static void run(Lab *lab)
{
    Trace ahead, way = looking_ahead(0.3, 0.8, &ahead),
                 flag = trace(canyon, 2, bowl_start, STEPS, nesterov, AT(0.3, 0.8)),
                 plain = trace(canyon, 2, bowl_start, STEPS, momentum, AT(0.3, 0.8)),
                 library = trace_optim(canyon, 2, bowl_start, STEPS,
                                       "SGD lr=0.3 momentum=0.8 nesterov=True");
    lab_end_at(lab, "looking ahead", &way, 5e-7, AT(0.217791, -0.000070));
    lab_end_at(lab, "plain momentum", &plain, 5e-7, AT(0.195696, -0.249649));
    lab_traces(lab, "the form for y differs from the definition by", &ahead, &flag, 1e-13);
    lab_traces(lab, "and from the library's by", &flag, &library, 1e-13);
    lab_at_most(lab, "x2 after 10 steps is at most", largest_x2(&way, 10), 0.05);
    lab_at_least(lab, "plain momentum still swings by", largest_x2(&plain, 10), 0.2);
    cn_figure *figure = cn_figure_new("Rate 0.3, beta 0.8");
    trace_panel(figure, "Nesterov", canyon, &way, bowl_lo, AT(2, 2));
    trace_panel(figure, "momentum", canyon, &plain, bowl_lo, AT(2, 2));
    lab_figure(lab, figure);

    static const AirfoilCase cases[] = { { "rate 0.005, beta 0.9",
                                           nesterov,
                                           { 0.005, 0.9 },
                                           "SGD lr=0.005 momentum=0.9 nesterov=True",
                                           0.244,
                                           0 } };
    airfoil_cases(lab, "Nesterov momentum", cases, 1);
}

const Experiment experiment_opt_nesterov = {
    .id = "OPT-NESTEROV",
    .title = "Nesterov's accelerated gradient",
    .title_zh = "Nesterov 加速梯度",
    .section = "12.6",
    .settings = "0.1 x1^2 + 2 x2^2, rate 0.3, beta 0.8, 20 steps",
    .published = "0.217791, -0.000070; momentum 0.195696, -0.249649; airfoil loss 0.244",
    .data = "airfoil",
    .run = run,
};
