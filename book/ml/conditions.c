/* conditions.c - checking and solving the conditions of quadratic problems. */
#include "book/ml/kkt.h"

#include <math.h>
#include <stdio.h>

static double largest(cn_tensor *t)
{
    return fmax(0, cn_item(cn_amax(t)));
}

Kkt kkt_of(const Quadratic *p, cn_tensor *x, cn_tensor *lambda, cn_tensor *nu)
{
    Kkt k = { 0 };
    cn_tensor *gradient = cn_add(cn_mv(p->q, x), p->c);
    if (p->g) {
        cn_tensor *excess = cn_sub(cn_mv(p->g, x), p->h);
        gradient = cn_add(gradient, cn_mv(cn_t(p->g), lambda));
        k.primal = largest(excess);
        k.dual = largest(cn_neg(lambda));
        k.slackness = largest(cn_abs(cn_mul(lambda, excess)));
    }
    if (p->a) {
        gradient = cn_add(gradient, cn_mv(cn_t(p->a), nu));
        k.primal = fmax(k.primal, largest(cn_abs(cn_sub(cn_mv(p->a, x), p->b))));
    }
    k.stationarity = largest(cn_abs(gradient));
    return k;
}

double kkt_worst(const Kkt *k)
{
    return fmax(fmax(k->stationarity, k->primal), fmax(k->dual, k->slackness));
}

void lab_kkt(Lab *lab, const char *what, const Kkt *k, double tolerance)
{
    const double residual[] = { k->stationarity, k->primal, k->dual, k->slackness };
    static const char *const names[] = { "stationarity", "primal feasibility", "dual feasibility",
                                         "complementary slackness" };
    char name[128];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s: %s", what, names[i]);
        lab_at_most(lab, name, residual[i], tolerance);
    }
}

double quadratic_value(const Quadratic *p, cn_tensor *x)
{
    return 0.5 * cn_item(cn_dot(x, cn_mv(p->q, x))) + cn_item(cn_dot(p->c, x));
}

void quadratic_solve(const Quadratic *p, cn_tensor **x, cn_tensor **nu)
{
    const int64_t n = cn_size(p->q, 0), m = cn_size(p->a, 0);
    cn_tensor *top[] = { p->q, cn_t(p->a) }, *bottom[] = { p->a, cn_zeros(CN_SHAPE(m, m), CN_F64) };
    cn_tensor *rows[] = { cn_cat(top, 2, 1), cn_cat(bottom, 2, 1) };
    cn_tensor *right[] = { cn_neg(p->c), p->b };
    cn_tensor *both = cn_linalg_solve(cn_cat(rows, 2, 0), cn_cat(right, 2, 0));
    *x = cn_narrow(both, 0, 0, n);
    *nu = cn_narrow(both, 0, n, m);
}
