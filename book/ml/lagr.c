/* lagr.c - Lagrange multipliers: equality-constrained quadratics by one linear system. */
#include "book/ml/kkt.h"

#include <math.h>

enum { N = 6, EQUATIONS = 2, OTHERS = 200 };

/* The hyperplane's nearest point to 0: x = b a / |a|^2, nu = -2 b / |a|^2. */
static void hyperplane(Lab *lab)
{
    const double a[] = { 1, 2, -2 }, b = 3, step = 1e-4;
    Quadratic p = { .q = cn_mul(cn_eye(3, CN_F64), cn_num(2)), .c = cn_zeros(CN_SHAPE(3), CN_F64) };
    cn_tensor *x, *nu, *more_x, *more_nu;
    p.a = cn_from(a, CN_SHAPE(1, 3), CN_F64);
    p.b = cn_full(CN_SHAPE(1), b, CN_F64);
    quadratic_solve(&p, &x, &nu);
    lab_values(lab, "nearest to 0 with x1 + 2 x2 - 2 x3 = 3", x, 1e-12, 1.0 / 3, 2.0 / 3, -2.0 / 3);
    lab_number(lab, "the multiplier, -2 b / |a|^2", cn_item(nu), -2.0 / 3, 1e-12);
    /* What the optimum gains when the constraint moves: the shadow price, -nu. */
    Quadratic moved = p;
    moved.b = cn_full(CN_SHAPE(1), b + step, CN_F64);
    quadratic_solve(&moved, &more_x, &more_nu);
    lab_number(lab, "change of the optimum with b",
               (quadratic_value(&p, more_x) - quadratic_value(&p, x)) / step, -cn_item(nu), 1e-4);
}

static void random_problem(Lab *lab)
{
    cn_tensor *m = cn_randn(CN_SHAPE(N, N), CN_F64), *x, *nu;
    Quadratic p = { .q = cn_add(cn_mm(m, cn_t(m)), cn_eye(N, CN_F64)),
                    .c = cn_randn(CN_SHAPE(N), CN_F64),
                    .a = cn_randn(CN_SHAPE(EQUATIONS, N), CN_F64),
                    .b = cn_randn(CN_SHAPE(EQUATIONS), CN_F64) };
    quadratic_solve(&p, &x, &nu);
    Kkt k = kkt_of(&p, x, NULL, nu);
    lab_at_most(lab, "a random problem: the gradient less its part along the constraints'",
                k.stationarity, 1e-6);
    lab_at_most(lab, "its equations", k.primal, 1e-12);
    /* Steps that keep the equations: what is left of a step after its projection on their rows. */
    cn_tensor *rows = cn_matmul(cn_linalg_pinv(p.a), p.a);
    double least = (double)INFINITY, broken = 0;
    for (int i = 0; i < OTHERS; i++) {
        cn_tensor *step = cn_randn(CN_SHAPE(N), CN_F64);
        cn_tensor *other = cn_add(x, cn_sub(step, cn_mv(rows, step)));
        least = fmin(least, quadratic_value(&p, other));
        broken = fmax(broken, kkt_of(&p, other, NULL, nu).primal);
    }
    lab_at_most(lab, "200 other points keep the equations within", broken, 1e-10);
    lab_at_least(lab, "the least of them is above the solution by", least - quadratic_value(&p, x),
                 1e-3);
}

static void run(Lab *lab)
{
    hyperplane(lab);
    random_problem(lab);
}

const Experiment experiment_ml_lagr = {
    .id = "ML-LAGR",
    .title = "Lagrange multipliers",
    .title_zh = "拉格朗日乘子法",
    .section = "12.2.3.1",
    .run = run,
};
