/* lines.c - descent with line search: backtracking, and bisection (D2L 12.3.3.4). */
#include "book/opt/traces.h"

#include <math.h>

enum { STEPS = 25 };

/* f at x - lr g, and its derivative by lr in *slope. */
static double along(const double x[2], const double g[2], double lr, double *slope)
{
    const double at[] = { x[0] - lr * g[0], x[1] - lr * g[1] };
    double h[2];
    slope_at(canyon, at, 2, h);
    *slope = -(h[0] * g[0] + h[1] * g[1]);
    return value_at(canyon, at, 2);
}

/* Halves the rate until f falls by a share of what its slope promises (Armijo, 1966). */
static double backtracking(const double x[2], const double g[2])
{
    const double now = value_at(canyon, x, 2), norm = g[0] * g[0] + g[1] * g[1];
    double lr = 4, slope;
    while (lr > 1e-12 && along(x, g, lr, &slope) > now - 0.3 * lr * norm) lr /= 2;
    return lr;
}

/* Where the slope along the line changes its sign. */
static double bisection(const double x[2], const double g[2])
{
    double lo = 0, hi = 8, slope;
    for (int i = 0; i < 52; i++) {
        double lr = (lo + hi) / 2;
        along(x, g, lr, &slope);
        if (slope < 0) lo = lr;
        else hi = lr;
    }
    return (lo + hi) / 2;
}

typedef struct {
    Trace way;
    double f[STEPS + 1];
    double off_best;    /* from the best rate, which a quadratic has in closed form: at most */
    double off_right;   /* the cosine between two steps: at most */
    double least_share; /* of the promised fall */
} Search;

static void look(Search *s, const double x[2], const double g[2], const double last[2], double lr)
{
    const double norm = g[0] * g[0] + g[1] * g[1], h[] = { 0.2, 4 };
    const double best = norm / (h[0] * g[0] * g[0] + h[1] * g[1] * g[1]);
    double slope, fall = value_at(canyon, x, 2) - along(x, g, lr, &slope);
    s->off_best = fmax(s->off_best, fabs(lr / best - 1));
    s->off_right = fmax(s->off_right, fabs(g[0] * last[0] + g[1] * last[1]) /
                                          sqrt(norm * (last[0] * last[0] + last[1] * last[1])));
    s->least_share = fmin(s->least_share, fall / (lr * norm));
}

static Search search(double (*rate)(const double x[2], const double g[2]))
{
    Search s = { .way = { .dim = 2, .n = 1, .x = { { -5 }, { -2 } } }, .least_share = 1 };
    double x[] = { -5, -2 }, g[2], last[] = { 8, -1 /* at right angles to the first gradient */ };
    s.f[0] = value_at(canyon, x, 2);
    for (int k = 1; k <= STEPS; k++) {
        slope_at(canyon, x, 2, g);
        double lr = rate(x, g);
        look(&s, x, g, last, lr);
        for (int i = 0; i < 2; i++) x[i] -= lr * g[i], last[i] = g[i], s.way.x[i][k] = x[i];
        s.f[k] = value_at(canyon, x, 2);
        s.way.n++;
    }
    return s;
}

static bool falls(const Search *s)
{
    for (int k = 1; k <= STEPS; k++)
        if (!(s->f[k] < s->f[k - 1])) return false;
    return true;
}

static void run(Lab *lab)
{
    Search armijo = search(backtracking), exact = search(bisection);
    lab_true(lab, "backtracking: f falls in every step", falls(&armijo));
    lab_at_least(lab, "by a share of what the slope promises of", armijo.least_share, 0.3);
    lab_at_most(lab, "f after 25 steps", armijo.f[STEPS], 1e-2);
    lab_true(lab, "bisection: f falls in every step", falls(&exact));
    lab_at_most(lab, "its rates differ from g.g / g.Hg by", exact.off_best, 1e-6);
    lab_at_most(lab, "cosine between a gradient and the next", exact.off_right, 1e-6);
    cn_figure *figure = cn_figure_new("Line search on 0.1 x1^2 + 2 x2^2");
    trace_panel(figure, "backtracking", canyon, &armijo.way, bowl_lo, bowl_hi);
    trace_panel(figure, "bisection", canyon, &exact.way, bowl_lo, bowl_hi);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_lines = {
    .id = "OPT-LINES",
    .title = "Gradient descent with line search",
    .title_zh = "梯度下降和线搜索",
    .section = "12.3.3.4",
    .run = run,
};
