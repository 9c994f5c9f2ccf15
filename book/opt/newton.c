/* newton.c - Newton's method for minima: second derivatives by autograd (D2L 12.3.3.1). */
#include "book/opt/traces.h"

#include <math.h>

static cn_tensor *cosh_half(cn_tensor *x)
{
    return cn_cosh(cn_mul(x, cn_num(0.5)));
}

/* x -= lr f'(x) / f''(x), ten times from 10. */
static Trace newton(Function *f, double lr)
{
    Trace t = { .dim = 1, .n = 1, .x = { { 10 } } };
    for (double x = 10, slope; t.n <= 10; t.x[0][t.n++] = x) {
        slope_at(f, &x, 1, &slope);
        CN_SCOPE
        {
            x -= lr * slope / cn_item(hessian_at(f, &x, 1));
        }
    }
    return t;
}

/* The same with the derivatives of x cos(c x) worked out. */
static Trace by_hand(double lr)
{
    const double c = 0.15 * acos(-1);
    Trace t = { .dim = 1, .n = 1, .x = { { 10 } } };
    for (double x = 10; t.n <= 10; t.x[0][t.n++] = x) {
        double slope = cos(c * x) - c * x * sin(c * x),
               curvature = -2 * c * sin(c * x) - x * c * c * cos(c * x);
        x -= lr * slope / curvature;
    }
    return t;
}

static void run(Lab *lab)
{
    Trace one = newton(cosh_half, 1), far = newton(wave, 1), near = newton(wave, 0.5),
          hand_far = by_hand(1), hand_near = by_hand(0.5);
    lab_end_at(lab, "cosh(0.5 x)", &one, 5e-7, AT(0));
    lab_end_at(lab, "x cos(0.15 pi x), rate 1", &far, 5e-7, AT(26.834133));
    lab_end_at(lab, "rate 0.5", &near, 5e-7, AT(7.269860));
    lab_traces(lab, "with derivatives by hand, rate 1: differs by", &far, &hand_far, 1e-9);
    lab_traces(lab, "rate 0.5", &near, &hand_near, 1e-9);
    cn_figure *figure = cn_figure_new("Newton's method");
    trace_panel(figure, "cosh(0.5 x)", cosh_half, &one, AT(-11), AT(11));
    trace_panel(figure, "x cos(0.15 pi x), rate 1", wave, &far, wave_lo, wave_hi);
    trace_panel(figure, "rate 0.5", wave, &near, wave_lo, wave_hi);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_newton = {
    .id = "OPT-NEWTON",
    .title = "Newton's method for minima",
    .title_zh = "牛顿法",
    .section = "12.3.3.1",
    .settings = "from 10, 10 steps; cosh(0.5 x), x cos(0.15 pi x) with rates 1 and 0.5",
    .published = "x = 0; 26.834133; 7.269860",
    .run = run,
};
