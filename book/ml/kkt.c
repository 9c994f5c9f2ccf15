/* kkt.c - the Karush-Kuhn-Tucker conditions: a checker that passes solutions and nothing else. */
#include "book/ml/kkt.h"
#include "book/opt/simplex.h"

#include <math.h>

enum { N = 6, OTHERS = 100 };

/* The simplex projection of v: minimise |x - v|^2 / 2 with -x <= 0 and sum x = 1. */
static Quadratic projection(const double *v)
{
    return (Quadratic){ .q = cn_eye(N, CN_F64),
                        .c = cn_neg(cn_from(v, CN_SHAPE(N), CN_F64)),
                        .g = cn_neg(cn_eye(N, CN_F64)),
                        .h = cn_zeros(CN_SHAPE(N), CN_F64),
                        .a = cn_ones(CN_SHAPE(1, N), CN_F64),
                        .b = cn_ones(CN_SHAPE(1), CN_F64) };
}

static cn_tensor *vector(const double *v)
{
    return cn_from(v, CN_SHAPE(N), CN_F64);
}

/* Moves from the solution, each of which breaks one condition. */
static void perturbed(Lab *lab, const Quadratic *p, const double *x, const double *lambda,
                      double tau)
{
    double moved[N], paid[N];
    cn_tensor *nu = cn_full(CN_SHAPE(1), tau, CN_F64);
    for (int i = 0; i < N; i++) moved[i] = x[i], paid[i] = lambda[i];
    moved[0] += 0.1, moved[1] -= 0.1; /* still adds up to 1, but x1 was 0 */
    lab_at_least(lab, "x moved to a negative entry: primal feasibility",
                 kkt_of(p, vector(moved), vector(lambda), nu).primal, 0.099);
    moved[1] += 0.1;
    lab_at_least(lab, "x moved off the simplex: primal feasibility",
                 kkt_of(p, vector(moved), vector(lambda), nu).primal, 0.099);
    paid[0] += 0.1; /* where x is positive */
    lab_at_least(lab, "a multiplier for an inactive constraint: slackness",
                 kkt_of(p, vector(x), vector(paid), nu).slackness, 0.01);
    paid[0] = -0.1;
    lab_at_least(lab, "a negative multiplier: dual feasibility",
                 kkt_of(p, vector(x), vector(paid), nu).dual, 0.099);
    nu = cn_full(CN_SHAPE(1), tau + 0.1, CN_F64);
    lab_at_least(lab, "another multiplier of the sum: stationarity",
                 kkt_of(p, vector(x), vector(lambda), nu).stationarity, 0.099);
}

static void run(Lab *lab)
{
    const double v[N] = { 0.9, -0.4, 0.5, 0.1, -1.2, 0.35 };
    double x[N], lambda[N], y[N];
    double tau = project_simplex(v, N, x);
    for (int i = 0; i < N; i++) lambda[i] = fmax(tau - v[i], 0);
    Quadratic p = projection(v);
    Kkt k = kkt_of(&p, vector(x), vector(lambda), cn_full(CN_SHAPE(1), tau, CN_F64));
    /* 0.9, 0.5 and 0.35 stay: tau = (1.75 - 1) / 3 */
    lab_values(lab, "the projection", vector(x), 1e-15, 0.65, 0, 0.25, 0, 0, 0.1);
    lab_number(lab, "tau", tau, 0.25, 1e-15);
    lab_kkt(lab, "solution", &k, 1.2e-16);
    perturbed(lab, &p, x, lambda, tau);
    double least = (double)INFINITY;
    for (int i = 0; i < OTHERS; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++) sum += y[j] = -log(1 - cn_rng_uniform(cn_default_rng()));
        for (int j = 0; j < N; j++) y[j] /= sum;
        least = fmin(least, quadratic_value(&p, vector(y)));
    }
    lab_at_least(lab, "the best of 100 random points of the simplex is above it by",
                 least - quadratic_value(&p, vector(x)), 1e-4);
}

const Experiment experiment_ml_kkt = {
    .id = "ML-KKT",
    .title = "The Karush-Kuhn-Tucker conditions",
    .title_zh = "KKT条件",
    .section = "12.2.3",
    .published = "simplex projection: stationarity 5.6e-17, slackness 0, dual feasibility 0",
    .run = run,
};
