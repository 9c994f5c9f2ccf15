/* proj.c - projections onto a ball and onto the simplex; clipping gradients is one (D2L 12.2.3.3). */
#include "book/book.h"
#include "book/opt/simplex.h"

#include <math.h>

enum { N = 6, TRIALS = 500 };

static void project_ball(const double *v, double *x)
{
    double norm = 0;
    for (int i = 0; i < N; i++) norm += v[i] * v[i];
    for (int i = 0; i < N; i++) x[i] = v[i] * fmin(1, 1 / sqrt(norm));
}

static void simplex(const double *v, double *x)
{
    project_simplex(v, N, x);
}

static double distance(const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < N; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

static void random_point(double *v)
{
    for (int i = 0; i < N; i++) v[i] = 2 * cn_rng_normal(cn_default_rng());
}

/* What every projection onto a convex set does. */
static void projection(Lab *lab, const char *name, void (*project)(const double *v, double *x))
{
    double moved = 0, grown = -(double)INFINITY, beaten = -(double)INFINITY;
    for (int i = 0; i < TRIALS; i++) {
        double v[N], w[N], x[N], y[N], again[N];
        random_point(v), random_point(w);
        project(v, x), project(w, y), project(x, again);
        moved = fmax(moved, distance(x, again));
        grown = fmax(grown, distance(x, y) - distance(v, w));
        beaten = fmax(beaten, distance(v, x) - distance(v, y)); /* y is in the set, too */
    }
    lab_say(lab, "%s, %d pairs of random points", name, TRIALS);
    lab_at_most(lab, "projected twice they move by", moved, 1e-14);
    lab_at_most(lab, "distances grow by", grown, 0);
    lab_at_most(lab, "another point of the set is nearer by", beaten, 0);
}

/* g scaled to norm 1 by the library, if it is longer, and projected. */
static void clipping(Lab *lab)
{
    double v[N], x[N];
    random_point(v);
    project_ball(v, x);
    cn_tensor *p = cn_requires_grad(cn_zeros(CN_SHAPE(N), CN_F64), true);
    cn_set_grad(p, cn_from(v, CN_SHAPE(N), CN_F64));
    lab_at_least(lab, "a gradient has the norm", cn_clip_grad_norm(&p, 1, 1), 1);
    lab_same(lab, "clipped to 1, and projected onto the ball", cn_grad(p),
             cn_from(x, CN_SHAPE(N), CN_F64), 2e-6); /* clipping divides by norm + 1e-6 */
}

/* Stationarity x - v + tau - lambda = 0 with lambda >= 0 and lambda x = 0. */
static void conditions(Lab *lab)
{
    double v[N], x[N], sum = 0, slack = 0, least = 0;
    random_point(v);
    double tau = project_simplex(v, N, x);
    for (int i = 0; i < N; i++) {
        double lambda = x[i] - v[i] + tau;
        sum += x[i];
        slack = fmax(slack, fabs(lambda * x[i]));
        least = fmin(least, lambda);
    }
    lab_number(lab, "the projection onto the simplex adds up to", sum, 1, 1e-14);
    lab_at_most(lab, "complementary slackness", slack, 1e-15);
    lab_at_least(lab, "the least multiplier", least, -1e-15);
}

static void run(Lab *lab)
{
    projection(lab, "the ball", project_ball);
    projection(lab, "the simplex", simplex);
    clipping(lab);
    conditions(lab);
}

const Experiment experiment_opt_proj = {
    .id = "OPT-PROJ",
    .title = "Projections: the ball, the simplex, clipped gradients",
    .title_zh = "投影",
    .section = "12.2.3.3",
    .published = "simplex projection: sum 1.000000, KKT residuals at most 6e-17",
    .run = run,
};
