/* dual.c - from a primal problem to its dual: bounds from below, and whether they are tight. */
#include "book/book.h"
#include "book/ml/eight.h"
#include "book/ml/svm.h"

#include <math.h>

enum { GRID = 4001, PRICES = 601 };

/* On [lo, hi]: minimise f where g <= 0. */
typedef struct {
    double lo, hi;
    double (*f)(double x), (*g)(double x);
} Problem;

typedef struct {
    double best;                          /* of the primal problem */
    double bound[PRICES], lambda[PRICES]; /* the dual function */
    double highest, at;
} Solved;

static Solved solve(const Problem *p, double most)
{
    Solved s = { .best = (double)INFINITY, .highest = -(double)INFINITY };
    for (int k = 0; k < PRICES; k++) {
        s.lambda[k] = most * k / (PRICES - 1);
        s.bound[k] = (double)INFINITY;
        for (int i = 0; i < GRID; i++) {
            double x = p->lo + (p->hi - p->lo) * i / (GRID - 1);
            s.bound[k] = fmin(s.bound[k], p->f(x) + s.lambda[k] * p->g(x));
            if (p->g(x) <= 0) s.best = fmin(s.best, p->f(x));
        }
        if (s.bound[k] > s.highest) s.highest = s.bound[k], s.at = s.lambda[k];
    }
    return s;
}

static void draw(cn_figure *figure, const char *title, const Solved *s)
{
    const double best[] = { s->best, s->best }, ends[] = { 0, s->lambda[PRICES - 1] };
    cn_figure_panel(figure, title);
    cn_figure_line(figure, "dual function", s->lambda, s->bound, PRICES);
    cn_figure_line(figure, "primal optimum", ends, best, 2);
    cn_figure_axes(figure, .xlabel = "lambda");
}

static double square(double x)
{
    return x * x;
}

static double at_least_1(double x)
{
    return 1 - x;
}

static double hill(double x)
{
    return -x * x;
}

static double at_most_half(double x)
{
    return x - 0.5;
}

static void one_variable(Lab *lab)
{
    Solved convex = solve(&(Problem){ -2, 2, square, at_least_1 }, 4),
           other = solve(&(Problem){ 0, 1, hill, at_most_half }, 3);
    double off = 0, over = -(double)INFINITY;
    for (int k = 0; k < PRICES; k++) {
        const double l = convex.lambda[k], m = other.lambda[k];
        off = fmax(off, fabs(convex.bound[k] - (l - l * l / 4)));
        off = fmax(off, fabs(other.bound[k] - fmin(-m / 2, m / 2 - 1)));
        over = fmax(over, fmax(convex.bound[k] - convex.best, other.bound[k] - other.best));
    }
    lab_at_most(lab, "the dual functions differ from their closed forms by", off, 1e-6);
    lab_at_most(lab, "weak duality: a bound is above the optimum by", over, 1e-12);
    lab_number(lab, "x^2 with x >= 1: primal", convex.best, 1, 1e-12);
    lab_number(lab, "dual", convex.highest, 1, 1e-6);
    lab_number(lab, "-x^2 on [0, 1] with x <= 1/2: primal", other.best, -0.25, 1e-12);
    lab_number(lab, "dual", other.highest, -0.5, 1e-12);
    lab_number(lab, "at lambda", other.at, 1, 1e-12);
    cn_figure *figure = cn_figure_new("Duality");
    draw(figure, "x^2, x >= 1", &convex);
    draw(figure, "-x^2, x <= 1/2", &other);
    lab_figure(lab, figure);
}

/* Random multipliers bound every separating plane's |w|^2 / 2; the best ones meet the best plane. */
static void machine(Lab *lab)
{
    double k[EIGHT * EIGHT], highest = -(double)INFINITY;
    eight_products(true, k);
    Svm s = { .n = EIGHT, .k = k, .y = eight_y, .limit = (double)INFINITY };
    for (int t = 0; t < 2000; t++) {
        for (int i = 0; i < EIGHT; i++) s.a[i] = 0.3 * cn_rng_uniform(cn_default_rng());
        highest = fmax(highest, svm_dual(&s));
    }
    for (int i = 0; i < EIGHT; i++) s.a[i] = 0;
    svm_ascent(&s, 5000);
    lab_at_most(lab, "2,000 random multipliers of a support vector machine: the best bound",
                highest, 41.0 / 98);
    lab_at_most(lab, "primal less dual at the solution", fabs(svm_primal(&s) - svm_dual(&s)),
                1e-14);
    lab_at_most(lab, "whose plane is feasible, within", svm_slackness(&s), 1e-14);
}

static void run(Lab *lab)
{
    one_variable(lab);
    machine(lab);
}

const Experiment experiment_ml_dual = {
    .id = "ML-DUAL",
    .title = "Primal and dual problems",
    .title_zh = "原问题与对偶问题",
    .section = "12.2.3",
    .published = "SVM gap 4.4e-16; non-convex p* = -0.25, d* = -0.5",
    .run = run,
};
