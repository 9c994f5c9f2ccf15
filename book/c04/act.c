/* act.c - activation functions and their derivatives (D2L 5.1.2). */
#include "book/book.h"

#include <math.h>

enum { POINTS = 160, RUNS = 50, MANY = 1 << 14 };

typedef cn_tensor *Activation(cn_tensor *x);

static cn_tensor *derivative(Activation *f, cn_tensor *at)
{
    cn_tensor *x = cn_requires_grad(cn_clone(at), true), *g = NULL;
    cn_tensor *sum = cn_sum(f(x));
    return cn_grad_of(&sum, NULL, 1, &x, 1, &g, NULL) ? g : NULL;
}

static void draw(cn_figure *f, const char *name, Activation *activation, cn_tensor *x)
{
    double at[POINTS], y[POINTS], slope[POINTS];
    if (!cn_read(x, CN_F64, at, POINTS) || !cn_read(activation(x), CN_F64, y, POINTS) ||
        !cn_read(derivative(activation, x), CN_F64, slope, POINTS))
        return;
    cn_figure_panel(f, name);
    cn_figure_line(f, "value", at, y, POINTS);
    cn_figure_line(f, "gradient", at, slope, POINTS);
    cn_figure_axes(f, .xlabel = "x", .width = 320, .height = 220);
}

/* The least of several times of each, in seconds; taken in turns, so that other programs disturb all
   of them alike. */
static void race(Activation *const *f, double *seconds, int n, cn_tensor *x)
{
    for (int k = 0; k < n; k++) seconds[k] = HUGE_VAL;
    for (int i = 0; i < RUNS * n; i++) CN_SCOPE CN_NO_GRAD
        {
            double start = cn_seconds();
            f[i % n](x);
            seconds[i % n] = fmin(seconds[i % n], cn_seconds() - start);
        }
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_arange(-8, 8, 0.1, CN_F64), *one = cn_num(1);
    lab_shape(lab, "x", x, CN_SHAPE(POINTS));

    lab_same(lab, "relu and max(x, 0)", cn_relu(x), cn_maximum(x, cn_num(0)), 0);
    lab_same(lab, "its derivative and x > 0", derivative(cn_relu, x),
             cn_to(cn_gt(x, cn_num(0)), CN_F64), 0);
    lab_values(lab, "its derivative at -1, 0, 1",
               derivative(cn_relu, cn_from((const double[]){ -1, 0, 1 }, CN_SHAPE(3), CN_F64)), 0,
               0, 0, 1);
    cn_tensor *s = cn_sigmoid(x), *t = cn_tanh(x);
    lab_same(lab, "sigmoid and 1 / (1 + exp(-x))", s, cn_div(one, cn_add(cn_exp(cn_neg(x)), one)),
             1e-14);
    lab_same(lab, "its derivative and s (1 - s)", derivative(cn_sigmoid, x),
             cn_mul(s, cn_sub(one, s)), 1e-14);
    cn_tensor *e = cn_exp(cn_mul(x, cn_num(-2)));
    lab_same(lab, "tanh and (1 - exp(-2x)) / (1 + exp(-2x))", t,
             cn_div(cn_sub(one, e), cn_add(one, e)), 1e-14);
    lab_same(lab, "its derivative and 1 - t^2", derivative(cn_tanh, x), cn_sub(one, cn_square(t)),
             1e-14);
    lab_same(lab, "tanh x + 1 = 2 sigmoid 2x", cn_add(t, one),
             cn_mul(cn_sigmoid(cn_mul(x, cn_num(2))), cn_num(2)), 1e-14);
    lab_number(lab, "largest derivative of sigmoid", cn_item(cn_amax(derivative(cn_sigmoid, x))),
               0.25, 1e-6);

    cn_tensor *many = cn_randn(CN_SHAPE(MANY), CN_F32);
    double time[3];
    race((Activation *[]){ cn_relu, cn_sigmoid, cn_tanh }, time, 3, many);
    lab_say(lab, "of %d numbers: relu %.0f us, sigmoid %.0f us, tanh %.0f us", MANY, 1e6 * time[0],
            1e6 * time[1], 1e6 * time[2]);
    lab_at_most(lab, "time of relu, against the cheaper of sigmoid and tanh",
                time[0] / fmin(time[1], time[2]), 1);

    cn_figure *f = cn_figure_new(NULL);
    draw(f, "relu", cn_relu, x);
    draw(f, "sigmoid", cn_sigmoid, x);
    draw(f, "tanh", cn_tanh, x);
    lab_figure(lab, f);
}

const Experiment experiment_c04_act = {
    .id = "C04-ACT",
    .title = "ReLU, sigmoid and tanh",
    .title_zh = "激活函数",
    .section = "5.1.2",
    .trains = true, /* it takes times, which a busy machine disturbs */
    .run = run,
};
